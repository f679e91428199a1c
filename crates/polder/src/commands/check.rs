//! `polder check`: verifies a data directory and says what is wrong with it.

use anyhow::{Result, bail};
use store::Store;

use crate::{city::in_a_line, cli::DataOptions};

/// Verifies everything; fails when something is wrong.
pub fn run(options: &DataOptions) -> Result<()> {
    let report = Store::check(&options.data)?;
    for (kind, count) in &report.checked {
        println!("{kind}: {count}");
    }
    for problem in &report.problems {
        println!("wrong: {}", in_a_line(problem));
    }
    if !report.problems.is_empty() {
        bail!("{} has {} problems", options.data.display(), report.problems.len());
    }
    println!("{} is clean", options.data.display());
    Ok(())
}
