//! A whole server without a socket: a small city, accounts of every role, and requests as values.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use model::{Attribute, AttributeValue, Entity, EntityId, Geometry, Tenant, Timestamp};
use platform::context::{ContextFetch, Contexts, FetchFuture};
use polder_api::{AppState, Asset, CityClock, DoorSettings, StateParts};
use serde_json::Value;
use store::{Store, StoreOptions, Transaction};
use subscriptions::Subscriptions;
use tower::ServiceExt;
use trust::{Action, Grants, Policy, Role, Subject, SubjectKind, Trust, tokens::NewToken, users::NewUser};
use views::{City, Layers, Views, ViewsParts, expand};

pub const PASSWORD: &str = "tram 8 naar Spangen";

const LAYERS: &str = r##"
[[group]]
id = "all"
title = { nl = "Alles", en = "Everything" }
[[layer]]
id = "trees"
group = "all"
title = { nl = "Bomen", en = "Trees" }
description = { nl = "Bomen", en = "Trees" }
entity_type = "Tree"
kind = "point"
delivery = "features"
source = "s"
style = { color = "#2f8f5b" }
[[layer.attribute]]
name = "name"
label = { nl = "Naam", en = "Name" }
"##;

/// No context can be had from elsewhere.
struct Nowhere;

impl ContextFetch for Nowhere {
    fn fetch(&self, _: &str) -> FetchFuture {
        Box::pin(async { Err("there is no network in this test".to_owned()) })
    }
}

/// A server, its store and the hands of its clock.
pub struct Server {
    pub router: Router,
    pub store: Store,
    pub outlook: outlook::Outlook,
    seconds: Arc<AtomicI64>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `name=value` of the cookie that it sets.
    pub fn cookie(&self, name: &str) -> String {
        let lines = self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap());
        let line = lines.into_iter().find(|line| line.starts_with(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("no cookie {name}: {:?}", self.headers)).split(';').next().unwrap().to_owned()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-08-20T08:00:00Z").unwrap().plus_micros(seconds * 1_000_000)
}

pub fn operator() -> Subject {
    Subject::of(SubjectKind::Person, "command line", Grants::everywhere([Role::Administrator]))
}

/// A server with these settings of the door; trees are public, benches are not.
pub fn server_with(door: DoorSettings, open: bool) -> Server {
    let seconds = Arc::new(AtomicI64::new(0));
    let hands = Arc::clone(&seconds);
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    for (kind, name) in [("Tree", "linden"), ("Bench", "secret-bench")] {
        let mut entity = Entity::new(EntityId::parse(&format!("urn:x:{name}")).unwrap(), expand(kind), at(0));
        entity.set(expand("name"), Attribute::property(name));
        let place = Geometry::point(4.48, 51.92).unwrap();
        entity.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(place)));
        let mut tx = Transaction::new(Tenant::default());
        tx.put_entity(None, entity, vec![expand("name")]);
        store.commit_blocking(tx).unwrap();
    }
    let policy = Policy::closed().with_public(Tenant::default(), [expand("Tree")]);
    let contexts = Contexts::new(store.clone(), Arc::new(Nowhere));
    let layers = Layers::parse(LAYERS).unwrap();
    let views = Views::new(ViewsParts {
        store: store.clone(),
        layers,
        sources: vec![],
        city: City { time_zone: "Europe/Amsterdam".to_owned(), ..City::default() },
        basemap: None,
    });
    let (first, second) = (Arc::clone(&hands), Arc::clone(&hands));
    let room = control::Room::new(
        store.clone(),
        jiff::tz::TimeZone::UTC,
        Arc::new(move || at(first.load(Ordering::SeqCst))),
        Arc::new(move || at(second.load(Ordering::SeqCst))),
    );
    let (third, fourth) = (Arc::clone(&hands), Arc::clone(&hands));
    let outlook = outlook::Outlook::new(outlook::Parts {
        store: store.clone(),
        tenant: Tenant::default(),
        zone: jiff::tz::TimeZone::UTC,
        city: Arc::new(move || at(third.load(Ordering::SeqCst))),
        wall: Arc::new(move || at(fourth.load(Ordering::SeqCst))),
        version: "test".to_owned(),
        notices: vec![],
        sets: vec![benches()],
    });
    let state = AppState::new(StateParts {
        room,
        outlook: outlook.clone(),
        subscriptions: Subscriptions::new(store.clone(), contexts.clone()),
        contexts,
        views,
        trust: Trust::new(store.clone(), policy, None, open),
        clock: CityClock::live(move || at(hands.load(Ordering::SeqCst))),
        board: sources::Board::default(),
        door,
        store: store.clone(),
    });
    Server { router: polder_api::router(state), store, outlook, seconds }
}

/// How many sit on each bench, by the hour: nobody counts it unless a test does.
fn benches() -> outlook::Set {
    let text = |text: &str| outlook::wire::Text { nl: text.to_owned(), en: text.to_owned() };
    outlook::Set {
        id: "benches".to_owned(),
        title: text("Benches"),
        entity_type: expand("Bench"),
        attribute: expand("sitting"),
        name_attribute: expand("name"),
        kind: outlook::wire::Kind::Count,
        step_minutes: 60,
        minimum_count: 10,
        region: None,
        holidays: vec![],
        lists: Default::default(),
        weather: vec![],
        areas: vec![],
        train: Default::default(),
    }
}

pub fn server() -> Server {
    server_with(DoorSettings { assets, ..DoorSettings::default() }, false)
}

fn assets(path: &str) -> Option<Asset> {
    let (bytes, mime): (&'static [u8], &'static str) = match path {
        "index.html" => (b"<!doctype html><title>Polder</title><script>start()</script>", "text/html; charset=utf-8"),
        "_app/immutable/a.js" => (b"start()", "text/javascript; charset=utf-8"),
        _ => return None,
    };
    Some(Asset { bytes: bytes.into(), mime: mime.into(), etag: format!("e{}", bytes.len()) })
}

impl Server {
    pub fn wait(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        at(self.seconds.load(Ordering::SeqCst))
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 50 << 20).await.unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// `METHOD path`, headers, and a JSON body when there is one.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub fn add_user(&self, name: &str, roles: &[&str]) {
        let grants = Grants::parse(roles.iter().copied()).unwrap();
        let new = NewUser { name: name.to_owned(), password: PASSWORD.to_owned(), party: None, grants, home: None };
        trust::users::add(&self.store, &operator(), new, self.now()).unwrap();
    }

    /// The `Authorization` of a new token of an account, with the scopes given or all that its roles allow.
    pub fn token(&self, owner: &str, scopes: Option<&[Action]>) -> String {
        let accounts = trust::users::list(&self.store).unwrap();
        let grants = accounts.into_iter().find(|account| account.name == owner).unwrap().grants;
        let all: Vec<Action> = Action::ALL.iter().copied().filter(|action| grants.allow_somewhere(*action)).collect();
        let scopes = scopes.unwrap_or(&all).iter().copied().collect();
        let new = NewToken { owner: owner.to_owned(), label: "test".to_owned(), scopes, days: 30 };
        let (_, text) = trust::tokens::create(&self.store, &operator(), new, self.now()).unwrap();
        format!("Bearer {text}")
    }

    /// Signs in as a browser does. Returns the session's cookie and its CSRF token.
    pub async fn sign_in(&self, name: &str) -> (String, String) {
        let answer = self.try_sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        (answer.cookie("polder_session"), answer.json()["csrf"].as_str().unwrap().to_owned())
    }

    pub async fn try_sign_in(&self, name: &str, password: &str) -> Answer {
        let before = self.ask("GET /api/v1/session", &[], None).await;
        let csrf = before.json()["csrf"].as_str().unwrap().to_owned();
        let cookie = before.cookie("polder_csrf");
        let body = serde_json::json!({ "name": name, "password": password });
        self.ask("POST /api/v1/session", &[("cookie", &cookie), ("x-csrf-token", &csrf)], Some(body)).await
    }
}
