//! What the binary can do: one file for each command.

pub mod bench;
pub mod check;
pub mod config;
pub mod crowd;
pub mod forecast;
pub mod help_pages;
pub mod import;
pub mod openapi;
pub mod serve;
pub mod user;
