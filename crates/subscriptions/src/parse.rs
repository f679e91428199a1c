//! Wire JSON to subscriptions: each member is checked by itself, then all of them together.

use model::{EntityId, Iri, Problem, Timestamp};
use serde_json::{Map, Value};

use super::{
    Accept, ContextualText, Endpoint, EntitySelector, KeyValue, NotificationFormat, NotificationJoin,
    NotificationSettings, Subscription, Trigger, expand_types,
};
use platform::{
    context::Context,
    ngsi::{NULL, NgsiError, Patch},
};

/// The most selectors, attributes or headers that one list may have.
const LIST_MAX: usize = 1_000;
/// The longest time that an endpoint may take to answer, milliseconds.
const TIMEOUT_MS_MAX: u64 = 60_000;
/// The longest rest after a failure, milliseconds.
const COOLDOWN_MS_MAX: u64 = 3_600_000;
/// The deepest following of links.
const JOIN_LEVEL_MAX: u64 = 5;
/// The longest `timeInterval` and `throttling`, seconds: a year.
const SECONDS_MAX: f64 = 31_622_400.0;

/// What a body says about a subscription: each member kept, set or deleted.
#[derive(Debug, Default)]
pub struct SubscriptionFragment {
    id: Option<EntityId>,
    subscription_name: Patch<String>,
    description: Patch<String>,
    entities: Patch<Vec<EntitySelector>>,
    watched_attributes: Patch<Vec<Iri>>,
    notification_trigger: Patch<Vec<Trigger>>,
    time_interval: Patch<f64>,
    throttling: Patch<f64>,
    q: Patch<ContextualText>,
    geo_q: Patch<Value>,
    scope_q: Patch<String>,
    dataset_id: Patch<Vec<String>>,
    lang: Patch<String>,
    expires_at: Patch<Timestamp>,
    is_active: Patch<bool>,
    notification: Patch<NotificationSettings>,
    jsonld_context: Patch<String>,
}

fn refuse(thing: &str, detail: &str, remedy: &str) -> NgsiError {
    Problem::new(thing, detail, remedy).into()
}

/// Reads what a body says about a subscription. `source` is the `@context` that `context` was made of.
///
/// # Errors
/// `BadRequestData` that names the member and the remedy.
pub fn parse_subscription_fragment(
    body: Value,
    context: &Context,
    source: &Value,
) -> Result<SubscriptionFragment, NgsiError> {
    let Value::Object(members) = body else {
        return Err(refuse("subscription", "it is not a JSON object", "send an object with type Subscription"));
    };
    let mut fragment = SubscriptionFragment::default();
    for (name, value) in members {
        fragment.read_member(&name, value, context, source)?;
    }
    Ok(fragment)
}

impl SubscriptionFragment {
    /// The identifier in the body, if any.
    #[must_use]
    pub fn id(&self) -> Option<&EntityId> {
        self.id.as_ref()
    }

    fn read_member(&mut self, name: &str, value: Value, context: &Context, source: &Value) -> Result<(), NgsiError> {
        match name {
            "id" | "@id" => self.id = Some(EntityId::parse(text(name, &value)?)?),
            "type" | "@type" if value.as_str() == Some("Subscription") => {}
            "type" | "@type" => {
                return Err(refuse("type", "it is not Subscription", "write \"type\": \"Subscription\""));
            }
            "subscriptionName" => self.subscription_name = member(name, value, owned_text)?,
            "description" => self.description = member(name, value, owned_text)?,
            "entities" => self.entities = member(name, value, |n, v| selectors(n, v, context))?,
            "watchedAttributes" => self.watched_attributes = member(name, value, |n, v| names(n, v, context))?,
            "notificationTrigger" => self.notification_trigger = member(name, value, triggers)?,
            "timeInterval" => self.time_interval = member(name, value, seconds)?,
            "throttling" => self.throttling = member(name, value, seconds)?,
            "q" => {
                let read = |n: &str, v: &Value| Ok(ContextualText { text: owned_text(n, v)?, context: source.clone() });
                self.q = member(name, value, read)?;
            }
            "geoQ" => self.geo_q = member(name, value, |_, v| Ok(v.clone()))?,
            "scopeQ" => self.scope_q = member(name, value, owned_text)?,
            "datasetId" => self.dataset_id = member(name, value, dataset_ids)?,
            "lang" => self.lang = member(name, value, owned_text)?,
            "expiresAt" => {
                let read = |n: &str, v: &Value| Ok(Timestamp::parse(text(n, v)?)?);
                self.expires_at = member(name, value, read)?;
            }
            "isActive" => self.is_active = member(name, value, flag)?,
            "notification" => self.notification = member(name, value, |_, v| notification(v, context))?,
            "jsonldContext" => self.jsonld_context = member(name, value, context_uri)?,
            // Members that the standard computes or that this platform does not use are passed over.
            _ => {}
        }
        Ok(())
    }

    /// A new subscription.
    ///
    /// # Errors
    /// `BadRequestData` when a member is missing, or two do not go together.
    pub fn into_subscription(self, id: EntityId, source: Value, now: Timestamp) -> Result<Subscription, NgsiError> {
        let Patch::Set(notification) = self.notification else {
            return Err(refuse("notification", "it is missing", "say in notification.endpoint.uri where to send it"));
        };
        let subscription = Subscription {
            id,
            subscription_name: self.subscription_name.into_set(),
            description: self.description.into_set(),
            entities: self.entities.into_set().unwrap_or_default(),
            watched_attributes: self.watched_attributes.into_set().unwrap_or_default(),
            notification_trigger: self.notification_trigger.into_set().unwrap_or_default(),
            time_interval: self.time_interval.into_set(),
            throttling: self.throttling.into_set(),
            q: self.q.into_set(),
            geo_q: self.geo_q.into_set(),
            scope_q: self.scope_q.into_set(),
            dataset_id: self.dataset_id.into_set().unwrap_or_default(),
            lang: self.lang.into_set(),
            expires_at: self.expires_at.into_set(),
            is_active: self.is_active.into_set(),
            notification,
            jsonld_context: self.jsonld_context.into_set(),
            context: source,
            owner: None,
            created_at: now,
            modified_at: now,
        };
        check_together(&subscription)?;
        if subscription.is_expired(now) {
            return Err(refuse("expiresAt", "it is in the past", "give a moment in the future, or leave it out"));
        }
        Ok(subscription)
    }

    /// Carries the fragment out on a subscription.
    ///
    /// # Errors
    /// `BadRequestData` when it deletes a mandatory member, ends the subscription in the past, or leaves members that
    /// do not go together.
    pub fn apply(self, subscription: &mut Subscription, now: Timestamp) -> Result<(), NgsiError> {
        if matches!(&self.expires_at, Patch::Set(end) if *end <= now) {
            return Err(refuse("expiresAt", "it is in the past", "give a moment in the future, or leave it out"));
        }
        match self.notification {
            Patch::Keep => {}
            Patch::Set(notification) => subscription.notification = notification,
            Patch::Delete => return Err(refuse("notification", "it cannot be deleted", "give a new one instead")),
        }
        self.subscription_name.apply(&mut subscription.subscription_name);
        self.description.apply(&mut subscription.description);
        apply_list(self.entities, &mut subscription.entities);
        apply_list(self.watched_attributes, &mut subscription.watched_attributes);
        apply_list(self.notification_trigger, &mut subscription.notification_trigger);
        self.time_interval.apply(&mut subscription.time_interval);
        self.throttling.apply(&mut subscription.throttling);
        self.q.apply(&mut subscription.q);
        self.geo_q.apply(&mut subscription.geo_q);
        self.scope_q.apply(&mut subscription.scope_q);
        apply_list(self.dataset_id, &mut subscription.dataset_id);
        self.lang.apply(&mut subscription.lang);
        self.expires_at.apply(&mut subscription.expires_at);
        self.is_active.apply(&mut subscription.is_active);
        self.jsonld_context.apply(&mut subscription.jsonld_context);
        subscription.modified_at = now;
        check_together(subscription)
    }
}

fn apply_list<T>(patch: Patch<Vec<T>>, place: &mut Vec<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Set(list) => *place = list,
        Patch::Delete => place.clear(),
    }
}

/// What only all members together can show to be wrong.
fn check_together(subscription: &Subscription) -> Result<(), NgsiError> {
    if subscription.entities.is_empty() && subscription.watched_attributes.is_empty() {
        let detail = "neither entities nor watchedAttributes is given";
        return Err(refuse("subscription", detail, "say which entities or which attributes to watch"));
    }
    if subscription.time_interval.is_some() && subscription.throttling.is_some() {
        return Err(refuse("throttling", "it does not go together with timeInterval", "leave one of the two out"));
    }
    let settings = &subscription.notification;
    let projected = !settings.pick.is_empty() || !settings.omit.is_empty();
    if projected && !settings.attributes.is_empty() {
        let detail = "attributes does not go together with pick or omit";
        return Err(refuse("notification", detail, "use pick and omit only"));
    }
    match settings.pick.iter().find(|name| settings.omit.contains(name)) {
        Some(both) => Err(refuse("notification", &format!("{both} is in pick and in omit"), "leave it out of one")),
        None => Ok(()),
    }
}

/// One member: `null` and `urn:ngsi-ld:null` delete it, anything else is read.
fn member<T>(
    name: &str,
    value: Value,
    read: impl FnOnce(&str, &Value) -> Result<T, NgsiError>,
) -> Result<Patch<T>, NgsiError> {
    match value {
        Value::Null => Ok(Patch::Delete),
        Value::String(text) if text == NULL => Ok(Patch::Delete),
        value => read(name, &value).map(Patch::Set),
    }
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, NgsiError> {
    let found = value.as_str().filter(|text| !text.is_empty());
    found.ok_or_else(|| refuse(name, "it is not a text", "write a string that is not empty"))
}

fn owned_text(name: &str, value: &Value) -> Result<String, NgsiError> {
    text(name, value).map(str::to_owned)
}

fn flag(name: &str, value: &Value) -> Result<bool, NgsiError> {
    value.as_bool().ok_or_else(|| refuse(name, "it is not true or false", "write true or false, without quotes"))
}

fn seconds(name: &str, value: &Value) -> Result<f64, NgsiError> {
    let found = value.as_f64().filter(|seconds| *seconds > 0.0 && *seconds <= SECONDS_MAX);
    found.ok_or_else(|| refuse(name, "it is not a number of seconds", "give a number above 0, at most a year"))
}

fn milliseconds(name: &str, value: &Value, max: u64) -> Result<u64, NgsiError> {
    let found = value.as_u64().filter(|milliseconds| *milliseconds <= max);
    let remedy = format!("give a whole number from 0 to {max}");
    found.ok_or_else(|| refuse(name, "it is not a number of milliseconds", &remedy))
}

/// A list that is there and not empty; a single text counts as a list of one.
fn list<'a>(name: &str, value: &'a Value) -> Result<&'a [Value], NgsiError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    if items.is_empty() || items.len() > LIST_MAX {
        return Err(refuse(name, "it is empty or too long", &format!("give an array of 1 to {LIST_MAX} items")));
    }
    Ok(items)
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, NgsiError> {
    list(name, value)?.iter().map(|item| owned_text(name, item)).collect()
}

fn names(name: &str, value: &Value, context: &Context) -> Result<Vec<Iri>, NgsiError> {
    let items = value.as_array().ok_or_else(|| refuse(name, "it is not an array", "write an array of names"))?;
    if items.is_empty() {
        return Err(refuse(name, "it is empty", "name at least one attribute, or leave it out"));
    }
    list(name, value)?.iter().map(|item| context.expand(text(name, item)?)).collect()
}

fn dataset_ids(name: &str, value: &Value) -> Result<Vec<String>, NgsiError> {
    let ids = texts(name, value)?;
    match ids.iter().find(|id| *id != "@none" && EntityId::parse(id).is_err()) {
        Some(_) => Err(refuse(name, "it holds something that is not a URI", "give URIs, or @none for the default")),
        None => Ok(ids),
    }
}

fn context_uri(name: &str, value: &Value) -> Result<String, NgsiError> {
    let uri = text(name, value)?;
    if uri.starts_with("http://") || uri.starts_with("https://") {
        return Ok(uri.to_owned());
    }
    Err(refuse(name, "it is not an http address", "give the address of a JSON-LD @context"))
}

fn triggers(name: &str, value: &Value) -> Result<Vec<Trigger>, NgsiError> {
    let read = |item: &Value| {
        let word = text(name, item)?;
        Trigger::ALL.into_iter().find(|trigger| trigger.name() == word).ok_or_else(|| {
            let known = Trigger::ALL.map(Trigger::name).join(", ");
            refuse(name, "it holds something that is not a trigger", &format!("use {known}"))
        })
    };
    list(name, value)?.iter().map(read).collect()
}

fn selectors(name: &str, value: &Value, context: &Context) -> Result<Vec<EntitySelector>, NgsiError> {
    let read = |item: &Value| {
        let members =
            item.as_object().ok_or_else(|| refuse(name, "an item is not an object", "write {\"type\": …}"))?;
        selector(members, context)
    };
    list(name, value)?.iter().map(read).collect()
}

fn selector(members: &Map<String, Value>, context: &Context) -> Result<EntitySelector, NgsiError> {
    let ids = match members.get("id") {
        Some(value) => {
            let ids = texts("entities.id", value)?;
            ids.iter().map(|id| Ok(EntityId::parse(id)?)).collect::<Result<Vec<_>, NgsiError>>()?
        }
        None => vec![],
    };
    let id_pattern = members.get("idPattern").map(|value| owned_text("entities.idPattern", value)).transpose()?;
    let types = match members.get("type") {
        Some(Value::Array(_)) => {
            return Err(refuse("entities.type", "it is an array", "write one selection such as A,B or (A|B);C"));
        }
        Some(value) => expand_types(text("entities.type", value)?, context)?,
        None => return Err(refuse("entities.type", "it is missing", "name the type of the entities")),
    };
    Ok(EntitySelector { ids, id_pattern, types })
}

fn notification(value: &Value, context: &Context) -> Result<NotificationSettings, NgsiError> {
    let object = |name: &str, value: Option<&Value>| match value {
        Some(Value::Object(members)) => Ok(members.clone()),
        _ => Err(refuse(name, "it is missing or not an object", "give notification.endpoint.uri")),
    };
    let members = object("notification", Some(value))?;
    let endpoint = endpoint(&object("notification.endpoint", members.get("endpoint"))?)?;
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let format = given("format").map(|value| notification_format("notification.format", value)).transpose()?;
    let strings = |name: &str| given(name).map(|value| texts(name, value)).transpose().map(Option::unwrap_or_default);
    Ok(NotificationSettings {
        attributes: given("attributes")
            .map(|v| names("notification.attributes", v, context))
            .transpose()?
            .unwrap_or_default(),
        pick: strings("pick")?,
        omit: strings("omit")?,
        format,
        sys_attrs: given("sysAttrs").map(|value| flag("notification.sysAttrs", value)).transpose()?,
        show_changes: given("showChanges").map(|value| flag("notification.showChanges", value)).transpose()?,
        join: given("join").map(join).transpose()?.flatten(),
        join_level: given("joinLevel").map(join_level).transpose()?,
        endpoint,
    })
}

fn join(value: &Value) -> Result<Option<NotificationJoin>, NgsiError> {
    match text("notification.join", value)? {
        "flat" => Ok(Some(NotificationJoin::Flat)),
        "inline" => Ok(Some(NotificationJoin::Inline)),
        "@none" => Ok(None),
        _ => Err(refuse("notification.join", "it is not a way to show links", "use flat, inline or @none")),
    }
}

fn join_level(value: &Value) -> Result<u64, NgsiError> {
    let found = value.as_u64().filter(|level| (1..=JOIN_LEVEL_MAX).contains(level));
    let remedy = format!("give a whole number from 1 to {JOIN_LEVEL_MAX}");
    found.ok_or_else(|| refuse("notification.joinLevel", "it is not a number of links", &remedy))
}

fn notification_format(name: &str, value: &Value) -> Result<NotificationFormat, NgsiError> {
    match text(name, value)? {
        "normalized" => Ok(NotificationFormat::Normalized),
        "concise" => Ok(NotificationFormat::Concise),
        "simplified" => Ok(NotificationFormat::Simplified),
        "keyValues" => Ok(NotificationFormat::KeyValues),
        _ => Err(refuse(name, "it is not a format", "use normalized, concise, simplified or keyValues")),
    }
}

fn endpoint(members: &Map<String, Value>) -> Result<Endpoint, NgsiError> {
    const SCHEMES: [&str; 2] = ["http://", "https://"];
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let uri = match given("uri") {
        Some(value) => owned_text("notification.endpoint.uri", value)?,
        None => return Err(refuse("notification.endpoint.uri", "it is missing", "say where notifications go")),
    };
    if EntityId::parse(&uri).is_err() || !SCHEMES.iter().any(|scheme| uri.starts_with(scheme)) {
        let remedy = "use an address that starts with http:// or https://";
        return Err(refuse("notification.endpoint.uri", "it is not an address to send to", remedy));
    }
    let accept = match given("accept").map(|value| text("notification.endpoint.accept", value)).transpose()? {
        None => None,
        Some("application/json") => Some(Accept::Json),
        Some("application/ld+json") => Some(Accept::JsonLd),
        Some("application/geo+json") => Some(Accept::GeoJson),
        Some(_) => {
            let remedy = "use application/json, application/ld+json or application/geo+json";
            return Err(refuse("notification.endpoint.accept", "it is not a media type of notifications", remedy));
        }
    };
    let info = |name: &str| given(name).map(|value| key_values(name, value)).transpose().map(Option::unwrap_or_default);
    let time = |name: &str, max: u64| given(name).map(|value| milliseconds(name, value, max)).transpose();
    Ok(Endpoint {
        uri,
        accept,
        receiver_info: info("receiverInfo")?,
        notifier_info: info("notifierInfo")?,
        timeout: time("timeout", TIMEOUT_MS_MAX)?,
        cooldown: time("cooldown", COOLDOWN_MS_MAX)?,
    })
}

/// Names and values for a receiver; line breaks and control characters would make other headers of them.
fn key_values(name: &str, value: &Value) -> Result<Vec<KeyValue>, NgsiError> {
    let read = |item: &Value| {
        let part = |part: &str| text(name, item.get(part).unwrap_or(&Value::Null)).map(str::to_owned);
        let (key, value) = (part("key")?, part("value")?);
        if key.chars().chain(value.chars()).any(char::is_control) {
            return Err(refuse(name, "it holds a line break or control character", "leave it out"));
        }
        Ok(KeyValue { key, value })
    };
    list(name, value)?.iter().map(read).collect()
}
