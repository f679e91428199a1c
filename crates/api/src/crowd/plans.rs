//! Events and the parts of their plans.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use control::{Event, EventFacts, LIBRARY, MeasureCard, PartView, Plan, events};
use model::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Stored;
use utoipa::{IntoParams, ToSchema};

use crate::{ApiError, AppState, Caller};

/// How far an event is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdPhase)]
pub(crate) enum Phase {
    /// It is being planned.
    Plan,
    /// It is being rehearsed or run.
    Running,
    /// Its live run is over.
    Over,
}

/// An event in a few words.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdEvent)]
pub(crate) struct EventView {
    /// Its id.
    id: String,
    #[serde(flatten)]
    facts: EventFacts,
    /// How far it is.
    phase: Phase,
    /// The run that goes on now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    run: Option<String>,
    /// The version that a change builds on.
    version: u64,
    /// Who made it.
    made_by: String,
}

impl From<Stored<Event>> for EventView {
    fn from(stored: Stored<Event>) -> Self {
        let event = stored.value;
        let phase = match (&event.run, event.over) {
            (Some(_), _) => Phase::Running,
            (None, true) => Phase::Over,
            (None, false) => Phase::Plan,
        };
        Self {
            id: event.id,
            facts: event.facts,
            phase,
            run: event.run,
            version: stored.version,
            made_by: event.made_by,
        }
    }
}

/// Something in a plan that cannot be used as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = CrowdPlanProblem)]
pub(crate) struct PlanProblem {
    /// What.
    thing: String,
    /// What is wrong with it.
    detail: String,
    /// What to do about it.
    remedy: String,
}

impl From<Problem> for PlanProblem {
    fn from(problem: Problem) -> Self {
        Self { thing: problem.thing, detail: problem.detail, remedy: problem.remedy }
    }
}

/// An event with its plan.
#[derive(Serialize, ToSchema)]
#[schema(as = CrowdPlan)]
pub(crate) struct PlanView {
    /// The event.
    event: EventView,
    /// The parts, by kind and key.
    parts: Vec<PartView>,
    /// What is wrong with the plan.
    problems: Vec<PlanProblem>,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let (_, problems) = control::site_of(&plan);
        Self {
            event: plan.event.into(),
            parts: plan.parts.into_iter().map(PartView::from).collect(),
            problems: problems.into_iter().map(PlanProblem::from).collect(),
        }
    }
}

/// A change of what is said of an event.
#[derive(Deserialize, ToSchema)]
#[schema(as = CrowdEventChange)]
pub(crate) struct EventChange {
    /// The version that was read.
    version: u64,
    /// What it is called.
    name: String,
    /// The first moment that is watched.
    #[schema(value_type = String, format = DateTime)]
    from: model::Timestamp,
    /// The last moment that is watched.
    #[schema(value_type = String, format = DateTime)]
    until: model::Timestamp,
    /// What else must be known.
    #[serde(default)]
    notes: String,
}

/// A part to be written.
#[derive(Deserialize, ToSchema)]
#[schema(as = CrowdPartChange)]
pub(crate) struct PartChange {
    /// The version that was read; absent for a new part.
    version: Option<u64>,
    /// What it says: the fields of its kind.
    #[schema(value_type = Object)]
    body: Value,
}

/// Which version is removed.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Read {
    /// The version that was read.
    pub(super) version: u64,
}

/// Every event.
#[utoipa::path(get, path = "/api/v1/crowd/events", responses((status = 200, body = Vec<EventView>)))]
pub(super) async fn list_crowd_events(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Vec<EventView>>, ApiError> {
    let found = read(&state, move |store| events::list(&store.snapshot()?, &caller.tenant)).await?;
    Ok(Json(found.into_iter().map(EventView::from).collect()))
}

/// Makes an event, without a plan yet.
#[utoipa::path(post, path = "/api/v1/crowd/events", request_body = EventFacts,
    responses((status = 201, body = PlanView)))]
pub(super) async fn add_crowd_event(
    State(state): State<AppState>,
    caller: Caller,
    Json(facts): Json<EventFacts>,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    let store = caller.store(&state);
    let event = events::make(&store, &caller.tenant, facts, &caller.subject.name, state.clock.wall()).await?;
    Ok((StatusCode::CREATED, Json(Plan { event, parts: vec![] }.into())))
}

/// An event with its plan, and what is wrong with it.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}",
    params(("event" = String, Path, description = "The event")),
    responses((status = 200, body = PlanView)))]
pub(super) async fn get_crowd_event(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PlanView>, ApiError> {
    let plan = read(&state, move |store| events::plan(&store.snapshot()?, &caller.tenant, &id)).await?;
    Ok(Json(plan.into()))
}

/// Changes what is said of an event.
#[utoipa::path(put, path = "/api/v1/crowd/events/{event}", request_body = EventChange,
    params(("event" = String, Path, description = "The event")),
    responses((status = 200, body = EventView)))]
pub(super) async fn change_crowd_event(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Json(change): Json<EventChange>,
) -> Result<Json<EventView>, ApiError> {
    let EventChange { version, name, from, until, notes } = change;
    let facts = EventFacts { name, from, until, notes };
    let event = events::change(&caller.store(&state), &caller.tenant, &id, version, facts).await?;
    Ok(Json(event.into()))
}

/// Removes an event with its plan and all that its runs recorded.
#[utoipa::path(delete, path = "/api/v1/crowd/events/{event}",
    params(("event" = String, Path, description = "The event"), Read),
    responses((status = 204, description = "Removed")))]
pub(super) async fn remove_crowd_event(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(read): Query<Read>,
) -> Result<StatusCode, ApiError> {
    events::remove(&caller.store(&state), &caller.tenant, &id, read.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes a part of a plan. When somebody changed it since it was read, the answer is 409 with the part as it is now.
#[utoipa::path(put, path = "/api/v1/crowd/events/{event}/parts/{kind}/{key}", request_body = PartChange,
    params(
        ("event" = String, Path, description = "The event"),
        ("kind" = String, Path, description = "area, barrier, consequence, gate, link, measure, programme or threat"),
        ("key" = String, Path, description = "The part: small letters, digits and hyphens"),
    ),
    responses((status = 200, body = PartView)))]
pub(super) async fn put_crowd_part(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, kind, key)): Path<(String, String, String)>,
    Json(change): Json<PartChange>,
) -> Result<Json<PartView>, ApiError> {
    let (store, now) = (caller.store(&state), state.clock.wall());
    let part = events::put_part(
        &store,
        &caller.tenant,
        (&event, &kind, &key),
        (change.version, change.body),
        (&caller.subject.name, now),
    );
    Ok(Json(part.await?.into()))
}

/// Removes a part of a plan.
#[utoipa::path(delete, path = "/api/v1/crowd/events/{event}/parts/{kind}/{key}",
    params(
        ("event" = String, Path, description = "The event"),
        ("kind" = String, Path, description = "The kind of the part"),
        ("key" = String, Path, description = "The part"),
        Read,
    ),
    responses((status = 204, description = "Removed")))]
pub(super) async fn remove_crowd_part(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, kind, key)): Path<(String, String, String)>,
    Query(read): Query<Read>,
) -> Result<StatusCode, ApiError> {
    events::remove_part(&caller.store(&state), &caller.tenant, (&event, &kind, &key), read.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The library of measures.
#[utoipa::path(get, path = "/api/v1/crowd/measures", responses((status = 200, body = Vec<MeasureCard>)))]
pub(super) async fn list_crowd_measures() -> Json<&'static [MeasureCard]> {
    Json(LIBRARY)
}

/// Reads on a thread that may wait for the disk.
pub(super) async fn read<T: Send + 'static>(
    state: &AppState,
    question: impl FnOnce(&store::Store) -> Result<T, control::ControlError> + Send + 'static,
) -> Result<T, ApiError> {
    let store = state.store.clone();
    Ok(state.questions().run(move || question(&store)).await??)
}
