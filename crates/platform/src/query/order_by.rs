//! Ordering of results: `name`, `name.sub;desc`, `type,createdAt` (ETSI GS CIM 009, 4.23).

use std::cmp::Ordering;

use model::{Entity, Timestamp};
use serde_json::Value;

use super::q::{Found, Path};
use crate::{context::Context, ngsi::NgsiError};

/// The most members to order by.
const KEYS_MAX: usize = 8;

/// By which members results are ordered, most important first. Entities that tie are ordered by id.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy(Vec<Key>);

#[derive(Clone, Debug, PartialEq)]
struct Key {
    member: Member,
    descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Member {
    Id,
    Type,
    Path(Path),
}

/// A value that can be ordered. Values of different types are ordered by type; what is missing comes last.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Rank {
    Bool(bool),
    Number(f64),
    Time(Timestamp),
    Text(String),
    Missing,
}

impl OrderBy {
    /// Reads `member[;asc|;desc]`, separated by commas.
    ///
    /// # Errors
    /// `BadRequestData` when a member is not a name or the direction is neither `asc` nor `desc`.
    pub fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        let keys: Vec<Key> = text.split(',').map(|key| parse_key(key, context)).collect::<Result<_, _>>()?;
        if keys.len() > KEYS_MAX {
            return Err(NgsiError::bad_data(format!("orderBy: at most {KEYS_MAX} members")));
        }
        Ok(Self(keys))
    }

    /// The order of two entities.
    #[must_use]
    pub fn compare(&self, a: &Entity, b: &Entity) -> Ordering {
        let by_key = |key: &Key| {
            let order = key.value(a).partial_cmp(&key.value(b)).unwrap_or(Ordering::Equal);
            if key.descending { order.reverse() } else { order }
        };
        self.0.iter().map(by_key).find(|order| order.is_ne()).unwrap_or_else(|| a.id.cmp(&b.id))
    }
}

fn parse_key(text: &str, context: &Context) -> Result<Key, NgsiError> {
    let (name, direction) = text.split_once(';').unwrap_or((text, "asc"));
    let descending = match direction {
        "asc" => false,
        "desc" => true,
        other => return Err(NgsiError::bad_data(format!("orderBy: \"{other}\" is neither asc nor desc"))),
    };
    let member = match name {
        "id" => Member::Id,
        "type" => Member::Type,
        name => Member::Path(Path::parse(name, context)?),
    };
    Ok(Key { member, descending })
}

impl Key {
    fn value(&self, entity: &Entity) -> Rank {
        match &self.member {
            Member::Id => Rank::Text(entity.id.to_string()),
            Member::Type => Rank::Text(entity.types.iter().map(|t| t.as_str()).min().unwrap_or_default().to_owned()),
            Member::Path(path) => {
                let mut first = Rank::Missing;
                path.any(entity, &mut |found| {
                    first = sortable(found);
                    first != Rank::Missing
                });
                first
            }
        }
    }
}

fn sortable(found: Found<'_>) -> Rank {
    match found {
        Found::Json(Value::Bool(value)) => Rank::Bool(*value),
        Found::Json(Value::Number(number)) => number.as_f64().map_or(Rank::Missing, Rank::Number),
        Found::Json(Value::String(text)) | Found::Vocab(Value::String(text)) => Rank::Text(text.clone()),
        Found::Text(text) => Rank::Text(text.to_owned()),
        Found::Time(at) => Rank::Time(at),
        Found::Json(_) | Found::Vocab(_) | Found::Opaque => Rank::Missing,
    }
}
