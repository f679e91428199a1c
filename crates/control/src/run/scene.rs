//! Where the counts of a run come from: simulated visitors in a rehearsal, the counters of the city in a live run.

use std::collections::BTreeMap;

use model::{Change, Tenant, Timestamp};
use store::Store;
use support::{
    crowd::Site,
    visitors::{Draw, Steering, Visitors},
};

use super::counters::{Counters, Reported};
use crate::{Body, ControlError, Measure, MeasureKind, Plan, RunKind, room::Start};

/// The share of the visitors that the counters of a rehearsal miss, as real ones do.
const MISSED_SHARE: f64 = 0.03;

/// Where counts come from.
pub(super) enum Scene {
    Rehearsal(Box<Rehearsal>),
    Live(Box<Counters>),
}

impl Scene {
    pub(super) fn new(plan: &Plan, store: &Store, tenant: &Tenant, from: Timestamp, start: Start) -> Self {
        match start.kind {
            RunKind::Rehearsal => Self::Rehearsal(Box::new(Rehearsal::new(plan, from, start))),
            RunKind::Live => Self::Live(Box::new(Counters::new(plan, store, tenant))),
        }
    }

    /// What the minute from `start` brought. `now` is the city's time.
    pub(super) fn step(
        &mut self,
        start: Timestamp,
        now: Timestamp,
        measures: &[Measure],
    ) -> Result<Reported, ControlError> {
        match self {
            Self::Rehearsal(visitors) => Ok(visitors.step(start, measures)),
            Self::Live(counters) => Ok(counters.step(start.plus_micros(60_000_000), now)?),
        }
    }

    /// Takes note of what changed in the city; whether it concerns this run. `now` is the city's time.
    pub(super) fn hear(&mut self, changes: &[Change], now: Timestamp) -> bool {
        match self {
            Self::Rehearsal(_) => false,
            Self::Live(counters) => counters.hear(changes, now),
        }
    }

    /// Whether all that reports has reported on the minute up to `end`.
    pub(super) fn is_complete(&self, end: Timestamp) -> bool {
        match self {
            Self::Rehearsal(_) => true,
            Self::Live(counters) => counters.is_complete(end),
        }
    }
}

/// Simulated visitors of a plan.
pub(super) struct Rehearsal(Visitors);

impl Rehearsal {
    pub(super) fn new(plan: &Plan, from: Timestamp, start: Start) -> Self {
        let (site, _) = crate::site_of(plan);
        let shares = arrival_shares(plan);
        let draws = draws(plan, &site).map(|draw| Draw { visitors: draw.visitors * start.visitors_factor, ..draw });
        let draws = draws.collect();
        Self(Visitors::new(site, draws, &shares, MISSED_SHARE, from, start.seed))
    }

    /// What the counters saw in the minute from `start`.
    pub(super) fn step(&mut self, start: Timestamp, measures: &[Measure]) -> Reported {
        let readings = self.0.step(&steering(measures, start));
        Reported { readings, ..Reported::default() }
    }
}

/// What is on the programme, with how many are expected.
pub(super) fn draws<'a>(plan: &'a Plan, site: &'a Site) -> impl Iterator<Item = Draw> + 'a {
    plan.parts.iter().filter_map(|part| match &part.body {
        Body::Programme(item) if site.area(&item.area).is_some() => Some(Draw {
            area: item.area.clone(),
            from: item.from,
            until: item.until,
            visitors: item.visitors_expected,
            arrival_min_before: item.arrival_min_before,
        }),
        _ => None,
    })
}

/// The share of the arrivals by gate, where the plan gives one.
pub(super) fn arrival_shares(plan: &Plan) -> BTreeMap<String, f64> {
    let shares = plan.parts.iter().filter_map(|part| match &part.body {
        Body::Gate(gate) => Some((part.key.clone(), gate.arrival_share?)),
        _ => None,
    });
    shares.collect()
}

/// What measures do to simulated visitors at a moment.
pub(super) fn steering(measures: &[Measure], at: Timestamp) -> Steering {
    let mut steering = Steering::default();
    for measure in measures {
        if let (MeasureKind::Message, Some(share), Some(later_min)) = (measure.kind, measure.share, measure.later_min) {
            // Also when it is over: those who listened still come later.
            steering.messages.push((measure.from, measure.until, share, later_min));
            continue;
        }
        if !measure.holds(at) {
            continue;
        }
        match (measure.kind, measure.gate.clone()) {
            (MeasureKind::Close, Some(gate)) => drop(steering.closed.insert(gate)),
            (MeasureKind::OneWay, Some(gate)) => drop(steering.one_way.insert(gate)),
            (MeasureKind::Dose, Some(gate)) => {
                let dose = measure.per_min.unwrap_or(f64::INFINITY);
                let least = steering.dosed.entry(gate).or_insert(dose);
                *least = least.min(dose);
            }
            (MeasureKind::Divert, Some(gate)) => {
                let to = measure.to_gate.clone().unwrap_or_default();
                steering.diverted.push((gate, to, measure.share.unwrap_or_default()));
            }
            (MeasureKind::ExtraTransport, _) => {
                if let (Some(area), Some(per_min)) = (measure.area.clone(), measure.per_min) {
                    *steering.leaving.entry(area).or_default() += per_min;
                }
            }
            _ => {}
        }
    }
    steering
}
