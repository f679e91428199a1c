//! A subscription: who wants to hear of which changes, where, and in which form (ETSI GS CIM 009, 5.2.12 to 5.2.15).
//!
//! The serialised form is the stored document. Names are expanded; a query keeps its text and the `@context` under
//! which it was written, because its names mean something only with it.

use model::{EntityId, Iri, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Document;

use super::Owner;

/// Which kinds of change a subscription wants to hear of (`notificationTrigger`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// An entity came into being.
    EntityCreated,
    /// Any attribute of an entity was created, updated or deleted.
    EntityUpdated,
    /// An entity was deleted.
    EntityDeleted,
    /// An attribute (or an instance of one) came into being, also together with its entity.
    AttributeCreated,
    /// An attribute was replaced or changed.
    AttributeUpdated,
    /// An attribute was deleted, also together with its entity.
    AttributeDeleted,
}

impl Trigger {
    /// All triggers, in the order of the standard.
    pub const ALL: [Self; 6] = [
        Self::EntityCreated,
        Self::EntityUpdated,
        Self::EntityDeleted,
        Self::AttributeCreated,
        Self::AttributeUpdated,
        Self::AttributeDeleted,
    ];
    /// What a subscription hears of when it does not say.
    pub const DEFAULT: [Self; 2] = [Self::AttributeCreated, Self::AttributeUpdated];

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EntityCreated => "entityCreated",
            Self::EntityUpdated => "entityUpdated",
            Self::EntityDeleted => "entityDeleted",
            Self::AttributeCreated => "attributeCreated",
            Self::AttributeUpdated => "attributeUpdated",
            Self::AttributeDeleted => "attributeDeleted",
        }
    }
}

/// Which entities (`EntitySelector`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntitySelector {
    /// Exactly these; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<EntityId>,
    /// Those whose id matches a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_pattern: Option<String>,
    /// Their type, or a selection of types (`(A|B);C`), as it was written.
    pub types: String,
}

/// How a notification shows its entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NotificationFormat {
    /// Complete.
    #[default]
    Normalized,
    /// Complete, and short where that is possible.
    Concise,
    /// Values only.
    Simplified,
    /// Values only, under the older name, which is told back as it was written.
    KeyValues,
}

impl NotificationFormat {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normalized => "normalized",
            Self::Concise => "concise",
            Self::Simplified => "simplified",
            Self::KeyValues => "keyValues",
        }
    }
}

/// How a notification shows the entities that relationships link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NotificationJoin {
    /// Beside the entity.
    Flat,
    /// Inside the relationship.
    Inline,
}

/// The media type of a notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accept {
    /// JSON, with the `@context` in a `Link` header.
    #[default]
    #[serde(rename = "application/json")]
    Json,
    /// JSON-LD, with the `@context` inside.
    #[serde(rename = "application/ld+json")]
    JsonLd,
    /// GeoJSON features.
    #[serde(rename = "application/geo+json")]
    GeoJson,
}

impl Accept {
    /// The media type itself.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLd => "application/ld+json",
            Self::GeoJson => "application/geo+json",
        }
    }
}

/// A name and a value that travel with a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// The name, such as that of a header.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Where notifications go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The address: `http` or `https`.
    pub uri: String,
    /// The media type, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Accept>,
    /// What the receiver gets beside the content: headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receiver_info: Vec<KeyValue>,
    /// What the sender needs for the protocol; HTTP needs nothing, so it is only told back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifier_info: Vec<KeyValue>,
    /// How long an answer may take, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How long to wait after a failure before the next attempt, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<u64>,
}

/// What a notification holds and where it goes (`NotificationParams`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationSettings {
    /// Only these attributes; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Iri>,
    /// Only these members, as they were written; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pick: Vec<String>,
    /// All but these members, as they were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<String>,
    /// The form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<NotificationFormat>,
    /// Whether to show `createdAt` and `modifiedAt`, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_attrs: Option<bool>,
    /// Whether to show the values from before the change, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_changes: Option<bool>,
    /// How entities that relationships link to are shown, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<NotificationJoin>,
    /// How many links deep they are shown, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_level: Option<u64>,
    /// Where it goes.
    pub endpoint: Endpoint,
}

/// A query as it was written, with the `@context` that its names belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextualText {
    /// The text.
    pub text: String,
    /// The `@context`: a URI, an object, or an array of both.
    pub context: Value,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its identifier, a URI.
    pub id: EntityId,
    /// A short name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which entities; empty is any that has a watched attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntitySelector>,
    /// Only changes of these attributes; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched_attributes: Vec<Iri>,
    /// Which kinds of change; empty is [`Trigger::DEFAULT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification_trigger: Vec<Trigger>,
    /// Notify every so many seconds, whatever changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_interval: Option<f64>,
    /// At least so many seconds between two notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling: Option<f64>,
    /// Only entities that match a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<ContextualText>,
    /// Only entities that match a geographic query: the `GeoQuery` object as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_q: Option<Value>,
    /// Only entities that match a scope query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_q: Option<String>,
    /// Only these instances of attributes (`@none` is the default instance).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dataset_id: Vec<String>,
    /// The language in which to show texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is switched on, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// What is sent, and where.
    pub notification: NotificationSettings,
    /// The `@context` of notifications, where it differs from [`Subscription::context`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jsonld_context: Option<String>,
    /// The `@context` it was written with.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub context: Value,
    /// Who made it; none in those that were made before owners were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
}

impl Document for Subscription {
    const COLLECTION: &'static str = "subscriptions";

    fn key(&self) -> String {
        self.id.as_str().to_owned()
    }
}

impl Subscription {
    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// `active`, `paused` or `expired`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        match (self.is_expired(now), self.is_active) {
            (true, _) => "expired",
            (false, Some(false)) => "paused",
            (false, _) => "active",
        }
    }

    /// The kinds of change it wants to hear of.
    #[must_use]
    pub fn triggers(&self) -> &[Trigger] {
        if self.notification_trigger.is_empty() { &Trigger::DEFAULT } else { &self.notification_trigger }
    }

    /// The `@context` of its notifications.
    #[must_use]
    pub fn notification_context(&self) -> Value {
        self.jsonld_context.as_ref().map_or_else(|| self.context.clone(), |uri| Value::String(uri.clone()))
    }
}

/// What became of the notifications of one subscription. A document of its own, because it changes often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionStatus {
    /// The subscription.
    pub id: String,
    /// How many notifications were sent, attempts that failed included.
    pub times_sent: u64,
    /// How many attempts failed.
    pub times_failed: u64,
    /// How many notifications were held back by `throttling`.
    pub times_throttled: u64,
    /// How many notifications were given up after the last attempt.
    pub times_given_up: u64,
    /// How many notifications were not sent because the owner might not read the entities any more.
    #[serde(default)]
    pub times_withheld: u64,
    /// How many changes (of any entity) were gone from the log before it could be seen whether they concern it.
    #[serde(default)]
    pub changes_missed: u64,
    /// When the last one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_notification: Option<Timestamp>,
    /// When the last one arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// When the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Timestamp>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_reason: Option<String>,
    /// Every change up to this sequence was delivered or given up; a restart goes on after it.
    pub done_through: u64,
}

impl Document for SubscriptionStatus {
    const COLLECTION: &'static str = "subscription-status";

    fn key(&self) -> String {
        self.id.clone()
    }
}
