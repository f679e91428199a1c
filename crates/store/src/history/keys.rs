//! The keys of history in [`Space::History`](crate::kv::Space). A letter says what an entry is, then comes the tenant.
//!
//! | key | value |
//! |---|---|
//! | `D` tenant 0 entity 0 attribute 0 dataset | series id (u32, big endian), then the series as JSON |
//! | `R` series id (u32, big endian) | tenant and series as JSON |
//! | `H` tenant 0 sequence (u64, big endian) | a hot batch, see `hot.rs` |
//! | `M` tenant 0 first sequence (u64, big endian) | a segment of the manifest, JSON |
//! | `T` tenant 0 sequence (u64) number (u32) | a deletion that still applies to older segments, JSON |
//! | `F` tenant 0 | version of the manifest and the last sequence that is in segments, JSON |

use std::ops::Bound;

use model::{EntityId, SeriesKey, Tenant};

pub(super) const HOT: u8 = b'H';
pub(super) const SEGMENT: u8 = b'M';
pub(super) const TOMBSTONE: u8 = b'T';
const DICTIONARY: u8 = b'D';
const REVERSE: u8 = b'R';
pub(super) const STATE: u8 = b'F';

/// A letter and a tenant: the start of everything that belongs to that tenant.
pub(super) fn tenant_prefix(kind: u8, tenant: &Tenant) -> Vec<u8> {
    let mut key = Vec::with_capacity(80);
    key.push(kind);
    key.extend_from_slice(tenant.as_str().as_bytes());
    key.push(0);
    key
}

/// A tenant's entry that is ordered by the sequence of a transaction.
pub(super) fn sequenced(kind: u8, tenant: &Tenant, sequence: u64) -> Vec<u8> {
    let mut key = tenant_prefix(kind, tenant);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The key of one tombstone; a transaction can carry many.
pub(super) fn tombstone(tenant: &Tenant, sequence: u64, number: u32) -> Vec<u8> {
    let mut key = sequenced(TOMBSTONE, tenant, sequence);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The dictionary's entry of a series.
pub(super) fn dictionary(tenant: &Tenant, series: &SeriesKey) -> Vec<u8> {
    let mut key = dictionary_prefix(tenant, &series.entity);
    push_series(&mut key, series);
    key
}

/// Appends what tells the series of one entity apart.
pub(super) fn push_series(key: &mut Vec<u8>, series: &SeriesKey) {
    push_escaped(key, series.attribute.as_str());
    if let Some(dataset) = &series.dataset_id {
        // The leading byte keeps an empty dataset apart from the default one.
        key.push(b'@');
        key.extend_from_slice(dataset.as_bytes());
    }
}

/// The start of the dictionary's entries of one entity.
pub(super) fn dictionary_prefix(tenant: &Tenant, entity: &EntityId) -> Vec<u8> {
    let mut key = tenant_prefix(DICTIONARY, tenant);
    push_escaped(&mut key, entity.as_str());
    key
}

/// The start of the dictionary's entries of a tenant.
pub(super) fn dictionary_of(tenant: &Tenant) -> Vec<u8> {
    tenant_prefix(DICTIONARY, tenant)
}

/// The entry that tells which series an id stands for.
pub(super) fn reverse(id: u32) -> Vec<u8> {
    let mut key = vec![REVERSE];
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// The start of all entries of a kind.
pub(super) fn kind_prefix(kind: u8) -> Vec<u8> {
    vec![kind]
}

/// The start of all reverse entries of the dictionary.
pub(super) fn reverse_prefix() -> Vec<u8> {
    kind_prefix(REVERSE)
}

/// The sequence at the end of a key made by [`sequenced`], or before the number of [`tombstone`].
pub(super) fn sequence_of(key: &[u8], prefix_len: usize) -> Option<u64> {
    let bytes = key.get(prefix_len..prefix_len + 8)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// The tenant in a key that has one.
pub(super) fn tenant_of(key: &[u8]) -> Option<Tenant> {
    let end = key.iter().position(|&byte| byte == 0)?;
    Tenant::parse(std::str::from_utf8(key.get(1..end)?).ok()?).ok()
}

/// The first key after all keys with this prefix.
pub(super) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    // Prefixes start with an ASCII letter, so a byte that can be raised is always found.
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// All keys with this prefix, as the bounds of a scan.
pub(super) fn all_with<'a>(prefix: &'a [u8], end: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(prefix), Bound::Excluded(end))
}

/// Appends text and a closing 0. A 0 or 1 inside the text is written as 1 followed by 1 or 2, so that the end is certain.
fn push_escaped(key: &mut Vec<u8>, text: &str) {
    if !text.bytes().any(|byte| byte < 2) {
        key.extend_from_slice(text.as_bytes());
        key.push(0);
        return;
    }
    for byte in text.bytes() {
        match byte {
            0 => key.extend_from_slice(&[1, 1]),
            1 => key.extend_from_slice(&[1, 2]),
            other => key.push(other),
        }
    }
    key.push(0);
}
