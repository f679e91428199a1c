//! The log: text for people or JSON for machines, on standard error, with secrets never in it.

use anyhow::{Context, Result};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Telemetry;

/// Starts the log. Called once, before anything else of the server.
pub fn start(settings: &Telemetry) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log)
        .with_context(|| format!("telemetry.log = \"{}\" is not a log filter; use for example info", settings.log))?;
    let registry = tracing_subscriber::registry().with(filter);
    if settings.log_json {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().with_ansi(false).with_target(false).with_writer(std::io::stderr)).init();
    }
    Ok(())
}
