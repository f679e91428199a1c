//! One open period: how many devices were in each place, known by hashes whose key is forgotten with it.

use std::collections::{HashMap, HashSet};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The keyed hash of a pseudonym: 128 bits, so that two devices are one by accident in none of 10^18 cities.
type Hidden = u128;

/// What is held of the positions of one period.
pub(super) struct Period {
    key: String,
    places: HashMap<u64, Tally>,
    /// The devices of the whole feed, no more of them than decide whether the period is told.
    seen: HashSet<Hidden>,
    unnamed: usize,
    told: bool,
    overfull: bool,
    held: usize,
}

#[derive(Default)]
struct Tally {
    devices: HashSet<Hidden>,
    positions: u64,
}

impl Period {
    pub(super) fn new(key: String) -> Self {
        let (places, seen) = (HashMap::new(), HashSet::new());
        Self { key, places, seen, unnamed: 0, told: false, overfull: false, held: 0 }
    }

    /// Counts a position in each of the places; gives how much more is held now, as an error when it does not
    /// fit. From
    /// `least` devices on, the period is told.
    pub(super) fn count(
        &mut self,
        zones: &[u64],
        pseudonym: Option<&str>,
        least: usize,
        room: usize,
    ) -> Result<usize, usize> {
        let hidden = pseudonym.map(|pseudonym| self.hide(pseudonym));
        if !self.told {
            match hidden {
                Some(hidden) => _ = self.seen.insert(hidden),
                None => self.unnamed += 1,
            }
            self.told = self.seen.len().max(self.unnamed) >= least;
        }
        let mut added = 0;
        for zone in zones {
            let known = self.places.get(zone);
            let new = match hidden {
                Some(hidden) => known.is_none_or(|tally| !tally.devices.contains(&hidden)),
                None => known.is_none(),
            };
            if new && added >= room {
                self.overfull = true;
                self.held += added;
                return Err(added);
            }
            let tally = self.places.entry(*zone).or_default();
            tally.positions += 1;
            if let Some(hidden) = hidden {
                tally.devices.insert(hidden);
            }
            added += usize::from(new);
        }
        self.held += added;
        Ok(added)
    }

    fn hide(&self, pseudonym: &str) -> Hidden {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else { return 0 };
        mac.update(pseudonym.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        u128::from_be_bytes(first)
    }

    /// The number of each place where somebody was; `None` where they were too few.
    pub(super) fn counts(&self, distinct: bool, minimum: u64) -> impl Iterator<Item = (u64, Option<u64>)> {
        let named = !self.seen.is_empty();
        self.places.iter().map(move |(zone, tally)| {
            let devices = if named { tally.devices.len() as u64 } else { tally.positions };
            let number = if distinct { devices } else { tally.positions };
            // Many positions of few devices are few.
            (*zone, (devices >= minimum).then(|| rounded(number, minimum)))
        })
    }

    /// Whether enough devices came for the period to be told at all.
    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    /// Whether something did not fit, so that its numbers would be too small.
    pub(super) fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// How many devices and places it holds.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}

/// The nearest multiple of the minimum, half of it upwards.
fn rounded(number: u64, minimum: u64) -> u64 {
    let minimum = minimum.max(1);
    (number + minimum / 2) / minimum * minimum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(devices: u32, positions: u32, distinct: bool) -> Vec<(u64, Option<u64>)> {
        let mut period = Period::new("k".repeat(43));
        for device in 0..devices {
            for _ in 0..positions {
                period.count(&[1], Some(&format!("device {device}")), 10, 1_000).unwrap();
            }
        }
        period.counts(distinct, 10).collect()
    }

    #[test]
    fn a_device_counts_once_and_few_devices_with_many_positions_are_few() {
        assert_eq!(counted(23, 3, true), [(1, Some(20))]);
        assert_eq!(counted(23, 3, false), [(1, Some(70))]);
        assert_eq!(counted(9, 50, false), [(1, None)]);
        assert_eq!(counted(10, 1, true), [(1, Some(10))]);
    }

    #[test]
    fn another_key_hides_the_same_pseudonym_otherwise() {
        let (one, other) = (Period::new("a".repeat(43)), Period::new("b".repeat(43)));
        assert_ne!(one.hide("phone"), other.hide("phone"));
        assert_eq!(one.hide("phone"), Period::new("a".repeat(43)).hide("phone"));
    }

    #[test]
    fn what_does_not_fit_is_noticed_and_a_known_device_always_fits() {
        let mut period = Period::new("a".repeat(43));
        assert_eq!(period.count(&[1], Some("one"), 10, 1), Ok(1));
        assert_eq!(period.count(&[1], Some("one"), 10, 0), Ok(0));
        assert!(!period.is_overfull());
        assert_eq!(period.count(&[1], Some("two"), 10, 0), Err(0));
        assert!(period.is_overfull());
    }

    #[test]
    fn positions_without_a_pseudonym_are_counted_one_by_one() {
        let mut period = Period::new("a".repeat(43));
        for _ in 0..12 {
            period.count(&[5], None, 10, 10).unwrap();
        }
        assert!(period.is_told());
        assert_eq!(period.counts(false, 10).collect::<Vec<_>>(), [(5, Some(10))]);
    }
}
