//! `polder help-pages`: the help of every command as one Markdown page, for docs/command-line.md.

use std::fmt::Write;

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::Arguments;

/// Prints the page.
pub fn run() -> Result<()> {
    let mut command = Arguments::command();
    command.build();
    let mut page = String::from("# The command line\n\nMade from the program's own help by `cargo xtask gen`.\n");
    describe(&mut page, &mut command, "polder")?;
    print!("{page}");
    Ok(())
}

fn describe(page: &mut String, command: &mut clap::Command, name: &str) -> Result<()> {
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", command.render_long_help().to_string().trim_end())?;
    let visible: Vec<String> = command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
        .map(|c| c.get_name().to_owned())
        .collect();
    for sub in visible {
        if let Some(inner) = command.find_subcommand_mut(&sub) {
            describe(page, inner, &format!("{name} {sub}"))?;
        }
    }
    Ok(())
}
