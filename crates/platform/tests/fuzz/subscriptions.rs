//! Subscriptions: what is accepted can be shown, matched and changed.

use std::sync::{Arc, LazyLock};
use subscriptions::{Compiled, Subscription, parse_subscription_fragment, subscription_to_json};

use model::{EntityId, Timestamp};
use polder_platform::context::{Context, ContextFetch, Contexts, FetchFuture};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{Store, StoreOptions};

use super::{
    check_reason, config,
    inputs::{corpus, json_value},
};

const NAMES: &[&str] = &[
    "id",
    "type",
    "Subscription",
    "subscriptionName",
    "description",
    "entities",
    "idPattern",
    "watchedAttributes",
    "notificationTrigger",
    "entityCreated",
    "attributeDeleted",
    "timeInterval",
    "throttling",
    "q",
    "geoQ",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "scopeQ",
    "datasetId",
    "lang",
    "expiresAt",
    "isActive",
    "notification",
    "attributes",
    "pick",
    "omit",
    "format",
    "keyValues",
    "sysAttrs",
    "showChanges",
    "endpoint",
    "uri",
    "accept",
    "application/json",
    "receiverInfo",
    "notifierInfo",
    "key",
    "value",
    "timeout",
    "cooldown",
    "jsonldContext",
    "http://receiver.test/",
    "speed>10",
    "near;maxDistance==10",
    "Point",
    "Building",
    "2030-01-01T00:00:00Z",
];

struct NoWeb;

impl ContextFetch for NoWeb {
    fn fetch(&self, _: &str) -> FetchFuture {
        Box::pin(async { Err("there is no web in tests".to_owned()) })
    }
}

static CONTEXTS: LazyLock<Contexts> =
    LazyLock::new(|| Contexts::new(Store::in_memory(&StoreOptions::default()).unwrap(), Arc::new(NoWeb)));

fn now() -> Timestamp {
    Timestamp::from_micros(1_596_283_380_000_000)
}

fn try_subscription(body: Value) {
    let context = Context::core();
    let source = context.wire().clone();
    let parse = |body: Value| parse_subscription_fragment(body, &context, &source);
    let Some(fragment) = check_reason(parse(body.clone())) else { return };
    let id = EntityId::parse("urn:ngsi-ld:Subscription:1").unwrap();
    let Some(mut subscription) = check_reason(fragment.into_subscription(id, source.clone(), now())) else { return };
    let stored = serde_json::to_string(&subscription).unwrap();
    assert_eq!(serde_json::from_str::<Subscription>(&stored).unwrap(), subscription, "stored and read again");
    let shown = subscription_to_json(&subscription, None, &context, true, now());
    assert!(shown.get("status").is_some());
    if let Some(again) = check_reason(parse(body)) {
        check_reason(again.apply(&mut subscription, now()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    check_reason(runtime.block_on(Compiled::compile(subscription, &CONTEXTS, now())));
}

/// A subscription with everything that is needed, and other members around it.
fn as_subscription(value: Value) -> Value {
    let mut body = json!({
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": {"endpoint": {"uri": "http://receiver.test/"}},
    });
    if let (Value::Object(body), Value::Object(members)) = (&mut body, value) {
        body.extend(members.into_iter().filter(|(name, _)| name != "type"));
    }
    body
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn subscriptions_of_any_shape_are_read_or_refused(value in json_value(NAMES)) {
        try_subscription(value.clone());
        try_subscription(as_subscription(value));
    }

    #[test]
    fn endpoints_and_selectors_of_any_shape_are_read_or_refused(value in json_value(NAMES), other in json_value(NAMES)) {
        try_subscription(as_subscription(json!({"notification": value, "entities": other})));
        try_subscription(as_subscription(json!({"notification": {"endpoint": value}, "geoQ": other, "q": other})));
    }
}

#[test]
fn the_corpus_of_subscriptions_is_read_or_refused() {
    for line in corpus("subscriptions") {
        let value: Value = serde_json::from_str(&line).unwrap();
        try_subscription(value.clone());
        try_subscription(as_subscription(value));
    }
}
