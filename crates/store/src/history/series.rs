//! The dictionary of series: each gets a small number, once and for ever.
//!
//! The number is given out while a transaction is encoded, and its entry is part of that transaction. As long as no
//! such entry is stored, the number stays reserved in memory and the entry goes with every transaction that uses the
//! series; so no stored row ever carries a number without an entry, whichever of them is refused.

use std::{
    collections::HashMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// Numbers that are given out while no transaction that carries their entry has been stored.
    pending: HashMap<Box<[u8]>, u32>,
    /// How often entries have been stored since the start: a view that was taken before may miss the last of them.
    seen: u64,
}

/// Entries that a transaction carries, by key: once it is stored, their numbers are pending no more.
pub(super) type NewEntries = Vec<(Box<[u8]>, u32)>;

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
    pub new: NewEntries,
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
        let (key, others, entries, new) = Default::default();
        Numbering { dictionary: self, kv, tenant, key, entity: None, entity_end: 0, others, view: None, entries, new }
    }

    /// Notes that a transaction with these entries is stored.
    pub(super) fn stored(&self, new: NewEntries) {
        if new.is_empty() {
            return;
        }
        {
            let mut allocator = self.allocator();
            allocator.seen += 1;
            for (key, _) in &new {
                allocator.pending.remove(key);
            }
            // What a burst of new series took is given back.
            if allocator.pending.is_empty() && allocator.pending.capacity() > 1_024 {
                allocator.pending.shrink_to_fit();
            }
        }
        for (key, id) in new {
            self.ids.insert(key, id);
        }
    }

    fn allocator(&self) -> MutexGuard<'_, Allocator> {
        self.allocator.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Series of a tenant in the order of their keys, from the one after `after`.
    pub(super) fn page(
        snapshot: &dyn KvSnapshot,
        tenant: &Tenant,
        after: Option<&SeriesKey>,
        limit: usize,
    ) -> Result<Vec<SeriesKey>, StoreError> {
        let prefix = keys::dictionary_of(tenant);
        let end = keys::prefix_end(&prefix);
        let last = after.map(|series| keys::dictionary(tenant, series));
        let start = last.as_deref().map_or(Bound::Included(&prefix[..]), Bound::Excluded);
        let found = snapshot.scan(Space::History, (start, Bound::Excluded(&end)), Direction::Forward);
        found.take(limit).map(|pair| Ok(read_entry(&pair?.1)?.1)).collect()
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
        // Looked for without the lock first: reading may have to wait for the disk.
        let seen = self.dictionary.allocator().seen;
        if let Some(id) = self.stored(seen)? {
            return Ok(id);
        }
        let dictionary = self.dictionary;
        let mut allocator = dictionary.allocator();
        if allocator.seen != seen
            && let Some(id) = self.stored(allocator.seen)?
        {
            return Ok(id);
        }
        let key = self.key.as_slice();
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
        drop(allocator);
        put_entry(&mut self.entries, self.tenant, series, key.to_vec(), id)?;
        self.new.push((key.into(), id));
        Ok(id)
    }

    /// The number of the series at hand in a view that holds all that had been stored when `seen` was read.
    fn stored(&mut self, seen: u64) -> Result<Option<u32>, StoreError> {
        let (_, snapshot) = match &self.view {
            Some(view) if view.0 == seen => view,
            _ => self.view.insert((seen, self.kv.snapshot()?)),
        };
        let Some(value) = snapshot.get(Space::History, &self.key)? else { return Ok(None) };
        let (id, _) = read_entry(&value)?;
        self.dictionary.ids.insert(self.key.as_slice().into(), id);
        Ok(Some(id))
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

#[cfg(test)]
mod tests {
    use model::Iri;

    use super::*;
    use crate::kv::memory::MemoryKv;

    fn series(n: u32) -> SeriesKey {
        let entity = EntityId::parse(&format!("urn:x:{n}")).unwrap();
        SeriesKey { entity, attribute: Iri::from("urn:speed"), dataset_id: None }
    }

    #[test]
    fn a_number_is_pending_until_it_is_stored_and_no_longer() {
        let (kv, tenant) = (MemoryKv::default(), Tenant::default());
        let dictionary = SeriesDictionary::open(&*kv.snapshot().unwrap()).unwrap();
        let mut refused = dictionary.numbering(&kv, &tenant);
        let number = refused.number(&series(1)).unwrap();
        drop(refused);
        let mut writes = dictionary.numbering(&kv, &tenant);
        assert_eq!(writes.number(&series(1)).unwrap(), number, "a refused transaction wastes no number");
        assert_ne!(writes.number(&series(2)).unwrap(), number);
        let (entries, new) = (writes.entries, writes.new);
        kv.commit(&[&entries]).unwrap();
        assert_eq!(dictionary.allocator().pending.len(), 2);
        dictionary.stored(new);
        assert!(dictionary.allocator().pending.is_empty());
        let mut later = dictionary.numbering(&kv, &tenant);
        assert_eq!(later.number(&series(1)).unwrap(), number);
        assert!(later.new.is_empty(), "what is stored is not written again");
    }

    #[test]
    fn a_view_that_was_taken_before_a_number_was_stored_does_not_give_another_one() {
        let (kv, tenant) = (MemoryKv::default(), Tenant::default());
        let dictionary = SeriesDictionary::open(&*kv.snapshot().unwrap()).unwrap();
        let mut early = dictionary.numbering(&kv, &tenant);
        early.number(&series(9)).unwrap();
        let mut other = dictionary.numbering(&kv, &tenant);
        let number = other.number(&series(1)).unwrap();
        let (entries, new) = (other.entries, other.new);
        kv.commit(&[&entries]).unwrap();
        dictionary.stored(new);
        assert_eq!(early.number(&series(1)).unwrap(), number);
    }
}
