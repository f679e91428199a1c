//! Documents: typed JSON records with a version, a checksum and secondary indexes.
//!
//! A stored value is `version (8, big-endian) | checksum (8) | length of meta (4) | meta | JSON`. The checksum covers
//! the key, the version, the meta and the JSON, so that neither a flipped bit nor a value under a wrong key goes
//! unnoticed. The meta of a typed document lists its index values; an entity needs none.

use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

use crate::{StoreError, kv::version_of};

/// The bytes before the meta.
const HEADER_BYTES: usize = 20;
/// Spreads versions over all bits of the checksum (2^64 divided by the golden ratio).
const VERSION_MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// A typed record: a subscription, an account, a role, a saved view.
pub trait Document: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The collection it lives in; unique among all document types.
    const COLLECTION: &'static str;

    /// Its key, unique in the collection and the tenant.
    fn key(&self) -> String;

    /// The index values it can be found by: name of the index and value.
    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
}

/// Which documents of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentSelect {
    /// All of them.
    All,
    /// Those with this value in this index.
    Index(&'static str, String),
    /// Those whose key starts with this text.
    Prefix(String),
}

/// The index values of a document, as its meta keeps them.
pub(crate) type IndexValues = Vec<(String, String)>;

/// A stored value, taken apart and verified.
pub(crate) struct Opened<'a> {
    pub version: u64,
    pub meta: &'a [u8],
    pub body: &'a [u8],
}

impl Opened<'_> {
    /// The index values in the meta.
    pub fn indexes(&self, thing: &str) -> Result<IndexValues, StoreError> {
        if self.meta.is_empty() {
            return Ok(vec![]);
        }
        sonic_rs::from_slice(self.meta).map_err(|e| StoreError::corrupt(thing, format!("its index list: {e}")))
    }

    /// The JSON as a value.
    pub fn decode<T: DeserializeOwned>(&self, thing: &str) -> Result<T, StoreError> {
        sonic_rs::from_slice(self.body).map_err(|e| StoreError::corrupt(thing, format!("its JSON: {e}")))
    }
}

/// Encodes a value for storage, without its version: [`stamp`] adds that.
pub(crate) fn seal(
    thing: &str,
    key: &[u8],
    indexes: &[(&'static str, String)],
    value: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    let unstorable = |e: sonic_rs::Error| StoreError::Unstorable { thing: thing.to_owned(), detail: e.to_string() };
    let mut bytes = Vec::with_capacity(1_024);
    bytes.resize(HEADER_BYTES, 0);
    if !indexes.is_empty() {
        sonic_rs::to_writer(&mut bytes, indexes).map_err(unstorable)?;
    }
    let meta_length = u32::try_from(bytes.len() - HEADER_BYTES)
        .map_err(|_| StoreError::Unstorable { thing: thing.to_owned(), detail: "its index list is too long".into() })?;
    bytes[16..HEADER_BYTES].copy_from_slice(&meta_length.to_be_bytes());
    sonic_rs::to_writer(&mut bytes, value).map_err(unstorable)?;
    let hash = content_hash(key, &bytes[16..]);
    bytes[8..16].copy_from_slice(&hash.to_be_bytes());
    Ok(bytes)
}

/// Seals bytes that are not a document, as a record of a log: `version | checksum | bytes`.
pub(crate) fn seal_record(content: &[u8]) -> Vec<u8> {
    [&[0; 8], &content_hash(&[], content).to_be_bytes()[..], content].concat()
}

/// Verifies a sealed record and gives its content.
pub(crate) fn open_record<'a>(thing: &str, value: &'a [u8], version: u64) -> Result<&'a [u8], StoreError> {
    let checksum = value.get(8..).and_then(version_of);
    match (checksum, value.get(16..)) {
        (Some(checksum), Some(content))
            if version_of(value) == Some(version) && with_version(content_hash(&[], content), version) == checksum =>
        {
            Ok(content)
        }
        _ => Err(StoreError::corrupt(thing, "its checksum does not fit its content")),
    }
}

/// Gives a sealed value its version and completes the checksum.
pub(crate) fn stamp(sealed: &mut [u8], version: u64) {
    let Some((head, rest)) = sealed.split_first_chunk_mut::<8>() else { return };
    let Some(checksum) = rest.first_chunk_mut::<8>() else { return };
    *head = version.to_be_bytes();
    *checksum = with_version(u64::from_be_bytes(*checksum), version).to_be_bytes();
}

/// The JSON of a sealed value.
pub(crate) fn body_of(sealed: &[u8]) -> &[u8] {
    let meta_length = sealed.get(16..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_be_bytes(*b) as usize);
    sealed.get(HEADER_BYTES + meta_length..).unwrap_or_default()
}

/// Takes a stored value apart and verifies it.
pub(crate) fn open<'a>(thing: &str, key: &[u8], value: &'a [u8]) -> Result<Opened<'a>, StoreError> {
    let corrupt = |detail: &str| StoreError::corrupt(thing, detail);
    let version = version_of(value).ok_or_else(|| corrupt("it is too short"))?;
    let checksum = value.get(8..).and_then(version_of).ok_or_else(|| corrupt("it is too short"))?;
    let content = value.get(16..).ok_or_else(|| corrupt("it is too short"))?;
    if with_version(content_hash(key, content), version) != checksum {
        return Err(corrupt("its checksum does not fit its content"));
    }
    let meta_length = content.first_chunk().map(|b| u32::from_be_bytes(*b) as usize);
    let parts = meta_length.and_then(|length| content.get(4..)?.split_at_checked(length));
    let (meta, body) = parts.ok_or_else(|| corrupt("its index list is cut off"))?;
    Ok(Opened { version, meta, body })
}

fn content_hash(key: &[u8], content: &[u8]) -> u64 {
    xxh3_64(content) ^ xxh3_64(key).rotate_left(32)
}

fn with_version(hash: u64, version: u64) -> u64 {
    hash.wrapping_add(version.wrapping_mul(VERSION_MIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        let mut bytes = seal("a test", b"key", &[("owner", "me".into())], &serde_json::json!({"a": 1})).unwrap();
        stamp(&mut bytes, 7);
        bytes
    }

    #[test]
    fn a_sealed_value_opens_with_its_version_indexes_and_json() {
        let bytes = sealed();
        let opened = open("a test", b"key", &bytes).unwrap();
        assert_eq!(opened.version, 7);
        assert_eq!(opened.indexes("a test").unwrap(), [("owner".to_owned(), "me".to_owned())]);
        assert_eq!(opened.body, br#"{"a":1}"#);
        assert_eq!(body_of(&bytes), br#"{"a":1}"#);
    }

    #[test]
    fn any_flipped_bit_and_any_other_key_are_noticed() {
        let bytes = sealed();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open("a test", b"key", &damaged).is_err(), "bit {bit}");
        }
        assert!(open("a test", b"kez", &bytes).is_err());
        assert!(open("a test", b"key", &bytes[..12]).is_err());
    }
}
