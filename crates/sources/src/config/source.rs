//! `[[source]]`: one feed, and how its records become entities.

use model::{Iri, Origin, SourceInfo};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{AggregateConfig, AttributeConfig, PrivacyConfig, RetentionConfig, Text, expand};
use crate::connectors::{
    cityjson::CityJsonSettings, csv::CsvSettings, geojson::GeoJsonSettings, gtfs::GtfsSettings,
    gtfs_realtime::GtfsRealtimeSettings, json_http::JsonHttpSettings, mqtt::MqttSettings,
};

/// One feed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its name in logs, on the screen and in layers: lower-case letters, digits and `-`.
    pub name: String,
    /// What a person reads.
    pub title: Text,
    /// The connector that reads it.
    pub connector: String,
    /// The file, relative to the city folder; `.gz` is unpacked.
    pub file: Option<String>,
    /// The address, for connectors that fetch.
    pub url: Option<String>,
    /// The short type of its entities (`TrafficFlowObserved`), or a full IRI.
    pub entity_type: String,
    /// The id of an entity, with fields in braces (`urn:ngsi-ld:TrafficFlowObserved:{station}`); `{line}` is the
    /// number of the record.
    pub id: String,
    /// The field that holds a list: each element becomes a record of its own, with the fields around it.
    pub each: Option<String>,
    /// How the moment of a record is read.
    pub time: Option<TimeConfig>,
    /// Other files whose fields are added by a key.
    #[serde(default, rename = "join")]
    pub joins: Vec<JoinConfig>,
    /// Which records are taken; all must hold.
    #[serde(default, rename = "filter")]
    pub filters: Vec<FilterConfig>,
    /// How its values come to be.
    #[serde(default)]
    pub origin: OriginConfig,
    /// Who publishes it and under which conditions.
    pub provenance: Provenance,
    /// Whether everybody may see its entities without an account.
    #[serde(default)]
    pub public: bool,
    /// Whether it is an archive that is played as if it were live.
    #[serde(default)]
    pub replay: bool,
    /// How long after its moment a value may arrive, seconds; later is marked as late.
    pub late_after_s: Option<f64>,
    /// The attributes of its entities.
    #[serde(default, rename = "attribute")]
    pub attributes: Vec<AttributeConfig>,
    /// How positions of people become counts before anything else sees them.
    pub aggregate: Option<AggregateConfig>,
    /// What its data protection sheet says.
    pub privacy: Option<PrivacyConfig>,
    /// For how long its values are kept.
    pub retention: Option<RetentionConfig>,
    /// Whether its entities are for computing only: no reader reaches them, whatever their role.
    #[serde(default)]
    pub internal: bool,
    /// What the platform adds.
    pub enrich: Option<EnrichConfig>,
    /// How much it may deliver at once.
    #[serde(default)]
    pub limits: Limits,
    /// Settings of the `cityjson` connector.
    pub cityjson: Option<CityJsonSettings>,
    /// Settings of the `csv` connector.
    pub csv: Option<CsvSettings>,
    /// Settings of the `geojson` connector.
    pub geojson: Option<GeoJsonSettings>,
    /// Settings of the `gtfs` connector.
    pub gtfs: Option<GtfsSettings>,
    /// Settings of the `gtfs_realtime` connector.
    pub gtfs_realtime: Option<GtfsRealtimeSettings>,
    /// Settings of the `json_http` connector.
    pub json_http: Option<JsonHttpSettings>,
    /// Settings of the `mqtt` connector.
    pub mqtt: Option<MqttSettings>,
}

impl SourceConfig {
    /// The expanded type of its entities.
    #[must_use]
    pub fn type_iri(&self) -> Iri {
        expand(&self.entity_type)
    }

    /// What is shown beside every value.
    #[must_use]
    pub fn info(&self) -> SourceInfo {
        SourceInfo {
            name: self.name.clone(),
            publisher: self.provenance.publisher.clone(),
            licence: self.provenance.licence.clone(),
            attribution: self.provenance.attribution.clone(),
            origin: self.origin.into(),
        }
    }
}

/// How the moment of a record is read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeConfig {
    /// The field.
    pub field: String,
    /// The IANA time zone of texts without an offset.
    #[serde(default = "utc")]
    pub zone: String,
    /// How it is written, as in `strftime` (`%Y-%m-%d %H:%M`); `unix` and `unix_ms` for numbers since 1970; ISO 8601
    /// when absent.
    pub format: Option<String>,
    /// What a wall-clock time means in the hour that comes twice.
    #[serde(default)]
    pub ambiguous: Ambiguous,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What a wall-clock time means in the hour that comes twice. A time in the hour that is skipped is always refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ambiguous {
    /// The first of the two.
    #[default]
    Earlier,
    /// The second of the two.
    Later,
    /// The record is refused.
    Refuse,
}

/// Another file whose fields are added to each record. Its columns or properties come after the record's own; a
/// field that both have is the record's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinConfig {
    /// A CSV, GeoJSON or GeoJSONSeq file, relative to the city folder; `.gz` is unpacked.
    pub file: String,
    /// The field of the record.
    pub key: String,
    /// The field of the other file; `key` when absent. The first row with a key counts.
    pub other_key: Option<String>,
    /// The fields that are added; all when absent.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Whether a record without a partner is refused.
    #[serde(default)]
    pub required: bool,
}

/// A condition on one field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterConfig {
    /// The field.
    pub field: String,
    /// The value that it must have; numbers and texts that read the same are equal.
    pub equals: Option<Value>,
    /// The value that it must not have.
    pub not_equals: Option<Value>,
}

/// How values come to be, for those that a source may deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OriginConfig {
    /// Read by a sensor or counted.
    #[default]
    Measured,
    /// Computed from measurements or a timetable.
    Modelled,
    /// A statement about the future.
    Forecast,
    /// Made by a simulation.
    Simulated,
    /// Entered or decided by a person or a register.
    Registered,
}

impl From<OriginConfig> for Origin {
    fn from(origin: OriginConfig) -> Self {
        match origin {
            OriginConfig::Measured => Self::Measured,
            OriginConfig::Modelled => Self::Modelled,
            OriginConfig::Forecast => Self::Forecast,
            OriginConfig::Simulated => Self::Simulated,
            OriginConfig::Registered => Self::Registered,
        }
    }
}

/// Who publishes a feed and under which conditions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The organisation.
    pub publisher: String,
    /// An SPDX id, or a name.
    pub licence: String,
    /// Whether somebody has read the text of the licence.
    #[serde(default)]
    pub licence_verified: bool,
    /// The line that must be shown.
    pub attribution: String,
    /// Where the data come from.
    pub url: Option<String>,
    /// What a reader must know about them.
    pub note: Option<Text>,
}

/// What the platform adds to the entities of a source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrichConfig {
    /// The next stop of a vehicle, from its place in a timetable.
    pub transit: Option<TransitConfig>,
}

/// How a vehicle's place in its trip becomes "next stop Y at HH:MM".
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitConfig {
    /// The name of the `gtfs` source with the timetable.
    pub timetable: String,
    /// The attribute with the trip id.
    pub trip: String,
    /// The attribute with the place in the order of stops.
    pub sequence: String,
    /// The attribute that says whether the vehicle stands at that stop.
    pub at_stop: Option<String>,
    /// The attribute with the delay, seconds.
    pub delay: Option<String>,
    /// The id of a stop entity, with `{stop_id}`.
    pub stop: String,
}

/// How much a source may deliver at once. A feed over a limit is stopped with a message; nothing is cut off quietly.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of one file or message, after unpacking.
    pub bytes_max: u64,
    /// Bytes of one record (line, row or feature).
    pub record_bytes_max: u64,
    /// Records handed on together.
    pub batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, record_bytes_max: 16 << 20, batch: 2_000 }
    }
}
