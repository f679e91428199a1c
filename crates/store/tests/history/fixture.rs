//! A history over an engine in memory and segments in a folder, and short ways to write and read.

use std::{path::PathBuf, sync::Arc};

use model::{EntityId, Observation, ObservedValue, Origin, Quality, QualityFlags, SeriesKey, Tenant, Timestamp};
use store::{
    Batch, History, HistoryAdded, HistoryDeletion, HistoryOptions, HistoryState, Kv, Order, Period, SegmentStore,
    StoreError, TimeRange, kv::memory::MemoryKv,
};
use tempfile::TempDir;

/// Seconds since 1970 as a moment.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// `[from, to)` in seconds.
pub fn between(from: i64, to: i64) -> TimeRange {
    TimeRange::between(at(from), at(to))
}

/// Buckets of a number of seconds.
pub fn every(seconds: i64) -> Period {
    Period { micros: seconds * 1_000_000, origin: at(0) }
}

/// Series 0, 1, 2...: even and odd ones share an entity and differ in their dataset.
pub fn series(number: usize) -> SeriesKey {
    SeriesKey {
        entity: EntityId::parse(&format!("urn:ngsi-ld:Road:{}", number / 2)).unwrap(),
        attribute: "https://example.org/speed".into(),
        dataset_id: (number % 2 == 1).then(|| "urn:dataset:1".to_owned()),
    }
}

/// An observation whose label differs from number to number.
pub fn observed(number: usize, second: i64, value: ObservedValue) -> Observation {
    let late = second % 3 == 0;
    Observation {
        series: series(number),
        at: at(second),
        value,
        unit_code: (number != 1).then(|| "KMH".to_owned()),
        quality: Quality {
            origin: if number == 2 { Origin::Forecast } else { Origin::Measured },
            flags: QualityFlags { late, ..QualityFlags::default() },
            source: late.then(|| "ndw".to_owned()),
        },
        recorded_at: at(second + 5),
    }
}

/// A number at a second of a series.
pub fn number(series: usize, second: i64, value: f64) -> Observation {
    observed(series, second, ObservedValue::Number(value))
}

/// One history and everything it stands on.
pub struct Fixture {
    kv: MemoryKv,
    folder: TempDir,
    state: Option<HistoryState>,
    sequence: u64,
}

impl Fixture {
    pub fn new() -> Self {
        let mut fixture = Self { kv: MemoryKv::new(), folder: tempfile::tempdir().unwrap(), state: None, sequence: 0 };
        fixture.reopen();
        fixture
    }

    pub fn state(&self) -> &HistoryState {
        self.state.as_ref().unwrap()
    }

    pub fn reopen(&mut self) {
        self.reopen_with(HistoryOptions { background: false, ..HistoryOptions::default() });
    }

    pub fn reopen_with(&mut self, options: HistoryOptions) {
        self.state = None;
        let segments = SegmentStore::local(self.folder.path()).unwrap();
        self.state = Some(HistoryState::open(Arc::new(self.kv.clone()), segments, options).unwrap());
    }

    /// Plans a transaction and commits it.
    pub fn write(&mut self, observations: &[Observation], deletions: &[HistoryDeletion]) {
        let (batch, added) = self.planned(observations, deletions);
        self.kv.commit(&[&batch]).unwrap()[0].as_ref().unwrap();
        self.state().stored(added);
    }

    /// Plans a transaction that is then refused.
    pub fn write_and_refuse(&mut self, observations: &[Observation]) {
        drop(self.planned(observations, &[]));
    }

    fn planned(&mut self, observations: &[Observation], deletions: &[HistoryDeletion]) -> (Batch, HistoryAdded) {
        self.sequence += 1;
        let mut batch = Batch::new();
        let writes = self.state().encode(&Tenant::default(), observations, deletions).unwrap();
        let mut added = HistoryAdded::default();
        added.add(writes, &Tenant::default(), self.sequence, &mut batch);
        (batch, added)
    }

    pub fn flush(&self) {
        self.state().flush().unwrap();
    }

    /// Asks a question of the newest snapshot.
    pub fn ask<T>(&self, question: impl FnOnce(&History<'_>, &Tenant) -> T) -> T {
        let _pin = self.state().pin();
        let snapshot = self.kv.snapshot().unwrap();
        question(&History::new(self.state(), &*snapshot), &Tenant::default())
    }

    pub fn range(
        &self,
        numbers: &[usize],
        range: TimeRange,
        order: Order,
        limit: Option<usize>,
    ) -> Result<Vec<Observation>, StoreError> {
        let keys: Vec<SeriesKey> = numbers.iter().map(|&number| series(number)).collect();
        self.ask(|history, tenant| history.range(tenant, &keys, range, order, limit)?.collect())
    }

    /// Every check's findings, as text.
    pub fn problems(&self) -> Vec<String> {
        let mut report = store::CheckReport::default();
        self.state().check(&*self.kv.snapshot().unwrap(), &mut report).unwrap();
        report.problems.iter().map(ToString::to_string).collect()
    }

    pub fn kv(&self) -> &MemoryKv {
        &self.kv
    }

    /// The files of the default tenant's segments, sorted.
    pub fn segment_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("default")) else { return vec![] };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// Deletes `[from, to)` of a series, in seconds.
pub fn deletion(number: usize, from: Option<i64>, to: Option<i64>) -> HistoryDeletion {
    HistoryDeletion { series: series(number), from: from.map(at), to: to.map(at) }
}
