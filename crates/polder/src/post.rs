//! Carries messages about alerts out of the program: `control`'s port, filled with the ways out of `sources`.

use std::sync::Arc;

use anyhow::Result;
use base64::{Engine, prelude::BASE64_STANDARD};
use control::{
    Clock,
    outbox::{Address, Carried, Carrier, Channel, Parcel, Undelivered},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sources::{
    http::{Client, HttpError},
    outgoing::{
        SendError,
        mail::{Letter, Mailer},
        publish::Publisher,
    },
};

use crate::{
    outbound,
    settings::{DeliverySettings, Environment, Outbound},
};

/// What the names of the secrets of webhooks begin with in the environment.
const SECRET_PREFIX: &str = "WEBHOOK_SECRET_";

/// The ways out that are set up.
pub struct Post {
    source: String,
    http: Client,
    mailer: Option<Mailer>,
    publisher: Option<(Publisher, String)>,
    environment: Arc<Environment>,
    wall: Clock,
}

impl Post {
    /// The ways out of these settings.
    pub fn new(
        settings: &DeliverySettings,
        outbound: &Outbound,
        environment: Arc<Environment>,
        wall: Clock,
    ) -> Result<Self> {
        Ok(Self {
            source: settings.source.clone(),
            http: outbound::direct_client(outbound)?,
            mailer: settings.mailer(&*environment)?,
            publisher: settings.publisher(&*environment)?,
            environment,
            wall,
        })
    }

    /// The ways that are there.
    pub fn channels(&self) -> Vec<Channel> {
        let mail = self.mailer.is_some().then_some(Channel::Email);
        let mqtt = self.publisher.is_some().then_some(Channel::Mqtt);
        [mail, mqtt, Some(Channel::Webhook)].into_iter().flatten().collect()
    }

    async fn mail(&self, to: &str, parcel: &Parcel) -> Result<(), Undelivered> {
        let Some(mailer) = &self.mailer else {
            return Err(Undelivered::Never("this server has no mail server: set delivery.smtp".to_owned()));
        };
        let letter = Letter {
            to,
            subject: &parcel.subject,
            text: &parcel.text,
            id: &parcel.id,
            thread: &parcel.thread,
            date: parcel.time,
        };
        mailer.send(&letter).await.map_err(undelivered)
    }

    async fn publish(&self, topic: &str, parcel: &Parcel) -> Result<(), Undelivered> {
        let Some((publisher, prefix)) = &self.publisher else {
            return Err(Undelivered::Never("this server has no MQTT broker: set delivery.mqtt".to_owned()));
        };
        let payload = parcel.cloud_event(&self.source).to_string().into_bytes();
        publisher.publish(&format!("{prefix}{topic}"), payload).await.map_err(undelivered)
    }

    async fn request(&self, url: &str, secret: Option<&str>, parcel: &Parcel) -> Result<(), Undelivered> {
        let body = parcel.cloud_event(&self.source).to_string();
        let mut headers = vec![("content-type".to_owned(), "application/cloudevents+json; charset=utf-8".to_owned())];
        if let Some(name) = secret {
            headers.extend(self.signature(name, parcel, &body)?);
        }
        let answer = match self.http.post(url, &headers, body.into()).await {
            Ok(answer) => answer,
            Err(error @ HttpError::Refused { .. }) => {
                return Err(Undelivered::Never(format!("{error}; {}", error.remedy())));
            }
            Err(error) => return Err(Undelivered::Later(error.to_string())),
        };
        let said = format!("it answered with status {}", answer.status);
        match answer.status {
            200..=299 => Ok(()),
            400 | 405 | 410 | 413 | 415 | 422 => Err(Undelivered::Never(said)),
            _ => Err(Undelivered::Later(said)),
        }
    }

    /// The headers of Standard Webhooks: an id, a moment, and HMAC-SHA256 over both and the body.
    fn signature(&self, name: &str, parcel: &Parcel, body: &str) -> Result<Vec<(String, String)>, Undelivered> {
        let variable = format!("{SECRET_PREFIX}{}", name.to_uppercase().replace('-', "_"));
        let secret = (self.environment)(&variable).filter(|secret| !secret.is_empty());
        let secret =
            secret.ok_or_else(|| Undelivered::Never(format!("the environment of the server holds no {variable}")))?;
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => BASE64_STANDARD
                .decode(encoded)
                .map_err(|_| Undelivered::Never(format!("{variable} begins with whsec_ but is not base64 after it")))?,
            None => secret.into_bytes(),
        };
        let moment = (self.wall)().micros().div_euclid(1_000_000);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)
            .map_err(|_| Undelivered::Never(format!("{variable} cannot be a key")))?;
        mac.update(format!("{}.{moment}.{body}", parcel.id).as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        Ok(vec![
            ("webhook-id".to_owned(), parcel.id.clone()),
            ("webhook-timestamp".to_owned(), moment.to_string()),
            ("webhook-signature".to_owned(), format!("v1,{signature}")),
        ])
    }
}

impl Carrier for Post {
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carried<'a> {
        Box::pin(async move {
            match &parcel.address {
                Address::Email { email } => self.mail(email, parcel).await,
                Address::Mqtt { topic } => self.publish(topic, parcel).await,
                Address::Webhook { url, secret } => self.request(url, secret.as_deref(), parcel).await,
            }
        })
    }
}

fn undelivered(error: SendError) -> Undelivered {
    match error {
        SendError::Later(detail) => Undelivered::Later(detail),
        SendError::Never(detail) => Undelivered::Never(detail),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use control::{
        EventFacts, Room, RunKind, Start, events,
        outbox::{self, Courier, Delivery, DeliveryState, RecipientFacts},
    };
    use jiff::tz::TimeZone;
    use model::{Tenant, Timestamp};
    use serde_json::{Value, json};
    use store::{Store, StoreOptions, Transaction};
    use testing::mail_server::MailServer;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::clock::wall;

    /// A receiver that answers 503 so often, then 200, and keeps what it took.
    #[derive(Clone, Default)]
    struct Receiver {
        failing: Arc<AtomicUsize>,
        taken: Arc<Mutex<Vec<String>>>,
    }

    impl Receiver {
        async fn start(failing: usize) -> (Self, String) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/alerts", listener.local_addr().unwrap());
            let receiver = Self::default();
            receiver.failing.store(failing, Ordering::Relaxed);
            let serving = receiver.clone();
            tokio::spawn(async move {
                while let Ok((mut socket, _)) = listener.accept().await {
                    let request = read(&mut socket).await;
                    let fails = serving.failing.load(Ordering::Relaxed) > 0;
                    let status = if fails { "503 Service Unavailable" } else { "200 OK" };
                    if fails {
                        serving.failing.fetch_sub(1, Ordering::Relaxed);
                    } else {
                        serving.taken.lock().unwrap().push(request);
                    }
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
            (receiver, url)
        }

        fn taken(&self) -> Vec<String> {
            self.taken.lock().unwrap().clone()
        }
    }

    /// A whole request: its head, and as much body as the head says.
    async fn read(socket: &mut tokio::net::TcpStream) -> String {
        let mut bytes = vec![];
        loop {
            let mut part = [0; 4_096];
            let count = socket.read(&mut part).await.unwrap();
            bytes.extend_from_slice(&part[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    return text;
                }
            }
            assert!(count > 0, "{text}");
        }
    }

    fn post(settings: &str, allow_private: bool) -> Post {
        let environment: Arc<Environment> =
            Arc::new(|name: &str| (name == "WEBHOOK_SECRET_MELDKAMER").then(|| "geheim".to_owned()));
        let outbound = Outbound { allow_private, ..Outbound::default() };
        Post::new(&toml::from_str(settings).unwrap(), &outbound, environment, Arc::new(wall)).unwrap()
    }

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// A square for 1,500 persons to which 4,000 come.
    fn planned(store: &Store) {
        let ring = json!([[[4.48, 51.91], [4.481, 51.91], [4.481, 51.9106], [4.48, 51.9106], [4.48, 51.91]]]);
        let outline = json!({ "type": "Polygon", "coordinates": ring });
        let line = json!({ "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] });
        let parts = [
            (
                "area",
                "plein",
                json!({ "name": "Plein", "outline": outline, "surfaceM2": 1000.0, "capacityPersons": 1500.0 }),
            ),
            ("gate", "noord", json!({ "name": "Noord", "line": line, "widthM": 6.0, "to": "plein" })),
            (
                "programme",
                "concert",
                json!({
                    "name": "Concert", "area": "plein", "from": "2026-08-21T18:30:00Z", "until": "2026-08-21T19:30:00Z",
                    "visitorsExpected": 4000.0, "arrivalMinBefore": 30.0,
                }),
            ),
        ];
        let parts = parts.into_iter().map(|(kind, key, body)| (kind.to_owned(), key.to_owned(), body)).collect();
        let (from, until) = (moment("2026-08-21T17:00:00Z"), moment("2026-08-21T20:00:00Z"));
        let facts = EventFacts { name: "Plein".into(), from, until, notes: String::new() };
        let mut tx = Transaction::new(Tenant::default());
        events::add_whole(&mut tx, "plein", facts, parts, ("anna", wall())).unwrap();
        store.commit_blocking(tx).unwrap();
    }

    async fn recipient(store: &Store, key: &str, address: Value, rehearsals: bool) {
        let facts: RecipientFacts =
            serde_json::from_value(json!({ "function": key, "address": address, "rehearsals": rehearsals })).unwrap();
        let (tenant, by) = (Tenant::default(), ("anna", wall()));
        outbox::put_recipient(store, &tenant, ("plein", key), (None, facts), by).await.unwrap();
    }

    /// Lets a courier work until something is so.
    async fn carried(store: &Store, post: Post, run: &str, so: impl Fn(&[Delivery]) -> bool + Sync) -> Vec<Delivery> {
        let deliveries = || outbox::deliveries(&store.snapshot().unwrap(), &Tenant::default(), "plein", run).unwrap();
        let courier = Courier::new(store.clone(), Tenant::default(), Arc::new(post), Arc::new(wall));
        let courier = courier.writing(TimeZone::UTC, Some("https://polder.example.org/".to_owned()));
        let waiting = async {
            while !so(&deliveries()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let late = tokio::time::timeout(Duration::from_secs(20), courier.run(waiting)).await;
        assert!(late.is_ok(), "{:#?}", deliveries());
        deliveries()
    }

    fn settled(all: &[Delivery]) -> bool {
        !all.is_empty() && all.iter().all(|delivery| delivery.state != DeliveryState::Waiting)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_alert_of_a_rehearsal_arrives_by_mail_and_signed_by_webhook_after_a_failure_with_its_label() {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        planned(&store);
        let mail = MailServer::start().await;
        let (receiver, url) = Receiver::start(1).await;
        recipient(&store, "ovd", json!({ "channel": "email", "email": "ovd@example.org" }), true).await;
        recipient(&store, "live-only", json!({ "channel": "email", "email": "live@example.org" }), false).await;
        let hook = json!({ "channel": "webhook", "url": url, "secret": "meldkamer" });
        recipient(&store, "meldkamer", hook, true).await;
        let clock: Clock = Arc::new(wall);
        let room = Room::new(store.clone(), TimeZone::UTC, Arc::clone(&clock), clock);
        let start =
            Start { kind: RunKind::Rehearsal, speed: 3_600.0, seed: 4, visitors_factor: 1.0, areas_empty: None };
        let actor = control::Actor { name: "anna".to_owned(), store: store.clone() };
        room.start(&Tenant::default(), "plein", start, &actor).await.unwrap();
        let smtp = format!(
            "smtp = {{ host = '127.0.0.1', port = {}, security = 'none', from = 'polder@example.org' }}",
            mail.port
        );
        let all = carried(&store, post(&smtp, true), "1", |all| {
            let arrived = |channel| all.iter().any(|d| d.channel == channel && d.state == DeliveryState::Delivered);
            arrived(Channel::Email) && arrived(Channel::Webhook)
        })
        .await;
        let hooked = all.iter().find(|delivery| delivery.channel == Channel::Webhook).unwrap();
        assert!(hooked.attempts >= 2, "{hooked:?}");
        let letter = &mail.letters()[0];
        assert_eq!(letter.to, ["ovd@example.org"]);
        assert!(letter.text.contains("Subject: OEFENING (gesimuleerd): "), "{}", letter.text);
        let request = &receiver.taken()[0];
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let event: Value = serde_json::from_str(body).unwrap();
        assert!(event["subject"].as_str().unwrap().starts_with("OEFENING (gesimuleerd)"), "{event}");
        assert_eq!(event["data"]["link"], "https://polder.example.org/drukte/plein/dienst");
        let header =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"geheim").unwrap();
        mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
        let stored = format!("{all:?}");
        assert!(!stored.contains("example.org") && !stored.contains("geheim"), "{stored}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_test_message_reaches_a_topic_below_the_beginning_that_the_settings_give() {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        planned(&store);
        let broker = testing::broker::Broker::start().await;
        recipient(&store, "meldkamer", json!({ "channel": "mqtt", "topic": "meldkamer" }), false).await;
        outbox::test(&store, &Tenant::default(), ("plein", "meldkamer"), wall()).await.unwrap();
        let settings = format!("mqtt = {{ url = 'mqtt://127.0.0.1:{}', topic_prefix = 'city/alerts/' }}", broker.port);
        let mut heard = testing::broker::listen(&broker, "city/alerts/#").await;
        let all = carried(&store, post(&settings, false), "test", settled).await;
        assert_eq!((all[0].state, all[0].attempts), (DeliveryState::Delivered, 1));
        let (topic, payload) = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
        let event: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(
            (topic.as_str(), event["type"].as_str()),
            ("city/alerts/meldkamer", Some("nl.polder.crowd.alert.test"))
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_settings_forbid_or_lack_fails_at_once_in_sight_and_without_the_address() {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        planned(&store);
        for (key, address, word) in [
            ("inside", json!({ "channel": "webhook", "url": "https://127.0.0.1/hook" }), "may not be fetched"),
            (
                "unsigned",
                json!({ "channel": "webhook", "url": "https://example.org/hook", "secret": "other" }),
                "WEBHOOK_SECRET_OTHER",
            ),
            ("mail", json!({ "channel": "email", "email": "ovd@example.org" }), "set delivery.smtp"),
            ("mqtt", json!({ "channel": "mqtt", "topic": "meldkamer" }), "set delivery.mqtt"),
        ] {
            recipient(&store, key, address, false).await;
            outbox::test(&store, &Tenant::default(), ("plein", key), wall()).await.unwrap();
            let all = carried(&store, post("", false), "test", settled).await;
            let mine = all.iter().find(|delivery| delivery.recipient == key).unwrap();
            let error = mine.last_error.clone().unwrap();
            assert_eq!((mine.state, mine.attempts), (DeliveryState::Failed, 1), "{error}");
            assert!(error.contains(word) && !error.contains("127.0.0.1") && !error.contains("example.org"), "{error}");
        }
    }
}
