//! The query language `q` (ETSI GS CIM 009, 4.9): what an expression means for an entity.

use model::{Attribute, AttributeValue, Entity, Iri, Timestamp};
use regex::Regex;
use serde_json::Value;

use super::q_value::{Operand, Scalar};
use crate::{context::Context, ngsi::NgsiError};

/// A query expression.
#[derive(Clone, Debug)]
pub enum Q {
    /// All of these.
    All(Vec<Q>),
    /// At least one of these.
    Any(Vec<Q>),
    /// The attribute (or part) exists.
    Exists(Path),
    /// The attribute (or part) compares with a value.
    Compare(Path, Operator, Operand),
    /// The text matches a regular expression (or, when `false`, does not).
    Pattern(Path, bool, Regex),
}

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`.
    Equal,
    /// `!=`.
    Unequal,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
}

/// Which part of an entity is meant: `attribute.sub.sub[key.key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The attribute and its sub-attributes, as written and expanded; at least one.
    pub names: Vec<(String, Iri)>,
    /// Keys into the value.
    pub keys: Vec<String>,
}

/// A value found in an entity.
#[derive(Clone, Copy)]
pub(super) enum Found<'e> {
    Json(&'e Value),
    Vocab(&'e Value),
    Text(&'e str),
    Time(Timestamp),
    /// There is something, but nothing that could be compared (a geometry).
    Opaque,
}

impl Q {
    /// Reads an expression; names are expanded with the context.
    ///
    /// # Errors
    /// `BadRequestData` with the place where it stops being an expression.
    pub fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        super::q_parse::parse(text, context)
    }

    /// Whether the entity fits the expression.
    #[must_use]
    pub fn matches(&self, entity: &Entity) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.matches(entity)),
            Self::Any(parts) => parts.iter().any(|p| p.matches(entity)),
            Self::Exists(path) => path.any(entity, &mut |_| true),
            Self::Compare(path, Operator::Unequal, operand) => {
                path.any(entity, &mut |_| true) && !path.any(entity, &mut |found| operand.equals(found))
            }
            Self::Compare(path, operator, operand) => path.any(entity, &mut |found| operand.compares(*operator, found)),
            Self::Pattern(path, wanted, regex) => {
                let matched = path.any(entity, &mut |found| matches_text(regex, found));
                matched == *wanted && path.any(entity, &mut |_| true)
            }
        }
    }
}

fn matches_text(regex: &Regex, found: Found<'_>) -> bool {
    match found {
        Found::Text(text) => regex.is_match(text),
        Found::Json(value) | Found::Vocab(value) => match value {
            Value::String(text) => regex.is_match(text),
            Value::Array(items) => items.iter().any(|item| matches_text(regex, Found::Json(item))),
            _ => false,
        },
        Found::Time(at) => regex.is_match(&at.to_string()),
        Found::Opaque => false,
    }
}

impl Path {
    /// Reads a path that stands alone.
    pub(super) fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        super::q_parse::parse_path(text, context)
    }

    /// Whether any value at this path passes a test.
    pub(super) fn any(&self, entity: &Entity, test: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
        let Some(((raw, name), rest)) = self.names.split_first() else { return false };
        if let Some(instances) = entity.attributes.get(name) {
            return instances.iter().any(|instance| self.any_in(instance, rest, test));
        }
        match raw.as_str() {
            "createdAt" if rest.is_empty() => test(Found::Time(entity.created_at)),
            "modifiedAt" if rest.is_empty() => test(Found::Time(entity.modified_at)),
            "scope" if rest.is_empty() => entity.scopes.iter().any(|scope| test(Found::Text(scope))),
            _ => false,
        }
    }

    fn any_in(&self, attribute: &Attribute, rest: &[(String, Iri)], test: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
        let Some(((raw, name), rest)) = rest.split_first() else {
            return self.any_value(attribute, test);
        };
        if let Some(instances) = attribute.sub_attributes.get(name) {
            return instances.iter().any(|instance| self.any_in(instance, rest, test));
        }
        let found = match raw.as_str() {
            "observedAt" => attribute.observed_at.map(Found::Time),
            "createdAt" => attribute.created_at.map(Found::Time),
            "modifiedAt" => attribute.modified_at.map(Found::Time),
            "unitCode" => attribute.unit_code.as_deref().map(Found::Text),
            "datasetId" => attribute.dataset_id.as_deref().map(Found::Text),
            _ => None,
        };
        rest.is_empty() && self.keys.is_empty() && found.is_some_and(test)
    }

    fn any_value(&self, attribute: &Attribute, test: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
        match &attribute.value {
            AttributeValue::Property(value) | AttributeValue::Json(value) => {
                at_keys(value, &self.keys).is_some_and(|value| test(Found::Json(plain(value))))
            }
            AttributeValue::List(items) => {
                self.keys.is_empty() && (items.is_empty() || items.iter().any(|item| test(Found::Json(plain(item)))))
            }
            AttributeValue::Vocab(value) => self.keys.is_empty() && test(Found::Vocab(value)),
            AttributeValue::Language(map) => match self.keys.as_slice() {
                [] => map.values().any(|text| test(Found::Json(text))),
                [tag] if tag == "*" => map.values().any(|text| test(Found::Json(text))),
                [tag] => map.get(tag).is_some_and(|text| test(Found::Json(text))),
                _ => false,
            },
            AttributeValue::Relationship { objects, .. } | AttributeValue::ListRelationship { objects, .. } => {
                self.keys.is_empty() && objects.iter().any(|object| test(Found::Text(object.as_str())))
            }
            AttributeValue::Geo(_) => self.keys.is_empty() && test(Found::Opaque),
        }
    }
}

/// The value itself of a JSON-LD typed value (`{"@type": "DateTime", "@value": …}`).
fn plain(value: &Value) -> &Value {
    value.get("@value").unwrap_or(value)
}

fn at_keys<'v>(value: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    })
}

impl Scalar {
    /// Whether a found value, or one element of a found array, equals this.
    pub(super) fn equals(&self, found: Found<'_>) -> bool {
        self.holds(found, &|ordering| ordering.is_eq())
    }
}
