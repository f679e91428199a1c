//! Contexts over HTTP: hosted ones, and those kept from elsewhere (ETSI GS CIM 009, 6.29 and 6.30).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use platform::{
    context::{CachedContext, Context, HostedContext},
    ngsi::{ErrorKind, NgsiError, parse_json},
};
use serde_json::{Value, json};
use trust::Action;

use super::{Ask, Media, params::invalid};
use crate::{ApiError, AppState};

const PATH: &str = "/ngsi-ld/v1/jsonldContexts/";

/// Which contexts a list is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cached,
    Hosted,
    ImplicitlyCreated,
}

fn kind_of(ask: &Ask) -> Result<Option<Kind>, NgsiError> {
    match ask.params.get("kind") {
        None => Ok(None),
        Some("Cached") => Ok(Some(Kind::Cached)),
        Some("Hosted") => Ok(Some(Kind::Hosted)),
        Some("ImplicitlyCreated") => Ok(Some(Kind::ImplicitlyCreated)),
        Some(other) => {
            Err(NgsiError::bad_data(format!("kind: \"{other}\" is not Cached, Hosted or ImplicitlyCreated")))
        }
    }
}

fn describe_cached(cached: &CachedContext) -> Value {
    json!({
        "URL": cached.url,
        "localId": cached.url,
        "kind": "Cached",
        "createdAt": cached.fetched_at,
        "lastUsage": cached.used_at,
        "numberOfHits": cached.hits,
    })
}

fn describe_hosted(hosted: &HostedContext) -> Value {
    json!({
        "URL": format!("{PATH}{}", hosted.id),
        "localId": hosted.id,
        "kind": "Hosted",
        "createdAt": hosted.created_at,
    })
}

/// Whether a caller is told which contexts others use. An address can say who asks for what.
fn sees_cached(state: &AppState, ask: &Ask) -> bool {
    ask.caller.may(state, Action::ManageContexts)
}

/// Lists contexts: their addresses, or with `details` what is known of them.
pub(super) async fn list_contexts(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["details", "kind"]])?;
    let (details, kind) = (ask.params.flag("details")?, kind_of(&ask)?);
    let mut all: Vec<Value> = Vec::new();
    if matches!(kind, None | Some(Kind::Cached)) && sees_cached(&state, &ask) {
        all.extend(state.contexts.cached().iter().map(describe_cached));
    }
    if matches!(kind, None | Some(Kind::Hosted)) {
        all.extend(state.contexts.all_hosted()?.iter().map(describe_hosted));
    }
    if !details {
        all = all.into_iter().map(|mut described| described["URL"].take()).collect();
    }
    Ok(ask.answer_value(Media::Json, &Context::core(), Value::Array(all)))
}

/// Stores a context.
pub(super) async fn add_context(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.is_linked()?;
    let document = parse_json(&ask.body)?;
    // The name is the moment in microseconds: short, and no two requests in one process get the same.
    let id = state.contexts.new_id(ask.now);
    state.contexts.signed(ask.signature(&state)).host(&id, document, ask.now).await?;
    Ok(ask.created(&format!("{PATH}{id}")))
}

/// Serves a context, or what is known of it.
pub(super) async fn serve_context(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["details"]])?;
    let details = ask.params.flag("details")?;
    let cached = || state.contexts.cached_at(&id).filter(|_| sees_cached(&state, &ask));
    let value = match state.contexts.hosted(&id)? {
        Some(hosted) if details => describe_hosted(&hosted),
        Some(hosted) => hosted.document,
        None => match cached() {
            Some(cached) if details => describe_cached(&cached),
            Some(_) => {
                let detail = format!("the context {id} is only kept here; fetch it from its own address");
                return Err(NgsiError::new(ErrorKind::OperationNotSupported, detail).into());
            }
            None => return Err(NgsiError::not_found(format!("context {id}")).into()),
        },
    };
    Ok(ask.answer(Media::Json, &Context::core(), value.to_string().into_bytes()))
}

/// Deletes a context; `reload=true` fetches a kept one again instead.
pub(super) async fn delete_context(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["reload"]])?;
    let reload = ask.params.flag("reload")?;
    if Context::is_core(&id) {
        return Err(NgsiError::bad_data("the core context is built in; it cannot be deleted or fetched again").into());
    }
    let kept = state.contexts.cached_at(&id).is_some();
    let hosted = state.contexts.hosted(&id)?.is_some();
    match (kept, hosted, reload) {
        // Contexts from elsewhere are kept in memory: there is no transaction that the audit could go with.
        (true, _, true) => {
            state.contexts.reload(&id, ask.now).await?;
            ask.record(&state, "context.reload", &id).await?;
        }
        (true, _, false) => {
            _ = state.contexts.forget(&id);
            ask.record(&state, "context.forget", &id).await?;
        }
        (false, true, false) => state.contexts.signed(ask.signature(&state)).unhost(&id).await?,
        (false, true, true) => {
            return Err(NgsiError::bad_data("reload: only kept contexts can be fetched again").into());
        }
        (false, false, true) => return Err(NgsiError::bad_data(format!("reload: no context {id} is kept here")).into()),
        (false, false, _) if id.is_empty() => return Err(invalid("which context? give its id in the path").into()),
        (false, false, _) => return Err(NgsiError::not_found(format!("context {id}")).into()),
    }
    Ok(ask.done(StatusCode::NO_CONTENT))
}
