//! What each operation does to an entity, as a pure change (ETSI GS CIM 009, 5.6.2 to 5.6.5, 5.6.17 to 5.6.19).

use model::{Entity, Iri, Timestamp};

use super::{
    Edit,
    merge::{Depth, merged},
};
use crate::ngsi::{AttributeFragment, EntityFragment, NgsiError, Patch};

/// The expanded name of `scope`.
const SCOPE: &str = "https://uri.etsi.org/ngsi-ld/scope";

/// What happened to each attribute of an update or append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateResult {
    /// Those that were changed.
    pub updated: Vec<Iri>,
    /// Those that were not, and why.
    pub not_updated: Vec<(Iri, String)>,
}

/// A change to one attribute, named by its path.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeChange {
    /// Lay these members over it (`PATCH`).
    Partial(AttributeFragment),
    /// Put these instances in its place (`PUT`).
    Replace(Vec<AttributeFragment>),
}

impl Edit {
    /// Update (5.6.2): attributes that exist are replaced, new ones are added; a scope is replaced only.
    ///
    /// # Errors
    /// `BadRequestData` when an attribute is not complete.
    pub fn update(&mut self, mut fragment: EntityFragment) -> Result<UpdateResult, NgsiError> {
        let mut left_out = vec![];
        if self.entity.scopes.is_empty() && fragment.scopes != Patch::Keep {
            fragment.scopes = Patch::Keep;
            left_out.push((Iri::from(SCOPE), "the entity has no scope; append one with POST".to_owned()));
        }
        let mut result = self.append(fragment, true)?;
        result.not_updated.extend(left_out);
        Ok(result)
    }

    /// Append (5.6.3): attributes are added; those that exist are replaced if `overwrite` says so.
    ///
    /// # Errors
    /// `BadRequestData` when an attribute is not complete.
    pub fn append(&mut self, fragment: EntityFragment, overwrite: bool) -> Result<UpdateResult, NgsiError> {
        let mut result = UpdateResult::default();
        self.add_types(fragment.types);
        match fragment.scopes {
            Patch::Set(scopes) if overwrite => self.set_scopes(scopes),
            Patch::Set(scopes) => {
                let mut all = self.entity.scopes.clone();
                all.extend(scopes.into_iter().filter(|scope| !self.entity.scopes.contains(scope)));
                self.set_scopes(all);
            }
            Patch::Delete => self.set_scopes(vec![]),
            Patch::Keep => {}
        }
        for (name, instances) in fragment.attributes {
            let mut changed = false;
            for instance in instances {
                let dataset = instance.dataset_id.clone();
                if !overwrite && self.instance(&name, dataset.as_deref()).is_some() {
                    result.not_updated.push((name.clone(), "it exists, and noOverwrite was asked for".to_owned()));
                } else if instance.value == Patch::Delete {
                    changed |= self.remove(&name, dataset.as_deref());
                } else {
                    let attribute = instance.into_attribute(&name, self.now)?;
                    self.set(&name, attribute);
                    changed = true;
                }
            }
            if changed {
                result.updated.push(name);
            }
        }
        Ok(result)
    }

    /// Merge (5.6.17): the fragment is laid over the entity. `observed_at` goes to changed attributes that had a
    /// time and were given none.
    ///
    /// # Errors
    /// `BadRequestData` when a new attribute is not complete.
    pub fn merge(&mut self, fragment: EntityFragment, observed_at: Option<Timestamp>) -> Result<(), NgsiError> {
        self.add_types(fragment.types);
        match fragment.scopes {
            Patch::Set(scopes) => self.set_scopes(scopes),
            Patch::Delete => self.set_scopes(vec![]),
            Patch::Keep => {}
        }
        for (name, instances) in fragment.attributes {
            for mut instance in instances {
                let known = self.instance(&name, instance.dataset_id.as_deref()).cloned();
                let timed = known.as_ref().is_none_or(|known| known.observed_at.is_some());
                if let (Some(at), Patch::Keep, true) = (observed_at, &instance.observed_at, timed) {
                    instance.observed_at = Patch::Set(at);
                }
                match (known, instance.value == Patch::Delete) {
                    (Some(known), true) => {
                        self.remove(&name, known.dataset_id.as_deref());
                    }
                    (None, true) => {}
                    (Some(known), false) => {
                        let attribute = merged(known, instance, Depth::Everything, self.now)?;
                        self.set(&name, attribute);
                    }
                    (None, false) => {
                        let attribute = instance.into_attribute(&name, self.now)?;
                        self.set(&name, attribute);
                    }
                }
            }
        }
        Ok(())
    }

    /// Partial update (5.6.4) or replacement (5.6.19) of one attribute.
    ///
    /// # Errors
    /// `ResourceNotFound` when the attribute (instance) does not exist, `BadRequestData` when the fragment does not
    /// fit it.
    pub fn change_attribute(&mut self, name: &Iri, change: AttributeChange) -> Result<(), NgsiError> {
        if name.as_str() == SCOPE {
            return Err(NgsiError::bad_data("scope is not an attribute; change it with PATCH on attrs"));
        }
        match change {
            AttributeChange::Partial(fragment) => self.change_partly(name, fragment),
            AttributeChange::Replace(instances) => {
                for instance in instances {
                    self.find(name, instance.dataset_id.as_deref())?;
                    let attribute = instance.into_attribute(name, self.now)?;
                    self.set(name, attribute);
                }
                Ok(())
            }
        }
    }

    fn change_partly(&mut self, name: &Iri, fragment: AttributeFragment) -> Result<(), NgsiError> {
        let dataset = fragment.dataset_id.clone();
        let known = self.find(name, dataset.as_deref())?;
        if fragment.value == Patch::Delete {
            self.remove(name, dataset.as_deref());
            return Ok(());
        }
        let own = known.value.kind();
        let other_value = matches!(&fragment.value, Patch::Set(value) if value.kind() != own);
        if fragment.kind.is_some_and(|kind| kind != own) || other_value {
            let detail = format!("attribute {}: it is a {own}; its kind cannot be changed", name.short());
            return Err(NgsiError::bad_data(detail));
        }
        let attribute = merged(known, fragment, Depth::Members, self.now)?;
        self.set(name, attribute);
        Ok(())
    }

    fn find(&self, name: &Iri, dataset: Option<&str>) -> Result<model::Attribute, NgsiError> {
        self.instance(name, dataset).cloned().ok_or_else(|| {
            let which = dataset.map(|d| format!(" with datasetId {d}")).unwrap_or_default();
            NgsiError::not_found(format!("attribute {}{which} of {}", name.short(), self.entity.id))
        })
    }

    /// Deletes an attribute (5.6.5): one instance, or all of them.
    ///
    /// # Errors
    /// `ResourceNotFound` when there is nothing to delete.
    pub fn delete_attribute(&mut self, name: &Iri, dataset: Option<&str>, all: bool) -> Result<(), NgsiError> {
        if name.as_str() == SCOPE && !self.entity.scopes.is_empty() {
            self.set_scopes(vec![]);
            return Ok(());
        }
        if all {
            let removed = self.remove_all(name);
            return if removed { Ok(()) } else { self.find(name, None).map(drop) };
        }
        self.find(name, dataset)?;
        self.remove(name, dataset);
        Ok(())
    }

    /// Keeps only, or drops, the named attributes (purge, 5.6.21).
    pub fn keep_attributes(&mut self, keep: impl Fn(&Iri) -> bool) {
        let names: Vec<Iri> = self.entity.attributes.keys().filter(|name| !keep(name)).cloned().collect();
        for name in names {
            self.remove_all(&name);
        }
    }
}

/// Checks that the identifier in a body, when there is one, is that of the path.
pub(super) fn check_same_id(fragment: &EntityFragment, entity: &Entity) -> Result<(), NgsiError> {
    match &fragment.id {
        Some(id) if *id != entity.id => {
            Err(NgsiError::bad_data(format!("id: the body names {id}, the path names {}", entity.id)))
        }
        _ => Ok(()),
    }
}
