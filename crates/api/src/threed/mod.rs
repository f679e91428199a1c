//! 3D Tiles of building layers: the tileset and the content of its cells.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use trust::Action;
use utoipa::OpenApi;

use crate::{
    ApiError, AppState, Caller, Routes, map,
    tiles::{known_already, parse_tile},
};

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/3dtiles/v1/{layer}/tileset.json", Action::ReadLayers, get_tileset)
        .get("/3dtiles/v1/{layer}/{z}/{x}/{y}", Action::ReadLayers, get_tileset_content)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(get_tileset, get_tileset_content))]
struct Described;

/// The tileset of a building layer (3D Tiles 1.1).
#[utoipa::path(
    get,
    path = "/3dtiles/v1/{layer}/tileset.json",
    params(("layer" = String, Path, description = "The id of a layer of buildings")),
    responses((status = 200, description = "A tileset"))
)]
async fn get_tileset(
    State(state): State<AppState>,
    caller: Caller,
    Path(layer): Path<String>,
) -> Result<Response, ApiError> {
    let tileset = map::look(&state, caller, move |views, view| views.tileset(view, &layer)).await?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, tileset.to_string()).into_response())
}

/// The content of one cell of a tileset: binary glTF.
#[utoipa::path(
    get,
    path = "/3dtiles/v1/{layer}/{z}/{x}/{y}",
    params(
        ("layer" = String, Path, description = "The id of a layer of buildings"),
        ("z" = u8, Path, description = "Zoom level of the cell"),
        ("x" = u32, Path, description = "Column"),
        ("y" = String, Path, description = "Row, with .glb behind it"),
    ),
    responses((status = 200, description = "Binary glTF 2.0", content_type = "model/gltf-binary"))
)]
async fn get_tileset_content(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path((layer, z, x, y)): Path<(String, String, String, String)>,
) -> Result<Response, ApiError> {
    let cell = parse_tile(&z, &x, &y)?;
    let made = map::look(&state, caller, move |views, view| views.building_cell(view, &layer, cell)).await?;
    if made.bytes.is_empty() {
        return Err(ApiError::not_found("no building with a roof lies in this cell"));
    }
    let etag = format!("\"{}\"", made.etag);
    let fixed = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known_already(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, "model/gltf-binary")], made.bytes).into_response())
}
