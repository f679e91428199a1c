//! Ranges and aggregates of history, engine against engine, in CPU seconds.

use anyhow::Result;

/// Filled in from the history example and the peers' script.
pub fn run(_small: bool) -> Result<()> {
    anyhow::bail!("not wired")
}
