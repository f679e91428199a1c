//! The hot observations of a tenant, decoded once and shared by all readers.
//!
//! A reader sees the key-value store at one moment. Rows therefore keep the sequence of their transaction, and a
//! reader takes only those that its own view holds.

use std::collections::HashMap;

use model::Tenant;
use segments::{HotBatch, Row, Stretch};

use super::keys;
use crate::{
    StoreError,
    kv::{Direction, KvSnapshot, Space},
};

pub(super) struct Memtable {
    /// Transactions up to this one are in segments and not here.
    pub flushed_to: u64,
    /// Transactions up to this one have been read.
    loaded_to: u64,
    rows: HashMap<u32, Vec<HotRow>>,
    deletions: HashMap<u32, Vec<HotDeletion>>,
}

#[derive(Clone)]
struct HotRow {
    sequence: u64,
    row: Row,
}

/// A deletion in a hot batch.
#[derive(Clone, Copy)]
pub(super) struct HotDeletion {
    pub sequence: u64,
    pub stretch: Stretch,
}

impl Memtable {
    pub(super) fn new(flushed_to: u64) -> Self {
        Self { flushed_to, loaded_to: flushed_to, rows: HashMap::new(), deletions: HashMap::new() }
    }

    /// The same without what has meanwhile been flushed.
    pub(super) fn advanced_to(&self, flushed_to: u64) -> Self {
        let mut next = Self::new(flushed_to);
        next.loaded_to = self.loaded_to.max(flushed_to);
        for (&series, rows) in &self.rows {
            let kept: Vec<HotRow> = rows.iter().filter(|row| row.sequence > flushed_to).cloned().collect();
            if !kept.is_empty() {
                next.rows.insert(series, kept);
            }
        }
        for (&series, deletions) in &self.deletions {
            let kept: Vec<HotDeletion> =
                deletions.iter().filter(|deletion| deletion.sequence > flushed_to).copied().collect();
            if !kept.is_empty() {
                next.deletions.insert(series, kept);
            }
        }
        next
    }

    /// Whether a view that ends at `sequence` needs [`Self::load`] first.
    pub(super) fn is_behind(&self, sequence: u64) -> bool {
        self.loaded_to < sequence
    }

    /// Reads the batches that the view holds and this table does not.
    pub(super) fn load(&mut self, snapshot: &dyn KvSnapshot, tenant: &Tenant) -> Result<(), StoreError> {
        let from = self.loaded_to;
        for_each_batch(snapshot, tenant, from, |sequence, batch| {
            for stretch in batch.deletions {
                self.deletions.entry(stretch.series).or_default().push(HotDeletion { sequence, stretch });
            }
            for row in batch.rows {
                self.rows.entry(row.series).or_default().push(HotRow { sequence, row });
            }
            self.loaded_to = sequence;
            Ok(true)
        })
    }

    /// The rows of a series in `[from, to)` up to a transaction: by time, one for each moment, deletions applied.
    pub(super) fn rows(&self, series: u32, from: i64, to: i64, sequence: u64) -> Vec<Row> {
        let Some(rows) = self.rows.get(&series) else { return Vec::new() };
        let deletions = self.deletions.get(&series).map_or(&[][..], Vec::as_slice);
        let is_deleted = |row: &HotRow| {
            deletions.iter().any(|deletion| {
                (row.sequence < deletion.sequence && deletion.sequence <= sequence)
                    && deletion.stretch.covers(row.row.time)
            })
        };
        let mut found: Vec<Row> = rows
            .iter()
            .take_while(|row| row.sequence <= sequence)
            .filter(|row| from <= row.row.time && row.row.time < to && !is_deleted(row))
            .map(|row| row.row.clone())
            .collect();
        if !found.is_sorted_by(|a, b| a.time < b.time) {
            // A stable sort keeps the order of arrival within one moment: the last one counts.
            found.sort_by_key(|row| row.time);
            found.reverse();
            found.dedup_by_key(|row| row.time);
            found.reverse();
        }
        found
    }

    /// The deletions of a series up to a transaction; they apply to every segment, since segments are older.
    pub(super) fn deletions(&self, series: u32, sequence: u64) -> impl Iterator<Item = Stretch> + '_ {
        let deletions = self.deletions.get(&series).map_or(&[][..], Vec::as_slice);
        deletions.iter().filter(move |deletion| deletion.sequence <= sequence).map(|deletion| deletion.stretch)
    }
}

/// Decodes the hot batches after a sequence, in order, until `each` answers `false`.
pub(super) fn for_each_batch(
    snapshot: &dyn KvSnapshot,
    tenant: &Tenant,
    after: u64,
    mut each: impl FnMut(u64, HotBatch) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let prefix = keys::tenant_prefix(keys::HOT, tenant);
    let start = keys::sequenced(keys::HOT, tenant, after.saturating_add(1));
    let end = keys::prefix_end(&prefix);
    for pair in snapshot.scan(Space::History, keys::all_with(&start, &end), Direction::Forward) {
        let (key, value) = pair?;
        let thing = || format!("a hot batch of tenant {}", tenant.as_str());
        let sequence = keys::sequence_of(&key, prefix.len())
            .ok_or_else(|| StoreError::corrupt(thing(), "its key has no sequence"))?;
        let batch = HotBatch::decode(&value).ok_or_else(|| {
            StoreError::corrupt(format!("{} (transaction {sequence})", thing()), "it is cut short or not a batch")
        })?;
        if !each(sequence, batch)? {
            return Ok(());
        }
    }
    Ok(())
}

/// The last transaction with hot observations after `after`, as the view holds it; `after` when there is none.
pub(super) fn last_sequence(snapshot: &dyn KvSnapshot, tenant: &Tenant, after: u64) -> Result<u64, StoreError> {
    let prefix = keys::tenant_prefix(keys::HOT, tenant);
    let start = keys::sequenced(keys::HOT, tenant, after.saturating_add(1));
    let end = keys::prefix_end(&prefix);
    match snapshot.keys(Space::History, keys::all_with(&start, &end), Direction::Backward).next() {
        None => Ok(after),
        Some(key) => keys::sequence_of(&key?, prefix.len())
            .ok_or_else(|| StoreError::corrupt("a hot batch", "its key has no sequence")),
    }
}
