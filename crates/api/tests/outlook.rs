//! Forecasts over HTTP: who may ask, what may be asked, and what the answer says when there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::http::StatusCode;
use common::{Answer, Server, server};
use model::{EntityId, Observation, ObservedValue, Quality, SeriesKey, Tenant};
use store::Transaction;
use views::expand;

const FORECASTS: &str = "/api/v1/crowd/forecasts";

async fn get(server: &Server, token: &str, path: &str) -> Answer {
    server.ask(&format!("GET {FORECASTS}{path}"), &[("authorization", token)], None).await
}

/// A bench on which 3, 30, 300 people sit in turn, hour by hour, for two days.
fn count(server: &Server) {
    let series = SeriesKey {
        entity: EntityId::parse("urn:x:secret-bench").unwrap(),
        attribute: expand("sitting"),
        dataset_id: None,
    };
    let mut tx = Transaction::new(Tenant::default());
    for hours in 1..=48_i64 {
        let at = server.now().plus_micros(-hours * 3_600_000_000);
        let value = ObservedValue::Number([3.0, 30.0, 304.0][hours as usize % 3]);
        let (series, quality) = (series.clone(), Quality::default());
        tx.observe(Observation { series, at, value, unit_code: None, quality, recorded_at: at });
    }
    server.store.commit_blocking(tx).unwrap();
}

#[tokio::test]
async fn everybody_with_an_account_reads_and_who_plans_may_ask_for_a_training() {
    let server = server();
    for (name, role) in [("vera", "viewer"), ("bram", "analyst")] {
        server.add_user(name, &[role]);
    }
    let (viewer, analyst) = (server.token("vera", None), server.token("bram", None));
    let anonymous = server.ask(&format!("GET {FORECASTS}"), &[], None).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "{}", anonymous.body);
    let sets = get(&server, &viewer, "").await.json();
    assert_eq!((&sets[0]["id"], &sets[0]["state"]), (&"benches".into(), &"none".into()), "{sets}");
    let train = |token: String| {
        let server = &server;
        async move { server.ask(&format!("POST {FORECASTS}/benches/train"), &[("authorization", &token)], None).await }
    };
    assert_eq!(train(viewer).await.status, StatusCode::FORBIDDEN);
    let asked = train(analyst.clone()).await;
    assert_eq!((asked.status, &asked.json()["progress"]["why"]), (StatusCode::ACCEPTED, &"asked".into()));
    let again = train(analyst).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.json()["remedy"].as_str().unwrap().contains("wait"), "{}", again.body);
    let audit = server.store.audit(0, 100).unwrap();
    let entry = audit.iter().find(|record| record.entry.action == "crowd-forecasts.train").unwrap();
    assert!(entry.entry.subject.starts_with("bram/"), "the token of bram: {}", entry.entry.subject);
    assert_eq!(entry.entry.resource, "benches");
}

#[tokio::test]
async fn what_is_not_there_and_what_cannot_be_is_said_with_the_remedy() {
    let server = server();
    server.add_user("vera", &["viewer"]);
    let viewer = server.token("vera", None);
    for (path, status) in [
        ("/trees/linden", StatusCode::NOT_FOUND),
        ("/benches/linden", StatusCode::NOT_FOUND),
        ("/trees/week", StatusCode::NOT_FOUND),
        ("/benches/model", StatusCode::NOT_FOUND),
        ("/benches/linden?hours=0", StatusCode::BAD_REQUEST),
        ("/benches/linden?hours=169", StatusCode::BAD_REQUEST),
        ("/benches/linden/record?days=57", StatusCode::BAD_REQUEST),
    ] {
        let answer = get(&server, &viewer, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.json()["remedy"].is_string(), "{path}: {}", answer.body);
    }
    assert_eq!(get(&server, &viewer, "/benches/week").await.json()["series"], serde_json::json!([]));
}

#[tokio::test]
async fn a_series_without_a_forecast_tells_its_counts_and_why_and_small_ones_have_no_number() {
    let server = server();
    server.add_user("vera", &["viewer"]);
    let viewer = server.token("vera", None);
    count(&server);
    let outlook = server.outlook.clone();
    let thread = std::thread::spawn(move || outlook.refresh());
    let series = loop {
        let sets = get(&server, &viewer, "").await.json();
        if let Some(series) = sets[0]["series"].get(0) {
            break series.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((&series["id"], &series["status"]), (&"urn-x-secret-bench".into(), &"insufficient".into()), "{series}");
    assert_eq!(series["reason"]["code"], "too_little_history");
    assert_eq!(
        (&series["reason"]["values"]["days"], &series["reason"]["values"]["needed"]),
        (&3.0.into(), &28.0.into())
    );
    let forecast = get(&server, &viewer, "/benches/urn-x-secret-bench").await.json();
    assert_eq!((&forecast["points"], &forecast["minimumCount"]), (&serde_json::json!([]), &10.into()));
    let observed = forecast["observed"].as_array().unwrap();
    assert_eq!(observed.len(), 48);
    for count in observed {
        match count.get("count").and_then(serde_json::Value::as_f64) {
            Some(number) => {
                assert!(!count["suppressed"].as_bool().unwrap() && (number == 30.0 || number == 300.0), "{count}")
            }
            None => assert_eq!(count["suppressed"], true),
        }
    }
    assert_eq!(observed.iter().filter(|count| count["suppressed"] == true).count(), 16);
    server.outlook.stop();
    thread.join().unwrap();
}
