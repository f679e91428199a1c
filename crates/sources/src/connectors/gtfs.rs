//! `gtfs`: a static timetable (GTFS Schedule): its stops or routes as entities, and its trips for enrichment.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
    sync::Arc,
};

use futures::future::BoxFuture;
use model::{Problem, TripStop, TripTimes};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use zip::ZipArchive;

use super::{
    Connector,
    csv::{CsvSettings, each_row_of},
    needs_file,
};
use crate::{
    config::{Limits, SourceConfig},
    delivery::{Ended, Halt, Job, Step, read_file},
    input::{Guarded, path_in, unreadable},
    record::Record,
};

/// The table whose rows become entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// `routes.txt`.
    Routes,
    /// `stops.txt`.
    Stops,
}

/// Settings of the `gtfs` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GtfsSettings {
    /// The table whose rows become entities.
    pub table: Table,
    /// Whether the trips are handed over as well, for "next stop" of vehicles.
    #[serde(default)]
    pub timetable: bool,
}

/// The connector.
pub struct Gtfs;

impl Connector for Gtfs {
    fn name(&self) -> &'static str {
        "gtfs"
    }

    fn about(&self) -> &'static str {
        "Stops or routes of a GTFS Schedule zip file, with the columns of its tables as fields, and its trips with \
         their days and stop times for the enrichment of vehicle positions."
    }

    fn settings(&self) -> Schema {
        schema_for!(GtfsSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        false
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        if config.gtfs.is_none() {
            let remedy = "add gtfs = { table = \"stops\" } or { table = \"routes\", timetable = true }";
            return Err(Problem::new("gtfs", "it is not clear which table to read", remedy));
        }
        needs_file(config)
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(read_file(job, read))
    }
}

fn read(job: &Job, take: &mut dyn FnMut(Step) -> Result<(), Halt>) -> Result<(), Halt> {
    let file = job.config.file.as_deref().unwrap_or_default();
    let Some(mut feed) = Feed::open(&job.folder, file, &job.config.limits)? else { return Ok(()) };
    let Some(settings) = &job.config.gtfs else { return Ok(()) };
    let table = match settings.table {
        Table::Routes => "routes.txt",
        Table::Stops => "stops.txt",
    };
    feed.each::<Halt>(table, &mut |row| take(Step::Record(row)))?;
    if settings.timetable {
        let timetable = Timetable::read(&mut feed, &job.config.name)?;
        for problem in timetable.problems {
            take(Step::Record(Err(problem)))?;
        }
        for trip in timetable.trips {
            take(Step::Trip(trip))?;
        }
    }
    Ok(())
}

/// An opened zip file.
struct Feed {
    file: String,
    archive: ZipArchive<BufReader<File>>,
    limits: Limits,
}

impl Feed {
    /// `None` for an empty file.
    fn open(folder: &Path, file: &str, limits: &Limits) -> Result<Option<Self>, Problem> {
        let opened = File::open(path_in(folder, file)?).map_err(|e| unreadable(file, &e))?;
        if opened.metadata().is_ok_and(|m| m.len() == 0) {
            return Ok(None);
        }
        let archive = ZipArchive::new(BufReader::new(opened))
            .map_err(|e| Problem::new(file, e.to_string(), "give the zip file of a GTFS feed, complete"))?;
        Ok(Some(Self { file: file.to_owned(), archive, limits: limits.clone() }))
    }

    fn each<E: From<Problem>>(
        &mut self,
        table: &str,
        take: &mut dyn FnMut(Result<Record, Problem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let name = format!("{}: {table}", self.file);
        let entry = self
            .archive
            .by_name(table)
            .map_err(|e| Problem::new(&name, e.to_string(), "give a GTFS feed with this table"))?;
        let boxed: Box<dyn Read> = Box::new(entry);
        let (reader, mark) = Guarded::new(boxed, &self.limits);
        each_row_of(reader, &mark, &name, &CsvSettings::default(), take)
    }

    /// The rows that can be used; `use_row` says what is wrong with the others.
    fn rows(
        &mut self,
        table: &str,
        problems: &mut Vec<Problem>,
        use_row: &mut dyn FnMut(&Record) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.each::<Problem>(table, &mut |row| {
            let line = row.as_ref().map_or_else(|p| p.line.unwrap_or(0), |r| r.line);
            if let Err(problem) = row.and_then(|r| use_row(&r)) {
                let thing = format!("{table}: {}", problem.thing);
                problems.push(Problem { thing, ..problem }.at_line(line));
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct Timetable {
    trips: Vec<TripTimes>,
    problems: Vec<Problem>,
}

impl Timetable {
    fn read(feed: &mut Feed, name: &str) -> Result<Self, Problem> {
        let mut problems = vec![];
        let mut zone = "UTC".to_owned();
        feed.rows("agency.txt", &mut problems, &mut |row| {
            zone = text(row, "agency_timezone")?;
            Ok(())
        })?;
        let mut lines: HashMap<String, (String, String)> = HashMap::new();
        feed.rows("routes.txt", &mut problems, &mut |row| {
            let mode = mode_of(&text(row, "route_type")?).to_owned();
            lines.insert(text(row, "route_id")?, (text(row, "route_short_name")?, mode));
            Ok(())
        })?;
        let days = service_days(feed, &mut problems)?;
        let mut trips: Vec<TripTimes> = vec![];
        let mut numbers: HashMap<String, usize> = HashMap::new();
        feed.rows("trips.txt", &mut problems, &mut |row| {
            let (route, service, trip) = (text(row, "route_id")?, text(row, "service_id")?, text(row, "trip_id")?);
            let unknown = |what: &str| Problem::new(what, "it is not in the feed", "check the feed");
            let (line, mode) = lines.get(&route).cloned().ok_or_else(|| unknown("route_id"))?;
            let days = days.get(&service).cloned().ok_or_else(|| unknown("service_id"))?;
            numbers.insert(trip.clone(), trips.len());
            let headsign = row.text("trip_headsign").map(Into::into);
            let zone = zone.clone();
            trips.push(TripTimes { feed: name.to_owned(), trip, line, mode, headsign, zone, days, stops: vec![] });
            Ok(())
        })?;
        // Stop ids repeat hundreds of times: shared while reading.
        let mut stop_ids: HashMap<String, Arc<str>> = HashMap::new();
        feed.rows("stop_times.txt", &mut problems, &mut |row| {
            let number = row.text("trip_id").and_then(|t| numbers.get(t.as_ref()).copied());
            let trip = number.and_then(|n| trips.get_mut(n));
            let trip = trip.ok_or_else(|| Problem::new("trip_id", "it is not in trips.txt", "check the feed"))?;
            let stop_id = text(row, "stop_id")?;
            let stop = stop_ids.entry(stop_id.clone()).or_insert_with(|| stop_id.as_str().into()).to_string();
            let sequence = text(row, "stop_sequence")?;
            let sequence =
                sequence.parse().map_err(|_| Problem::new("stop_sequence", "it is not a number", "check the feed"))?;
            // A stop without times lies between two that have them.
            let (Some(arrival), Some(departure)) = (row.text("arrival_time"), row.text("departure_time")) else {
                return Ok(());
            };
            let (arrival_s, departure_s) = (seconds(&arrival)?, seconds(&departure)?);
            trip.stops.push(TripStop { stop, sequence, arrival_s, departure_s });
            Ok(())
        })?;
        for trip in &mut trips {
            trip.stops.sort_by_key(|s| s.sequence);
        }
        Ok(Self { trips, problems })
    }
}

fn text(row: &Record, column: &str) -> Result<String, Problem> {
    let missing = || Problem::new(column, "it is missing", "check the feed with a GTFS validator");
    row.text(column).map(Into::into).ok_or_else(missing)
}

/// The word for a GTFS route type; the number where there is none.
fn mode_of(route_type: &str) -> &str {
    match route_type {
        "0" => "tram",
        "1" => "metro",
        "2" => "train",
        "3" => "bus",
        "4" => "ferry",
        other => other,
    }
}

/// Seconds since noon minus 12 hours: `25:10:00` is ten past one at night.
fn seconds(text: &str) -> Result<u32, Problem> {
    let refuse = || Problem::new("time", format!("\"{text}\" is not HH:MM:SS"), "check the feed");
    let mut parts = text.trim().split(':').map(str::parse::<u32>);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(h)), Some(Ok(m)), Some(Ok(s)), None) if h < 200 && m < 60 && s < 60 => Ok(h * 3_600 + m * 60 + s),
        _ => Err(refuse()),
    }
}

type Days = HashMap<String, Vec<(i32, i32)>>;

/// The days of each service, from `calendar.txt` and `calendar_dates.txt` (either may be absent).
fn service_days(feed: &mut Feed, problems: &mut Vec<Problem>) -> Result<Days, Problem> {
    let mut days: HashMap<String, std::collections::BTreeSet<i32>> = HashMap::new();
    let has = |feed: &Feed, table: &str| feed.archive.file_names().any(|n| n.is_ok_and(|n| n == table));
    if has(feed, "calendar.txt") {
        feed.rows("calendar.txt", problems, &mut |row| {
            let (first, last) = (day(&text(row, "start_date")?)?, day(&text(row, "end_date")?)?);
            let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let runs = weekdays.map(|w| row.text(w).as_deref() == Some("1"));
            // 1970-01-01 was a Thursday.
            let on = |d: &i32| usize::try_from((d + 3).rem_euclid(7)).is_ok_and(|w| runs.get(w) == Some(&true));
            let set = days.entry(text(row, "service_id")?).or_default();
            set.extend((first..=last.min(first + 3_660)).filter(on));
            Ok(())
        })?;
    }
    if has(feed, "calendar_dates.txt") {
        feed.rows("calendar_dates.txt", problems, &mut |row| {
            let date = day(&text(row, "date")?)?;
            let set = days.entry(text(row, "service_id")?).or_default();
            if text(row, "exception_type")? == "2" {
                set.remove(&date)
            } else {
                set.insert(date)
            };
            Ok(())
        })?;
    }
    Ok(days.into_iter().map(|(service, set)| (service, runs(set))).collect())
}

/// Unbroken runs of days.
fn runs(days: impl IntoIterator<Item = i32>) -> Vec<(i32, i32)> {
    let mut runs: Vec<(i32, i32)> = vec![];
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    runs
}

/// Days since 1970-01-01 of `20260821`.
fn day(text: &str) -> Result<i32, Problem> {
    let date = jiff::civil::Date::strptime("%Y%m%d", text.trim())
        .map_err(|_| Problem::new("date", format!("\"{text}\" is not YYYYMMDD"), "check the feed"))?;
    let since = date.since(jiff::civil::Date::constant(1970, 1, 1));
    since.map(|span| span.get_days()).map_err(|e| Problem::new("date", e.to_string(), "check the feed"))
}
