//! What all series of a place do together.

use super::{NowcastRefusal, Steps};

/// Series below which there is no common trend: each would mostly see itself.
const SERIES_MIN: usize = 3;

/// How busy a place is, step by step: the counts of all its series over their means.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// 1 where it is as busy as on average; NaN where series with half of the counts are missing.
    factors: Option<Steps>,
}

/// How the common trend went lately, in factors.
pub(super) struct Lately {
    /// Mean of the last half hour.
    pub half_hour: f64,
    /// By how much the last ten minutes, and the half hour before the last, were above that, as shares.
    pub moves: [f64; 2],
    /// By how much earlier days rose from the last half hour to the minutes ahead, as a share.
    pub earlier_days: Option<f64>,
}

impl Trend {
    /// No trend: each series is looked at alone.
    pub fn alone() -> Self {
        Self { factors: None }
    }

    /// The trend of series that lie side by side: the same step, the same first minute. Means are taken over the
    /// steps before `known`. With fewer than three series there is none, see [`Trend::alone`].
    pub fn of(series: &[&Steps], known: usize) -> Result<Self, NowcastRefusal> {
        let Some(first) = series.first().filter(|_| series.len() >= SERIES_MIN) else { return Ok(Self::alone()) };
        if series.iter().any(|one| (one.minutes, one.first_minute) != (first.minutes, first.first_minute)) {
            return Err(NowcastRefusal::NotSideBySide);
        }
        let means: Vec<f64> = series
            .iter()
            .map(|one| one.sum(0, known.min(one.values.len())).map_or(0.0, |(sum, count)| sum / count as f64))
            .collect();
        let whole: f64 = means.iter().sum();
        let slots = series.iter().map(|one| one.values.len()).max().unwrap_or(0);
        let values = (0..slots).map(|slot| {
            let mut sums = (0.0, 0.0);
            for (one, mean) in series.iter().zip(&means) {
                if let Some(value) = one.values.get(slot).filter(|value| value.is_finite() && *mean > 0.0) {
                    sums = (sums.0 + f64::from(*value), sums.1 + mean);
                }
            }
            if sums.1 * 2.0 >= whole && sums.1 > 0.0 { (sums.0 / sums.1) as f32 } else { f32::NAN }
        });
        let values = values.collect();
        Ok(Self { factors: Some(Steps { minutes: first.minutes, first_minute: first.first_minute, values }) })
    }

    /// The factor of a step: 1 without a trend, `None` where it is not known.
    pub(super) fn at(&self, step: usize) -> Option<f64> {
        let Some(factors) = &self.factors else { return Some(1.0) };
        factors.values.get(step).map(|factor| f64::from(*factor)).filter(|factor| *factor > 0.0)
    }

    /// How it went before `now`; `None` without a trend, or without a factor in the last half hour.
    pub(super) fn lately(&self, now: usize, ahead: usize) -> Option<Lately> {
        let factors = self.factors.as_ref()?;
        let back = |minutes: usize| now.checked_sub((minutes / factors.minutes).max(1));
        let mean = |from: usize, to: usize| factors.sum(from, to).map(|(sum, count)| sum / count as f64);
        let behind = back(30)?;
        let half_hour = mean(behind, now).filter(|mean| *mean > 0.0)?;
        let over = |mean: Option<f64>| mean.map_or(0.0, |mean| mean / half_hour - 1.0);
        let profile = factors.profile(now, now + ahead, now).zip(factors.profile(behind, now, now));
        Some(Lately {
            half_hour,
            moves: [
                over(back(10).and_then(|from| mean(from, now))),
                over(back(60).and_then(|from| mean(from, behind))),
            ],
            earlier_days: profile.filter(|(_, behind)| *behind > 0.0).map(|(ahead, behind)| ahead / behind - 1.0),
        })
    }

    /// The mean factor of `[from, to)`, for a fit.
    pub(super) fn was(&self, from: usize, to: usize) -> Option<f64> {
        self.factors.as_ref()?.mean(from, to)
    }

    /// How many steps it has.
    pub(super) fn len(&self) -> usize {
        self.factors.as_ref().map_or(0, |factors| factors.values.len())
    }
}
