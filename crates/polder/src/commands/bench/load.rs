//! The requests of each load, made before the clock starts or cheap to make while it runs.
//!
//! The entities are those of Coraine's fixture in size: five attributes, about 550 bytes normalised.

use std::fmt::Write;

use crate::cli::{BenchOptions, BenchWork};

/// A load: request number to request bytes.
pub struct Load {
    work: BenchWork,
    entities: usize,
    batch: usize,
    fixed: Vec<u8>,
}

impl Load {
    /// The load that the options ask for.
    pub fn new(options: &BenchOptions) -> Self {
        let fixed = match options.work {
            BenchWork::Query => get("/ngsi-ld/v1/entities?type=Vehicle&limit=20"),
            BenchWork::Root => get("/"),
            BenchWork::Alerts | BenchWork::Batch | BenchWork::Single => Vec::new(),
        };
        Self { work: options.work, entities: options.entities, batch: options.batch, fixed }
    }

    /// Batches of vehicles, beside other work.
    pub fn batches(options: &BenchOptions) -> Self {
        Self { work: BenchWork::Batch, entities: options.entities, batch: options.batch, fixed: Vec::new() }
    }

    /// How many entities one request carries (1 for reading).
    pub fn items_per_request(&self) -> usize {
        if self.work == BenchWork::Batch { self.batch } else { 1 }
    }

    /// The bytes of one request, head and body.
    pub fn request(&self, number: usize) -> Vec<u8> {
        match self.work {
            BenchWork::Query | BenchWork::Root => self.fixed.clone(),
            BenchWork::Alerts | BenchWork::Batch | BenchWork::Single => {
                request("POST", "/ngsi-ld/v1/entityOperations/upsert?options=update", &self.body(number))
            }
        }
    }

    /// The body of one writing request: a JSON array of entities.
    pub fn body(&self, number: usize) -> String {
        let count = self.items_per_request();
        let entities: Vec<String> = (0..count).map(|i| entity((number * count + i) % self.entities, number)).collect();
        format!("[{}]", entities.join(","))
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n").into_bytes()
}

/// The bytes of a request with a JSON body.
pub fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut request = String::with_capacity(body.len() + 200);
    _ = write!(
        request,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    request.into_bytes()
}

/// One vehicle; `round` varies its values, so that each update changes something.
pub fn entity(number: usize, round: usize) -> String {
    let (speed, heading) = (20 + (number + round) % 80, (number * 7 + round) % 360);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (lon, lat) = (4.40 + (number % 1_000) as f64 * 1e-4, 51.88 + (number / 1_000 % 1_000) as f64 * 1e-4);
    let (minute, second) = (round / 60 % 60, round % 60);
    let at = format!("2026-08-21T{:02}:{minute:02}:{second:02}Z", round / 3_600 % 24);
    format!(
        r#"{{"id":"urn:ngsi-ld:Vehicle:{number}","type":"Vehicle","speed":{{"type":"Property","value":{speed},"unitCode":"KMH","observedAt":"{at}"}},"heading":{{"type":"Property","value":{heading},"unitCode":"DD","observedAt":"{at}"}},"location":{{"type":"GeoProperty","value":{{"type":"Point","coordinates":[{lon:.4},{lat:.4}]}},"observedAt":"{at}"}},"serviceStatus":{{"type":"Property","value":"onRoute"}},"refVehicleModel":{{"type":"Relationship","object":"urn:ngsi-ld:VehicleModel:{}"}}}}"#,
        number % 20
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_valid_json_and_changes_with_the_round() {
        let first: serde_json::Value = serde_json::from_str(&entity(7, 0)).unwrap();
        let later: serde_json::Value = serde_json::from_str(&entity(7, 3_661)).unwrap();
        assert_eq!(first["id"], later["id"]);
        assert_eq!(later["speed"]["observedAt"], "2026-08-21T01:01:01Z");
        assert_ne!(first["speed"]["value"], later["speed"]["value"]);
    }
}
