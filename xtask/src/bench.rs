//! `cargo xtask bench <name>`: one measurement, held against a limit or a peer in the same run, as a table with the
//! ratio in its last column. Numbers of these machines mean little; ratios of one run do.

mod forecast;
mod history;
mod http;
mod peers;
mod recover;
mod table;

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, program, root, step};

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Which measurement.
    #[arg(value_enum)]
    name: Name,
    /// Fewer rows and requests: to see that it works, not for a figure.
    #[arg(long)]
    small: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// From the count that makes an area red to the alert on a stream, under 2,000 observations a second.
    Alerts,
    /// Attribute updates through NGSI-LD batch upserts, against a raw write of the same bytes and PostgreSQL.
    Ingest,
    /// `GET /entities?type=Vehicle&limit=20`, against constant bytes from the same server.
    Query,
    /// Ranges and aggregates of 10 million observations, against PostgreSQL and DuckDB.
    History,
    /// From start to the first answered query on 200,000 entities.
    Start,
    /// Training the default forecast model on 20 series of five years, and a refresh of 500 series, against the clock.
    Forecast,
    /// `kill -9` during writes; what was acknowledged must be there once.
    Recover,
}

/// A limit that was built beside the binary.
fn example(name: &str) -> Command {
    program(&root().join("target/release/examples").join(name).to_string_lossy(), &[], "")
}

/// Builds what is measured and measures it.
pub fn run(options: &Options) -> Result<()> {
    let build = ["build", "--release", "--workspace", "--bins", "--examples", "--locked"];
    // Whether something is lost does not hang on how the binary was optimised: the tests' own build serves.
    // The forecast builds its own package alone: the whole house is not needed.
    if !matches!(options.name, Name::Recover | Name::Forecast) {
        step("the binary and the limits", &mut cargo(&build))?;
    }
    match options.name {
        Name::Alerts => http::alerts(options.small),
        Name::Ingest => http::ingest(options.small),
        Name::Query => http::query(options.small),
        Name::History => history::run(options.small),
        Name::Start => http::start(options.small),
        Name::Forecast => forecast::run(options.small),
        Name::Recover => recover::run(options.small),
    }
}
