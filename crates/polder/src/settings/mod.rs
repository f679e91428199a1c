//! Settings: the configuration file, then the environment, then what was typed. Each later one wins.

mod delivery;
mod file;
mod sample;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use delivery::{DeliverySettings, Environment};
pub use file::read;
pub use sample::sample;

use crate::cli::ServeOptions;

/// All settings of the server, with their defaults.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where and how the server listens.
    pub server: Server,
    /// How data are kept.
    pub store: StoreSettings,
    /// Who may sign in, and how.
    pub trust: TrustSettings,
    /// What the server itself may reach.
    pub outbound: Outbound,
    /// How people and systems are told of alerts.
    pub delivery: DeliverySettings,
    /// What it tells about itself.
    pub telemetry: Telemetry,
}

/// Where and how the server listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address and port, for example 127.0.0.1:8080. Put a TLS-terminating proxy in front of any other than loopback.
    pub listen: SocketAddr,
    /// The data directory.
    pub data: PathBuf,
    /// The folder of the city.
    pub city: PathBuf,
    /// Play the archives as if live: seconds of the archive in one second. Absent: live.
    pub replay: Option<f64>,
    /// The address that people type, for links and sign-in. With https, cookies become Secure and HSTS is sent.
    pub public_url: Option<url::Url>,
    /// Addresses of the proxies in front, whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// The largest request body, bytes.
    pub body_bytes_max: usize,
    /// The most instances of attributes in one temporal answer (NGSI-LD); a larger one is given in parts.
    pub temporal_instances_max: usize,
    /// How long one request may take, seconds.
    pub request_s_max: u64,
    /// Requests a second that one account or token may make on average.
    pub requests_per_s_max: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: "data/polder".into(),
            city: "cities/rotterdam".into(),
            replay: None,
            public_url: None,
            trusted_proxies: vec![],
            body_bytes_max: 20 * 1024 * 1024,
            temporal_instances_max: 10_000,
            request_s_max: 60,
            requests_per_s_max: 5_000,
        }
    }
}

/// How data are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Memory for decoded entities, megabytes.
    pub entity_cache_mb: u64,
    /// Memory for blocks read from disk, megabytes.
    pub block_cache_mb: u64,
}

impl StoreSettings {
    /// These settings in the words of the store.
    pub fn options(&self) -> store::StoreOptions {
        store::StoreOptions {
            entity_cache_bytes: self.entity_cache_mb << 20,
            block_cache_bytes: self.block_cache_mb << 20,
            ..store::StoreOptions::default()
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { entity_cache_mb: 192, block_cache_mb: 64 }
    }
}

/// Who may sign in, and how.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrustSettings {
    /// Sign-in through an OpenID Connect provider; absent: local accounts only.
    pub oidc: Option<trust::OidcSettings>,
}

/// What the server itself may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Whether feeds, notifications and contexts may be at private or loopback addresses, and without TLS.
    pub allow_private: bool,
    /// How long one outgoing request may take, seconds.
    pub request_s_max: u64,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { allow_private: false, request_s_max: 20 }
    }
}

/// What the server tells about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// What is logged: error, warn, info, debug, or a filter such as `info,polder_store=debug`.
    pub log: String,
    /// One JSON object a line instead of text.
    pub log_json: bool,
    /// Where traces go, as OTLP over HTTP (http://127.0.0.1:4318/v1/traces). Absent: nowhere.
    pub otlp_endpoint: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info,fjall=warn,lsm_tree=warn".to_owned(), log_json: false, otlp_endpoint: None }
    }
}

impl Settings {
    /// The settings with what was typed put on top, checked as a whole.
    pub fn with(mut self, typed: &ServeOptions) -> Result<Self> {
        let server = &mut self.server;
        if let Some(data) = &typed.data {
            server.data.clone_from(data);
        }
        if let Some(city) = &typed.city {
            server.city.clone_from(city);
        }
        if let Some(listen) = typed.listen {
            server.listen = listen;
        }
        server.replay = typed.replay.or(server.replay);
        self.outbound.allow_private |= typed.open;
        self.check(typed.open)?;
        Ok(self)
    }

    fn check(&self, open: bool) -> Result<()> {
        let server = &self.server;
        if open && !server.listen.ip().is_loopback() {
            bail!(
                "--open lets everybody in, so it works on loopback addresses only, not on {}; \
                 listen on 127.0.0.1, or leave --open out and make accounts with `polder user add`",
                server.listen
            );
        }
        if let Some(speed) = server.replay
            && !(0.0..=10_000.0).contains(&speed)
        {
            bail!(
                "the replay speed {speed} is not between 0 and 10,000; use for example 60 for a minute in each second"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(arguments: &[&str]) -> ServeOptions {
        use clap::Parser;
        let parsed = crate::cli::Arguments::try_parse_from([&["polder", "serve"], arguments].concat()).unwrap();
        match parsed.command {
            crate::cli::Command::Serve(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_typed_goes_before_what_is_configured() {
        let settings = Settings::default().with(&typed(&["--listen", "127.0.0.1:9", "--replay", "5"])).unwrap();
        assert_eq!((settings.server.listen.port(), settings.server.replay), (9, Some(5.0)));
    }

    #[test]
    fn open_is_refused_on_an_address_that_others_reach() {
        let error = Settings::default().with(&typed(&["--open", "--listen", "0.0.0.0:80"])).unwrap_err();
        assert!(error.to_string().contains("loopback addresses only, not on 0.0.0.0:80"), "{error}");
    }

    #[test]
    fn a_replay_speed_must_be_a_sensible_number() {
        for speed in ["-1", "NaN", "1e9"] {
            assert!(Settings::default().with(&typed(&[&format!("--replay={speed}")])).is_err(), "{speed}");
        }
    }
}
