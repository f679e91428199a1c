//! What the model sees of one forecast hour: numbers that follow from the values before the origin, the calendar, and
//! what comes from outside.
//!
//! Values enter as differences from what the hour is expected to be (`base`), divided by the scale of the series, so
//! that one model serves quiet and busy series, and series that it never saw.

use crate::{
    panel::{Panel, Track},
    series::{DAY, Slot, WEEK},
};

/// Days before an origin that a forecast looks at: the holiday a year before (at most 430 days), the half year that gives its
/// scale, and a month to spare. A panel of these days answers as one of all days does.
pub const LOOK_BACK_DAYS: usize = 644;

/// One question: which series, from when, for when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The series, by its place in the panel.
    pub series: usize,
    /// The first slot that is not known.
    pub origin: Slot,
    /// The slot to be forecast: the origin or later, within a week.
    pub target: Slot,
}

/// The names of the features, in the order of [`fill`].
pub fn names(panel: &Panel) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| names.push(name.to_owned());
    (1..=8).for_each(|week| add(&format!("same hour {week} weeks before")));
    (1..=7).for_each(|day| add(&format!("same hour {day} days before")));
    for name in [
        "level: expected for the hour",
        "least of four weeks",
        "most of four weeks",
        "spread of eight weeks",
        "same hour of the last 28 days",
        "same hour of the last Saturday",
        "same hour of the last Sunday",
        "expected two hours before",
        "expected an hour before",
        "expected an hour after",
        "expected two hours after",
    ] {
        add(name);
    }
    for day in [1, 2, 3, 7] {
        add(&format!("surprise of the day {day} before"));
    }
    for name in [
        "surprise of the last week",
        "surprise of the last four weeks",
        "surprise at the same hour, last day",
        "surprise at the same hour, last week",
        "surprise of the last six hours",
        "surprise of the last two hours",
        "city: surprise of the last day",
        "city: surprise of the day before",
        "city: surprise a week before",
        "city: surprise of the last week",
        "city: surprise of the last four hours",
    ] {
        add(name);
    }
    for day in ["52 weeks before", "the same date last year", "the same holiday last year", "the last holiday"] {
        add(&format!("surprise at the hour, {day}"));
        add(&format!("city: surprise at the hour, {day}"));
        add(&format!("city: surprise of the day, {day}"));
    }
    for name in [
        "hour",
        "weekday",
        "day of the year",
        "days from Christmas",
        "days from Easter",
        "public holiday",
        "bridge day",
        "days to a holiday",
        "holidays among the four weeks before",
        "hours ahead",
    ] {
        add(name);
    }
    for list in &panel.lists {
        add(&format!("in list: {list}"));
        add(&format!("in list: {list}, in the weeks before"));
    }
    for outside in &panel.outside {
        add(&outside.name.clone());
        add(&format!("{}, against the last four weeks", outside.name));
        add(&format!("{}, a week before", outside.name));
    }
    names
}

/// What turns an answer of the model into a value: `base + scale x answer`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// What the hour is expected to be.
    pub base: f32,
    /// The scale of the series at the origin.
    pub scale: f32,
}

/// The frame of a question; `None` when the series has no scale or no expectation there.
pub fn frame(panel: &Panel, ask: Ask) -> Option<Frame> {
    let track = panel.series.get(ask.series)?;
    if ask.target < ask.origin || ask.target >= ask.origin + WEEK {
        return None;
    }
    let base = *track.base.get(ask.target)?;
    // `base` may fall back on the mean of the last 28 days, which looks at slots after the origin when the lead is
    // long.
    let weekly = (1..=8).any(|week| track.at(ask.target.checked_sub(week * WEEK)).is_finite());
    let base = if weekly { base } else { *track.mean28.get(same_hour_known(ask) + DAY)? };
    let scale = *track.scale.get(ask.origin / DAY)?;
    (base.is_finite() && scale.is_finite()).then_some(Frame { base, scale })
}

/// The last slot of the target's hour that is known at the origin, were there no gaps.
fn same_hour_known(ask: Ask) -> Slot {
    let lead = ask.target - ask.origin;
    ask.target.saturating_sub((lead / DAY + 1) * DAY)
}

/// Writes the features of a question, in the order of [`names`]; NaN is missing.
pub fn fill(panel: &Panel, ask: Ask, frame: Frame, row: &mut Vec<f32>) {
    row.clear();
    let Some(track) = panel.series.get(ask.series) else { return };
    lags(track, ask, frame, row);
    surprises(panel, track, ask, row);
    likenesses(panel, track, ask, row);
    calendar(panel, ask, row);
    outside(panel, ask, row);
}

fn lags(track: &Track, ask: Ask, frame: Frame, row: &mut Vec<f32>) {
    let relative = |value: f32| (value - frame.base) / frame.scale;
    let week = |week: usize| track.at(ask.target.checked_sub(week * WEEK));
    let weeks: [f32; 8] = std::array::from_fn(|at| week(at + 1));
    row.extend(weeks.iter().map(|value| relative(*value)));
    let known = same_hour_known(ask);
    row.extend((0..7).map(|day| relative(track.at(known.checked_sub(day * DAY)))));
    row.push(frame.base / frame.scale);
    let four = || weeks[..4].iter().copied().filter(|value| value.is_finite());
    row.push(relative(four().reduce(f32::min).unwrap_or(f32::NAN)));
    row.push(relative(four().reduce(f32::max).unwrap_or(f32::NAN)));
    row.push(spread(&weeks) / frame.scale);
    row.push(relative(track.mean28.get(known + DAY).copied().unwrap_or(f32::NAN)));
    for weekday in [5, 6] {
        let back = (0..7).find(|back| known >= back * DAY && weekday_of(known - back * DAY, ask, track) == weekday);
        row.push(relative(track.at(back.map(|back| known - back * DAY))));
    }
    for shift in [-2_isize, -1, 1, 2] {
        let at = ask.target.saturating_add_signed(shift);
        // An hour after the target may have "a week before" after the origin.
        let known = at < ask.origin + WEEK;
        row.push(if known { relative(track.mean4.get(at).copied().unwrap_or(f32::NAN)) } else { f32::NAN });
    }
}

fn weekday_of(slot: Slot, ask: Ask, track: &Track) -> usize {
    debug_assert!(slot < track.values.len() && slot < ask.origin);
    (track.first_weekday + slot / DAY) % 7
}

fn spread(values: &[f32]) -> f32 {
    let there = || values.iter().copied().filter(|value| value.is_finite());
    let count = there().count() as f32;
    if count < 2.0 {
        return f32::NAN;
    }
    let mean = there().sum::<f32>() / count;
    (there().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// How the last days went against what they were expected to be: of this series and of the city.
fn surprises(panel: &Panel, track: &Track, ask: Ask, row: &mut Vec<f32>) {
    let origin = ask.origin;
    let stretch = |from: usize, to: usize| (origin.saturating_sub(from), origin.saturating_sub(to));
    let of_track = |from: usize, to: usize| {
        let (from, to) = stretch(from, to);
        track.residual_mean(from, to)
    };
    let of_city = |from: usize, to: usize| {
        let (from, to) = stretch(from, to);
        panel.city.residual_mean(from, to)
    };
    for day in [1, 2, 3, 7] {
        row.push(of_track(day * DAY, (day - 1) * DAY));
    }
    row.push(of_track(WEEK, 0));
    row.push(of_track(4 * WEEK, 0));
    let known = same_hour_known(ask);
    let hours: Vec<f32> = (0..7)
        .filter_map(|day| known.checked_sub(day * DAY))
        .filter_map(|slot| track.residual.get(slot).copied())
        .collect();
    row.push(hours.first().copied().unwrap_or(f32::NAN));
    let there: Vec<f32> = hours.into_iter().filter(|value| value.is_finite()).collect();
    row.push(if there.is_empty() { f32::NAN } else { there.iter().sum::<f32>() / there.len() as f32 });
    row.push(of_track(6, 0));
    row.push(of_track(2, 0));
    row.push(of_city(DAY, 0));
    row.push(of_city(2 * DAY, DAY));
    row.push(of_city(7 * DAY, 6 * DAY));
    row.push(of_city(WEEK, 0));
    row.push(of_city(4, 0));
}

/// How days that are like the target went: a year ago, and the holidays before.
fn likenesses(panel: &Panel, track: &Track, ask: Ask, row: &mut Vec<f32>) {
    let facts = panel.days.get(ask.target / DAY);
    let hour = ask.target % DAY;
    let days = facts.map_or([None; 4], |f| [f.weeks_52, f.same_date, f.same_holiday, f.last_holiday]);
    for day in days {
        // A holiday shortly before the target may itself be after the origin.
        let known = day.filter(|day| (day + 1) * DAY <= ask.origin);
        let slot = known.map(|day| day * DAY + hour);
        let at = |values: &[f32]| slot.and_then(|slot| values.get(slot)).copied().unwrap_or(f32::NAN);
        row.push(at(&track.residual));
        row.push(at(&panel.city.residual));
        row.push(known.map_or(f32::NAN, |day| panel.city.residual_mean(day * DAY, (day + 1) * DAY)));
    }
}

fn calendar(panel: &Panel, ask: Ask, row: &mut Vec<f32>) {
    row.push((ask.target % DAY) as f32);
    let Some(facts) = panel.days.get(ask.target / DAY) else {
        row.extend([f32::NAN; 9]);
        row.extend(panel.lists.iter().flat_map(|_| [f32::NAN; 2]));
        return;
    };
    row.push(f32::from(facts.weekday));
    row.push(f32::from(facts.day_of_year));
    row.push(f32::from(facts.from_christmas));
    row.push(f32::from(facts.from_easter));
    row.push(f32::from(u8::from(facts.holiday)));
    row.push(f32::from(u8::from(facts.bridge)));
    row.push(f32::from(facts.to_holiday));
    row.push(f32::from(facts.holidays_in_lags));
    row.push((ask.target - ask.origin) as f32);
    for (in_list, before) in &facts.lists {
        row.push(f32::from(u8::from(*in_list)));
        row.push(*before);
    }
}

fn outside(panel: &Panel, ask: Ask, row: &mut Vec<f32>) {
    for outside in &panel.outside {
        row.push(outside.at(ask.target));
        row.push(outside.unusual(ask.target, ask.origin));
        row.push(ask.target.checked_sub(WEEK).map_or(f32::NAN, |slot| outside.at(slot)));
    }
}
