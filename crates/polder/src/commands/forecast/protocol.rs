//! The protocol file of an evaluation: what is typed in TOML becomes what the evaluation needs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use forecast::{
    calendar::{Calendar, Region},
    evaluate::Protocol,
    panel::DailyValues,
    series::{HourlySeries, day_after},
    train::TrainOptions,
};
use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// The time zone of the data, such as `Europe/Amsterdam`.
    time_zone: String,
    /// The first day of the window; 55 days before the last when absent.
    first_day: Option<Date>,
    /// The last day of the window; the last day of the data when absent.
    last_day: Option<Date>,
    #[serde(default = "horizon_hours")]
    horizon_hours: usize,
    #[serde(default = "retrain_days")]
    retrain_days: usize,
    #[serde(default = "share_min")]
    history_share_min: f64,
    #[serde(default = "share_min")]
    window_share_min: f64,
    #[serde(default = "seed")]
    seed: u64,
    /// The region whose public holidays are known by rule.
    region: Option<Region>,
    /// Files with a public holiday on each line, after a heading.
    #[serde(default)]
    holidays: Vec<PathBuf>,
    /// Files with a day on each line, after a heading, by name: school holidays, events.
    #[serde(default)]
    lists: BTreeMap<String, PathBuf>,
    weather: Option<TypedWeather>,
}

/// Values for each day, in a CSV file whose first column is the date.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedWeather {
    file: PathBuf,
    /// The columns to use.
    columns: Vec<String>,
    /// A column that is not `0` on days to be left out.
    left_out: Option<String>,
}

fn horizon_hours() -> usize {
    24
}

fn retrain_days() -> usize {
    28
}

fn share_min() -> f64 {
    0.9
}

fn seed() -> u64 {
    1
}

/// A protocol that was read and checked.
#[derive(Debug)]
pub struct Settings {
    /// The time zone of the data.
    pub zone: TimeZone,
    typed: Typed,
    folder: PathBuf,
}

/// Reads a protocol; files that it names are beside it.
pub fn read(path: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    parse(&text, folder).with_context(|| format!("{} is not a protocol", path.display()))
}

fn parse(text: &str, folder: PathBuf) -> Result<Settings> {
    let typed: Typed = toml::from_str(text)?;
    let zone = TimeZone::get(&typed.time_zone).with_context(|| {
        format!("time_zone = '{}' is not known; use a name such as Europe/Amsterdam", typed.time_zone)
    })?;
    if !(1..=168).contains(&typed.horizon_hours) {
        bail!("horizon_hours = {} is outside 1 to 168; choose a horizon within a week", typed.horizon_hours);
    }
    if typed.retrain_days < 7 {
        bail!("retrain_days = {} is less than 7; the model is trained at most weekly", typed.retrain_days);
    }
    for (name, share) in [("history_share_min", typed.history_share_min), ("window_share_min", typed.window_share_min)]
    {
        if !(0.0..=1.0).contains(&share) {
            bail!("{name} = {share} is not a share; choose a number between 0 and 1");
        }
    }
    Ok(Settings { zone, typed, folder })
}

impl Settings {
    /// The protocol, given the last day of the data.
    pub fn protocol(&self, last_day_of_data: Date) -> Result<Protocol> {
        let last_day = self.typed.last_day.unwrap_or(last_day_of_data);
        let eight_weeks = jiff::SignedDuration::from_hours(55 * 24);
        let first_day = self.typed.first_day.unwrap_or_else(|| last_day.saturating_sub(eight_weeks));
        if first_day > last_day {
            bail!("first_day = {first_day} is after last_day = {last_day}; give the window in order");
        }
        if last_day > last_day_of_data {
            bail!("last_day = {last_day} is after the data, which end on {last_day_of_data}; choose an earlier window");
        }
        Ok(Protocol {
            first_day,
            last_day,
            horizon_hours: self.typed.horizon_hours,
            retrain_days: self.typed.retrain_days,
            history_share_min: self.typed.history_share_min,
            window_share_min: self.typed.window_share_min,
            train: TrainOptions {
                week_ahead: self.typed.horizon_hours > 24,
                seed: self.typed.seed,
                ..TrainOptions::default()
            },
        })
    }

    /// The calendar of the years that the series cover.
    pub fn calendar(&self, series: &[HourlySeries]) -> Result<Calendar> {
        let from = series.iter().map(|series| series.first_day).min().unwrap_or_default();
        let to =
            series.iter().map(|series| day_after(series.first_day, series.values.len() / 24)).max().unwrap_or(from);
        let mut calendar = match self.typed.region {
            Some(region) => Calendar::of_region(region, from.year() - 1, to.year() + 1),
            None => Calendar::default(),
        };
        for file in &self.typed.holidays {
            calendar.add_holidays(self.dates(file)?);
        }
        for (name, file) in &self.typed.lists {
            calendar.add_list(name, self.dates(file)?);
        }
        Ok(calendar)
    }

    fn dates(&self, file: &Path) -> Result<Vec<Date>> {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let first_cells =
            text.lines().enumerate().skip(1).map(|(at, line)| (at, line.split(',').next().unwrap_or_default().trim()));
        first_cells
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(at, cell)| {
                cell.parse().with_context(|| {
                    format!("{}, line {}: '{cell}' is not a date; write it as 2025-12-25", path.display(), at + 1)
                })
            })
            .collect()
    }

    /// Weather by day; empty when the protocol names none.
    pub fn weather(&self) -> Result<Vec<(String, DailyValues)>> {
        let Some(weather) = &self.typed.weather else { return Ok(Vec::new()) };
        let path = self.folder.join(&weather.file);
        let mut table = csv::Reader::from_path(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let headings = table.headers()?.clone();
        let column = |name: &str| {
            headings.iter().position(|heading| heading.trim() == name).with_context(|| {
                let there: Vec<&str> = headings.iter().collect();
                format!("{} has no column '{name}'; it has {}", path.display(), there.join(", "))
            })
        };
        let columns = weather.columns.iter().map(|name| column(name)).collect::<Result<Vec<usize>>>()?;
        let left_out = weather.left_out.as_deref().map(column).transpose()?;
        let mut values: Vec<(String, DailyValues)> =
            weather.columns.iter().map(|name| (name.clone(), DailyValues::new())).collect();
        for record in table.records() {
            let record = record?;
            let day = record.get(0).unwrap_or_default().trim();
            let day: Date = day
                .parse()
                .with_context(|| format!("{}: '{day}' is not a date; write it as 2025-12-25", path.display()))?;
            if left_out.and_then(|at| record.get(at)).is_some_and(|cell| cell.trim() != "0") {
                continue;
            }
            for ((_, values), at) in values.iter_mut().zip(&columns) {
                if let Some(value) = record.get(*at).and_then(|cell| cell.trim().parse().ok()) {
                    values.insert(day, value);
                }
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        format!("{:#}", parse(text, PathBuf::new()).unwrap_err())
    }

    #[test]
    fn a_wrong_setting_is_named_with_the_remedy() {
        assert!(refusal("time_zone = 'Europe/Atlantis'").contains("use a name such as Europe/Amsterdam"));
        assert!(refusal("time_zone = 'UTC'\nhorizon_hours = 400").contains("choose a horizon within a week"));
        assert!(refusal("time_zone = 'UTC'\nretrain_days = 1").contains("at most weekly"));
        assert!(refusal("time_zone = 'UTC'\nhorizon = 24").contains("unknown field `horizon`"));
        assert!(refusal("time_zone = 'UTC'\nwindow_share_min = 7").contains("between 0 and 1"));
    }

    #[test]
    fn without_a_window_the_last_eight_weeks_are_meant() {
        let settings = parse("time_zone = 'UTC'", PathBuf::new()).unwrap();
        let protocol = settings.protocol("2025-11-30".parse().unwrap()).unwrap();
        assert_eq!(protocol.first_day.to_string(), "2025-10-06");
        assert!(settings.protocol("2025-11-30".parse().unwrap()).is_ok());
    }
}
