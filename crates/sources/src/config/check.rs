//! What TOML cannot check: names that must exist, templates that must close, units that must convert.

use std::collections::HashSet;

use model::{Problem, harmonise, unit_of};

use super::{AttributeConfig, CityConfig, CityFile, Kind, SourceConfig, check_forecast};
use crate::{connectors, template::Template};

/// Terms of the NGSI-LD core context that mean something else there than in a feed.
const TAKEN: [&str; 13] = [
    "attributes",
    "coordinates",
    "data",
    "description",
    "endAt",
    "format",
    "key",
    "mode",
    "origin",
    "startAt",
    "status",
    "title",
    "value",
];

/// Every mistake in a file that is proper TOML.
pub(super) fn problems(file: &CityFile, text: &str, name: &str) -> Vec<Problem> {
    let mut found = Found { text, name, problems: vec![] };
    city_problems(&file.city, &mut found);
    found.extend(At::City, super::privacy::crowd_problem(file.crowd.as_ref()));
    let mut seen = HashSet::new();
    for (index, source) in file.sources.iter().enumerate() {
        let at = At::Source(index);
        if !seen.insert(source.name.as_str()) {
            found.add(at, "name", format!("source \"{}\" is there twice", source.name), "give each its own name");
        }
        source_problems(source, file, at, &mut found);
        found.extend(at, super::aggregate::problems(source));
        found.extend(at, super::privacy::problems(source));
        for (number, attribute) in source.attributes.iter().enumerate() {
            attribute_problems(attribute, source, At::Attribute(index, number), &mut found);
        }
    }
    check_forecast::problems(file, &mut found);
    found.problems
}

/// Which table of the file is meant.
#[derive(Clone, Copy)]
pub(super) enum At {
    City,
    /// The n-th source.
    Source(usize),
    /// Of the n-th source, the n-th attribute.
    Attribute(usize, usize),
    /// The n-th forecast, or its n-th area.
    Forecast(usize, Option<usize>),
}

impl At {
    /// The names of the tables, and the places of the one that is meant.
    fn tables(self) -> (&'static str, &'static str, Option<usize>, Option<usize>) {
        match self {
            Self::City => ("source", "attribute", None, None),
            Self::Source(source) => ("source", "attribute", Some(source), None),
            Self::Attribute(source, attribute) => ("source", "attribute", Some(source), Some(attribute)),
            Self::Forecast(set, area) => ("forecast", "area", Some(set), area),
        }
    }
}

pub(super) struct Found<'a> {
    text: &'a str,
    name: &'a str,
    problems: Vec<Problem>,
}

impl Found<'_> {
    pub(super) fn add(&mut self, at: At, key: &str, detail: impl Into<String>, remedy: &str) {
        let thing = format!("{}: {key}", self.name);
        let problem = Problem::new(thing, detail, remedy);
        self.problems.push(problem.at_line(self.line_of(at, key)));
    }

    fn extend(&mut self, at: At, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            self.add(at, &problem.thing, problem.detail, &problem.remedy);
        }
    }

    /// The line of a key in a table; of the table itself when the key is not written there.
    fn line_of(&self, at: At, key: &str) -> u64 {
        let (outer, inner, outer_meant, inner_meant) = at.tables();
        let (outer_head, inner_head) = (format!("[[{outer}]]"), format!("[[{outer}.{inner}]]"));
        let next = |place: Option<usize>| Some(place.map_or(0, |n| n + 1));
        let (mut outer_place, mut inner_place, mut in_inner, mut elsewhere, mut table) = (None, None, false, false, 1);
        for (line, text) in (1..).zip(self.text.lines()) {
            let text = text.trim();
            if text == outer_head {
                (outer_place, inner_place, in_inner, elsewhere) = (next(outer_place), None, false, false);
            } else if text == inner_head {
                (inner_place, in_inner, elsewhere) = (next(inner_place), true, false);
            } else if text.starts_with('[') {
                in_inner = false;
                elsewhere = outer_place.is_some() && !text.trim_start_matches('[').starts_with(&format!("{outer}."));
            }
            let here = !elsewhere
                && outer_place == outer_meant
                && (!in_inner && inner_meant.is_none() || in_inner && inner_place == inner_meant);
            if here && (text == outer_head || text == inner_head) {
                table = line;
            }
            let is_key =
                text.split_once('=').is_some_and(|(k, _)| k.trim() == key || k.trim().ends_with(&format!(".{key}")));
            if here && is_key {
                return line;
            }
        }
        table
    }
}

fn city_problems(city: &CityConfig, found: &mut Found<'_>) {
    let at = At::City;
    if !is_name(&city.id) {
        found.add(at, "id", format!("\"{}\" is not a short name", city.id), NAME_REMEDY);
    }
    match model::Tenant::parse(&city.tenant) {
        Err(problem) => found.add(at, "tenant", problem.detail, &problem.remedy),
        Ok(tenant) if !tenant.has_internal() => found.add(at, "tenant", "it is too long", "use at most 53 characters"),
        Ok(_) => {}
    }
    check_zone(&city.time_zone, at, "time_zone", found);
    let [west, south, east, north] = city.bounds;
    if !(west < east && south < north && west >= -180.0 && east <= 180.0 && south >= -90.0 && north <= 90.0) {
        found.add(at, "bounds", "it is not a box on earth", "write [west, south, east, north] in degrees");
    }
    let [x, y] = city.center;
    if !(west <= x && x <= east && south <= y && y <= north) {
        found.add(at, "center", "it lies outside the bounds", "write [longitude, latitude] inside the bounds");
    }
    if let Some(replay) = &city.replay {
        if !(replay.from <= replay.start && replay.start < replay.to) {
            found.add(at, "start", "from, start and to are not in order", "let from <= start < to");
        }
        if !(replay.speed > 0.0 && replay.speed <= 100_000.0) {
            found.add(at, "speed", format!("{} is not a speed", replay.speed), "use a number from 0.001 to 100,000");
        }
    }
}

pub(super) const NAME_REMEDY: &str = "use lower-case letters, digits and '-'";

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_zone(zone: &str, at: At, key: &str, found: &mut Found<'_>) {
    if jiff::tz::TimeZone::get(zone).is_err() {
        let detail = format!("\"{zone}\" is not a time zone");
        found.add(at, key, detail, "use an IANA name, for example Europe/Amsterdam");
    }
}

fn source_problems(source: &SourceConfig, file: &CityFile, at: At, found: &mut Found<'_>) {
    if !is_name(&source.name) {
        found.add(at, "name", format!("\"{}\" is not a short name", source.name), NAME_REMEDY);
    }
    match connectors::find(&source.connector) {
        None => {
            let names: Vec<&str> = connectors::all().iter().map(|c| c.name()).collect();
            let detail = format!("there is no connector \"{}\"", source.connector);
            found.add(at, "connector", detail, &format!("use one of {}", names.join(", ")));
        }
        Some(connector) => {
            if let Err(problem) = connector.check(source) {
                found.add(at, &problem.thing, problem.detail, &problem.remedy);
            }
        }
    }
    if let Err(problem) = Template::parse(&source.id) {
        found.add(at, "id", problem.detail, &problem.remedy);
    }
    if let Some(time) = &source.time {
        check_zone(&time.zone, at, "zone", found);
    }
    if source.replay && file.city.replay.is_none() {
        found.add(at, "replay", "the city has no replay", "add [city.replay] with from, start, to and speed");
    }
    if source.replay && source.time.is_none() {
        found.add(at, "replay", "its records have no moment", "add [source.time], so that they can be played in order");
    }
    if source.limits.batch == 0 || source.limits.batch > 10_000 {
        found.add(at, "batch", format!("{} records at once", source.limits.batch), "use a number from 1 to 10,000");
    }
    for filter in source.filters.iter().filter(|f| f.equals.is_none() == f.not_equals.is_none()) {
        let detail = format!("the filter on \"{}\" has no single condition", filter.field);
        found.add(at, "field", detail, "write either equals or not_equals");
    }
    if let Some(transit) = source.enrich.as_ref().and_then(|e| e.transit.as_ref()) {
        let known = file.source(&transit.timetable).is_some_and(|s| s.connector == "gtfs");
        if !known {
            let detail = format!("there is no gtfs source \"{}\"", transit.timetable);
            found.add(at, "timetable", detail, "name a source with connector = \"gtfs\"");
        }
    }
}

fn attribute_problems(attribute: &AttributeConfig, source: &SourceConfig, at: At, found: &mut Found<'_>) {
    let name = &attribute.name;
    if TAKEN.contains(&name.as_str()) {
        let detail = format!("\"{name}\" is a term of NGSI-LD itself");
        found.add(at, "name", detail, "choose another name, for example with the thing in front: incidentState");
    }
    for (key, code) in [("unit", &attribute.unit), ("to_unit", &attribute.to_unit)] {
        if let Some(code) = code.as_deref().filter(|c| unit_of(c).is_none()) {
            let detail = format!("\"{code}\" is not a unit that Polder knows");
            found.add(at, key, detail, "use a UN/CEFACT code of the units table, for example KMH");
        }
    }
    if let (Some(from), Some(to)) = (&attribute.unit, &attribute.to_unit)
        && unit_of(from).is_some()
        && unit_of(to).is_some()
        && harmonise(1.0, from, to).is_none()
    {
        found.add(at, "to_unit", format!("{from} cannot become {to}"), "use two units of the same quantity");
    }
    if attribute.to_unit.is_some() && attribute.unit.is_none() {
        found.add(at, "to_unit", "the unit of the source is not stated", "add unit");
    }
    if attribute.range.is_some_and(|[low, high]| low.is_nan() || high.is_nan() || low > high) {
        found.add(at, "range", "the smallest value is above the largest", "write [smallest, largest]");
    }
    check_origin_of_value(attribute, at, found);
    if attribute.history && source.time.is_none() && attribute.time_field.is_none() {
        let detail = format!("history of \"{name}\" has no moments");
        found.add(at, "history", detail, "add [source.time], or leave history out");
    }
}

fn check_origin_of_value(attribute: &AttributeConfig, at: At, found: &mut Found<'_>) {
    let name = &attribute.name;
    let given = match attribute.kind {
        Kind::Geo => attribute.longitude.is_some() == attribute.latitude.is_some(),
        Kind::Relationship => attribute.object.is_some(),
        _ => attribute.field.is_some() != attribute.value.is_some(),
    };
    if !given {
        let (key, remedy) = match attribute.kind {
            Kind::Geo => ("longitude", "write both longitude and latitude, or neither to take the record's geometry"),
            Kind::Relationship => ("object", "write object = \"urn:ngsi-ld:Type:{field}\""),
            _ => ("field", "write either field or value"),
        };
        found.add(at, key, format!("it is not clear what \"{name}\" is made from"), remedy);
    }
    if let Some(Err(problem)) = attribute.object.as_deref().map(Template::parse) {
        found.add(at, "object", problem.detail, &problem.remedy);
    }
}
