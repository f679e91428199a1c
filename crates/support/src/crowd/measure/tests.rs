//! What measures change, and that nobody vanishes by them.

use super::super::{
    Leaving, Link, Side, Thresholds,
    test_sites::{row, square},
    trend::Arrival,
};
use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(1_780_000_000_000_000 + minute * 60_000_000)
}

/// Persons a minute from outside through each gate, certain.
fn outlook(site: &Site, persons: f64, per_min: f64, leaving: f64) -> Outlook {
    let mut outlook = Outlook::of(at(0));
    for area in site.leaves() {
        outlook.persons.insert(area.id.clone(), (persons, 0.0));
    }
    for (lane, from, _) in super::super::trend::lanes(site) {
        match from {
            None => drop(outlook.arrivals.insert(lane, Arrival { level_per_min: per_min, ..Arrival::default() })),
            Some(_) => drop(outlook.leaving.insert(lane, Leaving { per_min: leaving, lately_per_min: 0.0 })),
        }
    }
    outlook
}

fn settings() -> RiskSettings {
    RiskSettings { arrivals_sd_per_h: 0.0, leaving_spread: 0.0, ..RiskSettings::default() }
}

fn plan(measure: Measure, from: i64) -> Plan {
    Plan { measures: vec![Planned { measure, from: at(from), until: None }] }
}

fn compared(site: &Site, outlook: &Outlook, plan: &Plan) -> Comparison {
    what_if(site, outlook, plan, &[], &settings()).unwrap()
}

#[test]
fn dosing_holds_people_outside_and_lets_nobody_vanish() {
    let (site, direction) = (square(), Direction::Forward);
    let outlook = outlook(&site, 0.0, 10.0, 0.0);
    let dose = plan(Measure::Dose { gate: "north".into(), direction, per_min: 4.0 }, 30);
    let compared = compared(&site, &outlook, &dose);
    let square = &compared.areas["square"];
    assert_eq!(square.fewer_in(30), Some(0.0));
    assert!((square.fewer_in(60).unwrap() - 180.0).abs() < 1e-6, "{:?}", square.fewer_in(60));
    assert!((compared.waiting_outside["north"].1 - 180.0).abs() < 1e-6);
    assert!((square.without.p50[59] - 2400.0).abs() < 1e-6);
}

#[test]
fn a_closed_gate_sends_its_share_along_the_link_and_the_others_wait() {
    let mut site = square();
    site.links = vec![Link {
        id: "quay".into(),
        from: Side::Outside,
        to: Side::Area("square".into()),
        width_m: 3.0,
        length_m: 5.0,
        gate: Some("south".into()),
        capacity_ped_m_min: None,
        takes_over: [("north".to_owned(), 0.7)].into(),
    }];
    let outlook = outlook(&site, 0.0, 10.0, 0.0);
    let compared = compared(&site, &outlook, &plan(Measure::Close { gate: "north".into() }, 0));
    assert!((compared.areas["square"].fewer_in(60).unwrap() - 180.0).abs() < 1e-6);
    assert!((compared.waiting_outside["north"].1 - 180.0).abs() < 1e-6);
}

#[test]
fn diverting_moves_people_and_only_between_gates_of_one_side() {
    let site = row();
    let outlook = outlook(&site, 0.0, 10.0, 0.0);
    let divert = |gate: &str, to: &str| {
        plan(Measure::Divert { gate: gate.into(), direction: Direction::Forward, to: to.into(), share: 0.5 }, 0)
    };
    // Gate "out" starts from outside when taken backward, so half of the newcomers enter at b.
    let compared = compared(&site, &outlook, &divert("in", "out"));
    assert!((compared.areas["a"].fewer_in(60).unwrap() - 300.0).abs() < 1e-6);
    assert!((compared.areas["b"].fewer_in(60).unwrap() + 300.0).abs() < 1e-6);
    let wrong = what_if(&site, &outlook, &divert("in", "between"), &[], &settings()).unwrap_err();
    assert!(wrong.to_string().contains("same side"), "{wrong}");
}

#[test]
fn people_who_come_later_do_come() {
    let site = square();
    let outlook = outlook(&site, 0.0, 10.0, 0.0);
    let mut later = plan(Measure::ComeLater { share: 0.5, later_min: 20.0 }, 0);
    later.measures[0].until = Some(at(20));
    let compared = compared(&site, &outlook, &later);
    assert!((compared.areas["square"].fewer_in(20).unwrap() - 400.0).abs() < 1e-6);
    assert!(compared.areas["square"].fewer_in(60).unwrap().abs() < 1e-6);
}

#[test]
fn one_way_and_extra_transport_do_what_they_say() {
    let site = row();
    let outlook = outlook(&site, 100.0, 0.0, 0.05);
    let (gate, direction) = ("between".to_owned(), Direction::Forward);
    let against = compared(&site, &outlook, &plan(Measure::OneWay { gate, direction }, 0));
    assert!(against.areas["a"].fewer_in(30).unwrap() > 10.0, "nobody comes back from b");
    let away = Measure::ExtraTransport { area: "b".into(), per_min: 200.0 };
    let emptied = compared(&site, &outlook, &plan(away, 10));
    assert!(emptied.areas["b"].with.p50[10] < 1e-6 && emptied.areas["b"].with.p50[8] > 50.0);
}

#[test]
fn a_measure_against_red_lowers_its_probability() {
    let mut site = square();
    site.areas[0].thresholds = Thresholds { specific_flow_ped_m_min: None, ..Thresholds::default() };
    let outlook = outlook(&site, 100.0, 1.0, 0.0);
    let doses = ["north", "east", "south", "west"].map(|gate| Planned {
        measure: Measure::Dose { gate: gate.into(), direction: Direction::Forward, per_min: 0.2 },
        from: at(0),
        until: None,
    });
    let compared = compared(&site, &outlook, &Plan { measures: doses.into() });
    let (without, with) = compared.areas["square"].red(60).unwrap();
    assert!(without > 0.99 && with < 0.01, "{without} {with}");
}

#[test]
fn plans_that_cannot_be_meant_are_refused_with_a_reason() {
    let site = square();
    let outlook = outlook(&site, 0.0, 1.0, 0.0);
    let refused = |plan: Plan| what_if(&site, &outlook, &plan, &[], &settings()).unwrap_err().to_string();
    let direction = Direction::Forward;
    assert!(refused(plan(Measure::Close { gate: "moon".into() }, 0)).contains("no gate of this site"));
    assert!(refused(plan(Measure::Dose { gate: "north".into(), direction, per_min: -1.0 }, 0)).contains("-1"));
    assert!(refused(plan(Measure::ComeLater { share: 1.5, later_min: 1.0 }, 0)).contains("share of 1.5"));
    assert!(refused(plan(Measure::ExtraTransport { area: "moon".into(), per_min: 1.0 }, 0)).contains("moon"));
    let mut ended = plan(Measure::Close { gate: "north".into() }, 10);
    ended.measures[0].until = Some(at(5));
    assert!(refused(ended).contains("before it starts"));
}
