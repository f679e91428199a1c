//! `polder crowd`: the estimation of crowds on simulated runs that know the truth, and the predictions of rehearsals, as
//! tables.

use std::path::Path;

use anyhow::{Context, Result};
use control::HorizonQuality;
use jiff::tz::TimeZone;
use support::crowd::evaluate::{Scenario, evaluate};

use crate::{city::in_a_line, cli::CrowdCommand, events::read_plan};

/// How many of the data's problems are printed.
const PROBLEMS_SHOWN: usize = 5;

/// Does what was asked.
pub fn run(command: &CrowdCommand) -> Result<()> {
    match command {
        CrowdCommand::Evaluate { scenario, data } => evaluate_scenario(scenario, data.as_deref()),
        CrowdCommand::Rehearse { plan, seed, seeds, visitors_factor } => rehearse(plan, *seed, *seeds, visitors_factor),
    }
}

/// One line for each seed and horizon, and their mean.
fn rehearse(path: &Path, seed: u64, seeds: u64, factors: &[f64]) -> Result<()> {
    let plan = read_plan(path).with_context(|| format!("cannot rehearse {}", path.display()))?;
    println!("factor  seed  min  judged  error persons  coverage  Brier red");
    for factor in factors {
        let mut rows: Vec<HorizonQuality> = Vec::new();
        for seed in seed..seed.saturating_add(seeds) {
            let qualities = control::rehearse(&plan, seed, *factor, TimeZone::UTC)?;
            for quality in &qualities {
                println!("{}", line(&format!("{factor:<7} {seed:>4}"), quality));
            }
            rows.extend(qualities);
        }
        for in_min in [15, 30, 60] {
            let all: Vec<_> = rows.iter().filter(|row| row.in_min == in_min).collect();
            println!("{}", line(&format!("{factor:<7} mean"), &mean(in_min, &all)));
        }
    }
    Ok(())
}

fn mean(in_min: u32, rows: &[&HorizonQuality]) -> HorizonQuality {
    let of = |value: fn(&HorizonQuality) -> Option<f64>| {
        let values: Vec<f64> = rows.iter().filter_map(|row| value(row)).collect();
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        (count > 0).then(|| values.iter().sum::<f64>() / f64::from(count))
    };
    HorizonQuality {
        in_min,
        judged: rows.iter().map(|row| row.judged).sum(),
        mean_error_persons: of(|row| row.mean_error_persons),
        coverage: of(|row| row.coverage),
        brier_red: of(|row| row.brier_red),
    }
}

fn line(name: &str, quality: &HorizonQuality) -> String {
    let HorizonQuality { in_min, judged, mean_error_persons, coverage, brier_red } = quality;
    let error = mean_error_persons.unwrap_or(f64::NAN);
    let (coverage, brier) = (coverage.unwrap_or(f64::NAN) * 100.0, brier_red.unwrap_or(f64::NAN));
    format!("{name}  {in_min:>3}  {judged:>6}  {error:>13.0}  {coverage:>6.1} %  {brier:>9.4}")
}

fn evaluate_scenario(path: &Path, data: Option<&Path>) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let scenario: Scenario =
        toml::from_str(&text).with_context(|| format!("{} is not a scenario of crowds", path.display()))?;
    let data = data.map_or_else(|| path.with_file_name(&scenario.data), Path::to_path_buf);
    let csv = std::fs::read_to_string(&data)
        .with_context(|| format!("cannot read {}; write it with evaluation/crowd/simulate/run.py", data.display()))?;
    let (evaluation, problems) = evaluate(&scenario, &csv)?;
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        eprintln!("{}", in_a_line(problem));
    }
    print!("{evaluation}");
    Ok(())
}
