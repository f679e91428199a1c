//! Bad input over HTTP: each gets a clear problem, the server stays up, and nothing is lost or half stored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use polder_api::DoorSettings;
use serde_json::Value;
use tower::ServiceExt;

/// A server with everybody let in and one building.
async fn server() -> Router {
    let router = common::server_with(DoorSettings::default(), true).router;
    let building = r#"{"id":"urn:ngsi-ld:Building:1","type":"Building","height":{"type":"Property","value":185}}"#;
    let created = send(&router, "POST", "/ngsi-ld/v1/entities", "application/json", building.into()).await;
    assert_eq!(created.0, StatusCode::CREATED);
    router
}

async fn send(router: &Router, method: &str, path: &str, media: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header("accept", "application/json");
    if !media.is_empty() {
        request = request.header("content-type", media);
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// What a case is answered with, on a few lines that a person can judge.
async fn answer(router: &Router, case: &Case) -> String {
    let (status, problem) = send(router, case.method, case.path, case.media, case.body.clone()).await;
    let mut text = format!("{}\n  {} {}\n", case.name, status.as_u16(), problem["type"].as_str().unwrap_or("-"));
    for member in ["title", "detail", "remedy"] {
        if let Some(value) = problem[member].as_str() {
            text += &format!("  {member}: {value}\n");
        }
    }
    assert!(status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{text}");
    text
}

/// One bad request.
struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    media: &'static str,
    body: Vec<u8>,
}

const ENTITIES: &str = "/ngsi-ld/v1/entities";
const SUBSCRIPTIONS: &str = "/ngsi-ld/v1/subscriptions";

fn post(name: &'static str, path: &'static str, body: impl Into<Vec<u8>>) -> Case {
    Case { name, method: "POST", path, media: "application/json", body: body.into() }
}

fn get(name: &'static str, path: &'static str) -> Case {
    Case { name, method: "GET", path, media: "", body: vec![] }
}

/// An entity with one attribute, as JSON text.
fn with(attribute: &str) -> String {
    format!(r#"{{"id":"urn:ngsi-ld:Building:2","type":"Building",{attribute}}}"#)
}

fn with_id(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"Building","height":{{"value":1}}}}"#)
}

async fn check(snapshot: &str, cases: Vec<Case>) {
    let router = server().await;
    let mut told = String::new();
    for case in &cases {
        told += &answer(&router, case).await;
    }
    insta::assert_snapshot!(snapshot, told);
    // The server is up, what was there is there, and nothing else came in.
    let (status, entities) = send(&router, "GET", "/ngsi-ld/v1/entities?type=Building", "", vec![]).await;
    assert_eq!(status, StatusCode::OK);
    let ids: Vec<&str> = entities.as_array().unwrap().iter().filter_map(|e| e["id"].as_str()).collect();
    assert_eq!(ids, ["urn:ngsi-ld:Building:1"]);
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let bomb = with(&format!(r#""height":{{"value":{deep}}}"#));
    check(
        "bodies",
        vec![
            post("an empty body", ENTITIES, ""),
            post("a body that ends too early", ENTITIES, r#"{"id":"urn:ngsi-ld:Building:2","#),
            post("a comma too many", ENTITIES, r#"{"id":"urn:ngsi-ld:Building:2",}"#),
            post("bytes that are not UTF-8", ENTITIES, b"{\"id\":\"\xff\xfe\"}".to_vec()),
            post("NaN", ENTITIES, with(r#""height":{"value":NaN}"#)),
            post("a number too large for a double", ENTITIES, with(r#""height":{"value":1e999}"#)),
            post("10,000 brackets", ENTITIES, deep),
            post("10,000 brackets inside an entity", ENTITIES, bomb),
            Case { media: "text/plain", ..post("a media type that is not JSON", ENTITIES, with(r#""height":1"#)) },
            post("21 MB", ENTITIES, vec![b' '; 21 << 20]),
        ],
    )
    .await;
}

#[tokio::test]
async fn contexts_that_cannot_be_used_are_refused() {
    let ld = |name, context: &str| Case {
        media: "application/ld+json",
        ..post(name, ENTITIES, with(&format!(r#""height":{{"value":1}}{context}"#)))
    };
    check(
        "contexts",
        vec![
            ld("a context that cannot be reached", r#","@context":"http://nowhere.test/context.jsonld""#),
            ld("a context that is a number", r#","@context":5"#),
            ld("a context that is not an http address", r#","@context":"file:///etc/passwd""#),
            ld("a context that refers to itself", r#","@context":{"a":"b:x","b":"a:y"}"#),
            ld("JSON-LD without a context", ""),
            post("JSON with a context inside", ENTITIES, with(r#""height":{"value":1},"@context":"http://x.test/""#)),
        ],
    )
    .await;
}

#[tokio::test]
async fn entities_with_wrong_types_odd_ids_times_and_places_are_refused() {
    let bow = r#""location":{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}"#;
    let long = with_id(&format!("urn:{}", "x".repeat(2_000)));
    check(
        "entities",
        vec![
            post("an array", ENTITIES, "[1,2]"),
            post("no id", ENTITIES, r#"{"type":"Building","height":1}"#),
            post("an id that is a number", ENTITIES, r#"{"id":42,"type":"Building","height":1}"#),
            post("an id that is no URI", ENTITIES, with_id("42")),
            post("an id with spaces", ENTITIES, with_id("urn:ngsi-ld:a b")),
            post("an id with markup", ENTITIES, with_id("urn:<script>")),
            post("an id with a line break", ENTITIES, with_id("urn:a\\nb")),
            post("an id of 2,000 characters", ENTITIES, long),
            post("no type", ENTITIES, r#"{"id":"urn:ngsi-ld:Building:2","height":1}"#),
            post("a type that is an object", ENTITIES, r#"{"id":"urn:ngsi-ld:Building:2","type":{},"height":1}"#),
            post("an attribute that is null", ENTITIES, with(r#""height":null"#)),
            post("a kind that does not exist", ENTITIES, with(r#""height":{"type":"Proper","value":1}"#)),
            post("a property with an object", ENTITIES, with(r#""height":{"type":"Property","object":"urn:x:1"}"#)),
            post("a relationship to nothing", ENTITIES, with(r#""part":{"type":"Relationship","object":"x"}"#)),
            post("the year 9999", ENTITIES, with(r#""height":{"value":1,"observedAt":"9999-01-01T00:00:00Z"}"#)),
            post("a time without a zone", ENTITIES, with(r#""height":{"value":1,"observedAt":"2026-08-20T12:00:00"}"#)),
            post("a time that is a number", ENTITIES, with(r#""height":{"value":1,"observedAt":1787227200}"#)),
            post("a polygon that crosses itself", ENTITIES, with(bow)),
            post(
                "a place that is not on earth",
                ENTITIES,
                with(r#""location":{"type":"Point","coordinates":[200,52]}"#),
            ),
            post("two instances of one dataset", ENTITIES, with(r#""height":[{"value":1},{"value":2}]"#)),
        ],
    )
    .await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    check(
        "questions",
        vec![
            get("everything", "/ngsi-ld/v1/entities"),
            get("an unknown parameter", "/ngsi-ld/v1/entities?type=Building&colour=red"),
            get("a limit that is a word", "/ngsi-ld/v1/entities?type=Building&limit=many"),
            get("a limit that is too large", "/ngsi-ld/v1/entities?type=Building&limit=100000"),
            get("a query that does not end", "/ngsi-ld/v1/entities?type=Building&q=(height%3E1"),
            get("a regular expression that is none", "/ngsi-ld/v1/entities?type=Building&idPattern=%5B"),
            get("half a geo-query", "/ngsi-ld/v1/entities?type=Building&georel=within"),
            get("an id that is no URI", "/ngsi-ld/v1/entities/42"),
            get("an id that does not exist", "/ngsi-ld/v1/entities/urn:ngsi-ld:Building:none"),
            get("a relation of times without a time", "/ngsi-ld/v1/temporal/entities?type=Building&timerel=after"),
            get("a temporal query without a time", "/ngsi-ld/v1/temporal/entities?type=Building"),
            get(
                "the year 9999 in a temporal query",
                "/ngsi-ld/v1/temporal/entities?type=Building&timerel=after&timeAt=9999-01-01T00:00:00Z",
            ),
            get(
                "an end before the start",
                "/ngsi-ld/v1/temporal/entities?type=Building&timerel=between&timeAt=2026-08-20T12:00:00Z&endTimeAt=2026-08-19T12:00:00Z",
            ),
            get(
                "a period that is none",
                "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:Building:1?format=aggregatedValues&aggrMethods=avg&aggrPeriodDuration=1h",
            ),
            get("a form that does not exist", "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:Building:1?format=pretty"),
        ],
    )
    .await;
}

#[tokio::test]
async fn subscriptions_that_cannot_work_are_refused() {
    let body = |members: &str| {
        format!(
            r#"{{"type":"Subscription","entities":[{{"type":"Building"}}],"notification":{{"endpoint":{{"uri":"http://r.test/"}}}}{members}}}"#
        )
    };
    check(
        "subscriptions",
        vec![
            post("no endpoint", SUBSCRIPTIONS, r#"{"type":"Subscription","entities":[{"type":"Building"}]}"#),
            post(
                "an endpoint that is a file",
                SUBSCRIPTIONS,
                body(r#","notification":{"endpoint":{"uri":"file:///x"}}"#),
            ),
            post("a query that does not end", SUBSCRIPTIONS, body(r#","q":"(((""#)),
            post("a pattern that is none", SUBSCRIPTIONS, body(r#","entities":[{"type":"A","idPattern":"["}]"#)),
            post("an end in the past", SUBSCRIPTIONS, body(r#","expiresAt":"2020-01-01T00:00:00Z""#)),
            post("negative throttling", SUBSCRIPTIONS, body(r#","throttling":-5"#)),
            post("a trigger that does not exist", SUBSCRIPTIONS, body(r#","notificationTrigger":["entityPainted"]"#)),
            post("an id that is no URI", SUBSCRIPTIONS, body(r#","id":"42""#)),
        ],
    )
    .await;
}

#[tokio::test]
async fn names_too_long_to_be_kept_are_the_callers_fault_and_nothing_of_them_is_stored() {
    let router = server().await;
    let scope = "/district".repeat(8_000);
    for (path, body) in [
        (ENTITIES, serde_json::json!({ "id": "urn:x:long", "type": "Tree", "scope": scope })),
        ("/ngsi-ld/v1/entities/urn:ngsi-ld:Building:1/attrs", serde_json::json!({ "scope": scope })),
    ] {
        let (status, problem) = send(&router, "POST", path, "application/json", body.to_string().into()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains("cannot be stored") && said.contains("shorter"), "{path}: {said}");
        assert!(said.len() < 3_000, "{path}: {} bytes", said.len());
    }
    let (status, _) = send(&router, "GET", "/ngsi-ld/v1/entities/urn:x:long", "", vec![]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
