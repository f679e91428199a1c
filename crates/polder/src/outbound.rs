//! The ways out of the program: `sources`' HTTP client behind the ports of the layers that need something from outside.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use http::{HeaderName, HeaderValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use sources::http::{Client, ClientSettings};

use crate::settings::Outbound;

/// The largest answer of a context, a provider or a subscriber, bytes.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The client for feeds, with the bounds of the settings.
pub fn client(settings: &Outbound) -> Result<Client> {
    let bounds = ClientSettings {
        timeout: Duration::from_secs(settings.request_s_max.max(1)),
        allow_http: settings.allow_private,
        allow_private: settings.allow_private,
        ..ClientSettings::default()
    };
    Client::new(bounds).context("outgoing HTTP")
}

/// The client for small answers: contexts, traces.
pub fn small_client(settings: &Outbound) -> Result<Client> {
    let bounds = ClientSettings {
        timeout: Duration::from_secs(settings.request_s_max.max(1)),
        bytes_max: ANSWER_BYTES_MAX,
        allow_http: settings.allow_private,
        allow_private: settings.allow_private,
        ..ClientSettings::default()
    };
    Client::new(bounds).context("outgoing HTTP")
}

/// JSON-LD contexts from elsewhere.
#[derive(Clone)]
pub struct Contexts(pub Client);

impl platform::context::ContextFetch for Contexts {
    fn fetch(&self, url: &str) -> platform::context::FetchFuture {
        let (client, url) = (self.0.clone(), url.to_owned());
        Box::pin(async move {
            let accept = [("accept".to_owned(), "application/ld+json, application/json".to_owned())];
            let answer = client.get(&url, &accept).await.map_err(|error| format!("{error}; {}", error.remedy()))?;
            if answer.status == 200 {
                Ok(answer.body)
            } else {
                Err(format!("it answered with status {}", answer.status))
            }
        })
    }
}

/// An OTLP collector. The exporter works on a thread of its own, so requests are handed to the server's runtime.
pub struct Collector {
    client: Client,
    runtime: tokio::runtime::Handle,
}

impl Collector {
    /// Sends through `client` on the runtime that this is called on.
    pub fn new(client: Client) -> Self {
        Self { client, runtime: tokio::runtime::Handle::current() }
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> std::result::Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let text =
            |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
        let headers: Vec<(String, String)> = head.headers.iter().filter_map(text).collect();
        let (client, url) = (self.client.clone(), head.uri.to_string());
        let sent = self.runtime.spawn(async move { client.post(&url, &headers, body).await });
        let answer = sent.await??;
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}

/// The client for what carries secrets: sign-in, and notifications with what their receiver asked for. It follows no
/// redirect, which would hand them to another host.
pub fn direct_client(settings: &Outbound) -> Result<Client> {
    let bounds = ClientSettings {
        timeout: Duration::from_secs(settings.request_s_max.max(1)),
        bytes_max: ANSWER_BYTES_MAX,
        redirects_max: 0,
        allow_http: settings.allow_private,
        allow_private: settings.allow_private,
    };
    Client::new(bounds).context("outgoing HTTP")
}

/// How `trust` speaks to an identity provider.
pub fn identity_provider(settings: &Outbound) -> Result<trust::HttpPort> {
    let client = direct_client(settings)?;
    Ok(Arc::new(move |request| {
        let client = client.clone();
        Box::pin(async move { ask(&client, request).await })
    }))
}

async fn ask(
    client: &Client,
    request: trust::HttpRequest,
) -> std::result::Result<trust::HttpResponse, trust::HttpFailure> {
    let (head, body) = request.into_parts();
    let text = |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
    let headers: Vec<(String, String)> = head.headers.iter().filter_map(text).collect();
    let url = head.uri.to_string();
    let sent = match head.method {
        http::Method::GET => client.get(&url, &headers).await,
        http::Method::POST => client.post(&url, &headers, body.into()).await,
        other => return Err(trust::HttpFailure(format!("the method {other} is not used with a provider"))),
    };
    let answer = sent.map_err(|error| trust::HttpFailure(error.to_string()))?;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.to_vec()).map_err(|error| trust::HttpFailure(error.to_string()))
}

/// Notifications to subscribers, over HTTP.
pub struct Notifications(Client);

impl Notifications {
    /// Sends through a client of its own.
    pub fn new(settings: &Outbound) -> Result<Self> {
        Ok(Self(direct_client(settings)?))
    }
}

impl subscriptions::NotificationSink for Notifications {
    fn deliver<'a>(&'a self, delivery: &'a subscriptions::Delivery) -> subscriptions::DeliveryFuture<'a> {
        Box::pin(async move {
            if !delivery.uri.starts_with("http") {
                return Err(format!("\"{}\" is not an http or https address", delivery.uri));
            }
            let sent = self.0.post(&delivery.uri, &delivery.headers, delivery.body.clone().into());
            let limit = Duration::from_millis(delivery.timeout_ms.max(1));
            let answer = tokio::time::timeout(limit, sent).await;
            match answer {
                Err(_) => Err(format!("no answer within {} ms", delivery.timeout_ms)),
                Ok(Err(error)) => Err(error.to_string()),
                Ok(Ok(answer)) if (200..300).contains(&answer.status) => Ok(()),
                Ok(Ok(answer)) => Err(format!("it answered with status {}", answer.status)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use subscriptions::NotificationSink;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_notification_follows_no_redirect_with_what_its_receiver_asked_for() {
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/notify", there.local_addr().unwrap());
        let location = format!("http://{}/", elsewhere.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = there.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4_096]).await;
            let answer =
                format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.unwrap();
        });
        let settings = Outbound { allow_private: true, ..Outbound::default() };
        let delivery = subscriptions::Delivery {
            uri,
            headers: vec![("X-Secret".to_owned(), "s".to_owned())],
            body: b"{}".to_vec(),
            timeout_ms: 5_000,
        };
        let sent = Notifications::new(&settings).unwrap().deliver(&delivery).await;
        assert!(sent.is_err(), "{sent:?}");
        let came = tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await;
        assert!(came.is_err(), "the redirect was followed");
    }
}
