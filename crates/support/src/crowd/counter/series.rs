//! One counter's readings, checked one by one and laid into steps.

use std::collections::BTreeMap;

use model::{Problem, Timestamp};

use super::{CounterSettings, Counts, Mark, Reading};

/// What one counter saw in one step so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    /// Persons forward and backward.
    pub counts: (f64, f64),
    /// How much of the step the readings cover, s.
    pub covered_s: f64,
    /// What was done to them.
    pub marks: Vec<Mark>,
}

/// A counter's readings of the last hours.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// Steps by number since the first.
    pub slots: BTreeMap<i64, Slot>,
    /// Intervals seen by start (microseconds), to know duplicates.
    seen: BTreeMap<i64, (i64, Counts)>,
    /// The last totals of a cumulative counter and when they were read.
    total: Option<(Timestamp, f64, f64)>,
    /// The last closed step's counts and how many times they came in a row.
    pub repeated: ((f64, f64), u32),
    /// How many persons were expected while the counter showed zero.
    pub zero_expected: (f64, f64),
}

/// A reading that passed: its interval and counts, with what was done to it.
pub(super) struct Passed {
    pub start: Timestamp,
    pub length_s: f64,
    pub counts: (f64, f64),
    pub marks: Vec<Mark>,
}

/// Why a reading was not used.
pub(super) type Refusal = (Mark, Problem);

fn refusal(mark: Mark, reading: &Reading, detail: String, remedy: &str) -> Refusal {
    (mark, Problem::new(format!("counter \"{}\" at {}", reading.counter, reading.start), detail, remedy))
}

impl Series {
    /// Checks a reading. `Ok(None)` when it is right and adds nothing (the first total, a duplicate).
    pub fn pass(
        &mut self,
        reading: &Reading,
        received: Timestamp,
        width_m: f64,
        settings: &CounterSettings,
    ) -> Result<(Option<Passed>, Vec<Mark>), Refusal> {
        let (Counts::Interval { forward, backward } | Counts::Cumulative { forward, backward }) = reading.counts;
        if !(forward >= 0.0 && backward >= 0.0 && forward.is_finite() && backward.is_finite()) {
            let detail = format!("counts {forward} and {backward}");
            return Err(refusal(Mark::Negative, reading, detail, "counts are numbers from 0; look at the feed"));
        }
        if !(reading.length_s > 0.0 && reading.length_s <= 86_400.0) {
            let detail = format!("an interval of {} s", reading.length_s);
            return Err(refusal(Mark::Negative, reading, detail, "give a length above 0 s and at most a day"));
        }
        let end = plus_s(reading.start, reading.length_s);
        if end.seconds_since(received) > settings.ahead_s {
            let detail = format!("ends {:.0} s after it was received", end.seconds_since(received));
            return Err(refusal(Mark::ClockJump, reading, detail, "set the counter's clock"));
        }
        if let Some((length, counts)) = self.seen.get(&reading.start.micros()) {
            if *length == micros(reading.length_s) && *counts == reading.counts {
                return Ok((None, vec![Mark::Duplicate]));
            }
            let detail = "the interval came before with other values".to_owned();
            return Err(refusal(Mark::Conflict, reading, detail, "the first one stands; look at the feed"));
        }
        if received.seconds_since(end) > settings.too_late_s {
            let detail = format!("came {:.0} s after its end", received.seconds_since(end));
            return Err(refusal(Mark::TooLate, reading, detail, "it is in the history, not in the live estimate"));
        }
        let passed = match reading.counts {
            Counts::Interval { .. } => Some(Passed {
                start: reading.start,
                length_s: reading.length_s,
                counts: (forward, backward),
                marks: Vec::new(),
            }),
            Counts::Cumulative { .. } => self.difference(reading, end, (forward, backward))?,
        };
        if let Some(passed) = &passed {
            within_capacity(reading, passed, width_m, settings)?;
        }
        self.seen.insert(reading.start.micros(), (micros(reading.length_s), reading.counts));
        let marks = passed.as_ref().map(|passed| passed.marks.clone()).unwrap_or_default();
        Ok((passed, marks))
    }

    /// What a cumulative counter counted since its last reading.
    fn difference(
        &mut self,
        reading: &Reading,
        end: Timestamp,
        (forward, backward): (f64, f64),
    ) -> Result<Option<Passed>, Refusal> {
        let Some((since, before_forward, before_backward)) = self.total else {
            self.total = Some((end, forward, backward));
            return Ok(None);
        };
        if end <= since {
            let detail = "a total from before the last one".to_owned();
            return Err(refusal(Mark::TooLate, reading, detail, "send totals in order; the later one covers it"));
        }
        self.total = Some((end, forward, backward));
        let is_reset = forward < before_forward || backward < before_backward;
        let counts =
            if is_reset { (forward, backward) } else { (forward - before_forward, backward - before_backward) };
        let marks = if is_reset { vec![Mark::Reset] } else { Vec::new() };
        Ok(Some(Passed { start: since, length_s: end.seconds_since(since), counts, marks }))
    }

    /// Lays a reading into the steps that it touches, in proportion to time; the numbers of those steps.
    pub fn lay(&mut self, passed: &Passed, origin: Timestamp, step_s: f64) -> Vec<i64> {
        let from_s = passed.start.seconds_since(origin);
        let until_s = from_s + passed.length_s;
        let (first, last) = (step_of(from_s, step_s), step_of(until_s - 1e-6, step_s));
        let mut touched = Vec::new();
        for number in first..=last {
            #[expect(clippy::cast_precision_loss, reason = "step numbers stay far below 2^53")]
            let start_s = number as f64 * step_s;
            let covered_s = (until_s.min(start_s + step_s) - from_s.max(start_s)).max(0.0);
            let share = covered_s / passed.length_s;
            let slot = self.slots.entry(number).or_default();
            slot.counts.0 += passed.counts.0 * share;
            slot.counts.1 += passed.counts.1 * share;
            slot.covered_s += covered_s;
            slot.marks.extend(&passed.marks);
            if last > first {
                slot.marks.push(Mark::Spread);
            }
            touched.push(number);
        }
        touched
    }

    /// Forgets what can no longer come or be needed.
    pub fn forget_before(&mut self, step: i64, moment: Timestamp) {
        self.slots = self.slots.split_off(&step);
        self.seen = self.seen.split_off(&moment.micros());
    }
}

/// More than the width can let through is a fault, not a crowd.
fn within_capacity(
    reading: &Reading,
    passed: &Passed,
    width_m: f64,
    settings: &CounterSettings,
) -> Result<(), Refusal> {
    let possible = settings.flow_max_ped_m_min * width_m * passed.length_s / 60.0;
    let seen = passed.counts.0 + passed.counts.1;
    // Ten persons of slack: a group in a short interval is no fault.
    if seen <= possible + 10.0 {
        return Ok(());
    }
    let detail = format!("{seen:.0} persons in {:.0} s through {width_m} m", passed.length_s);
    Err(refusal(Mark::BeyondCapacity, reading, detail, "more than can pass; look at the counter and at the width"))
}

/// The number of the step that a moment lies in.
pub(super) fn step_of(seconds: f64, step_s: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a span of years")]
    let number = (seconds / step_s + 1e-9).floor() as i64;
    number
}

/// A moment some seconds later.
pub(in crate::crowd) fn plus_s(at: Timestamp, seconds: f64) -> Timestamp {
    at.plus_micros(micros(seconds))
}

fn micros(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates, and the moment with it")]
    let micros = (seconds * 1e6).round() as i64;
    micros
}
