//! The next hour of a set.

use model::Timestamp;
use serde::Serialize;
use support::crowd::Cell;
use utoipa::ToSchema;

use super::{Kind, Reason, SeriesKind, Text};

/// How good now-casts were over the last day, beside "the last half hour goes on".
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdNowcastScore)]
pub struct NowcastScore {
    /// Minutes ahead.
    pub minutes: u32,
    /// Now-casts that were held against what was counted.
    pub moments: u64,
    /// Sum of absolute errors over the sum of counts.
    pub wape: f64,
    /// The same of "the last half hour goes on".
    pub baseline_wape: f64,
    /// Share within the 10-90 band of the hours before; absent while there are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coverage: Option<f64>,
}

/// What was counted in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdNowcastCount)]
pub struct StretchCount {
    /// Its start.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// The count; absent when it is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub count: Option<f64>,
    /// Whether it is too small to be told, or would give away one that is.
    pub suppressed: bool,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Stretch {
    /// What was counted in it; `None` when that is not known.
    pub fn told(&self, cell: Cell) -> Option<StretchCount> {
        let Self { from, until } = *self;
        match cell {
            Cell::Shown(count) => Some(StretchCount { from, until, count: Some(count), suppressed: false }),
            Cell::Suppressed => Some(StretchCount { from, until, count: None, suppressed: true }),
            Cell::Unknown => None,
        }
    }
}

/// What is expected of the minutes from `saidAt` on: of a `count` how many in them together, of an `occupancy` or a
/// `rate` the mean over them. Rounded to the minimum count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdNowcastPoint)]
pub struct NowcastPoint {
    /// How many minutes.
    pub minutes: u32,
    /// One in ten is below this; absent when it is below the minimum count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p10: Option<f64>,
    /// As likely above as below; absent when it is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p50: Option<f64>,
    /// One in ten is above this; absent when it is below the minimum count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p90: Option<f64>,
    /// Whether it is too small to be told, or would give away one that is.
    pub suppressed: bool,
}

/// The next hour of a series or area.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdNowcastSeries)]
pub struct NowcastSeries {
    /// Its id in addresses.
    pub id: String,
    /// Whether it is a sensor's or a sum.
    pub kind: SeriesKind,
    /// What it is called.
    pub name: Text,
    /// The last 15 minutes; absent when they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest: Option<StretchCount>,
    /// The next 15, 30 and 60 minutes; empty when there is no now-cast.
    pub ahead: Vec<NowcastPoint>,
    /// Why there is none: `too_few_counts` (`have`, `needed`) or `unknown_series` (`names`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
}

/// The next hour of a set.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdNowcast)]
pub struct Nowcast {
    /// The set.
    pub set: String,
    /// What its values are.
    pub kind: Kind,
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Counts up to here went in; absent when there is no now-cast.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub said_at: Option<Timestamp>,
    /// How far apart its counts are, minutes.
    pub step_minutes: u32,
    /// The smallest count that is told; numbers are rounded to it. 0: all are told.
    pub minimum_count: u32,
    /// Why there is none: `step` (`minutes`), `too_little_past` (`have`, `needed`), `no_entities`, `no_counts`,
    /// `silent` (too few counted in the last half hour), or
    /// `reading` in the first seconds of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
    /// How good it was over the last day, for 15, 30 and 60 minutes ahead.
    pub quality: Vec<NowcastScore>,
    /// The series and areas: areas first, then series by name.
    pub series: Vec<NowcastSeries>,
}

impl Nowcast {
    /// Nothing known yet.
    pub(crate) fn of(set: &crate::Set) -> Self {
        Self {
            set: set.id.clone(),
            kind: set.kind,
            now: Timestamp::MIN,
            said_at: None,
            step_minutes: set.step_minutes,
            minimum_count: set.minimum_count,
            reason: None,
            quality: vec![],
            series: vec![],
        }
    }
}
