//! One entity: create, retrieve, merge, replace, delete; and purge (ETSI GS CIM 009, 6.4 and 6.5).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use model::{Entity, EntityId, Iri, Timestamp};
use platform::{
    context::Context,
    entities,
    ngsi::{Form, InputForm, NgsiError, View, parse_entity, parse_fragment, write_entity, write_feature},
    query::{find_one, follow, follow_flat},
};

use super::{
    Ask, Media,
    params::{Join, QUERY, VIEW},
    query::entity_query,
};
use crate::{ApiError, AppState};

/// Where an entity lives.
pub(super) fn location_of(id: &EntityId) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect();
    // Colons may stand in a path as they are, and ids are easier to read with them.
    format!("/ngsi-ld/v1/entities/{}", encoded.replace("%3A", ":"))
}

/// Creates an entity.
pub(super) async fn create_entity(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let body = ask.body(&state).await?;
    let entity = parse_entity(body.value, &body.context, ask.now)?;
    let location = location_of(&entity.id);
    entities::create(&ask.store, ask.tenant(), entity, ask.now).await?;
    Ok(ask.created(&location))
}

/// Retrieves an entity.
pub(super) async fn retrieve_entity(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW])?;
    let media = ask.media(true)?;
    let context = ask.link_context(&state).await?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let view = ask.params.view(&context)?;
    let join = ask.params.join()?;
    ask.check_tenant(&state)?;
    let snapshot = state.store.snapshot().map_err(NgsiError::from)?;
    let missing = || NgsiError::not_found(format!("entity {id}"));
    let found = find_one(&snapshot, ask.tenant(), &id, &ask.caller.scope)?.ok_or_else(missing)?;
    let entity = &found.value;
    if !view.finds_something(entity) || !view.shows_anything(entity) {
        let detail = format!("entity {id} with any of the attributes asked for");
        return Err(NgsiError::not_found(detail).into());
    }
    let mut out = Vec::with_capacity(1_024);
    match join {
        Some((join, level)) => {
            let linked = follow(&snapshot, ask.tenant(), &ask.caller.scope, [entity], level)?;
            match join {
                Join::Inline => write_entity(&mut out, entity, &context, &view, Some(&linked), media == Media::LdJson),
                Join::Flat => {
                    let others = follow_flat(&[entity], &linked, &view);
                    let list = !others.is_empty();
                    let all = std::iter::once((entity, &view)).chain(others.iter().map(|(e, v)| (&**e, v)));
                    write_flat(&mut out, all, &context, media, list);
                }
            }
        }
        None => write_one(&mut out, entity, &context, &view, media, &ask),
    }
    Ok(ask.answer(media, &context, out))
}

fn write_one(out: &mut Vec<u8>, entity: &Entity, context: &Context, view: &View, media: Media, ask: &Ask) {
    match media {
        Media::GeoJson => write_feature(out, entity, context, view, ask.wants_context_in_body()),
        _ => write_entity(out, entity, context, view, None, media == Media::LdJson),
    }
}

/// Entities side by side, each in its view.
pub(super) fn write_flat<'e>(
    out: &mut Vec<u8>,
    entities: impl Iterator<Item = (&'e Entity, &'e View)>,
    context: &Context,
    media: Media,
    list: bool,
) {
    if list {
        out.push(b'[');
    }
    for (i, (entity, view)) in entities.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_entity(out, entity, context, view, None, media == Media::LdJson);
    }
    if list {
        out.push(b']');
    }
}

impl Ask {
    /// GeoJSON carries its context in the body, unless `Prefer: body=json` asks for the header (6.3.6).
    pub fn wants_context_in_body(&self) -> bool {
        let prefer = self.headers.get("prefer").and_then(|v| v.to_str().ok()).unwrap_or_default();
        !prefer.replace(' ', "").contains("body=json")
    }
}

fn input_form(ask: &Ask) -> Result<InputForm, NgsiError> {
    Ok(if ask.params.form()? == Form::Simplified { InputForm::Simplified } else { InputForm::Normalized })
}

/// Answers requests about one entity that do not say which.
pub(super) async fn name_the_entity() -> ApiError {
    NgsiError::bad_data("which entity? give its id, a URI, in the path").into()
}

/// Merges a fragment into an entity.
pub(super) async fn merge_entity(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "format", "observedAt", "lang", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let observed_at = ask.params.get("observedAt").map(Timestamp::parse).transpose().map_err(NgsiError::from)?;
    let fragment = parse_fragment(body.value, &body.context, input_form(&ask)?)?;
    entities::merge_entity(&ask.store, ask.tenant(), &id, fragment, observed_at, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Replaces an entity.
pub(super) async fn replace_entity(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "format", "type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let fragment = parse_fragment(body.value, &body.context, input_form(&ask)?)?;
    entities::replace(&ask.store, ask.tenant(), &id, fragment, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes an entity.
pub(super) async fn delete_entity(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["type", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    ask.check_tenant(&state)?;
    entities::delete(&ask.store, ask.tenant(), &id, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes all entities that match a query, or only some of their attributes.
pub(super) async fn purge_entities(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[QUERY, &["keep", "drop", "local", "via"]])?;
    let context = ask.link_context(&state).await?;
    let names = |name| ask.params.list(name).map(|n| context.expand(n)).collect::<Result<Vec<Iri>, _>>();
    let (keep, drop) = (names("keep")?, names("drop")?);
    if !keep.is_empty() && !drop.is_empty() {
        return Err(NgsiError::bad_data("keep and drop do not go together").into());
    }
    let some = ["id", "idPattern", "type", "q", "georel", "scopeQ"].iter().any(|name| ask.params.get(name).is_some());
    if !some && !ask.params.flag("local")? {
        return Err(
            NgsiError::bad_data("say what to purge: id, idPattern, type, q, a geo-query, scopeQ or local").into()
        );
    }
    let query = entity_query(&ask.params, &context, &View::default())?;
    ask.check_tenant(&state)?;
    let keeps = |name: &Iri| if keep.is_empty() { !drop.contains(name) } else { keep.contains(name) };
    let partly: Option<&(dyn Fn(&Iri) -> bool + Sync)> =
        if keep.is_empty() && drop.is_empty() { None } else { Some(&keeps) };
    entities::purge(&ask.store, ask.tenant(), query, partly, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}
