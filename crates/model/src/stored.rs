//! A value with the version under which it is kept.

use std::ops::Deref;

/// A value as it is stored, with the version that optimistic writes build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// Grows with every write, across deletion too: it is the sequence of the transaction that wrote the value.
    pub version: u64,
    /// The value.
    pub value: T,
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
