//! Subscriptions over HTTP (ETSI GS CIM 009, 6.10 and 6.11).

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use model::{EntityId, Tenant, Timestamp};
use platform::{context::Context, ngsi::NgsiError};
use serde_json::Value;
use subscriptions::{
    Owner, Rights, Standing, Subscription, Subscriptions, parse_subscription_fragment, subscription_to_json,
};
use trust::{Action, Decision, Resource, SubjectKind, Trust, TrustError};

use super::{Ask, Media, page_links, respond::with_count};
use crate::{ApiError, AppState, Routes};

/// What the decisions are about, besides the tenant.
const SUBSCRIPTIONS: &str = "subscriptions";

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

/// What the owner of a subscription may read now, for the notifier: they need to be allowed to have subscriptions, and
/// to read entities.
#[must_use]
pub fn subscription_rights(trust: Trust) -> Rights {
    Arc::new(move |tenant, owner, now| standing(&trust, tenant, owner, now).map_err(|error| error.to_string()))
}

fn standing(trust: &Trust, tenant: &Tenant, owner: Option<&Owner>, now: Timestamp) -> Result<Standing, TrustError> {
    let name = owner.map_or("", |owner| &owner.name);
    let Some(subject) = trust.recall(name, owner.and_then(|owner| owner.since), now)? else {
        let gone = match owner {
            Some(owner) if owner.name.contains('/') => "the token that made the subscription has ended",
            Some(owner) if owner.since.is_some() => "the account that made the subscription is gone",
            _ => "nobody with an account made the subscription",
        };
        return Ok(Standing::MayNot(format!("{gone}; make it again")));
    };
    let decide = |action| trust.decide(&subject, action, Resource { tenant, name: SUBSCRIPTIONS }, None);
    let refused = |action: Action, decision: &Decision| {
        Standing::MayNot(format!("{action} is refused to the owner of the subscription: {}", decision.reason))
    };
    for action in [Action::ManageSubscriptions, Action::ReadEntities] {
        let decision = decide(action);
        if !decision.allowed {
            return Ok(refused(action, &decision));
        }
    }
    Ok(Standing::May(decide(Action::ReadEntities).scope))
}

/// Refuses to make or change a subscription for somebody who may not read what it would tell.
fn check_reads(state: &AppState, ask: &Ask) -> Result<(), ApiError> {
    let resource = Resource { tenant: ask.tenant(), name: SUBSCRIPTIONS };
    let decision = state.trust.decide(&ask.caller.subject, Action::ReadEntities, resource, None);
    if decision.allowed {
        return Ok(());
    }
    let detail =
        format!("a subscription tells of entities, and {} was refused: {}", Action::ReadEntities, decision.reason);
    Err(ApiError::forbidden(detail).with_remedy("use a token whose scopes include it"))
}

/// Whether it is the caller's own subscription (a person's tokens are their own; a token's own is only its own), or the
/// caller is an administrator of the tenant.
fn owns(state: &AppState, ask: &Ask, subscription: &Subscription) -> bool {
    let subject = &ask.caller.subject;
    let own = |owner: &Owner| {
        let name = if subject.kind == SubjectKind::Person { owner.account() } else { &owner.name };
        *name == *subject.name && owner.since.is_some() && owner.since == subject.since
    };
    let resource = Resource { tenant: ask.tenant(), name: SUBSCRIPTIONS };
    subscription.owner.as_ref().is_some_and(own)
        || state.trust.decide(subject, Action::ManageUsers, resource, None).allowed
}

/// Refuses to change or end the subscription of somebody else.
fn check_owns(state: &AppState, ask: &Ask, id: &EntityId) -> Result<(), ApiError> {
    if owns(state, ask, &state.subscriptions.get(ask.tenant(), id)?) {
        return Ok(());
    }
    Err(ApiError::forbidden("the subscription belongs to somebody else")
        .with_remedy("ask its owner, or an administrator of this tenant"))
}

/// The subscriptions in the caller's name: what is changed through them is in the audit, in the same transaction.
fn subscriptions(state: &AppState, ask: &Ask) -> Subscriptions {
    state.subscriptions.signed(ask.signature(state))
}

/// Makes a subscription.
async fn create_subscription(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    check_reads(&state, &ask)?;
    let body = ask.body(&state).await?;
    let source = body.context.wire().clone();
    let fragment = parse_subscription_fragment(body.value, &body.context, &source)?;
    let subject = &ask.caller.subject;
    let owner = Owner { name: subject.name.to_string(), since: subject.since };
    let id = subscriptions(&state, &ask).create(ask.tenant(), fragment, source, owner, ask.now).await?;
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
    let shown = page.map(|subscription| show(&state, &ask, subscription, &context, media));
    let shown = shown.collect::<Result<Vec<Value>, ApiError>>()?;
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
    let shown = show(&state, &ask, &subscription, &context, media)?;
    Ok(ask.answer(media, &context, shown.to_string().into_bytes()))
}

/// A subscription as the caller may see it. What its receiver gets beside the content may hold secrets, so only the owner
/// sees that. One that tells nothing because its owner may not read entities any more is paused, with the reason.
fn show(
    state: &AppState,
    ask: &Ask,
    subscription: &Subscription,
    context: &Context,
    media: Media,
) -> Result<Value, ApiError> {
    let status = state.subscriptions.status(ask.tenant(), &subscription.id);
    let sys_attrs = ask.params.option("sysAttrs");
    let mut value = if owns(state, ask, subscription) {
        subscription_to_json(subscription, Some(&status), context, sys_attrs, ask.now)
    } else {
        let mut shown = subscription.clone();
        shown.notification.endpoint.receiver_info.clear();
        shown.notification.endpoint.notifier_info.clear();
        subscription_to_json(&shown, Some(&status), context, sys_attrs, ask.now)
    };
    let owner = subscription.owner.as_ref();
    let standing = standing(&state.trust, ask.tenant(), owner, state.clock.wall())?;
    let Value::Object(members) = &mut value else { return Ok(value) };
    if let (Standing::MayNot(reason), "active") = (standing, subscription.status(ask.now)) {
        members.insert("status".to_owned(), "paused".into());
        members.insert("statusReason".to_owned(), reason.into());
    }
    if media == Media::LdJson {
        members.insert("@context".to_owned(), context.wire().clone());
    }
    Ok(value)
}

/// Changes a subscription.
async fn update_subscription(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    // What is wrong with the request itself is said before what it is about.
    ask.is_linked()?;
    check_owns(&state, &ask, &id)?;
    check_reads(&state, &ask)?;
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
    check_owns(&state, &ask, &id)?;
    subscriptions(&state, &ask).delete(ask.tenant(), &id).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}
