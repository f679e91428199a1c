//! Forecasts of hourly counts and occupancies: quantiles 10, 50 and 90, from an hour to seven days ahead.
//!
//! Pure: values in, values out. No clock, no files, no randomness but from a seed that is given.
//!
//! ```text
//! series::HourlySeries  ┐
//! calendar::Calendar    ├─ panel::Panel ─ train::train ─ model::Model ─ predict ─ calibrate::Calibration ─ quantiles
//! outside (weather)     ┘                                      └ card::card, to_bytes
//! ```
//!
//! [`evaluate::evaluate`] runs the whole of it day by day over a window of the past, beside the baselines.

pub mod baseline;
pub mod boost;
pub mod calendar;
pub mod calibrate;
pub mod card;
pub mod days;
pub mod evaluate;
pub mod expert;
pub mod features;
pub mod insufficient;
mod linear;
pub mod metrics;
pub mod model;
pub mod nowcast;
pub mod outside;
pub mod panel;
pub mod series;
pub mod storing;
pub mod train;
