//! What is written to history besides observations, how it keeps house, and its figures.

use std::time::Duration;

use model::{SeriesKey, Timestamp};

/// A stretch of one series to forget, `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryDeletion {
    /// Which series.
    pub series: SeriesKey,
    /// The first moment to forget; absent means from the beginning.
    pub from: Option<Timestamp>,
    /// The first moment to keep again; absent means to the end.
    pub to: Option<Timestamp>,
}

/// How history keeps house.
#[derive(Clone, Debug)]
pub struct HistoryOptions {
    /// Hot observations of one tenant that start a flush to a segment.
    pub flush_rows: usize,
    /// The longest that an observation stays hot while the server runs.
    pub flush_every: Duration,
    /// The most rows that one segment holds; merging stops there.
    pub segment_rows_max: u64,
    /// The most memory that the footers of segments take, in bytes.
    pub metadata_bytes_max: u64,
    /// Whether a thread flushes and merges in the background. Without one, only `flush` does.
    pub background: bool,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            flush_rows: 500_000,
            flush_every: Duration::from_mins(10),
            segment_rows_max: 8_000_000,
            metadata_bytes_max: 128 * 1024 * 1024,
            background: true,
        }
    }
}

/// Figures for `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryStatistics {
    /// Segments in use.
    pub segments: u64,
    /// Rows in segments, corrections counted twice until a merge.
    pub segment_rows: u64,
    /// Bytes of segments.
    pub segment_bytes: u64,
    /// Observations that arrived since the start and are not in a segment yet (an estimate).
    pub hot_rows: u64,
    /// Flushes and merges that failed since the start; each is in the log and tried again.
    pub failures: u64,
}
