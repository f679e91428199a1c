//! `json_http`: JSON fetched again and again from an address, only when it has changed.

use std::time::Duration;

use futures::future::BoxFuture;
use model::{Geometry, Problem};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::Value;

use super::{Connector, needs_url};
use crate::{
    config::SourceConfig,
    delivery::{Ended, Job},
    fetch::{Polled, poll},
    record::Record,
};

/// Settings of the `json_http` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JsonHttpSettings {
    /// Seconds between two fetches.
    pub interval_s: u64,
    /// Where the list of records is, as a JSON pointer (`/data/stations`); the answer itself when empty.
    pub records: String,
    /// Where the GeoJSON geometry of a record is, as a JSON pointer.
    pub geometry: Option<String>,
}

impl Default for JsonHttpSettings {
    fn default() -> Self {
        Self { interval_s: 60, records: String::new(), geometry: None }
    }
}

/// The connector.
pub struct JsonHttp;

impl Connector for JsonHttp {
    fn name(&self) -> &'static str {
        "json_http"
    }

    fn about(&self) -> &'static str {
        "A list of JSON objects (or one object) fetched from an address at an interval, with If-None-Match so that an \
         unchanged answer costs nothing. Nested fields are named by JSON pointer (`/position/lon`)."
    }

    fn settings(&self) -> Schema {
        schema_for!(JsonHttpSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        true
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        let settings = config.json_http.clone().unwrap_or_default();
        if settings.interval_s == 0 {
            return Err(Problem::new("interval_s", "it is 0", "wait at least one second between two fetches"));
        }
        if !(settings.records.is_empty() || settings.records.starts_with('/')) {
            let remedy = "write a JSON pointer, for example records = \"/data\"";
            return Err(Problem::new("records", format!("\"{}\" is not a JSON pointer", settings.records), remedy));
        }
        needs_url(config, &["https", "http"])
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        let settings = job.config.json_http.clone().unwrap_or_default();
        let interval = Duration::from_secs(settings.interval_s);
        Box::pin(poll(job, interval, move |_, body| Polled { records: records(body, &settings) }))
    }
}

/// The records of one answer.
pub(crate) fn records(body: &[u8], settings: &JsonHttpSettings) -> Result<Vec<Result<Record, Problem>>, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(vec![]);
    }
    let mut parsed: Value = serde_json::from_slice(body).map_err(|e| {
        Problem::new("answer", e.to_string(), "check that the address gives JSON").at_line(e.line() as u64)
    })?;
    let list = parsed.pointer_mut(&settings.records).map(Value::take).ok_or_else(|| {
        let detail = format!("it has nothing at \"{}\"", settings.records);
        Problem::new("answer", detail, "correct the setting json_http.records")
    })?;
    let items = match list {
        Value::Array(items) => items,
        other => vec![other],
    };
    let numbered = (1..).zip(items);
    Ok(numbered.map(|(number, item)| record(item, number, settings).map_err(|p| p.at_line(number))).collect())
}

fn record(item: Value, number: u64, settings: &JsonHttpSettings) -> Result<Record, Problem> {
    let geometry = settings.geometry.as_deref().and_then(|p| item.pointer(p)).filter(|g| !g.is_null());
    let geometry = geometry.map(Geometry::from_geojson).transpose()?;
    match item {
        Value::Object(fields) => Ok(Record { geometry, ..Record::new(number, fields) }),
        _ => Err(Problem::new("record", "it is not an object", "correct the setting json_http.records")),
    }
}
