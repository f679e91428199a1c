//! The forecast's speed: training the default model on 20 series of five years, and a refresh of 500 series. Held
//! against the clock, and shown in CPU seconds too, because the machine has other work.

use anyhow::Result;

use super::{
    example, peers,
    table::{Row, Table},
};
use crate::run::{cargo, output, step};

/// Trains and refreshes on series that are made up; see `crates/forecast/examples/forecast_speed.rs`.
pub fn run(small: bool) -> Result<()> {
    let build = ["build", "--release", "--package", "polder-forecast", "--example", "forecast_speed", "--locked"];
    step("the forecast alone", &mut cargo(&build))?;
    let mut command = example("forecast_speed");
    if small {
        command.arg("--small");
    }
    let told = peers::last_json(&output(&mut command)?)?;
    let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
    let row = |work: String, figure: f64, against: &str, limit: f64, target| Row {
        work,
        ours: figure,
        against: against.into(),
        theirs: limit,
        ratio: figure / limit,
        target,
    };
    let training = format!("training, {:.0} rows", number("trainedRows"));
    let refresh = format!("refresh, {:.0} answers", number("answers"));
    let rows = vec![
        row(training.clone(), number("trainS"), "the clock", 300.0, "<= 1"),
        row(training, number("trainCpuS"), "two cores for as long", 600.0, "<= 1"),
        row(refresh.clone(), number("refreshS"), "the clock", 10.0, "<= 1"),
        row(refresh, number("refreshCpuS"), "two cores for as long", 20.0, "<= 1"),
    ];
    Table { name: "forecast", unit: "s", rows }.publish()
}
