//! The week ahead for whoever makes the roster.

use forecast::series::{DAY, day_after};
use jiff::civil::Date;
use model::Timestamp;

use super::set::peak;
use crate::{
    calendar,
    picture::{Lane, Picture},
    scores::four_week_mean,
    wire::{BandFrom, Kind, Total, Week, WeekDay, WeekSeries},
};

/// Days of the week ahead, today included.
const DAYS: usize = 7;

/// The week ahead of every series.
pub(crate) fn week(picture: &Picture, now: Timestamp) -> Week {
    let days: Vec<Date> = (0..DAYS).map(|ahead| day_after(picture.today, ahead)).collect();
    let series = picture.lanes.iter().map(|lane| WeekSeries {
        id: lane.card.id.clone(),
        kind: lane.card.kind,
        name: lane.card.name.clone(),
        days: if lane.week.is_empty() {
            vec![]
        } else {
            days.iter().enumerate().map(|(ahead, day)| of_day(picture, lane, *day, ahead)).collect()
        },
    });
    Week {
        set: picture.set.id.clone(),
        now,
        said_at: picture.model.as_ref().map(|_| picture.said_at),
        minimum_count: picture.set.minimum_count,
        days: days.iter().map(Date::to_string).collect(),
        calendar: days.iter().filter_map(|day| calendar::told(&picture.set, &picture.calendar, *day)).collect(),
        series: series.collect(),
    }
}

/// What adds up to a day.
#[derive(Default)]
struct Sum {
    /// Hours, as many as the clock goes through.
    hours: u32,
    hours_counted: u32,
    counted: f64,
    /// Of the hours to come: the quantiles 10, 50 and 90, added up.
    said: [f64; 3],
    usual: f64,
    usual_hours: u32,
    /// Hours of which neither is known.
    missing: u32,
}

fn sum(picture: &Picture, lane: &Lane, day: Date) -> Sum {
    let mut sum = Sum::default();
    let first = picture.slot_of(day);
    for slot in first..first + DAY {
        // None on the hour that the clock skips, two on the hour that it goes through twice.
        for _ in picture.moments(slot) {
            sum.hours += 1;
            let usual = four_week_mean(&lane.values, slot);
            if usual.is_finite() {
                sum.usual += f64::from(usual);
                sum.usual_hours += 1;
            }
            if slot < picture.end {
                match lane.values.get(slot).filter(|value| value.is_finite()) {
                    Some(value) => {
                        sum.counted += f64::from(*value);
                        sum.hours_counted += 1;
                    }
                    None => sum.missing += 1,
                }
                continue;
            }
            match lane.week.get(slot - picture.end).copied().flatten() {
                Some(told) => sum.said.iter_mut().zip(told).for_each(|(sum, told)| *sum += f64::from(told)),
                None => sum.missing += 1,
            }
        }
    }
    sum
}

fn of_day(picture: &Picture, lane: &Lane, day: Date, ahead: usize) -> WeekDay {
    let sum = sum(picture, lane, day);
    // An occupancy is not added up: its day is the mean of its hours.
    let share = if picture.set.kind == Kind::Occupancy { 1.0 / f64::from(sum.hours.max(1)) } else { 1.0 };
    let ratios = lane.ratios.get(ahead).copied().flatten();
    let [low, middle, high] = match ratios {
        Some((low, high)) => [low * sum.said[1], sum.said[1], high * sum.said[1]],
        None => sum.said,
    }
    .map(|said| (sum.counted + said) * share);
    let is_whole = sum.missing == 0;
    let shown = picture.veil.total(middle).filter(|_| is_whole);
    let usual = (sum.usual_hours == sum.hours && sum.hours > 0).then_some(sum.usual * share);
    let total = is_whole.then(|| Total {
        p10: shown.and_then(|_| picture.veil.total(low)),
        p50: shown,
        p90: shown.and_then(|_| picture.veil.total(high)),
        band_from: if ratios.is_some() { BandFrom::Record } else { BandFrom::Hours },
    });
    let told_usual = usual.and_then(|usual| picture.veil.total(usual));
    let from = picture.slot_of(day).saturating_sub(picture.end);
    let to = (picture.slot_of(day) + DAY).saturating_sub(picture.end);
    WeekDay {
        date: day.to_string(),
        hours_counted: sum.hours_counted,
        hours_forecast: sum.hours - sum.hours_counted - sum.missing,
        total,
        usual: told_usual,
        difference: shown.zip(told_usual).map(|(total, usual)| total / usual - 1.0).filter(|value| value.is_finite()),
        peak: peak(picture, lane, from, to),
    }
}
