//! The parts of a plan: what is drawn on the map, what is on the programme, what may go wrong, what can be done.

mod area;
mod condition;
mod gate;

use std::{collections::BTreeMap, fmt};

use model::{EntityId, Geometry, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Document, Stored};
use utoipa::ToSchema;

use crate::Measure;
pub use area::{AreaCounterPart, AreaPart};
pub use condition::ConditionPart;
pub use gate::{CounterKind, CounterPart, GatePart};

/// The longest name of a part, characters.
const NAME_CHARS_MAX: usize = 120;
/// The longest note of a part, characters.
const NOTE_CHARS_MAX: usize = 2_000;
/// The longest key, characters.
const KEY_CHARS_MAX: usize = 60;
/// The most positions in a drawing.
const POSITIONS_MAX: usize = 2_000;
/// The largest number of persons, metres or square metres that is taken for real.
const AMOUNT_MAX: f64 = 10_000_000.0;

/// The names of the kinds of parts, as they are in addresses.
pub const KINDS: &[&str] = &["area", "barrier", "consequence", "gate", "link", "measure", "programme", "threat"];

/// A part of an event's plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The event.
    pub event: String,
    /// Its key, unique among the parts of its kind.
    pub key: String,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
    /// Who wrote it last.
    pub changed_by: String,
    /// When, by the server's clock.
    pub changed_at: Timestamp,
}

impl Document for Part {
    const COLLECTION: &'static str = "crowd-parts";

    fn key(&self) -> String {
        part_key(&self.event, self.body.kind(), &self.key)
    }
}

pub(crate) fn part_key(event: &str, kind: &str, key: &str) -> String {
    format!("{event}/{kind}/{key}")
}

/// What a part says, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "body", rename_all = "camelCase")]
#[schema(as = CrowdPartBody)]
pub enum Body {
    /// A surface where people are.
    Area(AreaPart),
    /// What stands between a threat and the crowding, or between the crowding and a consequence.
    Barrier(BarrierPart),
    /// What crowding may lead to.
    Consequence(ConsequencePart),
    /// A line where people are counted.
    Gate(GatePart),
    /// A way from one area to another.
    Link(LinkPart),
    /// A measure that was prepared.
    Measure(MeasurePart),
    /// Something that draws people.
    Programme(ProgrammePart),
    /// What may cause crowding.
    Threat(ThreatPart),
}

impl Body {
    /// The name of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Area(_) => "area",
            Self::Barrier(_) => "barrier",
            Self::Consequence(_) => "consequence",
            Self::Gate(_) => "gate",
            Self::Link(_) => "link",
            Self::Measure(_) => "measure",
            Self::Programme(_) => "programme",
            Self::Threat(_) => "threat",
        }
    }

    /// A body of a kind from what a person sent, checked by itself; [`crate::problems_of`] holds it against the others.
    ///
    /// # Errors
    /// An unknown kind, a field that is missing, unknown or impossible.
    pub fn read(kind: &str, value: Value) -> Result<Self, Problem> {
        if !KINDS.contains(&kind) {
            let remedy = format!("use one of {}", KINDS.join(", "));
            return Err(Problem::new("kind", "there is no such kind of part", remedy));
        }
        let body: Self = serde_json::from_value(json!({ "kind": kind, "body": value }))
            .map_err(|error| Problem::new(kind, error.to_string(), "compare it with the description of the API"))?;
        body.check()?;
        Ok(body)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Area(part) => &part.name,
            Self::Barrier(part) => &part.name,
            Self::Consequence(part) => &part.name,
            Self::Gate(part) => &part.name,
            Self::Link(part) => &part.name,
            Self::Measure(part) => &part.name,
            Self::Programme(part) => &part.name,
            Self::Threat(part) => &part.name,
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let name = self.name();
        if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(Problem::new("name", "every part has a name", "give it 1 to 120 characters"));
        }
        match self {
            Self::Area(part) => part.check(),
            Self::Gate(part) => part.check(),
            Self::Link(part) => amounts([("widthM", part.width_m), ("lengthM", part.length_m)]),
            Self::Programme(part) => part.check(),
            Self::Measure(part) => part.measure.check(),
            Self::Barrier(part) => short(&part.note),
            Self::Consequence(part) => short(&part.note),
            Self::Threat(part) => part.check(),
        }
    }
}

/// A way from an area to another, with its narrowest place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdLink)]
pub struct LinkPart {
    /// What it is called.
    pub name: String,
    /// Where it starts; outside when absent.
    #[serde(default)]
    pub from: Option<String>,
    /// Where it ends; outside when absent.
    #[serde(default)]
    pub to: Option<String>,
    /// Its narrowest width, m.
    pub width_m: f64,
    /// Its length, m.
    pub length_m: f64,
    /// The gate on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// For a gate that closes: the share of its flow that goes this way instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub takes_over: BTreeMap<String, f64>,
}

/// Something that draws people to an area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdProgramme)]
pub struct ProgrammePart {
    /// What it is called.
    pub name: String,
    /// Where.
    pub area: String,
    /// When it starts.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How many people are expected to come for it.
    pub visitors_expected: f64,
    /// How many minutes before its start most of them arrive.
    pub arrival_min_before: f64,
}

impl ProgrammePart {
    fn check(&self) -> Result<(), Problem> {
        if self.until <= self.from {
            return Err(Problem::new("until", "it ends before it starts", "choose an end after the start"));
        }
        amounts([("visitorsExpected", self.visitors_expected)])?;
        if !(0.0..=24.0 * 60.0).contains(&self.arrival_min_before) {
            let remedy = "use minutes from 0 to 1,440";
            return Err(Problem::new("arrivalMinBefore", "it is not a time before the start", remedy));
        }
        Ok(())
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdLevel)]
pub enum Level {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

/// What may cause crowding, or make it worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = CrowdThreatKind)]
pub enum ThreatKind {
    /// Rain, heat, wind.
    Weather,
    /// Many arrive at once.
    ArrivalPeak,
    /// Alcohol and drugs.
    Alcohol,
    /// The mood, as a person judged it.
    Sentiment,
    /// Something else.
    Other,
}

/// What may cause crowding: left in the bowtie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdThreat)]
pub struct ThreatPart {
    /// What it is called.
    pub name: String,
    /// What kind it is.
    pub kind: ThreatKind,
    /// How much it matters now, as a person judged it.
    pub level: Level,
    /// Why, in words.
    #[serde(default)]
    pub note: String,
    /// What is measured of it, for example the temperature of a weather station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub measured: Option<ConditionPart>,
}

/// What crowding may lead to: right in the bowtie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdConsequence)]
pub struct ConsequencePart {
    /// What it is called.
    pub name: String,
    /// How much it matters.
    pub level: Level,
    /// Why, in words.
    #[serde(default)]
    pub note: String,
}

/// Which side of the bowtie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdBarrierSide)]
pub enum BarrierSide {
    /// Between a threat and the crowding.
    Prevent,
    /// Between the crowding and a consequence.
    Recover,
}

/// What stands between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdBarrier)]
pub struct BarrierPart {
    /// What it is called.
    pub name: String,
    /// On which side it stands.
    pub side: BarrierSide,
    /// The threat that it holds back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threat: Option<String>,
    /// The consequence that it holds back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consequence: Option<String>,
    /// Whether it works now, as a person judged it.
    pub works: bool,
    /// Why, in words.
    #[serde(default)]
    pub note: String,
}

/// A measure that was prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdPreparedMeasure)]
pub struct MeasurePart {
    /// What it is called.
    pub name: String,
    /// What would be done.
    pub measure: Measure,
}

/// A part as it is shown, with the version that a change of it builds on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdPart)]
pub struct PartView {
    /// Its key, unique among the parts of its kind.
    pub key: String,
    /// The version.
    pub version: u64,
    /// Its kind and what it says.
    #[serde(flatten)]
    pub body: Body,
    /// Who wrote it last.
    pub changed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

impl From<Stored<Part>> for PartView {
    fn from(stored: Stored<Part>) -> Self {
        let Part { key, body, changed_by, changed_at, .. } = stored.value;
        Self { key, version: stored.version, body, changed_by, changed_at }
    }
}

/// Whether a text can be the key of a part or the id of an event.
///
/// # Errors
/// When it is not 1 to 60 small letters, digits and hyphens.
pub fn checked_key(text: &str) -> Result<&str, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > KEY_CHARS_MAX || !text.chars().all(plain) {
        let remedy = "use 1 to 60 small letters, digits and hyphens";
        return Err(Problem::new("key", "it cannot be the key of a part", remedy));
    }
    Ok(text)
}

fn amounts<'a>(fields: impl IntoIterator<Item = (&'a str, f64)>) -> Result<(), Problem> {
    for (field, value) in fields {
        if !(value.is_finite() && value > 0.0 && value <= AMOUNT_MAX) {
            return Err(Problem::new(field, format!("{value} is not an amount"), "use a number above 0"));
        }
    }
    Ok(())
}

fn ordered(field: &str, amber: Option<f64>, red: Option<f64>) -> Result<(), Problem> {
    match (amber, red) {
        (Some(amber), Some(red)) if red <= amber => {
            Err(Problem::new(field, "red must lie above amber", "give red a larger number than amber"))
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(Problem::new(field, "amber and red belong together", "give both, or neither for the defaults"))
        }
        _ => Ok(()),
    }
}

/// How the ids of the entities begin that tell what a live run estimates.
pub(crate) const AREA_ENTITY: &str = "urn:ngsi-ld:CrowdArea:";

/// An entity that measures something, and the attribute that it is read from.
fn source(field: &str, entity: &str, attribute: &str) -> Result<(), Problem> {
    if entity.starts_with(AREA_ENTITY) {
        let detail = "it is what a control room estimates, and would be counted again";
        return Err(Problem::new(format!("{field}.entity"), detail, "name an entity that counts"));
    }
    if EntityId::parse(entity).is_err() {
        let remedy = "use the id of an entity of this city, for example urn:ngsi-ld:CrowdFlowObserved:north";
        return Err(Problem::new(format!("{field}.entity"), "it cannot be the id of an entity", remedy));
    }
    if attribute.trim().is_empty() || attribute.chars().count() > NAME_CHARS_MAX {
        let remedy = "name the attribute as the entity has it, for example peopleCount";
        return Err(Problem::new(format!("{field}.attribute"), "no attribute is named", remedy));
    }
    Ok(())
}

fn short(note: &str) -> Result<(), Problem> {
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(Problem::new("note", "it is too long", "keep it under 2,000 characters"));
    }
    Ok(())
}

fn drawing(field: &str, geometry: &Geometry, kinds: &[&str]) -> Result<(), Problem> {
    let geojson = geometry.to_geojson();
    let kind = geojson.get("type").and_then(Value::as_str).unwrap_or_default();
    if !kinds.contains(&kind) {
        let remedy = format!("draw a {}", kinds.join(" or a "));
        return Err(Problem::new(field, format!("a {kind} does not fit here"), remedy));
    }
    if geojson.get("coordinates").map_or(0, Geometry::positions) > POSITIONS_MAX {
        return Err(Problem::new(field, "it has too many points", "draw it with at most 2,000 points"));
    }
    Ok(())
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.body.kind(), self.key)
    }
}
