//! Who is told of an event's alerts, and what became of each message.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use control::{
    outbox::{self, Channel, Delivery, Recipient, RecipientFacts},
    record,
};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::Stored;
use utoipa::ToSchema;

use super::plans::{Read, read};
use crate::{ApiError, AppState, Caller};

/// A recipient, with its address: for those who plan.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdRecipient)]
pub(crate) struct RecipientView {
    /// Its key.
    key: String,
    #[serde(flatten)]
    facts: RecipientFacts,
    /// The version that a change builds on.
    version: u64,
    /// Who wrote it last.
    changed_by: String,
    /// When, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// Its newest test message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    test: Option<Delivery>,
}

impl RecipientView {
    fn new(stored: Stored<Recipient>, test: Option<Delivery>) -> Self {
        let Recipient { key, facts, changed_by, changed_at, .. } = stored.value;
        Self { key, facts, version: stored.version, changed_by, changed_at, test }
    }
}

/// The recipients of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = CrowdRecipients)]
pub(crate) struct RecipientsView {
    /// The ways of telling that this server is set up for.
    channels: Vec<Channel>,
    /// By key.
    recipients: Vec<RecipientView>,
}

/// A recipient to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CrowdRecipientChange)]
pub(crate) struct RecipientChange {
    /// The version that was read; absent for a new recipient.
    version: Option<u64>,
    /// What it says.
    facts: RecipientFacts,
}

/// Who is told of an event's alerts, and by which ways this server can tell.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/recipients",
    params(("event" = String, Path, description = "The event")),
    responses((status = 200, body = RecipientsView)))]
pub(super) async fn list_crowd_recipients(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
) -> Result<Json<RecipientsView>, ApiError> {
    let found = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        let recipients = outbox::recipients(&snapshot, &caller.tenant, &event)?;
        Ok((recipients, outbox::tests(&snapshot, &caller.tenant, &event)?))
    });
    let (recipients, mut tests) = found.await?;
    let view = |recipient: Stored<Recipient>| {
        let test = tests.remove(&recipient.key);
        RecipientView::new(recipient, test)
    };
    Ok(Json(RecipientsView {
        recipients: recipients.into_iter().map(view).collect(),
        channels: state.door.channels.clone(),
    }))
}

/// Writes a recipient: a function, an address, and of what it is told. When somebody changed it since it was read, the
/// answer is 409.
#[utoipa::path(put, path = "/api/v1/crowd/events/{event}/recipients/{recipient}", request_body = RecipientChange,
    params(
        ("event" = String, Path, description = "The event"),
        ("recipient" = String, Path, description = "The recipient: small letters, digits and hyphens"),
    ),
    responses((status = 200, body = RecipientView)))]
pub(super) async fn put_crowd_recipient(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, key)): Path<(String, String)>,
    Json(change): Json<RecipientChange>,
) -> Result<Json<RecipientView>, ApiError> {
    let (store, now) = (caller.store(&state), state.clock.wall());
    let (change, by) = ((change.version, change.facts), (&*caller.subject.name, now));
    let recipient = outbox::put_recipient(&store, &caller.tenant, (&event, &key), change, by).await?;
    Ok(Json(RecipientView::new(recipient, None)))
}

/// Removes a recipient. What waits for it is not sent any more.
#[utoipa::path(delete, path = "/api/v1/crowd/events/{event}/recipients/{recipient}",
    params(
        ("event" = String, Path, description = "The event"),
        ("recipient" = String, Path, description = "The recipient"),
        Read,
    ),
    responses((status = 204, description = "Removed")))]
pub(super) async fn remove_crowd_recipient(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, key)): Path<(String, String)>,
    Query(read): Query<Read>,
) -> Result<StatusCode, ApiError> {
    outbox::remove_recipient(&caller.store(&state), &caller.tenant, (&event, &key), read.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test message to a recipient. What became of it is in the list of recipients.
#[utoipa::path(post, path = "/api/v1/crowd/events/{event}/recipients/{recipient}/test",
    params(
        ("event" = String, Path, description = "The event"),
        ("recipient" = String, Path, description = "The recipient"),
    ),
    responses((status = 202, body = Delivery)))]
pub(super) async fn test_crowd_recipient(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, key)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Delivery>), ApiError> {
    let (store, now) = (caller.store(&state), state.clock.wall());
    let queued = outbox::test(&store, &caller.tenant, (&event, &key), now).await?;
    Ok((StatusCode::ACCEPTED, Json(queued)))
}

/// The messages about the alerts of a run and what became of each, the first one first. Addresses are not in it.
#[utoipa::path(get, path = "/api/v1/crowd/events/{event}/runs/{run}/deliveries",
    params(("event" = String, Path, description = "The event"), ("run" = String, Path, description = "The run")),
    responses((status = 200, body = Vec<Delivery>)))]
pub(super) async fn list_crowd_deliveries(
    State(state): State<AppState>,
    caller: Caller,
    Path((event, run)): Path<(String, String)>,
) -> Result<Json<Vec<Delivery>>, ApiError> {
    let deliveries = read(&state, move |store| {
        let snapshot = store.snapshot()?;
        record::run(&snapshot, &caller.tenant, &event, &run)?;
        outbox::deliveries(&snapshot, &caller.tenant, &event, &run)
    });
    Ok(Json(deliveries.await?))
}
