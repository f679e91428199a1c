//! `polder crowd evaluate`: the estimation of crowds on simulated runs that know the truth, as a table.

use std::path::Path;

use anyhow::{Context, Result};
use support::crowd::evaluate::{Scenario, evaluate};

use crate::{city::in_a_line, cli::CrowdCommand};

/// How many of the data's problems are printed.
const PROBLEMS_SHOWN: usize = 5;

/// Does what was asked.
pub fn run(command: &CrowdCommand) -> Result<()> {
    match command {
        CrowdCommand::Evaluate { scenario } => evaluate_scenario(scenario),
    }
}

fn evaluate_scenario(path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let scenario: Scenario =
        toml::from_str(&text).with_context(|| format!("{} is not a scenario of crowds", path.display()))?;
    let data = path.with_file_name(&scenario.data);
    let csv = std::fs::read_to_string(&data)
        .with_context(|| format!("cannot read {}; write it with evaluation/crowd/simulate/run.py", data.display()))?;
    let (evaluation, problems) = evaluate(&scenario, &csv)?;
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        eprintln!("{}", in_a_line(problem));
    }
    print!("{evaluation}");
    Ok(())
}
