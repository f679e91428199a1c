//! The next 15 minutes: better than "half of the last 30", on a simulated crowd and on Rotterdam's traffic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs::File};

use forecast::nowcast::{Blend, NowcastRefusal, Steps, Trend};

const DAY: usize = 288;

/// Sums of absolute errors of the now-cast and of "half of the last 30 minutes", and of what was counted.
#[derive(Default)]
struct Errors {
    nowcast: f64,
    naive: f64,
    counts: f64,
}

impl Errors {
    fn add(&mut self, steps: &Steps, blend: &Blend, trend: &Trend, now: usize) {
        let ahead = &steps.values[now..now + 15 / steps.minutes];
        let was: f64 = ahead.iter().map(|value| f64::from(*value)).sum();
        let naive = steps.half_of_last_30_minutes(now, 15);
        if let (true, Some(naive), Ok(said)) = (was.is_finite(), naive, steps.nowcast(blend, trend, now, 15)) {
            self.nowcast += (said - was).abs();
            self.naive += (naive - was).abs();
            self.counts += was;
        }
    }

    /// How much smaller the error is, as a share.
    fn gain(&self) -> f64 {
        1.0 - self.nowcast / self.naive
    }
}

/// Numbers between 0 and 1 that look random and are the same each time.
fn draws(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Five weeks of a gate: two peaks a day, days that differ, and counts that scatter as counts do.
fn gate(seed: u64) -> Steps {
    let mut draw = draws(seed);
    let mut values = Vec::new();
    for _ in 0..35 {
        let busy = 0.6 + 0.8 * draw();
        for step in 0..DAY {
            let hour = step as f64 / 12.0;
            let peak = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
            let mean = busy * (2.0 + 60.0 * peak(9.0, 0.8) + 80.0 * peak(17.5, 1.0));
            let scatter: f64 = (0..12).map(|_| draw()).sum::<f64>() - 6.0; // about normal
            values.push((mean + mean.sqrt() * scatter).max(0.0).round() as f32);
        }
    }
    Steps { minutes: 5, first_minute: 0, values }
}

#[test]
fn a_simulated_gate_is_foreseen_at_least_a_tenth_better() {
    let gates: Vec<Steps> = (1..=5).map(gate).collect();
    let known: Vec<(&Steps, usize)> = gates.iter().map(|gate| (gate, 28 * DAY)).collect();
    let trend = Trend::of(&gates.iter().collect::<Vec<_>>(), 28 * DAY).unwrap();
    let blend = Blend::fit(&known, &trend, 15).unwrap();
    let mut errors = Errors::default();
    for gate in &gates {
        (28 * DAY..35 * DAY - 3).for_each(|now| errors.add(gate, &blend, &trend, now));
    }
    println!("simulated: gain {:.3}, WAPE {:.4}", errors.gain(), errors.nowcast / errors.counts);
    assert!(errors.gain() >= 0.10, "gain {}", errors.gain());
}

/// Flows of the stations, in vehicles for each five minutes. A missing row is missing.
fn rotterdam() -> Vec<Steps> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cities/rotterdam/data/traffic/readings.csv.gz");
    let mut table = csv::Reader::from_reader(flate2::read::GzDecoder::new(File::open(path).unwrap()));
    let mut stations: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let first: jiff::Timestamp = "2026-08-20T11:40:00Z".parse().unwrap();
    for record in table.records() {
        let record = record.unwrap();
        let at: jiff::Timestamp = record[0].parse().unwrap();
        let slot = (at.as_second() - first.as_second()) as usize / 300;
        let values = stations.entry(record[1].to_owned()).or_insert_with(|| vec![f32::NAN; 696]);
        values[slot] = record[2].parse::<f32>().unwrap() / 12.0;
    }
    let first_minute = 3 * 1_440 + 13 * 60 + 40; // Thursday, 13:40 local
    stations
        .into_values()
        .filter(|values| values.iter().filter(|value| value.is_finite()).count() >= 500)
        .map(|values| Steps { minutes: 5, first_minute, values })
        .collect()
}

/// Five weeks of a gate beside a stadium: quiet days, and on one evening in four an event that begins when it likes. All gates see
/// the same events, each with its own share of the visitors, its own walking time and its own scatter.
fn stadium_gate(number: u64) -> Steps {
    let (mut draw, mut event) = (draws(number + 100), draws(7));
    let (share, walk) = (0.5 + draw(), draw() * 0.2);
    let mut values = Vec::new();
    for _ in 0..35 {
        let (happens, size, begins) = (event() < 0.25, 40.0 + 80.0 * event(), 19.0 + 1.5 * event());
        for step in 0..DAY {
            let hour = step as f64 / 12.0;
            let peak = |at: f64, width: f64| (-((hour - at - walk) / width).powi(2)).exp();
            let visitors = size * share * (0.7 * peak(begins, 0.5) + 1.3 * peak(begins + 2.5, 0.25));
            let mean = 1.0 + 12.0 * peak(14.0, 4.0) + if happens { visitors } else { 0.0 };
            let scatter: f64 = (0..12).map(|_| draw()).sum::<f64>() - 6.0;
            values.push((mean + mean.sqrt() * scatter).max(0.0).round() as f32);
        }
    }
    Steps { minutes: 5, first_minute: 0, values }
}

#[test]
fn arrivals_and_departures_of_an_event_are_foreseen_at_least_a_tenth_better() {
    let gates: Vec<Steps> = (1..=5).map(stadium_gate).collect();
    let known: Vec<(&Steps, usize)> = gates.iter().map(|gate| (gate, 28 * DAY)).collect();
    let trend = Trend::of(&gates.iter().collect::<Vec<_>>(), 28 * DAY).unwrap();
    let blend = Blend::fit(&known, &trend, 15).unwrap();
    let mut errors = Errors::default();
    for gate in &gates {
        (28 * DAY..35 * DAY - 3).for_each(|now| errors.add(gate, &blend, &trend, now));
    }
    println!("events: gain {:.3}, WAPE {:.4}", errors.gain(), errors.nowcast / errors.counts);
    assert!(errors.gain() >= 0.10, "gain {}", errors.gain());
}

/// The step at which Saturday 22 August 2026 begins.
const SATURDAY: usize = 412;

#[test]
fn traffic_of_rotterdam_is_foreseen_a_tenth_better_than_by_half_of_the_last_30_minutes() {
    let stations = rotterdam();
    let all: Vec<&Steps> = stations.iter().collect();
    // Learned on what is before Saturday, scored on Saturday.
    let known: Vec<(&Steps, usize)> = stations.iter().map(|steps| (steps, SATURDAY)).collect();
    let trend = Trend::of(&all, SATURDAY).unwrap();
    let blend = Blend::fit(&known, &trend, 15).unwrap();
    let mut errors = Errors::default();
    for steps in &stations {
        (SATURDAY..steps.values.len() - 2).for_each(|now| errors.add(steps, &blend, &trend, now));
    }
    let (ours, naive) = (errors.nowcast / errors.counts, errors.naive / errors.counts);
    println!("{} stations: gain {:.3}, WAPE {ours:.4} against {naive:.4}; {blend:?}", stations.len(), errors.gain());
    assert!(errors.gain() >= 0.10, "gain {}", errors.gain());
}

#[test]
fn a_now_cast_reads_nothing_that_comes_after_it() {
    let mut gates: Vec<Steps> = (1..=4).map(gate).collect();
    let now = 30 * DAY + 100;
    let said = |gates: &[Steps]| {
        let trend = Trend::of(&gates.iter().collect::<Vec<_>>(), now).unwrap();
        let known: Vec<(&Steps, usize)> = gates.iter().map(|gate| (gate, now)).collect();
        gates[0].nowcast(&Blend::fit(&known, &trend, 30).unwrap(), &trend, now, 30).unwrap()
    };
    let before = said(&gates);
    gates.iter_mut().for_each(|gate| gate.values[now..].fill(999.0));
    assert_eq!(said(&gates), before);
    gates[0].values[now - 1] += 50.0;
    assert!(said(&gates) > before, "the last step counts");
}

#[test]
fn series_that_do_not_lie_side_by_side_have_no_common_trend() {
    let gates: Vec<Steps> = (1..=3).map(gate).collect();
    let later = Steps { first_minute: 5, ..gates[2].clone() };
    assert_eq!(Trend::of(&[&gates[0], &gates[1], &later], 100), Err(NowcastRefusal::NotSideBySide));
    assert_eq!(Trend::of(&[&gates[0], &gates[1]], 100), Ok(Trend::alone()));
}

#[test]
fn a_now_cast_needs_recent_counts_a_fitting_step_and_a_near_horizon() {
    let gate = gate(1);
    let alone = Trend::alone();
    let blend = Blend::fit(&[(&gate, 28 * DAY)], &alone, 15).unwrap();
    let mut silent = gate.clone();
    silent.values[30 * DAY - 6..30 * DAY].fill(f32::NAN);
    assert_eq!(silent.nowcast(&blend, &alone, 30 * DAY, 15), Err(NowcastRefusal::TooFewCounts { have: 0, needed: 3 }));
    assert_eq!(gate.nowcast(&blend, &alone, 30 * DAY, 90), Err(NowcastRefusal::Horizon { minutes: 90 }));
    let odd = Steps { minutes: 7, ..gate.clone() };
    assert_eq!(odd.nowcast(&blend, &alone, 30 * DAY, 15), Err(NowcastRefusal::Step { minutes: 7 }));
    assert_eq!(Blend::fit(&[(&gate, 50)], &alone, 15), Err(NowcastRefusal::TooLittlePast { have: 41, needed: 100 }));
}
