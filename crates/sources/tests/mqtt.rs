//! MQTT against a real broker: Debian's mosquitto.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use model::{Problem, Timestamp};
use polder_sources::{
    CityClock, Delivery, Ended, Keys, Occasion, Start,
    config::CityFile,
    http::{Client, ClientSettings},
    start,
};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use testing::broker::Broker;
use tokio::{sync::mpsc, task::JoinHandle};

const PATIENCE: Duration = Duration::from_secs(15);

fn listen(port: u16) -> (mpsc::Receiver<Delivery>, JoinHandle<Result<Ended, Problem>>) {
    let text = format!(
        r#"
        [city]
        id = "x"
        name = "X"
        country = "NL"
        title = {{ nl = "X", en = "X" }}
        time_zone = "UTC"
        center = [4.5, 51.9]
        bounds = [4.0, 51.0, 5.0, 52.0]
        zoom = 10
        [[source]]
        name = "sensors"
        title = {{ nl = "X", en = "X" }}
        connector = "mqtt"
        url = "mqtt://127.0.0.1:{port}"
        mqtt = {{ topic = "city/+/state", client_id = "polder-test" }}
        provenance = {{ publisher = "X", licence = "X", attribution = "X" }}
        entity_type = "Sensor"
        id = "urn:x:{{id}}"
        time = {{ field = "at" }}
        [[source.attribute]]
        name = "temperature"
        field = "/reading/t"
        kind = "number"
        unit = "CEL"
        required = true
        "#
    );
    let city = CityFile::parse(&text, "city.toml").unwrap();
    let start_with = Start {
        config: Arc::new(city.source("sensors").unwrap().clone()),
        folder: std::env::temp_dir(),
        clock: CityClock::live(|| Timestamp::from_micros(1_787_304_000_000_000)),
        http: Client::new(ClientSettings::default()).unwrap(),
        keys: Keys::default(),
        resume: None,
        occasion: Occasion::Serve,
    };
    let (sender, receiver) = mpsc::channel(1);
    (receiver, start(start_with, sender))
}

async fn publish(port: u16, messages: &[&str]) {
    let (client, mut events) = AsyncClient::new(MqttOptions::new("publisher", "127.0.0.1", port), 100);
    for message in messages {
        client.publish("city/a/state", QoS::AtLeastOnce, false, *message).await.unwrap();
    }
    let mut acknowledged = 0;
    while acknowledged < messages.len() {
        let event = tokio::time::timeout(PATIENCE, events.poll()).await.unwrap().unwrap();
        acknowledged += usize::from(matches!(event, Event::Incoming(Packet::PubAck(_))));
    }
}

async fn next(receiver: &mut mpsc::Receiver<Delivery>) -> Delivery {
    tokio::time::timeout(PATIENCE, receiver.recv()).await.expect("a delivery comes").unwrap()
}

/// Reads deliveries, and stores them, until there are as many entities and refusals as wanted.
async fn collect(receiver: &mut mpsc::Receiver<Delivery>, taken: usize, refused: u64) -> (Vec<String>, Vec<Problem>) {
    let (mut ids, mut problems, mut count) = (vec![], vec![], 0);
    while ids.len() < taken || count < refused {
        let mut delivery = next(receiver).await;
        delivery.committed();
        ids.extend(delivery.incoming.iter().map(|i| i.entity.id.to_string()));
        count += delivery.refused;
        problems.extend(delivery.problems);
    }
    (ids, problems)
}

fn message(id: u64) -> String {
    format!(r#"{{"id": {id}, "at": "2026-08-21T09:00:00Z", "reading": {{"t": 20.5}}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_broker_become_entities_and_survive_a_restart() {
    let broker = Broker::start().await;
    // Subscribing makes the broker remember us.
    let (mut deliveries, task) = listen(broker.port);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let list = format!("[{}, {}]", message(2), message(3));
    publish(broker.port, &[&message(1), "not json", &list]).await;
    let (ids, problems) = collect(&mut deliveries, 3, 1).await;
    assert_eq!(ids, ["urn:x:1", "urn:x:2", "urn:x:3"]);
    assert!(problems[0].thing.contains("city/a/state"), "{problems:?}");

    // What was delivered and not stored comes again, and so does what was published while nobody listened.
    publish(broker.port, &[&message(4)]).await;
    let unstored = next(&mut deliveries).await;
    assert_eq!(unstored.incoming.len(), 1);
    drop(unstored);
    drop(deliveries);
    assert_eq!(tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap(), Ok(Ended::Stopped));
    publish(broker.port, &[&message(5)]).await;
    let (mut deliveries, _task) = listen(broker.port);
    let (mut ids, _) = collect(&mut deliveries, 2, 0).await;
    ids.sort();
    assert_eq!(ids, ["urn:x:4", "urn:x:5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_named_and_tried_again() {
    let (mut deliveries, task) = listen(1);
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.problems[0].thing, "mqtt://127.0.0.1:1");
    assert!(!task.is_finished());
}
