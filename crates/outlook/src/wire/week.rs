//! The week ahead, for whoever makes the roster.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Point, SeriesKind, Text};

/// How the band of a day's total was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdForecastBandFrom)]
pub enum BandFrom {
    /// From how far the totals of days were off before.
    Record,
    /// The bands of the hours added up: wider than it need be, because there is no record of two weeks yet.
    Hours,
}

/// What is expected of a day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastTotal)]
pub struct Total {
    /// One day in ten is below this; absent when it is below the minimum count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p10: Option<f64>,
    /// What is expected; absent when it is below the minimum count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p50: Option<f64>,
    /// One day in ten is above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p90: Option<f64>,
    /// How the band was made.
    pub band_from: BandFrom,
}

/// A day of a series.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastWeekDay)]
pub struct WeekDay {
    /// The local day, such as `2025-11-03`.
    pub date: String,
    /// Hours of the day that were counted already; their counts are part of the total.
    pub hours_counted: u32,
    /// Hours of the day that are forecast.
    pub hours_forecast: u32,
    /// What is expected of the whole day: counts added up (of an occupancy, its mean). Absent when hours are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total: Option<Total>,
    /// The mean of the last four same weekdays; absent when it is not known or too small.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub usual: Option<f64>,
    /// What is expected against what is usual: 0.2 is a fifth more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub difference: Option<f64>,
    /// The busiest hour of those that are forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peak: Option<Point>,
}

/// The days of a series.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastWeekSeries)]
pub struct WeekSeries {
    /// The series.
    pub id: String,
    /// Whether it is a sensor's or a sum.
    pub kind: SeriesKind,
    /// What it is called.
    pub name: Text,
    /// One for each day; none when there is no forecast.
    pub days: Vec<WeekDay>,
}

/// A day that is not like others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastCalendarDay)]
pub struct CalendarDay {
    /// The local day.
    pub date: String,
    /// The public holidays.
    pub holidays: Vec<Text>,
    /// The lists that it is in, such as `school_holidays`, with the name of what is on where the list tells it.
    pub lists: Vec<Text>,
}

/// The week ahead.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastWeek)]
pub struct Week {
    /// The set.
    pub set: String,
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// The city's moment at which the forecast was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub said_at: Option<Timestamp>,
    /// The smallest count that is told.
    pub minimum_count: u32,
    /// Today and the six days after it, local.
    pub days: Vec<String>,
    /// Those of them that are not like others.
    pub calendar: Vec<CalendarDay>,
    /// The series and areas: areas first, then series by name.
    pub series: Vec<WeekSeries>,
}
