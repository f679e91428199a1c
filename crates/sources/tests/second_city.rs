//! A second city, by configuration only: wide hourly counts of pedestrians in wall-clock time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{path::PathBuf, sync::Arc};

use model::{Incoming, Problem, Timestamp};
use polder_sources::{
    CityClock, Keys, Occasion, Start,
    config::read_city,
    http::{Client, ClientSettings},
    start,
};

async fn read() -> (Vec<Incoming>, Vec<Problem>, u64) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../cities/auckland");
    let city = read_city(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let start_with = Start {
        config: Arc::new(city.source("pedestrians").unwrap().clone()),
        folder,
        clock: CityClock::live(|| Timestamp::from_micros(1_787_304_000_000_000)),
        http: Client::new(ClientSettings::default()).unwrap(),
        keys: Keys::default(),
        resume: None,
        occasion: Occasion::Import { until: None },
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let task = start(start_with, sender);
    let (mut incoming, mut problems, mut refused) = (vec![], vec![], 0);
    while let Some(delivery) = receiver.recv().await {
        incoming.extend(delivery.incoming);
        problems.extend(delivery.problems);
        refused += delivery.refused;
    }
    task.await.unwrap().unwrap();
    (incoming, problems, refused)
}

#[tokio::test]
async fn it_loads_with_places_counts_and_moments() {
    let (incoming, problems, refused) = read().await;
    let first = incoming.first().unwrap();
    assert_eq!(first.entity.id.as_str(), "urn:ngsi-ld:CrowdFlowObserved:1%20Courthouse%20Lane");
    assert_eq!(first.entity.location().unwrap().bounding_box().west, 174.76705);
    let count = first.entity.attribute("https://uri.etsi.org/ngsi-ld/default-context/peopleCount").unwrap();
    // Midnight of 1 September in New Zealand is noon of 31 August in UTC: winter time, 12 hours ahead.
    assert_eq!(count.observed_at.unwrap().to_string(), "2025-08-31T12:00:00Z");
    assert!(count.number().unwrap() >= 0.0);
    let sensors: std::collections::HashSet<_> = incoming.iter().map(|i| &i.entity.id).collect();
    assert_eq!(sensors.len(), 21);
    // Daylight saving time, 13 hours ahead, at the end.
    let last = incoming.last().unwrap().entity.attributes.values().flatten().find_map(|a| a.observed_at);
    assert_eq!(last.unwrap().to_string(), "2025-11-30T10:00:00Z");
    // The hour that the clock skips: one refusal for each sensor that counted in it.
    assert_eq!(refused, 21);
    let skipped = "2025-09-28T02:00:00 does not exist in Pacific/Auckland: the clock skips this hour";
    assert!(problems.iter().all(|p| p.detail == skipped && p.line == Some(652)), "{problems:?}");
}
