//! Numbers of persons: what is below the minimum is taken away where it comes in, so that nothing behind can tell it.
//!
//! The attribute is then absent, and the flag beside it (`peopleCountSuppressed`) says why and when. The exact number
//! goes into the history of the internal tenant ([`model::Tenant::internal`]), which no request reaches.

use model::{Attribute, AttributeValue, Iri, SUPPRESSED};
use serde_json::Value;

use super::{Moment, Working, replaces};

/// The name of the flag that says whether a number was too small to be told.
#[must_use]
pub fn flag_name(name: &Iri) -> Iri {
    Iri::new(format!("{name}{SUPPRESSED}"))
}

/// Whether a number of persons must not be told. What is no number is not told either.
pub(super) fn is_few(attribute: &Attribute, minimum: u32) -> bool {
    attribute.number().is_none_or(|number| number < f64::from(minimum))
}

/// Whether the source itself left the number away.
pub(super) fn is_null(attribute: &Attribute) -> bool {
    matches!(&attribute.value, AttributeValue::Property(Value::Null))
}

/// The flag that stands beside a number of persons.
pub(super) fn flag(attribute: &Attribute, few: bool) -> Attribute {
    Attribute {
        dataset_id: attribute.dataset_id.clone(),
        observed_at: attribute.observed_at,
        quality: attribute.quality.clone(),
        ..Attribute::property(few)
    }
}

/// Takes the number that is known away, unless it is newer than the one that must not be told.
pub(super) fn withhold(work: &mut Working, name: &Iri, new: &Attribute, moment: &Moment) {
    let Some(instances) = work.after.attributes.get_mut(name) else { return };
    let before = instances.len();
    instances.retain(|known| {
        known.dataset_id != new.dataset_id || !replaces(known.observed_at, new.observed_at, moment.city)
    });
    if instances.len() < before {
        work.changed.insert(name.clone());
        work.after.modified_at = moment.wall;
    }
    if instances.is_empty() {
        work.after.attributes.remove(name);
    }
}
