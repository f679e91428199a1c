//! Housekeeping: hot batches become segments, and segments are merged so that a read touches few of them.
//!
//! Merging is levelled: four neighbours of one level become one segment of the next level, as long as that has at most
//! [`HistoryOptions::segment_rows_max`](super::HistoryOptions) rows. So there are at most three segments of each level
//! and, of full ones, about one for every quarter of that number of rows. Neighbours in the order of writing only, so
//! that "written later" stays a matter of whole segments. Merging carries out deletions; many deletions alone are a
//! reason to rewrite a segment too.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use model::Tenant;
use segments::{Chunk, Merged, Order, Readers, Request, Row, SegmentEntry, SegmentWriter, Source, Stretch, Summary};
use sha2::{Digest, Sha256};

use super::{
    STEP_ROWS, keys,
    manifest::{self, Manifest, ManifestHead, Tombstone},
    memtable::for_each_batch,
    state::{Shared, lock, tenants_with},
};
use crate::{
    StoreError,
    kv::{Batch, KvSnapshot, Space},
};

/// Rows that one flush takes into memory at most (and one batch more).
const FLUSH_ROWS_MAX: usize = 1_000_000;
/// How many segments of one level become one of the next.
const FAN_IN: usize = 4;
/// Deletions that wait for a merge at most, before the segments they apply to are rewritten.
const TOMBSTONES_MAX: usize = 64;

/// Hot batches on their way into a segment.
#[derive(Default)]
struct Gathered {
    rows: Vec<(Row, u64)>,
    deletions: Vec<Tombstone>,
    sequences: Vec<u64>,
}

impl Shared {
    /// Writes all hot batches as segments, then merges until nothing is due.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.housekeeping);
        self.remove_retired();
        let mut outcome = self.repeat_for_tenants(keys::HOT, Self::flush_once);
        outcome = outcome.and(self.repeat_for_tenants(keys::SEGMENT, Self::merge_once));
        self.remove_retired();
        outcome
    }

    /// Rewrites every segment in which a deletion still hides rows, after a flush: what was deleted is then gone from
    /// the disk, as soon as no older view needs it.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        self.flush()?;
        let _one_at_a_time = lock(&self.housekeeping);
        let outcome = self.repeat_for_tenants(keys::TOMBSTONE, Self::settle_once);
        self.remove_retired();
        outcome
    }

    /// Repeats a step for each tenant until it has nothing left to do. What fails for one tenant does not keep the
    /// others waiting; the first error is told at the end.
    fn repeat_for_tenants(
        &self,
        kind: u8,
        step: fn(&Self, &Tenant) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for tenant in tenants_with(&*self.kv.snapshot()?, kind)? {
            while !self.is_stopping() {
                match step(self, &tenant) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        outcome = outcome.and(Err(error));
                        break;
                    }
                }
            }
        }
        outcome
    }

    /// Writes the oldest hot batches as one segment; `true` when there were more than one segment takes.
    fn flush_once(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let snapshot = self.kv.snapshot()?;
        let manifest = Manifest::read(&*snapshot, tenant)?;
        let mut gathered = Gathered::default();
        for_each_batch(&*snapshot, tenant, manifest.head.flushed_to, |sequence, batch| {
            for (number, stretch) in (0..).zip(batch.deletions) {
                gathered.deletions.push(Tombstone { sequence, number, stretch });
            }
            gathered.rows.extend(batch.rows.into_iter().map(|row| (row, sequence)));
            gathered.sequences.push(sequence);
            Ok(gathered.rows.len() < FLUSH_ROWS_MAX)
        })?;
        let (Some(&first), Some(&last)) = (gathered.sequences.first(), gathered.sequences.last()) else {
            return Ok(false);
        };
        let count = gathered.rows.len() as u64;
        let head = ManifestHead { version: manifest.head.version + 1, flushed_to: last };
        let mut writer = SegmentWriter::new(tenant)?;
        self.write_rows(&*snapshot, settled(gathered.rows, &gathered.deletions), &mut writer)?;
        let mut batch = Batch::new();
        if let Some((bytes, summary)) = writer.finish()? {
            let place = Place { sequence_from: first, sequence_to: last, absorbed_to: last, level: 0 };
            let entry = self.put_file(tenant, head.version, place, summary, bytes)?;
            manifest::put_segment(&mut batch, tenant, &entry)?;
        }
        for tombstone in &gathered.deletions {
            if manifest.segments.iter().any(|segment| Manifest::applies(tombstone, segment)) {
                manifest::put_tombstone(&mut batch, tenant, tombstone)?;
            }
        }
        for sequence in gathered.sequences {
            batch.delete(Space::History, keys::sequenced(keys::HOT, tenant, sequence));
        }
        manifest::put_head(&mut batch, tenant, head)?;
        self.commit(&batch)?;
        self.note_flushed(count);
        // What was written meanwhile waits for the next flush; otherwise a steady stream would never let this one end.
        Ok(count >= FLUSH_ROWS_MAX as u64)
    }

    fn write_rows(
        &self,
        snapshot: &dyn KvSnapshot,
        rows: Vec<Row>,
        writer: &mut SegmentWriter,
    ) -> Result<(), StoreError> {
        for rows in rows.chunk_by(|a, b| a.series == b.series) {
            let Some(first) = rows.first() else { continue };
            let entry = self.dictionary.entry(snapshot, first.series)?;
            let chunk = Chunk::of_rows(rows);
            writer.append(first.series, &entry.series, &chunk, 0..chunk.len())?;
        }
        Ok(())
    }

    fn put_file(
        &self,
        tenant: &Tenant,
        version: u64,
        place: Place,
        summary: Summary,
        bytes: Vec<u8>,
    ) -> Result<SegmentEntry, StoreError> {
        let Place { sequence_from, sequence_to, absorbed_to, level } = place;
        let file = format!("{}/{sequence_from:016x}-{sequence_to:016x}-{version}.parquet", tenant.as_str());
        let entry = SegmentEntry {
            sequence_from,
            sequence_to,
            absorbed_to,
            level,
            rows: summary.rows,
            bytes: bytes.len() as u64,
            sha256: sha256(&bytes),
            series_min: summary.series_min,
            series_max: summary.series_max,
            time_min_us: summary.time_min,
            time_max_us: summary.time_max,
            file,
        };
        // A failed attempt can have left a file of this name, and its footer in memory.
        self.footers.forget(&entry.file);
        self.footers.store.put(&entry.file, bytes)?;
        Ok(entry)
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        match self.kv.commit(&[batch])?.into_iter().next() {
            Some(Ok(())) => Ok(()),
            _ => Err(StoreError::Engine { detail: "the manifest of history was not accepted".to_owned() }),
        }
    }

    /// Merges the segments that are due first; `false` when none are.
    fn merge_once(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let snapshot = self.kv.snapshot()?;
        let manifest = Manifest::read(&*snapshot, tenant)?;
        let due = due(&manifest, self.options.segment_rows_max);
        self.rewrite(tenant, &*snapshot, &manifest, due)
    }

    /// Rewrites one segment that deletions wait for; `false` when there is none.
    fn settle_once(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let snapshot = self.kv.snapshot()?;
        let manifest = Manifest::read(&*snapshot, tenant)?;
        let due = marked(&manifest);
        self.rewrite(tenant, &*snapshot, &manifest, due)
    }

    /// Writes the segments that are due as one, without what was deleted; `false` when none are.
    fn rewrite(
        &self,
        tenant: &Tenant,
        snapshot: &dyn KvSnapshot,
        manifest: &Manifest,
        due: Option<Due>,
    ) -> Result<bool, StoreError> {
        let Some(due) = due else { return Ok(false) };
        let (Some(first), Some(last)) = (due.segments.first(), due.segments.last()) else { return Ok(false) };
        let head = ManifestHead { version: manifest.head.version + 1, ..manifest.head };
        let mut writer = SegmentWriter::new(tenant)?;
        self.merge_into(snapshot, &due.segments, &manifest.tombstones, &mut writer)?;
        let mut batch = Batch::new();
        for segment in &due.segments {
            manifest::delete_segment(&mut batch, tenant, segment);
        }
        let is_due = |segment: &&Arc<SegmentEntry>| due.segments.iter().any(|due| due.file == segment.file);
        let mut left: Vec<Arc<SegmentEntry>> = manifest.segments.iter().filter(|s| !is_due(s)).cloned().collect();
        if let Some((bytes, summary)) = writer.finish()? {
            let place = Place {
                sequence_from: first.sequence_from,
                sequence_to: last.sequence_to,
                absorbed_to: manifest.head.flushed_to,
                level: due.level,
            };
            let entry = self.put_file(tenant, head.version, place, summary, bytes)?;
            manifest::put_segment(&mut batch, tenant, &entry)?;
            left.push(Arc::new(entry));
        }
        for tombstone in &manifest.tombstones {
            if !left.iter().any(|segment| Manifest::applies(tombstone, segment)) {
                manifest::delete_tombstone(&mut batch, tenant, tombstone);
            }
        }
        manifest::put_head(&mut batch, tenant, head)?;
        self.commit(&batch)?;
        self.retire(due.segments.iter().map(|segment| segment.file.clone()).collect());
        Ok(true)
    }

    fn merge_into(
        &self,
        snapshot: &dyn KvSnapshot,
        segments: &[Arc<SegmentEntry>],
        tombstones: &[Tombstone],
        writer: &mut SegmentWriter,
    ) -> Result<(), StoreError> {
        let mut readers = Readers::new(&self.footers, segments);
        let mut series = Vec::new();
        for place in 0..segments.len() {
            series.extend(readers.reader(place)?.segment.series()?);
        }
        series.sort_unstable();
        series.dedup();
        let request = Request { from: i64::MIN, to: i64::MAX, order: Order::Ascending, details: true, step: STEP_ROWS };
        for id in series {
            let entry = self.dictionary.entry(snapshot, id)?;
            let mut sources = Vec::with_capacity(segments.len());
            for (place, segment) in segments.iter().enumerate().rev() {
                let applying = tombstones.iter().filter(|t| t.stretch.series == id && Manifest::applies(t, segment));
                let deletions = applying.map(|tombstone| (tombstone.stretch.from, tombstone.stretch.to)).collect();
                let times = (segment.time_min_us, segment.time_max_us);
                sources.push(Source::of_segment(place, id, times, deletions, &request));
            }
            let mut merged = Merged::new(sources, request);
            while let Some(run) = merged.advance(&mut readers)? {
                if let Some(chunk) = merged.chunk(&run) {
                    writer.append(id, &entry.series, chunk, run.rows)?;
                }
            }
        }
        Ok(())
    }
}

/// Where a new segment stands among the others.
struct Place {
    sequence_from: u64,
    sequence_to: u64,
    absorbed_to: u64,
    level: u32,
}

/// Segments to be merged, and the level of the result.
struct Due {
    segments: Vec<Arc<SegmentEntry>>,
    level: u32,
}

/// The lowest level with enough neighbours first; otherwise a segment that many deletions wait for.
fn due(manifest: &Manifest, rows_max: u64) -> Option<Due> {
    let windows = manifest.segments.windows(FAN_IN).filter(|window| {
        let level = window.first().map(|segment| segment.level);
        window.iter().all(|segment| Some(segment.level) == level)
            && window.iter().map(|segment| segment.rows).sum::<u64>() <= rows_max
    });
    let lowest = windows.min_by_key(|window| window.first().map(|segment| segment.level));
    if let Some(window) = lowest {
        let level = window.first().map_or(0, |segment| segment.level) + 1;
        return Some(Due { segments: window.to_vec(), level });
    }
    if manifest.tombstones.len() < TOMBSTONES_MAX {
        return None;
    }
    marked(manifest)
}

/// The oldest segment that a deletion waits for.
fn marked(manifest: &Manifest) -> Option<Due> {
    let waits = |segment: &&Arc<SegmentEntry>| manifest.tombstones.iter().any(|t| Manifest::applies(t, segment));
    let segment = manifest.segments.iter().find(waits)?;
    Some(Due { segments: vec![Arc::clone(segment)], level: segment.level })
}

/// The rows that count, by series and time: the newest of each moment, without those that were deleted later.
fn settled(mut rows: Vec<(Row, u64)>, deletions: &[Tombstone]) -> Vec<Row> {
    let mut by_series: HashMap<u32, Vec<(u64, Stretch)>> = HashMap::new();
    for tombstone in deletions {
        by_series.entry(tombstone.stretch.series).or_default().push((tombstone.sequence, tombstone.stretch));
    }
    // A stable sort keeps the order of arrival within one moment, so that the last one is the newest.
    rows.sort_by_key(|(row, _)| (row.series, row.time));
    let mut settled: Vec<Row> = Vec::with_capacity(rows.len());
    let mut waiting = rows.into_iter().peekable();
    while let Some((row, sequence)) = waiting.next() {
        let corrected = waiting.peek().is_some_and(|(next, _)| (next.series, next.time) == (row.series, row.time));
        let deleted = || {
            let deletions = by_series.get(&row.series).map_or(&[][..], Vec::as_slice);
            deletions.iter().any(|(deleted_at, stretch)| *deleted_at > sequence && stretch.covers(row.time))
        };
        if !corrected && !deleted() {
            settled.push(row);
        }
    }
    settled
}

/// SHA-256 as 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
