//! What a gate without readings most likely let through: from the other gates, else from its own past.

use std::collections::BTreeMap;

use super::super::{Site, site::Gate};

/// Half-life of what is remembered of a gate's level and share, in steps of a minute.
const HALF_LIFE_MIN: f64 = 30.0;
/// Persons of prior belief that what enters a walked-through area also leaves it.
const BALANCE_PRIOR: f64 = 20.0;
/// A quarter of an hour of the week needs this many steps before it is a profile.
const PROFILE_STEPS_MIN: f64 = 30.0;

/// One direction of one gate: its number and whether it is forward.
pub(super) type Lane = (usize, bool);

/// Where a lane's likely flow comes from.
#[derive(Clone, Debug, Default)]
struct Reference {
    /// The lanes whose sum is compared with it.
    lanes: Vec<Lane>,
    /// Whether these carry the same people (walked-through area), so that the ratio is about one.
    is_balance: bool,
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

/// What is remembered of all lanes.
#[derive(Clone, Debug, Default)]
pub(super) struct Bridge {
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
        let keep = 0.5_f64.powf(step_s / 60.0 / HALF_LIFE_MIN);
        for (lane, reference) in &mut self.references {
            let Some(own) = of(counts, *lane) else { continue };
            let level = self.levels.entry(*lane).or_default();
            *level = (level.0 * keep + own, level.1 * keep + 1.0);
            let profile = self.profiles.entry((*lane, slot)).or_default();
            profile.learn(own);
            let others: Option<f64> = reference.lanes.iter().map(|other| of(counts, *other)).sum();
            if let Some(others) = others.filter(|_| !reference.lanes.is_empty()) {
                reference.sums = (reference.sums.0 * keep + own, reference.sums.1 * keep + others);
            }
        }
    }

    /// The likely flow of a lane in a step, persons: by its reference while that is measured, else its recent level drawn
    /// to its profile. `None` when nothing is known of it.
    pub fn likely(&self, lane: Lane, counts: &[Option<(f64, f64)>], slot: u16) -> Option<f64> {
        self.by_reference(lane, counts).or_else(|| self.by_past(lane, slot))
    }

    fn by_reference(&self, lane: Lane, counts: &[Option<(f64, f64)>]) -> Option<f64> {
        let reference = self.references.get(&lane).filter(|reference| !reference.lanes.is_empty())?;
        let others: f64 = reference.lanes.iter().map(|other| of(counts, *other)).sum::<Option<f64>>()?;
        let (own, theirs) = reference.sums;
        if reference.is_balance {
            return Some(others * (own + BALANCE_PRIOR) / (theirs + BALANCE_PRIOR));
        }
        (theirs > 0.0).then(|| others * own / theirs)
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
    Reference { lanes: lanes.collect(), is_balance, sums: (0.0, 0.0) }
}
