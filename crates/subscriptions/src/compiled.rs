//! A subscription ready to be matched: its queries parsed, its contexts resolved.

use std::sync::Arc;

use model::{Change, Entity, Timestamp};
use serde_json::Value;

use super::{AttributeEvent, EntitySelector, NotificationFormat, Subscription, attribute_events, is_triggered};
use platform::{
    context::{Context, Contexts},
    ngsi::{Form, NgsiError, Projection, View},
    query::{EntityQuery, GeoQ, Q, ScopeQ, Selector, TypeSelector, pattern},
};

/// A subscription that can be asked whether a change concerns it.
#[derive(Debug)]
pub struct Compiled {
    /// The subscription.
    pub subscription: Subscription,
    /// Which entities it means.
    pub query: EntityQuery,
    /// How its notifications show entities.
    pub view: View,
    /// The `@context` of its notifications.
    pub context: Arc<Context>,
}

impl Compiled {
    /// Parses the queries and resolves the contexts.
    ///
    /// # Errors
    /// `BadRequestData` when a query is not one, `LdContextNotAvailable` when a context cannot be had.
    pub async fn compile(subscription: Subscription, contexts: &Contexts, now: Timestamp) -> Result<Self, NgsiError> {
        let written = contexts.resolve(&subscription.context, now).await?;
        let context = match &subscription.jsonld_context {
            Some(uri) => contexts.resolve(&Value::String(uri.clone()), now).await?,
            None => written.clone(),
        };
        let q = match &subscription.q {
            Some(q) => Some(Q::parse(&decoded(&q.text), &*contexts.resolve(&q.context, now).await?)?),
            None => None,
        };
        let query = EntityQuery {
            selectors: subscription.entities.iter().map(selector).collect::<Result<_, _>>()?,
            q,
            geo: subscription.geo_q.as_ref().map(|value| geo_query(value, &written)).transpose()?,
            scope: subscription.scope_q.as_deref().map(ScopeQ::parse).transpose()?,
            ..EntityQuery::default()
        };
        let view = view(&subscription, &written)?;
        Ok(Self { subscription, query, view, context })
    }

    /// What a change means to it: the events of its attributes, when it wants to hear of the change.
    #[must_use]
    pub fn matches(&self, change: &Change, now: Timestamp) -> Option<Vec<AttributeEvent>> {
        let subscription = &self.subscription;
        // Periodic subscriptions notify whatever changes, so no change is theirs.
        if subscription.status(now) != "active" || subscription.time_interval.is_some() {
            return None;
        }
        let entity = change.after().or(change.before())?;
        if !self.matches_entity(entity) {
            return None;
        }
        let events = attribute_events(change);
        is_triggered(change, &events, subscription.triggers(), &subscription.watched_attributes).then_some(events)
    }

    /// Whether an entity is one of those that it means.
    #[must_use]
    pub fn matches_entity(&self, entity: &Entity) -> bool {
        self.query.matches(entity)
    }
}

/// The text with `%20` and the like read as what they stand for: a `q` keeps the form it has in an address also in a
/// body. Anything else with a percent sign stays as it is.
fn decoded(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).map_or_else(|_| text.into(), Into::into)
}

fn selector(selector: &EntitySelector) -> Result<Selector, NgsiError> {
    Ok(Selector {
        ids: selector.ids.clone(),
        id_pattern: selector.id_pattern.as_deref().map(pattern).transpose()?,
        // The names are expanded already; the core context leaves them as they are.
        types: if selector.types == "*" { None } else { Some(TypeSelector::parse(&selector.types, &Context::core())?) },
    })
}

/// Reads a `GeoQuery` object.
fn geo_query(value: &Value, context: &Context) -> Result<GeoQ, NgsiError> {
    let text = |name: &str| {
        let found = value.get(name).and_then(Value::as_str);
        found.ok_or_else(|| NgsiError::bad_data(format!("geoQ.{name}: it is missing or not a text")))
    };
    let coordinates = value.get("coordinates");
    let coordinates =
        coordinates.ok_or_else(|| NgsiError::bad_data("geoQ.coordinates: it is missing; give an array of numbers"))?;
    let property = value.get("geoproperty").and_then(Value::as_str);
    GeoQ::parse(text("georel")?, text("geometry")?, coordinates, property, context)
}

fn view(subscription: &Subscription, context: &Context) -> Result<View, NgsiError> {
    let settings = &subscription.notification;
    let projection = |names: &[String]| match names {
        [] => Ok(None),
        names => Projection::parse(&names.join(","), context).map(Some),
    };
    let dataset = |id: &String| (id != "@none").then(|| id.clone());
    Ok(View {
        form: match settings.format.unwrap_or_default() {
            NotificationFormat::Normalized => Form::Normalized,
            NotificationFormat::Concise => Form::Concise,
            NotificationFormat::Simplified | NotificationFormat::KeyValues => Form::Simplified,
        },
        sys_attrs: settings.sys_attrs.unwrap_or_default(),
        lang: subscription.lang.clone(),
        attrs: settings.attributes.clone(),
        pick: projection(&settings.pick)?,
        omit: projection(&settings.omit)?,
        dataset_ids: subscription.dataset_id.iter().map(dataset).collect(),
        geometry_property: None,
    })
}
