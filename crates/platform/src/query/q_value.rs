//! Values in `q` expressions, and how they compare with values of entities.

use std::cmp::Ordering;

use model::{Iri, Timestamp};
use serde_json::Value;

use super::q::{Found, Operator};

/// One value in an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A moment, written without quotes; with its text, for attributes that hold times as text.
    Time(Timestamp, String),
    /// Text, quoted or not (URIs, dates), and what it expands to as a vocabulary name.
    Text(String, Option<Iri>),
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// One value.
    One(Scalar),
    /// Any of several values (`a,b,c`).
    OneOf(Vec<Scalar>),
    /// From the first to the second, both included (`a..b`).
    Range(Scalar, Scalar),
}

impl Operand {
    pub(super) fn equals(&self, found: Found<'_>) -> bool {
        match self {
            Self::One(scalar) => scalar.equals(found),
            Self::OneOf(scalars) => scalars.iter().any(|scalar| scalar.equals(found)),
            Self::Range(from, to) => from.holds(found, &Ordering::is_ge) && to.holds(found, &Ordering::is_le),
        }
    }

    pub(super) fn compares(&self, operator: Operator, found: Found<'_>) -> bool {
        let test: fn(Ordering) -> bool = match operator {
            Operator::Equal => return self.equals(found),
            Operator::Unequal => return !self.equals(found),
            Operator::Greater => Ordering::is_gt,
            Operator::GreaterEqual => Ordering::is_ge,
            Operator::Less => Ordering::is_lt,
            Operator::LessEqual => Ordering::is_le,
        };
        match self {
            Self::One(scalar) => scalar.holds(found, &test),
            Self::OneOf(_) | Self::Range(..) => false,
        }
    }
}

impl Scalar {
    /// Whether the order of the found value (or of one element of a found array) towards this one passes a test.
    /// Values of different types have no order, so they pass no test.
    pub(super) fn holds(&self, found: Found<'_>, test: &dyn Fn(Ordering) -> bool) -> bool {
        match found {
            Found::Json(Value::Array(items)) => items.iter().any(|item| self.holds(Found::Json(item), test)),
            Found::Vocab(Value::Array(items)) => items.iter().any(|item| self.holds(Found::Vocab(item), test)),
            Found::Json(value) => self.order_of_json(value).is_some_and(test),
            Found::Vocab(value) => self.is_vocab(value) && test(Ordering::Equal),
            Found::Text(text) => self.order_of_text(text).is_some_and(test),
            Found::Time(at) => self.moment().is_some_and(|own| test(at.cmp(&own))),
            Found::Opaque => false,
        }
    }

    fn order_of_json(&self, value: &Value) -> Option<Ordering> {
        match (value, self) {
            (Value::Number(number), Self::Number(own)) => number.as_f64()?.partial_cmp(own),
            (Value::Bool(found), Self::Bool(own)) => Some(found.cmp(own)),
            (Value::String(text), own) => own.order_of_text(text),
            _ => None,
        }
    }

    fn order_of_text(&self, text: &str) -> Option<Ordering> {
        match self {
            Self::Time(own, written) => match Timestamp::parse(text) {
                Ok(at) => Some(at.cmp(own)),
                Err(_) => Some(text.cmp(written)),
            },
            Self::Text(own, _) => Some(text.cmp(own)),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }

    fn is_vocab(&self, value: &Value) -> bool {
        match (self, value.as_str()) {
            (Self::Text(own, expanded), Some(found)) => {
                own == found || expanded.as_ref().is_some_and(|iri| iri.as_str() == found)
            }
            _ => false,
        }
    }

    fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::Time(at, _) => Some(*at),
            Self::Text(text, _) => Timestamp::parse(text).ok(),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }
}
