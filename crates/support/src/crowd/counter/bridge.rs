//! What a gate without readings most likely let through: from the other gates, else from its own past.

use std::collections::{BTreeMap, VecDeque};

use super::super::{Site, site::Gate, trend};

/// Half-life of what is remembered of a gate's level and share, in steps of a minute.
const HALF_LIFE_MIN: f64 = 30.0;
/// Persons of prior belief that what enters a walked-through area also leaves it.
const BALANCE_PRIOR: f64 = 20.0;
/// A quarter of an hour of the week needs this many steps before it is a profile.
const PROFILE_STEPS_MIN: f64 = 30.0;
/// For so long a lane's flows are kept, steps.
const STEPS_KEPT: usize = 40;
/// A way out is full between these shares of its capacity; counters that miss a few show it so. Then what leaves no
/// longer says what enters.
const FULL_SHARE: (f64, f64) = (0.85, 0.95);
/// A trend that nobody sees any more fades with this time constant, min.
const UNSEEN_FADES_MIN: f64 = 20.0;
/// Where people stay, a gate's share of the others' flow is believed up to so many times what the gate lately let through, and
/// so many persons a step more: when people come for something else, they come by other gates.
const SHARE_OF_PAST_MAX: (f64, f64) = (3.0, 5.0);
/// Uncertainty of a share of the other gates' flow, or of a gate's own past; and of a trend, once nobody sees it.
const SHARE_SD: f64 = 0.3;
const UNSEEN_SD: f64 = 0.15;

/// One direction of one gate: its number and whether it is forward.
pub(super) type Lane = (usize, bool);

/// Where a lane's likely flow comes from.
#[derive(Clone, Debug, Default)]
struct Reference {
    /// The lanes whose sum is compared with it.
    lanes: Vec<Lane>,
    /// Whether these carry the same people (walked-through area), so that the ratio is about one.
    is_balance: bool,
    /// Capacity of each of these lanes, persons a minute, when they are the ways out of the area that the lane enters.
    ways_out: Vec<f64>,
    /// Remembered sums of the lane and of its reference while both were measured.
    sums: (f64, f64),
}

/// Level and spread of a lane in one quarter of an hour of the week.
#[derive(Clone, Copy, Debug, Default)]
struct Profile {
    steps: f64,
    mean: f64,
    variance: f64,
}

/// What a lane most likely let through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Likely {
    pub persons: f64,
    pub sd_persons: f64,
}

/// What is remembered of all lanes.
#[derive(Clone, Debug, Default)]
pub(super) struct Bridge {
    /// What each lane let through, newest first; `None` where it could not be seen.
    flows: BTreeMap<Lane, VecDeque<Option<f64>>>,
    /// Who came to a way out that is not measured and did not get through: they leave later.
    waiting: BTreeMap<Lane, f64>,
    step_min: f64,
    references: BTreeMap<Lane, Reference>,
    levels: BTreeMap<Lane, (f64, f64)>,
    profiles: BTreeMap<(Lane, u16), Profile>,
}

impl Bridge {
    pub fn new(site: &Site) -> Self {
        let lanes = (0..site.gates.len()).flat_map(|gate| [(gate, true), (gate, false)]);
        let references = lanes.map(|lane| (lane, reference(site, lane))).collect();
        Self { references, ..Self::default() }
    }

    /// Learns from a step: counts of each gate, `None` where not measured. `slot` is the quarter of an hour of the week.
    pub fn learn(&mut self, counts: &[Option<(f64, f64)>], slot: u16, step_s: f64) {
        self.step_min = step_s / 60.0;
        self.remember(counts);
        let keep = 0.5_f64.powf(self.step_min / HALF_LIFE_MIN);
        for (lane, reference) in &mut self.references {
            let Some(own) = of(counts, *lane) else { continue };
            self.waiting.remove(lane);
            let level = self.levels.entry(*lane).or_default();
            *level = (level.0 * keep + own, level.1 * keep + 1.0);
            let profile = self.profiles.entry((*lane, slot)).or_default();
            profile.learn(own);
            let others: Option<f64> = reference.lanes.iter().map(|other| of(counts, *other)).sum();
            // While a queue grows or melts, what enters is not what leaves.
            let is_even = reference.fullness(counts, self.step_min) == 0.0;
            if let Some(others) = others.filter(|_| !reference.lanes.is_empty() && is_even) {
                reference.sums = (reference.sums.0 * keep + own, reference.sums.1 * keep + others);
            }
        }
    }

    /// Keeps what each lane let through, as far as it was seen or others show it.
    fn remember(&mut self, counts: &[Option<(f64, f64)>]) {
        let shown = |lane: &Lane, reference: &Reference| {
            let by_others = || (reference.fullness(counts, self.step_min) < 0.5).then(|| reference.likely(counts));
            of(counts, *lane).or_else(|| by_others().flatten())
        };
        let shown: Vec<(Lane, Option<f64>)> =
            self.references.iter().map(|(lane, reference)| (*lane, shown(lane, reference))).collect();
        for (lane, persons) in shown {
            let flows = self.flows.entry(lane).or_default();
            flows.push_front(persons);
            flows.truncate(STEPS_KEPT);
        }
    }

    /// The likely flow of a lane in a step: by its reference while that is measured, else its recent level drawn to its
    /// profile. `None` when nothing is known of it.
    pub fn likely(&self, lane: Lane, counts: &[Option<(f64, f64)>], slot: u16) -> Option<Likely> {
        let with = |persons: f64, share: f64| Likely { persons, sd_persons: persons.sqrt().hypot(share * persons) };
        let reference = self.references.get(&lane);
        let Some((reference, persons)) = reference.and_then(|known| Some((known, known.likely(counts)?))) else {
            return self.by_past(lane, slot).map(|persons| with(persons, SHARE_SD));
        };
        if !reference.is_balance {
            let (times, more) = SHARE_OF_PAST_MAX;
            let most = self.by_past(lane, slot).map_or(f64::INFINITY, |past| times * past + more);
            return Some(with(persons.min(most), SHARE_SD));
        }
        let persons = persons + self.waiting.get(&lane).copied().unwrap_or(0.0);
        let full = reference.fullness(counts, self.step_min);
        let unseen = if full > 0.0 { self.by_trend(lane).unwrap_or(persons).max(persons) } else { persons };
        Some(with(persons + full * (unseen - persons), full * UNSEEN_SD))
    }

    /// What a lane let through at least, by all that is known: where it lately let nobody through, nobody is missed.
    pub fn at_least(&self, lane: Lane, counts: &[Option<(f64, f64)>], slot: u16) -> f64 {
        let likely = self.likely(lane, counts, slot).unwrap_or_default().persons;
        likely.min(self.by_past(lane, slot).unwrap_or(0.0))
    }

    /// Of those who most likely came to a lane that is not measured, `passed` got through; the others wait. Where ways
    /// are merely likely to be used, nobody waits.
    pub fn hold_back(&mut self, lane: Lane, came: f64, passed: f64) {
        if self.references.get(&lane).is_some_and(|reference| reference.is_balance) {
            self.waiting.insert(lane, (came - passed).max(0.0));
        }
    }

    /// What a lane would let through now if it went on as when it was last seen.
    fn by_trend(&self, lane: Lane) -> Option<f64> {
        let seen = (1_u32..).zip(self.flows.get(&lane)?).filter_map(|(age, persons)| Some((age, (*persons)?)));
        let seen: Vec<(u32, f64)> = seen.collect();
        let last = seen.first()?.0;
        let rates = seen.iter().map(|(age, persons)| (f64::from(age - last) * self.step_min, persons / self.step_min));
        let line = trend::line(&rates.collect::<Vec<_>>(), self.step_min);
        let unseen_min = f64::from(last) * self.step_min;
        let rise = line.trend_per_min2 * UNSEEN_FADES_MIN * (1.0 - (-unseen_min / UNSEEN_FADES_MIN).exp());
        Some((line.level_per_min + rise).max(0.0) * self.step_min)
    }

    fn by_past(&self, lane: Lane, slot: u16) -> Option<f64> {
        let profile = self.profiles.get(&(lane, slot)).filter(|profile| profile.steps >= PROFILE_STEPS_MIN);
        let level = self.levels.get(&lane).filter(|level| level.1 >= 1.0).map(|level| level.0 / level.1);
        match (level, profile) {
            (Some(level), Some(profile)) => Some(f64::midpoint(level, profile.mean)),
            (level, profile) => level.or(profile.map(|profile| profile.mean)),
        }
    }

    /// Whether a count lies far outside its profile: six standard deviations, counting noise included.
    pub fn is_outside(&self, lane: Lane, count: f64, slot: u16) -> bool {
        let profile = self.profiles.get(&(lane, slot)).filter(|profile| profile.steps >= PROFILE_STEPS_MIN);
        profile
            .is_some_and(|profile| (count - profile.mean).abs() > 6.0 * (profile.variance + profile.mean + 1.0).sqrt())
    }
}

impl Reference {
    /// What the lane let through by these lanes; `None` when one of them is not measured or nothing is known of the ratio.
    fn likely(&self, counts: &[Option<(f64, f64)>]) -> Option<f64> {
        let others: f64 = self.lanes.iter().map(|other| of(counts, *other)).sum::<Option<f64>>()?;
        let (own, theirs) = self.sums;
        if self.lanes.is_empty() {
            return None;
        }
        if self.is_balance {
            return Some(others * (own + BALANCE_PRIOR) / (theirs + BALANCE_PRIOR));
        }
        (theirs > 0.0).then(|| others * own / theirs)
    }

    /// How far the ways out are full (0..1), those that are in use.
    fn fullness(&self, counts: &[Option<(f64, f64)>], step_min: f64) -> f64 {
        let flows: Vec<f64> = self.lanes.iter().map(|lane| of(counts, *lane).unwrap_or(0.0)).collect();
        let all: f64 = flows.iter().sum();
        let used = flows.iter().zip(&self.ways_out).filter(|(flow, _)| **flow > 0.1 * all);
        let capacity: f64 = used.map(|(_, capacity)| capacity * step_min).sum();
        if capacity <= 0.0 {
            return 0.0;
        }
        ((all / capacity - FULL_SHARE.0) / (FULL_SHARE.1 - FULL_SHARE.0)).clamp(0.0, 1.0)
    }
}

impl Profile {
    /// Exponential after enough steps, so that it follows the season.
    fn learn(&mut self, count: f64) {
        self.steps = (self.steps + 1.0).min(120.0);
        let difference = count - self.mean;
        self.mean += difference / self.steps;
        self.variance += (difference * (count - self.mean) - self.variance) / self.steps;
    }
}

fn of(counts: &[Option<(f64, f64)>], (gate, is_forward): Lane) -> Option<f64> {
    let (forward, backward) = counts.get(gate).copied().flatten()?;
    Some(if is_forward { forward } else { backward })
}

/// In an area that people walk through, what enters leaves: the smallest such area beside the gate gives a balance. In an
/// area where people stay, the other gates' share of the same direction is the better witness.
fn reference(site: &Site, (number, is_forward): Lane) -> Reference {
    let Some(gate) = site.gates.get(number) else { return Reference::default() };
    let beside = [gate.from.area(), gate.to.area()].into_iter().flatten().filter_map(|id| site.area(id));
    let walked = beside.clone().filter(|area| area.walk_length_m.is_some());
    let through = walked.min_by(|one, other| one.surface_m2.total_cmp(&other.surface_m2));
    let Some(area) = through.or_else(|| beside.clone().next()) else { return Reference::default() };
    let is_balance = area.walk_length_m.is_some();
    let enters = |gate: &Gate, is_forward: bool| {
        let end = if is_forward { &gate.to } else { &gate.from };
        end.area() == Some(area.id.as_str())
    };
    let same_way = enters(gate, is_forward) != is_balance;
    let lanes = site.gates.iter().enumerate().filter(|(other, _)| *other != number).flat_map(|(other, gate)| {
        let touches = gate.from.area() == Some(area.id.as_str()) || gate.to.area() == Some(area.id.as_str());
        let lanes = [true, false].into_iter().filter(move |forward| touches && enters(gate, *forward) == same_way);
        lanes.map(move |forward| (other, forward))
    });
    let lanes: Vec<Lane> = lanes.collect();
    let are_ways_out = is_balance && enters(gate, is_forward);
    let capacities = lanes.iter().map(|(other, _)| site.gates[*other].capacity_per_min());
    let ways_out = if are_ways_out { capacities.collect() } else { Vec::new() };
    Reference { lanes, is_balance, ways_out, sums: (0.0, 0.0) }
}
