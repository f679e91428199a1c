//! The outlook: what the city will look like in the next hours and days.
//!
//! Trains a model for each set of series every week, predicts every hour, remembers what it said and holds it against
//! what was counted. No clock and no network: the city's moment comes from whoever makes the room, and two threads of
//! theirs do the work ([`Outlook::refresh`], [`Outlook::learn`]). Questions are answered from what these computed.
//!
//! ```text
//! history ─ sensors, hours ─ lanes ─ ground ┬─ learn: a model a week, at first with a look back ─ models
//!                                           └─ watch: each hour a forecast ─ record, picture ─ answers ─ wire
//! history ─ sensors, minutes ─ nowcast: each step the next hour ─ wire
//! ```

mod answers;
mod calendar;
mod error;
mod ground;
mod hours;
mod lanes;
mod learn;
mod minutes;
mod models;
mod nowcast;
mod picture;
mod reason;
mod record;
mod room;
mod scores;
mod sensors;
mod settings;
mod state;
mod veil;
mod watch;
pub mod wire;

pub use error::OutlookError;
pub use room::{Clock, Outlook, Parts};
pub use settings::{Area, NamedDay, Set, Weather};
