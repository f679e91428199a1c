//! The NGSI-LD representations: wire JSON to entities and attributes, and back (ETSI GS CIM 009, 4.5).
//!
//! Input becomes a *fragment* first: what was said, with "not said" and "delete" kept apart, so that one
//! parser serves create, update, merge and partial update. Output goes straight into bytes.

mod error;
mod fragment;
mod json;
pub mod params;
mod parse;
mod view;
mod write;
mod write_attribute;

pub use error::{ErrorKind, NgsiError};
pub(crate) use fragment::set_object_types;
pub use fragment::{AttributeFragment, EntityFragment, Patch};
pub use json::{DEPTH_MAX, parse_json, whole_where_whole};
pub use parse::{InputForm, parse_attribute, parse_entity, parse_fragment};
pub use view::{Form, Member, Projection, View};
pub use write::{Linked, write_entity, write_feature, write_feature_collection};
pub use write_attribute::{write_attribute, write_attribute_value, write_string, write_timestamp};

/// The value that stands for "delete this" in updates and merges (4.5.0).
pub const NULL: &str = "urn:ngsi-ld:null";

#[cfg(test)]
mod tests;
