//! How good forecasts were: errors by hour become figures by series.

use serde::{Deserialize, Serialize};

use crate::{model::Quantiles, series::DAY};

/// The figures of one method on one series, or their mean over series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Hours scored.
    pub hours: usize,
    /// Mean absolute error over the scale of the series; absent when the series has no scale.
    pub mase: Option<f64>,
    /// Mean absolute error, in counts.
    pub mae: Option<f64>,
    /// Sum of absolute errors over the sum of counts.
    pub wape: Option<f64>,
    /// Mean pinball loss of the three quantiles, in counts; absent for methods without quantiles.
    pub pinball: Option<f64>,
    /// Share of the hours within the 10-90 band; absent for methods without quantiles.
    pub coverage: Option<f64>,
}

/// Adds up the errors of one method on one series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    hours: usize,
    error: f64,
    counts: f64,
    quantile_hours: usize,
    pinball: f64,
    covered: usize,
}

impl Tally {
    /// Scores a forecast without a band. Hours without a value or a forecast are not scored.
    pub fn point(&mut self, said: f32, was: f32) {
        if said.is_finite() && was.is_finite() {
            self.hours += 1;
            self.error += f64::from((said - was).abs());
            self.counts += f64::from(was);
        }
    }

    /// Scores a forecast with a band.
    pub fn quantiles(&mut self, said: &Quantiles, was: f32) {
        if !was.is_finite() {
            return;
        }
        self.point(said.middle, was);
        self.quantile_hours += 1;
        let levels = [(0.1, said.low), (0.5, said.middle), (0.9, said.high)];
        self.pinball += levels.iter().map(|(level, said)| pinball(*level, *said, was)).sum::<f64>() / 3.0;
        self.covered += usize::from(said.low <= was && was <= said.high);
    }

    /// The figures, given the scale of the series.
    pub fn figures(&self, scale: Option<f64>) -> Figures {
        let per = |sum: f64, count: f64| (count > 0.0).then(|| sum / count);
        let mae = per(self.error, self.hours as f64);
        Figures {
            hours: self.hours,
            mase: scale.filter(|scale| *scale > 0.0).and_then(|scale| mae.map(|mae| mae / scale)),
            mae,
            wape: per(self.error, self.counts),
            pinball: per(self.pinball, self.quantile_hours as f64),
            coverage: per(self.covered as f64, self.quantile_hours as f64),
        }
    }
}

/// The pinball loss of one quantile (Koenker and Bassett, 1978).
pub fn pinball(level: f64, said: f32, was: f32) -> f64 {
    let over = f64::from(was) - f64::from(said);
    if over >= 0.0 { level * over } else { (level - 1.0) * over }
}

/// The scale of MASE: the mean absolute difference of values a day apart, over `history`. `None` without any such
/// pair.
pub fn scale(history: &[f32]) -> Option<f64> {
    let pairs = history.iter().zip(history.iter().skip(DAY)).filter(|(a, b)| a.is_finite() && b.is_finite());
    let (mut sum, mut count) = (0.0, 0.0);
    for (before, after) in pairs {
        sum += f64::from((after - before).abs());
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

/// The mean of figures over series, each series counting the same. Hours are added up.
pub fn mean(all: &[&Figures]) -> Figures {
    let of = |figure: &dyn Fn(&Figures) -> Option<f64>| {
        let there: Vec<f64> = all.iter().filter_map(|figures| figure(figures)).collect();
        (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
    };
    Figures {
        hours: all.iter().map(|figures| figures.hours).sum(),
        mase: of(&|figures| figures.mase),
        mae: of(&|figures| figures.mae),
        wape: of(&|figures| figures.wape),
        pinball: of(&|figures| figures.pinball),
        coverage: of(&|figures| figures.coverage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_the_errors_by_hand() {
        let mut tally = Tally::default();
        tally.quantiles(&Quantiles { low: 5.0, middle: 10.0, high: 20.0 }, 14.0); // error 4, inside
        tally.quantiles(&Quantiles { low: 5.0, middle: 10.0, high: 20.0 }, 26.0); // error 16, above
        tally.quantiles(&Quantiles { low: 5.0, middle: 10.0, high: 20.0 }, f32::NAN); // not scored
        let figures = tally.figures(Some(5.0));
        assert_eq!(figures.hours, 2);
        assert_eq!(figures.mae, Some(10.0));
        assert_eq!(figures.mase, Some(2.0));
        assert_eq!(figures.wape, Some(0.5));
        assert_eq!(figures.coverage, Some(0.5));
        // 14: (0.1 x 9 + 0.5 x 4 + 0.1 x 6) / 3; 26: (0.1 x 21 + 0.5 x 16 + 0.9 x 6) / 3
        let expect = (3.5 / 3.0 + 15.5 / 3.0) / 2.0;
        assert!((figures.pinball.unwrap() - expect).abs() < 1e-6);
    }

    #[test]
    fn the_scale_compares_hours_a_day_apart_and_skips_gaps() {
        let mut history = vec![10.0; 2 * DAY];
        history[DAY] = 14.0;
        history[DAY + 1] = f32::NAN;
        assert_eq!(scale(&history), Some(4.0 / 23.0));
        assert_eq!(scale(&history[..DAY]), None);
    }

    #[test]
    fn a_method_without_a_band_has_no_coverage() {
        let mut tally = Tally::default();
        tally.point(3.0, 5.0);
        let figures = tally.figures(None);
        assert_eq!((figures.mae, figures.mase, figures.coverage), (Some(2.0), None, None));
    }
}
