//! The city's clock: now in a live city, a moment of the archive in a replay.
//!
//! It is a line through the server's own time: from an anchor, at a speed. Time of accounts, tokens and the audit is
//! never the city's clock but [`CityClock::wall`].

use std::sync::{Arc, RwLock};

use model::{Problem, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

/// The fastest replay: a day in under two minutes.
const SPEED_MAX: f64 = 1_000.0;

/// Whether the city is watched as it is or as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockMode {
    /// The clock is the server's own.
    Live,
    /// The clock runs through the archive.
    Replay,
}

/// What the clock says: the `Clock` of the HTTP interface.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClockReading {
    /// The city's moment.
    pub now: Timestamp,
    /// Live or replay.
    pub mode: ClockMode,
    /// City seconds for each second of the server.
    pub speed: f64,
    /// The start of the archive.
    pub from: Timestamp,
    /// The end of the archive; in a live city, now.
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

/// Where the line runs: at `wall`, the city's moment was `city`.
#[derive(Clone, Copy, Debug)]
struct Line {
    wall: Timestamp,
    city: Timestamp,
    speed: f64,
    running: bool,
}

/// A handle to the city's one clock; clones share it.
#[derive(Clone)]
pub struct CityClock(Arc<Inner>);

struct Inner {
    wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    archive: Option<(Timestamp, Timestamp)>,
    line: RwLock<Line>,
    changed: watch::Sender<()>,
}

impl CityClock {
    /// The clock of a live city. `wall` is the server's own time.
    pub fn live(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::new(Box::new(wall), None, 1.0)
    }

    /// A clock that runs through an archive `[from, to]` from its start, at `speed`, and stops at the end.
    pub fn replay(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        (from, to): (Timestamp, Timestamp),
        speed: f64,
    ) -> Self {
        Self::new(Box::new(wall), Some((from, to.max(from))), speed)
    }

    fn new(
        wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
        archive: Option<(Timestamp, Timestamp)>,
        speed: f64,
    ) -> Self {
        let now = wall();
        let city = archive.map_or(now, |(from, _)| from);
        let line = RwLock::new(Line { wall: now, city, speed, running: true });
        Self(Arc::new(Inner { wall, archive, line, changed: watch::Sender::new(()) }))
    }

    /// The server's own time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.0.wall)()
    }

    /// The city's moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let wall = self.wall();
        match self.0.archive {
            None => wall,
            Some(archive) => position(self.line(), archive, wall),
        }
    }

    /// Everything that the clock says.
    #[must_use]
    pub fn read(&self) -> ClockReading {
        let wall = self.wall();
        let line = self.line();
        match self.0.archive {
            None => ClockReading { now: wall, mode: ClockMode::Live, speed: 1.0, from: wall, to: wall, running: true },
            Some((from, to)) => {
                let now = position(line, (from, to), wall);
                let running = line.running && now < to;
                ClockReading { now, mode: ClockMode::Replay, speed: line.speed, from, to, running }
            }
        }
    }

    /// Changes the clock of a replay.
    ///
    /// # Errors
    /// A live clock cannot be set; a speed must be above 0 and at most 1,000; a moment must lie in the archive.
    pub fn set(&self, setting: ClockSetting) -> Result<ClockReading, Problem> {
        let Some((from, to)) = self.0.archive else {
            return Err(Problem::new("clock", "a live city's clock cannot be set", "start the server with --replay"));
        };
        if let Some(speed) = setting.speed.filter(|s| !(s.is_finite() && *s > 0.0 && *s <= SPEED_MAX)) {
            let detail = format!("{speed} is not a speed");
            return Err(Problem::new("speed", detail, format!("use a number above 0 and at most {SPEED_MAX}")));
        }
        if let Some(now) = setting.now.filter(|now| !(from..=to).contains(now)) {
            return Err(Problem::new(
                "now",
                format!("{now} is not in the archive"),
                format!("choose from {from} to {to}"),
            ));
        }
        let wall = self.wall();
        {
            let mut line = self.0.line.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            let city = setting.now.unwrap_or_else(|| position(*line, (from, to), wall));
            let (speed, running) = (setting.speed.unwrap_or(line.speed), setting.running.unwrap_or(line.running));
            *line = Line { wall, city, speed, running };
        }
        self.0.changed.send_replace(());
        Ok(self.read())
    }

    /// Tells of every change by [`Self::set`]; a replaying source re-reads the clock then.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    fn line(&self) -> Line {
        *self.0.line.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn position(line: Line, (from, to): (Timestamp, Timestamp), wall: Timestamp) -> Timestamp {
    if !line.running {
        return line.city;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates, and so does the clock")]
    let moved = (wall.seconds_since(line.wall).max(0.0) * line.speed * 1e6) as i64;
    line.city.plus_micros(moved).clamp(from, to)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

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
    fn a_replay_runs_at_its_speed_and_stops_at_the_end() {
        let (clock, wall) = replay(4.0);
        wall.store(1_010, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.read().running), (seconds(40), true));
        wall.store(1_050, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.read().running), (seconds(100), false));
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
