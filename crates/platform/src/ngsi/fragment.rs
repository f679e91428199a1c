//! What an NGSI-LD body said: each member kept, set or deleted.

use model::{Attribute, AttributeValue, Attributes, Entity, EntityId, Iri, Timestamp};

use super::NgsiError;

/// What a body says about one member.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Patch<T> {
    /// Nothing.
    #[default]
    Keep,
    /// Its new value.
    Set(T),
    /// That it shall go (`urn:ngsi-ld:null`).
    Delete,
}

impl<T> Patch<T> {
    /// The new value, when one is set.
    pub fn into_set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Delete => None,
        }
    }

    /// Carries it out on a place that may be empty.
    pub fn apply(self, place: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => *place = Some(value),
            Self::Delete => *place = None,
        }
    }
}

/// What a body says about one instance of an attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeFragment {
    /// Which instance.
    pub dataset_id: Option<String>,
    /// Its value; `Delete` means that the whole instance shall go.
    pub value: Patch<AttributeValue>,
    /// The kind that was named (`Property`), where one was.
    pub kind: Option<&'static str>,
    /// When it was true in the city.
    pub observed_at: Patch<Timestamp>,
    /// The unit.
    pub unit_code: Patch<String>,
    /// The types of the objects of a relationship.
    pub object_types: Option<Vec<Iri>>,
    /// Its attributes.
    pub sub: Vec<(Iri, Vec<AttributeFragment>)>,
}

impl AttributeFragment {
    /// The attribute, when the fragment is complete.
    ///
    /// # Errors
    /// `BadRequestData` when it has no value or deletes something.
    pub fn into_attribute(self, name: &Iri, now: Timestamp) -> Result<Attribute, NgsiError> {
        let refuse = |what: &str| Err(NgsiError::bad_data(format!("attribute {}: {what}", name.short())));
        let mut value = match self.value {
            Patch::Set(value) => value,
            Patch::Keep => return refuse("it has no value; give value, object, languageMap, json, vocab or a list"),
            Patch::Delete => return refuse("a new attribute cannot be urn:ngsi-ld:null"),
        };
        if self.observed_at == Patch::Delete || self.unit_code == Patch::Delete {
            return refuse("a member of a new attribute cannot be urn:ngsi-ld:null");
        }
        if let Some(types) = self.object_types {
            set_object_types(&mut value, types);
        }
        let mut sub_attributes = Attributes::new();
        for (sub_name, instances) in self.sub {
            let instances = into_attributes(instances, &sub_name, now)?;
            sub_attributes.insert(sub_name, instances);
        }
        Ok(Attribute {
            dataset_id: self.dataset_id,
            observed_at: self.observed_at.into_set(),
            unit_code: self.unit_code.into_set(),
            sub_attributes,
            created_at: Some(now),
            modified_at: Some(now),
            ..Attribute::new(value)
        })
    }
}

/// The instances of one attribute, each complete, each with a `datasetId` of its own.
pub(crate) fn into_attributes(
    instances: Vec<AttributeFragment>,
    name: &Iri,
    now: Timestamp,
) -> Result<Vec<Attribute>, NgsiError> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(instances.len());
    for instance in instances {
        let attribute = instance.into_attribute(name, now)?;
        if attributes.iter().any(|known| known.dataset_id == attribute.dataset_id) {
            let detail = format!("attribute {}: two instances have the same datasetId", name.short());
            return Err(NgsiError::bad_data(detail));
        }
        attributes.push(attribute);
    }
    Ok(attributes)
}

/// Puts the types of the objects into a relationship; other kinds have none.
pub(crate) fn set_object_types(value: &mut AttributeValue, types: Vec<Iri>) {
    if let AttributeValue::Relationship { object_types, .. } | AttributeValue::ListRelationship { object_types, .. } =
        value
    {
        *object_types = types;
    }
}

/// What a body says about an entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityFragment {
    /// Its identifier, where given.
    pub id: Option<EntityId>,
    /// Its types, where given; empty otherwise.
    pub types: Vec<Iri>,
    /// Its scopes.
    pub scopes: Patch<Vec<String>>,
    /// Its attributes, in the order given.
    pub attributes: Vec<(Iri, Vec<AttributeFragment>)>,
}

impl EntityFragment {
    /// The entity, when the fragment is complete.
    ///
    /// # Errors
    /// `BadRequestData` when the id, the type or the value of an attribute is missing, or something is deleted.
    pub fn into_entity(self, now: Timestamp) -> Result<Entity, NgsiError> {
        let id = self.id.ok_or_else(|| NgsiError::bad_data("the entity has no id; give a URI"))?;
        if self.types.is_empty() {
            return Err(NgsiError::bad_data("the entity has no type; give one or several names"));
        }
        if self.scopes == Patch::Delete {
            return Err(NgsiError::bad_data("the scope of a new entity cannot be urn:ngsi-ld:null"));
        }
        let mut attributes = Attributes::new();
        for (name, instances) in self.attributes {
            attributes.insert(name.clone(), into_attributes(instances, &name, now)?);
        }
        let scopes = self.scopes.into_set().unwrap_or_default();
        Ok(Entity { id, types: self.types, scopes, attributes, created_at: now, modified_at: now })
    }
}
