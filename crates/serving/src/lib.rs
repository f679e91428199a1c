//! Serving HTTP: connections, the one form of errors, limits for each caller, and turns.

mod limits;
mod problem;
mod reading;
mod server;

pub use limits::{Charge, Limiter, OpenStream, Rate, RateLimits, Streams};
pub use problem::{ApiError, Envelope};
pub use reading::Turns;
pub use server::serve;
