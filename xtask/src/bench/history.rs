//! Ranges and aggregates of history, engine against engine, in CPU seconds: Polder's store, PostgreSQL with a btree over
//! (series, time), and DuckDB on the very same Parquet files.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{
    example, peers,
    table::{Row, Table},
};
use crate::run::{output, root};

/// How far two engines' checksums may differ relative to each other: sums of floating-point numbers in another order.
const CHECKSUM_SHARE_MAX: f64 = 1e-6;

/// Loads the rows, asks the questions of all three, and holds the answers against each other first.
pub fn run(small: bool) -> Result<()> {
    let folder = root().join("target/bench/history");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let (rows, series) = if small { ("200000", "100") } else { ("10000000", "1000") };
    eprintln!("==> {rows} observations of {series} series");
    let ours = peers::last_json(&output(example("history_bench").arg(&folder).args([rows, series]))?)?;
    let theirs = peers::run("history_peers.py", &[&folder.join("segments").to_string_lossy()])?;
    let mut table = Vec::new();
    for (name, answer) in ours["answers"].as_object().context("no answers")? {
        for (peer, target) in [("postgres", if name.contains("day of one") { ">= 3" } else { ">= 5" }), ("duckdb", "-")]
        {
            table.push(row(name, answer, peer, &theirs[peer][name], target)?);
        }
    }
    let bytes = |value: &Value| value.as_f64().unwrap_or(f64::NAN) / 1e6;
    let (disk, disk_postgres) = (bytes(&ours["segmentBytes"]), bytes(&theirs["postgresBytes"]));
    table.push(Row {
        work: "disk, MB".into(),
        ours: disk,
        against: "postgres".into(),
        theirs: disk_postgres,
        ratio: disk_postgres / disk,
        target: ">= 10",
    });
    Table { name: "history", unit: "CPU s", rows: table }.publish()
}

fn row(name: &str, ours: &Value, peer: &str, theirs: &Value, target: &'static str) -> Result<Row> {
    let (ours_s, theirs_s) = (number(ours, "cpuS")?, number(theirs, "cpuS")?);
    let (ours_sum, theirs_sum) = (number(ours, "checksum")?, number(theirs, "checksum")?);
    if (ours_sum - theirs_sum).abs() > CHECKSUM_SHARE_MAX * theirs_sum.abs().max(1.0) {
        bail!("{name}: Polder answers {ours_sum}, {peer} answers {theirs_sum}");
    }
    Ok(Row {
        work: name.into(),
        ours: ours_s,
        against: peer.into(),
        theirs: theirs_s,
        ratio: theirs_s / ours_s,
        target,
    })
}

fn number(value: &Value, field: &str) -> Result<f64> {
    value[field].as_f64().with_context(|| format!("no {field} in {value}"))
}
