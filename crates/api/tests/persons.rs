//! Few persons are told to nobody: counts below ten are planted, and every way out is walked in search of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::time::Duration;

use axum::{body::Body, http::Request};
use common::{Server, server_showing};
use futures::StreamExt;
use model::{Attribute, AttributeValue, Entity, EntityId, Geometry, Incoming, SeriesKey, Tenant, Timestamp};
use platform::accept::{Accept, AttributeRules, Moment, SourceRules};
use polder_api::{DoorSettings, RateLimits, all_routes};
use serde_json::{Value, json};
use store::{Order, TimeRange};
use tower::ServiceExt;
use trust::Role;
use views::expand;

/// Numbers that nothing else in an answer is: exact in 32 and 64 bits, in text and in tiles.
const FEW: [f64; 2] = [7.031_25, 7.0];
const LAYERS: &str = r##"
[[group]]
id = "all"
title = { nl = "Alles", en = "Everything" }
[[layer]]
id = "counts"
group = "all"
title = { nl = "Tellingen", en = "Counts" }
description = { nl = "Tellingen", en = "Counts" }
entity_type = "CrowdFlowObserved"
kind = "point"
delivery = "tiles"
source = "s"
live = true
search = true
style = { color = "#2f8f5b" }
[[layer.attribute]]
name = "peopleCount"
label = { nl = "Mensen", en = "People" }
kind = "number"
history = true
interval_s = 3600.0
[[layer.attribute]]
name = "name"
label = { nl = "Naam", en = "Name" }
[[layer]]
id = "gates"
group = "all"
title = { nl = "Poorten", en = "Gates" }
description = { nl = "Poorten", en = "Gates" }
entity_type = "GateCount"
kind = "point"
delivery = "features"
source = "s"
style = { color = "#2f8f5b" }
[[layer.attribute]]
name = "in"
label = { nl = "In", en = "In" }
kind = "number"
history = true
"##;

fn at(hour: i64) -> Timestamp {
    Timestamp::parse("2026-08-20T00:00:00Z").unwrap().plus_micros(hour * 3_600_000_000)
}

fn id(name: &str) -> EntityId {
    EntityId::parse(&format!("urn:x:{name}")).unwrap()
}

fn accept(server: &Server) -> Accept {
    let people = AttributeRules { history: true, persons_minimum: Some(10), ..AttributeRules::default() };
    let counts = SourceRules {
        name: "counts".into(),
        attributes: [(expand("peopleCount"), people.clone())].into(),
        ..SourceRules::default()
    };
    let gates = SourceRules {
        name: "gates".into(),
        internal: true,
        attributes: [(expand("in"), people)].into(),
        ..SourceRules::default()
    };
    Accept::new(server.store.clone(), Tenant::default(), vec![counts, gates])
}

fn counted(source: &str, name: &str, count: f64, hour: i64) -> Incoming {
    let (kind, attribute) = if source == "gates" { ("GateCount", "in") } else { ("CrowdFlowObserved", "peopleCount") };
    let mut entity = Entity::new(id(name), expand(kind), at(hour));
    entity.set(expand(attribute), Attribute { observed_at: Some(at(hour)), ..Attribute::property(json!(count)) });
    entity.set(expand("name"), Attribute::property(name));
    let place = Geometry::point(4.48, 51.92).unwrap();
    entity.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(place)));
    Incoming { source: source.into(), entity, deleted: false, line: 1 }
}

fn take(server: &Server, batch: &[Incoming]) {
    let moment = Moment { wall: at(12), city: at(12), live: true };
    assert_eq!(accept(server).accept(batch, &moment).unwrap().refused, 0);
}

/// Three sensors and a gate, with busy hours before and after the quiet ones.
fn planted() -> Server {
    let limits = RateLimits { stranger: None, subject: None, sign_in: None };
    let door = DoorSettings { rates: limits, ..DoorSettings::default() };
    let server = server_showing(door, false, LAYERS, sources::Board::default(), &["CrowdFlowObserved"]);
    server.store.set_floors([(expand("peopleCount"), 10.0)].into());
    for hour in 0..8 {
        let few = FEW[usize::from(hour % 2 == 0)];
        take(
            &server,
            &[
                counted("counts", "quiet", few, hour),
                counted("counts", "mixed", if hour % 2 == 0 { 120.5 } else { few }, hour),
                counted("counts", "busy", 250.25, hour),
                counted("gates", "gate", few, hour),
            ],
        );
    }
    server
}

/// What to ask of a path beside the path itself.
fn questions(path: &str) -> Vec<String> {
    let (from, to) = ("2026-08-19T00:00:00Z", "2026-08-21T00:00:00Z");
    let between = format!("timerel=between&timeAt={from}&endTimeAt={to}");
    let kind = "type=CrowdFlowObserved";
    let list: Vec<String> = match path {
        "/api/v1/layers/{layer}/features" => {
            vec![String::new(), "at=2026-08-20T05:30:00Z".into(), "bbox=4,51,5,52".into()]
        }
        "/api/v1/layers/{layer}/table" => {
            vec![String::new(), "at=2026-08-20T05:30:00Z".into(), "sort=peopleCount".into()]
        }
        "/api/v1/search" => vec!["q=quiet".into(), "q=gate".into(), "q=7".into()],
        "/api/v1/things/{id}" => vec![String::new(), "at=2026-08-20T05:30:00Z".into()],
        "/api/v1/things/{id}/series" => ["peopleCount", "in"]
            .iter()
            .flat_map(|a| [format!("attribute={a}"), format!("attribute={a}&from={from}&to={to}")])
            .collect(),
        "/ngsi-ld/v1/entities" | "/ngsi-ld/v1/entities/" => vec![
            kind.into(),
            "type=GateCount".into(),
            format!("{kind}&options=keyValues"),
            format!("{kind}&options=sysAttrs"),
            format!("{kind}&q=peopleCount==7.03125"),
            format!("{kind}&q=peopleCount%3C10"),
            format!("{kind}&attrs=peopleCount"),
        ],
        "/ngsi-ld/v1/temporal/entities" | "/ngsi-ld/v1/temporal/entities/" => vec![
            format!("{kind}&{between}"),
            format!("type=GateCount&{between}"),
            format!("{kind}&{between}&options=temporalValues"),
            format!(
                "{kind}&{between}&options=aggregatedValues&aggrMethods=min,max,avg,sum,sumsq,stddev,distinctCount&aggrPeriodDuration=PT1H"
            ),
            format!("{kind}&{between}&options=aggregatedValues&aggrMethods=min,max,avg,sum&aggrPeriodDuration=P1D"),
            format!("{kind}&{between}&lastN=3"),
        ],
        "/ngsi-ld/v1/temporal/entities/{id}" => vec![
            String::new(),
            between.clone(),
            format!("{between}&options=temporalValues"),
            format!("{between}&options=aggregatedValues&aggrMethods=min,max,sum&aggrPeriodDuration=PT1H"),
        ],
        "/ogc/features/v1/collections/{collection}/items" => vec![
            String::new(),
            "f=csv".into(),
            "f=html".into(),
            "filter=peopleCount%3C10".into(),
            "datetime=2026-08-20T05:30:00Z".into(),
        ],
        _ => vec![String::new()],
    };
    list
}

/// The paths of a route with everything that was planted in its parameters.
fn paths(template: &str) -> Vec<String> {
    let z = 14_u32;
    let side = f64::from(1 << z);
    let latitude = 51.92_f64.to_radians();
    let x = ((4.48 + 180.0) / 360.0 * side) as u32;
    let y = ((1.0 - latitude.tan().asinh() / std::f64::consts::PI) / 2.0 * side) as u32;
    let mut all = vec![template.to_owned()];
    let choices: [(&str, Vec<String>); 9] = [
        ("{id}", vec!["urn:x:quiet".into(), "urn:x:mixed".into(), "urn:x:gate".into()]),
        ("{item}", vec!["urn:x:quiet".into(), "urn:x:mixed".into(), "urn:x:gate".into()]),
        ("{layer}", vec!["counts".into(), "gates".into()]),
        ("{collection}", vec!["counts".into(), "gates".into()]),
        ("{type}", vec!["CrowdFlowObserved".into(), "GateCount".into()]),
        ("{attr}", vec!["peopleCount".into(), "in".into()]),
        ("{z}", vec![z.to_string()]),
        ("{x}", vec![x.to_string()]),
        ("{y}", vec![format!("{y}.mvt")]),
    ];
    for (mark, values) in choices {
        all = all.iter().flat_map(|path| values.iter().map(|value| path.replace(mark, value))).collect();
        all.dedup();
    }
    all
}

/// Whether an answer holds one of the planted numbers, as text or in a tile.
fn gives_away(body: &[u8]) -> bool {
    let odd = FEW[0];
    let holds = |needle: &[u8]| body.windows(needle.len()).any(|window| window == needle);
    #[expect(clippy::cast_possible_truncation, reason = "it is exact in 32 bits")]
    let single = odd as f32;
    holds(b"7.03125") || holds(&odd.to_le_bytes()) || holds(&single.to_le_bytes())
}

/// Whether a JSON answer says seven where it could be a count.
fn says_seven(value: &Value, in_count: bool) -> bool {
    match value {
        Value::Number(number) => in_count && number.as_f64() == Some(FEW[1]),
        Value::Array(items) => items.iter().any(|item| says_seven(item, in_count)),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let counts = in_count || ["peopleCount", "in", "value", "values"].contains(&name.as_str());
            says_seven(member, counts && name != "zoom")
        }),
        _ => false,
    }
}

async fn bytes_of(server: &Server, request: Request<Body>) -> (u16, Vec<u8>) {
    let response = server.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let streams = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let mut bytes = vec![];
    // An event stream has no end.
    let patience = if streams { Duration::from_millis(300) } else { Duration::from_secs(20) };
    while let Ok(Some(chunk)) = tokio::time::timeout(patience, stream.next()).await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    (status, bytes)
}

fn request(method: &str, uri: &str, token: Option<&str>, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    match body {
        None => request.body(Body::empty()).unwrap(),
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap(),
    }
}

/// Bodies of questions that are posted.
fn posted(path: &str) -> Vec<Value> {
    let kinds = ["CrowdFlowObserved", "GateCount"];
    let entities = |kind: &str| json!([{ "type": kind }]);
    match path {
        "/ngsi-ld/v1/entityOperations/query" => {
            kinds.iter().map(|kind| json!({ "type": "Query", "entities": entities(kind) })).collect()
        }
        "/ngsi-ld/v1/temporal/entityOperations/query" => kinds
            .iter()
            .map(|kind| {
                let between = json!({ "timerel": "between", "timeAt": "2026-08-19T00:00:00Z", "endTimeAt": "2026-08-21T00:00:00Z" });
                json!({ "type": "Query", "entities": entities(kind), "temporalQ": between })
            })
            .collect(),
        _ => vec![],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_below_ten_appears_in_no_answer_of_any_route_for_anybody() {
    let server = planted();
    for role in Role::ALL {
        server.add_user(role.name(), &[role.name()]);
    }
    let tokens: Vec<String> = Role::ALL.iter().map(|role| server.token(&role.name().to_lowercase(), None)).collect();
    let callers: Vec<Option<&str>> =
        std::iter::once(None).chain(tokens.iter().map(|token| Some(token.as_str()))).collect();
    let (mut asked, mut answered, mut with_counts) = (0, 0, 0);
    for route in all_routes().iter() {
        let bodies = posted(route.path.trim_end_matches('/'));
        let is_question = route.method == "GET" || !bodies.is_empty();
        for path in paths(route.path).into_iter().filter(|_| is_question) {
            for question in questions(route.path) {
                let uri = if question.is_empty() { path.clone() } else { format!("{path}?{question}") };
                let bodies: Vec<Option<Value>> =
                    if bodies.is_empty() { vec![None] } else { bodies.iter().cloned().map(Some).collect() };
                for (caller, body) in callers.iter().flat_map(|c| bodies.iter().map(move |b| (c, b.clone()))) {
                    let request = request(route.method.as_str(), &uri, *caller, body);
                    let (status, bytes) = bytes_of(&server, request).await;
                    asked += 1;
                    answered += u64::from(status == 200);
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!gives_away(&bytes), "{} {uri} as {caller:?}: {text}", route.method);
                    if let Ok(json) = serde_json::from_slice::<Value>(&bytes) {
                        assert!(!says_seven(&json, false), "{} {uri} as {caller:?}: {text}", route.method);
                    }
                    with_counts += u64::from(text.contains("250.25"));
                }
            }
        }
    }
    assert!(asked > 500 && answered > 200, "{asked} asked, {answered} answered");
    assert!(with_counts > 30, "counts that may be told are told: {with_counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_tells_of_the_change_and_not_of_the_number() {
    let server = planted();
    let response = server.router.clone().oneshot(request("GET", "/api/v1/events", None, None)).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    take(
        &server,
        &[
            counted("counts", "quiet", FEW[0], 9),
            counted("counts", "busy", 251.25, 9),
            counted("gates", "gate", FEW[0], 9),
        ],
    );
    let mut heard = vec![];
    while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_secs(2), stream.next()).await {
        heard.extend_from_slice(&chunk.unwrap());
    }
    assert!(!gives_away(&heard), "{}", String::from_utf8_lossy(&heard));
}

#[tokio::test]
async fn the_exact_numbers_are_kept_where_no_request_comes() {
    let server = planted();
    let snapshot = server.store.snapshot().unwrap();
    let history = snapshot.history();
    let key =
        |name: &str, attribute: &str| SeriesKey { entity: id(name), attribute: expand(attribute), dataset_id: None };
    for (name, attribute, all) in [("mixed", "peopleCount", 8), ("quiet", "peopleCount", 8), ("gate", "in", 8)] {
        let key = key(name, attribute);
        let tenant = history.exact_tenant(&Tenant::default(), &key).unwrap();
        assert_eq!(tenant, Tenant::default().internal());
        let found = history.range(&tenant, &[key], TimeRange::ALL, Order::Ascending, None).unwrap();
        assert_eq!(found.count(), all, "{name}");
    }
    let unknown = key("nobody", "peopleCount");
    assert_eq!(history.exact_tenant(&Tenant::default(), &unknown).unwrap(), Tenant::default());
    server.add_user("ada", &["administrator"]);
    let token = server.token("ada", None);
    let internal = Tenant::default().internal();
    for route in all_routes().iter().filter(|route| route.method == "GET" && route.path.starts_with("/ngsi-ld/")) {
        let headers = [("authorization", token.as_str()), ("ngsild-tenant", internal.as_str())];
        let path = route.path.replace("{id}", "urn:x:gate").replace("{type}", "GateCount").replace("{attr}", "in");
        let answer = server.ask(&format!("GET {path}"), &headers, None).await;
        let shared = route.path.contains("jsonldContexts");
        assert!(shared || answer.status == 403, "{path}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn a_number_that_becomes_too_small_is_gone_and_the_flag_says_why() {
    let server = planted();
    let shown = async |name: &str| {
        let path = format!("GET /ngsi-ld/v1/entities/urn:x:{name}?options=keyValues");
        server.ask(&path, &[], None).await.json()
    };
    let mixed = shown("mixed").await;
    assert_eq!((&mixed["peopleCount"], &mixed["peopleCountSuppressed"]), (&Value::Null, &json!(true)), "{mixed}");
    take(&server, &[counted("counts", "mixed", 10.0, 10)]);
    let mixed = shown("mixed").await;
    assert_eq!((&mixed["peopleCount"], &mixed["peopleCountSuppressed"]), (&json!(10.0), &json!(false)));
    // An older count that comes late takes nothing away.
    take(&server, &[counted("counts", "mixed", FEW[0], 9)]);
    assert_eq!(shown("mixed").await["peopleCount"], json!(10.0));
    take(&server, &[counted("counts", "mixed", 0.0, 11)]);
    let mixed = shown("mixed").await;
    assert_eq!((&mixed["peopleCount"], &mixed["peopleCountSuppressed"]), (&Value::Null, &json!(true)), "zero is few");
}

#[tokio::test]
async fn a_client_cannot_write_a_small_number_either() {
    let server = planted();
    server.add_user("stan", &["dataSteward"]);
    let token = server.token("stan", None);
    let headers = [("authorization", token.as_str())];
    let count = |number: Value| json!({ "type": "Property", "value": number, "observedAt": "2026-08-20T12:00:00Z" });
    let entity =
        |number: Value| json!({ "id": "urn:x:new", "type": "CrowdFlowObserved", "peopleCount": count(number) });
    let nested = json!({ "id": "urn:x:new", "type": "CrowdFlowObserved", "name": {
        "type": "Property", "value": "x", "peopleCount": count(json!(7)) } });
    let evolution =
        json!({ "id": "urn:x:new", "type": "CrowdFlowObserved", "peopleCount": [count(json!(12)), count(json!(7))] });
    let create = "POST /ngsi-ld/v1/entities";
    for (line, body) in [
        (create, entity(json!(7))),
        (create, entity(json!([12, 7]))),
        (create, entity(json!({ "now": 7 }))),
        (create, nested),
        ("POST /ngsi-ld/v1/entities/urn:x:busy/attrs", json!({ "peopleCount": count(json!(7)) })),
        ("PATCH /ngsi-ld/v1/entities/urn:x:busy", json!({ "peopleCount": count(json!(7)) })),
        ("PATCH /ngsi-ld/v1/entities/urn:x:busy/attrs/peopleCount", count(json!(7))),
        ("POST /ngsi-ld/v1/temporal/entities", evolution),
    ] {
        let answer = server.ask(line, &headers, Some(body)).await;
        assert_eq!(answer.status.as_u16(), 400, "{line}: {}", answer.body);
        assert!(answer.body.contains("below the city's minimum"), "{line}: {}", answer.body);
    }
    assert_eq!(server.ask(create, &headers, Some(entity(json!(12)))).await.status.as_u16(), 201);
}
