//! The outlook: what the next hours and days will bring, on what that rests, and how good it was.

use ::outlook::{OutlookError, wire};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use model::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{ApiError, AppState, Caller};

/// How many hours ahead are asked for.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Ahead {
    /// Hours ahead, 1 to 168; 168 when absent.
    hours: Option<u32>,
}

/// How many days back are asked for.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Back {
    /// Whole local days of those that are over, 1 to 56; 7 when absent.
    days: Option<u32>,
}

/// A number of a question, within its bounds.
fn within(name: &str, value: Option<u32>, usual: u32, most: u32) -> Result<u32, ApiError> {
    match value {
        None => Ok(usual),
        Some(value) if (1..=most).contains(&value) => Ok(value),
        Some(value) => {
            let detail = format!("{value} is not between 1 and {most}");
            Err(Problem::new(name, detail, format!("ask for 1 to {most}")).into())
        }
    }
}

fn told(error: OutlookError) -> ApiError {
    match error {
        OutlookError::Missing { .. } => {
            ApiError::not_found(error.to_string()).with_remedy("GET /api/v1/crowd/forecasts lists what there is")
        }
        OutlookError::NoModel { .. } => ApiError::not_found(error.to_string())
            .with_remedy("GET /api/v1/crowd/forecasts says why there is none, or how far it is"),
        OutlookError::Training { .. } => {
            ApiError::conflict(error.to_string()).with_remedy("wait until it is done; its progress is in the list")
        }
    }
}

/// Every set of forecasts: how its model is doing, and its series and areas.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts", responses((status = 200, body = Vec<wire::Set>)))]
pub(super) async fn list_crowd_forecasts(State(state): State<AppState>, caller: Caller) -> Json<Vec<wire::Set>> {
    Json(state.outlook.sets(&caller.tenant))
}

/// What is expected of a series or area, with what was counted before it.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts/{set}/{series}",
    params(("set" = String, Path, description = "The set"), ("series" = String, Path, description = "The series"), Ahead),
    responses((status = 200, body = wire::Forecast)))]
pub(super) async fn get_crowd_forecast(
    State(state): State<AppState>,
    caller: Caller,
    Path((set, series)): Path<(String, String)>,
    Query(ahead): Query<Ahead>,
) -> Result<Json<wire::Forecast>, ApiError> {
    let hours = within("hours", ahead.hours, 168, 168)?;
    Ok(Json(state.outlook.forecast(&caller.tenant, (&set, &series), hours).map_err(told)?))
}

/// Hour by hour, what was said of a series or area at the midnight before, and what was counted.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts/{set}/{series}/record",
    params(("set" = String, Path, description = "The set"), ("series" = String, Path, description = "The series"), Back),
    responses((status = 200, body = wire::SeriesRecord)))]
pub(super) async fn get_crowd_forecast_record(
    State(state): State<AppState>,
    caller: Caller,
    Path((set, series)): Path<(String, String)>,
    Query(back): Query<Back>,
) -> Result<Json<wire::SeriesRecord>, ApiError> {
    let days = within("days", back.days, 7, 56)?;
    Ok(Json(state.outlook.record(&caller.tenant, (&set, &series), days).map_err(told)?))
}

/// The card of the model in use.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts/{set}/model",
    params(("set" = String, Path, description = "The set")),
    responses((status = 200, body = wire::ModelCard)))]
pub(super) async fn get_crowd_forecast_model(
    State(state): State<AppState>,
    caller: Caller,
    Path(set): Path<String>,
) -> Result<Json<wire::ModelCard>, ApiError> {
    Ok(Json(state.outlook.model(&caller.tenant, &set).map_err(told)?))
}

/// The week ahead for whoever makes the roster: the total and the busiest hour of each day, against a usual day.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts/{set}/week",
    params(("set" = String, Path, description = "The set")),
    responses((status = 200, body = wire::Week)))]
pub(super) async fn get_crowd_forecast_week(
    State(state): State<AppState>,
    caller: Caller,
    Path(set): Path<String>,
) -> Result<Json<wire::Week>, ApiError> {
    Ok(Json(state.outlook.week(&caller.tenant, &set).map_err(told)?))
}

/// The next hour, at the step at which the set counts: what is expected in 15, 30 and 60 minutes, and how good that was.
#[utoipa::path(get, path = "/api/v1/crowd/forecasts/{set}/nowcast",
    params(("set" = String, Path, description = "The set")),
    responses((status = 200, body = wire::Nowcast)))]
pub(super) async fn get_crowd_nowcast(
    State(state): State<AppState>,
    caller: Caller,
    Path(set): Path<String>,
) -> Result<Json<wire::Nowcast>, ApiError> {
    Ok(Json(state.outlook.nowcast(&caller.tenant, &set).map_err(told)?))
}

/// Trains the model of a set now. It goes on beside everything else; when one goes on already the answer is 409.
#[utoipa::path(post, path = "/api/v1/crowd/forecasts/{set}/train",
    params(("set" = String, Path, description = "The set")),
    responses((status = 202, body = wire::Set)))]
pub(super) async fn train_crowd_forecast(
    State(state): State<AppState>,
    caller: Caller,
    Path(set): Path<String>,
) -> Result<(StatusCode, Json<wire::Set>), ApiError> {
    let asked = state.outlook.train(&caller.tenant, &set).map_err(told)?;
    caller.record(&state, "crowd-forecasts.train", &set).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}
