//! Slowing down whoever guesses passwords: each failure makes the next attempt wait longer, for the account that is
//! tried and for the address that tries.

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use model::Timestamp;

/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 5;
/// The longest wait, seconds.
const WAIT_S_MAX: f64 = 900.0;
/// Failures are forgotten after this long without one, seconds.
const MEMORY_S: f64 = 3_600.0;
/// How many names and addresses are remembered.
const ENTRIES_MAX: usize = 50_000;

/// What an address is counted by: an IPv4 address itself, the /64 of an IPv6 one, for that is what one caller gets.
#[must_use]
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn wait_s(self) -> f64 {
        match self.count.checked_sub(FREE_FAILURES) {
            None | Some(0) => 0.0,
            Some(more) => 2f64.powi(i32::try_from(more.min(16)).unwrap_or(16)).min(WAIT_S_MAX),
        }
    }
}

/// The failures of each name and address. Time is given.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

impl Throttle {
    /// Whether an attempt under these keys is accepted now; otherwise, after how many seconds.
    pub fn check(&self, keys: &[String], now: Timestamp) -> Result<(), u64> {
        let failures = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let waits = keys.iter().filter_map(|key| failures.get(key));
        let left = waits.map(|f| f.wait_s() - now.seconds_since(f.last)).fold(0.0, f64::max);
        if left <= 0.0 {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0 and at most WAIT_S_MAX")]
        let seconds = left.ceil() as u64;
        Err(seconds)
    }

    pub fn failed(&self, keys: &[String], now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if failures.len() + keys.len() > ENTRIES_MAX {
            failures.retain(|_, f| now.seconds_since(f.last) < WAIT_S_MAX && f.count > 1);
        }
        let full = failures.len() + keys.len() > ENTRIES_MAX;
        for key in keys.iter().filter(|key| !full || failures.contains_key(*key)).collect::<Vec<_>>() {
            let entry = failures.entry(key.clone()).or_insert(Failures { count: 0, last: now });
            let count = if now.seconds_since(entry.last) > MEMORY_S { 0 } else { entry.count };
            *entry = Failures { count: count.saturating_add(1), last: now };
        }
    }

    /// A success clears the account; the address keeps its failures, so that one known account does not wash it clean.
    pub fn succeeded(&self, account: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: i64) -> Timestamp {
        Timestamp::from_micros(s * 1_000_000)
    }

    #[test]
    fn addresses_of_one_caller_are_counted_together() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn after_a_few_failures_each_next_one_waits_twice_as_long() {
        let throttle = Throttle::default();
        let keys = ["account anna".to_owned()];
        for _ in 0..5 {
            throttle.failed(&keys, seconds(0));
            assert_eq!(throttle.check(&keys, seconds(0)), Ok(()));
        }
        for (at, wait) in [(0, 2), (2, 4), (6, 8)] {
            throttle.failed(&keys, seconds(at));
            assert_eq!(throttle.check(&keys, seconds(at)), Err(wait));
            assert_eq!(throttle.check(&keys, seconds(at + i64::try_from(wait).unwrap())), Ok(()));
        }
    }

    #[test]
    fn the_wait_has_a_bound_and_a_success_ends_it() {
        let throttle = Throttle::default();
        let keys = ["account anna".to_owned()];
        for _ in 0..100 {
            throttle.failed(&keys, seconds(0));
        }
        assert_eq!(throttle.check(&keys, seconds(0)), Err(900));
        throttle.succeeded("account anna");
        assert_eq!(throttle.check(&keys, seconds(0)), Ok(()));
    }
}
