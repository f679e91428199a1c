//! Occupancy per area by conservation of people, with counters that miss some of them.
//!
//! A Kalman filter over the occupancy of every area and the undercount of every gate and direction. People only move:
//! what a gate lets through leaves one side and enters the other, times one plus its undercount, so the transition is
//! linear and exact. Area counts, walking time (Little 1961: persons = flow x time), hours in which an area is closed,
//! and the law that nobody can be fewer than zero correct it; each leaves its trace in [`Making`]. A gate that is not
//! measured gets a fast-drifting undercount, so that an area count also corrects what was assumed of that gate.

mod matrix;
mod walking;

use std::collections::BTreeMap;

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AreaCount, AreaId, CountKind, FlowStatus, GateFlow, GateId, Site, StepFlows, site::Area};
use matrix::Gaussian;
use walking::{Found, Passing, Walk};

/// How the filter is set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EstimatorSettings {
    /// Variance that each counted person adds, persons2: who is missed is missed at random.
    pub noise_per_person: f64,
    /// Random walk of a measured gate's undercount, standard deviation per square root of an hour.
    pub drift_per_sqrt_h: f64,
    /// Random walk of an unmeasured gate's undercount, standard deviation per square root of a minute.
    pub drift_blind_per_sqrt_min: f64,
    /// Occupancy is unknown when its standard deviation is above this share of the capacity.
    pub sd_share_max: f64,
    /// Walking time corrects while what enters is below this share of what the ways out can take.
    pub free_flow_share_max: f64,
}

impl Default for EstimatorSettings {
    fn default() -> Self {
        Self {
            noise_per_person: 0.06,
            drift_per_sqrt_h: 0.01,
            drift_blind_per_sqrt_min: 0.03,
            sd_share_max: 0.2,
            free_flow_share_max: 0.8,
        }
    }
}

/// What is known when the estimate starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Every area is empty.
    Empty,
    /// Nothing: areas are unknown until they are counted or closed.
    Unknown,
}

/// How far an occupancy can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knowledge {
    /// All gates are measured.
    Known,
    /// A gate is not measured at this moment; what it lets through is taken from the others.
    Bridged,
    /// Too uncertain to show.
    Unknown,
}

/// The last thing that pinned an occupancy down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The start of the estimate.
    Start,
    /// It was closed, hence empty.
    Closed,
    /// It was counted.
    Count(CountKind),
    /// Persons = flow x walking time, while nothing queues.
    WalkingTime,
}

/// How an occupancy was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Making {
    /// What pinned it down last.
    pub anchor: Anchor,
    /// When that was.
    pub anchored_at: Timestamp,
    /// Gates of the area that are not measured at this moment.
    pub gates_blind: Vec<GateId>,
    /// How many corrections were applied since the start.
    pub corrections: u32,
    /// How many times people would have been fewer than zero.
    pub below_zero: u32,
}

/// Persons in an area at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupancy {
    /// Which area.
    pub area: AreaId,
    /// When: the end of the last step.
    pub at: Timestamp,
    /// The estimate, persons; also there when it is unknown, for those who want to see why.
    pub persons: f64,
    /// Its standard deviation, persons.
    pub sd_persons: f64,
    /// How far it can be trusted.
    pub knowledge: Knowledge,
    /// How it was made.
    pub made: Making,
}

impl Occupancy {
    /// The persons to show: `None` when unknown, which is not empty.
    #[must_use]
    pub fn shown(&self) -> Option<f64> {
        (self.knowledge != Knowledge::Unknown).then_some(self.persons)
    }
}

/// What a correction did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// Count minus estimate before it, persons.
    pub innovation: f64,
    /// What was to be expected of that difference, standard deviation in persons.
    pub sd_persons: f64,
    /// It lies more than five standard deviations off and was given less weight.
    pub is_doubtful: bool,
}

/// The filter of one site.
#[derive(Clone, Debug)]
pub struct Estimator {
    site: Site,
    settings: EstimatorSettings,
    leaves: Vec<Area>,
    state: Gaussian,
    at: Timestamp,
    makings: Vec<Making>,
    walks: Vec<Walk>,
    blind: BTreeMap<GateId, FlowStatus>,
}

impl Estimator {
    /// The estimate of a checked site from a moment on.
    #[must_use]
    pub fn new(site: &Site, settings: EstimatorSettings, at: Timestamp, start: Start) -> Self {
        let leaves: Vec<Area> = site.leaves().cloned().collect();
        let mut state = Gaussian::zero(leaves.len() + 2 * site.gates.len());
        for (place, area) in leaves.iter().enumerate() {
            let (mean, sd) = match start {
                Start::Empty => (0.0, 1.0),
                Start::Unknown => (area.capacity_persons * 0.3, area.capacity_persons),
            };
            state.pin(place, mean, sd * sd);
        }
        let making =
            Making { anchor: Anchor::Start, anchored_at: at, gates_blind: Vec::new(), corrections: 0, below_zero: 0 };
        let mut estimator = Self {
            site: site.clone(),
            settings,
            state,
            at,
            makings: vec![making; leaves.len()],
            walks: vec![Walk::default(); leaves.len()],
            blind: BTreeMap::new(),
            leaves,
        };
        for gate in 0..estimator.site.gates.len() {
            estimator.forget_undercount(gate);
        }
        estimator
    }

    /// Moves people as the gates of one step say. Gates that the step does not name moved nobody.
    pub fn step(&mut self, flows: &StepFlows) {
        let mut passing = vec![Passing::default(); self.leaves.len()];
        let before: Vec<f64> = (0..self.leaves.len()).map(|place| self.state.mean(place)).collect();
        for number in 0..self.site.gates.len() {
            let Some(flow) = flows.get(&self.site.gates[number].id).cloned() else { continue };
            self.drift(number, &flow);
            for is_forward in [true, false] {
                self.move_people(number, is_forward, &flow, &mut passing);
            }
            self.at = super::counter::plus_s(flow.start, flow.length_s);
        }
        self.keep_above_zero();
        for (place, area) in self.leaves.iter().enumerate() {
            let beside = self.site.gates.iter().filter(|gate| touches(gate, &area.id));
            let blind = beside.filter(|gate| self.blind.contains_key(&gate.id)).map(|gate| gate.id.clone());
            self.makings[place].gates_blind = blind.collect();
        }
        let step_min = flows.values().next().map_or(1.0, |flow| flow.length_s / 60.0);
        for (place, passing) in passing.iter().enumerate() {
            let after = self.state.mean(place);
            if let Some(found) = self.by_walking_time(place, passing, f64::midpoint(before[place], after), step_min) {
                self.state.observe(&[place], after + found.shift, found.sd_persons.powi(2));
                self.anchor(place, Anchor::WalkingTime);
            }
        }
    }

    /// What the walking time says against the counts: now and then while all gates of an area are measured, in each step
    /// while some are not, and nothing when none is.
    fn by_walking_time(&mut self, place: usize, passing: &Passing, mean: f64, step_min: f64) -> Option<Found> {
        let (area, free_share) = (&self.leaves[place], self.settings.free_flow_share_max);
        let gates = self.site.gates.iter().filter(|gate| touches(gate, &area.id)).count();
        match self.makings[place].gates_blind.len() {
            0 => self.walks[place].step(area, passing, mean, step_min, free_share),
            blind if blind == gates => None,
            _ => {
                self.walks[place] = Walk::default();
                walking::without_a_gate(area, passing, self.state.mean(place), step_min, free_share)
            }
        }
    }

    fn drift(&mut self, number: usize, flow: &GateFlow) {
        let is_blind = flow.status != FlowStatus::Measured;
        let was_blind = self.blind.contains_key(&flow.gate);
        if is_blind {
            self.blind.insert(flow.gate.clone(), flow.status);
        } else if was_blind {
            self.blind.remove(&flow.gate);
            self.forget_undercount(number);
        }
        let variance = if is_blind {
            self.settings.drift_blind_per_sqrt_min.powi(2) * flow.length_s / 60.0
        } else {
            self.settings.drift_per_sqrt_h.powi(2) * flow.length_s / 3600.0
        };
        for is_forward in [true, false] {
            let place = self.undercount_place(number, is_forward);
            // A third of the flow more or less is as little as can be known of a gate that is not seen.
            if self.state.variance(place) < 0.1 {
                self.state.add_noise(&[(place, 1.0)], variance);
            }
        }
    }

    fn move_people(&mut self, number: usize, is_forward: bool, flow: &GateFlow, passing: &mut [Passing]) {
        let gate = &self.site.gates[number];
        let (from, to) = if is_forward { (&gate.from, &gate.to) } else { (&gate.to, &gate.from) };
        let (from, to) = (from.area().and_then(|id| self.place(id)), to.area().and_then(|id| self.place(id)));
        let (count, late) = if is_forward { (flow.forward, flow.late.0) } else { (flow.backward, flow.late.1) };
        let capacity = gate.capacity_per_min() * flow.length_s / 60.0;
        let undercount = self.undercount_place(number, is_forward);
        let ends: Vec<(usize, f64)> =
            from.map(|place| (place, -1.0)).into_iter().chain(to.map(|place| (place, 1.0))).collect();
        self.state.transfer(&ends, undercount, count);
        self.state.shift(&ends, late);
        let variance = count * self.settings.noise_per_person + flow.sd_persons.powi(2) + late.abs() * 0.1;
        self.state.add_noise(&ends, variance);
        if let Some(place) = from {
            passing[place].left.push((count, capacity));
        }
        if let Some(place) = to {
            passing[place].entered.push((count, capacity));
        }
    }

    /// Nobody can be fewer than zero: what is missing is shared with the undercounts that explain it.
    fn keep_above_zero(&mut self) {
        for place in 0..self.leaves.len() {
            if self.state.mean(place) < 0.0 {
                self.state.project(place, 0.0);
                self.makings[place].below_zero += 1;
            }
        }
        for place in self.leaves.len()..self.state.len() {
            self.state.clamp(place, -0.9, 1.5);
        }
    }

    fn anchor(&mut self, place: usize, anchor: Anchor) {
        let making = &mut self.makings[place];
        (making.anchor, making.anchored_at) = (anchor, self.at);
        making.corrections += 1;
    }

    /// Corrects with a count of an area (or of all its parts).
    ///
    /// # Errors
    /// An area that does not exist, a count below zero, or one without a standard deviation.
    pub fn correct(&mut self, count: &AreaCount) -> Result<Correction, Problem> {
        let places = self.places(&count.area);
        let thing = || format!("count of area \"{}\" at {}", count.area, count.at);
        if places.is_empty() {
            return Err(Problem::new(thing(), "is no usable area", "name an area of this site"));
        }
        if !(count.persons >= 0.0 && count.persons.is_finite() && count.sd_persons > 0.0) {
            let detail = format!("{} persons, standard deviation {}", count.persons, count.sd_persons);
            return Err(Problem::new(thing(), detail, "give persons from 0 and a standard deviation above 0"));
        }
        let (mean, variance) = self.state.sum(&places);
        let innovation = count.persons - mean;
        let expected = variance + count.sd_persons.powi(2);
        let is_doubtful = innovation.powi(2) > 25.0 * expected;
        // A doubtful count still says something: it gets the weight with which it is just not doubtful.
        let noise = if is_doubtful { innovation.powi(2) / 25.0 - variance } else { count.sd_persons.powi(2) };
        self.state.observe(&places, count.persons, noise);
        self.keep_above_zero();
        for place in places {
            self.anchor(place, Anchor::Count(count.kind));
        }
        Ok(Correction { innovation, sd_persons: expected.sqrt(), is_doubtful })
    }

    /// The area (with its parts) is known to be empty, because it is closed.
    pub fn empty(&mut self, area: &str) {
        for place in self.places(area) {
            self.state.pin(place, 0.0, 1.0);
            self.anchor(place, Anchor::Closed);
        }
    }

    /// The occupancy of an area, or of all its parts together; `None` for an area that does not exist.
    #[must_use]
    pub fn occupancy(&self, area: &str) -> Option<Occupancy> {
        let places = self.places(area);
        let (persons, variance) = self.state.sum(&places);
        let first = self.makings.get(*places.first()?)?;
        let capacity: f64 = places.iter().map(|place| self.leaves[*place].capacity_persons).sum();
        let mut made = Making { gates_blind: Vec::new(), corrections: 0, below_zero: 0, ..first.clone() };
        for making in places.iter().map(|place| &self.makings[*place]) {
            if making.anchored_at < made.anchored_at {
                (made.anchor, made.anchored_at) = (making.anchor, making.anchored_at);
            }
            made.gates_blind.extend(making.gates_blind.iter().cloned());
            made.corrections += making.corrections;
            made.below_zero += making.below_zero;
        }
        made.gates_blind.sort();
        made.gates_blind.dedup();
        let sd_persons = variance.sqrt();
        let knowledge = if sd_persons > self.settings.sd_share_max * capacity {
            Knowledge::Unknown
        } else if made.gates_blind.is_empty() {
            Knowledge::Known
        } else {
            Knowledge::Bridged
        };
        Some(Occupancy { area: area.to_owned(), at: self.at, persons: persons.max(0.0), sd_persons, knowledge, made })
    }

    /// Undercount of a gate and direction as the filter sees it: (share, standard deviation).
    #[must_use]
    pub fn undercount(&self, gate: &str, is_forward: bool) -> Option<(f64, f64)> {
        let number = self.site.gates.iter().position(|other| other.id == gate)?;
        let place = self.undercount_place(number, is_forward);
        Some((self.state.mean(place), self.state.variance(place).sqrt()))
    }

    fn places(&self, area: &str) -> Vec<usize> {
        self.site.leaves_of(area).iter().filter_map(|leaf| self.place(&leaf.id)).collect()
    }

    fn place(&self, leaf: &str) -> Option<usize> {
        self.leaves.iter().position(|area| area.id == leaf)
    }

    fn undercount_place(&self, gate: usize, is_forward: bool) -> usize {
        self.leaves.len() + 2 * gate + usize::from(!is_forward)
    }

    fn forget_undercount(&mut self, gate: usize) {
        let prior = self.site.gates[gate].undercount;
        for is_forward in [true, false] {
            let place = self.undercount_place(gate, is_forward);
            self.state.pin(place, prior.share, prior.share_sd.powi(2));
        }
    }
}

fn touches(gate: &super::Gate, area: &str) -> bool {
    gate.from.area() == Some(area) || gate.to.area() == Some(area)
}

#[cfg(test)]
mod tests;
