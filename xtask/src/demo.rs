//! `cargo xtask demo`: from a fresh clone to Rotterdam on the screen, with one command.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::Result;

use crate::{
    needs,
    run::{cargo, program, root, step},
};

/// What to show, and where.
#[derive(clap::Args)]
pub struct Options {
    /// The city's folder.
    #[arg(long, default_value = "cities/rotterdam")]
    city: PathBuf,
    /// The data directory; filled on the first run, reused after that.
    #[arg(long, default_value = "data/rotterdam")]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// How many seconds of the archive pass in one second.
    #[arg(long, default_value = "60")]
    replay: f64,
    /// Build and load, but do not start the server.
    #[arg(long)]
    no_serve: bool,
}

/// Builds what is out of date, loads the city when it is not loaded yet, and serves it.
pub fn run(options: &Options) -> Result<()> {
    build_web()?;
    step("the binary", &mut cargo(&["build", "--profile", "demo", "--package", "polder", "--locked"]))?;
    let polder = root().join("target/demo/polder");
    run_import(&polder, options)?;
    if options.no_serve {
        return Ok(());
    }
    let mut serve = Command::new(&polder);
    serve.current_dir(root()).arg("serve").arg("--data").arg(&options.data).arg("--city").arg(&options.city);
    serve.args(["--listen", &options.listen, "--replay", &options.replay.to_string()]);
    step("the city", &mut serve)
}

fn run_import(polder: &Path, options: &Options) -> Result<()> {
    let mut import = Command::new(polder);
    import.current_dir(root()).arg("import").arg("--data").arg(&options.data).arg("--city").arg(&options.city);
    step("loading the city", &mut import)
}

/// The page that the web app's build writes last (`fallback` in `web/svelte.config.js`).
const PAGE: &str = "200.html";

/// Builds the web app when a source is newer than the build.
pub fn build_web() -> Result<()> {
    needs::npm_packages("web")?;
    let built = root().join("web/build").join(PAGE).metadata().and_then(|m| m.modified());
    let newest = newest_source(&crate::run::files()?);
    if built.is_ok_and(|built| newest.is_some_and(|newest| newest <= built)) {
        return Ok(());
    }
    step("the web app", &mut program("npm", &["run", "--silent", "build"], "web"))
}

fn newest_source(files: &[String]) -> Option<SystemTime> {
    let sources = files.iter().filter(|path| path.starts_with("web/") || path.starts_with("schemas/"));
    sources.filter_map(|path| root().join(path).metadata().and_then(|m| m.modified()).ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_that_shows_how_old_the_build_is_is_the_one_that_the_build_writes() -> Result<()> {
        let config = std::fs::read_to_string(root().join("web/svelte.config.js"))?;
        assert!(config.contains(&format!("fallback: '{PAGE}'")), "{config}");
        Ok(())
    }
}
