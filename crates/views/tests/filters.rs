//! CQL2 text and the items of a collection.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::{at, store, view, views};
use model::{BoundingBox, ReadScope, Tenant};
use polder_views::{
    Computed,
    ogc::{Filter, Interval, ItemsQuery, items},
};

/// The titles of the items of a layer under a filter, or what is wrong with the filter.
fn check(layer: &str, filter: &str, expect: &[&str]) {
    let known = |name: &str| ["name", "speed", "year", "category", "startsAt", "area"].contains(&name);
    let filter = Filter::parse(filter, &known).unwrap_or_else(|e| panic!("{filter}: {e}"));
    assert_eq!(titles(layer, &ItemsQuery { filter: Some(filter), limit: 10, ..ItemsQuery::default() }), expect);
}

fn titles(layer: &str, query: &ItemsQuery) -> Vec<String> {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let layer = views.layer(layer, &ReadScope::All).unwrap();
    let found = items(&view(&snapshot, &tenant, "12:12"), layer, query, &Computed::default()).unwrap();
    let mut titles: Vec<String> =
        found.features.iter().map(|f| f.properties["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn comparisons_select_by_number_text_and_time() {
    check("trees", "year > 1980", &["1", "2"]);
    check("trees", "year >= 1990 AND year < 2001", &["1"]);
    check("trees", "year <> 1990", &["2", "3"]);
    check("traffic", "name = 'Beurs'", &["Beurs"]);
    check("trees", "year BETWEEN 1940 AND 1990", &["1", "3"]);
    check("trees", "year NOT BETWEEN 1940 AND 1990", &["2"]);
    check("trees", "year IN (1950, 2001)", &["2", "3"]);
    check("traffic", "name LIKE 'B%s'", &["Beurs"]);
    check("traffic", "name LIKE 'B_aak'", &["Blaak"]);
    check("traffic", "name LIKE '%a%'", &["Blaak"]);
    check("traffic", "name NOT LIKE '%a%'", &["Beurs"]);
}

#[test]
fn logic_binds_as_it_should_and_missing_values_are_neither() {
    check("trees", "year = 1990 OR year = 2001 AND year > 2000", &["1", "2"]);
    check("trees", "(year = 1990 OR year = 2001) AND year > 2000", &["2"]);
    check("trees", "NOT year = 1990", &["2", "3"]);
    check("trees", "name = 'x'", &[]);
    check("trees", "NOT name = 'x'", &[]);
    check("trees", "name IS NULL AND \"year\" IS NOT NULL", &["1", "2", "3"]);
}

#[test]
fn places_select_by_box_and_polygon() {
    check("trees", "S_INTERSECTS(geometry, BBOX(4.47,51.92,4.48,51.93))", &["1", "2"]);
    check("trees", "S_INTERSECTS(geometry, POLYGON((4.5 51.9, 4.7 51.9, 4.7 52.1, 4.5 51.9)))", &["3"]);
    check("areas", "S_INTERSECTS(geometry, POINT(4.4777 51.9244)) AND area = 2", &["Cool"]);
    let bbox = Some(BoundingBox { west: 4.47, south: 51.92, east: 4.48, north: 51.93 });
    assert_eq!(titles("trees", &ItemsQuery { bbox, limit: 10, ..ItemsQuery::default() }), ["1", "2"]);
}

#[test]
fn time_selects_what_lasted_or_was_observed_then() {
    let asked = |layer: &str, text: &str| {
        let datetime = Some(Interval::parse(text).unwrap());
        titles(layer, &ItemsQuery { datetime, limit: 10, ..ItemsQuery::default() })
    };
    assert_eq!(asked("incidents", "2026-08-21T12:05:00Z"), ["Accident"]);
    assert_eq!(asked("incidents", "2026-08-21T12:00:00Z/2026-08-21T12:02:00Z"), ["Accident"]);
    assert!(asked("incidents", "../2026-08-21T12:00:00Z").is_empty());
    assert_eq!(asked("traffic", "2026-08-21T11:05:00Z"), ["Blaak"]);
    assert_eq!(asked("traffic", "2026-08-21T12:00:00Z/.."), ["Beurs"]);
    assert_eq!(asked("trees", "2026-08-21T12:00:00Z"), ["1", "2", "3"]);
    assert_eq!(Interval::parse("2026-08-21T12:05:00Z").unwrap().from, Some(at("12:05")));
    for wrong in ["yesterday", "2026-08-21T12:05:00Z/2026-08-21T12:00:00Z", "2026/2027"] {
        assert!(Interval::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn pages_follow_each_other_without_gaps() {
    let query = |offset| ItemsQuery { offset, limit: 2, ..ItemsQuery::default() };
    assert_eq!(titles("trees", &query(0)), ["1", "2"]);
    assert_eq!(titles("trees", &query(2)), ["3"]);
    assert!(titles("trees", &query(4)).is_empty());
}

#[test]
fn wrong_filters_say_what_was_expected() {
    let said = |text: &str| Filter::parse(text, &|name| name == "a").unwrap_err().detail;
    let deep = format!("{}a = 1{}", "(".repeat(100), ")".repeat(100));
    let texts = [
        "",
        "a",
        "a = ",
        "a = 'x",
        "b = 1",
        "a = 1 1",
        "a LIKE 5",
        "a IN ()",
        "NOT",
        "a = 1 AND",
        "a ~ 1",
        "S_INTERSECTS(geometry, CIRCLE(1))",
        "a = 1e999",
        deep.as_str(),
    ];
    for text in texts {
        assert!(!said(text).is_empty(), "{text}");
    }
    assert_eq!(said("b = 1"), "there is no property \"b\"");
    assert_eq!(said("a = 1 1"), "\"1\" is not expected after a complete filter");
}
