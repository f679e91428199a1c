//! The durable change log: what each committed transaction changed, for readers that lag behind or come back.
//!
//! A record is compressed JSON: each change with the state after it, and of the state before it only what differs,
//! which is enough to restore both exactly.

use std::{collections::BTreeMap, sync::Arc};

use model::{Attribute, Attributes, Change, ChangeKind, Entity, EntityId, Iri, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Direction, KvSnapshot, Space, StoreError, Stored, document,
    keys::{keys_prefix, scan_prefix},
    transaction::{PreparedEntity, differing},
};

/// The first byte of change keys in [`Space::Log`].
const TAG: u8 = b'c';

/// One change as the writer has it: the states still in the form in which they came.
pub(crate) struct RawChange {
    pub id: EntityId,
    pub kind: ChangeKind,
    pub attributes: Vec<Iri>,
    pub before: Option<Arc<Stored<Entity>>>,
    pub after: Option<Entity>,
}

/// What of the state before differs from the state after, as it is read.
#[derive(Deserialize)]
struct Before {
    #[serde(rename = "v")]
    version: u64,
    types: Vec<Iri>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(rename = "c")]
    created_at: Timestamp,
    #[serde(rename = "m")]
    modified_at: Timestamp,
    /// The attributes that differ, as they were.
    #[serde(rename = "attrs", default)]
    attributes: Attributes,
    /// The attributes that were not there.
    #[serde(default)]
    absent: Vec<Iri>,
}

/// The same as it is written: nothing is copied.
#[derive(Serialize)]
struct BeforeOf<'a> {
    #[serde(rename = "v")]
    version: u64,
    types: &'a [Iri],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    scopes: &'a [String],
    #[serde(rename = "c")]
    created_at: Timestamp,
    #[serde(rename = "m")]
    modified_at: Timestamp,
    #[serde(rename = "attrs")]
    attributes: BTreeMap<&'a Iri, &'a [Attribute]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<&'a Iri>,
}

#[derive(Deserialize)]
struct Record {
    tenant: Tenant,
    changes: Vec<ChangeRecord>,
}

#[derive(Deserialize)]
struct ChangeRecord {
    id: EntityId,
    attributes: Vec<Iri>,
    #[serde(default)]
    before: Option<Before>,
    #[serde(default)]
    after: Option<Entity>,
}

pub(crate) fn key(last_sequence: u64) -> Vec<u8> {
    [&[TAG][..], &last_sequence.to_be_bytes()].concat()
}

fn thing(last_sequence: u64) -> String {
    format!("change log record {last_sequence}")
}

/// What of a state differs from the attributes after it.
fn before_of<'a>(old: &'a Stored<Entity>, new: &'a Attributes) -> BeforeOf<'a> {
    let (mut attributes, mut absent) = (BTreeMap::new(), vec![]);
    for name in differing(&old.attributes, new) {
        match old.attributes.get(name) {
            Some(instances) => drop(attributes.insert(name, instances.as_slice())),
            None => absent.push(name),
        }
    }
    BeforeOf {
        version: old.version,
        types: &old.types,
        scopes: &old.scopes,
        created_at: old.created_at,
        modified_at: old.modified_at,
        attributes,
        absent,
    }
}

/// Encodes the changes of a transaction; empty when there are none. The stored JSON of the entities is used again.
pub(crate) fn encode(tenant: &Tenant, entities: &[PreparedEntity]) -> Result<Vec<u8>, StoreError> {
    if entities.is_empty() {
        return Ok(vec![]);
    }
    let unstorable = |e: sonic_rs::Error| StoreError::Unstorable { thing: "a change".into(), detail: e.to_string() };
    let none = Attributes::new();
    let sealed = entities.iter().map(|entity| entity.sealed.as_ref().map_or(0, Vec::len));
    let mut json = Vec::with_capacity(2 * sealed.sum::<usize>() + entities.len() * 512);
    json.extend_from_slice(b"{\"tenant\":");
    sonic_rs::to_writer(&mut json, tenant).map_err(unstorable)?;
    json.extend_from_slice(b",\"changes\":[");
    for (position, entity) in entities.iter().enumerate() {
        json.extend_from_slice(if position == 0 { b"{\"id\":" } else { b",{\"id\":" });
        sonic_rs::to_writer(&mut json, &entity.change.id).map_err(unstorable)?;
        json.extend_from_slice(b",\"attributes\":");
        sonic_rs::to_writer(&mut json, &entity.change.attributes).map_err(unstorable)?;
        if let Some(before) = &entity.change.before {
            let after = entity.change.after.as_ref().map_or(&none, |after| &after.attributes);
            let before = before_of(before, after);
            json.extend_from_slice(b",\"before\":");
            sonic_rs::to_writer(&mut json, &before).map_err(unstorable)?;
        }
        if let Some(sealed) = &entity.sealed {
            json.extend_from_slice(b",\"after\":");
            json.extend_from_slice(document::body_of(sealed));
        }
        json.push(b'}');
    }
    json.extend_from_slice(b"]}");
    Ok(document::seal_record(&lz4_flex::compress_prepend_size(&json)))
}

/// Restores the changes of a record.
pub(crate) fn decode(last_sequence: u64, value: &[u8]) -> Result<Arc<[Change]>, StoreError> {
    let thing = thing(last_sequence);
    let content = document::open_record(&thing, value, last_sequence)?;
    let json = lz4_flex::decompress_size_prepended(content).map_err(|e| StoreError::corrupt(&thing, e.to_string()))?;
    let record: Record = sonic_rs::from_slice(&json).map_err(|e| StoreError::corrupt(&thing, e.to_string()))?;
    let first = (last_sequence + 1).saturating_sub(record.changes.len() as u64);
    let changes = record.changes.into_iter().zip(first..);
    Ok(changes.map(|(change, sequence)| restore(change, sequence, last_sequence, &record.tenant)).collect())
}

fn restore(change: ChangeRecord, sequence: u64, version: u64, tenant: &Tenant) -> Change {
    let ChangeRecord { id, attributes, before, after } = change;
    let before = before.map(|before| {
        let mut all = after.as_ref().map(|entity| entity.attributes.clone()).unwrap_or_default();
        for name in &before.absent {
            all.remove(name);
        }
        all.extend(before.attributes);
        let Before { version, types, scopes, created_at, modified_at, .. } = before;
        let value = Entity { id: id.clone(), types, scopes, attributes: all, created_at, modified_at };
        Arc::new(Stored { version, value })
    });
    let after = after.map(|value| Arc::new(Stored { version, value }));
    let kind = match (&before, &after) {
        (None, _) => ChangeKind::Created,
        (Some(_), Some(_)) => ChangeKind::Updated,
        (Some(_), None) => ChangeKind::Deleted,
    };
    Change { sequence, tenant: tenant.clone(), id, kind, attributes, before, after }
}

pub(crate) fn sequence_of(key: &[u8]) -> Result<u64, StoreError> {
    key.get(1..)
        .and_then(|rest| <[u8; 8]>::try_from(rest).ok())
        .map(u64::from_be_bytes)
        .ok_or_else(|| StoreError::corrupt("the change log", "a key has the wrong length"))
}

/// A record: the last sequence of it, and its changes, or what is wrong with it.
pub(crate) type Numbered = (u64, Result<Arc<[Change]>, StoreError>);

/// Records after a sequence, oldest first. One that is damaged does not hide those behind it.
pub(crate) fn read(snapshot: &dyn KvSnapshot, after: u64) -> impl Iterator<Item = Result<Numbered, StoreError>> + '_ {
    scan_prefix(snapshot, Space::Log, &[TAG], Some(&after.to_be_bytes()), Direction::Forward).map(|item| {
        let (key, value) = item?;
        let sequence = sequence_of(&key)?;
        Ok((sequence, decode(sequence, &value)))
    })
}

/// The keys of records from after one sequence up to another, oldest first.
pub(crate) fn keys_between(
    snapshot: &dyn KvSnapshot,
    after: u64,
    until: u64,
    limit: usize,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let all = keys_prefix(snapshot, Space::Log, &[TAG], Some(&after.to_be_bytes()), Direction::Forward);
    let mut keys = vec![];
    for key in all.take(limit) {
        let key = key?;
        if sequence_of(&key)? > until {
            break;
        }
        keys.push(key.to_vec());
    }
    Ok(keys)
}
