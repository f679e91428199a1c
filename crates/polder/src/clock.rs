//! The only place that reads the time: for the wall clock, and for the city's clock that runs on it.

use model::Timestamp;
use sources::{CityClock, Stretch, config::CityConfig};

/// The moment on the wall.
pub fn wall() -> Timestamp {
    jiff::Timestamp::now().into()
}

/// The city's clock: the wall's, or a place in the archive when a replay is asked for and the city has one.
pub fn city_clock(city: &CityConfig, replay: Option<f64>) -> CityClock {
    match (&city.replay, replay) {
        (Some(window), Some(speed)) => {
            let stretch = Stretch { from: window.from, start: window.start, to: window.to };
            CityClock::replay(wall, stretch, speed)
        }
        _ => CityClock::live(wall),
    }
}
