//! Hourly series in local wall-clock time, with gaps that stay gaps.
//!
//! People live by the clock on the wall, so that "the same hour last week" is a wall-clock hour. A series is a row of
//! *slots*: 24 for each local day. On the day that has 23 hours one slot stays empty; on the day that has 25, two
//! hours share a slot, which holds their mean. What is wrong with the input is marked, and left out rather than
//! mended.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Hours of a wall-clock day.
pub const DAY: usize = 24;
/// Hours of a week.
pub const WEEK: usize = 7 * DAY;

/// Which hour: slots since 00:00 of the first day of the panel.
pub type Slot = usize;

/// A series of hourly values.
#[derive(Debug, Clone, PartialEq)]
pub struct HourlySeries {
    /// Its name, unique in a panel.
    pub name: String,
    /// The local day of slot 0.
    pub first_day: Date,
    /// One value for each slot; NaN where there is none.
    pub values: Vec<f32>,
    /// What was wrong with the input.
    pub marks: Vec<Mark>,
}

/// One fault in the input of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The wall-clock hour, such as `2025-03-30T02`.
    pub hour: String,
    /// What is wrong there.
    pub fault: Fault,
}

/// What can be wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Below zero.
    #[error("a count below zero: a counter that was reset or reads backwards; left out")]
    Negative,
    /// NaN or infinite.
    #[error("not a number; left out")]
    NotANumber,
    /// The same moment twice with the same value.
    #[error("the same value twice; counted once")]
    Repeated,
    /// The same moment twice with different values.
    #[error("two different values for one moment; both left out")]
    Contradicting,
    /// The two hours of a clock that was set back; they share a slot.
    #[error("the hour that the clock went through twice; the mean of both")]
    TwiceOnTheClock,
    /// At an hour that the clock skipped.
    #[error("at an hour that the clock skipped, so that it did not exist; kept as it is")]
    SkippedByTheClock,
    /// Earlier than the value before it.
    #[error("earlier than the value before it: delivered late, or the clock jumped; sorted in")]
    OutOfOrder,
    /// Not at the start of an hour.
    #[error("not at the start of an hour; left out")]
    BetweenHours,
    /// Far outside what the series ever was before (see [`HourlySeries::implausible`]).
    #[error("more than ten times the highest hour of the eight weeks before; left out")]
    Implausible,
}

impl HourlySeries {
    /// A series of values that are in wall-clock order already, 24 a day from 00:00 of `first_day`. Values that cannot
    /// be counts are marked and left out.
    pub fn from_slots(name: impl Into<String>, first_day: Date, values: Vec<f32>) -> Self {
        let mut series = Self { name: name.into(), first_day, values, marks: Vec::new() };
        for slot in 0..series.values.len() {
            let value = series.values[slot];
            let fault = if value < 0.0 {
                Fault::Negative
            } else if value.is_infinite() {
                Fault::NotANumber
            } else {
                continue;
            };
            series.values[slot] = f32::NAN;
            series.mark(slot, fault);
        }
        series
    }

    /// A series of values at wall-clock hours, as `(hour, value)` from 00:00 of `first_day` on. Two values at an hour that the
    /// clock went through twice share it; at any other hour the same value twice counts once, and different ones are
    /// left out. What is earlier than the one before is sorted in. All of that is marked.
    pub fn from_wall_clock(name: impl Into<String>, first_day: Date, zone: &TimeZone, hours: &[(Slot, f32)]) -> Self {
        let slots = hours.iter().map(|hour| hour.0 + 1).max().unwrap_or(0).div_ceil(DAY) * DAY;
        let mut series = Self { name: name.into(), first_day, values: vec![f32::NAN; slots], marks: Vec::new() };
        for pair in hours.windows(2) {
            // Stepping back one hour is the clock being set back, not disorder.
            if pair[1].0 + 1 < pair[0].0 {
                series.mark(pair[1].0, Fault::OutOfOrder);
            }
        }
        let mut good: Vec<(Slot, f32)> = Vec::with_capacity(hours.len());
        for &(slot, value) in hours {
            if value < 0.0 {
                series.mark(slot, Fault::Negative);
            } else if value.is_infinite() {
                series.mark(slot, Fault::NotANumber);
            } else if value.is_finite() {
                good.push((slot, value));
            }
        }
        good.sort_by_key(|hour| hour.0);
        for same in good.chunk_by(|a, b| a.0 == b.0) {
            series.fill_hour(same, zone);
        }
        series
    }

    /// Puts the values of one wall-clock hour, at least one, into its slot.
    fn fill_hour(&mut self, same: &[(Slot, f32)], zone: &TimeZone) {
        let Some(&(slot, first)) = same.first() else { return };
        let moments = moments_of(slot, self.first_day, zone).len();
        if moments == 0 {
            self.mark(slot, Fault::SkippedByTheClock);
        }
        self.values[slot] = if same.len() == 1 {
            first
        } else if moments == same.len() {
            self.mark(slot, Fault::TwiceOnTheClock);
            same.iter().map(|hour| hour.1).sum::<f32>() / same.len() as f32
        } else if same.iter().all(|hour| hour.1 == first) {
            self.mark(slot, Fault::Repeated);
            first
        } else {
            self.mark(slot, Fault::Contradicting);
            f32::NAN
        };
    }

    /// A series of hourly values at moments, each the start of its hour. Order and repetition do not matter, but are
    /// marked. `None` when no value is usable.
    pub fn from_moments(name: impl Into<String>, zone: &TimeZone, points: &[(Timestamp, f64)]) -> Option<Self> {
        let first = points.iter().map(|point| point.0).min()?;
        let last = points.iter().map(|point| point.0).max()?;
        let first_day = zone.to_datetime(first).date();
        let days = days_between(first_day, zone.to_datetime(last).date()) + 1;
        let slots = usize::try_from(days).ok()? * DAY;
        let mut series = Self { name: name.into(), first_day, values: vec![f32::NAN; slots], marks: Vec::new() };
        let points = series.sorted_points(points, zone);
        let mut seen: Vec<(Slot, f32)> = Vec::with_capacity(points.len());
        for (moment, value) in points {
            let local = zone.to_datetime(moment);
            let slot = slot_of(first_day, local.date(), local.hour());
            if local.minute() != 0 || local.second() != 0 || local.subsec_nanosecond() != 0 {
                series.mark(slot, Fault::BetweenHours);
            } else if !value.is_finite() {
                series.mark(slot, Fault::NotANumber);
            } else if value < 0.0 {
                series.mark(slot, Fault::Negative);
            } else {
                seen.push((slot, value as f32));
            }
        }
        series.fill(&seen);
        series.values.iter().any(|value| value.is_finite()).then_some(series)
    }

    /// Sorts by moment; marks what was out of order, twice or contradicting.
    fn sorted_points(&mut self, points: &[(Timestamp, f64)], zone: &TimeZone) -> Vec<(Timestamp, f64)> {
        let slot = |moment: Timestamp, first: Date| {
            let local = zone.to_datetime(moment);
            slot_of(first, local.date(), local.hour())
        };
        for pair in points.windows(2) {
            if pair[1].0 < pair[0].0 {
                self.mark(slot(pair[1].0, self.first_day), Fault::OutOfOrder);
            }
        }
        let mut sorted = points.to_vec();
        sorted.sort_by_key(|point| point.0);
        let mut kept: Vec<(Timestamp, f64)> = Vec::with_capacity(sorted.len());
        let mut contradicted = None;
        for point in sorted {
            match kept.last() {
                Some(last) if last.0 == point.0 && last.1.total_cmp(&point.1).is_eq() => {
                    self.mark(slot(point.0, self.first_day), Fault::Repeated);
                }
                Some(last) if last.0 == point.0 => {
                    self.mark(slot(point.0, self.first_day), Fault::Contradicting);
                    kept.pop();
                    contradicted = Some(point.0);
                }
                _ if contradicted == Some(point.0) => {}
                _ => kept.push(point),
            }
        }
        kept
    }

    /// Puts sorted values into their slots; two moments in one slot are the hour that the clock went through twice.
    fn fill(&mut self, seen: &[(Slot, f32)]) {
        for (at, &(slot, value)) in seen.iter().enumerate() {
            let twice = at > 0 && seen[at - 1].0 == slot;
            if twice {
                self.values[slot] = (seen[at - 1].1 + value) / 2.0;
                self.mark(slot, Fault::TwiceOnTheClock);
            } else if let Some(place) = self.values.get_mut(slot) {
                *place = value;
            }
        }
    }

    fn mark(&mut self, slot: Slot, fault: Fault) {
        let day = day_after(self.first_day, slot / DAY);
        self.marks.push(Mark { hour: format!("{day}T{:02}", slot % DAY), fault });
    }

    /// Marks and leaves out values that no crowd explains: above 1,000 and more than ten times the highest hour of the
    /// eight weeks before, of which half must be there. They look like totals that a counter delivered at once after
    /// an outage. A second such value within eight weeks is taken for a new level, and kept. Looks back only.
    #[must_use]
    pub fn without_implausible(mut self) -> Self {
        let span = 56 * DAY;
        let suspects: Vec<Slot> = (span..self.values.len())
            .filter(|&slot| self.values[slot] > 1_000.0)
            .filter(|&slot| {
                let before = self.values[slot - span..slot].iter().filter(|value| value.is_finite());
                before.clone().count() * 2 >= span && self.values[slot] > 10.0 * before.fold(0.0_f32, |a, b| a.max(*b))
            })
            .collect();
        for slot in suspects {
            self.values[slot] = f32::NAN;
            self.mark(slot, Fault::Implausible);
        }
        self
    }

    /// The last days of the series, at most as many: enough to forecast from when they are
    /// [`LOOK_BACK_DAYS`](crate::features::LOOK_BACK_DAYS).
    #[must_use]
    pub fn last_days(mut self, days: usize) -> Self {
        let all = self.values.len().div_ceil(DAY);
        let dropped = all.saturating_sub(days);
        self.values.drain(..dropped * DAY);
        self.first_day = day_after(self.first_day, dropped);
        self
    }

    /// The value at a slot; NaN where there is none.
    pub fn at(&self, slot: Slot) -> f32 {
        self.values.get(slot).copied().unwrap_or(f32::NAN)
    }
}

/// The moments of a slot: none on the hour that the clock skips, two on the hour that it goes through twice.
pub fn moments_of(slot: Slot, first_day: Date, zone: &TimeZone) -> Vec<Timestamp> {
    let day = day_after(first_day, slot / DAY);
    let local = day.at((slot % DAY) as i8, 0, 0, 0);
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).into_iter().collect(),
        jiff::tz::AmbiguousOffset::Gap { .. } => Vec::new(),
        jiff::tz::AmbiguousOffset::Fold { before, after } => {
            [before, after].into_iter().filter_map(|offset| offset.to_timestamp(local).ok()).collect()
        }
    }
}

/// The slot in which a moment lies; `None` before the first day.
pub fn slot_at(moment: Timestamp, first_day: Date, zone: &TimeZone) -> Option<Slot> {
    let local = zone.to_datetime(moment);
    let days = usize::try_from(days_between(first_day, local.date())).ok()?;
    Some(days * DAY + usize::try_from(local.hour()).ok()?)
}

/// Days from one date to another; negative when the second is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    to.duration_since(from).as_hours() as i32 / 24
}

/// The date as many days later; the last date there is when that is beyond it.
pub fn day_after(day: Date, days: usize) -> Date {
    let span = jiff::SignedDuration::from_hours(days as i64 * 24);
    day.saturating_add(span)
}

fn slot_of(first_day: Date, day: Date, hour: i8) -> Slot {
    usize::try_from(days_between(first_day, day)).unwrap_or(0) * DAY + usize::try_from(hour).unwrap_or(0)
}
