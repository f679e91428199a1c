//! Serving HTTP: connections, the one form of errors, limits for each caller, turns, and the city's clock as the door
//! tells it.

mod clock;
mod limits;
mod problem;
mod reading;
mod server;

pub use clock::{CityClock, ClockMode, ClockReading, ClockSetting};
pub use limits::{Charge, Limiter, OpenStream, Rate, RateLimits, Streams};
pub use problem::{ApiError, Envelope};
pub use reading::Turns;
pub use server::serve;
