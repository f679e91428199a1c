//! `cargo xtask test`: every check and every test, cheapest first, stopping at the first that fails.

mod server;

pub use server::free_address;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{
    checks, demo, generate, needs,
    run::{cargo, exists, program, step},
};

/// Which steps to run.
#[derive(clap::Args)]
pub struct Options {
    /// Run only these steps (repeat the option); all of them when it is absent.
    #[arg(long)]
    only: Vec<String>,
}

/// The binary, with the very features that the tests are built with: the same artefacts, so nothing is built twice.
pub const BUILD: [&str; 4] = ["build", "--workspace", "--tests", "--locked"];

type Step = (&'static str, fn() -> Result<()>);

/// All steps in order.
const STEPS: &[Step] = &[
    ("needs", needs::test_programs),
    ("format", format),
    ("tidy", checks::tidy),
    ("arrows", checks::arrows),
    ("web", web),
    ("clippy", clippy),
    ("rust", rust),
    ("fresh", generate::check),
    ("e2e", e2e),
];

/// Runs the chosen steps and says how long each took.
pub fn run(options: &Options) -> Result<()> {
    for wanted in &options.only {
        if !STEPS.iter().any(|(name, _)| name == wanted) {
            let known: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
            bail!("there is no step \"{wanted}\"; the steps are {}", known.join(", "));
        }
    }
    let mut times = Vec::new();
    for (name, act) in
        STEPS.iter().filter(|(name, _)| options.only.is_empty() || options.only.iter().any(|o| o == name))
    {
        let started = Instant::now();
        act()?;
        times.push(format!("{name} {:.0} s", started.elapsed().as_secs_f64()));
    }
    eprintln!("\nall steps passed: {}", times.join(", "));
    Ok(())
}

fn format() -> Result<()> {
    step("rustfmt", &mut cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    step(
        "clippy",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"]),
    )
}

fn web() -> Result<()> {
    needs::npm_packages("web")?;
    step("web types and style", &mut program("npm", &["run", "--silent", "check"], "web"))?;
    step("web tests", &mut program("npm", &["test", "--silent"], "web"))?;
    demo::build_web()
}

/// Unit, contract, property, HTTP and crash tests.
fn rust() -> Result<()> {
    if exists("cargo-nextest") {
        return step("Rust tests", &mut cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]));
    }
    step("Rust tests", &mut cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))
}

/// The built binary, driven from outside by foreign clients and a real browser.
fn e2e() -> Result<()> {
    needs::npm_packages("e2e")?;
    step("the binary", &mut cargo(&BUILD))?;
    let server = server::Server::start()?;
    let outcome = step("end-to-end tests", program("npm", &["test", "--silent"], "e2e").envs(server.environment()));
    server.stop()?;
    outcome
}
