//! What is known of a set at one hour: everything from which questions are answered.

use std::{collections::BTreeMap, sync::Arc};

use forecast::{
    calendar::Calendar,
    metrics,
    model::Basis,
    series::{DAY, Slot, moments_of},
};
use jiff::{civil::Date, tz::TimeZone};
use model::Timestamp;
use support::crowd::Cell;

use crate::{
    Set,
    hours::{Hours, day_of, days_before},
    lanes::{Card, Lanes},
    models::Facts,
    record::{Record, Told},
    scores::{self, Table},
    veil::Veil,
    wire::{Count, Reason},
};

/// Days of counts that are told: those of a record, and a week more.
pub(crate) const DAYS_TOLD: usize = 63;
/// Days over which a set's quality is told.
pub(crate) const QUALITY_DAYS: usize = 28;
/// Days over which a series' quality is told.
const SERIES_QUALITY_DAYS: usize = 7;
/// Days before which the usual change of a series is measured, for MASE.
const SCALE_BEFORE_DAYS: usize = 56;

/// A lane with all that is known of it.
pub(crate) struct Lane {
    /// What it is.
    pub card: Card,
    /// Its hours.
    pub values: Vec<f32>,
    /// The week from the end of the hours on; empty when there is no forecast.
    pub week: Vec<Told>,
    /// Why there is none.
    pub reason: Option<Reason>,
    /// What the forecast rests on.
    pub basis: Option<Basis>,
    /// The usual change from a day to the next, as the model sees it.
    pub scale: Option<f64>,
    /// The same for the measure of errors: over what was counted before the last eight weeks.
    pub mase_scale: Option<f64>,
    /// How good its forecast was in the last seven days.
    pub quality: Table,
    /// Counted against said for the totals of days, by days ahead.
    pub ratios: [Option<(f64, f64)>; 7],
}

/// A set at one hour.
pub(crate) struct Picture {
    /// The set.
    pub set: Arc<Set>,
    /// The city's time zone.
    pub zone: TimeZone,
    /// The days.
    pub calendar: Calendar,
    /// The local day of slot 0.
    pub first_day: Date,
    /// The first slot that is not over.
    pub end: Slot,
    /// The local day of the picture.
    pub today: Date,
    /// When it was made, in the city.
    pub said_at: Timestamp,
    /// The model that made the forecast.
    pub model: Option<Facts>,
    /// Areas first, then series by name.
    pub lanes: Vec<Lane>,
    /// What may be told of the last days' hours, by slot and in the order of the lanes.
    pub told: BTreeMap<Slot, Arc<Vec<Cell>>>,
    /// What was said.
    pub record: Record,
    /// What may be told of other values.
    pub veil: Veil,
    /// How good the forecasts of all series were.
    pub quality: Table,
}

/// The forecast of a lane and what it rests on, or why there is none.
pub(crate) struct Answered {
    /// The week from the end of the hours on, or why there is none.
    pub week: Result<Vec<Told>, Reason>,
    /// What it rests on.
    pub basis: Option<Basis>,
    /// The usual change from a day to the next.
    pub scale: Option<f64>,
}

/// What a picture is made of.
pub(crate) struct Paint<'a> {
    /// The set.
    pub set: &'a Arc<Set>,
    /// The city's time zone.
    pub zone: &'a TimeZone,
    /// The city's moment.
    pub now: Timestamp,
    /// The days.
    pub calendar: Calendar,
    /// The hours of the sensors.
    pub hours: &'a Hours,
    /// Series and areas.
    pub lanes: Lanes,
    /// The forecast of each.
    pub answers: Vec<Answered>,
    /// The model that made it.
    pub model: Option<Facts>,
    /// What was said before.
    pub record: Record,
    /// What may be told of the last days' hours.
    pub told: BTreeMap<Slot, Arc<Vec<Cell>>>,
    /// What may be told of other values.
    pub veil: Veil,
}

impl Picture {
    /// Puts everything together.
    pub fn new(paint: Paint<'_>) -> Self {
        let Paint { set, zone, now, calendar, hours, lanes, answers, model, record, told, veil } = paint;
        let today = day_of(now, zone);
        let before = hours.slot_of(days_before(today, SCALE_BEFORE_DAYS));
        let (mut all, mut tables) = (vec![], vec![]);
        for ((card, (id, values)), answer) in lanes.cards.into_iter().zip(lanes.hours).zip(answers) {
            let known = |slots: usize| metrics::scale(values.get(..slots.min(values.len())).unwrap_or_default());
            let mase_scale = known(before).or_else(|| known(values.len()));
            let table = |days| scores::table(&record, hours, (&id, &values), (today, days), mase_scale);
            tables.push(table(QUALITY_DAYS));
            let quality = table(SERIES_QUALITY_DAYS);
            let ratios = std::array::from_fn(|ahead| scores::day_ratios(&record, hours, (&id, &values), today, ahead));
            let (week, reason) = match answer.week {
                Ok(week) => (week, None),
                Err(reason) => (vec![], Some(reason)),
            };
            let (basis, scale) = (answer.basis, answer.scale);
            all.push(Lane { card, values, week, reason, basis, scale, mase_scale, quality, ratios });
        }
        Self {
            set: Arc::clone(set),
            zone: zone.clone(),
            calendar,
            first_day: hours.first_day,
            end: hours.end,
            today,
            said_at: now,
            model,
            lanes: all,
            told,
            record,
            veil,
            quality: scores::over_series(&tables),
        }
    }

    /// A lane by its id, with its place.
    pub fn lane(&self, id: &str) -> Option<(usize, &Lane)> {
        self.lanes.iter().enumerate().find(|(_, lane)| lane.card.id == id)
    }

    /// The slot at which a local day begins; 0 for days before the first.
    pub fn slot_of(&self, day: Date) -> Slot {
        usize::try_from(forecast::series::days_between(self.first_day, day)).unwrap_or(0) * DAY
    }

    /// The moments of a slot: none on the hour that the clock skips, two on the hour that it goes through twice.
    pub fn moments(&self, slot: Slot) -> impl Iterator<Item = Timestamp> {
        moments_of(slot, self.first_day, &self.zone).into_iter().map(Timestamp::from)
    }

    /// What may be told of an hour of a lane; `None` when nothing is known.
    pub fn cell(&self, lane: usize, slot: Slot) -> Option<Cell> {
        self.told.get(&slot)?.get(lane).copied().filter(|cell| *cell != Cell::Unknown)
    }

    /// The counts of a lane in `[from, to)`, as they may be told.
    pub fn counts(&self, lane: usize, from: Slot, to: Slot) -> Vec<Count> {
        let slots = (from..to.min(self.end)).filter_map(|slot| Some((slot, self.cell(lane, slot)?)));
        slots.flat_map(|(slot, cell)| self.moments(slot).map(move |at| count(at, cell))).collect()
    }
}

/// A cell as a count; one that is unknown counts as suppressed, and is not asked for.
pub(crate) fn count(at: Timestamp, cell: Cell) -> Count {
    match cell {
        Cell::Shown(count) => Count { at, count: Some(count), suppressed: false },
        Cell::Suppressed | Cell::Unknown => Count { at, count: None, suppressed: true },
    }
}
