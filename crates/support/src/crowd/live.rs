//! All of it for one site: readings go in as they come, pictures, projections and alerts come out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Alert, AlertEvent, AlertHappening, AlertRules, Area, AreaCount, AreaId, Colour, Comparison, CounterSettings,
    Counters, Departure, Estimator, EstimatorSettings, Finding, FlowStatus, ForecastBand, GateId, LevelOfService, Load,
    Mark, Occupancy, Outlook, Plan, Projection, Reading, RiskSettings, Site, Start, Steady, StepFlows, Trends, flow,
    project, what_if,
};

/// How a site is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSettings {
    /// How readings are judged.
    pub counters: CounterSettings,
    /// How occupancy is estimated.
    pub estimator: EstimatorSettings,
    /// How the next hour is projected.
    pub risk: RiskSettings,
    /// When alerts are raised and closed.
    pub alerts: AlertRules,
    /// Red predicted within this time raises an alert, min; one of the horizons of `risk`.
    pub alert_within_min: usize,
    /// Flows of a picture are means over this many steps.
    pub mean_steps: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            counters: CounterSettings::default(),
            estimator: EstimatorSettings::default(),
            risk: RiskSettings::default(),
            alerts: AlertRules::default(),
            alert_within_min: 30,
            mean_steps: 5,
        }
    }
}

/// One area now. `None` is unknown, never zero.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaPicture {
    /// Persons, standard deviation, how far it can be trusted and how it was made.
    pub occupancy: Occupancy,
    /// Persons per m2.
    pub density_m2: Option<f64>,
    /// Its standard deviation.
    pub density_sd_m2: Option<f64>,
    /// Speed in this density by the area's fundamental diagram, m/s.
    pub speed_m_s: Option<f64>,
    /// Fruin's level by density.
    pub level_of_service: Option<LevelOfService>,
    /// Persons that come in a minute, mean of the last steps; `None` while a gate is unknown.
    pub inflow_per_min: Option<f64>,
    /// Persons that leave in a minute.
    pub outflow_per_min: Option<f64>,
    /// Specific flow of its busiest gate, both directions, ped/m/min.
    pub specific_flow_ped_m_min: Option<f64>,
    /// The smaller direction's share at its busiest gate (0..0.5).
    pub counterflow_ratio: Option<f64>,
    /// Minutes until capacity at the present net inflow; `None` when it is not rising or not known.
    pub time_to_capacity_min: Option<f64>,
    /// Change of occupancy over the last steps, persons a minute.
    pub rise_per_min: Option<f64>,
    /// Its colour, with hysteresis.
    pub colour: Colour,
}

/// What one step brought.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDone {
    /// The end of the step.
    pub at: Timestamp,
    /// The flows of all gates.
    pub flows: StepFlows,
    /// What happened to alerts, by area.
    pub alerts: Vec<(AreaId, AlertHappening)>,
}

/// One watched site.
#[derive(Clone, Debug)]
pub struct Live {
    site: Site,
    settings: LiveSettings,
    zone: TimeZone,
    counters: Counters,
    estimator: Estimator,
    trends: Trends,
    counts: Vec<AreaCount>,
    steady: BTreeMap<AreaId, Steady>,
    alerts: BTreeMap<AreaId, Alert>,
    recent: Vec<(StepFlows, BTreeMap<AreaId, Option<f64>>)>,
    bands: Vec<ForecastBand>,
    departures: BTreeMap<AreaId, Departure>,
    decided: Plan,
    projection: Option<Projection>,
    at: Timestamp,
}

impl Live {
    /// Watches a checked site from a moment on.
    #[must_use]
    pub fn new(site: &Site, settings: LiveSettings, at: Timestamp, start: Start, zone: TimeZone) -> Self {
        Self {
            counters: Counters::new(site, settings.counters, at, zone.clone()),
            estimator: Estimator::new(site, settings.estimator, at, start),
            trends: Trends::new(site),
            counts: Vec::new(),
            steady: site.areas.iter().map(|area| (area.id.clone(), Steady::default())).collect(),
            alerts: site.areas.iter().map(|area| (area.id.clone(), Alert::quiet(area.id.clone()))).collect(),
            recent: Vec::new(),
            bands: Vec::new(),
            departures: BTreeMap::new(),
            decided: Plan::default(),
            projection: None,
            site: site.clone(),
            settings,
            zone,
            at,
        }
    }

    /// Takes a reading; see [`Counters::accept`].
    ///
    /// # Errors
    /// When it was not used, and why.
    pub fn observe(&mut self, reading: &Reading, received: Timestamp) -> Result<Vec<Mark>, Problem> {
        self.counters.accept(reading, received)
    }

    /// Takes an area count. It corrects the first step that ends at or after it.
    pub fn count(&mut self, count: AreaCount) {
        self.counts.push(count);
    }

    /// The gates that are closed from now on; see [`Counters::set_closed`].
    pub fn set_closed(&mut self, gates: BTreeSet<GateId>) {
        self.counters.set_closed(gates);
    }

    /// The forecast bands that projections use from now on.
    pub fn set_bands(&mut self, bands: Vec<ForecastBand>) {
        self.bands = bands;
    }

    /// Who goes home when, as it is known beforehand: projections use it from now on.
    pub fn set_departures(&mut self, departures: BTreeMap<AreaId, Departure>) {
        self.departures = departures;
    }

    /// The measures that were decided: alerts count on them from now on.
    pub fn set_decided(&mut self, decided: Plan) {
        self.decided = decided;
    }

    /// The next hour with what was decided, as of the last step; `None` before the first one, and when what
    /// was decided does not fit the site.
    #[must_use]
    pub fn projection(&self) -> Option<&Projection> {
        self.projection.as_ref()
    }

    /// Closes every step that is due. Counts that could not be used are among the problems.
    pub fn advance(&mut self, now: Timestamp) -> (Vec<StepDone>, Vec<Problem>) {
        let (mut done, mut problems) = (Vec::new(), Vec::new());
        let closed = self.counters.close_until(now);
        let last = closed.len();
        for (number, flows) in (1..).zip(closed) {
            self.step(&flows, &mut problems);
            // Steps that are caught up with change nothing about the future: only the last one is projected.
            let alerts = if number == last { self.raise(&mut problems) } else { Vec::new() };
            done.push(StepDone { at: self.at, flows, alerts });
        }
        (done, problems)
    }

    /// Closes every step that is due without looking ahead or raising anything: for minutes that are lived again after a
    /// restart.
    pub fn catch_up(&mut self, now: Timestamp) -> Vec<Problem> {
        let mut problems = Vec::new();
        for flows in self.counters.close_until(now) {
            self.step(&flows, &mut problems);
        }
        problems
    }

    fn step(&mut self, flows: &StepFlows, problems: &mut Vec<Problem>) {
        let Some(first) = flows.values().next() else { return };
        self.at = super::counter::plus_s(first.start, first.length_s);
        let length_s = first.length_s;
        self.estimator.step(flows);
        let (due, later) = std::mem::take(&mut self.counts).into_iter().partition(|count| count.at <= self.at);
        self.counts = later;
        for count in Vec::<AreaCount>::into_iter(due) {
            if let Err(problem) = self.estimator.correct(&count) {
                problems.push(problem);
            }
        }
        self.empty_the_closed();
        self.trends.step(flows, &self.estimator);
        let known =
            self.site.areas.iter().map(|area| {
                (area.id.clone(), self.estimator.occupancy(&area.id).and_then(|occupancy| occupancy.shown()))
            });
        self.recent.push((flows.clone(), known.collect()));
        if self.recent.len() > self.settings.mean_steps.max(1) {
            self.recent.remove(0);
        }
        for area in &self.site.areas {
            let load = self.load(area);
            if let Some(steady) = self.steady.get_mut(&area.id) {
                *steady = steady.after(&area.thresholds, area, &load, length_s);
            }
        }
    }

    fn empty_the_closed(&mut self) {
        let is_closed = |area: &Area| area.closed.is_some_and(|hours| hours.contain(self.at, &self.zone));
        let closed: Vec<AreaId> = self.site.areas.iter().filter(|area| is_closed(area)).map(|a| a.id.clone()).collect();
        for area in &closed {
            self.estimator.empty(area);
        }
        if !closed.is_empty() && self.site.leaves().all(is_closed) {
            self.counters.restart_conservation();
        }
    }

    fn load(&self, area: &Area) -> Load {
        let persons = self.estimator.occupancy(&area.id).and_then(|occupancy| occupancy.shown());
        Load { persons, specific_flow_ped_m_min: self.busiest(area).map(|(flow, _)| flow) }
    }

    /// Specific flow and counterflow of the busiest measured gate of an area, over the last steps.
    fn busiest(&self, area: &Area) -> Option<(f64, Option<f64>)> {
        let of_gate = |gate: &super::Gate| {
            let (forward, backward, length_s) = self.passed(gate).filter(|_| gate.is_walked())?;
            let specific = flow::specific_flow_ped_m_min(forward + backward, gate.width_m, length_s)?;
            Some((specific, flow::counterflow_ratio(forward, backward)))
        };
        let flows = self.gates_of(area).filter_map(of_gate);
        flows.max_by(|one, other| one.0.total_cmp(&other.0))
    }

    fn gates_of<'a>(&'a self, area: &'a Area) -> impl Iterator<Item = &'a super::Gate> {
        let leaves: Vec<&str> = self.site.leaves_of(&area.id).iter().map(|leaf| leaf.id.as_str()).collect();
        let inside = move |side: &super::Side| side.area().is_some_and(|id| leaves.contains(&id));
        // A gate between two parts of an area does not lead into or out of it.
        self.site.gates.iter().filter(move |gate| inside(&gate.from) != inside(&gate.to))
    }

    /// Persons forward and backward through a gate in the last steps, and their time; `None` while it is unknown.
    fn passed(&self, gate: &super::Gate) -> Option<(f64, f64, f64)> {
        let flows = self.recent.iter().map(|(flows, _)| flows.get(&gate.id));
        let known: Option<Vec<_>> = flows.map(|flow| flow.filter(|flow| flow.status != FlowStatus::Unknown)).collect();
        let known = known.filter(|known| !known.is_empty())?;
        Some(
            known.iter().fold((0.0, 0.0, 0.0), |sum, flow| {
                (sum.0 + flow.forward, sum.1 + flow.backward, sum.2 + flow.length_s)
            }),
        )
    }

    fn raise(&mut self, problems: &mut Vec<Problem>) -> Vec<(AreaId, AlertHappening)> {
        // Without a projection, what is there now still raises an alert.
        let projection = self.project(&self.decided).map_err(|problem| problems.push(problem)).ok();
        let mut happened = Vec::new();
        for area in &self.site.areas {
            let colour = self.colour(&area.id);
            let ahead = projection.as_ref().and_then(|projection| projection.areas.get(&area.id));
            let probability = ahead.and_then(|ahead| ahead.probability(Colour::Red, self.settings.alert_within_min));
            let because = area.thresholds.colour(area, &self.load(area), 0.0).1;
            let event = AlertEvent::Seen { colour, probability, because };
            let Some(alert) = self.alerts.get_mut(&area.id) else { continue };
            match alert.after(&event, self.at, &self.settings.alerts) {
                Ok((next, what)) => {
                    *alert = next;
                    happened.extend(what.into_iter().map(|what| (area.id.clone(), what)));
                }
                Err(problem) => problems.push(problem),
            }
        }
        self.projection = projection;
        happened
    }

    /// What a person does to an area's alert (acknowledge, close).
    ///
    /// # Errors
    /// As [`Alert::after`]; an area that does not exist.
    pub fn decide(&mut self, area: &str, event: &AlertEvent, at: Timestamp) -> Result<Vec<AlertHappening>, Problem> {
        let Some(alert) = self.alerts.get_mut(area) else {
            return Err(Problem::new(format!("area \"{area}\""), "is no area of this site", "name one"));
        };
        let (next, happened) = alert.after(event, at, &self.settings.alerts)?;
        *alert = next;
        Ok(happened)
    }

    /// The alert of an area, open or quiet.
    #[must_use]
    pub fn alert(&self, area: &str) -> Option<&Alert> {
        self.alerts.get(area)
    }

    /// Puts back an alert that was stored, after a restart.
    pub fn restore_alert(&mut self, alert: Alert) {
        if self.alerts.contains_key(&alert.area) {
            self.alerts.insert(alert.area.clone(), alert);
        }
    }

    /// An area's colour, with hysteresis.
    #[must_use]
    pub fn colour(&self, area: &str) -> Colour {
        self.steady.get(area).map_or(Colour::Unknown, |steady| steady.colour)
    }

    /// Doubts about counters since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.counters.take_findings()
    }

    /// What a projection starts from now.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        Outlook { departures: self.departures.clone(), ..self.trends.outlook(&self.estimator, self.at) }
    }

    /// The next hour, with a plan.
    ///
    /// # Errors
    /// As [`project`].
    pub fn project(&self, plan: &Plan) -> Result<Projection, Problem> {
        project(&self.site, &self.outlook(), plan, &self.bands, &self.settings.risk)
    }

    /// What a plan changes.
    ///
    /// # Errors
    /// As [`project`].
    pub fn what_if(&self, plan: &Plan) -> Result<Comparison, Problem> {
        what_if(&self.site, &self.outlook(), plan, &self.bands, &self.settings.risk)
    }

    /// The estimate behind the pictures.
    #[must_use]
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// One area now; `None` for an area that does not exist.
    #[must_use]
    pub fn picture(&self, area: &str) -> Option<AreaPicture> {
        let area = self.site.area(area)?;
        let occupancy = self.estimator.occupancy(&area.id)?;
        let persons = occupancy.shown();
        let density_m2 = persons.and_then(|persons| flow::density_m2(persons, area.surface_m2));
        let (inflow, outflow) = self.in_and_out(area).unzip();
        let busiest = self.busiest(area);
        let net = inflow.zip(outflow).map(|(inflow, outflow)| inflow - outflow);
        let to_capacity = persons.zip(net);
        Some(AreaPicture {
            density_m2,
            density_sd_m2: density_m2.map(|_| occupancy.sd_persons / area.surface_m2),
            speed_m_s: density_m2.map(|density| area.diagram.speed_m_s(density)),
            level_of_service: density_m2.map(|density| LevelOfService::of_density(area.used_as, density)),
            inflow_per_min: inflow,
            outflow_per_min: outflow,
            specific_flow_ped_m_min: busiest.map(|(flow, _)| flow),
            counterflow_ratio: busiest.and_then(|(_, ratio)| ratio),
            time_to_capacity_min: to_capacity
                .and_then(|(persons, net)| flow::time_to_capacity_min(persons, area.capacity_persons, net)),
            rise_per_min: self.rise(area),
            colour: self.colour(&area.id),
            occupancy,
        })
    }

    /// Persons in and out a minute through the gates of an area.
    fn in_and_out(&self, area: &Area) -> Option<(f64, f64)> {
        let leaves: Vec<&str> = self.site.leaves_of(&area.id).iter().map(|leaf| leaf.id.as_str()).collect();
        let (mut inflow, mut outflow) = (0.0, 0.0);
        let mut gates = self.gates_of(area).peekable();
        gates.peek()?;
        for gate in gates {
            let (forward, backward, length_s) = self.passed(gate)?;
            let leads_in = gate.to.area().is_some_and(|id| leaves.contains(&id));
            let (enter, leave) = if leads_in { (forward, backward) } else { (backward, forward) };
            inflow += enter / length_s * 60.0;
            outflow += leave / length_s * 60.0;
        }
        Some((inflow, outflow))
    }

    fn rise(&self, area: &Area) -> Option<f64> {
        let (first, last) = (self.recent.first()?, self.recent.last()?);
        let minutes: f64 =
            self.recent.iter().skip(1).filter_map(|(flows, _)| Some(flows.values().next()?.length_s / 60.0)).sum();
        let (before, after) = (first.1.get(&area.id).copied()??, last.1.get(&area.id).copied()??);
        (minutes > 0.0).then(|| (after - before) / minutes)
    }
}

#[cfg(test)]
mod tests;
