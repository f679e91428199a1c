//! What tests of several crates share: contract suites that every implementation passes with one line,
//! and what the crash test writes.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

pub mod broker;
pub mod connector_contract;
pub mod crash_lanes;
pub mod kv_contract;
pub mod mail_server;
