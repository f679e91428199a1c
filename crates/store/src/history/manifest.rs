//! The manifest: which segments a tenant's history consists of, and which deletions still apply to them.
//!
//! It lives in the key-value store, so that a new segment appears and its hot batches disappear in one atomic write.

use std::sync::Arc;

use model::Tenant;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use segments::{SegmentEntry, Stretch};

use super::keys;
use crate::{
    StoreError,
    kv::{Batch, Direction, KvSnapshot, Space},
};

/// A deletion that older segments have not absorbed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tombstone {
    pub sequence: u64,
    pub number: u32,
    pub stretch: Stretch,
}

#[derive(Serialize, Deserialize)]
struct StoredTombstone {
    series: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    from_us: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    to_us: Option<i64>,
}

/// The head of a tenant's manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestHead {
    /// Grows with every change of the manifest.
    pub version: u64,
    /// Transactions up to this one are in segments; later ones are hot.
    pub flushed_to: u64,
}

/// A tenant's manifest at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Manifest {
    pub head: ManifestHead,
    /// Oldest first.
    pub segments: Vec<Arc<SegmentEntry>>,
    pub tombstones: Vec<Tombstone>,
}

impl Manifest {
    pub(super) fn head(snapshot: &dyn KvSnapshot, tenant: &Tenant) -> Result<ManifestHead, StoreError> {
        let key = keys::tenant_prefix(keys::STATE, tenant);
        match snapshot.get(Space::History, &key)? {
            None => Ok(ManifestHead::default()),
            Some(value) => from_json(&value, tenant),
        }
    }

    pub(super) fn read(snapshot: &dyn KvSnapshot, tenant: &Tenant) -> Result<Self, StoreError> {
        let mut manifest = Self { head: Self::head(snapshot, tenant)?, ..Self::default() };
        let prefix = keys::tenant_prefix(keys::SEGMENT, tenant);
        let end = keys::prefix_end(&prefix);
        for pair in snapshot.scan(Space::History, keys::all_with(&prefix, &end), Direction::Forward) {
            manifest.segments.push(Arc::new(from_json(&pair?.1, tenant)?));
        }
        let prefix = keys::tenant_prefix(keys::TOMBSTONE, tenant);
        let end = keys::prefix_end(&prefix);
        for pair in snapshot.scan(Space::History, keys::all_with(&prefix, &end), Direction::Forward) {
            let (key, value) = pair?;
            let stored: StoredTombstone = from_json(&value, tenant)?;
            let number = key.get(prefix.len() + 8..).and_then(|bytes| bytes.try_into().ok());
            let (Some(sequence), Some(number)) = (keys::sequence_of(&key, prefix.len()), number) else {
                return Err(StoreError::corrupt(thing(tenant), "a deletion has a key of the wrong length"));
            };
            let stretch = Stretch {
                series: stored.series,
                from: stored.from_us.unwrap_or(i64::MIN),
                to: stored.to_us.unwrap_or(i64::MAX),
            };
            manifest.tombstones.push(Tombstone { sequence, number: u32::from_be_bytes(number), stretch });
        }
        Ok(manifest)
    }

    /// Whether a segment can hold rows that a deletion has still to hide.
    pub(super) fn applies(tombstone: &Tombstone, segment: &SegmentEntry) -> bool {
        let stretch = &tombstone.stretch;
        tombstone.sequence > segment.absorbed_to
            && (segment.series_min..=segment.series_max).contains(&stretch.series)
            && stretch.from <= segment.time_max_us
            && segment.time_min_us < stretch.to
    }
}

pub(super) fn put_segment(batch: &mut Batch, tenant: &Tenant, entry: &SegmentEntry) -> Result<(), StoreError> {
    put_json(batch, tenant, keys::sequenced(keys::SEGMENT, tenant, entry.sequence_from), entry)
}

pub(super) fn delete_segment(batch: &mut Batch, tenant: &Tenant, entry: &SegmentEntry) {
    batch.delete(Space::History, keys::sequenced(keys::SEGMENT, tenant, entry.sequence_from));
}

pub(super) fn put_tombstone(batch: &mut Batch, tenant: &Tenant, tombstone: &Tombstone) -> Result<(), StoreError> {
    let Tombstone { sequence, number, stretch } = *tombstone;
    let stored = StoredTombstone {
        series: stretch.series,
        from_us: (stretch.from != i64::MIN).then_some(stretch.from),
        to_us: (stretch.to != i64::MAX).then_some(stretch.to),
    };
    put_json(batch, tenant, keys::tombstone(tenant, sequence, number), &stored)
}

pub(super) fn delete_tombstone(batch: &mut Batch, tenant: &Tenant, tombstone: &Tombstone) {
    batch.delete(Space::History, keys::tombstone(tenant, tombstone.sequence, tombstone.number));
}

pub(super) fn put_head(batch: &mut Batch, tenant: &Tenant, head: ManifestHead) -> Result<(), StoreError> {
    put_json(batch, tenant, keys::tenant_prefix(keys::STATE, tenant), &head)
}

fn put_json<T: Serialize>(batch: &mut Batch, tenant: &Tenant, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
    let json = serde_json::to_vec(value)
        .map_err(|error| StoreError::Unstorable { thing: thing(tenant), detail: error.to_string() })?;
    batch.put(Space::History, key, json);
    Ok(())
}

fn from_json<T: DeserializeOwned>(value: &[u8], tenant: &Tenant) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| StoreError::corrupt(thing(tenant), error.to_string()))
}

fn thing(tenant: &Tenant) -> String {
    format!("the manifest of history of tenant {}", tenant.as_str())
}
