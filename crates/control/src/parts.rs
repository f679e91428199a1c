//! The parts of a plan: what is drawn on the map, what is on the programme, what may go wrong, what can be done.

use std::{collections::BTreeMap, fmt};

use model::{Geometry, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Document, Stored};
use support::crowd::AreaUse;
use utoipa::ToSchema;

use crate::Measure;

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
            Self::Threat(part) => short(&part.note),
        }
    }
}

/// A surface where people are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdArea)]
pub struct AreaPart {
    /// What it is called.
    pub name: String,
    /// Its outline: a GeoJSON polygon, degrees.
    #[schema(value_type = Object)]
    pub outline: Geometry,
    /// Where people can walk or stand, m2.
    pub surface_m2: f64,
    /// The most people that it may hold.
    pub capacity_persons: f64,
    /// What people do there.
    #[serde(default)]
    #[schema(value_type = String, example = "walkway")]
    pub used_as: AreaUse,
    /// The area of which this is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How long people stay, minutes, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay_min: Option<f64>,
    /// Amber from this density, ped/m2; the default of the literature when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amber_density_m2: Option<f64>,
    /// Red from this density, ped/m2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_density_m2: Option<f64>,
    /// Amber from this share of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amber_share: Option<f64>,
    /// Red from this share of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_share: Option<f64>,
}

impl AreaPart {
    fn check(&self) -> Result<(), Problem> {
        drawing("outline", &self.outline, &["Polygon", "MultiPolygon"])?;
        amounts([("surfaceM2", self.surface_m2), ("capacityPersons", self.capacity_persons)])?;
        let given = [
            ("stayMin", self.stay_min),
            ("amberDensityM2", self.amber_density_m2),
            ("redDensityM2", self.red_density_m2),
            ("amberShare", self.amber_share),
            ("redShare", self.red_share),
        ];
        amounts(given.into_iter().filter_map(|(field, value)| Some((field, value?))))?;
        ordered("redDensityM2", self.amber_density_m2, self.red_density_m2)?;
        ordered("redShare", self.amber_share, self.red_share)
    }
}

/// A line where people are counted; forward is from `from` to `to`, and outside is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdGate)]
pub struct GatePart {
    /// What it is called.
    pub name: String,
    /// The line: a GeoJSON line string, degrees.
    #[schema(value_type = Object)]
    pub line: Geometry,
    /// The width that people can use, m.
    pub width_m: f64,
    /// The area where forward comes from; outside when absent.
    #[serde(default)]
    pub from: Option<String>,
    /// The area where forward goes to; outside when absent.
    #[serde(default)]
    pub to: Option<String>,
    /// Which share of the visitors arrives here; by width when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_share: Option<f64>,
    /// Where its counts come from in a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<CounterPart>,
}

impl GatePart {
    fn check(&self) -> Result<(), Problem> {
        drawing("line", &self.line, &["LineString"])?;
        amounts([("widthM", self.width_m)])?;
        if self.arrival_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Problem::new("arrivalShare", "it is not a share", "use a number from 0 to 1"));
        }
        Ok(())
    }
}

/// An entity that counts: its attributes with the persons of each period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdCounter)]
pub struct CounterPart {
    /// The id of the entity.
    pub entity: String,
    /// The attribute with those who went forward, for example `peopleCountTowards`.
    pub in_attribute: String,
    /// The attribute with those who came back, for example `peopleCountAway`.
    pub out_attribute: String,
    /// How long one count lasts, s; it ends at its `observedAt`.
    pub period_s: u32,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
