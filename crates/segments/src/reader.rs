//! Reads a segment: finds the rows of a series in a stretch of time and decodes only the pages and columns needed.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use parquet::{
    column::reader::ColumnReaderImpl,
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        page_index::column_index::ColumnIndexMetaData,
        serialized_reader::SerializedPageReader,
        statistics::Statistics,
    },
};

use crate::{
    SegmentError,
    chunk::{Chunk, Details, Text},
    entry::SegmentEntry,
    objects::{SegmentFile, SegmentStore},
    writer::{self, column},
};

/// A segment whose footer has been read. Shared by all readers.
pub struct OpenSegment {
    name: String,
    file: Arc<SegmentFile>,
    metadata: ParquetMetaData,
    /// Of each row group, where each series starts; read when it is first needed.
    starts: Vec<OnceLock<Arc<[SeriesStart]>>>,
}

/// The first row of a series in a row group.
#[derive(Clone, Copy, Debug)]
struct SeriesStart {
    series: u32,
    row: usize,
}

/// Rows of one row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which row group.
    pub group: usize,
    /// Which of its rows.
    pub rows: Range<usize>,
}

impl OpenSegment {
    /// Opens a segment and compares it with its entry.
    ///
    /// # Errors
    /// When the file is missing or damaged, or is not the one of the entry.
    pub fn open(store: &Arc<SegmentStore>, entry: &SegmentEntry) -> Result<Self, SegmentError> {
        let file = Arc::new(store.open_file(&entry.file)?);
        let damaged = |detail: String| SegmentError::damaged(format!("segment {}", entry.file), detail);
        let metadata = ParquetMetaDataReader::new()
            .with_column_index_policy(PageIndexPolicy::Optional)
            .with_offset_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(file.as_ref())
            .map_err(|error| damaged(error.to_string()))?;
        let expected = writer::schema().map_err(|error| damaged(error.to_string()))?;
        if metadata.file_metadata().schema().get_fields() != expected.get_fields() {
            return Err(damaged("its columns are not those of a segment".to_owned()));
        }
        if u64::try_from(metadata.file_metadata().num_rows()) != Ok(entry.rows) {
            return Err(damaged(format!("it does not have the {} rows of the manifest", entry.rows)));
        }
        let starts = (0..metadata.num_row_groups()).map(|_| OnceLock::new()).collect();
        Ok(Self { name: entry.file.clone(), file, metadata, starts })
    }

    /// The memory that it takes, roughly, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.metadata.memory_size() as u64 + 1_024
    }

    fn damaged(&self, error: &ParquetError) -> SegmentError {
        SegmentError::damaged(format!("segment {}", self.name), error.to_string())
    }

    /// Rows in a row group.
    fn group_rows(&self, group: usize) -> Result<usize, SegmentError> {
        self.metadata.row_group_num_rows(group).map_err(|error| self.damaged(&error))
    }

    /// The row groups that can hold the series: a run, since rows are sorted by series.
    fn groups_of(&self, series: u32) -> Range<usize> {
        let groups = self.metadata.row_groups();
        let bounds = |group: usize| match groups.get(group).and_then(|g| g.column(column::SERIES).statistics()) {
            Some(Statistics::Int32(statistics)) => (statistics.min_opt().copied(), statistics.max_opt().copied()),
            _ => (None, None),
        };
        let series = i64::from(series);
        let mut range = 0..groups.len();
        while range.start < range.end
            && bounds(range.start).1.is_some_and(|max| i64::from(max.cast_unsigned()) < series)
        {
            range.start += 1;
        }
        while range.start < range.end
            && bounds(range.end - 1).0.is_some_and(|min| i64::from(min.cast_unsigned()) > series)
        {
            range.end -= 1;
        }
        range
    }

    /// Where each series of a row group starts. Decodes the whole column once; runs of one number take no time.
    fn starts(&self, group: usize) -> Result<Arc<[SeriesStart]>, SegmentError> {
        let Some(cell) = self.starts.get(group) else { return Ok(Arc::from([])) };
        if let Some(starts) = cell.get() {
            return Ok(Arc::clone(starts));
        }
        let (mut ids, mut cursor) = (Vec::new(), None);
        let rows = self.group_rows(group)?;
        self.read::<Int32Type>(&mut cursor, column::SERIES, &Span { group, rows: 0..rows }, &mut ids, None)?;
        let mut starts: Vec<SeriesStart> = Vec::new();
        for (row, id) in ids.iter().enumerate() {
            let series = id.cast_unsigned();
            match starts.last() {
                Some(last) if last.series == series => {}
                Some(last) if last.series > series => {
                    return Err(SegmentError::damaged(format!("segment {}", self.name), "its series are not in order"));
                }
                _ => starts.push(SeriesStart { series, row }),
            }
        }
        Ok(Arc::clone(cell.get_or_init(|| starts.into())))
    }

    /// Every series in the segment, ascending.
    ///
    /// # Errors
    /// When the segment is damaged.
    pub fn series(&self) -> Result<Vec<u32>, SegmentError> {
        let mut series = Vec::new();
        for group in 0..self.metadata.num_row_groups() {
            series.extend(self.starts(group)?.iter().map(|start| start.series));
        }
        series.dedup();
        Ok(series)
    }

    /// The rows of a series that can lie in `[from, to)`, cut at pages where the index allows it.
    ///
    /// # Errors
    /// When the segment is damaged.
    pub fn spans(&self, series: u32, from: i64, to: i64) -> Result<Vec<Span>, SegmentError> {
        let mut spans = Vec::new();
        for group in self.groups_of(series) {
            let starts = self.starts(group)?;
            let Ok(found) = starts.binary_search_by_key(&series, |start| start.series) else { continue };
            let Some(start) = starts.get(found) else { continue };
            let end = match starts.get(found + 1) {
                Some(next) => next.row,
                None => self.group_rows(group)?,
            };
            let rows = self.narrowed(group, start.row..end, from, to);
            if !rows.is_empty() {
                spans.push(Span { group, rows });
            }
        }
        Ok(spans)
    }

    /// Leaves away pages before and after `[from, to)`. Only pages that lie wholly inside the rows say something,
    /// because the smallest and largest time of a page that two series share belong to either.
    fn narrowed(&self, group: usize, rows: Range<usize>, from: i64, to: i64) -> Range<usize> {
        let index = self.metadata.page_index_for_row_group(group);
        let (Some(ColumnIndexMetaData::INT64(times)), Some(pages)) =
            (index.column_index(column::TIME), index.page_locations(column::TIME))
        else {
            return rows;
        };
        let first_row = |page: usize| pages.get(page).and_then(|page| usize::try_from(page.first_row_index).ok());
        let (mut start, mut end) = (rows.start, rows.end);
        let first =
            pages.partition_point(|page| usize::try_from(page.first_row_index).is_ok_and(|row| row < rows.start));
        for page in first..pages.len() {
            let (Some(page_start), page_end) = (first_row(page), first_row(page + 1).unwrap_or(usize::MAX)) else {
                break;
            };
            if page_end > rows.end {
                break;
            }
            let (Some(&min), Some(&max)) = (times.min_value(page), times.max_value(page)) else { break };
            if max < from {
                start = page_end;
            } else if min <= from {
                start = page_start;
            }
            if min >= to {
                end = page_start;
                break;
            }
            if max >= to.saturating_sub(1) {
                end = page_end;
                break;
            }
        }
        start..end.max(start)
    }

    /// Reads rows of a column, going on from where the cursor stands when it stands before them.
    fn read<T: DataType>(
        &self,
        cursor: &mut Option<Cursor<T>>,
        column: usize,
        span: &Span,
        values: &mut Vec<T::T>,
        levels: Option<&mut Vec<i16>>,
    ) -> Result<(), SegmentError> {
        self.try_read(cursor, column, span, values, levels).map_err(|error| {
            *cursor = None;
            self.damaged(&error)
        })
    }

    fn try_read<T: DataType>(
        &self,
        cursor: &mut Option<Cursor<T>>,
        column: usize,
        span: &Span,
        values: &mut Vec<T::T>,
        levels: Option<&mut Vec<i16>>,
    ) -> Result<(), ParquetError> {
        let reusable = cursor.take().filter(|c| c.group == span.group && c.next_row <= span.rows.start);
        let mut current = match reusable {
            Some(current) => current,
            None => self.cursor::<T>(column, span.group)?,
        };
        let short = || ParquetError::EOF(format!("column {column} of row group {} is too short", span.group));
        let skip = span.rows.start - current.next_row;
        if skip > 0 && current.reader.skip_records(skip)? != skip {
            return Err(short());
        }
        let (records, _, _) = current.reader.read_records(span.rows.len(), levels, None, values)?;
        if records != span.rows.len() {
            return Err(short());
        }
        current.next_row = span.rows.end;
        *cursor = Some(current);
        Ok(())
    }

    fn cursor<T: DataType>(&self, column: usize, group: usize) -> Result<Cursor<T>, ParquetError> {
        let rows = self.metadata.row_group_num_rows(group)?;
        let chunk = self.metadata.row_group(group).column(column);
        let pages = self.metadata.page_index_for_row_group(group).page_locations(column).cloned();
        let pages = SerializedPageReader::new(Arc::clone(&self.file), chunk, rows, pages)?;
        let reader = ColumnReaderImpl::<T>::new(chunk.column_descr_ptr(), Box::new(pages));
        Ok(Cursor { group, next_row: 0, reader })
    }

    /// The text that all rows of a row group share, when the statistics say that they share one (or none).
    fn shared_text(&self, group: usize, column: usize) -> Option<Option<ByteArray>> {
        let chunk = self.metadata.row_group(group).column(column);
        let statistics = chunk.statistics()?;
        if statistics.null_count_opt() == u64::try_from(chunk.num_values()).ok() {
            return Some(None);
        }
        let Statistics::ByteArray(texts) = statistics else { return None };
        let (min, max) = (texts.min_opt()?, texts.max_opt()?);
        let exact = texts.min_is_exact() && texts.max_is_exact();
        let complete = statistics.null_count_opt().unwrap_or(0) == 0;
        (exact && complete && min == max).then(|| Some(min.clone()))
    }

    /// The number that all rows of a row group share in an `int32` column.
    fn shared_number(&self, group: usize, column: usize) -> Option<i32> {
        match self.metadata.row_group(group).column(column).statistics()? {
            Statistics::Int32(numbers) if numbers.min_opt() == numbers.max_opt() => numbers.min_opt().copied(),
            _ => None,
        }
    }
}

/// A column of one row group, decoded up to a row.
struct Cursor<T: DataType> {
    group: usize,
    next_row: usize,
    reader: ColumnReaderImpl<T>,
}

/// One query's way through a segment. Series that are asked for in ascending order are read in one pass.
pub struct SegmentReader {
    /// The segment.
    pub segment: Arc<OpenSegment>,
    time: Option<Cursor<Int64Type>>,
    value: Option<Cursor<DoubleType>>,
    json: Option<Cursor<ByteArrayType>>,
    unit: Option<Cursor<ByteArrayType>>,
    origin: Option<Cursor<ByteArrayType>>,
    source: Option<Cursor<ByteArrayType>>,
    flags: Option<Cursor<Int32Type>>,
    recorded_at: Option<Cursor<Int64Type>>,
    levels: Vec<i16>,
}

impl SegmentReader {
    /// A reader at the start of the segment.
    #[must_use]
    pub fn new(segment: Arc<OpenSegment>) -> Self {
        Self {
            segment,
            time: None,
            value: None,
            json: None,
            unit: None,
            origin: None,
            source: None,
            flags: None,
            recorded_at: None,
            levels: Vec::new(),
        }
    }

    /// The rows of a span (all of one series) whose time lies in `[from, to)`, ascending.
    ///
    /// # Errors
    /// When the segment is damaged.
    pub fn read(&mut self, span: &Span, from: i64, to: i64, details: bool) -> Result<Chunk, SegmentError> {
        let mut times = Vec::with_capacity(span.rows.len());
        self.segment.read(&mut self.time, column::TIME, span, &mut times, None)?;
        let skipped = times.partition_point(|&time| time < from);
        times.truncate(times.partition_point(|&time| time < to));
        times.drain(..skipped.min(times.len()));
        let start = span.rows.start + skipped;
        let wanted = Span { group: span.group, rows: start..start + times.len() };
        if times.is_empty() {
            return Ok(Chunk::default());
        }
        let (values, gaps) = self.read_values(&wanted)?;
        let details = if details { Some(self.read_details(&wanted)?) } else { None };
        Ok(Chunk { times, values, gaps, details })
    }

    fn read_values(&mut self, span: &Span) -> Result<(Vec<f64>, bool), SegmentError> {
        let mut values = Vec::with_capacity(span.rows.len());
        self.levels.clear();
        self.segment.read(&mut self.value, column::VALUE, span, &mut values, Some(&mut self.levels))?;
        if values.len() == span.rows.len() {
            return Ok((values, false));
        }
        let mut present = values.into_iter();
        let spread = |&level: &i16| if level == 0 { f64::NAN } else { present.next().unwrap_or(f64::NAN) };
        Ok((self.levels.iter().map(spread).collect(), true))
    }

    fn read_details(&mut self, span: &Span) -> Result<Details, SegmentError> {
        let (segment, levels) = (&self.segment, &mut self.levels);
        let json = read_text(segment, &mut self.json, column::JSON, span, levels)?;
        let unit = read_text(segment, &mut self.unit, column::UNIT, span, levels)?;
        let origin = read_text(segment, &mut self.origin, column::ORIGIN, span, levels)?;
        let source = read_text(segment, &mut self.source, column::SOURCE, span, levels)?;
        let flags = match segment.shared_number(span.group, column::FLAGS) {
            Some(flags) => vec![flags; span.rows.len()],
            None => {
                let mut flags = Vec::with_capacity(span.rows.len());
                segment.read(&mut self.flags, column::FLAGS, span, &mut flags, None)?;
                flags
            }
        };
        let mut recorded_at = Vec::with_capacity(span.rows.len());
        segment.read(&mut self.recorded_at, column::RECORDED_AT, span, &mut recorded_at, None)?;
        Ok(Details { json, unit, origin, source, flags, recorded_at })
    }
}

fn read_text(
    segment: &OpenSegment,
    cursor: &mut Option<Cursor<ByteArrayType>>,
    column: usize,
    span: &Span,
    levels: &mut Vec<i16>,
) -> Result<Text, SegmentError> {
    if let Some(text) = segment.shared_text(span.group, column) {
        return Ok(Text::Same(text));
    }
    let mut texts = Vec::with_capacity(span.rows.len());
    levels.clear();
    segment.read(cursor, column, span, &mut texts, Some(levels))?;
    if texts.len() == span.rows.len() {
        return Ok(Text::Each(texts.into_iter().map(Some).collect()));
    }
    let mut present = texts.into_iter();
    let spread = |&level: &i16| if level == 0 { None } else { present.next() };
    Ok(Text::Each(levels.iter().map(spread).collect()))
}
