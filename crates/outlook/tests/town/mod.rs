//! A town with three counters in one street, a clock that is set by hand, and the outlook's two threads.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use forecast::train::TrainOptions;
use jiff::tz::TimeZone;
use model::{
    Attribute, AttributeValue, Entity, EntityId, Geometry, Iri, Observation, ObservedValue, Quality, SeriesKey, Tenant,
    Timestamp,
};
use outlook::{
    Area, NamedDay, Outlook, Parts, Set,
    wire::{self, Kind, SetState, Text},
};
use store::{Store, StoreOptions, Transaction};

const HOUR: i64 = 3_600_000_000;
/// Longer than a training takes beside other work; a test that waits this long fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The town's moment at the beginning of most tests.
pub fn start() -> Timestamp {
    Timestamp::parse("2025-04-11T12:00:00Z").unwrap()
}

/// A town and its outlook.
pub struct Town {
    pub tenant: Tenant,
    store: Store,
    clock: Arc<AtomicI64>,
    step_minutes: u32,
    outlook: Outlook,
    threads: Vec<JoinHandle<()>>,
}

fn text(text: &str) -> Text {
    Text { nl: text.to_owned(), en: text.to_owned() }
}

fn set(step_minutes: u32) -> Set {
    let market = NamedDay { day: "2025-04-12".parse().unwrap(), name: Some("Marktdag".to_owned()) };
    Set {
        id: "people".to_owned(),
        title: text("People"),
        entity_type: Iri::from("urn:Counter"),
        attribute: Iri::from("urn:count"),
        name_attribute: Iri::from("urn:name"),
        kind: Kind::Count,
        step_minutes,
        minimum_count: 10,
        region: None,
        holidays: vec![],
        lists: BTreeMap::from([("events".to_owned(), vec![market])]),
        weather: vec![],
        areas: vec![Area {
            id: "main-street".to_owned(),
            title: text("Main Street"),
            series: ["a", "b", "c"].map(str::to_owned).to_vec(),
        }],
        train: TrainOptions { trees: 6, leaves: 7, days_max: 60, ..TrainOptions::default() },
    }
}

fn entity(id: &str) -> EntityId {
    EntityId::parse(&format!("urn:ngsi-ld:Counter:{id}")).unwrap()
}

/// Counts of a step in a street that is busy in the afternoon, less so on Sunday; no two steps alike.
fn count(at: Timestamp, busy: f64, step_minutes: u32) -> f64 {
    let steps_an_hour = i64::from(60 / step_minutes);
    let steps = at.micros() / (HOUR / steps_an_hour);
    let (day, of_day) = (steps.div_euclid(24 * steps_an_hour), steps.rem_euclid(24 * steps_an_hour));
    let hour = of_day as f64 / steps_an_hour as f64;
    let daily = (1.0 - ((hour - 14.0) / 9.0).powi(2)).max(0.05);
    let weekly = if (day + 3) % 7 == 6 { 0.6 } else { 1.0 };
    let chance = ((steps * 7_919 + busy as i64 * 104_729) % 101) as f64 / 101.0;
    (busy / steps_an_hour as f64 * daily * weekly * (0.85 + 0.3 * chance)).round()
}

impl Town {
    /// A town that has counted by the hour for some days, and will for ten more.
    pub fn new(now: Timestamp, days: i64) -> Self {
        Self::counting(now, days, 60)
    }

    /// The same with counts at another step.
    pub fn counting(now: Timestamp, days: i64, step_minutes: u32) -> Self {
        let step = HOUR / i64::from(60 / step_minutes);
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        let tenant = Tenant::default();
        for (id, busy) in [("a", 400.0), ("b", 900.0), ("c", 6.0)] {
            let mut tx = Transaction::new(tenant.clone());
            let mut counter = Entity::new(entity(id), Iri::from("urn:Counter"), now);
            counter.set("urn:name", Attribute::property(id));
            let place = Geometry::point(4.48, 51.92).unwrap();
            counter.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(place)));
            tx.put_entity(None, counter, vec![]);
            let series = SeriesKey { entity: entity(id), attribute: Iri::from("urn:count"), dataset_id: None };
            // Whole days before, so that the number of days with counts is the one asked for.
            let midnight = now.micros().div_euclid(24 * HOUR) * 24 * HOUR - 2 * HOUR;
            for number in (1 - days) * 24 * (HOUR / step)..10 * 24 * (HOUR / step) {
                let at = Timestamp::from_micros(midnight + number * step);
                if days < 10 && at >= now {
                    break;
                }
                tx.observe(Observation {
                    series: series.clone(),
                    at,
                    value: ObservedValue::Number(count(at, busy, step_minutes)),
                    unit_code: None,
                    quality: Quality::default(),
                    recorded_at: at,
                });
            }
            store.commit_blocking(tx).unwrap();
        }
        let clock = Arc::new(AtomicI64::new(now.micros()));
        Self::with(store, tenant, clock, step_minutes)
    }

    fn with(store: Store, tenant: Tenant, clock: Arc<AtomicI64>, step_minutes: u32) -> Self {
        let (city, wall) = (clock.clone(), clock.clone());
        let outlook = Outlook::new(Parts {
            store: store.clone(),
            tenant: tenant.clone(),
            zone: TimeZone::get("Europe/Amsterdam").unwrap(),
            city: Arc::new(move || Timestamp::from_micros(city.load(Ordering::SeqCst))),
            wall: Arc::new(move || Timestamp::from_micros(wall.load(Ordering::SeqCst))),
            version: "test".to_owned(),
            notices: vec![],
            sets: vec![set(step_minutes)],
        });
        let (one, other) = (outlook.clone(), outlook.clone());
        let threads = vec![std::thread::spawn(move || one.refresh()), std::thread::spawn(move || other.learn())];
        Self { tenant, store, clock, step_minutes, outlook, threads }
    }

    pub fn outlook(&self) -> &Outlook {
        &self.outlook
    }

    /// The same town with a new outlook, as after a stop of the server.
    pub fn restarted(mut self) -> Self {
        self.stop();
        Self::with(self.store.clone(), self.tenant.clone(), self.clock.clone(), self.step_minutes)
    }

    fn stop(&mut self) {
        self.outlook.stop();
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.load(Ordering::SeqCst))
    }

    pub fn hours_pass(&self, hours: i64) {
        self.minutes_pass(hours * 60);
    }

    pub fn minutes_pass(&self, minutes: i64) {
        self.clock.fetch_add(minutes * HOUR / 60, Ordering::SeqCst);
    }

    /// Waits for the now-cast of a moment.
    pub fn nowcast(&self, said_at: Timestamp) -> wire::Nowcast {
        self.nowcast_when(|nowcast| nowcast.said_at == Some(said_at))
    }

    /// Waits until the now-cast is as wanted.
    pub fn nowcast_when(&self, wanted: impl Fn(&wire::Nowcast) -> bool) -> wire::Nowcast {
        let begun = Instant::now();
        loop {
            let nowcast = self.outlook.nowcast(&self.tenant, "people").unwrap();
            if wanted(&nowcast) {
                return nowcast;
            }
            assert!(begun.elapsed() < PATIENCE, "{nowcast:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the set is as wanted.
    pub fn until(&self, wanted: impl Fn(&wire::Set) -> bool) -> wire::Set {
        let begun = Instant::now();
        loop {
            let set = self.outlook.sets(&self.tenant).remove(0);
            if wanted(&set) {
                return set;
            }
            assert!(begun.elapsed() < PATIENCE, "{set:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the newest model has made a forecast and nothing is being trained.
    pub fn ready(&self) -> wire::Set {
        let model =
            |set: &wire::Set| self.outlook.forecast(&self.tenant, ("people", &set.series[0].id), 1).unwrap().model;
        self.until(|set| {
            let is_ready = set.state == SetState::Ready && set.progress.is_none() && set.said_at.is_some();
            is_ready && set.model == model(set)
        })
    }

    /// Waits for the forecast of a moment.
    pub fn said(&self, at: Timestamp) -> wire::Set {
        self.until(|set| set.said_at == Some(at))
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop();
    }
}
