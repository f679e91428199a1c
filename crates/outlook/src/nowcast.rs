//! The next hour: how the last minutes go on, at the step at which a set counts.
//!
//! Each step of the city's clock the newest counts are read and the next 15, 30 and 60 minutes told. Each hour the weights
//! are learned anew from what lies before the last day, and held against that day beside "the last half hour goes on";
//! what comes of it is told with every now-cast, and the bands are made of the errors of that day.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use forecast::nowcast::{Blend, NowcastRefusal, STEP_MINUTES_MAX, Steps, Trend};
use model::Timestamp;

use crate::{
    Set,
    hours::{Hours, Source, hour_start},
    lanes::Lanes,
    minutes::Minutes,
    reason,
    sensors::{Sensor, sensors},
    state::{Ground, SetState, WorkError},
    veil::Veil,
    wire::{self, Kind, NowcastPoint, NowcastScore, NowcastSeries, Reason, Stretch},
};

/// For how far ahead there is an answer, minutes.
const AHEAD: [usize; 3] = [15, 30, 60];
/// The latest counts that are told beside it, minutes.
const LATEST: usize = 15;
/// Now-casts that are held against what was counted, for each number of minutes ahead.
const SCORED_MAX: usize = 20_000;
/// Scored now-casts without which there is no band.
const SCORED_MIN: usize = 50;
/// How long learning rests, as a multiple of how long it took.
const REST: u32 = 20;
/// Minutes that are read again each time, and days that are read again each hour, for counts that come late.
const MINUTES_AGAIN: i64 = 120;
const DAYS_AGAIN: i64 = 8;
/// How far the city's clock may go back without being another time.
const BACK_MICROS: i64 = 3_600_000_000;

/// What the thread remembers of a set.
#[derive(Default)]
pub(crate) struct Nowcaster {
    minutes: Option<Minutes>,
    learned: Option<Learned>,
    seen: Option<Timestamp>,
    /// The start of the step of the last look.
    done: Option<Timestamp>,
    /// The hour in which the last days were read again.
    read_days: Option<Timestamp>,
    rest_until: Option<Instant>,
}

/// What was learned in an hour.
struct Learned {
    hour: Timestamp,
    /// For each of [`AHEAD`].
    ways: Result<Vec<Way>, NowcastRefusal>,
}

/// How some minutes ahead are answered.
struct Way {
    minutes: usize,
    blend: Blend,
    /// Errors over the root of what was said that one in ten is below, and above.
    band: Option<(f64, f64)>,
    score: Option<NowcastScore>,
}

/// Why a set has no now-cast at all by how it counts.
pub(crate) fn refused(set: &Set) -> Option<Reason> {
    let minutes = set.step_minutes as usize;
    let fits = (1..=STEP_MINUTES_MAX).contains(&minutes) && 60 % minutes == 0;
    (!fits).then(|| reason::of_nowcast(&NowcastRefusal::Step { minutes }))
}

/// Before the first look.
pub(crate) fn not_yet() -> Reason {
    reason::plain("reading", "the counts are being read")
}

impl Nowcaster {
    /// Makes a new now-cast when a step of the city's clock is over.
    pub fn look(&mut self, ground: &Ground, state: &SetState) -> Result<(), WorkError> {
        if refused(&state.set).is_some() {
            return Ok(());
        }
        let now = (ground.city)();
        if self.seen.is_some_and(|seen| now.plus_micros(BACK_MICROS) < seen) {
            *self = Self::default();
        }
        self.seen = Some(now);
        let step_micros = i64::from(state.set.step_minutes) * 60_000_000;
        let step = now.plus_micros(-now.micros().rem_euclid(step_micros));
        if self.done == Some(step) {
            return Ok(());
        }
        let snapshot = ground.store.snapshot()?;
        let sensors = sensors(&snapshot, &ground.tenant, &state.set)?;
        let source = Source { snapshot: &snapshot, tenant: &ground.tenant, zone: &ground.zone, set: &state.set };
        let hour = hour_start(now, &ground.zone);
        let minutes = self.read(&source, &sensors, now, hour)?;
        let told = self.tell(&state.set, &sensors, &minutes, hour);
        self.minutes = Some(minutes);
        state.live().nowcast = Some(Arc::new(wire::Nowcast { now, ..told }));
        self.done = Some(step);
        Ok(())
    }

    /// The last hours again, for counts that come late; once an hour the last days.
    fn read(
        &mut self,
        source: &Source<'_>,
        sensors: &[Sensor],
        now: Timestamp,
        hour: Timestamp,
    ) -> Result<Minutes, WorkError> {
        let again = if self.read_days == Some(hour) { MINUTES_AGAIN } else { DAYS_AGAIN * 24 * 60 };
        self.read_days = Some(hour);
        if let Some(mut minutes) = self.minutes.take()
            && minutes.read_again(source, sensors, now, again)?
        {
            return Ok(minutes);
        }
        Ok(Minutes::read(source, sensors, now)?)
    }

    fn tell(&mut self, set: &Set, sensors: &[Sensor], minutes: &Minutes, hour: Timestamp) -> wire::Nowcast {
        let none = |reason| wire::Nowcast { reason: Some(reason), ..wire::Nowcast::of(set) };
        if sensors.is_empty() {
            return none(reason::plain("no_entities", "no entity of this type is there"));
        }
        if minutes.is_empty() {
            return none(reason::plain("no_counts", "nothing was counted in the last weeks"));
        }
        let Some(known) = minutes.known() else {
            return none(reason::plain("silent", "too few counters gave a count in the last half hour"));
        };
        let all: Vec<&Steps> = minutes.steps.iter().collect();
        let trend = Trend::of(&all, known).unwrap_or_else(|_| Trend::alone());
        if self.is_due(hour) {
            let begun = Instant::now();
            self.learned = Some(Learned { hour, ways: learn(&all, &trend, known) });
            self.rest_until = Some(Instant::now() + begun.elapsed().max(Duration::from_millis(10)) * REST);
        }
        let ways = match self.learned.as_ref().map(|learned| &learned.ways) {
            Some(Ok(ways)) => ways,
            Some(Err(why)) => return none(reason::of_nowcast(why)),
            None => return none(not_yet()),
        };
        wire::Nowcast {
            said_at: Some(minutes.moment(known)),
            quality: ways.iter().filter_map(|way| veiled(way.score.clone()?, set.minimum_count)).collect(),
            series: Answer { set, sensors, minutes, trend: &trend, ways, known }.series(),
            ..wire::Nowcast::of(set)
        }
    }

    /// Each hour; in a replay, and while there is too little to learn from, no more than the machine can spare.
    fn is_due(&self, hour: Timestamp) -> bool {
        let rested = self.rest_until.is_none_or(|until| Instant::now() >= until);
        match &self.learned {
            None => true,
            Some(learned) => rested && (learned.hour != hour || learned.ways.is_err()),
        }
    }
}

/// Learns from what lies before the last day (or before the later half of what there is), and scores that day.
fn learn(all: &[&Steps], trend: &Trend, known: usize) -> Result<Vec<Way>, NowcastRefusal> {
    let a_day = all.first().map_or(0, |steps| 24 * 60 / steps.minutes.max(1));
    let begins = |steps: &&Steps| steps.values[..known].iter().position(|value| value.is_finite());
    let begin = all.iter().filter_map(begins).min().unwrap_or(known);
    let until = known - a_day.min((known - begin) / 2);
    let past: Vec<(&Steps, usize)> = all.iter().map(|steps| (*steps, until)).collect();
    let way = |minutes: usize| {
        let blend = Blend::fit(&past, trend, minutes)?;
        let errors = errors(all, trend, &blend, (until, known), minutes);
        let (band, score) = (band(&errors), score(&errors, minutes));
        Ok(Way { minutes, blend, band, score })
    };
    AHEAD.into_iter().map(way).collect()
}

/// One now-cast of the last day.
struct Scored {
    said: f64,
    plain: f64,
    was: f64,
}

impl Scored {
    /// The error over the root of what was said: the spread of a count grows with its root.
    fn relative(&self) -> f64 {
        (self.was - self.said) / (self.said + 0.5).sqrt()
    }
}

fn errors(all: &[&Steps], trend: &Trend, blend: &Blend, (from, to): (usize, usize), minutes: usize) -> Vec<Scored> {
    let Some(step) = all.first().map(|steps| steps.minutes.max(1)) else { return vec![] };
    let ahead = (minutes / step).max(1);
    let moments = from..to.saturating_sub(ahead);
    let stride = (moments.len() * all.len()).div_ceil(SCORED_MAX).max(1);
    let mut errors = vec![];
    // By time, so that the later half of the errors is the later half of the day.
    for (number, now) in moments.enumerate() {
        for (_, steps) in all.iter().enumerate().filter(|(at, _)| (number * all.len() + at).is_multiple_of(stride)) {
            let passed = &steps.values[now..now + ahead];
            if passed.iter().any(|value| !value.is_finite()) {
                continue;
            }
            let was = passed.iter().map(|value| f64::from(*value)).sum();
            let said = steps.nowcast(blend, trend, now, minutes).ok();
            if let Some((said, plain)) = said.zip(steps.half_of_last_30_minutes(now, minutes)) {
                errors.push(Scored { said, plain, was });
            }
        }
    }
    errors
}

/// The errors that one in ten is below, and above.
fn band(errors: &[Scored]) -> Option<(f64, f64)> {
    if errors.len() < SCORED_MIN {
        return None;
    }
    let mut sorted: Vec<f64> = errors.iter().map(Scored::relative).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| sorted[(sorted.len() - 1) * share / 10];
    Some((at(1), at(9)))
}

fn score(errors: &[Scored], minutes: usize) -> Option<NowcastScore> {
    let counts: f64 = errors.iter().map(|one| one.was).sum();
    if errors.is_empty() || counts <= 0.0 {
        return None;
    }
    let wape = |of: fn(&Scored) -> f64| errors.iter().map(|one| (of(one) - one.was).abs()).sum::<f64>() / counts;
    // A band is judged on the later half of the day by the errors of the earlier half.
    let (earlier, later) = errors.split_at(errors.len() / 2);
    let coverage = band(earlier).map(|(low, high)| {
        let inside = later.iter().filter(|one| (low..=high).contains(&one.relative())).count();
        inside as f64 / later.len() as f64
    });
    Some(NowcastScore {
        minutes: minutes as u32,
        moments: errors.len() as u64,
        wape: wape(|one| one.said),
        baseline_wape: wape(|one| one.plain),
        coverage,
    })
}

/// A score as it may be told. Where small counts are suppressed it has two digits and stands on enough now-casts, so that
/// no count can be computed from it.
fn veiled(score: NowcastScore, minimum: u32) -> Option<NowcastScore> {
    if minimum == 0 {
        return Some(score);
    }
    let coarse = |share: f64| (share * 100.0).round() / 100.0;
    let (wape, baseline_wape) = (coarse(score.wape), coarse(score.baseline_wape));
    let coverage = score.coverage.map(coarse);
    (score.moments >= SCORED_MIN as u64).then_some(NowcastScore { wape, baseline_wape, coverage, ..score })
}

/// What answers are made of.
struct Answer<'a> {
    set: &'a Set,
    sensors: &'a [Sensor],
    minutes: &'a Minutes,
    trend: &'a Trend,
    ways: &'a [Way],
    known: usize,
}

impl Answer<'_> {
    /// Areas first, then series by name, as they may be told.
    fn series(&self) -> Vec<NowcastSeries> {
        let ids = self.sensors.iter().map(|sensor| sensor.id.clone()).collect();
        let values = self.minutes.steps.iter().map(|steps| steps.values[..self.known].to_vec()).collect();
        // Series and areas side by side as for the week, only that a place is a step here and not an hour.
        let lanes = Lanes::new(self.set, self.sensors, &Hours { end: self.known, ids, values, ..Hours::default() });
        let like = &self.minutes.steps[0];
        let of = |values: &Vec<f32>| Steps {
            minutes: like.minutes,
            first_minute: like.first_minute,
            values: values.clone(),
        };
        let steps: Vec<Steps> = lanes.hours.iter().map(|(_, values)| of(values)).collect();
        let veil = lanes.veil(self.set.minimum_count);
        let latest = veil.hour(steps.iter().map(|steps| self.latest(steps)));
        let ahead: Vec<Vec<Result<[f64; 3], NowcastRefusal>>> =
            self.ways.iter().map(|way| steps.iter().map(|steps| self.ahead(way, steps)).collect()).collect();
        let cells = ahead.iter().map(|answers| veil.hour(answers.iter().map(middle)));
        let cells: Vec<_> = cells.collect();
        let stretch = Stretch {
            from: self.minutes.moment(self.known.saturating_sub(LATEST / like.minutes)),
            until: self.minutes.moment(self.known),
        };
        let told = lanes.cards.into_iter().enumerate().map(|(lane, card)| {
            let refused = ahead.iter().find_map(|answers| answers[lane].as_ref().err());
            let points = self.ways.iter().zip(&ahead).zip(&cells).filter_map(|((way, answers), cells)| {
                let band = answers[lane].as_ref().ok()?;
                Some(point(way.minutes, &veil, *band, cells[lane]))
            });
            let points = if refused.is_some() { vec![] } else { points.collect() };
            NowcastSeries {
                latest: stretch.told(latest[lane]),
                ahead: points,
                reason: refused.map(|why| {
                    if card.unknown.is_empty() { reason::of_nowcast(why) } else { reason::unknown_parts(&card.unknown) }
                }),
                id: card.id,
                kind: card.kind,
                name: card.name,
            }
        });
        told.collect()
    }

    /// Of the sum over the whole steps in some minutes: counts as many as in all of these minutes, of levels and paces the
    /// mean.
    fn over(&self, sum: f64, minutes: usize) -> f64 {
        let step = self.minutes.steps[0].minutes;
        let a_step = sum / (minutes / step).max(1) as f64;
        match self.set.kind {
            Kind::Count => a_step * minutes as f64 / step as f64,
            Kind::Occupancy | Kind::Rate => a_step,
        }
    }

    /// The last minutes, as far as they are there: half of them at least.
    fn latest(&self, steps: &Steps) -> f32 {
        let wanted = (LATEST / steps.minutes).max(1);
        let values = &steps.values[self.known.saturating_sub(wanted)..self.known];
        let there: Vec<f64> = values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value)).collect();
        if there.len() * 2 < wanted {
            return f32::NAN;
        }
        let sum = there.iter().sum::<f64>() / there.len() as f64 * wanted as f64;
        self.over(sum, LATEST) as f32
    }

    /// The 10, 50 and 90 % quantiles; without a band all three are the same.
    fn ahead(&self, way: &Way, steps: &Steps) -> Result<[f64; 3], NowcastRefusal> {
        let said = steps.nowcast(&way.blend, self.trend, self.known, way.minutes)?;
        let (low, high) = way.band.unwrap_or_default();
        let root = (said + 0.5).sqrt();
        let quantiles = [said + low.min(0.0) * root, said, said + high.max(0.0) * root];
        Ok(quantiles.map(|value| self.over(value.max(0.0), way.minutes)))
    }
}

fn middle(answer: &Result<[f64; 3], NowcastRefusal>) -> f32 {
    answer.as_ref().map_or(f32::NAN, |quantiles| quantiles[1] as f32)
}

fn point(minutes: usize, veil: &Veil, [low, _, high]: [f64; 3], middle: support::crowd::Cell) -> NowcastPoint {
    let support::crowd::Cell::Shown(middle) = middle else {
        return NowcastPoint { minutes: minutes as u32, p10: None, p50: None, p90: None, suppressed: true };
    };
    NowcastPoint {
        minutes: minutes as u32,
        p10: veil.total(low).map(|low| low.min(middle)),
        p50: Some(middle),
        p90: veil.total(high).map(|high| high.max(middle)),
        suppressed: false,
    }
}
