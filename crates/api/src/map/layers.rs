//! Layers: the catalogue, the features and table of one layer, and the indicators of areas.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;
use utoipa::IntoParams;
use views::{Catalogue, FeatureCollection, FeaturesQuery, Indicator, Table, TableQuery};

use super::{look, parse_bbox, parse_time};
use crate::{ApiError, AppState, Caller};

/// The layers that the caller may see, with how they look and whose data they are.
#[utoipa::path(get, path = "/api/v1/layers", responses((status = 200, description = "Groups and layers", body = Catalogue)))]
pub(super) async fn list_layers(State(state): State<AppState>, caller: Caller) -> Result<Json<Catalogue>, ApiError> {
    look(&state, caller, |views, view| views.catalogue(view)).await.map(Json)
}

/// The indicators that areas may be coloured by.
#[utoipa::path(get, path = "/api/v1/indicators", responses((status = 200, description = "Indicators", body = Vec<Indicator>)))]
pub(super) async fn list_indicators(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Vec<Indicator>>, ApiError> {
    look(&state, caller, |views, view| views.indicators(view)).await.map(Json)
}

/// Which features.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FeatureParameters {
    /// The picture at this moment (ISO 8601) instead of now.
    at: Option<String>,
    /// Only what touches west,south,east,north.
    bbox: Option<String>,
    /// At most so many.
    limit: Option<usize>,
    /// `nl` or `en`: the language of titles.
    lang: Option<String>,
}

/// The features of a layer as GeoJSON, now or at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/layers/{layer}/features",
    params(("layer" = String, Path, description = "The id of a layer"), FeatureParameters),
    responses((status = 200, description = "A GeoJSON FeatureCollection", body = FeatureCollection, content_type = "application/geo+json"))
)]
pub(super) async fn get_layer_features(
    State(state): State<AppState>,
    caller: Caller,
    Path(layer): Path<String>,
    Query(asked): Query<FeatureParameters>,
) -> Result<impl IntoResponse, ApiError> {
    let query = FeaturesQuery {
        at: parse_time("at", asked.at.as_deref())?,
        bbox: parse_bbox(asked.bbox.as_deref())?,
        limit: asked.limit,
        language: asked.lang.unwrap_or_else(|| "nl".to_owned()),
    };
    let body = look(&state, caller, move |views, view| {
        let layer = views.layer(&layer, view.scope)?;
        let computed = views.computed(view, layer)?;
        let collection = views::features(view, layer, &query, &computed)?;
        Ok(sonic_rs::to_vec(&collection))
    })
    .await?
    .map_err(|e| ApiError::internal(&e))?;
    Ok(([(header::CONTENT_TYPE, "application/geo+json"), (header::CACHE_CONTROL, "no-cache")], body))
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TableParameters {
    /// How many rows to leave out.
    #[serde(default)]
    offset: usize,
    /// How many rows at most (100, at most 1,000).
    limit: Option<usize>,
    /// A column, with `-` before it for the largest first.
    sort: Option<String>,
    /// Only rows that hold this text.
    q: Option<String>,
    /// The picture at this moment (ISO 8601) instead of now.
    at: Option<String>,
    /// `nl` or `en`: the language of titles.
    lang: Option<String>,
}

/// The table behind a layer.
#[utoipa::path(
    get,
    path = "/api/v1/layers/{layer}/table",
    params(("layer" = String, Path, description = "The id of a layer"), TableParameters),
    responses((status = 200, description = "A page of rows", body = Table))
)]
pub(super) async fn get_layer_table(
    State(state): State<AppState>,
    caller: Caller,
    Path(layer): Path<String>,
    Query(asked): Query<TableParameters>,
) -> Result<Json<Table>, ApiError> {
    let query = TableQuery {
        offset: asked.offset,
        limit: asked.limit,
        sort: asked.sort,
        search: asked.q,
        at: parse_time("at", asked.at.as_deref())?,
        language: asked.lang.unwrap_or_else(|| "nl".to_owned()),
    };
    let answer = look(&state, caller, move |views, view| views.table(view, &layer, &query));
    answer.await.map(Json)
}
