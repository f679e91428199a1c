//! The small languages in parameters: q, scopeQ, type selection, geo-queries, projections, orders, temporal queries.

use std::sync::Arc;

use model::{Attribute, Entity, EntityId, Iri, Timestamp};
use polder_platform::{
    context::Context,
    ngsi::{NgsiError, Projection, View, parse_json, write_entity},
    query::{GeoQ, Q, ScopeQ, TypeSelector, pattern},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use subscriptions::{compact_types, expand_types};
use temporal::{AggregationPeriod, OrderBy, TemporalParameters, TemporalQuery};

use super::{
    check_reason, config,
    inputs::{ODD_TEXTS, corpus, text},
};

const Q_WORDS: &[&str] = &[
    "speed",
    "name",
    "location",
    "isParked.name",
    "a.b[c.d]",
    "==",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "~=",
    "!~=",
    ";",
    "|",
    "(",
    ")",
    "\"text\"",
    "\"",
    "12",
    "-1.5",
    "1..5",
    "true",
    "false",
    "2026-08-20T12:00:00Z",
    "12:00:00Z",
    "2026-08-20",
    "urn:ngsi-ld:x:1",
    ",",
    "[",
    "]",
    ".",
    "%",
    "observedAt",
];
const NAME_WORDS: &[&str] = &[
    "Building",
    "Tower",
    "id",
    "type",
    "scope",
    "name",
    "createdAt",
    "(",
    ")",
    ",",
    ";",
    "|",
    "{",
    "}",
    ".",
    "asc",
    "desc",
    "https://example.org/x",
    " ",
    "/Rotterdam",
    "/+",
    "/#",
    "#",
    "/",
];
const PERIOD_WORDS: &[&str] = &["P", "T", "1", "0", "99999999", "Y", "M", "W", "D", "H", "S", "-", ".", "5", " "];
const TIME_WORDS: &[&str] = &[
    "before",
    "after",
    "between",
    "2026-08-20T12:00:00Z",
    "observedAt",
    "deletedAt",
    "1",
    "0",
    "temporalValues",
    "aggregatedValues",
    "sysAttrs",
    "avg",
    "max",
    "totalCount",
    ",",
    "PT1H",
    "P1M",
];
const GEO_WORDS: &[&str] = &[
    "near",
    ";",
    "maxDistance",
    "minDistance",
    "==",
    "2000",
    "within",
    "Point",
    "Polygon",
    "LineString",
    "[",
    "]",
    "4.48",
    "51.92",
    ",",
    "-200",
    "1e400",
    "null",
    "[[0,0],[2,2],[2,0],[0,2],[0,0]]",
    "{",
    "}",
    "\"",
];

/// An entity with one attribute of most kinds, to run queries on.
fn entity() -> Entity {
    let context = Context::core();
    let value = json!({
        "id": "urn:ngsi-ld:Building:1",
        "type": ["Building", "Tower"],
        "scope": ["/Rotterdam/Centrum"],
        "speed": {"value": 12, "observedAt": "2026-08-20T12:00:00Z"},
        "name": {"languageMap": {"nl": "toren", "en": "tower"}},
        "location": {"type": "Point", "coordinates": [4.48, 51.92]},
        "a": {"value": {"c": {"d": [1, 2]}}, "b": {"value": true}},
        "json": {"json": {"x": null}},
    });
    polder_platform::ngsi::parse_entity(value, &context, Timestamp::from_micros(0)).unwrap()
}

fn try_q(text: &str) {
    if let Some(q) = check_reason(Q::parse(text, &Context::core())) {
        let _ = q.matches(&entity());
    }
}

fn try_names(text: &str) {
    let context = Context::core();
    if let Some(types) = check_reason(TypeSelector::parse(text, &context)) {
        let _ = types.matches(&entity().types);
        assert!(!types.candidates().is_empty());
    }
    if let Some(scopes) = check_reason(ScopeQ::parse(text)) {
        let _ = scopes.matches(&entity().scopes);
    }
    if let Some(pick) = check_reason(Projection::parse(text, &context)) {
        let view = View { pick: Some(pick), ..View::default() };
        let mut out = Vec::new();
        write_entity(&mut out, &entity(), &context, &view, None, false);
        let _: Value = serde_json::from_slice(&out).expect("what is written is JSON");
    }
    check_reason(OrderBy::parse(text, &context));
    if let Some(expanded) = check_reason(expand_types(text, &context)) {
        let again = expand_types(&compact_types(&expanded, &context), &context);
        assert_eq!(again, Ok(expanded), "expanding, compacting and expanding again");
    }
    if let Some(name) = check_reason(context.expand(text)) {
        assert_eq!(context.expand(&context.compact(&name).text), Ok(name));
    }
}

fn try_pattern(text: &str) {
    if let Some(regex) = check_reason(pattern(text)) {
        let _ = regex.is_match("urn:ngsi-ld:Building:1");
    }
}

fn try_period(text: &str) {
    let Ok(period) = AggregationPeriod::parse(text) else { return };
    for micros in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_micros(0)] {
        if let Some((start, end)) = period.around(micros, Timestamp::from_micros(1_596_283_380_000_000)) {
            assert!(start <= micros && micros <= end, "{text}: {start} {micros} {end}");
        }
    }
}

fn try_time(words: &[String]) {
    let word = |place: usize| words.get(place).map(String::as_str);
    let parameters = TemporalParameters {
        timerel: word(0),
        time_at: word(1),
        end_time_at: word(2),
        timeproperty: word(3),
        last_n: word(4),
        format: word(5),
        options: word(6),
        aggr_methods: word(7),
        aggr_period: word(8),
    };
    if let Err(error) = TemporalQuery::parse(&parameters) {
        assert!(!error.to_string().is_empty());
    }
}

fn try_geo(georel: &str, geometry: &str, coordinates: &str) {
    let context = Context::core();
    let coordinates = Value::String(coordinates.to_owned());
    if let Some(query) = check_reason(GeoQ::parse(georel, geometry, &coordinates, None, &context)) {
        let _ = (query.matches(&entity()), query.bounding_box());
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn query_expressions_of_any_shape_are_read_or_refused(text in text(Q_WORDS)) {
        try_q(&text);
        try_pattern(&text);
    }

    #[test]
    fn names_selections_and_orders_of_any_shape_are_read_or_refused(text in text(NAME_WORDS)) {
        try_names(&text);
    }

    #[test]
    fn periods_of_any_shape_are_read_or_refused_and_hold_their_moment(text in text(PERIOD_WORDS)) {
        try_period(&text);
    }

    #[test]
    fn temporal_parameters_of_any_shape_are_read_or_refused(words in prop::collection::vec(text(TIME_WORDS), 9)) {
        try_time(&words);
    }

    #[test]
    fn geographic_queries_of_any_shape_are_read_or_refused(
        (georel, geometry, coordinates) in (text(GEO_WORDS), text(GEO_WORDS), text(GEO_WORDS)),
    ) {
        try_geo(&georel, &geometry, &coordinates);
    }

    #[test]
    fn bytes_of_any_kind_are_json_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        check_reason(parse_json(&bytes));
    }

    #[test]
    fn ids_and_times_of_any_shape_are_read_or_refused(text in text(ODD_TEXTS)) {
        if let Ok(id) = EntityId::parse(&text) {
            prop_assert_eq!(id.as_str(), text.as_str());
        }
        if let Ok(time) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
        }
    }
}

#[test]
fn the_corpus_of_languages_is_read_or_refused() {
    for line in corpus("languages") {
        try_q(&line);
        try_names(&line);
        try_pattern(&line);
        try_period(&line);
        try_geo(&line, "Point", "[4.48,51.92]");
        try_geo("within", &line, "[[[0,0],[1,0],[1,1],[0,0]]]");
        try_geo("near;maxDistance==1", "Point", &line);
        for place in 0..9 {
            let mut words = vec![String::new(); 9];
            words[place] = line.clone();
            try_time(&words);
        }
    }
}

#[test]
fn nesting_without_end_is_refused_in_every_language() {
    for (open, close) in [("(", ")"), ("a{", "}"), ("[", "]"), ("a[", "]"), ("{\"a\":", "}")] {
        let nested = open.repeat(10_000) + "a==1" + &close.repeat(10_000);
        try_q(&nested);
        try_names(&nested);
        try_geo("within", "Polygon", &nested);
        assert!(parse_json(nested.as_bytes()).is_err());
    }
}

#[test]
fn an_entity_of_ten_thousand_attributes_is_written_and_read_again() {
    let now = Timestamp::from_micros(0);
    let context: Arc<Context> = Context::core();
    let mut whole = Entity::new(EntityId::parse("urn:x:1").unwrap(), Iri::from("https://example.org/Thing"), now);
    for number in 0..10_000 {
        let mut attribute = Attribute::property(number);
        (attribute.created_at, attribute.modified_at) = (Some(now), Some(now));
        whole.set(Iri::new(format!("https://example.org/a{number}")), attribute);
    }
    let mut out = Vec::new();
    write_entity(&mut out, &whole, &context, &View::default(), None, false);
    let read: Result<Entity, NgsiError> = polder_platform::ngsi::parse_entity(parse_json(&out).unwrap(), &context, now);
    assert_eq!(read, Ok(whole));
}
