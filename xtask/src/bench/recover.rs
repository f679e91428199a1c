//! `kill -9` during ingest: the server dies in the middle of batches, again and again, on one directory; afterwards
//! every acknowledged write is there, once, and `polder check` is clean.

use anyhow::Result;

use crate::run::{cargo, step};

/// Runs the crash test on the optimised build; it prints its own counts and fails on any loss.
pub fn run(_small: bool) -> Result<()> {
    step("recover", &mut cargo(&["nextest", "run", "--workspace", "--locked", "-E", "test(killed)", "--no-capture"]))
}
