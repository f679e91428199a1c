//! One series: what is expected of it, on what that rests, and what was said of it before.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CalendarDay, Count, ModelBrief, Point, Score, SeriesBrief};

/// What a forecast rests on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastBasis)]
pub struct Basis {
    /// Days of the last year with counts.
    pub history_days: u64,
    /// Hours with counts in the last four weeks, of 672.
    pub recent_hours: u64,
    /// Share (0..1) of the model's inputs that had a value.
    pub inputs_share: f64,
    /// Inputs from outside, such as weather, that had none.
    pub missing_inputs: Vec<String>,
}

/// Where a forecast holds.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastValidity)]
pub struct Validity {
    /// How many hours ahead the model answers.
    pub horizon_hours: u32,
    /// The usual change of the series from a day to the next, in counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scale: Option<f64>,
    /// The greatest such change that the model answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scale_max: Option<f64>,
}

/// What is expected of a series.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecast)]
pub struct Forecast {
    /// The set.
    pub set: String,
    /// The series, with the reason when there is no forecast.
    pub series: SeriesBrief,
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// The city's moment at which the forecast was made; only counts of hours that were over by then went in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub said_at: Option<Timestamp>,
    /// The model that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<ModelBrief>,
    /// The smallest count that is told.
    pub minimum_count: u32,
    /// The hours to come, the one that goes on included; empty when there is no forecast.
    pub points: Vec<Point>,
    /// The mean of the last four same weekdays at the hours of `points`, to compare with.
    pub typical: Vec<Count>,
    /// What was counted in the last 14 days.
    pub observed: Vec<Count>,
    /// What it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub basis: Option<Basis>,
    /// Where it holds.
    pub validity: Validity,
    /// The days of `points` that are not like others.
    pub calendar: Vec<CalendarDay>,
}

/// What was said of an hour, at the midnight before it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastSaid)]
pub struct Said {
    /// The model that said it.
    pub model: String,
    /// Whether it was said afterwards, by a model and from counts that lie before that midnight.
    pub hindcast: bool,
    /// What was said; absent when nothing was.
    #[serde(flatten)]
    pub point: Point,
}

/// An hour of the track record.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastRecordHour)]
pub struct RecordHour {
    /// The start of the hour.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was said at the midnight before; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub said: Option<Said>,
    /// What was counted; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counted: Option<Count>,
    /// Whether the count was within the 10-90 band; absent when either is missing or suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub inside: Option<bool>,
}

/// What was said of a series, and what it was.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastRecord)]
pub struct SeriesRecord {
    /// The set.
    pub set: String,
    /// The series.
    pub series: SeriesBrief,
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// The smallest count that is told.
    pub minimum_count: u32,
    /// Whole local days, of those that are over.
    pub days: u32,
    /// The hours, the oldest first.
    pub hours: Vec<RecordHour>,
    /// How good it was over these days, beside the simple methods; from counts as they are, the suppressed included.
    pub summary: Vec<Score>,
}
