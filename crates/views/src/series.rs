//! A series for a chart: thinned without losing a peak, with its gaps said.
//!
//! Thinning is M4 (Jugel, Jerzak, Hackenbroich and Markl, "M4: A Visualization-Oriented Time Series Data
//! Aggregation", VLDB 7(10), 2014): of each bucket of time the first, the smallest, the largest and the last reading
//! are kept, which draws the same line as all readings would.

use model::{EntityId, Observation, ObservedValue, Origin, SeriesKey, Timestamp};
use serde::Serialize;
use store::{Order, TimeRange};
use utoipa::ToSchema;

use crate::{AttributeConfig, ViewError, Viewpoint, shapes::OriginShape, unit_symbol};

/// The most readings that one chart is made from: a year of one every ten minutes.
const READINGS_MAX: usize = 60_000;
/// A pause this many times longer than the usual interval is a gap.
const GAP_FACTOR: f64 = 2.5;

/// Which part of a series.
#[derive(Clone, Copy, Debug)]
pub struct SeriesQuery {
    /// From this moment.
    pub from: Timestamp,
    /// Before or at this moment.
    pub to: Timestamp,
    /// About how many points the chart can show.
    pub points: usize,
}

/// A point of a chart: milliseconds since 1970, and the value, or `null` where the line must break.
pub type ChartPoint = (i64, Option<f64>);

/// A series ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Series)]
pub struct Chart {
    /// The symbol of the unit.
    pub unit: String,
    /// How its values came to be.
    #[schema(value_type = OriginShape)]
    pub origin: Origin,
    /// The points, oldest first.
    #[schema(value_type = Vec<(i64, Option<f64>)>)]
    pub points: Vec<ChartPoint>,
    /// Pauses that are longer than usual: from and to, milliseconds since 1970.
    pub gaps: Vec<(i64, i64)>,
    /// The smallest of all readings.
    #[schema(required)]
    pub min: Option<f64>,
    /// The largest of all readings.
    #[schema(required)]
    pub max: Option<f64>,
    /// The mean of all readings.
    #[schema(required)]
    pub mean: Option<f64>,
    /// Whether there were more readings than points.
    pub downsampled: bool,
    /// How many readings there were.
    pub count: usize,
    /// Whether the range holds more readings than one chart is made from; then the newest ones are shown.
    pub truncated: bool,
}

/// A series of one attribute of one thing.
///
/// # Errors
/// The store's. A thing that the reader may not see is missing; a range that ends before it starts is refused.
pub fn chart(
    view: &Viewpoint<'_>,
    entity: &EntityId,
    attribute: &AttributeConfig,
    query: SeriesQuery,
) -> Result<Chart, ViewError> {
    view.entity(entity)?;
    if query.to < query.from {
        let detail = format!("{} is before {}", query.to, query.from);
        return Err(model::Problem::new("to", detail, "let the range end after it starts").into());
    }
    let series = [SeriesKey { entity: entity.clone(), attribute: attribute.iri(), dataset_id: None }];
    let range = TimeRange { from: Some(query.from), to: Some(query.to.plus_micros(1)) };
    let history = view.snapshot.history();
    // Newest first, so that the limit cuts off the oldest.
    let found = history.range(view.tenant, &series, range, Order::Descending, Some(READINGS_MAX + 1))?;
    let mut readings = found.collect::<Result<Vec<Observation>, _>>()?;
    let truncated = readings.len() > READINGS_MAX;
    readings.truncate(READINGS_MAX);
    readings.reverse();
    let last = readings.last();
    let unit = unit_symbol(last.and_then(|o| o.unit_code.as_deref()), Some(attribute)).unwrap_or_default();
    let origin = last.map(|o| o.quality.origin).unwrap_or_default();
    let values: Vec<(i64, f64)> = readings.iter().filter_map(reading).collect();
    let mut chart = draw(&values, query.points, attribute.interval_s);
    (chart.unit, chart.origin, chart.truncated) = (unit, origin, truncated);
    Ok(chart)
}

fn reading(observation: &Observation) -> Option<(i64, f64)> {
    let value = match &observation.value {
        ObservedValue::Number(number) => *number,
        ObservedValue::Attribute(attribute) => attribute.number()?,
        ObservedValue::Deleted => return None,
    };
    Some((observation.at.micros() / 1_000, value))
}

/// Thins readings (milliseconds, ascending) to about `points`, and finds their gaps by the interval in seconds, or by
/// the median interval where none is given.
#[must_use]
pub fn draw(readings: &[(i64, f64)], points: usize, interval_s: Option<f64>) -> Chart {
    let gaps = gaps_in(readings, interval_s);
    let kept = thin(readings, points.max(4));
    let mut line: Vec<ChartPoint> = Vec::with_capacity(kept.len() + gaps.len());
    let mut next_gap = gaps.iter().peekable();
    for (at, value) in &kept {
        while let Some((from, _)) = next_gap.next_if(|(_, to)| to <= at) {
            line.push((from + 1, None));
        }
        line.push((*at, Some(*value)));
    }
    let values = || readings.iter().map(|r| r.1);
    let count = readings.len();
    Chart {
        points: line,
        gaps,
        min: values().reduce(f64::min),
        max: values().reduce(f64::max),
        mean: (count > 0).then(|| values().sum::<f64>() / count as f64),
        downsampled: kept.len() < count,
        count,
        ..Chart::default()
    }
}

/// M4: the first, smallest, largest and last reading of each of `points / 4` buckets of equal time.
fn thin(readings: &[(i64, f64)], points: usize) -> Vec<(i64, f64)> {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return vec![] };
    if readings.len() <= points {
        return readings.to_vec();
    }
    let buckets = i64::try_from(points / 4).unwrap_or(1).max(1);
    let width = (last.0 - first.0) / buckets + 1;
    let same = |a: &(i64, f64), b: &(i64, f64)| (a.0 - first.0) / width == (b.0 - first.0) / width;
    let mut kept = Vec::with_capacity(points + 4);
    for bucket in readings.chunk_by(same) {
        let by_value = |a: &&(i64, f64), b: &&(i64, f64)| a.1.total_cmp(&b.1);
        let ends = [bucket.first(), bucket.iter().min_by(by_value), bucket.iter().max_by(by_value), bucket.last()];
        let mut chosen: Vec<(i64, f64)> = ends.into_iter().flatten().copied().collect();
        chosen.sort_by_key(|r| r.0);
        chosen.dedup();
        kept.extend(chosen);
    }
    kept
}

/// Pauses that are longer than [`GAP_FACTOR`] times the usual interval.
fn gaps_in(readings: &[(i64, f64)], interval_s: Option<f64>) -> Vec<(i64, i64)> {
    let steps = || readings.windows(2).filter_map(|w| if let [a, b] = w { Some((a.0, b.0)) } else { None });
    let usual_ms = interval_s.map(|s| s * 1_000.0).or_else(|| {
        let mut lengths: Vec<i64> = steps().map(|(a, b)| b - a).collect();
        lengths.sort_unstable();
        lengths.get(lengths.len() / 2).map(|m| *m as f64)
    });
    let Some(usual_ms) = usual_ms.filter(|ms| *ms > 0.0) else { return vec![] };
    steps().filter(|(a, b)| (b - a) as f64 > GAP_FACTOR * usual_ms).collect()
}
