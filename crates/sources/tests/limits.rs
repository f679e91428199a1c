//! Input that attacks: bombs, endless records, deep nesting, noise. Each ends in a named problem, in bounded memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::Write as _,
    path::Path,
    sync::{Arc, OnceLock},
};

use flate2::{Compression, write::GzEncoder};
use model::{Problem, Timestamp};
use polder_sources::{
    CityClock, Delivery, Ended, Keys, Occasion, Start,
    config::CityFile,
    http::{Client, ClientSettings},
    start,
};
use proptest::prelude::*;

fn city(connector: &str, file: &str) -> CityFile {
    let gtfs = if connector == "gtfs" { "gtfs = { table = \"stops\" }" } else { "" };
    let text = format!(
        r#"
        [city]
        id = "x"
        name = "X"
        country = "NL"
        title = {{ nl = "X", en = "X" }}
        time_zone = "UTC"
        center = [4.5, 51.9]
        bounds = [4.0, 51.0, 5.0, 52.0]
        zoom = 10
        [[source]]
        name = "feed"
        title = {{ nl = "X", en = "X" }}
        connector = "{connector}"
        file = "{file}"
        {gtfs}
        provenance = {{ publisher = "X", licence = "X", attribution = "X" }}
        limits = {{ bytes_max = 3000000, record_bytes_max = 100000 }}
        entity_type = "Thing"
        id = "urn:x:{{id}}"
        attribute = [{{ name = "size", field = "size", kind = "number" }}, {{ name = "location", kind = "geo" }}]
        "#
    );
    CityFile::parse(&text, "city.toml").unwrap()
}

/// One client for all runs: none of them fetches anything.
fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| Client::new(ClientSettings::default()).unwrap()).clone()
}

async fn read(folder: &Path, connector: &str, file: &str) -> (Vec<Delivery>, Result<Ended, Problem>) {
    let start_with = Start {
        config: Arc::new(city(connector, file).source("feed").unwrap().clone()),
        folder: folder.to_owned(),
        clock: CityClock::live(|| Timestamp::from_micros(1_787_304_000_000_000)),
        http: client(),
        keys: Keys::default(),
        resume: None,
        occasion: Occasion::Import { until: None },
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let task = start(start_with, sender);
    let mut deliveries = vec![];
    while let Some(delivery) = receiver.recv().await {
        deliveries.push(delivery);
    }
    (deliveries, task.await.unwrap())
}

fn packed(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut packer = GzEncoder::new(vec![], Compression::best());
    for _ in 0..times {
        packer.write_all(bytes).unwrap();
    }
    packer.finish().unwrap()
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = packed(b"1,2\n1,2\n1,2\n1,2\n", 2_000_000);
    assert!(bomb.len() < 200_000, "it is small when packed: {}", bomb.len());
    std::fs::write(folder.path().join("bomb.csv.gz"), bomb).unwrap();
    let (_, ended) = read(folder.path(), "csv", "bomb.csv.gz").await;
    insta::assert_snapshot!(ended.unwrap_err(), @"bomb.csv.gz: it is larger than 3000000 bytes when unpacked; check the file; raise limits in city.toml if it is right");
}

#[tokio::test]
async fn a_record_that_does_not_end_is_stopped_or_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let quoted = format!("id,size\n1,\"{}", "x".repeat(2_500_000));
    std::fs::write(folder.path().join("rows.csv"), quoted).unwrap();
    let (_, ended) = read(folder.path(), "csv", "rows.csv").await;
    assert_eq!(ended.unwrap_err().detail, "one record does not end");

    let feature = r#"{"type":"Feature","id":1,"properties":{"size":1},"geometry":null}"#;
    let lines = format!("{}\n{feature}\n", "x".repeat(200_000));
    std::fs::write(folder.path().join("features.geojsonl"), lines).unwrap();
    let (deliveries, ended) = read(folder.path(), "geojson", "features.geojsonl").await;
    assert_eq!(ended.unwrap(), Ended::Finished);
    assert_eq!(deliveries[0].incoming.len(), 1, "the line after it is read");
    assert_eq!(deliveries[0].problems[0].detail, "the line is longer than 100000 bytes");
}

#[tokio::test]
async fn deep_nesting_is_a_bad_record() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("{}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    std::fs::write(folder.path().join("features.geojsonl"), &deep).unwrap();
    let (deliveries, _) = read(folder.path(), "geojson", "features.geojsonl").await;
    assert!(deliveries[0].problems[0].detail.starts_with("recursion limit exceeded"), "{deliveries:?}");
    std::fs::write(folder.path().join("city.json"), &deep).unwrap();
    let (_, ended) = read(folder.path(), "cityjson", "city.json").await;
    assert!(ended.unwrap_err().detail.starts_with("recursion limit exceeded"));
}

/// Text that looks like the formats, with mistakes in it.
fn near_input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("{\"type\":\"Feature\",\"id\":1,\"properties\":{\"size\":".to_owned()),
        Just("{\"type\":\"CityJSON\",\"CityObjects\":{\"a\":{\"type\":\"Building\",\"geometry\":[".to_owned()),
        Just("\"metadata\":{\"referenceSystem\":\"EPSG:28992\"}".to_owned()),
        Just("\"boundaries\":[[[0,1,99]]],\"type\":\"Solid\"".to_owned()),
        Just("\"coordinates\":[[1e308,-1e308],[NaN]]".to_owned()),
        Just("id,size\n1,2\n".to_owned()),
        Just("PK\u{3}\u{4}".to_owned()),
        Just("}}]]".to_owned()),
        "[\\PC\n,\"]{0,20}",
    ];
    let text = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![text, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics_and_never_hangs(bytes in near_input()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("csv", "a.csv"), ("csv", "a.csv.gz"), ("geojson", "a.geojson"), ("geojson", "a.geojsonl"),
            ("cityjson", "a.json"), ("cityjson", "a.jsonl"), ("gtfs", "a.zip"), ("gtfs_realtime", "a.pb"),
        ];
        for (connector, file) in files {
            std::fs::write(folder.path().join(file), &bytes).unwrap();
            // Whatever the noise means, it ends; a panic inside would show as this very problem.
            let (_, ended) = runtime.block_on(read(folder.path(), connector, file));
            if let Err(problem) = ended {
                prop_assert_ne!(problem.detail, "it stopped unexpectedly");
            }
        }
    }
}
