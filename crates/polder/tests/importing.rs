//! Importing with the built binary: good rows are in, bad rows are named, twice is once, damage is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Server, folder, run};

#[test]
fn good_rows_are_in_bad_rows_are_named_and_a_second_import_changes_nothing() {
    let folder = folder();
    let import = ["import", "--data", "data", "--city", "city"];
    let (code, said) = run(&import, folder.path());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("stations") && said.contains("line 4"), "{said}");
    let (code, said) = run(&import, folder.path());
    assert_eq!(code, 0, "{said}");
    assert_eq!(run(&["check", "--data", "data"], folder.path()).0, 0);
    let server = Server::start(folder.path(), &[]);
    let (status, body) = server.get("/ngsi-ld/v1/entities?type=TrafficFlowObserved&format=simplified");
    assert_eq!(status, 200, "{body}");
    let entities: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    let flows: Vec<f64> = entities.iter().filter_map(|e| e["intensity"].as_f64()).collect();
    assert_eq!(flows, [660.0, 720.0], "{body}");
    let (status, body) =
        server.get("/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:TrafficFlowObserved:a?options=temporalValues");
    assert_eq!(status, 200, "{body}");
    let temporal: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(temporal["intensity"]["values"].as_array().map(Vec::len), Some(2), "{body}");
}

#[test]
fn check_names_a_segment_that_was_damaged() {
    let folder = folder();
    assert_eq!(run(&["import", "--data", "data", "--city", "city"], folder.path()).0, 0);
    let segments = find_segments(&folder.path().join("data"));
    let segment = segments.first().expect("the import made no segment");
    let mut bytes = std::fs::read(segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(segment, bytes).unwrap();
    let (code, said) = run(&["check", "--data", "data"], folder.path());
    assert_eq!(code, 1, "{said}");
    let name = segment.file_name().unwrap().to_string_lossy().into_owned();
    assert!(said.contains(&name), "{name} is not in: {said}");
}

fn find_segments(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find_segments(&path));
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
    found
}
