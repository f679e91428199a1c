//! The only client for outgoing HTTP: https unless allowed otherwise, no private addresses unless allowed, and a
//! bound on time, size and redirects.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

/// What a client may do.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The longest time from the start of a request to the end of its answer.
    pub timeout: Duration,
    /// The most bytes of an answer, after unpacking.
    pub bytes_max: usize,
    /// The most redirects that are followed.
    pub redirects_max: usize,
    /// Whether `http://` may be fetched.
    pub allow_http: bool,
    /// Whether addresses that are not on the public internet may be reached (loopback, private networks).
    pub allow_private: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            bytes_max: 64 << 20,
            redirects_max: 5,
            allow_http: false,
            allow_private: false,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address may not be fetched.
    #[error("\"{address}\" may not be fetched: {reason}")]
    Refused {
        /// The address.
        address: String,
        /// Why.
        reason: &'static str,
    },
    /// It took too long.
    #[error("no complete answer within {seconds} s")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// The answer is too large.
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// Anything else that went wrong on the way.
    #[error("{0}")]
    Failed(String),
    /// The client could not be made.
    #[error("the client cannot be set up: {0}")]
    Setup(String),
}

impl HttpError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "use a public https address, or allow http or private addresses in the settings",
            Self::TimedOut { .. } => "check that the other side answers",
            Self::TooLarge { .. } => "ask for less, or raise the limit",
            Self::Failed(_) => "check the address and the network; Polder keeps trying",
            Self::Setup(_) => "report this, with the log",
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The first header with a name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A client; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    settings: ClientSettings,
}

impl Client {
    /// A client with these bounds.
    ///
    /// # Errors
    /// When encryption cannot be set up.
    pub fn new(settings: ClientSettings) -> Result<Self, HttpError> {
        install_crypto();
        let rules = settings.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > rules.redirects_max {
                return attempt.error("too many redirects");
            }
            match allowed(attempt.url(), &rules) {
                Ok(()) => attempt.follow(),
                Err(error) => attempt.error(error),
            }
        });
        let inner = reqwest::Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
            .redirect(policy)
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { allow_private: settings.allow_private }))
            .user_agent(concat!("polder/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| HttpError::Setup(e.to_string()))?;
        Ok(Self { inner, settings })
    }

    /// Fetches an address.
    ///
    /// # Errors
    /// When it may not be fetched, does not answer in time, or answers too much. A status of 400 or more is an answer.
    pub async fn get(&self, url: &str, headers: &[(String, String)]) -> Result<Response, HttpError> {
        self.send(Method::GET, url, headers, Bytes::new()).await
    }

    /// Sends a body to an address.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(&self, url: &str, headers: &[(String, String)], body: Bytes) -> Result<Response, HttpError> {
        self.send(Method::POST, url, headers, body).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Response, HttpError> {
        let parsed = Url::parse(url)
            .map_err(|_| HttpError::Refused { address: url.to_owned(), reason: "it is not an address" })?;
        allowed(&parsed, &self.settings)?;
        let mut request = self.inner.request(method, parsed);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|e| self.failure(&e))?;
        let status = answer.status().as_u16();
        let text = |(n, v): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()))
        };
        let headers = answer.headers().iter().filter_map(text).collect();
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| self.failure(&e))? {
            if body.len() + chunk.len() > self.settings.bytes_max {
                return Err(HttpError::TooLarge { bytes_max: self.settings.bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: body.freeze() })
    }

    fn failure(&self, error: &reqwest::Error) -> HttpError {
        if error.is_timeout() {
            return HttpError::TimedOut { seconds: self.settings.timeout.as_secs() };
        }
        // The outer message only says that sending failed; the innermost one says why.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        HttpError::Failed(cause.to_string())
    }
}

/// Whether an address may be fetched, as far as can be said before its name is looked up.
fn allowed(url: &Url, settings: &ClientSettings) -> Result<(), HttpError> {
    let refuse = |reason| Err(HttpError::Refused { address: url.to_string(), reason });
    match url.scheme() {
        "https" => {}
        "http" if settings.allow_http => {}
        "http" => return refuse("http is not encrypted"),
        _ => return refuse("only https is fetched"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("an address must not hold a password");
    }
    let Some(host) = url.host_str() else { return refuse("it names no host") };
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    if !settings.allow_private && literal.is_some_and(|ip| !is_public(ip)) {
        return refuse("it is not on the public internet");
    }
    Ok(())
}

/// Whether an address is on the public internet. Source: IANA special-purpose address registries.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0 && c == 0))
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let [first, second, ..] = v6.segments();
                // Global unicast without documentation, 6to4 and Teredo, which can carry private addresses.
                (first & 0xe000) == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0 || second == 0xdb8))
            }
        },
    }
}

/// Looks names up and leaves out what may not be reached, so that a public name cannot point inwards.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let fit: Vec<SocketAddr> = found.filter(|a| allow_private || is_public(a.ip())).collect();
            if fit.is_empty() {
                return Err(format!("{} has no address on the public internet", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(fit.into_iter());
            Ok(addresses)
        })
    }
}

/// Chooses the cryptography of TLS (ring) for the whole process; the first call counts.
pub fn install_crypto() {
    // An error means that it has been chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, settings: &ClientSettings, fits: bool) {
        assert_eq!(allowed(&Url::parse(url).unwrap(), settings).is_ok(), fits, "{url}");
    }

    #[test]
    fn only_public_https_is_fetched_by_default() {
        let settings = ClientSettings::default();
        check("https://example.org/a", &settings, true);
        check("https://[2a00:1450::1]/", &settings, true);
        for url in [
            "http://example.org/",
            "ftp://example.org/",
            "https://user:secret@example.org/",
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
        ] {
            check(url, &settings, false);
        }
    }

    #[test]
    fn http_and_private_addresses_are_fetched_when_allowed() {
        let settings = ClientSettings { allow_http: true, allow_private: true, ..ClientSettings::default() };
        check("http://127.0.0.1:8180/", &settings, true);
        check("file:///etc/passwd", &settings, false);
    }

    #[tokio::test]
    async fn a_name_that_points_inwards_is_not_reached() {
        let client = Client::new(ClientSettings { allow_http: true, ..ClientSettings::default() }).unwrap();
        let error = client.get("http://localhost:1/", &[]).await.unwrap_err();
        assert_eq!(error.to_string(), "localhost has no address on the public internet");
    }
}
