//! The embedded backend: fjall, a log-structured merge tree in a directory.
//!
//! Larger values are kept apart from keys (key-value separation), because without it compaction rewrites every document
//! again and again. All batches of one commit become one fjall batch with one fdatasync, which fjall makes durable
//! before it becomes visible. We never call `clear()` on a keyspace: it is not atomic with other writes.

use std::{
    collections::HashMap,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use fjall::{
    CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable,
    config::CompressionPolicy,
};
use foldhash::fast::RandomState;

use super::{Batch, Conflict, Direction, KeyRange, KeyScan, Kv, KvSnapshot, Scan, Space};
use crate::StoreError;

/// Values from this size on are kept apart from their keys.
const SEPARATION_BYTES: u32 = 512;
/// How much of each key space is kept in memory before it is written as a sorted table.
const MEMTABLE_BYTES: u64 = 32 << 20;
/// How much journal is kept before tables are written: what a start must read again at most.
const JOURNAL_BYTES: u64 = 128 << 20;
/// Threads for writing tables and compaction.
const WORKERS: usize = 2;

/// What the batches of one commit leave behind, by key. Its hashing is on the path of every write.
type Pending = HashMap<(Space, Bytes), Option<Bytes>, RandomState>;

/// A database in a directory.
pub struct FjallKv {
    directory: PathBuf,
    database: Database,
    spaces: [Keyspace; 5],
    /// One commit at a time, so that preconditions and writes belong together.
    committing: Mutex<()>,
    closed: AtomicBool,
}

struct FjallSnapshot {
    spaces: [Keyspace; 5],
    snapshot: fjall::Snapshot,
}

fn options(space: Space) -> KeyspaceCreateOptions {
    let options = KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
    match space {
        Space::Documents => {
            options.with_kv_separation(Some(KvSeparationOptions::default().separation_threshold(SEPARATION_BYTES)))
        }
        // These values come compressed.
        Space::History | Space::Log => options.with_kv_separation(Some(
            KvSeparationOptions::default().separation_threshold(SEPARATION_BYTES).compression(CompressionType::None),
        )),
        Space::Indexes | Space::Meta => {
            options.data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        }
    }
}

impl FjallKv {
    /// Opens the database in a directory, and makes it when it is not there.
    ///
    /// # Errors
    /// When the directory cannot be used, or what is in it is damaged.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let error = |e: fjall::Error| engine_error(directory, &e);
        let database = Database::builder(directory)
            .cache_size(cache_bytes)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(WORKERS)
            .manual_journal_persist(true)
            .open()
            .map_err(error)?;
        let open = |space: Space| database.keyspace(space.name(), || options(space)).map_err(error);
        let [documents, indexes, history, log, meta] = Space::ALL;
        let spaces = [open(documents)?, open(indexes)?, open(history)?, open(log)?, open(meta)?];
        Ok(Self {
            directory: directory.to_path_buf(),
            database,
            spaces,
            committing: Mutex::new(()),
            closed: AtomicBool::new(false),
        })
    }

    fn error(&self, error: &fjall::Error) -> StoreError {
        engine_error(&self.directory, error)
    }
}

/// The place of a space in the list of keyspaces.
fn keyspace(spaces: &[Keyspace; 5], space: Space) -> &Keyspace {
    let [documents, indexes, history, log, meta] = spaces;
    match space {
        Space::Documents => documents,
        Space::Indexes => indexes,
        Space::History => history,
        Space::Log => log,
        Space::Meta => meta,
    }
}

/// An engine error in the store's words.
fn engine_error(directory: &Path, error: &fjall::Error) -> StoreError {
    let io_error = match error {
        fjall::Error::Io(e) | fjall::Error::Storage(fjall::LsmError::Io(e)) => Some(e),
        _ => None,
    };
    match (error, io_error) {
        (fjall::Error::Locked, _) => {
            StoreError::Locked { directory: directory.display().to_string(), holder: String::new() }
        }
        (_, Some(e)) if e.kind() != io::ErrorKind::Other && e.kind() != io::ErrorKind::UnexpectedEof => {
            StoreError::io(directory, e)
        }
        (fjall::Error::Poisoned, _) => {
            StoreError::Engine { detail: "an earlier write to disk failed, so no more are accepted".to_owned() }
        }
        (fjall::Error::Storage(fjall::LsmError::ChecksumMismatch { .. }), _) => {
            let detail = format!("{error:?}");
            StoreError::corrupt(format!("the database in {}", directory.display()), detail)
        }
        _ => StoreError::Engine { detail: format!("{error:?}") },
    }
}

/// Whether the preconditions of a batch hold, given what earlier batches of the same commit write.
fn check(snapshot: &FjallSnapshot, earlier: &Pending, batch: &Batch) -> Result<Result<(), Conflict>, StoreError> {
    for (space, key, expect) in &batch.preconditions {
        let fits = match earlier.get(&(*space, key.clone())) {
            Some(pending) => expect.fits(pending.as_deref()),
            None => expect.fits(snapshot.get(*space, key)?.as_deref()),
        };
        if !fits {
            return Ok(Err(Conflict { space: *space, key: key.clone() }));
        }
    }
    Ok(Ok(()))
}

impl Kv for FjallKv {
    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, StoreError> {
        Ok(Arc::new(FjallSnapshot { spaces: self.spaces.clone(), snapshot: self.database.snapshot() }))
    }

    fn commit(&self, batches: &[&Batch]) -> Result<Vec<Result<(), Conflict>>, StoreError> {
        let _one_at_a_time = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let snapshot = FjallSnapshot { spaces: self.spaces.clone(), snapshot: self.database.snapshot() };
        // One fjall batch must not hold two writes to one key, so the last one for each key is collected first.
        let writes = batches.iter().map(|batch| batch.writes.len()).sum();
        let mut pending: Pending = HashMap::with_capacity_and_hasher(writes, RandomState::default());
        let mut answers = Vec::with_capacity(batches.len());
        for batch in batches {
            let answer = check(&snapshot, &pending, batch)?;
            if answer.is_ok() {
                let writes = batch.writes.iter().cloned();
                pending.extend(writes.map(|write| ((write.space, write.key), write.value)));
            }
            answers.push(answer);
        }
        drop(snapshot);
        let mut writes = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), pending.len())
            .durability(Some(PersistMode::SyncData));
        for ((space, key), value) in pending {
            let keyspace = keyspace(&self.spaces, space);
            match value {
                Some(value) => writes.insert(keyspace, key, value),
                None => writes.remove(keyspace, key),
            }
        }
        writes.commit().map_err(|e| self.error(&e))?;
        Ok(answers)
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.database.disk_space().map_err(|e| self.error(&e))
    }

    fn close(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.database.persist(PersistMode::SyncAll).map_err(|e| self.error(&e))
    }
}

impl FjallSnapshot {
    fn range(&self, space: Space, range: KeyRange<'_>, direction: Direction) -> Box<dyn Iterator<Item = Guard>> {
        if is_empty(&range) {
            return Box::new(std::iter::empty());
        }
        let found = self.snapshot.range::<&[u8], KeyRange<'_>>(keyspace(&self.spaces, space), range);
        match direction {
            Direction::Forward => Box::new(found),
            Direction::Backward => Box::new(found.rev()),
        }
    }
}

/// Whether a range cannot hold a key.
fn is_empty(range: &KeyRange<'_>) -> bool {
    match range {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        _ => false,
    }
}

fn read_error(error: &fjall::Error) -> StoreError {
    engine_error(Path::new("the data directory"), error)
}

impl KvSnapshot for FjallSnapshot {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.snapshot.get(keyspace(&self.spaces, space), key).map_err(|e| read_error(&e))?;
        Ok(value.map(Bytes::from))
    }

    fn scan<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> Scan<'a> {
        let found = self.range(space, range, direction);
        Box::new(found.map(|guard| {
            let (key, value) = guard.into_inner().map_err(|e| read_error(&e))?;
            Ok((Bytes::from(key), Bytes::from(value)))
        }))
    }

    fn keys<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> KeyScan<'a> {
        let found = self.range(space, range, direction);
        Box::new(found.map(|guard| Ok(Bytes::from(guard.key().map_err(|e| read_error(&e))?))))
    }
}
