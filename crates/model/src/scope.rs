//! What a reader may see: decided at the door, carried out by the layers.

use std::{collections::HashSet, sync::Arc};

use crate::{Entity, Iri};

/// Which entities a subject may read. `trust` decides it; `platform` and `views` filter with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadScope {
    /// Everything in the tenant.
    All,
    /// Only entities whose types are all in this set (the public types, for someone without an account).
    Types(Arc<HashSet<Iri>>),
}

impl ReadScope {
    /// Whether an entity may be shown.
    #[must_use]
    pub fn shows(&self, entity: &Entity) -> bool {
        entity.types.iter().all(|t| self.shows_type(t))
    }

    /// Whether entities of a type may be shown.
    #[must_use]
    pub fn shows_type(&self, entity_type: &Iri) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.contains(entity_type),
        }
    }
}
