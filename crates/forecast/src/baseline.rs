//! What any forecast must beat: last week, the mean of four weeks, and one linear regression for all series.

use crate::{
    features::{self, Ask, Frame},
    linear::solve,
    panel::Panel,
    series::{DAY, Slot, WEEK},
};

/// Last week's value at that hour.
pub fn seasonal_naive(panel: &Panel, ask: Ask) -> f32 {
    panel.series.get(ask.series).map_or(f32::NAN, |track| track.at(ask.target.checked_sub(WEEK)))
}

/// The mean of the last four same weekdays at that hour, of those that are there.
pub fn four_week_mean(panel: &Panel, ask: Ask) -> f32 {
    panel.series.get(ask.series).and_then(|track| track.mean4.get(ask.target)).copied().unwrap_or(f32::NAN)
}

/// A linear regression on the lags, scaled by series and pooled over all, with an intercept for each hour of the day.
#[derive(Debug, Clone, PartialEq)]
pub struct PooledRegression {
    weights: Vec<f64>,
}

/// Lags and the mean of four weeks.
const LAGS: usize = 12;
const INPUTS: usize = LAGS + DAY;
/// Pull of the weights towards zero, in rows.
const RIDGE: f64 = 10.0;

impl PooledRegression {
    /// Fits by least squares on hours before `until`, asked for at midnight, of the two years before.
    pub fn fit(panel: &Panel, until: Slot) -> Self {
        let from = until.saturating_sub(2 * 365 * DAY).max(5 * WEEK);
        let mut products = vec![0.0; INPUTS * INPUTS];
        let mut answers = vec![0.0; INPUTS];
        for (series, track) in panel.series.iter().enumerate() {
            for target in from..until {
                let ask = Ask { series, origin: target - target % DAY, target };
                let value = track.at(Some(target));
                let Some(frame) = features::frame(panel, ask).filter(|_| value.is_finite()) else { continue };
                let inputs = inputs(panel, ask, frame);
                let answer = f64::from(((value - frame.base) / frame.scale).clamp(-15.0, 15.0));
                // Of the inputs for the hour only one is not zero.
                let there: Vec<usize> = (0..LAGS).chain([LAGS + target % DAY]).collect();
                for &i in &there {
                    answers[i] += inputs[i] * answer;
                    for &j in &there {
                        products[i * INPUTS + j] += inputs[i] * inputs[j];
                    }
                }
            }
        }
        for at in 0..INPUTS {
            products[at * INPUTS + at] += RIDGE;
        }
        Self { weights: solve(products, answers) }
    }

    /// The forecast of an hour; NaN when the series has nothing to go by.
    pub fn predict(&self, panel: &Panel, ask: Ask) -> f32 {
        let Some(frame) = features::frame(panel, ask) else { return f32::NAN };
        let inputs = inputs(panel, ask, frame);
        let answer: f64 = self.weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
        (frame.base + frame.scale * answer as f32).max(0.0)
    }
}

/// Lags of 1 to 4 weeks and 1 to 7 days against the expectation, the level, and the hour; 0 for what is missing.
fn inputs(panel: &Panel, ask: Ask, frame: Frame) -> [f64; INPUTS] {
    let mut inputs = [0.0; INPUTS];
    let Some(track) = panel.series.get(ask.series) else { return inputs };
    let days_back = (ask.target - ask.origin) / DAY;
    let weeks = (1..=4).map(|week| week * WEEK);
    let days = (1..=7).map(|day| (day + days_back) * DAY);
    for (input, back) in inputs.iter_mut().zip(weeks.chain(days)) {
        let relative = (track.at(ask.target.checked_sub(back)) - frame.base) / frame.scale;
        *input = if relative.is_finite() { f64::from(relative.clamp(-15.0, 15.0)) } else { 0.0 };
    }
    inputs[LAGS - 1] = f64::from(frame.base / frame.scale);
    inputs[LAGS + ask.target % DAY] = 1.0;
    inputs
}
