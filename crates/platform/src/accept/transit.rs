//! Where a vehicle of public transport stops next, and when: its place in its trip looked up in the timetable.
//!
//! What the data do not allow is left out, never guessed: a vehicle whose trip is not in the timetable gets
//! `inTimetable: false` and no next stop. Times are those of the timetable, later by the delay where the source
//! delivers one. A vehicle that has not reached its next stop a minute after that time gets no time for it, only by
//! how many seconds it is behind at least (`behindTimetable`).

use jiff::{
    SignedDuration,
    civil::{Date, date},
    tz::TimeZone,
};
use model::{
    Attribute, AttributeValue, DEFAULT_CONTEXT, Entity, EntityId, Iri, Origin, Quality, Timestamp, TripStop, TripTimes,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Document, Snapshot, StoreError};

use super::TransitRules;

/// A trip of the timetable, as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TripDocument(pub TripTimes);

impl Document for TripDocument {
    const COLLECTION: &'static str = "trips";

    fn key(&self) -> String {
        trip_key(&self.0.feed, &self.0.trip)
    }
}

fn trip_key(feed: &str, trip: &str) -> String {
    format!("{feed}/{trip}")
}

/// The attributes that this enrichment sets, and takes away when it knows nothing.
const SET: [&str; 5] = ["behindTimetable", "inTimetable", "nextStop", "nextStopAt", "nextStopName"];

/// For how long after its due time a vehicle may still be said to arrive at that time, seconds: positions are rounded
/// to stops, and times to the minute on the screen.
const BEHIND_S_MAX: f64 = 60.0;

/// Adds the next stop to a vehicle; gives the names of the attributes that it set or removed.
pub(super) fn enrich(
    vehicle: &mut Entity,
    rules: &TransitRules,
    snapshot: &Snapshot,
    tenant: &model::Tenant,
) -> Result<Vec<Iri>, StoreError> {
    let at = vehicle.attribute(rules.sequence.as_str()).and_then(|a| a.observed_at);
    let trip_id = vehicle.attribute(rules.trip.as_str()).and_then(text_of);
    let (Some(at), Some(trip_id)) = (at, trip_id) else { return Ok(vec![]) };
    let found = snapshot.document::<TripDocument>(tenant, &trip_key(&rules.timetable, &trip_id))?;
    let mut changed: Vec<Iri> = SET.map(own).into_iter().filter(|n| vehicle.attributes.remove(n).is_some()).collect();
    let mut set = |vehicle: &mut Entity, name: &str, value: AttributeValue| {
        let mut attribute = Attribute::new(value);
        attribute.observed_at = Some(at);
        attribute.unit_code = (name == "behindTimetable").then(|| "SEC".to_owned());
        attribute.quality =
            Some(Quality { origin: Origin::Modelled, source: Some(rules.timetable.clone()), ..Quality::default() });
        vehicle.set(own(name), attribute);
        changed.push(own(name));
    };
    set(vehicle, "inTimetable", AttributeValue::Property(Value::Bool(found.is_some())));
    let Some(trip) = found.map(|stored| stored.value.0) else { return Ok(changed) };
    for (name, value) in
        [("line", Some(&trip.line)), ("transportMode", Some(&trip.mode)), ("headsign", trip.headsign.as_ref())]
    {
        if let Some(value) = value.filter(|_| vehicle.attribute(own(name).as_str()).is_none()) {
            set(vehicle, name, AttributeValue::Property(Value::from(value.as_str())));
        }
    }
    let sequence = vehicle.attribute(rules.sequence.as_str()).and_then(Attribute::number);
    let standing = rules.at_stop.as_ref().and_then(|n| vehicle.attribute(n.as_str()));
    let standing = standing.is_some_and(|a| a.value == AttributeValue::Property(Value::Bool(true)));
    let Some(stop) = sequence.and_then(|n| next_stop(&trip, n, standing)) else { return Ok(changed) };
    let delay_s = rules.delay.as_ref().and_then(|n| vehicle.attribute(n.as_str())).and_then(Attribute::number);
    if let Some(due) = due(&trip, stop, at, delay_s.unwrap_or(0.0)) {
        let behind_s = at.seconds_since(due);
        if behind_s > BEHIND_S_MAX {
            // It is later than the timetable and the reported delay say: when it comes is not known.
            set(vehicle, "behindTimetable", AttributeValue::Property(Value::from(behind_s)));
        } else {
            set(vehicle, "nextStopAt", AttributeValue::Property(Value::from(due.to_string())));
        }
    }
    let Ok(id) = EntityId::parse(&rules.stop.replace("{stop_id}", &stop.stop)) else { return Ok(changed) };
    if let Some(name) =
        snapshot.entity(tenant, &id)?.and_then(|s| s.value.attribute(own("name").as_str()).and_then(text_of))
    {
        set(vehicle, "nextStopName", AttributeValue::Property(Value::from(name)));
    }
    set(vehicle, "nextStop", AttributeValue::Relationship { objects: vec![id], array: false, object_types: vec![] });
    Ok(changed)
}

fn own(name: &str) -> Iri {
    Iri::new(format!("{DEFAULT_CONTEXT}{name}"))
}

fn text_of(attribute: &Attribute) -> Option<String> {
    match &attribute.value {
        AttributeValue::Property(Value::String(text)) => Some(text.clone()),
        AttributeValue::Property(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// The stop that the vehicle goes to: the one of its sequence, or the one after it while it stands there.
fn next_stop(trip: &TripTimes, sequence: f64, standing: bool) -> Option<&TripStop> {
    trip.stops.iter().find(|stop| {
        let place = f64::from(stop.sequence);
        if standing { place > sequence } else { place >= sequence }
    })
}

/// When the vehicle is due at a stop: on the service day whose time lies nearest to the observation.
fn due(trip: &TripTimes, stop: &TripStop, at: Timestamp, delay_s: f64) -> Option<Timestamp> {
    let zone = TimeZone::get(&trip.zone).ok()?;
    let today = jiff::Timestamp::from(at).to_zoned_datetime(zone.clone()).date();
    let epoch: Date = date(1970, 1, 1);
    let days = [today.yesterday().ok()?, today, today.tomorrow().ok()?];
    let runs = days.into_iter().filter(|day| day.since(epoch).is_ok_and(|span| trip.runs_on(span.get_days())));
    let moments = runs.filter_map(|day| {
        // GTFS counts from noon minus 12 hours, which is not midnight on the days when the clock changes.
        let noon = day.at(12, 0, 0, 0).to_zoned_datetime(zone.clone()).ok()?.timestamp();
        #[expect(clippy::cast_possible_truncation, reason = "a delay of hours in whole seconds")]
        let after = i64::from(stop.arrival_s) - 43_200 + delay_s as i64;
        Some(Timestamp::from(noon.checked_add(SignedDuration::from_secs(after)).ok()?))
    });
    moments.min_by(|a, b| at.seconds_since(*a).abs().total_cmp(&at.seconds_since(*b).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip() -> TripTimes {
        let stop = |id: &str, sequence, arrival_s| TripStop {
            stop: id.to_owned(),
            sequence,
            arrival_s,
            departure_s: arrival_s,
        };
        // 2026-08-21 is day 20,686; the last stop is ten past midnight of the day after.
        TripTimes {
            feed: "timetable".to_owned(),
            trip: "7".to_owned(),
            line: "8".to_owned(),
            mode: "tram".to_owned(),
            headsign: None,
            zone: "Europe/Amsterdam".to_owned(),
            days: vec![(20_686, 20_686)],
            stops: vec![stop("a", 1, 85_000), stop("b", 2, 86_000), stop("c", 3, 87_000)],
        }
    }

    fn check(sequence: f64, standing: bool, at: &str, delay_s: f64, expect: &str) {
        let (trip, at) = (trip(), Timestamp::parse(at).unwrap());
        let said = next_stop(&trip, sequence, standing).map_or("none".to_owned(), |stop| {
            let due = due(&trip, stop, at, delay_s).map_or("never".to_owned(), |t| t.to_string());
            format!("{} {due}", stop.stop)
        });
        assert_eq!(said, expect);
    }

    #[test]
    fn a_moving_vehicle_goes_to_the_stop_of_its_sequence() {
        check(2.0, false, "2026-08-21T21:45:00Z", 0.0, "b 2026-08-21T21:53:20Z");
    }

    #[test]
    fn a_standing_vehicle_goes_to_the_stop_after_it() {
        check(2.0, true, "2026-08-21T21:53:20Z", 0.0, "c 2026-08-21T22:10:00Z");
        check(3.0, true, "2026-08-21T22:10:00Z", 0.0, "none");
    }

    #[test]
    fn after_midnight_the_trip_still_belongs_to_the_day_before() {
        check(3.0, false, "2026-08-21T22:05:00Z", 0.0, "c 2026-08-21T22:10:00Z");
    }

    #[test]
    fn a_delay_moves_the_time_and_another_day_has_none() {
        check(2.0, false, "2026-08-21T21:45:00Z", 90.0, "b 2026-08-21T21:54:50Z");
        check(2.0, false, "2026-08-28T21:45:00Z", 0.0, "b never");
    }
}
