//! From an attribute of an entity to a value that a map, a table or a chart can show.

use model::{Attribute, AttributeValue, Entity, Iri, ObservedValue, QualityFlags, Timestamp, unit_of};
use serde_json::{Map, Value};

use crate::{AttributeConfig, AttributeKind, LayerConfig};

/// The value of an attribute as a picture shows it: a number, a text, a truth value, or `null` for what has no place
/// in a picture (geometry, free JSON).
#[must_use]
pub fn shown(attribute: &Attribute) -> Value {
    match &attribute.value {
        AttributeValue::Property(value) => plain(value),
        AttributeValue::Relationship { objects, .. } | AttributeValue::ListRelationship { objects, .. } => {
            match objects.as_slice() {
                [one] => Value::from(one.as_str()),
                many => many.iter().map(|id| Value::from(id.as_str())).collect(),
            }
        }
        AttributeValue::Language(texts) => Value::Object(texts.clone()),
        AttributeValue::Vocab(Value::String(term)) => Value::from(Iri::from(term.as_str()).short()),
        AttributeValue::Vocab(value) => value.clone(),
        AttributeValue::List(items) => Value::Array(items.clone()),
        AttributeValue::Geo(_) | AttributeValue::Json(_) => Value::Null,
    }
}

/// A JSON-LD typed value (`{"@type": "DateTime", "@value": ...}`) as its bare value; everything else as it is.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.get("@value").cloned().unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

/// The value of an observation in history as a picture shows it.
#[must_use]
pub fn shown_observation(value: &ObservedValue) -> Value {
    match value {
        ObservedValue::Number(number) => Value::from(*number),
        ObservedValue::Attribute(attribute) => shown(attribute),
        ObservedValue::Deleted => Value::Null,
    }
}

/// The number in a shown value.
#[must_use]
pub fn number_in(value: &Value) -> Option<f64> {
    value.as_f64().filter(|n| n.is_finite())
}

/// The moment in a shown value, for attributes that hold one.
#[must_use]
pub fn moment_in(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?).ok()
}

/// The names of the flags that are raised.
#[must_use]
pub fn flag_names(flags: QualityFlags) -> Vec<&'static str> {
    let named =
        [(flags.out_of_range, "outOfRange"), (flags.stuck, "stuck"), (flags.late, "late"), (flags.suspect, "suspect")];
    named.into_iter().filter_map(|(raised, name)| raised.then_some(name)).collect()
}

/// What a thing is called: the layer's title attributes one after the other (in words where the layer has them), else
/// its `name`, else the last part of its identifier.
#[must_use]
pub fn title_of(layer: Option<&LayerConfig>, entity: &Entity, language: &str) -> String {
    let text_of = |name: &str| as_text(&shown(entity.attribute(crate::expand(name).as_str())?));
    let by_layer = layer.and_then(|layer| {
        let part = |name: &String| {
            let text = text_of(name)?;
            Some(in_words(layer.attribute(name), &text, language).unwrap_or(text))
        };
        let parts: Vec<String> = layer.titles.iter().filter_map(part).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    by_layer.or_else(|| text_of("name")).unwrap_or_else(|| {
        let id = entity.id.as_str();
        id.rsplit(':').next().unwrap_or(id).to_owned()
    })
}

/// A value in the words of the layer's configuration.
#[must_use]
pub fn in_words(attribute: Option<&AttributeConfig>, value: &str, language: &str) -> Option<String> {
    let word = attribute?.words.iter().find(|w| w.value == value)?;
    Some(word.label.in_language(language).to_owned())
}

/// A value as text, when it has any.
#[must_use]
pub fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(texts) => first_text(texts),
        _ => None,
    }
}

fn first_text(texts: &Map<String, Value>) -> Option<String> {
    ["nl", "en", "@none"].iter().find_map(|l| texts.get(*l)).or_else(|| texts.values().next()).and_then(as_text)
}

/// The symbol behind a number: from the value's own unit, else from the layer's.
#[must_use]
pub fn unit_symbol(own: Option<&str>, config: Option<&AttributeConfig>) -> Option<String> {
    let code = own.or(config.and_then(|c| c.unit_code.as_deref()))?;
    Some(unit_of(code).map_or_else(|| code.to_owned(), |u| u.symbol.to_owned()))
}

/// Whether a value is of the kind that the layer promises; a text where a number belongs is no data.
#[must_use]
pub fn fits(kind: AttributeKind, value: &Value) -> bool {
    match kind {
        AttributeKind::Number => number_in(value).is_some(),
        AttributeKind::Time => moment_in(value).is_some(),
        AttributeKind::Text => !value.is_null(),
    }
}
