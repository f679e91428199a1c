//! History: every observation, first in hot batches, then in sorted Parquet segments; read as one.
//!
//! A transaction's observations become one value in the key-value store ([`HistoryState::encode`]). A thread writes them
//! as segments sorted by series and time, records these in the manifest and merges them. Readers ([`History`]) see
//! both through one snapshot: sorted, without doubles, the newest writing of a moment counts. The README beside this
//! file describes what lies in the key-value store, the one of `segments` the Parquet files.

mod check;
mod compact;
mod encode;
mod keys;
mod manifest;
mod memtable;
mod series;
mod state;
mod types;

use std::{
    collections::{HashMap, VecDeque},
    sync::PoisonError,
};

use model::{EntityId, Observation, SeriesKey, Tenant, Timestamp};

pub use encode::{HistoryAdded, HistoryWrites};
use segments::{Aggregator, Chunk, Merged, Readers, Request, Run, SegmentError, Source};
pub use segments::{Bucket, Order, Period, SegmentStore, TimeRange};
pub use state::{HistoryPin, HistoryState};
pub use types::{HistoryDeletion, HistoryOptions, HistoryStatistics};

use crate::{StoreError, kv::KvSnapshot};
use manifest::Manifest;
use series::SeriesDictionary;
use state::View;

/// The most rows that are decoded at once.
const STEP_ROWS: usize = 32_768;
/// The least, since pages are decoded whole.
const STEP_ROWS_MIN: usize = 1_024;

/// Observations as a read delivers them.
pub type Observations<'a> = Box<dyn Iterator<Item = Result<Observation, StoreError>> + 'a>;

/// Questions to history, as one snapshot holds it. Reads wait for the disk, so call them where waiting is fine.
pub struct History<'a> {
    state: &'a HistoryState,
    snapshot: &'a dyn KvSnapshot,
}

impl<'a> History<'a> {
    /// History as a snapshot holds it.
    #[must_use]
    pub fn new(state: &'a HistoryState, snapshot: &'a dyn KvSnapshot) -> Self {
        Self { state, snapshot }
    }

    /// Every series of an entity that ever had an observation, by attribute and dataset.
    ///
    /// # Errors
    /// When the engine fails or the dictionary is damaged.
    pub fn series_of(&self, tenant: &Tenant, entity: &EntityId) -> Result<Vec<SeriesKey>, StoreError> {
        let series = SeriesDictionary::of_entity(self.snapshot, tenant, entity)?;
        Ok(series.into_iter().map(|(_, series)| series).collect())
    }

    /// Where the exact values of a series are: in the internal tenant when it holds the series, otherwise in the tenant
    /// itself. For what computes inside the platform only; nothing of it may be told below the minimum.
    ///
    /// # Errors
    /// When the engine fails or the dictionary is damaged.
    pub fn exact_tenant(&self, tenant: &Tenant, series: &SeriesKey) -> Result<Tenant, StoreError> {
        let internal = tenant.internal();
        let held = self.state.shared.dictionary.id(self.snapshot, &internal, series)?;
        Ok(if held.is_some() { internal } else { tenant.clone() })
    }

    /// The series of a tenant that ever had an observation, at most `limit`, in the order of the dictionary: those
    /// after `after`, when that is given.
    ///
    /// # Errors
    /// As [`History::series_of`].
    pub fn series_page(
        &self,
        tenant: &Tenant,
        after: Option<&SeriesKey>,
        limit: usize,
    ) -> Result<Vec<SeriesKey>, StoreError> {
        SeriesDictionary::page(self.snapshot, tenant, after, limit)
    }

    /// The observations of each series in a range, series after series in the order given, by time in either direction,
    /// at most `limit` of each series. A withdrawn instance is delivered as [`model::ObservedValue::Deleted`].
    ///
    /// # Errors
    /// When the engine fails or the manifest is damaged. Damage in a segment comes from the iterator and ends it.
    pub fn range(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        range: TimeRange,
        order: Order,
        limit: Option<usize>,
    ) -> Result<Observations<'a>, StoreError> {
        let (from, to) = range.micros();
        let step = limit.map_or(STEP_ROWS, |limit| limit.clamp(STEP_ROWS_MIN, STEP_ROWS));
        let request = Request { from, to, order, details: true, step };
        let view = self.state.shared.view(self.snapshot, tenant)?;
        Ok(Box::new(Rows {
            state: self.state,
            snapshot: self.snapshot,
            tenant: tenant.clone(),
            readers: Readers::new(&self.state.shared.footers, &view.manifest.segments),
            view,
            request,
            limit: limit.unwrap_or(usize::MAX),
            waiting: series.iter().cloned().collect(),
            current: None,
        }))
    }

    /// The last `n` observations of each series (before a moment, when one is given), newest first.
    ///
    /// # Errors
    /// As [`History::range`].
    pub fn last(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        n: usize,
        before: Option<Timestamp>,
    ) -> Result<Observations<'a>, StoreError> {
        self.range(tenant, series, TimeRange { from: None, to: before }, Order::Descending, Some(n))
    }

    /// What held at a moment, for each series in the order given: the last observation at or before it, unless that is
    /// older than `age_s_max` seconds. A withdrawn instance is an answer too.
    ///
    /// # Errors
    /// As [`History::range`], or when a segment is damaged.
    pub fn at(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        moment: Timestamp,
        age_s_max: Option<f64>,
    ) -> Result<Vec<Option<Observation>>, StoreError> {
        #[expect(clippy::cast_possible_truncation, reason = "too great an age becomes the greatest, as it should")]
        let from = age_s_max.map(|age_s| moment.plus_micros(-((age_s.max(0.0) * 1e6) as i64)));
        let range = TimeRange { from, to: None };
        let to = moment.micros().saturating_add(1);
        let request =
            Request { from: range.micros().0, to, order: Order::Descending, details: true, step: STEP_ROWS_MIN };
        let view = self.state.shared.view(self.snapshot, tenant)?;
        let mut readers = Readers::new(&self.state.shared.footers, &view.manifest.segments);
        let mut held = vec![None; series.len()];
        for (id, place) in self.numbered(tenant, series)? {
            let Some(key) = series.get(place) else { continue };
            let mut merged = merged(&view, id, request);
            let run = merged.advance(&mut readers)?;
            let row = run.and_then(|run| merged.chunk(&run).map(|chunk| chunk.observation(run.rows.start, key)));
            if let Some(held) = held.get_mut(place) {
                *held = row.transpose()?;
            }
        }
        Ok(held)
    }

    /// The numbers of each series in a range, period by period, for each series in the order given. A period without
    /// numbers has no bucket; a series without any has an empty list. `quantiles` lie between 0 and 1.
    ///
    /// # Errors
    /// As [`History::range`], or when a segment is damaged.
    pub fn aggregate(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        range: TimeRange,
        period: Period,
        quantiles: &[f64],
    ) -> Result<Vec<(SeriesKey, Vec<Bucket>)>, StoreError> {
        let (from, to) = range.micros();
        let request = Request { from, to, order: Order::Ascending, details: false, step: STEP_ROWS };
        let view = self.state.shared.view(self.snapshot, tenant)?;
        let mut readers = Readers::new(&self.state.shared.footers, &view.manifest.segments);
        let mut found: HashMap<usize, Vec<Bucket>> = HashMap::with_capacity(series.len());
        for (id, place) in self.numbered(tenant, series)? {
            let mut merged = merged(&view, id, request);
            let mut aggregator = Aggregator::new(period, quantiles, range.from);
            while let Some(run) = merged.advance(&mut readers)? {
                let Some(chunk) = merged.chunk(&run) else { continue };
                let (times, values) = (chunk.times.get(run.rows.clone()), chunk.values.get(run.rows));
                aggregator.add(times.unwrap_or_default(), values.unwrap_or_default(), chunk.gaps);
            }
            found.insert(place, aggregator.finish());
        }
        let buckets = |place| found.remove(&place).unwrap_or_default();
        Ok(series.iter().cloned().zip((0..series.len()).map(buckets)).collect())
    }

    /// The numbers of the series that have one, and their places in the list. Ascending, because segments are sorted by
    /// number: so they are read in one pass.
    fn numbered(&self, tenant: &Tenant, series: &[SeriesKey]) -> Result<Vec<(u32, usize)>, StoreError> {
        let mut numbered = Vec::with_capacity(series.len());
        for (place, key) in series.iter().enumerate() {
            if let Some(id) = self.state.shared.dictionary.id(self.snapshot, tenant, key)? {
                numbered.push((id, place));
            }
        }
        numbered.sort_unstable();
        Ok(numbered)
    }
}

/// One series from the hot rows and every segment that can hold it.
fn merged(view: &View, id: u32, request: Request) -> Merged {
    let mut sources = Vec::new();
    let memtable = view.memtable.read().unwrap_or_else(PoisonError::into_inner);
    let rows = memtable.rows(id, request.from, request.to, view.sequence);
    if !rows.is_empty() {
        let chunk = if request.details { Chunk::of_rows(&rows) } else { Chunk::numbers_of_rows(&rows) };
        sources.push(Source::of_rows(chunk, &request));
    }
    let hot_deletions: Vec<(i64, i64)> =
        memtable.deletions(id, view.sequence).map(|stretch| (stretch.from, stretch.to)).collect();
    for (place, segment) in view.manifest.segments.iter().enumerate().rev() {
        let holds_series = (segment.series_min..=segment.series_max).contains(&id);
        if !holds_series || segment.time_max_us < request.from || segment.time_min_us >= request.to {
            continue;
        }
        let mut deletions = hot_deletions.clone();
        let tombstones = view.manifest.tombstones.iter();
        let applying = tombstones.filter(|t| t.stretch.series == id && Manifest::applies(t, segment));
        deletions.extend(applying.map(|tombstone| (tombstone.stretch.from, tombstone.stretch.to)));
        let times = (segment.time_min_us, segment.time_max_us);
        sources.push(Source::of_segment(place, id, times, deletions, &request));
    }
    Merged::new(sources, request)
}

/// The observations of several series, one series after the other.
struct Rows<'a> {
    state: &'a HistoryState,
    snapshot: &'a dyn KvSnapshot,
    tenant: Tenant,
    readers: Readers,
    view: View,
    request: Request,
    limit: usize,
    waiting: VecDeque<SeriesKey>,
    current: Option<CurrentSeries>,
}

struct CurrentSeries {
    key: SeriesKey,
    merged: Merged,
    run: Option<Run>,
    left: usize,
}

impl Rows<'_> {
    fn next_row(&mut self) -> Result<Option<Observation>, StoreError> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(key) = self.waiting.pop_front() else { return Ok(None) };
                if let Some(id) = self.state.shared.dictionary.id(self.snapshot, &self.tenant, &key)? {
                    let merged = merged(&self.view, id, self.request);
                    self.current = Some(CurrentSeries { key, merged, run: None, left: self.limit });
                }
                continue;
            };
            if current.left == 0 {
                self.current = None;
                continue;
            }
            if let Some(run) = &mut current.run
                && let Some(row) = run.rows.next()
            {
                current.left -= 1;
                let Some(chunk) = current.merged.chunk(run) else { continue };
                return Ok(Some(chunk.observation(row, &current.key)?));
            }
            current.run = current.merged.advance(&mut self.readers)?;
            if current.run.is_none() {
                self.current = None;
            }
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Observation, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_row();
        if next.is_err() {
            self.waiting.clear();
            self.current = None;
        }
        next.transpose()
    }
}

impl From<SegmentError> for StoreError {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Damaged { thing, detail } => Self::Corrupt { thing, detail },
            SegmentError::Unwritable { thing, detail } => Self::Unstorable { thing, detail },
            SegmentError::File { path, kind, detail } => Self::io(&path, &std::io::Error::new(kind, detail)),
            SegmentError::Objects { thing, detail } => {
                Self::Io { thing, detail, remedy: "check the object store that holds the segments".to_owned() }
            }
            SegmentError::Closed => Self::Closed,
        }
    }
}
