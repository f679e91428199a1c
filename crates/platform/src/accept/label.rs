//! Units and the quality label of each value that comes in.

use std::{collections::HashMap, sync::Mutex};

use model::{Attribute, AttributeValue, EntityId, Iri, Problem, Timestamp, harmonise};
use serde_json::Value;

use super::{AttributeRules, Moment, SourceRules};

/// The most series whose standing still is watched.
const WATCHED_MAX: usize = 200_000;

/// Since when each watched series has had the value that it has.
#[derive(Debug, Default)]
pub struct Watch {
    since: Mutex<HashMap<(EntityId, Iri), Standing>>,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    value: f64,
    since: Timestamp,
    last: Timestamp,
}

impl Watch {
    /// For how many seconds the series has had this value, this one included.
    fn stands_s(&self, entity: &EntityId, name: &Iri, value: f64, at: Timestamp) -> f64 {
        // Each entry is replaced as a whole, so a panic elsewhere leaves the table usable.
        let mut since = self.since.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if since.len() >= WATCHED_MAX {
            since.clear();
        }
        let fresh = Standing { value, since: at, last: at };
        let standing = since.entry((entity.clone(), name.clone())).or_insert(fresh);
        // Another value, or a replay that went back: the count starts again.
        if standing.value.total_cmp(&value).is_ne() || at < standing.last {
            *standing = fresh;
        }
        standing.last = at;
        at.seconds_since(standing.since)
    }
}

/// Brings one value to its unit and labels it.
///
/// # Errors
/// When its unit cannot become the unit wanted.
pub(super) fn label(
    attribute: &mut Attribute,
    entity: &EntityId,
    name: &Iri,
    source: &SourceRules,
    rules: Option<&AttributeRules>,
    moment: &Moment,
    watch: &Watch,
) -> Result<(), Problem> {
    let mut quality = attribute.quality.take().unwrap_or_default();
    if quality.source.is_none() {
        quality.source = Some(source.name.clone());
    }
    if let (Some(limit), Some(at), true) = (source.late_after_s, attribute.observed_at, moment.live) {
        quality.flags.late |= moment.city.seconds_since(at) > limit;
    }
    if let (Some(rules), Some(number)) = (rules, attribute.number()) {
        quality.flags.out_of_range |= rules.range.is_some_and(|[low, high]| !(low..=high).contains(&number));
        if let (Some(limit), Some(at)) = (rules.stuck_after_s, attribute.observed_at) {
            quality.flags.stuck |= watch.stands_s(entity, name, number, at) > limit;
        }
        to_unit(attribute, number, rules, name)?;
    }
    attribute.quality = Some(quality);
    Ok(())
}

fn to_unit(attribute: &mut Attribute, number: f64, rules: &AttributeRules, name: &Iri) -> Result<(), Problem> {
    let (Some(from), Some(to)) = (&attribute.unit_code, &rules.to_unit) else { return Ok(()) };
    if from == to {
        return Ok(());
    }
    let converted = harmonise(number, from, to).ok_or_else(|| {
        let remedy = "state units of the same quantity in city.toml";
        Problem::new(name.short(), format!("{from} cannot become {to}"), remedy)
    })?;
    attribute.value = AttributeValue::Property(tidy_number(converted));
    attribute.unit_code = Some(to.clone());
    Ok(())
}

/// A number as JSON without the dust of binary fractions: nine decimals, whole where it is whole.
fn tidy_number(number: f64) -> Value {
    let rounded = if number.abs() < 1e6 { (number * 1e9).round() / 1e9 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    let whole = (rounded.fract() == 0.0 && rounded.abs() < 9.0e15).then_some(rounded as i64);
    whole.map_or_else(|| serde_json::Number::from_f64(rounded).map_or(Value::Null, Value::Number), Value::from)
}
