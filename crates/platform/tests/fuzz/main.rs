//! Fuzzing of every parser that takes text from outside: whatever comes in, an answer or an error with a reason comes
//! out, and what was accepted survives being written and read again.
//!
//! Inputs come from three places: the corpus (one input a line, kept for ever), the regressions that proptest wrote
//! beside this file, and random ones: plain noise, and sequences of the words that each language is made of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod entities;
mod inputs;
mod languages;
mod subscriptions;

use polder_platform::ngsi::NgsiError;
use proptest::test_runner::{Config, FileFailurePersistence};

/// How many random inputs each property gets.
const CASES: u32 = 512;

/// The settings of all properties: failures are kept beside the source and come back first.
fn config() -> Config {
    let persistence = FileFailurePersistence::WithSource("regressions");
    Config { cases: CASES, failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}

/// Checks that an error says something, and not more than a person can read.
fn check_reason<T>(result: Result<T, NgsiError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!error.detail.is_empty());
            assert!(error.detail.len() < 20_000, "{} bytes of detail", error.detail.len());
            None
        }
    }
}
