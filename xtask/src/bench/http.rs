//! Measurements through HTTP: the binary in `--open` mode on an empty city, driven by `polder bench`.

use std::{
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{
    example, peers,
    table::{Row, Table},
};
use crate::run::{output, program, root};

const START_S_MAX: u64 = 60;

/// An empty city: a benchmark brings its own data.
const CITY: &str = r#"[city]
id = "bench"
name = "Bench"
country = "NL"
time_zone = "Europe/Amsterdam"
center = [4.48, 51.92]
bounds = [4.3, 51.8, 4.7, 52.0]
zoom = 11
title = { nl = "Meetstad", en = "Benchmark city" }
"#;

/// Batch and single upserts against a raw write of the same bytes and PostgreSQL.
pub fn ingest(small: bool) -> Result<()> {
    let (requests, singles) = if small { ("20", "2000") } else { ("400", "100000") };
    let folder = fresh_folder("ingest")?;
    let bodies = folder.join("bodies.ndjson");
    let batch = ["bench", "batch", "--requests", requests, "--entities", "10000", "--batch", "1000"];
    output(Command::new(polder()).args(batch).arg("--write").arg(&bodies))?;
    let raw = peers::last_json(&output(example("raw_limit").arg(&bodies))?)?;
    let server = Server::start(&folder)?;
    let ours = server.bench(&[&batch[1..], &["--clients", "4"]].concat())?;
    let single =
        server.bench(&["single", "--requests", singles, "--entities", "10000", "--batch", "1", "--clients", "32"])?;
    drop(server);
    let postgres = peers::run("postgres_ingest.py", &[&bodies.to_string_lossy(), if small { "2" } else { "15" }])?;
    let rate = |value: &Value| value["itemsPerS"].as_f64().unwrap_or(0.0);
    let share = |work: &str, ours: &Value, against: &str, theirs: &Value, target| Row {
        work: work.into(),
        ours: rate(ours),
        against: against.into(),
        theirs: rate(theirs),
        ratio: rate(ours) / rate(theirs),
        target,
    };
    let rows = vec![
        share("batch upserts, 1,000 a request", &ours, "parse + raw fjall write", &raw, ">= 0.35"),
        share("batch upserts, 1,000 a request", &ours, "PostgreSQL, bare socket", &postgres["batch"], ">= 1.5"),
        share("single upserts, 32 clients", &single, "PostgreSQL, bare socket", &postgres["single"], ">= 1.5"),
    ];
    Table { name: "ingest", unit: "entities/s", rows }.publish()
}

/// The query of 20 entities against constant bytes of the same length.
pub fn query(small: bool) -> Result<()> {
    let requests = if small { "2000" } else { "100000" };
    let server = Server::start(&fresh_folder("query")?)?;
    server.bench(&["batch", "--requests", "1", "--entities", "100", "--batch", "100"])?;
    let load = ["--clients", "50", "--requests", requests];
    server.bench(&["query", "--clients", "50", "--requests", "5000"])?;
    let ours = server.bench(&[&["query"], &load[..]].concat())?;
    drop(server);
    let address = crate::test::free_address()?;
    let child = example("constant").args([&address.to_string(), "11000"]).spawn()?;
    let server = Server { child, address };
    server.wait()?;
    let limit = server.bench(&[&["root"], &load[..]].concat())?;
    let rate = |value: &Value| value["requestsPerS"].as_f64().unwrap_or(0.0);
    let latency = |name: &str| ours["latencyMs"][name].as_f64().unwrap_or(0.0);
    let rows = vec![
        Row {
            work: "20 entities of a type, 50 connections, requests/s".into(),
            ours: rate(&ours),
            against: "11 KB of constant bytes".into(),
            theirs: rate(&limit),
            ratio: rate(&ours) / rate(&limit),
            target: ">= 0.35",
        },
        Row {
            work: "the same, p99 in ms".into(),
            ours: latency("p99"),
            against: "its own median".into(),
            theirs: latency("p50"),
            ratio: latency("p99") / latency("p50"),
            target: "<= 3",
        },
    ];
    Table { name: "query", unit: "requests/s", rows }.publish()
}

/// From the acknowledgement of a count to the alert that it causes, on the stream of a live run.
pub fn alerts(small: bool) -> Result<()> {
    let (runs, minutes) = if small { ("4", "2") } else { ("16", "8") };
    let server = Server::start(&fresh_folder("alerts")?)?;
    let load = ["--entities", "10000", "--batch", "100"];
    let ours = server.bench(&[&["alerts", "--clients", runs, "--requests", minutes], &load[..]].concat())?;
    let latency = |name: &str| ours["latencyMs"][name].as_f64().unwrap_or(0.0) / 1e3;
    let row = |work: &str, ours: f64, against: &str, theirs: f64, target| Row {
        work: work.into(),
        ours,
        against: against.into(),
        theirs,
        ratio: ours / theirs,
        target,
    };
    let (count, rate) = (&ours["alerts"], ours["loadPerS"].as_f64().unwrap_or(0.0));
    let rows = vec![
        row(&format!("count to alert, p50 of {count}, s"), latency("p50"), "target", 2.0, "<= 1"),
        row(&format!("count to alert, p99 of {count}, s"), latency("p99"), "target", 2.0, "<= 1"),
        row("load meanwhile, entities/s", rate, "asked for", 2_000.0, ">= 0.99"),
    ];
    Table { name: "alerts", unit: "see row", rows }.publish()
}

/// From the start of the process to the first answered query, on a directory that was filled before.
pub fn start(small: bool) -> Result<()> {
    let entities = if small { "20000" } else { "200000" };
    let folder = fresh_folder("start")?;
    let requests = (entities.parse::<usize>()? / 1_000).to_string();
    let server = Server::start(&folder)?;
    server.bench(&["batch", "--requests", &requests, "--entities", entities, "--batch", "1000"])?;
    drop(server);
    let mut seconds = Vec::new();
    let mut memory_mb: f64 = 0.0;
    for _ in 0..5 {
        let started = Instant::now();
        let server = Server::start(&folder)?;
        server.bench(&["query", "--clients", "1", "--requests", "1"])?;
        seconds.push(started.elapsed().as_secs_f64());
        memory_mb = memory_mb.max(server.resident_mb()?);
    }
    seconds.sort_by(f64::total_cmp);
    let row = |work: &str, ours: f64, against: &str, theirs: f64, target| Row {
        work: work.into(),
        ours,
        against: against.into(),
        theirs,
        ratio: ours / theirs,
        target,
    };
    let rows = vec![
        row(
            &format!("start to first answer, {entities} entities, median of 5, s"),
            seconds[2],
            "target",
            1.0,
            "<= 1 s",
        ),
        row("resident memory then, MB", memory_mb, "target of the full design", 200.0, "<= 200 MB"),
    ];
    Table { name: "start", unit: "see row", rows }.publish()
}

fn polder() -> PathBuf {
    root().join("target/release/polder")
}

fn fresh_folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/bench").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(folder.join("city"))?;
    std::fs::write(folder.join("city/city.toml"), CITY)?;
    Ok(folder)
}

/// A server on a free loopback port; killed when it goes out of scope.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let address = crate::test::free_address()?;
        let mut serve = Command::new(polder());
        serve.args(["serve", "--open", "--listen", &address.to_string()]).env("POLDER_TELEMETRY__LOG", "error");
        serve.arg("--data").arg(folder.join("data")).arg("--city").arg(folder.join("city"));
        serve.env("POLDER_SERVER__REQUESTS_PER_S_MAX", "1000000");
        let child = serve.stdin(Stdio::null()).spawn().context("cannot start the server")?;
        let server = Self { child, address };
        server.wait()?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if started.elapsed() > Duration::from_secs(START_S_MAX) {
                bail!("nothing answers at {} after {START_S_MAX} s", self.address);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn bench(&self, arguments: &[&str]) -> Result<Value> {
        eprintln!("==> polder bench {}", arguments.join(" "));
        let polder = polder().to_string_lossy().into_owned();
        let mut command = program(&polder, &["bench"], "");
        command.args(arguments).args(["--address", &self.address.to_string()]);
        peers::last_json(&output(&mut command)?)
    }

    fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kb: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kb / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is already gone is what is wanted.
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}
