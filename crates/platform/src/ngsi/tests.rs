//! Round trips: what comes in on the wire goes out the same, in each form.

use model::{Iri, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::context::Context;

fn now() -> Timestamp {
    Timestamp::parse("2026-08-20T12:00:00Z").unwrap()
}

fn show(entity: &model::Entity, view: &View) -> Value {
    let mut out = Vec::new();
    write_entity(&mut out, entity, &Context::core(), view, None, false);
    parse_json(&out).unwrap()
}

fn parse(attribute: &Value) -> Result<model::Entity, NgsiError> {
    let entity = json!({"id": "urn:x:1", "type": "T", "a": attribute});
    parse_entity(entity, &Context::core(), now())
}

/// An attribute in normalised form, and what the concise and simplified forms make of it.
fn check(normalized: Value, concise: Value, simplified: Value) {
    let from_normalized = parse(&normalized).unwrap();
    let form = |form| View { form, ..View::default() };
    assert_eq!(show(&from_normalized, &form(Form::Normalized))["a"], normalized);
    assert_eq!(show(&from_normalized, &form(Form::Concise))["a"], concise);
    assert_eq!(show(&from_normalized, &form(Form::Simplified))["a"], simplified);
    assert_eq!(parse(&concise).unwrap(), from_normalized, "back from the concise form");
}

#[test]
fn a_property_round_trips_in_every_form() {
    check(json!({"type": "Property", "value": 5}), json!(5), json!(5));
    check(json!({"type": "Property", "value": "five"}), json!("five"), json!("five"));
    check(json!({"type": "Property", "value": false}), json!(false), json!(false));
    check(json!({"type": "Property", "value": [1, "b"]}), json!([1, "b"]), json!([1, "b"]));
    check(json!({"type": "Property", "value": {"x": 1}}), json!({"value": {"x": 1}}), json!({"x": 1}));
}

#[test]
fn metadata_and_attributes_of_attributes_round_trip() {
    check(
        json!({
            "type": "Property", "value": 5.5, "unitCode": "KMH", "observedAt": "2026-08-20T11:40:00.25Z",
            "datasetId": "urn:d:1", "by": {"type": "Relationship", "object": "urn:x:2"}
        }),
        json!({
            "value": 5.5, "unitCode": "KMH", "observedAt": "2026-08-20T11:40:00.25Z", "datasetId": "urn:d:1",
            "by": {"object": "urn:x:2"}
        }),
        json!(5.5),
    );
}

#[test]
fn a_geo_property_round_trips_in_every_form() {
    let point = json!({"type": "Point", "coordinates": [4.5, 51.9]});
    check(json!({"type": "GeoProperty", "value": point}), point.clone(), point);
}

#[test]
fn relationships_round_trip_with_one_and_many_objects() {
    check(json!({"type": "Relationship", "object": "urn:x:2"}), json!({"object": "urn:x:2"}), json!("urn:x:2"));
    check(
        json!({"type": "Relationship", "object": ["urn:x:2", "urn:x:3"], "objectType": "Road"}),
        json!({"object": ["urn:x:2", "urn:x:3"], "objectType": "Road"}),
        json!(["urn:x:2", "urn:x:3"]),
    );
    check(
        json!({"type": "ListRelationship", "objectList": [{"object": "urn:x:2"}, {"object": "urn:x:2"}]}),
        json!({"objectList": [{"object": "urn:x:2"}, {"object": "urn:x:2"}]}),
        json!({"objectList": ["urn:x:2", "urn:x:2"]}),
    );
}

#[test]
fn language_json_vocab_and_list_properties_round_trip() {
    let map = json!({"nl": "Haven", "en": ["Port", "Harbour"]});
    check(
        json!({"type": "LanguageProperty", "languageMap": map}),
        json!({"languageMap": map}),
        json!({"languageMap": map}),
    );
    check(
        json!({"type": "JsonProperty", "json": {"id": 1, "n": null}}),
        json!({"json": {"id": 1, "n": null}}),
        json!({"json": {"id": 1, "n": null}}),
    );
    check(
        json!({"type": "VocabProperty", "vocab": ["free", "full"]}),
        json!({"vocab": ["free", "full"]}),
        json!({"vocab": ["free", "full"]}),
    );
    check(
        json!({"type": "ListProperty", "valueList": [1, [2], "c"]}),
        json!({"valueList": [1, [2], "c"]}),
        json!({"valueList": [1, [2], "c"]}),
    );
}

#[test]
fn several_instances_are_told_apart_by_their_dataset() {
    let both = json!([{"type": "Property", "value": 1}, {"type": "Property", "value": 2, "datasetId": "urn:d:1"}]);
    let entity = parse(&both).unwrap();
    assert_eq!(show(&entity, &View::default())["a"], both);
    let simplified = View { form: Form::Simplified, ..View::default() };
    assert_eq!(show(&entity, &simplified)["a"], json!({"dataset": {"@none": 1, "urn:d:1": 2}}));
    let only = View { dataset_ids: vec![Some("urn:d:1".into())], ..View::default() };
    assert_eq!(show(&entity, &only)["a"], both[1]);
    assert!(parse(&json!([{"value": 1}, {"value": 2}])).unwrap_err().detail.contains("same datasetId"));
}

#[test]
fn a_language_is_chosen_and_system_times_are_shown_when_asked() {
    let entity = parse(&json!({"languageMap": {"nl": "Haven", "en": "Port"}})).unwrap();
    let view = View { lang: Some("nl-BE,fr;q=0.5".into()), sys_attrs: true, ..View::default() };
    let at = "2026-08-20T12:00:00Z";
    assert_eq!(
        show(&entity, &view)["a"],
        json!({"type": "Property", "value": "Haven", "lang": "nl", "createdAt": at, "modifiedAt": at})
    );
}

#[test]
fn types_scopes_picks_and_omissions_are_kept_to() {
    let entity = json!({"id": "urn:x:1", "type": ["A", "B"], "scope": ["/a/b", "c"], "x": 1, "y": 2});
    let entity = parse_entity(entity, &Context::core(), now()).unwrap();
    let shown = |pick: &str, omit: &str| {
        let parse =
            |text: &str| Some(text).filter(|t| !t.is_empty()).map(|t| Projection::parse(t, &Context::core()).unwrap());
        show(&entity, &View { form: Form::Simplified, pick: parse(pick), omit: parse(omit), ..View::default() })
    };
    assert_eq!(shown("", ""), json!({"id": "urn:x:1", "type": ["A", "B"], "scope": ["/a/b", "/c"], "x": 1, "y": 2}));
    assert_eq!(shown("id,x", ""), json!({"id": "urn:x:1", "x": 1}));
    assert_eq!(shown("", "type,x,scope"), json!({"id": "urn:x:1", "y": 2}));
    for wrong in ["", ",", "a{", "a{b", "a}", "a{}", "a,,b", "a{b}c"] {
        assert!(Projection::parse(wrong, &Context::core()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_attribute_is_refused_by_name() {
    for wrong in [
        json!(null),
        json!({"type": "Property", "value": null}),
        json!({"type": "Property"}),
        json!({"type": "Propperty", "value": 1}),
        json!({"type": "Property", "object": "urn:x:1"}),
        json!({"type": "Property", "value": 1, "object": "urn:x:1"}),
        json!({"type": "Relationship", "object": "no uri"}),
        json!({"type": "Relationship", "object": []}),
        json!({"type": "GeoProperty", "value": {"type": "Point", "coordinates": [400, 0]}}),
        json!({"type": "LanguageProperty", "languageMap": {"nl": 1}}),
        json!({"type": "ListProperty", "valueList": 1}),
        json!({"type": "VocabProperty", "vocab": []}),
        json!({"value": 1, "observedAt": "yesterday"}),
        json!({"value": 1, "observedAt": "9999-01-01T00:00:00Z"}),
        json!({"value": 1, "unitCode": 3}),
        json!({"value": 1, "datasetId": "no uri"}),
        json!("urn:ngsi-ld:null"),
        json!({"unitCode": "KMH"}),
    ] {
        let error = parse(&wrong).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadRequestData, "{wrong}");
        assert!(error.detail.contains('a'), "{wrong}: {error}");
    }
}

#[test]
fn entities_without_id_or_type_or_with_wrong_ones_are_refused() {
    for wrong in [
        json!([]),
        json!({"type": "T"}),
        json!({"id": "urn:x:1"}),
        json!({"id": 1, "type": "T"}),
        json!({"id": "x", "type": "T"}),
        json!({"id": "urn:x:1", "type": []}),
        json!({"id": "urn:x:1", "type": "a b"}),
        json!({"id": "urn:x:1", "type": "T", "bad name": 1}),
        json!({"id": "urn:x:1", "type": "T", "scope": 5}),
    ] {
        assert!(parse_entity(wrong.clone(), &Context::core(), now()).is_err(), "{wrong}");
    }
}

#[test]
fn a_feature_has_its_geometry_and_the_rest_as_properties() {
    let entity = json!({
        "id": "urn:x:1", "type": "T", "x": 1, "location": {"type": "Point", "coordinates": [4.5, 51.9]}
    });
    let entity = parse_entity(entity, &Context::core(), now()).unwrap();
    let mut out = Vec::new();
    let view = View { form: Form::Simplified, ..View::default() };
    write_feature_collection(&mut out, [&entity], &Context::core(), &view, false);
    let point = json!({"type": "Point", "coordinates": [4.5, 51.9]});
    let shown: Value = serde_json::from_slice(&out).unwrap();
    let expected = json!({"type": "FeatureCollection", "features": [{
        "id": "urn:x:1", "type": "Feature", "geometry": point,
        "properties": {"type": "T", "x": 1, "location": point}
    }]});
    assert_eq!(shown, expected);
}

/// JSON that is near enough to an entity to get deep into the parser.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "value",
        "object",
        "Property",
        "GeoProperty",
        "Relationship",
        "LanguageProperty",
        "languageMap",
        "observedAt",
        "2026-08-20T12:00:00Z",
        "unitCode",
        "datasetId",
        "urn:d:1",
        "urn:ngsi-ld:null",
        "Point",
        "coordinates",
        "Polygon",
        "json",
        "vocab",
        "valueList",
        "objectList",
        "scope",
        "@value",
        "@context",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn a_moment_is_written_as_it_displays(micros in Timestamp::MIN.micros()..=Timestamp::MAX.micros(), whole in any::<bool>()) {
        let at = Timestamp::from_micros(if whole { micros / 1_000_000 * 1_000_000 } else { micros });
        let mut out = Vec::new();
        write_timestamp(&mut out, at);
        prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{at}\""));
    }

    #[test]
    fn any_json_is_an_entity_that_can_be_written_or_is_refused(value in any_json(), text in ".{0,60}") {
        let _ = parse_json(text.as_bytes());
        let _ = Projection::parse(&text, &Context::core());
        let context = Context::core();
        let _ = parse_fragment(value.clone(), &context, InputForm::Simplified);
        if let Ok(entity) = parse(&value) {
            for form in [Form::Normalized, Form::Concise, Form::Simplified] {
                show(&entity, &View { form, lang: Some("nl".into()), ..View::default() });
            }
            let again = parse(&show(&entity, &View::default())["a"]).unwrap();
            prop_assert_eq!(again.attributes.get(&Iri::from("https://uri.etsi.org/ngsi-ld/default-context/a")),
                entity.attributes.get(&Iri::from("https://uri.etsi.org/ngsi-ld/default-context/a")));
        }
    }
}
