//! What tests of several crates share: contract suites that every implementation passes with one line,
//! and what the crash test writes.

pub mod connector_contract;
pub mod crash_lanes;
pub mod kv_contract;
