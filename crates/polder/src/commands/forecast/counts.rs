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
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let plain: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    read_table(plain, zone).with_context(|| format!("{} is not a table of hourly counts", path.display()))
}

fn read_table(input: impl Read, zone: &TimeZone) -> Result<Vec<HourlySeries>> {
    let mut table = csv::Reader::from_reader(input);
    let names: Vec<String> = table.headers()?.iter().skip(1).map(|name| name.trim().to_owned()).collect();
    if names.is_empty() {
        bail!("it has no column beside the time; add one column for each series");
    }
    let mut columns: Vec<Vec<(DateTime, f32)>> = vec![Vec::new(); names.len()];
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let time = record.get(0).unwrap_or_default().trim();
        let hour = wall_clock(time, zone).with_context(|| {
            format!(
                "line {line}: '{time}' is not a time; write it as 2025-11-30T14:00:00, in local time or with an offset"
            )
        })?;
        if hour.minute() != 0 || hour.second() != 0 {
            bail!("line {line}: '{time}' is not the start of an hour; add the counts up to hours first");
        }
        for (column, cell) in columns.iter_mut().zip(record.iter().skip(1)) {
            let cell = cell.trim();
            if cell.is_empty() || cell.eq_ignore_ascii_case("na") || cell.eq_ignore_ascii_case("nan") {
                continue;
            }
            let value = cell.parse().with_context(|| {
                format!("line {line}: '{cell}' is not a number; leave the cell empty where a count is missing")
            })?;
            column.push((hour, value));
        }
    }
    let first = columns.iter().flatten().map(|(hour, _)| hour.date()).min().context("it has no values")?;
    Ok(names.into_iter().zip(columns).map(|(name, column)| series(name, first, &column)).collect())
}

fn series(name: String, first: Date, column: &[(DateTime, f32)]) -> HourlySeries {
    let slot = |hour: DateTime| {
        let days = usize::try_from(days_between(first, hour.date())).unwrap_or(0);
        days * 24 + usize::try_from(hour.hour()).unwrap_or(0)
    };
    let hours: Vec<(usize, f32)> = column.iter().map(|(hour, value)| (slot(*hour), *value)).collect();
    HourlySeries::from_wall_clock(name, first, &hours)
}

/// The wall-clock time that a text says.
fn wall_clock(text: &str, zone: &TimeZone) -> Option<DateTime> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(zone.to_datetime(moment));
    }
    text.parse::<DateTime>().ok()
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
}
