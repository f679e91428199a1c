//! `polder import`: loads the archives of a city, one source after the other, with a progress line for each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sources::{Board, Occasion, SourceState};
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    city::{CityFolder, chosen, in_a_line},
    cli::ImportOptions,
    clock::city_clock,
    events,
    intake::Intake,
    outbound,
    settings::Outbound,
};

/// How many of a source's problems are printed.
const PROBLEMS_SHOWN: usize = 5;

/// Loads what is not loaded yet.
pub fn run(options: ImportOptions) -> Result<()> {
    let city = CityFolder::read(&options.city)?;
    let sources = chosen(city.sources(), &options.source)?;
    let store = Store::open(&options.data.data, &store::StoreOptions::default())?;
    let clock = city_clock(&city.file.city, None);
    let board = Board::new(&sources);
    let intake = Intake::new(&store, &city, &clock, outbound::client(&Outbound::default())?, board.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let until = city.file.city.replay.as_ref().map(|window| window.start);
    let started = Instant::now();
    let loaded = runtime.block_on(async {
        for source in &sources {
            let (source, bar) = (source.clone(), progress(&source.name));
            if options.again {
                intake.forget(&source).await?;
            }
            let occasion = Occasion::Import { until };
            let watch = tokio::spawn(show(bar.clone(), board.clone(), source.name.clone()));
            let done = intake.run(source.clone(), occasion, &CancellationToken::new()).await;
            watch.abort();
            done.with_context(|| format!("source \"{}\"", source.name))?;
            summary(&bar, &board, &source.name);
        }
        events::import(&store, &city).await
    });
    let flushed = store.flush_history();
    store.close()?;
    loaded?;
    flushed?;
    let failed = board.all().iter().filter(|status| status.state == SourceState::Failed).count();
    if failed > 0 {
        bail!("{failed} sources could not be read to the end; what they delivered before that is loaded");
    }
    eprintln!(
        "{} is loaded into {} ({:.1} s)",
        city.file.city.name,
        options.data.data.display(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn progress(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {prefix:22} {pos:>9} {spinner} {elapsed}  {msg}");
    let bar = ProgressBar::new_spinner().with_prefix(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn show(bar: ProgressBar, board: Board, name: String) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        if let Some(status) = board.all().into_iter().find(|status| status.name == name) {
            bar.set_position(status.taken);
            bar.tick();
        }
    }
}

/// One line that stays, also where there is no terminal; then the first problems.
fn summary(bar: &ProgressBar, board: &Board, name: &str) {
    bar.finish_and_clear();
    let Some(status) = board.all().into_iter().find(|status| status.name == name) else { return };
    if status.taken == 0 && status.refused == 0 {
        eprintln!("  {name:22} nothing new ({:.1} s)", bar.elapsed().as_secs_f64());
        return;
    }
    let (taken, refused, seconds) = (status.taken, status.refused, bar.elapsed().as_secs_f64());
    eprintln!("  {name:22} {taken:>9} taken, {refused} refused ({seconds:.1} s)");
    for problem in status.problems.iter().rev().take(PROBLEMS_SHOWN) {
        eprintln!("      {}", in_a_line(problem));
    }
}
