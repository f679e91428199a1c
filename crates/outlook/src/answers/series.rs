//! One series: what is expected of it, and what was said of it before.

use std::collections::BTreeMap;

use forecast::series::{DAY, Slot, day_after};
use model::Timestamp;
use support::crowd::Cell;

use super::set::{HORIZON_HOURS, brief};
use crate::{
    OutlookError, calendar,
    hours::{Hours, days_before},
    models::Facts,
    picture::{Picture, count},
    scores,
    wire::{Basis, Count, Forecast, Point, RecordHour, Said, SeriesRecord, Validity},
};

/// Days of counts that are told beside a forecast.
const OBSERVED_DAYS: usize = 14;

fn missing(series: &str) -> OutlookError {
    OutlookError::Missing { what: "series", name: series.to_owned() }
}

/// What is expected of a series in the next hours.
pub(crate) fn forecast(
    picture: &Picture,
    series: &str,
    hours: usize,
    now: Timestamp,
) -> Result<Forecast, OutlookError> {
    let (place, lane) = picture.lane(series).ok_or_else(|| missing(series))?;
    let slots = picture.end..picture.end + lane.week.len();
    let moments = slots.clone().flat_map(|slot| picture.moments(slot).map(move |at| (slot, at)));
    let moments: Vec<(Slot, Timestamp)> = moments.take(hours).collect();
    let point = |(slot, at): &(Slot, Timestamp)| -> Option<Point> {
        let told = lane.week.get(slot - picture.end).copied().flatten()?;
        Some(picture.veil.point(*at, told))
    };
    let last = moments.last().map_or(picture.end, |(slot, _)| *slot);
    let days = picture.end / DAY..=last / DAY;
    let calendar =
        days.filter_map(|day| calendar::told(&picture.set, &picture.calendar, day_after(picture.first_day, day)));
    let basis = lane.basis.as_ref().map(|basis| Basis {
        history_days: basis.history_days as u64,
        recent_hours: basis.recent_hours as u64,
        inputs_share: f64::from(basis.inputs_share),
        missing_inputs: basis.missing.clone(),
    });
    Ok(Forecast {
        set: picture.set.id.clone(),
        series: brief(picture, place, lane),
        now,
        said_at: picture.model.as_ref().map(|_| picture.said_at),
        model: picture.model.as_ref().map(Facts::brief),
        minimum_count: picture.set.minimum_count,
        points: moments.iter().filter_map(point).collect(),
        typical: typical(picture, place, &moments),
        observed: picture.counts(place, picture.end.saturating_sub(OBSERVED_DAYS * DAY), picture.end),
        basis,
        validity: Validity {
            horizon_hours: HORIZON_HOURS,
            scale: lane.scale,
            scale_max: picture.model.as_ref().map(|facts| 20.0 * f64::from(facts.scale_max)),
        },
        calendar: calendar.collect(),
    })
}

/// The mean of the last four same weekdays, as it may be told: what is suppressed for one series may take others of
/// its area with it.
fn typical(picture: &Picture, place: usize, moments: &[(Slot, Timestamp)]) -> Vec<Count> {
    let mut by_slot: BTreeMap<Slot, Cell> = BTreeMap::new();
    for (slot, _) in moments {
        by_slot.entry(*slot).or_insert_with(|| {
            let means = picture.lanes.iter().map(|lane| scores::four_week_mean(&lane.values, *slot));
            picture.veil.hour(means).get(place).copied().unwrap_or(Cell::Unknown)
        });
    }
    let told = moments.iter().filter_map(|(slot, at)| {
        let cell = by_slot.get(slot).copied().filter(|cell| *cell != Cell::Unknown)?;
        Some(count(*at, cell))
    });
    told.collect()
}

/// What was said of a series at each midnight, and what was counted.
pub(crate) fn record(picture: &Picture, series: &str, days: u32, now: Timestamp) -> Result<SeriesRecord, OutlookError> {
    let (place, lane) = picture.lane(series).ok_or_else(|| missing(series))?;
    let mut hours = vec![];
    for day in (1..=days as usize).rev().map(|back| days_before(picture.today, back)) {
        if day < picture.first_day {
            continue;
        }
        let told = picture.record.said_of(series, day, 0);
        let said_by = picture.record.day(day);
        for hour in 0..DAY {
            let slot = picture.slot_of(day) + hour;
            let said = told.and_then(|hours| hours.get(hour).copied().flatten()).zip(said_by);
            let cell = picture.cell(place, slot);
            let inside = said.zip(cell).and_then(|((told, _), cell)| {
                let was = *lane.values.get(slot)?;
                let is_told = matches!(cell, Cell::Shown(_)) && told[1] >= picture.set.minimum_count as f32;
                is_told.then_some(told[0] <= was && was <= told[2])
            });
            hours.extend(picture.moments(slot).map(|at| RecordHour {
                at,
                said: said.map(|(told, by)| Said {
                    model: by.model.clone(),
                    hindcast: by.hindcast,
                    point: picture.veil.point(at, told),
                }),
                counted: cell.map(|cell| count(at, cell)),
                inside,
            }));
        }
    }
    let known = Hours { first_day: picture.first_day, end: picture.end, ..Hours::default() };
    let window = (picture.today, days as usize);
    let table = scores::table(&picture.record, &known, (series, &lane.values), window, lane.mase_scale);
    Ok(SeriesRecord {
        set: picture.set.id.clone(),
        series: brief(picture, place, lane),
        now,
        minimum_count: picture.set.minimum_count,
        days,
        hours,
        summary: scores::told(&table, picture.set.minimum_count),
    })
}
