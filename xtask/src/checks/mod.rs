//! Checks of the house itself: sizes, headers, words, links, arrows and licences.

mod arrows;
mod licences;
mod sizes;
mod words;

use anyhow::{Result, bail};

/// Everything about the text of the files.
pub fn tidy() -> Result<()> {
    let files = crate::run::files()?;
    let mut found = sizes::check(&files)?;
    found.extend(words::check(&files)?);
    report("tidy", &found)
}

/// Everything about who depends on what.
pub fn arrows() -> Result<()> {
    let metadata = arrows::metadata()?;
    let mut found = arrows::check(&metadata)?;
    found.extend(licences::check(&metadata));
    report("arrows", &found)
}

fn report(name: &str, found: &[String]) -> Result<()> {
    if found.is_empty() {
        eprintln!("    {name}: clean");
        return Ok(());
    }
    for line in found {
        eprintln!("{line}");
    }
    bail!("{name}: {} findings", found.len())
}
