//! Operations: whether the server lives and is ready, and the description of its interface.

use std::sync::Arc;

use axum::{Extension, Router, http::header, response::IntoResponse};
use serde_json::Value;
use trust::Action;

use crate::{AppState, Routes};

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/healthz", Action::ReadHealth, get_health).get(
        "/api/v1/openapi.json",
        Action::ReadHealth,
        get_description,
    )
}

/// The finished OpenAPI document, made once at the start.
#[derive(Clone)]
struct Description(Arc<str>);

/// Gives [`get_description`] the document to show.
pub(crate) fn with_description(router: Router<AppState>, description: Value) -> Router<AppState> {
    router.layer(Extension(Description(description.to_string().into())))
}

async fn get_health() -> &'static str {
    "ok\n"
}

async fn get_description(Extension(description): Extension<Description>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openapi+json;version=3.1")], description.0.to_string())
}
