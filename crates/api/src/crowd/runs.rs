//! Runs of an event: starting, watching, acting, and looking back.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use control::{
    Actor, AlertRecord, DecisionRecord, Difference, Measure, Picture, Report, RunKind, RunRecord, Start, record,
};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use trust::{Action, SubjectKind};
use utoipa::ToSchema;

use super::plans::read;
use crate::{ApiError, AppState, Caller};

/// How many pictures may wait for a slow reader; it gets the newest after that.
const QUEUE_MAX: usize = 4;
/// How long a stream lasts before the reader comes back with its rights checked again.
const STREAM_MAX: Duration = Duration::from_mins(15);
/// How often a silent stream says that it is there.
const PING_EVERY: Duration = Duration::from_secs(15);

/// How a run is to start.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdStart)]
pub(crate) struct StartAsked {
    /// Whether it is for real.
    kind: RunKind,
    /// Seconds of the event for each second, in a rehearsal; 60 when absent.
    #[serde(default)]
    speed: Option<f64>,
    /// The seed of the simulated visitors; the same seed gives the same visitors. 1 when absent.
    #[serde(default)]
    seed: Option<u64>,
    /// How many come, as a share of those expected; 1 when absent.
    #[serde(default)]
    visitors_factor: Option<f64>,
    /// Whether nobody is in the areas now, in a live run. When absent, they are taken to be empty before the event begins
    /// and unknown after that, until they are counted.
    #[serde(default)]
    areas_empty: Option<bool>,
}

/// The pace of a rehearsal.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdPace)]
pub(crate) struct Pace {
    /// Seconds of the event for each second.
    #[serde(default)]
    speed: Option<f64>,
    /// Whether it stands still.
    #[serde(default)]
    paused: Option<bool>,
}

/// Why an alert is over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CrowdReason)]
pub(crate) struct Reason {
    /// In words.
    reason: String,
}

/// Measures to be tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CrowdQuestion)]
pub(crate) struct Question {
    /// Beside those that were decided already.
    measures: Vec<Measure>,
}

/// A decision to be taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CrowdDecisionAsked)]
pub(crate) struct DecisionAsked {
    /// What is decided.
    measure: Measure,
    /// Why.
    reason: String,
}

fn actor(state: &AppState, caller: &Caller) -> Actor {
    Actor { name: caller.subject.name.to_string(), store: caller.store(state) }
}

/// A person who acts. A token is nobody: what is decided about people has a person's name.
fn person(state: &AppState, caller: &Caller) -> Result<Actor, ApiError> {
    match caller.subject.kind {
        SubjectKind::Person | SubjectKind::Open => Ok(actor(state, caller)),
        SubjectKind::Machine | SubjectKind::Anonymous => {
            Err(ApiError::forbidden("a person acts in an event, never a token")
                .with_remedy("sign in with a name and a password, or through the identity provider"))
        }
    }
}

/// The runs of an event, the first one first.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs",
    params(("event" = String, Path, description = "The event")),
    responses((status = 200, body = Vec<RunRecord>)))]
pub(super) async fn list_crowd_runs(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
) -> Result<Json<Vec<RunRecord>>, ApiError> {
    let runs = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        control::events::event(&snapshot, &caller.tenant, &event)?;
        record::runs(&snapshot, &caller.tenant, &event)
    });
    Ok(Json(runs.await?))
}

/// Runs an event: a rehearsal with simulated visitors, or, for those who may act, live.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs", request_body = StartAsked,
    params(("event" = String, Path, description = "The event")),
    responses((status = 201, body = RunRecord)))]
pub(super) async fn start_crowd_run(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
    Json(asked): Json<StartAsked>,
) -> Result<(StatusCode, Json<RunRecord>), ApiError> {
    if asked.kind == RunKind::Live && !caller.may(&state, Action::ActOnCrowd) {
        return Err(ApiError::forbidden("only who may act in an event starts a live run")
            .with_remedy("ask an operator to start it, or rehearse it"));
    }
    let start = Start {
        kind: asked.kind,
        speed: asked.speed.unwrap_or(60.0),
        seed: asked.seed.unwrap_or(1),
        visitors_factor: asked.visitors_factor.unwrap_or(1.0),
        areas_empty: asked.areas_empty,
    };
    let run = state.room.start(&caller.tenant, &event, start, &actor(&state, &caller)).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Pauses a rehearsal, or changes its speed.
#[utoipa::path(patch, path = "/api/v1/crowd/events/{event}/runs/{run}", request_body = Pace,
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = RunRecord)))]
pub(super) async fn pace_crowd_run(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
    Json(pace): Json<Pace>,
) -> Result<Json<RunRecord>, ApiError> {
    let actor = actor(&state, &caller);
    Ok(Json(state.room.pace((&caller.tenant, &event, &run), pace.speed, pace.paused, actor).await?))
}

/// Stops a run for good.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs/{run}/stop",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = RunRecord)))]
pub(super) async fn stop_crowd_run(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<RunRecord>, ApiError> {
    let (tenant, names) = (caller.tenant.clone(), (event.clone(), run.clone()));
    let found = read(&state, move |store| record::run(&store.snapshot()?, &tenant, &names.0, &names.1)).await?;
    if found.kind == RunKind::Live && !caller.may(&state, Action::ActOnCrowd) {
        return Err(ApiError::forbidden("only who may act in an event stops a live run")
            .with_remedy("ask an operator to stop it"));
    }
    let actor = actor(&state, &caller);
    Ok(Json(state.room.stop((&caller.tenant, &event, &run), actor).await?))
}

/// The newest picture of a run; the last one when it is over.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/picture",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Picture)))]
pub(super) async fn get_crowd_picture(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<Picture>, ApiError> {
    let newest = state.room.pictures(&caller.tenant, &event, &run).and_then(|pictures| pictures.borrow().clone());
    if let Some(picture) = newest {
        return Ok(Json((*picture).clone()));
    }
    let picture = read(&state, move |store| record::last_picture(&store.snapshot()?, &caller.tenant, &event, &run));
    Ok(Json(picture.await?))
}

/// A picture at each step, as server-sent events `picture`, and `ended` when the run is over.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/stream",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, description = "Events with a CrowdPicture as data", body = Picture, content_type = "text/event-stream")))]
pub(super) async fn stream_crowd_pictures(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let open = state.streams().open(&caller.bucket()).ok_or_else(|| {
        ApiError::too_many("as many event streams are open as one caller, or all together, may have", 30)
            .with_remedy("close streams that nobody looks at, and try again after the seconds in Retry-After")
    })?;
    let pictures = state.room.pictures(&caller.tenant, &event, &run).ok_or_else(|| {
        ApiError::conflict("this run does not go on").with_remedy("read its last picture, or its report")
    })?;
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    tokio::spawn(async move {
        _ = tokio::time::timeout(STREAM_MAX, tell(pictures, sender)).await;
        drop(open);
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(PING_EVERY).text("ping")))
}

/// Tells the newest picture whenever there is one; a reader that is slow misses those between, never the newest.
async fn tell(mut pictures: watch::Receiver<Option<Arc<Picture>>>, sender: mpsc::Sender<Result<Event, Infallible>>) {
    loop {
        let picture = pictures.borrow_and_update().clone();
        if let Some(picture) = picture
            && let Ok(event) = Event::default().event("picture").json_data(&*picture)
            && sender.send(Ok(event)).await.is_err()
        {
            return;
        }
        tokio::select! {
            changed = pictures.changed() => if changed.is_err() { break },
            () = sender.closed() => return,
        }
    }
    _ = sender.send(Ok(Event::default().event("ended").data("{}"))).await;
}

/// The alerts of a run, the newest first.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/alerts",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Vec<AlertRecord>)))]
pub(super) async fn list_crowd_alerts(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<Vec<AlertRecord>>, ApiError> {
    let alerts = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        record::run(&snapshot, &caller.tenant, &event, &run)?;
        let mut alerts = record::alerts(&snapshot, &caller.tenant, &event, &run)?;
        alerts.reverse();
        Ok(alerts)
    });
    Ok(Json(alerts.await?))
}

/// The caller takes an alert.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs/{run}/alerts/{alert}/acknowledge",
    params(
        ("event" = String, Path, description = "The event"),
        ("run" = String, Path, description = "The run"),
        ("alert" = u32, Path, description = "The alert"),
    ),
    responses((status = 200, body = AlertRecord)))]
pub(super) async fn acknowledge_crowd_alert(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run, alert)): Path<(String, String, u32)>,
) -> Result<Json<AlertRecord>, ApiError> {
    let actor = person(&state, &caller)?;
    Ok(Json(state.room.acknowledge((&caller.tenant, &event, &run), alert, actor).await?))
}

/// The caller says that an alert is over, and why.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs/{run}/alerts/{alert}/close", request_body = Reason,
    params(
        ("event" = String, Path, description = "The event"),
        ("run" = String, Path, description = "The run"),
        ("alert" = u32, Path, description = "The alert"),
    ),
    responses((status = 200, body = AlertRecord)))]
pub(super) async fn close_crowd_alert(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run, alert)): Path<(String, String, u32)>,
    Json(asked): Json<Reason>,
) -> Result<Json<AlertRecord>, ApiError> {
    let actor = person(&state, &caller)?;
    Ok(Json(state.room.close((&caller.tenant, &event, &run), alert, asked.reason, actor).await?))
}

/// What measures would change from now on. Nothing is decided by asking.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs/{run}/what-if", request_body = Question,
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Vec<Difference>)))]
pub(super) async fn ask_crowd_what_if(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
    Json(question): Json<Question>,
) -> Result<Json<Vec<Difference>>, ApiError> {
    Ok(Json(state.room.what_if((&caller.tenant, &event, &run), question.measures).await?))
}

/// The decisions of a run, the first one first.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/decisions",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Vec<DecisionRecord>)))]
pub(super) async fn list_crowd_decisions(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<Vec<DecisionRecord>>, ApiError> {
    let decisions = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        record::run(&snapshot, &caller.tenant, &event, &run)?;
        record::decisions(&snapshot, &caller.tenant, &event, &run)
    });
    Ok(Json(decisions.await?))
}

/// The caller decides on a measure, and says why.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/runs/{run}/decisions", request_body = DecisionAsked,
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 201, body = DecisionRecord)))]
pub(super) async fn decide_crowd_measure(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
    Json(asked): Json<DecisionAsked>,
) -> Result<(StatusCode, Json<DecisionRecord>), ApiError> {
    let actor = person(&state, &caller)?;
    let decided = state.room.decide((&caller.tenant, &event, &run), asked.measure, asked.reason, actor).await?;
    Ok((StatusCode::CREATED, Json(decided)))
}

/// Looking back on a run: timeline, peaks, alerts, decisions with what was expected and what came, and how good the
/// predictions were.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/report",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Report)))]
pub(super) async fn get_crowd_report(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<Report>, ApiError> {
    let report = read(&state, move |store| control::report(&store.snapshot()?, &caller.tenant, &event, &run));
    Ok(Json(report.await?))
}
