//! The dictionary of series: each gets a small number, once and for ever.
//!
//! The number is given out while a transaction is encoded, and its entry is part of that transaction. As long as no
//! such entry is stored, the number stays reserved in memory and the entry goes with every transaction that uses the
//! series; so no stored row ever carries a number without an entry, whichever of them is refused.

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
    /// How many have been seen since the start: a view that was taken before the last of them may miss it.
    seen: u64,
}

/// Gives numbers to the series of one transaction, and collects the entries of those that are new.
pub(super) struct Numbering<'a> {
    dictionary: &'a SeriesDictionary,
    kv: &'a dyn Kv,
    tenant: &'a Tenant,
    /// The key of the last series; what it shares with the next one of the same entity is written once.
    key: Vec<u8>,
    entity: Option<EntityId>,
    entity_end: usize,
    /// Those that are not in the dictionary's memory.
    others: HashMap<Box<[u8]>, u32>,
    /// The view in which others are looked for, and how many pending numbers had been seen when it was taken.
    view: Option<(u64, Arc<dyn KvSnapshot>)>,
    pub entries: Batch,
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
        let allocator = Mutex::new(Allocator { next, pending: HashMap::new(), seen: 0 });
        Ok(Self { allocator, ids: Cache::new(CACHED_MAX), entries: Cache::new(CACHED_MAX) })
    }

    /// Numbers for a transaction of a tenant.
    pub(super) fn numbering<'a>(&'a self, kv: &'a dyn Kv, tenant: &'a Tenant) -> Numbering<'a> {
        let (key, others, entries) = Default::default();
        Numbering { dictionary: self, kv, tenant, key, entity: None, entity_end: 0, others, view: None, entries }
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

impl Numbering<'_> {
    /// The number of a series that the transaction writes to.
    pub(super) fn number(&mut self, series: &SeriesKey) -> Result<u32, StoreError> {
        if self.entity.as_ref() != Some(&series.entity) {
            self.key = keys::dictionary_prefix(self.tenant, &series.entity);
            self.entity_end = self.key.len();
            self.entity = Some(series.entity.clone());
        }
        self.key.truncate(self.entity_end);
        keys::push_series(&mut self.key, series);
        if let Some(id) = self.dictionary.ids.get(self.key.as_slice()) {
            return Ok(id);
        }
        if let Some(&id) = self.others.get(self.key.as_slice()) {
            return Ok(id);
        }
        check_length(series, &self.key)?;
        let id = self.stored_or_new(series)?;
        self.others.insert(self.key.as_slice().into(), id);
        Ok(id)
    }

    fn stored_or_new(&mut self, series: &SeriesKey) -> Result<u32, StoreError> {
        let key = self.key.as_slice();
        let mut allocator = self.dictionary.allocator.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, snapshot) = match &self.view {
            Some(view) if view.0 == allocator.seen => view,
            _ => self.view.insert((allocator.seen, self.kv.snapshot()?)),
        };
        if let Some(value) = snapshot.get(Space::History, key)? {
            let (id, _) = read_entry(&value)?;
            if allocator.pending.remove(key).is_some() {
                allocator.seen += 1;
            }
            self.dictionary.ids.insert(key.into(), id);
            return Ok(id);
        }
        let id = match allocator.pending.get(key) {
            Some(&id) => id,
            None => {
                let id = allocator.next;
                allocator.next = id.checked_add(1).ok_or_else(|| StoreError::Unstorable {
                    thing: format!("series {} of {}", series.attribute.as_str(), series.entity.as_str()),
                    detail: "the dictionary is full".to_owned(),
                })?;
                allocator.pending.insert(key.into(), id);
                id
            }
        };
        put_entry(&mut self.entries, self.tenant, series, key.to_vec(), id)?;
        Ok(id)
    }
}

/// The number in the key of a reverse entry.
pub(super) fn reverse_id(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.get(1..)?.try_into().ok()?))
}

fn check_length(series: &SeriesKey, key: &[u8]) -> Result<(), StoreError> {
    if key.len() <= KEY_BYTES_MAX {
        return Ok(());
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
