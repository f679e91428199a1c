//! The order of evolutions in an answer (`orderBy`): by members of the entity or by attributes, each up or down.

use std::cmp::Ordering;

use model::{Attribute, AttributeValue, Iri, Timestamp};
use platform::{context::Context, entities::TemporalEntity, ngsi::NgsiError};
use serde_json::Value;

use crate::Evolution;

/// The most members that an order may name.
const KEYS_MAX: usize = 16;

/// An order: the first member decides, then the second, and so on.
#[derive(Clone, Debug)]
pub struct OrderBy(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    by: By,
    descending: bool,
}

#[derive(Clone, Debug)]
enum By {
    Id,
    Type,
    CreatedAt,
    ModifiedAt,
    /// An attribute: its value, one of its times, or a sub-attribute.
    Attribute(Iri, Vec<(String, Iri)>),
}

/// What one evolution is put in order by: small, so that a great many can be held while they are sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Place(Vec<Sortable>);

/// What a member is compared by. What is missing comes last, in either direction.
#[derive(Clone, Debug, PartialEq)]
enum Sortable {
    Number(f64),
    Text(String),
    Time(Timestamp),
    Missing,
}

impl OrderBy {
    /// Reads `type;asc,name.subProperty;desc`.
    ///
    /// # Errors
    /// `BadRequestData` when a member or a direction is not one.
    pub fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        let keys = text.split(',').map(|part| Key::parse(part.trim(), context)).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > KEYS_MAX {
            return Err(NgsiError::bad_data(format!("orderBy: it names more than {KEYS_MAX} members")));
        }
        Ok(Self(keys))
    }

    /// What an evolution is put in order by.
    pub fn place(&self, evolution: &Evolution) -> Place {
        Place(self.0.iter().map(|key| key.of(evolution)).collect())
    }

    /// Compares two places in this order.
    pub fn compare(&self, left: &Place, right: &Place) -> Ordering {
        let pairs = self.0.iter().zip(left.0.iter().zip(&right.0));
        let mut compared = pairs.map(|(key, (left, right))| left.compare(right, key.descending));
        compared.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Key {
    fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        let (member, direction) = text.split_once(';').unwrap_or((text, "asc"));
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => {
                return Err(NgsiError::bad_data(format!(
                    "orderBy: \"{direction}\" is not a direction; use asc or desc"
                )));
            }
        };
        let by = match member {
            "id" => By::Id,
            "type" => By::Type,
            "createdAt" => By::CreatedAt,
            "modifiedAt" => By::ModifiedAt,
            path => {
                let mut names = path.split('.').map(|name| Ok((name.to_owned(), context.expand(name)?)));
                let first: Result<(String, Iri), NgsiError> =
                    names.next().unwrap_or_else(|| Err(NgsiError::bad_data("orderBy: it is empty; name a member")));
                By::Attribute(first?.1, names.collect::<Result<Vec<_>, NgsiError>>()?)
            }
        };
        Ok(Self { by, descending })
    }

    fn of(&self, evolution: &Evolution) -> Sortable {
        let TemporalEntity { id, types, created_at, modified_at, .. } = &evolution.entity;
        match &self.by {
            By::Id => Sortable::Text(id.as_str().to_owned()),
            By::Type => types.first().map_or(Sortable::Missing, |name| Sortable::Text(name.as_str().to_owned())),
            By::CreatedAt => Sortable::Time(*created_at),
            By::ModifiedAt => Sortable::Time(*modified_at),
            By::Attribute(name, rest) => {
                let strand = evolution.strands.iter().find(|strand| strand.series.attribute == *name);
                strand.and_then(|strand| strand.sample.as_ref()).map_or(Sortable::Missing, |a| Sortable::of(a, rest))
            }
        }
    }
}

impl Sortable {
    fn of(attribute: &Attribute, rest: &[(String, Iri)]) -> Self {
        let time = |time: Option<Timestamp>| time.map_or(Self::Missing, Self::Time);
        let Some(((raw, name), rest)) = rest.split_first() else { return Self::of_value(&attribute.value) };
        match raw.as_str() {
            "observedAt" => time(attribute.observed_at),
            "createdAt" => time(attribute.created_at),
            "modifiedAt" => time(attribute.modified_at),
            _ => {
                let sub = attribute.sub_attributes.get(name).and_then(|instances| instances.first());
                sub.map_or(Self::Missing, |sub| Self::of(sub, rest))
            }
        }
    }

    fn of_value(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::Property(Value::Number(number)) => number.as_f64().map_or(Self::Missing, Self::Number),
            AttributeValue::Property(Value::Bool(flag)) => Self::Number(f64::from(u8::from(*flag))),
            AttributeValue::Property(Value::String(text)) | AttributeValue::Vocab(Value::String(text)) => {
                Self::Text(text.clone())
            }
            AttributeValue::Relationship { objects, .. } => {
                objects.first().map_or(Self::Missing, |object| Self::Text(object.as_str().to_owned()))
            }
            _ => Self::Missing,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Time(_) => 2,
            Self::Missing => 3,
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let up = match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Time(left), Self::Time(right)) => left.cmp(right),
            (left, right) => return left.rank().cmp(&right.rank()),
        };
        if descending { up.reverse() } else { up }
    }
}

#[cfg(test)]
mod tests {
    use model::{EntityId, SeriesKey};
    use serde_json::json;

    use super::*;
    use crate::{Aggregates, Strand};

    fn evolution(id: &str, name: Option<Value>) -> Evolution {
        let id = EntityId::parse(id).unwrap();
        let now = Timestamp::from_micros(0);
        let attribute = Iri::new(format!("{}name", model::DEFAULT_CONTEXT));
        let series = SeriesKey { entity: id.clone(), attribute, dataset_id: None };
        let strands = name.map(|name| Strand {
            series,
            sample: Some(Attribute::property(name)),
            instances: vec![],
            aggregates: Aggregates::default(),
        });
        let entity = TemporalEntity { id, types: vec![], scopes: vec![], created_at: now, modified_at: now };
        Evolution { entity, strands: strands.into_iter().collect() }
    }

    fn check(order: &str, expect: &[&str]) {
        let mut evolutions = [
            evolution("urn:e:1", Some(json!("b"))),
            evolution("urn:e:2", Some(json!("a"))),
            evolution("urn:e:3", None),
            evolution("urn:e:4", Some(json!(7))),
        ];
        let parsed = OrderBy::parse(order, &Context::core()).unwrap();
        evolutions.sort_by(|left, right| parsed.compare(&parsed.place(left), &parsed.place(right)));
        assert_eq!(evolutions.iter().map(|e| e.entity.id.as_str()).collect::<Vec<_>>(), expect, "{order}");
    }

    #[test]
    fn members_order_up_and_down_and_what_is_missing_comes_last() {
        check("id;desc", &["urn:e:4", "urn:e:3", "urn:e:2", "urn:e:1"]);
        check("name", &["urn:e:4", "urn:e:2", "urn:e:1", "urn:e:3"]);
        check("name;desc", &["urn:e:4", "urn:e:1", "urn:e:2", "urn:e:3"]);
        check("createdAt,name;asc", &["urn:e:4", "urn:e:2", "urn:e:1", "urn:e:3"]);
    }

    #[test]
    fn words_that_are_no_direction_or_member_are_refused() {
        for text in ["", "name;up", "na<me", "name,,id"] {
            assert!(OrderBy::parse(text, &Context::core()).is_err(), "{text}");
        }
    }
}
