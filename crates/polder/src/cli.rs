//! The command line: every command and option, with the help text that users read.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

/// Polder: the open operating platform of a smart-city ecosystem.
#[derive(Debug, Parser)]
#[command(name = "polder", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a city: the standard APIs, the map and the live feeds.
    Serve(Box<ServeOptions>),
    /// Load the archives of a city into a data directory; what is already loaded is skipped.
    Import(ImportOptions),
    /// Verify every record, index, audit link and history segment of a data directory.
    Check(DataOptions),
    /// Add people, and tokens for machines.
    #[command(subcommand)]
    User(UserCommand),
    /// Drive a running server with a stated load and print what it did.
    Bench(BenchOptions),
    /// Print the annotated sample configuration or its JSON Schema.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Hold the estimation of crowds against simulations that know the truth.
    #[command(subcommand)]
    Crowd(CrowdCommand),
    /// Forecast hourly counts, and see how good that is.
    #[command(subcommand)]
    Forecast(ForecastCommand),
    /// Print the OpenAPI description of the HTTP interface.
    Openapi,
    /// Print the help of every command as one Markdown page.
    #[command(hide = true)]
    HelpPages,
}

/// Where the data are.
#[derive(Debug, Clone, Args)]
pub struct DataOptions {
    /// The data directory.
    #[arg(long, env = "POLDER_DATA", default_value = "data/polder")]
    pub data: PathBuf,
}

/// Options of `polder serve`. What is given here goes before the environment and the configuration file.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// The configuration file (see `polder config sample`).
    #[arg(long, env = "POLDER_CONFIG")]
    pub config: Option<PathBuf>,
    /// The data directory; made when it is not there.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The folder of the city: city.toml, layers.toml and data.
    #[arg(long)]
    pub city: Option<PathBuf>,
    /// The address and port to listen on.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Play the city's archives as if live; SPEED seconds of the archive pass in one second.
    #[arg(long, value_name = "SPEED")]
    pub replay: Option<f64>,
    /// Let everybody in without an account, as an administrator. Loopback addresses only: for first tries and test suites.
    #[arg(long)]
    pub open: bool,
}

/// Options of `polder import`.
#[derive(Debug, Clone, Args)]
pub struct ImportOptions {
    /// The data directory.
    #[command(flatten)]
    pub data: DataOptions,
    /// The folder of the city: city.toml and data.
    #[arg(long, default_value = "cities/rotterdam")]
    pub city: PathBuf,
    /// Load only these sources (repeat the option); all of them when it is absent.
    #[arg(long)]
    pub source: Vec<String>,
    /// Load again what was loaded before.
    #[arg(long)]
    pub again: bool,
}

/// Commands about accounts. They work on the data directory itself, so the server must not be running on it.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person. The password is asked for, or read from the input with --password-stdin.
    Add {
        /// The name to sign in with.
        name: String,
        /// What the person may do.
        #[arg(long, default_value = "viewer")]
        role: String,
        /// The municipality (tenant) for which the role holds; `*` is all of them.
        #[arg(long, default_value = "*")]
        tenant: String,
        /// Read the password from the input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
        /// Where the data are.
        #[command(flatten)]
        data: DataOptions,
    },
    /// Make a token with which a machine may call the API; printed once.
    Token {
        /// The account on whose behalf it acts.
        name: String,
        /// What it may do (repeat the option), for example entities:read.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// After how many days it stops working.
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Where the data are.
        #[command(flatten)]
        data: DataOptions,
    },
    /// List the accounts with their roles.
    List {
        /// Where the data are.
        #[command(flatten)]
        data: DataOptions,
    },
}

/// Commands about forecasts of hourly counts. They work on files, without a server.
#[derive(Debug, Subcommand)]
pub enum ForecastCommand {
    /// Forecast each day of a window of the past from what lies before it, and print how good that was, beside simple methods.
    Evaluate(EvaluateOptions),
    /// Foresee the next minutes at each moment of the past, and print how good that was, beside "half of the last 30 minutes".
    Nowcast(NowcastOptions),
}

/// Options of `polder forecast nowcast`.
#[derive(Debug, Clone, Args)]
pub struct NowcastOptions {
    /// Counts at steps of 1 to 15 minutes: a CSV file (or .csv.gz) whose first column is the local time; each further column is a series, an empty cell is missing.
    #[arg(long)]
    pub data: PathBuf,
    /// Learn from this table in place of what lies before the scored moments.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// The first moment to score, such as 2026-08-22T00:00; what lies before is learned from. Without it, the last quarter is scored.
    #[arg(long, value_name = "TIME")]
    pub from: Option<jiff::civil::DateTime>,
    /// Minutes ahead, 5 to 60; several with commas.
    #[arg(long, value_delimiter = ',', default_value = "15")]
    pub ahead: Vec<usize>,
    /// Look at each series alone: leave out what all series do together.
    #[arg(long)]
    pub alone: bool,
    /// The time zone to bring times to that are written with an offset.
    #[arg(long)]
    pub time_zone: Option<String>,
}

/// Options of `polder forecast evaluate`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateOptions {
    /// Hourly counts: a CSV file (or .csv.gz) whose first column is the local time; each further column is a series, an empty cell is missing.
    #[arg(long)]
    pub data: PathBuf,
    /// The protocol: a TOML file with time zone, window, calendar and weather (see docs/crowd.md).
    #[arg(long)]
    pub protocol: PathBuf,
    /// Also write all figures to this file, as JSON.
    #[arg(long, value_name = "OUT")]
    pub json: Option<PathBuf>,
    /// Print the figures of each series too.
    #[arg(long)]
    pub series: bool,
}

/// Options of `polder bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// What to do.
    #[arg(value_enum)]
    pub work: BenchWork,
    /// The address and port of the server to drive: one on this machine, started with --open.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub address: SocketAddr,
    /// How many clients work at the same time.
    #[arg(long, default_value_t = 4)]
    pub clients: usize,
    /// How many requests are sent in all.
    #[arg(long, default_value_t = 1_000)]
    pub requests: usize,
    /// How many entities there are.
    #[arg(long, default_value_t = 10_000)]
    pub entities: usize,
    /// How many entities one batch request carries.
    #[arg(long, default_value_t = 1_000)]
    pub batch: usize,
    /// Write the bodies of the requests to this file, one a line, and send nothing: the same bytes for a peer.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

/// The loads that `polder bench` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchWork {
    /// From the count that makes an area red to the alert on the stream: --clients live runs for --requests minutes, under
    /// a load of 2,000 entities a second.
    Alerts,
    /// NGSI-LD batch upserts.
    Batch,
    /// NGSI-LD upserts of one entity each.
    Single,
    /// `GET /ngsi-ld/v1/entities?type=Vehicle&limit=20`.
    Query,
    /// `GET /`, whatever answers there.
    Root,
}

/// Commands about the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON Schema of the configuration file.
    Schema,
    /// Print the annotated sample configuration.
    Sample,
}

/// Commands about crowds.
#[derive(Debug, Clone, Subcommand)]
pub enum CrowdCommand {
    /// Evaluate estimates and predictions on simulated runs, and print the table.
    Evaluate {
        /// The scenario: a TOML file with the site and the name of its CSV of runs, which lies beside it.
        #[arg(long)]
        scenario: PathBuf,
        /// Other runs of it: a CSV, in place of the one that the scenario names.
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Rehearse an event with simulated visitors on several seeds, and print how good the predictions were.
    Rehearse {
        /// The event: a file as those in the `events` folder of a city.
        #[arg(long)]
        plan: PathBuf,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many seeds.
        #[arg(long, default_value_t = 5)]
        seeds: u64,
        /// How many come, as a share of those expected; several are rehearsed one after the other.
        #[arg(long, value_delimiter = ',', default_value = "1")]
        visitors_factor: Vec<f64>,
    },
}
