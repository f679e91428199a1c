//! Plans as GeoJSON files: in from a GIS, and out again.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::IntoResponse,
};
use control::{events, geojson};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::plans::{PlanView, read};
use crate::{ApiError, AppState, Caller};

/// What becomes of parts that are there already.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdImportExisting)]
pub(crate) enum Existing {
    /// Nothing is taken over.
    #[default]
    Refuse,
    /// They are written over.
    Replace,
}

/// How a file is read in.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Reading {
    /// What becomes of parts that are there already under the same key.
    #[serde(default)]
    #[param(inline)]
    existing: Existing,
}

/// Takes the parts of a GeoJSON file into a plan: all of them, or none when one cannot be; `problems` then says what is
/// wrong with each feature. A polygon is an area and a line a gate unless `kind` says otherwise; the other properties are
/// the fields of that kind.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/import",
    request_body(content = Object, description = "A GeoJSON FeatureCollection in degrees (WGS 84)"),
    params(("event" = String, Path, description = "The event"), Reading),
    responses((status = 200, body = PlanView)))]
pub(super) async fn import_crowd_plan(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
    Query(reading): Query<Reading>,
    Json(collection): Json<Value>,
) -> Result<Json<PlanView>, ApiError> {
    let existing = match reading.existing {
        Existing::Refuse => geojson::Existing::Refuse,
        Existing::Replace => geojson::Existing::Replace,
    };
    let (store, now) = (caller.store(&state), state.clock.wall());
    let what = (&collection, existing);
    let plan = geojson::import(&store, &caller.tenant, &event, what, (&caller.subject.name, now)).await?;
    Ok(Json(plan.into()))
}

/// The plan as a GeoJSON file, with every part as a feature; what is not drawn has no geometry. It can be read in again.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/export",
    params(("event" = String, Path, description = "The event")),
    responses((status = 200, description = "A GeoJSON FeatureCollection", body = Object,
        content_type = "application/geo+json")))]
pub(super) async fn export_crowd_plan(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let name = event.clone();
    let plan = read(&state, move |store| events::plan(&store.snapshot()?, &caller.tenant, &event)).await?;
    // An id that was found is made of small letters, digits and hyphens.
    let file = format!("attachment; filename=\"{name}.geojson\"");
    let headers = [(header::CONTENT_TYPE, "application/geo+json".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, geojson::export(&plan).to_string()))
}
