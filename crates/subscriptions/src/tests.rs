//! Subscriptions from the request to the receiver.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::{Attribute, Change, ChangeKind, Entity, EntityId, Iri, ReadScope, Stored, Tenant, Timestamp};
use serde_json::{Value, json};
use store::{Store, StoreOptions, Transaction};
use tokio::sync::oneshot;

use super::*;
use platform::context::{Context, ContextFetch, Contexts, FetchFuture};

/// No remote contexts.
struct NoWeb;

impl ContextFetch for NoWeb {
    fn fetch(&self, _: &str) -> FetchFuture {
        Box::pin(async { Err("there is no web in tests".to_owned()) })
    }
}

/// A receiver that keeps what it gets, and can be switched off or made to wait.
#[derive(Default)]
struct Recorder {
    received: Mutex<Vec<Value>>,
    headers: Mutex<Vec<Vec<(String, String)>>>,
    away: AtomicBool,
    slow: AtomicBool,
}

impl NotificationSink for Recorder {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> DeliveryFuture<'a> {
        Box::pin(async move {
            while self.slow.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if self.away.load(Ordering::SeqCst) {
                return Err("connection refused".to_owned());
            }
            self.headers.lock().unwrap().push(delivery.headers.clone());
            self.received.lock().unwrap().push(serde_json::from_slice(&delivery.body).unwrap());
            Ok(())
        })
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-08-20T12:00:00Z").unwrap()
}

fn owner_of_all() -> Owner {
    Owner { name: "anna/0123456789abcdef".to_owned(), since: Some(now()) }
}

/// A city with a receiver, and a notifier that runs until it is dropped or stopped.
struct City {
    store: Store,
    subscriptions: Subscriptions,
    recorder: Arc<Recorder>,
    /// What the owner of all subscriptions may read.
    standing: Arc<Mutex<Standing>>,
    running: Option<(oneshot::Sender<()>, tokio::task::JoinHandle<()>)>,
}

impl City {
    fn new() -> Self {
        Self::over(Store::in_memory(&StoreOptions::default()).unwrap())
    }

    fn over(store: Store) -> Self {
        let contexts = Contexts::new(store.clone(), Arc::new(NoWeb));
        let subscriptions = Subscriptions::new(store.clone(), contexts);
        let standing = Arc::new(Mutex::new(Standing::May(ReadScope::All)));
        Self { store, subscriptions, recorder: Arc::default(), standing, running: None }
    }

    fn allow(&self, standing: Standing) {
        *self.standing.lock().unwrap() = standing;
    }

    fn start(&mut self) {
        self.start_with(now);
    }

    fn start_with(&mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) {
        let standing = Arc::clone(&self.standing);
        let rights: Rights = Arc::new(move |_, owner, _| {
            assert_eq!(owner, Some(&owner_of_all()));
            Ok(standing.lock().unwrap().clone())
        });
        let notifier = Notifier::new(self.subscriptions.clone(), self.recorder.clone(), rights, clock);
        let (stop, stopped) = oneshot::channel();
        let run = notifier.run(async move { drop(stopped.await) });
        self.running = Some((stop, tokio::spawn(run)));
    }

    async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            drop(stop);
            task.await.unwrap();
        }
    }

    async fn subscribe(&self, members: Value) -> EntityId {
        let mut body = json!({
            "type": "Subscription",
            "entities": [{"type": "Building"}],
            "notification": {"endpoint": {"uri": "http://receiver.test/notify"}},
        });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let context = Context::core();
        let source = context.wire().clone();
        let fragment = parse_subscription_fragment(body, &context, &source).unwrap();
        self.subscriptions.create(&Tenant::default(), fragment, source, owner_of_all(), now()).await.unwrap()
    }

    /// Writes attributes of a building; an attribute without a value is deleted.
    async fn write(&self, id: &str, attributes: &[(&str, Option<i64>)]) {
        let id = EntityId::parse(id).unwrap();
        let before = self.store.snapshot().unwrap().entity(&Tenant::default(), &id).unwrap();
        let context = Context::core();
        let fresh = || Entity::new(id.clone(), context.expand("Building").unwrap(), now());
        let mut after = before.as_ref().map_or_else(fresh, |stored| stored.value.clone());
        let mut changed = Vec::new();
        for (name, value) in attributes {
            let name = context.expand(name).unwrap();
            match value {
                Some(value) => after.set(name.clone(), Attribute::property(*value)),
                None => drop(after.attributes.remove(&name)),
            }
            changed.push(name);
        }
        let mut transaction = Transaction::new(Tenant::default());
        transaction.put_entity(before, after, changed);
        self.store.commit(transaction).await.unwrap();
    }

    async fn delete(&self, id: &str) {
        let id = EntityId::parse(id).unwrap();
        let before = self.store.snapshot().unwrap().entity(&Tenant::default(), &id).unwrap().unwrap();
        let mut transaction = Transaction::new(Tenant::default());
        transaction.delete_entity(before);
        self.store.commit(transaction).await.unwrap();
    }

    /// What arrived, when there is so much of it; fails after some seconds.
    async fn received(&self, count: usize) -> Vec<Value> {
        for _ in 0..500 {
            let received = self.recorder.received.lock().unwrap().clone();
            if received.len() >= count {
                assert_eq!(received.len(), count, "{received:?}");
                return received;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?} arrived, {count} expected", self.recorder.received.lock().unwrap());
    }

    /// The data of what arrived, one for each notification.
    async fn data(&self, count: usize) -> Vec<Value> {
        self.received(count).await.iter().map(|notification| notification["data"].clone()).collect()
    }

    async fn quiet(&self) {
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// The settings of a notification that waits some milliseconds after the first failure.
fn patient(cooldown_ms: u64) -> Value {
    json!({"endpoint": {"uri": "http://receiver.test/", "cooldown": cooldown_ms}})
}

#[tokio::test]
async fn a_change_reaches_the_subscriber_with_its_context_and_the_count_goes_up() {
    let mut city = City::new();
    city.start();
    let receiver = json!({"uri": "http://receiver.test/", "receiverInfo": [{"key": "X-City", "value": "Rotterdam"}]});
    let id = city.subscribe(json!({"notification": {"endpoint": receiver, "format": "keyValues"}})).await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(185))]).await;
    let received = city.received(1).await;
    assert_eq!(received[0]["subscriptionId"], json!(id));
    assert_eq!(received[0]["data"], json!([{"id": "urn:ngsi-ld:Building:1", "type": "Building", "height": 185}]));
    let headers = city.recorder.headers.lock().unwrap().clone().remove(0);
    assert!(headers.contains(&("X-City".to_owned(), "Rotterdam".to_owned())));
    assert!(headers.iter().any(|(name, value)| name == "Link" && value.contains("json-ld#context")));
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_sent, status.times_failed, status.last_success), (1, 0, Some(now())));
}

#[tokio::test]
async fn only_watched_attributes_queries_and_types_that_match_are_told() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({"watchedAttributes": ["height"], "q": "height>100"})).await;
    city.subscribe(json!({"entities": [{"type": "Tower"}]})).await;
    city.subscribe(json!({"entities": [{"type": "Building", "id": "urn:ngsi-ld:Building:9"}]})).await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(50))]).await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(150))]).await;
    city.write("urn:ngsi-ld:Building:1", &[("storeys", Some(40))]).await;
    city.quiet().await;
    assert_eq!(city.data(1).await[0][0]["height"]["value"], json!(150));
}

#[tokio::test]
async fn deletions_and_earlier_values_are_told_where_they_were_asked_for() {
    let mut city = City::new();
    city.start();
    let settings = json!({"endpoint": {"uri": "http://receiver.test/"}, "showChanges": true});
    let triggers = json!(["attributeUpdated", "attributeDeleted", "entityDeleted"]);
    city.subscribe(json!({"notificationTrigger": triggers, "notification": settings})).await;
    let id = "urn:ngsi-ld:Building:1";
    city.write(id, &[("height", Some(185)), ("storeys", Some(44))]).await;
    city.write(id, &[("height", Some(186))]).await;
    city.write(id, &[("storeys", None)]).await;
    city.delete(id).await;
    let height = |value: i64| json!({"type": "Property", "value": value});
    let gone = |value: i64| json!({"type": "Property", "value": "urn:ngsi-ld:null", "previousValue": value});
    let building = |members: Value| {
        let mut building = json!({"id": id, "type": "Building"});
        building.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!([building])
    };
    let expect = [
        building(json!({"height": {"type": "Property", "value": 186, "previousValue": 185}, "storeys": height(44)})),
        building(json!({"height": height(186), "storeys": gone(44)})),
        building(json!({"height": gone(186), "deletedAt": now()})),
    ];
    assert_eq!(city.data(3).await, expect);
}

#[tokio::test]
async fn what_was_not_told_before_a_stop_is_told_after_the_next_start() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({})).await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    city.received(1).await;
    city.stop().await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(2))]).await;
    let mut again = City::over(city.store.clone());
    again.start();
    again.write("urn:ngsi-ld:Building:1", &[("height", Some(3))]).await;
    let heights: Vec<Value> = again.data(2).await.iter().map(|data| data[0]["height"]["value"].clone()).collect();
    assert_eq!(heights, [json!(2), json!(3)]);
}

#[tokio::test]
async fn a_receiver_that_was_away_gets_everything_in_order_also_what_its_lane_could_not_hold() {
    let mut city = City::new();
    city.start();
    let id = city.subscribe(json!({"notification": patient(1_000)})).await;
    city.recorder.away.store(true, Ordering::SeqCst);
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(0))]).await;
    city.quiet().await;
    for height in 1..=200 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
    }
    city.quiet().await;
    city.recorder.away.store(false, Ordering::SeqCst);
    let heights: Vec<Value> = city.data(201).await.iter().map(|data| data[0]["height"]["value"].clone()).collect();
    assert_eq!(heights, (0..=200).map(|height| json!(height)).collect::<Vec<_>>());
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_failed, status.times_given_up), (1, 0));
}

#[tokio::test]
async fn a_receiver_that_stays_away_is_given_up_on_and_the_failures_are_counted() {
    let mut city = City::new();
    city.start();
    let id = city.subscribe(json!({"notification": patient(2)})).await;
    city.recorder.away.store(true, Ordering::SeqCst);
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_sent, status.times_failed, status.times_given_up), (4, 4, 1));
    assert_eq!(status.last_failure_reason.as_deref(), Some("connection refused"));
}

#[tokio::test]
async fn throttling_holds_back_and_counts_what_it_holds_back() {
    let mut city = City::new();
    city.start();
    let id = city.subscribe(json!({"throttling": 60})).await;
    for height in 1..=3 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
    }
    city.received(1).await;
    city.quiet().await;
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_sent, status.times_throttled), (1, 2));
}

#[tokio::test]
async fn a_subscription_that_is_paused_expired_or_deleted_tells_nothing() {
    let mut city = City::new();
    city.start();
    let paused = city.subscribe(json!({"isActive": false})).await;
    let deleted = city.subscribe(json!({"id": "urn:ngsi-ld:Subscription:gone"})).await;
    city.subscriptions.delete(&Tenant::default(), &deleted).await.unwrap();
    assert_eq!(city.subscriptions.get(&Tenant::default(), &paused).unwrap().status(now()), "paused");
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    city.quiet().await;
    assert_eq!(city.recorder.received.lock().unwrap().len(), 0);
    let end = now().plus_micros(1);
    let mut subscription = city.subscriptions.get(&Tenant::default(), &paused).unwrap();
    subscription.expires_at = Some(end);
    assert_eq!((subscription.status(now()), subscription.status(end)), ("paused", "expired"));
}

#[test]
fn subscriptions_that_make_no_sense_are_refused_with_the_member_and_the_remedy() {
    let check = |members: Value, expect: &str| {
        let mut body = json!({
            "type": "Subscription",
            "entities": [{"type": "Building"}],
            "notification": {"endpoint": {"uri": "http://receiver.test/"}},
        });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let context = Context::core();
        let made = parse_subscription_fragment(body, &context, &Value::Null)
            .and_then(|f| f.into_subscription(EntityId::parse("urn:s:1").unwrap(), Value::Null, now()));
        assert_eq!(made.unwrap_err().detail, expect, "{members}");
    };
    check(json!({"type": "Sub"}), "type: it is not Subscription; write \"type\": \"Subscription\"");
    check(
        json!({"entities": null}),
        "subscription: neither entities nor watchedAttributes is given; say which entities or which attributes to watch",
    );
    check(
        json!({"throttling": 5, "timeInterval": 5}),
        "throttling: it does not go together with timeInterval; leave one of the two out",
    );
    check(
        json!({"throttling": -1}),
        "throttling: it is not a number of seconds; give a number above 0, at most a year",
    );
    check(
        json!({"expiresAt": "2020-01-01T00:00:00Z"}),
        "expiresAt: it is in the past; give a moment in the future, or leave it out",
    );
    check(
        json!({"notification": {"endpoint": {"uri": "file:///etc/passwd"}}}),
        "notification.endpoint.uri: it is not an address to send to; use an address that starts with http:// or https://",
    );
    check(
        json!({"notification": {"endpoint": {"uri": "http://r.test/", "receiverInfo": [{"key": "a", "value": "b\r\nc"}]}}}),
        "receiverInfo: it holds a line break or control character; leave it out",
    );
}

#[tokio::test]
async fn ten_thousand_subscriptions_leave_few_candidates_for_a_change() {
    let contexts = Contexts::new(Store::in_memory(&StoreOptions::default()).unwrap(), Arc::new(NoWeb));
    let context = Context::core();
    let mut index = SubscriptionIndex::default();
    for number in 0..10_000 {
        let body = json!({
            "type": "Subscription",
            "entities": [{"type": format!("Type{}", number % 100)}],
            "watchedAttributes": [format!("attribute{}", number / 100)],
            "notification": {"endpoint": {"uri": "http://receiver.test/"}},
        });
        let fragment = parse_subscription_fragment(body, &context, &Value::Null).unwrap();
        let id = EntityId::parse(&format!("urn:s:{number}")).unwrap();
        let subscription = fragment.into_subscription(id, context.wire().clone(), now()).unwrap();
        let compiled = Compiled::compile(subscription, &contexts, now()).await.unwrap();
        index.insert(&Tenant::default(), Arc::new(compiled));
    }
    let id = EntityId::parse("urn:ngsi-ld:Thing:1").unwrap();
    let mut entity = Entity::new(id.clone(), context.expand("Type7").unwrap(), now());
    let name: Iri = context.expand("attribute3").unwrap();
    entity.set(name.clone(), Attribute::property(1));
    let entity = Arc::new(Stored { version: 1, value: entity });
    let change = Change {
        sequence: 1,
        tenant: Tenant::default(),
        id,
        kind: ChangeKind::Updated,
        attributes: vec![name],
        before: Some(entity.clone()),
        after: Some(entity),
    };
    let found: Vec<String> = index.candidates(&change).iter().map(|c| c.subscription.id.to_string()).collect();
    assert_eq!(found, ["urn:s:307"]);
    index.remove(&Tenant::default(), &EntityId::parse("urn:s:307").unwrap());
    assert_eq!((index.candidates(&change).len(), index.len()), (0, 9_999));
}

#[tokio::test]
async fn the_tally_tells_what_arrived_what_failed_and_what_waits() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({"notification": patient(1_500)})).await;
    city.recorder.away.store(true, Ordering::SeqCst);
    for height in 1..=2 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
        city.quiet().await;
    }
    assert_eq!(city.subscriptions.tally(), Tally { failed: 1, waiting: 2, ..Tally::default() });
    city.recorder.away.store(false, Ordering::SeqCst);
    city.received(2).await;
    city.quiet().await;
    assert_eq!(city.subscriptions.tally(), Tally { delivered: 2, failed: 1, ..Tally::default() });
}

/// A store whose log soon forgets.
fn forgetful() -> Store {
    Store::in_memory(&StoreOptions { log_changes_kept: 100, ..StoreOptions::default() }).unwrap()
}

#[tokio::test]
async fn what_the_owner_may_no_longer_read_is_withheld_and_counted_and_told_again_when_they_may() {
    let mut city = City::new();
    city.start();
    let id = city.subscribe(json!({})).await;
    city.allow(Standing::MayNot("the account is gone".to_owned()));
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    city.quiet().await;
    assert_eq!(city.recorder.received.lock().unwrap().len(), 0);
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_withheld, status.times_sent), (1, 0));
    assert_eq!(status.last_failure_reason.as_deref(), Some("the account is gone"));
    assert_eq!(city.subscriptions.tally(), Tally { withheld: 1, ..Tally::default() });
    let shown = subscription_to_json(
        &city.subscriptions.get(&Tenant::default(), &id).unwrap(),
        Some(&status),
        &Context::core(),
        false,
        now(),
    );
    assert_eq!(shown["notification"]["timesWithheld"], json!(1));
    city.allow(Standing::May(ReadScope::All));
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(2))]).await;
    assert_eq!(city.data(1).await[0][0]["height"]["value"], json!(2));
}

#[tokio::test]
async fn only_entities_that_the_owner_may_read_are_told() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({})).await;
    let types = |name: &str| {
        ReadScope::Types(Arc::new(std::collections::HashSet::from([Context::core().expand(name).unwrap()])))
    };
    city.allow(Standing::May(types("Tower")));
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    city.quiet().await;
    city.allow(Standing::May(types("Building")));
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(2))]).await;
    assert_eq!(city.data(1).await[0][0]["height"]["value"], json!(2));
}

#[tokio::test]
async fn a_notification_that_is_tried_again_is_not_sent_after_its_owner_lost_the_right() {
    let mut city = City::new();
    city.start();
    let id = city.subscribe(json!({"notification": patient(300)})).await;
    city.recorder.away.store(true, Ordering::SeqCst);
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(1))]).await;
    city.quiet().await;
    city.allow(Standing::MayNot("the role was taken".to_owned()));
    city.recorder.away.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(city.recorder.received.lock().unwrap().len(), 0);
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert_eq!((status.times_failed, status.times_withheld), (1, 1));
}

#[tokio::test]
async fn a_lane_that_the_log_no_longer_reaches_goes_on_from_what_is_kept_and_counts_the_rest() {
    let mut city = City::over(forgetful());
    city.start();
    let id = city.subscribe(json!({})).await;
    city.recorder.slow.store(true, Ordering::SeqCst);
    for height in 0..=2_400 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
    }
    city.recorder.slow.store(false, Ordering::SeqCst);
    let heights = || -> Vec<i64> {
        let received = city.recorder.received.lock().unwrap();
        received.iter().map(|n| n["data"][0]["height"]["value"].as_i64().unwrap()).collect()
    };
    for _ in 0..500 {
        if heights().last() == Some(&2_400) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = heights();
    assert_eq!(told.last(), Some(&2_400), "what is kept is told");
    assert!(told.is_sorted() && told.len() < 2_401, "{} were told", told.len());
    let status = city.subscriptions.status(&Tenant::default(), &id);
    assert!(told.len() as u64 + status.changes_missed >= 2_401, "{} and {}", told.len(), status.changes_missed);
    assert_eq!((status.last_failure, status.times_given_up), (Some(now()), 0));
    assert_eq!(city.subscriptions.tally().missed, status.changes_missed);
}

#[tokio::test]
async fn changes_that_the_log_lost_while_the_server_was_down_are_counted_for_each_subscription() {
    let mut city = City::over(forgetful());
    city.start();
    let id = city.subscribe(json!({})).await;
    city.write("urn:ngsi-ld:Building:1", &[("height", Some(-1))]).await;
    city.received(1).await;
    city.stop().await;
    for height in 0..=2_400 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
    }
    let mut again = City::over(city.store.clone());
    again.start();
    for _ in 0..500 {
        if again.recorder.received.lock().unwrap().last().is_some_and(|n| n["data"][0]["height"]["value"] == 2_400) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = again.recorder.received.lock().unwrap().len() as u64;
    let status = again.subscriptions.status(&Tenant::default(), &id);
    assert!(status.changes_missed > 0 && told > 0 && told + status.changes_missed >= 2_401, "{told} {status:?}");
}

#[tokio::test]
async fn how_far_the_feed_was_told_is_saved_also_while_there_is_always_a_next_change() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({"entities": [{"type": "Tower"}]})).await;
    city.stop().await;
    for height in 0..150 {
        city.write("urn:ngsi-ld:Building:1", &[("height", Some(height))]).await;
    }
    let mut again = City::over(city.store.clone());
    let newest = again.store.snapshot().unwrap().sequence();
    let saved = again.subscriptions.clone();
    let watch = std::thread::spawn(move || {
        let mut seen = vec![];
        for _ in 0..4_000 {
            seen.extend(saved.told_through().unwrap());
            if seen.last() >= Some(&newest) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        seen.dedup();
        seen
    });
    // Each transaction takes ten milliseconds, so there is one waiting for a second and a half.
    again.start_with(|| {
        std::thread::sleep(Duration::from_millis(10));
        now()
    });
    let seen = tokio::task::spawn_blocking(move || watch.join().unwrap()).await.unwrap();
    let first = seen[0];
    assert!(seen.last() >= Some(&newest), "{seen:?} of {newest}");
    assert!(seen.iter().any(|at| (first + 1..newest).contains(at)), "{seen:?} of {newest}");
}

#[tokio::test]
async fn a_status_that_could_not_be_saved_is_saved_the_next_time() {
    let city = City::new();
    let id = city.subscribe(json!({})).await;
    city.subscriptions.save_statuses(None).await.unwrap();
    city.subscriptions.note(&Tenant::default(), &id, |status| status.times_sent += 1);
    let store = city.store.clone();
    tokio::task::spawn_blocking(move || store.close()).await.unwrap().unwrap();
    for attempt in 1..=2 {
        let saved = city.subscriptions.save_statuses(None).await;
        assert!(saved.is_err(), "attempt {attempt} had nothing to save");
    }
}

#[tokio::test]
async fn a_change_that_comes_right_after_a_subscription_in_the_log_is_told() {
    let mut city = City::new();
    city.start();
    city.subscribe(json!({"entities": [{"type": "Tower"}]})).await;
    // The notifier's first saving is over, and the next is not due yet.
    city.quiet().await;
    let id = EntityId::parse("urn:ngsi-ld:Subscription:new").unwrap();
    {
        let mut making = std::pin::pin!(city.subscribe(json!({"id": id})));
        tokio::select! {
            biased;
            _ = &mut making => panic!("it was stored without waiting"),
            () = std::future::ready(()) => {}
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        // From here on nothing runs beside this test: the subscription is in the store, and its maker does not know yet.
        for _ in 0..1_000 {
            if city.subscriptions.get(&Tenant::default(), &id).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        city.subscriptions.get(&Tenant::default(), &id).expect("it is stored");
        let context = Context::core();
        let building = EntityId::parse("urn:ngsi-ld:Building:1").unwrap();
        let mut entity = Entity::new(building, context.expand("Building").unwrap(), now());
        entity.set(context.expand("height").unwrap(), Attribute::property(1));
        let mut transaction = Transaction::new(Tenant::default());
        transaction.put_entity(None, entity, vec![context.expand("height").unwrap()]);
        city.store.commit_blocking(transaction).unwrap();
        // The notifier reads the change before whoever made the subscription goes on.
        city.quiet().await;
        making.await;
    }
    assert_eq!(city.data(1).await[0][0]["height"]["value"], json!(1));
}
