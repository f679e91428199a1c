//! The thread that learns: a model for a set that has none, or whose model is a week old.

use std::sync::Arc;

use forecast::{
    calibrate::Calibration,
    insufficient::Insufficient,
    model::Model,
    series::days_between,
    train::{anything_to_learn, train},
};
use jiff::civil::Date;
use model::Timestamp;

use crate::{
    ground::Ground as Layout,
    hours::{Hours, Source, day_of, days_before, midnight},
    lanes::{Lanes, any_entity},
    models::{self, Facts},
    reason,
    sensors::sensors,
    state::{Ground, SetState, WorkError},
    watch,
    wire::{Phase, Progress, Reason, Why},
};

/// Days after which a model is trained anew.
pub(crate) const MODEL_DAYS: i32 = 7;
/// Days that are forecast afterwards at the first start, for the track record.
pub(crate) const HINDCAST_DAYS: usize = 28;
/// Days that features look back beyond the first one learned from.
const DAYS_BEHIND: usize = 400 + 56;
/// After a training that began by itself, the thread rests this many times as long.
const REST: f64 = 2.0;
/// What the learning of one model is of the whole, of which the record is a small part.
const SHARES: [f64; 3] = [0.05, 0.5, 0.6];

/// Why a training is due, if it is.
pub(crate) fn due(ground: &Ground, state: &SetState) -> Option<Why> {
    let now = (ground.city)();
    let today = day_of(now, &ground.zone);
    let live = state.live();
    if live.asked {
        return Some(Why::Asked);
    }
    let rests = live.rest_until.is_some_and(|until| (ground.wall)() < until);
    if rests || live.tried == Some(today) {
        return None;
    }
    match models::newest(&live.models, now) {
        None => Some(Why::First),
        Some(facts) if days_between(facts.until_day, today) >= MODEL_DAYS => Some(Why::Weekly),
        Some(_) => None,
    }
}

/// Trains a set, and says how that goes.
pub(crate) fn learn(ground: &Ground, state: &SetState, why: Why, stopped: &dyn Fn() -> bool) {
    let begun = (ground.wall)();
    {
        let mut live = state.live();
        live.asked = false;
        live.progress = Some(Progress { why, phase: Phase::Reading, share: 0.0, started_at: begun });
    }
    let work = std::panic::AssertUnwindSafe(|| Pupil { ground, state, stopped, begun }.learn());
    let today = day_of((ground.city)(), &ground.zone);
    match std::panic::catch_unwind(work) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if stopped() => {}
        Ok(Err(error)) => {
            tracing::error!(set = state.set.id, %error, "a forecast model could not be trained");
            state.broken("store", &error, today);
        }
        Err(_) => {
            tracing::error!(set = state.set.id, "the training of a forecast model broke off");
            state.broken("broken", &"the training broke off; the server's log says where", today);
        }
    }
    let ended = (ground.wall)();
    let rest = ended.seconds_since(begun).max(0.0) * REST;
    let mut live = state.live();
    live.progress = None;
    live.rest_until = Some(ended.plus_micros((rest * 1e6) as i64));
}

/// One training.
struct Pupil<'a> {
    ground: &'a Ground,
    state: &'a SetState,
    stopped: &'a dyn Fn() -> bool,
    begun: Timestamp,
}

/// What a training stands on.
struct Desk {
    now: Timestamp,
    today: Date,
    hours: Hours,
    lanes: Lanes,
    layout: Layout,
}

impl Pupil<'_> {
    fn learn(&self) -> Result<(), WorkError> {
        let desk = self.read()?;
        if let Some(reason) = self.nothing_to_learn(&desk) {
            self.state.fail(reason, false, desk.today);
            return Ok(());
        }
        let first = days_before(desk.today, HINDCAST_DAYS);
        let is_new = (1..=HINDCAST_DAYS).all(|back| !self.state.record().has(days_before(desk.today, back)));
        let known = models::newest(&self.state.live().models, midnight(first, &self.ground.zone)).is_some();
        let origin = desk.layout.slot_of(first);
        if is_new && !known && origin.is_some_and(|origin| anything_to_learn(&desk.layout.panel, origin)) {
            self.state.step(Phase::Learning, SHARES[0]);
            if let Ok((facts, model)) = self.train(&desk, first)? {
                self.state.step(Phase::Record, SHARES[1]);
                self.look_back(&desk, &facts, &model)?;
                self.state.publish(facts, Arc::new(model));
            }
        }
        if (self.stopped)() {
            return Ok(());
        }
        self.state.step(Phase::Learning, SHARES[2]);
        match self.train(&desk, desk.today)? {
            Ok((facts, model)) => self.state.publish(facts, Arc::new(model)),
            Err(why) => self.state.fail(reason::of(&why), false, desk.today),
        }
        Ok(())
    }

    /// Reads all the history that a training uses.
    fn read(&self) -> Result<Desk, WorkError> {
        let Ground { store, tenant, zone, city, .. } = self.ground;
        let set = &self.state.set;
        let now = city();
        let today = day_of(now, zone);
        let snapshot = store.snapshot()?;
        let sensors = sensors(&snapshot, tenant, set)?;
        let source = Source { snapshot: &snapshot, tenant, zone, set };
        let hours = Hours::read(&source, &sensors, days_before(today, set.train.days_max + DAYS_BEHIND), now)?;
        let lanes = Lanes::new(set, &sensors, &hours);
        let layout = Layout::new(set, &hours, &lanes);
        Ok(Desk { now, today, hours, lanes, layout })
    }

    fn nothing_to_learn(&self, desk: &Desk) -> Option<Reason> {
        let origin = desk.layout.slot_of(desk.today).unwrap_or(0);
        if anything_to_learn(&desk.layout.panel, origin) {
            return None;
        }
        let set = &self.state.set;
        let there = self.ground.store.snapshot().is_ok_and(|s| any_entity(&s, &self.ground.tenant, &set.entity_type));
        let counted = desk.hours.values.iter().flatten().any(|value| value.is_finite());
        Some(match (there, counted) {
            (false, _) => reason::plain("no_entities", "there are no entities of this type yet"),
            (true, false) => reason::plain("no_counts", "nothing has been counted yet"),
            (true, true) => reason::of(&Insufficient::NothingLearned),
        })
    }

    /// Trains on what lies before a local day, and keeps the model.
    fn train(&self, desk: &Desk, until: Date) -> Result<Result<(Facts, Model), Insufficient>, WorkError> {
        let begun = (self.ground.wall)();
        let origin = desk.layout.slot_of(until).unwrap_or(0);
        let model = match train(&desk.layout.panel, origin, &self.state.set.train) {
            Ok(model) => model,
            Err(why) => return Ok(Err(why)),
        };
        self.state.step(Phase::Storing, if until == desk.today { 0.95 } else { SHARES[1] });
        let set = &self.state.set;
        let training = &model.training;
        let weather = set.weather.iter().map(|weather| weather.name.clone());
        let mut facts = Facts {
            set: set.id.clone(),
            until_day: until,
            until: midnight(until, &self.ground.zone),
            trained_at: (self.ground.wall)(),
            seconds: (self.ground.wall)().seconds_since(begun),
            version: self.ground.version.clone(),
            series: training.series,
            rows: training.rows,
            from_day: training.from,
            scale_max: training.scale_max,
            seed: training.seed,
            inputs: set.lists.keys().cloned().chain(weather).collect(),
            importance: model.importance().into_iter().take(20).collect(),
            parts: 0,
        };
        models::write(&self.ground.store, &self.ground.tenant, &mut facts, &model)?;
        tracing::info!(set = set.id, until = %until, rows = facts.rows, seconds = facts.seconds, "a forecast model is trained");
        Ok(Ok((facts, model)))
    }

    /// Forecasts each of the last days from its midnight, as if it were to come.
    fn look_back(&self, desk: &Desk, facts: &Facts, model: &Model) -> Result<(), WorkError> {
        let mut calibration = Calibration::default();
        for back in (1..=HINDCAST_DAYS).rev() {
            if (self.stopped)() {
                return Ok(());
            }
            let day = days_before(desk.today, back);
            let before = days_before(day, 1);
            self.state.record().teach(&mut calibration, &desk.hours, &desk.lanes.hours, before);
            let Some(origin) = desk.layout.slot_of(day) else { continue };
            let weeks = desk.layout.week(model, &calibration, origin);
            let said = watch::said(self.state, &desk.lanes, weeks, (day, desk.now, true), facts);
            self.state.record().add(&self.ground.store, &self.ground.tenant, said)?;
            let done = (HINDCAST_DAYS - back) as f64 / HINDCAST_DAYS as f64;
            self.state.step(Phase::Record, SHARES[1] + (SHARES[2] - SHARES[1]) * done);
        }
        tracing::info!(
            set = self.state.set.id,
            seconds = (self.ground.wall)().seconds_since(self.begun),
            "the record is filled"
        );
        Ok(())
    }
}
