//! The map, tiles, features and 3D tiles over HTTP: what is there, what is not, and what wrong questions are told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::server;

/// What a question is answered with: the status, and the detail of the problem.
async fn check(path: &str, status: u16, detail: &str) {
    let answer = server().ask(&format!("GET {path}"), &[], None).await;
    assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    if !detail.is_empty() {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.json()["detail"].as_str(), Some(detail), "{path}");
    }
}

#[tokio::test]
async fn layers_say_what_they_show_and_whose_it_is() {
    let answer = server().ask("GET /api/v1/layers", &[], None).await;
    let layer = &answer.json()["layers"][0];
    assert_eq!((layer["id"].as_str(), layer["count"].as_u64()), (Some("trees"), Some(1)));
    assert_eq!(layer["features"], "/api/v1/layers/trees/features");
}

#[tokio::test]
async fn wrong_questions_are_told_what_is_wrong() {
    check("/api/v1/layers/dragons/features", 404, "there is no layer \"dragons\"").await;
    check("/api/v1/layers/trees/features?at=yesterday", 400, "at: \"yesterday\" is not a moment in time").await;
    check("/api/v1/layers/trees/features?bbox=1,2,3", 400, "bbox: \"1,2,3\" is not a box").await;
    check("/api/v1/layers/trees/features?bbox=5,2,3,4", 400, "bbox: \"5,2,3,4\" is not a box").await;
    check("/api/v1/layers/trees/table?sort=age", 400, "sort: there is no column \"age\"").await;
    check("/api/v1/things/not-a-uri", 400, "id: \"not-a-uri\" is not a URI").await;
    check("/api/v1/things/urn:x:nobody", 404, "there is no thing \"urn:x:nobody\"").await;
    check("/tiles/v1/trees/99/0/0.mvt", 400, "tile: zoom level 99 does not exist").await;
    check("/tiles/v1/trees/3/9/0.mvt", 400, "tile: tile 3/9/0 does not exist").await;
    check("/tiles/v1/trees/a/b/c.mvt", 400, "tile: its name is not three numbers").await;
    check("/tiles/v1/basemap/3/0/0.mvt", 404, "this city has no base map").await;
    check("/3dtiles/v1/trees/tileset.json", 404, "there is no 3D tileset \"trees\"").await;
    check("/ogc/features/v1/collections/trees/items?colour=red", 400, "query: there is no parameter \"colour\"").await;
    check("/ogc/features/v1/collections/trees/items?limit=-1", 400, "limit: \"-1\" is not a whole number").await;
    check("/ogc/features/v1/collections/trees/items?datetime=now", 400, "datetime: \"now\" is not a moment in time")
        .await;
    check("/ogc/features/v1/collections/trees/items?filter=age%3E1", 400, "filter: there is no property \"age\"").await;
    check("/ogc/features/v1/collections?f=xml", 400, "f: there is no form \"xml\"").await;
}

#[tokio::test]
async fn what_is_not_public_is_not_there_without_an_account() {
    check("/api/v1/things/urn:x:secret-bench", 404, "there is no thing \"urn:x:secret-bench\"").await;
    check("/api/v1/things/urn:x:linden", 200, "").await;
}

#[tokio::test]
async fn a_tile_without_things_is_204_and_unchanged_ones_are_304() {
    let server = server();
    let first = server.ask("GET /tiles/v1/trees/14/8000/5000.mvt", &[], None).await;
    assert_eq!((first.status.as_u16(), first.header("cache-control")), (204, "no-cache"));
    let etag = first.header("etag").to_owned();
    let again = server.ask("GET /tiles/v1/trees/14/8000/5000.mvt", &[("if-none-match", &etag)], None).await;
    assert_eq!(again.status.as_u16(), 304);
}

#[tokio::test]
async fn features_link_their_pages_and_speak_json_and_html() {
    let server = server();
    let headers = [("host", "polder.example")];
    let items = server.ask("GET /ogc/features/v1/collections/trees/items?name=linden", &headers, None).await;
    assert_eq!(items.header("content-type"), "application/geo+json");
    let json = items.json();
    assert_eq!((&json["numberMatched"], &json["numberReturned"]), (&1.into(), &1.into()));
    assert_eq!(json["features"][0]["id"], "urn:x:linden");
    let own = "http://polder.example/ogc/features/v1/collections/trees/items?name=linden&f=json";
    assert_eq!(json["links"][0]["href"], own);
    let none =
        server.ask("GET /ogc/features/v1/collections/trees/items?filter=name%20LIKE%20%27q%25%27", &headers, None);
    assert_eq!(none.await.json()["numberReturned"], 0);
    for path in ["", "/", "/conformance", "/collections", "/collections/trees", "/collections/trees/items"] {
        let page = server.ask(&format!("GET /ogc/features/v1{path}"), &[("accept", "text/html")], None).await;
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.body.contains("<h1>"), "{path}");
    }
    let api = server.ask("GET /ogc/features/v1/api", &[], None).await.json();
    assert_eq!(api["openapi"], "3.0.3");
    let landing = server.ask("GET /ogc/features/v1", &[], None).await.json();
    let relations: Vec<&str> =
        landing["links"].as_array().unwrap().iter().map(|l| l["rel"].as_str().unwrap()).collect();
    for wanted in ["self", "service-desc", "conformance", "data"] {
        assert!(relations.contains(&wanted), "{relations:?}");
    }
}

#[tokio::test]
async fn a_live_citys_clock_cannot_be_set_by_anybody() {
    let server = server();
    let asked = server.ask("POST /api/v1/clock", &[], Some(serde_json::json!({ "speed": 2.0 }))).await;
    assert!(matches!(asked.status.as_u16(), 401 | 403), "{}", asked.body);
}

#[test]
fn every_answer_of_the_map_interface_has_a_described_shape() {
    let description = polder_api::description();
    let paths = description["paths"].as_object().unwrap();
    // The document itself, and the steps of a sign-in that only redirect.
    let shapeless = |path: &str| path == "/api/v1/openapi.json" || path.starts_with("/api/v1/session/oidc/");
    for (path, methods) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1/") && !shapeless(path)) {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let (status, done) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
            let shape = done["content"].as_object().and_then(|content| content.values().next()?.get("schema"));
            assert_eq!(status == "204", shape.is_none(), "{method} {path}: {done}");
        }
    }
}
