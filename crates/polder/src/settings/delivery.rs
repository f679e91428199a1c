//! `[delivery]`: how people and systems are told of alerts. Passwords and secrets come from the environment, by name.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sources::outgoing::{
    mail::{MailSecurity, MailSettings, Mailer},
    publish::{BrokerSettings, Publisher},
};

/// How long one step of sending may take.
const STEP: Duration = Duration::from_secs(20);

/// How people and systems are told of alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliverySettings {
    /// The name of this system in CloudEvents, a URN (NL GOV profile), such as urn:nld:oin:00000001234567890000:systeem:polder.
    pub source: String,
    /// The mail server that sends; absent: no e-mail.
    pub smtp: Option<Smtp>,
    /// The MQTT broker that messages are published at; absent: no MQTT.
    pub mqtt: Option<Broker>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self { source: "urn:nld:systeem:polder".to_owned(), smtp: None, mqtt: None }
    }
}

/// The mail server that sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The server, such as mail.example.org.
    pub host: String,
    /// The sender, such as "Polder <polder@example.org>".
    pub from: String,
    /// How the line is protected: starttls, tls, or none (on the same machine only).
    #[serde(default)]
    pub security: Security,
    /// The port; absent: 587 with starttls, 465 with tls, 25 with none.
    #[serde(default)]
    pub port: Option<u16>,
    /// The name for signing in; absent: without.
    #[serde(default)]
    pub user: Option<String>,
    /// The environment variable with the password.
    #[serde(default)]
    pub password_env: Option<String>,
}

/// How the line to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It starts in the open and must become encrypted before anything is said.
    #[default]
    StartTls,
    /// It is encrypted from the start.
    Tls,
    /// It is not.
    None,
}

/// The MQTT broker that messages are published at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// mqtts://host or mqtt://host:1883.
    pub url: String,
    /// What every topic begins with, so that who plans an event can publish nothing elsewhere.
    #[serde(default = "topic_prefix")]
    pub topic_prefix: String,
    /// The name under which the broker knows us.
    #[serde(default = "client_id")]
    pub client_id: String,
    /// The name for signing in; absent: without.
    #[serde(default)]
    pub user: Option<String>,
    /// The environment variable with the password.
    #[serde(default)]
    pub password_env: Option<String>,
}

fn topic_prefix() -> String {
    "polder/alerts/".to_owned()
}

fn client_id() -> String {
    "polder-alerts".to_owned()
}

/// Reads the environment.
pub type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

impl DeliverySettings {
    /// The mailer, when there is a mail server.
    pub fn mailer(&self, environment: &Environment) -> Result<Option<Mailer>> {
        let Some(smtp) = &self.smtp else { return Ok(None) };
        let security = match smtp.security {
            Security::StartTls => MailSecurity::StartTls,
            Security::Tls => MailSecurity::Tls,
            Security::None => MailSecurity::None,
        };
        if smtp.security == Security::None && !is_here(&smtp.host) {
            bail!(
                "delivery.smtp.security is none, but {} is another machine: use starttls or tls, or a mail server on \
                 127.0.0.1",
                smtp.host
            );
        }
        let mailer = Mailer::new(&MailSettings {
            host: smtp.host.clone(),
            port: smtp.port,
            security,
            from: smtp.from.clone(),
            credentials: credentials("delivery.smtp", smtp.user.as_ref(), smtp.password_env.as_ref(), environment)?,
            timeout: STEP,
        });
        mailer.map(Some).map_err(|problem| {
            anyhow::anyhow!("delivery.smtp.{}: {}; {}", problem.thing, problem.detail, problem.remedy)
        })
    }

    /// The publisher and what its topics begin with, when there is a broker.
    pub fn publisher(&self, environment: &Environment) -> Result<Option<(Publisher, String)>> {
        let Some(broker) = &self.mqtt else { return Ok(None) };
        if broker.topic_prefix.contains(['+', '#']) || broker.topic_prefix.starts_with('$') {
            bail!("delivery.mqtt.topic_prefix cannot hold + # or begin with $; use words with / between");
        }
        let publisher = Publisher::new(&BrokerSettings {
            url: broker.url.clone(),
            client_id: broker.client_id.clone(),
            credentials: credentials("delivery.mqtt", broker.user.as_ref(), broker.password_env.as_ref(), environment)?,
            timeout: STEP,
        });
        let publisher = publisher.map_err(|problem| {
            anyhow::anyhow!("delivery.mqtt.{}: {}; {}", problem.thing, problem.detail, problem.remedy)
        })?;
        Ok(Some((publisher, broker.topic_prefix.clone())))
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn credentials(
    section: &str,
    user: Option<&String>,
    password_env: Option<&String>,
    environment: &Environment,
) -> Result<Option<(String, String)>> {
    match (user, password_env) {
        (None, None) => Ok(None),
        (Some(user), Some(name)) => {
            let password = environment(name).with_context(|| {
                format!("{section}.password_env names {name}, which the environment does not hold; set it, or leave out user and password_env")
            })?;
            Ok(Some((user.clone(), password)))
        }
        _ => bail!("{section}: user and password_env belong together; give both or neither"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> DeliverySettings {
        toml::from_str(text).unwrap()
    }

    fn refused(text: &str) -> String {
        let settings = settings(text);
        let mail = settings.mailer(&|_| None).map(drop).err();
        mail.or(settings.publisher(&|_| None).map(drop).err()).unwrap().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_the_remedy() {
        for (text, word) in [
            (
                "smtp = { host = 'mail.example.org', from = 'polder@example.org', security = 'none' }",
                "use starttls or tls",
            ),
            ("smtp = { host = 'mail.example.org', from = 'polder' }", "delivery.smtp.from"),
            ("smtp = { host = 'mail.example.org', from = 'p@example.org', user = 'p' }", "belong together"),
            (
                "smtp = { host = 'mail.example.org', from = 'p@example.org', user = 'p', password_env = 'MAIL_PW' }",
                "names MAIL_PW, which the environment does not hold",
            ),
            ("mqtt = { url = 'http://broker' , topic_prefix = 'a/#' }", "topic_prefix"),
            ("mqtt = { url = 'broker' }", "delivery.mqtt.url"),
        ] {
            let error = refused(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_comes_from_the_environment() {
        let text = "smtp = { host = 'mail.example.org', from = 'p@example.org', user = 'p', password_env = 'MAIL_PW' }";
        let environment = |name: &str| (name == "MAIL_PW").then(|| "secret".to_owned());
        assert!(settings(text).mailer(&environment).unwrap().is_some());
        assert!(settings("").mailer(&environment).unwrap().is_none());
    }
}
