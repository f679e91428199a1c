//! Every source of Rotterdam, read as `polder import` reads it: the real files, the real settings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use model::{Incoming, Problem, Timestamp, TripTimes};
use polder_sources::{
    CityClock, Delivery, Ended, Keys, Occasion, Start,
    config::{CityFile, read_city},
    http::{Client, ClientSettings},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../cities/rotterdam")
}

#[derive(Default)]
struct Read {
    incoming: Vec<Incoming>,
    trips: Vec<TripTimes>,
    problems: Vec<Problem>,
    refused: u64,
    left_out: u64,
}

async fn read(city: &CityFile, name: &str) -> Read {
    let config = Arc::new(city.source(name).unwrap().clone());
    let until = city.city.replay.as_ref().map(|r| r.start);
    let start = Start {
        config,
        folder: folder(),
        clock: CityClock::live(|| Timestamp::parse("2026-11-23T12:00:00Z").unwrap()),
        http: Client::new(ClientSettings::default()).unwrap(),
        keys: Keys::default(),
        resume: None,
        occasion: Occasion::Import { until },
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Delivery>(polder_sources::CHANNEL_DELIVERIES);
    let task = polder_sources::start(start, sender);
    let mut all = Read::default();
    while let Some(mut delivery) = receiver.recv().await {
        delivery.committed();
        all.incoming.extend(delivery.incoming);
        all.trips.extend(delivery.trips);
        all.problems.extend(delivery.problems);
        all.refused += delivery.refused;
        all.left_out += delivery.left_out;
    }
    assert_eq!(task.await.unwrap().unwrap(), Ended::Finished, "{name}");
    all
}

fn city() -> CityFile {
    read_city(&folder()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The entities of one source as text, the first of them only.
async fn first(name: &str) -> String {
    let all = read(&city(), name).await;
    assert_eq!(all.refused, 0, "{name}: {:?}", all.problems);
    serde_json::to_string_pretty(&all.incoming.first().unwrap().entity.attributes).unwrap()
}

#[tokio::test]
async fn every_source_delivers_what_its_file_holds() {
    let city = city();
    let mut table = BTreeMap::new();
    for source in &city.sources {
        let started = Instant::now();
        let all = read(&city, &source.name).await;
        eprintln!("{}: {:?}", source.name, started.elapsed());
        assert!(all.problems.is_empty(), "{}: {:?}", source.name, &all.problems);
        table.insert(source.name.clone(), (all.incoming.len(), all.trips.len(), all.refused, all.left_out));
    }
    insta::assert_snapshot!(
        table.iter().map(|(name, counts)| format!("{name}: {counts:?}")).collect::<Vec<_>>().join("\n")
    );
}

#[tokio::test]
async fn a_reading_has_flow_and_speed_with_unit_moment_and_label() {
    insta::assert_snapshot!(first("traffic").await);
}
