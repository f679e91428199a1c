//! Writes to a store as fast as it can, from several threads, until it is killed. The crash test starts it, kills it,
//! and compares what it said was committed with what is there.
//!
//! Usage: `crash_writer DIRECTORY LANES`. Each lane is a thread that counts up; after every acknowledged transaction it
//! prints `lane number` on a line.

use std::{io::Write, path::Path, process::ExitCode, time::Duration};

use model::Tenant;
use polder_testing::crash_lanes::{last_number, transaction};
use store::{HistoryOptions, Store, StoreOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, lanes] = arguments.as_slice() else {
        eprintln!("usage: crash_writer DIRECTORY LANES");
        return ExitCode::FAILURE;
    };
    match run(Path::new(directory), lanes.parse().unwrap_or(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Small segments, so that kills also fall into flushes and merges of history.
fn options() -> StoreOptions {
    let history =
        HistoryOptions { flush_rows: 300, flush_every: Duration::from_millis(150), ..HistoryOptions::default() };
    StoreOptions { history, log_changes_kept: 2_000, ..StoreOptions::default() }
}

fn run(directory: &Path, lanes: u32) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(directory, &options())?;
    let threads: Vec<_> = (0..lanes)
        .map(|lane| {
            let store = store.clone();
            std::thread::spawn(move || write_lane(&store, lane))
        })
        .collect();
    for thread in threads {
        let ended = thread.join();
        ended.map_err(|_| "a lane failed")??;
    }
    Ok(())
}

fn write_lane(store: &Store, lane: u32) -> Result<(), String> {
    let mut number = last_number(&store.snapshot().map_err(|e| e.to_string())?, lane).map_err(|e| e.to_string())?;
    loop {
        number += 1;
        let snapshot = store.snapshot().map_err(|e| e.to_string())?;
        let tx = transaction(&snapshot, &Tenant::default(), lane, number).map_err(|e| e.to_string())?;
        store.commit_blocking(tx).map_err(|e| e.to_string())?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{lane} {number}").and_then(|()| out.flush()).map_err(|e| e.to_string())?;
    }
}
