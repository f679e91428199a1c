//! Operations: whether the server lives and is ready, what it measures, and the description of its interface.

mod metrics;
mod sheets;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use trust::Action;
use utoipa::OpenApi;

use crate::{ApiError, AppState, Routes};

/// How long before `Expires` of security.txt, microseconds: 180 days (RFC 9116 advises less than a year).
const SECURITY_TEXT_MICROS: i64 = 180 * 86_400 * 1_000_000;

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/.well-known/security.txt", Action::ReadHealth, get_security_text)
        .get("/api/v1/data-sheets", Action::ReadLayers, sheets::list_data_sheets)
        .get("/api/v1/data-sheets/{source}", Action::ReadLayers, sheets::get_data_sheet)
        .get("/api/v1/openapi.json", Action::ReadHealth, get_description)
        .get("/api/v1/sources", Action::ReadSources, list_sources)
        .get("/healthz", Action::ReadHealth, get_health)
        .get("/metrics", Action::ReadMetrics, metrics::get_metrics)
        .get("/readyz", Action::ReadHealth, get_readiness)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(list_sources, sheets::get_data_sheet, sheets::list_data_sheets))]
struct Described;

/// The finished OpenAPI document, made once at the start.
#[derive(Clone)]
struct Description(Arc<str>);

/// Gives [`get_description`] the document to show.
pub(crate) fn with_description(router: Router<AppState>, description: &Value) -> Router<AppState> {
    router.layer(Extension(Description(description.to_string().into())))
}

/// The process answers.
async fn get_health() -> &'static str {
    "ok\n"
}

/// The server can do its work: the store answers.
async fn get_readiness(State(state): State<AppState>) -> Response {
    let store = state.store.clone();
    let tried = spawn_blocking(move || store.snapshot().map(|snapshot| snapshot.sequence())).await;
    match tried {
        Ok(Ok(sequence)) => Json(json!({ "ready": true, "sequence": sequence })).into_response(),
        Ok(Err(error)) => not_ready(&error),
        Err(error) => not_ready(&error),
    }
}

fn not_ready(cause: &dyn std::fmt::Display) -> Response {
    tracing::error!(%cause, "the server is not ready");
    let detail = "the store does not answer; the cause is in the log";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The server is not ready", detail)
        .retry_after(5)
        .into_response()
}

async fn get_description(Extension(description): Extension<Description>) -> Response {
    ([(header::CONTENT_TYPE, "application/openapi+json;version=3.1")], description.0.to_string()).into_response()
}

/// How each source is doing.
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    responses((status = 200, description = "Every source, by name", body = Vec<sources::SourceStatus>))
)]
async fn list_sources(State(state): State<AppState>) -> Json<Vec<sources::SourceStatus>> {
    Json(state.board.all())
}

/// Where to report a weakness (RFC 9116).
async fn get_security_text(State(state): State<AppState>) -> Response {
    let expires = state.clock.wall().plus_micros(SECURITY_TEXT_MICROS);
    let mut text =
        format!("Contact: {}\nExpires: {expires}\nPreferred-Languages: nl, en\n", state.door.security_contact);
    if let Some(address) = state.door.public_url.as_ref().and_then(|url| url.join("/.well-known/security.txt").ok()) {
        text += &format!("Canonical: {address}\n");
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
