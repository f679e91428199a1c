//! `gtfs_realtime`: vehicle positions as GTFS-Realtime protobuf, from a file or fetched again and again.

use std::time::Duration;

use futures::future::BoxFuture;
use model::Problem;
use prost::Message;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Connector, needs_file, needs_url};
use crate::{
    config::SourceConfig,
    delivery::{Ended, Job, Step, read_file},
    fetch::{Polled, poll},
    input::read_all,
    record::Record,
};

/// The part of a GTFS-Realtime message that is read here; field numbers as in the specification, version 2.0.
#[derive(Clone, PartialEq, Message)]
struct FeedMessage {
    #[prost(message, repeated, tag = "2")]
    entity: Vec<FeedEntity>,
}

#[derive(Clone, PartialEq, Message)]
struct FeedEntity {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "4")]
    vehicle: Option<VehiclePosition>,
}

#[derive(Clone, PartialEq, Message)]
struct VehiclePosition {
    #[prost(message, optional, tag = "1")]
    trip: Option<TripDescriptor>,
    #[prost(message, optional, tag = "2")]
    position: Option<Position>,
    #[prost(uint32, optional, tag = "3")]
    current_stop_sequence: Option<u32>,
    #[prost(int32, optional, tag = "4")]
    current_status: Option<i32>,
    #[prost(uint64, optional, tag = "5")]
    timestamp: Option<u64>,
    #[prost(string, optional, tag = "7")]
    stop_id: Option<String>,
    #[prost(message, optional, tag = "8")]
    vehicle: Option<VehicleDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct TripDescriptor {
    #[prost(string, optional, tag = "1")]
    trip_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    start_date: Option<String>,
    #[prost(string, optional, tag = "5")]
    route_id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Position {
    #[prost(float, tag = "1")]
    latitude: f32,
    #[prost(float, tag = "2")]
    longitude: f32,
    #[prost(float, optional, tag = "3")]
    bearing: Option<f32>,
    #[prost(float, optional, tag = "5")]
    speed: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct VehicleDescriptor {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(string, optional, tag = "2")]
    label: Option<String>,
}

/// Settings of the `gtfs_realtime` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GtfsRealtimeSettings {
    /// Seconds between two fetches of `url`.
    pub interval_s: u64,
}

impl Default for GtfsRealtimeSettings {
    fn default() -> Self {
        Self { interval_s: 15 }
    }
}

/// The connector.
pub struct GtfsRealtime;

impl Connector for GtfsRealtime {
    fn name(&self) -> &'static str {
        "gtfs_realtime"
    }

    fn about(&self) -> &'static str {
        "Vehicle positions of a GTFS-Realtime feed (protobuf), from a file or an address. Fields: id, vehicle_id, label, \
         trip_id, route_id, start_date, stop_id, stop_sequence, at_stop, lon, lat, bearing, speed_ms, timestamp (seconds \
         since 1970)."
    }

    fn settings(&self) -> Schema {
        schema_for!(GtfsRealtimeSettings)
    }

    fn is_live(&self, config: &SourceConfig) -> bool {
        config.url.is_some()
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        if config.gtfs_realtime.as_ref().is_some_and(|c| c.interval_s == 0) {
            return Err(Problem::new("interval_s", "it is 0", "wait at least one second between two fetches"));
        }
        if config.url.is_some() { needs_url(config, &["https", "http"]) } else { needs_file(config) }
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        if job.config.url.is_none() {
            return Box::pin(read_file(job, |job, take| {
                let file = job.config.file.as_deref().unwrap_or_default();
                for record in records(&read_all(&job.folder, file, &job.config.limits)?)? {
                    take(Step::Record(record))?;
                }
                Ok(())
            }));
        }
        let interval = Duration::from_secs(job.config.gtfs_realtime.clone().unwrap_or_default().interval_s);
        Box::pin(poll(job, interval, |_, body| Polled { records: records(body) }))
    }
}

/// The vehicles of a message.
fn records(bytes: &[u8]) -> Result<Vec<Result<Record, Problem>>, Problem> {
    if bytes.is_empty() {
        return Ok(vec![]);
    }
    let remedy = "give a GTFS-Realtime FeedMessage (protobuf)";
    let message = FeedMessage::decode(bytes).map_err(|e| Problem::new("feed", e.to_string(), remedy))?;
    let vehicles = (1..).zip(message.entity).filter_map(|(number, entity)| {
        let vehicle = entity.vehicle?;
        Some(record(number, &entity.id, &vehicle).map_err(|p| p.at_line(number)))
    });
    Ok(vehicles.collect())
}

fn record(number: u64, id: &str, vehicle: &VehiclePosition) -> Result<Record, Problem> {
    let Some(position) = &vehicle.position else {
        return Err(Problem::new(id, "the vehicle has no position", "leave out vehicles without a position"));
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("id", json!(id));
    // Single precision is good to about half a metre here; more decimals would pretend otherwise.
    let degrees = |single: f32| (f64::from(single) * 1e6).round() / 1e6;
    put("lon", json!(degrees(position.longitude)));
    put("lat", json!(degrees(position.latitude)));
    put("bearing", json!(position.bearing));
    put("speed_ms", json!(position.speed));
    put("timestamp", json!(vehicle.timestamp));
    put("stop_id", json!(vehicle.stop_id));
    put("stop_sequence", json!(vehicle.current_stop_sequence));
    // 1 is STOPPED_AT in the specification; without a status the vehicle is in transit.
    put("at_stop", json!(vehicle.current_status == Some(1)));
    if let Some(trip) = &vehicle.trip {
        put("trip_id", json!(trip.trip_id));
        put("route_id", json!(trip.route_id));
        put("start_date", json!(trip.start_date));
    }
    if let Some(descriptor) = &vehicle.vehicle {
        put("vehicle_id", json!(descriptor.id));
        put("label", json!(descriptor.label));
    }
    Ok(Record::new(number, fields))
}
