//! Merging: a fragment laid over an attribute, member by member (ETSI GS CIM 009, 5.5.12; RFC 7396).

use model::{Attribute, AttributeValue, Iri, Timestamp};
use serde_json::Value;

use crate::ngsi::{AttributeFragment, NULL, NgsiError, Patch, set_object_types};

/// How deep a fragment reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Members of the attribute are replaced as a whole (partial update, 5.6.4).
    Members,
    /// Values and sub-attributes are merged in turn (merge, 5.6.17).
    Everything,
}

/// The attribute after the fragment was laid over it.
pub(super) fn merged(
    mut target: Attribute,
    fragment: AttributeFragment,
    depth: Depth,
    now: Timestamp,
) -> Result<Attribute, NgsiError> {
    if let Patch::Set(value) = fragment.value {
        target.value = match depth {
            Depth::Members => value,
            Depth::Everything => merged_value(target.value, value),
        };
    }
    if let Some(types) = fragment.object_types {
        set_object_types(&mut target.value, types);
    }
    fragment.observed_at.apply(&mut target.observed_at);
    fragment.unit_code.apply(&mut target.unit_code);
    for (sub_name, instances) in fragment.sub {
        for instance in instances {
            lay_over(&mut target, sub_name.clone(), instance, depth, now)?;
        }
    }
    target.modified_at = Some(now);
    // A label from a source does not describe what a user wrote over it.
    target.quality = None;
    Ok(target)
}

/// Lays a sub-attribute over those of the target.
fn lay_over(
    target: &mut Attribute,
    name: Iri,
    fragment: AttributeFragment,
    depth: Depth,
    now: Timestamp,
) -> Result<(), NgsiError> {
    let known = target.sub_attributes.entry(name.clone()).or_default();
    let place = known.iter().position(|a| a.dataset_id == fragment.dataset_id);
    match (place, &fragment.value) {
        (Some(place), Patch::Delete) => {
            known.remove(place);
        }
        (None, Patch::Delete) => {}
        (Some(place), _) if depth == Depth::Everything || fragment.value == Patch::Keep => {
            let old = known.swap_remove(place);
            known.push(merged(old, fragment, depth, now)?);
        }
        (Some(place), _) => {
            let attribute = fragment.into_attribute(&name, now)?;
            known.swap_remove(place);
            known.push(attribute);
        }
        (None, _) => known.push(fragment.into_attribute(&name, now)?),
    }
    if known.is_empty() {
        target.sub_attributes.remove(&name);
    }
    Ok(())
}

fn merged_value(old: AttributeValue, new: AttributeValue) -> AttributeValue {
    match (old, new) {
        (AttributeValue::Property(mut old), AttributeValue::Property(new)) => {
            merge_json(&mut old, new);
            AttributeValue::Property(old)
        }
        (AttributeValue::Json(mut old), AttributeValue::Json(new)) => {
            merge_json(&mut old, new);
            AttributeValue::Json(old)
        }
        (AttributeValue::Language(old), AttributeValue::Language(new)) => {
            let mut map = Value::Object(old);
            merge_json(&mut map, Value::Object(new));
            match map {
                Value::Object(map) => AttributeValue::Language(map),
                other => AttributeValue::Property(other),
            }
        }
        (_, new) => new,
    }
}

/// Lays `new` over `old`: objects member by member, with `urn:ngsi-ld:null` taking members away.
fn merge_json(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                if value.as_str() == Some(NULL) {
                    old.shift_remove(&key);
                } else {
                    merge_json(old.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (old, Value::Object(new)) => {
            let mut made = Value::Object(serde_json::Map::new());
            merge_json(&mut made, Value::Object(new));
            *old = made;
        }
        (old, new) => *old = new,
    }
}
