//! Who is told of an event's alerts, over HTTP, and the report as PDF.
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
}

/// A square to which people come.
async fn planned(anna: &Person<'_>) {
    let facts = json!({ "name": "Plein", "from": "2026-08-21T17:00:00Z", "until": "2026-08-21T20:00:00Z" });
    anna.get(StatusCode::CREATED, "POST /events", Some(facts)).await;
    let ring = json!([[[4.48, 51.91], [4.481, 51.91], [4.481, 51.9106], [4.48, 51.9106], [4.48, 51.91]]]);
    let outline = json!({ "type": "Polygon", "coordinates": ring });
    let line = json!({ "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] });
    for (part, body) in [
        ("area/plein", json!({ "name": "Plein", "outline": outline, "surfaceM2": 1000.0, "capacityPersons": 1500.0 })),
        ("gate/noord", json!({ "name": "Noord", "line": line, "widthM": 6.0, "to": "plein" })),
        (
            "programme/concert",
            json!({
                "name": "Concert", "area": "plein", "from": "2026-08-21T18:30:00Z", "until": "2026-08-21T19:30:00Z",
                "visitorsExpected": 4000.0, "arrivalMinBefore": 30.0,
            }),
        ),
    ] {
        let line = format!("PUT /events/plein/parts/{part}");
        anna.get(StatusCode::OK, &line, Some(json!({ "version": null, "body": body }))).await;
    }
}

fn facts(tell_of: &str) -> Value {
    let address = json!({ "channel": "email", "email": "ovd@example.org" });
    json!({ "function": "Officier van dienst", "address": address, "tellOf": tell_of, "rehearsals": true })
}

#[tokio::test]
async fn who_may_plan_keeps_the_list_of_recipients_and_nobody_else_sees_an_address() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    let vera = Person::new(&server, "vera", "viewer").await;
    planned(&anna).await;
    let put = "PUT /events/plein/recipients/ovd";
    let made = anna.get(StatusCode::OK, put, Some(json!({ "version": null, "facts": facts("raised") }))).await;
    assert_eq!((made["function"].as_str(), made["changedBy"].as_str()), (Some("Officier van dienst"), Some("anna")));
    let list = anna.get(StatusCode::OK, "GET /events/plein/recipients", None).await;
    assert_eq!(list["channels"], json!(["webhook"]));
    assert_eq!(list["recipients"][0]["address"]["email"], "ovd@example.org");
    vera.get(StatusCode::FORBIDDEN, "GET /events/plein/recipients", None).await;
    vera.get(StatusCode::FORBIDDEN, "POST /events/plein/recipients/ovd/test", None).await;
    let stale = Some(json!({ "version": null, "facts": facts("all") }));
    let conflict = anna.get(StatusCode::CONFLICT, put, stale).await;
    assert!(conflict["remedy"].is_string(), "{conflict}");
    let changed = Some(json!({ "version": made["version"], "facts": facts("all") }));
    let changed = anna.get(StatusCode::OK, put, changed).await;
    anna.get(StatusCode::NOT_FOUND, "POST /events/plein/recipients/nobody/test", None).await;
    let queued = anna.get(StatusCode::ACCEPTED, "POST /events/plein/recipients/ovd/test", None).await;
    assert_eq!((queued["state"].as_str(), queued["what"].as_str()), (Some("waiting"), Some("test")));
    let list = anna.get(StatusCode::OK, "GET /events/plein/recipients", None).await;
    assert_eq!(list["recipients"][0]["test"]["state"], "waiting");
    let version = changed["version"].as_u64().unwrap();
    let remove = format!("DELETE /events/plein/recipients/ovd?version={version}");
    anna.get(StatusCode::NO_CONTENT, &remove, None).await;
    let audit = server.store.audit(0, 1_000).unwrap();
    assert!(audit.iter().any(|record| record.entry.action == "crowd-recipients.write"));
    assert!(!audit.iter().any(|record| format!("{:?}", record.entry).contains("ovd@example.org")));
}

#[tokio::test]
async fn a_recipient_that_cannot_be_is_refused_with_the_remedy() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    planned(&anna).await;
    let facts = |function: &str, address: Value| json!({ "version": null, "facts": { "function": function, "address": address } });
    let mail = |email: &str| json!({ "channel": "email", "email": email });
    for (key, body) in [
        ("ovd", facts("", mail("ovd@example.org"))),
        ("ovd", facts("Officier", mail("nobody"))),
        ("ovd", facts("Officier", json!({ "channel": "webhook", "url": "https://u:p@example.org/" }))),
        ("ovd", facts("Officier", json!({ "channel": "mqtt", "topic": "#" }))),
        ("O%20VD", facts("Officier", mail("ovd@example.org"))),
    ] {
        let refused =
            anna.get(StatusCode::BAD_REQUEST, &format!("PUT /events/plein/recipients/{key}"), Some(body)).await;
        assert!(refused["remedy"].is_string(), "{refused}");
    }
    let pigeon = facts("Officier", json!({ "channel": "pigeon" }));
    let refused = anna.ask("PUT /events/plein/recipients/ovd", Some(pigeon)).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    let list = anna.get(StatusCode::OK, "GET /events/plein/recipients", None).await;
    assert_eq!(list["recipients"], json!([]));
}

#[tokio::test]
async fn an_alert_waits_for_who_asked_for_rehearsals_and_the_report_is_had_as_pdf() {
    let server = server();
    let anna = Person::new(&server, "anna", "operator").await;
    let vera = Person::new(&server, "vera", "viewer").await;
    planned(&anna).await;
    let put = Some(json!({ "version": null, "facts": facts("all") }));
    anna.get(StatusCode::OK, "PUT /events/plein/recipients/ovd", put).await;
    let start = json!({ "kind": "rehearsal", "speed": 3600.0, "seed": 4 });
    anna.get(StatusCode::CREATED, "POST /events/plein/runs", Some(start)).await;
    loop {
        let run = anna.get(StatusCode::OK, "GET /events/plein/runs", None).await;
        if run[0]["state"] == "ended" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let deliveries = vera.get(StatusCode::OK, "GET /events/plein/runs/1/deliveries", None).await;
    assert_eq!((deliveries[0]["what"].as_str(), deliveries[0]["state"].as_str()), (Some("raised"), Some("waiting")));
    assert_eq!(deliveries[0]["of"]["simulated"], true);
    assert!(!deliveries.to_string().contains("ovd@example.org"), "{deliveries}");
    let alerts = vera.get(StatusCode::OK, "GET /events/plein/runs/1/alerts", None).await;
    let entries: usize = alerts.as_array().unwrap().iter().map(|alert| alert["log"].as_array().unwrap().len()).sum();
    assert_eq!(deliveries.as_array().unwrap().len(), entries, "one message for each happening");
    for lang in ["nl", "en"] {
        let answer = vera.ask(&format!("GET /events/plein/runs/1/report.pdf?lang={lang}"), None).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/pdf"));
        assert!(answer.body.starts_with("%PDF-1.7"), "{}", &answer.body[..20]);
        assert!(answer.header("content-disposition").contains("plein-1.pdf"));
    }
    let refused = vera.ask("GET /events/plein/runs/1/report.pdf?lang=fr", None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    vera.get(StatusCode::NOT_FOUND, "GET /events/plein/runs/9/report.pdf", None).await;
}
