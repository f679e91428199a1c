//! History by itself: loads deterministic observations through the store, then times typical questions in CPU seconds.
//!
//! `cargo run --profile demo --package polder-store --example history_bench -- FOLDER [ROWS] [SERIES]` prints one JSON
//! object: bytes on disk, CPU seconds of loading, and for each question the CPU seconds of one run and a checksum of
//! the answer. A folder that is loaded already is measured as it is. `xtask/bench/history_peers.py` asks PostgreSQL and
//! DuckDB the same questions about the same rows, read from the segments in the folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{error::Error, path::Path};

use model::{EntityId, Observation, ObservedValue, Quality, SeriesKey, Tenant, Timestamp};
use polder_store::{History, Order, Period, Store, StoreError, StoreOptions, TimeRange, Transaction};
use serde_json::{Value, json};

const START_US: i64 = 1_785_542_400_000_000; // 2026-08-01T00:00:00Z
const DAY_US: i64 = 86_400_000_000;
const DAYS: i64 = 30;
/// Moments whose observations go into one transaction.
const MOMENTS_PER_COMMIT: i64 = 10;

struct Work {
    series: Vec<SeriesKey>,
    moments: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder for the data")?;
    let rows: i64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let series: i64 = arguments.next().map_or(Ok(1_000), |text| text.parse())?;
    let keys = (0..series).map(series_key).collect::<Result<Vec<_>, _>>()?;
    let work = Work { series: keys, moments: rows / series };
    let folder = Path::new(&folder);
    let store = Store::open(folder, &StoreOptions::default())?;
    let loading = if store.snapshot()?.history().series_of(&Tenant::default(), &work.series[0].entity)?.is_empty() {
        let started = cpu_seconds()?;
        load(&store, &work)?;
        store.flush_history()?;
        cpu_seconds()? - started
    } else {
        0.0
    };
    let snapshot = store.snapshot()?;
    let mut answers = serde_json::Map::new();
    for (name, repeats, question) in QUESTIONS {
        question(&snapshot.history(), &work, 0)?;
        let (started, mut checksum) = (cpu_seconds()?, 0.0);
        for round in 0..*repeats {
            checksum += question(&snapshot.history(), &work, round)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred rounds")]
        let cpu_s = (cpu_seconds()? - started) / *repeats as f64;
        answers.insert((*name).to_owned(), json!({ "cpuS": cpu_s, "checksum": checksum, "repeats": repeats }));
    }
    drop(snapshot);
    let bytes = segment_bytes(&folder.join("segments"))?;
    store.close()?;
    let report: Value =
        json!({ "rows": rows, "series": series, "loadCpuS": loading, "segmentBytes": bytes, "answers": answers });
    println!("{report}");
    Ok(())
}

fn series_key(number: i64) -> Result<SeriesKey, model::Problem> {
    let entity = EntityId::parse(&format!("urn:ngsi-ld:TrafficFlowObserved:NDW-RWS01-{number:06}"))?;
    let name = if number % 2 == 0 { "intensity" } else { "averageVehicleSpeed" };
    let attribute = format!("{}{name}", model::DEFAULT_CONTEXT).as_str().into();
    Ok(SeriesKey { entity, attribute, dataset_id: None })
}

/// Scrambles a number (SplitMix64), so that every row is the same in every run.
fn scrambled(number: i64) -> u64 {
    let mut bits = number.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Whole vehicles an hour, or kilometres an hour with one decimal; with a day's rhythm and noise.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn value(series: i64, time_us: i64) -> f64 {
    let noise = (scrambled(series << 40 ^ time_us) % 1_000) as f64 / 1_000.0;
    let rhythm = (time_us % DAY_US) as f64 / DAY_US as f64 * std::f64::consts::TAU;
    let size = 200.0 + (scrambled(series) % 3_000) as f64;
    if series % 2 == 0 {
        (size * (1.2 - rhythm.cos()) * (0.8 + 0.4 * noise) / 60.0).round() * 60.0
    } else {
        ((100.0 - 20.0 * (1.0 - rhythm.cos()) + 15.0 * noise) * 10.0).round() / 10.0
    }
}

/// As it would come in live: moment after moment, all series at each.
fn load(store: &Store, work: &Work) -> Result<(), Box<dyn Error>> {
    let interval = DAY_US * DAYS / work.moments;
    let mut moment = 0;
    while moment < work.moments {
        let mut transaction = Transaction::new(Tenant::default());
        for moment in moment..(moment + MOMENTS_PER_COMMIT).min(work.moments) {
            for (number, series) in (0..).zip(&work.series) {
                let at = START_US + moment * interval;
                let delay_us = i64::try_from(scrambled(at ^ number) % 20_000)? * 1_000;
                transaction.observe(Observation {
                    series: series.clone(),
                    at: Timestamp::from_micros(at),
                    value: ObservedValue::Number(value(number, at)),
                    unit_code: Some(if number % 2 == 0 { "VPH" } else { "KMH" }.to_owned()),
                    quality: Quality { source: Some("ndw-traffic".to_owned()), ..Quality::default() },
                    recorded_at: Timestamp::from_micros(at + delay_us),
                });
            }
        }
        store.commit_blocking(transaction)?;
        moment += MOMENTS_PER_COMMIT;
    }
    Ok(())
}

type Question = fn(&History<'_>, &Work, usize) -> Result<f64, StoreError>;

/// Name, repetitions, question. Each answers with a checksum that the peers must reach too.
const QUESTIONS: &[(&str, usize, Question)] = &[
    ("one day of one series", 300, one_day),
    ("hourly averages of one series", 100, |history, work, round| {
        averages(history, &[work.series[round * 7 % work.series.len()].clone()], DAY_US / 24)
    }),
    ("hourly averages of all series", 3, |history, work, _| averages(history, &work.series, DAY_US / 24)),
    ("95th percentile of each series", 3, |history, work, _| {
        let period = Period { micros: 0, origin: Timestamp::from_micros(0) };
        let found = history.aggregate(&Tenant::default(), &work.series, TimeRange::ALL, period, &[0.95])?;
        Ok(found.iter().flat_map(|(_, buckets)| buckets).flat_map(|bucket| &bucket.quantiles).sum())
    }),
    ("daily averages of 50 series", 20, |history, work, _| {
        averages(history, &work.series[..work.series.len().min(50)], DAY_US)
    }),
];

fn one_day(history: &History<'_>, work: &Work, round: usize) -> Result<f64, StoreError> {
    let series = work.series[round * 7 % work.series.len()].clone();
    let from = Timestamp::from_micros(START_US + i64::try_from(round % 28).unwrap_or(0) * DAY_US);
    let range = TimeRange::between(from, from.plus_micros(DAY_US));
    let mut sum = 0.0;
    for row in history.range(&Tenant::default(), &[series], range, Order::Ascending, None)? {
        if let ObservedValue::Number(number) = row?.value {
            sum += number;
        }
    }
    Ok(sum)
}

fn averages(history: &History<'_>, series: &[SeriesKey], period_us: i64) -> Result<f64, StoreError> {
    let period = Period { micros: period_us, origin: Timestamp::from_micros(0) };
    let found = history.aggregate(&Tenant::default(), series, TimeRange::ALL, period, &[])?;
    Ok(found.iter().flat_map(|(_, buckets)| buckets).map(polder_store::Bucket::mean).sum())
}

/// CPU time of all threads of this process, in seconds.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0_u64;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(std::time::Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn segment_bytes(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for tenant in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(tenant?.path())? {
            bytes += file?.metadata()?.len();
        }
    }
    Ok(bytes)
}
