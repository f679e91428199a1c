//! `csv`: rows of a table with a header, `.gz` unpacked; also wide tables with one column for each sensor.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use futures::future::BoxFuture;
use model::Problem;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Connector, needs_file};
use crate::{
    config::{Limits, SourceConfig},
    delivery::{Ended, Job, Step, read_file},
    input::{Guarded, RecordMark, open},
    record::Record,
};

/// The most columns of a table.
const COLUMNS_MAX: usize = 10_000;

/// Settings of the `csv` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvSettings {
    /// What stands between two cells.
    pub delimiter: char,
    /// The names of the columns, for a file without a header.
    pub columns: Vec<String>,
    /// For a table with one column for each sensor: how such a row comes apart.
    pub wide: Option<WideSettings>,
}

impl Default for CsvSettings {
    fn default() -> Self {
        Self { delimiter: ',', columns: vec![], wide: None }
    }
}

/// How a wide row comes apart: each cell becomes a record of its own; empty cells are missing, not zero.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WideSettings {
    /// The columns that every record keeps (`["local_time"]`).
    pub keep: Vec<String>,
    /// The field that gets the name of the column.
    pub name: String,
    /// The field that gets the cell.
    pub value: String,
}

/// The connector.
pub struct Csv;

impl Connector for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "Rows of a table in a file (RFC 4180, UTF-8, header in the first row, `.gz` unpacked). A row with too many or \
         too few cells is refused; an empty cell is missing."
    }

    fn settings(&self) -> Schema {
        schema_for!(CsvSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        false
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        if config.csv.as_ref().is_some_and(|c| !c.delimiter.is_ascii()) {
            return Err(Problem::new("delimiter", "it is not one ASCII character", "use , or ; or a tab (\"\\t\")"));
        }
        needs_file(config)
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(read_file(job, |job, take| {
            let settings = job.config.csv.clone().unwrap_or_default();
            let file = job.config.file.as_deref().unwrap_or_default();
            each_row(&job.folder, file, &settings, &job.config.limits, &mut |r| take(Step::Record(r)))
        }))
    }
}

/// Calls `take` with each row of a file.
///
/// # Errors
/// When the file cannot be read on, or when `take` says to stop.
pub(crate) fn each_row<E: From<Problem>>(
    folder: &Path,
    file: &str,
    settings: &CsvSettings,
    limits: &Limits,
    take: &mut dyn FnMut(Result<Record, Problem>) -> Result<(), E>,
) -> Result<(), E> {
    let (reader, mark) = open(folder, file, limits)?;
    each_row_of(reader, &mark, file, settings, take)
}

/// Calls `take` with each row of what a reader gives.
///
/// # Errors
/// When it cannot be read on, or when `take` says to stop.
pub(crate) fn each_row_of<R: std::io::Read, E: From<Problem>>(
    reader: Guarded<R>,
    mark: &RecordMark,
    file: &str,
    settings: &CsvSettings,
    take: &mut dyn FnMut(Result<Record, Problem>) -> Result<(), E>,
) -> Result<(), E> {
    let delimiter = u8::try_from(settings.delimiter).unwrap_or(b',');
    let mut rows = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(reader);
    let mut row = ByteRecord::new();
    let mut columns = settings.columns.clone();
    loop {
        mark.next();
        match rows.read_byte_record(&mut row) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => return Err(broken(file, error).into()),
        }
        let line = row.position().map_or(0, csv::Position::line);
        if columns.is_empty() {
            columns = header(&row, file)?;
            continue;
        }
        match record(&row, &columns, line) {
            Err(problem) => take(Err(problem.at_line(line)))?,
            Ok(record) => match &settings.wide {
                None => take(Ok(record))?,
                Some(wide) => {
                    for cell in cells(&record, wide) {
                        take(Ok(cell))?;
                    }
                }
            },
        }
    }
}

fn header(row: &ByteRecord, file: &str) -> Result<Vec<String>, Problem> {
    let remedy = "let the first row name the columns, in UTF-8";
    if row.len() > COLUMNS_MAX {
        return Err(Problem::new(file, format!("it has more than {COLUMNS_MAX} columns"), remedy));
    }
    let name = |cell: &[u8]| {
        let text = std::str::from_utf8(cell).map_err(|_| Problem::new(file, "the header is not UTF-8", remedy))?;
        Ok(text.trim().trim_start_matches('\u{feff}').to_owned())
    };
    row.iter().map(name).collect()
}

fn record(row: &ByteRecord, columns: &[String], line: u64) -> Result<Record, Problem> {
    if row.len() != columns.len() {
        let detail = format!("it has {} cells, the header has {}", row.len(), columns.len());
        return Err(Problem::new("row", detail, "give every row the cells of the header; quote cells with commas"));
    }
    let mut fields = Map::with_capacity(columns.len());
    for (cell, column) in row.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        let text = std::str::from_utf8(cell)
            .map_err(|_| Problem::new(column, "the cell is not UTF-8", "save the file as UTF-8"))?;
        fields.insert(column.clone(), Value::String(text.to_owned()));
    }
    Ok(Record::new(line, fields))
}

fn cells<'a>(record: &'a Record, wide: &'a WideSettings) -> impl Iterator<Item = Record> + 'a {
    record.fields.iter().filter(|(column, _)| !wide.keep.contains(column)).map(|(column, cell)| {
        let kept = wide.keep.iter().filter_map(|k| Some((k.clone(), record.fields.get(k)?.clone())));
        let mut fields: Map<String, Value> = kept.collect();
        fields.insert(wide.name.clone(), Value::String(column.clone()));
        fields.insert(wide.value.clone(), cell.clone());
        Record::new(record.line, fields)
    })
}

fn broken(file: &str, error: csv::Error) -> Problem {
    let line = error.position().map(csv::Position::line);
    let problem = match error.into_kind() {
        csv::ErrorKind::Io(error) => crate::input::unreadable(file, &error),
        other => Problem::new(file, format!("{other:?}"), "check that the file is CSV"),
    };
    match line {
        Some(line) => problem.at_line(line),
        None => problem,
    }
}
