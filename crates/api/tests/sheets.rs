//! Data protection sheets: made from the settings, public where the source is public, and not there otherwise.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::sync::Arc;

use axum::http::StatusCode;
use common::{Server, server_showing};
use polder_api::DoorSettings;
use serde_json::{Value, json};
use sources::{Board, config::CityFile};

const CITY: &str = r#"
[city]
id = "x"
name = "X"
country = "NL"
title = { nl = "X", en = "X" }
time_zone = "UTC"
center = [4.5, 51.9]
bounds = [4.0, 51.0, 5.0, 52.0]
zoom = 10
[[source]]
name = "phones"
title = { nl = "Telefoons", en = "Phones" }
connector = "csv"
file = "phones.csv"
entity_type = "CrowdFlowObserved"
id = "urn:x:{cell}"
public = true
provenance = { publisher = "P", licence = "CC0-1.0", licence_verified = true, attribution = "P" }
retention = { history_days = 30 }
[source.aggregate]
by = "cells"
size_m = 100
pseudonym = "phone"
minimum = 20
[source.privacy]
persons = "pseudonymous"
collected = { nl = "Posities", en = "Positions" }
purpose = { nl = "Drukte", en = "Crowding" }
basis = { nl = "niet bekend", en = "not known" }
controller = "Gemeente X"
review_by = "2026-08-19"
[[source]]
name = "gates"
title = { nl = "Poorten", en = "Gates" }
connector = "csv"
file = "gates.csv"
entity_type = "GateCount"
id = "urn:x:{gate}"
internal = true
provenance = { publisher = "P", licence = "none", attribution = "P" }
attribute = [{ name = "in", field = "in", kind = "number", persons = true }]
[source.privacy]
persons = "aggregated"
collected = { nl = "Tellingen", en = "Counts" }
purpose = { nl = "Drukte", en = "Crowding" }
basis = { nl = "niet bekend", en = "not known" }
controller = "Gemeente X"
[[source]]
name = "trees"
title = { nl = "Bomen", en = "Trees" }
connector = "csv"
file = "trees.csv"
entity_type = "Tree"
id = "urn:x:{tree}"
provenance = { publisher = "P", licence = "CC0-1.0", attribution = "P" }
attribute = [{ name = "species", field = "species" }]
"#;

const LAYERS: &str = "[[group]]\nid = \"all\"\ntitle = { nl = \"Alles\", en = \"Everything\" }\n";

fn server() -> Server {
    let city = CityFile::parse(CITY, "city.toml").unwrap_or_else(|problems| panic!("{problems:?}"));
    let sources: Vec<_> = city.sources.into_iter().map(Arc::new).collect();
    server_showing(DoorSettings::default(), false, LAYERS, Board::new(&sources), &["CrowdFlowObserved", "Tree"])
}

async fn names(server: &Server, headers: &[(&str, &str)]) -> Vec<String> {
    let sheets = server.ask("GET /api/v1/data-sheets", headers, None).await.json();
    sheets.as_array().unwrap().iter().map(|sheet| sheet["source"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stranger_reads_the_sheets_of_public_sources_and_sees_no_others() {
    let server = server();
    assert_eq!(names(&server, &[]).await, ["phones"]);
    for hidden in ["gates", "trees", "dragons"] {
        let answer = server.ask(&format!("GET /api/v1/data-sheets/{hidden}"), &[], None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{hidden}");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("there is no public source"));
    }
    server.add_user("anna", &["viewer"]);
    server.add_user("uta", &["utrecht:administrator"]);
    let (anna, uta) = (server.token("anna", None), server.token("uta", None));
    assert_eq!(names(&server, &[("authorization", &anna)]).await, ["phones", "gates", "trees"]);
    let away = [("authorization", uta.as_str()), ("ngsild-tenant", "utrecht")];
    assert_eq!(names(&server, &away).await, ["phones"], "who may read another city is a stranger here");
}

#[tokio::test]
async fn a_sheet_says_what_the_source_does() {
    let sheet = server().ask("GET /api/v1/data-sheets/phones", &[], None).await.json();
    let of = |name: &str| sheet[name].clone();
    assert_eq!(of("persons"), json!("pseudonymous"));
    assert_eq!(of("historyDays"), json!(30));
    assert_eq!(of("basis"), json!({ "nl": "niet bekend", "en": "not known" }));
    assert_eq!(of("contact"), Value::Null);
    assert_eq!(of("attributes"), json!([{ "name": "deviceCount", "unit": null, "history": true, "minimumCount": 20 }]));
    let aggregation =
        json!({ "by": "cells", "sizeM": 100.0, "periodS": 300, "graceS": 30, "minimum": 20, "distinct": true });
    assert_eq!(of("aggregation"), aggregation);
    assert_eq!((of("reviewBy"), of("reviewOverdue")), (json!("2026-08-19"), json!(true)), "it is 20 August 2026");
    assert_eq!((of("receiverCount"), of("receivers")), (json!(0), json!([])));
}

#[tokio::test]
async fn a_sheet_says_who_reads_and_where_it_goes() {
    let server = server();
    for (name, role) in [("anna", "viewer"), ("olaf", "operator"), ("ans", "analyst")] {
        server.add_user(name, &[role]);
    }
    let subscription = json!({
        "id": "urn:x:watch", "type": "Subscription", "entities": [{ "type": "CrowdFlowObserved" }],
        "notification": { "endpoint": { "uri": "https://receiver.example.org/in" } },
    });
    let ans = server.token("ans", None);
    let made = server.ask("POST /ngsi-ld/v1/subscriptions", &[("authorization", &ans)], Some(subscription)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let sheet = async |token: &str, source: &str| {
        let line = format!("GET /api/v1/data-sheets/{source}");
        server.ask(&line, &[("authorization", token)], None).await.json()
    };
    let phones = sheet(&server.token("anna", None), "phones").await;
    assert_eq!((&phones["receiverCount"], &phones["receivers"]), (&json!(1), &json!([])));
    assert_eq!(phones["readers"].as_array().unwrap().len(), 5);
    let phones = sheet(&server.token("olaf", None), "phones").await;
    assert_eq!(phones["receivers"], json!(["receiver.example.org"]));
    let gates = sheet(&server.token("olaf", None), "gates").await;
    assert_eq!((&gates["internal"], &gates["readers"]), (&json!(true), &json!([])));
    let trees = sheet(&server.token("olaf", None), "trees").await;
    assert_eq!((&trees["stated"], &trees["persons"]), (&json!(false), &json!("unknown")));
}
