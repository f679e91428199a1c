//! `[source.aggregate]`: positions of people that are counted at the door, for each area or cell and period. What is
//! written here can only take away; a setting that would let a raw record through is refused.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceConfig;
use model::Problem;

/// The smallest minimum. A city may raise it, never lower it.
pub const MINIMUM_LEAST: u32 = 10;
/// The connectors whose records may be positions of people.
const CONNECTORS: [&str; 4] = ["csv", "geojson", "json_http", "mqtt"];
/// The attributes that an aggregated entity has of itself.
const OWN: [&str; 4] = ["location", "name", "dateObservedFrom", "dateObservedTo"];

/// What positions are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CountBy {
    /// The areas of a GeoJSON file. They may overlap: a position counts in each.
    Areas,
    /// Squares of the ground. A square is told only once it has held the minimum.
    Cells,
}

/// How positions become counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateConfig {
    /// What positions are counted by.
    pub by: CountBy,
    /// For `areas`: the GeoJSON file with the areas, relative to the city folder.
    pub file: Option<String>,
    /// For `areas`: the property that names an area in ids.
    #[serde(default = "key")]
    pub key: String,
    /// For `areas`: the property with the name for people.
    pub name: Option<String>,
    /// For `cells`: the side of a square, metres, 25 to 10,000.
    pub size_m: Option<f64>,
    /// The field with the pseudonym of the device, phone or visitor. It is held only as a keyed hash, in memory, until
    /// the period is told.
    pub pseudonym: Option<String>,
    /// The field with the longitude, degrees. Without it the geometry of the record is taken.
    pub longitude: Option<String>,
    /// The field with the latitude, degrees.
    pub latitude: Option<String>,
    /// The length of a period, seconds: 60 to 86,400, and a day holds a whole number of them.
    #[serde(default = "period")]
    pub period_s: u32,
    /// How long after the end of a period its positions may still arrive, seconds. Later ones are refused.
    #[serde(default = "grace")]
    pub grace_s: u32,
    /// Fewer are not told, and what is told is rounded to it. At least 10.
    #[serde(default = "minimum")]
    pub minimum: u32,
    /// Whether each device counts once in a period and place; otherwise each position counts.
    #[serde(default = "yes")]
    pub distinct: bool,
    /// The attribute that holds the count.
    #[serde(default = "count")]
    pub count: String,
    /// Whether counts over time are kept.
    #[serde(default = "yes")]
    pub history: bool,
    /// The most devices and places held in the open periods together. A period with more is not told.
    #[serde(default = "positions_max")]
    pub positions_max: usize,
}

fn key() -> String {
    "id".to_owned()
}

fn count() -> String {
    "deviceCount".to_owned()
}

fn period() -> u32 {
    300
}

fn grace() -> u32 {
    30
}

fn minimum() -> u32 {
    MINIMUM_LEAST
}

fn yes() -> bool {
    true
}

fn positions_max() -> usize {
    1_000_000
}

impl AggregateConfig {
    /// The field that the id of an entity is made from.
    #[must_use]
    pub fn place_field(&self) -> &'static str {
        match self.by {
            CountBy::Areas => "area",
            CountBy::Cells => "cell",
        }
    }
}

/// Every mistake in how a source aggregates; `thing` is the key.
pub(super) fn problems(source: &SourceConfig) -> Vec<Problem> {
    let Some(aggregate) = &source.aggregate else { return vec![] };
    let mut found = leaks(source, aggregate);
    let mut add = |key: &str, wrong: bool, detail: &str, remedy: &str| {
        if wrong {
            found.push(Problem::new(key, detail, remedy));
        }
    };
    match aggregate.by {
        CountBy::Areas => {
            let missing = aggregate.file.is_none();
            add("by", missing, "the areas are not named", "add file = \"data/areas.geojson\"");
        }
        CountBy::Cells => {
            let fits = aggregate.size_m.is_some_and(|size| (25.0..=10_000.0).contains(&size));
            add("size_m", !fits, "the side of a cell is not given, or not usable", "write size_m from 25 to 10,000");
        }
    }
    let period = aggregate.period_s;
    let whole = (60..=86_400).contains(&period) && 86_400 % period == 0;
    add("period_s", !whole, "a day does not hold a whole number of them", "use 60, 300, 900, 3600 or the like");
    add("grace_s", aggregate.grace_s > 3_600, "positions would be held for very long", "use at most 3600");
    let low = !(MINIMUM_LEAST..=100_000).contains(&aggregate.minimum);
    add("minimum", low, "fewer than 10 persons must not be told apart", "use 10 or more");
    let bound = (1..=20_000_000).contains(&aggregate.positions_max);
    add("positions_max", !bound, "memory must have a bound", "use 1 to 20,000,000");
    let unclear = aggregate.distinct && aggregate.pseudonym.is_none();
    add("pseudonym", unclear, "devices cannot be told apart", "name the field, or set distinct = false");
    let half = aggregate.longitude.is_some() != aggregate.latitude.is_some();
    add("longitude", half, "one coordinate is missing", "write both longitude and latitude, or neither");
    let own = OWN.contains(&aggregate.count.as_str());
    add("count", own, "the entity has an attribute of that name already", "use deviceCount or the like");
    found
}

/// What would let more than counts through.
fn leaks(source: &SourceConfig, aggregate: &AggregateConfig) -> Vec<Problem> {
    let mut found = vec![];
    let mut refuse = |key: &str, wrong: bool, detail: &str, remedy: &str| {
        if wrong {
            found.push(Problem::new(key, detail, remedy));
        }
    };
    let mapped = !source.attributes.is_empty();
    refuse(
        "aggregate",
        mapped,
        "its raw records are about people and become no attributes",
        "remove [[source.attribute]]",
    );
    refuse(
        "aggregate",
        !source.joins.is_empty(),
        "nothing may be added to a person's record",
        "remove [[source.join]]",
    );
    refuse("aggregate", source.enrich.is_some(), "there is no vehicle to enrich", "remove [source.enrich]");
    let field = aggregate.place_field();
    let placeholder = format!("{{{field}}}");
    let fits = source.id.matches('{').count() == 1 && source.id.contains(&placeholder);
    let remedy = format!("write id = \"urn:ngsi-ld:CrowdFlowObserved:phones-{placeholder}\"");
    refuse("id", !fits, "the id is made from more than the place of the count", &remedy);
    let known = CONNECTORS.contains(&source.connector.as_str());
    refuse("connector", !known, "this connector reads no positions of people", "use csv, geojson, json_http or mqtt");
    let kept = source.mqtt.as_ref().is_some_and(|mqtt| mqtt.qos > 0);
    refuse("qos", kept, "the broker would keep positions of people while Polder is away", "set qos = 0");
    found
}
