//! The next minutes: what the profile of the week says, moved by how the last minutes went.
//!
//! Counts come at 3 to 5 minutes. The profile is the median of the same quarter of the week in earlier weeks, or of
//! the day where there are none. How far the last half hour was from its profile carries over to the next minutes; how
//! much of it carries over is learned from the past of all series by least squares: noisy counters follow their
//! profile, steady ones their last values.

use serde::{Deserialize, Serialize};

use crate::linear::solve;

/// Length of a step of the input, in minutes.
pub const STEP_MINUTES_MAX: usize = 15;

/// Counts at a steady step, oldest first; NaN where missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// Minutes in a step: a divisor of 60, at most [`STEP_MINUTES_MAX`].
    pub minutes: usize,
    /// The minute of the (local) week of the first step, from Monday 00:00.
    pub first_minute: usize,
    /// Counts in each step.
    pub values: Vec<f32>,
}

/// How much of what carries over, fitted on the past of series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// Weights where earlier days give a profile: the mean of the last half hour, that of the last ten minutes, the
    /// profile of the minutes to come, and the profile of the last half hour.
    pub with_profile: [f64; 4],
    /// Weights where none does: the mean of the last half hour and that of the last ten minutes.
    pub without_profile: [f64; 2],
}

/// Why there is no now-cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NowcastRefusal {
    /// The step does not divide an hour, or is too long.
    #[error("steps of {minutes} minutes; steps of 1 to 15 minutes that divide an hour are needed")]
    Step {
        /// Minutes in a step.
        minutes: usize,
    },
    /// Too few counts in the last half hour.
    #[error("{have} of {needed} counts in the last half hour are there")]
    TooFewCounts {
        /// Counts that are there.
        have: usize,
        /// Counts that are needed.
        needed: usize,
    },
    /// Not enough past to fit on.
    #[error("{have} moments to learn from, at least {needed} are needed")]
    TooLittlePast {
        /// Moments with all inputs.
        have: usize,
        /// Moments needed.
        needed: usize,
    },
    /// Asked for the past, or too far ahead.
    #[error("{minutes} minutes ahead; a now-cast answers for 5 to 60 minutes")]
    Horizon {
        /// Minutes asked for.
        minutes: usize,
    },
}

/// Moments that a fit needs.
const MOMENTS_MIN: usize = 100;
const DAY_MINUTES: usize = 24 * 60;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES;

/// What goes into a now-cast, in counts a step.
struct Inputs {
    half_hour: f64,
    last: f64,
    /// Of the minutes to come, and of the last half hour.
    profile: Option<(f64, f64)>,
}

impl Steps {
    fn check(&self) -> Result<(), NowcastRefusal> {
        let fits = (1..=STEP_MINUTES_MAX).contains(&self.minutes) && 60 % self.minutes == 0;
        if fits { Ok(()) } else { Err(NowcastRefusal::Step { minutes: self.minutes }) }
    }

    /// The mean of the steps `[from, to)` that are there, when at least half of them are.
    fn mean(&self, from: usize, to: usize) -> Option<f64> {
        let there: Vec<f64> =
            self.values.get(from..to)?.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v)).collect();
        (there.len() * 2 >= to - from && !there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
    }

    /// The median of the mean over `[from, to)` a week and more before, for four weeks; without any, that of the days
    /// of the last week that are working days or weekend days like this one. Only steps before `known` are read.
    fn profile(&self, from: usize, to: usize, known: usize) -> Option<f64> {
        let back = |minutes: usize, times: usize| -> Vec<f64> {
            (1..=times)
                .filter_map(|time| {
                    let shift = time * minutes / self.minutes;
                    let (earlier, end) = (from.checked_sub(shift)?, to.checked_sub(shift)?);
                    let alike = self.weekend(earlier) == self.weekend(from);
                    if end > known || !alike { None } else { self.mean(earlier, end) }
                })
                .collect()
        };
        let mut there = back(WEEK_MINUTES, 4);
        if there.is_empty() {
            there = back(DAY_MINUTES, 7);
        }
        if there.is_empty() {
            return None;
        }
        there.sort_unstable_by(f64::total_cmp);
        let middle = there.len() / 2;
        Some(if there.len() % 2 == 1 { there[middle] } else { (there[middle - 1] + there[middle]) / 2.0 })
    }

    fn weekend(&self, step: usize) -> bool {
        (self.first_minute + step * self.minutes) % WEEK_MINUTES >= 5 * DAY_MINUTES
    }

    fn inputs(&self, now: usize, ahead: usize) -> Option<Inputs> {
        let half_hour = (30 / self.minutes).max(1);
        let last = (10 / self.minutes).max(1);
        let behind = now.checked_sub(half_hour)?;
        let level = self.mean(behind, now)?;
        Some(Inputs {
            half_hour: level,
            last: self.mean(now.checked_sub(last)?, now).unwrap_or(level),
            profile: self.profile(now, now + ahead, now).zip(self.profile(behind, now, now)),
        })
    }

    /// The count of the minutes after `now`, given the steps before it.
    pub fn nowcast(&self, blend: &Blend, now: usize, minutes_ahead: usize) -> Result<f64, NowcastRefusal> {
        self.check()?;
        let ahead = steps_ahead(self.minutes, minutes_ahead)?;
        let inputs = self.inputs(now, ahead).ok_or_else(|| {
            let needed = (30 / self.minutes).max(1);
            let last = self.values.get(now.saturating_sub(needed)..now.min(self.values.len())).unwrap_or_default();
            NowcastRefusal::TooFewCounts {
                have: last.iter().filter(|v| v.is_finite()).count(),
                needed: needed.div_ceil(2),
            }
        })?;
        let per_step = blend.answer(&inputs);
        Ok((per_step * ahead as f64).max(0.0))
    }

    /// What anybody would say: the last half hour goes on.
    pub fn half_of_last_30_minutes(&self, now: usize, minutes_ahead: usize) -> Option<f64> {
        let ahead = steps_ahead(self.minutes, minutes_ahead).ok()?;
        let half_hour = (30 / self.minutes).max(1);
        Some(self.mean(now.checked_sub(half_hour)?, now)? * ahead as f64)
    }
}

impl Blend {
    /// Fits the blend for a number of minutes ahead, pooled over series, on the steps of each before a moment. Series
    /// count by their moments, whatever their level.
    pub fn fit(series: &[(&Steps, usize)], minutes_ahead: usize) -> Result<Self, NowcastRefusal> {
        let mut with_profile = LeastSquares::<4>::default();
        let mut without_profile = LeastSquares::<2>::default();
        for (steps, known) in series {
            steps.check()?;
            let ahead = steps_ahead(steps.minutes, minutes_ahead)?;
            for now in 0..known.saturating_sub(ahead) {
                let Some((inputs, was)) = steps.inputs(now, ahead).zip(steps.mean(now, now + ahead)) else { continue };
                without_profile.add(inputs.level(), was);
                if let Some(row) = inputs.row() {
                    with_profile.add(row, was);
                }
            }
        }
        let have = without_profile.moments;
        if have < MOMENTS_MIN {
            return Err(NowcastRefusal::TooLittlePast { have, needed: MOMENTS_MIN });
        }
        Ok(Self {
            with_profile: with_profile.solve([0.4, 0.1, 0.9, -0.4]),
            without_profile: without_profile.solve([0.7, 0.3]),
        })
    }

    /// Counts a step.
    fn answer(&self, inputs: &Inputs) -> f64 {
        let sum = |weights: &[f64], row: &[f64]| weights.iter().zip(row).map(|(weight, input)| weight * input).sum();
        match inputs.row() {
            Some(row) => sum(&self.with_profile, &row),
            None => sum(&self.without_profile, &inputs.level()),
        }
    }
}

impl Inputs {
    fn level(&self) -> [f64; 2] {
        [self.half_hour, self.last]
    }

    fn row(&self) -> Option<[f64; 4]> {
        self.profile.map(|(ahead, behind)| [self.half_hour, self.last, ahead, behind])
    }
}

/// Weighted least squares with a small pull towards given weights.
struct LeastSquares<const N: usize> {
    products: [[f64; N]; N],
    answers: [f64; N],
    moments: usize,
}

impl<const N: usize> Default for LeastSquares<N> {
    fn default() -> Self {
        Self { products: [[0.0; N]; N], answers: [0.0; N], moments: 0 }
    }
}

impl<const N: usize> LeastSquares<N> {
    fn add(&mut self, row: [f64; N], was: f64) {
        // The variance of a count grows with the count.
        let weight = 1.0 / (row.iter().map(|input| input.abs()).sum::<f64>() + 0.1);
        self.moments += 1;
        for i in 0..N {
            self.answers[i] += weight * row[i] * was;
            for (product, other) in self.products[i].iter_mut().zip(row) {
                *product += weight * row[i] * other;
            }
        }
    }

    fn solve(mut self, trust: [f64; N]) -> [f64; N] {
        let pull = 1e-3 * (0..N).map(|at| self.products[at][at]).sum::<f64>().max(1e-9);
        for (at, weight) in trust.into_iter().enumerate() {
            self.products[at][at] += pull;
            self.answers[at] += pull * weight;
        }
        let solution = solve(self.products.concat(), self.answers.to_vec());
        std::array::from_fn(|at| solution.get(at).copied().unwrap_or(0.0))
    }
}

fn steps_ahead(step: usize, minutes: usize) -> Result<usize, NowcastRefusal> {
    if (5..=60).contains(&minutes) { Ok((minutes / step).max(1)) } else { Err(NowcastRefusal::Horizon { minutes }) }
}
