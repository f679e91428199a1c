//! The city and its clock.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trust::SubjectKind;
use views::{Notice, Text};

use super::parse_time;
use crate::{ApiError, AppState, Caller, ClockReading, ClockSetting};

/// The city as the web app reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CityView {
    id: String,
    name: String,
    country: String,
    time_zone: String,
    center: [f64; 2],
    zoom: f64,
    pitch: f64,
    bounds: [f64; 4],
    title: Text,
    notices: Vec<Notice>,
    basemap: Option<Value>,
    /// Everybody may do everything: shown loudly.
    open: bool,
    clock: ClockReading,
}

/// The city: its name, where it lies, what a visitor must be told, and its clock.
#[utoipa::path(get, path = "/api/v1/city", responses((status = 200, description = "The city")))]
pub(super) async fn get_city(State(state): State<AppState>, caller: Caller) -> Json<CityView> {
    let city = state.views.city().clone();
    let basemap = state
        .views
        .basemap()
        .map(|_| json!({ "tileJson": "/tiles/v1/basemap/tilejson.json", "attribution": city.basemap_attribution }));
    Json(CityView {
        id: city.id,
        name: city.name,
        country: city.country,
        time_zone: city.time_zone,
        center: city.center,
        zoom: city.zoom,
        pitch: city.pitch,
        bounds: city.bounds,
        title: city.title,
        notices: city.notices,
        basemap,
        open: caller.subject.kind == SubjectKind::Open,
        clock: state.clock.read(),
    })
}

/// What the city's clock says: now, or a moment of the archive.
#[utoipa::path(get, path = "/api/v1/clock", responses((status = 200, description = "The clock")))]
pub(super) async fn get_clock(State(state): State<AppState>) -> Json<ClockReading> {
    Json(state.clock.read())
}

/// A change to the clock of a replay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    speed: Option<f64>,
    running: Option<bool>,
    now: Option<String>,
}

/// Sets the speed, motion or moment of a replay.
#[utoipa::path(
    post,
    path = "/api/v1/clock",
    request_body(content = Object, description = "speed (city seconds per second), running, now (ISO 8601)"),
    responses((status = 200, description = "The clock as it is now"))
)]
pub(super) async fn set_clock(
    State(state): State<AppState>,
    caller: Caller,
    body: Result<Json<ClockChange>, JsonRejection>,
) -> Result<Json<ClockReading>, ApiError> {
    let Json(change) = body.map_err(|e| {
        ApiError::bad_request(e.body_text())
            .with_remedy("send {\"speed\": 60}, {\"running\": false} or {\"now\": \"…\"}")
    })?;
    let now = parse_time("now", change.now.as_deref())?;
    let reading = state.clock.set(ClockSetting { speed: change.speed, running: change.running, now })?;
    caller.record(&state, "clock.set", &format!("{} at speed {}", reading.now, reading.speed)).await?;
    Ok(Json(reading))
}
