//! `polder forecast nowcast`: how good the next minutes are foreseen, beside "half of the last 30 minutes".

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use forecast::nowcast::{Blend, Steps, Trend};
use jiff::tz::TimeZone;

use super::minutes::{self, Table};
use crate::cli::NowcastOptions;

/// Sums of absolute errors over the moments that all methods answer for.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Errors {
    moments: usize,
    counts: f64,
    ours: f64,
    half: f64,
}

/// Runs the evaluation and prints its table.
pub fn run(options: &NowcastOptions) -> Result<()> {
    let zone = match &options.time_zone {
        Some(name) => TimeZone::get(name)
            .with_context(|| format!("--time-zone {name} is not known; use a name such as Europe/Amsterdam"))?,
        None => TimeZone::UTC,
    };
    let table = minutes::read(&options.data, &zone)?;
    let history = options.history.as_deref().map(|path| minutes::read(path, &zone)).transpose()?;
    let from = first_scored(&table, options, history.is_some())?;
    println!(
        "{} series at {} minutes; scored from {} to {}",
        table.series.len(),
        table.minutes,
        table.time_of(from),
        table.time_of(table.steps())
    );
    let mut text =
        String::from("minutes ahead   moments    WAPE   half of the last 30 minutes   error lower by   least WAPE\n");
    for ahead in &options.ahead {
        let blend = match &history {
            Some(history) => fit(history, history.steps(), *ahead, options.alone),
            None => fit(&table, from, *ahead, options.alone),
        };
        let blend = blend.with_context(|| format!("{} cannot be learned from", options.data.display()))?;
        let errors = score(&table, &blend, from, *ahead, options.alone)?;
        row(&mut text, *ahead, errors, least(&table, from, *ahead));
    }
    print!("{text}");
    println!("least WAPE: what the scatter of single counts leaves when the mean is known exactly");
    Ok(())
}

/// The first step that is scored: as asked, or after three quarters of the table; the first with a history of its own.
fn first_scored(table: &Table, options: &NowcastOptions, history: bool) -> Result<usize> {
    let from = match options.from {
        Some(time) => table.step_at(time),
        None if history => 0,
        None => table.steps() / 4 * 3,
    };
    if from >= table.steps() {
        bail!("--from is after the last row, {}; choose an earlier moment", table.time_of(table.steps()));
    }
    Ok(from)
}

fn trend(table: &Table, known: usize, alone: bool) -> Result<Trend> {
    if alone {
        return Ok(Trend::alone());
    }
    let all: Vec<&Steps> = table.series.iter().collect();
    Ok(Trend::of(&all, known)?)
}

fn fit(table: &Table, known: usize, ahead: usize, alone: bool) -> Result<Blend> {
    let series: Vec<(&Steps, usize)> =
        table.series.iter().map(|steps| (steps, known.min(steps.values.len()))).collect();
    Ok(Blend::fit(&series, &trend(table, known, alone)?, ahead)?)
}

/// Asks for each moment from `from` on. The trend's means are those of before `from`, or of the whole table when nothing is.
fn score(table: &Table, blend: &Blend, from: usize, ahead: usize, alone: bool) -> Result<Errors> {
    let trend = trend(table, if from == 0 { table.steps() } else { from }, alone)?;
    let steps_ahead = (ahead / table.minutes).max(1);
    let mut errors = Errors::default();
    for steps in &table.series {
        for now in from..(steps.values.len() + 1).saturating_sub(steps_ahead) {
            let was: f64 = steps.values[now..now + steps_ahead].iter().map(|value| f64::from(*value)).sum();
            let half = steps.half_of_last_30_minutes(now, ahead);
            if let (true, Some(half), Ok(said)) = (was.is_finite(), half, steps.nowcast(blend, &trend, now, ahead)) {
                errors.moments += 1;
                errors.counts += was;
                errors.ours += (said - was).abs();
                errors.half += (half - was).abs();
            }
        }
    }
    if errors.moments == 0 {
        bail!("no moment could be scored: {ahead} minutes without a gap, and half an hour before them, are needed");
    }
    Ok(errors)
}

/// The least WAPE, from the scatter of single counts.
fn least(table: &Table, from: usize, ahead: usize) -> Option<f64> {
    let scatters = table.series.iter().filter_map(|steps| steps.scatter(from, steps.values.len(), ahead));
    let (error, counts) = scatters.fold((0.0, 0.0), |sum, one| (sum.0 + one.error, sum.1 + one.counts));
    (counts > 0.0).then(|| error / counts)
}

fn row(text: &mut String, ahead: usize, errors: Errors, least: Option<f64>) {
    let share = |sum: f64| sum / errors.counts.max(f64::MIN_POSITIVE);
    let _ = writeln!(
        text,
        "{ahead:>13}{:>10}{:>8.4}{:>30.4}{:>15.1} %{:>13}",
        errors.moments,
        share(errors.ours),
        share(errors.half),
        100.0 * (1.0 - errors.ours / errors.half.max(f64::MIN_POSITIVE)),
        least.map_or("-".to_owned(), |least| format!("{least:.4}")),
    );
}
