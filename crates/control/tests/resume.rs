//! Live runs over a stop of the server: a store that is closed and opened again is what a new process finds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use model::{Attribute, Entity, EntityId, Iri, Observation, ObservedValue, Quality, SeriesKey, Tenant, Timestamp};
use polder_control::{
    Actor, AlertRecord, AreaPicture, Event, EventFacts, Measure, Picture, Room, RunKind, RunRecord, RunState, Start,
    events,
    outbox::{Delivery, Recipient},
    record::{self, AlertStatus, Minute},
};
use serde_json::json;
use store::{Document, Expect, Store, StoreOptions, Transaction};

const GATE: &str = "urn:ngsi-ld:Counter:poort";

fn at(minute: i64) -> Timestamp {
    Timestamp::parse("2026-08-21T18:00:00Z").unwrap().plus_micros(minute * 60_000_000)
}

/// A server process: a runtime, a room, and the hands of its clock.
struct Process {
    runtime: tokio::runtime::Runtime,
    store: Store,
    room: Room,
    seconds: Arc<AtomicI64>,
}

impl Process {
    fn start(folder: &Path, minute: i64) -> Self {
        let store = Store::open(folder, &StoreOptions::default()).unwrap();
        let seconds = Arc::new(AtomicI64::new(minute * 60 + 1));
        let clock = || {
            let seconds = Arc::clone(&seconds);
            Arc::new(move || at(0).plus_micros(seconds.load(Ordering::SeqCst) * 1_000_000))
        };
        let room = Room::new(store.clone(), TimeZone::UTC, clock(), clock());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(room.resume(&Tenant::default())).unwrap();
        Self { runtime, store, room, seconds }
    }

    /// As `kill -9`: nothing is told that it ends.
    fn stop(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(10));
        drop(self.room);
        self.store.close().unwrap();
    }

    fn clock(&self, minute: i64, second: i64) {
        self.seconds.store(minute * 60 + second, Ordering::SeqCst);
    }

    fn actor(&self) -> Actor {
        Actor { name: "anna".to_owned(), store: self.store.clone() }
    }

    /// Plans a square for 1,000 persons with one gate.
    fn plan(&self) {
        let facts = EventFacts { name: "Plein".into(), from: at(0), until: at(60), notes: String::new() };
        let ring = [[4.48, 51.91], [4.481, 51.91], [4.481, 51.911], [4.48, 51.91]];
        let area = json!({ "name": "Plein", "outline": { "type": "Polygon", "coordinates": [ring] },
            "surfaceM2": 4000.0, "capacityPersons": 1000.0 });
        let gate = json!({ "name": "Poort", "widthM": 8.0, "to": "plein",
            "line": { "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] },
            "counter": { "entity": GATE, "inAttribute": "in", "outAttribute": "out", "periodS": 60 } });
        let concert = json!({ "name": "Concert", "area": "plein", "from": at(30), "until": at(50),
            "visitorsExpected": 900.0, "arrivalMinBefore": 20.0 });
        let parts = [("area", "plein", area), ("gate", "poort", gate), ("programme", "concert", concert)];
        let parts = parts.into_iter().map(|(kind, key, body)| (kind.to_owned(), key.to_owned(), body)).collect();
        let mut tx = Transaction::new(Tenant::default());
        events::add_whole(&mut tx, "plein", facts, parts, ("anna", at(0))).unwrap();
        self.store.commit_blocking(tx).unwrap();
    }

    fn run(&self, kind: RunKind) {
        let start = Start { kind, speed: 1.0, seed: 1, visitors_factor: 1.0, areas_empty: Some(true) };
        self.runtime.block_on(self.room.start(&Tenant::default(), "plein", start, &self.actor())).unwrap();
    }

    /// The gate counts a minute.
    fn count(&self, minute: i64, forward: f64) {
        let id = EntityId::parse(GATE).unwrap();
        let before = self.store.snapshot().unwrap().entity(&Tenant::default(), &id).unwrap();
        let mut entity = Entity::new(id.clone(), Iri::from("urn:x:Counter"), at(minute));
        let mut tx = Transaction::new(Tenant::default());
        for (name, value) in [("urn:x:in", forward), ("urn:x:out", 0.0)] {
            entity.set(name, Attribute { observed_at: Some(at(minute)), ..Attribute::property(value) });
            let series = SeriesKey { entity: id.clone(), attribute: name.into(), dataset_id: None };
            let (value, quality) = (ObservedValue::Number(value), Quality::default());
            tx.observe(Observation {
                series,
                at: at(minute),
                value,
                unit_code: None,
                quality,
                recorded_at: at(minute),
            });
        }
        tx.put_entity(before, entity, vec!["urn:x:in".into(), "urn:x:out".into()]);
        self.store.commit_blocking(tx).unwrap();
    }

    fn picture(&self, minute: i64) -> Picture {
        let started = Instant::now();
        loop {
            let pictures = self.room.pictures(&Tenant::default(), "plein", "1");
            if let Some(picture) = pictures.and_then(|pictures| pictures.borrow().clone())
                && picture.at == at(minute)
            {
                return (*picture).clone();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no picture of minute {minute}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn alerts(&self) -> Vec<AlertRecord> {
        record::alerts(&self.store.snapshot().unwrap(), &Tenant::default(), "plein", "1").unwrap()
    }

    /// Lives through minutes in which so many come.
    fn live(&self, minutes: std::ops::RangeInclusive<i64>) -> Picture {
        let last = *minutes.end();
        for minute in minutes {
            self.clock(minute, 1);
            self.count(minute, 90.0 + (minute % 3) as f64 * 3.0);
            self.picture(minute);
        }
        self.picture(last)
    }
}

/// What must be the same whether the server stood still or not.
fn estimate(picture: &Picture) -> &AreaPicture {
    &picture.areas[0]
}

#[test]
fn a_live_run_goes_on_after_a_restart_as_if_there_had_been_none_and_the_gap_is_marked() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [unbroken, broken] = [0, 1].map(|n| Process::start(folders[n].path(), 0));
    for process in [&unbroken, &broken] {
        process.plan();
        process.run(RunKind::Live);
        process.live(1..=9);
    }
    let run = (&Tenant::default(), "plein", "1");
    let alerts = record::alerts(&broken.store.snapshot().unwrap(), run.0, run.1, run.2).unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    broken.runtime.block_on(broken.room.acknowledge(run, 1, broken.actor())).unwrap();
    let close: Measure = serde_json::from_value(json!({ "kind": "close", "gate": "poort", "from": at(55) })).unwrap();
    broken.runtime.block_on(broken.room.decide(run, close, "te vol".into(), broken.actor())).unwrap();
    let expected = unbroken.live(10..=14);

    // The counters go on while the server stands still: their counts come in before it watches again.
    for minute in 10..=13 {
        broken.count(minute, 90.0 + (minute % 3) as f64 * 3.0);
    }
    broken.stop();
    let again = Process::start(folders[1].path(), 13);
    let picture = again.live(14..=14);
    let (was, is) = (estimate(&expected), estimate(&picture));
    assert_eq!((was.occupancy, was.rise_per_min, was.colour), (is.occupancy, is.rise_per_min, is.colour));
    assert_eq!(picture.attention.len(), 1);
    assert_eq!(picture.attention[0].acknowledged_by.as_deref(), Some("anna"));
    let gaps: Vec<_> = picture.run.gaps.iter().map(|gap| (gap.from, gap.until)).collect();
    assert_eq!(gaps, [(at(9), at(12))], "minute 13 is lived as usual: its counts may still come");
    let decided = record::decisions(&again.store.snapshot().unwrap(), run.0, run.1, run.2).unwrap();
    assert_eq!(decided[0].reason, "te vol");
    // A second alert of the same area would be a second number; the one that is open stays the only one.
    let alerts = record::alerts(&again.store.snapshot().unwrap(), run.0, run.1, run.2).unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    again.stop();
    unbroken.stop();
}

#[test]
fn a_decided_measure_whose_part_is_gone_after_a_restart_does_not_silence_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    let tenant = Tenant::default();
    let ring = [[4.49, 51.91], [4.491, 51.91], [4.491, 51.911], [4.49, 51.91]];
    let side = json!({ "name": "Zijde", "outline": { "type": "Polygon", "coordinates": [ring] },
        "surfaceM2": 400.0, "capacityPersons": 100.0 });
    let (part, anna) = (("plein", "area", "zijde"), ("anna", at(0)));
    let added = events::put_part(&process.store, &tenant, part, (None, side), anna);
    let version = process.runtime.block_on(added).unwrap().version;
    process.run(RunKind::Live);
    process.live(1..=2);
    let more = json!({ "kind": "extra-transport", "area": "zijde", "perMin": 20.0, "from": at(1) });
    let more: Measure = serde_json::from_value(more).unwrap();
    let run = (&tenant, "plein", "1");
    process.runtime.block_on(process.room.decide(run, more, "te vol".into(), process.actor())).unwrap();
    process.runtime.block_on(events::remove_part(&process.store, &tenant, part, version)).unwrap();
    process.stop();
    let again = Process::start(folder.path(), 3);
    assert_eq!(again.live(3..=12).attention.len(), 1, "the square is red");
    again.stop();
}

#[test]
fn only_so_many_measures_are_tried_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    process.run(RunKind::Live);
    process.live(1..=1);
    let later = json!({ "kind": "message", "share": 0.1, "laterMin": 15.0, "from": at(1) });
    let later: Measure = serde_json::from_value(later).unwrap();
    let run = (&Tenant::default(), "plein", "1");
    let ask = |count| process.runtime.block_on(process.room.what_if(run, vec![later.clone(); count]));
    assert_eq!(ask(20).unwrap().len(), 1);
    let refused = ask(21).unwrap_err();
    assert_eq!(refused.to_string(), "measures: 21 measures at once");
    process.stop();
}

#[test]
fn a_run_ends_when_its_event_does_also_when_that_was_changed_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    let (tenant, store) = (Tenant::default(), &process.store);
    let set = |minute: i64| {
        let event = events::event(&store.snapshot().unwrap(), &tenant, "plein").unwrap();
        let facts = EventFacts { until: at(minute), ..event.value.facts };
        process.runtime.block_on(events::change(store, &tenant, "plein", event.version, facts)).unwrap();
    };
    set(2);
    process.run(RunKind::Live);
    process.live(1..=1);
    set(5);
    process.live(2..=4);
    set(60);
    process.live(5..=6);
    set(7);
    process.clock(7, 1);
    process.count(7, 90.0);
    let ended = || record::run(&store.snapshot().unwrap(), &tenant, "plein", "1").unwrap().value;
    let started = Instant::now();
    while ended().state != RunState::Ended {
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", ended());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(ended().at, at(7));
    process.stop();
}

#[test]
fn a_run_of_more_than_twelve_hours_goes_on_from_the_picture_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    process.run(RunKind::Live);
    process.live(1..=3);
    let (tenant, store) = (Tenant::default(), &process.store);
    // As if it had gone on for fourteen hours: few minutes are needed of that.
    let last = 14 * 60;
    let snapshot = store.snapshot().unwrap();
    let event = events::event(&snapshot, &tenant, "plein").unwrap();
    let minute = record::minutes(&snapshot, &tenant, "plein", "1").unwrap().pop().unwrap();
    let run = record::run(&snapshot, &tenant, "plein", "1").unwrap().value;
    drop(snapshot);
    let known = minute.areas[0].occupancy.unwrap().value;
    let facts = EventFacts { until: at(last + 60), ..event.value.facts.clone() };
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(&Event { facts, ..event.value }, Expect::Any).unwrap();
    tx.put_document(&RunRecord { at: at(last), ..run }, Expect::Any).unwrap();
    tx.put_document(&Minute { at: at(last - 12 * 60), ..minute }, Expect::Any).unwrap();
    store.commit_blocking(tx).unwrap();
    for minute in last - 12 * 60 + 1..=last {
        process.count(minute, if minute % 2 == 0 { 1.0 } else { 0.0 });
    }
    process.stop();
    let again = Process::start(folder.path(), last + 1);
    again.count(last + 1, 0.0);
    let picture = again.picture(last + 1);
    let occupancy = estimate(&picture).occupancy.expect("the square is known");
    assert!((occupancy.value - known - 360.0).abs() < 60.0, "{known} and 360 more: {occupancy:?}");
    again.stop();
}

#[test]
fn a_run_whose_start_nobody_waited_for_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    let start = Start { kind: RunKind::Live, speed: 1.0, seed: 1, visitors_factor: 1.0, areas_empty: Some(true) };
    let (tenant, actor) = (Tenant::default(), process.actor());
    process.runtime.block_on(async {
        // As a connection that is lost once the run is being written.
        let asked = process.room.start(&tenant, "plein", start, &actor);
        _ = tokio::time::timeout(Duration::ZERO, asked).await;
    });
    let started = Instant::now();
    while process.room.pictures(&tenant, "plein", "1").is_none() {
        assert!(started.elapsed() < Duration::from_secs(10), "the run is written, and nothing drives it");
        std::thread::sleep(Duration::from_millis(5));
    }
    process.live(1..=1);
    process.stop();
}

#[test]
fn a_rehearsal_ends_with_the_server_and_another_can_be_started() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    process.run(RunKind::Rehearsal);
    process.stop();
    let again = Process::start(folder.path(), 5);
    let snapshot = again.store.snapshot().unwrap();
    assert_eq!(record::run(&snapshot, &Tenant::default(), "plein", "1").unwrap().state, RunState::Ended);
    again.run(RunKind::Rehearsal);
    again.stop();
}

#[test]
fn an_event_that_names_a_run_which_is_over_or_gone_is_freed_when_the_server_starts() {
    for gone in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(folder.path(), 0);
        process.plan();
        process.run(RunKind::Live);
        process.live(1..=2);
        let (tenant, store) = (Tenant::default(), &process.store);
        process.runtime.block_on(process.room.stop((&tenant, "plein", "1"), process.actor())).unwrap();
        let stopped = events::event(&store.snapshot().unwrap(), &tenant, "plein").unwrap();
        assert_eq!((stopped.run.as_deref(), stopped.over), (None, true), "both are written at once");
        let mut tx = Transaction::new(tenant.clone());
        let named = Event { run: Some("1".to_owned()), over: false, ..stopped.value };
        tx.put_document(&named, Expect::Any).unwrap();
        if gone {
            tx.delete_document::<RunRecord>("plein/1", Expect::Any);
        }
        store.commit_blocking(tx).unwrap();
        process.stop();
        let again = Process::start(folder.path(), 3);
        let event = events::event(&again.store.snapshot().unwrap(), &tenant, "plein").unwrap();
        assert_eq!((event.run.as_deref(), event.over), (None, !gone));
        again.run(RunKind::Live);
        again.stop();
    }
}

#[test]
fn what_a_person_did_to_an_alert_counts_only_once_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    process.run(RunKind::Live);
    process.live(1..=9);
    let closed = Store::in_memory(&StoreOptions::default()).unwrap();
    closed.clone().close().unwrap();
    let run = (&Tenant::default(), "plein", "1");
    let (room, runtime) = (&process.room, &process.runtime);
    let nowhere = || Actor { name: "anna".to_owned(), store: closed.clone() };
    runtime.block_on(room.acknowledge(run, 1, nowhere())).unwrap_err();
    runtime.block_on(room.close(run, 1, "opgelost".to_owned(), nowhere())).unwrap_err();
    runtime.block_on(room.stop(run, nowhere())).unwrap_err();
    let picture = process.live(10..=10);
    assert_eq!(picture.attention[0].acknowledged_by, None, "it is still for somebody to take");
    let taken = runtime.block_on(room.acknowledge(run, 1, process.actor())).unwrap();
    assert_eq!(taken.log.iter().filter(|entry| entry.what == "acknowledged").count(), 1);
    runtime.block_on(room.close(run, 1, "opgelost".to_owned(), process.actor())).unwrap();
    assert_eq!(process.alerts()[0].status, AlertStatus::Closed);
    process.stop();
}

#[test]
fn a_minute_that_cannot_be_written_does_not_end_a_run_and_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), 0);
    process.plan();
    let (tenant, store) = (Tenant::default(), &process.store);
    let address = json!({ "channel": "webhook", "url": "https://example.nl/hook" });
    let facts = json!({ "function": "Dienst", "address": address, "tellOf": "all", "language": "nl" });
    let recipient =
        json!({ "event": "plein", "key": "dienst", "facts": facts, "changed_by": "anna", "changed_at": at(0) });
    let recipient: Recipient = serde_json::from_value(recipient).unwrap();
    let message = |minute: i64| -> Delivery {
        let of = json!({ "eventName": "", "areaName": "", "simulated": false, "isNow": true, "raisedAt": at(0) });
        let message = json!({ "event": "plein", "run": "1", "at": at(minute), "alert": 1, "entry": 0,
            "recipient": "dienst", "function": "Dienst", "channel": "webhook", "what": "raised", "of": of,
            "queuedAt": at(0), "state": "waiting", "attempts": 0 });
        serde_json::from_value(message).unwrap()
    };
    // Messages that are there already stand in the way of the transaction with the alert.
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(&recipient, Expect::Any).unwrap();
    for minute in 1..=9 {
        tx.put_document(&message(minute), Expect::Any).unwrap();
    }
    store.commit_blocking(tx).unwrap();
    process.run(RunKind::Live);
    let mut minute = 0;
    let mut raised = false;
    while !raised {
        minute += 1;
        raised = !process.live(minute..=minute).attention.is_empty();
    }
    assert!(process.alerts().is_empty(), "the picture shows the alert, and the store has not taken it");
    let mut tx = Transaction::new(tenant.clone());
    tx.delete_document::<Delivery>(&message(minute).key(), Expect::Any);
    store.commit_blocking(tx).unwrap();
    process.live(minute + 1..=minute + 2);
    assert_eq!(process.alerts().len(), 1);
    let minutes = record::minutes(&store.snapshot().unwrap(), &tenant, "plein", "1").unwrap();
    assert_eq!(minutes.len(), usize::try_from(minute + 2).unwrap(), "no minute is lost");
    process.stop();
}
