//! Where occupancy goes in the next hour, with which probability it turns amber or red, and how the crowd spreads.
//!
//! A fixed set of members (no random numbers) spans what is not known: the occupancy now, the arrivals and their trend,
//! how arrivals change later, and how readily people leave. Each member moves people minute by minute: arrivals from
//! outside, flows between areas after their walking time, every gate capped by its capacity. The probability of crossing
//! within a horizon is the share of members whose path reaches the threshold by then. Every step of a member keeps the
//! order of its inputs, so more inflow never gives less risk.

mod arrivals;
mod member;

use std::collections::BTreeMap;

use model::Problem;
use serde::{Deserialize, Serialize};

use super::{AreaId, Colour, DepartureSettings, GateId, Outlook, Plan, Site};
use member::{Path, Road};

/// How projections are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskSettings {
    /// For how long ahead, min.
    pub minutes: usize,
    /// The horizons for which probabilities are given, min.
    pub horizons_min: Vec<usize>,
    /// A trend of arrivals fades with this time constant, min: no rise lasts.
    pub trend_fades_min: f64,
    /// Standard deviation of arrivals an hour ahead as a share of their level, beyond level and trend.
    pub arrivals_sd_per_h: f64,
    /// How far people leave more or less readily than lately (share).
    pub leaving_spread: f64,
    /// A forecast band weighs as much as the trend this far ahead, min.
    pub band_half_min: f64,
    /// How sure it is who goes home when.
    pub departures: DepartureSettings,
}

impl Default for RiskSettings {
    fn default() -> Self {
        Self {
            minutes: 60,
            horizons_min: vec![15, 30, 60],
            trend_fades_min: 20.0,
            arrivals_sd_per_h: 0.3,
            leaving_spread: 0.2,
            band_half_min: 3.0,
            departures: DepartureSettings::default(),
        }
    }
}

/// A forecast of arrivals from outside into one area, persons a minute, for each minute ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastBand {
    /// Which area.
    pub area: AreaId,
    /// One in ten is below.
    pub p10: Vec<f64>,
    /// Half is below.
    pub p50: Vec<f64>,
    /// Nine in ten are below.
    pub p90: Vec<f64>,
}

/// The probability of reaching a colour within a horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Amber or red.
    pub colour: Colour,
    /// Within how many minutes.
    pub within_min: usize,
    /// Between 0 and 1.
    pub probability: f64,
}

/// The next hour of one area. Index 0 is one minute ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaProjection {
    /// Which area.
    pub area: AreaId,
    /// One member in ten is below, persons.
    pub p10: Vec<f64>,
    /// Half of the members are below, persons.
    pub p50: Vec<f64>,
    /// Nine members in ten are below, persons.
    pub p90: Vec<f64>,
    /// Through its busiest gate, both directions, half of the members are below, ped/m/min; empty without gates.
    pub flow_p50: Vec<f64>,
    /// Probabilities of amber and red at each horizon; empty for an area without thresholds on persons or flow.
    pub crossings: Vec<Crossing>,
    /// In how many minutes half of the members have reached red; `None` when they do not.
    pub red_in_min: Option<usize>,
}

impl AreaProjection {
    /// The probability of a colour within a horizon.
    #[must_use]
    pub fn probability(&self, colour: Colour, within_min: usize) -> Option<f64> {
        let found = self.crossings.iter().find(|c| c.colour == colour && c.within_min == within_min);
        found.map(|crossing| crossing.probability)
    }
}

/// The next hour of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Areas whose occupancy is known; parents when all of their parts are.
    pub areas: BTreeMap<AreaId, AreaProjection>,
    /// People held back outside each gate at the end of each minute, median, persons: a measure moves a crowd, it does
    /// not dissolve it.
    pub waiting_outside: BTreeMap<GateId, Vec<f64>>,
}

/// Projects a site, with the measures of a plan (an empty plan is "as it is").
///
/// # Errors
/// A plan or a forecast band that names what the site does not have, or holds values that cannot be.
pub fn project(
    site: &Site,
    outlook: &Outlook,
    plan: &Plan,
    bands: &[ForecastBand],
    settings: &RiskSettings,
) -> Result<Projection, Problem> {
    plan.check(site)?;
    check_bands(site, bands)?;
    let road = Road::new(site, outlook, plan, bands, settings);
    let paths: Vec<Path> = member::all().iter().map(|member| road.walk(member)).collect();
    let areas = site.areas.iter().filter_map(|area| {
        let leaves: Option<Vec<usize>> = site.leaves_of(&area.id).iter().map(|leaf| road.place(&leaf.id)).collect();
        let leaves = leaves.filter(|leaves| !leaves.is_empty())?;
        Some((area.id.clone(), of_area(site, area, &leaves, &road, &paths, settings)))
    });
    let waiting = site.gates.iter().enumerate().map(|(number, gate)| {
        let minutes =
            (0..settings.minutes).map(|minute| quantile(paths.iter().map(|p| p.waiting[minute][number]), 0.5));
        (gate.id.clone(), minutes.collect())
    });
    Ok(Projection { areas: areas.collect(), waiting_outside: waiting.collect() })
}

fn check_bands(site: &Site, bands: &[ForecastBand]) -> Result<(), Problem> {
    for band in bands {
        let thing = format!("forecast band of area \"{}\"", band.area);
        if site.area(&band.area).is_none() || site.is_parent(&band.area) {
            return Err(Problem::new(thing, "is no area without parts of this site", "name one"));
        }
        let mut ordered = band.p10.iter().zip(&band.p50).zip(&band.p90);
        if !ordered.all(|((low, middle), high)| 0.0 <= *low && low <= middle && middle <= high && high.is_finite()) {
            return Err(Problem::new(thing, "quantiles that cross or are below 0", "give p10 <= p50 <= p90, from 0"));
        }
    }
    Ok(())
}

fn of_area(
    site: &Site,
    area: &super::Area,
    leaves: &[usize],
    road: &Road<'_>,
    paths: &[Path],
    settings: &RiskSettings,
) -> AreaProjection {
    let persons = |path: &Path, minute: usize| leaves.iter().map(|leaf| path.persons[minute][*leaf]).sum::<f64>();
    let line = |share: f64| {
        let minutes = 0..settings.minutes;
        minutes.map(|minute| quantile(paths.iter().map(|path| persons(path, minute)), share)).collect::<Vec<f64>>()
    };
    let gates = gates_beside(site, &area.id);
    let busiest = |path: &Path, minute: usize| {
        gates.iter().map(|(gate, width_m)| path.flows[minute][*gate] / width_m).fold(0.0, f64::max)
    };
    let minutes = if gates.is_empty() { 0..0 } else { 0..settings.minutes };
    let flow_p50 = minutes.map(|minute| quantile(paths.iter().map(|path| busiest(path, minute)), 0.5)).collect();
    let now: f64 = leaves.iter().map(|leaf| road.persons_now(*leaf)).sum();
    // For each minute, how sure it is that the colour was reached by then, as the mean over members.
    let reached = |colour: Colour| -> Option<Vec<f64>> {
        let border = area.thresholds.persons_for(area, colour);
        let flow = area.thresholds.specific_flow_ped_m_min;
        let flow = flow.map(|limit| if colour == Colour::Red { limit.red } else { limit.amber });
        if border.is_none() && (flow.is_none() || gates.is_empty()) {
            return None;
        }
        let mut sums = vec![0.0; settings.minutes];
        for path in paths {
            let mut most = border.map_or(0.0, |border| sureness(now, border));
            for (minute, sum) in sums.iter_mut().enumerate() {
                if let Some(border) = border {
                    most = f64::max(most, sureness(persons(path, minute), border));
                }
                if let Some(flow) = flow {
                    most = f64::max(most, sureness(busiest(path, minute), flow));
                }
                *sum += most;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "some hundred members")]
        let members = paths.len() as f64;
        Some(sums.into_iter().map(|sum| (sum / members).clamp(0.0, 1.0)).collect())
    };
    let (amber, red) = (reached(Colour::Amber), reached(Colour::Red));
    let mut crossings = Vec::new();
    for (colour, reached) in [(Colour::Amber, &amber), (Colour::Red, &red)] {
        for within_min in &settings.horizons_min {
            let at = reached.as_ref().and_then(|reached| reached.get(within_min.saturating_sub(1)));
            crossings.extend(at.map(|probability| Crossing {
                colour,
                within_min: *within_min,
                probability: *probability,
            }));
        }
    }
    let half = red.as_ref().and_then(|red| red.iter().position(|probability| *probability >= 0.5));
    AreaProjection {
        area: area.id.clone(),
        p10: line(0.1),
        p50: line(0.5),
        p90: line(0.9),
        flow_p50,
        crossings,
        red_in_min: half.map(|minute| minute + 1),
    }
}

/// The gates that people walk through at an area: number and width, m.
fn gates_beside(site: &Site, area: &str) -> Vec<(usize, f64)> {
    let beside =
        |gate: &super::Gate| gate.is_walked() && [&gate.from, &gate.to].iter().any(|side| side.area() == Some(area));
    site.gates
        .iter()
        .enumerate()
        .filter(|(_, gate)| beside(gate))
        .map(|(number, gate)| (number, gate.width_m))
        .collect()
}

/// 0 or 1 with a soft border of 2 %, so that a probability does not jump as single members cross.
fn sureness(value: f64, border: f64) -> f64 {
    let width = 0.02 * border.max(1e-9);
    1.0 / (1.0 + (-(value - border) / (0.55 * width)).exp())
}

/// A quantile by nearest rank.
fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list of some hundred"
    )]
    let place = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
