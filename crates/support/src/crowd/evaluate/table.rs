//! The figures of an evaluation, and the table that people read.

use std::{collections::BTreeMap, fmt};

use super::Inputs;
use crate::crowd::AreaId;

/// Errors of one area in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AreaError {
    /// The largest true occupancy, persons.
    pub peak: f64,
    /// Absolute error at the end of each minute, persons.
    pub absolute: Vec<f64>,
    /// Minutes in which the occupancy was said to be unknown.
    pub unknown: u32,
    /// Minutes with a value in which the truth lay within two standard deviations.
    pub within_two_sd: u32,
}

impl AreaError {
    /// Mean absolute error as a share of the peak.
    #[must_use]
    pub fn mean_share(&self) -> f64 {
        self.absolute.iter().sum::<f64>() / count(self.absolute.len()) / self.peak.max(1.0)
    }

    /// Largest absolute error as a share of the peak.
    #[must_use]
    pub fn worst_share(&self) -> f64 {
        self.absolute.iter().copied().fold(0.0, f64::max) / self.peak.max(1.0)
    }
}

/// What one run with one kind of inputs came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// `busy` or `quiet`.
    pub kind: String,
    /// The seed of the simulation.
    pub seed: u32,
    /// What the estimate was given.
    pub inputs: Inputs,
    /// By area.
    pub areas: BTreeMap<AreaId, AreaError>,
    /// Density at the front, each minute: (estimate, truth), ped/m2.
    pub front: Vec<(f64, f64)>,
    /// The first minute in which the truth was red.
    pub red_at: Option<f64>,
    /// Alerts of the watched area: minute raised, minute closed.
    pub raised: Vec<(f64, Option<f64>)>,
    /// Gates suspected to be swapped (none is).
    pub suspected: usize,
}

impl Score {
    pub(super) fn new(kind: &str, seed: u32, inputs: Inputs) -> Self {
        let (kind, areas) = (kind.to_owned(), BTreeMap::new());
        Self { kind, seed, inputs, areas, front: Vec::new(), red_at: None, raised: Vec::new(), suspected: 0 }
    }

    /// Minutes between the alert that was open when it turned red and that moment; below 0 when it came after. `None`
    /// when it never turned red or no alert came.
    #[must_use]
    pub fn lead_min(&self) -> Option<f64> {
        let red_at = self.red_at?;
        let open = self.raised.iter().find(|(_, closed)| closed.is_none_or(|closed| closed > red_at));
        open.map(|(raised, _)| red_at - raised)
    }

    /// Alerts that were raised and did not come true: all of a run that never turned red, else those closed before.
    #[must_use]
    pub fn false_alerts(&self) -> usize {
        match self.red_at {
            None => self.raised.len(),
            Some(red_at) => {
                self.raised.iter().filter(|(_, closed)| closed.is_some_and(|closed| closed <= red_at)).count()
            }
        }
    }

    /// Error of the mean density at the front, as a share of the true mean; `None` without a front.
    #[must_use]
    pub fn front_error(&self) -> Option<f64> {
        let truth: f64 = self.front.iter().map(|(_, truth)| truth).sum();
        let estimate: f64 = self.front.iter().map(|(estimate, _)| estimate).sum();
        (truth > 0.0).then(|| (estimate - truth) / truth)
    }
}

/// All runs of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scenario's name.
    pub scenario: String,
    /// Each run with each kind of inputs.
    pub scores: Vec<Score>,
}

impl Evaluation {
    fn of(&self, kind: &str, inputs: Inputs) -> Vec<&Score> {
        self.scores.iter().filter(|score| score.kind == kind && score.inputs == inputs).collect()
    }
}

/// Mean and largest of the runs' values; a dash without any.
fn spread(values: &[f64]) -> String {
    if values.is_empty() {
        return "-".to_owned();
    }
    let mean = values.iter().sum::<f64>() / count(values.len());
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.1} % (largest {:.1} %)", mean * 100.0, most * 100.0)
}

fn count(length: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of runs and minutes")]
    let count = length.max(1) as f64;
    count
}

impl fmt::Display for Evaluation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "scenario {}", self.scenario)?;
        for inputs in [Inputs::Perfect, Inputs::Faulty, Inputs::FaultyWithCounts] {
            let name = match inputs {
                Inputs::Perfect => "perfect counters",
                Inputs::Faulty => "counters that miss 5 %, one dies",
                Inputs::FaultyWithCounts => "the same, with area counts",
            };
            writeln!(out, "  {name}")?;
            for kind in ["busy", "quiet"] {
                let scores = self.of(kind, inputs);
                if !scores.is_empty() {
                    write_kind(out, kind, &scores)?;
                }
            }
        }
        Ok(())
    }
}

fn write_kind(out: &mut fmt::Formatter<'_>, kind: &str, scores: &[&Score]) -> fmt::Result {
    writeln!(out, "    {kind}, {} runs", scores.len())?;
    let names: std::collections::BTreeSet<&String> = scores.iter().flat_map(|score| score.areas.keys()).collect();
    for name in names {
        let errors: Vec<_> = scores.iter().filter_map(|score| score.areas.get(name)).collect();
        let means: Vec<f64> = errors.iter().map(|error| error.mean_share()).collect();
        let worst: Vec<f64> = errors.iter().map(|error| error.worst_share()).collect();
        let minutes: f64 = errors.iter().map(|error| count(error.absolute.len())).sum();
        let unknown: f64 = errors.iter().map(|error| f64::from(error.unknown)).sum();
        let within: f64 = errors.iter().map(|error| f64::from(error.within_two_sd)).sum();
        writeln!(out, "      occupancy of {name}, error as a share of the run's peak")?;
        writeln!(out, "        mean over minutes     {}", spread(&means))?;
        writeln!(out, "        worst minute          {}", spread(&worst))?;
        writeln!(
            out,
            "        said unknown          {:.1} % of minutes; truth within 2 sd of the rest: {:.1} %",
            unknown / minutes * 100.0,
            within / (minutes - unknown).max(1.0) * 100.0
        )?;
    }
    let fronts: Vec<f64> = scores.iter().filter_map(|score| score.front_error()).map(f64::abs).collect();
    if !fronts.is_empty() {
        writeln!(out, "      density at the front, run's mean: error {}", spread(&fronts))?;
    }
    write_alerts(out, scores)
}

fn write_alerts(out: &mut fmt::Formatter<'_>, scores: &[&Score]) -> fmt::Result {
    let red = scores.iter().filter(|score| score.red_at.is_some()).count();
    let leads: Vec<Option<f64>> =
        scores.iter().filter(|score| score.red_at.is_some()).map(|score| score.lead_min()).collect();
    let early = leads.iter().flatten().filter(|lead| **lead >= 10.0).count();
    let with_false = scores.iter().filter(|score| score.false_alerts() > 0).count();
    let swaps: usize = scores.iter().map(|score| score.suspected).sum();
    writeln!(out, "      red in truth: {red} runs; predicted 10 minutes or more before: {early}")?;
    if !leads.is_empty() {
        let text: Vec<String> =
            leads.iter().map(|lead| lead.map_or_else(|| "none".to_owned(), |lead| format!("{lead:.1}"))).collect();
        writeln!(out, "      lead times, min: {}", text.join(" "))?;
    }
    writeln!(out, "      runs with a false red: {with_false}; gates wrongly suspected to be swapped: {swaps}")
}
