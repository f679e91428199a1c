//! The report of a run as PDF.

use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use control::{ControlError, events, outbox::Language};
use paper::Paper;
use serde::Deserialize;
use utoipa::IntoParams;

use super::plans::read;
use crate::{ApiError, AppState, Caller};

/// How the report is written.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The language; Dutch when absent.
    #[serde(default)]
    lang: Language,
}

/// The report of a run as PDF: the same as `/report`, tagged and with its fonts, to keep and to send.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/report.pdf",
    params(
        ("event" = String, Path, description = "The event"),
        ("run" = String, Path, description = "The run"),
        Asked,
    ),
    responses((status = 200, description = "The report", body = Vec<u8>, content_type = "application/pdf")))]
pub(super) async fn get_crowd_report_pdf(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
    Query(Asked { lang }): Query<Asked>,
) -> Result<Response, ApiError> {
    let (zone, made_at) = (state.room.zone(), state.clock.wall());
    let name = format!("{event}-{run}.pdf");
    let bytes = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        let plan = events::plan(&snapshot, &caller.tenant, &event)?;
        let report = control::report(&snapshot, &caller.tenant, &event, &run)?;
        let paper = Paper { report: &report, plan: &plan, zone, language: lang, made_at };
        paper::report(&paper).map_err(|error| ControlError::Broken(error.to_string()))
    });
    let bytes = bytes.await?;
    let disposition = format!("inline; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}
