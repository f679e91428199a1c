//! Floors: numbers that are never stored where a request can read, whoever writes them. The city sets them for numbers of
//! persons; what comes from a source has been taken away before, so only writes of clients meet them.

use std::collections::HashMap;

use model::{Attribute, AttributeValue, Attributes, Iri, ObservedValue, Tenant};
use serde_json::Value;

use crate::StoreError;

/// By expanded name of an attribute, the smallest number that may be stored.
pub(crate) type Floors = HashMap<Iri, f64>;

/// Whether requests reach a tenant: the server's own begin with `_`.
pub(crate) fn reachable(tenant: &Tenant) -> bool {
    !tenant.as_str().starts_with('_')
}

/// Checks those of the attributes that a write changes.
pub(crate) fn check_attributes(floors: &Floors, attributes: &Attributes, changed: &[Iri]) -> Result<(), StoreError> {
    for (name, instances) in attributes.iter().filter(|(name, _)| changed.contains(name)) {
        for attribute in instances {
            check_attribute(floors, name, attribute)?;
        }
    }
    Ok(())
}

/// Checks an observation.
pub(crate) fn check_observed(floors: &Floors, name: &Iri, value: &ObservedValue) -> Result<(), StoreError> {
    match value {
        ObservedValue::Number(number) if floors.get(name).is_some_and(|floor| number < floor) => Err(refused(name)),
        ObservedValue::Attribute(attribute) => check_attribute(floors, name, attribute),
        _ => Ok(()),
    }
}

fn check_attribute(floors: &Floors, name: &Iri, attribute: &Attribute) -> Result<(), StoreError> {
    if let Some(floor) = floors.get(name) {
        let below = match &attribute.value {
            AttributeValue::Property(value) | AttributeValue::Json(value) => holds_below(value, *floor),
            AttributeValue::List(values) => values.iter().any(|value| holds_below(value, *floor)),
            _ => false,
        };
        if below {
            return Err(refused(name));
        }
    }
    for (name, instances) in &attribute.sub_attributes {
        for inner in instances {
            check_attribute(floors, name, inner)?;
        }
    }
    Ok(())
}

fn holds_below(value: &Value, floor: f64) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|number| number < floor),
        Value::Array(items) => items.iter().any(|item| holds_below(item, floor)),
        Value::Object(members) => members.values().any(|member| holds_below(member, floor)),
        _ => false,
    }
}

/// The message repeats nothing of the number.
fn refused(name: &Iri) -> StoreError {
    StoreError::Unstorable {
        thing: name.short().to_owned(),
        detail: "it is a number of persons below the city's minimum; leave it out, so that nobody can be recognised"
            .to_owned(),
    }
}
