//! A linear opinion for the trees to start from: for each hour of the day one ridge regression on all features.
//!
//! Trees answer in steps and need many of them to follow a slope, such as "what was above its expectation at this hour
//! stays so by half". The regression's answer is one more feature, and the trees correct it where it is wrong.

use serde::{Deserialize, Serialize};

use crate::{
    features::{self, Ask},
    linear::solve,
    panel::{Panel, in_two},
    series::DAY,
};

/// Name of the feature.
pub const NAME: &str = "linear regression of the hour";
/// Inputs beyond this many scales say no more than this.
const INPUT_MAX: f32 = 6.0;
/// Targets beyond this many scales are cut off: least squares would follow them.
const TARGET_MAX: f32 = 4.0;
/// Pull of the weights towards zero, in rows.
const RIDGE: f64 = 300.0;
/// Rows to fit on, at most.
const ROWS_MAX: usize = 300_000;

/// The regressions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expert {
    /// For each hour the weights of the features, and a constant.
    weights: Vec<Vec<f32>>,
}

/// The normal equations of each hour.
struct Equations {
    products: Vec<f64>,
    answers: Vec<f64>,
}

impl Expert {
    /// Fits on questions whose answers are known.
    pub fn fit(panel: &Panel, asks: &[Ask], features: usize) -> Self {
        let size = features + 1;
        let chosen: Vec<Ask> = asks.iter().copied().step_by(asks.len().div_ceil(ROWS_MAX).max(1)).collect();
        let parts: Vec<&[Ask]> = chosen.chunks(chosen.len().div_ceil(2).max(1)).collect();
        let made = in_two(&parts, |part| equations(panel, part, size));
        let weights = (0..DAY).map(|hour| {
            let mut products = vec![0.0; size * size];
            let mut answers = vec![0.0; size];
            for hours in &made {
                add(&mut products, &hours[hour].products);
                add(&mut answers, &hours[hour].answers);
            }
            for at in 0..size {
                products[at * size + at] += RIDGE;
            }
            solve(products, answers).into_iter().map(|weight| weight as f32).collect()
        });
        Self { weights: weights.collect() }
    }

    /// The opinion on a row of features, in scales above what is expected.
    pub fn answer(&self, row: &[f32], hour: usize) -> f32 {
        let Some((constant, weights)) = self.weights.get(hour).and_then(|weights| weights.split_last()) else {
            return 0.0;
        };
        constant + row.iter().zip(weights).map(|(value, weight)| input(*value) * weight).sum::<f32>()
    }
}

fn add(sums: &mut [f64], more: &[f64]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// A feature as the regression sees it: what is missing is as expected.
fn input(value: f32) -> f32 {
    if value.is_finite() { value.clamp(-INPUT_MAX, INPUT_MAX) } else { 0.0 }
}

/// The products and answers, by hour.
fn equations(panel: &Panel, asks: &[Ask], size: usize) -> Vec<Equations> {
    let mut hours: Vec<Equations> =
        (0..DAY).map(|_| Equations { products: vec![0.0; size * size], answers: vec![0.0; size] }).collect();
    let mut row = Vec::with_capacity(size);
    for ask in asks {
        let Some(frame) = features::frame(panel, *ask) else { continue };
        features::fill(panel, *ask, frame, &mut row);
        row.iter_mut().for_each(|value| *value = input(*value));
        row.push(1.0);
        let target = (panel.series[ask.series].values[ask.target] - frame.base) / frame.scale;
        let target = f64::from(target.clamp(-TARGET_MAX, TARGET_MAX));
        let Equations { products, answers } = &mut hours[ask.target % DAY];
        for ((value, line), answer) in row.iter().zip(products.chunks_mut(size)).zip(answers) {
            let value = f64::from(*value);
            *answer += value * target;
            if value != 0.0 {
                line.iter_mut().zip(&row).for_each(|(sum, other)| *sum += value * f64::from(*other));
            }
        }
    }
    hours
}
