//! Joins: the fields of another file, by key.

use std::{collections::HashMap, path::Path, sync::Arc};

use model::Problem;
use serde_json::{Map, Value};

use crate::{
    config::{JoinConfig, Limits},
    connectors::{csv, geojson},
    record::{Record, as_text},
};

/// The most rows that a joined file may have; they are held in memory.
const ROWS_MAX: usize = 1_000_000;

/// One loaded file.
pub(crate) struct Join {
    key: String,
    file: String,
    required: bool,
    rows: HashMap<String, Arc<Map<String, Value>>>,
}

impl Join {
    /// Loads the file.
    ///
    /// # Errors
    /// When it cannot be read, a row in it is bad, or it has too many rows.
    pub(crate) fn load(config: &JoinConfig, folder: &Path, limits: &Limits) -> Result<Self, Problem> {
        let other_key = config.other_key.as_deref().unwrap_or(&config.key);
        let mut rows: HashMap<String, Arc<Map<String, Value>>> = HashMap::new();
        let mut take = |record: Result<Record, Problem>| -> Result<(), Problem> {
            let record = record?;
            if rows.len() >= ROWS_MAX {
                let detail = format!("it has more than {ROWS_MAX} rows");
                return Err(Problem::new(&config.file, detail, "join a smaller file"));
            }
            if let Some(key) = record.text(other_key) {
                let key = key.into_owned();
                let mut fields = record.fields;
                if !config.fields.is_empty() {
                    fields.retain(|name, _| config.fields.contains(name));
                }
                rows.entry(key).or_insert_with(|| Arc::new(fields));
            }
            Ok(())
        };
        if config.file.contains(".csv") {
            csv::each_row(folder, &config.file, &csv::CsvSettings::default(), limits, &mut take)?;
        } else {
            geojson::each_feature(folder, &config.file, &geojson::GeoJsonSettings::default(), limits, &mut take)?;
        }
        Ok(Self { key: config.key.clone(), file: config.file.clone(), required: config.required, rows })
    }

    /// Adds the fields of the row with the record's key.
    ///
    /// # Errors
    /// When there is none and there must be.
    pub(crate) fn add_to(&self, record: &mut Record) -> Result<(), Problem> {
        let found = record.get(&self.key).and_then(as_text).and_then(|key| self.rows.get(key.as_ref()));
        match found {
            Some(row) => record.joined.push(row.clone()),
            None if self.required => {
                let detail = format!("{} has no row for it", self.file);
                return Err(Problem::new(&self.key, detail, "add the row, or set required = false on the join"));
            }
            None => {}
        }
        Ok(())
    }
}
