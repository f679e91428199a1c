//! The forecasts of a city: `[[forecast]]` of `city.toml`, with the files that it names, in the words of the outlook.

use std::{collections::BTreeMap, path::Path, sync::Arc, thread::JoinHandle};

use anyhow::{Context, Result, bail};
use forecast::{calendar::Region, panel::DailyValues, train::TrainOptions};
use jiff::{civil::Date, tz::TimeZone};
use outlook::{
    Area, NamedDay, Outlook, Parts, Set, Weather,
    wire::{Kind, Notice, Text},
};
use sources::{
    CityClock,
    config::{ForecastConfig, ForecastKind, ForecastRegion, ForecastWeather, NoticeKind, expand},
};
use store::Store;

use crate::{city::CityFolder, clock::wall};

/// The outlook of a city, which knows nothing until its threads work.
pub fn outlook(store: &Store, city: &CityFolder, clock: &CityClock) -> Result<Outlook> {
    let sets = city.file.forecasts.iter().map(|set| of_set(set, &city.folder));
    let time = clock.clone();
    Ok(Outlook::new(Parts {
        store: store.clone(),
        tenant: city.tenant.clone(),
        zone: TimeZone::get(&city.file.city.time_zone).context("the time zone in city.toml")?,
        city: Arc::new(move || time.now()),
        wall: Arc::new(wall),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        notices: notices(city),
        sets: sets.collect::<Result<_>>()?,
    }))
}

/// The threads of an outlook: one that forecasts, and one that learns, which takes long and gives way to everything else.
pub struct Workers {
    outlook: Outlook,
    forecasting: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts both, when anything is forecast.
    pub fn start(outlook: &Outlook) -> Result<Self> {
        if outlook.is_empty() {
            return Ok(Self { outlook: outlook.clone(), forecasting: None });
        }
        let (one, other) = (outlook.clone(), outlook.clone());
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("outlook-learn")
            .spawn(move || {
                give_way();
                other.learn();
            })
            .context("the thread that trains forecasts did not start")?;
        let forecasting =
            thread("outlook").spawn(move || one.refresh()).context("the thread that forecasts did not start")?;
        Ok(Self { outlook: outlook.clone(), forecasting: Some(forecasting) })
    }

    /// Stops both. A training that goes on is given up with the process: until it is done, nothing of it is written.
    pub fn stop(self) {
        self.outlook.stop();
        if self.forecasting.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that forecasts broke off");
        }
    }
}

/// Lets this thread, and those that it starts, run when nothing else wants to. On Linux a priority is a thread's own;
/// elsewhere it would be the whole server's, and stays as it is.
fn give_way() {
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, LAST)
    {
        tracing::info!(%error, "trainings run at the priority of the server");
    }
}

/// The lowest priority of a thread on Linux.
const LAST: i32 = 19;

fn text(text: &sources::config::Text) -> Text {
    Text { nl: text.nl.clone(), en: text.en.clone() }
}

fn notices(city: &CityFolder) -> Vec<Notice> {
    let all = city.file.city.notices.iter().map(|notice| Notice {
        id: notice.id.clone(),
        kind: match notice.kind {
            NoticeKind::Replay => "replay".to_owned(),
            NoticeKind::Data => "data".to_owned(),
        },
        text: text(&notice.text),
    });
    all.collect()
}

fn of_set(set: &ForecastConfig, folder: &Path) -> Result<Set> {
    let mut holidays = vec![];
    for file in &set.holidays {
        holidays.extend(days(folder, file)?);
    }
    let lists: Result<BTreeMap<String, Vec<NamedDay>>> =
        set.lists.iter().map(|(name, file)| Ok((name.clone(), days(folder, file)?))).collect();
    let areas = set.areas.iter().map(|area| Area {
        id: area.id.clone(),
        title: text(&area.title),
        series: area.series.clone(),
    });
    Ok(Set {
        id: set.id.clone(),
        title: text(&set.title),
        entity_type: expand(&set.entity_type),
        attribute: expand(&set.attribute),
        name_attribute: expand("name"),
        kind: match set.kind {
            ForecastKind::Count => Kind::Count,
            ForecastKind::Occupancy => Kind::Occupancy,
            ForecastKind::Rate => Kind::Rate,
        },
        step_minutes: set.step_minutes,
        minimum_count: set.minimum_count,
        region: set.region.map(|region| match region {
            ForecastRegion::Netherlands => Region::Netherlands,
            ForecastRegion::England => Region::England,
            ForecastRegion::Auckland => Region::Auckland,
            ForecastRegion::Victoria => Region::Victoria,
        }),
        holidays,
        lists: lists?,
        weather: set.weather.as_ref().map(|settings| weather(folder, settings)).transpose()?.unwrap_or_default(),
        areas: areas.collect(),
        train: TrainOptions {
            days_max: set.days_max as usize,
            trees: set.trees as usize,
            quantile_trees: (set.trees / 2).max(1) as usize,
            ..TrainOptions::default()
        },
    })
}

/// A table of the city folder: its headings, and its rows with their lines.
fn table(folder: &Path, file: &str) -> Result<(csv::StringRecord, Vec<(u64, csv::StringRecord)>)> {
    let path = folder.join(file);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(&path)
        .with_context(|| format!("{} cannot be read; name a file of the city folder", path.display()))?;
    let headings = reader.headers()?.clone();
    let mut rows = vec![];
    for row in reader.records() {
        let row = row.with_context(|| format!("{} is not a table", path.display()))?;
        rows.push((row.position().map_or(0, csv::Position::line), row));
    }
    Ok((headings, rows))
}

fn day(cell: Option<&str>, file: &str, line: u64) -> Result<Date> {
    let cell = cell.unwrap_or_default();
    cell.parse().with_context(|| format!("{file}, line {line}: \"{cell}\" is not a day; write it as 2025-12-25"))
}

/// A day on each line, and what it is called.
fn days(folder: &Path, file: &str) -> Result<Vec<NamedDay>> {
    let (_, rows) = table(folder, file)?;
    let named = rows.iter().filter(|(_, row)| row.get(0).is_some_and(|cell| !cell.is_empty())).map(|(line, row)| {
        let name = row.get(1).filter(|name| !name.is_empty()).map(str::to_owned);
        Ok(NamedDay { day: day(row.get(0), file, *line)?, name })
    });
    named.collect()
}

fn weather(folder: &Path, settings: &ForecastWeather) -> Result<Vec<Weather>> {
    let (headings, rows) = table(folder, &settings.file)?;
    let mut all = vec![];
    for name in &settings.columns {
        let Some(place) = headings.iter().position(|heading| heading == name) else {
            let there: Vec<&str> = headings.iter().collect();
            bail!("{} has no column \"{name}\"; it has {}", settings.file, there.join(", "));
        };
        let mut by_day = DailyValues::new();
        for (line, row) in &rows {
            if let Some(value) = row.get(place).and_then(|cell| cell.parse().ok()) {
                by_day.insert(day(row.get(0), &settings.file, *line)?, value);
            }
        }
        all.push(Weather { name: name.clone(), by_day });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("days.csv"), content).unwrap();
        match days(folder.path(), "days.csv") {
            Ok(days) => days.iter().map(|d| format!("{} {:?};", d.day, d.name)).collect(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_list_of_days_may_name_them_and_a_wrong_day_is_told_with_its_line() {
        assert_eq!(said("day,name\n2025-12-25,Kerst\n2025-12-26\n"), "2025-12-25 Some(\"Kerst\");2025-12-26 None;");
        assert!(said("day\n2025-12-25\n25-12\n").starts_with("days.csv, line 3: \"25-12\" is not a day; write it as"));
    }
}
