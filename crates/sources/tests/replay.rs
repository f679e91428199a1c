//! Replays: an archive played on the city's clock, with pauses, jumps and laps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use model::{Incoming, Timestamp};
use polder_sources::{
    CityClock, Delivery, Keys, Occasion, Start, Stretch,
    config::CityFile,
    http::{Client, ClientSettings},
    start,
};
use tokio::sync::mpsc;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A city with an archive of two stations, and a clock on the wall that the test moves.
struct City {
    _folder: tempfile::TempDir,
    clock: CityClock,
    wall: Arc<AtomicI64>,
    deliveries: mpsc::Receiver<Delivery>,
}

const ROWS: &str = "at,id,size,until\n\
    2026-08-21T08:00:00Z,a,1,\n\
    2026-08-21T08:30:00Z,a,2,2026-08-22T12:00:00Z\n\
    2026-08-21T08:40:00Z,b,3,\n\
    2026-08-21T09:10:00Z,a,4,\n\
    2026-08-21T09:20:00Z,b,5,2026-08-21T09:30:00Z\n\
    2026-08-21T11:00:00Z,a,6,\n";

impl City {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rows.csv"), ROWS).unwrap();
        let text = r#"
            [city]
            id = "x"
            name = "X"
            country = "NL"
            title = { nl = "X", en = "X" }
            time_zone = "UTC"
            center = [4.5, 51.9]
            bounds = [4.0, 51.0, 5.0, 52.0]
            zoom = 10
            replay = { from = "2026-08-21T08:00:00Z", start = "2026-08-21T09:00:00Z", to = "2026-08-21T12:00:00Z", speed = 60.0 }
            [[source]]
            name = "rows"
            title = { nl = "X", en = "X" }
            connector = "csv"
            file = "rows.csv"
            replay = true
            provenance = { publisher = "X", licence = "X", attribution = "X" }
            limits = { batch = 2 }
            entity_type = "Thing"
            id = "urn:x:{id}"
            time = { field = "at" }
            attribute = [
                { name = "size", field = "size", kind = "number" },
                { name = "until", field = "until", kind = "time", time_field = "until" },
            ]
        "#;
        let city = CityFile::parse(text, "city.toml").unwrap();
        let window = city.city.replay.clone().unwrap();
        let stretch = Stretch { from: window.from, start: window.start, to: window.to };
        let wall = Arc::new(AtomicI64::new(0));
        let hand = wall.clone();
        let clock =
            CityClock::replay(move || Timestamp::from_micros(hand.load(Ordering::Relaxed)), stretch, window.speed);
        let (sender, deliveries) = mpsc::channel(4);
        let start_with = Start {
            config: Arc::new(city.source("rows").unwrap().clone()),
            folder: folder.path().to_owned(),
            clock: clock.clone(),
            http: Client::new(ClientSettings::default()).unwrap(),
            keys: Keys::default(),
            resume: None,
            occasion: Occasion::Serve,
        };
        start(start_with, sender);
        Self { _folder: folder, clock, wall, deliveries }
    }

    /// Moves the clock on the wall by seconds; a second is a minute in the city.
    fn pass(&self, seconds: i64) {
        self.wall.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// What has been played, until nothing more comes.
    async fn played(&mut self) -> String {
        let mut said = vec![];
        while let Ok(Some(delivery)) = tokio::time::timeout(Duration::from_millis(1_500), self.deliveries.recv()).await
        {
            said.extend(delivery.message.iter().map(|m| format!("({m})")));
            said.extend(delivery.incoming.iter().map(shown));
        }
        said.join(" ")
    }
}

fn shown(incoming: &Incoming) -> String {
    let id = incoming.entity.id.as_str().trim_start_matches("urn:x:");
    let (name, instances) = incoming.entity.attributes.iter().next().unwrap();
    match instances[0].number() {
        Some(size) => format!("{id}={size}"),
        None => format!("{id} {}", name.short()),
    }
}

#[tokio::test]
async fn it_starts_with_the_last_values_and_then_follows_the_clock() {
    let mut city = City::new();
    assert_eq!(city.played().await, "a=2 b=3");
    city.pass(15);
    assert_eq!(city.played().await, "a=4");
    city.pass(20);
    assert_eq!(city.played().await, "b=5 b until");
}

#[tokio::test]
async fn a_moment_known_in_advance_does_not_hurry_the_others() {
    let mut city = City::new();
    city.clock.set(None, Some(false), Some(at("2026-08-21T11:30:00Z")));
    assert_eq!(city.played().await, "b=5 b until a=6");
}

#[tokio::test]
async fn a_pause_stops_it_and_a_jump_back_gives_the_values_of_then() {
    let mut city = City::new();
    assert_eq!(city.played().await, "a=2 b=3");
    city.clock.set(None, Some(false), None);
    city.pass(60);
    assert_eq!(city.played().await, "");
    city.clock.set(None, None, Some(at("2026-08-21T08:10:00Z")));
    assert_eq!(city.played().await, "a=1");
}

#[tokio::test]
async fn at_the_end_it_starts_again_and_says_so() {
    let mut city = City::new();
    assert_eq!(city.played().await, "a=2 b=3");
    city.pass(181);
    assert_eq!(city.played().await, "(the replay starts again at 2026-08-21T09:01:00Z) a=2 b=3");
}
