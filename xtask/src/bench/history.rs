//! Ranges and aggregates of history, engine against engine, in CPU seconds.

use anyhow::Result;
use serde_json::Value;

use super::{
    peers,
    table::{Row, Table},
};
use crate::run::{cargo, output, root};

const EXAMPLE: [&str; 9] =
    ["run", "--quiet", "--profile", "demo", "--package", "polder-store", "--example", "history_bench", "--"];

/// What is asked, and how many times quicker than PostgreSQL it should be.
const QUESTIONS: &[(&str, &str)] = &[
    ("one day of one series", ">= 3"),
    ("hourly averages of one series", ">= 5"),
    ("hourly averages of all series", ">= 5"),
    ("95th percentile of each series", ">= 5"),
    ("daily averages of 50 series", ">= 5"),
];

/// The same rows in Polder, in PostgreSQL and, as the same files, in DuckDB.
pub fn run(small: bool) -> Result<()> {
    let folder = root().join("target/bench/history");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let rows = if small { "1000000" } else { "10000000" };
    let printed = output(cargo(&EXAMPLE).arg(&folder).args([rows, "1000"]))?;
    let ours = peers::last_json(&printed)?;
    let theirs = peers::run("history_peers.py", &[&folder.join("segments").to_string_lossy()])?;
    let mut rows = Vec::new();
    for (work, target) in QUESTIONS {
        rows.push(row(work, &ours, "PostgreSQL, btree (series, ts)", &theirs["postgres"], target)?);
        rows.push(row(work, &ours, "DuckDB, the same Parquet", &theirs["duckdb"], ">= 1")?);
    }
    let (bytes, postgres_bytes) = (number(&ours["segmentBytes"]), number(&theirs["postgresBytes"]));
    rows.push(Row {
        work: "bytes on disk".to_owned(),
        ours: bytes,
        against: "PostgreSQL, table and btree".to_owned(),
        theirs: postgres_bytes,
        ratio: postgres_bytes / bytes,
        target: ">= 10",
    });
    Table { name: "history", unit: "CPU seconds of one question", rows }.publish()
}

fn row(work: &str, ours: &Value, against: &str, theirs: &Value, target: &'static str) -> Result<Row> {
    let (our_answer, their_answer) = (&ours["answers"][work], &theirs[work]);
    let (our_sum, their_sum) = (number(&our_answer["checksum"]), number(&their_answer["checksum"]));
    if (our_sum - their_sum).abs() > 1e-9 * their_sum.abs() {
        anyhow::bail!("{work}: {against} answers {their_sum}, Polder {our_sum}; a figure would mean nothing");
    }
    let (ours, theirs) = (number(&our_answer["cpuS"]), number(&their_answer["cpuS"]));
    Ok(Row { work: work.to_owned(), ours, against: against.to_owned(), theirs, ratio: theirs / ours, target })
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
