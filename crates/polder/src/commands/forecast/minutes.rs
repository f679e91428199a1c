//! Reading counts of a few minutes from a wide table: the first column is the time, each further column a series.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use forecast::nowcast::{STEP_MINUTES_MAX, Steps};
use jiff::{civil::DateTime, tz::TimeZone};

use super::counts::{count, open, wall_clock};

/// Series side by side, all from the same minute on.
#[derive(Debug)]
pub struct Table {
    /// The wall-clock time of the first step.
    pub first: DateTime,
    /// Minutes in a step.
    pub minutes: usize,
    /// The series; none is empty.
    pub series: Vec<Steps>,
}

impl Table {
    /// How many steps the longest series has.
    pub fn steps(&self) -> usize {
        self.series.iter().map(|steps| steps.values.len()).max().unwrap_or(0)
    }

    /// The step that begins at a time, or the next after it.
    pub fn step_at(&self, time: DateTime) -> usize {
        let minutes = time.duration_since(self.first).as_mins();
        usize::try_from(minutes).unwrap_or(0).div_ceil(self.minutes)
    }

    /// When a step begins.
    pub fn time_of(&self, step: usize) -> DateTime {
        let minutes = i64::try_from(step * self.minutes).unwrap_or(i64::MAX);
        self.first.saturating_add(jiff::SignedDuration::from_mins(minutes))
    }
}

/// Reads a CSV file, unpacking it when its name ends in `.gz`.
pub fn read(path: &Path, zone: &TimeZone) -> Result<Table> {
    read_table(open(path)?, zone).with_context(|| format!("{} is not a table of counts by minutes", path.display()))
}

fn read_table(input: impl std::io::Read, zone: &TimeZone) -> Result<Table> {
    let mut table = csv::Reader::from_reader(input);
    let columns = table.headers()?.len().saturating_sub(1);
    if columns == 0 {
        bail!("it has no column beside the time; add one column for each series");
    }
    let mut rows: BTreeMap<DateTime, Vec<f32>> = BTreeMap::new();
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let time = wall_clock(record.get(0).unwrap_or_default().trim(), zone, line)?;
        let mut values = Vec::with_capacity(columns);
        for cell in record.iter().skip(1) {
            let value = count(cell, line)?.unwrap_or(f32::NAN);
            if value < 0.0 {
                bail!("line {line}: {value} is below zero; leave the cell empty where a count is missing");
            }
            values.push(value);
        }
        if rows.insert(time, values).is_some() {
            bail!(
                "line {line}: {time} is there twice; each time has one row (write times with an offset where a clock is set back)"
            );
        }
    }
    let (first, minutes) = step(&rows)?;
    let slot = |time: DateTime| time.duration_since(first).as_mins() as usize / minutes;
    let slots = rows.keys().next_back().map_or(0, |last| slot(*last) + 1);
    let first_minute = first.weekday().to_monday_zero_offset() as usize * 1_440
        + usize::try_from(i32::from(first.hour()) * 60 + i32::from(first.minute())).unwrap_or(0);
    let mut series = vec![Steps { minutes, first_minute, values: vec![f32::NAN; slots] }; columns];
    for (time, values) in &rows {
        series.iter_mut().zip(values).for_each(|(steps, value)| steps.values[slot(*time)] = *value);
    }
    series.retain(|steps| steps.values.iter().any(|value| value.is_finite()));
    if series.is_empty() {
        bail!("it has no values");
    }
    Ok(Table { first, minutes, series })
}

/// The first time, and the minutes from a row to the next: the least that there are.
fn step(rows: &BTreeMap<DateTime, Vec<f32>>) -> Result<(DateTime, usize)> {
    let first = *rows.keys().next().context("it has no rows")?;
    let seconds = rows.keys().zip(rows.keys().skip(1)).map(|(a, b)| b.duration_since(*a).as_secs()).min();
    let seconds = seconds.context("it has a single row; at least a day of rows is needed")?;
    let minutes = usize::try_from(seconds / 60).unwrap_or(0);
    if seconds % 60 != 0 || minutes == 0 || 60 % minutes != 0 || minutes > STEP_MINUTES_MAX {
        bail!(
            "its rows are {seconds} seconds apart; steps of 1 to {STEP_MINUTES_MAX} minutes that divide an hour are needed"
        );
    }
    let off = |time: &&DateTime| time.duration_since(first).as_secs() % (minutes as i64 * 60) != 0;
    if let Some(time) = rows.keys().find(off) {
        bail!(
            "{time} is not a whole number of {minutes} minutes after the first row; add counts up to even steps first"
        );
    }
    Ok((first, minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(table: &str) -> String {
        format!("{:#}", read_table(table.as_bytes(), &TimeZone::UTC).unwrap_err())
    }

    #[test]
    fn steps_are_found_and_a_missing_row_is_missing() {
        let table =
            "t,a,b\n2026-08-20T13:50:00,4,1\n2026-08-20T13:40:00,3,\n2026-08-20T13:45:00,,\n2026-08-20T14:00:00,5,2\n";
        let table = read_table(table.as_bytes(), &TimeZone::UTC).unwrap();
        assert_eq!((table.minutes, table.steps(), table.series[0].first_minute), (5, 5, 3 * 1_440 + 13 * 60 + 40));
        let there: Vec<bool> = table.series[0].values.iter().map(|value| value.is_finite()).collect();
        assert_eq!(there, [true, false, true, false, true]);
        assert_eq!(table.step_at("2026-08-20T13:52:00".parse().unwrap()), 3);
    }

    #[test]
    fn what_cannot_be_used_is_named_with_the_remedy() {
        let two = |a: &str, b: &str| refusal(&format!("t,a\n{a},1\n{b},2\n"));
        assert!(two("2026-01-01T00:00", "2026-01-01T01:00").contains("3600 seconds apart; steps of 1 to 15 minutes"));
        assert!(two("2026-01-01T00:00", "2026-01-01T00:00").contains("line 3: 2026-01-01T00:00:00 is there twice"));
        assert!(refusal("t,a\n2026-01-01T00:00,-1\n").contains("line 2: -1 is below zero"));
        assert!(refusal("t\n2026-01-01T00:00\n").contains("no column beside the time"));
        assert!(refusal("t,a\nsoon,1\n").contains("line 2: 'soon' is not a time"));
        assert!(refusal("t,a\n2026-01-01T00:00,\n2026-01-01T00:05,\n").contains("no values"));
    }
}
