//! One entity being changed: the new state, and what has to be told to history and to the change feed.

use std::sync::Arc;

use model::{Attribute, Entity, Iri, Timestamp};
use store::{Stored, Transaction};

use super::{record, record_deleted};

/// Which instance of which attribute.
type Instance = (Iri, Option<String>);

/// An entity being changed. Nothing is stored until [`Edit::write`] and a commit.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The state so far.
    pub entity: Entity,
    /// The moment of the change.
    pub now: Timestamp,
    set: Vec<Instance>,
    removed: Vec<Instance>,
    /// Instances that this same change set and then set anew: they were true for a while, so history has them.
    passed: Vec<(Iri, Attribute)>,
    touched: bool,
}

impl Edit {
    /// A change to an existing entity.
    #[must_use]
    pub fn of(entity: &Entity, now: Timestamp) -> Self {
        Self { entity: entity.clone(), now, set: vec![], removed: vec![], passed: vec![], touched: false }
    }

    /// A new entity, all of it new.
    #[must_use]
    pub fn new(entity: Entity, now: Timestamp) -> Self {
        let set = instances_of(&entity);
        Self { entity, now, set, removed: vec![], passed: vec![], touched: true }
    }

    /// Replaces everything but the identity and the time of creation.
    pub fn replace(&mut self, with: Entity) {
        for (name, dataset_id) in &self.set {
            self.passed.extend(instance(&self.entity, name, dataset_id.as_deref()).map(|a| (name.clone(), a.clone())));
        }
        let created_at = self.entity.created_at;
        let gone = instances_of(&self.entity);
        let before = std::mem::replace(&mut self.entity, with);
        self.entity.created_at = created_at;
        self.entity.modified_at = self.now;
        for (name, instances) in &mut self.entity.attributes {
            let Some(old) = before.attributes.get(name) else { continue };
            for instance in instances {
                if let Some(known) = old.iter().find(|o| o.dataset_id == instance.dataset_id) {
                    instance.created_at = known.created_at;
                }
            }
        }
        self.set = instances_of(&self.entity);
        self.removed.extend(gone.into_iter().filter(|instance| !self.set.contains(instance)));
        self.touched = true;
    }

    /// The instance of an attribute with a dataset id.
    #[must_use]
    pub fn instance(&self, name: &Iri, dataset_id: Option<&str>) -> Option<&Attribute> {
        instance(&self.entity, name, dataset_id)
    }

    /// Puts an instance in place; an existing one keeps its time of creation.
    pub fn set(&mut self, name: &Iri, mut attribute: Attribute) {
        let known = instance(&self.entity, name, attribute.dataset_id.as_deref());
        attribute.created_at = known.map_or(Some(self.now), |known| known.created_at.or(Some(self.now)));
        attribute.modified_at = Some(self.now);
        let instance = (name.clone(), attribute.dataset_id.clone());
        self.removed.retain(|r| *r != instance);
        if self.set.contains(&instance) {
            self.passed.extend(known.map(|known| (name.clone(), known.clone())));
        } else {
            self.set.push(instance);
        }
        self.entity.set(name.clone(), attribute);
        self.touch();
    }

    /// Takes an instance away; whether it was there.
    pub fn remove(&mut self, name: &Iri, dataset_id: Option<&str>) -> bool {
        let Some(instances) = self.entity.attributes.get_mut(name) else { return false };
        let before = instances.len();
        instances.retain(|a| a.dataset_id.as_deref() != dataset_id);
        let removed = instances.len() < before;
        if instances.is_empty() {
            self.entity.attributes.remove(name);
        }
        if removed {
            let instance = (name.clone(), dataset_id.map(str::to_owned));
            self.set.retain(|s| *s != instance);
            self.removed.push(instance);
            self.touch();
        }
        removed
    }

    /// Takes all instances of an attribute away; whether there were any.
    pub fn remove_all(&mut self, name: &Iri) -> bool {
        let datasets: Vec<Option<String>> =
            self.entity.attributes.get(name).into_iter().flatten().map(|a| a.dataset_id.clone()).collect();
        for dataset_id in &datasets {
            self.remove(name, dataset_id.as_deref());
        }
        !datasets.is_empty()
    }

    /// Adds types that are not there yet.
    pub fn add_types(&mut self, types: Vec<Iri>) {
        for entity_type in types {
            if !self.entity.types.contains(&entity_type) {
                self.entity.types.push(entity_type);
                self.touch();
            }
        }
    }

    /// Replaces the scopes.
    pub fn set_scopes(&mut self, scopes: Vec<String>) {
        self.entity.scopes = scopes;
        self.touch();
    }

    fn touch(&mut self) {
        self.touched = true;
        self.entity.modified_at = self.now;
    }

    /// Whether anything changed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.touched
    }

    /// Puts the change into a transaction: the entity, its history, and which attributes changed.
    pub fn write(self, tx: &mut Transaction, before: Option<Arc<Stored<Entity>>>) {
        if !self.touched {
            return;
        }
        // Those without a time of their own have the moment of the change, and then the last one counts.
        for (name, attribute) in &self.passed {
            record(tx, &self.entity.id, name, attribute, self.now);
        }
        for (name, dataset_id) in &self.set {
            let passed =
                |set: &Attribute| self.passed.iter().any(|(other, a)| other == name && a.dataset_id == set.dataset_id);
            let known = before.as_ref().and_then(|before| instance(before, name, dataset_id.as_deref()));
            match self.instance(name, dataset_id.as_deref()) {
                Some(attribute) if !known.is_some_and(|known| attribute.repeats(known)) || passed(attribute) => {
                    record(tx, &self.entity.id, name, attribute, self.now);
                }
                _ => {}
            }
        }
        for (name, dataset_id) in &self.removed {
            record_deleted(tx, &self.entity.id, name, dataset_id.as_deref(), self.now);
        }
        let mut changed: Vec<Iri> = self.set.iter().chain(&self.removed).map(|(name, _)| name.clone()).collect();
        changed.sort_unstable();
        changed.dedup();
        tx.put_entity(before, self.entity, changed);
    }
}

fn instance<'a>(entity: &'a Entity, name: &Iri, dataset_id: Option<&str>) -> Option<&'a Attribute> {
    entity.attributes.get(name)?.iter().find(|a| a.dataset_id.as_deref() == dataset_id)
}

fn instances_of(entity: &Entity) -> Vec<Instance> {
    let named = entity.attributes.iter();
    named.flat_map(|(name, all)| all.iter().map(|a| (name.clone(), a.dataset_id.clone()))).collect()
}
