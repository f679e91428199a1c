//! Wire JSON to fragments: normalised, concise and simplified input (ETSI GS CIM 009, 4.5.1 to 4.5.4).

use model::{AttributeValue, Entity, EntityId, Geometry, Iri, Timestamp};
use serde_json::{Map, Value};

use super::{AttributeFragment, EntityFragment, ErrorKind, NULL, NgsiError, Patch};
use crate::context::Context;

/// How attributes are written in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputForm {
    /// Normalised or concise, which can be told apart by themselves.
    #[default]
    Normalized,
    /// Simplified (`keyValues`): each member is a value.
    Simplified,
}

/// The members that carry a value, with the kind each means.
const VALUE_MEMBERS: &[(&str, &str)] = &[
    ("value", "Property"),
    ("object", "Relationship"),
    ("languageMap", "LanguageProperty"),
    ("json", "JsonProperty"),
    ("vocab", "VocabProperty"),
    ("valueList", "ListProperty"),
    ("objectList", "ListRelationship"),
];

const GEOMETRY_TYPES: &[&str] =
    &["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];

/// Reads a complete entity.
///
/// # Errors
/// `InvalidRequest` when it is not an object, `BadRequestData` with the name of the member that is wrong.
pub fn parse_entity(value: Value, context: &Context, now: Timestamp) -> Result<Entity, NgsiError> {
    if !value.is_object() {
        return Err(NgsiError::new(ErrorKind::InvalidRequest, "the body must be one entity: a JSON object"));
    }
    parse_fragment(value, context, InputForm::Normalized)?.into_entity(now)
}

/// Reads what a body says about an entity; `@context` in it is passed over (the caller has resolved it).
///
/// # Errors
/// `BadRequestData` with the name of the member that is wrong.
pub fn parse_fragment(value: Value, context: &Context, form: InputForm) -> Result<EntityFragment, NgsiError> {
    let Value::Object(members) = value else {
        return Err(NgsiError::bad_data("an entity must be a JSON object"));
    };
    let mut fragment = EntityFragment { attributes: Vec::with_capacity(members.len()), ..Default::default() };
    for (name, value) in members {
        match name.as_str() {
            "@context" | "createdAt" | "modifiedAt" | "deletedAt" => {}
            "id" | "@id" => fragment.id = Some(parse_id(&value)?),
            "type" | "@type" => fragment.types = parse_types(&value, context)?,
            "scope" => fragment.scopes = parse_scopes(value)?,
            _ => {
                let iri = context.expand(&name)?;
                let instances = match form {
                    InputForm::Normalized => parse_attribute(&name, value, context)?,
                    InputForm::Simplified => vec![parse_simplified(&name, value)?],
                };
                match fragment.attributes.iter_mut().find(|(known, _)| *known == iri) {
                    Some((_, known)) => known.extend(instances),
                    None => fragment.attributes.push((iri, instances)),
                }
            }
        }
    }
    Ok(fragment)
}

fn parse_id(value: &Value) -> Result<EntityId, NgsiError> {
    let text = value.as_str().ok_or_else(|| NgsiError::bad_data("id: it must be a string with a URI"))?;
    Ok(EntityId::parse(text)?)
}

fn parse_types(value: &Value, context: &Context) -> Result<Vec<Iri>, NgsiError> {
    let refuse = || NgsiError::bad_data("type: it must be a name or an array of names");
    let names: Vec<&str> = match value {
        Value::String(name) => vec![name],
        Value::Array(names) => {
            names.iter().map(|n| n.as_str().ok_or_else(refuse)).collect::<Result<Vec<_>, NgsiError>>()?
        }
        _ => return Err(refuse()),
    };
    if names.is_empty() {
        return Err(refuse());
    }
    let mut types = Vec::with_capacity(names.len());
    for name in names {
        let iri = context.expand(name)?;
        if !types.contains(&iri) {
            types.push(iri);
        }
    }
    Ok(types)
}

fn parse_scopes(value: Value) -> Result<Patch<Vec<String>>, NgsiError> {
    let refuse = || NgsiError::bad_data("scope: give a path such as /Rotterdam/Centrum, or an array of paths");
    // A scope may also be written as a Property, as the temporal representation does.
    let value = match value {
        Value::Object(mut members) => members.remove("value").ok_or_else(refuse)?,
        other => other,
    };
    let scopes = match value {
        Value::String(text) if text == NULL => return Ok(Patch::Delete),
        Value::String(text) => vec![text],
        Value::Array(items) => items
            .into_iter()
            .map(|item| if let Value::String(text) = item { Ok(text) } else { Err(refuse()) })
            .collect::<Result<Vec<_>, _>>()?,
        _ => return Err(refuse()),
    };
    let fits = |scope: &String| {
        let bare = scope.strip_prefix('/').unwrap_or(scope);
        !bare.is_empty() && bare.split('/').all(|level| !level.is_empty() && !level.contains(['#', '+', ',', ';', '(']))
    };
    if !scopes.iter().all(fits) {
        return Err(refuse());
    }
    Ok(Patch::Set(scopes.into_iter().map(|s| if s.starts_with('/') { s } else { format!("/{s}") }).collect()))
}

/// Reads one attribute member: a single instance or an array of instances, normalised or concise.
///
/// # Errors
/// `BadRequestData` that names the attribute.
pub fn parse_attribute(name: &str, value: Value, context: &Context) -> Result<Vec<AttributeFragment>, NgsiError> {
    let instances = match value {
        Value::Array(items) if is_instances(&items) => {
            items.into_iter().map(|item| parse_instance(name, item, context)).collect::<Result<Vec<_>, _>>()?
        }
        other => vec![parse_instance(name, other, context)?],
    };
    Ok(instances)
}

/// Whether an array holds instances of an attribute, and is not itself a concise value.
fn is_instances(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|item| item.as_object().is_some_and(is_attribute_object))
}

fn is_attribute_object(members: &Map<String, Value>) -> bool {
    kind_of(members).is_some()
        || members.contains_key("datasetId")
        || VALUE_MEMBERS.iter().any(|(member, _)| members.contains_key(*member))
}

/// The kind that the `type` member names, when it names one.
fn kind_of(members: &Map<String, Value>) -> Option<&'static str> {
    let named = members.get("type").or_else(|| members.get("@type"))?.as_str()?;
    let known = VALUE_MEMBERS.iter().map(|(_, kind)| *kind).chain(["GeoProperty"]);
    known.into_iter().find(|kind| *kind == named)
}

fn is_geojson(members: &Map<String, Value>) -> bool {
    members.get("type").and_then(Value::as_str).is_some_and(|t| GEOMETRY_TYPES.contains(&t))
        && (members.contains_key("coordinates") || members.contains_key("geometries"))
}

fn parse_instance(name: &str, value: Value, context: &Context) -> Result<AttributeFragment, NgsiError> {
    match value {
        Value::Object(members) if is_geojson(&members) => Ok(AttributeFragment {
            value: Patch::Set(AttributeValue::Geo(parse_geometry(name, &Value::Object(members))?)),
            ..Default::default()
        }),
        Value::Object(members) => parse_object(name, members, context),
        other => Ok(AttributeFragment { value: parse_property(name, other)?, ..Default::default() }),
    }
}

fn parse_object(name: &str, members: Map<String, Value>, context: &Context) -> Result<AttributeFragment, NgsiError> {
    let refuse = |what: String| NgsiError::bad_data(format!("attribute {name}: {what}"));
    let kind = kind_of(&members);
    if let (None, Some(named)) = (kind, members.get("type")) {
        return Err(refuse(format!("{named} is not a kind of attribute; use Property, GeoProperty, Relationship, …")));
    }
    let mut fragment = AttributeFragment { kind, ..Default::default() };
    for (member, value) in members {
        match member.as_str() {
            "type" | "@type" | "@context" | "createdAt" | "modifiedAt" | "deletedAt" | "instanceId" => {}
            "previousValue" | "previousObject" | "previousLanguageMap" | "previousJson" | "previousVocab" => {}
            "observedAt" => fragment.observed_at = parse_time(name, &value)?,
            "unitCode" => fragment.unit_code = parse_unit(name, value)?,
            "datasetId" => fragment.dataset_id = parse_dataset(name, &value)?,
            "objectType" => fragment.object_types = Some(parse_types(&value, context)?),
            "lang" if kind == Some("LanguageProperty") => {}
            _ if VALUE_MEMBERS.iter().any(|(known, _)| *known == member) => {
                if fragment.value != Patch::Keep {
                    return Err(refuse("it has more than one value; keep one of value, object, languageMap, …".into()));
                }
                fragment.value = parse_value(name, kind, &member, value, context)?;
            }
            _ => {
                let iri = context.expand(&member)?;
                fragment.sub.push((iri, parse_attribute(&member, value, context)?));
            }
        }
    }
    Ok(fragment)
}

fn parse_time(name: &str, value: &Value) -> Result<Patch<Timestamp>, NgsiError> {
    let text = value.as_str().or_else(|| value.get("@value")?.as_str());
    match text {
        Some(NULL) => Ok(Patch::Delete),
        Some(text) => Timestamp::parse(text)
            .map(Patch::Set)
            .map_err(|problem| NgsiError::bad_data(format!("attribute {name}: observedAt: {problem}"))),
        None => Err(NgsiError::bad_data(format!("attribute {name}: observedAt must be a string with a time"))),
    }
}

fn parse_unit(name: &str, value: Value) -> Result<Patch<String>, NgsiError> {
    match value {
        Value::String(text) if text == NULL => Ok(Patch::Delete),
        Value::String(text) if !text.is_empty() => Ok(Patch::Set(text)),
        _ => Err(NgsiError::bad_data(format!("attribute {name}: unitCode must be a string"))),
    }
}

fn parse_dataset(name: &str, value: &Value) -> Result<Option<String>, NgsiError> {
    match value.as_str() {
        Some("@none") => Ok(None),
        Some(text) if EntityId::parse(text).is_ok() => Ok(Some(text.to_owned())),
        _ => Err(NgsiError::bad_data(format!("attribute {name}: datasetId must be a URI"))),
    }
}

/// Reads the value member of an attribute, and checks that it fits the kind that was named.
fn parse_value(
    name: &str,
    kind: Option<&str>,
    member: &str,
    value: Value,
    context: &Context,
) -> Result<Patch<AttributeValue>, NgsiError> {
    let refuse = |what: &str| Err(NgsiError::bad_data(format!("attribute {name}: {what}")));
    let meant = VALUE_MEMBERS.iter().find(|(known, _)| *known == member).map_or("Property", |(_, kind)| *kind);
    let geo = kind == Some("GeoProperty");
    if kind.is_some_and(|kind| kind != meant) && !(geo && member == "value") {
        return refuse(&format!("a {} has no member {member}", kind.unwrap_or_default()));
    }
    if value.as_str() == Some(NULL) {
        return Ok(Patch::Delete);
    }
    if value.is_null() {
        return refuse("null is not a value; leave it out, or write urn:ngsi-ld:null to delete it");
    }
    let parsed = match (member, value) {
        ("value", value) if geo || (kind.is_none() && value.as_object().is_some_and(is_geojson)) => {
            AttributeValue::Geo(parse_geometry(name, &value)?)
        }
        ("value", value) => return parse_property(name, value),
        ("object", value) => parse_objects(name, &value)?,
        ("languageMap", Value::Object(map)) if is_language_map(&map) => {
            // A map with only {"@none": urn:ngsi-ld:null} deletes the whole attribute.
            if map.len() == 1 && map.get("@none").and_then(Value::as_str) == Some(NULL) {
                return Ok(Patch::Delete);
            }
            AttributeValue::Language(map)
        }
        ("languageMap", _) => return refuse("languageMap must map language tags to texts or arrays of texts"),
        ("json", value) => AttributeValue::Json(value),
        ("vocab", value) => AttributeValue::Vocab(parse_vocab(name, value, context)?),
        ("valueList", Value::Array(items)) if !items.iter().any(Value::is_null) => AttributeValue::List(items),
        ("valueList", _) => return refuse("valueList must be an array without nulls"),
        ("objectList", value) => parse_object_list(name, &value)?,
        _ => return refuse("it has no value"),
    };
    Ok(Patch::Set(parsed))
}

fn parse_property(name: &str, value: Value) -> Result<Patch<AttributeValue>, NgsiError> {
    match value {
        Value::String(text) if text == NULL => Ok(Patch::Delete),
        Value::Null => Err(NgsiError::bad_data(format!(
            "attribute {name}: null is not a value; leave it out, or write urn:ngsi-ld:null to delete it"
        ))),
        value => Ok(Patch::Set(AttributeValue::Property(value))),
    }
}

fn parse_geometry(name: &str, value: &Value) -> Result<Geometry, NgsiError> {
    Geometry::from_geojson(value).map_err(|problem| NgsiError::bad_data(format!("attribute {name}: {problem}")))
}

fn is_language_map(map: &Map<String, Value>) -> bool {
    let text = |v: &Value| v.is_string() || v.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    !map.is_empty() && map.values().all(text)
}

fn parse_object_id(name: &str, value: &Value) -> Result<EntityId, NgsiError> {
    let refuse = || NgsiError::bad_data(format!("attribute {name}: object must be a URI or an array of URIs"));
    let text = value.as_str().or_else(|| value.get("object").or_else(|| value.get("@id"))?.as_str());
    EntityId::parse(text.ok_or_else(refuse)?).map_err(|_| refuse())
}

fn parse_objects(name: &str, value: &Value) -> Result<AttributeValue, NgsiError> {
    let array = value.as_array();
    let objects = match array {
        Some(items) if items.is_empty() => {
            return Err(NgsiError::bad_data(format!("attribute {name}: object is an empty array")));
        }
        Some(items) => items.iter().map(|item| parse_object_id(name, item)).collect::<Result<Vec<_>, _>>()?,
        None => vec![parse_object_id(name, value)?],
    };
    Ok(AttributeValue::Relationship { objects, array: array.is_some(), object_types: vec![] })
}

fn parse_object_list(name: &str, value: &Value) -> Result<AttributeValue, NgsiError> {
    let refuse = || NgsiError::bad_data(format!("attribute {name}: objectList must be an array of objects"));
    let items = value.as_array().ok_or_else(refuse)?;
    let objects = items.iter().map(|item| parse_object_id(name, item)).collect::<Result<Vec<_>, _>>()?;
    Ok(AttributeValue::ListRelationship { objects, object_types: vec![] })
}

fn parse_vocab(name: &str, value: Value, context: &Context) -> Result<Value, NgsiError> {
    let refuse = || NgsiError::bad_data(format!("attribute {name}: vocab must be a name or an array of names"));
    let expand = |value: &Value| -> Result<Value, NgsiError> {
        let iri = context.expand(value.as_str().ok_or_else(refuse)?)?;
        Ok(Value::String(iri.as_str().to_owned()))
    };
    match &value {
        Value::Array(items) if !items.is_empty() => {
            Ok(Value::Array(items.iter().map(expand).collect::<Result<_, _>>()?))
        }
        single => expand(single),
    }
}

/// Reads a simplified member: a GeoJSON geometry, a language map or a plain value.
fn parse_simplified(name: &str, value: Value) -> Result<AttributeFragment, NgsiError> {
    let value = match value {
        Value::Object(members) if is_geojson(&members) => {
            Patch::Set(AttributeValue::Geo(parse_geometry(name, &Value::Object(members))?))
        }
        Value::Object(mut members) if members.len() == 1 && members.contains_key("languageMap") => {
            match members.remove("languageMap") {
                Some(Value::Object(map)) if is_language_map(&map) => Patch::Set(AttributeValue::Language(map)),
                _ => return Err(NgsiError::bad_data(format!("attribute {name}: languageMap must be an object"))),
            }
        }
        other => parse_property(name, other)?,
    };
    Ok(AttributeFragment { value, ..Default::default() })
}
