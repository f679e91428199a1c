//! Verifies everything that history has stored: the dictionary, every segment in full, every hot batch.

use std::sync::Arc;

use model::{Problem, SeriesKey, Tenant};
use segments::{Chunk, HotBatch, OpenSegment, Row, SegmentEntry, SegmentReader, Span};

use super::{
    STEP_ROWS,
    compact::sha256,
    keys,
    manifest::Manifest,
    series::{SeriesEntry, reverse_id},
    state::{HistoryState, Shared, tenants_with},
};
use crate::{
    CheckReport, StoreError,
    kv::{Direction, KvSnapshot, Space},
};

/// What to do about damage.
const RESTORE: &str = "restore it from a backup, or import its observations again from their source";

/// A check that is going on.
struct Check<'a> {
    shared: &'a Shared,
    snapshot: &'a dyn KvSnapshot,
    report: &'a mut CheckReport,
}

impl HistoryState {
    /// Reads everything and compares: the checksum, the number, the order and the series of rows, and that every series
    /// has its entry in the dictionary. What is damaged is a [`Problem`] that names the file or record.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn check(&self, snapshot: &dyn KvSnapshot, report: &mut CheckReport) -> Result<(), StoreError> {
        let mut check = Check { shared: &self.shared, snapshot, report };
        check.dictionary()?;
        for tenant in tenants_with(snapshot, keys::SEGMENT)? {
            match Manifest::read(snapshot, &tenant) {
                Ok(manifest) => check.segments(&tenant, &manifest),
                Err(error) => check.report.damage(error),
            }
        }
        for tenant in tenants_with(snapshot, keys::HOT)? {
            check.hot_batches(&tenant)?;
        }
        Ok(())
    }
}

impl Check<'_> {
    fn problem(&mut self, thing: impl Into<String>, detail: &str) {
        self.report.problem(Problem::new(thing, detail, RESTORE));
    }

    /// Both directions of the dictionary say the same.
    fn dictionary(&mut self) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        let prefix = keys::reverse_prefix();
        let end = keys::prefix_end(&prefix);
        for pair in snapshot.scan(Space::History, keys::all_with(&prefix, &end), Direction::Forward) {
            let (key, value) = pair?;
            self.report.count("series", 1);
            let entry: Option<SeriesEntry> = serde_json::from_slice(&value).ok();
            let forward = match &entry {
                Some(entry) => snapshot.get(Space::History, &keys::dictionary(&entry.tenant, &entry.series))?,
                None => None,
            };
            if forward.as_deref().and_then(|value| value.get(..4)) != key.get(1..5) {
                let thing = format!("series {} of the dictionary", reverse_id(&key).unwrap_or_default());
                self.problem(thing, "its two entries do not agree");
            }
        }
        Ok(())
    }

    fn segments(&mut self, tenant: &Tenant, manifest: &Manifest) {
        let mut sequence = 0;
        for entry in &manifest.segments {
            if entry.sequence_from <= sequence || entry.sequence_to > manifest.head.flushed_to {
                self.problem(format!("segment {}", entry.file), "it does not follow on the segment before it");
            }
            sequence = entry.sequence_to;
            self.report.count("segments", 1);
            match self.segment(tenant, entry) {
                Ok(rows) => self.report.count("observations in segments", rows),
                Err(error) => self.report.damage(error),
            }
        }
    }

    /// Reads a segment in full; the number of its rows.
    fn segment(&self, tenant: &Tenant, entry: &SegmentEntry) -> Result<u64, StoreError> {
        let damaged = |detail: String| StoreError::corrupt(format!("segment {}", entry.file), detail);
        let bytes = self.shared.footers.store.read(&entry.file)?;
        if bytes.len() as u64 != entry.bytes || sha256(&bytes) != entry.sha256 {
            return Err(damaged("its bytes are not those that were written (SHA-256 differs)".to_owned()));
        }
        drop(bytes);
        let segment = Arc::new(OpenSegment::open(&self.shared.footers.store, entry)?);
        let mut reader = SegmentReader::new(Arc::clone(&segment));
        let mut rows = 0;
        for id in segment.series()? {
            let known = self.shared.dictionary.entry(self.snapshot, id)?;
            if known.tenant != *tenant || !(entry.series_min..=entry.series_max).contains(&id) {
                return Err(damaged(format!("series {id} does not belong in it")));
            }
            let mut last = None;
            for span in segment.spans(id, i64::MIN, i64::MAX)? {
                for start in span.rows.clone().step_by(STEP_ROWS) {
                    let part = Span { group: span.group, rows: start..span.rows.end.min(start + STEP_ROWS) };
                    let chunk = reader.read(&part, i64::MIN, i64::MAX, true)?;
                    rows += chunk.len() as u64;
                    check_rows(&chunk, &known.series, entry, &mut last)?;
                }
            }
        }
        if rows != entry.rows {
            return Err(damaged(format!("it has {rows} rows, the manifest says {}", entry.rows)));
        }
        Ok(rows)
    }

    fn hot_batches(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        let prefix = keys::tenant_prefix(keys::HOT, tenant);
        let end = keys::prefix_end(&prefix);
        let flushed_to = Manifest::head(snapshot, tenant)?.flushed_to;
        for pair in snapshot.scan(Space::History, keys::all_with(&prefix, &end), Direction::Forward) {
            let (key, value) = pair?;
            let sequence = keys::sequence_of(&key, prefix.len()).unwrap_or_default();
            let thing = format!("the hot batch of transaction {sequence} of tenant {}", tenant.as_str());
            self.report.count("hot batches", 1);
            if sequence <= flushed_to {
                self.problem(&thing, "it should be in a segment already");
            }
            let Some(batch) = HotBatch::decode(&value) else {
                self.problem(thing, "it is cut short or not a batch");
                continue;
            };
            self.report.count("hot observations", batch.rows.len() as u64);
            for rows in batch.rows.chunk_by(|a, b| a.series == b.series) {
                let known = rows.first().map(|row| self.shared.dictionary.entry(snapshot, row.series)).transpose();
                match known {
                    Ok(known) if known.as_ref().is_some_and(|known| known.tenant != *tenant) => {
                        self.problem(&thing, "it names a series of another tenant");
                    }
                    Ok(known) => {
                        if let Some(known) = known
                            && let Err(error) = check_hot_rows(rows, &known.series)
                        {
                            self.report.damage(error);
                        }
                    }
                    Err(error) => self.report.damage(error),
                }
            }
        }
        Ok(())
    }
}

fn check_hot_rows(rows: &[Row], series: &SeriesKey) -> Result<(), StoreError> {
    let chunk = Chunk::of_rows(rows);
    for row in 0..chunk.len() {
        chunk.observation(row, series)?;
    }
    Ok(())
}

fn check_rows(
    chunk: &Chunk,
    series: &SeriesKey,
    entry: &SegmentEntry,
    last: &mut Option<i64>,
) -> Result<(), StoreError> {
    for (row, &time) in chunk.times.iter().enumerate() {
        if last.is_some_and(|last| last >= time) || time < entry.time_min_us || time > entry.time_max_us {
            let detail = format!("row {row} of {} is not in order of time", series.entity.as_str());
            return Err(StoreError::corrupt(format!("segment {}", entry.file), detail));
        }
        *last = Some(time);
        chunk.observation(row, series)?;
    }
    Ok(())
}
