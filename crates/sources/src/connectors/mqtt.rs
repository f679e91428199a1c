//! `mqtt`: messages of a topic at any MQTT 3.1.1 broker. Each message is a JSON object, or a list of them.
//!
//! With quality of service 1 a message is acknowledged only after it is stored: the broker keeps it while we are
//! away, and delivers it again after a crash. The broker's in-flight window is the back-pressure.

use std::time::Duration;

use futures::future::BoxFuture;
use model::Problem;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, Transport};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Connector,
    json_http::{JsonHttpSettings, records},
    needs_url,
};
use crate::{
    config::SourceConfig,
    delivery::{Ended, Halt, Job, Writer, ended},
};

/// How long a batch waits for more messages.
const BATCH_WAIT: Duration = Duration::from_millis(100);
/// How often counts are told while no message comes.
const COUNT_WAIT: Duration = Duration::from_secs(1);
/// The longest pause between two attempts to connect.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Settings of the `mqtt` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttSettings {
    /// The topic filter (`sensors/+/state`).
    pub topic: String,
    /// The name under which the broker keeps our place; one for each source and installation.
    pub client_id: String,
    /// 0: messages may be lost while we are away; 1: the broker keeps them until they are stored.
    #[serde(default = "at_least_once")]
    pub qos: u8,
    /// The name for signing in. The password comes from the environment variable that `password_env` names.
    pub user: Option<String>,
    /// The password, put in by the program from the environment; never written in `city.toml`.
    #[serde(skip)]
    #[schemars(skip)]
    pub password: Option<String>,
    /// The environment variable with the password.
    pub password_env: Option<String>,
    /// Where the list of records is in a message, as a JSON pointer; the message itself when empty.
    #[serde(default)]
    pub records: String,
}

fn at_least_once() -> u8 {
    1
}

/// The connector.
pub struct Mqtt;

impl Connector for Mqtt {
    fn name(&self) -> &'static str {
        "mqtt"
    }

    fn about(&self) -> &'static str {
        "Messages of a topic at an MQTT 3.1.1 broker (mqtt:// or mqtts://), each a JSON object or a list of them. The \
         field `topic` holds the topic of the message. Acknowledged after storage, so nothing is lost in a crash."
    }

    fn settings(&self) -> Schema {
        schema_for!(MqttSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        true
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        needs_url(config, &["mqtts", "mqtt"])?;
        let Some(settings) = &config.mqtt else {
            let remedy = "add mqtt = { topic = \"…\", client_id = \"…\" }";
            return Err(Problem::new("mqtt", "the topic is not named", remedy));
        };
        if settings.qos > 1 {
            return Err(Problem::new("qos", format!("{} is not supported", settings.qos), "use 0 or 1"));
        }
        if settings.topic.is_empty() || settings.client_id.is_empty() {
            return Err(Problem::new("mqtt", "topic or client_id is empty", "write both"));
        }
        if settings.password_env.is_some() && settings.user.is_none() {
            let detail = "password_env is set, but not the user that the password belongs to";
            return Err(Problem::new("mqtt", detail, "add user = \"…\", or remove password_env"));
        }
        if settings.qos == 1 && settings.topic.starts_with("$SYS") {
            return Err(Problem::new("topic", "$SYS messages are not kept", "use qos = 0 for $SYS"));
        }
        address(config.url.as_deref().unwrap_or_default()).map(|_| ())
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(async move { ended(listen(job).await) })
    }
}

/// Host, port and whether the line is encrypted.
pub(crate) fn address(url: &str) -> Result<(String, u16, bool), Problem> {
    let refuse = || Problem::new("url", format!("\"{url}\" is not a broker"), "write mqtts://host or mqtt://host:1883");
    let (scheme, rest) = url.split_once("://").ok_or_else(refuse)?;
    let encrypted = scheme == "mqtts";
    let rest = rest.trim_end_matches('/');
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| refuse())?),
        None => (rest, if encrypted { 8883 } else { 1883 }),
    };
    if host.is_empty() || host.contains('@') {
        return Err(refuse());
    }
    Ok((host.to_owned(), port, encrypted))
}

async fn listen(job: Job) -> Result<(), Halt> {
    let Some(settings) = job.config.mqtt.clone() else { return Ok(()) };
    let (client, mut events) = connect(&job, &settings)?;
    let qos = if settings.qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    let shape = JsonHttpSettings { records: settings.records.clone(), ..JsonHttpSettings::default() };
    let mut writer = Writer::new(&job)?;
    let mut line = 0_u64;
    let mut failures = 0_u32;
    loop {
        let event = tokio::select! {
            event = events.poll() => event,
            () = tokio::time::sleep(COUNT_WAIT), if writer.counts() => {
                writer.count_on();
                writer.flush(None).await?;
                continue;
            }
            () = job.out.closed() => return Err(Halt::Stopped),
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                failures = 0;
                // A clean or unknown session has no subscription; asking again does no harm otherwise.
                client.try_subscribe(&settings.topic, qos).map_err(|e| failed(&job, &e.to_string()))?;
            }
            Ok(Event::Incoming(Packet::Publish(first))) => {
                let messages = gather(&mut events, first, job.config.limits.batch).await;
                for message in &messages {
                    line += 1;
                    take(&mut writer, message, &shape, line);
                }
                store(&mut writer).await?;
                for message in &messages {
                    client.try_ack(message).map_err(|e| failed(&job, &e.to_string()))?;
                }
            }
            Ok(_) => {}
            Err(error) => {
                failures += 1;
                writer.delivery.refuse(problem(&job, &error.to_string()));
                writer.flush(None).await?;
                let pause = Duration::from_millis(250).saturating_mul(1 << failures.min(8)).min(PAUSE_MAX);
                tokio::time::sleep(pause).await;
            }
        }
    }
}

fn connect(job: &Job, settings: &MqttSettings) -> Result<(AsyncClient, EventLoop), Problem> {
    let (host, port, encrypted) = address(job.config.url.as_deref().unwrap_or_default())?;
    let mut options = MqttOptions::new(&settings.client_id, host, port);
    let packet_max = usize::try_from(job.config.limits.record_bytes_max).unwrap_or(usize::MAX).min(256 << 20);
    options
        .set_keep_alive(Duration::from_secs(30))
        .set_clean_session(settings.qos == 0)
        .set_manual_acks(true)
        .set_max_packet_size(packet_max, packet_max);
    if let Some(user) = &settings.user {
        options.set_credentials(user, settings.password.clone().unwrap_or_default());
    }
    if encrypted {
        crate::http::install_crypto();
        options.set_transport(Transport::tls_with_default_config());
    }
    // As many requests as one batch has acknowledgements, and the subscription.
    Ok(AsyncClient::new(options, job.config.limits.batch + 16))
}

/// The messages that arrive within a moment of the first.
async fn gather(events: &mut EventLoop, first: Publish, batch: usize) -> Vec<Publish> {
    let mut messages = vec![first];
    let deadline = tokio::time::Instant::now() + BATCH_WAIT;
    while messages.len() < batch {
        match tokio::time::timeout_at(deadline, events.poll()).await {
            Ok(Ok(Event::Incoming(Packet::Publish(next)))) => messages.push(next),
            Ok(Ok(_)) => {}
            // A lost connection shows again at the next poll.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    messages
}

fn take(writer: &mut Writer, message: &Publish, shape: &JsonHttpSettings, line: u64) {
    match records(&message.payload, shape) {
        Err(problem) => {
            let thing = format!("message on {}", message.topic);
            writer.refuse_input(Problem { thing, ..problem }.at_line(line));
        }
        Ok(list) => {
            for record in list {
                let record = record.map(|mut r| {
                    r.line = line;
                    r.fields.entry("topic").or_insert_with(|| Value::from(message.topic.as_str()));
                    r
                });
                writer.take(record.map_err(|p| p.at_line(line)));
            }
        }
    }
}

/// Hands the batch over and waits until it is stored.
async fn store(writer: &mut Writer) -> Result<(), Halt> {
    if writer.delivery.is_empty() {
        return Ok(());
    }
    let (stored, waiting) = oneshot::channel();
    writer.delivery.stored = Some(stored);
    writer.flush(None).await?;
    // A reader that drops the delivery unstored is going down; unacknowledged messages come again.
    waiting.await.map_err(|_| Halt::Stopped)
}

fn problem(job: &Job, detail: &str) -> Problem {
    let url = job.config.url.as_deref().unwrap_or_default();
    Problem::new(url, detail, "check that the broker is up and lets this client in; Polder keeps trying")
}

fn failed(job: &Job, detail: &str) -> Halt {
    Halt::Failed(problem(job, detail))
}
