//! Reading hourly counts from a wide table: the first column is the time, each further column a series.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use forecast::series::{HourlySeries, days_between};
use jiff::{Timestamp, civil::Date, civil::DateTime, tz::TimeZone};

/// Reads a CSV file, unpacking it when its name ends in `.gz`. Times are local, or carry an offset and are brought to
/// `zone`.
pub fn read(path: &Path, zone: &TimeZone) -> Result<Vec<HourlySeries>> {
    read_table(open(path)?, zone).with_context(|| format!("{} is not a table of hourly counts", path.display()))
}

/// Opens a file, unpacking it when its name ends in `.gz`.
pub fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path).with_context(|| format!("{} cannot be read", path.display()))?);
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn read_table(input: impl Read, zone: &TimeZone) -> Result<Vec<HourlySeries>> {
    let mut table = csv::Reader::from_reader(input);
    let names: Vec<String> = table.headers()?.iter().skip(1).map(|name| name.trim().to_owned()).collect();
    if names.is_empty() {
        bail!("it has no column beside the time; add one column for each series");
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        bail!("the column '{}' is there twice; give each series its own name", twice.1);
    }
    let mut columns: Vec<Vec<(DateTime, f32)>> = vec![Vec::new(); names.len()];
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let time = record.get(0).unwrap_or_default().trim();
        let hour = wall_clock(time, zone, line)?;
        if hour.minute() != 0 || hour.second() != 0 {
            bail!("line {line}: '{time}' is not the start of an hour; add the counts up to hours first");
        }
        for (column, cell) in columns.iter_mut().zip(record.iter().skip(1)) {
            if let Some(value) = count(cell, line)? {
                column.push((hour, value));
            }
        }
    }
    let days = || columns.iter().flatten().map(|(hour, _)| hour.date());
    let (first, last) = days().min().zip(days().max()).context("it has no values")?;
    if days_between(first, last) > DAYS_MAX {
        bail!("it goes from {first} to {last}, more than a hundred years; correct the times");
    }
    Ok(names.into_iter().zip(columns).map(|(name, column)| series(name, first, zone, &column)).collect())
}

/// Days that a table may span.
const DAYS_MAX: i32 = 36_525;

fn series(name: String, first: Date, zone: &TimeZone, column: &[(DateTime, f32)]) -> HourlySeries {
    let slot = |hour: DateTime| {
        let days = usize::try_from(days_between(first, hour.date())).unwrap_or(0);
        days * 24 + usize::try_from(hour.hour()).unwrap_or(0)
    };
    let hours: Vec<(usize, f32)> = column.iter().map(|(hour, value)| (slot(*hour), *value)).collect();
    HourlySeries::from_wall_clock(name, first, zone, &hours)
}

/// The count that a cell says; `None` when it is missing.
pub fn count(cell: &str, line: u64) -> Result<Option<f32>> {
    let cell = cell.trim();
    if cell.is_empty() || cell.eq_ignore_ascii_case("na") || cell.eq_ignore_ascii_case("nan") {
        return Ok(None);
    }
    let value = cell.parse().with_context(|| {
        format!("line {line}: '{cell}' is not a number; leave the cell empty where a count is missing")
    })?;
    Ok(Some(value))
}

/// The wall-clock time that a text says.
pub fn wall_clock(text: &str, zone: &TimeZone, line: u64) -> Result<DateTime> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(zone.to_datetime(moment));
    }
    text.parse::<DateTime>().with_context(|| {
        format!("line {line}: '{text}' is not a time; write it as 2025-11-30T14:00:00, in local time or with an offset")
    })
}

/// The last day on which any series has a value.
pub fn last_day(series: &[HourlySeries]) -> Option<Date> {
    series
        .iter()
        .filter_map(|series| {
            let last = series.values.iter().rposition(|value| value.is_finite())?;
            Some(forecast::series::day_after(series.first_day, last / 24))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use forecast::series::Fault;

    use super::*;

    fn check(table: &str, expect: &[f32]) -> HourlySeries {
        let series = read_table(table.as_bytes(), &TimeZone::get("Europe/Amsterdam").unwrap()).unwrap().remove(0);
        let there: Vec<f32> = series.values.iter().copied().filter(|value| value.is_finite()).collect();
        assert_eq!(there, expect);
        series
    }

    #[test]
    fn an_empty_cell_is_missing_and_a_negative_count_is_marked() {
        let series = check("t,a\n2025-01-01T00:00:00,5\n2025-01-01T01:00:00,\n2025-01-01T02:00:00,-3\n", &[5.0]);
        assert_eq!(series.marks.len(), 1);
        assert_eq!(series.marks[0].fault, Fault::Negative);
    }

    #[test]
    fn an_hour_that_the_clock_went_through_twice_is_the_mean_of_both() {
        let table = "t,a\n2025-10-26T00:00:00Z,10\n2025-10-26T01:00:00Z,20\n2025-10-26T02:00:00Z,30\n";
        let series = check(table, &[15.0, 30.0]); // 02:00 summer time, 02:00 and 03:00 winter time
        assert_eq!(series.values[2], 15.0);
        assert_eq!(series.marks[0].fault, Fault::TwiceOnTheClock);
    }

    #[test]
    fn what_is_not_a_number_is_named_with_its_line() {
        let error = read_table("t,a\n2025-01-01T00:00:00,many\n".as_bytes(), &TimeZone::UTC).unwrap_err();
        assert!(error.to_string().starts_with("line 2: 'many' is not a number"), "{error}");
    }

    #[test]
    fn an_hour_twice_that_the_clock_had_once_is_marked() {
        let table = "t,a,b\n2025-10-25T02:00,5,6\n2025-10-25T02:00,5,7\n2025-10-26T02:00,1,1\n2025-10-26T02:00,3,3\n2025-03-30T02:00,4,4\n";
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let series = read_table(table.as_bytes(), &zone).unwrap();
        let faults =
            |at: usize| series[at].marks.iter().map(|mark| (mark.hour.as_str(), mark.fault)).collect::<Vec<_>>();
        let late = ("2025-03-30T02", Fault::OutOfOrder);
        let skipped = ("2025-03-30T02", Fault::SkippedByTheClock);
        let twice = ("2025-10-26T02", Fault::TwiceOnTheClock);
        assert_eq!(faults(0), [late, skipped, ("2025-10-25T02", Fault::Repeated), twice]);
        assert_eq!(faults(1), [late, skipped, ("2025-10-25T02", Fault::Contradicting), twice]);
    }

    #[test]
    fn a_table_that_cannot_be_meant_is_refused_with_the_reason() {
        let refusal = |table: &str| format!("{:#}", read_table(table.as_bytes(), &TimeZone::UTC).unwrap_err());
        assert!(refusal("t\n2025-01-01T00:00\n").contains("no column beside the time"));
        assert!(refusal("t,a,a\n2025-01-01T00:00,1,2\n").contains("'a' is there twice"));
        assert!(refusal("t,a\n2025-01-01T00:30,1\n").contains("not the start of an hour"));
        assert!(refusal("t,a\n2025-01-01T25:00,1\n").contains("line 2: '2025-01-01T25:00' is not a time"));
        assert!(refusal("t,a\n2025-01-01T00:00,1\n0025-01-01T00:00,1\n").contains("more than a hundred years"));
        assert!(refusal("t,a,b\n2025-01-01T00:00,1\n").contains("line: 2"));
        assert!(refusal("t,a\n2025-01-01T00:00,\n").contains("no values"));
    }
}
