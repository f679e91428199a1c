//! Batch operations over HTTP (ETSI GS CIM 009, 6.14 to 6.17 and 6.31).

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use model::EntityId;
use platform::{
    context::Context,
    entities::{ATTEMPTS_MAX, Batch, BatchOperation, BatchResult},
    ngsi::{EntityFragment, ErrorKind, InputForm, NgsiError, parse_fragment, parse_json},
};
use serde_json::{Value, json};
use store::{CommitError, Transaction};

use super::{Ask, error_json};
use crate::{ApiError, AppState};

/// Batches up to this size are worked out where they are received: handing them over would take longer.
const INLINE_MAX: usize = 4;
/// The most entities in one batch.
const ENTITIES_MAX: usize = 10_000;

/// Creates many entities.
pub(super) async fn batch_create(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    let result = run(&state, &ask, BatchOperation::Create).await?;
    let status = if result.errors.is_empty() { StatusCode::CREATED } else { StatusCode::MULTI_STATUS };
    Ok(answer(&ask, status, &result))
}

/// Creates or replaces (or updates) many entities.
pub(super) async fn batch_upsert(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    let update = ask.params.option("update");
    let result = run(&state, &ask, BatchOperation::Upsert { update }).await?;
    let status = match (result.errors.is_empty(), result.created.is_empty()) {
        (true, true) => StatusCode::NO_CONTENT,
        (true, false) => StatusCode::CREATED,
        (false, _) => StatusCode::MULTI_STATUS,
    };
    Ok(answer(&ask, status, &result))
}

/// Appends to many entities.
pub(super) async fn batch_update(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    let overwrite = !ask.params.option("noOverwrite");
    let result = run(&state, &ask, BatchOperation::Update { overwrite }).await?;
    Ok(answer(&ask, done_or_partly(&result), &result))
}

/// Merges into many entities.
pub(super) async fn batch_merge(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    let result = run(&state, &ask, BatchOperation::Merge).await?;
    Ok(answer(&ask, done_or_partly(&result), &result))
}

/// Deletes many entities.
pub(super) async fn batch_delete(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    ask.is_linked()?;
    let refuse = || NgsiError::bad_data("the body must be an array of entity ids");
    let ids: Vec<Value> = match parse_json(&ask.body)? {
        Value::Array(ids) if !ids.is_empty() && ids.len() <= ENTITIES_MAX => ids,
        _ => return Err(refuse().into()),
    };
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str().ok_or_else(refuse)).collect::<Result<_, _>>()?;
    for _ in 0..ATTEMPTS_MAX {
        let (tx, result) = {
            let snapshot = state.store.snapshot().map_err(NgsiError::from)?;
            let mut batch = Batch::new(&snapshot, ask.tenant().clone(), ask.now);
            for id in &ids {
                match EntityId::parse(id) {
                    Ok(id) => batch.delete(id)?,
                    Err(problem) => batch.refuse(None, problem.into()),
                }
            }
            batch.finish()?
        };
        match ask.store.commit(tx).await {
            Ok(_) => return Ok(answer(&ask, done_or_partly(&result), &result)),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(NgsiError::from(error).into()),
        }
    }
    Err(contended().into())
}

fn contended() -> NgsiError {
    NgsiError::new(ErrorKind::Conflict, "the entities are being changed by others all the time; try again")
}

fn done_or_partly(result: &BatchResult) -> StatusCode {
    if result.errors.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::MULTI_STATUS }
}

/// The result of a batch as the standard wants it: nothing, the ids that were created, or everything.
fn answer(ask: &Ask, status: StatusCode, result: &BatchResult) -> Response {
    let body = match status {
        StatusCode::NO_CONTENT => return ask.done(status),
        StatusCode::CREATED => json!(result.created),
        _ => {
            let errors = result.errors.iter().map(|(id, error)| match id {
                Some(id) => json!({"entityId": id, "error": error_json(error)}),
                None => json!({"error": error_json(error)}),
            });
            json!({"success": result.success, "errors": errors.collect::<Vec<_>>()})
        }
    };
    let mut response = ask.done(status);
    let headers = std::mem::take(response.headers_mut());
    (status, headers, axum::Json(body)).into_response()
}

/// One entity of the request: read, or refused.
type Read = Result<EntityFragment, (Option<EntityId>, NgsiError)>;

/// Reads the entities, works out the new states (many of them on a thread of its own), commits them all at once; starts again when
/// somebody else changed one of them.
async fn run(state: &AppState, ask: &Ask, operation: BatchOperation) -> Result<BatchResult, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    ask.params.check_options()?;
    let mut values = Some(read_array(&ask.body)?);
    let contexts = contexts_of(state, ask, values.as_deref().unwrap_or_default()).await?;
    let contexts = Arc::new(contexts);
    for _ in 0..ATTEMPTS_MAX {
        let values = match values.take() {
            Some(values) => values,
            None => read_array(&ask.body)?,
        };
        let (contexts, store, tenant, now) = (contexts.clone(), state.store.clone(), ask.tenant().clone(), ask.now);
        let few = values.len() <= INLINE_MAX;
        let work_out = move || -> Result<(Transaction, BatchResult), NgsiError> {
            let snapshot = store.snapshot()?;
            let mut batch = Batch::new(&snapshot, tenant, now);
            for (i, value) in values.into_iter().enumerate() {
                match read_one(value, &contexts, i) {
                    Ok(fragment) => batch.add(fragment, operation)?,
                    Err((id, error)) => batch.refuse(id, error),
                }
            }
            batch.finish()
        };
        let (tx, result) = match few {
            true => work_out()?,
            false => tokio::task::spawn_blocking(work_out).await.map_err(|error| ApiError::internal(&error))??,
        };
        match ask.store.commit(tx).await {
            Ok(_) => return Ok(result),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(NgsiError::from(error).into()),
        }
    }
    Err(contended().into())
}

fn read_array(body: &[u8]) -> Result<Vec<Value>, NgsiError> {
    match parse_json(body)? {
        Value::Array(values) if values.is_empty() => Err(NgsiError::bad_data("the array of entities is empty")),
        Value::Array(values) if values.len() > ENTITIES_MAX => {
            let detail = format!("{} entities in one request; send at most {ENTITIES_MAX}", values.len());
            Err(NgsiError::new(ErrorKind::TooManyResults, detail))
        }
        Value::Array(values) => Ok(values),
        _ => Err(NgsiError::bad_data("the body must be an array of entities")),
    }
}

/// The context of each entity: one for all from the `Link` header, or one in each.
enum ContextsOf {
    All(Arc<Context>),
    Each(Vec<Result<Arc<Context>, NgsiError>>),
}

async fn contexts_of(state: &AppState, ask: &Ask, values: &[Value]) -> Result<ContextsOf, ApiError> {
    if ask.is_linked()? {
        return Ok(ContextsOf::All(ask.link_context(state).await?));
    }
    ask.refuse_link()?;
    let mut all: Vec<Result<Arc<Context>, NgsiError>> = Vec::with_capacity(values.len());
    for (i, value) in values.iter().enumerate() {
        let same = i.checked_sub(1).filter(|before| values[*before].get("@context") == value.get("@context"));
        let context = match same {
            Some(before) => all[before].clone(),
            None => ask.context_of(state, value, false).await,
        };
        all.push(context);
    }
    Ok(ContextsOf::Each(all))
}

fn read_one(value: Value, contexts: &ContextsOf, i: usize) -> Read {
    let id = value.get("id").and_then(Value::as_str).and_then(|id| EntityId::parse(id).ok());
    let context = match contexts {
        ContextsOf::All(_) if value.get("@context").is_some() => {
            let detail = "the entity has an @context, but the Content-Type is application/json";
            return Err((id, NgsiError::bad_data(detail)));
        }
        ContextsOf::All(context) => context,
        ContextsOf::Each(all) => match &all[i] {
            Ok(context) => context,
            Err(error) => return Err((id, error.clone())),
        },
    };
    parse_fragment(value, context, InputForm::Normalized).map_err(|error| (id, error))
}
