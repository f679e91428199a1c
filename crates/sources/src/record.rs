//! A record of a feed, before it is an entity: named fields, and a place where the format has one.

use std::{borrow::Cow, sync::Arc};

use model::Geometry;
use serde_json::{Map, Value};

/// One row, feature or message.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its line or number in the input, counted from 1.
    pub line: u64,
    /// Its own fields.
    pub fields: Map<String, Value>,
    /// Its place, where the format has one.
    pub geometry: Option<Geometry>,
    /// Fields of other files, shared between records.
    pub joined: Vec<Arc<Map<String, Value>>>,
}

impl Record {
    /// A record without a place.
    #[must_use]
    pub fn new(line: u64, fields: Map<String, Value>) -> Self {
        Self { line, fields, geometry: None, joined: vec![] }
    }

    /// A field that is there and not null: by name, or by JSON pointer when the name starts with `/`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let found = self.fields.get(name).or_else(|| self.joined.iter().find_map(|j| j.get(name)));
        found.or_else(|| pointer(&self.fields, name)).filter(|v| !v.is_null())
    }

    /// A field as text; numbers and booleans as they are written in JSON.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).and_then(as_text)
    }
}

/// A scalar as text.
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        _ => None,
    }
}

/// A scalar as a finite number.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n: &f64| n.is_finite())
}

/// Whether two scalars mean the same: `1`, `1.0` and `"1"` do.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (as_number(a), as_number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).is_eq(),
        _ => a == b || as_text(a).is_some_and(|x| as_text(b).is_some_and(|y| x == y)),
    }
}

fn pointer<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut steps = path.strip_prefix('/')?.split('/');
    let mut value = fields.get(&unescape(steps.next()?))?;
    for step in steps {
        value = match value {
            Value::Object(object) => object.get(&unescape(step))?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
