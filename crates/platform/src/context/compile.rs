//! Compiles context documents into one term table.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{Context, core::CORE};
use crate::ngsi::{ErrorKind, NgsiError};

/// The most terms one context may define.
const TERMS_MAX: usize = 50_000;
/// The longest IRI of a term, bytes. Each term keeps its IRI, so a long namespace would be kept once for each of them.
const IRI_BYTES_MAX: usize = 2_048;
/// The bytes of all IRIs of one context.
const IRIS_BYTES_MAX: usize = 8 << 20;
/// The longest chain of terms defined by other terms.
const CHAIN_MAX: usize = 16;

/// Compiles documents, later ones overriding earlier ones. `wire` is what answers will carry.
///
/// # Errors
/// `BadRequestData` when there are too many terms or a definition is not one.
pub(super) fn compile(documents: &[Map<String, Value>], wire: Value) -> Result<Context, NgsiError> {
    let mut raw: BTreeMap<&str, &Value> = BTreeMap::new();
    for document in documents {
        raw.extend(document.iter().map(|(term, definition)| (term.as_str(), definition)));
    }
    if raw.len() > TERMS_MAX {
        return Err(NgsiError::bad_data(format!("the @context defines more than {TERMS_MAX} terms")));
    }
    let mut terms = HashMap::with_capacity(raw.len());
    let (mut prefixes, mut bytes) = (Vec::new(), 0);
    for (term, definition) in &raw {
        if term.starts_with('@') {
            continue;
        }
        let iri = resolve(term, definition, &raw, 0)?;
        bytes += term.len() + iri.len();
        if bytes > IRIS_BYTES_MAX {
            let detail = format!("the IRIs of the @context take more than {IRIS_BYTES_MAX} bytes; split it");
            return Err(NgsiError::bad_data(detail));
        }
        if is_prefix(definition, &iri) && !CORE.terms.contains_key(*term) {
            prefixes.push((iri.clone(), Box::from(*term)));
        }
        terms.insert(Box::from(*term), iri);
    }
    prefixes.sort_by(|(a, x): &(Box<str>, Box<str>), (b, y)| b.len().cmp(&a.len()).then_with(|| x.cmp(y)));
    Ok(Context::new(terms, prefixes, wire))
}

/// A simple term whose IRI ends in a delimiter, or one marked as such, may be a prefix (JSON-LD 1.1, 4.1.4).
fn is_prefix(definition: &Value, iri: &str) -> bool {
    match definition {
        Value::String(_) => iri.ends_with([':', '/', '?', '#', '[', ']', '@']),
        Value::Object(members) => members.get("@prefix") == Some(&Value::Bool(true)),
        _ => false,
    }
}

/// The IRI of a term; empty when the term means nothing (`null`, a keyword, a reverse property).
fn resolve(term: &str, definition: &Value, raw: &BTreeMap<&str, &Value>, depth: usize) -> Result<Box<str>, NgsiError> {
    let refuse = |what: &str| {
        NgsiError::new(ErrorKind::BadRequestData, format!("@context: the definition of \"{term}\" {what}"))
    };
    if depth > CHAIN_MAX {
        return Err(refuse("refers to itself, or through too many other terms"));
    }
    let id = match definition {
        Value::Null => return Ok("".into()),
        Value::String(id) => id.as_str(),
        Value::Object(members) => match members.get("@id") {
            Some(Value::String(id)) => id.as_str(),
            None if members.contains_key("@reverse") => return Ok("".into()),
            None => term,
            Some(Value::Null) => return Ok("".into()),
            Some(_) => return Err(refuse("has an @id that is not a string")),
        },
        _ => return Err(refuse("must be a string or an object")),
    };
    let too_long = || refuse(&format!("leads to an IRI of more than {IRI_BYTES_MAX} bytes"));
    let join = |namespace: &str, rest: &str| match namespace.len() + rest.len() <= IRI_BYTES_MAX {
        true => Ok(format!("{namespace}{rest}").into()),
        false => Err(too_long()),
    };
    if id.len() > IRI_BYTES_MAX {
        return Err(too_long());
    }
    if id.starts_with('@') {
        return Ok("".into());
    }
    if let Some(core) = CORE.terms.get(id) {
        return Ok(core.as_str().into());
    }
    if id != term
        && let Some(other) = raw.get(id)
    {
        return resolve(id, other, raw, depth + 1);
    }
    if let Some((prefix, rest)) = id.split_once(':') {
        if rest.starts_with("//") {
            return Ok(id.into());
        }
        if let Some(core) = CORE.terms.get(prefix) {
            return join(core.as_str(), rest);
        }
        if prefix != term
            && let Some(namespace) = raw.get(prefix)
        {
            let namespace = resolve(prefix, namespace, raw, depth + 1)?;
            return join(&namespace, rest);
        }
        return Ok(id.into());
    }
    let vocab = raw.get("@vocab").and_then(|v| v.as_str()).unwrap_or(model::DEFAULT_CONTEXT);
    join(vocab, id)
}
