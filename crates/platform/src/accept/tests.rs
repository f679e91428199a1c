//! What becomes of delivered values: state, history, labels and counts.

use model::{
    AttributeValue, DEFAULT_CONTEXT, Geometry, NGSI_LD, Observation, ObservedValue, Origin, Quality, QualityFlags,
    SeriesKey, TripStop,
};
use serde_json::{Value, json};
use store::{Order, StoreOptions, TimeRange};

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn own(name: &str) -> Iri {
    Iri::new(format!("{DEFAULT_CONTEXT}{name}"))
}

fn id(text: &str) -> EntityId {
    EntityId::parse(text).unwrap()
}

fn city(text: &str) -> Moment {
    Moment { wall: at("2026-11-23T12:00:00Z"), city: at(text), live: true }
}

fn rules() -> Vec<SourceRules> {
    let speed = AttributeRules {
        to_unit: Some("KMH".to_owned()),
        range: Some([0.0, 50.0]),
        stuck_after_s: Some(600.0),
        history: true,
        persons_minimum: None,
    };
    let traffic = SourceRules {
        name: "traffic".to_owned(),
        late_after_s: Some(300.0),
        internal: false,
        attributes: [(own("averageVehicleSpeed"), speed)].into(),
        transit: None,
    };
    let transit = TransitRules {
        timetable: "timetable".to_owned(),
        trip: own("tripId"),
        sequence: own("stopSequence"),
        at_stop: Some(own("atStop")),
        delay: None,
        stop: "urn:x:stop:{stop_id}".to_owned(),
    };
    let vehicles = SourceRules { name: "vehicles".to_owned(), transit: Some(transit), ..SourceRules::default() };
    vec![traffic, vehicles]
}

fn accept() -> (Accept, Store) {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    (Accept::new(store.clone(), Tenant::default(), rules()), store)
}

/// A speed in metres per second of one station.
fn speed(metres_per_second: Value, moment: &str, line: u64) -> Incoming {
    let mut attribute = Attribute::property(metres_per_second);
    attribute.observed_at = Some(at(moment));
    attribute.unit_code = Some("MTS".to_owned());
    let mut entity = Entity::new(id("urn:x:1"), own("TrafficFlowObserved"), at(moment));
    entity.set(own("averageVehicleSpeed"), attribute);
    Incoming { source: "traffic".into(), entity, deleted: false, line }
}

fn state(store: &Store) -> (Value, Quality) {
    let entity = store.snapshot().unwrap().entity(&Tenant::default(), &id("urn:x:1")).unwrap().unwrap();
    let attribute = entity.value.attribute(own("averageVehicleSpeed").as_str()).unwrap().clone();
    let AttributeValue::Property(value) = attribute.value else { panic!("not a property") };
    (json!([value, attribute.unit_code, attribute.observed_at]), attribute.quality.unwrap())
}

fn history(store: &Store) -> Vec<String> {
    let key = SeriesKey { entity: id("urn:x:1"), attribute: own("averageVehicleSpeed"), dataset_id: None };
    let snapshot = store.snapshot().unwrap();
    let range = TimeRange { from: None, to: None };
    let history = snapshot.history();
    let found = history.range(&Tenant::default(), &[key], range, Order::Ascending, None).unwrap();
    let shown = |o: Observation| match o.value {
        ObservedValue::Number(n) => format!("{} {n}", o.at),
        other => format!("{} {other:?}", o.at),
    };
    found.map(|o| shown(o.unwrap())).collect()
}

#[test]
fn a_value_comes_to_its_unit_and_into_state_and_history() {
    let (accept, store) = accept();
    let batch = [speed(json!(10), "2026-08-21T09:00:00Z", 2)];
    let accepted = accept.accept(&batch, &city("2026-08-21T09:00:01Z")).unwrap();
    assert_eq!(accepted, Accepted { taken: 1, ..Accepted::default() });
    let (value, quality) = state(&store);
    assert_eq!(value, json!([36, "KMH", "2026-08-21T09:00:00Z"]));
    assert_eq!(quality.flags, QualityFlags::default());
    assert_eq!(quality.source.as_deref(), Some("traffic"));
    assert_eq!(history(&store), ["2026-08-21T09:00:00Z 36"]);
}

#[test]
fn an_older_value_is_history_only() {
    let (accept, store) = accept();
    let batch = [speed(json!(10), "2026-08-21T09:00:00Z", 2), speed(json!(5), "2026-08-21T08:55:00Z", 3)];
    assert_eq!(accept.accept(&batch, &city("2026-08-21T09:00:01Z")).unwrap().taken, 2);
    assert_eq!(state(&store).0, json!([36, "KMH", "2026-08-21T09:00:00Z"]));
    assert_eq!(history(&store), ["2026-08-21T08:55:00Z 18", "2026-08-21T09:00:00Z 36"]);
}

#[test]
fn a_replay_that_goes_back_takes_the_place_of_the_future() {
    let (accept, store) = accept();
    accept.accept(&[speed(json!(10), "2026-08-22T09:00:00Z", 2)], &city("2026-08-22T09:00:01Z")).unwrap();
    accept.accept(&[speed(json!(5), "2026-08-21T09:00:00Z", 3)], &city("2026-08-21T09:00:01Z")).unwrap();
    assert_eq!(state(&store).0, json!([18, "KMH", "2026-08-21T09:00:00Z"]));
}

#[test]
fn values_out_of_range_late_or_stuck_are_taken_and_marked() {
    let (accept, store) = accept();
    accept.accept(&[speed(json!(60), "2026-08-21T09:00:00Z", 2)], &city("2026-08-21T09:00:01Z")).unwrap();
    assert_eq!(state(&store).1.flags, QualityFlags { out_of_range: true, ..QualityFlags::default() });
    accept.accept(&[speed(json!(10), "2026-08-21T09:05:00Z", 2)], &city("2026-08-21T09:20:00Z")).unwrap();
    assert_eq!(state(&store).1.flags, QualityFlags { late: true, ..QualityFlags::default() });
    accept.accept(&[speed(json!(10), "2026-08-21T09:20:00Z", 2)], &city("2026-08-21T09:20:00Z")).unwrap();
    assert_eq!(state(&store).1.flags, QualityFlags { stuck: true, ..QualityFlags::default() });
}

#[test]
fn an_import_of_the_past_is_not_late() {
    let (accept, store) = accept();
    let import = Moment { live: false, ..city("2026-08-21T09:20:00Z") };
    accept.accept(&[speed(json!(10), "2026-08-20T09:05:00Z", 2)], &import).unwrap();
    assert_eq!(state(&store).1.flags, QualityFlags::default());
}

#[test]
fn a_bad_value_is_refused_with_its_line_and_holds_up_nobody() {
    let (accept, store) = accept();
    let batch = [speed(json!(-1), "2026-08-21T09:00:00Z", 7), speed(json!(10), "2026-08-21T09:05:00Z", 8)];
    let accepted = accept.accept(&batch, &city("2026-08-21T09:05:01Z")).unwrap();
    assert_eq!((accepted.taken, accepted.refused), (1, 1));
    insta::assert_snapshot!(accepted.problems[0], @"averageVehicleSpeed: for a TrafficFlowObserved it must be at least 0, and it is -1; correct the feed, or the kind and unit in city.toml");
    assert_eq!(accepted.problems[0].line, Some(7));
    assert_eq!(history(&store), ["2026-08-21T09:05:00Z 36"]);
}

#[test]
fn the_same_batch_twice_changes_nothing_and_doubles_nothing() {
    let (accept, store) = accept();
    let batch = [speed(json!(10), "2026-08-21T09:00:00Z", 2)];
    accept.accept(&batch, &city("2026-08-21T09:00:01Z")).unwrap();
    let version = store.snapshot().unwrap().entity(&Tenant::default(), &id("urn:x:1")).unwrap().unwrap().version;
    accept.accept(&batch, &city("2026-08-21T09:00:01Z")).unwrap();
    let again = store.snapshot().unwrap().entity(&Tenant::default(), &id("urn:x:1")).unwrap().unwrap().version;
    assert_eq!(version, again);
    assert_eq!(history(&store).len(), 1);
}

#[test]
fn an_entity_that_its_source_withdraws_is_gone() {
    let (accept, store) = accept();
    let mut gone = speed(json!(10), "2026-08-21T09:00:00Z", 2);
    accept.accept(std::slice::from_ref(&gone), &city("2026-08-21T09:00:01Z")).unwrap();
    gone.deleted = true;
    accept.accept(&[gone], &city("2026-08-21T09:00:02Z")).unwrap();
    assert!(store.snapshot().unwrap().entity(&Tenant::default(), &id("urn:x:1")).unwrap().is_none());
}

/// A tram on its way to the second stop of trip 7, and what is then known of it.
fn tram(trip: &str, moment: &str) -> Value {
    let (accept, store) = accept();
    let stop = |stop: &str, sequence, arrival_s| TripStop {
        stop: stop.to_owned(),
        sequence,
        arrival_s,
        departure_s: arrival_s,
    };
    let trip_times = TripTimes {
        feed: "timetable".to_owned(),
        trip: "7".to_owned(),
        line: "8".to_owned(),
        mode: "tram".to_owned(),
        headsign: Some("Spangen".to_owned()),
        zone: "Europe/Amsterdam".to_owned(),
        days: vec![(20_686, 20_686)],
        stops: vec![stop("a", 1, 40_800), stop("b", 2, 41_040)],
    };
    assert_eq!(accept.accept_trips(vec![trip_times]).unwrap(), 1);
    let now = city("2026-08-21T09:21:00Z");
    let mut beurs = Entity::new(id("urn:x:stop:b"), own("PublicTransportStop"), now.wall);
    beurs.set(own("name"), Attribute::property("Beurs"));
    let beurs = Incoming { source: "vehicles".into(), entity: beurs, deleted: false, line: 1 };
    accept.accept(&[beurs], &now).unwrap();
    let mut vehicle = Entity::new(id("urn:x:tram"), own("Vehicle"), now.wall);
    let mut set = |name: &str, value: Value| {
        let mut attribute = Attribute::property(value);
        attribute.observed_at = Some(at(moment));
        vehicle.set(own(name), attribute);
    };
    set("tripId", json!(trip));
    set("stopSequence", json!(2));
    set("atStop", json!(false));
    let location = AttributeValue::Geo(Geometry::point(4.5, 51.9).unwrap());
    vehicle.set(Iri::new(format!("{NGSI_LD}location")), Attribute::new(location));
    let vehicle = Incoming { source: "vehicles".into(), entity: vehicle, deleted: false, line: 1 };
    accept.accept(&[vehicle], &now).unwrap();
    let stored = store.snapshot().unwrap().entity(&Tenant::default(), &id("urn:x:tram")).unwrap().unwrap();
    let shown = ["line", "headsign", "nextStopName", "nextStopAt", "behindTimetable", "inTimetable"].map(|name| {
        let attribute = stored.value.attribute(own(name).as_str())?;
        assert_eq!(attribute.quality.as_ref().unwrap().origin, Origin::Modelled);
        match &attribute.value {
            AttributeValue::Property(value) => Some(value.clone()),
            _ => None,
        }
    });
    json!(shown)
}

#[test]
fn a_bare_position_becomes_a_line_and_a_next_stop_with_a_time() {
    let known = tram("7", "2026-08-21T09:20:30Z");
    assert_eq!(known, json!(["8", "Spangen", "Beurs", "2026-08-21T09:24:00Z", null, true]));
}

#[test]
fn a_vehicle_behind_its_timetable_gets_no_time_that_has_passed() {
    assert_eq!(tram("7", "2026-08-21T09:26:00Z"), json!(["8", "Spangen", "Beurs", null, 120.0, true]));
}

#[test]
fn a_vehicle_without_a_timetable_gets_no_guess() {
    assert_eq!(tram("bus-99", "2026-08-21T09:20:30Z"), json!([null, null, null, null, null, false]));
}
