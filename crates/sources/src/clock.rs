//! The city's clock: the wall clock of a live city, or a place in the archive that moves at a chosen speed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use tokio::sync::watch;

/// Where the archive is played, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The first moment of the archive.
    pub from: Timestamp,
    /// Where the replay starts, and where it returns to.
    pub start: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockState {
    /// The city's moment.
    pub now: Timestamp,
    /// What is replayed; `None` for a live city.
    pub replay: Option<Stretch>,
    /// City seconds for each second on the wall.
    pub speed: f64,
    /// Whether it moves.
    pub running: bool,
    /// How often the replay has come to its end.
    pub lap: u64,
    /// Grows with each jump to another moment, laps included.
    pub jumps: u64,
}

/// A handle on the city's clock; clones show the same time.
#[derive(Clone)]
pub struct CityClock {
    inner: Arc<Inner>,
}

type Wall = Box<dyn Fn() -> Timestamp + Send + Sync>;

struct Inner {
    wall: Wall,
    hand: Mutex<Hand>,
    changed: watch::Sender<u64>,
}

struct Hand {
    replay: Option<Stretch>,
    /// The city's moment at the wall's moment.
    anchor: (Timestamp, Timestamp),
    speed: f64,
    running: bool,
    lap: u64,
    jumps: u64,
}

impl CityClock {
    /// The clock of a live city: what `wall` shows.
    pub fn live(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let now = wall();
        Self::new(Box::new(wall), None, (now, now), 1.0)
    }

    /// The clock of a replay that starts now, at `stretch.start`.
    pub fn replay(wall: impl Fn() -> Timestamp + Send + Sync + 'static, stretch: Stretch, speed: f64) -> Self {
        let now = wall();
        Self::new(Box::new(wall), Some(stretch), (stretch.start, now), speed)
    }

    fn new(wall: Wall, replay: Option<Stretch>, anchor: (Timestamp, Timestamp), speed: f64) -> Self {
        let hand = Hand { replay, anchor, speed, running: true, lap: 0, jumps: 0 };
        Self { inner: Arc::new(Inner { wall, hand: Mutex::new(hand), changed: watch::Sender::new(0) }) }
    }

    /// The city's moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// The moment on the wall.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.inner.wall)()
    }

    /// All that it shows.
    #[must_use]
    pub fn state(&self) -> ClockState {
        let wall = (self.inner.wall)();
        let mut hand = self.hand();
        let now = hand.read(wall);
        let Hand { replay, speed, running, lap, jumps, .. } = *hand;
        ClockState { now, replay, speed, running, lap, jumps }
    }

    /// Changes speed, motion or moment of a replay; a live city's clock stays as it is. The moment is kept within
    /// the stretch, the speed between 0.001 and 100,000.
    pub fn set(&self, speed: Option<f64>, running: Option<bool>, now: Option<Timestamp>) -> ClockState {
        let wall = (self.inner.wall)();
        let mut hand = self.hand();
        if let Some(stretch) = hand.replay {
            let current = hand.read(wall);
            if let Some(now) = now {
                hand.jumps += 1;
                hand.anchor = (now.clamp(stretch.from, stretch.to.plus_micros(-1)), wall);
            } else {
                hand.anchor = (current, wall);
            }
            if let Some(speed) = speed.filter(|s| s.is_finite()) {
                hand.speed = speed.clamp(0.001, 100_000.0);
            }
            hand.running = running.unwrap_or(hand.running);
        }
        drop(hand);
        self.inner.changed.send_modify(|n| *n += 1);
        self.state()
    }

    /// Wakes whoever waits for a moment when somebody changes the clock.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        // The hand is whole after each statement, so a panic elsewhere cannot have left it half moved.
        self.inner.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    /// The city's moment at `wall`, back to the start where the end has been passed.
    fn read(&mut self, wall: Timestamp) -> Timestamp {
        let Some(stretch) = self.replay else { return wall };
        if !self.running {
            return self.anchor.0;
        }
        let passed_s = wall.seconds_since(self.anchor.1).max(0.0) * self.speed;
        let length_s = stretch.to.seconds_since(stretch.start);
        let since_start_s = self.anchor.0.seconds_since(stretch.start) + passed_s;
        if since_start_s < length_s || length_s <= 0.0 {
            return moved(stretch.start, since_start_s);
        }
        let laps = (since_start_s / length_s).floor();
        let now = moved(stretch.start, since_start_s - laps * length_s);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive whole number")]
        let laps = laps as u64;
        self.lap += laps;
        self.jumps += laps;
        self.anchor = (now, wall);
        now
    }
}

fn moved(from: Timestamp, seconds: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and Timestamp has bounds of its own")]
    from.plus_micros((seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn clock() -> (CityClock, impl Fn(i64)) {
        let wall = Arc::new(AtomicI64::new(0));
        let hand = wall.clone();
        let stretch = Stretch {
            from: at("2026-08-20T00:00:00Z"),
            start: at("2026-08-21T00:00:00Z"),
            to: at("2026-08-21T10:00:00Z"),
        };
        let read = move || Timestamp::from_micros(wall.load(Ordering::Relaxed));
        let clock = CityClock::replay(read, stretch, 60.0);
        (clock, move |seconds| hand.store(seconds * 1_000_000, Ordering::Relaxed))
    }

    #[test]
    fn a_minute_on_the_wall_is_an_hour_in_the_city() {
        let (clock, wall) = clock();
        wall(60);
        assert_eq!(clock.now(), at("2026-08-21T01:00:00Z"));
    }

    #[test]
    fn at_the_end_it_starts_again_and_says_so() {
        let (clock, wall) = clock();
        wall(11 * 60);
        let state = clock.state();
        assert_eq!((state.now, state.lap, state.jumps), (at("2026-08-21T01:00:00Z"), 1, 1));
        wall(12 * 60);
        assert_eq!(clock.now(), at("2026-08-21T02:00:00Z"));
        assert_eq!(clock.state().lap, 1);
    }

    #[test]
    fn a_pause_holds_the_moment_and_a_new_speed_does_not_jump() {
        let (clock, wall) = clock();
        wall(60);
        clock.set(None, Some(false), None);
        wall(600);
        assert_eq!(clock.now(), at("2026-08-21T01:00:00Z"));
        clock.set(Some(1.0), Some(true), None);
        wall(660);
        assert_eq!(clock.now(), at("2026-08-21T01:01:00Z"));
        assert_eq!(clock.state().jumps, 0);
    }

    #[test]
    fn a_jump_stays_within_the_archive() {
        let (clock, _) = clock();
        assert_eq!(clock.set(None, Some(false), Some(at("2020-01-01T00:00:00Z"))).now, at("2026-08-20T00:00:00Z"));
        assert_eq!(clock.state().jumps, 1);
    }

    #[test]
    fn a_live_clock_shows_the_wall_and_cannot_be_set() {
        let clock = CityClock::live(|| Timestamp::from_micros(5_000_000));
        assert_eq!(clock.set(Some(60.0), Some(false), Some(Timestamp::MIN)).now, Timestamp::from_micros(5_000_000));
    }
}
