//! The thread that forecasts: each hour, when its counts are in, what the next week will bring.

use std::{collections::BTreeMap, sync::Arc};

use forecast::{
    calibrate::Calibration,
    insufficient::Insufficient,
    model::Model,
    series::{DAY, Slot},
};
use jiff::civil::Date;
use model::Timestamp;
use store::Snapshot;
use support::crowd::Cell;

use crate::{
    ground::Ground as Layout,
    hours::{Hours, Source, day_of, days_before, hour_start, midnight},
    lanes::Lanes,
    models::Facts,
    picture::{Answered, DAYS_TOLD, Paint, Picture},
    reason,
    record::{self, Latest, SaidDay},
    sensors::{Sensor, sensors},
    state::{Ground, SetState, WorkError},
    veil::Veil,
    wire::Reason,
};

/// Days of hours that a forecast is made from: two years, and what its features need before them.
const DAYS_IN_USE: usize = 800;
/// Days after which the hours are read anew from the start.
const DAYS_GROWN: usize = 60;
/// Days that are read again each hour, for counts that come late.
const DAYS_AGAIN: usize = 8;
/// Midnights that are made up for when they were missed.
const MIDNIGHTS_BACK: usize = 28;
/// Minutes after the hour when its counts are in.
const SETTLE_MICROS: i64 = 5 * 60 * 1_000_000;
/// How far the city's clock may go back without being another time.
const BACK_MICROS: i64 = 3_600_000_000;

/// What the thread remembers of a set.
#[derive(Default)]
pub(crate) struct Watch {
    hours: Option<Hours>,
    told: BTreeMap<Slot, (Vec<u32>, Arc<Vec<Cell>>)>,
    seen: Option<Timestamp>,
    /// The hour and the model of the last picture.
    done: Option<(Timestamp, Option<Facts>)>,
    calibration: Option<(Date, Calibration)>,
}

impl Watch {
    /// Makes a new picture when there is a new hour or a new model.
    pub fn look(&mut self, ground: &Ground, state: &SetState) -> Result<(), WorkError> {
        let now = (ground.city)();
        if self.seen.is_some_and(|seen| now.plus_micros(BACK_MICROS) < seen) {
            *self = Self::default();
        }
        self.seen = Some(now);
        let model = state.model_at(ground, now)?;
        let facts = model.as_ref().map(|(facts, _)| facts.clone());
        let hour = (hour_start(now.plus_micros(-SETTLE_MICROS), &ground.zone), facts);
        if self.done.as_ref() == Some(&hour) {
            return Ok(());
        }
        let picture = self.picture(ground, state, now, model)?;
        state.live().picture = Some(Arc::new(picture));
        self.done = Some(hour);
        Ok(())
    }

    fn picture(
        &mut self,
        ground: &Ground,
        state: &SetState,
        now: Timestamp,
        model: Option<(Facts, Arc<Model>)>,
    ) -> Result<Picture, WorkError> {
        let snapshot = ground.store.snapshot()?;
        let sensors = sensors(&snapshot, &ground.tenant, &state.set)?;
        self.read(ground, state, &snapshot, &sensors, now)?;
        let hours = self.hours.take().unwrap_or_default();
        let lanes = Lanes::new(&state.set, &sensors, &hours);
        let veil = lanes.veil(state.set.minimum_count);
        self.tell(&veil, &lanes, hours.end);
        let layout = Layout::new(&state.set, &hours, &lanes);
        let today = day_of(now, &ground.zone);
        let mut answers: Option<Vec<Answered>> = None;
        if let Some((facts, model)) = &model {
            self.make_up(ground, state, (&layout, &hours, &lanes), now)?;
            let calibration = self.calibration(state, &hours, &lanes, today);
            let weeks = layout.week(model, &calibration, hours.end);
            if let Some(Err(why @ Insufficient::OtherInputs { .. })) = weeks.first() {
                tracing::info!(set = state.set.id, %why, "the forecast model is trained again");
                state.discard(ground, facts)?;
            }
            keep(ground, state, &lanes, &weeks, (hour_start(now, &ground.zone), now, facts))?;
            answers = Some(answered(weeks, &lanes, &layout, model, hours.end));
        }
        let answers = answers.unwrap_or_else(|| unanswered(&lanes, &layout, hours.end));
        let told = self.told.iter().map(|(slot, (_, cells))| (*slot, Arc::clone(cells))).collect();
        let picture = Picture::new(Paint {
            set: &state.set,
            zone: &ground.zone,
            now,
            calendar: layout.calendar,
            hours: &hours,
            lanes,
            answers,
            model: model.map(|(facts, _)| facts),
            record: state.record().clone(),
            told,
            veil,
        });
        self.hours = Some(hours);
        Ok(picture)
    }

    /// Brings the hours up to now.
    fn read(
        &mut self,
        ground: &Ground,
        state: &SetState,
        snapshot: &Snapshot,
        sensors: &[Sensor],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let source = Source { snapshot, tenant: &ground.tenant, zone: &ground.zone, set: &state.set };
        let today = day_of(now, &ground.zone);
        let ids = sensors.iter().map(|sensor| &sensor.id);
        let fits = |hours: &Hours| {
            hours.ids.iter().eq(ids.clone())
                && hours.end > DAYS_AGAIN * DAY
                && hours.first_day >= days_before(today, DAYS_IN_USE + DAYS_GROWN)
        };
        match self.hours.take().filter(fits) {
            Some(mut hours) => {
                hours.read_again(&source, sensors, days_before(today, DAYS_AGAIN), now)?;
                self.hours = Some(hours);
            }
            None => {
                self.told.clear();
                self.hours = Some(Hours::read(&source, sensors, days_before(today, DAYS_IN_USE), now)?);
            }
        }
        Ok(())
    }

    /// Decides what may be told of the last days' hours; those that did not change are not decided again.
    fn tell(&mut self, veil: &Veil, lanes: &Lanes, end: Slot) {
        let first = end.saturating_sub(DAYS_TOLD * DAY);
        self.told = self.told.split_off(&first);
        for slot in first..end {
            let values: Vec<f32> = lanes.hours.iter().map(|(_, values)| values[slot]).collect();
            let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
            if self.told.get(&slot).is_none_or(|(known, _)| *known != bits) {
                let cells = Arc::new(veil.hour(values.into_iter()));
                self.told.insert(slot, (bits, cells));
            }
        }
    }

    /// Says what was to be said at midnights that nobody was there for, from what lay before each alone.
    fn make_up(
        &mut self,
        ground: &Ground,
        state: &SetState,
        (layout, hours, lanes): (&Layout, &Hours, &Lanes),
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let today = day_of(now, &ground.zone);
        for day in (0..=MIDNIGHTS_BACK).rev().map(|back| days_before(today, back)) {
            if state.record().has(day) {
                continue;
            }
            let Some(origin) = layout.slot_of(day).filter(|origin| *origin <= hours.end) else { continue };
            let Some((facts, model)) = state.model_at(ground, midnight(day, &ground.zone))? else { continue };
            let calibration = self.calibration(state, hours, lanes, day);
            let said = said(state, lanes, layout.week(&model, &calibration, origin), (day, now, day < today), &facts);
            state.record().add(&ground.store, &ground.tenant, said)?;
        }
        Ok(())
    }

    /// How far the bands must be stretched on a day; remembered until the next one.
    fn calibration(&mut self, state: &SetState, hours: &Hours, lanes: &Lanes, day: Date) -> Calibration {
        if let Some((known, calibration)) = &self.calibration
            && *known == day
        {
            return calibration.clone();
        }
        let calibration = state.record().calibration(hours, &lanes.hours, day);
        self.calibration = Some((day, calibration.clone()));
        calibration
    }
}

/// The document of a midnight.
pub(crate) fn said(
    state: &SetState,
    lanes: &Lanes,
    weeks: Vec<Result<Vec<record::Told>, Insufficient>>,
    (day, said_at, hindcast): (Date, Timestamp, bool),
    facts: &Facts,
) -> SaidDay {
    let ids = lanes.cards.iter().map(|card| card.id.clone());
    let series = ids.zip(weeks).filter_map(|(id, week)| Some((id, week.ok()?))).collect();
    SaidDay { set: state.set.id.clone(), day, said_at, hindcast, model: facts.id(), series }
}

/// Keeps the newest forecast.
fn keep(
    ground: &Ground,
    state: &SetState,
    lanes: &Lanes,
    weeks: &[Result<Vec<record::Told>, Insufficient>],
    (origin, said_at, facts): (Timestamp, Timestamp, &Facts),
) -> Result<(), WorkError> {
    let ids = lanes.cards.iter().map(|card| card.id.clone());
    let series = ids.zip(weeks).filter_map(|(id, week)| Some((id, week.as_ref().ok()?.clone()))).collect();
    let latest = Latest { set: state.set.id.clone(), origin, said_at, model: facts.id(), series };
    Ok(record::write_latest(&ground.store, &ground.tenant, &latest)?)
}

fn answered(
    weeks: Vec<Result<Vec<record::Told>, Insufficient>>,
    lanes: &Lanes,
    layout: &Layout,
    model: &Model,
    origin: Slot,
) -> Vec<Answered> {
    let answers = weeks.into_iter().zip(&lanes.cards).enumerate().map(|(at, (week, card))| Answered {
        week: week.map_err(|why| reason_of(&why, &card.unknown)),
        basis: Some(layout.basis(model, at, origin)),
        scale: layout.scale(at, origin),
    });
    answers.collect()
}

/// Without a model: why each lane has no forecast.
fn unanswered(lanes: &Lanes, layout: &Layout, origin: Slot) -> Vec<Answered> {
    let no_model = || reason::plain("no_model", "there is no model yet");
    let answers = lanes.cards.iter().enumerate().map(|(at, card)| Answered {
        week: Err(layout.history(at, origin).err().map_or_else(no_model, |why| reason_of(&why, &card.unknown))),
        basis: None,
        scale: layout.scale(at, origin),
    });
    answers.collect()
}

fn reason_of(why: &Insufficient, unknown: &[String]) -> Reason {
    if unknown.is_empty() { reason::of(why) } else { reason::unknown_parts(unknown) }
}
