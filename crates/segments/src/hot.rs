//! One hot batch: the observations and deletions of one transaction as one compact value.
//!
//! ```text
//! version 1 (1 byte)
//! number of labels;   each: origin (1 byte), flags (1 byte), unit, source      (text: length + 1, bytes; 0 = absent)
//! number of deletions; each: series id, 1 byte (1: has from, 2: has to), from, to   (zigzag microseconds)
//! number of rows;     each: series id, time (zigzag difference to the row before), recorded_at (the same),
//!                           label x 3 + kind, then for kind 0: f64 little endian; 1: length, JSON; 2: nothing
//! ```
//!
//! Whole numbers are variable-length (7 bits a byte, lowest first). Deletions come before rows: a transaction that
//! deletes a stretch and writes into it keeps what it wrote.

use std::{collections::HashMap, sync::Arc};

use model::{ObservedValue, Origin, Quality, QualityFlags};

const VERSION: u8 = 1;

/// The value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A finite number.
    Number(f64),
    /// An attribute as JSON.
    Json(Arc<str>),
    /// The instance was withdrawn.
    Withdrawn,
}

/// What many rows share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Label {
    /// How the value came to be.
    pub origin: Origin,
    /// What checks found, as bits: 1 out of range, 2 stuck, 4 late, 8 suspect.
    pub flags: u8,
    /// The UN/CEFACT code of the unit.
    pub unit: Option<Arc<str>>,
    /// The name of the source.
    pub source: Option<Arc<str>>,
}

/// One observation, with its series as a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of the series.
    pub series: u32,
    /// Microseconds since 1970.
    pub time: i64,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    /// The value.
    pub cell: Cell,
    /// Unit and quality.
    pub label: Arc<Label>,
}

/// A stretch of a series to forget: microseconds, the second bound exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the series.
    pub series: u32,
    /// The first moment to forget; the least number means from the beginning.
    pub from: i64,
    /// The first moment to keep again; the greatest number means to the end.
    pub to: i64,
}

impl Stretch {
    /// Whether a moment lies inside.
    #[must_use]
    pub fn covers(&self, time: i64) -> bool {
        self.from <= time && time < self.to
    }
}

/// Builds the value of one hot batch.
#[derive(Default)]
pub struct BatchWriter {
    labels: Vec<u8>,
    label_ids: HashMap<Label, u64>,
    last_label: Option<(Label, u64)>,
    deletions: Vec<u8>,
    deletion_count: u64,
    rows: Vec<u8>,
    row_count: u64,
    time: i64,
    recorded_at: i64,
}

impl BatchWriter {
    /// Adds a deletion.
    pub fn delete(&mut self, stretch: Stretch) {
        self.deletion_count += 1;
        push_varint(&mut self.deletions, u64::from(stretch.series));
        let (has_from, has_to) = (stretch.from != i64::MIN, stretch.to != i64::MAX);
        self.deletions.push(u8::from(has_from) | u8::from(has_to) << 1);
        if has_from {
            push_varint(&mut self.deletions, zigzag(stretch.from));
        }
        if has_to {
            push_varint(&mut self.deletions, zigzag(stretch.to));
        }
    }

    /// Adds a row.
    pub fn row(&mut self, series: u32, time: i64, recorded_at: i64, cell: &Cell, label: &Label) {
        self.row_count += 1;
        let label = self.label_id(label);
        push_varint(&mut self.rows, u64::from(series));
        push_varint(&mut self.rows, zigzag(time.wrapping_sub(self.time)));
        push_varint(&mut self.rows, zigzag(recorded_at.wrapping_sub(self.recorded_at)));
        (self.time, self.recorded_at) = (time, recorded_at);
        match cell {
            Cell::Number(number) => {
                push_varint(&mut self.rows, label * 3);
                self.rows.extend_from_slice(&number.to_le_bytes());
            }
            Cell::Json(json) => {
                push_varint(&mut self.rows, label * 3 + 1);
                push_varint(&mut self.rows, json.len() as u64);
                self.rows.extend_from_slice(json.as_bytes());
            }
            Cell::Withdrawn => push_varint(&mut self.rows, label * 3 + 2),
        }
    }

    fn label_id(&mut self, label: &Label) -> u64 {
        if let Some((last, id)) = &self.last_label
            && last == label
        {
            return *id;
        }
        let next = self.label_ids.len() as u64;
        let id = *self.label_ids.entry(label.clone()).or_insert(next);
        if id == next {
            self.labels.extend_from_slice(&[label.origin as u8, label.flags]);
            push_text(&mut self.labels, label.unit.as_deref());
            push_text(&mut self.labels, label.source.as_deref());
        }
        self.last_label = Some((label.clone(), id));
        id
    }

    /// The bytes of the batch.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + self.labels.len() + self.deletions.len() + self.rows.len());
        bytes.push(VERSION);
        push_varint(&mut bytes, self.label_ids.len() as u64);
        bytes.extend_from_slice(&self.labels);
        push_varint(&mut bytes, self.deletion_count);
        bytes.extend_from_slice(&self.deletions);
        push_varint(&mut bytes, self.row_count);
        bytes.extend_from_slice(&self.rows);
        bytes
    }
}

/// A hot batch, read back.
#[derive(Debug, Default, PartialEq)]
pub struct HotBatch {
    /// What was deleted, before the rows were written.
    pub deletions: Vec<Stretch>,
    /// What was observed, in the order of arrival.
    pub rows: Vec<Row>,
}

impl HotBatch {
    /// Reads the value of a hot batch; `None` when it is cut short or not one at all.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        if input.byte()? != VERSION {
            return None;
        }
        let mut labels = Vec::new();
        for _ in 0..input.count()? {
            let (origin, flags) = (origin_from(input.byte()?)?, input.byte()?);
            labels.push(Arc::new(Label { origin, flags, unit: input.text()?, source: input.text()? }));
        }
        let mut batch = Self::default();
        for _ in 0..input.count()? {
            let series = u32::try_from(input.varint()?).ok()?;
            let bits = input.byte()?;
            let from = if bits & 1 == 0 { i64::MIN } else { unzigzag(input.varint()?) };
            let to = if bits & 2 == 0 { i64::MAX } else { unzigzag(input.varint()?) };
            batch.deletions.push(Stretch { series, from, to });
        }
        let count = input.count()?;
        batch.rows.reserve(count);
        let (mut time, mut recorded_at) = (0_i64, 0_i64);
        for _ in 0..count {
            let series = u32::try_from(input.varint()?).ok()?;
            time = time.wrapping_add(unzigzag(input.varint()?));
            recorded_at = recorded_at.wrapping_add(unzigzag(input.varint()?));
            let kind = input.varint()?;
            let label = Arc::clone(labels.get(usize::try_from(kind / 3).ok()?)?);
            let cell = match kind % 3 {
                0 => Cell::Number(f64::from_le_bytes(input.take(8)?.try_into().ok()?)),
                1 => {
                    let length = input.count()?;
                    Cell::Json(std::str::from_utf8(input.take(length)?).ok()?.into())
                }
                _ => Cell::Withdrawn,
            };
            batch.rows.push(Row { series, time, recorded_at, cell, label });
        }
        input.0.is_empty().then_some(batch)
    }
}

/// Bytes that are read from the front; every step says `None` at the end instead of failing.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, tail) = self.0.split_first()?;
        self.0 = tail;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A number of things that follow, each of at least one byte; so a wrong number cannot reserve much memory.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    fn text(&mut self) -> Option<Option<Arc<str>>> {
        match self.varint()? {
            0 => Some(None),
            length => {
                let bytes = self.take(usize::try_from(length - 1).ok()?)?;
                Some(Some(std::str::from_utf8(bytes).ok()?.into()))
            }
        }
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn push_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => bytes.push(0),
        Some(text) => {
            push_varint(bytes, text.len() as u64 + 1);
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

const ORIGINS: [(Origin, &str); 5] = [
    (Origin::Measured, "measured"),
    (Origin::Modelled, "modelled"),
    (Origin::Forecast, "forecast"),
    (Origin::Simulated, "simulated"),
    (Origin::Registered, "registered"),
];

fn origin_from(byte: u8) -> Option<Origin> {
    ORIGINS.get(usize::from(byte)).map(|&(origin, _)| origin)
}

/// How an origin is written in segments.
pub(crate) fn origin_name(origin: Origin) -> &'static str {
    ORIGINS.get(origin as usize).map_or("measured", |&(_, name)| name)
}

/// The origin of a name in a segment.
pub(crate) fn origin_of(name: &[u8]) -> Option<Origin> {
    ORIGINS.iter().find(|(_, known)| known.as_bytes() == name).map(|&(origin, _)| origin)
}

/// What the checks found, as bits: 1 out of range, 2 stuck, 4 late, 8 suspect.
fn flags_to_bits(flags: QualityFlags) -> u8 {
    u8::from(flags.out_of_range) | u8::from(flags.stuck) << 1 | u8::from(flags.late) << 2 | u8::from(flags.suspect) << 3
}

/// The reverse of the bits in a [`Label`].
pub(crate) fn flags_from_bits(bits: u8) -> QualityFlags {
    QualityFlags { out_of_range: bits & 1 != 0, stuck: bits & 2 != 0, late: bits & 4 != 0, suspect: bits & 8 != 0 }
}

/// The label of an observation.
#[must_use]
pub fn label_of(unit: Option<&str>, quality: &Quality) -> Label {
    Label {
        origin: quality.origin,
        flags: flags_to_bits(quality.flags),
        unit: unit.map(Into::into),
        source: quality.source.as_deref().map(Into::into),
    }
}

/// The value of an observation as a cell; the error says why it cannot be kept.
///
/// # Errors
/// For a number that is not finite, and an attribute that cannot be written as JSON.
pub fn cell_of(value: &ObservedValue) -> Result<Cell, String> {
    match value {
        ObservedValue::Number(number) if number.is_finite() => Ok(Cell::Number(*number)),
        ObservedValue::Number(number) => Err(format!("{number} is not a finite number")),
        ObservedValue::Attribute(attribute) => match serde_json::to_string(attribute) {
            Ok(json) => Ok(Cell::Json(json.into())),
            Err(error) => Err(format!("the attribute cannot be written as JSON: {error}")),
        },
        ObservedValue::Deleted => Ok(Cell::Withdrawn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_as_it_was_written() {
        let label = Label { origin: Origin::Modelled, flags: 5, unit: Some("KMH".into()), source: None };
        let plain = Label::default();
        let row = |series, time, cell: &Cell, label: &Label| Row {
            series,
            time,
            recorded_at: time + 7,
            cell: cell.clone(),
            label: Arc::new(label.clone()),
        };
        let rows = vec![
            row(1, -5, &Cell::Number(-0.1), &label),
            row(u32::MAX, i64::MAX - 7, &Cell::Json("{\"v\":\"é\"}".into()), &plain),
            row(0, i64::MIN, &Cell::Withdrawn, &label),
        ];
        let deletions =
            vec![Stretch { series: 3, from: i64::MIN, to: 5 }, Stretch { series: 4, from: -9, to: i64::MAX }];
        let mut writer = BatchWriter::default();
        deletions.iter().for_each(|&stretch| writer.delete(stretch));
        rows.iter().for_each(|row| writer.row(row.series, row.time, row.recorded_at, &row.cell, &row.label));
        let bytes = writer.finish();
        assert_eq!(HotBatch::decode(&bytes), Some(HotBatch { deletions, rows }));
        for end in 0..bytes.len() {
            assert_eq!(HotBatch::decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
