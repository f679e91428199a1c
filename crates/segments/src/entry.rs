//! What is known about a segment without opening it: one entry of the manifest.

use serde::{Deserialize, Serialize};

/// One segment: a Parquet file and what is known about it without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// The file, below the folder of segments.
    pub file: String,
    /// The first transaction whose observations are in it.
    pub sequence_from: u64,
    /// The last one. Of two rows for one moment, the one of the later segment counts.
    pub sequence_to: u64,
    /// Deletions up to this transaction have been carried out in it.
    pub absorbed_to: u64,
    /// How often its rows were merged.
    pub level: u32,
    /// The number of rows.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The least series number in it.
    pub series_min: u32,
    /// The greatest one.
    pub series_max: u32,
    /// The earliest time in it, microseconds since 1970.
    pub time_min_us: i64,
    /// The latest one.
    pub time_max_us: i64,
}
