//! The city's clock: now in a live city, a moment of the archive in a replay.
//!
//! Time of accounts, tokens and the audit is never the city's clock but [`CityClock::wall`].

use model::{Problem, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

/// The fastest replay: a day in under two minutes.
const SPEED_MAX: f64 = 1_000.0;

/// Whether the city is watched as it is or as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClockMode {
    /// The clock is the server's own.
    Live,
    /// The clock runs through the archive.
    Replay,
}

/// What the clock says: the `Clock` of the HTTP interface.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Clock)]
pub struct ClockReading {
    /// The city's moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Live or replay.
    pub mode: ClockMode,
    /// City seconds for each second of the server.
    pub speed: f64,
    /// The start of the archive.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The end of the archive; in a live city, now.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Whether it moves.
    pub running: bool,
}

/// A change to a replay's clock; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockSetting {
    /// City seconds for each second of the server, above 0.
    pub speed: Option<f64>,
    /// Whether it moves.
    pub running: Option<bool>,
    /// The moment to go to, inside the archive.
    pub now: Option<Timestamp>,
}

/// The door's handle to the city's one clock, which `sources` keeps because a replay is played by it; clones share it.
#[derive(Clone)]
pub struct CityClock(sources::CityClock);

impl From<sources::CityClock> for CityClock {
    fn from(clock: sources::CityClock) -> Self {
        Self(clock)
    }
}

impl CityClock {
    /// The clock of a live city. `wall` is the server's own time.
    pub fn live(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(sources::CityClock::live(wall))
    }

    /// A clock that runs through an archive `[from, to]` from its start, at `speed`, and starts again at the end.
    pub fn replay(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        (from, to): (Timestamp, Timestamp),
        speed: f64,
    ) -> Self {
        let stretch = sources::Stretch { from, start: from, to: to.max(from) };
        Self(sources::CityClock::replay(wall, stretch, speed))
    }

    /// The server's own time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    /// The city's moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Everything that the clock says.
    #[must_use]
    pub fn read(&self) -> ClockReading {
        let state = self.0.state();
        let (mode, from, to) = match state.replay {
            Some(stretch) => (ClockMode::Replay, stretch.from, stretch.to),
            None => (ClockMode::Live, state.now, state.now),
        };
        ClockReading { now: state.now, mode, speed: state.speed, from, to, running: state.running }
    }

    /// Changes the clock of a replay.
    ///
    /// # Errors
    /// A live clock cannot be set; a speed must be above 0 and at most 1,000; a moment must lie in the archive.
    pub fn set(&self, setting: ClockSetting) -> Result<ClockReading, Problem> {
        let Some(stretch) = self.0.state().replay else {
            return Err(Problem::new("clock", "a live city's clock cannot be set", "start the server with --replay"));
        };
        let (from, to) = (stretch.from, stretch.to);
        if let Some(speed) = setting.speed.filter(|s| !(s.is_finite() && *s > 0.0 && *s <= SPEED_MAX)) {
            let detail = format!("{speed} is not a speed");
            return Err(Problem::new("speed", detail, format!("use a number above 0 and at most {SPEED_MAX}")));
        }
        if let Some(now) = setting.now.filter(|now| !(from..=to).contains(now)) {
            let detail = format!("{now} is not in the archive");
            return Err(Problem::new("now", detail, format!("choose from {from} to {to}")));
        }
        self.0.set(setting.speed, setting.running, setting.now);
        Ok(self.read())
    }

    /// Tells of every change by [`Self::set`].
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use super::*;

    fn seconds(s: i64) -> Timestamp {
        Timestamp::from_micros(s * 1_000_000)
    }

    fn replay(speed: f64) -> (CityClock, Arc<AtomicI64>) {
        let wall = Arc::new(AtomicI64::new(1_000));
        let shared = Arc::clone(&wall);
        let clock =
            CityClock::replay(move || seconds(shared.load(Ordering::SeqCst)), (seconds(0), seconds(100)), speed);
        (clock, wall)
    }

    #[test]
    fn a_replay_runs_at_its_speed_and_starts_again_at_the_end() {
        let (clock, wall) = replay(4.0);
        wall.store(1_010, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.read().running), (seconds(40), true));
        wall.store(1_030, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.read().running), (seconds(20), true));
    }

    #[test]
    fn a_change_of_speed_continues_from_the_same_moment() {
        let (clock, wall) = replay(1.0);
        wall.store(1_010, Ordering::SeqCst);
        clock.set(ClockSetting { speed: Some(2.0), ..Default::default() }).unwrap();
        wall.store(1_020, Ordering::SeqCst);
        assert_eq!(clock.now(), seconds(30));
        clock.set(ClockSetting { running: Some(false), ..Default::default() }).unwrap();
        wall.store(1_030, Ordering::SeqCst);
        assert_eq!(clock.now(), seconds(30));
    }

    #[test]
    fn impossible_settings_are_refused_with_the_remedy() {
        let (clock, _) = replay(1.0);
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(clock.set(ClockSetting { speed: Some(speed), ..Default::default() }).is_err());
        }
        assert!(clock.set(ClockSetting { now: Some(seconds(101)), ..Default::default() }).is_err());
        assert!(CityClock::live(|| seconds(5)).set(ClockSetting::default()).is_err());
    }
}
