//! A shared cache of decoded entities that is right for every snapshot, old or new.
//!
//! An entry says: "this is the state from sequence `version` on, and nothing newer existed at `known_until`". For a
//! snapshot in that span it answers directly. For a later snapshot it answers only when no write since then could
//! have touched the entity: `last_writes` keeps, for each of 65,536 groups of entities, the newest sequence that wrote
//! into the group. The writer raises it before a commit becomes visible.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use model::Entity;
use quick_cache::{Weighter, sync::Cache};

use crate::Stored;

/// How many groups `last_writes` tells apart.
const GROUPS: usize = 65_536;
/// What a decoded entity takes in memory for each byte of its JSON, roughly, and what an empty one takes.
const WEIGHT_FACTOR: u64 = 4;
const WEIGHT_BASE: u64 = 512;

#[derive(Clone)]
struct Entry {
    stored: Arc<Stored<Entity>>,
    known_until: u64,
    weight: u64,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Bytes, Entry> for ByMemory {
    fn weight(&self, _key: &Bytes, entry: &Entry) -> u64 {
        entry.weight
    }
}

/// Decoded entities by document key, bounded by the memory they take.
pub(crate) struct EntityCache {
    entries: Cache<Bytes, Entry, ByMemory>,
    last_writes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl EntityCache {
    /// An empty cache that takes about `bytes_max` of memory at most.
    pub fn new(bytes_max: u64) -> Self {
        let entries_expected = usize::try_from(bytes_max / 4_096).unwrap_or(usize::MAX).clamp(64, 1_000_000);
        Self {
            entries: Cache::with_weighter(entries_expected, bytes_max, ByMemory),
            last_writes: (0..GROUPS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    fn last_write(&self, key: &[u8]) -> &AtomicU64 {
        let group = self.hasher.hash_one(key) % GROUPS as u64;
        &self.last_writes[usize::try_from(group).unwrap_or(0)]
    }

    /// The entity as a snapshot at `sequence` sees it, if the cache can be certain of it.
    pub fn get(&self, key: &Bytes, sequence: u64) -> Option<Arc<Stored<Entity>>> {
        let entry = self.entries.get(key)?;
        let unchanged = || self.last_write(key).load(Ordering::Acquire) <= entry.known_until;
        let fits = entry.stored.version <= sequence && (sequence <= entry.known_until || unchanged());
        fits.then_some(entry.stored)
    }

    /// Remembers what a snapshot at `sequence` read.
    pub fn put(&self, key: Bytes, stored: Arc<Stored<Entity>>, sequence: u64, json_bytes: usize) {
        let newer = |old: Entry| (old.stored.version, old.known_until) >= (stored.version, sequence);
        if self.entries.peek(&key).is_some_and(newer) {
            return;
        }
        let weight = WEIGHT_BASE + WEIGHT_FACTOR * json_bytes as u64;
        self.entries.insert(key, Entry { stored, known_until: sequence, weight });
    }

    /// Announces a write that is about to become visible.
    pub fn announce_write(&self, key: &[u8], sequence: u64) {
        self.last_write(key).fetch_max(sequence, Ordering::AcqRel);
    }

    /// Entries now held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Look-ups that were answered, and look-ups that were not.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.entries.hits(), self.entries.misses())
    }
}

#[cfg(test)]
mod tests {
    use model::{EntityId, Iri, Timestamp};

    use super::*;

    fn stored(version: u64) -> Arc<Stored<Entity>> {
        let id = EntityId::parse("urn:x:1").unwrap();
        Arc::new(Stored { version, value: Entity::new(id, Iri::from("t"), Timestamp::MIN) })
    }

    fn version(cache: &EntityCache, sequence: u64) -> Option<u64> {
        cache.get(&Bytes::from("k"), sequence).map(|s| s.version)
    }

    #[test]
    fn an_entry_serves_snapshots_of_its_span_and_later_ones_until_a_write_is_announced() {
        let cache = EntityCache::new(1 << 20);
        cache.put("k".into(), stored(5), 8, 100);
        assert_eq!([4, 5, 8, 20].map(|s| version(&cache, s)), [None, Some(5), Some(5), Some(5)]);
        cache.announce_write(b"k", 21);
        assert_eq!([8, 20, 21].map(|s| version(&cache, s)), [Some(5), None, None]);
        cache.put("k".into(), stored(21), 21, 100);
        assert_eq!([8, 21, 30].map(|s| version(&cache, s)), [None, Some(21), Some(21)]);
    }

    #[test]
    fn a_slow_reader_does_not_replace_a_newer_state() {
        let cache = EntityCache::new(1 << 20);
        cache.announce_write(b"k", 21);
        cache.put("k".into(), stored(21), 21, 100);
        cache.put("k".into(), stored(5), 8, 100);
        assert_eq!(version(&cache, 30), Some(21));
    }
}
