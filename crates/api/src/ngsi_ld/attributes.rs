//! Attributes of one entity: append, update, partial update, replace, delete (ETSI GS CIM 009, 6.6 and 6.7).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use model::EntityId;
use platform::{
    context::Context,
    entities::{self, UpdateResult},
    ngsi::{ErrorKind, InputForm, NgsiError, parse_attribute, parse_fragment},
};
use serde_json::{Value, json};
use temporal::Datasets;

use super::{Ask, Media};
use crate::{ApiError, AppState};

/// 204 when everything was done, else 207 with what was and what was not.
fn answer_update(ask: &Ask, context: &Context, result: &UpdateResult) -> Response {
    if result.not_updated.is_empty() {
        return ask.done(StatusCode::NO_CONTENT);
    }
    // Names are given in full, as the standard has them in an UpdateResult (5.2.18).
    let value = json!({
        "updated": result.updated,
        "notUpdated": result.not_updated.iter().map(|(iri, reason)| {
            json!({"attributeName": iri, "reason": reason})
        }).collect::<Vec<_>>(),
    });
    let mut response = ask.answer_value(Media::Json, context, value);
    *response.status_mut() = StatusCode::MULTI_STATUS;
    response
}

/// Appends attributes to an entity.
pub(super) async fn append_attributes(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "type", "local", "via"]])?;
    ask.params.check_options()?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let fragment = parse_fragment(body.value, &body.context, InputForm::Normalized)?;
    let overwrite = !ask.params.option("noOverwrite");
    let result = entities::append_attributes(&ask.store, ask.tenant(), &id, fragment, overwrite, ask.now).await?;
    Ok(answer_update(&ask, &body.context, &result))
}

/// Updates attributes that an entity has.
pub(super) async fn update_attributes(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let fragment = parse_fragment(body.value, &body.context, InputForm::Normalized)?;
    let result = entities::update_attributes(&ask.store, ask.tenant(), &id, fragment, ask.now).await?;
    Ok(answer_update(&ask, &body.context, &result))
}

/// Updates members of one attribute.
pub(super) async fn partial_update(
    State(state): State<AppState>,
    Path((id, attr)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let name = body.context.expand(&attr)?;
    let mut fragments = parse_attribute(&attr, only_attribute(body.value)?, &body.context)?;
    let (Some(fragment), true) = (fragments.pop(), fragments.is_empty()) else {
        return Err(NgsiError::bad_data("a partial update is about one instance of the attribute").into());
    };
    entities::partial_update(&ask.store, ask.tenant(), &id, &name, fragment, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// The attribute in a body; it must be an object or an array of objects, with its `@context` taken out.
fn only_attribute(mut value: Value) -> Result<Value, NgsiError> {
    match &mut value {
        Value::Object(members) => {
            members.shift_remove("@context");
            if members.is_empty() {
                return Err(NgsiError::bad_data("the body is empty; give the members to change"));
            }
        }
        Value::Array(_) => {}
        _ => return Err(NgsiError::bad_data("the body must be an attribute: a JSON object")),
    }
    Ok(value)
}

/// Replaces one attribute.
pub(super) async fn replace_attribute(
    State(state): State<AppState>,
    Path((id, attr)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let name = body.context.expand(&attr)?;
    let instances = parse_attribute(&attr, only_attribute(body.value)?, &body.context)?;
    entities::replace_attribute(&ask.store, ask.tenant(), &id, &name, instances, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes one attribute.
pub(super) async fn delete_attribute(
    State(state): State<AppState>,
    Path((id, attr)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["datasetId", "deleteAll", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let context = ask.link_context(&state).await?;
    let name = context.expand(&attr)?;
    let dataset = ask.params.get("datasetId").filter(|dataset| *dataset != "@none");
    let all = ask.params.flag("deleteAll")?;
    ask.check_tenant(&state)?;
    match entities::delete_attribute(&ask.store, ask.tenant(), &id, &name, dataset, all, ask.now).await {
        // An entity that is known by its history only: what ended is noted there.
        Err(error) if error.kind == ErrorKind::ResourceNotFound => {
            let datasets = if all { Datasets::All } else { Datasets::One(dataset.map(str::to_owned)) };
            ask.temporal_writer().end_attribute(&id, &name, &datasets).await.map_err(|_| error)?;
        }
        result => result?,
    }
    Ok(ask.done(StatusCode::NO_CONTENT))
}
