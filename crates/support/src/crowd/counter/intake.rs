//! Takes readings as they come, closes step after step, and says what each gate let through.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Counts, Finding, FlowStatus, GateFlow, Mark, Reading, StepFlows,
    bridge::{Bridge, Likely},
    series::{Series, plus_s, step_of},
    swap::Ledger,
};
use crate::crowd::{CounterId, GateId, Site};

/// Fewer vehicles than these may well stay away by chance.
const VEHICLES_SILENT: f64 = 5.0;

/// How readings are judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CounterSettings {
    /// Length of a step, s.
    pub step_s: f64,
    /// How long after its end a step waits for its readings, s.
    pub wait_s: f64,
    /// For how long a silent gate is filled, s; after that it is unknown.
    pub bridge_s: f64,
    /// A reading that comes longer than this after its end is not used live, s.
    pub too_late_s: f64,
    /// How far ahead a counter's clock may be, s.
    pub ahead_s: f64,
    /// More persons per metre and minute than this cannot pass. 150 (2.5 ped/m/s) leaves room above the 1.9 ped/m/s that
    /// bottleneck experiments find (Seyfried et al. 2009).
    pub flow_max_ped_m_min: f64,
    /// The same counts (at least 5 persons) this many steps in a row are a stuck counter.
    pub stuck_steps: u32,
    /// Zeros while this many persons were expected are a silent counter; of vehicles, while five of them were.
    pub silent_persons: f64,
}

impl Default for CounterSettings {
    fn default() -> Self {
        Self {
            step_s: 60.0,
            wait_s: 30.0,
            bridge_s: 600.0,
            too_late_s: 3600.0,
            ahead_s: 60.0,
            flow_max_ped_m_min: 150.0,
            stuck_steps: 10,
            silent_persons: 20.0,
        }
    }
}

/// The counters of a site, from a stated moment on.
#[derive(Clone, Debug)]
pub struct Counters {
    settings: CounterSettings,
    site: Site,
    zone: TimeZone,
    origin: Timestamp,
    /// The number of the next step to close.
    next: i64,
    series: BTreeMap<CounterId, (usize, Series)>,
    /// What was used for closed steps, by gate and step, to know what late readings change.
    used: BTreeMap<(usize, i64), (f64, f64)>,
    late: BTreeMap<usize, (f64, f64)>,
    /// For how many steps each gate has been without measurement.
    missing: BTreeMap<usize, u32>,
    bridge: Bridge,
    ledger: Ledger,
    findings: Vec<Finding>,
    open: BTreeSet<(String, Mark)>,
    closed: BTreeSet<GateId>,
}

impl Counters {
    /// Counters of a checked site; steps start at `origin`. The time zone is that of the gates' weekly profiles.
    #[must_use]
    pub fn new(site: &Site, settings: CounterSettings, origin: Timestamp, zone: TimeZone) -> Self {
        let series = site.gates.iter().enumerate().flat_map(|(number, gate)| {
            gate.counters.iter().map(move |counter| (counter.clone(), (number, Series::default())))
        });
        Self {
            settings,
            site: site.clone(),
            zone,
            origin,
            next: 0,
            series: series.collect(),
            used: BTreeMap::new(),
            late: BTreeMap::new(),
            missing: BTreeMap::new(),
            bridge: Bridge::new(site),
            ledger: Ledger::default(),
            findings: Vec::new(),
            open: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    /// Takes a reading, and says what was done to it.
    ///
    /// # Errors
    /// When it was not used: a counter that no gate has, a negative count, a clock ahead, an interval that came before
    /// with other values, more than can pass, too late.
    pub fn accept(&mut self, reading: &Reading, received: Timestamp) -> Result<Vec<Mark>, Problem> {
        let Some((gate, series)) = self.series.get_mut(&reading.counter) else {
            let thing = format!("counter \"{}\"", reading.counter);
            return Err(Problem::new(thing, "belongs to no gate of this site", "name it at a gate"));
        };
        let gate = *gate;
        // Who arrives in a vehicle comes through no gate as wide as that.
        let width_m = if self.site.gates[gate].is_walked() { self.site.gates[gate].width_m } else { f64::INFINITY };
        let (passed, mut marks) = match series.pass(reading, received, width_m, &self.settings) {
            Ok(passed) => passed,
            Err((mark, problem)) => {
                self.find(reading.counter.clone(), reading.start, mark, problem.clone());
                return Err(problem);
            }
        };
        let Some(passed) = passed else { return Ok(marks) };
        let touched = series.lay(&passed, self.origin, self.settings.step_s);
        if touched.len() > 1 {
            marks.push(Mark::Spread);
        }
        let next = self.next;
        for step in touched.into_iter().filter(|step| *step < next) {
            marks.push(Mark::Late);
            self.add_late(gate, step);
        }
        marks.dedup();
        if matches!(reading.counts, Counts::Interval { .. } | Counts::Cumulative { .. }) {
            self.open.remove(&(reading.counter.clone(), Mark::ClockJump));
        }
        Ok(marks)
    }

    /// What a late reading changes in a step that was closed without it.
    fn add_late(&mut self, gate: usize, step: i64) {
        let (Some(total), Some(used)) = (self.measured(gate, step), self.used.get_mut(&(gate, step))) else { return };
        let late = self.late.entry(gate).or_default();
        late.0 += total.0 - used.0;
        late.1 += total.1 - used.1;
        *used = total;
    }

    /// The counts of a gate in a step, when all of its counters cover it; scaled to the whole step.
    fn measured(&self, gate: usize, step: i64) -> Option<(f64, f64)> {
        let counters = &self.site.gates[gate].counters;
        let parts = counters.iter().map(|counter| {
            let slot = self.series.get(counter)?.1.slots.get(&step)?;
            let covered = slot.covered_s / self.settings.step_s;
            (covered >= 0.9).then(|| (slot.counts.0 / covered.min(1.0), slot.counts.1 / covered.min(1.0)))
        });
        let parts: Option<Vec<(f64, f64)>> = parts.collect();
        parts
            .filter(|parts| !parts.is_empty())
            .map(|parts| parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
    }

    /// Closes every step whose waiting time is over at `now`; the flows of each, in order.
    pub fn close_until(&mut self, now: Timestamp) -> Vec<StepFlows> {
        let mut closed = Vec::new();
        while now.seconds_since(self.start_of(self.next + 1)) >= self.settings.wait_s {
            closed.push(self.close(self.next));
            self.next += 1;
        }
        closed
    }

    /// The findings since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// The gates that are closed from now on: zeros there are what is to be expected, not a fault. Without this, a gate
    /// that a measure closes would look like a silent counter.
    pub fn set_closed(&mut self, gates: BTreeSet<GateId>) {
        self.closed = gates;
    }

    /// All areas are known to be empty: conservation is judged afresh from here.
    pub fn restart_conservation(&mut self) {
        self.ledger = Ledger::default();
    }

    fn start_of(&self, step: i64) -> Timestamp {
        #[expect(clippy::cast_precision_loss, reason = "step numbers stay far below 2^53")]
        let seconds = step as f64 * self.settings.step_s;
        plus_s(self.origin, seconds)
    }

    fn close(&mut self, step: i64) -> StepFlows {
        let start = self.start_of(step);
        let slot = self.week_slot(start);
        let raw: Vec<Option<(f64, f64)>> = (0..self.site.gates.len()).map(|gate| self.measured(gate, step)).collect();
        let counts: Vec<Option<(f64, f64)>> =
            raw.iter().enumerate().map(|(gate, counts)| self.trusted(gate, *counts, &raw, slot, start)).collect();
        let mut flows = StepFlows::new();
        for gate in 0..self.site.gates.len() {
            let mut flow = self.flow(gate, start, &counts, slot);
            flow.late = self.late.remove(&gate).unwrap_or_default();
            if flow.late != (0.0, 0.0) {
                flow.marks.push(Mark::Late);
            }
            self.add_slot_marks(gate, step, &mut flow);
            self.used.insert((gate, step), (flow.forward, flow.backward));
            flows.insert(flow.gate.clone(), flow);
        }
        self.bridge.learn(&counts, slot, self.settings.step_s);
        self.look_for_swaps(step, &mut flows);
        self.forget(step);
        flows
    }

    fn add_slot_marks(&self, gate: usize, step: i64, flow: &mut GateFlow) {
        for counter in &self.site.gates[gate].counters {
            if let Some(slot) = self.series.get(counter).and_then(|(_, series)| series.slots.get(&step)) {
                flow.marks.extend(&slot.marks);
            }
        }
        flow.marks.sort_unstable();
        flow.marks.dedup();
    }

    /// Withdraws trust from a gate that repeats itself, or shows nothing where people must have passed.
    fn trusted(
        &mut self,
        gate: usize,
        counts: Option<(f64, f64)>,
        raw: &[Option<(f64, f64)>],
        slot: u16,
        start: Timestamp,
    ) -> Option<(f64, f64)> {
        let counts = counts?;
        let name = self.site.gates[gate].id.clone();
        let at_least = |is_forward| self.bridge.at_least((gate, is_forward), raw, slot);
        let expected = (at_least(true), at_least(false));
        let counter = self.site.gates[gate].counters.first()?.clone();
        let series = &mut self.series.get_mut(&counter)?.1;
        let repeats = if series.repeated.0 == counts { series.repeated.1 + 1 } else { 1 };
        series.repeated = (counts, repeats);
        let is_zero = counts.0 + counts.1 == 0.0 && !self.closed.contains(&name);
        let zero = &mut series.zero_expected;
        *zero = if is_zero { (zero.0 + expected.0, zero.1 + expected.1) } else { (0.0, 0.0) };
        let missed = *zero;
        let each = self.site.gates[gate].persons_each;
        // A timetable brings the same number of vehicles again and again.
        let is_stuck = each.is_none() && counts.0 + counts.1 >= 5.0 && repeats >= self.settings.stuck_steps;
        let silent_persons = self.settings.silent_persons.max(each.unwrap_or_default() * VEHICLES_SILENT);
        let is_silent = is_zero && missed.0 + missed.1 >= silent_persons;
        if is_stuck {
            let problem = Problem::new(
                format!("gate \"{name}\""),
                format!("the same counts {repeats} steps in a row"),
                "look at the counter; it is not used until it changes",
            );
            self.find(name, start, Mark::Stuck, problem);
        } else if is_silent {
            if !self.open.contains(&(name.clone(), Mark::SilentZero)) {
                // Zeros were believed until now: those who must have passed meanwhile are added once.
                let late = self.late.entry(gate).or_default();
                *late = (late.0 + missed.0 - expected.0, late.1 + missed.1 - expected.1);
            }
            let problem = Problem::new(
                format!("gate \"{name}\""),
                format!("zeros while about {:.0} persons were expected", missed.0 + missed.1),
                "look at the counter; it is not used until it counts again",
            );
            self.find(name, start, Mark::SilentZero, problem);
        } else {
            self.open.remove(&(name.clone(), Mark::Stuck));
            self.open.remove(&(name, Mark::SilentZero));
        }
        (!is_stuck && !is_silent).then_some(counts)
    }

    fn flow(&mut self, gate: usize, start: Timestamp, counts: &[Option<(f64, f64)>], slot: u16) -> GateFlow {
        let (settings, site_gate) = (self.settings, &self.site.gates[gate]);
        let mut flow = GateFlow {
            gate: site_gate.id.clone(),
            start,
            length_s: settings.step_s,
            forward: 0.0,
            backward: 0.0,
            sd_persons: 0.0,
            status: FlowStatus::Measured,
            late: (0.0, 0.0),
            marks: Vec::new(),
        };
        if let Some((forward, backward)) = counts[gate] {
            (flow.forward, flow.backward) = (forward, backward);
            self.missing.remove(&gate);
            self.open.remove(&(flow.gate.clone(), Mark::Unknown));
            let is_outside = |is_forward, count| self.bridge.is_outside((gate, is_forward), count, slot);
            if is_outside(true, forward) || is_outside(false, backward) {
                flow.marks.push(Mark::OutsideProfile);
                flow.sd_persons = 0.1 * (forward + backward);
            }
            return flow;
        }
        let most = site_gate.capacity_per_min() * settings.step_s / 60.0;
        let likely = |is_forward| self.bridge.likely((gate, is_forward), counts, slot);
        let (forward, backward) = (likely(true), likely(false));
        let persons = |likely: Option<Likely>| likely.unwrap_or_default().persons.min(most);
        (flow.forward, flow.backward) = (persons(forward), persons(backward));
        for (is_forward, likely, passed) in [(true, forward, flow.forward), (false, backward, flow.backward)] {
            self.bridge.hold_back((gate, is_forward), likely.unwrap_or_default().persons, passed);
        }
        let steps = self.missing.entry(gate).or_default();
        *steps += 1;
        let is_short = f64::from(*steps) * settings.step_s <= settings.bridge_s;
        let has_basis = forward.is_some() && backward.is_some();
        let sd_persons = |likely: Option<Likely>| likely.unwrap_or_default().sd_persons;
        let wider = sd_persons(forward).max(sd_persons(backward)).max(1.0);
        let unseen = if most.is_finite() { most / 4.0 } else { site_gate.persons_each.unwrap_or(1.0) };
        flow.sd_persons = if has_basis { wider } else { unseen };
        flow.status = if is_short && has_basis { FlowStatus::Bridged } else { FlowStatus::Unknown };
        flow.marks.push(if is_short && has_basis { Mark::Bridged } else { Mark::Unknown });
        if flow.status == FlowStatus::Unknown {
            let thing = format!("gate \"{}\"", flow.gate);
            let minutes = f64::from(*steps) * settings.step_s / 60.0;
            let problem =
                Problem::new(thing, format!("no usable readings for {minutes:.0} minutes"), "look at the counter");
            self.find(flow.gate.clone(), start, Mark::Unknown, problem);
        }
        flow
    }

    fn look_for_swaps(&mut self, step: i64, flows: &mut StepFlows) {
        let counts = self.site.gates.iter().map(|gate| {
            flows.get(&gate.id).map_or((0.0, 0.0), |flow| (flow.forward + flow.late.0, flow.backward + flow.late.1))
        });
        self.ledger.add(counts.collect());
        let found = if step % 5 == 0 { self.ledger.suspects(&self.site) } else { Vec::new() };
        for gate in self.ledger.suspected() {
            if let Some(flow) = flows.get_mut(&self.site.gates[gate].id) {
                flow.marks.push(Mark::SwapSuspected);
            }
        }
        for gate in found {
            let id = self.site.gates[gate].id.clone();
            let detail = "people would have left who never came; with its directions turned round it fits";
            let problem = Problem::new(format!("gate \"{id}\""), detail, "look at the counter; nothing was changed");
            let start = self.start_of(step);
            self.find(id, start, Mark::SwapSuspected, problem);
        }
    }

    fn forget(&mut self, step: i64) {
        let oldest = step - step_of(self.settings.too_late_s, self.settings.step_s) - 2;
        let moment = self.start_of(oldest);
        for (_, series) in self.series.values_mut() {
            series.forget_before(oldest, moment);
        }
        self.used.retain(|(_, step), _| *step >= oldest);
    }

    /// Each doubt is told once, until it is over.
    fn find(&mut self, thing: String, since: Timestamp, mark: Mark, problem: Problem) {
        let is_lasting = matches!(mark, Mark::Stuck | Mark::SilentZero | Mark::Unknown | Mark::ClockJump);
        if !is_lasting || self.open.insert((thing.clone(), mark)) {
            self.findings.push(Finding { thing, since, mark, problem });
        }
    }

    /// The quarter of an hour of the week, local time.
    fn week_slot(&self, at: Timestamp) -> u16 {
        let local = self.zone.to_datetime(at.into());
        let day = u16::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        let minute = u16::try_from(local.hour()).unwrap_or(0) * 60 + u16::try_from(local.minute()).unwrap_or(0);
        day * 96 + minute / 15
    }
}
