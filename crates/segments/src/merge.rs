//! One series from all places that hold it, as one sorted stream without doubles: newest writing wins.
//!
//! Each source is sorted and has one row for each moment. Where sources do not overlap in time, which is the rule,
//! whole runs of rows pass through untouched; only where they overlap are single rows compared. A segment is opened
//! when the stream reaches its time, so the last value of a series costs one segment and not all of them.

use std::{collections::VecDeque, ops::Range};

use crate::{SegmentError, chunk::Chunk, footers::Readers, reader::Span, types::Order};

/// What a stream delivers.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The first moment, microseconds since 1970.
    pub from: i64,
    /// The first moment after the last.
    pub to: i64,
    /// The direction.
    pub order: Order,
    /// Whether more than time and number is wanted.
    pub details: bool,
    /// The most rows that are decoded at once.
    pub step: usize,
}

impl Request {
    /// A number that grows along the stream.
    fn key(&self, time: i64) -> i64 {
        match self.order {
            Order::Ascending => time,
            Order::Descending => !time,
        }
    }
}

/// The rows of one series in one place.
pub struct Source {
    chunk: Chunk,
    position: usize,
    /// No later row has a smaller key; absent when there are no later rows.
    bound: Option<i64>,
    input: Option<SegmentRows>,
}

/// The rows of a series that wait in a segment.
struct SegmentRows {
    segment: usize,
    series: u32,
    /// Absent until the segment has been opened.
    spans: Option<VecDeque<Span>>,
    /// Stretches of time that were deleted after the segment was written.
    deletions: Vec<(i64, i64)>,
}

impl Source {
    /// Rows in memory, ascending and within the request.
    #[must_use]
    pub fn of_rows(mut chunk: Chunk, request: &Request) -> Self {
        if request.order == Order::Descending {
            chunk.reverse();
        }
        Self { chunk, position: 0, bound: None, input: None }
    }

    /// Rows in a segment whose times lie between `time_min` and `time_max`, without stretches of time that were deleted later.
    #[must_use]
    pub fn of_segment(
        segment: usize,
        series: u32,
        (time_min, time_max): (i64, i64),
        deletions: Vec<(i64, i64)>,
        request: &Request,
    ) -> Self {
        let first = match request.order {
            Order::Ascending => time_min.max(request.from),
            Order::Descending => time_max.min(request.to.saturating_sub(1)),
        };
        let input = Some(SegmentRows { segment, series, spans: None, deletions });
        Self { chunk: Chunk::default(), position: 0, bound: Some(request.key(first)), input }
    }

    fn needs_rows(&self) -> bool {
        self.position >= self.chunk.len()
    }

    /// The smallest key that can still come.
    fn head(&self, request: &Request) -> Option<i64> {
        match self.chunk.times.get(self.position) {
            Some(&time) => Some(request.key(time)),
            None => self.bound,
        }
    }

    /// Decodes the next rows; afterwards there are some, or the source is at its end.
    fn fill(&mut self, readers: &mut Readers, request: &Request) -> Result<(), SegmentError> {
        let Some(input) = &mut self.input else {
            self.bound = None;
            return Ok(());
        };
        let reader = readers.reader(input.segment)?;
        let spans = match &mut input.spans {
            Some(spans) => spans,
            None => input.spans.insert(reader.segment.spans(input.series, request.from, request.to)?.into()),
        };
        loop {
            let Some(span) = next_span(spans, request) else {
                self.bound = None;
                self.input = None;
                return Ok(());
            };
            let mut chunk = reader.read(&span, request.from, request.to, request.details)?;
            if !input.deletions.is_empty() {
                let deletions = &input.deletions;
                chunk.retain(|time| !deletions.iter().any(|&(from, to)| from <= time && time < to));
            }
            if request.order == Order::Descending {
                chunk.reverse();
            }
            if let Some(&last) = chunk.times.last() {
                self.bound = Some(request.key(last).saturating_add(1));
                self.chunk = chunk;
                self.position = 0;
                return Ok(());
            }
        }
    }
}

/// Takes at most a step's rows from the side where the stream is.
fn next_span(spans: &mut VecDeque<Span>, request: &Request) -> Option<Span> {
    let span = match request.order {
        Order::Ascending => spans.front_mut()?,
        Order::Descending => spans.back_mut()?,
    };
    if span.rows.len() <= request.step {
        return match request.order {
            Order::Ascending => spans.pop_front(),
            Order::Descending => spans.pop_back(),
        };
    }
    let group = span.group;
    match request.order {
        Order::Ascending => {
            let middle = span.rows.start + request.step;
            let part = Span { group, rows: span.rows.start..middle };
            span.rows.start = middle;
            Some(part)
        }
        Order::Descending => {
            let middle = span.rows.end - request.step;
            let part = Span { group, rows: middle..span.rows.end };
            span.rows.end = middle;
            Some(part)
        }
    }
}

/// The merged stream of one series.
pub struct Merged {
    /// Newest writing first.
    sources: Vec<Source>,
    request: Request,
}

/// A run of rows: which source, and where in its chunk.
pub struct Run {
    source: usize,
    /// Which rows of the chunk.
    pub rows: Range<usize>,
}

impl Merged {
    /// `sources` are ordered by the age of their writing, newest first.
    #[must_use]
    pub fn new(sources: Vec<Source>, request: Request) -> Self {
        Self { sources, request }
    }

    /// The chunk that a run lies in; valid until the next [`Merged::advance`].
    #[must_use]
    pub fn chunk(&self, run: &Run) -> Option<&Chunk> {
        self.sources.get(run.source).map(|source| &source.chunk)
    }

    /// The next run of rows, `None` at the end.
    ///
    /// # Errors
    /// When a segment is missing or damaged.
    pub fn advance(&mut self, readers: &mut Readers) -> Result<Option<Run>, SegmentError> {
        let request = self.request;
        loop {
            let heads = self.sources.iter().filter_map(|source| source.head(&request));
            let Some(least) = heads.min() else { return Ok(None) };
            let mut filled = false;
            for source in &mut self.sources {
                if source.head(&request) == Some(least) && source.needs_rows() {
                    source.fill(readers, &request)?;
                    filled = true;
                }
            }
            if !filled {
                return Ok(self.take_run(least));
            }
        }
    }

    /// Takes the run that starts at the least key. Every source that has this key holds its row.
    fn take_run(&mut self, least: i64) -> Option<Run> {
        let request = self.request;
        let winner = self.sources.iter().position(|source| source.head(&request) == Some(least))?;
        let mut limit = None;
        for (place, source) in self.sources.iter_mut().enumerate() {
            if place == winner {
                continue;
            }
            if source.head(&request) == Some(least) {
                // The same moment, written earlier: it was corrected.
                source.position += 1;
            }
            let head = source.head(&request);
            limit = match (limit, head) {
                (Some(limit), Some(head)) => Some(i64::min(limit, head)),
                (limit, head) => limit.or(head),
            };
        }
        let source = self.sources.get_mut(winner)?;
        let all = source.position..source.chunk.len();
        let rows = match limit {
            None => all,
            Some(limit) => source.chunk.rows_before(all, |time| request.key(time) < limit),
        };
        source.position = rows.end;
        Some(Run { source: winner, rows })
    }
}
