//! Pictures of a small city: features, tables, the inspector, charts, the timeline, search and indicators.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::{collections::HashSet, sync::Arc};

use common::{at, delete, id, put, store, view, views};
use model::{ReadScope, Tenant, Timestamp};
use polder_views::{
    self as views, FeaturesQuery, Layers, SearchIndex, SeriesQuery, TableQuery, ViewError, Viewpoint, Views,
};
use serde_json::{Value, json};
use store::Transaction;

/// The values of one property of a layer's features, by title.
fn values(views: &Views, layer: &str, property: &str, now: &str, moment: Option<&str>) -> Value {
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let view = view(&snapshot, &tenant, now);
    let layer = views.layer(layer, &ReadScope::All).unwrap();
    let computed = views.computed(&view, layer).unwrap();
    let query = FeaturesQuery { at: moment.map(at), language: "en".to_owned(), ..FeaturesQuery::default() };
    let found = views::features(&view, layer, &query, &computed).unwrap();
    let pair =
        |f: &views::Feature| (f.properties["title"].as_str().unwrap().to_owned(), f.properties[property].clone());
    Value::Object(found.features.iter().map(pair).collect())
}

#[test]
fn values_that_are_too_old_are_no_data_and_not_zero() {
    let views = views(&store());
    assert_eq!(values(&views, "traffic", "speed", "12:12", None), json!({"Beurs": 50.0, "Blaak": null}));
    assert_eq!(values(&views, "traffic", "observedAt", "12:12", None)["Blaak"], json!("2026-08-21T11:00:00Z"));
    assert_eq!(values(&views, "traffic", "ageS", "12:12", None)["Beurs"], json!(120.0));
}

#[test]
fn a_moment_of_the_past_shows_the_values_that_held_then() {
    let views = views(&store());
    assert_eq!(values(&views, "traffic", "speed", "12:12", Some("12:07")), json!({"Beurs": 55.0, "Blaak": null}));
    assert_eq!(values(&views, "traffic", "speed", "12:12", Some("11:10")), json!({"Beurs": null, "Blaak": 80.0}));
}

#[test]
fn a_clock_that_was_turned_back_shows_the_past_without_being_asked() {
    let views = views(&store());
    assert_eq!(values(&views, "traffic", "speed", "12:06", None)["Beurs"], json!(55.0));
}

#[test]
fn incidents_are_shown_only_while_they_last() {
    let views = views(&store());
    for (now, shown) in [("12:01", json!({})), ("12:05", json!({"Accident": "accident"})), ("12:09", json!({}))] {
        assert_eq!(values(&views, "incidents", "category", now, None), shown, "{now}");
    }
}

#[test]
fn areas_carry_what_is_counted_inside_them_and_nothing_where_nothing_lies() {
    let views = views(&store());
    assert_eq!(values(&views, "areas", "treesPerKm2", "12:12", None), json!({"Cool": 1.0, "Stadsdriehoek": null}));
    assert_eq!(values(&views, "areas", "meanSpeed", "12:12", None), json!({"Cool": 50.0, "Stadsdriehoek": null}));
}

#[test]
fn an_indicator_follows_a_change_at_once() {
    let store = store();
    let views = views(&store);
    assert_eq!(values(&views, "areas", "treesPerKm2", "12:12", None)["Cool"], json!(1.0));
    put(&store, "tree:4 Tree 4.4775,51.9242 year=2020");
    assert_eq!(values(&views, "areas", "treesPerKm2", "12:12", None)["Cool"], json!(1.5));
}

#[test]
fn what_was_made_while_a_change_came_is_not_kept_as_the_newest() {
    let store = store();
    let views = views(&store);
    let old = views.snapshot().unwrap();
    put(&store, "tree:4 Tree 4.4775,51.9242 year=2020");
    put(&store, "tree:5 Tree 4.7000,52.0500 year=2020");
    put(&store, "station:3 Station 4.4800,51.9300 name=Hofplein");
    // The changes are taken in while somebody still looks at the state from before.
    let new = views.snapshot().unwrap();
    let seen = |snapshot| {
        let tenant = Tenant::default();
        let view = view(snapshot, &tenant, "12:12");
        let layer = |id| views.layer(id, &ReadScope::All).unwrap();
        let computed = views.computed(&view, layer("areas")).unwrap();
        let bounds = views.bounds(&view, layer("trees"), 3).unwrap().unwrap();
        let found = views.search(&view, "hofplein", 10, "nl").unwrap().len();
        (computed.get("treesPerKm2", &id("area:1")), bounds.east, found)
    };
    assert_eq!(seen(&old), (Some(1.0), 4.6, 0));
    assert_eq!(seen(&new), (Some(1.5), 4.7, 1));
}

#[test]
fn what_the_reader_may_not_see_does_not_exist() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let scope = ReadScope::Types(Arc::new(HashSet::from([views::expand("Tree")])));
    let view = Viewpoint { snapshot: &snapshot, tenant: &tenant, scope: &scope, now: at("12:12") };
    assert!(matches!(views.layer("traffic", &scope), Err(ViewError::Missing(_))));
    assert!(matches!(view.entity(&id("station:1")), Err(ViewError::Missing(_))));
    let ids: Vec<String> = views.catalogue(&view).unwrap().layers.into_iter().map(|l| l.id).collect();
    assert_eq!(ids, ["trees"]);
    assert!(views.search(&view, "beurs", 10, "nl").unwrap().is_empty());
}

#[test]
fn a_thing_that_is_also_something_hidden_is_not_found_by_its_name() {
    let store = store();
    let views = views(&store);
    let everything = ReadScope::All;
    let public = ReadScope::Types(Arc::new(HashSet::from([views::expand("Station")])));
    let found = |scope: &ReadScope| {
        let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
        let view = Viewpoint { snapshot: &snapshot, tenant: &tenant, scope, now: at("12:12") };
        views.search(&view, "beurs", 10, "nl").unwrap().len()
    };
    assert_eq!((found(&everything), found(&public)), (1, 1));
    // Now the station is a shelter too, and shelters are not public.
    let retype = |types: &[&str]| {
        let snapshot = store.snapshot().unwrap();
        let before = snapshot.entity(&Tenant::default(), &id("station:1")).unwrap().unwrap();
        let mut entity = before.value.clone();
        entity.types = types.iter().map(|t| views::expand(t)).collect();
        let mut tx = Transaction::new(Tenant::default());
        tx.put_entity(Some(before), entity, vec![]);
        store.commit_blocking(tx).unwrap();
    };
    retype(&["Station", "Shelter"]);
    assert_eq!((found(&everything), found(&public)), (1, 0));
    // An index that is built afterwards says the same.
    let (snapshot, tenant) = (store.snapshot().unwrap(), Tenant::default());
    let index = SearchIndex::build(&view(&snapshot, &tenant, "12:12"), views.layers()).unwrap();
    assert_eq!(index.find(views.layers(), &public, "beurs", 10, "nl").len(), 0);
    retype(&["Shelter"]);
    assert_eq!((found(&everything), found(&public)), (0, 0), "it is in no layer any more");
}

#[test]
fn the_table_sorts_searches_and_pages_with_no_data_last() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let view = view(&snapshot, &tenant, "12:12");
    let layer = views.layer("traffic", &ReadScope::All).unwrap();
    let titles = |query: TableQuery| {
        let table = views::table(&view, layer, &query, &views::Computed::default()).unwrap();
        (table.total, table.rows.into_iter().map(|r| r.title).collect::<Vec<_>>())
    };
    for sort in ["speed", "-speed", "title"] {
        let query = TableQuery { sort: Some(sort.to_owned()), ..TableQuery::default() };
        assert_eq!(titles(query).1, ["Beurs", "Blaak"], "{sort}");
    }
    let query = TableQuery { search: Some("BLA".to_owned()), ..TableQuery::default() };
    assert_eq!(titles(query), (1, vec!["Blaak".to_owned()]));
    let query = TableQuery { offset: 1, limit: Some(1), ..TableQuery::default() };
    assert_eq!(titles(query), (2, vec!["Blaak".to_owned()]));
    let wrong = TableQuery { sort: Some("colour".to_owned()), ..TableQuery::default() };
    let error = views::table(&view, layer, &wrong, &views::Computed::default()).unwrap_err();
    insta::assert_snapshot!(error, @r#"sort: there is no column "colour"; use title, speed, name, observedAt"#);
}

#[test]
fn the_inspector_shows_each_value_with_its_age_label_and_source() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let view = view(&snapshot, &tenant, "12:12");
    let source = |name: &str| Some(views.source(name));
    let thing = views::inspect(&view, views.layers(), &id("station:1"), None, "nl", views.zone(), &source).unwrap();
    let speed = serde_json::to_value(&thing.attributes[0]).unwrap();
    insta::assert_json_snapshot!(speed, @r#"
    {
      "name": "speed",
      "label": {
        "nl": "Snelheid",
        "en": "Speed"
      },
      "value": 50.0,
      "unit": "km/h",
      "observedAt": "2026-08-21T12:10:00Z",
      "ageS": 120.0,
      "stale": false,
      "quality": {
        "origin": "measured",
        "flags": []
      },
      "source": "s",
      "history": true
    }
    "#);
    let then = views::inspect(&view, views.layers(), &id("station:1"), Some(at("12:07")), "nl", views.zone(), &source);
    assert_eq!(then.unwrap().attributes[0].value, json!(55.0));
}

#[test]
fn a_chart_gives_the_readings_and_their_numbers() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let view = view(&snapshot, &tenant, "12:12");
    let attribute = views.layers().get("traffic").unwrap().attribute("speed").unwrap();
    let query = SeriesQuery { from: at("11:00"), to: at("12:10"), points: 400 };
    let chart = views::chart(&view, &id("station:1"), attribute, query).unwrap();
    let speeds: Vec<Option<f64>> = chart.points.iter().map(|p| p.1).collect();
    assert_eq!(speeds, [Some(40.0), Some(55.0), Some(50.0)]);
    assert_eq!((chart.unit.as_str(), chart.min, chart.max, chart.count), ("km/h", Some(40.0), Some(55.0), 3));
    let turned = SeriesQuery { from: at("12:10"), to: at("11:00"), points: 400 };
    assert!(matches!(views::chart(&view, &id("station:1"), attribute, turned), Err(ViewError::Question(_))));
}

#[test]
fn the_timeline_counts_readings_and_names_the_stretches_without() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let view = view(&snapshot, &tenant, "12:15");
    let line = views::timeline(&view, views.layers(), None, (at("11:00"), at("12:30"))).unwrap();
    assert_eq!(line.slots.iter().map(|s| s.readings).sum::<u64>(), 4);
    let clock = |t: &Timestamp| t.to_string()[11..16].to_owned();
    let gaps: Vec<(String, String)> = line.gaps.iter().map(|(a, b)| (clock(a), clock(b))).collect();
    assert_eq!(gaps, [("11:05".to_owned(), "12:00".to_owned())]);
}

#[test]
fn search_finds_places_first_and_follows_changes() {
    let store = store();
    let views = views(&store);
    let find = |text: &str| {
        let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
        let found = views.search(&view(&snapshot, &tenant, "12:12"), text, 10, "en").unwrap();
        found.into_iter().map(|f| format!("{:?} {}", f.kind, f.title)).collect::<Vec<_>>()
    };
    assert_eq!(find("b"), ["Entity Beurs", "Entity Blaak"]);
    assert_eq!(find("cool"), ["Place Cool"]);
    put(&store, "station:3 Station 4.5,51.9 name=Coolhaven");
    assert_eq!(find("cool"), ["Place Cool", "Entity Coolhaven"]);
    delete(&store, "station:3");
    assert_eq!(find("cool"), ["Place Cool"]);
    assert!(find("").is_empty());
}

#[test]
fn mistakes_in_layers_toml_are_named_with_the_remedy() {
    let said =
        |text: &str| Layers::parse(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let wrong = common::LAYERS
        .replace("\"#d55e00\"", "\"orange\"")
        .replace("by = \"speed\"", "by = \"colour\"")
        .replacen("group = \"all\"", "group = \"none\"", 1)
        .replacen("id = \"trees\"", "id = \"Trees!\"", 1);
    insta::assert_snapshot!(said(&wrong), @r##"
    layers.toml: layer "traffic", group: there is no group "none"; add a [[group]] with this id, or use another
    layers.toml: layer "traffic", style: the layer has no attribute "colour"; add it as [[layer.attribute]] or use another
    layers.toml: layer "incidents", style: "orange" is not a colour; write colours as #rrggbb
    layers.toml: layer "Trees!", id: it cannot stand in an address; use lower-case letters, digits and '-'; "basemap" is taken
    layers.toml: layer "areas", indicator: indicator "treesPerKm2": there is no layer "trees"; name a layer of this file
    "##);
    let unknown = common::LAYERS.replacen("kind = \"point\"", "kind = \"dot\"", 1);
    assert!(Layers::parse(&unknown).unwrap_err()[0].line.is_some());
}
