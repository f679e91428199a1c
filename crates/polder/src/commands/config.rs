//! `polder config`: the sample configuration and its schema.

use anyhow::Result;

use crate::{cli::ConfigCommand, settings};

/// Prints the sample or the schema.
pub fn run(command: &ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Sample => print!("{}", settings::sample()),
        ConfigCommand::Schema => {
            let schema = schemars::schema_for!(settings::Settings);
            println!("{}", serde_json::to_string_pretty(&schema)?);
        }
    }
    Ok(())
}
