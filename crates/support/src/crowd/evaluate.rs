//! Holds the estimate and the predictions against a simulation that knows the truth.
//!
//! Input is a scenario (the site as a city would describe it) and the CSV that `evaluation/crowd/simulate/run.py` writes:
//! counts of gates a minute, perfect and faulty, area counts, and the ground truth. Output is a table. The counters'
//! faults are made by the simulation, so this side cannot know them.

mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz::TimeZone;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    AlertHappening, AreaCount, AreaId, Colour, CountKind, CounterSettings, Counts, GateId, Live, LiveSettings, Reading,
    Site, Start, StepFlows, counter::plus_s, flow,
};

pub use table::{Evaluation, Score};

/// A scenario: a site, how it is watched, and what is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The CSV with the simulated runs, beside the scenario's file.
    pub data: String,
    /// The area whose red is to be predicted.
    pub watch: AreaId,
    /// The front of a narrowing whose density is compared.
    #[serde(default)]
    pub front: Option<Front>,
    /// The site.
    pub site: Site,
    /// How it is watched.
    #[serde(default)]
    pub live: LiveSettings,
}

/// The front of a narrowing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// The area in which people queue.
    pub area: AreaId,
    /// The gate at the narrowing.
    pub gate: GateId,
    /// The width of the area across the direction of walking, m.
    pub width_m: f64,
    /// How far a queue must spread before its front is as dense as it gets, m2; calibrated.
    pub surface_m2: f64,
}

/// Which inputs the estimate gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inputs {
    /// Every person is counted.
    Perfect,
    /// One in twenty passes uncounted, and one counter dies.
    Faulty,
    /// The same, with an area count every ten minutes (standard deviation 10 % and 5 persons).
    FaultyWithCounts,
}

/// One line of the CSV.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    minute: u32,
    kind: String,
    id: String,
    a: f64,
    b: f64,
}

/// One simulated run: busy or quiet, and its seed.
type RunKey = (String, u32);

/// Reads the CSV; what cannot be read is a problem with its line.
fn read(text: &str) -> (BTreeMap<RunKey, Vec<Row>>, Vec<Problem>) {
    let (mut runs, mut problems) = (BTreeMap::<RunKey, Vec<Row>>::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()).skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        match row(line) {
            Some((key, row)) => runs.entry(key).or_default().push(row),
            None => problems.push(
                Problem::new("line", "is not run,seed,minute,kind,id,a,b", "write it with the simulation")
                    .at_line(number),
            ),
        }
    }
    (runs, problems)
}

fn row(line: &str) -> Option<(RunKey, Row)> {
    let fields: Vec<&str> = line.trim().split(',').collect();
    let [run, seed, minute, kind, id, a, b] = fields[..] else { return None };
    let row = Row {
        minute: minute.parse().ok()?,
        kind: kind.to_owned(),
        id: id.to_owned(),
        a: a.parse().ok()?,
        b: b.parse().ok()?,
    };
    Some(((run.to_owned(), seed.parse().ok()?), row))
}

/// Evaluates every run of a CSV with every kind of inputs.
///
/// # Errors
/// A scenario whose site has faults or does not fit its data.
pub fn evaluate(scenario: &Scenario, csv: &str) -> Result<(Evaluation, Vec<Problem>), Problem> {
    let (site, faults) = scenario.site.clone().checked();
    if let Some(fault) = faults.into_iter().next() {
        return Err(fault);
    }
    if site.area(&scenario.watch).is_none() {
        return Err(Problem::new("watch", format!("\"{}\" is no area", scenario.watch), "name an area of the site"));
    }
    let (runs, problems) = read(csv);
    if runs.is_empty() {
        return Err(Problem::new(scenario.data.clone(), "holds no run", "write it with the simulation"));
    }
    let mut scores = Vec::new();
    for ((kind, seed), rows) in &runs {
        for inputs in [Inputs::Perfect, Inputs::Faulty, Inputs::FaultyWithCounts] {
            scores.push(Replay::new(scenario, &site, rows, inputs).score(kind, *seed));
        }
    }
    Ok((Evaluation { scenario: scenario.name.clone(), scores }, problems))
}

/// One run played through the estimate, minute by minute.
struct Replay<'a> {
    scenario: &'a Scenario,
    site: &'a Site,
    inputs: Inputs,
    by_minute: BTreeMap<u32, Vec<&'a Row>>,
    live: Live,
    /// Who lately left by the gate of the front, persons a minute, also while that is only what other gates make likely.
    left: VecDeque<f64>,
    /// The gates that gave a count of the last minute.
    reporting: BTreeSet<GateId>,
}

/// How long after its end a minute is waited for when a gate that reported before gave nothing, min. As a live run
/// waits: once, for from then on the gate is silent.
const PATIENCE_MIN: f64 = 20.0 / 60.0;

/// The moment that simulated minute 0 stands for.
const ORIGIN_MICROS: i64 = 1_780_000_000_000_000;

fn at(minute: f64) -> Timestamp {
    plus_s(Timestamp::from_micros(ORIGIN_MICROS), minute * 60.0)
}

impl<'a> Replay<'a> {
    fn new(scenario: &'a Scenario, site: &'a Site, rows: &'a [Row], inputs: Inputs) -> Self {
        let mut by_minute: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            by_minute.entry(row.minute).or_default().push(row);
        }
        // As in a live run, a minute is looked at when all that reports has reported.
        let counters = CounterSettings { wait_s: 0.0, ..scenario.live.counters };
        let settings = LiveSettings { counters, ..scenario.live.clone() };
        let live = Live::new(site, settings, at(0.0), Start::Empty, TimeZone::UTC);
        Self { scenario, site, inputs, by_minute, live, left: VecDeque::new(), reporting: BTreeSet::new() }
    }

    fn score(mut self, kind: &str, seed: u32) -> Score {
        let mut score = Score::new(kind, seed, self.inputs);
        let red_from =
            self.site.area(&self.scenario.watch).and_then(|area| area.thresholds.persons_for(area, Colour::Red));
        for (minute, rows) in std::mem::take(&mut self.by_minute) {
            let minute = f64::from(minute);
            for row in &rows {
                self.feed(row, minute);
            }
            let looked = minute + self.patience_min(&rows);
            let (done, _) = self.live.advance(at(looked));
            for flows in done.iter().map(|done| &done.flows) {
                self.follow_front(flows);
            }
            for (area, happening) in done.into_iter().flat_map(|done| done.alerts) {
                if area == self.scenario.watch {
                    match happening {
                        AlertHappening::Raised { .. } => score.raised.push((looked, None)),
                        AlertHappening::Closed { .. } => {
                            if let Some(last) = score.raised.last_mut() {
                                last.1 = Some(looked);
                            }
                        }
                        _ => {}
                    }
                }
            }
            for row in rows.iter().filter(|row| row.kind == "area") {
                self.compare(row, minute, red_from, &mut score);
            }
            for row in rows.iter().filter(|row| row.kind == "front") {
                self.compare_front(row, &mut score);
            }
        }
        score.suspected = self.live.take_findings().iter().filter(|f| f.mark == super::Mark::SwapSuspected).count();
        score
    }

    /// The kind of rows that are counts of gates in these inputs.
    fn counts(&self) -> &'static str {
        if self.inputs == Inputs::Perfect { "count" } else { "faulty" }
    }

    /// How long the gates are waited for after the end of a minute, when counts are there at once.
    fn patience_min(&mut self, rows: &[&Row]) -> f64 {
        let counts = self.counts();
        let gave = rows.iter().filter(|row| row.kind == counts).map(|row| row.id.clone());
        let before = std::mem::replace(&mut self.reporting, gave.collect());
        if before.is_subset(&self.reporting) { 0.0 } else { PATIENCE_MIN }
    }

    /// Hands a row to the estimate, when its inputs include it.
    fn feed(&mut self, row: &Row, minute: f64) {
        if row.kind == self.counts() {
            for counter in self.site.gate(&row.id).map(|gate| gate.counters.clone()).unwrap_or_default() {
                let counts = Counts::Interval { forward: row.a, backward: row.b };
                let reading = Reading { counter, start: at(minute - 1.0), length_s: 60.0, counts };
                // A refusal is part of what is evaluated: the gate is then bridged.
                let _ = self.live.observe(&reading, at(minute));
            }
        } else if row.kind == "devices" && self.inputs == Inputs::FaultyWithCounts {
            let (persons, sd_persons) = (row.a, row.b);
            self.live.count(AreaCount {
                area: row.id.clone(),
                at: at(minute),
                persons,
                sd_persons,
                kind: CountKind::Devices,
            });
        }
    }

    fn compare(&self, row: &Row, minute: f64, red_from: Option<f64>, score: &mut Score) {
        let Some(occupancy) = self.live.estimator().occupancy(&row.id) else { return };
        let error = score.areas.entry(row.id.clone()).or_default();
        error.peak = error.peak.max(row.a);
        error.absolute.push((occupancy.persons - row.a).abs());
        error.unknown += u32::from(occupancy.shown().is_none());
        if occupancy.shown().is_some() {
            error.within_two_sd += u32::from((occupancy.persons - row.a).abs() <= 2.0 * occupancy.sd_persons.max(0.5));
        }
        let is_red = red_from.is_some_and(|red| row.a >= red);
        if row.id == self.scenario.watch && is_red && score.red_at.is_none() {
            score.red_at = Some(minute);
        }
    }

    /// Keeps who left by the gate of the front in the last steps, as pictures do.
    fn follow_front(&mut self, flows: &StepFlows) {
        let Some(front) = &self.scenario.front else { return };
        let Some((flow, gate)) = flows.get(&front.gate).zip(self.site.gate(&front.gate)) else { return };
        let left = if gate.from.area() == Some(&front.area) { flow.forward } else { flow.backward };
        self.left.push_back(left / flow.length_s * 60.0);
        if self.left.len() > self.scenario.live.mean_steps.max(1) {
            self.left.pop_front();
        }
    }

    fn compare_front(&self, row: &Row, score: &mut Score) {
        let Some(front) = self.scenario.front.as_ref().filter(|front| front.area == row.id) else { return };
        let Some(area) = self.site.area(&front.area) else { return };
        let Some(gate) = self.site.gate(&front.gate) else { return };
        // A full narrowing tells how dense its front is, also while nobody knows how long the queue is.
        let Some(persons) = self.live.estimator().occupancy(&front.area).map(|found| found.persons) else { return };
        #[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
        let outflow = self.left.iter().sum::<f64>() / self.left.len().max(1) as f64;
        let narrowing = flow::Narrowing {
            surface_m2: area.surface_m2,
            width_m: front.width_m,
            narrow_m: gate.width_m,
            capacity_per_min: gate.capacity_per_min(),
            front_m2: front.surface_m2,
        };
        let estimate = flow::density_at_front_m2(&area.diagram, &narrowing, persons, outflow);
        if let Some(estimate) = estimate {
            score.front.push((estimate, row.a));
        }
    }
}

#[cfg(test)]
mod tests;
