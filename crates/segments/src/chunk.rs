//! Rows of one series as columns: what sources deliver, merging passes on and segments are written from.

use std::{ops::Range, sync::Arc};

use model::{Attribute, Observation, ObservedValue, Quality, SeriesKey, Timestamp};
use parquet::data_type::ByteArray;

use crate::SegmentError;
use crate::hot::{Cell, Label, Row, flags_from_bits, origin_name, origin_of};

/// A text column that is often the same in all rows.
#[derive(Clone, Debug)]
pub enum Text {
    /// The text of every row.
    Same(Option<ByteArray>),
    /// The text of each row.
    Each(Vec<Option<ByteArray>>),
}

impl Text {
    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&ByteArray> {
        match self {
            Self::Same(text) => text.as_ref(),
            Self::Each(texts) => texts.get(row).and_then(Option::as_ref),
        }
    }

    fn string(&self, row: usize) -> Option<String> {
        self.get(row).map(|text| String::from_utf8_lossy(text.data()).into_owned())
    }
}

/// Everything of a row but its time and number.
#[derive(Clone, Debug)]
pub struct Details {
    /// An attribute as JSON, where the value is not a number.
    pub json: Text,
    /// The UN/CEFACT code of the unit.
    pub unit: Text,
    /// The name of the origin.
    pub origin: Text,
    /// The name of the source.
    pub source: Text,
    /// What checks found, as bits: 1 out of range, 2 stuck, 4 late, 8 suspect.
    pub flags: Vec<i32>,
    /// Microseconds since 1970.
    pub recorded_at: Vec<i64>,
}

/// Rows of one series, by time in either direction.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Microseconds since 1970.
    pub times: Vec<i64>,
    /// NaN where the value is not a number.
    pub values: Vec<f64>,
    /// Whether there can be a NaN among the values.
    pub gaps: bool,
    /// Absent where only numbers are wanted.
    pub details: Option<Details>,
}

impl Chunk {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The rows of one series, in their order.
    #[must_use]
    pub fn of_rows(rows: &[Row]) -> Self {
        let mut labels = LabelTexts::default();
        let mut chunk = Self { gaps: true, ..Self::default() };
        let (mut json, mut units, mut origins, mut sources) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut flags, mut recorded_at) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows {
            let (unit, origin, source) = labels.of(&row.label);
            chunk.times.push(row.time);
            chunk.values.push(if let Cell::Number(number) = row.cell { number } else { f64::NAN });
            json.push(if let Cell::Json(text) = &row.cell { Some(ByteArray::from(text.as_ref())) } else { None });
            units.push(unit);
            origins.push(origin);
            sources.push(source);
            flags.push(i32::from(row.label.flags));
            recorded_at.push(row.recorded_at);
        }
        let (json, unit, origin, source) =
            (Text::Each(json), Text::Each(units), Text::Each(origins), Text::Each(sources));
        chunk.details = Some(Details { json, unit, origin, source, flags, recorded_at });
        chunk
    }

    /// The times and numbers of rows, for aggregates.
    #[must_use]
    pub fn numbers_of_rows(rows: &[Row]) -> Self {
        let number = |row: &Row| if let Cell::Number(number) = row.cell { number } else { f64::NAN };
        Self {
            times: rows.iter().map(|row| row.time).collect(),
            values: rows.iter().map(number).collect(),
            gaps: true,
            details: None,
        }
    }

    /// Turns the rows round.
    pub(crate) fn reverse(&mut self) {
        self.times.reverse();
        self.values.reverse();
        if let Some(details) = &mut self.details {
            details.flags.reverse();
            details.recorded_at.reverse();
            for text in [&mut details.json, &mut details.unit, &mut details.origin, &mut details.source] {
                if let Text::Each(texts) = text {
                    texts.reverse();
                }
            }
        }
    }

    /// Keeps the rows whose time passes.
    pub(crate) fn retain(&mut self, keep: impl Fn(i64) -> bool) {
        let mask: Vec<bool> = self.times.iter().map(|&time| keep(time)).collect();
        if mask.iter().all(|&kept| kept) {
            return;
        }
        retain(&mut self.times, &mask);
        retain(&mut self.values, &mask);
        if let Some(details) = &mut self.details {
            retain(&mut details.flags, &mask);
            retain(&mut details.recorded_at, &mask);
            for text in [&mut details.json, &mut details.unit, &mut details.origin, &mut details.source] {
                if let Text::Each(texts) = text {
                    retain(texts, &mask);
                }
            }
        }
    }

    /// One row as the observation it was.
    ///
    /// # Errors
    /// When the row is not there, or its JSON or label is not what was written.
    pub fn observation(&self, row: usize, series: &SeriesKey) -> Result<Observation, SegmentError> {
        let damaged = |detail: &str| {
            let (entity, attribute) = (series.entity.as_str(), series.attribute.as_str());
            SegmentError::damaged(format!("an observation of {attribute} of {entity}"), detail)
        };
        let (Some(&time), Some(&number), Some(details)) =
            (self.times.get(row), self.values.get(row), self.details.as_ref())
        else {
            return Err(damaged("it is outside its chunk"));
        };
        let value = match details.json.get(row) {
            Some(json) => {
                let attribute: Attribute = serde_json::from_slice(json.data())
                    .map_err(|error| damaged(&format!("its attribute is not valid JSON: {error}")))?;
                ObservedValue::Attribute(Box::new(attribute))
            }
            None if number.is_nan() => ObservedValue::Deleted,
            None => ObservedValue::Number(number),
        };
        let origin = details.origin.get(row).and_then(|name| origin_of(name.data()));
        let bits = details.flags.get(row).and_then(|&flags| u8::try_from(flags).ok());
        let recorded_at = details.recorded_at.get(row).copied();
        let (Some(origin), Some(bits), Some(recorded_at)) = (origin, bits, recorded_at) else {
            return Err(damaged("its quality label is unknown"));
        };
        Ok(Observation {
            series: series.clone(),
            at: Timestamp::from_micros(time),
            value,
            unit_code: details.unit.string(row),
            quality: Quality { origin, flags: flags_from_bits(bits), source: details.source.string(row) },
            recorded_at: Timestamp::from_micros(recorded_at),
        })
    }

    /// The rows in a range of positions that lie before a sort key, found by halving.
    pub(crate) fn rows_before(&self, rows: Range<usize>, is_before: impl Fn(i64) -> bool) -> Range<usize> {
        let times = self.times.get(rows.clone()).unwrap_or_default();
        rows.start..rows.start + times.partition_point(|&time| is_before(time))
    }
}

fn retain<T>(column: &mut Vec<T>, mask: &[bool]) {
    let mut kept = mask.iter();
    column.retain(|_| kept.next().copied().unwrap_or(true));
}

/// The texts of a label: unit, origin, source.
type Texts = (Option<ByteArray>, Option<ByteArray>, Option<ByteArray>);

/// Remembers the texts of the label before, since neighbours mostly share one.
#[derive(Default)]
struct LabelTexts(Option<(Arc<Label>, Texts)>);

impl LabelTexts {
    fn of(&mut self, label: &Arc<Label>) -> Texts {
        if let Some((known, texts)) = &self.0
            && (Arc::ptr_eq(known, label) || known == label)
        {
            return texts.clone();
        }
        let texts = (
            label.unit.as_deref().map(ByteArray::from),
            Some(ByteArray::from(origin_name(label.origin))),
            label.source.as_deref().map(ByteArray::from),
        );
        self.0 = Some((Arc::clone(label), texts.clone()));
        texts
    }
}
