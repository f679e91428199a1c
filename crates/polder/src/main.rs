//! The binary: reads what was typed, what is configured and what time it is, and wires the layers together.

mod assets;
mod city;
mod cli;
mod clock;
mod commands;
mod events;
mod intake;
mod logging;
mod measurements;
mod outbound;
mod outlook;
mod post;
mod retention;
mod rules;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use cli::{Arguments, Command};

/// Entities are made on the threads of requests and freed on the writer's, which glibc's allocator does slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Serve(options) => commands::serve::run(*options),
        Command::Import(options) => commands::import::run(options),
        Command::Check(options) => commands::check::run(&options),
        Command::User(command) => commands::user::run(command),
        Command::Bench(options) => commands::bench::run(&options),
        Command::Config(command) => commands::config::run(&command),
        Command::Crowd(command) => commands::crowd::run(&command),
        Command::Forecast(command) => commands::forecast::run(&command),
        Command::Openapi => commands::openapi::run(),
        Command::HelpPages => commands::help_pages::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("polder: {error:#}");
            ExitCode::FAILURE
        }
    }
}
