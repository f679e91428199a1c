//! Search by name, and the timeline of the archive.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use views::{Found, Timeline};

use super::look;
use crate::{ApiError, AppState, Caller};

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParameters {
    /// Part of a name.
    q: Option<String>,
    /// At most so many results (10, at most 50).
    limit: Option<usize>,
    /// `nl` or `en`.
    lang: Option<String>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResults {
    /// Best first.
    results: Vec<Found>,
}

/// Places and things by name.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    params(SearchParameters),
    responses((status = 200, description = "Results, best first", body = SearchResults))
)]
pub(super) async fn search_places(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<SearchParameters>,
) -> Result<Json<SearchResults>, ApiError> {
    let text: String = asked.q.unwrap_or_default().chars().take(100).collect();
    let limit = asked.limit.unwrap_or(10);
    let language = asked.lang.unwrap_or_else(|| "nl".to_owned());
    let answer = look(&state, caller, move |views, view| views.search(view, &text, limit, &language));
    Ok(Json(SearchResults { results: answer.await? }))
}

/// Whose timeline.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TimelineParameters {
    /// The id of a layer; all layers when absent.
    layer: Option<String>,
}

/// What the archive holds over time.
#[utoipa::path(
    get,
    path = "/api/v1/timeline",
    params(TimelineParameters),
    responses((status = 200, description = "Slots and gaps", body = Timeline))
)]
pub(super) async fn get_timeline(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<TimelineParameters>,
) -> Result<Json<Timeline>, ApiError> {
    let clock = state.clock.read();
    // A live city has no archive with ends: its last day is shown.
    let from = if clock.from < clock.to { clock.from } else { clock.now.plus_micros(-86_400_000_000) };
    let answer = look(&state, caller, move |views, view| {
        let layer = asked.layer.as_deref().map(|id| views.layer(id, view.scope)).transpose()?;
        views::timeline(view, views.layers(), layer, (from, clock.to))
    });
    answer.await.map(Json)
}
