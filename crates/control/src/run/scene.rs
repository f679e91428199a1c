//! Where the counts of a run come from: simulated visitors in a rehearsal, the counters of the city in a live run.

use std::collections::BTreeMap;

use model::{EntityId, ObservedValue, SeriesKey, Tenant, Timestamp};
use store::{Order, Store, StoreError, TimeRange};
use support::{
    crowd::{Counts, Reading},
    visitors::{Draw, Steering, Visitors},
};

use crate::{Body, ControlError, CounterPart, Measure, MeasureKind, Plan, RunKind, room::Start};

/// The share of the visitors that the counters of a rehearsal miss, as real ones do.
const MISSED_SHARE: f64 = 0.03;

/// Where counts come from.
pub(super) enum Scene {
    Rehearsal(Box<Visitors>),
    Live(Counters),
}

impl Scene {
    pub(super) fn new(plan: &Plan, store: &Store, tenant: &Tenant, from: Timestamp, start: Start) -> Self {
        match start.kind {
            RunKind::Rehearsal => Self::Rehearsal(Box::new(visitors(plan, from, start))),
            RunKind::Live => Self::Live(Counters::new(plan, store, tenant)),
        }
    }

    /// The readings of the minute from `start`.
    pub(super) fn step(&mut self, start: Timestamp, measures: &[Measure]) -> Result<Vec<Reading>, ControlError> {
        match self {
            Self::Rehearsal(visitors) => Ok(visitors.step(&steering(measures, start))),
            Self::Live(counters) => Ok(counters.step(start)?),
        }
    }
}

fn visitors(plan: &Plan, from: Timestamp, start: Start) -> Visitors {
    let (site, _) = crate::site_of(plan);
    let draws = plan.parts.iter().filter_map(|part| match &part.body {
        Body::Programme(item) if site.area(&item.area).is_some() => Some(Draw {
            area: item.area.clone(),
            from: item.from,
            until: item.until,
            visitors: item.visitors_expected * start.visitors_factor,
            arrival_min_before: item.arrival_min_before,
        }),
        _ => None,
    });
    let shares = plan.parts.iter().filter_map(|part| match &part.body {
        Body::Gate(gate) => Some((part.key.clone(), gate.arrival_share?)),
        _ => None,
    });
    let (draws, shares) = (draws.collect(), shares.collect());
    Visitors::new(site, draws, &shares, MISSED_SHARE, from, start.seed)
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

/// The counters of the city that count at the gates of a plan, read from history.
pub(super) struct Counters {
    store: Store,
    tenant: Tenant,
    gates: Vec<(String, CounterPart)>,
    /// Up to where each gate's counts have been given.
    given: BTreeMap<String, Timestamp>,
}

impl Counters {
    fn new(plan: &Plan, store: &Store, tenant: &Tenant) -> Self {
        let gates = plan.parts.iter().filter_map(|part| match &part.body {
            Body::Gate(gate) => Some((part.key.clone(), gate.counter.clone()?)),
            _ => None,
        });
        Self { store: store.clone(), tenant: tenant.clone(), gates: gates.collect(), given: BTreeMap::new() }
    }

    /// What was counted since the last step, up to the end of the minute from `start`.
    fn step(&mut self, start: Timestamp) -> Result<Vec<Reading>, StoreError> {
        let end = start.plus_micros(60_000_000);
        let snapshot = self.store.snapshot()?;
        let history = snapshot.history();
        let mut readings = Vec::new();
        for (gate, counter) in &self.gates {
            let Ok(entity) = EntityId::parse(&counter.entity) else { continue };
            let series = history.series_of(&self.tenant, &entity)?;
            let from = self.given.get(gate).copied().unwrap_or(start);
            let range = TimeRange { from: Some(from.plus_micros(1)), to: Some(end.plus_micros(1)) };
            let mut moments: BTreeMap<Timestamp, (Option<f64>, Option<f64>)> = BTreeMap::new();
            for (name, is_forward) in [(&counter.in_attribute, true), (&counter.out_attribute, false)] {
                let Some(key) = series.iter().find(|key| is_named(key, name)).cloned() else { continue };
                for observed in history.range(&self.tenant, &[key], range, Order::Ascending, None)? {
                    let observed = observed?;
                    let ObservedValue::Number(count) = observed.value else { continue };
                    let moment = moments.entry(observed.at).or_default();
                    *(if is_forward { &mut moment.0 } else { &mut moment.1 }) = Some(count);
                }
            }
            let length_s = f64::from(counter.period_s);
            for (at, counted) in moments {
                // One direction without the other is half a count: nobody knows how many stayed.
                let (Some(forward), Some(backward)) = counted else { continue };
                let start = at.plus_micros(-i64::from(counter.period_s) * 1_000_000);
                let counts = Counts::Interval { forward, backward };
                readings.push(Reading { counter: gate.clone(), start, length_s, counts });
                self.given.insert(gate.clone(), at);
            }
        }
        Ok(readings)
    }
}

fn is_named(key: &SeriesKey, name: &str) -> bool {
    key.dataset_id.is_none() && (key.attribute.short() == name || key.attribute.as_str() == name)
}
