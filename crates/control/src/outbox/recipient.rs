//! Who is told of an event's alerts: a function and an address, never a person's name.

use std::collections::BTreeMap;

use model::{Problem, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use store::{CommitError, Document, DocumentSelect, Expect, Snapshot, Store, Stored, Transaction};
use utoipa::ToSchema;

use super::{Delivery, delivery};
use crate::{ControlError, checked_key, events};

/// The most recipients of one event.
pub(super) const RECIPIENTS_MAX: usize = 100;
/// The longest function, characters.
const FUNCTION_CHARS_MAX: usize = 80;
/// The longest address, bytes.
const ADDRESS_BYTES_MAX: usize = 500;
/// The longest topic, bytes.
const TOPIC_BYTES_MAX: usize = 200;

/// The way by which somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdChannel)]
pub enum Channel {
    /// A letter to a mailbox.
    Email,
    /// A message on a topic of the broker that the server is set up with.
    Mqtt,
    /// A request to an address of another system.
    Webhook,
}

/// Where a recipient is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "channel", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = CrowdAddress)]
pub enum Address {
    /// A mailbox, best one of a function (`ovd@…`).
    Email {
        /// The address.
        email: String,
    },
    /// A topic; the server's settings say which broker, and what the topic begins with.
    Mqtt {
        /// The topic after the beginning that the settings give.
        topic: String,
    },
    /// An address that takes CloudEvents.
    Webhook {
        /// The address, without user, query or fragment: those may hold secrets.
        url: String,
        /// The name of the secret that signs: `meldkamer` is read from the environment as `WEBHOOK_SECRET_MELDKAMER`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        secret: Option<String>,
    },
}

impl Address {
    /// The way by which it is reached.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } => Channel::Email,
            Self::Mqtt { .. } => Channel::Mqtt,
            Self::Webhook { .. } => Channel::Webhook,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Email { email } => email,
            Self::Mqtt { topic } => topic,
            Self::Webhook { url, .. } => url,
        }
    }

    /// What went wrong, without the address: who may see deliveries need not see where they go.
    pub(super) fn hidden_in(&self, detail: &str) -> String {
        let text = self.text();
        let host = text.split_once("://").map_or("", |(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
        let mut hidden = detail.replace(text, "(address)");
        for part in [text.trim_end_matches('/'), host, text.split_once('@').map_or("", |(name, _)| name)] {
            if part.len() > 2 {
                hidden = hidden.replace(part, "(address)");
            }
        }
        hidden
    }

    fn check(&self) -> Result<(), Problem> {
        let refuse = |thing: &str, detail: &str, remedy: &str| Err(Problem::new(thing, detail, remedy));
        if self.text().len() > ADDRESS_BYTES_MAX || self.text().chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse(
                "address",
                "it is too long, or has blanks in it",
                "use an address of at most 500 characters",
            );
        }
        match self {
            Self::Email { email } => match email.split_once('@') {
                Some((name, host)) if !name.is_empty() && host.contains('.') && !host.contains('@') => Ok(()),
                _ => refuse("email", "it is not an address", "write it like name@example.org"),
            },
            Self::Mqtt { topic } => {
                if topic.is_empty()
                    || topic.len() > TOPIC_BYTES_MAX
                    || topic.contains(['+', '#'])
                    || topic.starts_with(['$', '/'])
                {
                    return refuse(
                        "topic",
                        "nothing can be published there",
                        "use words with / between, without + # and $",
                    );
                }
                Ok(())
            }
            Self::Webhook { url, secret } => {
                let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                match rest {
                    Some(rest) if !rest.is_empty() && !rest.starts_with('/') => {}
                    _ => {
                        return refuse(
                            "url",
                            "it is not an address of the web",
                            "write it like https://example.org/alerts",
                        );
                    }
                }
                if url.contains(['@', '?', '#']) {
                    return refuse(
                        "url",
                        "a user, a query or a fragment may hold a secret",
                        "leave them out, and name a secret",
                    );
                }
                secret
                    .as_deref()
                    .map_or(Ok(()), |name| checked_key(name).map(drop))
                    .map_err(|problem| Problem { thing: "secret".to_owned(), ..problem })
            }
        }
    }
}

/// Of which happenings a recipient wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdTellOf)]
pub enum TellOf {
    /// When an alert is raised, and when what was predicted is there.
    #[default]
    Raised,
    /// Only when nobody took an alert in time.
    Escalated,
    /// Everything that happens to an alert.
    All,
}

/// The language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdLanguage)]
pub enum Language {
    /// Dutch.
    #[default]
    Nl,
    /// English.
    En,
}

/// What is known of a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdRecipientFacts)]
pub struct RecipientFacts {
    /// The function, such as "officier van dienst". No person's name is needed.
    pub function: String,
    /// Where.
    pub address: Address,
    /// Of what.
    #[serde(default)]
    pub tell_of: TellOf,
    /// Whether rehearsals are told too; their messages begin with the word for an exercise.
    #[serde(default)]
    pub rehearsals: bool,
    /// In which language.
    #[serde(default)]
    pub language: Language,
}

impl RecipientFacts {
    fn checked(mut self) -> Result<Self, Problem> {
        self.function = self.function.trim().to_owned();
        let length = self.function.chars().count();
        if length == 0 || length > FUNCTION_CHARS_MAX || self.function.chars().any(char::is_control) {
            return Err(Problem::new("function", "a recipient has a function", "give it 1 to 80 characters"));
        }
        self.address.check()?;
        Ok(self)
    }
}

/// A recipient as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// The event.
    pub event: String,
    /// Its key, unique in the event.
    pub key: String,
    /// What is known of it.
    pub facts: RecipientFacts,
    /// Who wrote it last.
    pub changed_by: String,
    /// When, by the server's clock.
    pub changed_at: Timestamp,
}

impl Document for Recipient {
    const COLLECTION: &'static str = "crowd-recipients";

    fn key(&self) -> String {
        format!("{}/{}", self.event, self.key)
    }
}

/// The recipients of an event, by key.
///
/// # Errors
/// There is no such event, or the store fails.
pub fn list(snapshot: &Snapshot, tenant: &Tenant, event: &str) -> Result<Vec<Stored<Recipient>>, ControlError> {
    events::event(snapshot, tenant, event)?;
    all(snapshot, tenant, event)
}

pub(super) fn all(snapshot: &Snapshot, tenant: &Tenant, event: &str) -> Result<Vec<Stored<Recipient>>, ControlError> {
    let select = DocumentSelect::Prefix(format!("{event}/"));
    Ok(snapshot.documents(tenant, &select, None, RECIPIENTS_MAX)?)
}

/// A recipient.
///
/// # Errors
/// There is none, or the store fails.
pub fn get(snapshot: &Snapshot, tenant: &Tenant, event: &str, key: &str) -> Result<Stored<Recipient>, ControlError> {
    let found = snapshot.document(tenant, &format!("{event}/{key}"))?;
    found.ok_or_else(|| ControlError::Missing("recipient with this key in this event".to_owned()))
}

/// Writes a recipient over the version that it was read as; `None` makes it.
///
/// # Errors
/// Facts that cannot be, too many recipients, somebody changed it since, or the store fails.
pub async fn put(
    store: &Store,
    tenant: &Tenant,
    (event, key): (&str, &str),
    (version, facts): (Option<u64>, RecipientFacts),
    (by, now): (&str, Timestamp),
) -> Result<Stored<Recipient>, ControlError> {
    let key = checked_key(key)?.to_owned();
    let facts = facts.checked()?;
    let there = list(&store.snapshot()?, tenant, event)?;
    if version.is_none() && there.len() >= RECIPIENTS_MAX {
        let problem = Problem::new("recipients", "an event has at most 100 recipients", "remove one, or tell a group");
        return Err(ControlError::Conflict(problem));
    }
    let (event, changed_by) = (event.to_owned(), by.to_owned());
    let recipient = Recipient { event, key, facts, changed_by, changed_at: now };
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(&recipient, version.map_or(Expect::Absent, Expect::Version))?;
    let committed = store.commit(tx).await.map_err(changed)?;
    Ok(Stored { version: committed.sequence, value: recipient })
}

/// Removes a recipient that was read as a version. What waits for it is not sent any more, and says so.
///
/// # Errors
/// There is none, somebody changed it since, or the store fails.
pub async fn remove(
    store: &Store,
    tenant: &Tenant,
    (event, key): (&str, &str),
    version: u64,
) -> Result<(), ControlError> {
    let recipient = get(&store.snapshot()?, tenant, event, key)?;
    let mut tx = Transaction::new(tenant.clone());
    tx.delete_document::<Recipient>(&recipient.key(), Expect::Version(version));
    store.commit(tx).await.map_err(changed)?;
    Ok(())
}

fn changed(error: CommitError) -> ControlError {
    match error {
        CommitError::Conflict { .. } => ControlError::Conflict(Problem::new(
            "version",
            "somebody else changed this recipient since you read it",
            "read it again and repeat the change",
        )),
        other => other.into(),
    }
}

/// The newest test message of each recipient of an event.
///
/// # Errors
/// The store fails.
pub fn tests(snapshot: &Snapshot, tenant: &Tenant, event: &str) -> Result<BTreeMap<String, Delivery>, ControlError> {
    let all = delivery::list(snapshot, tenant, event, delivery::TEST)?;
    Ok(all.into_iter().map(|delivery| (delivery.recipient.clone(), delivery)).collect())
}

#[cfg(test)]
mod tests_of_addresses {
    use super::*;

    #[test]
    fn an_address_that_may_hold_a_secret_or_leads_nowhere_is_refused_with_the_remedy() {
        let webhook =
            |url: &str, secret: Option<&str>| Address::Webhook { url: url.into(), secret: secret.map(str::to_owned) };
        for (address, thing) in [
            (webhook("https://user:pw@example.org/", None), "url"),
            (webhook("https://example.org/?token=abc", None), "url"),
            (webhook("ftp://example.org/", None), "url"),
            (webhook("https://example.org/", Some("POLDER_TRUST")), "secret"),
            (Address::Email { email: "anna".into() }, "email"),
            (Address::Email { email: "anna@example.org\r\nBcc: x@example.org".into() }, "address"),
            (Address::Mqtt { topic: "a/#".into() }, "topic"),
            (Address::Mqtt { topic: "$SYS/x".into() }, "topic"),
        ] {
            assert_eq!(address.check().unwrap_err().thing, thing, "{address:?}");
        }
        assert!(webhook("https://example.org/alerts", Some("meldkamer")).check().is_ok());
        assert!(Address::Mqtt { topic: "meldkamer/alerts".into() }.check().is_ok());
    }

    #[test]
    fn what_went_wrong_does_not_tell_the_address() {
        let mail = Address::Email { email: "ovd@example.org".into() };
        assert_eq!(mail.hidden_in("550 <ovd@example.org>: unknown"), "550 <(address)>: unknown");
        let hook = Address::Webhook { url: "https://hooks.example.org/a/b".into(), secret: None };
        assert_eq!(hook.hidden_in("hooks.example.org has no address"), "(address) has no address");
    }
}
