//! What a change means to subscriptions: which attributes came, changed or went.

use std::collections::HashSet;

use model::{Attribute, Change, ChangeKind, Entity, Iri};

use super::Trigger;

/// What happened to one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeEvent {
    /// Its name.
    pub name: Iri,
    /// [`Trigger::AttributeCreated`], [`Trigger::AttributeUpdated`] or [`Trigger::AttributeDeleted`].
    pub what: Trigger,
}

/// What happened to each attribute of an entity, instance by instance. When an entity comes or goes, so do all its
/// attributes.
#[must_use]
pub fn attribute_events(change: &Change) -> Vec<AttributeEvent> {
    let before = change.before();
    let after = change.after();
    let mut events = Vec::with_capacity(change.attributes.len());
    for name in names(change) {
        let old = instances(before, name);
        let new = instances(after, name);
        let is_in = |list: &[Attribute], one: &Attribute| list.iter().any(|other| other.dataset_id == one.dataset_id);
        let created = new.iter().any(|instance| !is_in(old, instance));
        let deleted = old.iter().any(|instance| !is_in(new, instance));
        let updated = new.iter().any(|instance| is_in(old, instance) && !old.contains(instance));
        // A write that left everything as it was is an update: somebody said so.
        let rewritten = !created && !deleted && !updated && !new.is_empty();
        let found = [
            (created, Trigger::AttributeCreated),
            (updated || rewritten, Trigger::AttributeUpdated),
            (deleted, Trigger::AttributeDeleted),
        ];
        let found = found.into_iter().filter(|(happened, _)| *happened);
        events.extend(found.map(|(_, what)| AttributeEvent { name: name.clone(), what }));
    }
    events
}

/// The names that a change touched, each once.
fn names(change: &Change) -> Vec<&Iri> {
    let whole = match change.kind {
        ChangeKind::Created => change.after(),
        ChangeKind::Deleted => change.before(),
        ChangeKind::Updated => None,
    };
    let all = whole.into_iter().flat_map(|entity| entity.attributes.keys());
    let mut seen = HashSet::new();
    change.attributes.iter().chain(all).filter(|name| seen.insert(*name)).collect()
}

fn instances<'a>(entity: Option<&'a Entity>, name: &Iri) -> &'a [Attribute] {
    entity.and_then(|entity| entity.attributes.get(name)).map_or(&[], Vec::as_slice)
}

/// Whether a change is of a kind that a subscription wants to hear of. `watched` empty is any attribute.
#[must_use]
pub fn is_triggered(change: &Change, events: &[AttributeEvent], triggers: &[Trigger], watched: &[Iri]) -> bool {
    let is_watched = |name: &Iri| watched.is_empty() || watched.contains(name);
    let has_watched = || watched.is_empty() || events.iter().any(|event| is_watched(&event.name));
    triggers.iter().any(|trigger| match trigger {
        Trigger::EntityCreated => change.kind == ChangeKind::Created && has_watched(),
        Trigger::EntityDeleted => change.kind == ChangeKind::Deleted && has_watched(),
        Trigger::EntityUpdated => {
            change.kind == ChangeKind::Updated && events.iter().any(|event| is_watched(&event.name))
        }
        what => events.iter().any(|event| event.what == *what && is_watched(&event.name)),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{EntityId, Stored, Tenant, Timestamp};

    use super::*;

    fn entity(attributes: &[(&str, i64)]) -> Entity {
        let now = Timestamp::from_micros(0);
        let mut entity =
            Entity::new(EntityId::parse("urn:ngsi-ld:Building:1").unwrap(), Iri::from("urn:Building"), now);
        for (name, value) in attributes {
            entity.set(*name, Attribute::property(*value));
        }
        entity
    }

    fn change(before: Option<Entity>, after: Option<Entity>, attributes: &[&str]) -> Change {
        let kind = match (&before, &after) {
            (None, _) => ChangeKind::Created,
            (Some(_), None) => ChangeKind::Deleted,
            (Some(_), Some(_)) => ChangeKind::Updated,
        };
        let stored = |value| Arc::new(Stored { version: 1, value });
        Change {
            sequence: 1,
            tenant: Tenant::default(),
            id: EntityId::parse("urn:ngsi-ld:Building:1").unwrap(),
            kind,
            attributes: attributes.iter().map(|name| Iri::from(*name)).collect(),
            before: before.map(stored),
            after: after.map(stored),
        }
    }

    fn check(change: &Change, watched: &[&str], expect: &[Trigger]) {
        let events = attribute_events(change);
        let watched: Vec<Iri> = watched.iter().map(|name| Iri::from(*name)).collect();
        let found: Vec<Trigger> =
            Trigger::ALL.into_iter().filter(|t| is_triggered(change, &events, &[*t], &watched)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_new_entity_creates_its_attributes() {
        let change = change(None, Some(entity(&[("urn:a", 1)])), &["urn:a"]);
        check(&change, &[], &[Trigger::EntityCreated, Trigger::AttributeCreated]);
        check(&change, &["urn:b"], &[]);
    }

    #[test]
    fn a_deleted_entity_deletes_its_attributes() {
        let change = change(Some(entity(&[("urn:a", 1)])), None, &[]);
        check(&change, &["urn:a"], &[Trigger::EntityDeleted, Trigger::AttributeDeleted]);
    }

    #[test]
    fn an_update_tells_created_updated_and_deleted_attributes_apart() {
        let before = entity(&[("urn:a", 1), ("urn:b", 1)]);
        let after = entity(&[("urn:a", 2), ("urn:c", 1)]);
        let change = change(Some(before), Some(after), &["urn:a", "urn:b", "urn:c"]);
        check(&change, &["urn:a"], &[Trigger::EntityUpdated, Trigger::AttributeUpdated]);
        check(&change, &["urn:b"], &[Trigger::EntityUpdated, Trigger::AttributeDeleted]);
        check(&change, &["urn:c"], &[Trigger::EntityUpdated, Trigger::AttributeCreated]);
    }

    #[test]
    fn writing_the_same_value_again_is_an_update() {
        let change = change(Some(entity(&[("urn:a", 1)])), Some(entity(&[("urn:a", 1)])), &["urn:a"]);
        check(&change, &[], &[Trigger::EntityUpdated, Trigger::AttributeUpdated]);
    }
}
