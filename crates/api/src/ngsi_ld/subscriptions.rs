//! Subscriptions over HTTP (ETSI GS CIM 009, 6.10 and 6.11).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use model::EntityId;
use platform::{context::Context, ngsi::NgsiError};
use serde_json::Value;
use subscriptions::{Subscription, Subscriptions, parse_subscription_fragment, subscription_to_json};
use trust::Action;

use super::{Ask, Media, page_links, respond::with_count};
use crate::{ApiError, AppState, Routes};

/// The routes of subscriptions.
#[must_use]
pub(super) fn subscription_routes() -> Routes {
    use Action::ManageSubscriptions;
    let mut routes = Routes::new();
    for path in ["/ngsi-ld/v1/subscriptions", "/ngsi-ld/v1/subscriptions/"] {
        routes = routes.get(path, ManageSubscriptions, list_subscriptions).post(
            path,
            ManageSubscriptions,
            create_subscription,
        );
    }
    let one = "/ngsi-ld/v1/subscriptions/{id}";
    routes
        .get(one, ManageSubscriptions, retrieve_subscription)
        .patch(one, ManageSubscriptions, update_subscription)
        .delete(one, ManageSubscriptions, delete_subscription)
}

/// The subscriptions in the caller's name: what is changed through them is in the audit, in the same transaction.
fn subscriptions(state: &AppState, ask: &Ask) -> Subscriptions {
    state.subscriptions.signed(ask.signature(state))
}

/// Makes a subscription.
async fn create_subscription(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let body = ask.body(&state).await?;
    let source = body.context.wire().clone();
    let fragment = parse_subscription_fragment(body.value, &body.context, &source)?;
    let id = subscriptions(&state, &ask).create(ask.tenant(), fragment, source, ask.now).await?;
    Ok(ask.created(&format!("/ngsi-ld/v1/subscriptions/{id}")))
}

/// Lists subscriptions.
async fn list_subscriptions(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["limit", "offset", "count", "options", "local", "via"]])?;
    ask.params.check_options()?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let (limit, offset) = ask.params.page()?;
    let all = state.subscriptions.list(ask.tenant())?;
    let page = all.iter().skip(offset).take(limit);
    let shown: Vec<Value> = page.map(|subscription| show(&state, &ask, subscription, &context, media)).collect();
    let mut response = ask.answer(media, &context, Value::Array(shown).to_string().into_bytes());
    page_links(response.headers_mut(), &ask, limit, offset, all.len() > offset.saturating_add(limit));
    let total = ask.params.counts()?.then_some(all.len() as u64);
    with_count(response.headers_mut(), total);
    Ok(response)
}

/// Retrieves a subscription.
async fn retrieve_subscription(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    ask.params.check_options()?;
    let media = ask.media(false)?;
    let context = ask.link_context(&state).await?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let subscription = state.subscriptions.get(ask.tenant(), &id)?;
    let shown = show(&state, &ask, &subscription, &context, media);
    Ok(ask.answer(media, &context, shown.to_string().into_bytes()))
}

fn show(state: &AppState, ask: &Ask, subscription: &Subscription, context: &Context, media: Media) -> Value {
    let status = state.subscriptions.status(ask.tenant(), &subscription.id);
    let sys_attrs = ask.params.option("sysAttrs");
    let mut value = subscription_to_json(subscription, Some(&status), context, sys_attrs, ask.now);
    if let (Media::LdJson, Value::Object(members)) = (media, &mut value) {
        members.insert("@context".to_owned(), context.wire().clone());
    }
    value
}

/// Changes a subscription.
async fn update_subscription(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let fragment = parse_subscription_fragment(body.value, &body.context, body.context.wire())?;
    subscriptions(&state, &ask).update(ask.tenant(), &id, fragment, ask.now).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Ends a subscription.
async fn delete_subscription(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    subscriptions(&state, &ask).delete(ask.tenant(), &id).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}
