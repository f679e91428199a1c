//! The values that questions to history are asked and answered with.

use model::Timestamp;

/// A stretch of time, `[from, to)`. An absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment inside.
    pub from: Option<Timestamp>,
    /// The first moment after it.
    pub to: Option<Timestamp>,
}

impl TimeRange {
    /// From the first to the last moment that history can hold.
    pub const ALL: Self = Self { from: None, to: None };

    /// `[from, to)`.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self { from: Some(from), to: Some(to) }
    }

    /// The bounds in microseconds since 1970, the second one exclusive.
    #[must_use]
    pub fn micros(self) -> (i64, i64) {
        (self.from.map_or(i64::MIN, Timestamp::micros), self.to.map_or(i64::MAX, Timestamp::micros))
    }
}

/// Which way the observations of one series are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// How aggregates are cut in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The length of a bucket in microseconds; 0 makes one bucket of the whole range.
    pub micros: i64,
    /// A moment at which a bucket starts; buckets reach in both directions from it.
    pub origin: Timestamp,
}

/// The numbers of one series in one period. Values that are not numbers are not counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The start of the period; for one bucket over a range without a start, the first number's moment.
    pub from: Timestamp,
    /// How many numbers there are; never 0, since periods without numbers have no bucket.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The quantiles that were asked for, in the order asked: linear interpolation between the two nearest ranks
    /// (definition 7 of Hyndman and Fan, 1996, doi:10.1080/00031305.1996.10473566; `percentile_cont` in SQL).
    pub quantiles: Vec<f64>,
}

impl Bucket {
    /// The arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / as_f64(self.count)
    }

    /// The standard deviation of the whole population (divided by `count`, not `count - 1`).
    #[must_use]
    pub fn stddev(&self) -> f64 {
        let mean = self.mean();
        (self.sum_of_squares / as_f64(self.count) - mean * mean).max(0.0).sqrt()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bucket never holds 2^53 numbers")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
