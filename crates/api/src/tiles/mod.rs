//! Tiles: vector tiles of layers straight from the store, the base map as it is stored, and their descriptions.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::Problem;
use serde_json::{Value, json};
use trust::Action;
use utoipa::OpenApi;
use views::{AttributeKind, TileId};

use crate::{ApiError, AppState, Caller, Routes, map};

/// The media type of vector tiles.
const MVT: &str = "application/vnd.mapbox-vector-tile";

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/tiles/v1/basemap/tilejson.json", Action::ReadLayers, describe_basemap)
        .get("/tiles/v1/basemap/{z}/{x}/{y}", Action::ReadLayers, get_basemap_tile)
        .get("/tiles/v1/{layer}/tilejson.json", Action::ReadLayers, describe_layer_tiles)
        .get("/tiles/v1/{layer}/{z}/{x}/{y}", Action::ReadLayers, get_layer_tile)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(describe_basemap, get_basemap_tile, describe_layer_tiles, get_layer_tile))]
struct Described;

/// The TileJSON description of the base map.
#[utoipa::path(get, path = "/tiles/v1/basemap/tilejson.json", responses((status = 200, description = "TileJSON 3.0")))]
async fn describe_basemap(State(state): State<AppState>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    let basemap = state.views.basemap().ok_or_else(no_basemap)?;
    let base = map::base_url(&state, &headers)?;
    let mut description = basemap.tile_json(&format!("{base}/tiles/v1/basemap/{{z}}/{{x}}/{{y}}.mvt"));
    let attribution = &state.views.city().basemap_attribution;
    if let Some(description) = description.as_object_mut().filter(|_| !attribution.is_empty()) {
        description.insert("attribution".to_owned(), attribution.as_str().into());
    }
    Ok(Json(description))
}

/// A tile of the base map. 204 where the map has nothing.
#[utoipa::path(
    get,
    path = "/tiles/v1/basemap/{z}/{x}/{y}",
    params(
        ("z" = u8, Path, description = "Zoom level"),
        ("x" = u32, Path, description = "Column"),
        ("y" = String, Path, description = "Row, with .mvt behind it"),
    ),
    responses((status = 200, description = "A vector tile", content_type = "application/vnd.mapbox-vector-tile"))
)]
async fn get_basemap_tile(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path((z, x, y)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let basemap = state.views.basemap().ok_or_else(no_basemap)?;
    let tile = parse_tile(&z, &x, &y)?;
    let etag = format!("\"{}\"", basemap.etag());
    let caching = "public, max-age=3600";
    if known_already(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag), (header::CACHE_CONTROL, caching.to_owned())])
            .into_response());
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let found = basemap.tile(tile, accepted).await.map_err(ApiError::from)?;
    let Some(found) = found else {
        return Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, caching)]).into_response());
    };
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, found.media_type)
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "accept-encoding")
        .header(header::ETAG, etag);
    if let Some(encoding) = found.encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    response.body(Body::from(found.bytes)).map_err(|e| ApiError::internal(&e))
}

/// The TileJSON description of a layer's tiles.
#[utoipa::path(
    get,
    path = "/tiles/v1/{layer}/tilejson.json",
    params(("layer" = String, Path, description = "The id of a layer")),
    responses((status = 200, description = "TileJSON 3.0"))
)]
async fn describe_layer_tiles(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(layer): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let base = map::base_url(&state, &headers)?;
    let description = map::look(&state, caller, move |views, view| {
        let layer = views.layer(&layer, view.scope)?;
        let count = view.count(&layer.type_iri())?;
        let bounds = views.bounds(view, layer, count)?.unwrap_or_else(|| views.city().bounding_box());
        let kind = |kind: AttributeKind| if kind == AttributeKind::Number { "Number" } else { "String" };
        let described = layer.attributes.iter().map(|a| (a.name.clone(), kind(a.kind)));
        let fields: serde_json::Map<String, Value> = [("id".to_owned(), "String"), ("title".to_owned(), "String")]
            .into_iter()
            .chain(described)
            .map(|(name, kind)| (name, kind.into()))
            .collect();
        Ok(json!({
            "tilejson": "3.0.0",
            "name": layer.title.en,
            "description": layer.description.en,
            "attribution": views.source(&layer.source).attribution,
            "tiles": [format!("{base}/tiles/v1/{}/{{z}}/{{x}}/{{y}}.mvt", layer.id)],
            "minzoom": layer.min_zoom,
            "maxzoom": layer.max_zoom,
            "bounds": [bounds.west, bounds.south, bounds.east, bounds.north],
            "vector_layers": [{
                "id": layer.id,
                "description": layer.title.en,
                "minzoom": layer.min_zoom,
                "maxzoom": layer.max_zoom,
                "fields": fields,
            }],
        }))
    });
    description.await.map(Json)
}

/// A tile of a layer, never behind a change. 204 where the layer has nothing.
#[utoipa::path(
    get,
    path = "/tiles/v1/{layer}/{z}/{x}/{y}",
    params(
        ("layer" = String, Path, description = "The id of a layer"),
        ("z" = u8, Path, description = "Zoom level"),
        ("x" = u32, Path, description = "Column"),
        ("y" = String, Path, description = "Row, with .mvt behind it"),
    ),
    responses((status = 200, description = "A vector tile", content_type = "application/vnd.mapbox-vector-tile"))
)]
async fn get_layer_tile(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path((layer, z, x, y)): Path<(String, String, String, String)>,
) -> Result<Response, ApiError> {
    let tile = parse_tile(&z, &x, &y)?;
    let made = map::look(&state, caller, move |views, view| views.tile(view, &layer, tile)).await?;
    let etag = format!("\"{}\"", made.etag);
    let fixed = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known_already(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    if made.bytes.is_empty() {
        return Ok((StatusCode::NO_CONTENT, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, MVT)], made.bytes).into_response())
}

fn no_basemap() -> ApiError {
    ApiError::not_found("this city has no base map").with_remedy("set basemap in city.toml")
}

/// Zoom level, column and row; the row may have `.mvt`, `.pbf` or `.glb` behind it.
pub(crate) fn parse_tile(z: &str, x: &str, y: &str) -> Result<TileId, ApiError> {
    let row = [".mvt", ".pbf", ".glb"].iter().find_map(|ending| y.strip_suffix(ending)).unwrap_or(y);
    let (Ok(z), Ok(x), Ok(row)) = (z.parse(), x.parse(), row.parse()) else {
        let remedy = "write zoom level, column and row as whole numbers: 14/8395/5417.mvt";
        return Err(Problem::new("tile", "its name is not three numbers", remedy).into());
    };
    Ok(TileId::new(z, x, row)?)
}

/// Whether the caller has this version already.
pub(crate) fn known_already(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
    known.split(',').any(|k| k.trim().trim_start_matches("W/") == etag || k.trim() == "*")
}
