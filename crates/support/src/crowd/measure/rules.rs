//! A plan as the minutes of a projection feel it: who is sent elsewhere, who is held back, who is taken away.

use std::collections::BTreeMap;

use model::Timestamp;

use super::{Measure, Plan};
use crate::crowd::{AreaId, Direction, Site, trend::lanes};

/// A rule on lanes by number (two a gate, forward first).
#[derive(Clone, Debug)]
enum Rule {
    Cap { lane: usize, per_min: f64 },
    Divert { lane: usize, to: usize, share: f64 },
    TakeAway { area: AreaId, per_min: f64 },
    Postpone { share: f64, minutes: usize },
}

/// The rules of a plan with their minutes, relative to the start of the projection.
#[derive(Clone, Debug, Default)]
pub(in crate::crowd) struct Rules {
    rules: Vec<(f64, f64, Rule)>,
    outside: Vec<bool>,
}

/// Who is held back outside, by lane, and who comes later.
#[derive(Clone, Debug)]
pub(in crate::crowd) struct Held {
    waiting: Vec<f64>,
    wanted: Vec<f64>,
    /// Persons who come later, by minute and lane.
    later: BTreeMap<(usize, usize), f64>,
}

impl Held {
    pub fn new(gates: usize) -> Self {
        Self { waiting: vec![0.0; 2 * gates], wanted: vec![0.0; 2 * gates], later: BTreeMap::new() }
    }

    /// Of those who wanted to pass a lane from outside, some did; the others wait.
    pub fn keep_rest(&mut self, gate: usize, direction: Direction, moved: f64) {
        let lane = lane_number(gate, direction);
        self.waiting[lane] = (self.wanted[lane] - moved).max(0.0);
    }

    /// Persons who wait outside each gate.
    pub fn outside(&self) -> Vec<f64> {
        self.waiting.chunks(2).map(|lanes| lanes.iter().sum()).collect()
    }
}

fn lane_number(gate: usize, direction: Direction) -> usize {
    2 * gate + usize::from(direction == Direction::Backward)
}

fn other(direction: Direction) -> Direction {
    match direction {
        Direction::Forward => Direction::Backward,
        Direction::Backward => Direction::Forward,
    }
}

/// The lane of gate `to` that starts from the same side as a lane of `gate`.
pub(super) fn lane_beside(site: &Site, gate: &str, direction: Direction, to: &str) -> Option<usize> {
    let all: Vec<_> = lanes(site).collect();
    let (_, from, _) = all.iter().find(|((id, way), ..)| id == gate && *way == direction)?;
    all.iter().position(|((id, _), other, _)| id == to && other == from)
}

impl Rules {
    pub fn new(site: &Site, at: Timestamp, plan: &Plan) -> Self {
        let number = |gate: &str| site.gates.iter().position(|other| other.id == gate);
        let mut rules = Vec::new();
        for planned in &plan.measures {
            let from = planned.from.seconds_since(at) / 60.0;
            let until = planned.until.map_or(f64::INFINITY, |until| until.seconds_since(at) / 60.0);
            let mut add = |rule| rules.push((from, until, rule));
            match &planned.measure {
                Measure::Dose { gate, direction, per_min } => {
                    let lane = number(gate).map(|gate| lane_number(gate, *direction));
                    lane.into_iter().for_each(|lane| add(Rule::Cap { lane, per_min: *per_min }));
                }
                Measure::OneWay { gate, direction } => {
                    let lane = number(gate).map(|gate| lane_number(gate, other(*direction)));
                    lane.into_iter().for_each(|lane| add(Rule::Cap { lane, per_min: 0.0 }));
                }
                Measure::Divert { gate, direction, to, share } => {
                    let lane = number(gate).map(|gate| lane_number(gate, *direction));
                    let to = lane_beside(site, gate, *direction, to);
                    lane.zip(to).into_iter().for_each(|(lane, to)| add(Rule::Divert { lane, to, share: *share }));
                }
                Measure::ExtraTransport { area, per_min } => {
                    add(Rule::TakeAway { area: area.clone(), per_min: *per_min });
                }
                Measure::ComeLater { share, later_min } => {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: from 0")]
                    let minutes = later_min.round() as usize;
                    add(Rule::Postpone { share: *share, minutes });
                }
                Measure::Close { gate } => close(site, gate, &mut add),
            }
        }
        // Who is sent elsewhere is sent before anybody is held back, whatever the order of the plan.
        rules.sort_by_key(|(_, _, rule)| match rule {
            Rule::Postpone { .. } => 0,
            Rule::Divert { .. } => 1,
            Rule::Cap { .. } | Rule::TakeAway { .. } => 2,
        });
        Self { rules, outside: lanes(site).map(|(_, from, _)| from.is_none()).collect() }
    }

    fn at(&self, minute: usize) -> impl Iterator<Item = &Rule> {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a horizon")]
        let middle = minute as f64 + 0.5;
        self.rules.iter().filter(move |(from, until, _)| *from <= middle && middle < *until).map(|(_, _, rule)| rule)
    }

    /// What passes each lane when the rules of a minute hold, of what wants to.
    pub fn apply(&self, minute: usize, mut wanted: Vec<f64>, held: &mut Held) -> Vec<f64> {
        for rule in self.at(minute) {
            match rule {
                Rule::Postpone { share, minutes } => {
                    for (lane, wanted) in wanted.iter_mut().enumerate().filter(|(lane, _)| self.outside[*lane]) {
                        let later = *wanted * share;
                        if later > 0.0 {
                            *held.later.entry((minute + minutes, lane)).or_default() += later;
                            *wanted -= later;
                        }
                    }
                }
                Rule::Divert { lane, to, share } => {
                    let moved = wanted[*lane] * share;
                    wanted[*lane] -= moved;
                    wanted[*to] += moved;
                }
                Rule::Cap { .. } | Rule::TakeAway { .. } => {}
            }
        }
        for (lane, wanted) in wanted.iter_mut().enumerate().filter(|(lane, _)| self.outside[*lane]) {
            *wanted += held.waiting[lane] + held.later.remove(&(minute, lane)).unwrap_or_default();
        }
        held.wanted.clone_from(&wanted);
        for rule in self.at(minute) {
            if let Rule::Cap { lane, per_min } = rule {
                wanted[*lane] = wanted[*lane].min(*per_min);
            }
        }
        wanted
    }

    /// Areas from which people are taken away in a minute, and how many at most.
    pub fn taken_away(&self, minute: usize) -> impl Iterator<Item = (&str, f64)> {
        self.at(minute).filter_map(|rule| match rule {
            Rule::TakeAway { area, per_min } => Some((area.as_str(), *per_min)),
            _ => None,
        })
    }
}

/// A closed gate: shares go along the links that take over from the same side, nobody else passes.
fn close(site: &Site, gate: &str, add: &mut impl FnMut(Rule)) {
    for direction in [Direction::Forward, Direction::Backward] {
        let Some(lane) = site.gates.iter().position(|other| other.id == gate) else { return };
        let lane = lane_number(lane, direction);
        // Each link's share is of the whole flow; what earlier links took is no longer there.
        let mut left = 1.0;
        for link in &site.links {
            let share = link.takes_over.get(gate).copied().unwrap_or(0.0);
            let to = link.gate.as_ref().and_then(|to| lane_beside(site, gate, direction, to));
            if let Some(to) = to.filter(|_| share > 0.0 && left > 0.0) {
                add(Rule::Divert { lane, to, share: f64::min(share / left, 1.0) });
                left -= share;
            }
        }
        add(Rule::Cap { lane, per_min: 0.0 });
    }
}
