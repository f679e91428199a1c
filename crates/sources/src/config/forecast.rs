//! `[[forecast]]`: which counts are forecast, and what the model may know of the days.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;

/// A set of series that share a model: one attribute of every entity of a type.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastConfig {
    /// Its name in addresses: lower-case letters, digits and `-`.
    pub id: String,
    /// What a person reads.
    pub title: Text,
    /// The short type of the entities that count (`CrowdFlowObserved`), or a full IRI.
    pub entity_type: String,
    /// Their attribute; a source must keep its history.
    pub attribute: String,
    /// What its values are.
    pub kind: ForecastKind,
    /// How far apart the values of one entity are, minutes: 60, or a part of it.
    #[serde(default = "an_hour")]
    pub step_minutes: u32,
    /// The smallest count that is told; smaller ones are suppressed, and counts are rounded to it. 0 tells all.
    #[serde(default = "ten")]
    pub minimum_count: u32,
    /// The region whose public holidays are known by rule.
    pub region: Option<ForecastRegion>,
    /// Files with public holidays, relative to the city folder: a heading, then a day (`2025-12-25`) on each line, and
    /// its name after a comma.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// Files of the same form with other days that are not like others, by name: `school_holidays`, `events`.
    #[serde(default)]
    pub lists: BTreeMap<String, String>,
    /// The weather of each day.
    pub weather: Option<ForecastWeather>,
    /// Sums of series that are forecast as series of their own.
    #[serde(default, rename = "area")]
    pub areas: Vec<ForecastArea>,
    /// Days that the model learns from, at most.
    #[serde(default = "three_years")]
    pub days_max: u32,
    /// Trees of the model: more is slower, and a little better.
    #[serde(default = "three_hundred")]
    pub trees: u32,
}

fn an_hour() -> u32 {
    60
}

fn ten() -> u32 {
    10
}

fn three_years() -> u32 {
    3 * 365
}

fn three_hundred() -> u32 {
    300
}

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForecastKind {
    /// How many passed in the step that begins at the value's moment; the hour is their sum.
    Count,
    /// How many are there; the hour is the mean.
    Occupancy,
    /// How many pass in an hour, at the pace of that moment; the hour is the mean.
    Rate,
}

/// A region whose public holidays are known by rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ForecastRegion {
    /// The Netherlands.
    #[serde(rename = "NL")]
    Netherlands,
    /// England (and Wales).
    #[serde(rename = "GB-ENG")]
    England,
    /// Auckland, New Zealand.
    #[serde(rename = "NZ-AUK")]
    Auckland,
    /// Victoria, Australia.
    #[serde(rename = "AU-VIC")]
    Victoria,
}

/// The weather of each day, in a CSV file whose first column is the day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastWeather {
    /// The file, relative to the city folder.
    pub file: String,
    /// The columns to use.
    pub columns: Vec<String>,
}

/// A sum of series. Its hour is there when each of its series has a count.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastArea {
    /// Its name in addresses: lower-case letters, digits and `-`; no series of the set has it.
    pub id: String,
    /// What a person reads.
    pub title: Text,
    /// The series that are added up, by their names in addresses: what follows the type in the id of the entity, in
    /// lower-case letters and digits with `-` between words (`45-queen-street`).
    pub series: Vec<String>,
}
