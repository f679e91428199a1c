//! One thing: the inspector, and the series of its attributes.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use model::EntityId;
use serde::Deserialize;
use utoipa::IntoParams;
use views::{AttributeConfig, AttributeKind, Chart, Inspector, SeriesQuery, Text};

use super::{look, parse_time};
use crate::{ApiError, AppState, Caller};

/// How much of a series is shown when nothing is asked: six hours, in microseconds.
const RANGE_DEFAULT: i64 = 6 * 3_600 * 1_000_000;
/// How many points of a chart when nothing is asked, and the most.
const POINTS: (usize, usize) = (400, 5_000);

/// When, and in which language.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ThingParameters {
    /// The thing at this moment (ISO 8601) instead of now.
    at: Option<String>,
    /// `nl` or `en`: the language of titles.
    lang: Option<String>,
}

/// Everything that is known about one thing.
#[utoipa::path(
    get,
    path = "/api/v1/things/{id}",
    params(("id" = String, Path, description = "The identifier of an entity"), ThingParameters),
    responses((status = 200, description = "The thing", body = Inspector))
)]
pub(super) async fn get_thing(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<ThingParameters>,
) -> Result<Json<Inspector>, ApiError> {
    let id = EntityId::parse(&id)?;
    let at = parse_time("at", asked.at.as_deref())?;
    let language = asked.lang.unwrap_or_else(|| "nl".to_owned());
    let answer = look(&state, caller, move |views, view| {
        let source = |name: &str| Some(views.source(name));
        views::inspect(view, views.layers(), &id, at, &language, views.zone(), &source)
    });
    answer.await.map(Json)
}

/// Which part of which series.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesParameters {
    /// The short name of an attribute.
    attribute: String,
    /// From this moment (ISO 8601); six hours before `to` when absent.
    from: Option<String>,
    /// Until this moment (ISO 8601); now when absent.
    to: Option<String>,
    /// About how many points (400, at most 5,000).
    points: Option<usize>,
}

/// A series for a chart, thinned without losing peaks.
#[utoipa::path(
    get,
    path = "/api/v1/things/{id}/series",
    params(("id" = String, Path, description = "The identifier of an entity"), SeriesParameters),
    responses((status = 200, description = "Points, gaps and totals", body = Chart))
)]
pub(super) async fn get_thing_series(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<SeriesParameters>,
) -> Result<Json<Chart>, ApiError> {
    let id = EntityId::parse(&id)?;
    let to = parse_time("to", asked.to.as_deref())?.unwrap_or_else(|| state.clock.now());
    let from = parse_time("from", asked.from.as_deref())?.unwrap_or_else(|| to.plus_micros(-RANGE_DEFAULT));
    let query = SeriesQuery { from, to, points: asked.points.unwrap_or(POINTS.0).min(POINTS.1) };
    let answer = look(&state, caller, move |views, view| {
        let entity = view.entity(&id)?;
        let layer = entity.value.types.iter().find_map(|t| views.layers().of_type(t));
        let known = layer.and_then(|l| l.attribute(&asked.attribute)).cloned();
        let attribute = known.unwrap_or_else(|| unlisted(&asked.attribute));
        views::chart(view, &id, &attribute, query)
    });
    answer.await.map(Json)
}

/// An attribute that no layer describes: its series can be drawn all the same.
fn unlisted(name: &str) -> AttributeConfig {
    AttributeConfig {
        name: name.to_owned(),
        label: Text { nl: name.to_owned(), en: name.to_owned() },
        unit_code: None,
        kind: AttributeKind::Number,
        history: true,
        indicator: false,
        interval_s: None,
        words: vec![],
    }
}
