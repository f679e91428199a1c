//! `[[source.attribute]]`: how one attribute of an entity is made from the fields of a record.

use std::collections::BTreeMap;

use model::Iri;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{OriginConfig, expand};

/// What an attribute holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number; text is read as one.
    Number,
    /// Text.
    #[default]
    Text,
    /// `true` or `false`; `1`, `0`, `yes` and `no` are read as such.
    Boolean,
    /// A moment in time, read as `[source.time]` says.
    Time,
    /// A place: the geometry of the record, or a point of two fields.
    Geo,
    /// Another entity, by a template of its id.
    Relationship,
    /// JSON that is kept exactly as it came (`JsonProperty`).
    Json,
}

/// That a field has a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// The value; numbers and texts that read the same are equal.
    pub equals: Value,
}

/// One attribute.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeConfig {
    /// Its short name (`averageVehicleSpeed`), or a full IRI.
    pub name: String,
    /// The field it comes from: a column, a property, or a JSON pointer (`/a/b`).
    pub field: Option<String>,
    /// What it holds.
    #[serde(default)]
    pub kind: Kind,
    /// A constant, in place of a field.
    pub value: Option<Value>,
    /// Words of the source and the words that take their place.
    #[serde(default)]
    pub words: BTreeMap<String, Value>,
    /// For `geo`: the field with the longitude, degrees. Without it the geometry of the record is taken.
    pub longitude: Option<String>,
    /// For `geo`: the field with the latitude, degrees.
    pub latitude: Option<String>,
    /// For `geo`: a fixed longitude and latitude, degrees, where the source gives none.
    pub point: Option<[f64; 2]>,
    /// For `relationship`: the id of the other entity, with fields in braces.
    pub object: Option<String>,
    /// The UN/CEFACT code of the unit of the source.
    pub unit: Option<String>,
    /// The unit that it is brought to; `unit` when absent.
    pub to_unit: Option<String>,
    /// The smallest and largest value that the source can mean, in `unit`; others are marked.
    pub range: Option<[f64; 2]>,
    /// For how long the same value is plausible, seconds; longer is marked as stuck.
    pub stuck_after_s: Option<f64>,
    /// Whether its values over time are kept.
    #[serde(default)]
    pub history: bool,
    /// The field with its own moment, where that differs from the moment of the record.
    pub time_field: Option<String>,
    /// Whether a record without it is refused.
    #[serde(default)]
    pub required: bool,
    /// When the source says that it is doubtful.
    pub suspect: Option<Condition>,
    /// When it is there at all; always, without this.
    pub when: Option<Condition>,
    /// Whether it is a number of persons: then values below `minimum_count` are not told to anybody.
    #[serde(default)]
    pub persons: bool,
    /// The smallest number of persons that is told; 10 when absent, and never less.
    pub minimum_count: Option<u32>,
    /// How its values come to be, where that differs from the source as a whole.
    pub origin: Option<OriginConfig>,
}

impl AttributeConfig {
    /// The expanded name.
    #[must_use]
    pub fn iri(&self) -> Iri {
        expand(&self.name)
    }

    /// The smallest number of persons that is told, where it is a number of persons.
    #[must_use]
    pub fn persons_minimum(&self) -> Option<u32> {
        self.persons.then(|| self.minimum_count.unwrap_or(super::MINIMUM_LEAST))
    }
}
