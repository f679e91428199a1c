//! The current state of entities and how requests change it (ETSI GS CIM 009, 5.6 and 5.7).
//!
//! Every write reads a snapshot, computes the new state as a pure [`Edit`], and commits with the version it read
//! as a precondition; when somebody was faster, it starts again.

mod apply;
mod batch;
mod departed;
mod discover;
mod edit;
mod history;
mod merge;
mod write;

pub use apply::{AttributeChange, UpdateResult};
pub use batch::{Batch, BatchOperation, BatchResult};
pub use departed::TemporalEntity;
pub use discover::{AttributeInfo, TypeInfo, attribute_info, attribute_infos, type_info, type_infos};
pub use edit::Edit;
pub use history::{record, record_deleted};
pub use write::{
    append_attributes, create, delete, delete_attribute, merge_entity, partial_update, purge, replace,
    replace_attribute, tenant_exists, update_attributes,
};

/// How often a write starts again when somebody else changed the same entity in between.
pub const ATTEMPTS_MAX: usize = 16;

#[cfg(test)]
mod tests;
