//! How long the default model takes to train on 20 series of five years, and to forecast 168 hours of 500 series.
//!
//! The series are made up, with seasons, weeks, days, shared surprises and gaps; no figure of accuracy comes from them.
//! Prints one line of JSON: rows, seconds and CPU seconds of each part. `--small` does a tenth.
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::time::Instant;

use forecast::{
    calendar::{Calendar, Region},
    features::{Ask, LOOK_BACK_DAYS},
    panel::Panel,
    series::{DAY, HourlySeries, WEEK},
    train::{TrainOptions, train},
};
use jiff::civil::date;

const DAYS: usize = 5 * 365;

/// A number between 0 and 1 that looks random and is the same each time.
fn chance(number: u64) -> f32 {
    (forecast::boost::scramble(number) >> 40) as f32 / (1_u64 << 24) as f32
}

/// A street that nobody counted: its level, its days, a surprise of the day that it shares with the city, and its own.
fn street(number: u64) -> HourlySeries {
    let level = 30.0 + 2_000.0 * chance(number).powi(3);
    let weekend = 0.6 + chance(number + 1_000);
    let values = (0..DAYS * DAY)
        .map(|slot| {
            let (day, hour) = ((slot / DAY) as u64, (slot % DAY) as f32);
            let own = number << 32 | slot as u64;
            if chance(own ^ 0xA5A5) < 0.02 {
                return f32::NAN;
            }
            let of_day = (1.0 - ((hour - 14.0) / 9.0).powi(2)).max(0.03);
            let of_week = if day % 7 >= 5 { weekend } else { 1.0 };
            let of_year = 1.0 + 0.2 * (day as f32 / 365.0 * std::f32::consts::TAU).sin();
            let shared = 0.7 + 0.6 * chance(day ^ 0x5EED);
            (level * of_day * of_week * of_year * shared * (0.8 + 0.4 * chance(own))).round()
        })
        .collect();
    HourlySeries::from_slots(format!("street {number}"), date(2021, 1, 1), values)
}

/// CPU seconds of this process so far; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, f64, f64) {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let made = what();
    (made, begun.elapsed().as_secs_f64(), cpu_seconds() - cpu)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let small = std::env::args().any(|argument| argument == "--small");
    let share = if small { 10 } else { 1 };
    let calendar = Calendar::of_region(Region::Netherlands, 2020, 2027);
    let known: Vec<HourlySeries> = (0..(20 / share).max(2) as u64).map(street).collect();
    let (model, train_s, train_cpu_s) = timed(|| {
        let panel = Panel::new(&known, &calendar, Vec::new(), 8);
        train(&panel, DAYS * DAY, &TrainOptions::default())
    });
    let model = model?;
    let bytes = model.to_bytes()?;
    let sensors: Vec<HourlySeries> = (100..100 + 500 / share as u64).map(street).collect();
    let (answered, refresh_s, refresh_cpu_s) = timed(|| {
        let recent: Vec<HourlySeries> = sensors.into_iter().map(|one| one.last_days(LOOK_BACK_DAYS)).collect();
        let panel = Panel::new(&recent, &calendar, Vec::new(), 8);
        let origin = LOOK_BACK_DAYS * DAY;
        let asks = (0..recent.len())
            .flat_map(|series| (0..WEEK).map(move |lead| Ask { series, origin, target: origin + lead }));
        let asks: Vec<Ask> = asks.collect();
        model.predict(&panel, &asks).iter().filter(|answer| answer.is_ok()).count()
    });
    println!(
        "{{\"trainedRows\":{},\"trainS\":{train_s:.2},\"trainCpuS\":{train_cpu_s:.2},\"modelBytes\":{},\"answers\":{answered},\"refreshS\":{refresh_s:.2},\"refreshCpuS\":{refresh_cpu_s:.2}}}",
        model.training.rows,
        bytes.len()
    );
    Ok(())
}
