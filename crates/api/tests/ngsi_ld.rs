//! The NGSI-LD API over HTTP: what a client sends and what it gets back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Request};
use common::{Answer, Server, server_with};
use polder_api::DoorSettings;
use serde_json::{Value, json};

const LD: &str = "application/ld+json";

fn open() -> Server {
    server_with(DoorSettings::default(), true)
}

/// `METHOD path` under the API, with a body of any text and media type.
async fn raw(server: &Server, line: &str, media: &str, body: impl Into<Body>) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(format!("/ngsi-ld/v1/{path}")).header("content-type", media);
    server.send(request.body(body.into()).unwrap()).await
}

async fn ask(server: &Server, line: &str, body: Option<Value>) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    server.ask(&format!("{method} /ngsi-ld/v1/{path}"), &[], body).await
}

/// Sends a request and checks the status and, when one is given, the body.
async fn check(server: &Server, line: &str, body: Option<Value>, status: u16, expect: Option<Value>) -> Answer {
    let answer = ask(server, line, body).await;
    assert_eq!(answer.status.as_u16(), status, "{line}: {}", answer.body);
    if let Some(expect) = expect {
        assert_eq!(answer.json(), expect, "{line}");
    }
    answer
}

/// The standard's name of an error.
fn error_of(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    kind.strip_prefix("https://uri.etsi.org/ngsi-ld/errors/").unwrap_or(&kind).to_owned()
}

fn road(number: u32, speed: u32) -> Value {
    json!({
        "id": format!("urn:ngsi-ld:Road:{number}"), "type": "Road",
        "speed": {"type": "Property", "value": speed, "unitCode": "KMH", "observedAt": "2026-08-20T07:00:00Z"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [4.4 + f64::from(number) / 100.0, 51.9]}}
    })
}

/// A server with the roads 1 to 5, at 10 to 50 km/h.
async fn city() -> Server {
    let server = open();
    let roads: Vec<Value> = (1..=5).map(|n| road(n, n * 10)).collect();
    check(&server, "POST entityOperations/upsert", Some(json!(roads)), 201, None).await;
    server
}

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    list.as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().replace("urn:ngsi-ld:Road:", "")).collect()
}

#[tokio::test]
async fn an_entity_is_created_read_changed_and_deleted() {
    let server = open();
    let created = check(&server, "POST entities", Some(road(1, 50)), 201, None).await;
    assert_eq!(created.header("location"), "/ngsi-ld/v1/entities/urn:ngsi-ld:Road:1");
    assert_eq!(error_of(&check(&server, "POST entities", Some(road(1, 50)), 409, None).await), "AlreadyExists");
    let one = "entities/urn:ngsi-ld:Road:1";
    let read = check(&server, &format!("GET {one}"), None, 200, Some(road(1, 50))).await;
    assert!(read.header("link").contains("rel=\"http://www.w3.org/ns/json-ld#context\""), "{}", read.header("link"));
    let speed = json!({"speed": {"type": "Property", "value": 30}});
    check(&server, &format!("PATCH {one}/attrs"), Some(speed), 204, None).await;
    check(&server, &format!("PATCH {one}/attrs/speed"), Some(json!({"unitCode": "MTS"})), 204, None).await;
    check(&server, &format!("POST {one}/attrs"), Some(json!({"name": "Coolsingel"})), 204, None).await;
    check(&server, &format!("PATCH {one}"), Some(json!({"location": "urn:ngsi-ld:null"})), 204, None).await;
    let simple = json!({"id": "urn:ngsi-ld:Road:1", "type": "Road", "name": "Coolsingel", "speed": 30});
    check(&server, &format!("GET {one}?options=keyValues"), None, 200, Some(simple)).await;
    let twice = json!({"colour": 1, "speed": 5});
    let kept = format!("POST {one}/attrs?options=noOverwrite");
    let partly = check(&server, &kept, Some(twice), 207, None).await.json();
    let full = |name: &str| json!(format!("https://uri.etsi.org/ngsi-ld/default-context/{name}"));
    assert_eq!(partly["updated"], json!([full("colour")]));
    assert_eq!(partly["notUpdated"][0]["attributeName"], full("speed"));
    check(&server, &format!("DELETE {one}/attrs/colour"), None, 204, None).await;
    check(&server, &format!("DELETE {one}/attrs/name"), None, 204, None).await;
    check(&server, &format!("PUT {one}"), Some(json!({"type": "Street", "length": 5})), 204, None).await;
    let replaced = json!({"id": "urn:ngsi-ld:Road:1", "type": "Street", "length": 5});
    check(&server, &format!("GET {one}?format=simplified"), None, 200, Some(replaced)).await;
    check(&server, &format!("DELETE {one}"), None, 204, None).await;
    assert_eq!(error_of(&check(&server, &format!("GET {one}"), None, 404, None).await), "ResourceNotFound");
}

#[tokio::test]
async fn queries_filter_count_and_page() {
    let server = city().await;
    for (query, expect) in [
        ("type=Road", "1 2 3 4 5"),
        ("type=Road&q=speed%3E=30", "3 4 5"),
        ("q=speed==10..20", "1 2"),
        ("type=Road&id=urn:ngsi-ld:Road:2,urn:ngsi-ld:Road:9", "2"),
        ("type=Road&idPattern=:[45]$", "4 5"),
        ("type=Road&georel=near;maxDistance==1000&geometry=Point&coordinates=[4.41,51.9]", "1 2"),
        ("type=Road&orderBy=speed;desc&limit=2", "5 4"),
        ("type=Nothing", ""),
        ("attrs=speed&limit=1", "1"),
    ] {
        let answer = check(&server, &format!("GET entities?{query}"), None, 200, None).await;
        assert_eq!(ids(&answer).join(" "), expect, "{query}");
    }
    let page = check(&server, "GET entities?type=Road&limit=2&offset=2&count=true", None, 200, None).await;
    assert_eq!((ids(&page), page.header("ngsild-results-count")), (vec!["3".to_owned(), "4".to_owned()], "5"));
    let links: Vec<&str> = page.headers.get_all("link").iter().map(|v| v.to_str().unwrap()).collect();
    let has = |offset: &str, rel: &str| links.iter().any(|l| l.contains(offset) && l.contains(rel));
    assert!(has("offset=0", "rel=\"prev\"") && has("offset=4", "rel=\"next\""), "{links:?}");
    let only_count = check(&server, "GET entities?type=Road&limit=0&count=true", None, 200, Some(json!([]))).await;
    assert_eq!(only_count.header("ngsild-results-count"), "5");
}

#[tokio::test]
async fn queries_that_cannot_be_answered_say_why() {
    let server = city().await;
    for (line, status, kind) in [
        ("GET entities", 400, "BadRequestData"),
        ("GET entities?type=Road&limit=1001", 403, "TooManyResults"),
        ("GET entities?type=Road&limit=-1", 400, "BadRequestData"),
        ("GET entities?type=Road&limit=0", 400, "BadRequestData"),
        ("GET entities?type=Road&colour=red", 400, "InvalidRequest"),
        ("GET entities?type=Road&options=colour", 400, "InvalidRequest"),
        ("GET entities?q=speed==", 400, "BadRequestData"),
        ("GET entities?type=Road&georel=near", 400, "BadRequestData"),
        ("GET entities?type=Road&idPattern=(", 400, "BadRequestData"),
        ("GET entities/nouri", 400, "BadRequestData"),
        ("GET entities/urn:x:9", 404, "ResourceNotFound"),
        ("GET entities/urn:ngsi-ld:Road:1?attrs=nothing", 404, "ResourceNotFound"),
        ("DELETE entities", 400, "BadRequestData"),
        ("GET types/Nothing", 404, "ResourceNotFound"),
    ] {
        let answer = check(&server, line, None, status, None).await;
        assert_eq!(error_of(&answer), kind, "{line}");
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty(), "{line}");
    }
}

#[tokio::test]
async fn bodies_that_are_not_right_are_refused_and_the_server_stays_up() {
    let server = open();
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let huge = vec![b' '; 21 * 1024 * 1024];
    let bow = r#"{"id":"urn:x:1","type":"T","a":{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}}"#;
    for (media, body, status, kind) in [
        ("application/json", "{".to_owned(), 400, "InvalidRequest"),
        ("application/json", String::new(), 400, "InvalidRequest"),
        ("application/json", deep, 400, "InvalidRequest"),
        ("application/json", "{\"id\":\"urn:x:1\",\"type\":\"T\",\"a\":NaN}".to_owned(), 400, "InvalidRequest"),
        ("application/json", "[]".to_owned(), 400, "InvalidRequest"),
        ("application/json", json!({"id": "urn:x:1", "type": "type"}).to_string(), 400, "BadRequestData"),
        ("application/json", bow.to_owned(), 400, "BadRequestData"),
        ("application/json", json!({"id": "no uri", "type": "T"}).to_string(), 400, "BadRequestData"),
        ("application/json", json!({"id": "urn:x:1", "type": "T", "@context": []}).to_string(), 400, "BadRequestData"),
        (LD, json!({"id": "urn:x:1", "type": "T"}).to_string(), 400, "BadRequestData"),
        (
            LD,
            json!({"id": "urn:x:1", "type": "T", "@context": "https://c.example/x"}).to_string(),
            503,
            "LdContextNotAvailable",
        ),
    ] {
        let answer = raw(&server, "POST entities", media, body).await;
        assert_eq!((answer.status.as_u16(), error_of(&answer).as_str()), (status, kind), "{}", answer.body);
    }
    assert_eq!(raw(&server, "POST entities", "text/plain", "{}").await.status.as_u16(), 415);
    let unknown = "PATCH subscriptions/urn:ngsi-ld:Subscription:none";
    assert_eq!(raw(&server, unknown, "text/plain", "{}").await.status.as_u16(), 415);
    assert_eq!(raw(&server, unknown, "application/json", "{}").await.status.as_u16(), 404);
    assert_eq!(raw(&server, "POST entities", "application/json", huge).await.status.as_u16(), 413);
    let accept = server.ask("GET /ngsi-ld/v1/entities?type=T", &[("accept", "text/html")], None).await;
    assert_eq!(accept.status.as_u16(), 406);
    check(&server, "GET entities?type=T", None, 200, Some(json!([]))).await;
}

#[tokio::test]
async fn batches_tell_what_was_done_for_each_entity() {
    let server = city().await;
    let again = json!([road(1, 99), road(6, 60)]);
    let made = check(&server, "POST entityOperations/upsert", Some(again), 201, None).await;
    assert_eq!(made.json(), json!(["urn:ngsi-ld:Road:6"]));
    check(&server, "POST entityOperations/upsert", Some(json!([road(1, 98)])), 204, None).await;
    let mixed = json!([road(1, 1), {"id": "urn:x:1"}, road(7, 70)]);
    let partly = check(&server, "POST entityOperations/create", Some(mixed), 207, None).await.json();
    assert_eq!(partly["success"], json!(["urn:ngsi-ld:Road:7"]));
    let failed: Vec<_> = partly["errors"].as_array().unwrap().iter().map(|e| e["entityId"].clone()).collect();
    assert_eq!(failed, [json!("urn:ngsi-ld:Road:1"), json!("urn:x:1")]);
    let merge = json!([{"id": "urn:ngsi-ld:Road:7", "type": "Road", "name": "A13"}]);
    check(&server, "POST entityOperations/merge", Some(merge), 204, None).await;
    let missing = json!([{"id": "urn:ngsi-ld:Road:8", "type": "Road", "name": "A15"}]);
    check(&server, "POST entityOperations/update", Some(missing), 207, None).await;
    let query = json!({"type": "Query", "entities": [{"type": "Road"}], "q": "name==\"A13\""});
    let found = check(&server, "POST entityOperations/query", Some(query), 200, None).await;
    assert_eq!(ids(&found), ["7"]);
    let gone = json!(["urn:ngsi-ld:Road:6", "urn:ngsi-ld:Road:7", "urn:x:9"]);
    let deleted = check(&server, "POST entityOperations/delete", Some(gone), 207, None).await.json();
    assert_eq!(deleted["success"], json!(["urn:ngsi-ld:Road:6", "urn:ngsi-ld:Road:7"]));
    check(&server, "DELETE entities?type=Road&q=speed%3C30", None, 204, None).await;
    assert_eq!(ids(&check(&server, "GET entities?type=Road", None, 200, None).await), ["1", "3", "4", "5"]);
}

#[tokio::test]
async fn contexts_are_hosted_and_used_by_their_address() {
    let server = open();
    let document = json!({"@context": {"Weg": "https://example.org/Road", "snelheid": "https://example.org/speed"}});
    let location = check(&server, "POST jsonldContexts", Some(document.clone()), 201, None).await;
    let path = location.header("location").to_owned();
    let served = server.ask(&format!("GET {path}"), &[], None).await;
    assert_eq!(served.json(), document);
    let weg = json!({"id": "urn:x:1", "type": "Weg", "snelheid": 5, "@context": format!("http://polder{path}")});
    assert_eq!(raw(&server, "POST entities", LD, weg.to_string()).await.status.as_u16(), 201);
    let plain = json!({"id": "urn:x:1", "type": "https://example.org/Road", "https://example.org/speed": 5});
    check(&server, "GET entities/urn:x:1?options=keyValues", None, 200, Some(plain)).await;
    let link = format!("<http://polder{path}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"{LD}\"");
    let short = server.ask("GET /ngsi-ld/v1/entities?type=Weg&options=concise", &[("link", &link)], None).await;
    assert_eq!(short.json(), json!([{"id": "urn:x:1", "type": "Weg", "snelheid": 5}]));
    let both = [("link", link.as_str()), ("accept", LD)];
    let with_context = server.ask("GET /ngsi-ld/v1/entities/urn:x:1", &both, None).await.json();
    assert_eq!(with_context["@context"][0], json!(format!("http://polder{path}")));
    let deleted = server.ask(&format!("DELETE {path}"), &[], None).await;
    assert_eq!(deleted.status.as_u16(), 204);
    assert_eq!(server.ask(&format!("GET {path}"), &[], None).await.status.as_u16(), 404);
}

#[tokio::test]
async fn types_and_attributes_are_discovered() {
    let server = city().await;
    let types = check(&server, "GET types", None, 200, None).await.json();
    assert_eq!(types["typeList"], json!(["Bench", "Road", "Tree"]));
    let road = check(&server, "GET types/Road", None, 200, None).await.json();
    assert_eq!((&road["entityCount"], &road["attributeDetails"][1]["attributeName"]), (&json!(5), &json!("location")));
    let speed = check(&server, "GET attributes/speed", None, 200, None).await.json();
    assert_eq!((&speed["attributeCount"], &speed["typeNames"]), (&json!(5), &json!(["Road"])));
}

#[tokio::test]
async fn tenants_are_apart_and_unknown_ones_are_named() {
    let server = city().await;
    let delft = [("ngsild-tenant", "delft")];
    let unknown = server.ask("GET /ngsi-ld/v1/entities?type=Road", &delft, None).await;
    assert_eq!((unknown.status.as_u16(), error_of(&unknown).as_str()), (404, "NonexistentTenant"));
    let created = server.ask("POST /ngsi-ld/v1/entities", &delft, Some(road(1, 7))).await;
    assert_eq!((created.status.as_u16(), created.header("ngsild-tenant")), (201, "delft"));
    let found = server.ask("GET /ngsi-ld/v1/entities?type=Road", &delft, None).await;
    assert_eq!(ids(&found), ["1"]);
}

#[tokio::test]
async fn a_stranger_sees_public_types_only() {
    let server = server_with(DoorSettings::default(), false);
    let trees = check(&server, "GET entities?type=Tree,Bench", None, 200, None).await;
    assert_eq!(ids(&trees), ["urn:x:linden"]);
    check(&server, "GET entities/urn:x:secret-bench", None, 404, None).await;
    let count = check(&server, "GET entities?type=Bench&count=true", None, 200, Some(json!([]))).await;
    assert_eq!(count.header("ngsild-results-count"), "0");
    check(&server, "GET types/Bench", None, 404, None).await;
    check(&server, "POST entities", Some(road(1, 1)), 401, None).await;
}

#[tokio::test]
async fn linked_entities_are_shown_inside_or_beside() {
    let server = open();
    let city = json!({"id": "urn:x:city", "type": "City", "name": "Rotterdam"});
    let house = json!({"id": "urn:x:house", "type": "House", "in": {"type": "Relationship", "object": "urn:x:city"}});
    check(&server, "POST entityOperations/create", Some(json!([city, house])), 201, None).await;
    let inside = json!({"id": "urn:x:house", "type": "House", "in": city});
    check(&server, "GET entities/urn:x:house?join=inline&options=keyValues", None, 200, Some(inside)).await;
    let beside = json!([{"id": "urn:x:house", "type": "House", "in": "urn:x:city"}, city]);
    check(&server, "GET entities/urn:x:house?join=flat&options=keyValues", None, 200, Some(beside)).await;
}
