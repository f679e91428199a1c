//! Messages to an MQTT 3.1.1 broker, with quality of service 1: published is what the broker has acknowledged.

use std::time::Duration;

use model::Problem;
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS, Transport};
use tokio::sync::Mutex;

use super::SendError;
use crate::{connectors::mqtt, http::install_crypto};

/// The largest message, bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Which broker, and who publishes.
#[derive(Clone)]
pub struct BrokerSettings {
    /// `mqtts://host` or `mqtt://host:1883`.
    pub url: String,
    /// The name under which the broker knows us.
    pub client_id: String,
    /// Name and password for signing in.
    pub credentials: Option<(String, String)>,
    /// How long one message may take.
    pub timeout: Duration,
}

/// Publishes at one broker, one message at a time: a broker lets in one connection of a name.
pub struct Publisher {
    options: MqttOptions,
    timeout: Duration,
    turn: Mutex<()>,
}

impl Publisher {
    /// A publisher for a broker.
    ///
    /// # Errors
    /// An address that is none, or an empty name.
    pub fn new(settings: &BrokerSettings) -> Result<Self, Problem> {
        if settings.client_id.is_empty() {
            return Err(Problem::new("client_id", "it is empty", "give the name under which the broker knows us"));
        }
        let (host, port, encrypted) = mqtt::address(&settings.url)?;
        let mut options = MqttOptions::new(&settings.client_id, host, port);
        options
            .set_keep_alive(Duration::from_secs(30))
            .set_clean_session(true)
            .set_max_packet_size(MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
        if let Some((user, password)) = &settings.credentials {
            options.set_credentials(user, password);
        }
        if encrypted {
            install_crypto();
            options.set_transport(Transport::tls_with_default_config());
        }
        Ok(Self { options, timeout: settings.timeout, turn: Mutex::default() })
    }

    /// Publishes a message; `Ok` when the broker has it.
    ///
    /// # Errors
    /// The broker cannot be reached, does not let us in, or does not answer in time.
    pub async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), SendError> {
        let _turn = self.turn.lock().await;
        match tokio::time::timeout(self.timeout, self.exchange(topic, payload)).await {
            Ok(result) => result,
            Err(_) => Err(SendError::Later(format!("the broker did not answer within {} s", self.timeout.as_secs()))),
        }
    }

    async fn exchange(&self, topic: &str, payload: Vec<u8>) -> Result<(), SendError> {
        let (client, mut events) = AsyncClient::new(self.options.clone(), 4);
        let later = |error: &dyn std::error::Error| SendError::Later(error.to_string());
        client
            .try_publish(topic, QoS::AtLeastOnce, false, payload)
            .map_err(|error| SendError::Never(error.to_string()))?;
        loop {
            if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.map_err(|error| later(&error))? {
                break;
            }
        }
        // It has arrived; how we part changes nothing of that.
        if client.try_disconnect().is_ok() {
            while let Ok(event) = events.poll().await {
                if event == Event::Outgoing(Outgoing::Disconnect) {
                    break;
                }
            }
        }
        Ok(())
    }
}
