//! What every answer has: headers, one form of errors, limits of size, and a description that holds for each route.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeSet, sync::Arc};

use axum::http::StatusCode;
use common::{server, server_with};
use polder_api::{DoorSettings, all_routes, description};
use serde_json::{Value, json};

#[tokio::test]
async fn the_headers_of_every_answer_are_these() {
    let door = DoorSettings { public_url: Some("https://polder.example".parse().unwrap()), ..DoorSettings::default() };
    let answer = server_with(door, false).ask("GET /healthz", &[("x-request-id", "test-1")], None).await;
    let mut lines: Vec<String> = answer.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn the_page_may_run_its_own_bootstrap_and_nothing_inline_besides() {
    let answer = server().ask("GET /kaart/anything", &[], None).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy");
    // SHA-256 of `start()`, the inline script of the test's page.
    assert!(policy.contains("script-src 'self' 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00=';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn files_of_the_app_are_kept_by_browsers_for_as_long_as_they_stay_the_same() {
    let server = server();
    let file = server.ask("GET /_app/immutable/a.js", &[], None).await;
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    let again = server.ask("GET /_app/immutable/a.js", &[("if-none-match", file.header("etag"))], None).await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(server.ask("GET /_app/missing.js", &[], None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_error_has_the_one_envelope() {
    let server = server();
    let wrong_json = || Some(json!("not an object"));
    for (line, body, status) in [
        ("GET /api/v1/nothing-here", None, 404),
        ("PUT /healthz", None, 405),
        ("GET /api/v1/users", None, 401),
        ("POST /api/v1/session", wrong_json(), 422),
        ("GET /api/v1/audit?after=x", None, 401),
    ] {
        let answer = server.ask(line, &[], body).await;
        assert_eq!(answer.status.as_u16(), status, "{line}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{line}");
        let problem = answer.json();
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{line}: {field} in {problem}");
        }
        assert_eq!(problem["status"], status, "{line}");
    }
}

#[tokio::test]
async fn a_method_that_does_not_fit_names_those_that_do() {
    let answer = server().ask("PATCH /api/v1/users", &[], None).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD,POST"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = server();
    let huge = json!({ "name": "x".repeat(200_000), "password": "y" });
    let answer = server.ask("POST /api/v1/session", &[], Some(huge)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.body);
    assert_eq!(answer.json()["remedy"], "send less at once, in several requests");
}

#[tokio::test]
async fn other_sites_may_read_what_is_public_and_nothing_else() {
    let server = server();
    let origin = ("origin", "https://other.example");
    let public = server.ask("GET /ngsi-ld/v1/entities?type=Tree", &[origin], None).await;
    assert_eq!(public.header("access-control-allow-origin"), "*");
    assert_eq!(public.header("access-control-allow-credentials"), "");
    for line in ["GET /api/v1/session", "GET /api/v1/users", "POST /ngsi-ld/v1/entities"] {
        let answer = server.ask(line, &[origin], None).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{line}");
    }
    let asks = [origin, ("access-control-request-method", "POST")];
    let preflight = server.ask("OPTIONS /ngsi-ld/v1/entities", &asks, None).await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-methods")),
        (StatusCode::NO_CONTENT, "GET, HEAD")
    );
    let closed = server.ask("OPTIONS /api/v1/users", &asks, None).await;
    assert_eq!(closed.header("access-control-allow-origin"), "", "only public routes answer a preflight");
}

#[tokio::test]
async fn security_txt_says_where_to_report_and_expires_within_a_year() {
    let text = server().ask("GET /.well-known/security.txt", &[], None).await.body;
    assert!(text.starts_with("Contact: https://"), "{text}");
    assert!(text.contains("Expires: 2027-02-16T08:00:00Z"), "{text}");
}

#[tokio::test]
async fn the_server_says_that_it_lives_is_ready_and_measures() {
    let door = DoorSettings { measurements: Some(Arc::new(|| "polder_up 1\n".to_owned())), ..DoorSettings::default() };
    let server = server_with(door, true);
    assert_eq!(server.ask("GET /healthz", &[], None).await.body, "ok\n");
    assert_eq!(server.ask("GET /readyz", &[], None).await.json()["ready"], json!(true));
    assert_eq!(server.ask("GET /metrics", &[], None).await.body, "polder_up 1\n");
}

#[test]
fn every_route_is_described_under_its_own_name() {
    let document = description();
    let mut names = BTreeSet::new();
    for route in all_routes().iter() {
        let path = route.path.replace("{*", "{");
        let operation = &document["paths"][&path][route.method.as_str().to_lowercase()];
        assert_eq!(operation["operationId"], route.operation, "{} {path}", route.method);
        assert!(operation["responses"]["default"].is_object(), "{path}");
        let parameters = path.matches('{').count();
        let described = operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "path").count();
        assert_eq!(described, parameters, "{} {path}", route.method);
        names.insert(route.operation);
    }
    assert!(names.len() > 20);
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    fn walk<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|v| walk(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
            _ => {}
        }
    }
    let document = description();
    let mut references = vec![];
    walk(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}
