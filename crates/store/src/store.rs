//! The store as others hold it: opened once, cloned freely, closed once.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use model::Iri;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    AuditEntry, AuditRecord, ChangeFeed, CheckReport, CommitError, HistoryOptions, HistoryState, Kv, SegmentStore,
    Snapshot, StoreError, Transaction, audit,
    cache::EntityCache,
    check,
    feed::Feed,
    floors::{Floors, reachable},
    head::{FORMAT, Head},
    kv::{fjall::FjallKv, memory::MemoryKv},
    lock::DataDirectory,
    transaction::Prepared,
    writer::{Job, Reply, Writer},
};

/// How many bytes of waiting transactions one place in the queue stands for.
const BYTES_PER_PLACE: usize = 64 << 10;
/// How long a write waits for a place in the queue before it is refused.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// How a store is kept.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Memory for decoded entities, bytes.
    pub entity_cache_bytes: u64,
    /// Memory for blocks read from disk, bytes.
    pub block_cache_bytes: u64,
    /// How many transactions may wait for the writer; larger ones take several places.
    pub queue_places: u32,
    /// How many changes the durable change log keeps for readers that come back.
    pub log_changes_kept: u64,
    /// Writes are refused when fewer bytes than these are free on the disk.
    pub disk_reserve_bytes: u64,
    /// How history is kept.
    pub history: HistoryOptions,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            entity_cache_bytes: 192 << 20,
            block_cache_bytes: 64 << 20,
            queue_places: 1_024,
            log_changes_kept: 100_000,
            disk_reserve_bytes: 128 << 20,
            history: HistoryOptions::default(),
        }
    }
}

/// The answer to a committed transaction: it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The sequence of its last change; also the version of what it wrote.
    pub sequence: u64,
}

/// Figures for monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    /// The newest sequence.
    pub sequence: u64,
    /// Places taken in the writer's queue, and how many there are.
    pub queue_used: u64,
    /// How many places the queue has.
    pub queue_places: u64,
    /// Decoded entities in the cache.
    pub cached_entities: u64,
    /// Look-ups that the cache answered.
    pub cache_hits: u64,
    /// Look-ups that it did not answer.
    pub cache_misses: u64,
    /// Bytes of the key-value engine on disk, without segments.
    pub engine_bytes: u64,
}

/// City state, registers and history in one place. Clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// In whose name this handle commits.
    signature: Option<Arc<AuditEntry>>,
}

struct Inner {
    kv: Arc<dyn Kv>,
    cache: Arc<EntityCache>,
    feed: Arc<Feed>,
    history: Arc<HistoryState>,
    queue: Arc<Semaphore>,
    queue_places: u32,
    /// Set once, before anybody writes.
    floors: OnceLock<Floors>,
    jobs: RwLock<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Last, so that the directory is free only when everything else is closed.
    _directory: Option<Arc<DataDirectory>>,
}

impl Store {
    /// Opens the store in a directory, and makes it when it is not there. The directory is locked until the process
    /// ends, or until this store is closed and every clone and snapshot of it is dropped.
    ///
    /// # Errors
    /// When the directory is in use, cannot be written, or holds damaged or unknown data.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let directory = Arc::new(DataDirectory::lock(dir)?);
        let kv: Arc<dyn Kv> = Arc::new(FjallKv::open(&dir.join("db"), options.block_cache_bytes)?);
        let place = SegmentStore::local(&dir.join("segments"))?;
        let (watched, reserve) = (directory.clone(), options.disk_reserve_bytes);
        let room = Box::new(move || watched.check_room(reserve));
        Self::over(kv, place, options, room, Some(directory)).map_err(|error| match error {
            StoreError::Format { found, known, .. } => {
                StoreError::Format { directory: dir.display().to_string(), found, known }
            }
            other => other,
        })
    }

    /// A store that lives in memory, for tests.
    ///
    /// # Errors
    /// When the writer thread cannot be started.
    pub fn in_memory(options: &StoreOptions) -> Result<Self, StoreError> {
        let kv: Arc<dyn Kv> = Arc::new(MemoryKv::new());
        Self::over(kv, SegmentStore::memory()?, options, Box::new(|| Ok(())), None)
    }

    fn over(
        kv: Arc<dyn Kv>,
        place: SegmentStore,
        options: &StoreOptions,
        room: Box<dyn Fn() -> Result<(), StoreError> + Send>,
        directory: Option<Arc<DataDirectory>>,
    ) -> Result<Self, StoreError> {
        let head = Head::read(&*kv.snapshot()?)?;
        if head.format != FORMAT {
            return Err(StoreError::Format { directory: String::new(), found: head.format, known: FORMAT });
        }
        let history = Arc::new(HistoryState::open(kv.clone(), place, options.history.clone())?);
        let cache = Arc::new(EntityCache::new(options.entity_cache_bytes));
        let feed = Arc::new(Feed::new(kv.clone(), head.sequence));
        let writer = Writer {
            kv: kv.clone(),
            cache: cache.clone(),
            feed: feed.clone(),
            history: history.clone(),
            head,
            counters: HashMap::new(),
            log_changes_kept: options.log_changes_kept,
            room,
        };
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|e| StoreError::Engine { detail: format!("the writer thread did not start: {e}") })?;
        let inner = Inner {
            kv,
            cache,
            feed,
            history,
            queue: Arc::new(Semaphore::new(options.queue_places.max(1) as usize)),
            queue_places: options.queue_places.max(1),
            floors: OnceLock::new(),
            jobs: RwLock::new(Some(sender)),
            writer: Mutex::new(Some(thread)),
            _directory: directory,
        };
        Ok(Self { inner: Arc::new(inner), signature: None })
    }

    /// A consistent view of everything committed so far.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // The pin first: segments that the key-value snapshot names must stay readable.
        let pin = self.inner.history.pin();
        let kv = self.inner.kv.snapshot()?;
        let sequence = Head::read(&*kv)?.sequence;
        let (cache, history) = (self.inner.cache.clone(), self.inner.history.clone());
        Ok(Snapshot { kv, cache, history, sequence, _pin: pin })
    }

    /// Commits a transaction. It is on disk, and visible to every later snapshot, when this returns.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when something it builds on has changed, [`CommitError::Full`] when too many writes
    /// wait, [`CommitError::Store`] when the disk or the engine fails. In each case nothing of it was stored.
    pub async fn commit(&self, mut tx: Transaction) -> Result<Committed, CommitError> {
        self.check_floors(&tx)?;
        self.sign(&mut tx);
        let prepared = if tx.is_large() {
            let history = self.inner.history.clone();
            let encoded = tokio::task::spawn_blocking(move || Prepared::new(tx, &history)).await;
            encoded.map_err(|e| StoreError::Engine { detail: format!("a transaction was not encoded: {e}") })??
        } else {
            Prepared::new(tx, &self.inner.history)?
        };
        let places = self.places(&prepared);
        let waiting = tokio::time::timeout(QUEUE_WAIT, self.inner.queue.clone().acquire_many_owned(places));
        let place = match waiting.await {
            Err(_) => return Err(CommitError::Full),
            Ok(Err(_)) => return Err(StoreError::Closed.into()),
            Ok(Ok(place)) => place,
        };
        let (sender, answer) = oneshot::channel();
        self.send(prepared, Reply::Task(sender), place)?;
        answer.await.unwrap_or(Err(CommitError::Store(StoreError::Closed)))
    }

    /// As [`Store::commit`], for threads that are not asynchronous. It waits for a place in the queue as long as needed.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_blocking(&self, mut tx: Transaction) -> Result<Committed, CommitError> {
        self.check_floors(&tx)?;
        self.sign(&mut tx);
        let prepared = Prepared::new(tx, &self.inner.history)?;
        let places = self.places(&prepared);
        let place = loop {
            match self.inner.queue.clone().try_acquire_many_owned(places) {
                Ok(place) => break place,
                Err(tokio::sync::TryAcquireError::Closed) => return Err(StoreError::Closed.into()),
                Err(tokio::sync::TryAcquireError::NoPermits) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let (sender, answer) = mpsc::sync_channel(1);
        self.send(prepared, Reply::Thread(sender), place)?;
        answer.recv().unwrap_or(Err(CommitError::Store(StoreError::Closed)))
    }

    /// The same store for somebody: what is committed through this handle is in the audit, in the same transaction,
    /// with the time, subject, outcome and reason of `signature`. Its action, resource and detail are filled in.
    #[must_use]
    pub fn signed(&self, signature: AuditEntry) -> Self {
        Self { inner: Arc::clone(&self.inner), signature: Some(Arc::new(signature)) }
    }

    /// From now on, for every handle: a transaction that would store a smaller number under one of these attributes
    /// (expanded names) is refused whole, in every tenant that requests reach. Only the first call counts.
    pub fn set_floors(&self, floors: HashMap<Iri, f64>) {
        // Set twice, the first ones stay: a floor is never lowered while the store is open.
        let _ = self.inner.floors.set(floors);
    }

    fn check_floors(&self, tx: &Transaction) -> Result<(), StoreError> {
        match self.inner.floors.get() {
            Some(floors) if !floors.is_empty() && reachable(&tx.tenant) => tx.check_floors(floors),
            _ => Ok(()),
        }
    }

    fn sign(&self, tx: &mut Transaction) {
        if let Some(signature) = &self.signature {
            tx.sign(signature);
        }
    }

    fn places(&self, prepared: &Prepared) -> u32 {
        let wanted = u32::try_from(1 + prepared.size_bytes / BYTES_PER_PLACE).unwrap_or(u32::MAX);
        wanted.min(self.inner.queue_places)
    }

    fn send(&self, prepared: Prepared, reply: Reply, place: OwnedSemaphorePermit) -> Result<(), CommitError> {
        let jobs = self.inner.jobs.read().unwrap_or_else(PoisonError::into_inner);
        let sender = jobs.as_ref().ok_or(StoreError::Closed)?;
        sender.send(Job { prepared, reply, place }).map_err(|_| StoreError::Closed.into())
    }

    /// Every change from now on.
    #[must_use]
    pub fn changes(&self) -> ChangeFeed {
        self.inner.feed.subscribe(self.inner.feed.newest())
    }

    /// Every change after a sequence: first those of the durable log, then those to come.
    #[must_use]
    pub fn changes_since(&self, sequence: u64) -> ChangeFeed {
        self.inner.feed.subscribe(sequence)
    }

    /// Audit records after a sequence, oldest first.
    ///
    /// # Errors
    /// When the engine fails, or a record is damaged.
    pub fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        audit::read(&*self.inner.kv.snapshot()?, after, limit)
    }

    /// Writes history's hot batches as segments now.
    ///
    /// # Errors
    /// When a segment cannot be written; nothing is lost then.
    pub fn flush_history(&self) -> Result<(), StoreError> {
        self.inner.history.flush()
    }

    /// Carries out every deletion of history on the disk: hot batches become segments, and segments that hold deleted
    /// rows are rewritten. It takes as long as rewriting takes; call it from a thread that may wait. Broken off, it is
    /// taken up where it stood.
    ///
    /// # Errors
    /// When a segment cannot be written; nothing is lost then, and what was deleted stays hidden.
    pub fn settle_history(&self) -> Result<(), StoreError> {
        self.inner.history.settle()
    }

    /// Figures for monitoring.
    #[must_use]
    pub fn statistics(&self) -> StoreStatistics {
        let (cache_hits, cache_misses) = self.inner.cache.hits_and_misses();
        let free = self.inner.queue.available_permits() as u64;
        StoreStatistics {
            sequence: self.inner.feed.newest(),
            queue_used: u64::from(self.inner.queue_places).saturating_sub(free),
            queue_places: u64::from(self.inner.queue_places),
            cached_entities: self.inner.cache.len() as u64,
            cache_hits,
            cache_misses,
            engine_bytes: self.inner.kv.size_bytes().unwrap_or(0),
        }
    }

    /// Finishes every write that was accepted, then stops. Clones of this store refuse writes from now on.
    ///
    /// # Errors
    /// When the last bytes cannot be flushed.
    pub fn close(self) -> Result<(), StoreError> {
        self.inner.close()
    }

    /// Verifies everything in a data directory that no server uses: every document, index entry, counter, audit link,
    /// change log record and segment.
    ///
    /// # Errors
    /// When the directory cannot be opened at all; damage inside is in the report.
    pub fn check(dir: &Path) -> Result<CheckReport, StoreError> {
        if !dir.join("db").is_dir() {
            let remedy = "name the directory that `polder serve --data` uses".to_owned();
            let detail = "there is no Polder database in it".to_owned();
            return Err(StoreError::Io { thing: dir.display().to_string(), detail, remedy });
        }
        let _lock = DataDirectory::lock(dir)?;
        let options = StoreOptions::default();
        let kv: Arc<dyn Kv> = Arc::new(FjallKv::open(&dir.join("db"), options.block_cache_bytes)?);
        let place = SegmentStore::local(&dir.join("segments"))?;
        // A check looks and changes nothing: no thread may flush or merge meanwhile.
        let history = HistoryState::open(kv.clone(), place, HistoryOptions { background: false, ..options.history })?;
        let report = check::check(&*kv.snapshot()?, &history)?;
        history.close();
        kv.close()?;
        Ok(report)
    }

    /// Verifies a store that is open, as [`Store::check`] does.
    ///
    /// # Errors
    /// When the engine fails; damage is in the report.
    pub fn check_open(&self) -> Result<CheckReport, StoreError> {
        // Segments that are merged meanwhile stay until the check is done.
        let _pin = self.inner.history.pin();
        check::check(&*self.inner.kv.snapshot()?, &self.inner.history)
    }
}

impl Inner {
    fn close(&self) -> Result<(), StoreError> {
        self.queue.close();
        drop(self.jobs.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(()) };
        let finished = writer.join().map_err(|_| StoreError::Engine { detail: "the writer thread failed".to_owned() });
        self.feed.close();
        self.history.close();
        finished.and(self.kv.close())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store did not close cleanly");
        }
    }
}
