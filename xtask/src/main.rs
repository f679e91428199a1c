//! The project's own commands: `cargo xtask demo` shows the city, `cargo xtask test` proves the house stands.
//!
//! Everything a developer or CI runs goes through here, so that there is one way to build, check and measure.

mod bench;
mod checks;
mod demo;
mod generate;
mod needs;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, check, show and measure Polder.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, load Rotterdam and open the running city.
    Demo(demo::Options),
    /// Run every check and every test.
    Test(test::Options),
    /// Write the generated files anew (OpenAPI, configuration schema, TypeScript client).
    Gen,
    /// Check the house rules: sizes, headers, words that must not be there, links in the docs.
    Tidy,
    /// Check who imports whom, and the licence of every dependency.
    Arrows,
    /// Measure one thing and write the table to target/bench/<name>.json.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Gen => generate::write(),
        Command::Tidy => checks::tidy(),
        Command::Arrows => checks::arrows(),
        Command::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
