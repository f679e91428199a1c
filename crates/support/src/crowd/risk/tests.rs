//! What a projection promises.

use proptest::prelude::*;

use super::super::{
    Arrival, Direction, Lane, Leaving, Limit, Thresholds,
    test_sites::{row, square},
    trend::lanes,
};
use super::*;
use model::Timestamp;

fn outlook(site: &Site, persons: f64, sd: f64, arrival: Arrival, leaving: f64) -> Outlook {
    let at = Timestamp::from_micros(1_780_000_000_000_000);
    let mut outlook = Outlook::of(at);
    for area in site.leaves() {
        outlook.persons.insert(area.id.clone(), (persons, sd));
    }
    for (lane, from, _) in lanes(site) {
        match from {
            None => drop(outlook.arrivals.insert(lane, arrival)),
            Some(_) => drop(outlook.leaving.insert(lane, Leaving { per_min: leaving, lately_per_min: 0.0 })),
        }
    }
    outlook
}

fn projected(site: &Site, outlook: &Outlook) -> Projection {
    project(site, outlook, &Plan::default(), &[], &RiskSettings::default()).unwrap()
}

fn occupancy_only(mut site: Site) -> Site {
    for area in &mut site.areas {
        area.thresholds = Thresholds {
            density_m2: None,
            specific_flow_ped_m_min: None,
            occupancy_share: Some(Limit { amber: 0.8, red: 0.95 }),
            ..Thresholds::default()
        };
    }
    site
}

fn level(level_per_min: f64) -> Arrival {
    Arrival { level_per_min, ..Arrival::default() }
}

#[test]
fn an_area_that_fills_steadily_is_red_when_arithmetic_says() {
    let site = occupancy_only(square());
    // 190 is red; 4 gates with 1 a minute from 100 on reach it after 22.5 minutes.
    let projection = projected(&site, &outlook(&site, 100.0, 0.0, level(1.0), 0.0));
    let square = &projection.areas["square"];
    assert_eq!(square.red_in_min, Some(23), "{square:?}");
    assert!(square.probability(Colour::Red, 15).unwrap() < 0.01);
    assert!(square.probability(Colour::Red, 60).unwrap() > 0.99);
    assert!(square.probability(Colour::Amber, 30).unwrap() > square.probability(Colour::Red, 15).unwrap());
}

#[test]
fn a_gate_lets_no_more_out_than_its_width_and_the_area_fills() {
    let mut site = occupancy_only(row());
    site.gates[2].width_m = 0.5;
    let mut outlook = outlook(&site, 20.0, 0.0, level(60.0), 1.0);
    for gate in ["in", "between", "out"] {
        outlook.leaving.remove(&(gate.to_owned(), Direction::Backward));
        outlook.arrivals.remove(&(gate.to_owned(), Direction::Backward));
    }
    let projection = projected(&site, &outlook);
    let b = &projection.areas["b"];
    assert!(b.p50[59] > 400.0, "36.75 of 60 a minute leave: {}", b.p50[59]);
}

#[test]
fn who_walks_a_link_arrives_after_the_walking_time() {
    let mut site = occupancy_only(row());
    site.links = vec![super::super::Link {
        id: "quay".into(),
        from: super::super::Side::Area("a".into()),
        to: super::super::Side::Area("b".into()),
        width_m: 5.0,
        length_m: 804.0,
        gate: Some("between".into()),
        capacity_ped_m_min: None,
        takes_over: BTreeMap::new(),
    }];
    let mut outlook = outlook(&site, 0.0, 0.0, level(0.0), 1.0);
    outlook.persons.insert("a".into(), (100.0, 0.0));
    let b = &projected(&site, &outlook).areas["b"];
    assert!(b.p50[9] < 1e-9 && b.p50[10] > 10.0, "804 m take ten minutes: {:?}", &b.p50[..14]);
}

#[test]
fn an_area_of_unknown_occupancy_gets_no_probability_rather_than_a_guess() {
    let site = occupancy_only(row());
    let mut outlook = outlook(&site, 10.0, 0.0, level(1.0), 0.1);
    outlook.persons.remove("b");
    let projection = projected(&site, &outlook);
    assert!(projection.areas.contains_key("a") && !projection.areas.contains_key("b"));
}

#[test]
fn a_forecast_band_takes_over_as_time_goes_on() {
    let site = occupancy_only(square());
    let outlook = outlook(&site, 0.0, 0.0, level(1.0), 0.0);
    // As many as are counted now, and more after a quarter of an hour.
    let line = |later: f64| [vec![later * 0.4; 15], vec![later; 45]].concat();
    let band = |low: f64, middle: f64, high: f64| ForecastBand {
        area: "square".into(),
        p10: line(low),
        p50: line(middle),
        p90: line(high),
    };
    let with = |band| project(&site, &outlook, &Plan::default(), &[band], &RiskSettings::default());
    let quiet = projected(&site, &outlook).areas["square"].p50[59];
    let busy = with(band(8.0, 10.0, 12.0)).unwrap().areas["square"].p50[59];
    assert!(busy > quiet * 1.5, "{busy} {quiet}");
    assert!(with(band(12.0, 10.0, 8.0)).unwrap_err().to_string().contains("cross"));
    let nowhere = ForecastBand { area: "moon".into(), ..band(1.0, 2.0, 3.0) };
    assert!(with(nowhere).is_err());
}

fn lane(gate: &str) -> Lane {
    (gate.to_owned(), Direction::Forward)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn more_inflow_never_gives_less_risk_and_probabilities_are_probabilities(
        persons in 0.0..220.0_f64, sd in 0.0..40.0_f64, level in 0.0..30.0_f64, trend in -1.0..1.0_f64,
        leaving in 0.0..0.3_f64, more in 0.0..20.0_f64, more_trend in 0.0..1.0_f64, gate in 0..4_usize,
    ) {
        let site = occupancy_only(square());
        let arrival = Arrival { level_per_min: level, level_sd: 2.0, trend_per_min2: trend, trend_sd: 0.1 };
        let less = outlook(&site, persons, sd, arrival, leaving);
        let mut busier = less.clone();
        let raised = busier.arrivals.get_mut(&lane(&site.gates[gate].id)).unwrap();
        raised.level_per_min += more;
        raised.trend_per_min2 += more_trend;
        let (less, busier) = (projected(&site, &less), projected(&site, &busier));
        let (less, busier) = (&less.areas["square"], &busier.areas["square"]);
        for (one, other) in less.crossings.iter().zip(&busier.crossings) {
            prop_assert!((0.0..=1.0).contains(&one.probability) && (0.0..=1.0).contains(&other.probability));
            prop_assert!(other.probability >= one.probability - 1e-9, "{one:?} {other:?}");
        }
        for minute in 0..60 {
            prop_assert!(less.p10[minute] <= less.p50[minute] && less.p50[minute] <= less.p90[minute]);
            prop_assert!(busier.p50[minute] >= less.p50[minute] - 1e-9);
        }
    }

    #[test]
    fn a_longer_horizon_and_a_milder_colour_are_never_less_likely(
        persons in 0.0..220.0_f64, sd in 0.0..40.0_f64, level in 0.0..30.0_f64, leaving in 0.0..0.3_f64,
    ) {
        let site = occupancy_only(row());
        let projection = projected(&site, &outlook(&site, persons, sd, Arrival { level_per_min: level, level_sd: 1.0, ..Arrival::default() }, leaving));
        for area in projection.areas.values() {
            let p = |colour, within| area.probability(colour, within).unwrap();
            for (short, long) in [(15, 30), (30, 60)] {
                prop_assert!(p(Colour::Red, short) <= p(Colour::Red, long) + 1e-12);
                prop_assert!(p(Colour::Red, long) <= p(Colour::Amber, long) + 1e-12);
            }
        }
    }
}
