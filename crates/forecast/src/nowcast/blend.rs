//! How much weight each opinion on the next minutes deserves.

use serde::{Deserialize, Serialize};

use super::{NowcastRefusal, Steps, Trend, steps_ahead, trend::Lately};
use crate::linear::solve;

/// Moments that a fit needs.
const MOMENTS_MIN: usize = 100;
/// Moments that a fit reads, at most; more are thinned out evenly.
const MOMENTS_MAX: usize = 400_000;
/// Minutes of the means that are taken of what remains without the common trend.
const MEANS: [usize; 4] = [10, 30, 60, 120];
/// The common trend moves by this share at most.
const MOVE_MAX: f64 = 0.5;
/// Counts a step that are added to both sides of a ratio, so that a ratio of small counts stays near one.
const RATIO_COUNTS: f64 = 0.5;

/// How much of what carries over, fitted on the past of series for one number of minutes ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// Weights where earlier days give a profile: those of `without_profile`; the profile of the minutes ahead, and of the last
    /// half hour; the profile ahead moved by how the last half hour, and the last two hours, went against theirs.
    pub with_profile: [f64; 10],
    /// Weights where none does: the means of the last 10, 30, 60 and 120 minutes, moved along with the common trend;
    /// the plain means of the last half hour and ten minutes.
    pub without_profile: [f64; 6],
    /// How the common trend goes on, where it has a profile: from its last ten minutes, from the half hour before the last, and
    /// from earlier days.
    pub trend_with_profile: [f64; 3],
    /// How it goes on where it has none.
    pub trend_without_profile: [f64; 2],
}

/// What goes into a now-cast, in counts a step.
struct Inputs {
    level: f64,
    recent: [f64; 6],
    profile: Option<[f64; 4]>,
}

impl Blend {
    /// Fits the blend for a number of minutes ahead, pooled over series, on the steps of each before a moment. `trend` is
    /// that of these series, or [`Trend::alone`].
    pub fn fit(series: &[(&Steps, usize)], trend: &Trend, minutes_ahead: usize) -> Result<Self, NowcastRefusal> {
        let mut blend = Self {
            with_profile: [0.0; 10],
            without_profile: [0.0; 6],
            trend_with_profile: [0.0; 3],
            trend_without_profile: [0.0; 2],
        };
        for (steps, _) in series {
            steps.check()?;
        }
        let known = series.iter().map(|(_, known)| *known).max().unwrap_or(0);
        if let Some((steps, _)) = series.first() {
            blend.fit_trend(trend, known, steps_ahead(steps.minutes, minutes_ahead)?);
        }
        let mut with_profile = LeastSquares::<10>::default();
        let mut without_profile = LeastSquares::<6>::default();
        let stride = series.iter().map(|(_, known)| *known).sum::<usize>().div_ceil(MOMENTS_MAX).max(1);
        for (at, (steps, known)) in series.iter().enumerate() {
            let ahead = steps_ahead(steps.minutes, minutes_ahead)?;
            for now in (at % stride..known.saturating_sub(ahead)).step_by(stride) {
                let Some(was) = steps.mean(now, now + ahead) else { continue };
                let Some(inputs) = blend.inputs(steps, trend, now, ahead) else { continue };
                // The variance of a count grows with the count.
                let weight = 1.0 / (inputs.level + 0.5);
                without_profile.add(inputs.recent, was, weight);
                if let Some(row) = inputs.row() {
                    with_profile.add(row, was, weight);
                }
            }
        }
        let have = without_profile.moments;
        if have < MOMENTS_MIN {
            return Err(NowcastRefusal::TooLittlePast { have, needed: MOMENTS_MIN });
        }
        blend.without_profile = without_profile.solve([0.1, 0.3, 0.4, 0.0, 0.1, 0.1], RIDGE);
        blend.with_profile = if with_profile.moments < MOMENTS_MIN {
            std::array::from_fn(|at| blend.without_profile.get(at).copied().unwrap_or(0.0))
        } else {
            with_profile.solve([0.1, 0.2, 0.1, 0.0, 0.0, 0.1, 0.1, -0.1, 0.3, 0.2], RIDGE)
        };
        Ok(blend)
    }

    fn fit_trend(&mut self, trend: &Trend, known: usize, ahead: usize) {
        let mut with_profile = LeastSquares::<3>::default();
        let mut without_profile = LeastSquares::<2>::default();
        for now in 0..known.min(trend.len()).saturating_sub(ahead) {
            let Some((lately, was)) = trend.lately(now, ahead).zip(trend.was(now, now + ahead)) else { continue };
            let moved = was / lately.half_hour - 1.0;
            without_profile.add(lately.moves, moved, 1.0);
            if let Some(earlier) = lately.earlier_days {
                with_profile.add([lately.moves[0], lately.moves[1], earlier], moved, 1.0);
            }
        }
        self.trend_without_profile = without_profile.solve([0.0; 2], RIDGE_TREND);
        self.trend_with_profile = with_profile.solve([0.0, 0.0, 0.5], RIDGE_TREND);
    }

    /// Counts a step of the minutes after `now`; `None` when too little of the last half hour is there.
    pub(super) fn answer(&self, steps: &Steps, trend: &Trend, now: usize, ahead: usize) -> Option<f64> {
        let inputs = self.inputs(steps, trend, now, ahead)?;
        let sum = |weights: &[f64], row: &[f64]| weights.iter().zip(row).map(|(weight, input)| weight * input).sum();
        Some(match inputs.row() {
            Some(row) => sum(&self.with_profile, &row),
            None => sum(&self.without_profile, &inputs.recent),
        })
    }

    /// The factor of the common trend in the minutes ahead; 1 without a trend.
    fn trend_ahead(&self, lately: Option<&Lately>) -> f64 {
        let Some(lately) = lately else { return 1.0 };
        let [last, before] = lately.moves;
        let moved = match lately.earlier_days {
            Some(earlier) => {
                let [a, b, c] = self.trend_with_profile;
                a * last + b * before + c * earlier
            }
            None => self.trend_without_profile[0] * last + self.trend_without_profile[1] * before,
        };
        lately.half_hour * (1.0 + moved.clamp(-MOVE_MAX, MOVE_MAX))
    }

    fn inputs(&self, steps: &Steps, trend: &Trend, now: usize, ahead: usize) -> Option<Inputs> {
        let span = |minutes: usize| (minutes / steps.minutes).max(1);
        let behind = now.checked_sub(span(30))?;
        let level = steps.mean(behind, now)?;
        let last = steps.mean(now - span(10), now).unwrap_or(level);
        let lately = trend.lately(now, ahead);
        let known = lately.is_some();
        let factor = self.trend_ahead(lately.as_ref());
        let mut means = [level; MEANS.len()];
        let (mut sum, mut count, mut next) = (0.0, 0_usize, 0);
        for back in 1..=span(120) {
            let step = now.checked_sub(back);
            let value = step.and_then(|step| steps.values.get(step)).filter(|value| value.is_finite());
            let divisor = if known { step.and_then(|step| trend.at(step)) } else { Some(1.0) };
            if let Some((value, divisor)) = value.zip(divisor) {
                sum += f64::from(*value) / divisor;
                count += 1;
            }
            while next < MEANS.len() && back == span(MEANS[next]) {
                if count * 2 >= back {
                    means[next..].fill(factor * sum / count as f64);
                }
                next += 1;
            }
        }
        let [ten, thirty, sixty, longest] = means;
        let profile = steps.profile(now, now + ahead, now).zip(steps.profile(behind, now, now));
        let profile = profile.map(|(ahead, of_half_hour)| {
            let ratio = |was: f64, profile: f64| ((was + RATIO_COUNTS) / (profile + RATIO_COUNTS)).clamp(0.1, 10.0);
            let half_hour = ratio(level, of_half_hour);
            let two_hours = now
                .checked_sub(span(120))
                .and_then(|from| Some(ratio(steps.mean(from, now)?, steps.profile(from, now, now)?)));
            [ahead, of_half_hour, ahead * half_hour, ahead * two_hours.unwrap_or(half_hour)]
        });
        Some(Inputs { level, recent: [ten, thirty, sixty, longest, level, last], profile })
    }
}

impl Inputs {
    fn row(&self) -> Option<[f64; 10]> {
        let profile = self.profile?;
        let all = self.recent.iter().chain(&profile);
        let mut row = [0.0; 10];
        row.iter_mut().zip(all).for_each(|(place, input)| *place = *input);
        Some(row)
    }
}

/// Pull towards the weights that are trusted without a past, as a share of the mean product.
const RIDGE: f64 = 1e-4;
/// The same for the common trend.
const RIDGE_TREND: f64 = 1e-2;

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
    fn add(&mut self, row: [f64; N], was: f64, weight: f64) {
        self.moments += 1;
        for i in 0..N {
            self.answers[i] += weight * row[i] * was;
            for (product, other) in self.products[i].iter_mut().zip(row) {
                *product += weight * row[i] * other;
            }
        }
    }

    fn solve(mut self, trust: [f64; N], ridge: f64) -> [f64; N] {
        let pull = (ridge * (0..N).map(|at| self.products[at][at]).sum::<f64>() / N as f64).max(1e-9);
        for (at, weight) in trust.into_iter().enumerate() {
            self.products[at][at] += pull;
            self.answers[at] += pull * weight;
        }
        let solution = solve(self.products.concat(), self.answers.to_vec());
        std::array::from_fn(|at| solution.get(at).copied().unwrap_or(0.0))
    }
}
