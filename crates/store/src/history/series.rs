//! The dictionary of series: each gets a small number, once and for ever.
//!
//! The number is given out while a transaction is planned, and its entry is part of that transaction. When the
//! transaction is refused, the number stays reserved in memory and the entry goes with the next transaction that
//! uses the series; so no stored row ever carries a number without an entry.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use model::{EntityId, SeriesKey, Tenant};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::keys;
use crate::{
    StoreError,
    kv::{Batch, Direction, Kv, KvSnapshot, Space},
};

/// Entries kept in memory in each direction.
const CACHED_MAX: usize = 200_000;
/// Longer keys are refused: engines have a limit, and no honest name comes near it.
const KEY_BYTES_MAX: usize = 16_384;

/// What the dictionary says about a number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SeriesEntry {
    pub tenant: Tenant,
    pub series: SeriesKey,
}

pub(super) struct SeriesDictionary {
    allocator: Mutex<Allocator>,
    ids: Cache<Box<[u8]>, u32>,
    entries: Cache<u32, Arc<SeriesEntry>>,
}

struct Allocator {
    next: u32,
    /// Numbers that are given out but have not been seen in the key-value store yet.
    pending: HashMap<Box<[u8]>, u32>,
}

/// The numbers that one transaction has used so far, and the view in which it looks for others.
#[derive(Default)]
pub(super) struct Planned {
    ids: HashMap<SeriesKey, u32>,
    last: Option<(SeriesKey, u32)>,
    snapshot: Option<Arc<dyn KvSnapshot>>,
}

impl SeriesDictionary {
    pub(super) fn open(snapshot: &dyn KvSnapshot) -> Result<Self, StoreError> {
        let prefix = keys::reverse_prefix();
        let end = keys::prefix_end(&prefix);
        let last = snapshot.keys(Space::History, keys::all_with(&prefix, &end), Direction::Backward).next();
        let next = match last {
            None => 0,
            Some(key) => match reverse_id(&key?) {
                Some(id) => id + 1,
                None => return Err(StoreError::corrupt("series dictionary", "the last key has no number")),
            },
        };
        let allocator = Mutex::new(Allocator { next, pending: HashMap::new() });
        Ok(Self { allocator, ids: Cache::new(CACHED_MAX), entries: Cache::new(CACHED_MAX) })
    }

    /// The number of a series for a transaction that writes to it; adds the entry to the batch where it is new.
    pub(super) fn planned_id(
        &self,
        kv: &dyn Kv,
        tenant: &Tenant,
        series: &SeriesKey,
        planned: &mut Planned,
        batch: &mut Batch,
    ) -> Result<u32, StoreError> {
        if let Some((last, id)) = &planned.last
            && last == series
        {
            return Ok(*id);
        }
        let id = match planned.ids.get(series) {
            Some(&id) => id,
            None => {
                let id = self.known_or_new(kv, tenant, series, planned, batch)?;
                planned.ids.insert(series.clone(), id);
                id
            }
        };
        planned.last = Some((series.clone(), id));
        Ok(id)
    }

    fn known_or_new(
        &self,
        kv: &dyn Kv,
        tenant: &Tenant,
        series: &SeriesKey,
        planned: &mut Planned,
        batch: &mut Batch,
    ) -> Result<u32, StoreError> {
        let key = checked_key(tenant, series)?;
        if let Some(id) = self.ids.get(key.as_slice()) {
            return Ok(id);
        }
        let mut allocator = self.allocator.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = match &planned.snapshot {
            Some(snapshot) => snapshot,
            None => planned.snapshot.insert(kv.snapshot()?),
        };
        if let Some(value) = snapshot.get(Space::History, &key)? {
            let (id, _) = read_entry(&value)?;
            allocator.pending.remove(key.as_slice());
            self.ids.insert(key.into(), id);
            return Ok(id);
        }
        let id = match allocator.pending.get(key.as_slice()) {
            Some(&id) => id,
            None => {
                let id = allocator.next;
                allocator.next = id.checked_add(1).ok_or_else(|| StoreError::Unstorable {
                    thing: format!("series {} of {}", series.attribute.as_str(), series.entity.as_str()),
                    detail: "the dictionary is full".to_owned(),
                })?;
                allocator.pending.insert(key.as_slice().into(), id);
                id
            }
        };
        put_entry(batch, tenant, series, key, id)?;
        Ok(id)
    }

    /// The number of a series, when it ever had an observation.
    pub(super) fn id(
        &self,
        snapshot: &dyn KvSnapshot,
        tenant: &Tenant,
        series: &SeriesKey,
    ) -> Result<Option<u32>, StoreError> {
        let key = keys::dictionary(tenant, series);
        if let Some(id) = self.ids.get(key.as_slice()) {
            return Ok(Some(id));
        }
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        let Some(value) = snapshot.get(Space::History, &key)? else { return Ok(None) };
        let (id, _) = read_entry(&value)?;
        self.ids.insert(key.into(), id);
        Ok(Some(id))
    }

    /// What a number stands for.
    pub(super) fn entry(&self, snapshot: &dyn KvSnapshot, id: u32) -> Result<Arc<SeriesEntry>, StoreError> {
        if let Some(entry) = self.entries.get(&id) {
            return Ok(entry);
        }
        let thing = || format!("series {id} of the dictionary");
        let value = snapshot
            .get(Space::History, &keys::reverse(id))?
            .ok_or_else(|| StoreError::corrupt(thing(), "it has rows but no entry"))?;
        let entry: SeriesEntry =
            serde_json::from_slice(&value).map_err(|error| StoreError::corrupt(thing(), error.to_string()))?;
        let entry = Arc::new(entry);
        self.entries.insert(id, Arc::clone(&entry));
        Ok(entry)
    }

    /// Every series of an entity that ever had an observation, by attribute and dataset.
    pub(super) fn of_entity(
        snapshot: &dyn KvSnapshot,
        tenant: &Tenant,
        entity: &EntityId,
    ) -> Result<Vec<(u32, SeriesKey)>, StoreError> {
        let prefix = keys::dictionary_prefix(tenant, entity);
        let end = keys::prefix_end(&prefix);
        let mut series = Vec::new();
        for pair in snapshot.scan(Space::History, keys::all_with(&prefix, &end), Direction::Forward) {
            series.push(read_entry(&pair?.1)?);
        }
        Ok(series)
    }
}

/// The number in the key of a reverse entry.
pub(super) fn reverse_id(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.get(1..)?.try_into().ok()?))
}

fn checked_key(tenant: &Tenant, series: &SeriesKey) -> Result<Vec<u8>, StoreError> {
    let key = keys::dictionary(tenant, series);
    if key.len() <= KEY_BYTES_MAX {
        return Ok(key);
    }
    Err(StoreError::Unstorable {
        thing: format!("a series of {}", series.entity.as_str()),
        detail: format!("its names take {} bytes, at most {KEY_BYTES_MAX} are kept; use shorter names", key.len()),
    })
}

fn put_entry(batch: &mut Batch, tenant: &Tenant, series: &SeriesKey, key: Vec<u8>, id: u32) -> Result<(), StoreError> {
    let json = |result: serde_json::Result<Vec<u8>>| {
        result.map_err(|error| StoreError::Unstorable {
            thing: format!("series {} of {}", series.attribute.as_str(), series.entity.as_str()),
            detail: error.to_string(),
        })
    };
    let mut value = id.to_be_bytes().to_vec();
    value.append(&mut json(serde_json::to_vec(series))?);
    batch.put(Space::History, key, value);
    let entry = SeriesEntry { tenant: tenant.clone(), series: series.clone() };
    batch.put(Space::History, keys::reverse(id), json(serde_json::to_vec(&entry))?);
    Ok(())
}

fn read_entry(value: &[u8]) -> Result<(u32, SeriesKey), StoreError> {
    let damaged = |detail: String| StoreError::corrupt("an entry of the series dictionary", detail);
    let (id, json) = value.split_first_chunk::<4>().ok_or_else(|| damaged("it has no number".to_owned()))?;
    let series = serde_json::from_slice(json).map_err(|error| damaged(error.to_string()))?;
    Ok((u32::from_be_bytes(*id), series))
}
