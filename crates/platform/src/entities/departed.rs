//! What is kept of an entity whose history is known while it has no present: never there, or deleted.

use model::{Entity, EntityId, Iri, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// An entity without its attributes. An entity that exists now has no such document: its state says the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemporalEntity {
    /// Its identifier.
    pub id: EntityId,
    /// Its types, expanded.
    pub types: Vec<Iri>,
    /// Its scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// When the platform first heard of it.
    pub created_at: Timestamp,
    /// When the platform last heard of it.
    pub modified_at: Timestamp,
}

impl TemporalEntity {
    /// What is kept of an entity.
    #[must_use]
    pub fn of(entity: &Entity) -> Self {
        Self {
            id: entity.id.clone(),
            types: entity.types.clone(),
            scopes: entity.scopes.clone(),
            created_at: entity.created_at,
            modified_at: entity.modified_at,
        }
    }

    /// As an entity without attributes, for the questions that entities answer.
    #[must_use]
    pub fn to_entity(&self) -> Entity {
        Entity {
            id: self.id.clone(),
            types: self.types.clone(),
            scopes: self.scopes.clone(),
            attributes: model::Attributes::new(),
            created_at: self.created_at,
            modified_at: self.modified_at,
        }
    }
}

impl Document for TemporalEntity {
    const COLLECTION: &'static str = "temporal-entities";

    fn key(&self) -> String {
        self.id.as_str().to_owned()
    }
}
