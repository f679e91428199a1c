//! Series side by side, with what each hour is expected to be from the same hour of earlier weeks, and what was left
//! over.
//!
//! Nothing here looks ahead: what is kept for a slot is made of values before it (`base`) or of that value and those
//! before it (`residual`). Features of a forecast read slots before its origin only, except `base` of the slot
//! forecast, which reaches back a week or more.

use jiff::civil::Date;

use crate::{
    calendar::Calendar,
    days::{DayFacts, day_facts},
    outside::Outside,
    series::{DAY, HourlySeries, Slot, WEEK, day_after, days_between},
};

/// Days over which the scale of a series is measured.
const SCALE_DAYS: usize = 182;

/// Series of one city on the same slots, with its calendar and what comes from outside.
pub struct Panel {
    /// The local day of slot 0.
    pub first_day: Date,
    /// Number of slots, those to be forecast included.
    pub slots: usize,
    /// The series, in the order in which they were given.
    pub series: Vec<Track>,
    /// What the series have in common.
    pub city: Common,
    /// What is known of each day.
    pub days: Vec<DayFacts>,
    /// Weather and the like.
    pub outside: Vec<Outside>,
    /// Names of the lists of days in the calendar.
    pub lists: Vec<String>,
}

/// One series with what follows from it.
pub struct Track {
    /// The series' name.
    pub name: String,
    /// The weekday of slot 0; 0 is Monday.
    pub first_weekday: usize,
    /// Values by slot; NaN where missing.
    pub values: Vec<f32>,
    /// What each slot is expected to be from the eight weeks before.
    pub base: Vec<f32>,
    /// Mean of the last four same weekdays at that hour.
    pub mean4: Vec<f32>,
    /// Mean of the same hour of the 28 days before.
    pub mean28: Vec<f32>,
    /// (value - base) / scale.
    pub residual: Vec<f32>,
    /// For each day the mean absolute difference of hours a day apart, over the half year before it; NaN when unknown.
    pub scale: Vec<f32>,
    /// Sums of residuals up to a slot.
    sums: Sums,
}

/// What the series of a city have in common.
pub struct Common {
    /// The median residual of the series at each slot; NaN where fewer than two have one.
    pub residual: Vec<f32>,
    sums: Sums,
}

/// Running sums that give the mean of any stretch at once.
struct Sums {
    sum: Vec<f64>,
    count: Vec<u32>,
}

impl Sums {
    fn of(values: &[f32]) -> Self {
        let mut sums = Self { sum: Vec::with_capacity(values.len() + 1), count: Vec::with_capacity(values.len() + 1) };
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        sums.sum.push(sum);
        sums.count.push(count);
        for value in values {
            if value.is_finite() {
                sum += f64::from(*value);
                count += 1;
            }
            sums.sum.push(sum);
            sums.count.push(count);
        }
        sums
    }

    /// The mean of `[from, to)`, when at least half of it is there.
    fn mean(&self, from: usize, to: usize) -> f32 {
        let to = to.min(self.count.len().saturating_sub(1));
        if from >= to {
            return f32::NAN;
        }
        let count = self.count[to] - self.count[from];
        if (count as usize) * 2 < to - from {
            f32::NAN
        } else {
            ((self.sum[to] - self.sum[from]) / f64::from(count)) as f32
        }
    }

    fn count(&self, from: usize, to: usize) -> u32 {
        let last = self.count.len().saturating_sub(1);
        self.count[to.min(last)] - self.count[from.min(to).min(last)]
    }
}

impl Panel {
    /// Puts series side by side. `days_ahead` days are added after the last value, to be forecast.
    pub fn new(
        series: &[HourlySeries],
        calendar: &Calendar,
        outside: Vec<(String, DailyValues)>,
        days_ahead: usize,
    ) -> Self {
        let first_day = series.iter().map(|s| s.first_day).min().unwrap_or_default();
        let end = |s: &HourlySeries| offset(first_day, s.first_day) + s.values.len();
        let slots = (series.iter().map(end).max().unwrap_or(0).div_ceil(DAY) + days_ahead) * DAY;
        let tracks: Vec<Track> = in_two(series, |s| Track::new(s, first_day, slots));
        let city = Common::of(&tracks, slots);
        let days = day_facts(first_day, slots / DAY, calendar);
        let outside =
            outside.into_iter().map(|(name, by_day)| Outside::daily(name, first_day, slots, &by_day)).collect();
        let lists = calendar.lists.keys().cloned().collect();
        Self { first_day, slots, series: tracks, city, days, outside, lists }
    }

    /// The slot at which a local day begins; `None` before the panel.
    pub fn slot_of_day(&self, day: Date) -> Option<Slot> {
        usize::try_from(days_between(self.first_day, day)).ok().map(|days| days * DAY)
    }

    /// The local day of a slot.
    pub fn day_of_slot(&self, slot: Slot) -> Date {
        day_after(self.first_day, slot / DAY)
    }
}

/// One value for each local day.
pub type DailyValues = std::collections::BTreeMap<Date, f32>;

impl Track {
    fn new(series: &HourlySeries, first_day: Date, slots: usize) -> Self {
        let mut values = vec![f32::NAN; slots];
        let from = offset(first_day, series.first_day);
        for (place, value) in values.iter_mut().skip(from).zip(&series.values) {
            *place = *value;
        }
        let scale = scales(&values);
        let mut track = Self {
            name: series.name.clone(),
            first_weekday: first_day.weekday().to_monday_zero_offset() as usize,
            base: vec![f32::NAN; slots],
            mean4: vec![f32::NAN; slots],
            mean28: means_of_28_days(&values),
            residual: vec![f32::NAN; slots],
            sums: Sums::of(&[]),
            values,
            scale,
        };
        for slot in WEEK..slots {
            (track.base[slot], track.mean4[slot]) = expected(&track.values, slot);
            if track.base[slot].is_nan() {
                track.base[slot] = track.mean28[slot];
            }
            track.residual[slot] = (track.values[slot] - track.base[slot]) / track.scale[slot / DAY];
        }
        track.sums = Sums::of(&track.residual);
        track
    }

    /// The value at a slot; NaN where there is none.
    pub fn at(&self, slot: Option<Slot>) -> f32 {
        slot.and_then(|slot| self.values.get(slot)).copied().unwrap_or(f32::NAN)
    }

    /// The mean residual of `[from, to)`; NaN when less than half of it is there.
    pub fn residual_mean(&self, from: Slot, to: Slot) -> f32 {
        self.sums.mean(from, to)
    }

    /// How many hours of `[from, to)` have a residual: a value, and something to compare it with.
    pub fn residual_count(&self, from: Slot, to: Slot) -> usize {
        self.sums.count(from, to) as usize
    }
}

impl Common {
    fn of(tracks: &[Track], slots: usize) -> Self {
        let mut residual = vec![f32::NAN; slots];
        let mut there: Vec<f32> = Vec::with_capacity(tracks.len());
        for (slot, place) in residual.iter_mut().enumerate() {
            there.clear();
            there.extend(tracks.iter().map(|track| track.residual[slot]).filter(|value| value.is_finite()));
            if there.len() >= 2 {
                *place = median(&mut there);
            }
        }
        let sums = Sums::of(&residual);
        Self { residual, sums }
    }

    /// The mean of `[from, to)`; NaN when less than half of it is there.
    pub fn residual_mean(&self, from: Slot, to: Slot) -> f32 {
        self.sums.mean(from, to)
    }
}

/// What a slot is expected to be: between mean and median of the last four and eight same weekdays at that hour. And
/// the mean of four.
fn expected(values: &[f32], slot: Slot) -> (f32, f32) {
    let mut weeks = [0.0_f32; 8];
    let (mut count4, mut count8) = (0, 0);
    for week in 1..=8 {
        let Some(at) = slot.checked_sub(week * WEEK) else { break };
        if values[at].is_finite() {
            weeks[count8] = values[at];
            count8 += 1;
            if week <= 4 {
                count4 = count8;
            }
        }
    }
    if count8 == 0 {
        return (f32::NAN, f32::NAN);
    }
    let mean4 = if count4 == 0 { f32::NAN } else { weeks[..count4].iter().sum::<f32>() / count4 as f32 };
    let mut four = weeks;
    let median4 = if count4 == 0 { f32::NAN } else { median(&mut four[..count4]) };
    let median8 = median(&mut weeks[..count8]);
    let base = if count4 == 0 { median8 } else { 0.5 * mean4 + 0.25 * median4 + 0.25 * median8 };
    (base, mean4)
}

/// The median; the mean of the two in the middle for an even count. NaN for none.
pub fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return f32::NAN;
    }
    values.sort_unstable_by(f32::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// For each day, the mean of |value - value a day before| over the half year before it. At least a week of it must be
/// there.
fn scales(values: &[f32]) -> Vec<f32> {
    let changes: Vec<f32> = (0..values.len())
        .map(|slot| if slot < DAY { f32::NAN } else { (values[slot] - values[slot - DAY]).abs() })
        .collect();
    let sums = Sums::of(&changes);
    (0..values.len() / DAY)
        .map(|day| {
            let (from, to) = (day.saturating_sub(SCALE_DAYS) * DAY, day * DAY);
            let count = sums.count(from, to);
            let mean = (sums.sum[to] - sums.sum[from]) / f64::from(count.max(1));
            // A series of nothing but zeros has no scale of its own: one person is the smallest there is.
            if (count as usize) < WEEK { f32::NAN } else { (mean as f32).max(0.5) }
        })
        .collect()
}

/// For each slot the mean of the same hour of the 28 days before, of which seven must be there.
fn means_of_28_days(values: &[f32]) -> Vec<f32> {
    let mut means = vec![f32::NAN; values.len()];
    for hour in 0..DAY {
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        for slot in (hour..values.len()).step_by(DAY) {
            if count >= 7 {
                means[slot] = (sum / f64::from(count)) as f32;
            }
            if values[slot].is_finite() {
                sum += f64::from(values[slot]);
                count += 1;
            }
            let leaves = slot.checked_sub(28 * DAY).map_or(f32::NAN, |slot| values[slot]);
            if leaves.is_finite() {
                sum -= f64::from(leaves);
                count -= 1;
            }
        }
    }
    means
}

fn offset(first_day: Date, day: Date) -> usize {
    usize::try_from(days_between(first_day, day)).unwrap_or(0) * DAY
}

/// Does the same with each item, on two threads; the answers are in the order of the items.
pub(crate) fn in_two<A: Sync, B: Send>(items: &[A], what: impl Fn(&A) -> B + Sync) -> Vec<B> {
    let (first, second) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let early = scope.spawn(|| first.iter().map(&what).collect::<Vec<B>>());
        let late: Vec<B> = second.iter().map(&what).collect();
        let mut all = early.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.extend(late);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expectation_is_between_mean_and_median_of_earlier_weeks() {
        let mut values = vec![f32::NAN; 9 * WEEK];
        for (week, value) in [10.0, 20.0, 30.0, 100.0].into_iter().enumerate() {
            values[8 * WEEK - (week + 1) * WEEK] = value;
        }
        let (base, mean4) = expected(&values, 8 * WEEK);
        assert_eq!(mean4, 40.0);
        assert_eq!(base, 0.5 * 40.0 + 0.25 * 25.0 + 0.25 * 25.0);
    }

    #[test]
    fn the_mean_of_28_days_forgets_the_29th() {
        let values: Vec<f32> = (0..40 * DAY).map(|slot| (slot / DAY) as f32).collect();
        let means = means_of_28_days(&values);
        assert_eq!(means[30 * DAY], (2..30).sum::<i32>() as f32 / 28.0);
        assert!(means[6 * DAY].is_nan());
        assert_eq!(means[7 * DAY], 3.0);
    }

    #[test]
    fn a_stretch_of_which_less_than_half_is_there_has_no_mean() {
        let sums = Sums::of(&[1.0, f32::NAN, f32::NAN, 5.0]);
        assert!(sums.mean(0, 3).is_nan());
        assert_eq!(sums.mean(0, 4), 3.0);
        assert!(sums.mean(4, 4).is_nan());
    }
}
