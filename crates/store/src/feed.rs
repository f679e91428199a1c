//! The change feed: every committed transaction's changes, in order, to every reader.
//!
//! The newest transactions are kept in memory; a reader that lags behind them continues from the durable log, and
//! comes back to memory when it has caught up. So a slow reader never slows the writer, and never misses anything
//! that the log still keeps.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use model::Change;
use tokio::sync::watch;

use crate::{Kv, StoreError, head::Head, log};

/// How many transactions, and how many changes in all, memory keeps for readers.
const TRANSACTIONS_MAX: usize = 1_024;
const CHANGES_MAX: usize = 20_000;
/// How many records a lagging reader takes from the log at once.
const LOG_CHUNK: usize = 64;

/// One committed transaction.
pub(crate) struct Published {
    pub last_sequence: u64,
    pub changes: Arc<[Change]>,
}

struct Recent {
    transactions: VecDeque<Published>,
    changes: usize,
    /// Everything after this sequence is in `transactions`.
    complete_after: u64,
}

/// Where the writer publishes and readers subscribe.
pub(crate) struct Feed {
    kv: Arc<dyn Kv>,
    recent: Mutex<Recent>,
    newest: watch::Sender<u64>,
    closed: AtomicBool,
}

impl Feed {
    pub fn new(kv: Arc<dyn Kv>, head: u64) -> Self {
        let recent = Recent { transactions: VecDeque::new(), changes: 0, complete_after: head };
        Self { kv, recent: Mutex::new(recent), newest: watch::Sender::new(head), closed: AtomicBool::new(false) }
    }

    /// Adds a committed transaction.
    pub fn publish(&self, published: Published) {
        let last = published.last_sequence;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.changes += published.changes.len();
        recent.transactions.push_back(published);
        while recent.transactions.len() > TRANSACTIONS_MAX || recent.changes > CHANGES_MAX {
            let Some(oldest) = recent.transactions.pop_front() else { break };
            recent.changes -= oldest.changes.len();
            recent.complete_after = oldest.last_sequence;
        }
        drop(recent);
        self.newest.send_replace(last);
    }

    /// A reader that starts after a sequence.
    pub fn subscribe(self: &Arc<Self>, after: u64) -> ChangeFeed {
        let newest = self.newest.subscribe();
        ChangeFeed { feed: Arc::downgrade(self), position: after, newest, from_log: VecDeque::new() }
    }

    /// Tells readers that nothing more will come.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.newest.send_modify(|_| {});
    }

    /// The newest sequence published.
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// The first transaction after a position: from memory, or "look in the log", or nothing yet.
    fn find(&self, position: u64) -> Found {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if position < recent.complete_after {
            return Found::InLog { complete_after: recent.complete_after };
        }
        let place = recent.transactions.partition_point(|t| t.last_sequence <= position);
        match recent.transactions.get(place) {
            Some(found) => Found::InMemory(found.last_sequence, found.changes.clone()),
            None => Found::NothingYet,
        }
    }

    fn read_log(&self, after: u64) -> Result<VecDeque<log::Numbered>, StoreError> {
        let snapshot = self.kv.snapshot()?;
        let oldest = Head::read(&*snapshot)?.log_trimmed_until;
        if after < oldest {
            return Err(StoreError::ChangesTrimmed { after, oldest });
        }
        log::read(&*snapshot, after).take(LOG_CHUNK).collect()
    }
}

enum Found {
    InMemory(u64, Arc<[Change]>),
    /// In the log, which certainly holds everything up to the point from which memory is complete.
    InLog {
        complete_after: u64,
    },
    NothingYet,
}

/// A reader of the change feed.
pub struct ChangeFeed {
    feed: std::sync::Weak<Feed>,
    position: u64,
    newest: watch::Receiver<u64>,
    from_log: VecDeque<log::Numbered>,
}

impl ChangeFeed {
    /// The changes of the next transaction that changed entities; waits for one.
    ///
    /// # Errors
    /// [`StoreError::ChangesTrimmed`] when this reader lagged further behind than the log reaches (it continues with
    /// what is kept), [`StoreError::Corrupt`] when a record is damaged (it continues with the one behind it),
    /// [`StoreError::Closed`] when the store is closed, or when the engine fails.
    pub async fn next(&mut self) -> Result<Arc<[Change]>, StoreError> {
        loop {
            if let Some(changes) = self.next_ready()? {
                return Ok(changes);
            }
            self.newest.changed().await.map_err(|_| StoreError::Closed)?;
        }
    }

    /// The changes of the next transaction, when there is one already.
    ///
    /// # Errors
    /// As [`ChangeFeed::next`].
    pub fn next_ready(&mut self) -> Result<Option<Arc<[Change]>>, StoreError> {
        if let Some((last, changes)) = self.from_log.pop_front() {
            self.position = last;
            return changes.map(Some);
        }
        let feed = self.feed.upgrade().ok_or(StoreError::Closed)?;
        self.newest.mark_unchanged();
        match feed.find(self.position) {
            Found::NothingYet if feed.closed.load(Ordering::Acquire) => Err(StoreError::Closed),
            Found::NothingYet => Ok(None),
            Found::InMemory(last, changes) => {
                self.position = last;
                Ok(Some(changes))
            }
            Found::InLog { complete_after } => {
                let read = feed.read_log(self.position);
                if let Err(StoreError::ChangesTrimmed { oldest, .. }) = &read {
                    self.position = *oldest;
                }
                self.from_log = read?;
                match self.from_log.pop_front() {
                    Some((last, changes)) => {
                        self.position = last;
                        changes.map(Some)
                    }
                    // Only transactions without changes of entities lie between here and what memory holds.
                    None => {
                        self.position = complete_after;
                        self.next_ready()
                    }
                }
            }
        }
    }

    /// The sequence up to which this reader has read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }
}
