//! A change to the city's state, as the change feed tells it.

use std::sync::Arc;

use crate::{Entity, EntityId, Iri, Stored, Tenant};

/// What happened to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It did not exist before.
    Created,
    /// It existed and is different now.
    Updated,
    /// It is gone.
    Deleted,
}

/// One committed change to one entity. Both states are shared, not copied.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its place in the order of all changes; grows by at least one with each.
    pub sequence: u64,
    /// Whose entity it is.
    pub tenant: Tenant,
    /// Which entity.
    pub id: EntityId,
    /// What happened.
    pub kind: ChangeKind,
    /// The attributes whose instances were created, replaced or removed.
    pub attributes: Vec<Iri>,
    /// The state before, unless it was created.
    pub before: Option<Arc<Stored<Entity>>>,
    /// The state after, unless it was deleted.
    pub after: Option<Arc<Stored<Entity>>>,
}

impl Change {
    /// The entity before, unless it was created.
    #[must_use]
    pub fn before(&self) -> Option<&Entity> {
        self.before.as_deref().map(|stored| &stored.value)
    }

    /// The entity after, unless it was deleted.
    #[must_use]
    pub fn after(&self) -> Option<&Entity> {
        self.after.as_deref().map(|stored| &stored.value)
    }
}
