//! The table that every measurement ends in: on the screen, and as JSON in target/bench.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::run::root;

/// One row: what was done, our figure, the figure it is held against, and ours divided by theirs.
pub struct Row {
    /// What was done.
    pub work: String,
    /// Our figure.
    pub ours: f64,
    /// The limit or peer.
    pub against: String,
    /// Its figure.
    pub theirs: f64,
    /// How much better we are, or which share of the limit we reach; what the target speaks about.
    pub ratio: f64,
    /// The target for the ratio, as written in the design.
    pub target: &'static str,
}

/// A finished measurement.
pub struct Table {
    /// The name on the command line.
    pub name: &'static str,
    /// The unit of the figures.
    pub unit: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// Prints the table and writes it to `target/bench/<name>.json`.
    pub fn publish(&self) -> Result<()> {
        let mut text = format!(
            "\n| {} ({}) | Polder | against | figure | ratio | target |\n|---|---:|---|---:|---:|---|\n",
            self.name, self.unit
        );
        for row in &self.rows {
            let (ours, theirs) = (figure(row.ours), figure(row.theirs));
            writeln!(
                text,
                "| {} | {ours} | {} | {theirs} | {:.2} | {} |",
                row.work, row.against, row.ratio, row.target
            )?;
        }
        println!("{text}");
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let folder = root().join("target/bench");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.json", self.name));
        let whole = json!({ "name": self.name, "unit": self.unit, "rows": rows });
        std::fs::write(&path, serde_json::to_string_pretty(&whole)?).context("cannot write the table")
    }
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "work": self.work, "ours": self.ours, "against": self.against,
            "theirs": self.theirs, "ratio": self.ratio, "target": self.target,
        })
    }
}

fn figure(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}
