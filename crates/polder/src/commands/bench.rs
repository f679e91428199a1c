//! `polder bench`: clients that drive a server on this machine with a stated load, and print what it did as JSON.
//!
//! Each client is a thread with one kept-alive HTTP/1.1 connection, because a measuring client must cost little
//! beside the server that it measures.

mod alerts;
mod client;
mod load;

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use client::Client;
use load::Load;
use serde_json::json;

use crate::cli::{BenchOptions, BenchWork};

/// Runs the load and prints one JSON object: requests, items, seconds and latencies.
pub fn run(options: &BenchOptions) -> Result<()> {
    if !options.address.ip().is_loopback() {
        bail!("{} is not on this machine; a load goes to loopback addresses only", options.address);
    }
    if options.clients == 0 || options.entities == 0 || options.batch == 0 {
        bail!("--clients, --entities and --batch must be at least 1");
    }
    if options.work == BenchWork::Alerts {
        return alerts::run(options);
    }
    let load = Arc::new(Load::new(options));
    if let Some(path) = &options.write {
        return write_bodies(&load, options.requests, path);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let clients: Vec<_> = (0..options.clients)
        .map(|_| {
            let (load, next, options) = (Arc::clone(&load), Arc::clone(&next), options.clone());
            std::thread::spawn(move || work(&load, &next, &options))
        })
        .collect();
    let mut latencies = Vec::with_capacity(options.requests);
    for client in clients {
        latencies.extend(client.join().map_err(|_| anyhow::anyhow!("a client stopped unexpectedly"))??);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", summary(options, &load, &mut latencies, seconds));
    Ok(())
}

/// Writes the body of every request to a file, one a line.
fn write_bodies(load: &Load, requests: usize, path: &std::path::Path) -> Result<()> {
    let file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut file = std::io::BufWriter::new(file);
    for number in 0..requests {
        writeln!(file, "{}", load.body(number))?;
    }
    Ok(file.flush()?)
}

/// One client: takes request numbers until there are none left.
fn work(load: &Load, next: &AtomicUsize, options: &BenchOptions) -> Result<Vec<Duration>> {
    let mut client = Client::connect(options.address)?;
    let mut latencies = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= options.requests {
            return Ok(latencies);
        }
        let request = load.request(number);
        let started = Instant::now();
        let status = client.send(&request).with_context(|| format!("request {number}"))?;
        latencies.push(started.elapsed());
        if !(200..300).contains(&status) {
            bail!("request {number} was answered with status {status}: {}", client.last_body());
        }
    }
}

fn summary(options: &BenchOptions, load: &Load, latencies: &mut [Duration], seconds: f64) -> serde_json::Value {
    latencies.sort_unstable();
    let quantile = |q: f64| quantile_ms(latencies, q);
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let per_second = |count: usize| count as f64 / seconds;
    json!({
        "requests": options.requests,
        "items": options.requests * load.items_per_request(),
        "seconds": seconds,
        "requestsPerS": per_second(options.requests),
        "itemsPerS": per_second(options.requests * load.items_per_request()),
        "latencyMs": { "p50": quantile(0.5), "p99": quantile(0.99), "max": quantile(1.0) },
    })
}

/// A quantile of sorted latencies, ms.
fn quantile_ms(latencies: &[Duration], q: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list"
    )]
    let place = ((latencies.len().saturating_sub(1)) as f64 * q) as usize;
    latencies.get(place).map_or(0.0, Duration::as_secs_f64) * 1e3
}
