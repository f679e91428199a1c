//! The in-memory backend: the reference that the contract suite is written against, and the store of fast tests.
//!
//! Every key keeps the versions that a living snapshot may still ask for; a commit prunes the rest.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;

use super::{Batch, Conflict, Direction, KeyRange, KeyScan, Kv, KvSnapshot, Scan, Space};
use crate::StoreError;

/// How many keys a scan fetches under one lock.
const CHUNK: usize = 128;

/// The values of one key by commit, oldest first; `None` is "removed".
type Versions = Vec<(u64, Option<Bytes>)>;

#[derive(Default)]
struct Table {
    /// Commits so far.
    commits: u64,
    closed: bool,
    spaces: BTreeMap<Space, BTreeMap<Bytes, Versions>>,
    /// How many snapshots look at each commit.
    readers: BTreeMap<u64, usize>,
}

/// A sorted map in memory with snapshots. Nothing outlives the process.
#[derive(Clone, Default)]
pub struct MemoryKv {
    table: Arc<RwLock<Table>>,
}

impl MemoryKv {
    /// An empty engine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

struct MemorySnapshot {
    table: Arc<RwLock<Table>>,
    commit: u64,
}

fn read(table: &RwLock<Table>) -> RwLockReadGuard<'_, Table> {
    table.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(table: &RwLock<Table>) -> RwLockWriteGuard<'_, Table> {
    table.write().unwrap_or_else(PoisonError::into_inner)
}

fn value_at(versions: &Versions, commit: u64) -> Option<&Bytes> {
    versions.iter().rev().find(|(at, _)| *at <= commit).and_then(|(_, value)| value.as_ref())
}

impl Table {
    fn get(&self, space: Space, key: &[u8], commit: u64) -> Option<&Bytes> {
        value_at(self.spaces.get(&space)?.get(key)?, commit)
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), Conflict> {
        let broken = batch
            .preconditions
            .iter()
            .find(|(space, key, expect)| !expect.fits(self.get(*space, key, u64::MAX).map(AsRef::as_ref)));
        if let Some((space, key, _)) = broken {
            return Err(Conflict { space: *space, key: key.clone() });
        }
        self.commits += 1;
        let commit = self.commits;
        let oldest = self.readers.keys().next().copied().unwrap_or(commit);
        for item in &batch.writes {
            let keys = self.spaces.entry(item.space).or_default();
            let versions = keys.entry(item.key.clone()).or_default();
            versions.retain(|(at, _)| *at != commit);
            versions.push((commit, item.value.clone()));
            // The newest version at or before the oldest reader is still needed, everything older is not.
            if let Some(needed) = versions.iter().rposition(|(at, _)| *at <= oldest) {
                versions.drain(..needed);
            }
            if versions.iter().all(|(_, value)| value.is_none()) {
                keys.remove(&item.key);
            }
        }
        Ok(())
    }
}

impl Kv for MemoryKv {
    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, StoreError> {
        let mut table = write(&self.table);
        let commit = table.commits;
        *table.readers.entry(commit).or_default() += 1;
        Ok(Arc::new(MemorySnapshot { table: self.table.clone(), commit }))
    }

    fn commit(&self, batches: &[&Batch]) -> Result<Vec<Result<(), Conflict>>, StoreError> {
        let mut table = write(&self.table);
        if table.closed {
            return Err(StoreError::Closed);
        }
        Ok(batches.iter().map(|batch| table.apply(batch)).collect())
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        let table = read(&self.table);
        let sizes = table.spaces.values().flatten().map(|(key, versions)| {
            key.len() + versions.iter().map(|(_, value)| value.as_ref().map_or(0, Bytes::len)).sum::<usize>()
        });
        Ok(sizes.sum::<usize>() as u64)
    }

    fn close(&self) -> Result<(), StoreError> {
        write(&self.table).closed = true;
        Ok(())
    }
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let mut table = write(&self.table);
        if let Some(count) = table.readers.get_mut(&self.commit) {
            *count -= 1;
            if *count == 0 {
                table.readers.remove(&self.commit);
            }
        }
    }
}

fn owned(bound: Bound<&[u8]>) -> Bound<Bytes> {
    match bound {
        Bound::Included(key) => Bound::Included(Bytes::copy_from_slice(key)),
        Bound::Excluded(key) => Bound::Excluded(Bytes::copy_from_slice(key)),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Whether a range holds no key at all; `BTreeMap::range` panics on some of those.
fn is_empty(range: &(Bound<Bytes>, Bound<Bytes>)) -> bool {
    match (&range.0, &range.1) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        _ => false,
    }
}

/// Walks a range in chunks, so that no lock is held while the caller works.
struct Walk<'a> {
    snapshot: &'a MemorySnapshot,
    space: Space,
    range: (Bound<Bytes>, Bound<Bytes>),
    direction: Direction,
    chunk: std::vec::IntoIter<(Bytes, Bytes)>,
    finished: bool,
}

impl Walk<'_> {
    fn fetch(&mut self) {
        let table = read(&self.snapshot.table);
        let Some(keys) = table.spaces.get(&self.space).filter(|_| !is_empty(&self.range)) else {
            self.finished = true;
            return;
        };
        let range = keys.range::<Bytes, _>((self.range.0.as_ref(), self.range.1.as_ref()));
        let range: Box<dyn Iterator<Item = _>> = match self.direction {
            Direction::Forward => Box::new(range),
            Direction::Backward => Box::new(range.rev()),
        };
        let visible = range.filter_map(|(key, versions)| {
            value_at(versions, self.snapshot.commit).map(|value| (key.clone(), value.clone()))
        });
        let found: Vec<_> = visible.take(CHUNK).collect();
        self.finished = found.len() < CHUNK;
        if let Some((last, _)) = found.last() {
            match self.direction {
                Direction::Forward => self.range.0 = Bound::Excluded(last.clone()),
                Direction::Backward => self.range.1 = Bound::Excluded(last.clone()),
            }
        }
        self.chunk = found.into_iter();
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.chunk.next() {
                return Some(Ok(item));
            }
            if self.finished {
                return None;
            }
            self.fetch();
        }
    }
}

impl KvSnapshot for MemorySnapshot {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(read(&self.table).get(space, key, self.commit).cloned())
    }

    fn scan<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> Scan<'a> {
        let range = (owned(range.0), owned(range.1));
        Box::new(Walk { snapshot: self, space, range, direction, chunk: vec![].into_iter(), finished: false })
    }

    fn keys<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> KeyScan<'a> {
        Box::new(self.scan(space, range, direction).map(|item| item.map(|(key, _)| key)))
    }
}
