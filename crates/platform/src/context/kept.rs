//! What is kept of contexts between requests: documents from elsewhere, and contexts compiled, within bounds of bytes.

use std::{collections::HashMap, sync::Arc};

use model::Timestamp;
use serde_json::Value;

use super::Context;

/// The most documents, and the most compiled contexts, that are kept.
const KEPT_MAX: usize = 1_000;
/// The bytes of all documents, and those of all compiled contexts, that are kept.
const BYTES_MAX: usize = 64 << 20;

/// What is known of a context from elsewhere that is kept here.
#[derive(Clone, Debug)]
pub struct CachedContext {
    /// Where it came from.
    pub url: String,
    /// When it came.
    pub fetched_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// How often it was used.
    pub hits: u64,
}

/// Values by name, of which those that were not used for longest make room.
struct Shelf<T> {
    items: HashMap<String, Item<T>>,
    bytes: usize,
    /// Counts uses, to know which was longest ago.
    turn: u64,
}

struct Item<T> {
    value: T,
    bytes: usize,
    used: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { items: HashMap::new(), bytes: 0, turn: 0 }
    }
}

impl<T> Shelf<T> {
    fn get(&mut self, name: &str) -> Option<&mut T> {
        self.turn += 1;
        let item = self.items.get_mut(name)?;
        item.used = self.turn;
        Some(&mut item.value)
    }

    fn put(&mut self, name: String, value: T, bytes: usize) {
        self.remove(&name);
        let bytes = bytes + name.len();
        while !self.items.is_empty() && (self.items.len() >= KEPT_MAX || self.bytes + bytes > BYTES_MAX) {
            let oldest = self.items.iter().min_by_key(|(_, item)| item.used).map(|(name, _)| name.clone());
            oldest.map(|name| self.remove(&name));
        }
        self.turn += 1;
        self.bytes += bytes;
        self.items.insert(name, Item { value, bytes, used: self.turn });
    }

    fn remove(&mut self, name: &str) -> bool {
        let removed = self.items.remove(name);
        self.bytes -= removed.as_ref().map_or(0, |item| item.bytes);
        removed.is_some()
    }
}

struct Document {
    about: CachedContext,
    value: Arc<Value>,
}

/// Documents and compiled contexts.
#[derive(Default)]
pub(super) struct Kept {
    documents: Shelf<Document>,
    compiled: Shelf<Arc<Context>>,
}

impl Kept {
    pub fn compiled(&mut self, given: &str) -> Option<Arc<Context>> {
        self.compiled.get(given).cloned()
    }

    pub fn keep_compiled(&mut self, given: String, context: Arc<Context>) {
        let bytes = context.bytes();
        self.compiled.put(given, context, bytes);
    }

    pub fn forget_compiled(&mut self) {
        self.compiled = Shelf::default();
    }

    pub fn document(&mut self, url: &str, now: Timestamp) -> Option<Arc<Value>> {
        let document = self.documents.get(url)?;
        document.about.hits += 1;
        document.about.used_at = now;
        Some(Arc::clone(&document.value))
    }

    /// Keeps a document that came in so many bytes.
    pub fn keep_document(&mut self, url: &str, value: Arc<Value>, bytes: usize, now: Timestamp) {
        let about = CachedContext { url: url.to_owned(), fetched_at: now, used_at: now, hits: 0 };
        self.documents.put(url.to_owned(), Document { about, value }, bytes);
    }

    pub fn forget_document(&mut self, url: &str) -> bool {
        self.documents.remove(url)
    }

    pub fn about(&self, url: &str) -> Option<CachedContext> {
        self.documents.items.get(url).map(|item| item.value.about.clone())
    }

    pub fn about_all(&self) -> Vec<CachedContext> {
        let mut all: Vec<_> = self.documents.items.values().map(|item| item.value.about.clone()).collect();
        all.sort_by(|a, b| a.url.cmp(&b.url));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_makes_room_for_bytes_and_for_number() {
        let mut shelf = Shelf::default();
        for name in ["a", "b", "c"] {
            shelf.put(name.to_owned(), (), BYTES_MAX / 4);
        }
        assert!(shelf.get("a").is_some());
        shelf.put("large".to_owned(), (), BYTES_MAX / 2);
        let mut left: Vec<&str> = shelf.items.keys().map(String::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["a", "large"]);
        assert!(shelf.bytes <= BYTES_MAX);
        for n in 0..2 * KEPT_MAX {
            shelf.put(n.to_string(), (), 1);
        }
        assert_eq!(shelf.items.len(), KEPT_MAX);
        shelf.put("0".to_owned(), (), 7);
        shelf.put("0".to_owned(), (), 9);
        assert!(shelf.remove("0") && !shelf.remove("0"));
        let sum: usize = shelf.items.values().map(|item| item.bytes).sum();
        assert_eq!(shelf.bytes, sum, "the count of bytes is that of what is there");
    }
}
