//! What was said: for each midnight the week that was expected then, durable and bounded.

use std::{collections::BTreeMap, sync::Arc};

use forecast::{
    calibrate::{Calibration, Outcome},
    model::Quantiles,
    series::DAY,
};
use jiff::civil::Date;
use model::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use store::{CommitError, Document, DocumentSelect, Expect, Snapshot, Store, StoreError, Transaction};

use crate::hours::{Hours, days_before};

/// Days of which the first 24 hours that were said are kept.
pub(crate) const DAYS_KEPT: usize = 400;
/// Days of which the whole week that was said is kept.
pub(crate) const WEEKS_DAYS_KEPT: usize = 35;
/// Days that are at hand for questions.
pub(crate) const DAYS_AT_HAND: usize = 64;
/// Days of the record that stretch the bands.
const DAYS_LEARNED: usize = 56;
/// The most days that are forgotten when one is added.
const FORGOTTEN_AT_ONCE: usize = 8;
/// Days of documents that are read at once.
const PAGE: usize = 100;

/// What was said of an hour: the quantiles 10, 50 and 90. Nothing where there was no answer.
pub(crate) type Told = Option<[f32; 3]>;

/// What was said at the midnight at which a local day begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SaidDay {
    /// The set.
    pub set: String,
    /// The local day.
    pub day: Date,
    /// The city's moment at which it was said.
    pub said_at: Timestamp,
    /// Whether the day was over by then.
    pub hindcast: bool,
    /// The model.
    pub model: String,
    /// Up to seven days of 24 hours for each series, by its id.
    pub series: BTreeMap<String, Vec<Told>>,
}

impl Document for SaidDay {
    const COLLECTION: &'static str = "crowd-forecast-said";

    fn key(&self) -> String {
        said_key(&self.set, self.day)
    }
}

fn said_key(set: &str, day: Date) -> String {
    format!("{set}/{day}")
}

/// The newest forecast of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latest {
    /// The set.
    pub set: String,
    /// The start of the first hour.
    pub origin: Timestamp,
    /// The city's moment at which it was said.
    pub said_at: Timestamp,
    /// The model.
    pub model: String,
    /// A week of hours for each series, by its id.
    pub series: BTreeMap<String, Vec<Told>>,
}

impl Document for Latest {
    const COLLECTION: &'static str = "crowd-forecast-latest";

    fn key(&self) -> String {
        self.set.clone()
    }
}

/// A quantity as it is kept: tenths are enough.
pub(crate) fn kept(said: Quantiles) -> Told {
    let round = |value: f32| (value * 10.0).round() / 10.0;
    Some([round(said.low), round(said.middle), round(said.high)])
}

/// What was said on the last days, by day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    days: BTreeMap<Date, Arc<SaidDay>>,
}

impl Record {
    /// Reads the days that are at hand on a day.
    pub fn read(snapshot: &Snapshot, tenant: &Tenant, set: &str, today: Date) -> Result<Self, StoreError> {
        let select = DocumentSelect::Prefix(format!("{set}/"));
        let mut after = said_key(set, days_before(today, DAYS_AT_HAND));
        let mut record = Self::default();
        loop {
            let page = snapshot.documents::<SaidDay>(tenant, &select, Some(&after), PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.value.key();
            let is_last = page.len() < PAGE;
            record.days.extend(page.into_iter().map(|stored| (stored.value.day, Arc::new(stored.value))));
            if is_last {
                break;
            }
        }
        Ok(record)
    }

    /// Whether anything was said at the beginning of a day.
    pub fn has(&self, day: Date) -> bool {
        self.days.contains_key(&day)
    }

    /// What was said at the beginning of a day.
    pub fn day(&self, day: Date) -> Option<&Arc<SaidDay>> {
        self.days.get(&day)
    }

    /// What was said of a day of a series, some whole days before: 24 hours.
    pub fn said_of(&self, series: &str, day: Date, days_ahead: usize) -> Option<&[Told]> {
        let said = self.days.get(&days_before(day, days_ahead))?;
        said.series.get(series)?.get(days_ahead * DAY..(days_ahead + 1) * DAY)
    }

    /// Adds a day, durably. What is too old is forgotten.
    pub fn add(&mut self, store: &Store, tenant: &Tenant, said: SaidDay) -> Result<(), CommitError> {
        let mut tx = Transaction::new(tenant.clone());
        tx.put_document(&said, Expect::Any)?;
        let select = DocumentSelect::Prefix(format!("{}/", said.set));
        let oldest = store.snapshot()?.documents::<SaidDay>(tenant, &select, None, FORGOTTEN_AT_ONCE)?;
        let forgotten = days_before(said.day, DAYS_KEPT);
        for old in oldest.iter().filter(|old| old.value.day <= forgotten) {
            tx.delete_document::<SaidDay>(&old.value.key(), Expect::Any);
        }
        let whole = days_before(said.day, WEEKS_DAYS_KEPT);
        let is_whole = |said: &SaidDay| said.series.values().any(|hours| hours.len() > DAY);
        let old: Vec<Date> =
            self.days.range(..=whole).filter(|(_, said)| is_whole(said)).map(|(day, _)| *day).collect();
        for day in old {
            let Some(said) = self.days.get_mut(&day) else { continue };
            let said = Arc::make_mut(said);
            said.series.values_mut().for_each(|hours| hours.truncate(DAY));
            tx.put_document(said, Expect::Any)?;
        }
        store.commit_blocking(tx)?;
        self.days = self.days.split_off(&days_before(said.day, DAYS_AT_HAND));
        self.days.insert(said.day, Arc::new(said));
        Ok(())
    }

    /// How far the bands must be stretched on a day, by what happened on those before it.
    pub fn calibration(&self, hours: &Hours, lanes: &[(String, Vec<f32>)], today: Date) -> Calibration {
        let mut calibration = Calibration::default();
        for back in (1..=DAYS_LEARNED).rev() {
            self.teach(&mut calibration, hours, lanes, days_before(today, back));
        }
        calibration
    }

    /// Teaches a calibration what came of the forecasts of one day.
    pub fn teach(&self, calibration: &mut Calibration, hours: &Hours, lanes: &[(String, Vec<f32>)], day: Date) {
        let first = hours.slot_of(day);
        let mut outcomes = vec![];
        for (id, values) in lanes {
            let Some(was) = values.get(first..first + DAY).filter(|_| day >= hours.first_day) else { continue };
            for days_ahead in 0..7 {
                let Some(said) = self.said_of(id, day, days_ahead) else { continue };
                let hours = said.iter().zip(was).enumerate().filter(|(_, (_, was))| was.is_finite());
                outcomes.extend(hours.filter_map(|(hour, (told, was))| {
                    let [low, middle, high] = (*told)?;
                    let said = Quantiles { low, middle, high };
                    Some(Outcome { series: id.clone(), lead: days_ahead * DAY + hour, said, was: *was })
                }));
            }
        }
        calibration.learn(&outcomes);
    }
}

/// Writes the newest forecast.
pub(crate) fn write_latest(store: &Store, tenant: &Tenant, latest: &Latest) -> Result<(), CommitError> {
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(latest, Expect::Any)?;
    store.commit_blocking(tx)?;
    Ok(())
}
