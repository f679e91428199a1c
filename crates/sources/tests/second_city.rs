//! A second city, by configuration only: wide hourly counts of pedestrians in wall-clock time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{path::PathBuf, sync::Arc};

use model::{Incoming, Problem, Timestamp};
use polder_sources::{
    CityClock, Occasion, Start,
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
    // Six in the morning of 1 January in New Zealand: summer time, 13 hours ahead of UTC.
    assert_eq!(count.observed_at.unwrap().to_string(), "2018-12-31T17:00:00Z");
    assert!(count.number().unwrap() >= 0.0);
    let sensors: std::collections::HashSet<_> = incoming.iter().map(|i| &i.entity.id).collect();
    assert_eq!(sensors.len(), 21);
    let moment = |incoming: &Incoming| incoming.entity.attributes.values().flatten().find_map(|a| a.observed_at);
    assert_eq!(moment(incoming.last().unwrap()).unwrap().to_string(), "2025-12-31T16:00:00Z");
    // Midnight of 1 September is noon of 31 August in UTC: winter time, 12 hours ahead.
    let midnight = Some(Timestamp::parse("2025-08-31T12:00:00Z").unwrap());
    assert_eq!(incoming.iter().filter(|incoming| moment(incoming) == midnight).count(), 21);
    // The hour that the clock skips each spring: one refusal for each sensor that counted in it.
    assert_eq!(refused, 120);
    let skipped = "2025-09-28T02:00:00 does not exist in Pacific/Auckland: the clock skips this hour";
    let last_spring = problems.iter().filter(|p| p.detail == skipped && p.line == Some(59_086)).count();
    assert_eq!((problems.len(), last_spring), (120, 21), "{problems:?}");
}
