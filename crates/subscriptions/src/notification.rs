//! Makes the notification of changes: its content and headers (ETSI GS CIM 009, 5.3.1, 5.8.6 and 6.3.8).

use std::sync::Arc;

use model::{Attribute, AttributeValue, Change, Entity, Iri, ReadScope, Tenant, Timestamp};
use serde_json::{Map, Value, json};

use super::{Accept, AttributeEvent, Compiled, Delivery, NotificationJoin, Trigger};
use platform::{
    context::Context,
    ngsi::{Form, Linked, Member, NULL, View, write_attribute, write_entity, write_feature_collection, write_string},
    query::follow_flat,
};

/// How long a receiver may take when the subscription does not say, milliseconds.
const TIMEOUT_MS: u64 = 10_000;

/// One entity to tell of.
#[derive(Clone, Debug)]
pub enum Told {
    /// It changed.
    Change(Change, Vec<AttributeEvent>),
    /// It is like this now; nothing need have changed.
    State(Arc<Entity>),
}

/// The delivery that tells a subscriber of entities. `number` makes the id of the notification, so that a receiver
/// can tell one that comes twice.
#[must_use]
pub fn delivery(
    compiled: &Compiled,
    tenant: &Tenant,
    told: &[Told],
    linked: Option<&Linked>,
    number: u64,
    now: Timestamp,
) -> Delivery {
    let subscription = &compiled.subscription;
    let endpoint = &subscription.notification.endpoint;
    let accept = endpoint.accept.unwrap_or_default();
    let mut headers = vec![("Content-Type".to_owned(), accept.media_type().to_owned())];
    if accept == Accept::Json {
        let rel = "http://www.w3.org/ns/json-ld#context";
        let link = format!("<{}>; rel=\"{rel}\"; type=\"application/ld+json\"", compiled.context.link());
        headers.push(("Link".to_owned(), link));
    }
    if *tenant != Tenant::default() {
        headers.push(("NGSILD-Tenant".to_owned(), tenant.as_str().to_owned()));
    }
    headers.extend(endpoint.receiver_info.iter().map(|pair| (pair.key.clone(), pair.value.clone())));
    Delivery {
        uri: endpoint.uri.clone(),
        headers,
        body: body(compiled, told, linked, number, now),
        timeout_ms: endpoint.timeout.unwrap_or(TIMEOUT_MS),
    }
}

impl Told {
    /// What there is of the entity now.
    #[must_use]
    pub fn entity(&self) -> Option<&Entity> {
        match self {
            Self::Change(change, _) => change.after(),
            Self::State(entity) => Some(entity),
        }
    }

    /// Whether a reader may see all that is told: the entity as it is and, of a change, as it was.
    #[must_use]
    pub fn is_shown_to(&self, scope: &ReadScope) -> bool {
        match self {
            Self::Change(change, _) => [change.before(), change.after()].into_iter().flatten().all(|e| scope.shows(e)),
            Self::State(entity) => scope.shows(entity),
        }
    }
}

fn body(compiled: &Compiled, told: &[Told], linked: Option<&Linked>, number: u64, now: Timestamp) -> Vec<u8> {
    let id = &compiled.subscription.id;
    let accept = compiled.subscription.notification.endpoint.accept.unwrap_or_default();
    let own = id.as_str().rsplit(':').next().unwrap_or_default();
    let mut out = Vec::with_capacity(1_024);
    out.extend_from_slice(b"{\"id\":");
    write_string(&mut out, &format!("urn:ngsi-ld:Notification:{own}-{number}"));
    out.extend_from_slice(b",\"type\":\"Notification\",\"subscriptionId\":");
    write_string(&mut out, id.as_str());
    out.extend_from_slice(b",\"notifiedAt\":");
    write_string(&mut out, &now.to_string());
    out.extend_from_slice(b",\"data\":");
    if accept == Accept::GeoJson {
        let entities = told.iter().filter_map(Told::entity);
        write_feature_collection(&mut out, entities, &compiled.context, &compiled.view, true);
    } else {
        write_data(&mut out, compiled, told, linked, now);
    }
    out.push(b'}');
    out
}

fn write_data(out: &mut Vec<u8>, compiled: &Compiled, told: &[Told], linked: Option<&Linked>, now: Timestamp) {
    let settings = &compiled.subscription.notification;
    let with_context = settings.endpoint.accept == Some(Accept::JsonLd);
    let inside = linked.filter(|_| settings.join == Some(NotificationJoin::Inline));
    out.push(b'[');
    for (i, told) in told.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_told(out, compiled, told, inside, now, with_context);
    }
    if let Some(linked) = linked.filter(|_| inside.is_none()) {
        let from: Vec<&Entity> = told.iter().filter_map(Told::entity).collect();
        for (entity, view) in follow_flat(&from, linked, &compiled.view) {
            if !told.is_empty() {
                out.push(b',');
            }
            write_entity(out, &entity, &compiled.context, &view, None, with_context);
        }
    }
    out.push(b']');
}

fn write_told(
    out: &mut Vec<u8>,
    compiled: &Compiled,
    told: &Told,
    linked: Option<&Linked>,
    now: Timestamp,
    with_context: bool,
) {
    let (context, view) = (&*compiled.context, &compiled.view);
    let (change, events) = match told {
        Told::State(entity) => return write_entity(out, entity, context, view, linked, with_context),
        Told::Change(change, events) => (change, events),
    };
    let teller = Teller { compiled, change, events, now };
    let value = match change.after() {
        Some(entity) => {
            let gone = teller.gone();
            if gone.is_empty() && !teller.shows_changes() {
                return write_entity(out, entity, context, view, linked, with_context);
            }
            let mut whole = entity.clone();
            teller.add_tombstones(&mut whole, &gone);
            teller.marked(&whole, &gone, with_context)
        }
        None => teller.deleted_entity(with_context),
    };
    out.extend_from_slice(value.to_string().as_bytes());
}

/// Tells one change with what is gone and what was before, which the representation of an entity does not have.
struct Teller<'a> {
    compiled: &'a Compiled,
    change: &'a Change,
    events: &'a [AttributeEvent],
    now: Timestamp,
}

impl Teller<'_> {
    fn view(&self) -> &View {
        &self.compiled.view
    }

    fn context(&self) -> &Context {
        &self.compiled.context
    }

    fn shows_changes(&self) -> bool {
        self.compiled.subscription.notification.show_changes.unwrap_or_default()
    }

    /// The instances that are gone and that the subscription wants to hear of.
    fn gone(&self) -> Vec<(Iri, Attribute)> {
        let subscription = &self.compiled.subscription;
        let wants = |trigger: &Trigger| matches!(trigger, Trigger::AttributeDeleted | Trigger::EntityUpdated);
        let all = self.change.after.is_none() && self.shows_changes();
        if !all && !subscription.triggers().iter().any(wants) {
            return vec![];
        }
        let watched = &subscription.watched_attributes;
        let deleted = self.events.iter().filter(|event| event.what == Trigger::AttributeDeleted);
        let named = deleted.map(|event| &event.name).filter(|name| watched.is_empty() || watched.contains(name));
        let of = |entity: Option<&Entity>, name: &Iri| -> Vec<Attribute> {
            entity.and_then(|entity| entity.attributes.get(name)).cloned().unwrap_or_default()
        };
        let mut gone = Vec::new();
        for name in named {
            let left = of(self.change.after(), name);
            let before = of(self.change.before(), name).into_iter();
            let lost = before.filter(|old| !left.iter().any(|new| new.dataset_id == old.dataset_id));
            let mut lost: Vec<Attribute> = lost.collect();
            if left.is_empty() && lost.len() > 1 {
                // The attribute as a whole is gone: that is told once, not for each dataset.
                lost.truncate(1);
                lost.iter_mut().for_each(|old| old.dataset_id = None);
            }
            gone.extend(lost.into_iter().map(|old| (name.clone(), old)));
        }
        gone
    }

    fn add_tombstones(&self, entity: &mut Entity, gone: &[(Iri, Attribute)]) {
        for (name, old) in gone {
            let tombstone = Attribute { dataset_id: old.dataset_id.clone(), ..Attribute::property(NULL) };
            entity.attributes.entry(name.clone()).or_default().push(tombstone);
        }
    }

    /// The entity as JSON, with deleted instances and earlier values marked.
    fn marked(&self, entity: &Entity, gone: &[(Iri, Attribute)], with_context: bool) -> Value {
        let mut out = Vec::with_capacity(1_024);
        write_entity(&mut out, entity, self.context(), self.view(), None, with_context);
        let mut value: Value = serde_json::from_slice(&out).unwrap_or_default();
        if self.view().form == Form::Simplified {
            return value;
        }
        for (name, old) in gone {
            let deleted = self.deleted_instance(old);
            if let Some(place) = self.find(&mut value, name, old.dataset_id.as_deref()) {
                *place = deleted;
            }
        }
        if self.shows_changes() {
            self.add_previous(&mut value);
        }
        value
    }

    /// An attribute instance that was deleted.
    fn deleted_instance(&self, old: &Attribute) -> Value {
        let (kind, member, _) = kind_of(&old.value);
        let null = match old.value {
            AttributeValue::Language(_) if self.change.after.is_some() => json!({ "@none": NULL }),
            _ => json!(NULL),
        };
        let mut members = Map::new();
        members.insert("type".into(), json!(kind));
        members.insert(member.into(), null);
        if let Some(dataset) = &old.dataset_id {
            members.insert("datasetId".into(), json!(dataset));
        }
        if self.shows_changes() {
            self.put_previous(&mut members, old);
        }
        if self.view().sys_attrs {
            let times = [("createdAt", old.created_at), ("modifiedAt", old.modified_at), ("deletedAt", Some(self.now))];
            for (name, time) in times {
                members.extend(time.map(|time| (name.to_owned(), json!(time))));
            }
        }
        Value::Object(members)
    }

    /// Adds the values from before to instances that were updated.
    fn add_previous(&self, value: &mut Value) {
        let before = self.change.before();
        for event in self.events.iter().filter(|event| event.what == Trigger::AttributeUpdated) {
            let old = before.and_then(|entity| entity.attributes.get(&event.name)).map_or(&[][..], Vec::as_slice);
            let new = self.change.after.as_ref().and_then(|entity| entity.attributes.get(&event.name));
            for old in old {
                let same = new.is_some_and(|instances| instances.contains(old));
                if same {
                    continue;
                }
                if let Some(Value::Object(members)) = self.find(value, &event.name, old.dataset_id.as_deref()) {
                    self.put_previous(members, old);
                }
            }
        }
    }

    fn put_previous(&self, members: &mut Map<String, Value>, old: &Attribute) {
        let (_, member, previous) = kind_of(&old.value);
        let mut out = Vec::new();
        let plain = View { form: Form::Normalized, ..View::default() };
        write_attribute(&mut out, old, self.context(), &plain);
        let value: Value = serde_json::from_slice(&out).unwrap_or_default();
        if let Some(value) = value.get(member) {
            members.insert(previous.into(), value.clone());
        }
    }

    /// The place of one instance in an entity's JSON.
    fn find<'v>(&self, value: &'v mut Value, name: &Iri, dataset: Option<&str>) -> Option<&'v mut Value> {
        let place = value.get_mut(&*self.context().compact(name).text)?;
        match place {
            Value::Array(items) => {
                items.iter_mut().find(|item| item.get("datasetId").and_then(Value::as_str) == dataset)
            }
            single => Some(single),
        }
    }

    /// A deleted entity: what it was, that it is gone, and the attributes that went with it where that was asked for.
    fn deleted_entity(&self, with_context: bool) -> Value {
        let mut members = Map::new();
        members.insert("id".into(), json!(self.change.id));
        if let Some(before) = self.change.before() {
            let bare = Entity { attributes: model::Attributes::new(), scopes: vec![], ..before.clone() };
            let mut out = Vec::new();
            write_entity(&mut out, &bare, self.context(), self.view(), None, with_context);
            if let Ok(Value::Object(head)) = serde_json::from_slice(&out) {
                members = head;
            }
        }
        members.insert("deletedAt".into(), json!(self.now));
        for (name, old) in self.gone() {
            if !self.view().shows_attribute(&name) || !self.view().shows(&Member::Attribute(name.clone())) {
                continue;
            }
            let value = match self.view().form {
                Form::Simplified => json!(NULL),
                Form::Normalized | Form::Concise => self.deleted_instance(&old),
            };
            let short = self.context().compact(&name).text.to_string();
            match members.get_mut(&short) {
                None => drop(members.insert(short, value)),
                Some(Value::Array(items)) => items.push(value),
                Some(single) => *single = json!([single.take(), value]),
            }
        }
        Value::Object(members)
    }
}

/// The kind of an attribute, the member with its value, and the member with its value before.
fn kind_of(value: &AttributeValue) -> (&'static str, &'static str, &'static str) {
    match value {
        AttributeValue::Property(_) => ("Property", "value", "previousValue"),
        AttributeValue::Geo(_) => ("GeoProperty", "value", "previousValue"),
        AttributeValue::Relationship { .. } => ("Relationship", "object", "previousObject"),
        AttributeValue::Language(_) => ("LanguageProperty", "languageMap", "previousLanguageMap"),
        AttributeValue::Json(_) => ("JsonProperty", "json", "previousJson"),
        AttributeValue::Vocab(_) => ("VocabProperty", "vocab", "previousVocab"),
        AttributeValue::List(_) => ("ListProperty", "valueList", "previousValueList"),
        AttributeValue::ListRelationship { .. } => ("ListRelationship", "objectList", "previousObjectList"),
    }
}
