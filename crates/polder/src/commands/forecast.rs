//! `polder forecast evaluate` and `nowcast`: how good forecasts of a city's own counts are, beside simple methods,
//! repeatable by anybody.

mod counts;
mod minutes;
mod nowcast;
mod protocol;
mod report;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use forecast::{
    evaluate::{Step, evaluate},
    insufficient::HISTORY_DAYS_MIN,
    panel::Panel,
    series::{HourlySeries, day_after},
};

use crate::cli::{EvaluateOptions, ForecastCommand};

/// Runs what was asked for.
pub fn run(command: &ForecastCommand) -> Result<()> {
    match command {
        ForecastCommand::Evaluate(options) => evaluate_file(options),
        ForecastCommand::Nowcast(options) => nowcast::run(options),
    }
}

fn evaluate_file(options: &EvaluateOptions) -> Result<()> {
    let settings = protocol::read(&options.protocol)?;
    let series = counts::read(&options.data, &settings.zone)?;
    tell_marks(&series);
    let begun = Instant::now();
    let last_day = counts::last_day(&series).context("no value in any series")?;
    let protocol = settings.protocol(last_day)?;
    let calendar = settings.calendar(&series)?;
    let panel = Panel::new(&series, &calendar, settings.weather()?, protocol.horizon_hours.div_ceil(24) + 1);
    let earliest = day_after(panel.first_day, HISTORY_DAYS_MIN);
    if protocol.first_day < earliest {
        bail!(
            "the window begins on {}, the data on {}: set first_day to {earliest} or later, because {HISTORY_DAYS_MIN} \
             days must lie before it",
            protocol.first_day,
            panel.first_day
        );
    }
    eprintln!(
        "{} series, {} to {}; window {} to {}, {} h ahead, trained anew every {} days",
        series.len(),
        panel.first_day,
        last_day,
        protocol.first_day,
        protocol.last_day,
        protocol.horizon_hours,
        protocol.retrain_days
    );
    let evaluation = evaluate(&panel, &protocol, |step| match step {
        Step::Training(day) => {
            eprintln!("{:>5.0} s  training on what lies before {day}", begun.elapsed().as_secs_f64())
        }
        Step::Forecast(day) => eprintln!("{:>5.0} s  forecast up to {day}", begun.elapsed().as_secs_f64()),
    })
    .with_context(|| format!("{} cannot be evaluated", options.data.display()))?;
    let seconds = begun.elapsed().as_secs_f64();
    print!("{}", report::table(&evaluation, &protocol, seconds, options.series));
    if let Some(out) = &options.json {
        let json = report::json(&evaluation, &protocol, seconds)?;
        std::fs::write(out, json).with_context(|| format!("{} cannot be written", out.display()))?;
    }
    Ok(())
}

/// Says what was wrong with the input, by kind of fault.
fn tell_marks(series: &[HourlySeries]) {
    let mut faults: std::collections::BTreeMap<forecast::series::Fault, (usize, String)> = Default::default();
    for (name, mark) in series.iter().flat_map(|series| series.marks.iter().map(move |mark| (&series.name, mark))) {
        let first = faults.entry(mark.fault).or_insert_with(|| (0, format!("{name} at {}", mark.hour)));
        first.0 += 1;
    }
    for (fault, (count, first)) in faults {
        eprintln!("{count} x {fault} (first: {first})");
    }
}
