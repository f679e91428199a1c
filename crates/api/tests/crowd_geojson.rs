//! Plans as GeoJSON files: what a GIS gives comes in whole or not at all, and what goes out can be read in again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::http::StatusCode;
use common::{Answer, Server, server};
use serde_json::{Value, json};

struct Planner {
    server: Server,
    cookie: String,
    csrf: String,
}

impl Planner {
    async fn new(role: &str) -> Self {
        let server = server();
        server.add_user("anna", &[role]);
        let (cookie, csrf) = server.sign_in("anna").await;
        let planner = Self { server, cookie, csrf };
        for name in ["Plein", "Kade"] {
            let facts = json!({ "name": name, "from": "2026-08-21T17:00:00Z", "until": "2026-08-21T20:00:00Z" });
            planner.ask("POST /events", Some(facts)).await;
        }
        planner
    }

    async fn ask(&self, line: &str, body: Option<Value>) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let line = format!("{method} /api/v1/crowd{path}");
        self.server.ask(&line, &[("cookie", &self.cookie), ("x-csrf-token", &self.csrf)], body).await
    }

    async fn import(&self, query: &str, features: &[Value]) -> Answer {
        let collection = json!({ "type": "FeatureCollection", "features": features });
        self.ask(&format!("POST /events/plein/import{query}"), Some(collection)).await
    }

    async fn parts(&self, event: &str) -> Vec<Value> {
        let plan = self.ask(&format!("GET /events/{event}"), None).await.json();
        plan["parts"].as_array().unwrap().clone()
    }
}

fn polygon() -> Value {
    json!({ "type": "Polygon", "coordinates": [[[4.48, 51.91], [4.481, 51.91], [4.481, 51.911], [4.48, 51.91]]] })
}

fn line() -> Value {
    json!({ "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] })
}

fn feature(geometry: Value, properties: Value) -> Value {
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

fn good() -> Vec<Value> {
    vec![
        feature(
            polygon(),
            json!({ "key": "plein", "name": "Plein", "surfaceM2": 4000, "capacityPersons": 5000, "parent": null }),
        ),
        feature(polygon(), json!({ "name": "De Kade", "surfaceM2": 2000, "capacityPersons": 3000 })),
        feature(line(), json!({ "key": "noord", "name": "Noord", "widthM": 6, "to": "plein" })),
        feature(
            line(),
            json!({ "key": "trap", "name": "Trap", "widthM": 3, "lengthM": 40, "from": "plein", "to": "de-kade" }),
        ),
    ]
}

#[tokio::test]
async fn polygons_become_areas_and_lines_gates_or_links_and_what_is_exported_can_be_imported_again() {
    let anna = Planner::new("analyst").await;
    let imported = anna.import("", &good()).await;
    assert_eq!(imported.status, StatusCode::OK, "{}", imported.body);
    let keys: Vec<_> = anna.parts("plein").await.iter().map(|p| format!("{}/{}", p["kind"], p["key"])).collect();
    assert_eq!(keys.join(" ").replace('"', ""), "area/de-kade area/plein gate/noord link/trap");
    let exported = anna.ask("GET /events/plein/export", None).await;
    assert_eq!(exported.header("content-type"), "application/geo+json");
    assert_eq!(exported.header("content-disposition"), "attachment; filename=\"plein.geojson\"");
    let again = anna.ask("POST /events/kade/import", Some(exported.json())).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    let bodies = |parts: Vec<Value>| parts.into_iter().map(|part| part["body"].clone()).collect::<Vec<_>>();
    assert_eq!(bodies(anna.parts("plein").await), bodies(anna.parts("kade").await));
}

#[tokio::test]
async fn one_bad_feature_and_nothing_is_taken_over_and_each_is_named_with_its_remedy() {
    let anna = Planner::new("analyst").await;
    let metres = json!({ "type": "LineString", "coordinates": [[92_500.0, 437_000.0], [92_510.0, 437_000.0]] });
    let mut features = good();
    features.extend([
        feature(line(), json!({ "key": "west", "name": "West", "widthM": 0, "to": "plein" })),
        feature(metres, json!({ "key": "oost", "name": "Oost", "widthM": 4, "to": "plein" })),
        feature(line(), json!({ "key": "noord", "name": "Noord 2", "widthM": 4, "to": "plein" })),
        feature(Value::Null, json!({ "kind": "gate", "key": "zuid", "name": "Zuid", "widthM": 4 })),
        feature(json!({ "type": "Point", "coordinates": [4.48, 51.91] }), json!({ "name": "Paal" })),
        feature(polygon(), json!({ "name": "Leeg", "surfaceM2": 10, "capacityPersons": 0 })),
        feature(polygon(), json!({ "name": "Vreemd", "surfaceM2": 10, "capacityPersons": 10, "fid": 7 })),
    ]);
    let refused = anna.import("", &features).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    let refused = refused.json();
    let problems = refused["problems"].as_array().unwrap();
    let named: Vec<_> =
        problems.iter().map(|p| (p["feature"].as_u64().unwrap(), p["thing"].as_str().unwrap())).collect();
    let expected = [(5, "widthM"), (6, "geometry"), (7, "key"), (8, "line"), (9, "kind"), (10, "capacityPersons")];
    assert_eq!(named[..6], expected, "{refused}");
    assert!(problems[6]["detail"].as_str().unwrap().contains("fid"), "{refused}");
    assert!(problems[1]["remedy"].as_str().unwrap().contains("EPSG:4326"), "{refused}");
    assert!(problems.iter().all(|problem| problem["remedy"].is_string()));
    assert!(anna.parts("plein").await.is_empty());
}

#[tokio::test]
async fn what_is_there_is_refused_or_written_over_as_was_asked() {
    let anna = Planner::new("analyst").await;
    anna.import("", &good()).await;
    let wider = [feature(line(), json!({ "key": "noord", "name": "Noord", "widthM": 9, "to": "plein" }))];
    let refused = anna.import("", &wider).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("already"), "{}", refused.body);
    let replaced = anna.import("?existing=replace", &wider).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.body);
    let gate = anna.parts("plein").await.into_iter().find(|part| part["key"] == "noord").unwrap();
    assert_eq!(gate["body"]["widthM"], 9.0);
    for file in [json!([]), json!({ "type": "FeatureCollection", "features": [] }), json!({ "type": "Feature" })] {
        let refused = anna.ask("POST /events/plein/import", Some(file)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    }
    let nowhere = anna.ask("POST /events/nergens/import", Some(json!({}))).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_only_look_exports_and_imports_nothing() {
    let vera = Planner::new("viewer").await;
    // No event could be made either.
    assert_eq!(vera.ask("GET /events/plein/export", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(vera.import("", &good()).await.status, StatusCode::FORBIDDEN);
}
