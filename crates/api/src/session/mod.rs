//! Sessions: who one is, signing in and out, accounts, tokens and the audit.

use axum::{Json, extract::State};
use serde::Serialize;
use trust::{Action, SubjectKind};

use crate::{AppState, Caller, Routes};

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/v1/session", Action::UseSession, get_session)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    signed_in: bool,
    open: bool,
}

async fn get_session(State(_): State<AppState>, caller: Caller) -> Json<SessionView> {
    let kind = caller.subject.kind;
    Json(SessionView { signed_in: kind != SubjectKind::Anonymous, open: kind == SubjectKind::Open })
}
