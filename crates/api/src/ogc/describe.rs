//! The description of this interface as OpenAPI 3.0, the version that OGC API Features 1.0 and its clients read.
//! The description of the whole server is OpenAPI 3.1, at `/api/v1/openapi.json`.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{Described, ROOT, items::LIMIT_DEFAULT};
use crate::ApiError;

/// The media type that the standard names for it.
pub(super) const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";

/// The description of this interface alone.
#[utoipa::path(get, path = "/ogc/features/v1/api", responses((status = 200, description = "OpenAPI 3.0")))]
pub(super) async fn get_features_description() -> Result<Response, ApiError> {
    let mut document = serde_json::to_value(Described::openapi()).map_err(|e| ApiError::internal(&e))?;
    as_version_3_0(&mut document);
    if let Some(object) = document.as_object_mut() {
        object.insert("openapi".to_owned(), "3.0.3".into());
        object.insert("info".to_owned(), json!({ "title": "Polder: features", "version": env!("CARGO_PKG_VERSION") }));
        object.insert("servers".to_owned(), json!([{ "url": "/" }]));
    }
    let items =
        format!("/paths/{}/get/parameters", format!("{ROOT}/collections/{{collection}}/items").replace('/', "~1"));
    for parameter in document.pointer_mut(&items).and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter.get("name").and_then(Value::as_str) == Some("limit") {
            // Clients choose their page size by these bounds.
            parameter["schema"] = json!({
                "type": "integer", "minimum": 1, "maximum": views::ogc::ITEMS_MAX, "default": LIMIT_DEFAULT,
            });
        }
    }
    Ok(([(header::CONTENT_TYPE, OPENAPI)], document.to_string()).into_response())
}

/// Version 3.0 has no lists of types: `["string", "null"]` becomes `"string"`.
fn as_version_3_0(document: &mut Value) {
    match document {
        Value::Object(object) => {
            let chosen = object
                .get("type")
                .and_then(Value::as_array)
                .and_then(|kinds| kinds.iter().find(|kind| kind.as_str() != Some("null")).cloned());
            if let Some(chosen) = chosen {
                object.insert("type".to_owned(), chosen);
            }
            object.values_mut().for_each(as_version_3_0);
        }
        Value::Array(items) => items.iter_mut().for_each(as_version_3_0),
        _ => {}
    }
}
