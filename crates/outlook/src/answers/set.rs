//! A set and its series in a few words.

use forecast::series::DAY;
use model::Timestamp;

use crate::{
    hours::midnight,
    learn::MODEL_DAYS,
    models,
    picture::{Lane, Picture, count},
    scores,
    state::{Ground, Live, SetState},
    wire::{Notice, Point, SeriesBrief, SeriesStatus, Set, SetState as Stage},
};

/// The hours ahead that a model answers for.
pub(super) const HORIZON_HOURS: u32 = 168;

/// A set with its series.
pub(crate) fn set(state: &SetState, ground: &Ground, notices: &[Notice]) -> Set {
    let now = (ground.city)();
    let live = state.live();
    let facts = models::newest(&live.models, now);
    let next = facts.map(|facts| {
        let day = facts.until_day.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(MODEL_DAYS)));
        midnight(day, &ground.zone)
    });
    let picture = live.picture.as_deref();
    let settings = &state.set;
    Set {
        id: settings.id.clone(),
        title: settings.title.clone(),
        kind: settings.kind,
        state: stage(&live, facts.is_some()),
        reason: if facts.is_none() { live.reason.clone() } else { None },
        model: facts.map(models::Facts::brief),
        progress: live.progress.clone(),
        next_training_at: next,
        now,
        said_at: picture.filter(|picture| picture.model.is_some()).map(|picture| picture.said_at),
        minimum_count: settings.minimum_count,
        horizon_hours: HORIZON_HOURS,
        notices: notices.to_vec(),
        quality: picture.map(|picture| scores::told(&picture.quality, picture.set.minimum_count)).unwrap_or_default(),
        series: picture.map(series).unwrap_or_default(),
    }
}

fn stage(live: &Live, has_model: bool) -> Stage {
    match (has_model, &live.progress, live.failed) {
        (true, _, _) => Stage::Ready,
        (false, Some(_), _) => Stage::Training,
        (false, None, true) => Stage::Failed,
        (false, None, false) => Stage::None,
    }
}

fn series(picture: &Picture) -> Vec<SeriesBrief> {
    picture.lanes.iter().enumerate().map(|(place, lane)| brief(picture, place, lane)).collect()
}

/// A series in a few words.
pub(super) fn brief(picture: &Picture, place: usize, lane: &Lane) -> SeriesBrief {
    let card = &lane.card;
    let latest = (picture.end.saturating_sub(7 * DAY)..picture.end).rev().find_map(|slot| {
        let cell = picture.cell(place, slot)?;
        Some(count(picture.moments(slot).last()?, cell))
    });
    SeriesBrief {
        id: card.id.clone(),
        kind: card.kind,
        name: card.name.clone(),
        entity: card.entity.clone(),
        parts: card.parts.clone(),
        location: card.place,
        status: if lane.reason.is_none() { SeriesStatus::Ok } else { SeriesStatus::Insufficient },
        reason: lane.reason.clone(),
        latest,
        peak: peak(picture, lane, 0, DAY),
        quality: scores::quality(&lane.quality, picture.set.minimum_count),
    }
}

/// The busiest hour that is forecast, among hours of the week ahead.
pub(super) fn peak(picture: &Picture, lane: &Lane, from: usize, to: usize) -> Option<Point> {
    let hours = lane.week.get(from..to.min(lane.week.len()))?.iter().enumerate();
    let hours = hours.filter_map(|(hour, told)| Some((picture.end + from + hour, (*told)?)));
    let moment = |slot| -> Option<Timestamp> { picture.moments(slot).next() };
    let (at, said) = hours
        .filter_map(|(slot, said)| Some((moment(slot)?, said)))
        .max_by(|(_, one), (_, other)| one[1].total_cmp(&other[1]))?;
    Some(picture.veil.point(at, said))
}
