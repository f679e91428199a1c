//! What every handler can reach: the layers, the clock and the settings of the door.

use std::{ops::Deref, sync::Arc, time::Duration};

use model::Tenant;
use platform::context::Contexts;
use serving::{Limiter, Streams, Turns};
use store::Store;
use subscriptions::Subscriptions;
use trust::Trust;
use url::Url;
use views::Views;

use crate::{Assets, CityClock, RateLimits};

/// The layers and settings that requests are answered from. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// What [`AppState`] is made of. Handlers read these fields through the state.
pub struct StateParts {
    /// The state of the city, its registers and its history.
    pub store: Store,
    /// JSON-LD contexts: built in, hosted, and kept from elsewhere.
    pub contexts: Contexts,
    /// Who hears of which changes.
    pub subscriptions: Subscriptions,
    /// Accounts, sessions, tokens and the one decision.
    pub trust: Trust,
    /// The control room: events that are planned, rehearsed and run.
    pub room: control::Room,
    /// What the next hours and days will bring.
    pub outlook: outlook::Outlook,
    /// Pictures of the city: layers, tiles, charts.
    pub views: Views,
    /// The city's clock.
    pub clock: CityClock,
    /// How each source is doing.
    pub board: sources::Board,
    /// The settings of the door.
    pub door: DoorSettings,
}

/// How the door behaves.
#[derive(Clone)]
pub struct DoorSettings {
    /// The address under which the public reaches the server; `https` here makes cookies `Secure` and sends HSTS.
    pub public_url: Option<Url>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// The largest body accepted, bytes.
    pub body_bytes_max: usize,
    /// The longest time until an answer starts.
    pub answer_time_max: Duration,
    /// How many requests are accepted.
    pub rates: RateLimits,
    /// The most instances of attributes in one temporal answer; a larger one is given in parts.
    pub temporal_instances_max: usize,
    /// The tenant of a request that names none.
    pub tenant: Tenant,
    /// The web app.
    pub assets: Assets,
    /// Gives all measurements in the text format of Prometheus; `None` where nothing is measured.
    pub measurements: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// The ways by which people can be told of alerts.
    pub channels: Vec<control::outbox::Channel>,
    /// Where to report a weakness, for `/.well-known/security.txt`.
    pub security_contact: String,
}

impl Default for DoorSettings {
    /// No web app, 16 MiB bodies, 30 s.
    fn default() -> Self {
        Self {
            public_url: None,
            trusted_proxies: vec![],
            body_bytes_max: 16 * 1024 * 1024,
            answer_time_max: Duration::from_secs(30),
            rates: RateLimits::default(),
            temporal_instances_max: 10_000,
            tenant: Tenant::default(),
            assets: |_| None,
            measurements: None,
            channels: vec![control::outbox::Channel::Webhook],
            security_contact: "https://github.com/polder-city/polder/security/advisories/new".to_owned(),
        }
    }
}

/// The parts, and what the door itself remembers between requests.
pub struct Inner {
    parts: StateParts,
    pub(crate) limiter: Limiter,
    streams: Streams,
    questions: Turns,
    pictures: Turns,
}

impl AppState {
    /// The state of one server.
    #[must_use]
    pub fn new(parts: StateParts) -> Self {
        let limiter = Limiter::new(parts.door.rates);
        let streams = Streams::default();
        Self(Arc::new(Inner {
            parts,
            limiter,
            streams,
            questions: Turns::of_this_machine(),
            pictures: Turns::of_this_machine(),
        }))
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }
}

impl AppState {
    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// Turns for questions to entities and their history.
    pub(crate) fn questions(&self) -> &Turns {
        &self.0.questions
    }

    /// Turns for what the map draws. They are others than those of questions, so that nobody's questions stop the map.
    pub(crate) fn pictures(&self) -> &Turns {
        &self.0.pictures
    }
}

impl Deref for AppState {
    type Target = StateParts;

    fn deref(&self) -> &StateParts {
        &self.0.parts
    }
}

impl DoorSettings {
    /// Whether the public reaches the server through TLS.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}
