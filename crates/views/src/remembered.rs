//! What was made from a snapshot, remembered until a change makes it old.
//!
//! A change may come while something is being made: its maker still looks at the snapshot from before. So what is kept
//! carries the sequence of that snapshot, and is given out only while no later change concerns it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use model::Tenant;

/// What it belongs to: tenant, layer (and indicator), and what the reader may see.
pub(crate) type RememberedKey = (Tenant, String, u64);

struct Made<V> {
    /// The sequence of the snapshot that it was made from.
    sequence: u64,
    /// What else it depends on, such as the minute.
    beside: u64,
    value: V,
}

/// Values by tenant, layer and reader.
pub(crate) struct Remembered<V>(Mutex<HashMap<RememberedKey, Made<V>>>);

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Remembered<V> {
    /// The value, when it was made with the same `beside` and not before the sequence `changed`.
    pub fn get(&self, key: &RememberedKey, changed: u64, beside: u64) -> Option<V> {
        let made = self.made();
        made.get(key).filter(|m| m.sequence >= changed && m.beside == beside).map(|m| m.value.clone())
    }

    /// Keeps a value that was made from the snapshot of a sequence, unless one from a newer snapshot is there.
    pub fn put(&self, key: RememberedKey, sequence: u64, beside: u64, value: V) {
        let mut made = self.made();
        if made.get(&key).is_none_or(|m| m.beside != beside || m.sequence <= sequence) {
            made.insert(key, Made { sequence, beside, value });
        }
    }

    fn made(&self) -> MutexGuard<'_, HashMap<RememberedKey, Made<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_before_a_change_is_not_given_out_after_it() {
        let remembered = Remembered::default();
        let key = || (Tenant::default(), "trees".to_owned(), 0);
        remembered.put(key(), 7, 0, "seven");
        assert_eq!(remembered.get(&key(), 7, 0), Some("seven"));
        assert_eq!(remembered.get(&key(), 8, 0), None, "a change came since");
        assert_eq!(remembered.get(&key(), 7, 1), None, "another minute");
        remembered.put(key(), 9, 0, "nine");
        remembered.put(key(), 8, 0, "eight");
        assert_eq!(remembered.get(&key(), 8, 0), Some("nine"), "a slow maker does not put the older value back");
    }
}
