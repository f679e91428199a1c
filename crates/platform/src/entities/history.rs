//! Writes to entities become history: one observation for each attribute instance that was set or withdrawn.

use model::{Attribute, AttributeValue, EntityId, Iri, Observation, ObservedValue, SeriesKey, Timestamp};
use store::Transaction;

/// The largest whole number that a double holds exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Records one instance as it is now. Its place in time is `observedAt`, or else when it was changed.
pub fn record(tx: &mut Transaction, entity: &EntityId, name: &Iri, attribute: &Attribute, now: Timestamp) {
    let series =
        SeriesKey { entity: entity.clone(), attribute: name.clone(), dataset_id: attribute.dataset_id.clone() };
    tx.observe(Observation {
        series,
        at: attribute.observed_at.or(attribute.modified_at).unwrap_or(now),
        value: observed_value(attribute),
        unit_code: attribute.unit_code.clone(),
        quality: attribute.quality.clone().unwrap_or_default(),
        recorded_at: now,
    });
}

/// Records that one instance was withdrawn.
pub fn record_deleted(tx: &mut Transaction, entity: &EntityId, name: &Iri, dataset_id: Option<&str>, now: Timestamp) {
    let series =
        SeriesKey { entity: entity.clone(), attribute: name.clone(), dataset_id: dataset_id.map(str::to_owned) };
    tx.observe(Observation {
        series,
        at: now,
        value: ObservedValue::Deleted,
        unit_code: None,
        quality: model::Quality::default(),
        recorded_at: now,
    });
}

/// A plain number goes into the numbers' column; whatever has more to say is kept complete.
fn observed_value(attribute: &Attribute) -> ObservedValue {
    let plain = attribute.observed_at.is_some() && attribute.sub_attributes.is_empty();
    match (&attribute.value, attribute.number()) {
        (AttributeValue::Property(_), Some(number))
            if plain && attribute.instance_id.is_none() && number.abs() <= EXACT_MAX =>
        {
            ObservedValue::Number(number)
        }
        _ => ObservedValue::Attribute(Box::new(attribute.clone())),
    }
}
