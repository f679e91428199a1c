//! History from outside: whatever is written, corrected, deleted, flushed, merged and reopened, reads like a sorted map.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

mod damage;
mod fixture;
mod model;
mod reads;
