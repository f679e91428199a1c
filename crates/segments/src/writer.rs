//! The schema of a segment, and how one is written. See the README of this crate for the whole format.

use std::{ops::Range, sync::Arc};

use model::{SeriesKey, Tenant};
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::writer::ColumnWriterImpl,
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::{
        parser::parse_message_type,
        types::{ColumnPath, TypePtr},
    },
};

use crate::{
    SegmentError,
    chunk::{Chunk, Text},
};

/// Rows of one row group: what is sorted and encoded together, and the most that is held while writing.
const ROW_GROUP_ROWS: usize = 131_072;
/// Rows of one page: the least that is decoded.
const PAGE_ROWS: usize = 2_048;
/// Above this many bytes of distinct numbers a row group's numbers are written one by one.
const VALUE_DICTIONARY_BYTES_MAX: usize = 64 * 1024;

/// The columns, in the order of the file.
pub(crate) mod column {
    pub const SERIES: usize = 0;
    pub const TIME: usize = 1;
    pub const VALUE: usize = 2;
    pub const JSON: usize = 3;
    pub const UNIT: usize = 4;
    pub const ORIGIN: usize = 5;
    pub const FLAGS: usize = 6;
    pub const SOURCE: usize = 7;
    pub const RECORDED_AT: usize = 8;
}

const SCHEMA: &str = "message observation {
    required int32 series;
    required int64 time (TIMESTAMP(MICROS,true));
    optional double value;
    optional binary json (UTF8);
    optional binary unit (UTF8);
    required binary origin (UTF8);
    required int32 flags;
    optional binary source (UTF8);
    required int64 recorded_at (TIMESTAMP(MICROS,true));
    required binary entity (UTF8);
    required binary attribute (UTF8);
    optional binary dataset (UTF8);
}";

/// The schema of every segment.
pub(crate) fn schema() -> Result<TypePtr, ParquetError> {
    parse_message_type(SCHEMA).map(Arc::new)
}

fn properties(tenant: &Tenant) -> Result<WriterPropertiesPtr, ParquetError> {
    let path = |name: &str| ColumnPath::from(name);
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("polder".to_owned())
        .set_key_value_metadata(Some(vec![
            KeyValue::new("polder.format".to_owned(), "1".to_owned()),
            KeyValue::new("polder.tenant".to_owned(), tenant.as_str().to_owned()),
        ]))
        .set_sorting_columns(Some(vec![sorted_by(column::SERIES), sorted_by(column::TIME)]))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_column_dictionary_page_size_limit(path("value"), VALUE_DICTIONARY_BYTES_MAX)
        .set_column_encoding(path("value"), Encoding::BYTE_STREAM_SPLIT);
    for name in ["series", "time"] {
        builder = builder.set_column_statistics_enabled(path(name), EnabledStatistics::Page);
    }
    for name in ["time", "recorded_at"] {
        builder = builder
            .set_column_dictionary_enabled(path(name), false)
            .set_column_encoding(path(name), Encoding::DELTA_BINARY_PACKED);
    }
    // Run lengths and packed differences are small already; unpacking them twice would only cost time.
    for name in ["series", "time", "unit", "origin", "flags", "source", "recorded_at"] {
        builder = builder.set_column_compression(path(name), Compression::UNCOMPRESSED);
    }
    Ok(Arc::new(builder.build()))
}

fn sorted_by(column: usize) -> SortingColumn {
    // There are twelve columns, so the number always fits.
    SortingColumn { column_idx: i32::try_from(column).unwrap_or_default(), descending: false, nulls_first: false }
}

/// Writes one segment. Rows come by series number, then by time, one for each moment.
pub struct SegmentWriter {
    writer: SerializedFileWriter<Vec<u8>>,
    rows: Rows,
    summary: Summary,
}

/// What the manifest needs to know about the rows.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The number of rows.
    pub rows: u64,
    /// The least series number.
    pub series_min: u32,
    /// The greatest one.
    pub series_max: u32,
    /// The earliest time, microseconds since 1970.
    pub time_min: i64,
    /// The latest one.
    pub time_max: i64,
}

/// The rows of the row group that is being filled.
#[derive(Default)]
struct Rows {
    series: Vec<i32>,
    time: Vec<i64>,
    value: Optional<f64>,
    json: Optional<ByteArray>,
    unit: Optional<ByteArray>,
    origin: Vec<ByteArray>,
    flags: Vec<i32>,
    source: Optional<ByteArray>,
    recorded_at: Vec<i64>,
    entity: Vec<ByteArray>,
    attribute: Vec<ByteArray>,
    dataset: Optional<ByteArray>,
}

/// A column that can be null: what is there, and for each row whether it is (1) or not (0).
#[derive(Default)]
struct Optional<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Optional<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

impl SegmentWriter {
    /// An empty segment of a tenant.
    ///
    /// # Errors
    /// When the format refuses its own schema.
    pub fn new(tenant: &Tenant) -> Result<Self, SegmentError> {
        let writer = schema()
            .and_then(|schema| SerializedFileWriter::new(Vec::new(), schema, properties(tenant)?))
            .map_err(|error| failed(&error))?;
        let summary = Summary { rows: 0, series_min: u32::MAX, series_max: 0, time_min: i64::MAX, time_max: i64::MIN };
        Ok(Self { writer, rows: Rows::default(), summary })
    }

    /// Appends rows of one series.
    ///
    /// # Errors
    /// When a row group cannot be encoded.
    pub fn append(
        &mut self,
        id: u32,
        series: &SeriesKey,
        chunk: &Chunk,
        rows: Range<usize>,
    ) -> Result<(), SegmentError> {
        let (Some(&first), Some(&last)) = (chunk.times.get(rows.start), chunk.times.get(rows.end.wrapping_sub(1)))
        else {
            return Ok(());
        };
        let summary = &mut self.summary;
        summary.rows += rows.len() as u64;
        summary.series_min = summary.series_min.min(id);
        summary.series_max = summary.series_max.max(id);
        summary.time_min = summary.time_min.min(first);
        summary.time_max = summary.time_max.max(last);
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + ROW_GROUP_ROWS - self.rows.time.len());
            self.rows.append(id, series, chunk, start..end);
            start = end;
            if self.rows.time.len() == ROW_GROUP_ROWS {
                self.write_row_group()?;
            }
        }
        Ok(())
    }

    fn write_row_group(&mut self) -> Result<(), SegmentError> {
        let rows = std::mem::take(&mut self.rows);
        let mut write = || -> Result<(), ParquetError> {
            let mut group = self.writer.next_row_group()?;
            rows.write(&mut group)?;
            group.close()?;
            Ok(())
        };
        write().map_err(|error| failed(&error))
    }

    /// The bytes of the segment; `None` when it has no rows.
    ///
    /// # Errors
    /// When the last row group or the footer cannot be encoded.
    pub fn finish(mut self) -> Result<Option<(Vec<u8>, Summary)>, SegmentError> {
        if self.summary.rows == 0 {
            return Ok(None);
        }
        if !self.rows.time.is_empty() {
            self.write_row_group()?;
        }
        let bytes = self.writer.into_inner().map_err(|error| failed(&error))?;
        Ok(Some((bytes, self.summary)))
    }
}

impl Rows {
    fn append(&mut self, id: u32, series: &SeriesKey, chunk: &Chunk, rows: Range<usize>) {
        let (Some(times), Some(values), Some(details)) =
            (chunk.times.get(rows.clone()), chunk.values.get(rows.clone()), &chunk.details)
        else {
            return;
        };
        let count = rows.len();
        let repeat = |column: &mut Vec<ByteArray>, text: &str| {
            column.extend(std::iter::repeat_n(ByteArray::from(text), count));
        };
        repeat(&mut self.entity, series.entity.as_str());
        repeat(&mut self.attribute, series.attribute.as_str());
        let dataset = series.dataset_id.as_deref().map(ByteArray::from);
        self.series.extend(std::iter::repeat_n(id.cast_signed(), count));
        self.time.extend_from_slice(times);
        for &value in values {
            self.value.push((!value.is_nan()).then_some(value));
        }
        self.flags.extend_from_slice(details.flags.get(rows.clone()).unwrap_or_default());
        self.recorded_at.extend_from_slice(details.recorded_at.get(rows.clone()).unwrap_or_default());
        for row in rows {
            self.dataset.push(dataset.clone());
            self.origin.push(details.origin.get(row).cloned().unwrap_or_default());
            for (column, text) in
                [(&mut self.json, &details.json), (&mut self.unit, &details.unit), (&mut self.source, &details.source)]
            {
                column.push(Text::get(text, row).cloned());
            }
        }
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        write_column::<Int32Type>(group, &self.series, None)?;
        write_column::<Int64Type>(group, &self.time, None)?;
        write_column::<DoubleType>(group, &self.value.values, Some(&self.value.levels))?;
        write_column::<ByteArrayType>(group, &self.json.values, Some(&self.json.levels))?;
        write_column::<ByteArrayType>(group, &self.unit.values, Some(&self.unit.levels))?;
        write_column::<ByteArrayType>(group, &self.origin, None)?;
        write_column::<Int32Type>(group, &self.flags, None)?;
        write_column::<ByteArrayType>(group, &self.source.values, Some(&self.source.levels))?;
        write_column::<Int64Type>(group, &self.recorded_at, None)?;
        write_column::<ByteArrayType>(group, &self.entity, None)?;
        write_column::<ByteArrayType>(group, &self.attribute, None)?;
        write_column::<ByteArrayType>(group, &self.dataset.values, Some(&self.dataset.levels))
    }
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let mut column =
        group.next_column()?.ok_or_else(|| ParquetError::General("the schema has too few columns".to_owned()))?;
    let writer: &mut ColumnWriterImpl<'_, T> = column.typed::<T>();
    writer.write_batch(values, levels, None)?;
    column.close()
}

fn failed(error: &ParquetError) -> SegmentError {
    SegmentError::Unwritable { thing: "a segment of history".to_owned(), detail: error.to_string() }
}
