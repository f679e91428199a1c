//! How long it takes from the count that makes an area red to the alert on the stream of a control room, while the city
//! takes in observations: live runs with one gate each, whose counts come spread over the seconds after each minute, as
//! those of real counters do.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use model::Timestamp;
use serde_json::{Value, json};

use super::{
    client::Client,
    load::{Load, request},
    quantile_ms,
};
use crate::{cli::BenchOptions, clock::wall};

/// Entities of the load each second. Each has two values that were observed, of which one is counted as an observation.
const LOAD_PER_S: u64 = 2_000;
/// Between the counts of two gates.
const SPREAD: Duration = Duration::from_millis(1_000);
/// The most runs: their counts must all come before a minute is no longer waited for.
const RUNS_MAX: usize = 16;
/// An alert that takes longer than this is missed.
const PATIENCE: Duration = Duration::from_secs(30);

/// One live run and its stream.
struct Watched {
    event: String,
    counter: String,
    pictures: Receiver<(Value, Instant)>,
}

/// `--clients` live runs for `--requests` minutes.
pub fn run(options: &BenchOptions) -> Result<()> {
    if options.clients > RUNS_MAX {
        bail!("--clients says how many live runs go on; at most {RUNS_MAX}");
    }
    let mut client = Client::connect(options.address)?;
    let name = format!("bench {}", wall().micros() / 1_000_000);
    let runs: Result<Vec<Watched>> =
        (0..options.clients).map(|number| watched(&mut client, options.address, &format!("{name} {number}"))).collect();
    let runs = runs?;
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load = load(options, &stop, &sent);
    let started = Instant::now();
    let mut latencies = Vec::new();
    for _ in 0..options.requests {
        let now = wall();
        let minute = now.plus_micros(60_000_000 - now.micros().rem_euclid(60_000_000));
        for (number, run) in (0u32..).zip(&runs) {
            sleep_until(minute, SPREAD * number + SPREAD / 2);
            // The server closes connections that are idle for a while, and the next minute is a while away.
            client = Client::connect(options.address)?;
            latencies.push(alerted(&mut client, run, minute)?);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    load.join().map_err(|_| anyhow::anyhow!("the load stopped unexpectedly"))??;
    for run in &runs {
        _ = send(&mut client, "POST", &format!("/api/v1/crowd/events/{}/runs/1/stop", run.event), Some(&json!({})))?;
    }
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of some millions")]
    let per_second = sent.load(Ordering::Relaxed) as f64 / seconds;
    println!(
        "{}",
        json!({ "alerts": latencies.len(), "runs": runs.len(), "seconds": seconds, "loadPerS": per_second,
            "latencyMs": { "p50": quantile_ms(&latencies, 0.5), "p99": quantile_ms(&latencies, 0.99),
                "max": quantile_ms(&latencies, 1.0) } })
    );
    Ok(())
}

/// Sends the count of a minute, and waits for the alert that it causes; then closes it, so that the next minute raises
/// another.
fn alerted(client: &mut Client, run: &Watched, minute: Timestamp) -> Result<Duration> {
    let value = |value: f64| json!({ "type": "Property", "value": value, "observedAt": minute });
    let count = json!([{ "id": run.counter, "type": "Counter", "in": value(110.0), "out": value(10.0) }]);
    send(client, "POST", "/ngsi-ld/v1/entityOperations/upsert", Some(&count))?;
    let acknowledged = Instant::now();
    loop {
        let left = PATIENCE.saturating_sub(acknowledged.elapsed());
        let Ok((picture, seen)) = run.pictures.recv_timeout(left) else {
            bail!("no alert of minute {minute} within {} s", PATIENCE.as_secs());
        };
        let alerts = picture["attention"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(alert) = alerts.iter().find(|alert| alert["raisedAt"] == json!(minute)) {
            let close = format!("/api/v1/crowd/events/{}/runs/1/alerts/{}/close", run.event, alert["id"]);
            send(client, "POST", &close, Some(&json!({ "reason": "measured" })))?;
            return Ok(seen.saturating_duration_since(acknowledged));
        }
    }
}

/// Plans a square of which one gate is counted, and watches it live.
fn watched(client: &mut Client, address: SocketAddr, name: &str) -> Result<Watched> {
    let now = wall();
    let facts =
        json!({ "name": name, "from": now.plus_micros(-60_000_000), "until": now.plus_micros(4 * 3_600_000_000) });
    let made = send(client, "POST", "/api/v1/crowd/events", Some(&facts))?;
    let event = made["event"]["id"].as_str().context("no event was made")?.to_owned();
    let counter = format!("urn:ngsi-ld:Counter:{event}");
    let ring = [[4.48, 51.91], [4.481, 51.91], [4.481, 51.911], [4.48, 51.91]];
    let area = json!({ "name": "Square", "outline": { "type": "Polygon", "coordinates": [ring] },
        "surfaceM2": 4000.0, "capacityPersons": 100.0 });
    let gate = json!({ "name": "Gate", "line": { "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] },
        "widthM": 8.0, "to": "square",
        "counter": { "entity": counter, "inAttribute": "in", "outAttribute": "out", "periodS": 60 } });
    for (part, body) in [("area/square", area), ("gate/gate", gate)] {
        let path = format!("/api/v1/crowd/events/{event}/parts/{part}");
        send(client, "PUT", &path, Some(&json!({ "version": null, "body": body })))?;
    }
    let live = json!({ "kind": "live", "areasEmpty": true });
    send(client, "POST", &format!("/api/v1/crowd/events/{event}/runs"), Some(&live))?;
    let pictures = stream(address, &format!("/api/v1/crowd/events/{event}/runs/1/stream"))?;
    Ok(Watched { event, counter, pictures })
}

/// The pictures of a stream, each with the moment in which it was read.
fn stream(address: SocketAddr, path: &str) -> Result<Receiver<(Value, Instant)>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")?;
    let (sender, pictures) = mpsc::sync_channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            let Some(data) = line.strip_prefix("data:") else { continue };
            let seen = Instant::now();
            let Ok(picture) = serde_json::from_str(data.trim()) else { continue };
            if sender.send((picture, seen)).is_err() {
                return;
            }
        }
    });
    Ok(pictures)
}

/// Batches of other entities at a steady rate until it is told to stop.
fn load(options: &BenchOptions, stop: &Arc<AtomicBool>, sent: &Arc<AtomicU64>) -> JoinHandle<Result<()>> {
    let (address, stop, sent) = (options.address, Arc::clone(stop), Arc::clone(sent));
    let load = Load::batches(options);
    std::thread::spawn(move || {
        let mut client = Client::connect(address)?;
        let per_request = u64::try_from(load.items_per_request()).unwrap_or(u64::MAX);
        let every = Duration::from_secs_f64(load.items_per_request() as f64 / LOAD_PER_S as f64);
        let started = Instant::now();
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let status = client.send(&load.request(number))?;
            if !(200..300).contains(&status) {
                bail!("the load was answered with status {status}: {}", client.last_body());
            }
            sent.fetch_add(per_request, Ordering::Relaxed);
            number += 1;
            let due = every.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        Ok(())
    })
}

fn send(client: &mut Client, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let text = body.map(Value::to_string).unwrap_or_default();
    let status = client.send(&request(method, path, &text))?;
    if !(200..300).contains(&status) {
        bail!("{method} {path} was answered with status {status}: {}", client.last_body());
    }
    Ok(serde_json::from_slice(client.body()).unwrap_or(Value::Null))
}

fn sleep_until(minute: Timestamp, after: Duration) {
    let left = minute.seconds_since(wall()) + after.as_secs_f64();
    std::thread::sleep(Duration::from_secs_f64(left.max(0.0)));
}
