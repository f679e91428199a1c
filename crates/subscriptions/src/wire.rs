//! Subscriptions to wire JSON, with names compacted for the reader's `@context`.

use model::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Endpoint, EntitySelector, KeyValue, NotificationSettings, Subscription, SubscriptionStatus, Trigger, compact_types,
};
use platform::context::Context;

/// The subscription as the API shows it, without `@context`. `sys_attrs` adds `createdAt` and `modifiedAt`.
#[must_use]
pub fn subscription_to_json(
    subscription: &Subscription,
    status: Option<&SubscriptionStatus>,
    context: &Context,
    sys_attrs: bool,
    now: Timestamp,
) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), json!(subscription.id));
    members.insert("type".into(), json!("Subscription"));
    put(&mut members, "subscriptionName", subscription.subscription_name.as_ref());
    put(&mut members, "description", subscription.description.as_ref());
    let entities: Vec<Value> = subscription.entities.iter().map(|s| selector_to_json(s, context)).collect();
    put_list(&mut members, "entities", entities);
    let watched = subscription.watched_attributes.iter().map(|name| json!(context.compact(name).text));
    put_list(&mut members, "watchedAttributes", watched.collect());
    let triggers = subscription.triggers().iter().copied().map(Trigger::name);
    members.insert("notificationTrigger".into(), triggers.collect());
    put(&mut members, "timeInterval", subscription.time_interval.map(number).as_ref());
    put(&mut members, "throttling", subscription.throttling.map(number).as_ref());
    put(&mut members, "q", subscription.q.as_ref().map(|q| &q.text));
    put(&mut members, "geoQ", subscription.geo_q.as_ref());
    put(&mut members, "scopeQ", subscription.scope_q.as_ref());
    put_list(&mut members, "datasetId", subscription.dataset_id.iter().map(|id| json!(id)).collect());
    put(&mut members, "lang", subscription.lang.as_ref());
    put(&mut members, "expiresAt", subscription.expires_at.as_ref());
    put(&mut members, "isActive", subscription.is_active.as_ref());
    members.insert("notification".into(), notification_to_json(&subscription.notification, status, context));
    members.insert("status".into(), json!(subscription.status(now)));
    put(&mut members, "jsonldContext", subscription.jsonld_context.as_ref());
    if sys_attrs {
        members.insert("createdAt".into(), json!(subscription.created_at));
        members.insert("modifiedAt".into(), json!(subscription.modified_at));
    }
    Value::Object(members)
}

fn put<T: serde::Serialize>(members: &mut Map<String, Value>, name: &str, value: Option<&T>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), json!(value));
    }
}

fn put_list(members: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        members.insert(name.to_owned(), Value::Array(items));
    }
}

/// Seconds without a fraction where there is none, as they were most likely written.
fn number(seconds: f64) -> Value {
    platform::ngsi::whole_where_whole(seconds)
}

fn selector_to_json(selector: &EntitySelector, context: &Context) -> Value {
    let mut members = Map::new();
    match selector.ids.as_slice() {
        [] => {}
        [id] => drop(members.insert("id".into(), json!(id))),
        ids => drop(members.insert("id".into(), json!(ids))),
    }
    put(&mut members, "idPattern", selector.id_pattern.as_ref());
    members.insert("type".into(), json!(compact_types(&selector.types, context)));
    Value::Object(members)
}

fn notification_to_json(
    settings: &NotificationSettings,
    status: Option<&SubscriptionStatus>,
    context: &Context,
) -> Value {
    let mut members = Map::new();
    put_list(
        &mut members,
        "attributes",
        settings.attributes.iter().map(|name| json!(context.compact(name).text)).collect(),
    );
    put_list(&mut members, "pick", settings.pick.iter().map(|name| json!(name)).collect());
    put_list(&mut members, "omit", settings.omit.iter().map(|name| json!(name)).collect());
    put(&mut members, "format", settings.format.map(super::NotificationFormat::name).as_ref());
    put(&mut members, "sysAttrs", settings.sys_attrs.as_ref());
    put(&mut members, "showChanges", settings.show_changes.as_ref());
    put(&mut members, "join", settings.join.as_ref());
    put(&mut members, "joinLevel", settings.join_level.as_ref());
    members.insert("endpoint".into(), endpoint_to_json(&settings.endpoint));
    if let Some(status) = status {
        status_to_json(&mut members, status);
    }
    Value::Object(members)
}

fn status_to_json(members: &mut Map<String, Value>, status: &SubscriptionStatus) {
    // Beyond the standard, and only there when something went wrong.
    for (name, count) in [("timesWithheld", status.times_withheld), ("changesMissed", status.changes_missed)] {
        put(members, name, Some(count).filter(|count| *count > 0).as_ref());
    }
    if status.times_sent == 0 {
        return;
    }
    let failed = status.last_failure.is_some() && status.last_failure >= status.last_success;
    members.insert("status".into(), json!(if failed { "failed" } else { "ok" }));
    members.insert("timesSent".into(), json!(status.times_sent));
    members.insert("timesFailed".into(), json!(status.times_failed));
    put(members, "lastNotification", status.last_notification.as_ref());
    put(members, "lastSuccess", status.last_success.as_ref());
    put(members, "lastFailure", status.last_failure.as_ref());
}

fn endpoint_to_json(endpoint: &Endpoint) -> Value {
    let mut members = Map::new();
    members.insert("uri".into(), json!(endpoint.uri));
    put(&mut members, "accept", endpoint.accept.map(super::Accept::media_type).as_ref());
    let info = |pairs: &[KeyValue]| pairs.iter().map(|pair| json!(pair)).collect();
    put_list(&mut members, "receiverInfo", info(&endpoint.receiver_info));
    put_list(&mut members, "notifierInfo", info(&endpoint.notifier_info));
    put(&mut members, "timeout", endpoint.timeout.as_ref());
    put(&mut members, "cooldown", endpoint.cooldown.as_ref());
    Value::Object(members)
}
