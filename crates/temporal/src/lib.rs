//! The temporal evolution of entities: what each attribute was, and when (ETSI GS CIM 009, 4.5.6 to 4.5.9, 4.11, 5.6.11
//! to 5.6.16 and 5.7.3 to 5.7.4).
//!
//! History is the store's; here are its NGSI-LD semantics: which instances a query means, how they are identified,
//! aggregated, cut to size, and written as JSON.

mod aggregate;
mod cut;
mod find;
mod instance;
mod order;
mod period;
mod query;
mod read;
mod represent;
mod write;

pub use aggregate::{Aggregates, Aggregation, AggregationMethod};
pub use cut::PartialRange;
pub use find::{TemporalFound, TemporalSearch};
pub use instance::{Instance, TimeProperty, instance_id};
pub use order::OrderBy;
pub use period::AggregationPeriod;
pub use query::{TemporalForm, TemporalParameters, TemporalQuery, TemporalQueryError, TimeRelation};
pub use read::{Budget, Evolution, Strand, TemporalReader};
pub use represent::{scope_name, write_evolution};
pub use write::{Datasets, TemporalWriter, Written};

#[cfg(test)]
mod tests;
