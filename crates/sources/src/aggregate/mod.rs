//! Positions of people, counted at the door: for each place and period one number, and nothing else leaves.
//!
//! A position is looked at once. What is kept of it, until its period is told, is a keyed hash of the pseudonym in the
//! set of its place; the key is made anew for each period and forgotten with it. Counts below the minimum are told
//! without a number, others are rounded to the minimum, so that no difference between two periods, or between two
//! places that overlap, tells of fewer. No message repeats anything of a record. A period that was not seen from its
//! beginning, or that was more than fits, is not told at all.

mod period;
mod zones;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use model::{
    Attribute, AttributeValue, DEFAULT_CONTEXT, Entity, EntityId, Geometry, Incoming, Iri, Problem, Quality,
    QualityFlags, Timestamp,
};
use serde_json::{Map, Value};

use crate::{
    config::{AggregateConfig, SourceConfig, expand},
    delivery::Job,
    mapping::{elements, passes},
    moment::Moments,
    record::{Record, as_number},
    template::Template,
};
use period::Period;
use zones::Zones;

/// How far the moment of a position may be ahead of the clock, microseconds: clocks of phones differ.
const AHEAD: i64 = 60_000_000;
/// The most periods that are open at once.
const PERIODS_MAX: usize = 100;
/// The most cells that are remembered as told.
const CELLS_MAX: usize = 100_000;

/// Where the keys of pseudonyms come from. `polder` fills it with the system's randomness; a layer has none.
#[derive(Clone, Default)]
pub struct Keys(Option<Arc<dyn Fn() -> Option<String> + Send + Sync>>);

impl Keys {
    /// Keys of a source of secrets: at least 256 random bits each, `None` when there is no randomness.
    pub fn of(make: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(make)))
    }

    fn next(&self) -> Result<String, Problem> {
        let key = self.0.as_ref().and_then(|make| make()).filter(|key| key.len() >= 32);
        let remedy = "let the operating system give random bytes; no position is read without them";
        key.ok_or_else(|| Problem::new("aggregate", "there is no key to hide pseudonyms with", remedy))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was counted.
    Counted,
    /// A filter left it out, or it lies in no area.
    LeftOut,
}

/// Counts the positions of one source.
pub(crate) struct Aggregator {
    config: Arc<SourceConfig>,
    settings: AggregateConfig,
    zones: Zones,
    id: Template,
    moments: Moments,
    keys: Keys,
    /// Whether periods end by the clock; those of a file end by the moments in it.
    live: bool,
    open: BTreeMap<i64, Period>,
    /// The first period that may still be told.
    next: i64,
    /// The latest moment in a file.
    reached: Timestamp,
    /// How many devices and places the open periods hold.
    held: usize,
    /// Cells that were told with a number, so that they are also told when they have none.
    told: BTreeSet<u64>,
    /// What a person should know, for the next delivery.
    message: Option<String>,
}

impl Aggregator {
    /// Prepares the counting of a source.
    ///
    /// # Errors
    /// When the areas cannot be read, or there are no keys.
    pub(crate) fn new(job: &Job, settings: &AggregateConfig, live: bool) -> Result<Self, Problem> {
        job.keys.next()?;
        let mut aggregator = Self {
            zones: Zones::load(settings, &job.folder, &job.config.limits)?,
            id: Template::parse(&job.config.id)?,
            moments: Moments::new(job.config.time.as_ref())?,
            keys: job.keys.clone(),
            settings: settings.clone(),
            config: job.config.clone(),
            live,
            open: BTreeMap::new(),
            next: i64::MIN,
            reached: Timestamp::MIN,
            held: 0,
            told: BTreeSet::new(),
            message: None,
        };
        if live {
            // The period in which we start was not seen from its beginning.
            aggregator.next = aggregator.period_of(job.clock.now()) + 1;
        }
        Ok(aggregator)
    }

    /// Counts one record. `now` is the city's moment.
    ///
    /// # Errors
    /// That it is no position, or came too late: in words that repeat nothing of it.
    pub(crate) fn take(&mut self, record: Record, now: Timestamp) -> Result<Seen, Problem> {
        let line = record.line;
        let records = match self.config.each.as_deref() {
            None => vec![record],
            Some(field) => elements(&record, field).map_err(|_| unread("it has no list of positions").at_line(line))?,
        };
        let mut seen = Seen::LeftOut;
        let mut refused = None;
        for record in records {
            match self.take_one(&record, now) {
                Ok(Seen::Counted) => seen = Seen::Counted,
                Ok(Seen::LeftOut) => {}
                Err(problem) => refused = Some(problem),
            }
        }
        refused.map_or(Ok(seen), |problem: Problem| Err(problem.at_line(line)))
    }

    fn take_one(&mut self, record: &Record, now: Timestamp) -> Result<Seen, Problem> {
        if !passes(&self.config.filters, record) {
            return Ok(Seen::LeftOut);
        }
        let at = self.moment(record, now)?;
        let (longitude, latitude) = self.position(record)?;
        let zones = self.zones.at(longitude, latitude);
        let pseudonym = match &self.settings.pseudonym {
            None => None,
            Some(field) => {
                Some(record.text(field).filter(|p| !p.is_empty()).ok_or_else(|| unread("it has no pseudonym"))?)
            }
        };
        let index = self.period_of(at);
        if index < self.next {
            return Err(unread("it came after its period was told, or is from before the start"));
        }
        if self.live && at > now.plus_micros(AHEAD) {
            return Err(unread("its moment has not come yet"));
        }
        if !self.open.contains_key(&index) {
            if self.open.len() >= PERIODS_MAX {
                return Err(unread("too many periods are open; let the feed be in order of time"));
            }
            self.open.insert(index, Period::new(self.keys.next()?));
        }
        self.reached = self.reached.max(at);
        let Some(period) = self.open.get_mut(&index) else { return Ok(Seen::LeftOut) };
        let room = self.settings.positions_max.saturating_sub(self.held);
        let least = usize::try_from(self.settings.minimum).unwrap_or(usize::MAX);
        match period.count(&zones, pseudonym.as_deref(), least, room) {
            Ok(added) => self.held += added,
            Err(added) => {
                self.held += added;
                return Err(unread("more devices came in a period than fit; raise positions_max"));
            }
        }
        Ok(if zones.is_empty() { Seen::LeftOut } else { Seen::Counted })
    }

    fn moment(&self, record: &Record, now: Timestamp) -> Result<Timestamp, Problem> {
        let Some(time) = &self.config.time else { return Ok(now) };
        let value = record.get(&time.field).ok_or_else(|| unread("it has no moment"))?;
        self.moments.read(&time.field, value).map_err(|_| unread("its moment is not written as [source.time] says"))
    }

    fn position(&self, record: &Record) -> Result<(f64, f64), Problem> {
        let refused = || unread("it has no position on earth");
        let (Some(x), Some(y)) = (&self.settings.longitude, &self.settings.latitude) else {
            let bounds = record.geometry.as_ref().map(Geometry::bounding_box).ok_or_else(refused)?;
            return Ok(((bounds.west + bounds.east) / 2.0, (bounds.south + bounds.north) / 2.0));
        };
        let read = |field: &str| record.get(field).and_then(as_number).ok_or_else(refused);
        let (x, y) = (read(x)?, read(y)?);
        let fits = (-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y);
        if fits { Ok((x, y)) } else { Err(refused()) }
    }

    fn period_of(&self, at: Timestamp) -> i64 {
        at.micros().div_euclid(self.length())
    }

    /// The length of a period, microseconds.
    fn length(&self) -> i64 {
        i64::from(self.settings.period_s.max(1)) * 1_000_000
    }

    /// The counts of every period that has ended, and whose grace is over.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Incoming> {
        let now = if self.live { now } else { self.reached };
        let over = now.plus_micros(-i64::from(self.settings.grace_s) * 1_000_000);
        self.close(self.period_of(over), now)
    }

    /// The counts of every open period, at the end of a file.
    pub(crate) fn finish(&mut self) -> Vec<Incoming> {
        let last = self.open.keys().next_back().map_or(i64::MIN, |last| last + 1);
        self.close(last, self.reached)
    }

    /// What a person should know.
    pub(crate) fn message(&mut self) -> Option<String> {
        self.message.take()
    }

    /// Tells the periods before `end`, and forgets them with their keys.
    fn close(&mut self, end: i64, now: Timestamp) -> Vec<Incoming> {
        let mut told = vec![];
        while let Some(entry) = self.open.first_entry().filter(|first| *first.key() < end) {
            let (index, period) = entry.remove_entry();
            self.held = self.held.saturating_sub(period.held());
            told.extend(self.tell(index, &period, now));
        }
        self.next = self.next.max(end);
        told
    }

    fn tell(&mut self, index: i64, period: &Period, now: Timestamp) -> Vec<Incoming> {
        let from = Timestamp::from_micros(index.saturating_mul(self.length()));
        if period.is_overfull() {
            self.message = Some(format!("more devices came in the period from {from} than fit; it is not told"));
            return vec![];
        }
        // So few in the whole feed: that something came at all would tell of them.
        if !period.is_told() {
            return vec![];
        }
        let counts: BTreeMap<u64, Option<u64>> =
            period.counts(self.settings.distinct, u64::from(self.settings.minimum)).collect();
        let known: BTreeSet<u64> = self.zones.always().chain(self.told.iter().copied()).collect();
        let shown = counts.iter().filter(|(_, count)| count.is_some()).map(|(zone, _)| *zone);
        let zones: BTreeSet<u64> = known.into_iter().chain(shown).collect();
        if self.told.len() < CELLS_MAX && self.zones.always().next().is_none() {
            self.told.extend(counts.iter().filter(|(_, count)| count.is_some()).map(|(zone, _)| *zone));
        }
        let count = |zone: &u64| counts.get(zone).copied().flatten();
        zones.iter().filter_map(|zone| self.entity(*zone, count(zone), from, now)).collect()
    }

    /// What is told of one place and period; without a number where there were too few.
    fn entity(&self, zone: u64, count: Option<u64>, from: Timestamp, now: Timestamp) -> Option<Incoming> {
        let place = self.zones.place(zone)?;
        let fields = Map::from_iter([(self.settings.place_field().to_owned(), Value::from(place.key))]);
        let id = EntityId::parse(&self.id.fill(&Record::new(0, fields)).ok()?).ok()?;
        let to = from.plus_micros(self.length());
        let quality = Quality {
            origin: self.config.origin.into(),
            flags: QualityFlags::default(),
            source: Some(self.config.name.clone()),
        };
        let mut entity = Entity::new(id, self.config.type_iri(), now);
        let mut set = |name: Iri, value: AttributeValue, at: Option<Timestamp>| {
            let attribute = Attribute { observed_at: at, quality: Some(quality.clone()), ..Attribute::new(value) };
            entity.set(name, attribute);
        };
        let own = |name: &str| Iri::new(format!("{DEFAULT_CONTEXT}{name}"));
        if let Some(geometry) = place.geometry {
            set(Iri::from(Entity::LOCATION), AttributeValue::Geo(geometry), None);
        }
        if let Some(name) = place.name {
            set(own("name"), AttributeValue::Property(name.into()), None);
        }
        for (name, at) in [("dateObservedFrom", from), ("dateObservedTo", to)] {
            set(own(name), AttributeValue::Property(at.to_string().into()), Some(to));
        }
        // Null is how a source says that there is a number which nobody may know.
        set(expand(&self.settings.count), AttributeValue::Property(count.map_or(Value::Null, Value::from)), Some(to));
        Some(Incoming { source: self.config.name.as_str().into(), entity, deleted: false, line: 0 })
    }
}

/// A record that cannot be counted, in words that repeat nothing of it.
fn unread(detail: &str) -> Problem {
    Problem::new("position", detail, "correct the feed, or [source.aggregate]; what was in the record is not repeated")
}

/// What is told of a record or message that the connector could not read: nothing of what was in it.
pub(crate) fn hidden(problem: &Problem) -> Problem {
    let hidden = unread("it cannot be read");
    match problem.line {
        Some(line) => hidden.at_line(line),
        None => hidden,
    }
}
