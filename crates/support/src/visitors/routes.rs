//! The shortest ways between areas through open gates, wider gates preferred among equals.

use std::collections::{BTreeMap, VecDeque};

use super::Steering;
use crate::crowd::{AreaId, GateId, Side, Site};

/// Gates with their weight.
type Ways = Vec<(GateId, f64)>;

/// Which gates to take from each area to each other one, and home.
pub(super) struct Routes {
    to: BTreeMap<(AreaId, AreaId), Ways>,
    home: BTreeMap<AreaId, Ways>,
}

impl Routes {
    /// The ways of a site while some gates are closed or one-way.
    pub(super) fn of(site: &Site, steering: &Steering) -> Self {
        let steps = steps(site, steering);
        let mut to = BTreeMap::new();
        for goal in site.leaves() {
            let distances = distances(&steps, &Side::Area(goal.id.clone()));
            for area in site.leaves().filter(|area| area.id != goal.id) {
                to.insert((area.id.clone(), goal.id.clone()), nearer(&steps, &distances, &area.id));
            }
        }
        let distances = distances(&steps, &Side::Outside);
        let home = site.leaves().map(|area| (area.id.clone(), nearer(&steps, &distances, &area.id))).collect();
        Self { to, home }
    }

    /// The gates to take from one area to another; none when there is no way, or no need.
    pub(super) fn to(&self, area: &str, goal: &str) -> &[(GateId, f64)] {
        self.to.get(&(area.to_owned(), goal.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The gates to take out of the site.
    pub(super) fn home(&self, area: &str) -> &[(GateId, f64)] {
        self.home.get(area).map_or(&[], Vec::as_slice)
    }
}

/// A gate in a direction in which it may be passed.
struct Step {
    gate: GateId,
    width_m: f64,
    from: Side,
    to: Side,
}

fn steps(site: &Site, steering: &Steering) -> Vec<Step> {
    let mut steps = Vec::new();
    for gate in site.gates.iter().filter(|gate| !steering.is_closed(&gate.id)) {
        let step = |from: &Side, to: &Side| Step {
            gate: gate.id.clone(),
            width_m: gate.width_m,
            from: from.clone(),
            to: to.clone(),
        };
        steps.push(step(&gate.from, &gate.to));
        if !steering.is_one_way(&gate.id) {
            steps.push(step(&gate.to, &gate.from));
        }
    }
    steps
}

/// How many gates lie between each place and the goal. Nobody walks through the outside.
fn distances(steps: &[Step], goal: &Side) -> BTreeMap<Side, u32> {
    let mut distances = BTreeMap::from([(goal.clone(), 0)]);
    let mut queue = VecDeque::from([goal.clone()]);
    while let Some(place) = queue.pop_front() {
        let distance = distances.get(&place).copied().unwrap_or_default();
        for step in steps.iter().filter(|step| step.to == place && step.from != Side::Outside) {
            if !distances.contains_key(&step.from) {
                distances.insert(step.from.clone(), distance + 1);
                queue.push_back(step.from.clone());
            }
        }
    }
    distances
}

fn nearer(steps: &[Step], distances: &BTreeMap<Side, u32>, area: &str) -> Ways {
    let Some(here) = distances.get(&Side::Area(area.to_owned())).copied() else { return vec![] };
    let leads_nearer = |step: &&Step| {
        step.from.area() == Some(area) && distances.get(&step.to).is_some_and(|distance| distance + 1 == here)
    };
    steps.iter().filter(leads_nearer).map(|step| (step.gate.clone(), step.width_m)).collect()
}
