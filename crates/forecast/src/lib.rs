//! Forecasts of hourly counts: quantiles from an hour to seven days ahead, learned from many series at once.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod boost;
pub mod calendar;
pub mod days;
pub mod features;
pub mod outside;
pub mod panel;
pub mod series;
pub mod insufficient;
pub mod model;
pub mod train;
pub mod baseline;
pub mod calibrate;
pub mod evaluate;
pub mod metrics;
