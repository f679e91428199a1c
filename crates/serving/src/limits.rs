//! How many requests are accepted: a token bucket for each subject or address.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
};

use model::Timestamp;

/// How many buckets are kept. When there are more, those that are full again are forgotten.
const BUCKETS_MAX: usize = 100_000;

/// So many requests a second in the long run, so many at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The long-run rate, requests each second.
    pub per_second: f64,
    /// How many may come at once.
    pub burst: f64,
}

/// The limits of the door; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimits {
    /// For each address without an account.
    pub stranger: Option<Rate>,
    /// For each account and each token.
    pub subject: Option<Rate>,
    /// For attempts to sign in, for each address.
    pub sign_in: Option<Rate>,
}

impl Default for RateLimits {
    /// A map loads some 100 tiles at once; a program writes thousands of values a second; a person types a password.
    fn default() -> Self {
        Self {
            stranger: Some(Rate { per_second: 100.0, burst: 1_000.0 }),
            subject: Some(Rate { per_second: 5_000.0, burst: 10_000.0 }),
            sign_in: Some(Rate { per_second: 0.2, burst: 10.0 }),
        }
    }
}

/// What a bucket is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charge {
    /// A request without an account, counted by its address.
    Stranger,
    /// A request of an account or a token.
    Subject,
    /// An attempt to sign in, counted by its address.
    SignIn,
}

#[derive(Clone, Copy)]
struct Bucket {
    level: f64,
    at: Timestamp,
}

/// The buckets. Time is given, so that the same requests always get the same answers.
pub struct Limiter {
    rates: RateLimits,
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

impl Limiter {
    /// Full buckets for everybody.
    #[must_use]
    pub fn new(rates: RateLimits) -> Self {
        Self { rates, hasher: RandomState::new(), buckets: Mutex::default() }
    }

    /// Takes one request from the bucket of `name`.
    ///
    /// # Errors
    /// When it is empty: the seconds after which to come back.
    pub fn take(&self, charge: Charge, name: &str, now: Timestamp) -> Result<(), u64> {
        let Some(rate) = self.rate(charge) else { return Ok(()) };
        let key = self.hasher.hash_one((charge, name));
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
            // Keys hold no class, so the slowest rate decides when a bucket is surely full again.
            let refill_s_max = self.refill_s_max();
            buckets.retain(|_, bucket| now.seconds_since(bucket.at) < refill_s_max);
            if buckets.len() >= BUCKETS_MAX {
                return Err(1);
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { level: rate.burst, at: now });
        let refilled = bucket.level + now.seconds_since(bucket.at).max(0.0) * rate.per_second;
        *bucket = Bucket { level: refilled.min(rate.burst), at: now };
        if bucket.level >= 1.0 {
            bucket.level -= 1.0;
            return Ok(());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1, and the cast saturates"
        )]
        let seconds = ((1.0 - bucket.level) / rate.per_second).ceil().max(1.0) as u64;
        Err(seconds)
    }

    fn rate(&self, charge: Charge) -> Option<Rate> {
        match charge {
            Charge::Stranger => self.rates.stranger,
            Charge::Subject => self.rates.subject,
            Charge::SignIn => self.rates.sign_in,
        }
    }

    fn refill_s_max(&self) -> f64 {
        let rates = [self.rates.stranger, self.rates.subject, self.rates.sign_in];
        rates.into_iter().flatten().map(|rate| rate.burst / rate.per_second).fold(0.0, f64::max)
    }
}

/// The most streams that one caller holds open: a control room behind one address has some dozens of screens.
const STREAMS_EACH_MAX: usize = 64;
/// The most streams that are open at once.
const STREAMS_MAX: usize = 4_096;

/// Who listens. A stream costs a reader of the change feed for as long as it is open, so it is counted as long.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// One open stream; dropping it ends the count.
pub struct OpenStream {
    streams: Streams,
    caller: String,
}

impl Streams {
    /// Counts a stream of a caller; `None` when the caller, or all together, have as many as may be open.
    pub fn open(&self, caller: &str) -> Option<OpenStream> {
        let mut open = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(caller).copied().unwrap_or_default();
        if all >= STREAMS_MAX || own >= STREAMS_EACH_MAX {
            return None;
        }
        open.insert(caller.to_owned(), own + 1);
        Some(OpenStream { streams: self.clone(), caller: caller.to_owned() })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let left = open.get(&self.caller).map_or(0, |count| count - 1);
        match left {
            0 => open.remove(&self.caller),
            left => open.insert(std::mem::take(&mut self.caller), left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_opens_so_many_streams_and_those_that_end_make_room() {
        let streams = Streams::default();
        let mut held: Vec<OpenStream> = std::iter::from_fn(|| streams.open("a")).collect();
        assert_eq!(held.len(), STREAMS_EACH_MAX);
        assert!(streams.open("b").is_some(), "others still may");
        held.pop();
        assert!(streams.open("a").is_some());
        held.clear();
        assert!(streams.0.lock().unwrap().is_empty(), "nothing is kept of those that left");
    }

    fn seconds(s: i64) -> Timestamp {
        Timestamp::from_micros(s * 1_000_000)
    }

    #[test]
    fn a_burst_is_accepted_then_the_long_run_rate() {
        let limiter = Limiter::new(RateLimits::default());
        for _ in 0..10 {
            assert_eq!(limiter.take(Charge::SignIn, "a", seconds(0)), Ok(()));
        }
        assert_eq!(limiter.take(Charge::SignIn, "a", seconds(0)), Err(5));
        assert_eq!(limiter.take(Charge::SignIn, "b", seconds(0)), Ok(()));
        assert_eq!(limiter.take(Charge::SignIn, "a", seconds(5)), Ok(()));
        assert_eq!(limiter.take(Charge::SignIn, "a", seconds(5)), Err(5));
    }

    #[test]
    fn many_addresses_do_not_fill_the_memory() {
        let limiter = Limiter::new(RateLimits::default());
        for n in 0..BUCKETS_MAX {
            assert!(limiter.take(Charge::Stranger, &n.to_string(), seconds(0)).is_ok());
        }
        assert_eq!(limiter.take(Charge::Stranger, "new", seconds(1)), Err(1));
        assert_eq!(limiter.take(Charge::Stranger, "new", seconds(3_600)), Ok(()));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
