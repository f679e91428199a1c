//! Measures: what can be done about a crowd, what each needs, and what it changes in the projection.
//!
//! A measure moves people in place or time; none of them lets people vanish. Who may not enter waits outside and is
//! counted there. The decision is a person's: this module only computes what to expect.

mod rules;

use std::collections::BTreeMap;

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    AreaId, AreaProjection, Colour, Direction, ForecastBand, GateId, Outlook, Projection, RiskSettings, Site, project,
};
pub(super) use rules::{Held, Rules};

/// One thing that can be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Measure {
    /// Let no more than this through a gate in one direction.
    Dose {
        /// Which gate.
        gate: GateId,
        /// In which direction.
        direction: Direction,
        /// Persons a minute.
        per_min: f64,
    },
    /// Let people through a gate in one direction only.
    OneWay {
        /// Which gate.
        gate: GateId,
        /// The direction that stays open.
        direction: Direction,
    },
    /// Send a share of those who would take one gate to another that starts from the same side.
    Divert {
        /// The gate that they would take.
        gate: GateId,
        /// In which direction.
        direction: Direction,
        /// The gate that they take instead.
        to: GateId,
        /// The share that follows (0..1).
        share: f64,
    },
    /// Take people away from an area.
    ExtraTransport {
        /// Which area.
        area: AreaId,
        /// Persons a minute.
        per_min: f64,
    },
    /// Ask people to come later.
    ComeLater {
        /// The share of those on their way who follow (0..1).
        share: f64,
        /// How much later, min.
        later_min: f64,
    },
    /// Close a gate in both directions. The links that take its flow over are those of the site.
    Close {
        /// Which gate.
        gate: GateId,
    },
}

/// A measure from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What is done.
    pub measure: Measure,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` is until further notice.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// Measures together. An empty plan is "as it is".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// In no particular order.
    pub measures: Vec<Planned>,
}

impl Plan {
    /// Whether the plan can be meant for this site.
    ///
    /// # Errors
    /// Gates and areas that do not exist, numbers below 0, shares outside 0..1, an end before the start.
    pub fn check(&self, site: &Site) -> Result<(), Problem> {
        self.measures.iter().try_for_each(|planned| planned.check(site))
    }
}

impl Planned {
    fn check(&self, site: &Site) -> Result<(), Problem> {
        let wrong = |detail: String, remedy: &str| Err(Problem::new("measure", detail, remedy));
        if let Some(until) = self.until.filter(|until| *until <= self.from) {
            return wrong(format!("ends at {until}, before it starts at {}", self.from), "give an end after the start");
        }
        let (gates, number, share): (Vec<&GateId>, f64, f64) = match &self.measure {
            Measure::Dose { gate, per_min, .. } => (vec![gate], *per_min, 0.0),
            Measure::OneWay { gate, .. } | Measure::Close { gate } => (vec![gate], 0.0, 0.0),
            Measure::Divert { gate, to, share, .. } => (vec![gate, to], 0.0, *share),
            Measure::ExtraTransport { per_min, .. } => (vec![], *per_min, 0.0),
            Measure::ComeLater { share, later_min } => (vec![], *later_min, *share),
        };
        if let Some(gate) = gates.iter().find(|gate| site.gate(gate).is_none()) {
            return wrong(format!("gate \"{gate}\" is no gate of this site"), "name a gate of this site");
        }
        if let Measure::ExtraTransport { area, .. } = &self.measure
            && (site.area(area).is_none() || site.is_parent(area))
        {
            return wrong(format!("area \"{area}\" is no area without parts"), "name an area without parts");
        }
        if !(number >= 0.0 && number.is_finite()) {
            return wrong(format!("{number} is no number from 0"), "give a number from 0");
        }
        if !(0.0..=1.0).contains(&share) {
            return wrong(format!("a share of {share}"), "give a share between 0 and 1");
        }
        if let Measure::Divert { gate, direction, to, .. } = &self.measure
            && rules::lane_beside(site, gate, *direction, to).is_none()
        {
            return wrong(format!("\"{gate}\" and \"{to}\" do not start from the same side"), "name gates that do");
        }
        Ok(())
    }
}

/// One area without and with a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// As it is.
    pub without: AreaProjection,
    /// With the plan.
    pub with: AreaProjection,
}

impl Difference {
    /// How many persons fewer (or more, below 0) the median is this many minutes ahead.
    #[must_use]
    pub fn fewer_in(&self, minutes: usize) -> Option<f64> {
        let at = minutes.checked_sub(1)?;
        Some(self.without.p50.get(at)? - self.with.p50.get(at)?)
    }

    /// The probability of red within a horizon, without and with.
    #[must_use]
    pub fn red(&self, within_min: usize) -> Option<(f64, f64)> {
        let of = |projection: &AreaProjection| projection.probability(Colour::Red, within_min);
        Some((of(&self.without)?, of(&self.with)?))
    }
}

/// A plan against "as it is".
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Every projected area.
    pub areas: BTreeMap<AreaId, Difference>,
    /// Persons held back outside each gate at the end of the horizon, median: (without, with).
    pub waiting_outside: BTreeMap<GateId, (f64, f64)>,
}

/// What a plan changes.
///
/// # Errors
/// As [`project`].
pub fn what_if(
    site: &Site,
    outlook: &Outlook,
    plan: &Plan,
    bands: &[ForecastBand],
    settings: &RiskSettings,
) -> Result<Comparison, Problem> {
    let without = project(site, outlook, &Plan::default(), bands, settings)?;
    let Projection { areas: mut with, waiting_outside: waiting } = project(site, outlook, plan, bands, settings)?;
    let last = |minutes: Option<&Vec<f64>>| minutes.and_then(|minutes| minutes.last().copied()).unwrap_or(0.0);
    let waiting_outside = without.waiting_outside.iter();
    let waiting_outside =
        waiting_outside.map(|(gate, before)| (gate.clone(), (last(Some(before)), last(waiting.get(gate)))));
    let waiting_outside = waiting_outside.collect();
    let pair = |(area, without)| with.remove(&area).map(|with| (area, Difference { without, with }));
    Ok(Comparison { areas: without.areas.into_iter().filter_map(pair).collect(), waiting_outside })
}

#[cfg(test)]
mod tests;
