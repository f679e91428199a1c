//! Discovery of types and attributes over HTTP (ETSI GS CIM 009, 6.25 to 6.28).

use axum::{
    extract::{Path, State},
    response::Response,
};
use model::Iri;
use platform::{
    context::Context,
    entities::{AttributeInfo, TypeInfo, attribute_info, attribute_infos, type_info, type_infos},
    ngsi::NgsiError,
};
use serde_json::{Value, json};
use store::Snapshot;

use super::Ask;
use crate::{ApiError, AppState, Caller};

/// The parameters of discovery.
const PARAMS: &[&str] = &["details", "local", "via"];

/// Reads on a thread of its own, because many entities may have to be read.
async fn search<T: Send + 'static>(
    state: &AppState,
    ask: &Ask,
    read: impl FnOnce(&Snapshot, &Caller) -> Result<T, NgsiError> + Send + 'static,
) -> Result<T, ApiError> {
    ask.check_tenant(state)?;
    let snapshot = state.store.snapshot().map_err(NgsiError::from)?;
    let caller = ask.caller.clone();
    Ok(state.questions().run(move || read(&snapshot, &caller)).await??)
}

fn name(context: &Context, iri: &Iri) -> Value {
    Value::String(context.compact(iri).text.to_string())
}

fn names<'i>(context: &Context, iris: impl IntoIterator<Item = &'i Iri>) -> Value {
    Value::Array(iris.into_iter().map(|iri| name(context, iri)).collect())
}

/// An identifier for a list: lists are made anew each time, so it is made from the moment.
fn list_id(ask: &Ask, kind: &str) -> String {
    format!("urn:ngsi-ld:{kind}:{}", ask.now.micros())
}

/// Lists the types; with their attributes when `details` is true.
pub(super) async fn list_types(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[PARAMS])?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let details = ask.params.flag("details")?;
    let types =
        search(&state, &ask, move |snapshot, caller| type_infos(snapshot, &caller.tenant, &caller.scope, details))
            .await?;
    let value = if details {
        let described = types.iter().map(|info| {
            let mut value = json!({
                "id": info.name,
                "type": "EntityType",
                "typeName": name(&context, &info.name),
                "attributeNames": names(&context, attribute_names(info)),
            });
            if let (super::Media::LdJson, Value::Object(members)) = (media, &mut value) {
                members.insert("@context".to_owned(), context.wire().clone());
            }
            value
        });
        Value::Array(described.collect())
    } else {
        json!({
            "id": list_id(&ask, "EntityTypeList"),
            "type": "EntityTypeList",
            "typeList": names(&context, types.iter().map(|info| &info.name)),
        })
    };
    Ok(ask.answer_value(media, &context, value))
}

fn attribute_names(info: &TypeInfo) -> impl Iterator<Item = &Iri> {
    info.attributes.iter().filter_map(|attribute| attribute.name.as_ref())
}

/// Describes one type.
pub(super) async fn retrieve_type(
    State(state): State<AppState>,
    Path(wanted): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[PARAMS])?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let iri = context.expand(&wanted)?;
    let info = search(&state, &ask, move |snapshot, caller| type_info(snapshot, &caller.tenant, &iri, &caller.scope))
        .await?
        .ok_or_else(|| NgsiError::not_found(format!("type {wanted}")))?;
    let details = info.attributes.iter().filter_map(|attribute| {
        let iri = attribute.name.as_ref()?;
        Some(json!({
            "id": iri,
            "type": "Attribute",
            "attributeName": name(&context, iri),
            "attributeTypes": attribute.kinds,
        }))
    });
    let value = json!({
        "id": info.name,
        "type": "EntityTypeInfo",
        "typeName": name(&context, &info.name),
        "entityCount": info.count,
        "attributeDetails": details.collect::<Vec<_>>(),
    });
    Ok(ask.answer_value(media, &context, value))
}

/// Lists the attributes; with the types that have them when `details` is true.
pub(super) async fn list_attributes(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[PARAMS])?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let details = ask.params.flag("details")?;
    let infos =
        search(&state, &ask, |snapshot, caller| attribute_infos(snapshot, &caller.tenant, &caller.scope)).await?;
    let value = if details {
        let described = infos.iter().filter_map(|info| {
            let iri = info.name.as_ref()?;
            let mut value = json!({
                "id": iri,
                "type": "Attribute",
                "attributeName": name(&context, iri),
                "typeNames": names(&context, &info.types),
            });
            if let (super::Media::LdJson, Value::Object(members)) = (media, &mut value) {
                members.insert("@context".to_owned(), context.wire().clone());
            }
            Some(value)
        });
        Value::Array(described.collect())
    } else {
        json!({
            "id": list_id(&ask, "AttributeList"),
            "type": "AttributeList",
            "attributeList": names(&context, infos.iter().filter_map(|info| info.name.as_ref())),
        })
    };
    Ok(ask.answer_value(media, &context, value))
}

/// Describes one attribute.
pub(super) async fn retrieve_attribute(
    State(state): State<AppState>,
    Path(wanted): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[PARAMS])?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let iri = context.expand(&wanted)?;
    let found =
        search(&state, &ask, move |snapshot, caller| attribute_info(snapshot, &caller.tenant, &iri, &caller.scope))
            .await?;
    let info: AttributeInfo = found.ok_or_else(|| NgsiError::not_found(format!("attribute {wanted}")))?;
    let Some(iri) = &info.name else { return Err(NgsiError::not_found(format!("attribute {wanted}")).into()) };
    let value = json!({
        "id": iri,
        "type": "Attribute",
        "attributeName": name(&context, iri),
        "attributeCount": info.count,
        "attributeTypes": info.kinds,
        "typeNames": names(&context, &info.types),
    });
    Ok(ask.answer_value(media, &context, value))
}
