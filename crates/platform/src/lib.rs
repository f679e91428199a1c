//! Layer 2: NGSI-LD semantics: the information model on the wire, contexts, queries, entities, and
//! the acceptance of what sources deliver.

pub mod accept;
pub mod context;
pub mod entities;
pub mod ngsi;
pub mod query;
pub mod retention;
