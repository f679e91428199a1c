//! The next minutes: how the last two hours went, what all series of the place do together, and what earlier weeks say.
//!
//! Counts come at 1 to 15 minutes. A short mean follows the level and is noisy, a long one is steady and late: so the
//! last minutes are divided by the common trend of all series ([`Trend`]), which is known well because it is a sum over many,
//! and a long mean of what remains is late no more. The profile is the median of the same minutes of earlier weeks, or
//! of like days where there are none. How much weight each deserves is learned from the past of all series by least
//! squares ([`Blend`]): noisy counters get long means, steady ones their last values.

mod blend;
mod trend;

pub use blend::Blend;
pub use trend::Trend;

use serde::{Deserialize, Serialize};

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
    /// Series that are not on the same steps have no common trend.
    #[error("series that begin at different minutes or have different steps have no common trend")]
    NotSideBySide,
    /// Asked for the past, or too far ahead.
    #[error("{minutes} minutes ahead; a now-cast answers for 5 to 60 minutes")]
    Horizon {
        /// Minutes asked for.
        minutes: usize,
    },
}

impl Steps {
    fn check(&self) -> Result<(), NowcastRefusal> {
        let fits = (1..=STEP_MINUTES_MAX).contains(&self.minutes) && 60 % self.minutes == 0;
        if fits { Ok(()) } else { Err(NowcastRefusal::Step { minutes: self.minutes }) }
    }

    /// The mean of the steps `[from, to)` that are there, when at least half of them are.
    fn mean(&self, from: usize, to: usize) -> Option<f64> {
        let (sum, count) = self.sum(from, to)?;
        (count * 2 >= to - from).then(|| sum / count as f64)
    }

    /// The sum and the number of the steps `[from, to)` that are there; `None` without any.
    fn sum(&self, from: usize, to: usize) -> Option<(f64, usize)> {
        let there = self.values.get(from..to)?.iter().filter(|value| value.is_finite());
        let (sum, count) = there.fold((0.0, 0), |(sum, count), value| (sum + f64::from(*value), count + 1));
        (count > 0).then_some((sum, count))
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

    /// The count of the minutes after `now`, given the steps before it. `trend` is that of the place to which the series
    /// belongs, up to `now` at least, or [`Trend::alone`].
    pub fn nowcast(
        &self,
        blend: &Blend,
        trend: &Trend,
        now: usize,
        minutes_ahead: usize,
    ) -> Result<f64, NowcastRefusal> {
        self.check()?;
        let ahead = steps_ahead(self.minutes, minutes_ahead)?;
        let per_step = blend.answer(self, trend, now, ahead).ok_or_else(|| {
            let needed = (30 / self.minutes).max(1);
            let last = self.values.get(now.saturating_sub(needed)..now.min(self.values.len())).unwrap_or_default();
            NowcastRefusal::TooFewCounts {
                have: last.iter().filter(|v| v.is_finite()).count(),
                needed: needed.div_ceil(2),
            }
        })?;
        Ok((per_step * ahead as f64).max(0.0))
    }

    /// What anybody would say: the last half hour goes on.
    pub fn half_of_last_30_minutes(&self, now: usize, minutes_ahead: usize) -> Option<f64> {
        let ahead = steps_ahead(self.minutes, minutes_ahead).ok()?;
        let half_hour = (30 / self.minutes).max(1);
        Some(self.mean(now.checked_sub(half_hour)?, now)? * ahead as f64)
    }

    /// The least error that is left when the mean is known exactly, as a share of the counts: how much a step differs from its
    /// two neighbours, less what their own scatter adds. `None` without three steps in a row. Reads `[from, to)`.
    pub fn scatter(&self, from: usize, to: usize, minutes_ahead: usize) -> Option<Scatter> {
        let ahead = steps_ahead(self.minutes, minutes_ahead).ok()? as f64;
        let mut scatter = Scatter::default();
        for three in self.values.get(from..to)?.windows(3).filter(|three| three.iter().all(|value| value.is_finite())) {
            let bend = f64::from(three[1]) - f64::midpoint(f64::from(three[0]), f64::from(three[2]));
            // The bend has 1.5 times the variance of a step, the sum of the steps ahead `ahead` times.
            scatter.error += bend.abs() * (ahead / 1.5).sqrt();
            scatter.counts += f64::from(three[1]) * ahead;
        }
        (scatter.counts > 0.0).then_some(scatter)
    }
}

/// Errors that no forecast avoids, and the counts that they belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scatter {
    /// Sum of the absolute errors.
    pub error: f64,
    /// Sum of the counts.
    pub counts: f64,
}

const DAY_MINUTES: usize = 24 * 60;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES;

fn steps_ahead(step: usize, minutes: usize) -> Result<usize, NowcastRefusal> {
    if (5..=60).contains(&minutes) {
        Ok((minutes / step.max(1)).max(1))
    } else {
        Err(NowcastRefusal::Horizon { minutes })
    }
}
