//! What history keeps while the store is open: the dictionary, the manifests, the hot rows and the housekeeping thread.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use model::Tenant;
use segments::{Footers, SegmentStore};

use super::{
    HistoryOptions, HistoryStatistics, keys,
    manifest::Manifest,
    memtable::{Memtable, last_sequence},
    series::SeriesDictionary,
};
use crate::{
    StoreError,
    kv::{Direction, Kv, KvSnapshot, Space},
};

/// Hot observations of one flush that make writers wait, in multiples of [`HistoryOptions::flush_rows`].
const BACKLOG_FLUSHES_MAX: u64 = 40;
/// The longest that one writer waits for a flush; then it goes on, so that a broken disk fails where it is told.
const BACKLOG_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// History of all tenants. One for each open store; shared by its writer and its readers.
pub struct HistoryState {
    pub(super) shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the housekeeping thread shares with everybody else.
pub(super) struct Shared {
    pub kv: Arc<dyn Kv>,
    pub options: HistoryOptions,
    pub dictionary: SeriesDictionary,
    pub footers: Arc<Footers>,
    tenants: Mutex<HashMap<Tenant, TenantState>>,
    /// One flush or merge at a time.
    pub housekeeping: Mutex<()>,
    retired: Mutex<Retired>,
    signal: Mutex<Signal>,
    wake: Condvar,
    flushed: Condvar,
    hot_rows: AtomicU64,
    pub failures: AtomicU64,
}

/// The newest state of a tenant that any reader has seen.
struct TenantState {
    manifest: Arc<Manifest>,
    memtable: Arc<RwLock<Memtable>>,
}

#[derive(Default)]
struct Signal {
    stop: bool,
    flush: bool,
}

/// Files that no manifest names any more, but that an older view may still read.
struct Retired {
    current: Arc<()>,
    files: VecDeque<(Weak<()>, Vec<String>)>,
}

/// Keeps the segments of a view readable. Take it before the snapshot of the key-value store that it belongs to.
#[derive(Clone, Debug)]
pub struct HistoryPin {
    _epoch: Arc<()>,
}

/// A tenant's history as one snapshot holds it.
pub(super) struct View {
    pub manifest: Arc<Manifest>,
    pub memtable: Arc<RwLock<Memtable>>,
    /// The last transaction that the snapshot holds.
    pub sequence: u64,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HistoryState {
    /// Opens history over a key-value engine and a place for segments; removes files that a crash left behind and
    /// starts the housekeeping thread.
    ///
    /// # Errors
    /// When the engine or the object store fails, or the manifest or dictionary is damaged.
    pub fn open(kv: Arc<dyn Kv>, segments: SegmentStore, options: HistoryOptions) -> Result<Self, StoreError> {
        let snapshot = kv.snapshot()?;
        let store = Arc::new(segments);
        let shared = Arc::new(Shared {
            dictionary: SeriesDictionary::open(&*snapshot)?,
            footers: Arc::new(Footers::new(store, options.metadata_bytes_max)),
            tenants: Mutex::default(),
            housekeeping: Mutex::default(),
            retired: Mutex::new(Retired { current: Arc::new(()), files: VecDeque::new() }),
            signal: Mutex::default(),
            wake: Condvar::new(),
            flushed: Condvar::new(),
            hot_rows: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            kv,
            options,
        });
        shared.remove_orphans(&*snapshot)?;
        let thread = if shared.options.background { Some(start(&shared)?) } else { None };
        Ok(Self { shared, thread: Mutex::new(thread) })
    }

    /// Keeps the segments that exist now readable for as long as the pin lives.
    #[must_use]
    pub fn pin(&self) -> HistoryPin {
        HistoryPin { _epoch: Arc::clone(&lock(&self.shared.retired).current) }
    }

    /// Writes all hot batches as segments and merges segments until none are due.
    ///
    /// # Errors
    /// When the engine or the object store fails; nothing is lost then, and the next flush tries again.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }

    /// Writes all hot batches as segments, and rewrites those that hold deleted rows.
    ///
    /// # Errors
    /// As [`HistoryState::flush`].
    pub fn settle(&self) -> Result<(), StoreError> {
        self.shared.settle()
    }

    /// Figures of all tenants.
    ///
    /// # Errors
    /// When the engine fails or a manifest is damaged.
    pub fn statistics(&self) -> Result<HistoryStatistics, StoreError> {
        let snapshot = self.shared.kv.snapshot()?;
        let mut statistics = HistoryStatistics {
            hot_rows: self.shared.hot_rows.load(Ordering::Relaxed),
            failures: self.shared.failures.load(Ordering::Relaxed),
            ..HistoryStatistics::default()
        };
        for tenant in tenants_with(&*snapshot, keys::SEGMENT)? {
            for segment in &Manifest::read(&*snapshot, &tenant)?.segments {
                statistics.segments += 1;
                statistics.segment_rows += segment.rows;
                statistics.segment_bytes += segment.bytes;
            }
        }
        Ok(statistics)
    }

    /// Stops the housekeeping thread and waits for what it is doing. Hot batches stay hot; they are durable.
    pub fn close(&self) {
        lock(&self.shared.signal).stop = true;
        self.shared.wake.notify_all();
        self.shared.flushed.notify_all();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the housekeeping thread of history ended by a panic");
        }
    }
}

impl Drop for HistoryState {
    fn drop(&mut self) {
        self.close();
    }
}

/// Every tenant that has an entry of a kind; jumps from tenant to tenant.
pub(super) fn tenants_with(snapshot: &dyn KvSnapshot, kind: u8) -> Result<Vec<Tenant>, StoreError> {
    let mut start = keys::kind_prefix(kind);
    let end = keys::prefix_end(&start);
    let mut tenants = Vec::new();
    while let Some(key) = snapshot.keys(Space::History, keys::all_with(&start, &end), Direction::Forward).next() {
        let tenant = keys::tenant_of(&key?)
            .ok_or_else(|| StoreError::corrupt("history", "the key of an entry does not name a tenant"))?;
        start = keys::prefix_end(&keys::tenant_prefix(kind, &tenant));
        tenants.push(tenant);
    }
    Ok(tenants)
}

fn start(shared: &Arc<Shared>) -> Result<JoinHandle<()>, StoreError> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name("history".to_owned())
        .spawn(move || {
            while shared.wait_for_work() {
                if let Err(error) = shared.flush() {
                    shared.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, "history could not be flushed; it stays in hot batches and is tried again");
                }
            }
        })
        .map_err(|error| StoreError::Engine { detail: format!("no thread for history: {error}") })
}

impl Shared {
    /// Waits until a flush is due; `false` means stop.
    fn wait_for_work(&self) -> bool {
        let mut signal = lock(&self.signal);
        if !signal.stop && !signal.flush {
            let waited = self.wake.wait_timeout(signal, self.options.flush_every);
            signal = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        signal.flush = false;
        !signal.stop
    }

    pub(super) fn is_stopping(&self) -> bool {
        lock(&self.signal).stop
    }

    /// Counts observations that are about to become hot; wakes the thread, and holds the writer up for a while when
    /// flushing does not keep pace.
    pub(super) fn note_hot(&self, rows: u64) {
        let hot = self.hot_rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let flush_rows = self.options.flush_rows as u64;
        if hot < flush_rows || !self.options.background {
            return;
        }
        let mut signal = lock(&self.signal);
        signal.flush = true;
        self.wake.notify_one();
        if hot > flush_rows.saturating_mul(BACKLOG_FLUSHES_MAX) && !signal.stop {
            drop(self.flushed.wait_timeout(signal, BACKLOG_WAIT));
        }
    }

    /// Counts observations that are no longer hot.
    pub(super) fn note_flushed(&self, rows: u64) {
        let lessen = |hot: u64| Some(hot.saturating_sub(rows));
        // The closure never refuses, so there is no error to handle.
        let _ = self.hot_rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lessen);
        self.flushed.notify_all();
    }

    /// A tenant's history as a snapshot holds it.
    pub(super) fn view(&self, snapshot: &dyn KvSnapshot, tenant: &Tenant) -> Result<View, StoreError> {
        let head = Manifest::head(snapshot, tenant)?;
        let (manifest, memtable) = {
            let mut tenants = lock(&self.tenants);
            let known = tenants.get(tenant);
            let manifest = match known {
                Some(known) if known.manifest.head == head => Arc::clone(&known.manifest),
                _ => Arc::new(Manifest::read(snapshot, tenant)?),
            };
            let memtable = match known {
                Some(known) => shared_memtable(&known.memtable, head.flushed_to),
                None => Arc::new(RwLock::new(Memtable::new(head.flushed_to))),
            };
            // An older view than the newest one keeps its manifest and rows to itself.
            if known.is_none_or(|known| known.manifest.head.version <= head.version) {
                let state = TenantState { manifest: Arc::clone(&manifest), memtable: Arc::clone(&memtable) };
                tenants.insert(tenant.clone(), state);
            }
            (manifest, memtable)
        };
        let sequence = last_sequence(snapshot, tenant, head.flushed_to)?;
        if memtable.read().unwrap_or_else(PoisonError::into_inner).is_behind(sequence) {
            let mut memtable = memtable.write().unwrap_or_else(PoisonError::into_inner);
            if memtable.is_behind(sequence) {
                memtable.load(snapshot, tenant)?;
            }
        }
        Ok(View { manifest, memtable, sequence })
    }

    /// Takes files out of use; they are removed when no older view is left.
    pub(super) fn retire(&self, files: Vec<String>) {
        let mut retired = lock(&self.retired);
        let before = std::mem::replace(&mut retired.current, Arc::new(()));
        retired.files.push_back((Arc::downgrade(&before), files));
    }

    /// Removes retired files that no view can read any more.
    pub(super) fn remove_retired(&self) {
        loop {
            let files = {
                let mut retired = lock(&self.retired);
                if retired.files.front().is_none_or(|(epoch, _)| epoch.strong_count() > 0) {
                    return;
                }
                retired.files.pop_front().map(|(_, files)| files).unwrap_or_default()
            };
            for file in files {
                self.footers.forget(&file);
                if let Err(error) = self.footers.store.delete(&file) {
                    // The next start removes it as an orphan.
                    tracing::warn!(%error, file, "a merged segment could not be removed");
                }
            }
        }
    }

    /// Removes files that no manifest names: a crash came between writing a segment and recording it.
    fn remove_orphans(&self, snapshot: &dyn KvSnapshot) -> Result<(), StoreError> {
        let mut named = std::collections::HashSet::new();
        for tenant in tenants_with(snapshot, keys::SEGMENT)? {
            match Manifest::read(snapshot, &tenant) {
                Ok(manifest) => named.extend(manifest.segments.iter().map(|segment| segment.file.clone())),
                Err(error) => {
                    tracing::error!(%error, "no file is removed while a manifest is damaged");
                    return Ok(());
                }
            }
        }
        for file in self.footers.store.list()? {
            if file.ends_with(".parquet") && !named.contains(&file) {
                tracing::info!(file, "removing a segment that was never recorded");
                self.footers.store.delete(&file)?;
            }
        }
        Ok(())
    }
}

/// The shared hot rows, when they fit a view whose segments reach to `flushed_to`; otherwise others that do.
fn shared_memtable(known: &Arc<RwLock<Memtable>>, flushed_to: u64) -> Arc<RwLock<Memtable>> {
    let memtable = known.read().unwrap_or_else(PoisonError::into_inner);
    match memtable.flushed_to.cmp(&flushed_to) {
        std::cmp::Ordering::Equal => Arc::clone(known),
        std::cmp::Ordering::Less => Arc::new(RwLock::new(memtable.advanced_to(flushed_to))),
        std::cmp::Ordering::Greater => Arc::new(RwLock::new(Memtable::new(flushed_to))),
    }
}
