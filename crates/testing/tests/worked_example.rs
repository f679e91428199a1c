//! The worked example on the real data: a bare position becomes "line X, next stop Y at HH:MM", as far as the
//! timetable allows, and nothing is said beyond that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use model::{AttributeValue, Entity, Tenant, Timestamp};
use platform::accept::{Accept, Moment, SourceRules, TransitRules};
use serde_json::Value;
use sources::{
    CityClock, Keys, Occasion, Start,
    config::{CityFile, expand, read_city},
    http::{Client, ClientSettings},
};
use store::{EntitySelect, Store, StoreOptions};

fn moment() -> Moment {
    let now = Timestamp::parse("2026-08-22T21:34:00Z").unwrap();
    Moment { wall: now, city: now, live: false }
}

fn rules(city: &CityFile) -> Vec<SourceRules> {
    let transit = |name: &str| {
        let config = city.source(name)?.enrich.as_ref()?.transit.as_ref()?;
        Some(TransitRules {
            timetable: config.timetable.clone(),
            trip: expand(&config.trip),
            sequence: expand(&config.sequence),
            at_stop: config.at_stop.as_deref().map(expand),
            delay: config.delay.as_deref().map(expand),
            stop: config.stop.clone(),
        })
    };
    let rules = |name: &String| SourceRules { name: name.clone(), transit: transit(name), ..SourceRules::default() };
    city.sources.iter().map(|source| rules(&source.name)).collect()
}

async fn import(accept: &Arc<Accept>, city: &CityFile, folder: &Path, name: &str) {
    let start = Start {
        config: Arc::new(city.source(name).unwrap().clone()),
        folder: folder.to_path_buf(),
        clock: CityClock::live(|| moment().city),
        http: Client::new(ClientSettings::default()).unwrap(),
        keys: Keys::default(),
        resume: None,
        occasion: Occasion::Import { until: None },
    };
    let (sender, mut deliveries) = tokio::sync::mpsc::channel(4);
    let reading = sources::start(start, sender);
    while let Some(delivery) = deliveries.recv().await {
        let accept = accept.clone();
        let stored = move || {
            accept.accept_trips(delivery.trips).unwrap();
            accept.accept(&delivery.incoming, &moment()).unwrap()
        };
        let accepted = tokio::task::spawn_blocking(stored).await.unwrap();
        assert_eq!(accepted.problems, []);
    }
    reading.await.unwrap().unwrap();
}

fn text(vehicle: &Entity, name: &str) -> Option<String> {
    match &vehicle.attribute(expand(name).as_str())?.value {
        AttributeValue::Property(Value::String(text)) => Some(text.clone()),
        AttributeValue::Property(other) => Some(other.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn trams_and_metros_know_their_next_stop_and_buses_do_not() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../cities/rotterdam");
    let city = read_city(&folder).unwrap();
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let accept = Arc::new(Accept::new(store.clone(), Tenant::default(), rules(&city)));
    for name in ["timetable-stops", "timetable", "vehicles"] {
        import(&accept, &city, &folder, name).await;
    }
    let snapshot = store.snapshot().unwrap();
    let select = EntitySelect::Type(expand("Vehicle"));
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for vehicle in snapshot.entities(&Tenant::default(), &select, None) {
        let vehicle = &vehicle.unwrap().value;
        let has = |name: &str| usize::from(vehicle.attribute(expand(name).as_str()).is_some());
        let row = counts.entry(text(vehicle, "transportMode").unwrap()).or_default();
        row[0] += 1;
        row[1] += has("nextStopName");
        row[2] += has("nextStopAt");
        row[3] += has("behindTimetable");
    }
    let said: Vec<String> = counts
        .iter()
        .map(|(mode, [all, stop, time, late])| format!("{mode}: {all}, next stop {stop}, time {time}, behind {late}"))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}
