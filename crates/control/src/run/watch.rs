//! The estimate of a run, in the words of the control room, with small counts left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use model::{Problem, Timestamp};
use support::crowd::{
    self, Alert, AlertEvent, AlertHappening, AreaProjection, Cell, Colour, CounterSettings, Direction, FlowStatus,
    Gate, Knowledge, Live, LiveSettings, Mark, Planned, Site, StepFlows, Suppressed, Suppressor,
};

use super::{
    counters::{Counters, Reported},
    expected::Expected,
    reason::{self, Reason},
};
use crate::{
    Ahead, Amount, AreaPicture, AreaThresholds, Body, ConditionPicture, Difference, GatePicture, GateStatus, Measure,
    MeasureKind, Plan, RunRecord, site_of,
};

/// The minutes ahead that are shown of an area.
const SHOWN_AHEAD_MIN: [usize; 3] = [15, 30, 60];
/// The minutes ahead that are shown of what a measure changes.
const COMPARED_AHEAD_MIN: [usize; 12] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];

/// Red predicted within this time raises an alert, min, as [`LiveSettings::alert_within_min`] has it.
const ALERT_WITHIN_MIN: usize = 30;
/// Over how many minutes flows are means, as [`LiveSettings::mean_steps`] has it.
const MEAN_MIN: f64 = 5.0;

/// What a step brought.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub areas: Vec<AreaPicture>,
    pub gates: Vec<GatePicture>,
    pub conditions: Vec<ConditionPicture>,
    pub happened: Vec<(String, AlertHappening)>,
}

/// Watches the site of a plan.
pub(super) struct Watch {
    site: Site,
    names: BTreeMap<(&'static str, String), String>,
    live: Live,
    simulated: bool,
    expected: Expected,
    suppressor: Suppressor,
    /// What could be shown of the areas the step before.
    before: Suppressed,
    /// What was done to the counts of this step, by gate or area.
    marks: BTreeMap<String, BTreeSet<&'static str>>,
    /// Why the last count of a gate that could not be used was not.
    refused: BTreeMap<String, &'static str>,
}

impl Watch {
    /// From a moment on. Counts are taken in by then, so that nothing is waited for here.
    pub(super) fn new(plan: &Plan, run: &RunRecord, at: Timestamp, zone: TimeZone) -> Self {
        let (site, _) = site_of(plan);
        let names = plan.parts.iter().map(|part| ((part.body.kind(), part.key.clone()), part.body.name().to_owned()));
        let usual = CounterSettings::default();
        // A counter that reports seldom is not silent between two of its counts.
        let bridge_s = f64::from(Counters::period_s_max(plan)) + 120.0;
        let counters = CounterSettings { wait_s: 0.0, bridge_s: usual.bridge_s.max(bridge_s), ..usual };
        let settings = LiveSettings { counters, ..LiveSettings::default() };
        let start = if run.began_empty { crowd::Start::Empty } else { crowd::Start::Unknown };
        let live = Live::new(&site, settings, at, start, zone);
        Self {
            names: names.collect(),
            expected: Expected::new(plan, &site),
            site,
            live,
            simulated: run.simulated,
            suppressor: Suppressor::default(),
            before: Suppressed::new(),
            marks: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Takes what a minute brought and gives the picture at its end.
    pub(super) fn step(&mut self, reported: Reported, decided: &[Measure], at: Timestamp) -> Seen {
        self.take(&reported, decided, at);
        self.live.set_bands(self.expected.bands(at));
        self.live.set_departures(self.expected.departures(at));
        self.live.set_decided(planned(decided));
        let (steps, problems) = self.live.advance(at);
        for problem in problems {
            tracing::debug!(%problem, "something in a step was not used");
        }
        let Some(last) = steps.last() else { return Seen::default() };
        for finding in self.live.take_findings() {
            self.marks.entry(finding.thing).or_default().insert(code(finding.mark));
        }
        let cells = self.cells();
        let areas = self.site.areas.iter().filter_map(|area| self.area(area, &cells));
        let gates = self.site.gates.iter().map(|gate| self.gate(gate, &last.flows, &cells));
        let (areas, gates) = (areas.collect(), gates.collect());
        let happened = steps.iter().flat_map(|step| step.alerts.iter().cloned()).collect();
        self.before = cells;
        Seen { areas, gates, conditions: reported.conditions, happened }
    }

    /// Lives again through a minute of which the picture was kept, or that nobody watched: nothing is looked ahead to,
    /// and nothing raised.
    pub(super) fn relive(&mut self, reported: &Reported, decided: &[Measure], at: Timestamp) {
        self.take(reported, decided, at);
        for problem in self.live.catch_up(at) {
            tracing::debug!(%problem, "something in a step was not used");
        }
        self.live.take_findings();
        self.before = self.cells();
    }

    /// Puts back an alert that was open when the server stopped.
    pub(super) fn restore(&mut self, alert: Alert) {
        self.live.restore_alert(alert);
    }

    /// Takes readings and counts, and remembers what was done to them.
    fn take(&mut self, reported: &Reported, decided: &[Measure], at: Timestamp) {
        self.marks.clear();
        for reading in &reported.readings {
            let gate = &reading.counter;
            match self.live.observe(reading, at) {
                Ok(marks) => self.marks.entry(gate.clone()).or_default().extend(marks.into_iter().map(code)),
                Err(problem) => {
                    tracing::debug!(%problem, "a reading was not used");
                    let why = self.live.take_findings().into_iter().rfind(|finding| finding.thing == *gate);
                    let why = why.map(|finding| code(finding.mark));
                    let why = why.or_else(|| self.refused.get(gate).copied()).unwrap_or("conflict");
                    self.refused.insert(gate.clone(), why);
                    self.marks.entry(gate.clone()).or_default().insert(why);
                }
            }
        }
        for count in &reported.counts {
            self.live.count(count.clone());
        }
        for (area, why) in &reported.refused {
            self.marks.entry(area.clone()).or_default().insert(why);
        }
        // At a gate that is closed, nobody passes: its zeros are no silent counter.
        let closed = decided.iter().filter(|measure| measure.kind == MeasureKind::Close && measure.holds(at));
        self.live.set_closed(closed.filter_map(|measure| measure.gate.clone()).collect());
    }

    /// What may be shown of the areas now.
    fn cells(&self) -> Suppressed {
        let persons = self.site.areas.iter().map(|area| {
            let occupancy = self.live.estimator().occupancy(&area.id);
            (area.id.clone(), occupancy.and_then(|occupancy| occupancy.shown()))
        });
        self.suppressor.areas(&self.site, &persons.collect())
    }

    /// What was done to the counts of a gate or an area in this step, each once.
    fn marks(&self, key: &str, more: impl Iterator<Item = &'static str>) -> Vec<String> {
        let mut marks = self.marks.get(key).cloned().unwrap_or_default();
        marks.extend(more);
        marks.into_iter().map(str::to_owned).collect()
    }

    fn name(&self, kind: &'static str, key: &str) -> String {
        self.names.get(&(kind, key.to_owned())).cloned().unwrap_or_else(|| key.to_owned())
    }

    fn area(&self, area: &crowd::Area, cells: &Suppressed) -> Option<AreaPicture> {
        let seen = self.live.picture(&area.id)?;
        let cell = cells.get(&area.id).copied().unwrap_or(Cell::Unknown);
        let before = self.before.get(&area.id).copied().unwrap_or(Cell::Unknown);
        let told = |value: Option<f64>| value.filter(|_| matches!(cell, Cell::Shown(_)));
        // A change between two moments tells of both.
        let moved = |value: Option<f64>| told(value).filter(|_| before != Cell::Suppressed);
        let occupancy = match cell {
            Cell::Shown(value) => Some(Amount { value, sd: self.coarse(seen.occupancy.sd_persons) }),
            Cell::Suppressed | Cell::Unknown => None,
        };
        // Whatever follows from the number of persons is computed from the number that is told.
        let density = occupancy.map(|amount| amount.value / area.surface_m2);
        let because = area.thresholds.colour(
            area,
            &crowd::Load { persons: seen.occupancy.shown(), specific_flow_ped_m_min: seen.specific_flow_ped_m_min },
            area.thresholds.hysteresis_share,
        );
        let passing = |per_min: Option<f64>| moved(per_min.and_then(|per_min| self.passing(per_min)));
        let (inflow, outflow) = (passing(seen.inflow_per_min), passing(seen.outflow_per_min));
        let rise = passing(seen.rise_per_min);
        let ahead = self.live.projection().and_then(|projection| projection.areas.get(&area.id));
        Some(AreaPicture {
            key: area.id.clone(),
            name: self.name("area", &area.id),
            colour: seen.colour,
            because: because.1.filter(|_| seen.colour > Colour::Green),
            suppressed: cell == Cell::Suppressed,
            occupancy,
            made: self.making(&seen.occupancy),
            capacity_persons: area.capacity_persons,
            thresholds: AreaThresholds::of(area),
            density_m2: density,
            level_of_service: density.map(|density| crowd::LevelOfService::of_density(area.used_as, density)),
            specific_flow_ped_m_min: moved(seen.specific_flow_ped_m_min.and_then(|flow| self.specific(area, flow))),
            speed_m_s: density.map(|density| rounded(area.diagram.speed_m_s(density))),
            inflow_per_min: inflow,
            outflow_per_min: outflow,
            rise_per_min: rise,
            // From what is shown, so that it tells no more than that.
            minutes_to_capacity: rise.zip(occupancy).and_then(|(rise, amount)| {
                crowd::flow::time_to_capacity_min(amount.value, area.capacity_persons, rise).map(f64::round)
            }),
            counterflow_share: inflow.and(outflow).and(seen.counterflow_ratio).map(rounded),
            unknown_because: (cell == Cell::Unknown).then(|| self.unknown_because(&seen.occupancy)),
            marks: self.marks(&area.id, std::iter::empty()),
            coming: ahead.map(|ahead| self.ahead(area, ahead, &SHOWN_AHEAD_MIN)).unwrap_or_default(),
        })
    }

    /// An uncertainty of persons, up to the next whole smallest count: how sure an estimate is follows from how many were
    /// counted, so a finer one would tell them.
    fn coarse(&self, sd_persons: f64) -> f64 {
        let least = f64::from(self.suppressor.minimum.max(1));
        (sd_persons / least).ceil() * least
    }

    /// Persons a minute, a mean over some minutes, when enough of them passed in those; in steps of the smallest count.
    fn passing(&self, per_min: f64) -> Option<f64> {
        let (least, minutes) = (f64::from(self.suppressor.minimum), MEAN_MIN);
        let persons = per_min * minutes;
        (persons.abs() >= least).then(|| (persons / least).round() * least / minutes)
    }

    /// The specific flow of the busiest gate of an area, whole, when it is enough persons at its narrowest gate.
    fn specific(&self, area: &crowd::Area, flow: f64) -> Option<f64> {
        let beside =
            |gate: &&Gate| gate.is_walked() && [gate.from.area(), gate.to.area()].contains(&Some(area.id.as_str()));
        let narrowest = self.site.gates.iter().filter(beside).map(|gate| gate.width_m).fold(f64::INFINITY, f64::min);
        let persons = flow * narrowest * MEAN_MIN;
        (persons.is_finite() && persons >= f64::from(self.suppressor.minimum)).then(|| flow.round())
    }

    /// How an occupancy was made, as codes.
    fn making(&self, occupancy: &crowd::Occupancy) -> Vec<String> {
        let mut codes = vec!["conservation"];
        match occupancy.made.anchor {
            crowd::Anchor::Start => {}
            crowd::Anchor::Closed => codes.push("reset"),
            crowd::Anchor::Count(_) => codes.push("area-count"),
            crowd::Anchor::WalkingTime => codes.push("walking-time"),
        }
        if occupancy.made.corrections > 0 {
            codes.push("drift-corrected");
        }
        if occupancy.knowledge == Knowledge::Bridged {
            codes.push("bridged");
        }
        if self.simulated {
            codes.push("simulated");
        }
        codes.into_iter().map(str::to_owned).collect()
    }

    fn unknown_because(&self, occupancy: &crowd::Occupancy) -> String {
        let code = if occupancy.made.gates_blind.is_empty() { "too-uncertain" } else { "gate-silent" };
        code.to_owned()
    }

    fn ahead(&self, area: &crowd::Area, projection: &AreaProjection, minutes: &[usize]) -> Vec<Ahead> {
        let least = f64::from(self.suppressor.minimum);
        let persons = |line: &[f64], minute: usize| {
            let value = line.get(minute.checked_sub(1)?).copied()?;
            (value >= least).then(|| (value / least).round() * least)
        };
        let probability = |colour, minute| projection.probability(colour, minute).map(|p| (p * 100.0).round() / 100.0);
        minutes
            .iter()
            .map(|minute| {
                let median = minute.checked_sub(1).and_then(|place| projection.p50.get(place)).copied();
                let flow = minute.checked_sub(1).and_then(|place| projection.flow_p50.get(place)).copied();
                let load = crowd::Load { persons: median, specific_flow_ped_m_min: flow };
                Ahead {
                    in_min: u32::try_from(*minute).unwrap_or(u32::MAX),
                    colour: area.thresholds.colour(area, &load, 0.0).0,
                    probability_amber: probability(Colour::Amber, *minute),
                    probability_red: probability(Colour::Red, *minute),
                    p10: persons(&projection.p10, *minute),
                    p50: persons(&projection.p50, *minute),
                    p90: persons(&projection.p90, *minute),
                }
            })
            .collect()
    }

    fn gate(&self, gate: &Gate, flows: &StepFlows, cells: &Suppressed) -> GatePicture {
        let flow = flows.get(&gate.id);
        let status = match flow.map(|flow| flow.status) {
            Some(FlowStatus::Measured) => GateStatus::Counted,
            Some(FlowStatus::Bridged) => GateStatus::Bridged,
            Some(FlowStatus::Unknown) | None => GateStatus::Unknown,
        };
        let known = flow.filter(|_| status != GateStatus::Unknown);
        // A few people through a gate in a minute are few people: the same rule as for areas.
        let shown = |persons: Option<f64>| match self.suppressor.gate(gate, persons, &self.before, cells) {
            Cell::Shown(value) => Some(value),
            Cell::Suppressed | Cell::Unknown => None,
        };
        let forward = shown(known.map(|flow| flow.forward));
        let backward = shown(known.map(|flow| flow.backward));
        let both = shown(known.map(|flow| flow.forward + flow.backward));
        GatePicture {
            key: gate.id.clone(),
            name: self.name("gate", &gate.id),
            status,
            forward_per_min: forward,
            backward_per_min: backward,
            specific_flow_ped_m_min: both.filter(|_| gate.is_walked()).map(|persons| rounded(persons / gate.width_m)),
            width_m: gate.width_m,
            marks: self.marks(&gate.id, flow.into_iter().flat_map(|flow| flow.marks.iter().map(|mark| code(*mark)))),
        }
    }

    /// What more measures would change, beside those that were decided already.
    ///
    /// # Errors
    /// Measures that do not fit the site.
    pub(super) fn differences(&self, decided: &[Measure], all: &[Measure]) -> Result<Vec<Difference>, Problem> {
        let (without, with) = (self.live.project(&planned(decided))?, self.live.project(&planned(all))?);
        let differences = self.site.areas.iter().filter_map(|area| {
            let (without, with) = (without.areas.get(&area.id)?, with.areas.get(&area.id)?);
            Some(Difference {
                key: area.id.clone(),
                name: self.name("area", &area.id),
                without: self.ahead(area, without, &COMPARED_AHEAD_MIN),
                with: self.ahead(area, with, &COMPARED_AHEAD_MIN),
            })
        });
        Ok(differences.collect())
    }

    /// Whether a measure is of gates and areas of this site.
    pub(super) fn fits(&self, measure: &Measure) -> bool {
        planned(std::slice::from_ref(measure)).check(&self.site).is_ok()
    }

    /// What a person does to the alert of an area.
    ///
    /// # Errors
    /// It is not open, or a name or a reason is missing.
    pub(super) fn decide(
        &mut self,
        area: &str,
        event: &AlertEvent,
        at: Timestamp,
    ) -> Result<Vec<AlertHappening>, Problem> {
        self.live.decide(area, event, at)
    }

    /// What decides that an area is red now, or is predicted to be.
    pub(super) fn because(&self, area: &str, is_now: bool) -> Option<Reason> {
        let (area, seen) = (self.site.area(area)?, self.live.picture(area)?);
        let load =
            crowd::Load { persons: seen.occupancy.shown(), specific_flow_ped_m_min: seen.specific_flow_ped_m_min };
        let ahead = self.live.projection().and_then(|projection| projection.areas.get(&area.id));
        match ahead.filter(|_| !is_now) {
            Some(ahead) => reason::ahead(area, &load, ahead, ALERT_WITHIN_MIN),
            None => reason::now(area, &load),
        }
    }
}

/// One digit after the point: more would pretend to know.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn code(mark: Mark) -> &'static str {
    match mark {
        Mark::Reset => "reset",
        Mark::Duplicate => "duplicate",
        Mark::Conflict => "conflict",
        Mark::Late => "late",
        Mark::TooLate => "too-late",
        Mark::ClockJump => "clock-jump",
        Mark::Negative => "negative",
        Mark::BeyondCapacity => "beyond-capacity",
        Mark::OutsideProfile => "outside-profile",
        Mark::Stuck => "stuck",
        Mark::SilentZero => "silent-zero",
        Mark::Bridged => "bridged",
        Mark::Unknown => "unknown",
        Mark::SwapSuspected => "swap-suspected",
        Mark::Spread => "spread",
    }
}

/// Measures as the projection knows them.
fn planned(measures: &[Measure]) -> crowd::Plan {
    crowd::Plan { measures: measures.iter().filter_map(one).collect() }
}

fn one(measure: &Measure) -> Option<Planned> {
    let direction = Direction::Forward;
    let gate = measure.gate.clone();
    let kind = match measure.kind {
        MeasureKind::Close => crowd::Measure::Close { gate: gate? },
        MeasureKind::Divert => {
            crowd::Measure::Divert { gate: gate?, direction, to: measure.to_gate.clone()?, share: measure.share? }
        }
        MeasureKind::Dose => crowd::Measure::Dose { gate: gate?, direction, per_min: measure.per_min? },
        MeasureKind::ExtraTransport => {
            crowd::Measure::ExtraTransport { area: measure.area.clone()?, per_min: measure.per_min? }
        }
        MeasureKind::Message => crowd::Measure::ComeLater { share: measure.share?, later_min: measure.later_min? },
        MeasureKind::OneWay => crowd::Measure::OneWay { gate: gate?, direction },
    };
    Some(Planned { measure: kind, from: measure.from, until: measure.until })
}

/// The names of the areas of a plan.
pub(super) fn area_names(plan: &Plan) -> BTreeMap<String, String> {
    let areas = plan.parts.iter().filter_map(|part| match &part.body {
        Body::Area(area) => Some((part.key.clone(), area.name.clone())),
        _ => None,
    });
    areas.collect()
}

#[cfg(test)]
mod tests {
    use model::{Tenant, Timestamp};
    use serde_json::json;
    use store::{Store, StoreOptions, Transaction};
    use support::crowd::{Counts, Reading};

    use super::*;
    use crate::{EventFacts, events};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros((1_787_000_000 + minutes * 60) * 1_000_000)
    }

    /// Watches a square with one gate, through which so many come in each minute.
    fn watched(each_minute: &[f64]) -> Vec<Seen> {
        let facts = EventFacts { name: "Plein".into(), from: at(0), until: at(600), notes: String::new() };
        let outline =
            json!({ "type": "Polygon", "coordinates": [[[4.0, 52.0], [4.001, 52.0], [4.001, 52.001], [4.0, 52.0]]] });
        let area = json!({ "name": "Plein", "outline": outline, "surfaceM2": 500.0, "capacityPersons": 800.0 });
        let line = json!({ "type": "LineString", "coordinates": [[4.0, 52.0], [4.0001, 52.0]] });
        let gate = json!({ "name": "Poort", "line": line, "widthM": 4.0, "to": "plein" });
        let parts = vec![("area".into(), "plein".into(), area), ("gate".into(), "poort".into(), gate)];
        let (store, tenant) = (Store::in_memory(&StoreOptions::default()).unwrap(), Tenant::default());
        let mut tx = Transaction::new(tenant.clone());
        events::add_whole(&mut tx, "plein", facts, parts, ("anna", at(0))).unwrap();
        store.commit_blocking(tx).unwrap();
        let plan = events::plan(&store.snapshot().unwrap(), &tenant, "plein").unwrap();
        let run = json!({ "event": "plein", "id": "1", "kind": "rehearsal", "simulated": true, "state": "running",
            "speed": 60.0, "at": at(0), "beganEmpty": true, "startedAt": at(0), "startedBy": "anna" });
        let mut watch = Watch::new(&plan, &serde_json::from_value(run).unwrap(), at(0), TimeZone::UTC);
        let steps = (0i64..).zip(each_minute).map(|(minute, forward)| {
            let counts = Counts::Interval { forward: *forward, backward: 0.0 };
            let reading = Reading { counter: "poort".into(), start: at(minute), length_s: 60.0, counts };
            let reported = Reported { readings: vec![reading], ..Reported::default() };
            watch.step(reported, &[], at(minute + 1))
        });
        steps.collect()
    }

    #[test]
    fn neither_a_count_nor_a_change_of_fewer_than_ten_persons_can_be_read_off() {
        for seen in watched(&[3.0, 2.0, 3.0, 0.0, 1.0, 40.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]) {
            let area = &seen.areas[0];
            let told = [area.occupancy.map(|amount| amount.value)];
            let passed =
                [area.inflow_per_min, area.outflow_per_min, area.rise_per_min].map(|flow| flow.map(|f| f * MEAN_MIN));
            let gate = [seen.gates[0].forward_per_min, seen.gates[0].backward_per_min];
            for persons in told.into_iter().chain(passed).chain(gate).flatten() {
                assert!(persons.abs() >= 10.0 && (persons / 10.0).fract().abs() < 1e-9, "{persons}: {area:?}");
            }
        }
    }

    #[test]
    fn many_people_are_shown_with_their_flow_and_the_time_that_is_left() {
        let seen = watched(&[40.0; 10]);
        let area = &seen.last().unwrap().areas[0];
        assert_eq!(area.occupancy.map(|amount| amount.value), Some(400.0));
        assert_eq!(
            (area.inflow_per_min, area.rise_per_min, area.minutes_to_capacity),
            (Some(40.0), Some(40.0), Some(10.0))
        );
        assert_eq!(area.specific_flow_ped_m_min, Some(10.0));
    }
}
