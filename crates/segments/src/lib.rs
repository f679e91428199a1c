//! Segments of history: sorted Parquet files of observations, and everything that needs no database.
//!
//! Encoding of hot batches ([`HotBatch`]), writing ([`SegmentWriter`]) and reading ([`Readers`]) of segments on any
//! object store ([`SegmentStore`]), merging of sources into one sorted stream ([`Merged`]) and aggregates over it
//! ([`Aggregator`]). `store` adds the durable part: hot batches, manifest, dictionary and housekeeping. There is no
//! database here, no manifest and no decision about what is merged when. The README beside this crate describes the
//! formats.

mod aggregate;
mod chunk;
mod entry;
mod error;
mod footers;
mod hot;
mod merge;
mod objects;
mod reader;
mod types;
mod writer;

pub use aggregate::Aggregator;
pub use chunk::{Chunk, Details, Text};
pub use entry::SegmentEntry;
pub use error::SegmentError;
pub use footers::{Footers, Readers};
pub use hot::{BatchWriter, Cell, HotBatch, Label, Row, Stretch, cell_of, label_of};
pub use merge::{Merged, Request, Run, Source};
pub use objects::SegmentStore;
pub use reader::{OpenSegment, SegmentReader, Span};
pub use types::{Bucket, Order, Period, TimeRange};
pub use writer::{SegmentWriter, Summary};
