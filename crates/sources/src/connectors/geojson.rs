//! `geojson`: features of a FeatureCollection, or one feature on each line (GeoJSONSeq), `.gz` unpacked.

use std::path::Path;

use futures::future::BoxFuture;
use model::{Geometry, Problem};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Connector, needs_file};
use crate::{
    config::{Limits, SourceConfig},
    delivery::{Ended, Job, Step, read_file},
    input::{Lines, open, read_all, unreadable},
    record::Record,
};

/// How the features stand in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Lines for `.geojsonl`, `.geojsonseq`, `.ndjson` and `.jsonl` (also with `.gz`), a collection otherwise.
    #[default]
    Auto,
    /// One `FeatureCollection`.
    Collection,
    /// One feature on each line, with or without the record separator of RFC 8142.
    Lines,
}

/// Settings of the `geojson` connector.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GeoJsonSettings {
    /// How the features stand in the file.
    pub layout: Layout,
}

/// The connector.
pub struct GeoJson;

impl Connector for GeoJson {
    fn name(&self) -> &'static str {
        "geojson"
    }

    fn about(&self) -> &'static str {
        "Features of a FeatureCollection (RFC 7946) or a GeoJSON text sequence (RFC 8142, or plain lines) in a file, \
         `.gz` unpacked. Properties are the fields; the feature's id is the field `id` where no property has that name."
    }

    fn settings(&self) -> Schema {
        schema_for!(GeoJsonSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        false
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        needs_file(config)
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(read_file(job, |job, take| {
            let settings = job.config.geojson.clone().unwrap_or_default();
            let file = job.config.file.as_deref().unwrap_or_default();
            each_feature(&job.folder, file, &settings, &job.config.limits, &mut |r| take(Step::Record(r)))
        }))
    }
}

/// Calls `take` with each feature of a file.
///
/// # Errors
/// When the file cannot be read on, or when `take` says to stop.
pub(crate) fn each_feature<E: From<Problem>>(
    folder: &Path,
    file: &str,
    settings: &GeoJsonSettings,
    limits: &Limits,
    take: &mut dyn FnMut(Result<Record, Problem>) -> Result<(), E>,
) -> Result<(), E> {
    if is_lines(file, settings.layout) {
        let (reader, mark) = open(folder, file, limits)?;
        let mut lines = Lines::new(reader, mark, limits);
        while let Some((line, bytes)) = lines.next().map_err(|e| unreadable(file, &e))? {
            match bytes {
                Err(problem) => take(Err(problem))?,
                Ok([] | [0x1e]) => {}
                Ok(bytes) => take(feature_of_line(bytes, line))?,
            }
        }
        return Ok(());
    }
    for (number, feature) in (1..).zip(collection(&read_all(folder, file, limits)?, file)?) {
        take(feature_record(feature, number).map_err(|p| p.at_line(number)))?;
    }
    Ok(())
}

fn is_lines(file: &str, layout: Layout) -> bool {
    let plain = file.strip_suffix(".gz").unwrap_or(file);
    match layout {
        Layout::Auto => {
            [".geojsonl", ".geojsonseq", ".geojsons", ".ndjson", ".jsonl"].iter().any(|e| plain.ends_with(e))
        }
        Layout::Collection => false,
        Layout::Lines => true,
    }
}

fn feature_of_line(bytes: &[u8], line: u64) -> Result<Record, Problem> {
    let bytes = bytes.strip_prefix(&[0x1e]).unwrap_or(bytes);
    let parsed = serde_json::from_slice(bytes)
        .map_err(|e| Problem::new("feature", e.to_string(), "write one GeoJSON feature on each line"));
    parsed.and_then(|value| feature_record(value, line)).map_err(|p| p.at_line(line))
}

fn collection(bytes: &[u8], file: &str) -> Result<Vec<Value>, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Ok(vec![]);
    }
    let remedy = "give a GeoJSON FeatureCollection, or set layout = \"lines\"";
    let mut parsed: Value = serde_json::from_slice(bytes)
        .map_err(|e| Problem::new(file, e.to_string(), remedy).at_line(e.line() as u64))?;
    match parsed.get_mut("features").map(Value::take) {
        Some(Value::Array(features)) => Ok(features),
        _ => Err(Problem::new(file, "it has no list of features", remedy)),
    }
}

/// A record of one feature.
fn feature_record(feature: Value, line: u64) -> Result<Record, Problem> {
    let remedy = "write a GeoJSON feature: type, properties and geometry";
    let Value::Object(mut feature) = feature else {
        return Err(Problem::new("feature", "it is not an object", remedy));
    };
    if feature.get("type").and_then(Value::as_str) != Some("Feature") {
        return Err(Problem::new("feature", "its type is not Feature", remedy));
    }
    let mut fields = match feature.remove("properties") {
        Some(Value::Object(fields)) => fields,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Problem::new("properties", "they are not an object", remedy)),
    };
    if let Some(id) = feature.remove("id").filter(|id| !id.is_null()) {
        fields.entry("id").or_insert(id);
    }
    let geometry = match feature.get("geometry") {
        None | Some(Value::Null) => None,
        Some(geometry) => Some(Geometry::from_geojson(geometry)?),
    };
    Ok(Record { geometry, ..Record::new(line, fields) })
}
