//! What is done with readings, good and bad.

use jiff::tz::TimeZone;

use super::super::{
    Site,
    test_sites::{row, square},
};
use super::*;

fn at(minute: f64) -> Timestamp {
    plus_s(Timestamp::from_micros(1_780_272_000_000_000), minute * 60.0)
}

fn counters(site: &Site) -> Counters {
    Counters::new(site, CounterSettings::default(), at(0.0), TimeZone::UTC)
}

fn reading(counter: &str, minute: f64, forward: f64, backward: f64) -> Reading {
    Reading {
        counter: counter.into(),
        start: at(minute),
        length_s: 60.0,
        counts: Counts::Interval { forward, backward },
    }
}

/// Plays minutes; `count` says what each gate counts in each, `None` for nothing sent.
fn play(
    counters: &mut Counters,
    site: &Site,
    minutes: std::ops::Range<u32>,
    count: impl Fn(&str, u32) -> Option<(f64, f64)>,
) -> Vec<StepFlows> {
    let mut closed = Vec::new();
    for minute in minutes {
        for gate in &site.gates {
            if let Some((forward, backward)) = count(&gate.id, minute) {
                let reading = reading(&gate.id, f64::from(minute), forward, backward);
                counters.accept(&reading, at(f64::from(minute) + 1.0)).unwrap();
            }
        }
        closed.extend(counters.close_until(at(f64::from(minute) + 1.5)));
    }
    closed
}

/// Counts that are never twice the same.
fn wobble(base: f64, minute: u32) -> f64 {
    base + f64::from(minute % 7)
}

#[test]
fn counts_of_a_step_come_out_as_they_went_in() {
    let site = square();
    let mut counters = counters(&site);
    let steps = play(&mut counters, &site, 0..3, |_, minute| Some((f64::from(minute), 2.0)));
    assert_eq!(steps.len(), 3);
    let flow = &steps[2]["north"];
    assert_eq!((flow.forward, flow.backward, flow.status), (2.0, 2.0, FlowStatus::Measured));
    assert!(flow.marks.is_empty() && counters.take_findings().is_empty());
}

#[test]
fn what_cannot_be_right_is_refused_with_a_reason() {
    let site = square();
    let mut counters = counters(&site);
    let mut refused = |reading: Reading| counters.accept(&reading, at(1.0)).unwrap_err().to_string();
    assert!(refused(reading("north", 0.0, -3.0, 0.0)).contains("counts -3"));
    assert!(refused(reading("north", 0.0, f64::NAN, 0.0)).contains("NaN"));
    assert!(refused(reading("moon", 0.0, 1.0, 0.0)).contains("belongs to no gate"));
    assert!(refused(reading("north", 5.0, 1.0, 0.0)).contains("clock"));
    assert!(refused(reading("north", 0.0, 900.0, 0.0)).contains("more than can pass"));
    assert!(refused(reading("north", -90.0, 1.0, 0.0)).contains("came 5400 s after its end"));
    assert!(refused(Reading { length_s: 0.0, ..reading("north", 0.0, 1.0, 0.0) }).contains("interval of 0 s"));
    let marks: Vec<Mark> = counters.take_findings().iter().map(|finding| finding.mark).collect();
    assert!(marks.contains(&Mark::ClockJump) && marks.contains(&Mark::BeyondCapacity), "{marks:?}");
}

#[test]
fn a_reading_that_comes_twice_counts_once_and_a_contradiction_is_named() {
    let site = square();
    let mut counters = counters(&site);
    let first = reading("north", 0.0, 4.0, 0.0);
    assert_eq!(counters.accept(&first, at(1.0)).unwrap(), []);
    assert_eq!(counters.accept(&first, at(1.0)).unwrap(), [Mark::Duplicate]);
    assert!(
        counters.accept(&reading("north", 0.0, 5.0, 0.0), at(1.0)).unwrap_err().to_string().contains("other values")
    );
    let steps = counters.close_until(at(1.5));
    assert_eq!(steps[0]["north"].forward, 4.0);
}

#[test]
fn a_counter_that_starts_again_gives_no_negative_count_and_is_marked() {
    let site = square();
    let mut counters = counters(&site);
    for (minute, total) in [(0.0, 100.0), (1.0, 112.0), (2.0, 3.0)] {
        let counts = Counts::Cumulative { forward: total, backward: 0.0 };
        let reading = Reading { counts, ..reading("north", minute, 0.0, 0.0) };
        counters.accept(&reading, at(minute + 1.0)).unwrap();
    }
    let steps = counters.close_until(at(3.5));
    assert_eq!(steps[1]["north"].forward, 12.0);
    assert_eq!(steps[2]["north"].forward, 3.0);
    assert!(steps[2]["north"].marks.contains(&Mark::Reset));
}

#[test]
fn late_readings_are_added_as_the_difference_to_what_was_used() {
    let site = square();
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..20, |_, minute| Some((wobble(10.0, minute), 0.0)));
    let steps =
        play(&mut counters, &site, 20..21, |gate, minute| (gate != "north").then_some((wobble(10.0, minute), 0.0)));
    let used = steps[0]["north"].forward;
    assert_eq!(steps[0]["north"].status, FlowStatus::Bridged);
    let marks = counters.accept(&reading("north", 20.0, 30.0, 1.0), at(22.0)).unwrap();
    assert_eq!(marks, [Mark::Late]);
    let steps = play(&mut counters, &site, 21..22, |_, minute| Some((wobble(10.0, minute), 0.0)));
    let late = steps[0]["north"].late;
    assert!((late.0 + used - 30.0).abs() < 1e-9 && (late.1 - 1.0).abs() < 1e-9, "{late:?}");
}

#[test]
fn a_silent_gate_is_filled_for_ten_minutes_and_then_unknown_but_not_zero() {
    let site = square();
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..40, |gate, minute| {
        let count = wobble(if gate == "north" { 20.0 } else { 10.0 }, minute);
        Some((count, count))
    });
    let steps = play(&mut counters, &site, 40..60, |gate, minute| {
        (gate != "north").then_some((wobble(10.0, minute), wobble(10.0, minute)))
    });
    let statuses: Vec<FlowStatus> = steps.iter().map(|step| step["north"].status).collect();
    assert!(statuses[..10].iter().all(|status| *status == FlowStatus::Bridged));
    assert!(statuses[10..].iter().all(|status| *status == FlowStatus::Unknown));
    assert!(steps.iter().all(|step| (15.0..30.0).contains(&step["north"].forward)));
    let findings = counters.take_findings();
    assert_eq!(findings.len(), 1, "told once: {findings:?}");
    assert_eq!(findings[0].mark, Mark::Unknown);
}

#[test]
fn a_gate_between_walked_through_areas_is_filled_from_what_must_balance() {
    let mut site = row();
    site.areas[0].walk_length_m = Some(20.0);
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..30, |_, minute| Some((wobble(10.0, minute), 0.0)));
    let steps = play(&mut counters, &site, 30..31, |gate, _| (gate != "between").then_some((60.0, 0.0)));
    assert!((steps[0]["between"].forward - 60.0).abs() < 3.0, "{:?}", steps[0]["between"]);
}

#[test]
fn a_stuck_counter_and_one_that_shows_zero_in_a_crowd_are_not_used() {
    let site = square();
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..30, |_, minute| Some((wobble(10.0, minute), 0.0)));
    let steps = play(&mut counters, &site, 30..50, |gate, minute| match gate {
        "north" => Some((12.0, 3.0)),
        "south" => Some((0.0, 0.0)),
        _ => Some((wobble(10.0, minute), 0.0)),
    });
    let status = |gate: &str| steps[19][gate].status;
    assert_ne!(status("north"), FlowStatus::Measured);
    assert_ne!(status("south"), FlowStatus::Measured);
    assert_eq!(status("east"), FlowStatus::Measured);
    let marks: Vec<Mark> = counters.take_findings().iter().map(|finding| finding.mark).collect();
    assert!(marks.contains(&Mark::Stuck) && marks.contains(&Mark::SilentZero), "{marks:?}");
    let added: f64 = steps.iter().map(|step| step["south"].late.0).sum();
    assert!(added > 10.0, "who passed while zero was believed is added: {added}");
}

#[test]
fn persons_in_vehicles_come_many_at_once_and_by_a_timetable() {
    let mut site = square();
    site.gates[0].persons_each = Some(800.0);
    let mut counters = counters(&site);
    // A train each five minutes, and then one each minute.
    let steps = play(&mut counters, &site, 0..60, |gate, minute| match gate {
        "north" => Some((if minute % 5 == 0 || minute >= 40 { 800.0 } else { 0.0 }, 0.0)),
        _ => Some((wobble(10.0, minute), 0.0)),
    });
    let arrived: f64 = steps.iter().map(|step| step["north"].forward + step["north"].late.0).sum();
    assert_eq!(arrived, 28.0 * 800.0);
    assert!(steps.iter().all(|step| step["north"].status == FlowStatus::Measured));
    assert!(counters.take_findings().is_empty());
}

#[test]
fn zeros_of_a_gate_that_is_closed_are_no_fault() {
    let site = square();
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..30, |_, minute| Some((wobble(10.0, minute), 0.0)));
    counters.set_closed(["south".to_owned()].into());
    let steps = play(&mut counters, &site, 30..50, |gate, minute| {
        Some(if gate == "south" { (0.0, 0.0) } else { (wobble(10.0, minute), 0.0) })
    });
    assert!(steps.iter().all(|step| step["south"].status == FlowStatus::Measured));
    assert!(counters.take_findings().is_empty());
}

#[test]
fn zeros_at_night_are_zeros() {
    let site = square();
    let mut counters = counters(&site);
    play(&mut counters, &site, 0..30, |_, minute| Some((wobble(10.0, minute), 0.0)));
    let steps = play(&mut counters, &site, 30..90, |_, _| Some((0.0, 0.0)));
    assert!(steps.iter().all(|step| step.values().all(|flow| flow.status == FlowStatus::Measured)));
}

#[test]
fn swapped_directions_are_suspected_at_the_right_gate_and_nothing_is_swapped() {
    let site = square();
    let mut counters = counters(&site);
    // Everybody comes in by north and leaves by the other three; north is mounted the wrong way round.
    let steps = play(&mut counters, &site, 0..60, |gate, minute| match gate {
        "north" => Some((0.0, wobble(30.0, minute))),
        _ => Some((0.0, wobble(9.0, minute))),
    });
    let findings = counters.take_findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].thing.as_str(), findings[0].mark), ("north", Mark::SwapSuspected));
    assert_eq!(steps[10]["north"].forward, 0.0);
    // The doubt stays in sight until everybody has gone and the gate is judged afresh.
    let is_marked = |steps: &[StepFlows]| {
        steps.iter().rev().take(2).map(|s| s["north"].marks.contains(&Mark::SwapSuspected)).collect::<Vec<_>>()
    };
    assert_eq!(is_marked(&steps), [true, true]);
    counters.restart_conservation();
    let steps = play(&mut counters, &site, 60..62, |_, minute| Some((wobble(9.0, minute), 0.0)));
    assert_eq!(is_marked(&steps), [false, false]);
}

#[test]
fn a_reading_of_a_quarter_of_an_hour_is_spread_over_its_steps() {
    let site = square();
    let mut counters = counters(&site);
    let long = Reading { length_s: 900.0, ..reading("north", 0.0, 30.0, 0.0) };
    assert_eq!(counters.accept(&long, at(15.0)).unwrap(), [Mark::Spread]);
    let steps = counters.close_until(at(15.5));
    let sum: f64 = steps.iter().map(|step| step["north"].forward).sum();
    assert!((sum - 30.0).abs() < 1e-9 && steps.len() == 15);
}
