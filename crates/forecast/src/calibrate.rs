//! Bands that hold what they say: the distance from the middle is stretched by what happened lately.
//!
//! The quantile forests learn the shape of the band, which hours and days are uncertain. How wide it must be changes
//! with the season, and the hours of one day err together. So each day's outcome widens or narrows the next day's band
//! a little: adaptive conformal inference (Gibbs and Candès, 2021) on the logarithm of the width, once for the city
//! and once for each series.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Quantiles;

/// The share of outcomes that should be below the low quantile, and above the high one.
pub const TAIL: f32 = 0.1;
/// How much one day's surprise of the whole city moves the width.
const STEP_CITY: f32 = 0.3;
/// How much one day's surprise of a series moves its own width.
const STEP_SERIES: f32 = 0.1;
/// The least and the greatest logarithm of a factor.
const BOUND: f32 = 1.5;

/// Logarithms of the factors on the distance from the middle to the low and the high quantile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Width {
    low: f32,
    high: f32,
}

impl Width {
    fn learn(&mut self, step: f32, below: f32, above: f32) {
        self.low = (self.low + step * (below - TAIL)).clamp(-BOUND, BOUND);
        self.high = (self.high + step * (above - TAIL)).clamp(-BOUND, BOUND);
    }
}

/// How far the bands of a city's series are stretched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// For leads up to a day, and for those beyond.
    city: [Width; 2],
    series: BTreeMap<String, Width>,
    /// Days learned from.
    days: usize,
}

/// What was said of an hour, and what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The series.
    pub series: String,
    /// Hours from the origin to the start of the hour.
    pub lead: usize,
    /// What was said, stretched as it was shown.
    pub said: Quantiles,
    /// What it was.
    pub was: f32,
}

impl Calibration {
    /// Days it has learned from.
    pub fn days(&self) -> usize {
        self.days
    }

    /// Stretches a forecast.
    pub fn apply(&self, series: &str, lead: usize, quantiles: Quantiles) -> Quantiles {
        let city = self.city[usize::from(lead >= 24)];
        let own = self.series.get(series).copied().unwrap_or_default();
        let Quantiles { low, middle, high } = quantiles;
        Quantiles {
            low: (middle - (middle - low) * (city.low + own.low).exp()).max(0.0),
            middle,
            high: middle + (high - middle) * (city.high + own.high).exp(),
        }
    }

    /// Learns from the outcomes of one day. Order does not matter; outcomes without a value are left out.
    pub fn learn(&mut self, outcomes: &[Outcome]) {
        let there: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.was.is_finite()).collect();
        if there.is_empty() {
            return;
        }
        self.days += 1;
        for (far, width) in self.city.iter_mut().enumerate() {
            let of_lead = there.iter().copied().filter(|outcome| usize::from(outcome.lead >= 24) == far);
            if let Some((below, above)) = tails(of_lead) {
                width.learn(STEP_CITY, below, above);
            }
        }
        let mut by_series: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in there {
            by_series.entry(&outcome.series).or_default().push(outcome);
        }
        for (series, outcomes) in by_series {
            if let Some((below, above)) = tails(outcomes.into_iter()) {
                self.series.entry(series.to_owned()).or_default().learn(STEP_SERIES, below, above);
            }
        }
    }
}

/// The shares of outcomes below the low and above the high quantile; `None` without outcomes.
fn tails<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Option<(f32, f32)> {
    let (mut below, mut above, mut count) = (0.0, 0.0, 0.0);
    for outcome in outcomes {
        count += 1.0;
        below += f32::from(u8::from(outcome.was < outcome.said.low));
        above += f32::from(u8::from(outcome.was > outcome.said.high));
    }
    (count > 0.0).then(|| (below / count, above / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(was: f32) -> Outcome {
        let said = Quantiles { low: 90.0, middle: 100.0, high: 110.0 };
        Outcome { series: "a".to_owned(), lead: 3, said, was }
    }

    #[test]
    fn a_band_that_was_missed_above_grows_above_alone() {
        let mut calibration = Calibration::default();
        let mut day: Vec<Outcome> = vec![outcome(120.0); 5];
        day.extend(vec![outcome(80.0), outcome(100.0), outcome(100.0), outcome(100.0), outcome(100.0)]);
        calibration.learn(&day); // half above, a tenth below
        let next = calibration.apply("a", 3, outcome(0.0).said);
        let factor = ((STEP_CITY + STEP_SERIES) * 0.4_f32).exp();
        assert!((next.high - (100.0 + 10.0 * factor)).abs() < 1e-3, "{next:?}");
        assert!((next.low - 90.0).abs() < 1e-3, "{next:?}");
    }

    #[test]
    fn a_day_without_values_teaches_nothing() {
        let mut calibration = Calibration::default();
        calibration.learn(&[outcome(f32::NAN)]);
        assert_eq!(calibration, Calibration::default());
    }

    #[test]
    fn the_low_quantile_stops_at_zero() {
        let mut calibration = Calibration::default();
        for _ in 0..50 {
            calibration.learn(&[outcome(1.0)]);
        }
        let said = Quantiles { low: 1.0, middle: 5.0, high: 6.0 };
        assert_eq!(calibration.apply("a", 3, said).low, 0.0);
    }
}
