//! The layout of keys: order-preserving, with the tenant in front of everything.
//!
//! A key is `tenant 00 01, tag, parts`. A text part inside a key ends with `00 01`, and a `00` in it is written
//! `00 FF`, so that parts sort as texts and no part can run into the next. The last part of a key is written as it is.

use std::{borrow::Cow, ops::Bound};

use bytes::Bytes;
use model::Tenant;
use sha2::{Digest, Sha256};

use crate::kv::{Direction, KeyScan, KvSnapshot, Scan, Space};

/// Names longer than this are cut and made unique by a hash, so that no key becomes too long for the engine.
const PART_BYTES_MAX: usize = 1_536;
/// The longest key an engine must accept.
pub const KEY_BYTES_MAX: usize = 60_000;

/// Tags: what kind of record a key holds.
pub(crate) mod tag {
    pub const ENTITY: u8 = b'e';
    pub const DOCUMENT: u8 = b'd';
    pub const BY_TYPE: u8 = b't';
    pub const BY_SCOPE: u8 = b's';
    pub const BY_RELATION: u8 = b'r';
    pub const BY_TARGET: u8 = b'p';
    pub const BY_CELL: u8 = b'g';
    pub const BY_DOCUMENT_INDEX: u8 = b'x';
    pub const COUNTER: u8 = b'n';
}

/// Builds one key.
pub struct KeyBuilder(Vec<u8>);

impl KeyBuilder {
    /// A key of a tenant, with the tag that says what kind of record it is.
    #[must_use]
    pub fn tenant(tenant: &Tenant, tag: u8) -> Self {
        let mut bytes = Vec::with_capacity(160);
        push_part(&mut bytes, tenant.as_str().as_bytes());
        bytes.push(tag);
        Self(bytes)
    }

    /// A text that other parts follow.
    #[must_use]
    pub fn part(mut self, text: &str) -> Self {
        push_part(&mut self.0, shortened(text).as_bytes());
        self
    }

    /// The last text of a key.
    #[must_use]
    pub fn tail(mut self, text: &str) -> Vec<u8> {
        self.0.extend_from_slice(text.as_bytes());
        self.0
    }

    /// The key so far: a whole key, or a prefix.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    for byte in part {
        bytes.push(*byte);
        if *byte == 0 {
            bytes.push(0xFF);
        }
    }
    bytes.extend_from_slice(&[0, 1]);
}

/// Reads a part that [`KeyBuilder::part`] wrote: the text's bytes and what follows them.
pub(crate) fn split_part(key: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut part = vec![];
    let mut rest = key;
    loop {
        match rest {
            [0, 1, tail @ ..] => return Some((part, tail)),
            [0, 0xFF, tail @ ..] => {
                part.push(0);
                rest = tail;
            }
            [0, ..] | [] => return None,
            [byte, tail @ ..] => {
                part.push(*byte);
                rest = tail;
            }
        }
    }
}

/// A name that fits into a key: itself, or its start and a hash of the whole.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= PART_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let hash = hex(&Sha256::digest(text.as_bytes()));
    let start: String = text.chars().take_while(|c| c.is_ascii()).take(PART_BYTES_MAX - 64).collect();
    Cow::Owned(start + &hash)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from_digit(u32::from(d), 16).unwrap_or('0')).collect()
}

/// The first key that is greater than every key with this prefix; `None` when there is none.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

/// The range of keys with a prefix, optionally only those after `prefix + after`.
fn with_range<T>(
    prefix: &[u8],
    after: Option<&[u8]>,
    direction: Direction,
    scan: impl FnOnce((Bound<&[u8]>, Bound<&[u8]>)) -> T,
) -> T {
    let end = prefix_end(prefix);
    let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let Some(after) = after else { return scan((Bound::Included(prefix), end)) };
    let edge = [prefix, after].concat();
    match direction {
        Direction::Forward => scan((Bound::Excluded(&edge), end)),
        Direction::Backward => scan((Bound::Included(prefix), Bound::Excluded(&edge))),
    }
}

/// Keys and values with a prefix; with `after`, only those beyond `prefix + after` in the direction of the scan.
pub fn scan_prefix<'a>(
    snapshot: &'a dyn KvSnapshot,
    space: Space,
    prefix: &[u8],
    after: Option<&[u8]>,
    direction: Direction,
) -> Scan<'a> {
    with_range(prefix, after, direction, |range| snapshot.scan(space, range, direction))
}

/// Keys with a prefix; with `after`, only those beyond `prefix + after` in the direction of the scan.
pub fn keys_prefix<'a>(
    snapshot: &'a dyn KvSnapshot,
    space: Space,
    prefix: &[u8],
    after: Option<&[u8]>,
    direction: Direction,
) -> KeyScan<'a> {
    with_range(prefix, after, direction, |range| snapshot.keys(space, range, direction))
}

/// The key of an entity's document.
pub(crate) fn entity(tenant: &Tenant, id: &str) -> Bytes {
    KeyBuilder::tenant(tenant, tag::ENTITY).tail(id).into()
}

/// The key of a typed document.
pub(crate) fn document(tenant: &Tenant, collection: &str, key: &str) -> Bytes {
    KeyBuilder::tenant(tenant, tag::DOCUMENT).part(collection).tail(key).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_prefix_of_only_ff_has_no_end() {
        assert_eq!(prefix_end(&[1, 0xFF]), Some(vec![2]));
        assert_eq!(prefix_end(&[0xFF, 0xFF]), None);
    }

    #[test]
    fn a_very_long_name_becomes_a_short_part_that_is_still_its_own() {
        let names = ["x".repeat(5_000), "x".repeat(5_001)];
        let keys = names.map(|n| KeyBuilder::tenant(&Tenant::default(), b't').part(&n).finish());
        assert!(keys[0].len() < 1_600);
        assert_ne!(keys[0], keys[1]);
    }

    proptest! {
        #[test]
        fn parts_sort_as_texts_and_read_back(a in ".{0,12}", b in ".{0,12}", rest in ".{0,4}") {
            let key = |text: &str| KeyBuilder::tenant(&Tenant::default(), b't').part(text).tail(&rest);
            let order = a.as_bytes().cmp(b.as_bytes());
            prop_assert_eq!(key(&a).cmp(&key(&b)), order);
            let written = key(&a);
            let (tenant, after) = split_part(&written).unwrap();
            prop_assert_eq!(tenant, b"default".to_vec());
            let (part, tail) = split_part(&after[1..]).unwrap();
            prop_assert_eq!(part, a.as_bytes());
            prop_assert_eq!(tail, rest.as_bytes());
        }

        #[test]
        fn a_text_with_nul_is_never_mistaken_for_two_parts(a in "[\u{0}\u{1}a]{0,6}", b in "[\u{0}\u{1}a]{0,6}") {
            let joined = KeyBuilder::tenant(&Tenant::default(), b't').part(&a).part(&b).finish();
            let (_, rest) = split_part(&joined).unwrap();
            let (first, rest) = split_part(&rest[1..]).unwrap();
            let (second, rest) = split_part(rest).unwrap();
            prop_assert_eq!((first, second), (a.into_bytes(), b.into_bytes()));
            prop_assert!(rest.is_empty());
        }
    }
}
