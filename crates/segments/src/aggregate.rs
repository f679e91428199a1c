//! Aggregates of one series over sorted runs of times and numbers: one open bucket, no tables.

use model::Timestamp;

use crate::types::{Bucket, Period};

/// Collects the buckets of one series. Times must come in ascending order.
pub struct Aggregator<'a> {
    period: Period,
    quantiles: &'a [f64],
    /// The start of the range that was asked for; the name of the one bucket of a whole range.
    range_from: Option<Timestamp>,
    buckets: Vec<Bucket>,
    open: Option<Open>,
    /// The numbers of the open bucket, kept only for quantiles.
    numbers: Vec<f64>,
}

/// The bucket that is being filled.
struct Open {
    from: i64,
    /// The first moment after it.
    end: i64,
    sums: Sums,
}

#[derive(Clone, Copy)]
struct Sums {
    count: u64,
    sum: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Sums {
    const NONE: Self = Self { count: 0, sum: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add_all(&mut self, numbers: &[f64]) {
        let mut sums = *self;
        sums.count += numbers.len() as u64;
        for &number in numbers {
            sums.sum += number;
            sums.squares += number * number;
            sums.min = if number < sums.min { number } else { sums.min };
            sums.max = if number > sums.max { number } else { sums.max };
        }
        *self = sums;
    }
}

impl<'a> Aggregator<'a> {
    /// Nothing collected yet.
    #[must_use]
    pub fn new(period: Period, quantiles: &'a [f64], range_from: Option<Timestamp>) -> Self {
        Self { period, quantiles, range_from, buckets: Vec::new(), open: None, numbers: Vec::new() }
    }

    /// Adds a run of rows; NaN stands for a row without a number, and `gaps` says whether there can be one.
    pub fn add(&mut self, times: &[i64], values: &[f64], gaps: bool) {
        if gaps && values.iter().any(|value| value.is_nan()) {
            let numbers = times.iter().zip(values).filter(|(_, value)| !value.is_nan());
            let (times, values): (Vec<i64>, Vec<f64>) = numbers.map(|(&time, &value)| (time, value)).unzip();
            return self.add_numbers(&times, &values);
        }
        self.add_numbers(times, values);
    }

    fn add_numbers(&mut self, mut times: &[i64], mut values: &[f64]) {
        while let Some(&first) = times.first() {
            if self.open.as_ref().is_some_and(|open| first >= open.end) {
                self.close();
            }
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(opened(self.period, self.range_from, first)),
            };
            let count = run_length(times, open.end);
            let (head, tail) = values.split_at(count.min(values.len()));
            open.sums.add_all(head);
            if !self.quantiles.is_empty() {
                self.numbers.extend_from_slice(head);
            }
            times = times.get(count..).unwrap_or_default();
            values = tail;
        }
    }

    fn close(&mut self) {
        let Some(Open { from, sums, .. }) = self.open.take() else { return };
        let quantiles = quantiles(&mut self.numbers, self.quantiles);
        self.numbers.clear();
        self.buckets.push(Bucket {
            from: Timestamp::from_micros(from),
            count: sums.count,
            sum: sums.sum,
            sum_of_squares: sums.squares,
            min: sums.min,
            max: sums.max,
            quantiles,
        });
    }

    /// The buckets, ascending.
    #[must_use]
    pub fn finish(mut self) -> Vec<Bucket> {
        self.close();
        self.buckets
    }
}

/// How many of the ascending times lie before `end`; short runs are counted, long ones halved.
fn run_length(times: &[i64], end: i64) -> usize {
    if times.last().is_some_and(|&last| last < end) {
        return times.len();
    }
    let mut reach = 16;
    while times.get(reach).is_some_and(|&time| time < end) {
        reach *= 2;
    }
    let known = if reach == 16 { 0 } else { reach / 2 };
    let searched = times.get(known..reach.min(times.len())).unwrap_or_default();
    known + searched.partition_point(|&time| time < end)
}

/// The bucket that a moment falls into.
fn opened(period: Period, range_from: Option<Timestamp>, time: i64) -> Open {
    if period.micros <= 0 {
        return Open { from: range_from.map_or(time, Timestamp::micros), end: i64::MAX, sums: Sums::NONE };
    }
    // In 128 bits, so that a period of any length fits.
    let (length, origin) = (i128::from(period.micros), i128::from(period.origin.micros()));
    let from = origin + (i128::from(time) - origin).div_euclid(length) * length;
    let clamped = |micros: i128| i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX });
    Open { from: clamped(from), end: clamped(from + length), sums: Sums::NONE }
}

/// Quantiles by linear interpolation between ranks: of n sorted numbers, rank `q * (n - 1)`. Reorders the numbers.
fn quantiles(numbers: &mut [f64], wanted: &[f64]) -> Vec<f64> {
    let Some(last) = numbers.len().checked_sub(1) else { return wanted.iter().map(|_| f64::NAN).collect() };
    wanted
        .iter()
        .map(|quantile| {
            #[expect(clippy::cast_precision_loss, reason = "nobody holds 2^53 numbers in memory")]
            let rank = quantile.clamp(0.0, 1.0) * last as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rank lies in 0..=last")]
            let below = (rank.floor() as usize).min(last);
            let (_, &mut low, above) = numbers.select_nth_unstable_by(below, f64::total_cmp);
            // Without numbers above, the rank is whole and nothing is added.
            let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
            low + (high - low) * (rank - rank.floor())
        })
        .collect()
}
