//! Suspects gates whose directions are swapped: conservation of people breaks, and turning one gate round mends it.

use std::collections::{BTreeSet, VecDeque};

use super::super::Site;

/// How many steps are looked at: a day of minutes.
const STEPS_MAX: usize = 1_440;
/// Fewer passages than this say nothing.
const PASSAGES_MIN: f64 = 200.0;

/// More than this cannot stand anywhere, ped/m2.
const DENSITY_MAX_M2: f64 = 8.0;

/// Net flow forward of each gate, per step, since the areas were last known to be empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    steps: VecDeque<Vec<(f64, f64)>>,
    suspected: BTreeSet<usize>,
}

impl Ledger {
    pub fn add(&mut self, counts: Vec<(f64, f64)>) {
        if self.steps.len() == STEPS_MAX {
            self.steps.pop_front();
        }
        self.steps.push_back(counts);
    }

    /// Gates newly suspected. Only areas whose every gate was seen from empty on can be judged; a window that has lost
    /// its start is judged by its own lowest point.
    pub fn suspects(&mut self, site: &Site) -> Vec<usize> {
        let mut found = Vec::new();
        for area in site.leaves() {
            let gates: Vec<(usize, f64)> = site
                .gates
                .iter()
                .enumerate()
                .filter_map(|(number, gate)| {
                    let sign = f64::from(u8::from(gate.to.area() == Some(&area.id)))
                        - f64::from(u8::from(gate.from.area() == Some(&area.id)));
                    (sign != 0.0).then_some((number, sign))
                })
                .collect();
            let passages: f64 = gates.iter().map(|(gate, _)| self.passages(*gate)).sum();
            if gates.is_empty() || passages < PASSAGES_MIN {
                continue;
            }
            // A real crush must not be taken for a swapped counter: only what cannot stand there counts as too many.
            let most = (1.5 * area.capacity_persons).max(DENSITY_MAX_M2 * area.surface_m2);
            let slack = 20.0 + 0.1 * area.capacity_persons + 0.05 * passages;
            let broken = |turned: Option<usize>| self.violation(&gates, turned, most) > slack;
            if !broken(None) {
                continue;
            }
            let menders: Vec<usize> = gates.iter().map(|(gate, _)| *gate).filter(|gate| !broken(Some(*gate))).collect();
            if let [gate] = menders[..]
                && self.suspected.insert(gate)
            {
                found.push(gate);
            }
        }
        found
    }

    /// Every gate that is suspected, until it is judged afresh.
    pub fn suspected(&self) -> impl Iterator<Item = usize> {
        self.suspected.iter().copied()
    }

    fn passages(&self, gate: usize) -> f64 {
        self.steps.iter().filter_map(|step| step.get(gate)).map(|(forward, backward)| forward + backward).sum()
    }

    /// By how many persons occupancy leaves what is possible: below empty, or above `most`.
    fn violation(&self, gates: &[(usize, f64)], turned: Option<usize>, most: f64) -> f64 {
        let (mut persons, mut lowest, mut highest) = (0.0_f64, 0.0_f64, 0.0_f64);
        for step in &self.steps {
            for (gate, sign) in gates {
                let Some((forward, backward)) = step.get(*gate) else { continue };
                let net = sign * (forward - backward);
                persons += if turned == Some(*gate) { -net } else { net };
            }
            lowest = lowest.min(persons);
            highest = highest.max(persons);
        }
        (-lowest).max(highest - most)
    }
}
