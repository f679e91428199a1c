//! The write operations on one entity: read, compute, commit, and start again when somebody was faster.

use std::sync::Arc;

use model::{Entity, EntityId, Iri, ReadScope, Tenant, Timestamp};
use store::{CommitError, Expect, Store, Stored, Transaction};

use super::{
    ATTEMPTS_MAX, AttributeChange, Edit, TemporalEntity, UpdateResult, apply::check_same_id, history::record_deleted,
};
use crate::{
    ngsi::{EntityFragment, ErrorKind, NgsiError},
    query::{EntityQuery, find},
};

/// How many entities one purge takes at a time.
const PURGE_BATCH: usize = 500;

impl From<CommitError> for NgsiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::new(ErrorKind::Conflict, error.to_string()),
            CommitError::Store(error) => error.into(),
            CommitError::Full => Self::new(ErrorKind::InternalError, error.to_string()),
        }
    }
}

/// Whether a tenant is known: the default one always, others once something was written.
///
/// # Errors
/// When the store fails.
pub fn tenant_exists(store: &Store, tenant: &Tenant) -> Result<bool, NgsiError> {
    Ok(*tenant == Tenant::default() || !store.snapshot()?.types(tenant)?.is_empty())
}

/// Creates an entity (5.6.1).
///
/// # Errors
/// `AlreadyExists`, or when the store fails.
pub async fn create(store: &Store, tenant: &Tenant, entity: Entity, now: Timestamp) -> Result<(), NgsiError> {
    let exists = NgsiError::new(ErrorKind::AlreadyExists, format!("{} exists already", entity.id));
    if store.snapshot()?.entity(tenant, &entity.id)?.is_some() {
        return Err(exists);
    }
    let mut tx = Transaction::new(tenant.clone());
    Edit::new(entity, now).write(&mut tx, None);
    match store.commit(tx).await {
        Err(CommitError::Conflict { .. }) => Err(exists),
        other => other.map(drop).map_err(NgsiError::from),
    }
}

/// Reads the entity, lets `change` work on it, and commits what came of it.
async fn edit<T>(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    now: Timestamp,
    change: impl Fn(&mut Edit) -> Result<T, NgsiError>,
) -> Result<T, NgsiError> {
    for _ in 0..ATTEMPTS_MAX {
        let before = existing(store, tenant, id)?;
        let mut edit = Edit::of(&before.value, now);
        let outcome = change(&mut edit)?;
        if !edit.is_changed() {
            return Ok(outcome);
        }
        let mut tx = Transaction::new(tenant.clone());
        edit.write(&mut tx, Some(before));
        match store.commit(tx).await {
            Ok(_) => return Ok(outcome),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let detail = format!("{id} is being changed by others all the time; try again");
    Err(NgsiError::new(ErrorKind::Conflict, detail))
}

fn existing(store: &Store, tenant: &Tenant, id: &EntityId) -> Result<Arc<Stored<Entity>>, NgsiError> {
    store.snapshot()?.entity(tenant, id)?.ok_or_else(|| NgsiError::not_found(format!("entity {id}")))
}

/// Replaces an entity (5.6.18); `fragment` must be complete but for the id.
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn replace(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    fragment: EntityFragment,
    now: Timestamp,
) -> Result<(), NgsiError> {
    edit(store, tenant, id, now, |edit| {
        let mut fragment = fragment.clone();
        check_same_id(&fragment, &edit.entity)?;
        fragment.id = Some(id.clone());
        if fragment.types.is_empty() {
            fragment.types.clone_from(&edit.entity.types);
        }
        edit.replace(fragment.into_entity(now)?);
        Ok(())
    })
    .await
}

/// Merges a fragment into an entity (5.6.17).
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn merge_entity(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    fragment: EntityFragment,
    observed_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), NgsiError> {
    edit(store, tenant, id, now, |edit| {
        check_same_id(&fragment, &edit.entity)?;
        edit.merge(fragment.clone(), observed_at)
    })
    .await
}

/// Updates attributes that exist (5.6.2).
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn update_attributes(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    fragment: EntityFragment,
    now: Timestamp,
) -> Result<UpdateResult, NgsiError> {
    edit(store, tenant, id, now, |edit| edit.update(fragment.clone())).await
}

/// Appends attributes (5.6.3).
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn append_attributes(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    fragment: EntityFragment,
    overwrite: bool,
    now: Timestamp,
) -> Result<UpdateResult, NgsiError> {
    edit(store, tenant, id, now, |edit| edit.append(fragment.clone(), overwrite)).await
}

/// Changes members of one attribute (5.6.4).
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn partial_update(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    name: &Iri,
    fragment: crate::ngsi::AttributeFragment,
    now: Timestamp,
) -> Result<(), NgsiError> {
    let change = AttributeChange::Partial(fragment);
    edit(store, tenant, id, now, |edit| edit.change_attribute(name, change.clone())).await
}

/// Replaces one attribute (5.6.19).
///
/// # Errors
/// `ResourceNotFound`, `BadRequestData`, or when the store fails.
pub async fn replace_attribute(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    name: &Iri,
    instances: Vec<crate::ngsi::AttributeFragment>,
    now: Timestamp,
) -> Result<(), NgsiError> {
    let change = AttributeChange::Replace(instances);
    edit(store, tenant, id, now, |edit| edit.change_attribute(name, change.clone())).await
}

/// Deletes one attribute (5.6.5).
///
/// # Errors
/// `ResourceNotFound`, or when the store fails.
pub async fn delete_attribute(
    store: &Store,
    tenant: &Tenant,
    id: &EntityId,
    name: &Iri,
    dataset: Option<&str>,
    all: bool,
    now: Timestamp,
) -> Result<(), NgsiError> {
    edit(store, tenant, id, now, |edit| edit.delete_attribute(name, dataset, all)).await
}

/// Puts the deletion of an entity into a transaction. Its history says when it ended, and what it was is kept, so that
/// its history can still be found.
pub(super) fn write_deletion(
    tx: &mut Transaction,
    before: Arc<Stored<Entity>>,
    now: Timestamp,
) -> Result<(), NgsiError> {
    for (name, instances) in &before.value.attributes {
        for instance in instances {
            record_deleted(tx, &before.value.id, name, instance.dataset_id.as_deref(), now);
        }
    }
    tx.put_document(&TemporalEntity { modified_at: now, ..TemporalEntity::of(&before.value) }, Expect::Any)?;
    tx.delete_entity(before);
    Ok(())
}

/// Deletes an entity (5.6.6).
///
/// # Errors
/// `ResourceNotFound`, or when the store fails.
pub async fn delete(store: &Store, tenant: &Tenant, id: &EntityId, now: Timestamp) -> Result<(), NgsiError> {
    for _ in 0..ATTEMPTS_MAX {
        let mut tx = Transaction::new(tenant.clone());
        write_deletion(&mut tx, existing(store, tenant, id)?, now)?;
        match store.commit(tx).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(NgsiError::new(ErrorKind::Conflict, format!("{id} is being changed by others all the time; try again")))
}

/// Deletes all entities that match, or, with `keep`, only their attributes for which it says no (5.6.21).
///
/// # Errors
/// When the store fails. What was purged before stays purged.
pub async fn purge(
    store: &Store,
    tenant: &Tenant,
    query: EntityQuery,
    keep: Option<&(dyn Fn(&Iri) -> bool + Sync)>,
    now: Timestamp,
) -> Result<(), NgsiError> {
    let mut query = EntityQuery { offset: 0, limit: PURGE_BATCH, count: false, ..query };
    loop {
        let found = find(&store.snapshot()?, tenant, &query, &ReadScope::All)?;
        let mut tx = Transaction::new(tenant.clone());
        // Only what was left as it was certainly matches the next time too, and has to be passed over.
        let mut left = 0;
        for before in found.entities {
            match keep {
                None => write_deletion(&mut tx, before, now)?,
                Some(keep) => {
                    let mut edit = Edit::of(&before.value, now);
                    edit.keep_attributes(keep);
                    left += usize::from(!edit.is_changed());
                    edit.write(&mut tx, Some(before));
                }
            }
        }
        match store.commit(tx).await {
            Ok(_) => query.offset += left,
            Err(CommitError::Conflict { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        if !found.more {
            return Ok(());
        }
    }
}
