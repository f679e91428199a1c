//! What a control room sees: every area now and in the next hour, every gate, and what needs attention.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use support::crowd::{Area, Colour, LevelOfService, Limit, Quantity};
use utoipa::ToSchema;

use crate::{AlertRecord, Level, RunRecord};

/// A number with its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CrowdAmount)]
pub struct Amount {
    /// The number.
    pub value: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// One moment of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdPicture)]
pub struct Picture {
    /// The event.
    pub event: String,
    /// The run.
    pub run: RunRecord,
    /// The moment that it shows.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The areas, in the order of their keys.
    pub areas: Vec<AreaPicture>,
    /// The gates, in the order of their keys.
    pub gates: Vec<GatePicture>,
    /// What is measured of the threats of the plan, in the order of their keys.
    pub conditions: Vec<ConditionPicture>,
    /// The alerts that are open, the newest first.
    pub attention: Vec<AlertRecord>,
}

/// What is measured of a threat. Without a value nothing is known of it lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdConditionPicture)]
pub struct ConditionPicture {
    /// The threat.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// How much it matters, as measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub level: Option<Level>,
    /// What was measured, in the unit of its attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<f64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub observed_at: Option<Timestamp>,
}

/// Why something is not known, or how a value was made: a code that the screen has words for.
pub type Code = String;

/// Where amber and red start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CrowdBorders)]
pub struct Borders {
    /// Amber from here.
    pub amber: f64,
    /// Red from here.
    pub red: f64,
}

impl From<Limit> for Borders {
    fn from(limit: Limit) -> Self {
        Self { amber: limit.amber, red: limit.red }
    }
}

/// The thresholds of an area, for lines in a picture. What is absent is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = CrowdThresholds)]
pub struct AreaThresholds {
    /// Persons: where the first of density, level of service and share of the capacity is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub persons: Option<Borders>,
    /// Persons/m2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub density_m2: Option<Borders>,
    /// Through its busiest gate, ped/m/min.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub specific_flow_ped_m_min: Option<Borders>,
    /// As a share of the capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub occupancy_share: Option<Borders>,
}

impl AreaThresholds {
    /// The thresholds that an area of a site is held against.
    pub(crate) fn of(area: &Area) -> Self {
        let persons = |colour| area.thresholds.persons_for(area, colour);
        Self {
            persons: persons(Colour::Amber).zip(persons(Colour::Red)).map(|(amber, red)| Borders { amber, red }),
            density_m2: area.thresholds.density_m2.map(Borders::from),
            specific_flow_ped_m_min: area.thresholds.specific_flow_ped_m_min.map(Borders::from),
            occupancy_share: area.thresholds.occupancy_share.map(Borders::from),
        }
    }
}

/// An area at one moment. What is absent is not known, or must not be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdAreaPicture)]
pub struct AreaPicture {
    /// The area.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its colour, steadied by hysteresis.
    #[schema(value_type = String, example = "amber")]
    pub colour: Colour,
    /// The threshold that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub because: Option<Quantity>,
    /// Whether numbers are withheld because they could point at few people.
    pub suppressed: bool,
    /// Persons in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub occupancy: Option<Amount>,
    /// How the occupancy was made.
    #[schema(value_type = Vec<String>)]
    pub made: Vec<Code>,
    /// The most persons that it may hold.
    pub capacity_persons: f64,
    /// Where it turns amber and red.
    #[serde(default)]
    pub thresholds: AreaThresholds,
    /// Persons/m2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub density_m2: Option<f64>,
    /// Fruin's level of service, A to F.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub level_of_service: Option<LevelOfService>,
    /// Through its busiest gate, ped/m/min.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub specific_flow_ped_m_min: Option<f64>,
    /// Walking speed by the fundamental diagram, m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub speed_m_s: Option<f64>,
    /// Persons that come in each minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub inflow_per_min: Option<f64>,
    /// Persons that go out each minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outflow_per_min: Option<f64>,
    /// Persons more each minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rise_per_min: Option<f64>,
    /// Minutes until the capacity is reached if it goes on like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub minutes_to_capacity: Option<f64>,
    /// The smaller of both directions at its busiest gate, as a share of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counterflow_share: Option<f64>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub unknown_because: Option<Code>,
    /// What was done to its counts, or why one was not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub marks: Vec<Code>,
    /// In 15, 30 and 60 minutes.
    pub coming: Vec<Ahead>,
}

/// An area some minutes from now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdAhead)]
pub struct Ahead {
    /// How many minutes.
    pub in_min: u32,
    /// The colour of the median; unknown when it cannot be said.
    #[schema(value_type = String, example = "red")]
    pub colour: Colour,
    /// The probability (0..1) of amber or worse by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub probability_amber: Option<f64>,
    /// The probability (0..1) of red by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub probability_red: Option<f64>,
    /// Persons: one in ten lies below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p10: Option<f64>,
    /// Persons: the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p50: Option<f64>,
    /// Persons: one in ten lies above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p90: Option<f64>,
}

/// How far the counts of a gate can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdGateStatus)]
pub enum GateStatus {
    /// Counted.
    Counted,
    /// Filled in from elsewhere for a while.
    Bridged,
    /// Not known.
    Unknown,
}

/// A gate at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdGatePicture)]
pub struct GatePicture {
    /// The gate.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// How far its counts can be trusted.
    pub status: GateStatus,
    /// Persons in the gate's direction each minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub forward_per_min: Option<f64>,
    /// Persons against it each minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub backward_per_min: Option<f64>,
    /// Both directions, ped/m/min.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub specific_flow_ped_m_min: Option<f64>,
    /// Its width, m.
    pub width_m: f64,
    /// What was done to its counts.
    #[schema(value_type = Vec<String>)]
    pub marks: Vec<Code>,
}
