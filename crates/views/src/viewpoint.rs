//! From where one looks at the city: which snapshot, whose data, which of them, at what moment of the city's clock.

use model::{Entity, EntityId, Iri, ReadScope, Tenant, Timestamp};
use store::{EntitySelect, Snapshot};

use crate::{LayerConfig, ViewError};

/// Everything that a picture depends on besides the question itself.
#[derive(Clone, Copy)]
pub struct Viewpoint<'a> {
    /// The state of the city.
    pub snapshot: &'a Snapshot,
    /// Whose data.
    pub tenant: &'a Tenant,
    /// Which of them the reader may see.
    pub scope: &'a ReadScope,
    /// The city's moment: ages are counted from here.
    pub now: Timestamp,
}

impl Viewpoint<'_> {
    /// Refuses a layer whose entities the reader may not see, as if it did not exist.
    ///
    /// # Errors
    /// [`ViewError::Missing`].
    pub fn check(&self, layer: &LayerConfig) -> Result<(), ViewError> {
        if self.scope.shows_type(&layer.type_iri()) {
            return Ok(());
        }
        Err(ViewError::Missing(format!("layer \"{}\"", layer.id)))
    }

    /// One entity, when the reader may see it.
    ///
    /// # Errors
    /// [`ViewError::Missing`], or the store's.
    pub fn entity(&self, id: &EntityId) -> Result<std::sync::Arc<store::Stored<Entity>>, ViewError> {
        let found = self.snapshot.entity(self.tenant, id)?;
        found.filter(|e| self.scope.shows(&e.value)).ok_or_else(|| ViewError::Missing(format!("thing \"{id}\"")))
    }

    /// Calls `visit` with every entity of a selection that the reader may see, until it returns `false`.
    ///
    /// # Errors
    /// The store's.
    pub fn each(&self, select: &EntitySelect, mut visit: impl FnMut(&Entity) -> bool) -> Result<(), ViewError> {
        for stored in self.snapshot.entities(self.tenant, select, None) {
            let stored = stored?;
            if self.scope.shows(&stored.value) && !visit(&stored.value) {
                break;
            }
        }
        Ok(())
    }

    /// How many entities of a type there are; 0 when the reader may not see them.
    ///
    /// # Errors
    /// The store's.
    pub fn count(&self, entity_type: &Iri) -> Result<u64, ViewError> {
        if !self.scope.shows_type(entity_type) {
            return Ok(0);
        }
        Ok(self.snapshot.count(self.tenant, entity_type)?)
    }
}
