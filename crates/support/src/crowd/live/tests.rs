//! A watched site from reading to alert.

use super::{
    super::{
        ClosedHours, CountKind, Counts, FlowStatus, Knowledge, Limit, Thresholds, counter::plus_s, test_sites::square,
    },
    *,
};

/// 2026-06-01T00:00:00Z, a Monday.
fn at(minute: f64) -> Timestamp {
    plus_s(Timestamp::from_micros(1_780_272_000_000_000), minute * 60.0)
}

fn site() -> Site {
    let mut site = square();
    site.areas[0].thresholds = Thresholds {
        density_m2: None,
        specific_flow_ped_m_min: None,
        occupancy_share: Some(Limit { amber: 0.5, red: 0.9 }),
        ..Thresholds::default()
    };
    site
}

fn live(site: &Site) -> Live {
    Live::new(site, LiveSettings::default(), at(0.0), Start::Empty, TimeZone::UTC)
}

/// Plays minutes; each gate counts what `count` says.
fn play(
    live: &mut Live,
    minutes: std::ops::Range<u32>,
    count: impl Fn(&str, u32) -> Option<(f64, f64)>,
) -> Vec<(f64, AlertHappening)> {
    let mut happened = Vec::new();
    for minute in minutes {
        let start = f64::from(minute);
        for gate in ["north", "east", "south", "west"] {
            if let Some((forward, backward)) = count(gate, minute) {
                let counts = Counts::Interval { forward, backward };
                let reading = Reading { counter: gate.into(), start: at(start), length_s: 60.0, counts };
                live.observe(&reading, at(start + 1.0)).unwrap();
            }
        }
        let (done, problems) = live.advance(at(start + 1.5));
        assert!(problems.is_empty(), "{problems:?}");
        happened.extend(done.into_iter().flat_map(|done| done.alerts).map(|(_, what)| (start, what)));
    }
    happened
}

#[test]
fn a_square_that_fills_is_predicted_then_red_in_one_alert_and_can_be_acknowledged() {
    let mut live = live(&site());
    let happened = play(&mut live, 0..60, |_, minute| Some((f64::from(minute % 3), 0.0)));
    assert!(matches!(happened[0].1, AlertHappening::Raised { is_now: false, .. }), "{happened:?}");
    let arrived = happened.iter().find(|(_, what)| *what == AlertHappening::Arrived).unwrap();
    assert!(arrived.0 - happened[0].0 >= 5.0, "{happened:?}");
    assert_eq!(happened.iter().filter(|(_, what)| matches!(what, AlertHappening::Raised { .. })).count(), 1);
    let picture = live.picture("square").unwrap();
    assert_eq!((picture.colour, picture.occupancy.knowledge), (Colour::Red, Knowledge::Known));
    assert!((picture.density_m2.unwrap() - 2.4).abs() < 1e-6 && picture.rise_per_min.unwrap() > 0.0);
    assert_eq!(picture.time_to_capacity_min, Some(0.0));
    let taken = live.decide("square", &AlertEvent::Acknowledge { by: "A. de Vries".into() }, at(60.0)).unwrap();
    assert_eq!(taken, [AlertHappening::Acknowledged { by: "A. de Vries".into() }]);
    assert!(live.decide("moon", &AlertEvent::Acknowledge { by: "A. de Vries".into() }, at(60.0)).is_err());
}

#[test]
fn what_is_red_now_raises_an_alert_also_when_nothing_can_be_projected() {
    let mut live = live(&site());
    let measure = crate::crowd::Measure::Close { gate: "moon".into() };
    live.set_decided(Plan { measures: vec![crate::crowd::Planned { measure, from: at(0.0), until: None }] });
    for minute in 0..5 {
        let start = f64::from(minute);
        for gate in ["north", "east", "south", "west"] {
            let counts = Counts::Interval { forward: 20.0 + start, backward: 0.0 };
            live.observe(&Reading { counter: gate.into(), start: at(start), length_s: 60.0, counts }, at(start + 1.0))
                .unwrap();
        }
        live.advance(at(start + 1.5));
    }
    assert!(live.projection().is_none());
    assert!(live.alert("square").unwrap().is_open(), "{:?}", live.picture("square"));
}

#[test]
fn without_any_readings_an_area_becomes_unknown_and_is_never_shown_as_empty() {
    let mut live = live(&site());
    play(&mut live, 0..30, |_, minute| Some((5.0 + f64::from(minute % 3), 4.0)));
    play(&mut live, 30..300, |_, _| None);
    let picture = live.picture("square").unwrap();
    assert_eq!((picture.occupancy.shown(), picture.colour), (None, Colour::Unknown));
    assert_eq!((picture.density_m2, picture.inflow_per_min, picture.level_of_service), (None, None, None));
    assert!(live.project(&Plan::default()).unwrap().areas.is_empty());
}

#[test]
fn closed_hours_make_an_area_known_to_be_empty_by_local_time_also_when_the_clock_changes() {
    let hours = ClosedHours { from: jiff::civil::time(2, 0, 0, 0), until: jiff::civil::time(5, 0, 0, 0) };
    let amsterdam = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let contains = |text: &str| hours.contain(Timestamp::parse(text).unwrap(), &amsterdam);
    assert!(contains("2026-01-15T01:00:00Z") && !contains("2026-01-15T04:00:00Z"));
    assert!(contains("2026-07-15T00:00:00Z") && !contains("2026-07-15T03:00:00Z"));
    // 2026-10-25: the hour from 02:00 comes twice; 2026-03-29: it does not come at all.
    assert!(contains("2026-10-25T00:30:00Z") && contains("2026-10-25T01:30:00Z"));
    assert!(!contains("2026-03-29T00:59:00Z") && contains("2026-03-29T01:00:00Z"));
    let mut site = site();
    site.areas[0].closed = Some(ClosedHours { from: jiff::civil::time(0, 20, 0, 0), ..hours });
    let mut live = live(&site);
    play(&mut live, 0..19, |_, _| Some((3.0, 1.0)));
    assert!(live.picture("square").unwrap().occupancy.persons > 100.0);
    play(&mut live, 19..25, |_, _| Some((0.0, 0.0)));
    assert_eq!(live.picture("square").unwrap().occupancy.shown(), Some(0.0));
}

#[test]
fn a_count_corrects_the_step_that_it_falls_in_and_a_bad_one_is_a_problem() {
    let mut live = live(&site());
    let count = |persons, sd_persons| AreaCount {
        area: "square".into(),
        at: at(5.0),
        persons,
        sd_persons,
        kind: CountKind::Observed,
    };
    play(&mut live, 0..4, |_, _| Some((3.0, 0.0)));
    live.count(count(90.0, 1.0));
    assert!(live.picture("square").unwrap().occupancy.persons < 50.0);
    play(&mut live, 4..6, |_, _| Some((0.0, 0.0)));
    assert!(live.picture("square").unwrap().occupancy.persons > 50.0);
    live.count(count(-1.0, 1.0));
    let (_, problems) = live.advance(at(7.5));
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_gate_that_dies_is_bridged_and_its_flow_is_not_shown_once_unknown() {
    let mut live = live(&site());
    play(&mut live, 0..30, |_, minute| Some((2.0 + f64::from(minute % 3), 2.0 + f64::from((minute + 1) % 3))));
    play(&mut live, 30..35, |gate, _| (gate != "north").then_some((3.0, 3.0)));
    let picture = live.picture("square").unwrap();
    assert_eq!(picture.occupancy.knowledge, Knowledge::Bridged);
    assert_eq!(picture.occupancy.made.gates_blind, ["north"]);
    assert!(picture.inflow_per_min.is_some());
    let (done, _) = live.advance(at(60.0));
    assert_eq!(done.last().unwrap().flows["north"].status, FlowStatus::Unknown);
    assert_eq!(live.picture("square").unwrap().inflow_per_min, None);
}

#[test]
fn a_site_and_its_settings_keep_their_form_when_stored() {
    let text = serde_json::to_string(&site()).unwrap();
    assert_eq!(serde_json::from_str::<Site>(&text).unwrap(), site());
    let text = serde_json::to_string(&LiveSettings::default()).unwrap();
    assert_eq!(serde_json::from_str::<LiveSettings>(&text).unwrap(), LiveSettings::default());
    assert!(serde_json::from_str::<Site>(r#"{"arias": []}"#).is_err(), "a misspelt field is not ignored");
}
