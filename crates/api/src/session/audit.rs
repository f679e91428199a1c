//! The audit, for administrators.

use axum::{
    Json,
    extract::{Query, State},
};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::AuditRecord;
use trust::Action;
use utoipa::{IntoParams, ToSchema};

use super::presence::blocking;
use crate::{ApiError, AppState, Caller};

/// Records in one answer.
const LIMIT_MAX: usize = 1_000;

/// A part of the audit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParameters {
    /// Only records after this sequence.
    #[serde(default)]
    after: u64,
    /// At most this many records looked at, up to 1,000.
    #[serde(default = "limit_usual")]
    limit: usize,
}

fn limit_usual() -> usize {
    100
}

/// Records of the audit, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub(crate) struct AuditView {
    /// The records.
    records: Vec<RecordView>,
    /// The `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<u64>,
}

/// One record in its place in the chain.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditRecord)]
pub(crate) struct RecordView {
    /// Its number.
    sequence: u64,
    /// Whose data it was about.
    tenant: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    subject: String,
    /// What they did.
    action: String,
    /// To what.
    resource: String,
    /// `done` or `refused`.
    outcome: String,
    /// Why it was.
    reason: String,
    /// More, by kind of action.
    #[schema(value_type = Object)]
    detail: Value,
    /// The hash of the record before it.
    previous_hash: String,
    /// The hash of this record.
    hash: String,
}

impl From<AuditRecord> for RecordView {
    fn from(record: AuditRecord) -> Self {
        let entry = record.entry;
        Self {
            sequence: record.sequence,
            tenant: record.tenant.to_string(),
            at: entry.at,
            subject: entry.subject,
            action: entry.action,
            resource: entry.resource,
            outcome: entry.outcome,
            reason: entry.reason,
            detail: entry.detail,
            previous_hash: record.previous_hash,
            hash: record.hash,
        }
    }
}

/// The audit. An administrator of one tenant sees that tenant's records, an administrator of all sees all.
#[utoipa::path(get, path = "/api/v1/audit", params(AuditParameters), responses((status = 200, body = AuditView)))]
pub(super) async fn list_audit(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<AuditParameters>,
) -> Result<Json<AuditView>, ApiError> {
    let limit = asked.limit.clamp(1, LIMIT_MAX);
    let store = state.store.clone();
    let found = blocking(move || Ok(store.audit(asked.after, limit)?)).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|record| record.sequence);
    let all = caller.subject.grants.allow(Action::ReadAudit, "*");
    let seen = found.into_iter().filter(|record| all || record.tenant == caller.tenant);
    Ok(Json(AuditView { records: seen.map(RecordView::from).collect(), next }))
}
