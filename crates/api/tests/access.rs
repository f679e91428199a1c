//! Who gets through which door: every route against every role, sessions, tokens, tenants and limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::http::StatusCode;
use common::{PASSWORD, Server, server, server_with};
use polder_api::{DoorSettings, Rate, RateLimits, Route, all_routes};
use serde_json::json;
use trust::{Action, Role};

/// A request to a route with something harmless in each parameter.
fn line_of(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| if part.contains('{') { "1" } else { part });
    format!("{} {}", route.method, parts.collect::<Vec<_>>().join("/"))
}

/// Only the head of the answer counts: an event stream has no end.
async fn status_of(server: &Server, line: &str, headers: &[(&str, &str)]) -> StatusCode {
    use tower::ServiceExt;
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = axum::http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.router.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn every_route_is_closed_to_strangers_unless_it_is_public() {
    let server = server();
    let public =
        [Action::ReadHealth, Action::UseSession, Action::ReadLayers, Action::ReadEntities, Action::ReadHistory];
    for route in all_routes().iter() {
        let status = status_of(&server, &line_of(route), &[]).await;
        let closed = status == StatusCode::UNAUTHORIZED;
        assert_eq!(closed, !public.contains(&route.action), "{} {}: {status}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_route_opens_for_exactly_the_roles_that_the_table_names() {
    let limits = RateLimits { stranger: None, subject: None, sign_in: None };
    let server = server_with(DoorSettings { rates: limits, ..DoorSettings::default() }, false);
    for role in Role::ALL {
        server.add_user(role.name(), &[role.name()]);
        let token = server.token(&role.name().to_lowercase(), None);
        for route in all_routes().iter() {
            let status = status_of(&server, &line_of(route), &[("authorization", &token)]).await;
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{} {}", route.method, route.path);
            // Tokens, changes of accounts and acting in an event are for people only, which the handler says: both answers
            // are right there.
            let people_only = matches!(route.action, Action::ManageUsers | Action::ActOnCrowd);
            let in_person = people_only && route.method != "GET" && role.may(route.action);
            if route.action != Action::ManageOwnTokens && !in_person {
                let refused = status == StatusCode::FORBIDDEN;
                assert_eq!(refused, !role.may(route.action), "{role} {} {}: {status}", route.method, route.path);
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_sees_public_entities_only() {
    let server = server();
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities/urn:x:linden", &[], None).await.status, StatusCode::OK);
    let hidden = server.ask("GET /ngsi-ld/v1/entities/urn:x:secret-bench", &[], None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let listed = server.ask("GET /ngsi-ld/v1/entities?type=Bench", &[], None).await;
    assert_eq!(listed.json(), json!([]));
    server.add_user("anna", &["viewer"]);
    let token = server.token("anna", None);
    let seen = server.ask("GET /ngsi-ld/v1/entities/urn:x:secret-bench", &[("authorization", &token)], None).await;
    assert_eq!(seen.status, StatusCode::OK);
}

#[tokio::test]
async fn a_role_in_one_tenant_opens_no_other() {
    let server = server();
    server.add_user("anna", &["utrecht:dataSteward"]);
    let token = server.token("anna", None);
    let body = || Some(json!({ "id": "urn:x:new", "type": "Tree" }));
    let at_home = [("authorization", token.as_str()), ("ngsild-tenant", "utrecht")];
    assert_eq!(server.ask("POST /ngsi-ld/v1/entities", &at_home, body()).await.status, StatusCode::CREATED);
    let away = [("authorization", token.as_str())];
    assert_eq!(server.ask("POST /ngsi-ld/v1/entities", &away, body()).await.status, StatusCode::FORBIDDEN);
    let reading = [("authorization", token.as_str()), ("ngsild-tenant", "delft")];
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities?type=Tree", &reading, None).await.status, StatusCode::FORBIDDEN);
    let wrong = [("ngsild-tenant", "Not A Tenant")];
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities?type=Tree", &wrong, None).await.status, StatusCode::BAD_REQUEST);
    let own = [("authorization", token.as_str()), ("ngsild-tenant", "_server")];
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities?type=Tree", &own, None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_session_is_opened_used_and_closed() {
    let server = server();
    server.add_user("anna", &["administrator"]);
    let (cookie, csrf) = server.sign_in("anna").await;
    let session = server.ask("GET /api/v1/session", &[("cookie", &cookie)], None).await.json();
    assert_eq!(
        (&session["signedIn"], &session["name"], &session["csrf"]),
        (&json!(true), &json!("anna"), &json!(csrf))
    );
    assert_eq!(session["roles"], json!(["administrator"]));
    assert_eq!(server.ask("GET /api/v1/users", &[("cookie", &cookie)], None).await.status, StatusCode::OK);
    let out = server.ask("DELETE /api/v1/session", &[("cookie", &cookie), ("x-csrf-token", &csrf)], None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(server.ask("GET /api/v1/users", &[("cookie", &cookie)], None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_act_in_a_session() {
    let server = server();
    server.add_user("anna", &["administrator"]);
    let (cookie, csrf) = server.sign_in("anna").await;
    let new = || Some(json!({ "name": "bert", "password": PASSWORD, "roles": ["viewer"] }));
    for headers in [vec![("cookie", cookie.as_str())], vec![("cookie", cookie.as_str()), ("x-csrf-token", "guess")]] {
        let refused = server.ask("POST /api/v1/users", &headers, new()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("X-CSRF-Token"), "{}", refused.body);
    }
    let own = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    assert_eq!(server.ask("POST /api/v1/users", &own, new()).await.status, StatusCode::CREATED);
    let token = server.token("anna", None);
    let by_token = server.ask("DELETE /api/v1/users/bert", &[("authorization", &token)], None).await;
    assert_eq!(by_token.status, StatusCode::FORBIDDEN, "a token changes no accounts");
    assert!(by_token.body.contains("signed in"), "{}", by_token.body);
    assert_eq!(server.ask("DELETE /api/v1/users/bert", &own, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_token_that_leaks_makes_no_administrator_and_no_token_that_outlives_it() {
    let server = server();
    server.add_user("anna", &["administrator"]);
    let token = server.token("anna", Some(&[Action::ManageUsers, Action::ManageOwnTokens]));
    let headers = [("authorization", token.as_str())];
    let account = json!({ "name": "mallory", "password": PASSWORD, "roles": ["administrator"] });
    for (line, body) in [
        ("POST /api/v1/users", account),
        ("PUT /api/v1/users/anna/roles", json!({ "roles": ["viewer"] })),
        ("POST /api/v1/tokens", json!({ "scopes": ["users:manage"], "days": 366 })),
        ("DELETE /api/v1/tokens/0123456789abcdef", json!(null)),
    ] {
        let refused = server.ask(line, &headers, Some(body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{line}: {}", refused.body);
        assert!(refused.body.contains("signed in"), "{line}: {}", refused.body);
    }
}

#[tokio::test]
async fn signing_in_needs_the_proof_that_it_comes_from_our_own_page() {
    let server = server();
    server.add_user("anna", &["viewer"]);
    let body = json!({ "name": "anna", "password": PASSWORD });
    let bare = server.ask("POST /api/v1/session", &[("x-csrf-token", "x")], Some(body)).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
    let server = server();
    server.add_user("anna", &["viewer"]);
    let answer = server.try_sign_in("anna", PASSWORD).await;
    let lines: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(lines.iter().all(|line| line.contains("; HttpOnly; SameSite=Lax")), "{lines:?}");
    let door = DoorSettings { public_url: Some("https://polder.example".parse().unwrap()), ..DoorSettings::default() };
    let behind_tls = server_with(door, false).ask("GET /api/v1/session", &[], None).await;
    let line = behind_tls.header("set-cookie");
    assert!(line.starts_with("__Host-polder_csrf=") && line.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{line}");
}

#[tokio::test]
async fn a_token_keeps_to_its_scopes_and_its_time() {
    let server = server();
    server.add_user("anna", &["dataSteward"]);
    let token = server.token("anna", Some(&[Action::ReadEntities]));
    let headers = [("authorization", token.as_str())];
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities?type=Bench", &headers, None).await.status, StatusCode::OK);
    let write =
        server.ask("POST /ngsi-ld/v1/entities", &headers, Some(json!({ "id": "urn:x:1", "type": "Tree" }))).await;
    assert_eq!(write.status, StatusCode::FORBIDDEN);
    server.wait(31 * 86_400);
    assert_eq!(server.ask("GET /ngsi-ld/v1/entities?type=Tree", &headers, None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_not_taken_for_a_stranger() {
    let server = server();
    for token in ["Bearer polder_wrong", "Bearer x", "bearer eyJhbGciOiJub25lIn0.e30."] {
        let answer = server.ask("GET /ngsi-ld/v1/entities?type=Tree", &[("authorization", token)], None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn people_manage_their_own_tokens_and_see_each_only_once() {
    let server = server();
    server.add_user("anna", &["analyst"]);
    let (cookie, csrf) = server.sign_in("anna").await;
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let asked = json!({ "label": "notebook", "scopes": ["entities:read"], "days": 7 });
    let made = server.ask("POST /api/v1/tokens", &headers, Some(asked)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let text = made.json()["token"].as_str().unwrap().to_owned();
    let listed = server.ask("GET /api/v1/tokens", &headers, None).await;
    assert!(!listed.body.contains(&text) && listed.body.contains("notebook"), "{}", listed.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {text}");
    let by_token = server.ask("GET /api/v1/tokens", &[("authorization", &bearer)], None).await;
    assert_eq!(by_token.status, StatusCode::FORBIDDEN);
    assert_eq!(server.ask(&format!("DELETE /api/v1/tokens/{id}"), &headers, None).await.status, StatusCode::NO_CONTENT);
    let ended = server.ask("GET /ngsi-ld/v1/entities?type=Tree", &[("authorization", &bearer)], None).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    let wrong = json!({ "scopes": ["everything"] });
    let refused = server.ask("POST /api/v1/tokens", &headers, Some(wrong)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("\\\"everything\\\" is not a scope"), "{}", refused.body);
}

#[tokio::test]
async fn a_changed_password_ends_the_sessions() {
    let server = server();
    server.add_user("anna", &["viewer"]);
    let (cookie, csrf) = server.sign_in("anna").await;
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let wrong = json!({ "current": "not it at all", "new": "kades en bruggen 14" });
    assert_eq!(
        server.ask("PUT /api/v1/session/password", &headers, Some(wrong)).await.status,
        StatusCode::UNAUTHORIZED
    );
    let right = json!({ "current": PASSWORD, "new": "kades en bruggen 14" });
    assert_eq!(server.ask("PUT /api/v1/session/password", &headers, Some(right)).await.status, StatusCode::NO_CONTENT);
    let session = server.ask("GET /api/v1/session", &[("cookie", &cookie)], None).await.json();
    assert_eq!(session["signedIn"], json!(false));
    assert_eq!(server.try_sign_in("anna", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.try_sign_in("anna", "kades en bruggen 14").await.status, StatusCode::OK);
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let rates = RateLimits { stranger: Some(Rate { per_second: 0.5, burst: 3.0 }), ..RateLimits::default() };
    let server = server_with(DoorSettings { rates, ..DoorSettings::default() }, false);
    for _ in 0..3 {
        assert_eq!(server.ask("GET /healthz", &[], None).await.status, StatusCode::OK);
    }
    let refused = server.ask("GET /healthz", &[], None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "2"));
    server.wait(2);
    assert_eq!(server.ask("GET /healthz", &[], None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn guessing_passwords_is_stopped_soon() {
    let server = server();
    server.add_user("anna", &["viewer"]);
    let mut statuses = vec![];
    for _ in 0..8 {
        statuses.push(server.try_sign_in("anna", "not the password").await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn with_open_everybody_is_an_administrator_and_is_told_so() {
    let server = server_with(DoorSettings::default(), true);
    assert_eq!(server.ask("GET /api/v1/users", &[], None).await.status, StatusCode::OK);
    let session = server.ask("GET /api/v1/session", &[], None).await.json();
    assert_eq!(session["open"], json!(true));
    let body = Some(json!({ "id": "urn:x:new", "type": "Tree" }));
    assert_eq!(server.ask("POST /ngsi-ld/v1/entities", &[], body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_audit_shows_who_did_what_to_administrators() {
    let server = server();
    server.add_user("anna", &["administrator"]);
    server.add_user("mayor", &["utrecht:administrator"]);
    let (cookie, _) = server.sign_in("anna").await;
    let page = server.ask("GET /api/v1/audit?limit=500", &[("cookie", &cookie)], None).await.json();
    let actions: Vec<&str> =
        page["records"].as_array().unwrap().iter().map(|r| r["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.add", "user.add", "session.sign-in"]);
    let (mayor, _) = server.sign_in("mayor").await;
    let headers = [("cookie", mayor.as_str()), ("ngsild-tenant", "utrecht")];
    let own = server.ask("GET /api/v1/audit", &headers, None).await.json();
    assert_eq!(own["records"], json!([]), "the audit of other tenants is not theirs");
}

#[tokio::test]
async fn a_change_of_data_is_in_the_audit_with_who_did_it() {
    let server = server();
    server.add_user("anna", &["dataSteward"]);
    let token = server.token("anna", None);
    let headers = [("authorization", token.as_str())];
    let body = json!({ "id": "urn:x:oak", "type": "Tree" });
    server.ask("POST /ngsi-ld/v1/entities", &headers, Some(body)).await;
    server.ask("DELETE /ngsi-ld/v1/entities/urn:x:oak", &headers, None).await;
    let records = server.store.audit(0, 100).unwrap();
    let said: Vec<String> =
        records.iter().map(|r| format!("{} {} {}", r.entry.action, r.entry.resource, r.entry.outcome)).collect();
    assert_eq!(said[2..], ["entity.create urn:x:oak done", "entity.delete urn:x:oak done"], "{said:?}");
    assert!(records[2].entry.subject.starts_with("anna/"), "{}", records[2].entry.subject);
}

#[tokio::test]
async fn subscriptions_and_contexts_are_in_the_audit_with_the_change_itself() {
    let server = server();
    server.add_user("anna", &["administrator"]);
    let token = server.token("anna", None);
    let headers = [("authorization", token.as_str())];
    let before = server.store.audit(0, 1_000).unwrap().len();
    let subscription = json!({
        "id": "urn:x:watch", "type": "Subscription", "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": "http://receiver.example/" } },
    });
    let context = json!({ "@context": { "height": "https://terms.example/height" } });
    let hosted = server.ask("POST /ngsi-ld/v1/jsonldContexts", &headers, Some(context)).await;
    let place = hosted.header("location").to_owned();
    assert!(!place.is_empty(), "{}", hosted.body);
    for (line, body) in [
        ("POST /ngsi-ld/v1/subscriptions".to_owned(), Some(subscription.clone())),
        // One that is there already is not made, and is not said to be made.
        ("POST /ngsi-ld/v1/subscriptions".to_owned(), Some(subscription)),
        ("PATCH /ngsi-ld/v1/subscriptions/urn:x:watch".to_owned(), Some(json!({ "isActive": false }))),
        ("DELETE /ngsi-ld/v1/subscriptions/urn:x:watch".to_owned(), None),
        (format!("DELETE {place}"), None),
    ] {
        server.ask(&line, &headers, body).await;
    }
    let records = server.store.audit(0, 1_000).unwrap().split_off(before);
    let said: Vec<(&str, &str)> =
        records.iter().map(|r| (r.entry.action.as_str(), r.entry.resource.as_str())).collect();
    let id = place.rsplit('/').next().unwrap();
    let watch = "urn:x:watch";
    let expected = [
        ("context.create", id),
        ("subscription.create", watch),
        ("subscription.update", watch),
        ("subscription.delete", watch),
        ("context.delete", id),
    ];
    assert_eq!(said, expected);
    assert!(records.iter().all(|r| r.entry.subject.starts_with("anna/") && r.entry.outcome == "done"));
}

#[tokio::test]
async fn an_administrator_of_another_tenant_does_not_administer_the_server() {
    let server = server();
    server.add_user("anna", &["utrecht:administrator"]);
    let token = server.token("anna", None);
    let headers = [("authorization", token.as_str()), ("ngsild-tenant", "utrecht")];
    let context = || Some(json!({ "@context": { "speed": "https://example.org/speed" } }));
    for (line, body) in [
        ("GET /metrics", None),
        ("GET /api/v1/sources", None),
        ("POST /api/v1/clock", Some(json!({ "speed": 2.0 }))),
        ("POST /ngsi-ld/v1/jsonldContexts", context()),
    ] {
        assert_eq!(server.ask(line, &headers, body).await.status, StatusCode::FORBIDDEN, "{line}");
    }
    let own = server.ask("POST /ngsi-ld/v1/entities", &headers, Some(json!({ "id": "urn:x:new", "type": "Tree" })));
    assert_eq!(own.await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn one_caller_holds_so_many_event_streams_and_no_more() {
    use tower::ServiceExt;
    let server = server();
    let open = || async {
        let request = axum::http::Request::get("/api/v1/events").body(axum::body::Body::empty()).unwrap();
        server.router.clone().oneshot(request).await.unwrap()
    };
    let mut held = Vec::new();
    let refused = loop {
        let answer = open().await;
        if answer.status() != StatusCode::OK {
            break answer;
        }
        held.push(answer);
        assert!(held.len() < 1_000, "streams are counted");
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(held.len() >= 50, "a control room has dozens of screens, not {}", held.len());
    drop(held);
    // Those that listened are told to stop when their turn comes.
    for _ in 0..1_000 {
        if open().await.status() == StatusCode::OK {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("streams that were closed still count");
}

#[tokio::test]
async fn an_account_without_roles_is_seen_by_its_own_tenant_only() {
    let server = server();
    server.add_user("mayor", &["utrecht:administrator"]);
    server.add_user("alderman", &["delft:administrator"]);
    let names = async |name: &str, tenant: &str, new: Option<&str>| {
        let (cookie, csrf) = server.sign_in(name).await;
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str()), ("ngsild-tenant", tenant)];
        if let Some(new) = new {
            let body = json!({ "name": new, "password": PASSWORD });
            let made = server.ask("POST /api/v1/users", &headers, Some(body)).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        }
        let listed = server.ask("GET /api/v1/users", &headers, None).await.json();
        listed.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("mayor", "utrecht", Some("cleo")).await, ["cleo", "mayor"]);
    assert_eq!(names("alderman", "delft", None).await, ["alderman"]);
}

/// A subscription to trees whose receiver wants a secret.
fn watch_trees(id: &str) -> serde_json::Value {
    let info = json!([{ "key": "Authorization", "value": "the receiver's secret" }]);
    json!({
        "id": id, "type": "Subscription", "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": "http://receiver.example/", "receiverInfo": info, "notifierInfo": info } },
    })
}

#[tokio::test]
async fn what_a_receiver_gets_beside_the_content_is_shown_to_the_owner_and_to_administrators_only() {
    let server = server();
    for (name, role) in [("anna", "analyst"), ("bert", "analyst"), ("chief", "administrator")] {
        server.add_user(name, &[role]);
    }
    let (anna, csrf) = server.sign_in("anna").await;
    let (bert, annas) = (server.token("bert", None), server.token("anna", None));
    let chief = server.token("chief", None);
    let own = [("cookie", anna.as_str()), ("x-csrf-token", csrf.as_str())];
    let made = server.ask("POST /ngsi-ld/v1/subscriptions", &own, Some(watch_trees("urn:x:watch"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    for (headers, sees) in [
        (&own[..], true),
        (&[("authorization", chief.as_str())], true),
        (&[("authorization", bert.as_str())], false),
        // A token could be made to send them elsewhere after it has ended.
        (&[("authorization", annas.as_str())], false),
    ] {
        for path in ["/ngsi-ld/v1/subscriptions", "/ngsi-ld/v1/subscriptions/urn:x:watch"] {
            let shown = server.ask(&format!("GET {path}"), headers, None).await;
            assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
            assert!(shown.body.contains("http://receiver.example/"), "{}", shown.body);
            assert_eq!(shown.body.contains("the receiver's secret"), sees, "{}", shown.body);
        }
    }
    let elsewhere = json!({ "notification": { "endpoint": { "uri": "http://elsewhere.example/" } } });
    let one = "/ngsi-ld/v1/subscriptions/urn:x:watch";
    for token in [&bert, &annas] {
        let headers = [("authorization", token.as_str())];
        for (method, body) in [("PATCH", Some(elsewhere.clone())), ("DELETE", None)] {
            let refused = server.ask(&format!("{method} {one}"), &headers, body).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {}", refused.body);
        }
    }
    let paused = Some(json!({ "isActive": false }));
    assert_eq!(server.ask(&format!("PATCH {one}"), &own, paused).await.status, StatusCode::NO_CONTENT);
    let ended = server.ask(&format!("DELETE {one}"), &[("authorization", &chief)], None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_subscription_is_paused_with_the_reason_when_its_owner_may_no_longer_read() {
    let server = server();
    server.add_user("anna", &["analyst"]);
    server.add_user("chief", &["administrator"]);
    let (token, chief) = (server.token("anna", None), server.token("chief", None));
    let headers = [("authorization", token.as_str())];
    let made = server.ask("POST /ngsi-ld/v1/subscriptions", &headers, Some(watch_trees("urn:x:watch"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let shown = async || {
        let headers = [("authorization", chief.as_str())];
        let shown = server.ask("GET /ngsi-ld/v1/subscriptions/urn:x:watch", &headers, None).await.json();
        (shown["status"].as_str().unwrap().to_owned(), shown["statusReason"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(shown().await, ("active".to_owned(), String::new()));
    let roles = |roles: &[&str]| {
        let grants = trust::Grants::parse(roles.iter().copied()).unwrap();
        trust::users::set_roles(&server.store, &common::operator(), "anna", grants, server.now()).unwrap();
    };
    roles(&["viewer"]);
    let (status, reason) = shown().await;
    assert_eq!(status, "paused");
    assert!(reason.starts_with("subscriptions:manage is refused to the owner"), "{reason}");
    roles(&["analyst"]);
    assert_eq!(shown().await.0, "active");
    trust::users::remove(&server.store, &common::operator(), "anna", server.now()).unwrap();
    assert_eq!(
        shown().await,
        ("paused".to_owned(), "the token that made the subscription has ended; make it again".to_owned())
    );
}

#[tokio::test]
async fn who_may_not_read_entities_makes_no_subscription_to_them() {
    let server = server();
    server.add_user("anna", &["analyst"]);
    let token = server.token("anna", Some(&[Action::ManageSubscriptions]));
    let headers = [("authorization", token.as_str())];
    let refused = server.ask("POST /ngsi-ld/v1/subscriptions", &headers, Some(watch_trees("urn:x:watch"))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("entities:read"), "{}", refused.body);
}
