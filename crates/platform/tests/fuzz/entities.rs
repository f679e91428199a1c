//! Entities and attributes: what is accepted says the same after it was written and read again.

use model::Timestamp;
use polder_platform::{
    context::Context,
    ngsi::{Form, InputForm, View, parse_entity, parse_fragment, parse_json, write_entity},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    check_reason, config,
    inputs::{corpus, json_value},
};

const NAMES: &[&str] = &[
    "id",
    "type",
    "scope",
    "@context",
    "value",
    "object",
    "languageMap",
    "json",
    "vocab",
    "valueList",
    "objectList",
    "observedAt",
    "unitCode",
    "datasetId",
    "objectType",
    "createdAt",
    "instanceId",
    "coordinates",
    "geometries",
    "lang",
    "@value",
    "@id",
    "@type",
    "Property",
    "GeoProperty",
    "Relationship",
    "LanguageProperty",
    "JsonProperty",
    "VocabProperty",
    "ListProperty",
    "ListRelationship",
    "Point",
    "Polygon",
    "LineString",
    "GeometryCollection",
    "urn:ngsi-ld:Building:1",
    "urn:ngsi-ld:null",
    "2026-08-20T12:00:00Z",
    "@none",
    "speed",
    "name",
    "/Rotterdam",
];

fn now() -> Timestamp {
    Timestamp::from_micros(1_596_283_380_000_000)
}

/// Reads an entity; when that works, writes it in every form and reads the complete form again.
fn try_entity(value: Value) {
    let context = Context::core();
    check_reason(parse_fragment(value.clone(), &context, InputForm::Simplified));
    let Some(entity) = check_reason(parse_entity(value, &context, now())) else { return };
    for form in [Form::Simplified, Form::Concise, Form::Normalized] {
        let view = View { form, ..View::default() };
        let mut out = Vec::new();
        write_entity(&mut out, &entity, &context, &view, None, false);
        let written: Value = serde_json::from_slice(&out).expect("what is written is JSON");
        if form == Form::Normalized {
            let again = parse_entity(written.clone(), &context, now());
            assert_eq!(again.as_ref(), Ok(&entity), "{written}");
        }
    }
}

/// A member that makes an object an entity, if the rest allows it.
fn as_entity(value: Value) -> Value {
    let mut members = match value {
        Value::Object(members) => members,
        other => json!({ "speed": other }).as_object().cloned().unwrap_or_default(),
    };
    members.insert("id".to_owned(), json!("urn:ngsi-ld:Building:1"));
    members.insert("type".to_owned(), json!("Building"));
    members.shift_remove("@id");
    members.shift_remove("@type");
    Value::Object(members)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn entities_of_any_shape_are_read_or_refused(value in json_value(NAMES)) {
        try_entity(value);
    }

    #[test]
    fn attributes_of_any_shape_are_read_or_refused_and_come_back_as_they_were(value in json_value(NAMES)) {
        try_entity(as_entity(value));
    }

    #[test]
    fn numbers_of_any_size_come_back_as_they_were(number in any::<f64>(), whole in any::<i64>(), large in any::<u64>()) {
        let text = json!({"f": number, "i": whole, "u": large}).to_string();
        try_entity(as_entity(parse_json(text.as_bytes()).unwrap_or_default()));
    }
}

#[test]
fn the_corpus_of_entities_is_read_or_refused() {
    for line in corpus("entities") {
        if let Some(value) = check_reason(parse_json(line.as_bytes())) {
            try_entity(value.clone());
            try_entity(as_entity(value));
        }
    }
}
