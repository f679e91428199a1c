//! Open segments: their footers are kept in memory within a bound, and each query has its own way through them.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::{
    manifest::SegmentEntry,
    objects::SegmentStore,
    reader::{OpenSegment, SegmentReader},
};
use crate::StoreError;

/// The footers of segments that were used lately.
pub(super) struct Footers {
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
    pub(super) fn new(store: Arc<SegmentStore>, bytes_max: u64) -> Self {
        Self { store, cache: Cache::with_weighter(256, bytes_max, ByMemory) }
    }

    pub(super) fn open(&self, entry: &SegmentEntry) -> Result<Arc<OpenSegment>, StoreError> {
        if let Some(segment) = self.cache.get(&entry.file) {
            return Ok(segment);
        }
        let segment = Arc::new(OpenSegment::open(&self.store, entry)?);
        self.cache.insert(entry.file.clone(), Arc::clone(&segment));
        Ok(segment)
    }

    pub(super) fn forget(&self, file: &str) {
        self.cache.remove(file);
    }
}

/// The readers of one query, by the place of the segment in the manifest. Opened when they are first needed.
pub(super) struct Readers {
    footers: Arc<Footers>,
    segments: Vec<Arc<SegmentEntry>>,
    open: Vec<Option<SegmentReader>>,
}

impl Readers {
    pub(super) fn new(footers: &Arc<Footers>, segments: &[Arc<SegmentEntry>]) -> Self {
        let open = segments.iter().map(|_| None).collect();
        Self { footers: Arc::clone(footers), segments: segments.to_vec(), open }
    }

    pub(super) fn reader(&mut self, segment: usize) -> Result<&mut SegmentReader, StoreError> {
        let (Some(entry), Some(open)) = (self.segments.get(segment), self.open.get_mut(segment)) else {
            return Err(StoreError::corrupt("the manifest of history", format!("it has no segment {segment}")));
        };
        match open {
            Some(reader) => Ok(reader),
            None => Ok(open.insert(SegmentReader::new(self.footers.open(entry)?))),
        }
    }
}
