//! What tests of several crates share: contract suites that every implementation passes with one line.

pub mod kv_contract;
