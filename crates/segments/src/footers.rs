//! Open segments: their footers are kept in memory within a bound, and each query has its own way through them.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use crate::{
    SegmentError,
    entry::SegmentEntry,
    objects::SegmentStore,
    reader::{OpenSegment, SegmentReader},
};

/// The footers of segments that were used lately.
pub struct Footers {
    /// Where the segments are.
    pub store: Arc<SegmentStore>,
    cache: Cache<String, Arc<OpenSegment>, ByMemory>,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<String, Arc<OpenSegment>> for ByMemory {
    fn weight(&self, _: &String, segment: &Arc<OpenSegment>) -> u64 {
        segment.memory_bytes()
    }
}

impl Footers {
    /// No footers yet; `bytes_max` bounds the memory they take.
    #[must_use]
    pub fn new(store: Arc<SegmentStore>, bytes_max: u64) -> Self {
        Self { store, cache: Cache::with_weighter(256, bytes_max, ByMemory) }
    }

    /// A segment, opened now or earlier.
    ///
    /// # Errors
    /// As [`OpenSegment::open`].
    pub fn open(&self, entry: &SegmentEntry) -> Result<Arc<OpenSegment>, SegmentError> {
        if let Some(segment) = self.cache.get(&entry.file) {
            return Ok(segment);
        }
        let segment = Arc::new(OpenSegment::open(&self.store, entry)?);
        self.cache.insert(entry.file.clone(), Arc::clone(&segment));
        Ok(segment)
    }

    /// Drops the footer of a file that is removed or written anew.
    pub fn forget(&self, file: &str) {
        self.cache.remove(file);
    }
}

/// The readers of one query, by the place of the segment in the manifest. Opened when they are first needed.
pub struct Readers {
    footers: Arc<Footers>,
    segments: Vec<Arc<SegmentEntry>>,
    open: Vec<Option<SegmentReader>>,
}

impl Readers {
    /// No segment is open yet.
    #[must_use]
    pub fn new(footers: &Arc<Footers>, segments: &[Arc<SegmentEntry>]) -> Self {
        let open = segments.iter().map(|_| None).collect();
        Self { footers: Arc::clone(footers), segments: segments.to_vec(), open }
    }

    /// The reader of the segment at a place of the manifest.
    ///
    /// # Errors
    /// When there is no such segment, or as [`OpenSegment::open`].
    pub fn reader(&mut self, segment: usize) -> Result<&mut SegmentReader, SegmentError> {
        let (Some(entry), Some(open)) = (self.segments.get(segment), self.open.get_mut(segment)) else {
            return Err(SegmentError::damaged("the manifest of history", format!("it has no segment {segment}")));
        };
        match open {
            Some(reader) => Ok(reader),
            None => Ok(open.insert(SegmentReader::new(self.footers.open(entry)?))),
        }
    }
}
