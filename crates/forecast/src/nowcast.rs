//! The next minutes: what the profile of the week says, moved by how the last minutes went.
//!
//! Counts come at 3 to 5 minutes. The profile is the median of the same quarter of the week in earlier weeks, or of the day where
//! there are none. How far the last half hour was from its profile carries over to the next minutes; how much of it carries over is learned from
//! the series' own past by least squares, so that a noisy counter follows its profile and a steady one its last values.

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

/// How much of what carries over, fitted on the past of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// Weight of the mean of the last half hour.
    pub half_hour: f64,
    /// Weight of the last steps that make up ten minutes.
    pub last: f64,
    /// Weight of the profile of the minutes to come.
    pub profile_ahead: f64,
    /// Weight of the profile of the last half hour.
    pub profile_behind: f64,
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

/// The weights towards which the fit is pulled a little: half hour and profile are trusted alike.
const TRUST: [f64; 4] = [0.4, 0.1, 0.9, -0.4];
/// Moments that a fit needs.
const MOMENTS_MIN: usize = 100;
const WEEK_MINUTES: usize = 7 * 24 * 60;

/// What goes into a now-cast, in counts a step.
struct Inputs {
    half_hour: f64,
    last: f64,
    profile_ahead: f64,
    profile_behind: f64,
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

    /// The median of the mean over `[from, to)` as many minutes before, by weeks for four weeks, else by days for seven days.
    /// Only steps before `known` are read.
    fn profile(&self, from: usize, to: usize, known: usize) -> Option<f64> {
        let back = |minutes: usize, times: usize| -> Vec<f64> {
            (1..=times)
                .filter_map(|time| {
                    let shift = time * minutes / self.minutes;
                    let (from, to) = (from.checked_sub(shift)?, to.checked_sub(shift)?);
                    if to > known { None } else { self.mean(from, to) }
                })
                .collect()
        };
        let mut there = back(WEEK_MINUTES, 4);
        if there.is_empty() {
            there = back(24 * 60, 7);
        }
        if there.is_empty() {
            return None;
        }
        there.sort_unstable_by(f64::total_cmp);
        let middle = there.len() / 2;
        Some(if there.len() % 2 == 1 { there[middle] } else { (there[middle - 1] + there[middle]) / 2.0 })
    }

    fn inputs(&self, now: usize, ahead: usize) -> Option<Inputs> {
        let half_hour = (30 / self.minutes).max(1);
        let last = (10 / self.minutes).max(1);
        let behind = now.checked_sub(half_hour)?;
        let level = self.mean(behind, now)?;
        let profile_behind = self.profile(behind, now, now).unwrap_or(level);
        Some(Inputs {
            half_hour: level,
            last: self.mean(now.checked_sub(last)?, now).unwrap_or(level),
            profile_ahead: self.profile(now, now + ahead, now).unwrap_or(profile_behind),
            profile_behind,
        })
    }

    /// Fits the blend for a number of minutes ahead on the steps before `now`.
    pub fn fit(&self, now: usize, minutes_ahead: usize) -> Result<Blend, NowcastRefusal> {
        self.check()?;
        let ahead = steps_ahead(self.minutes, minutes_ahead)?;
        let mut sums = vec![0.0_f64; 16];
        let mut right = vec![0.0_f64; 4];
        let mut have = 0;
        for then in 0..now.saturating_sub(ahead) {
            let Some((inputs, was)) = self.inputs(then, ahead).zip(self.mean(then, then + ahead)) else { continue };
            have += 1;
            // Weighted by 1/level: the error of a count grows with the count.
            let weight = 1.0 / (inputs.half_hour + 1.0);
            let row = inputs.row();
            for i in 0..4 {
                right[i] += weight * row[i] * was;
                for j in 0..4 {
                    sums[i * 4 + j] += weight * row[i] * row[j];
                }
            }
        }
        if have < MOMENTS_MIN {
            return Err(NowcastRefusal::TooLittlePast { have, needed: MOMENTS_MIN });
        }
        let pull = 1e-3 * (0..4).map(|at| sums[at * 5]).sum::<f64>().max(1e-9);
        for (at, weight) in TRUST.into_iter().enumerate() {
            sums[at * 5] += pull;
            right[at] += pull * weight;
        }
        let weights = solve(sums, right);
        let weight = |at: usize| weights.get(at).copied().unwrap_or(0.0);
        Ok(Blend { half_hour: weight(0), last: weight(1), profile_ahead: weight(2), profile_behind: weight(3) })
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
        let weights = [blend.half_hour, blend.last, blend.profile_ahead, blend.profile_behind];
        let per_step: f64 = weights.iter().zip(inputs.row()).map(|(weight, input)| weight * input).sum();
        Ok((per_step * ahead as f64).max(0.0))
    }

    /// What anybody would say: the last half hour goes on.
    pub fn half_of_last_30_minutes(&self, now: usize, minutes_ahead: usize) -> Option<f64> {
        let ahead = steps_ahead(self.minutes, minutes_ahead).ok()?;
        let half_hour = (30 / self.minutes).max(1);
        Some(self.mean(now.checked_sub(half_hour)?, now)? * ahead as f64)
    }
}

impl Inputs {
    fn row(&self) -> [f64; 4] {
        [self.half_hour, self.last, self.profile_ahead, self.profile_behind]
    }
}

fn steps_ahead(step: usize, minutes: usize) -> Result<usize, NowcastRefusal> {
    if (5..=60).contains(&minutes) { Ok((minutes / step).max(1)) } else { Err(NowcastRefusal::Horizon { minutes }) }
}
