//! A set of series that share a model: how it is doing, and each of its series in a few words.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text in the two languages of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CrowdForecastText)]
pub struct Text {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

/// What the values of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastKind)]
pub enum Kind {
    /// How many passed in the hour.
    Count,
    /// How many were there: the mean of the hour.
    Occupancy,
    /// How many pass in an hour at the pace of each reading: the mean of the hour's readings.
    Rate,
}

/// How far the model of a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastState)]
pub enum SetState {
    /// There is no model, and none is being made; `reason` says why.
    None,
    /// The first model is being made.
    Training,
    /// There is a model; a newer one may be in the making (`progress`).
    Ready,
    /// The last training failed and there is no model; `reason` says why.
    Failed,
}

/// What a training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastPhase)]
pub enum Phase {
    /// It waits for another set's training to end.
    Waiting,
    /// It reads the history.
    Reading,
    /// The model learns.
    Learning,
    /// The model forecasts the last weeks as if they were to come, for the track record.
    Record,
    /// The model is written down.
    Storing,
}

/// Why a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastWhy)]
pub enum Why {
    /// There was no model.
    First,
    /// The model was a week old.
    Weekly,
    /// Somebody asked for it.
    Asked,
}

/// A training that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastProgress)]
pub struct Progress {
    /// Why it goes on.
    pub why: Why,
    /// What it is doing.
    pub phase: Phase,
    /// How much of it is done, 0 to 1: an estimate.
    pub share: f64,
    /// When it began, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
}

/// Why there is no answer: a code that the screen has words for, and the numbers that go with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CrowdForecastReason)]
pub struct Reason {
    /// `too_little_history` (`days`, `needed`), `too_many_gaps` (`hours`, `needed`), `hour_never_seen`,
    /// `outside_validity` (`factor`, `most`), `other_inputs` (`names`), `nothing_learned`, `unknown_series` (`names`),
    /// `no_entities`, `no_counts`, `no_model`, `store` or `broken`; of a now-cast also `step` (`minutes`),
    /// `too_little_past` and `too_few_counts` (`have`, `needed`), `silent`, and `reading`.
    pub code: String,
    /// The numbers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// Names that go with it: inputs that are missing, series that are not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The same in an English sentence.
    pub detail: String,
}

/// A model in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastModelBrief)]
pub struct ModelBrief {
    /// Its name: the moment up to which it learned.
    pub id: String,
    /// When it was made, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub trained_at: Timestamp,
    /// The moment before which everything lies that it learned from, by the city's clock.
    #[schema(value_type = String, format = DateTime)]
    pub trained_until: Timestamp,
}

/// What everybody must be told about the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CrowdForecastNotice)]
pub struct Notice {
    /// Its name.
    pub id: String,
    /// What it is about: `replay` or `data`.
    pub kind: String,
    /// The line.
    pub text: Text,
}

/// A set of series that share a model.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastSet)]
pub struct Set {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// What its values are.
    pub kind: Kind,
    /// How far its model is.
    pub state: SetState,
    /// Why there is no model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
    /// The model in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<ModelBrief>,
    /// The training that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub progress: Option<Progress>,
    /// When the next training is due, by the city's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub next_training_at: Option<Timestamp>,
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// The city's moment at which the newest forecast was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub said_at: Option<Timestamp>,
    /// The smallest count that is told; smaller ones are suppressed, and counts are rounded to it. 0: all are told.
    pub minimum_count: u32,
    /// How many hours ahead it answers.
    pub horizon_hours: u32,
    /// What must be told beside it, such as that the city is a replay.
    pub notices: Vec<Notice>,
    /// How good it was over all series in the last 28 days that were scored, beside the simple methods.
    pub quality: Vec<Score>,
    /// The series and areas: areas first, then series by name.
    pub series: Vec<SeriesBrief>,
}

/// Whether a series is a sensor's or a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastSeriesKind)]
pub enum SeriesKind {
    /// What one sensor counts.
    Series,
    /// The sum of sensors.
    Area,
}

/// Whether there is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastSeriesStatus)]
pub enum SeriesStatus {
    /// There is.
    Ok,
    /// There is none; `reason` says why.
    Insufficient,
}

/// Where something is, degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastPlace)]
pub struct Place {
    /// Longitude.
    pub longitude: f64,
    /// Latitude.
    pub latitude: f64,
}

/// What was counted in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastCount)]
pub struct Count {
    /// The start of the hour.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The count, rounded; absent when it is suppressed. An hour without a count is not in a list at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub count: Option<f64>,
    /// Whether it is too small to be told, or would give away one that is.
    pub suppressed: bool,
}

/// What is expected of an hour. A quantile below the minimum count is absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastPoint)]
pub struct Point {
    /// The start of the hour.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// One hour in ten is below this; absent when it is below the minimum count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p10: Option<f64>,
    /// As likely above as below; absent when it is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p50: Option<f64>,
    /// One hour in ten is above this; absent when the point is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p90: Option<f64>,
    /// Whether what is expected (p50) is below the minimum count: then there is no number at all.
    pub suppressed: bool,
}

/// How good a method was over a stretch of days.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastScore)]
pub struct Score {
    /// `day`: said at midnight for the next 24 hours. `week`: said at midnight for 25 to 168 hours ahead.
    pub lead: String,
    /// `forecast`, `seasonal_naive` (the same hour last week) or `four_week_mean` (the mean of the last four same
    /// weekdays).
    pub method: String,
    /// Hours scored.
    pub hours: u64,
    /// Mean absolute error over the usual change from a day to the next; below 1 is better than "as yesterday".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mase: Option<f64>,
    /// Mean absolute error, in counts; rounded to the minimum count, and absent below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mae: Option<f64>,
    /// Sum of absolute errors over the sum of counts, 0 to 1 and more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wape: Option<f64>,
    /// Share of hours within the 10-90 band, which should be 0.8; only for `forecast`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coverage: Option<f64>,
}

/// How good the forecast of a series was in the last seven days that were counted.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastQuality)]
pub struct Quality {
    /// Hours scored.
    pub hours: u64,
    /// Mean absolute error over the usual change from a day to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mase: Option<f64>,
    /// Sum of absolute errors over the sum of counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wape: Option<f64>,
    /// Share of hours within the 10-90 band.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coverage: Option<f64>,
    /// WAPE of the better of the two simple methods.
    #[serde(rename = "baselineWape", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub baseline_wape: Option<f64>,
}

/// A series or area in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastSeries)]
pub struct SeriesBrief {
    /// Its id in addresses: small letters, digits and `-`.
    pub id: String,
    /// Whether it is a sensor's or a sum.
    pub kind: SeriesKind,
    /// What it is called.
    pub name: Text,
    /// The entity that counts, for a sensor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entity: Option<String>,
    /// The series that an area is the sum of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Where it is; of an area the middle of its sensors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub location: Option<Place>,
    /// Whether there is a forecast.
    pub status: SeriesStatus,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
    /// The last hour that was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest: Option<Count>,
    /// The busiest hour of the next 24.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peak: Option<Point>,
    /// How good its forecast was in the last seven days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quality: Option<Quality>,
}
