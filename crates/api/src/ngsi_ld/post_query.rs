//! Queries in a body (ETSI GS CIM 009, 6.23).

use axum::{extract::State, response::Response};
use model::EntityId;
use platform::{
    context::Context,
    ngsi::NgsiError,
    query::{Selector, TypeSelector, pattern},
};
use serde_json::{Map, Value};

use super::{
    Ask, Params,
    params::{QUERY, VIEW},
    query::answer_query,
};
use crate::{ApiError, AppState};

/// Members of the body that mean the same as the parameter of that name.
const SAME: &[&str] = &[
    "attrs",
    "q",
    "scopeQ",
    "lang",
    "pick",
    "omit",
    "datasetId",
    "join",
    "joinLevel",
    "containedBy",
    "expandValues",
    "jsonKeys",
    "csf",
    "entityMap",
    "splitEntities",
];

/// Queries entities by a body.
pub(super) async fn post_query(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW, QUERY])?;
    let body = ask.body(&state).await?;
    let Value::Object(mut members) = body.value else {
        return Err(NgsiError::bad_data("a query is a JSON object with type \"Query\"").into());
    };
    if members.get("type").and_then(Value::as_str) != Some("Query") {
        return Err(NgsiError::bad_data("type: a query has the type \"Query\"").into());
    }
    let mut params = ask.params.clone();
    let selectors = members.shift_remove("entities").map(|e| selectors_of(&e, &body.context)).transpose()?;
    if let Some(geo) = members.shift_remove("geoQ") {
        geo_params(&geo, &mut params)?;
    }
    plain_params(members, &mut params)?;
    answer_query(&state, &ask, &params, &body.context, selectors).await
}

pub(super) fn plain_params(members: Map<String, Value>, params: &mut Params) -> Result<(), NgsiError> {
    for (name, value) in members {
        if !SAME.contains(&name.as_str()) {
            continue;
        }
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Array(items) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                texts.ok_or_else(|| NgsiError::bad_data(format!("{name}: give an array of strings")))?.join(",")
            }
            _ => return Err(NgsiError::bad_data(format!("{name}: give a string or an array of strings"))),
        };
        params.set(&name, text);
    }
    Ok(())
}

pub(super) fn geo_params(geo: &Value, params: &mut Params) -> Result<(), NgsiError> {
    let text = |name: &str| geo.get(name).and_then(Value::as_str).map(str::to_owned);
    for name in ["georel", "geometry", "geoproperty"] {
        if let Some(text) = text(name) {
            params.set(name, text);
        }
    }
    match geo.get("coordinates") {
        Some(Value::String(text)) => params.set("coordinates", text.clone()),
        Some(coordinates @ Value::Array(_)) => params.set("coordinates", coordinates.to_string()),
        _ => return Err(NgsiError::bad_data("geoQ: coordinates must be a JSON array")),
    }
    Ok(())
}

/// The most selectors in one query: each is held against every candidate.
const SELECTORS_MAX: usize = 100;

pub(super) fn selectors_of(entities: &Value, context: &Context) -> Result<Vec<Selector>, NgsiError> {
    let refuse = || NgsiError::bad_data("entities: give an array of objects with type, and perhaps id or idPattern");
    let items = entities.as_array().filter(|items| !items.is_empty()).ok_or_else(refuse)?;
    if items.len() > SELECTORS_MAX {
        return Err(NgsiError::bad_data(format!("entities: give at most {SELECTORS_MAX} selectors")));
    }
    items
        .iter()
        .map(|item| selector_of(item, context).map_err(|e| if item.is_object() { e } else { refuse() }))
        .collect()
}

fn selector_of(item: &Value, context: &Context) -> Result<Selector, NgsiError> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let ids = match item.get("id") {
        None => vec![],
        Some(Value::String(id)) => {
            id.split(',').map(|id| EntityId::parse(id).map_err(NgsiError::from)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(NgsiError::bad_data("entities: id must be a URI")),
    };
    let types = match text("type") {
        None => return Err(NgsiError::bad_data("entities: each needs a type")),
        Some("*") => None,
        Some(text) => Some(TypeSelector::parse(text, context)?),
    };
    Ok(Selector { ids, id_pattern: text("idPattern").map(pattern).transpose()?, types })
}
