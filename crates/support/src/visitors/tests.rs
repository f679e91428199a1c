//! What the simulated visitors must do whatever the seed.

use super::*;
use crate::crowd::{Area, Gate, Undercount};

const START: i64 = 1_787_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_micros((START + minutes * 60) * 1_000_000)
}

fn area(id: &str, surface_m2: f64) -> Area {
    serde_json::from_value(serde_json::json!({ "id": id, "surface_m2": surface_m2, "capacity_persons": 1_000.0 }))
        .unwrap()
}

fn gate(id: &str, from: Side, to: Side, width_m: f64) -> Gate {
    let undercount = Undercount::default();
    let (id, counters) = (id.into(), vec![id.into()]);
    Gate { id, width_m, from, to, counters, capacity_ped_m_min: None, undercount, persons_each: None }
}

/// A forecourt with two gates from outside, and a stage field behind it.
fn site() -> Site {
    let (forecourt, field) = (|| Side::Area("forecourt".into()), || Side::Area("field".into()));
    Site {
        areas: vec![area("forecourt", 2_000.0), area("field", 4_000.0)],
        gates: vec![
            gate("east", Side::Outside, forecourt(), 4.0),
            gate("west", Side::Outside, forecourt(), 2.0),
            gate("stage", forecourt(), field(), 3.0),
        ],
        links: vec![],
    }
}

fn visitors(seed: u64, missed_share: f64) -> Visitors {
    let concert =
        Draw { area: "field".into(), from: at(90), until: at(150), visitors: 3_000.0, arrival_min_before: 30.0 };
    Visitors::new(site(), vec![concert], &BTreeMap::new(), missed_share, at(0), seed)
}

fn forward(reading: &Reading) -> f64 {
    match reading.counts {
        Counts::Interval { forward, .. } | Counts::Cumulative { forward, .. } => forward,
    }
}

fn balance(reading: &Reading) -> f64 {
    match reading.counts {
        Counts::Interval { forward, backward } | Counts::Cumulative { forward, backward } => forward - backward,
    }
}

#[test]
fn nobody_appears_or_vanishes_but_through_a_counted_gate() {
    let mut visitors = visitors(7, 0.0);
    let mut counted = BTreeMap::from([("forecourt", 0.0), ("field", 0.0)]);
    for _ in 0..240 {
        for reading in visitors.step(&Steering::default()) {
            let through = balance(&reading);
            if reading.counter == "stage" {
                *counted.get_mut("forecourt").unwrap() -= through;
                *counted.get_mut("field").unwrap() += through;
            } else {
                *counted.get_mut("forecourt").unwrap() += through;
            }
        }
        for (area, persons) in &counted {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let truth = visitors.persons_in(area) as f64;
            assert!((truth - persons).abs() < 0.5, "{area}: {truth} are there, {persons} were counted");
        }
    }
}

#[test]
fn they_come_for_the_programme_and_go_when_it_is_over() {
    let mut visitors = visitors(1, 0.0);
    for _ in 0..120 {
        visitors.step(&Steering::default());
    }
    let during = visitors.persons_in("field");
    assert!((2_000..3_400).contains(&during), "{during} are at the concert");
    for _ in 0..180 {
        visitors.step(&Steering::default());
    }
    assert!(visitors.persons_in("field") < during / 10, "{} are left", visitors.persons_in("field"));
}

#[test]
fn no_gate_lets_through_more_than_its_width_and_a_dosed_one_no_more_than_its_dose() {
    let mut visitors = visitors(3, 0.0);
    let dose = Steering { dosed: BTreeMap::from([("stage".into(), 20.0)]), ..Steering::default() };
    for _ in 0..120 {
        for reading in visitors.step(&dose) {
            let width = site().gate(&reading.counter).unwrap().width_m;
            assert!(forward(&reading) <= width * 73.5 + 0.5);
            assert!(reading.counter != "stage" || forward(&reading) <= 20.0);
        }
    }
    assert!(visitors.persons_in("field") <= 120 * 20);
}

#[test]
fn a_closed_gate_sends_people_to_the_other_and_a_message_makes_them_come_later() {
    let come_by = |steering: Steering, minutes: usize| {
        let mut visitors = visitors(5, 0.0);
        let mut east = 0.0;
        for _ in 0..minutes {
            let readings = visitors.step(&steering);
            east += readings.iter().filter(|r| r.counter == "east").map(forward).sum::<f64>();
        }
        (east, visitors.persons_in("forecourt") + visitors.persons_in("field"))
    };
    let (_, usually) = come_by(Steering::default(), 60);
    let closed = Steering { closed: ["east".to_owned()].into(), ..Steering::default() };
    let (east, inside) = come_by(closed, 60);
    assert!(east < 0.5 && inside > 0, "{east} went through the closed gate, {inside} are inside");
    let message = Steering { messages: vec![(at(0), None, 0.8, 60.0)], ..Steering::default() };
    assert!(come_by(message, 60).1 < usually / 2);
}

#[test]
fn the_same_seed_gives_the_same_visitors_and_counters_miss_the_stated_share() {
    let run = |seed, missed| {
        let mut visitors = visitors(seed, missed);
        (0..150).flat_map(|_| visitors.step(&Steering::default())).map(|r| forward(&r)).collect::<Vec<_>>()
    };
    assert_eq!(run(11, 0.0), run(11, 0.0));
    assert_ne!(run(11, 0.0), run(12, 0.0));
    let (all, seen): (f64, f64) = (run(11, 0.0).iter().sum(), run(11, 0.1).iter().sum());
    assert!((0.85..0.95).contains(&(seen / all)), "{}", seen / all);
}
