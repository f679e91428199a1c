//! The port to an ordered key-value engine, and its backends.
//!
//! Everything the store keeps goes through [`Kv`]: get, range scan, snapshot and atomic batch with preconditions.
//! Each backend passes the contract suite of the `testing` crate.

use std::{ops::Bound, sync::Arc};

use bytes::Bytes;

use crate::StoreError;

pub mod fjall;
pub mod memory;

/// A key space. Keys of different spaces never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Entities and typed documents: larger values, read by key.
    Documents,
    /// Secondary indexes and counters: small values, read by range.
    Indexes,
    /// Hot batches of history and the segment manifest.
    History,
    /// The change log and the audit log.
    Log,
    /// The head record and other single values.
    Meta,
}

impl Space {
    /// Every space, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Documents, Self::Indexes, Self::History, Self::Log, Self::Meta];

    /// The name of the space on disk.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Indexes => "indexes",
            Self::History => "history",
            Self::Log => "log",
            Self::Meta => "meta",
        }
    }
}

/// What must hold for a key before a batch is applied. The version of a value is its first 8 bytes, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// The key has no value.
    Absent,
    /// The key has a value of this version.
    Version(u64),
}

impl Expect {
    /// Whether the stored value (or its absence) fits.
    #[must_use]
    pub fn fits(self, stored: Option<&[u8]>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => stored.is_none(),
            Self::Version(version) => stored.and_then(version_of) == Some(version),
        }
    }
}

/// The version of a stored value: its first 8 bytes, big-endian. `None` when it is shorter.
#[must_use]
pub fn version_of(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// One write: a new value for a key, or its removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key space.
    pub space: Space,
    /// The key.
    pub key: Bytes,
    /// The new value; `None` removes the key.
    pub value: Option<Bytes>,
}

/// Writes that happen all or not at all, and what must hold before. Later writes to one key win.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) writes: Vec<Write>,
    pub(crate) preconditions: Vec<(Space, Bytes, Expect)>,
}

impl Batch {
    /// A batch without writes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key a value.
    pub fn put(&mut self, space: Space, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.writes.push(Write { space, key: key.into(), value: Some(value.into()) });
    }

    /// Removes a key; nothing happens when it has no value.
    pub fn delete(&mut self, space: Space, key: impl Into<Bytes>) {
        self.writes.push(Write { space, key: key.into(), value: None });
    }

    /// Demands something of a key, or the batch is refused.
    pub fn expect(&mut self, space: Space, key: impl Into<Bytes>, expect: Expect) {
        self.preconditions.push((space, key.into(), expect));
    }

    /// The writes so far, in order.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Whether it writes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The bytes of all keys and values.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.writes.iter().map(|w| w.key.len() + w.value.as_ref().map_or(0, Bytes::len)).sum()
    }
}

/// A precondition that did not hold; its batch was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key space.
    pub space: Space,
    /// The key whose value was not as expected.
    pub key: Bytes,
}

/// Which end of a range a scan starts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending by key.
    Forward,
    /// Descending by key.
    Backward,
}

/// A range of keys.
pub type KeyRange<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);
/// Keys and values as a scan finds them.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), StoreError>> + 'a>;
/// Keys as a scan finds them.
pub type KeyScan<'a> = Box<dyn Iterator<Item = Result<Bytes, StoreError>> + 'a>;

/// An ordered key-value engine.
pub trait Kv: Send + Sync + 'static {
    /// A consistent view of everything committed so far. Later commits do not change it.
    ///
    /// # Errors
    /// When the engine fails.
    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, StoreError>;

    /// Applies batches in order: each is atomic, and its preconditions see the batches before it. Durable, and only
    /// then visible, when it returns; one flush to disk serves all batches.
    ///
    /// # Errors
    /// When the engine fails: then none of the batches is visible.
    fn commit(&self, batches: &[&Batch]) -> Result<Vec<Result<(), Conflict>>, StoreError>;

    /// Bytes used on disk (or in memory, for an engine without a disk).
    ///
    /// # Errors
    /// When the engine fails.
    fn size_bytes(&self) -> Result<u64, StoreError>;

    /// Flushes and stops. Later commits fail.
    ///
    /// # Errors
    /// When the engine cannot flush.
    fn close(&self) -> Result<(), StoreError>;
}

/// A consistent view of an engine.
pub trait KvSnapshot: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// When the engine fails or finds damage.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Keys and values in a range.
    fn scan<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> Scan<'a>;

    /// Keys in a range, without reading their values.
    fn keys<'a>(&'a self, space: Space, range: KeyRange<'_>, direction: Direction) -> KeyScan<'a>;
}
