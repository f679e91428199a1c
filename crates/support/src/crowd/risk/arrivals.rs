//! Arrivals that are known beforehand, such as those of a programme, moved by what is counted now.

use super::ForecastBand;

/// So many persons more on both sides of counted against expected: a few early visitors say little about all.
const DOUBT_PERSONS: f64 = 50.0;
/// Counted and expected are compared over this time, min.
const COMPARED_MIN: f64 = 15.0;
/// At most so many times as many or as few as expected come: beyond that something else goes on.
const FACTOR_MAX: f64 = 2.0;
/// What is counted beside the expectation goes on, and fades with this time constant, min.
const BESIDE_FADES_MIN: f64 = 60.0;

/// What is expected of arrivals into one area.
pub(super) struct Expectation<'a> {
    band: &'a ForecastBand,
    /// How many times as many come as expected.
    factor: f64,
    /// Persons a minute that are counted now beside that.
    beside_per_min: f64,
}

impl<'a> Expectation<'a> {
    /// A band and what is counted now, persons a minute.
    pub(super) fn new(band: &'a ForecastBand, counted_per_min: f64) -> Self {
        let expected = band.p50.first().copied().unwrap_or(0.0);
        let seen = |per_min: f64| per_min * COMPARED_MIN + DOUBT_PERSONS;
        let factor = (seen(counted_per_min) / seen(expected)).clamp(1.0 / FACTOR_MAX, FACTOR_MAX);
        Self { band, factor, beside_per_min: counted_per_min - factor * expected }
    }

    /// Persons a minute for a normal deviate; `None` beyond the band.
    pub(super) fn in_minute(&self, minute: usize, ahead_min: f64, deviate: f64) -> Option<f64> {
        let beside = self.beside_per_min * (-ahead_min / BESIDE_FADES_MIN).exp();
        Some((self.factor * of_band(self.band, minute, deviate)? + beside).max(0.0))
    }
}

/// A band's value for a normal deviate: straight through its quantiles.
fn of_band(band: &ForecastBand, minute: usize, deviate: f64) -> Option<f64> {
    let (low, middle, high) = (*band.p10.get(minute)?, *band.p50.get(minute)?, *band.p90.get(minute)?);
    let side = if deviate < 0.0 { middle - low } else { high - middle };
    Some((middle + deviate / 1.281_55 * side).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(per_min: f64) -> ForecastBand {
        let line = |factor: f64| vec![per_min * factor; 60];
        ForecastBand { area: "field".into(), p10: line(0.6), p50: line(1.0), p90: line(1.5) }
    }

    #[test]
    fn what_comes_as_expected_goes_on_as_expected() {
        let band = band(80.0);
        let expectation = Expectation::new(&band, 80.0);
        assert!((expectation.in_minute(30, 30.0, 0.0).unwrap() - 80.0).abs() < 1e-9);
        assert!(
            expectation.in_minute(30, 30.0, -1.281_55).unwrap() < 50.0
                && expectation.in_minute(60, 60.0, 0.0).is_none()
        );
    }

    #[test]
    fn a_crowd_that_nobody_expected_does_not_vanish_from_the_next_hour() {
        let band = band(0.0);
        let late = Expectation::new(&band, 60.0);
        let ahead = |minutes: f64| late.in_minute(30, minutes, 0.0).unwrap();
        assert!(ahead(15.0) > 45.0 && ahead(59.0) > 20.0, "{} {}", ahead(15.0), ahead(59.0));
    }

    #[test]
    fn twice_as_many_as_expected_are_twice_as_many_later() {
        let band = band(100.0);
        let more = Expectation::new(&band, 200.0).in_minute(59, 59.0, 0.0).unwrap();
        assert!((190.0..210.0).contains(&more), "{more}");
        assert!(Expectation::new(&band, 0.0).in_minute(59, 59.0, 0.0).unwrap() >= 0.0);
    }
}
