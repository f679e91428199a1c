//! The store: the only crate that touches a database, a file or an object store.
//!
//! City state (entities) and registers (typed documents) with secondary indexes, an audit log, a change feed and
//! history, over one ordered key-value port with two backends. An acknowledged write is on disk. The layout and the
//! invariants are in this crate's README.

mod audit;
mod cache;
mod check;
mod document;
mod entities;
mod error;
mod feed;
mod floors;
mod geo_cells;
mod head;
pub mod history;
mod keys;
pub mod kv;
mod lock;
mod log;
mod signature;
mod snapshot;
mod store;
mod transaction;
mod writer;

pub use audit::{AuditEntry, AuditRecord};
pub use check::CheckReport;
pub use document::{Document, DocumentSelect};
pub use entities::EntitySelect;
pub use error::{CommitError, StoreError};
pub use feed::ChangeFeed;
pub use history::{
    Bucket, History, HistoryAdded, HistoryDeletion, HistoryOptions, HistoryPin, HistoryState, HistoryWrites,
    Observations, Order, Period, SegmentStore, TimeRange,
};
pub use kv::{Batch, Conflict, Direction, Expect, Kv, KvSnapshot, Space, Write};
pub use snapshot::Snapshot;
pub use store::{Committed, Store, StoreOptions, StoreStatistics};
pub use transaction::Transaction;

pub use model::Stored;
