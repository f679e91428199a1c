//! Persons in an area that people only walk through: flow times walking time, while nothing queues (Little 1961).
//!
//! It takes out the slow drift of counters that miss people. It holds on average only, so means of some minutes are
//! compared; and walking speed is not known exactly, so a difference within its uncertainty shifts nothing.

use crate::crowd::Area;

/// Steps of which means are compared.
const BLOCK_STEPS: f64 = 5.0;
/// Uncertainty of walking time, as a share, and of what is left over, persons.
const TIME_SD_SHARE: f64 = 0.35;
const REST_SD_PERSONS: f64 = 1.5;

/// What passed the gates of an area in one step: count and capacity of each lane in and out.
#[derive(Clone, Debug, Default)]
pub(super) struct Passing {
    pub entered: Vec<(f64, f64)>,
    pub left: Vec<(f64, f64)>,
}

/// Sums of the present block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    steps: f64,
    minutes: f64,
    passed: f64,
    persons: f64,
    queues: bool,
}

/// By how much an occupancy contradicts the walking time, beyond what that is uncertain of.
pub(super) struct Found {
    pub shift: f64,
    pub sd_persons: f64,
}

impl Walk {
    /// Takes a step with the mean occupancy in it; a finding at the end of a block in which nothing queued.
    pub fn step(
        &mut self,
        area: &Area,
        passing: &Passing,
        persons: f64,
        step_min: f64,
        free_share: f64,
    ) -> Option<Found> {
        let walk_length_m = area.walk_length_m?;
        let (entered, left) = (sum(&passing.entered), sum(&passing.left));
        self.steps += 1.0;
        self.minutes += step_min;
        self.passed += f64::midpoint(entered, left);
        self.persons += persons;
        self.queues |= may_queue(passing, free_share);
        if self.steps < BLOCK_STEPS {
            return None;
        }
        let block = std::mem::take(self);
        let flow_per_min = block.passed / block.minutes;
        let mean = block.persons / block.steps;
        let expected = walking(area, flow_per_min, walk_length_m)?;
        if block.queues {
            return None;
        }
        let sd_persons = (TIME_SD_SHARE * expected).hypot(REST_SD_PERSONS);
        let difference = expected - mean;
        let shift = difference.signum() * (difference.abs() - sd_persons).max(0.0);
        Some(Found { shift, sd_persons })
    }
}

/// What the walking time says of an area with a gate that is not measured, in a step in which nothing can queue: there the
/// counts cannot tell who is there at the end of the step, so each step is corrected, with the chance of who just walks
/// by then.
pub(super) fn without_a_gate(
    area: &Area,
    passing: &Passing,
    persons: f64,
    step_min: f64,
    free_share: f64,
) -> Option<Found> {
    let walk_length_m = area.walk_length_m?;
    if may_queue(passing, free_share) {
        return None;
    }
    let flow_per_min = f64::midpoint(sum(&passing.entered), sum(&passing.left)) / step_min;
    let expected = walking(area, flow_per_min, walk_length_m)?;
    let sd_persons = (TIME_SD_SHARE * expected).hypot(REST_SD_PERSONS).hypot(expected.sqrt());
    Some(Found { shift: expected - persons, sd_persons })
}

fn sum(lanes: &[(f64, f64)]) -> f64 {
    lanes.iter().map(|(count, _)| count).sum()
}

/// A queue can stand when the ways out that are used can take less than the ways in, and are nearly full.
fn may_queue(passing: &Passing, free_share: f64) -> bool {
    let capacity = |lanes: &[(f64, f64)]| {
        let all: f64 = lanes.iter().map(|(count, _)| count).sum();
        lanes.iter().filter(|(count, _)| *count > 0.1 * all).map(|(_, capacity)| capacity).sum::<f64>()
    };
    let (ways_in, ways_out) = (capacity(&passing.entered), capacity(&passing.left));
    if sum(&passing.entered) + sum(&passing.left) == 0.0 {
        return false;
    }
    let busiest = sum(&passing.entered).max(sum(&passing.left));
    ways_in > ways_out * 1.05 && busiest > free_share * ways_out
}

/// Persons on the way at a flow: the free branch of the area's diagram. `None` when the flow is more than it carries.
fn walking(area: &Area, flow_per_min: f64, walk_length_m: f64) -> Option<f64> {
    let width_m = area.walk_width_m.unwrap_or(area.surface_m2 / walk_length_m);
    let (peak_density, peak_flow) = area.diagram.peak();
    let specific = flow_per_min / width_m;
    if specific > peak_flow {
        return None;
    }
    let (mut low, mut high) = (0.0, peak_density);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if area.diagram.specific_flow_ped_m_min(middle) < specific { low = middle } else { high = middle }
    }
    Some(high * width_m * walk_length_m)
}
