//! The city and its clock.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::{Deserialize, Serialize};
use trust::SubjectKind;
use utoipa::ToSchema;
use views::{Notice, Text};

use super::parse_time;
use crate::{ApiError, AppState, Caller, ClockReading, ClockSetting};

/// The city as the web app reads it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = City)]
pub(crate) struct CityView {
    /// The short name.
    id: String,
    /// The name of the city.
    name: String,
    /// ISO 3166-1 alpha-2 code of the country.
    country: String,
    /// IANA name of the time zone.
    time_zone: String,
    /// Longitude and latitude where the map opens.
    #[schema(value_type = (f64, f64))]
    center: [f64; 2],
    /// The zoom level at which the map opens.
    zoom: f64,
    /// The tilt at which the map opens, degrees.
    pitch: f64,
    /// West, south, east, north of the city.
    #[schema(value_type = (f64, f64, f64, f64))]
    bounds: [f64; 4],
    /// The title of the page.
    title: Text,
    /// What a visitor must be told.
    notices: Vec<Notice>,
    /// The base map, when there is one.
    #[schema(required)]
    basemap: Option<BasemapView>,
    /// Everybody may do everything: shown loudly.
    open: bool,
    /// The city's clock.
    clock: ClockReading,
}

/// Where the base map is, and whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Basemap)]
pub(crate) struct BasemapView {
    /// The address of the description of its tiles.
    tile_json: &'static str,
    /// The line that must be shown.
    attribution: String,
}

/// The city: its name, where it lies, what a visitor must be told, and its clock.
#[utoipa::path(get, path = "/api/v1/city", responses((status = 200, description = "The city", body = CityView)))]
pub(super) async fn get_city(State(state): State<AppState>, caller: Caller) -> Json<CityView> {
    let city = state.views.city().clone();
    let basemap = state
        .views
        .basemap()
        .map(|_| BasemapView { tile_json: "/tiles/v1/basemap/tilejson.json", attribution: city.basemap_attribution });
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
#[utoipa::path(get, path = "/api/v1/clock", responses((status = 200, description = "The clock", body = ClockReading)))]
pub(super) async fn get_clock(State(state): State<AppState>) -> Json<ClockReading> {
    Json(state.clock.read())
}

/// A change to the clock of a replay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockChange {
    /// City seconds for each second of the server.
    #[schema(nullable = false)]
    speed: Option<f64>,
    /// Whether it moves.
    #[schema(nullable = false)]
    running: Option<bool>,
    /// The moment to go to, inside the archive (ISO 8601).
    #[schema(nullable = false)]
    now: Option<String>,
}

/// Sets the speed, motion or moment of a replay.
#[utoipa::path(
    post,
    path = "/api/v1/clock",
    request_body = ClockChange,
    responses((status = 200, description = "The clock as it is now", body = ClockReading))
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
