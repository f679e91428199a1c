//! `polder openapi`: the description of the HTTP interface.

use anyhow::Result;

/// Prints the OpenAPI document.
pub fn run() -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&api::description())?);
    Ok(())
}
