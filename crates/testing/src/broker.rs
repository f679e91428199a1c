//! Debian's mosquitto on loopback, for tests.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;

const BROKER: &str = "/usr/sbin/mosquitto";

/// A running broker; stopped when dropped.
pub struct Broker {
    process: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The test is over either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Broker {
    /// Starts one, and waits until it listens.
    pub async fn start() -> Self {
        assert!(Path::new(BROKER).exists(), "{BROKER} is missing: install the Debian package mosquitto");
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = folder.path().join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        std::fs::write(&settings, text).unwrap();
        let process =
            Command::new(BROKER).arg("-c").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let broker = Self { process, port, _folder: folder };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return broker;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("mosquitto does not listen");
    }
}

/// Listens to a topic filter; gives topic and payload of each message. When this returns, the broker knows of us.
pub async fn listen(broker: &Broker, filter: &str) -> mpsc::Receiver<(String, Vec<u8>)> {
    let (sender, receiver) = mpsc::channel(100);
    let (client, mut events) = AsyncClient::new(MqttOptions::new("listener", "127.0.0.1", broker.port), 10);
    client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
    while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    tokio::spawn(async move {
        // The client must live as long as its connection.
        let _client = client;
        while let Ok(event) = events.poll().await {
            if let Event::Incoming(Packet::Publish(message)) = event
                && sender.send((message.topic, message.payload.to_vec())).await.is_err()
            {
                return;
            }
        }
    });
    receiver
}
