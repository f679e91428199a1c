//! Answers to questions, each from the picture of the last hour.

mod card;
mod series;
mod set;
mod week;

pub(crate) use card::card;
pub(crate) use series::{forecast, record};
pub(crate) use set::set;
pub(crate) use week::week;
