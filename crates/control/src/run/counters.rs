//! What the city reports in a live run: the counts at the gates and in the areas, and what is measured of threats. Knows
//! which gates have given their counts of a minute, so that a minute ends as soon as it is complete.

use std::collections::{BTreeMap, HashSet};

use model::{Change, Entity, EntityId, ObservedValue, SUPPRESSED, SeriesKey, Tenant, Timestamp};
use store::{History, Order, Store, StoreError, TimeRange};
use support::crowd::{AreaCount, CountKind, Counts, Reading};

use crate::{AreaCounterPart, Body, ConditionPart, ConditionPicture, CounterKind, CounterPart, Level, Plan};

/// How long a count may come after its end, s: what comes later is in the history only.
const LATE_S_MAX: i64 = 3_600;
/// A count of an area that is older than this corrects nothing, s.
const AREA_COUNT_AGE_S_MAX: i64 = 300;
/// What was measured of a threat is not known any more after this, s.
const CONDITION_AGE_S_MAX: f64 = 3.0 * 3_600.0;
/// A counter whose clock is further ahead than this is wrong, s.
const AHEAD_S_MAX: i64 = 60;
/// How far ahead counts are looked for, to tell that a clock is wrong, s.
const AHEAD_S_SEEN: i64 = 86_400;
/// The most counts of one counter that a step reads.
const ROWS_MAX: usize = 4_096;
/// A minute of which a counter lacks no more than this is complete, s.
const LACKING_S_MAX: f64 = 6.0;
/// How long after its end a minute may be waited for, s.
pub(super) const WAIT_S_MAX: f64 = 20.0;

/// What a minute brought.
#[derive(Default)]
pub(super) struct Reported {
    pub readings: Vec<Reading>,
    pub counts: Vec<AreaCount>,
    /// What could not be used of an area's counts: the area and why, as a code.
    pub refused: Vec<(String, &'static str)>,
    /// What is measured of threats.
    pub conditions: Vec<ConditionPicture>,
}

struct GateSource {
    gate: String,
    part: CounterPart,
    entity: EntityId,
    reach: Reach,
    /// What was given lately, by the end of each count: nothing is given twice, and what changed once more.
    given: BTreeMap<Timestamp, (f64, f64)>,
    /// The same of counts from a clock that is ahead, which are told once. When the city's clock comes there (in a replay
    /// that starts again it does), they are counts like others.
    ahead: BTreeMap<Timestamp, (f64, f64)>,
    /// The end of the newest count that was heard of.
    newest: Option<Timestamp>,
    /// It gave nothing for a minute that was waited for, and nothing since.
    is_silent: bool,
}

struct AreaSource {
    area: String,
    part: AreaCounterPart,
    entity: EntityId,
    reach: Reach,
    given: Option<Timestamp>,
}

/// Which numbers a source may use. Small counts are kept from everybody, and come out of the estimate rounded: that holds
/// only for persons that are counted once and as they are. What is multiplied, or shown as it is, would tell them.
#[derive(Clone, Copy)]
enum Reach {
    /// The exact ones, also where no request reads.
    Exact,
    /// Those that requests read too.
    Shown,
}

impl Reach {
    fn exact(is_exact: bool) -> Self {
        if is_exact { Self::Exact } else { Self::Shown }
    }
}

struct ConditionSource {
    key: String,
    name: String,
    part: ConditionPart,
    entity: EntityId,
}

/// The sources of a plan.
pub(super) struct Counters {
    store: Store,
    tenant: Tenant,
    /// Where the exact numbers of small counts are, and counters that are for estimates only.
    internal: Tenant,
    gates: Vec<GateSource>,
    areas: Vec<AreaSource>,
    conditions: Vec<ConditionSource>,
    counted: HashSet<EntityId>,
}

impl Counters {
    pub(super) fn new(plan: &Plan, store: &Store, tenant: &Tenant) -> Self {
        let mut all = Self {
            store: store.clone(),
            tenant: tenant.clone(),
            internal: tenant.internal(),
            gates: vec![],
            areas: vec![],
            conditions: vec![],
            counted: HashSet::new(),
        };
        for part in &plan.parts {
            all.add(&part.key, &part.body);
        }
        all
    }

    /// Ids were checked when the part was written: one that is none is passed over, and its gate stays silent.
    fn add(&mut self, key: &str, body: &Body) {
        match body {
            Body::Gate(gate) => {
                let Some(part) = gate.counter.clone() else { return };
                let Ok(entity) = EntityId::parse(&part.entity) else { return };
                self.counted.insert(entity.clone());
                let is_counted_twice = self.gates.iter().any(|other| other.part.shares(&part));
                let reach = Reach::exact(part.persons_each.is_none() && !is_counted_twice);
                let (given, ahead, gate) = (BTreeMap::new(), BTreeMap::new(), key.to_owned());
                self.gates.push(GateSource { gate, part, entity, reach, given, ahead, newest: None, is_silent: false });
            }
            Body::Area(area) => {
                for part in area.counts.clone() {
                    let Ok(entity) = EntityId::parse(&part.entity) else { continue };
                    let reach = Reach::exact(part.persons_each.is_none() && part.registration_share.is_none());
                    self.areas.push(AreaSource { area: key.to_owned(), part, entity, reach, given: None });
                }
            }
            Body::Threat(threat) => {
                let Some(part) = threat.measured.clone() else { return };
                let Ok(entity) = EntityId::parse(&part.entity) else { return };
                self.conditions.push(ConditionSource { key: key.to_owned(), name: threat.name.clone(), part, entity });
            }
            _ => {}
        }
    }

    /// The longest period of a counter, s.
    pub(super) fn period_s_max(plan: &Plan) -> u32 {
        let periods = plan.parts.iter().filter_map(|part| match &part.body {
            Body::Gate(gate) => gate.counter.as_ref().map(|counter| counter.period_s),
            _ => None,
        });
        periods.max().unwrap_or(0)
    }

    /// Takes note of what changed in the city; whether a counter of this plan was among it. `now` is the city's time: a
    /// count of a clock that is far ahead says nothing of the minutes until then.
    pub(super) fn hear(&mut self, changes: &[Change], now: Timestamp) -> bool {
        let latest = now.plus_micros(AHEAD_S_MAX * 1_000_000);
        let mut heard = false;
        for change in changes.iter().filter(|change| self.counted.contains(&change.id)) {
            let is_here = change.tenant == self.tenant || change.tenant == self.internal;
            let Some(after) = change.after().filter(|_| is_here) else { continue };
            for source in self.gates.iter_mut().filter(|source| source.entity == change.id) {
                heard |= source.hear(after, latest);
            }
        }
        heard
    }

    /// Whether every counter that still reports has given its count of the minute that ends at a moment.
    pub(super) fn is_complete(&self, end: Timestamp) -> bool {
        !self.gates.iter().any(|source| source.is_awaited(end))
    }

    /// What was reported since the last step, up to a moment. `now` is the city's time, which is later.
    pub(super) fn step(&mut self, end: Timestamp, now: Timestamp) -> Result<Reported, StoreError> {
        let snapshot = self.store.snapshot()?;
        let read = Read { history: snapshot.history(), tenant: &self.tenant, internal: &self.internal };
        let mut reported = Reported::default();
        for source in &mut self.gates {
            source.step(&read, (end, now), &mut reported)?;
            if source.is_awaited(end) {
                source.is_silent = true;
            }
        }
        for source in &mut self.areas {
            source.step(&read, end, &mut reported)?;
        }
        for source in &self.conditions {
            reported.conditions.push(source.now(&read, end)?);
        }
        Ok(reported)
    }
}

impl GateSource {
    fn hear(&mut self, entity: &Entity, latest: Timestamp) -> bool {
        let observed = |name: &str| {
            let named = |(key, _): &(&model::Iri, _)| key.short() == name || key.as_str() == name;
            let (_, instances) = entity.attributes.iter().find(named)?;
            instances.iter().find(|instance| instance.dataset_id.is_none())?.observed_at
        };
        // A count too small to be told leaves its moment in the flag that says so.
        let at = |name: &str| observed(name).max(observed(&format!("{name}{SUPPRESSED}")));
        let forward = at(&self.part.in_attribute);
        let both = match &self.part.out_attribute {
            Some(out) => forward.zip(at(out)).map(|(forward, backward)| forward.min(backward)),
            None => forward,
        };
        self.reported(both.filter(|until| *until <= latest))
    }

    /// A count up to a moment is there; whether it is newer than what was known.
    fn reported(&mut self, until: Option<Timestamp>) -> bool {
        let is_newer = until.is_some_and(|until| self.newest.is_none_or(|newest| until > newest));
        if is_newer {
            (self.newest, self.is_silent) = (until, false);
        }
        is_newer
    }

    /// Whether a count that belongs to the minute up to `end` can still come in time.
    fn is_awaited(&self, end: Timestamp) -> bool {
        let Some(newest) = self.newest else { return !self.is_silent };
        let lacking_s = end.seconds_since(newest);
        let due_s = f64::from(self.part.period_s) - lacking_s;
        !self.is_silent && lacking_s > LACKING_S_MAX && due_s <= WAIT_S_MAX
    }

    fn step(
        &mut self,
        read: &Read<'_>,
        (end, now): (Timestamp, Timestamp),
        reported: &mut Reported,
    ) -> Result<(), StoreError> {
        let period_us = i64::from(self.part.period_s) * 1_000_000;
        let from = end.plus_micros(-(LATE_S_MAX * 1_000_000 + period_us));
        let wrong_clock = now.max(end).plus_micros(AHEAD_S_MAX * 1_000_000);
        let range = TimeRange::between(from, end.plus_micros(AHEAD_S_SEEN * 1_000_000));
        let forward = read.numbers((&self.entity, &self.part.in_attribute), range, self.reach)?;
        let mut backward = match &self.part.out_attribute {
            Some(out) => Some(read.numbers((&self.entity, out), range, self.reach)?),
            None => None,
        };
        let each = self.part.each();
        let mut last = None;
        for (at, count) in forward {
            // What is to come later is left for then; a clock that is wrong is told at once.
            if at > end && at <= wrong_clock {
                continue;
            }
            // One direction without the other is half a count: nobody knows how many stayed.
            let back = backward.as_mut().map_or(Some(0.0), |backward| backward.remove(&at));
            let Some(back) = back else { continue };
            let counted = (count * each, back * each);
            if at <= end {
                last = Some(at);
            }
            let told = if at > end { &mut self.ahead } else { &mut self.given };
            if told.insert(at, counted) == Some(counted) {
                continue;
            }
            let counts = match self.part.counts {
                CounterKind::Period => Counts::Interval { forward: counted.0, backward: counted.1 },
                CounterKind::Total => Counts::Cumulative { forward: counted.0, backward: counted.1 },
            };
            let length_s = f64::from(self.part.period_s);
            let (counter, start) = (self.gate.clone(), at.plus_micros(-period_us));
            reported.readings.push(Reading { counter, start, length_s, counts });
        }
        self.given = self.given.split_off(&from);
        self.ahead = self.ahead.split_off(&end);
        self.reported(last);
        Ok(())
    }
}

impl AreaSource {
    /// The newest count, when there is a new one that is not old.
    fn step(&mut self, read: &Read<'_>, end: Timestamp, reported: &mut Reported) -> Result<(), StoreError> {
        let oldest = end.plus_micros(-AREA_COUNT_AGE_S_MAX * 1_000_000);
        let after = self.given.map_or(oldest, |given| given.plus_micros(1).max(oldest));
        let range = TimeRange::between(after, end.plus_micros(1));
        let counts = read.numbers((&self.entity, &self.part.attribute), range, self.reach)?;
        let Some((at, counted)) = counts.last_key_value().map(|(at, counted)| (*at, *counted)) else { return Ok(()) };
        self.given = Some(at);
        if counted < 0.0 {
            reported.refused.push((self.area.clone(), "count-negative"));
            return Ok(());
        }
        let kind = match (self.part.registration_share, self.part.persons_each) {
            (Some(_), _) => CountKind::Devices,
            (None, Some(_)) => CountKind::Occupancy,
            (None, None) => CountKind::Observed,
        };
        let (persons, sd_persons) = self.part.persons(counted);
        reported.counts.push(AreaCount { area: self.area.clone(), at, persons, sd_persons, kind });
        Ok(())
    }
}

impl ConditionSource {
    fn now(&self, read: &Read<'_>, at: Timestamp) -> Result<ConditionPicture, StoreError> {
        let held = match read.series(&self.entity, &self.part.attribute, Reach::Shown)? {
            Some((tenant, series)) => {
                read.history.at(&tenant, &[series], at, Some(CONDITION_AGE_S_MAX))?.pop().flatten()
            }
            None => None,
        };
        let measured = held.and_then(|held| match held.value {
            ObservedValue::Number(value) => Some((value, held.at)),
            _ => None,
        });
        let level: Option<Level> = measured.map(|(value, _)| self.part.level(value));
        let (value, observed_at) = measured.unzip();
        Ok(ConditionPicture { key: self.key.clone(), name: self.name.clone(), level, value, observed_at })
    }
}

/// Reads numbers of entities as one snapshot holds them.
struct Read<'a> {
    history: History<'a>,
    tenant: &'a Tenant,
    internal: &'a Tenant,
}

impl Read<'_> {
    /// The series of an attribute, with the tenant that has it: exact numbers of counters of gates and of small counts
    /// are in the internal one.
    fn series(
        &self,
        entity: &EntityId,
        attribute: &str,
        reach: Reach,
    ) -> Result<Option<(Tenant, SeriesKey)>, StoreError> {
        let is_named = |key: &SeriesKey| {
            key.dataset_id.is_none() && (key.attribute.short() == attribute || key.attribute.as_str() == attribute)
        };
        let tenants: &[&Tenant] = match reach {
            Reach::Exact => &[self.internal, self.tenant],
            Reach::Shown => &[self.tenant],
        };
        for tenant in tenants {
            if let Some(series) = self.history.series_of(tenant, entity)?.into_iter().find(is_named) {
                return Ok(Some(((*tenant).clone(), series)));
            }
        }
        Ok(None)
    }

    /// The numbers of a stretch of time; of very many the newest.
    fn numbers(
        &self,
        (entity, attribute): (&EntityId, &str),
        range: TimeRange,
        reach: Reach,
    ) -> Result<BTreeMap<Timestamp, f64>, StoreError> {
        let Some((tenant, series)) = self.series(entity, attribute, reach)? else { return Ok(BTreeMap::new()) };
        let mut numbers = BTreeMap::new();
        for observed in self.history.range(&tenant, &[series], range, Order::Descending, Some(ROWS_MAX))? {
            let observed = observed?;
            if let ObservedValue::Number(number) = observed.value {
                numbers.insert(observed.at, number);
            }
        }
        Ok(numbers)
    }
}
