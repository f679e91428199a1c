//! The peers: their Python packages in a folder of their own, and scripts that print one JSON object.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run::{output, program, root, step};

/// Packages that the peers' scripts use: PostgreSQL's client and DuckDB.
const PACKAGES: &[&str] = &["psycopg[binary]", "duckdb"];

/// Runs `xtask/bench/<script>` and gives the JSON that its last line is.
pub fn run(script: &str, arguments: &[&str]) -> Result<Value> {
    let venv = root().join("target/bench/venv");
    let python = venv.join("bin/python").to_string_lossy().into_owned();
    if !std::path::Path::new(&python).exists() {
        step(
            "a folder for the peers' packages",
            &mut program("python3", &["-m", "venv", &venv.to_string_lossy()], ""),
        )?;
        let mut install = program(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], "");
        step("the peers' packages", install.args(PACKAGES))?;
    }
    eprintln!("==> {script}");
    let script = format!("xtask/bench/{script}");
    let printed = output(program(&python, &[&script], "").args(arguments))?;
    last_json(&printed)
}

/// The JSON object on the last line of a text.
pub fn last_json(printed: &str) -> Result<Value> {
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("not a JSON object: {line}"))
}
