//! Live runs through the doors: counts come in as NGSI-LD, pictures and alerts go out, and what is wrong with counts is
//! told, never hidden.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use common::{Server, server};
use model::{EntityId, Observation, ObservedValue, Quality, SeriesKey, Tenant, Timestamp};
use serde_json::{Value, json};
use store::Transaction;
use views::expand;

/// The server's clock starts at 08:00 UTC.
fn at(minute: i64) -> Timestamp {
    Timestamp::parse("2026-08-20T08:00:00Z").unwrap().plus_micros(minute * 60_000_000)
}

/// A control room with one person in it.
struct Room {
    server: Server,
    cookie: String,
    csrf: String,
}

impl Room {
    async fn new(parts: &[(&str, Value)]) -> Self {
        let server = server();
        server.add_user("anna", &["operator", "dataSteward"]);
        let (cookie, csrf) = server.sign_in("anna").await;
        let room = Self { server, cookie, csrf };
        let facts = json!({ "name": "Plein", "from": at(0), "until": at(240) });
        room.ask(StatusCode::CREATED, "POST /api/v1/crowd/events", Some(facts)).await;
        for (part, body) in parts {
            let line = format!("PUT /api/v1/crowd/events/plein/parts/{part}");
            room.ask(StatusCode::OK, &line, Some(json!({ "version": null, "body": body }))).await;
        }
        room
    }

    async fn ask(&self, status: StatusCode, line: &str, body: Option<Value>) -> Value {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        let answer = self.server.ask(line, &headers, body).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn start(&self) {
        let live = json!({ "kind": "live", "areasEmpty": true });
        self.ask(StatusCode::CREATED, "POST /api/v1/crowd/events/plein/runs", Some(live)).await;
    }

    /// Sends values of an entity, observed at a moment.
    async fn send(&self, id: &str, observed: Timestamp, values: &[(&str, f64)]) {
        let mut entity = json!({ "id": id, "type": "Counter" });
        for (name, value) in values {
            entity[*name] = json!({ "type": "Property", "value": value, "observedAt": observed });
        }
        let line = "POST /ngsi-ld/v1/entityOperations/upsert";
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        let answer = self.server.ask(line, &headers, Some(json!([entity]))).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }

    /// Sets the clock to some seconds after a minute.
    fn clock(&self, minute: i64, seconds: i64) {
        let now = self.server.now();
        let ahead = at(minute).plus_micros(seconds * 1_000_000).seconds_since(now);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
        self.server.wait(ahead as i64);
    }

    /// The picture of a minute, and how long it took to come.
    async fn picture(&self, minute: i64) -> (Value, Duration) {
        let started = Instant::now();
        let headers = [("cookie", self.cookie.as_str())];
        loop {
            let line = "GET /api/v1/crowd/events/plein/runs/1/picture";
            let answer = self.server.ask(line, &headers, None).await;
            if answer.status == StatusCode::OK {
                let picture = answer.json();
                let shown = Timestamp::parse(picture["at"].as_str().unwrap()).unwrap();
                assert!(shown <= at(minute), "{shown} was not expected yet");
                if shown == at(minute) {
                    return (picture, started.elapsed());
                }
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no picture of minute {minute}: {}", answer.body);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

const NORTH: &str = "urn:ngsi-ld:Counter:noord";
const SOUTH: &str = "urn:ngsi-ld:Counter:zuid";

fn area(capacity: f64) -> Value {
    let ring = [[4.48, 51.91], [4.481, 51.91], [4.481, 51.911], [4.48, 51.911], [4.48, 51.91]];
    json!({ "name": "Plein", "outline": { "type": "Polygon", "coordinates": [ring] }, "surfaceM2": 4000.0,
        "capacityPersons": capacity })
}

fn gate(name: &str, counter: &Value) -> Value {
    json!({ "name": name, "line": { "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] },
        "widthM": 8.0, "to": "plein", "counter": counter })
}

fn both_ways(entity: &str) -> Value {
    json!({ "entity": entity, "inAttribute": "in", "outAttribute": "out", "periodS": 60 })
}

async fn square(capacity: f64) -> Room {
    let parts = [
        ("area/plein", area(capacity)),
        ("gate/noord", gate("Noord", &both_ways(NORTH))),
        ("gate/zuid", gate("Zuid", &both_ways(SOUTH))),
    ];
    Room::new(&parts).await
}

fn persons(picture: &Value) -> f64 {
    picture["areas"][0]["occupancy"]["value"].as_f64().unwrap_or(f64::NAN)
}

fn marks(picture: &Value, gate: usize) -> String {
    picture["gates"][gate]["marks"].to_string()
}

#[tokio::test]
async fn a_minute_is_seen_as_soon_as_every_gate_that_reports_has_counted_it() {
    let room = square(3_000.0).await;
    room.start().await;
    room.clock(1, 1);
    room.send(NORTH, at(1), &[("in", 60.0), ("out", 0.0)]).await;
    let headers = [("cookie", room.cookie.as_str())];
    tokio::time::sleep(Duration::from_millis(700)).await;
    let answer = room.server.ask("GET /api/v1/crowd/events/plein/runs/1/picture", &headers, None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "the south gate may still report: {}", answer.body);
    room.send(SOUTH, at(1), &[("in", 40.0), ("out", 10.0)]).await;
    let (picture, took) = room.picture(1).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(persons(&picture), 90.0);
    // The south gate dies: it is waited for once, then no more.
    room.clock(2, 1);
    room.send(NORTH, at(2), &[("in", 60.0), ("out", 0.0)]).await;
    room.clock(2, 21);
    let (picture, _) = room.picture(2).await;
    assert_ne!(picture["gates"][1]["status"], "counted", "{picture}");
    room.clock(3, 1);
    room.send(NORTH, at(3), &[("in", 60.0), ("out", 0.0)]).await;
    let (_, took) = room.picture(3).await;
    assert!(took < Duration::from_secs(2), "a gate that is known to be silent was waited for: {took:?}");
}

#[tokio::test]
async fn an_alert_names_its_threshold_and_the_picture_where_amber_and_red_start() {
    let room = square(1_000.0).await;
    room.start().await;
    for minute in 1..=12 {
        room.clock(minute, 1);
        room.send(NORTH, at(minute), &[("in", 90.0), ("out", 0.0)]).await;
        room.send(SOUTH, at(minute), &[("in", 0.0), ("out", 0.0)]).await;
        room.picture(minute).await;
    }
    let (picture, _) = room.picture(12).await;
    let thresholds = &picture["areas"][0]["thresholds"];
    assert_eq!(thresholds["persons"], json!({ "amber": 800.0, "red": 950.0 }), "{thresholds}");
    assert_eq!(thresholds["densityM2"], json!({ "amber": 2.0, "red": 3.57 }), "{thresholds}");
    let alert = &picture["attention"][0];
    assert_eq!((alert["because"].as_str(), alert["threshold"].as_f64()), (Some("occupancy_share"), Some(0.95)));
    let happened: Vec<_> = alert["log"].as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert!(happened.contains(&json!("raised")) && happened.contains(&json!("arrived")), "{happened:?}");
}

#[tokio::test]
async fn five_kinds_of_anonymous_sources_become_one_picture() {
    let mut plein = area(5_000.0);
    plein["counts"] = json!([
        { "entity": "urn:x:parking", "attribute": "occupied", "personsEach": 2.0, "sdPersons": 400.0 },
        { "entity": "urn:x:phones", "attribute": "devices", "registrationShare": 0.3 },
    ]);
    let road = json!({ "entity": "urn:x:road", "inAttribute": "vehicles", "periodS": 60, "personsEach": 1.5 });
    let tram = json!({ "entity": "urn:x:tram", "inAttribute": "alighting", "outAttribute": "boarding", "periodS": 60 });
    let heat = json!({ "name": "Hitte", "kind": "weather", "level": "low", "measured":
        { "entity": "urn:x:weather", "attribute": "temperature", "mediumFrom": 25.0, "highFrom": 32.0 } });
    let parts = [
        ("area/plein", plein),
        ("gate/tram", gate("Tram", &tram)),
        ("gate/weg", gate("Weg", &road)),
        ("threat/hitte", heat),
    ];
    let room = Room::new(&parts).await;
    room.start().await;
    for minute in 1..=10 {
        room.clock(minute, 1);
        room.send("urn:x:weather", at(minute), &[("temperature", 27.5)]).await;
        if minute == 10 {
            room.send("urn:x:phones", at(minute), &[("devices", 450.0)]).await;
            room.send("urn:x:parking", at(minute), &[("occupied", 600.0)]).await;
        }
        room.send("urn:x:road", at(minute), &[("vehicles", 40.0)]).await;
        room.send("urn:x:tram", at(minute), &[("alighting", 50.0), ("boarding", 10.0)]).await;
        let (picture, _) = room.picture(minute).await;
        // 40 cars of 1.5 persons and 40 more by tram each minute.
        if minute == 9 {
            assert_eq!(persons(&picture), 900.0, "{picture}");
        }
    }
    let (picture, _) = room.picture(10).await;
    let counted = persons(&picture);
    assert!(
        (1_000.0..1_500.0).contains(&counted),
        "1,000 by the gates, 1,500 by the phones, 1,200 by the cars: {counted}"
    );
    assert!(picture["areas"][0]["made"].to_string().contains("area-count"), "{picture}");
    let condition = &picture["conditions"][0];
    assert_eq!((condition["level"].as_str(), condition["value"].as_f64()), (Some("medium"), Some(27.5)), "{condition}");
}

#[tokio::test]
async fn counts_that_cannot_be_are_not_used_and_the_gate_says_why() {
    let room = square(3_000.0).await;
    room.start().await;
    let south = |minute| room.send(SOUTH, at(minute), &[("in", 1.0), ("out", 0.0)]);
    // The same again adds nothing; another value for the same minute is a conflict, and the first one stands.
    room.clock(1, 1);
    room.send(NORTH, at(1), &[("in", 50.0), ("out", 0.0)]).await;
    south(1).await;
    let (before, _) = room.picture(1).await;
    room.clock(2, 1);
    room.send(NORTH, at(1), &[("in", 80.0), ("out", 0.0)]).await;
    room.send(NORTH, at(2), &[("in", 10.0), ("out", 0.0)]).await;
    south(2).await;
    let (picture, _) = room.picture(2).await;
    assert!(marks(&picture, 0).contains("conflict"), "{picture}");
    // Ten and one more, rounded to tens: not the thirty on top that the second value of the first minute would bring.
    let more = persons(&picture) - persons(&before);
    assert!((5.0..25.0).contains(&more), "{} then {}", persons(&before), persons(&picture));
    // Negative: refused and marked, each time.
    for minute in 3..=4 {
        room.clock(minute, 1);
        room.send(NORTH, at(minute), &[("in", -5.0), ("out", 0.0)]).await;
        south(minute).await;
        let (picture, _) = room.picture(minute).await;
        assert!(marks(&picture, 0).contains("negative"), "{picture}");
        assert_ne!(picture["gates"][0]["status"], "counted");
    }
    // More than 8 m can let through.
    room.clock(5, 1);
    room.send(NORTH, at(5), &[("in", 9_000.0), ("out", 0.0)]).await;
    south(5).await;
    assert!(marks(&room.picture(5).await.0, 0).contains("beyond-capacity"));
    // A clock that is two hours ahead.
    room.clock(6, 1);
    room.send(NORTH, at(126), &[("in", 3.0), ("out", 0.0)]).await;
    south(6).await;
    room.clock(6, 21);
    assert!(marks(&room.picture(6).await.0, 0).contains("clock-jump"));
    // With its clock set right, it is waited for like any other.
    room.clock(7, 1);
    room.send(NORTH, at(7), &[("in", 20.0), ("out", 0.0)]).await;
    south(7).await;
    room.picture(7).await;
    room.clock(8, 1);
    south(8).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    room.send(NORTH, at(8), &[("in", 20.0), ("out", 0.0)]).await;
    let (picture, _) = room.picture(8).await;
    assert_eq!(picture["gates"][0]["status"], "counted", "{picture}");
}

/// What the exact counts say of a minute, where no request reads.
fn counted_exactly(room: &Room, entity: &str, minute: i64, persons: f64) {
    let entity = EntityId::parse(entity).unwrap();
    let mut tx = Transaction::new(Tenant::default().internal());
    for (attribute, value) in [("in", persons), ("out", 0.0)] {
        let series = SeriesKey { entity: entity.clone(), attribute: expand(attribute), dataset_id: None };
        let (value, quality) = (ObservedValue::Number(value), Quality::default());
        let (at, unit_code) = (at(minute), None);
        tx.observe(Observation { series, at, value, unit_code, quality, recorded_at: at });
    }
    room.server.store.commit_blocking(tx).unwrap();
}

#[tokio::test]
async fn a_count_that_lay_ahead_is_used_when_the_clock_comes_there() {
    let room = square(3_000.0).await;
    room.start().await;
    let both = async |minute| {
        room.send(NORTH, at(minute), &[("in", 20.0), ("out", 0.0)]).await;
        room.send(SOUTH, at(minute), &[("in", 20.0), ("out", 0.0)]).await;
    };
    // As in a replay that has come to its end and starts again: what is to come is in the history already.
    room.clock(1, 1);
    both(5).await;
    both(1).await;
    assert!(marks(&room.picture(1).await.0, 0).contains("clock-jump"));
    for minute in 2..=4 {
        room.clock(minute, 1);
        both(minute).await;
        room.picture(minute).await;
    }
    room.clock(5, 1);
    both(5).await;
    let (picture, _) = room.picture(5).await;
    assert_eq!(picture["gates"][0]["status"], "counted", "{picture}");
    assert!((persons(&picture) - 200.0).abs() < 20.0, "{picture}");
}

#[tokio::test]
async fn a_plan_cannot_be_made_to_read_exact_counts_aloud() {
    const FEW: &str = "urn:ngsi-ld:Counter:stil";
    let mut many_each = both_ways(FEW);
    many_each["personsEach"] = json!(1_000.0);
    let mut wide = gate("Maal", &many_each);
    wide["widthM"] = json!(10_000.0);
    let mut plein = area(50_000.0);
    plein["counts"] = json!([{ "entity": FEW, "attribute": "in", "registrationShare": 0.001 }]);
    let measured = json!({ "entity": FEW, "attribute": "in", "mediumFrom": 1.0, "highFrom": 2.0 });
    let mut parts = vec![
        ("area/plein", plein),
        ("gate/aan", gate("Aan", &both_ways(FEW))),
        ("gate/maal", wide),
        ("threat/teller", json!({ "name": "Teller", "kind": "other", "level": "low", "measured": measured })),
    ];
    let again = ["b", "c", "d", "e", "f"].map(|key| format!("gate/{key}"));
    parts.extend(again.iter().map(|key| (key.as_str(), gate("Nog eens", &both_ways(FEW)))));
    let room = Room::new(&parts).await;
    room.start().await;
    counted_exactly(&room, FEW, 1, 3.0);
    room.clock(1, 21);
    let (picture, _) = room.picture(1).await;
    assert_eq!(picture["conditions"][0]["value"], Value::Null, "{picture}");
    let counted: Vec<_> = picture["gates"].as_array().unwrap().iter().filter(|g| g["status"] == "counted").collect();
    assert!(counted.len() == 1 && counted[0]["key"] == "aan", "one gate counts persons as they are: {picture}");
    assert!(!picture["areas"][0]["made"].to_string().contains("area-count"), "{picture}");
}

#[tokio::test]
async fn a_count_that_comes_late_is_added_and_marked() {
    let room = square(3_000.0).await;
    room.start().await;
    for minute in 1..=3 {
        room.clock(minute, 1);
        room.send(NORTH, at(minute), &[("in", 20.0), ("out", 0.0)]).await;
        room.send(SOUTH, at(minute), &[("in", 20.0), ("out", 0.0)]).await;
        room.picture(minute).await;
    }
    room.clock(4, 1);
    room.send(NORTH, at(4), &[("in", 20.0), ("out", 0.0)]).await;
    room.clock(4, 21);
    room.picture(4).await;
    room.clock(5, 1);
    room.send(SOUTH, at(4), &[("in", 200.0), ("out", 0.0)]).await;
    room.send(SOUTH, at(5), &[("in", 20.0), ("out", 0.0)]).await;
    room.send(NORTH, at(5), &[("in", 20.0), ("out", 0.0)]).await;
    let (picture, _) = room.picture(5).await;
    assert!(marks(&picture, 1).contains("late"), "{picture}");
    assert!((persons(&picture) - 380.0).abs() < 25.0, "{}", persons(&picture));
}

#[tokio::test]
async fn a_counter_of_totals_that_starts_again_is_marked_and_loses_nobody_since() {
    let total =
        json!({ "entity": NORTH, "inAttribute": "in", "outAttribute": "out", "periodS": 60, "counts": "total" });
    let room = Room::new(&[("area/plein", area(3_000.0)), ("gate/noord", gate("Noord", &total))]).await;
    room.start().await;
    for (minute, count) in [(1, 5_000.0), (2, 5_060.0), (3, 5_120.0), (4, 60.0), (5, 120.0)] {
        room.clock(minute, 1);
        room.send(NORTH, at(minute), &[("in", count), ("out", 0.0)]).await;
        room.clock(minute, 21);
        let (picture, _) = room.picture(minute).await;
        assert_eq!(marks(&picture, 0).contains("reset"), minute == 4, "minute {minute}: {picture}");
    }
    let (picture, _) = room.picture(5).await;
    assert!((persons(&picture) - 240.0).abs() < 40.0, "{picture}");
}

#[tokio::test]
async fn directions_that_are_swapped_are_suspected_and_nothing_is_turned_round() {
    let room = square(3_000.0).await;
    room.start().await;
    let mut suspected = String::new();
    for minute in 1..=60 {
        room.clock(minute, 1);
        // People come in at the south and leave at the north, where the counter has it the wrong way round.
        room.send(SOUTH, at(minute), &[("in", 0.0), ("out", 20.0)]).await;
        room.send(NORTH, at(minute), &[("in", 0.0), ("out", 30.0)]).await;
        let (picture, _) = room.picture(minute).await;
        suspected += &(marks(&picture, 0) + &marks(&picture, 1));
    }
    assert!(suspected.contains("swap-suspected"), "{suspected}");
}
