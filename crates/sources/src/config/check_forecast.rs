//! What TOML cannot check of `[[forecast]]`: names that are there twice, attributes that nobody delivers, sums of nothing.

use std::collections::HashSet;

use super::{
    CityFile, ForecastArea, ForecastConfig,
    check::{At, Found, NAME_REMEDY, is_name},
    expand,
};

/// The longest name of a set or an area.
const NAME_LENGTH_MAX: usize = 60;

/// Every mistake in the forecasts of a city.
pub(super) fn problems(file: &CityFile, found: &mut Found<'_>) {
    let mut seen = HashSet::new();
    for (index, set) in file.forecasts.iter().enumerate() {
        let at = At::Forecast(index, None);
        name(&set.id, "forecast", at, found);
        if !seen.insert(set.id.as_str()) {
            found.add(at, "id", format!("forecast \"{}\" is there twice", set.id), "give each its own id");
        }
        delivered(set, file, at, found);
        numbers(set, at, found);
        for list in set.lists.keys().filter(|list| !list.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
            let remedy = "use lower-case letters and '_', for example school_holidays";
            found.add(at, "lists", format!("\"{list}\" is not a name of a list"), remedy);
        }
        if set.weather.as_ref().is_some_and(|weather| weather.columns.is_empty()) {
            found.add(at, "weather", "no column of the weather is used", "name columns, or leave weather out");
        }
        areas(set, index, found);
    }
}

fn name(id: &str, what: &str, at: At, found: &mut Found<'_>) {
    if !is_name(id) || id.len() > NAME_LENGTH_MAX {
        found.add(at, "id", format!("\"{id}\" is not a short name of a {what}"), NAME_REMEDY);
    }
}

/// Some source must deliver the attribute, and keep its history.
fn delivered(set: &ForecastConfig, file: &CityFile, at: At, found: &mut Found<'_>) {
    let wanted = expand(&set.entity_type);
    let of_type: Vec<_> = file.sources.iter().filter(|source| source.type_iri() == wanted).collect();
    if of_type.is_empty() {
        let detail = format!("no source delivers entities of the type \"{}\"", set.entity_type);
        found.add(at, "entity_type", detail, "name the entity_type of a source");
        return;
    }
    let attribute = expand(&set.attribute);
    let keeps = of_type.iter().flat_map(|source| &source.attributes).filter(|a| a.iri() == attribute);
    let keeps: Vec<bool> = keeps.map(|a| a.history).collect();
    if keeps.is_empty() {
        let detail = format!("no source gives a {} the attribute \"{}\"", set.entity_type, set.attribute);
        found.add(at, "attribute", detail, "name an attribute of one of its sources");
    } else if !keeps.contains(&true) {
        let detail = format!("no history is kept of \"{}\"", set.attribute);
        found.add(at, "attribute", detail, "set history = true at that attribute of the source");
    }
}

fn numbers(set: &ForecastConfig, at: At, found: &mut Found<'_>) {
    let mut within = |key: &str, value: u32, from: u32, to: u32| {
        if !(from..=to).contains(&value) {
            found.add(at, key, format!("{value} cannot be"), &format!("use a number from {from} to {to}"));
        }
    };
    within("minimum_count", set.minimum_count, 0, 1_000);
    within("days_max", set.days_max, 28, 3_650);
    within("trees", set.trees, 1, 1_000);
    if set.step_minutes == 0 || 60 % set.step_minutes != 0 {
        let remedy = "use 60, or a number by which 60 can be divided: 5, 10, 15";
        found.add(at, "step_minutes", format!("steps of {} minutes do not fill an hour", set.step_minutes), remedy);
    }
}

fn areas(set: &ForecastConfig, index: usize, found: &mut Found<'_>) {
    let (mut seen, mut used) = (HashSet::new(), HashSet::new());
    for (number, ForecastArea { id, series, .. }) in set.areas.iter().enumerate() {
        let at = At::Forecast(index, Some(number));
        name(id, "area", at, found);
        if !seen.insert(id.as_str()) {
            found.add(at, "id", format!("area \"{id}\" is there twice"), "give each its own id");
        }
        if series.len() < 2 {
            found.add(at, "series", format!("area \"{id}\" adds up fewer than two series"), "name two series or more");
        }
        for part in series {
            if !is_name(part) {
                let remedy = "write it as in addresses: lower-case letters and digits with '-', as in 45-queen-street";
                found.add(at, "series", format!("\"{part}\" is not the name of a series"), remedy);
            } else if !used.insert(part.as_str()) {
                let remedy = "let each series be part of one area: small counts could be had from two sums";
                found.add(at, "series", format!("\"{part}\" is part of two areas, or there twice"), remedy);
            }
        }
    }
}
