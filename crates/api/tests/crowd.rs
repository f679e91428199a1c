//! The control room over HTTP: plans that several people change, rehearsals, alerts, measures and the report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::http::StatusCode;
use common::{Answer, Server, server};
use serde_json::{Value, json};

/// A person who is signed in.
struct Person<'a> {
    server: &'a Server,
    cookie: String,
    csrf: String,
}

impl<'a> Person<'a> {
    async fn new(server: &'a Server, name: &str, role: &str) -> Self {
        server.add_user(name, &[role]);
        let (cookie, csrf) = server.sign_in(name).await;
        Self { server, cookie, csrf }
    }

    async fn ask(&self, line: &str, body: Option<Value>) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let line = format!("{method} /api/v1/crowd{path}");
        self.server.ask(&line, &[("cookie", &self.cookie), ("x-csrf-token", &self.csrf)], body).await
    }

    /// The answer, which must have a status.
    async fn get(&self, status: StatusCode, line: &str, body: Option<Value>) -> Value {
        let answer = self.ask(line, body).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn put(&self, part: &str, body: Value) -> Value {
        let line = format!("PUT /events/plein/parts/{part}");
        self.get(StatusCode::OK, &line, Some(json!({ "version": null, "body": body }))).await
    }
}

fn square(west: f64, south: f64) -> Value {
    let (east, north) = (west + 0.001, south + 0.0006);
    json!({ "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] })
}

fn line() -> Value {
    json!({ "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] })
}

/// A square for 1,500 persons to which 4,000 come: it must become red.
async fn planned(anna: &Person<'_>) {
    let facts = json!({ "name": "Plein", "from": "2026-08-21T17:00:00Z", "until": "2026-08-21T20:00:00Z" });
    anna.get(StatusCode::CREATED, "POST /events", Some(facts)).await;
    let area =
        json!({ "name": "Plein", "outline": square(4.48, 51.91), "surfaceM2": 1000.0, "capacityPersons": 1500.0 });
    anna.put("area/plein", area).await;
    anna.put("gate/noord", json!({ "name": "Noord", "line": line(), "widthM": 6.0, "to": "plein" })).await;
    anna.put("gate/zuid", json!({ "name": "Zuid", "line": line(), "widthM": 4.0, "to": "plein" })).await;
    let concert = json!({
        "name": "Concert", "area": "plein", "from": "2026-08-21T18:30:00Z", "until": "2026-08-21T19:30:00Z",
        "visitorsExpected": 4000.0, "arrivalMinBefore": 30.0,
    });
    anna.put("programme/concert", concert).await;
}

#[tokio::test]
async fn an_event_that_ends_before_it_starts_and_parts_that_cannot_be_are_refused_with_the_remedy() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    let facts = json!({ "name": "Plein", "from": "2026-08-21T17:00:00Z", "until": "2026-08-21T16:00:00Z" });
    let refused = anna.get(StatusCode::BAD_REQUEST, "POST /events", Some(facts)).await;
    assert_eq!(refused["remedy"], "choose an end after the start");
    planned(&anna).await;
    for (part, body, word) in [
        ("gate/west", json!({ "name": "West", "line": line(), "widthM": 0.0, "to": "plein" }), "widthM"),
        ("gate/west", json!({ "name": "West", "line": square(4.0, 51.0), "widthM": 3.0, "to": "plein" }), "line"),
        (
            "area/leeg",
            json!({ "name": "Leeg", "outline": square(4.0, 51.0), "surfaceM2": 10.0, "capacityPersons": 0.0 }),
            "capacityPersons",
        ),
        ("tent/a", json!({ "name": "Tent" }), "kind"),
        ("gate/North Gate", json!({ "name": "N", "line": line(), "widthM": 3.0 }), "key"),
    ] {
        let line = format!("PUT /events/plein/parts/{}", part.replace(' ', "%20"));
        let refused = anna.get(StatusCode::BAD_REQUEST, &line, Some(json!({ "body": body }))).await;
        assert!(refused["detail"].as_str().unwrap().contains(word), "{part}: {refused}");
        assert!(refused["remedy"].is_string());
    }
    let dangling = json!({ "name": "Dans", "area": "nergens", "from": "2026-08-21T18:30:00Z",
        "until": "2026-08-21T19:30:00Z", "visitorsExpected": 10.0, "arrivalMinBefore": 30.0 });
    anna.put("programme/dans", dangling).await;
    let plan = anna.get(StatusCode::OK, "GET /events/plein", None).await;
    assert!(plan["problems"].to_string().contains("nergens"), "{}", plan["problems"]);
}

#[tokio::test]
async fn two_people_change_different_parts_at_once_and_of_the_same_part_one_sees_what_the_other_wrote() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    let bram = Person::new(&server, "bram", "analyst").await;
    planned(&anna).await;
    let plan = anna.get(StatusCode::OK, "GET /events/plein", None).await;
    let part = |kind: &str, key: &str| {
        plan["parts"].as_array().unwrap().iter().find(|p| p["kind"] == kind && p["key"] == key).unwrap().clone()
    };
    let (mut north, mut south) = (part("gate", "noord"), part("gate", "zuid"));
    north["body"]["widthM"] = json!(8.0);
    south["body"]["widthM"] = json!(5.0);
    let change = |part: &Value| Some(json!({ "version": part["version"], "body": part["body"] }));
    anna.get(StatusCode::OK, "PUT /events/plein/parts/gate/noord", change(&north)).await;
    bram.get(StatusCode::OK, "PUT /events/plein/parts/gate/zuid", change(&south)).await;
    north["body"]["widthM"] = json!(3.0);
    let conflict = bram.get(StatusCode::CONFLICT, "PUT /events/plein/parts/gate/noord", change(&north)).await;
    assert_eq!(conflict["current"]["body"]["widthM"], 8.0);
    assert_eq!(conflict["current"]["changedBy"], "anna");
    let now = anna.get(StatusCode::OK, "GET /events/plein", None).await;
    let widths: Vec<_> =
        now["parts"].as_array().unwrap().iter().filter_map(|part| part["body"]["widthM"].as_f64()).collect();
    assert_eq!(widths, [8.0, 5.0]);
}

#[tokio::test]
async fn who_may_only_look_changes_nothing_and_a_token_decides_nothing() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    let viewer = Person::new(&server, "vera", "viewer").await;
    planned(&anna).await;
    viewer.get(StatusCode::OK, "GET /events/plein", None).await;
    let area = json!({ "version": null, "body": {} });
    viewer.get(StatusCode::FORBIDDEN, "PUT /events/plein/parts/area/a", Some(area)).await;
    let start = || Some(json!({ "kind": "rehearsal", "speed": 60.0 }));
    viewer.get(StatusCode::FORBIDDEN, "POST /events/plein/runs", start()).await;
    let run = anna.get(StatusCode::CREATED, "POST /events/plein/runs", start()).await;
    assert_eq!(run["simulated"], true);
    let token = server.token("anna", None);
    let dose =
        json!({ "measure": { "kind": "close", "gate": "noord", "from": "2026-08-21T17:00:00Z" }, "reason": "te vol" });
    let decisions = "POST /api/v1/crowd/events/plein/runs/1/decisions";
    let refused = server.ask(decisions, &[("authorization", &token)], Some(dose)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let bram = Person::new(&server, "bram", "analyst").await;
    let live = Some(json!({ "kind": "live" }));
    bram.get(StatusCode::FORBIDDEN, "POST /events/plein/runs", live).await;
    anna.get(StatusCode::CONFLICT, "POST /events/plein/runs", start()).await;
}

#[tokio::test]
async fn a_rehearsal_runs_from_plan_to_report_with_an_alert_a_measure_and_a_decision() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    planned(&anna).await;
    let start = json!({ "kind": "rehearsal", "speed": 3600.0, "seed": 4 });
    anna.get(StatusCode::CREATED, "POST /events/plein/runs", Some(start)).await;
    let alert = loop {
        let alerts = anna.get(StatusCode::OK, "GET /events/plein/runs/1/alerts", None).await;
        if let Some(alert) = alerts.as_array().unwrap().first() {
            break alert.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    anna.get(StatusCode::OK, "PATCH /events/plein/runs/1", Some(json!({ "paused": true }))).await;
    assert_eq!((alert["area"].as_str(), alert["log"][0]["what"].as_str()), (Some("plein"), Some("raised")));
    let acknowledge = format!("POST /events/plein/runs/1/alerts/{}/acknowledge", alert["id"]);
    let taken = anna.get(StatusCode::OK, &acknowledge, None).await;
    assert_eq!((taken["status"].as_str(), taken["acknowledgedBy"].as_str()), (Some("acknowledged"), Some("anna")));
    let picture = anna.get(StatusCode::OK, "GET /events/plein/runs/1/picture", None).await;
    let area = &picture["areas"][0];
    assert!(area["occupancy"]["value"].as_f64().unwrap() > 100.0, "{area}");
    assert!(area["made"].to_string().contains("simulated"), "{area}");
    let close = json!({ "kind": "close", "gate": "noord", "from": picture["at"] });
    let question = Some(json!({ "measures": [close.clone()] }));
    let differences = anna.get(StatusCode::OK, "POST /events/plein/runs/1/what-if", question).await;
    let p50 = |which: &str| differences[0][which].as_array().unwrap().last().unwrap()["p50"].as_f64().unwrap();
    assert!(p50("with") < p50("without"), "{differences}");
    let no_reason = Some(json!({ "measure": close.clone(), "reason": " " }));
    anna.get(StatusCode::BAD_REQUEST, "POST /events/plein/runs/1/decisions", no_reason).await;
    let decision = Some(json!({ "measure": close, "reason": "Het plein loopt vol." }));
    let decided = anna.get(StatusCode::CREATED, "POST /events/plein/runs/1/decisions", decision).await;
    assert_eq!(decided["decidedBy"], "anna");
    anna.get(StatusCode::OK, "PATCH /events/plein/runs/1", Some(json!({ "paused": false }))).await;
    let report = loop {
        let report = anna.get(StatusCode::OK, "GET /events/plein/runs/1/report", None).await;
        if report["run"]["state"] == "ended" {
            break report;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(report["areas"][0]["points"].as_array().unwrap().len(), 180);
    assert!(report["areas"][0]["peak"]["persons"].as_f64().unwrap() > 500.0);
    assert_eq!(report["decisions"][0]["reason"], "Het plein loopt vol.");
    assert!(report["decisions"][0]["outcome"][0]["actual"].is_number(), "{}", report["decisions"]);
    assert!(report["quality"][0]["judged"].as_u64().unwrap() > 50, "{}", report["quality"]);
    let audit = server.store.audit(0, 1_000).unwrap();
    let actions: Vec<_> =
        audit.iter().map(|record| (record.entry.action.as_str(), record.entry.subject.as_str())).collect();
    for action in ["crowd-alerts.write", "crowd-decisions.write", "crowd-parts.write"] {
        assert!(actions.contains(&(action, "anna")), "{action} is not in {actions:?}");
    }
    let runs = actions.iter().filter(|action| **action == ("crowd-runs.write", "anna")).count();
    assert_eq!(runs, 3, "the start, the pause and its end: {actions:?}");
}
