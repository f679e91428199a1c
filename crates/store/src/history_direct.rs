//! History read straight from its batches: simple, and what stands in until segments are ready.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use model::{EntityId, Observation, ObservedValue, SeriesKey, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

#[path = "history/types.rs"]
mod types;
pub use types::{Bucket, HistoryChecked, HistoryDeletion, HistoryOptions, HistoryStatistics, Order, Period, TimeRange};

use crate::{
    Batch, Direction, Kv, KvSnapshot, Space, StoreError,
    keys::{self, KeyBuilder},
};

#[derive(Serialize, Deserialize)]
struct HotBatch {
    observations: Vec<Observation>,
    deletions: Vec<(SeriesKey, Option<Timestamp>, Option<Timestamp>)>,
}

/// Where segments are.
pub struct SegmentStore;

impl SegmentStore {
    /// In a folder.
    pub fn local(_folder: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }
    /// In memory.
    pub fn memory() -> Result<Self, StoreError> {
        Ok(Self)
    }
}

/// Keeps segments readable.
#[derive(Clone, Debug)]
pub struct HistoryPin;

/// History of all tenants.
pub struct HistoryState;

impl HistoryState {
    /// Opens history.
    pub fn open(_kv: Arc<dyn Kv>, _segments: SegmentStore, _options: HistoryOptions) -> Result<Self, StoreError> {
        Ok(Self)
    }

    /// Adds one transaction's history to its batch.
    pub fn plan(
        &self,
        tenant: &Tenant,
        observations: &[Observation],
        deletions: &[HistoryDeletion],
        sequence: u64,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if observations.is_empty() && deletions.is_empty() {
            return Ok(());
        }
        let deletions = deletions.iter().map(|d| (d.series.clone(), d.from, d.to)).collect();
        let hot = HotBatch { observations: observations.to_vec(), deletions };
        let value = sonic_rs::to_vec(&hot)
            .map_err(|e| StoreError::Unstorable { thing: "observations".to_owned(), detail: e.to_string() })?;
        batch.put(Space::History, KeyBuilder::tenant(tenant, b'h').number(sequence).finish(), value);
        Ok(())
    }

    /// Keeps segments readable.
    #[must_use]
    pub fn pin(&self) -> HistoryPin {
        HistoryPin
    }

    /// Writes hot batches as segments now.
    pub fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Stops.
    pub fn close(&self) {}
}

/// A stream of observations.
pub type Observations<'a> = Box<dyn Iterator<Item = Result<Observation, StoreError>> + 'a>;

/// History as one snapshot sees it.
pub struct History<'a> {
    snapshot: &'a dyn KvSnapshot,
}

impl<'a> History<'a> {
    /// History in a snapshot.
    #[must_use]
    pub fn new(_state: &'a HistoryState, snapshot: &'a dyn KvSnapshot) -> Self {
        Self { snapshot }
    }

    fn load(&self, tenant: &Tenant) -> Result<BTreeMap<SeriesKey, BTreeMap<Timestamp, Observation>>, StoreError> {
        let mut all: BTreeMap<SeriesKey, BTreeMap<Timestamp, Observation>> = BTreeMap::new();
        let prefix = KeyBuilder::tenant(tenant, b'h').finish();
        for item in keys::scan_prefix(self.snapshot, Space::History, &prefix, None, Direction::Forward) {
            let hot: HotBatch =
                sonic_rs::from_slice(&item?.1).map_err(|e| StoreError::corrupt("a hot batch", e.to_string()))?;
            for (series, from, to) in hot.deletions {
                if let Some(series) = all.get_mut(&series) {
                    series.retain(|at, _| from.is_some_and(|f| *at < f) || to.is_some_and(|t| *at >= t));
                }
            }
            for observation in hot.observations {
                all.entry(observation.series.clone()).or_default().insert(observation.at, observation);
            }
        }
        Ok(all)
    }

    /// The series that an entity has.
    pub fn series_of(&self, tenant: &Tenant, entity: &EntityId) -> Result<Vec<SeriesKey>, StoreError> {
        Ok(self.load(tenant)?.into_keys().filter(|series| series.entity == *entity).collect())
    }

    /// Observations by series, then time.
    pub fn range(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        range: TimeRange,
        order: Order,
        limit: Option<usize>,
    ) -> Result<Observations<'a>, StoreError> {
        let mut all = self.load(tenant)?;
        let mut found = vec![];
        for key in series {
            let inside = |o: &Observation| range.from.is_none_or(|f| o.at >= f) && range.to.is_none_or(|t| o.at < t);
            let mut moments: Vec<_> = all.remove(key).unwrap_or_default().into_values().filter(inside).collect();
            if matches!(order, Order::Descending) {
                moments.reverse();
            }
            moments.truncate(limit.unwrap_or(usize::MAX));
            found.extend(moments);
        }
        Ok(Box::new(found.into_iter().map(Ok)))
    }

    /// The newest `n` of each series before a moment, newest first.
    pub fn last(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        n: usize,
        before: Option<Timestamp>,
    ) -> Result<Observations<'a>, StoreError> {
        self.range(tenant, series, TimeRange { from: None, to: before }, Order::Descending, Some(n))
    }

    /// What held at a moment.
    pub fn at(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        moment: Timestamp,
        age_s_max: Option<f64>,
    ) -> Result<Vec<Option<Observation>>, StoreError> {
        let mut held = vec![];
        for key in series {
            let before = Some(moment.plus_micros(1));
            let newest = self.last(tenant, std::slice::from_ref(key), 1, before)?.next().transpose()?;
            held.push(newest.filter(|o| age_s_max.is_none_or(|max| moment.seconds_since(o.at) <= max)));
        }
        Ok(held)
    }

    /// Sums, extremes and quantiles of each period.
    pub fn aggregate(
        &self,
        tenant: &Tenant,
        series: &[SeriesKey],
        range: TimeRange,
        period: Period,
        quantiles: &[f64],
    ) -> Result<Vec<(SeriesKey, Vec<Bucket>)>, StoreError> {
        let mut answers = vec![];
        for key in series {
            let mut periods: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
            for item in self.range(tenant, std::slice::from_ref(key), range, Order::Ascending, None)? {
                let observation = item?;
                let ObservedValue::Number(number) = observation.value else { continue };
                let offset = observation.at.micros() - period.origin.micros();
                let from = match period.micros {
                    ..=0 => range.from.unwrap_or(period.origin),
                    micros => period.origin.plus_micros(offset.div_euclid(micros) * micros),
                };
                periods.entry(from).or_default().push(number);
            }
            answers.push((key.clone(), periods.into_iter().map(|(from, n)| bucket(from, n, quantiles)).collect()));
        }
        Ok(answers)
    }
}

fn bucket(from: Timestamp, mut numbers: Vec<f64>, quantiles: &[f64]) -> Bucket {
    numbers.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let place = q.clamp(0.0, 1.0) * (numbers.len() - 1) as f64;
        let (low, share) = (place.floor() as usize, place.fract());
        numbers[low] * (1.0 - share) + numbers[(low + 1).min(numbers.len() - 1)] * share
    };
    Bucket {
        from,
        count: numbers.len() as u64,
        sum: numbers.iter().sum(),
        sum_of_squares: numbers.iter().map(|n| n * n).sum(),
        min: at(0.0),
        max: at(1.0),
        quantiles: quantiles.iter().map(|q| at(*q)).collect(),
    }
}
