//! Orders of large tables: which thing comes where. Each is made once by reading all things of a layer, and remembered
//! until one of them changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{EntityId, Tenant};

/// The most identifiers that are remembered in all orders together. One takes about 80 bytes, so this is about 50 MB:
/// three orders of a layer of 200,000 things.
const IDS_MAX: usize = 600_000;

/// Whose order it is: the tenant, the layer, what the reader may see, and what was asked (language, column, search).
pub(crate) type OrderKey = (Tenant, String, u64, String);

struct Kept {
    key: OrderKey,
    /// The sequence of the snapshot that it was made from.
    sequence: u64,
    ids: Arc<[EntityId]>,
}

/// The orders that were asked for last, bounded by the identifiers in them.
#[derive(Default)]
pub(crate) struct Orders(Mutex<Vec<Kept>>);

impl Orders {
    /// An order that is not older than the layer's last change.
    pub fn get(&self, key: &OrderKey, changed: u64) -> Option<Arc<[EntityId]>> {
        let mut kept = self.kept();
        let place = kept.iter().position(|k| k.key == *key)?;
        let found = kept.remove(place);
        if found.sequence < changed {
            return None;
        }
        let ids = Arc::clone(&found.ids);
        kept.push(found);
        Some(ids)
    }

    /// Remembers an order, and forgets those that were not asked for the longest time.
    pub fn put(&self, key: OrderKey, sequence: u64, ids: Arc<[EntityId]>) {
        if ids.len() > IDS_MAX {
            return;
        }
        let mut kept = self.kept();
        kept.retain(|k| k.key != key);
        kept.push(Kept { key, sequence, ids });
        while kept.iter().map(|k| k.ids.len()).sum::<usize>() > IDS_MAX {
            kept.remove(0);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> OrderKey {
        (Tenant::default(), "trees".to_owned(), 0, name.to_owned())
    }

    fn ids(count: usize) -> Arc<[EntityId]> {
        (0..count).map(|_| EntityId::parse("urn:x:1").unwrap()).collect()
    }

    #[test]
    fn an_order_is_forgotten_after_a_change_and_kept_without_one() {
        let orders = Orders::default();
        orders.put(key("a"), 7, ids(3));
        assert_eq!(orders.get(&key("a"), 7).map(|ids| ids.len()), Some(3));
        assert!(orders.get(&key("b"), 7).is_none());
        assert!(orders.get(&key("a"), 8).is_none());
        assert!(orders.get(&key("a"), 7).is_none());
    }

    #[test]
    fn the_order_that_was_not_asked_for_the_longest_time_makes_room() {
        let orders = Orders::default();
        for name in ["a", "b"] {
            orders.put(key(name), 1, ids(IDS_MAX / 2));
        }
        assert!(orders.get(&key("a"), 0).is_some());
        orders.put(key("c"), 1, ids(IDS_MAX / 2));
        let left = ["a", "b", "c"].map(|name| orders.get(&key(name), 0).is_some());
        assert_eq!(left, [true, false, true]);
        orders.put(key("d"), 1, ids(IDS_MAX + 1));
        assert!(orders.get(&key("d"), 0).is_none());
    }
}
