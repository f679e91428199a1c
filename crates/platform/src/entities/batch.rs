//! Batch operations (ETSI GS CIM 009, 5.6.7 to 5.6.10 and 5.6.20): many entities in one transaction.
//!
//! What is wrong with one entity is reported for that entity; the others are written all together.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use model::{Entity, EntityId, Iri, Tenant, Timestamp};
use store::{Snapshot, Stored, Transaction};

use super::{Edit, write::write_deletion};
use crate::ngsi::{EntityFragment, ErrorKind, NgsiError};

/// What to do with each entity of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOperation {
    /// Create it; it must not exist.
    Create,
    /// Create it, or else replace it (or, when `update` is set, append its attributes).
    Upsert {
        /// Append to what exists instead of replacing it.
        update: bool,
    },
    /// Append its attributes; it must exist.
    Update {
        /// Whether attributes that exist are replaced.
        overwrite: bool,
    },
    /// Merge it; it must exist.
    Merge,
}

/// What happened to each entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchResult {
    /// Those that were written, in the order of the request.
    pub success: Vec<EntityId>,
    /// Those among them that did not exist before.
    pub created: Vec<EntityId>,
    /// Those that were not written, and why; the identifier is missing when the entity had none.
    pub errors: Vec<(Option<EntityId>, NgsiError)>,
}

/// A batch being put together.
pub struct Batch<'s> {
    snapshot: &'s Snapshot,
    tenant: Tenant,
    now: Timestamp,
    states: HashMap<EntityId, State>,
    order: Vec<EntityId>,
    deletions: Vec<Arc<Stored<Entity>>>,
    deleted: HashSet<EntityId>,
    result: BatchResult,
}

struct State {
    before: Option<Arc<Stored<Entity>>>,
    edit: Option<Edit>,
    written: bool,
}

impl<'s> Batch<'s> {
    /// An empty batch over a snapshot.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, tenant: Tenant, now: Timestamp) -> Self {
        let (states, order, deletions, deleted, result) = Default::default();
        Self { snapshot, tenant, now, states, order, deletions, deleted, result }
    }

    /// Notes that one entity of the request could not even be read.
    pub fn refuse(&mut self, id: Option<EntityId>, error: NgsiError) {
        self.result.errors.push((id, error));
    }

    /// Adds one entity. An entity that comes twice is changed twice.
    ///
    /// # Errors
    /// Only when the store fails; what is wrong with the entity goes into the result.
    pub fn add(&mut self, fragment: EntityFragment, operation: BatchOperation) -> Result<(), NgsiError> {
        let Some(id) = fragment.id.clone() else {
            self.refuse(None, NgsiError::bad_data("the entity has no id; give a URI"));
            return Ok(());
        };
        if let Entry::Vacant(place) = self.states.entry(id.clone()) {
            let before = self.snapshot.entity(&self.tenant, &id)?;
            place.insert(State { before, edit: None, written: false });
            self.order.push(id.clone());
        }
        let Some(state) = self.states.get_mut(&id) else { return Ok(()) };
        let is_new = state.before.is_none() && state.edit.is_none();
        match apply(state, fragment, operation, self.now) {
            Ok(left_out) if !left_out.is_empty() => {
                let names: Vec<&str> = left_out.iter().map(|(name, _)| name.short()).collect();
                let detail = format!("these exist, and noOverwrite was asked for: {}", names.join(", "));
                self.refuse(Some(id), NgsiError::bad_data(detail));
            }
            Ok(_) => {
                if is_new {
                    self.result.created.push(id.clone());
                }
                if !std::mem::replace(&mut state.written, true) {
                    self.result.success.push(id);
                }
            }
            Err(error) => self.refuse(Some(id), error),
        }
        Ok(())
    }

    /// Adds the deletion of one entity.
    ///
    /// # Errors
    /// Only when the store fails.
    pub fn delete(&mut self, id: EntityId) -> Result<(), NgsiError> {
        let before = self.snapshot.entity(&self.tenant, &id)?;
        match before {
            Some(_) if !self.deleted.insert(id.clone()) => {
                let error = NgsiError::not_found(format!("entity {id}, which comes twice in this batch,"));
                self.refuse(Some(id), error);
            }
            Some(before) => {
                self.deletions.push(before);
                self.result.success.push(id);
            }
            None => {
                let error = NgsiError::not_found(format!("entity {id}"));
                self.refuse(Some(id), error);
            }
        }
        Ok(())
    }

    /// The transaction that carries it all out, and what to answer once it is committed.
    ///
    /// # Errors
    /// When something cannot be written in the stored form.
    pub fn finish(mut self) -> Result<(Transaction, BatchResult), NgsiError> {
        let mut tx = Transaction::new(self.tenant);
        for id in &self.order {
            if let Some(State { before, edit: Some(edit), .. }) = self.states.remove(id) {
                edit.write(&mut tx, before);
            }
        }
        for before in self.deletions {
            write_deletion(&mut tx, before, self.now)?;
        }
        Ok((tx, self.result))
    }
}

fn apply(
    state: &mut State,
    fragment: EntityFragment,
    operation: BatchOperation,
    now: Timestamp,
) -> Result<Vec<(Iri, String)>, NgsiError> {
    let exists = state.before.is_some() || state.edit.is_some();
    let missing = || Err(NgsiError::not_found(format!("entity {}", name_of(&fragment))));
    if !exists {
        return match operation {
            BatchOperation::Create | BatchOperation::Upsert { .. } => {
                state.edit = Some(Edit::new(fragment.into_entity(now)?, now));
                Ok(vec![])
            }
            BatchOperation::Update { .. } | BatchOperation::Merge => missing(),
        };
    }
    if operation == BatchOperation::Create {
        let detail = format!("{} exists already", name_of(&fragment));
        return Err(NgsiError::new(ErrorKind::AlreadyExists, detail));
    }
    let mut edit = match (state.edit.clone(), &state.before) {
        (Some(edit), _) => edit,
        (None, Some(before)) => Edit::of(&before.value, now),
        (None, None) => return missing(),
    };
    let mut left_out = vec![];
    match operation {
        BatchOperation::Create | BatchOperation::Upsert { update: false } => edit.replace(fragment.into_entity(now)?),
        BatchOperation::Upsert { update: true } => drop(edit.append(fragment, true)?),
        BatchOperation::Update { overwrite } => left_out = edit.append(fragment, overwrite)?.not_updated,
        BatchOperation::Merge => edit.merge(fragment, None)?,
    }
    state.edit = Some(edit);
    Ok(left_out)
}

fn name_of(fragment: &EntityFragment) -> String {
    fragment.id.as_ref().map(ToString::to_string).unwrap_or_default()
}
