//! The entity: a thing in the city, with its types, scopes and attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Attribute, AttributeValue, BoundingBox, EntityId, Geometry, Iri, Timestamp};

/// Attributes by expanded name; each has at least one instance, at most one for each `dataset_id`.
pub type Attributes = BTreeMap<Iri, Vec<Attribute>>;

/// A thing in the city: a building, a traffic station, a tram. Serialised form: the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its identifier.
    pub id: EntityId,
    /// Its types, expanded, at least one, in the order in which they were given.
    pub types: Vec<Iri>,
    /// The scopes it belongs to (`/Rotterdam/Centrum`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Its attributes.
    #[serde(rename = "attrs", default)]
    pub attributes: Attributes,
    /// When the platform first saw it.
    #[serde(rename = "c")]
    pub created_at: Timestamp,
    /// When the platform last changed it.
    #[serde(rename = "m")]
    pub modified_at: Timestamp,
}

impl Entity {
    /// The expanded name of the attribute that says where an entity is.
    pub const LOCATION: &'static str = "https://uri.etsi.org/ngsi-ld/location";

    /// A new entity of one type, without attributes.
    #[must_use]
    pub fn new(id: EntityId, entity_type: Iri, now: Timestamp) -> Self {
        Self {
            id,
            types: vec![entity_type],
            scopes: vec![],
            attributes: Attributes::new(),
            created_at: now,
            modified_at: now,
        }
    }

    /// The default instance of an attribute, by expanded name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let instances = self.attributes.get(name)?;
        instances.iter().find(|a| a.dataset_id.is_none())
    }

    /// Where it is: the default `location`.
    #[must_use]
    pub fn location(&self) -> Option<&Geometry> {
        match &self.attribute(Self::LOCATION)?.value {
            AttributeValue::Geo(geometry) => Some(geometry),
            _ => None,
        }
    }

    /// The box around its `location`, degrees.
    #[must_use]
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        self.location().map(Geometry::bounding_box)
    }

    /// Puts one attribute instance in place, replacing the instance with the same `dataset_id`.
    pub fn set(&mut self, name: impl Into<Iri>, attribute: Attribute) {
        let instances = self.attributes.entry(name.into()).or_default();
        match instances.iter_mut().find(|a| a.dataset_id == attribute.dataset_id) {
            Some(existing) => *existing = attribute,
            None => instances.push(attribute),
        }
    }
}
