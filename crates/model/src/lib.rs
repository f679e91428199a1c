//! The words of Polder: entity, attribute, observation, geometry, time, unit and quality label.
//!
//! Every other crate speaks in these values. There is no I/O here, no clock and no configuration: a value
//! goes in, a value or a named [`Problem`] comes out. Names are those of the NGSI-LD information model
//! (ETSI GS CIM 009); the glossary with the Dutch words is in this crate's README.

mod attribute;
mod change;
mod entity;
mod geometry;
mod id;
mod observation;
mod problem;
mod quality;
mod scope;
mod stored;
mod time;
mod trip;
mod units;

pub use attribute::{Attribute, AttributeValue};
pub use change::{Change, ChangeKind};
pub use entity::{Attributes, Entity};
pub use geometry::{BoundingBox, Geometry};
pub use id::{EntityId, Iri, SUPPRESSED, Tenant};
pub use observation::{Incoming, Observation, ObservedValue, SeriesKey, SourceInfo};
pub use problem::Problem;
pub use quality::{Origin, Quality, QualityFlags};
pub use scope::ReadScope;
pub use stored::Stored;
pub use time::Timestamp;
pub use trip::{TripStop, TripTimes};
pub use units::{Unit, harmonise, unit_of};

/// The namespace of the terms that the NGSI-LD core context defines.
pub const NGSI_LD: &str = "https://uri.etsi.org/ngsi-ld/";
/// The namespace that a term falls into when no `@context` defines it.
pub const DEFAULT_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
/// The namespace of the words that Polder itself adds.
pub const POLDER: &str = "https://polder.city/ns#";
