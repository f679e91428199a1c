//! Changes to the temporal evolution of entities: create, add, correct and delete (ETSI GS CIM 009, 5.6.11 to 5.6.16).
//!
//! They change history only; the present state of an entity stays as it is.

use model::{Attribute, EntityId, Iri, Observation, ObservedValue, SeriesKey, Tenant, Timestamp};
use platform::{
    entities::{TemporalEntity, record, record_deleted},
    ngsi::{AttributeFragment, EntityFragment, NgsiError, Patch},
};
use store::{Expect, Order, Snapshot, Store, TimeRange, Transaction};

use crate::{Budget, Instance, TemporalQuery, TemporalReader, instance, scope_name};

/// Whether a temporal entity is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was not there before.
    Created,
    /// It was there, and has more history now.
    Updated,
}

/// Which instances of an attribute are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datasets {
    /// Those of one dataset; `None` is the default.
    One(Option<String>),
    /// Those of all datasets.
    All,
}

/// Changes one tenant's history.
#[derive(Clone, Copy)]
pub struct TemporalWriter<'a> {
    /// Where it is kept.
    pub store: &'a Store,
    /// Whose history.
    pub tenant: &'a Tenant,
    /// The moment of the request.
    pub now: Timestamp,
}

impl TemporalWriter<'_> {
    /// Creates the evolution of an entity, or adds to it.
    ///
    /// # Errors
    /// `BadRequestData` when the fragment has no id or type, or an attribute is not complete.
    pub async fn create_or_update(&self, fragment: EntityFragment) -> Result<Written, NgsiError> {
        let id = fragment.id.ok_or_else(|| NgsiError::bad_data("id: it is missing; give a URI"))?;
        if fragment.types.is_empty() {
            return Err(NgsiError::bad_data("type: it is missing; name at least one type"));
        }
        let scopes = fragment.scopes.into_set();
        let mut transaction = Transaction::new(self.tenant.clone());
        self.observe(&mut transaction, &id, fragment.attributes)?;
        let snapshot = self.store.snapshot()?;
        let is_present = snapshot.entity(self.tenant, &id)?.is_some();
        let known = snapshot.document::<TemporalEntity>(self.tenant, id.as_str())?;
        let written = if is_present || known.is_some() { Written::Updated } else { Written::Created };
        if !is_present {
            let (mut entity, expect) = match known {
                Some(stored) => (stored.value, Expect::Version(stored.version)),
                None => {
                    let (created_at, modified_at) = (self.now, self.now);
                    let entity =
                        TemporalEntity { id: id.clone(), types: vec![], scopes: vec![], created_at, modified_at };
                    (entity, Expect::Absent)
                }
            };
            let new_types = fragment.types.into_iter().filter(|name| !entity.types.contains(name)).collect::<Vec<_>>();
            entity.types.extend(new_types);
            entity.scopes = scopes.unwrap_or(entity.scopes);
            entity.modified_at = self.now;
            transaction.put_document(&entity, expect)?;
        }
        self.store.commit(transaction).await?;
        Ok(written)
    }

    /// Adds instances of attributes to an entity that has a present or a past.
    ///
    /// # Errors
    /// `ResourceNotFound` when there is no such entity, `BadRequestData` when there is nothing to add.
    pub async fn append(&self, id: &EntityId, fragment: EntityFragment) -> Result<(), NgsiError> {
        self.find_entity(&self.store.snapshot()?, id)?;
        if fragment.attributes.is_empty() {
            return Err(NgsiError::bad_data("the body has no attribute; give at least one"));
        }
        let mut transaction = Transaction::new(self.tenant.clone());
        self.observe(&mut transaction, id, fragment.attributes)?;
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Forgets the whole evolution of an entity.
    ///
    /// # Errors
    /// `ResourceNotFound` when there is no such entity.
    pub async fn delete_entity(&self, id: &EntityId) -> Result<(), NgsiError> {
        let snapshot = self.store.snapshot()?;
        self.find_entity(&snapshot, id)?;
        let mut transaction = Transaction::new(self.tenant.clone());
        for series in snapshot.history().series_of(self.tenant, id)? {
            transaction.delete_observations(series, None, None);
        }
        if snapshot.document::<TemporalEntity>(self.tenant, id.as_str())?.is_some() {
            transaction.delete_document::<TemporalEntity>(id.as_str(), Expect::Any);
        }
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Forgets the evolution of one attribute.
    ///
    /// # Errors
    /// `ResourceNotFound` when the entity, or an attribute of that dataset, is not there.
    pub async fn delete_attribute(&self, id: &EntityId, name: &Iri, datasets: &Datasets) -> Result<(), NgsiError> {
        let snapshot = self.store.snapshot()?;
        self.find_entity(&snapshot, id)?;
        let mut series = self.series(&snapshot, id, name)?;
        series.retain(|series| match datasets {
            Datasets::All => true,
            Datasets::One(dataset) => series.dataset_id == *dataset,
        });
        if series.is_empty() {
            return Err(NgsiError::not_found(format!("attribute {}", name.short())));
        }
        let mut transaction = Transaction::new(self.tenant.clone());
        for series in series {
            transaction.delete_observations(series, None, None);
        }
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Notes in the history of an entity that has only a past that one of its attributes (or its scope) ended now.
    ///
    /// # Errors
    /// `ResourceNotFound` when there is no such entity, or it exists now, or it never had the attribute.
    pub async fn end_attribute(&self, id: &EntityId, name: &Iri, datasets: &Datasets) -> Result<(), NgsiError> {
        let snapshot = self.store.snapshot()?;
        let known = snapshot.document::<TemporalEntity>(self.tenant, id.as_str())?;
        let known = known.filter(|_| !matches!(snapshot.entity(self.tenant, id), Ok(Some(_))));
        let stored = known.ok_or_else(|| NgsiError::not_found(format!("entity {id}")))?;
        let mut entity = TemporalEntity { modified_at: self.now, ..stored.value };
        let mut transaction = Transaction::new(self.tenant.clone());
        if *name == scope_name() && !entity.scopes.is_empty() {
            entity.scopes.clear();
            record_deleted(&mut transaction, id, name, None, self.now);
        }
        for series in self.series(&snapshot, id, name)? {
            if *datasets == Datasets::All || *datasets == Datasets::One(series.dataset_id.clone()) {
                record_deleted(&mut transaction, id, name, series.dataset_id.as_deref(), self.now);
            }
        }
        if transaction.is_empty() {
            return Err(NgsiError::not_found(format!("attribute {}", name.short())));
        }
        transaction.put_document(&entity, Expect::Version(stored.version))?;
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Forgets one instance of an attribute.
    ///
    /// # Errors
    /// `ResourceNotFound` when the entity, the attribute or the instance is not there.
    pub async fn delete_instance(&self, id: &EntityId, name: &Iri, instance_id: &str) -> Result<(), NgsiError> {
        let snapshot = self.store.snapshot()?;
        let (series, instance) = self.find_instance(&snapshot, id, name, instance_id)?;
        let mut transaction = Transaction::new(self.tenant.clone());
        transaction.delete_observations(series, Some(instance.at), Some(instance.at.plus_micros(1)));
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Corrects one instance of an attribute. It keeps its `instanceId`, also when its time changes.
    ///
    /// # Errors
    /// `ResourceNotFound` when it is not there, `BadRequestData` when the fragment cannot be carried out on it.
    pub async fn update_instance(
        &self,
        id: &EntityId,
        name: &Iri,
        instance_id: &str,
        fragment: AttributeFragment,
    ) -> Result<(), NgsiError> {
        let snapshot = self.store.snapshot()?;
        let (series, instance) = self.find_instance(&snapshot, id, name, instance_id)?;
        let Some(mut attribute) = instance.attribute else {
            return Err(NgsiError::bad_data("the instance is a deletion; it can be deleted, not changed"));
        };
        self.correct(&mut attribute, name, fragment)?;
        let at = attribute.observed_at.unwrap_or(instance.at);
        if at != instance.at {
            attribute.instance_id = Some(instance_id.to_owned());
        }
        let mut transaction = Transaction::new(self.tenant.clone());
        if at != instance.at {
            transaction.delete_observations(series.clone(), Some(instance.at), Some(instance.at.plus_micros(1)));
        }
        // Kept complete, so that it remembers when it was made beside when it was corrected.
        transaction.observe(Observation {
            series,
            at,
            unit_code: attribute.unit_code.clone(),
            quality: attribute.quality.clone().unwrap_or_default(),
            value: ObservedValue::Attribute(Box::new(attribute)),
            recorded_at: self.now,
        });
        self.store.commit(transaction).await?;
        Ok(())
    }

    fn correct(&self, attribute: &mut Attribute, name: &Iri, fragment: AttributeFragment) -> Result<(), NgsiError> {
        match fragment.value {
            Patch::Keep => {}
            Patch::Set(value) => attribute.value = value,
            Patch::Delete => return Err(NgsiError::bad_data("an instance is deleted with DELETE, not with a value")),
        }
        fragment.observed_at.apply(&mut attribute.observed_at);
        fragment.unit_code.apply(&mut attribute.unit_code);
        for (sub_name, instances) in fragment.sub {
            let instances: Result<Vec<_>, _> =
                instances.into_iter().map(|sub| sub.into_attribute(name, self.now)).collect();
            attribute.sub_attributes.insert(sub_name, instances?);
        }
        attribute.modified_at = Some(self.now);
        Ok(())
    }

    /// Puts all instances into the transaction. Those without a time get the time of the request, each a microsecond
    /// after the one before, because one series has one instance at one moment.
    fn observe(
        &self,
        transaction: &mut Transaction,
        id: &EntityId,
        attributes: Vec<(Iri, Vec<AttributeFragment>)>,
    ) -> Result<(), NgsiError> {
        for (name, instances) in attributes {
            let mut offset = 0;
            for fragment in instances {
                let moment = self.now.plus_micros(offset);
                let attribute = fragment.into_attribute(&name, moment)?;
                if attribute.observed_at.is_none() {
                    offset += 1;
                }
                record(transaction, id, &name, &attribute, self.now);
            }
        }
        Ok(())
    }

    fn find_entity(&self, snapshot: &Snapshot, id: &EntityId) -> Result<TemporalEntity, NgsiError> {
        let (query, budget) = (TemporalQuery::default(), Budget::default());
        let reader = TemporalReader { snapshot, tenant: self.tenant, query: &query, instances_max: 1, budget: &budget };
        reader.entity(id)?.ok_or_else(|| NgsiError::not_found(format!("temporal entity {id}")))
    }

    fn series(&self, snapshot: &Snapshot, id: &EntityId, name: &Iri) -> Result<Vec<SeriesKey>, NgsiError> {
        let mut series = snapshot.history().series_of(self.tenant, id)?;
        series.retain(|series| series.attribute == *name);
        Ok(series)
    }

    /// The instance with an id: by the moment that the id tells, or by the id that a corrected instance kept.
    fn find_instance(
        &self,
        snapshot: &Snapshot,
        id: &EntityId,
        name: &Iri,
        instance_id: &str,
    ) -> Result<(SeriesKey, Instance), NgsiError> {
        EntityId::parse(instance_id).map_err(|problem| NgsiError::bad_data(format!("instanceId: {problem}")))?;
        self.find_entity(snapshot, id)?;
        let all = self.series(snapshot, id, name)?;
        if all.is_empty() {
            return Err(NgsiError::not_found(format!("attribute {}", name.short())));
        }
        let history = snapshot.history();
        for series in &all {
            let Some(at) = instance::moment_of(instance_id, series) else { continue };
            let range = TimeRange { from: Some(at), to: Some(at.plus_micros(1)) };
            let found = history.range(self.tenant, std::slice::from_ref(series), range, Order::Ascending, Some(1))?;
            for observation in found {
                let instance = Instance::from_observation(observation?);
                if instance.id(series) == instance_id {
                    return Ok((series.clone(), instance));
                }
            }
        }
        for series in all {
            let range = TimeRange { from: None, to: None };
            for observation in
                history.range(self.tenant, std::slice::from_ref(&series), range, Order::Ascending, None)?
            {
                let instance = Instance::from_observation(observation?);
                if instance.id(&series) == instance_id {
                    return Ok((series, instance));
                }
            }
        }
        Err(NgsiError::not_found(format!("instance {instance_id}")))
    }
}
