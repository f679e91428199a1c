//! Every connector passes the contract of connectors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use prost::Message;
use serde_json::{Value, json};
use testing::connector_contract::{Case, Feed, check};

/// Six entities, by number.
fn ids() -> Vec<String> {
    (1..=6).map(|n| format!("urn:x:{n}")).collect()
}

/// Entities by number.
fn only(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(|n| format!("urn:x:{n}")).collect()
}

const MAPPED: &str = r#"
    entity_type = "Thing"
    id = "urn:x:{id}"
    [[source.attribute]]
    name = "size"
    field = "size"
    kind = "number"
    required = true
"#;

fn with(connector: &'static str) -> &'static str {
    // Settings live as long as the test; a test is one process.
    Box::leak(format!("connector = \"{connector}\"\n{MAPPED}").into_boxed_str())
}

#[tokio::test]
async fn csv_keeps_the_contract() {
    let rows: String = (1..=6).map(|n| format!("{n},{n}.5\n")).collect();
    check(&Case {
        settings: with("csv"),
        feed: Feed::File("rows.csv.gz"),
        good: format!("id,size\n{rows}").into_bytes(),
        ids: ids(),
        bad: b"id,size\n1,2\n2,large\n3\n4,\n\xff,1\n5,5\n".to_vec(),
        bad_lines: vec![3, 4, 5, 6],
        bad_ids: only(&[1, 5]),
    })
    .await;
}

fn feature(id: u64, size: &Value) -> String {
    let geometry = json!({"type": "Point", "coordinates": [4.5, 51.9]});
    json!({"type": "Feature", "id": id, "properties": {"size": size}, "geometry": geometry}).to_string()
}

#[tokio::test]
async fn geojson_lines_keep_the_contract() {
    let lines: Vec<String> = (1..=6).map(|n| feature(n, &json!(n))).collect();
    let crossed = r#"{"type":"Feature","id":3,"properties":{"size":1},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[1,0],[0,0]]]}}"#;
    let bad = [
        feature(1, &json!(1)),
        "{\"type\"".to_owned(),
        crossed.to_owned(),
        feature(4, &json!("big")),
        feature(5, &json!(5)),
    ];
    check(&Case {
        settings: with("geojson"),
        feed: Feed::File("features.geojsonl.gz"),
        good: lines.join("\n").into_bytes(),
        ids: ids(),
        bad: bad.join("\n").into_bytes(),
        bad_lines: vec![2, 3, 4],
        bad_ids: only(&[1, 5]),
    })
    .await;
}

#[tokio::test]
async fn geojson_collections_keep_the_contract() {
    let collection = |features: &[String]| {
        format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(",")).into_bytes()
    };
    let good: Vec<String> = (1..=6).map(|n| feature(n, &json!(n))).collect();
    let bad = [feature(1, &json!(1)), "7".to_owned(), feature(3, &json!(null)), feature(4, &json!(4))];
    check(&Case {
        settings: with("geojson"),
        feed: Feed::File("features.geojson"),
        good: collection(&good),
        ids: ids(),
        bad: collection(&bad),
        bad_lines: vec![2, 3],
        bad_ids: only(&[1, 4]),
    })
    .await;
}

#[tokio::test]
async fn json_over_http_keeps_the_contract() {
    let good: Vec<Value> = (1..=6).map(|n| json!({"id": n, "size": n})).collect();
    let bad = json!([{"id": 1, "size": 1}, "two", {"id": 3}, {"size": 4}, {"id": 5, "size": "5"}]);
    check(&Case {
        settings: with("json_http"),
        feed: Feed::Http,
        good: json!(good).to_string().into_bytes(),
        ids: ids(),
        bad: bad.to_string().into_bytes(),
        bad_lines: vec![2, 3, 4],
        bad_ids: only(&[1, 5]),
    })
    .await;
}

/// A cube of one metre in the middle of Rotterdam.
fn building(id: u64, size: &Value, last_index: u64) -> String {
    let boundaries = json!([[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, last_index]]]);
    let semantics = json!({"surfaces": [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}],
        "values": [0, 1, 2]});
    let geometry = json!([{"type": "MultiSurface", "lod": "2.2", "boundaries": boundaries, "semantics": semantics}]);
    let corners = [[0, 0], [1000, 0], [1000, 1000], [0, 1000]];
    let vertices: Vec<Value> =
        [0, 1000].iter().flat_map(|z| corners.iter().map(move |[x, y]| json!([x, y, z]))).collect();
    json!({"type": "CityJSONFeature", "id": id.to_string(), "vertices": vertices, "CityObjects": {id.to_string():
        {"type": "Building", "attributes": {"size": size}, "geometry": geometry}}})
    .to_string()
}

#[tokio::test]
async fn cityjson_lines_keep_the_contract() {
    let header = json!({"type": "CityJSON", "version": "2.0", "CityObjects": {}, "vertices": [],
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [92_000.0, 437_000.0, 0.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/28992"}})
    .to_string();
    let good: Vec<String> = std::iter::once(header.clone()).chain((1..=6).map(|n| building(n, &json!(n), 4))).collect();
    let bad =
        [header, building(1, &json!(1), 4), building(2, &json!(1), 99), "[".to_owned(), building(4, &json!(4), 4)];
    check(&Case {
        settings: with("cityjson"),
        feed: Feed::File("buildings.city.jsonl.gz"),
        good: good.join("\n").into_bytes(),
        ids: ids(),
        bad: bad.join("\n").into_bytes(),
        bad_lines: vec![3, 4],
        bad_ids: only(&[1, 4]),
    })
    .await;
}

fn gtfs(stops: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("stops.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(stops.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn gtfs_keeps_the_contract() {
    let rows: String = (1..=6).map(|n| format!("{n},{n}\n")).collect();
    check(&Case {
        settings: Box::leak(format!("connector = \"gtfs\"\ngtfs = {{ table = \"stops\" }}\n{MAPPED}").into_boxed_str()),
        feed: Feed::File("gtfs.zip"),
        good: gtfs(&format!("id,size\n{rows}")),
        ids: ids(),
        bad: gtfs("id,size\n1,1\n2\n3,wide\n4,4\n"),
        bad_lines: vec![3, 4],
        bad_ids: only(&[1, 4]),
    })
    .await;
}

/// The fields of a GTFS-Realtime message that matter here, with the numbers of the specification.
#[derive(Clone, PartialEq, Message)]
struct Feedback {
    #[prost(message, repeated, tag = "2")]
    entity: Vec<Entity>,
}

#[derive(Clone, PartialEq, Message)]
struct Entity {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "4")]
    vehicle: Option<Vehicle>,
}

#[derive(Clone, PartialEq, Message)]
struct Vehicle {
    #[prost(message, optional, tag = "2")]
    position: Option<Position>,
    #[prost(uint32, optional, tag = "3")]
    sequence: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Position {
    #[prost(float, tag = "1")]
    latitude: f32,
    #[prost(float, tag = "2")]
    longitude: f32,
}

fn vehicles(list: &[(u64, bool, bool)]) -> Vec<u8> {
    let vehicle = |&(id, has_position, has_sequence): &(u64, bool, bool)| Entity {
        id: id.to_string(),
        vehicle: Some(Vehicle {
            position: has_position.then_some(Position { latitude: 51.9, longitude: 4.5 }),
            sequence: has_sequence.then_some(3),
        }),
    };
    Feedback { entity: list.iter().map(vehicle).collect() }.encode_to_vec()
}

const VEHICLE: &str = r#"
    connector = "gtfs_realtime"
    entity_type = "Vehicle"
    id = "urn:x:{id}"
    [[source.attribute]]
    name = "stopSequence"
    field = "stop_sequence"
    kind = "number"
    required = true
"#;

#[tokio::test]
async fn gtfs_realtime_files_keep_the_contract() {
    let good: Vec<(u64, bool, bool)> = (1..=6).map(|n| (n, true, true)).collect();
    check(&Case {
        settings: VEHICLE,
        feed: Feed::File("vehicles.pb"),
        good: vehicles(&good),
        ids: ids(),
        bad: vehicles(&[(1, true, true), (2, false, true), (3, true, false), (4, true, true)]),
        bad_lines: vec![2, 3],
        bad_ids: only(&[1, 4]),
    })
    .await;
}

#[tokio::test]
async fn gtfs_realtime_over_http_keeps_the_contract() {
    let good: Vec<(u64, bool, bool)> = (1..=6).map(|n| (n, true, true)).collect();
    check(&Case {
        settings: VEHICLE,
        feed: Feed::Http,
        good: vehicles(&good),
        ids: ids(),
        bad: vehicles(&[(1, true, true), (2, false, true), (3, true, false), (4, true, true)]),
        bad_lines: vec![2, 3],
        bad_ids: only(&[1, 4]),
    })
    .await;
}
