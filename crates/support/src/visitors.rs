//! Visitors that do not exist: they come for a programme, walk through gates, fill areas and leave, so that an event can
//! be rehearsed. What they give is simulated and must be labelled so wherever it is shown.
//!
//! A macroscopic model with steps of a minute: persons are whole numbers in areas and in queues before the gates. They
//! arrive around a peak before each item of the programme, choose the shortest way with the wider gates preferred, walk
//! at the speed of the fundamental diagram, and pass a gate only as fast as its width allows. It is not meant to predict
//! how a real crowd behaves, and no forecast is judged by it.

mod bound;
mod routes;
mod steering;

use std::collections::BTreeMap;

use model::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Binomial, Distribution, Poisson};

pub use bound::Bound;
pub use steering::Steering;

use crate::crowd::{AreaId, Counts, GateId, Reading, Side, Site};
use routes::Routes;

/// The length of a step, s.
pub const STEP_S: f64 = 60.0;
/// The share of those whose programme is over that decides to leave in a minute.
const LEAVING_PER_MIN: f64 = 0.06;
/// The share of those before a closed gate that tries another one in a minute.
const RETRYING_PER_MIN: f64 = 0.1;

/// Something that draws visitors to an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Where it is.
    pub area: AreaId,
    /// When it starts.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// How many come for it.
    pub visitors: f64,
    /// How many minutes before its start most of them arrive.
    pub arrival_min_before: f64,
}

/// What somebody wants: to be at a draw (by its number), or to go home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Draw(usize),
    Home,
}

/// Whole persons by what they want.
type Group = BTreeMap<Goal, u64>;

/// The simulated visitors of one event.
pub struct Visitors {
    site: Site,
    draws: Vec<Draw>,
    /// The share of the arrivals at each gate that leads inside.
    entries: BTreeMap<GateId, f64>,
    /// Which share of those who pass is not counted (0..1).
    missed_share: f64,
    inside: BTreeMap<AreaId, Group>,
    queues: BTreeMap<GateId, Group>,
    at: Timestamp,
    random: StdRng,
}

/// Who wants to pass a gate in a step: forward and against it.
#[derive(Clone, Debug, Default)]
struct Wish {
    forward: Group,
    backward: Group,
}

impl Visitors {
    /// Nobody yet. `shares` are the shares of the arrivals by gate; gates without one share the rest by width. The same
    /// seed gives the same visitors.
    #[must_use]
    pub fn new(
        site: Site,
        draws: Vec<Draw>,
        shares: &BTreeMap<GateId, f64>,
        missed_share: f64,
        from: Timestamp,
        seed: u64,
    ) -> Self {
        let entries = entries_of(&site, shares);
        let missed_share = if missed_share.is_finite() { missed_share.clamp(0.0, 1.0) } else { 0.0 };
        Self {
            site,
            draws,
            entries,
            missed_share,
            inside: BTreeMap::new(),
            queues: BTreeMap::new(),
            at: from,
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// The moment up to which they have moved.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// How many really are in an area: what an estimate can be held against.
    #[must_use]
    pub fn persons_in(&self, area: &str) -> u64 {
        self.inside.get(area).map_or(0, |group| group.values().sum())
    }

    /// How many wait before a gate.
    #[must_use]
    pub fn waiting_at(&self, gate: &str) -> u64 {
        self.queues.get(gate).map_or(0, |group| group.values().sum())
    }

    /// One minute: who arrives, who leaves, who passes which gate. Gives what the counters saw.
    pub fn step(&mut self, steering: &Steering) -> Vec<Reading> {
        self.arrive(steering);
        self.retry(steering);
        self.decide_to_leave(steering);
        let routes = Routes::of(&self.site, steering);
        let wishes = self.wishes(&routes);
        let start = self.at;
        let mut readings = Vec::new();
        for gate in self.site.gates.clone() {
            let wish = wishes.get(&gate.id).cloned().unwrap_or_default();
            let wanted = (size(&wish.forward), size(&wish.backward));
            let allowed = steering.allowed(&gate, wanted);
            let forward = self.pass(&gate.id, (&gate.from, &gate.to), &wish.forward, allowed.0);
            let backward = self.pass(&gate.id, (&gate.to, &gate.from), &wish.backward, allowed.1);
            let counts = Counts::Interval { forward: self.counted(forward), backward: self.counted(backward) };
            readings.extend(gate.counters.first().map(|counter| Reading {
                counter: counter.clone(),
                start,
                length_s: STEP_S,
                counts,
            }));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a minute")]
        let step_micros = (STEP_S * 1e6) as i64;
        self.at = self.at.plus_micros(step_micros);
        readings
    }

    fn arrive(&mut self, steering: &Steering) {
        for (index, draw) in self.draws.clone().iter().enumerate() {
            let expected = steering.arrivals(self.at, |at| arrivals_per_min(draw, at));
            let coming = self.poisson(expected);
            let weights = steering.entries(&self.entries);
            for (gate, count) in self.spread(coming, &weights) {
                *self.queues.entry(gate).or_default().entry(Goal::Draw(index)).or_default() += count;
            }
        }
    }

    /// Some of those who stand before a closed gate go to another one.
    fn retry(&mut self, steering: &Steering) {
        let closed: Vec<_> = self.queues.keys().filter(|gate| steering.is_closed(gate)).cloned().collect();
        let weights = steering.entries(&self.entries);
        if weights.is_empty() {
            return;
        }
        for gate in closed {
            let Some(queue) = self.queues.remove(&gate) else { continue };
            for (goal, count) in queue {
                let going = self.binomial(count, RETRYING_PER_MIN);
                *self.queues.entry(gate.clone()).or_default().entry(goal).or_default() += count - going;
                for (other, count) in self.spread(going, &weights) {
                    *self.queues.entry(other).or_default().entry(goal).or_default() += count;
                }
            }
        }
    }

    fn decide_to_leave(&mut self, steering: &Steering) {
        for (area, group) in self.inside.clone() {
            let extra = steering.extra_leaving(&area);
            let staying: u64 = group.iter().filter(|(goal, _)| **goal != Goal::Home).map(|(_, count)| count).sum();
            for (goal, count) in group {
                let Goal::Draw(index) = goal else { continue };
                let is_over = self.draws.get(index).is_none_or(|draw| self.at >= draw.until);
                let by_themselves = if is_over { LEAVING_PER_MIN } else { 0.0 };
                #[expect(clippy::cast_precision_loss, reason = "persons on a square")]
                let drawn_away = if staying > 0 { extra / staying as f64 } else { 0.0 };
                let leaving = self.binomial(count, (by_themselves + drawn_away).min(1.0));
                let group = self.inside.entry(area.clone()).or_default();
                take(group, goal, leaving);
                *group.entry(Goal::Home).or_default() += leaving;
            }
        }
    }

    fn wishes(&mut self, routes: &Routes) -> BTreeMap<GateId, Wish> {
        let mut wishes: BTreeMap<GateId, Wish> = BTreeMap::new();
        for (gate, queue) in &self.queues {
            let Some(gate) = self.site.gate(gate) else { continue };
            let wish = wishes.entry(gate.id.clone()).or_default();
            let direction = if gate.from == Side::Outside { &mut wish.forward } else { &mut wish.backward };
            direction.extend(queue.iter().map(|(goal, count)| (*goal, *count)));
        }
        for (area, group) in self.inside.clone() {
            let reaching = self.reaching_a_gate_per_min(&area);
            for (goal, count) in group {
                let ways = match goal {
                    Goal::Home => routes.home(&area),
                    Goal::Draw(index) => self.draws.get(index).map_or(&[][..], |draw| routes.to(&area, &draw.area)),
                };
                let weights: BTreeMap<GateId, f64> = ways.iter().cloned().collect();
                let moving = if weights.is_empty() { 0 } else { self.binomial(count, reaching) };
                for (gate, count) in self.spread(moving, &weights) {
                    let Some(gate) = self.site.gate(&gate) else { continue };
                    let wish = wishes.entry(gate.id.clone()).or_default();
                    let is_forward = gate.from.area() == Some(&area);
                    let direction = if is_forward { &mut wish.forward } else { &mut wish.backward };
                    *direction.entry(goal).or_default() += count;
                }
            }
        }
        wishes
    }

    /// The share of those who want to leave an area that reaches its gates in a minute: they cross the area at the speed
    /// that its density allows.
    fn reaching_a_gate_per_min(&self, area: &str) -> f64 {
        let Some(area) = self.site.area(area) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "persons on a square")]
        let density = self.persons_in(&area.id) as f64 / area.surface_m2;
        (area.diagram.speed_m_s(density) * STEP_S / area.crossing_m()).clamp(0.02, 1.0)
    }

    /// Moves at most `allowed` of those who wish, as far as there is space behind the gate; gives how many.
    fn pass(&mut self, gate: &str, (from, to): (&Side, &Side), wish: &Group, allowed: u64) -> u64 {
        let space = to.area().map_or(u64::MAX, |area| self.space_in(area));
        let mut left = allowed.min(space);
        let total = size(wish);
        let mut passed = 0;
        for (goal, count) in wish {
            // Fairly by group, and what rounding leaves goes to the groups that come later.
            let share = if total <= allowed.min(space) { *count } else { (left * count).div_ceil(total.max(1)) };
            let moving = share.min(*count).min(left);
            left -= moving;
            match from.area() {
                Some(area) => take(self.inside.entry(area.to_owned()).or_default(), *goal, moving),
                None => take(self.queues.entry(gate.to_owned()).or_default(), *goal, moving),
            }
            if let Some(area) = to.area() {
                *self.inside.entry(area.to_owned()).or_default().entry(*goal).or_default() += moving;
            }
            passed += moving;
        }
        passed
    }

    fn space_in(&self, area: &str) -> u64 {
        let Some(area) = self.site.area(area) else { return 0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let most = (area.surface_m2 * area.diagram.jam_density_m2) as u64;
        most.saturating_sub(self.persons_in(&area.id))
    }

    #[expect(clippy::cast_precision_loss, reason = "persons through a gate in a minute")]
    fn counted(&mut self, passed: u64) -> f64 {
        (passed - self.binomial(passed, self.missed_share)) as f64
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a Poisson number is whole and not negative"
    )]
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean.is_nan() || mean <= 0.0 {
            return 0;
        }
        Poisson::new(mean.min(1e6)).map_or(0, |law| law.sample(&mut self.random) as u64)
    }

    fn binomial(&mut self, count: u64, probability: f64) -> u64 {
        if count == 0 || probability.is_nan() || probability <= 0.0 {
            return 0;
        }
        Binomial::new(count, probability.min(1.0)).map_or(0, |law| law.sample(&mut self.random))
    }

    /// Divides persons over gates by weight.
    fn spread(&mut self, count: u64, weights: &BTreeMap<GateId, f64>) -> Vec<(GateId, u64)> {
        let mut weight_left: f64 = weights.values().sum();
        let mut left = count;
        let mut spread = Vec::with_capacity(weights.len());
        for (gate, weight) in weights {
            let share = if weight_left > 0.0 { weight / weight_left } else { 0.0 };
            let here = self.binomial(left, share);
            (left, weight_left) = (left - here, weight_left - weight);
            spread.push((gate.clone(), here));
        }
        spread
    }
}

impl Draw {
    /// Persons that are expected to arrive for it in the minute from `at`: a bell around its peak.
    #[must_use]
    pub fn arrivals_per_min(&self, at: Timestamp) -> f64 {
        arrivals_per_min(self, at)
    }

    /// Persons that are expected to have arrived for it by a moment.
    #[must_use]
    pub fn arrived_by(&self, at: Timestamp) -> f64 {
        let sd_min = spread_min(self);
        let z = (at.min(self.until).seconds_since(self.from) / 60.0 + self.arrival_min_before) / sd_min;
        // The logistic curve comes within one in a hundred of the normal distribution.
        self.visitors / (1.0 + (-1.702 * z).exp())
    }
}

/// The standard deviation of the moment of arrival, min.
fn spread_min(draw: &Draw) -> f64 {
    (draw.arrival_min_before / 2.0).max(10.0)
}

fn arrivals_per_min(draw: &Draw, at: Timestamp) -> f64 {
    let sd_min = spread_min(draw);
    let peak_min = at.seconds_since(draw.from) / 60.0 + draw.arrival_min_before;
    let z = (peak_min + 0.5) / sd_min;
    if at >= draw.until {
        return 0.0;
    }
    draw.visitors * (-0.5 * z * z).exp() / (sd_min * (2.0 * std::f64::consts::PI).sqrt())
}

/// The share of the arrivals at each gate that leads inside: as given, the rest by width.
#[must_use]
pub fn entries_of(site: &Site, shares: &BTreeMap<GateId, f64>) -> BTreeMap<GateId, f64> {
    let leads_inside = |from: &Side, to: &Side| (*from == Side::Outside) != (*to == Side::Outside);
    let entries: Vec<_> = site.gates.iter().filter(|gate| leads_inside(&gate.from, &gate.to)).collect();
    let given: f64 = entries.iter().filter_map(|gate| shares.get(&gate.id)).sum();
    let others: f64 = entries.iter().filter(|gate| !shares.contains_key(&gate.id)).map(|gate| gate.width_m).sum();
    let rest = (1.0 - given).max(0.0);
    let weight = |id: &str, width_m: f64| match shares.get(id) {
        Some(share) => *share,
        None => rest * width_m / others,
    };
    entries.iter().map(|gate| (gate.id.clone(), weight(&gate.id, gate.width_m))).collect()
}

fn size(group: &Group) -> u64 {
    group.values().sum()
}

fn take(group: &mut Group, goal: Goal, count: u64) {
    if let Some(there) = group.get_mut(&goal) {
        *there = there.saturating_sub(count);
        if *there == 0 {
            group.remove(&goal);
        }
    }
}

#[cfg(test)]
mod tests;
