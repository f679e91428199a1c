//! Discovery: which types and attributes there are (ETSI GS CIM 009, 5.7.5 to 5.7.10).
//!
//! Types come from kept counters. Attributes are learnt by reading entities: at most [`SAMPLE_MAX`] of each type,
//! so that the answer does not depend on the size of the city; counts beyond that are those of the sample.

use std::collections::{BTreeMap, BTreeSet};

use model::{Entity, Iri, ReadScope, Tenant};
use store::{EntitySelect, Snapshot};

use crate::ngsi::NgsiError;

/// The most entities of one type that are read to learn its attributes.
const SAMPLE_MAX: usize = 10_000;

/// A type of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// The type.
    pub name: Iri,
    /// How many entities have it.
    pub count: u64,
    /// Their attributes.
    pub attributes: Vec<AttributeInfo>,
}

/// An attribute and where it occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeInfo {
    /// The attribute.
    pub name: Option<Iri>,
    /// The kinds it has (`Property`).
    pub kinds: BTreeSet<&'static str>,
    /// The types of the entities that have it.
    pub types: BTreeSet<Iri>,
    /// How many instances of it were seen.
    pub count: u64,
}

type Infos = BTreeMap<Iri, AttributeInfo>;

fn learn(infos: &mut Infos, entity: &Entity) {
    for (name, instances) in &entity.attributes {
        let info = infos
            .entry(name.clone())
            .or_insert_with(|| AttributeInfo { name: Some(name.clone()), ..AttributeInfo::default() });
        info.count += instances.len() as u64;
        info.kinds.extend(instances.iter().map(|i| i.value.kind()));
        for entity_type in &entity.types {
            if !info.types.contains(entity_type) {
                info.types.insert(entity_type.clone());
            }
        }
    }
}

fn attributes_of(
    snapshot: &Snapshot,
    tenant: &Tenant,
    entity_type: &Iri,
    scope: &ReadScope,
) -> Result<Infos, NgsiError> {
    let mut infos = Infos::new();
    let select = EntitySelect::Type(entity_type.clone());
    for entity in snapshot.entities(tenant, &select, None).take(SAMPLE_MAX) {
        let entity = entity?;
        if scope.shows(&entity.value) {
            learn(&mut infos, &entity.value);
        }
    }
    Ok(infos)
}

/// The types that the reader may see, by name; with their attributes when `details` are wanted.
///
/// # Errors
/// When the store fails.
pub fn type_infos(
    snapshot: &Snapshot,
    tenant: &Tenant,
    scope: &ReadScope,
    details: bool,
) -> Result<Vec<TypeInfo>, NgsiError> {
    let mut all = Vec::new();
    for (name, count) in snapshot.types(tenant)? {
        if count == 0 || !scope.shows_type(&name) {
            continue;
        }
        let attributes = if details { attributes_of(snapshot, tenant, &name, scope)? } else { Infos::new() };
        all.push(TypeInfo { name, count, attributes: attributes.into_values().collect() });
    }
    Ok(all)
}

/// One type with its attributes; `None` when there is no entity of it.
///
/// # Errors
/// When the store fails.
pub fn type_info(
    snapshot: &Snapshot,
    tenant: &Tenant,
    entity_type: &Iri,
    scope: &ReadScope,
) -> Result<Option<TypeInfo>, NgsiError> {
    let count = snapshot.count(tenant, entity_type)?;
    if count == 0 || !scope.shows_type(entity_type) {
        return Ok(None);
    }
    let attributes = attributes_of(snapshot, tenant, entity_type, scope)?.into_values().collect();
    Ok(Some(TypeInfo { name: entity_type.clone(), count, attributes }))
}

/// All attributes of all types that the reader may see, by name.
///
/// # Errors
/// When the store fails.
pub fn attribute_infos(
    snapshot: &Snapshot,
    tenant: &Tenant,
    scope: &ReadScope,
) -> Result<Vec<AttributeInfo>, NgsiError> {
    let types = snapshot.types(tenant)?;
    let mut infos = Infos::new();
    let mut done: Vec<Iri> = Vec::new();
    for (entity_type, _) in types.into_iter().filter(|(t, count)| *count > 0 && scope.shows_type(t)) {
        for entity in snapshot.entities(tenant, &EntitySelect::Type(entity_type.clone()), None).take(SAMPLE_MAX) {
            let entity = entity?;
            // An entity of several types is counted once.
            if scope.shows(&entity.value) && !entity.value.types.iter().any(|t| done.contains(t)) {
                learn(&mut infos, &entity.value);
            }
        }
        done.push(entity_type);
    }
    Ok(infos.into_values().collect())
}

/// One attribute; `None` when no entity has it.
///
/// # Errors
/// When the store fails.
pub fn attribute_info(
    snapshot: &Snapshot,
    tenant: &Tenant,
    name: &Iri,
    scope: &ReadScope,
) -> Result<Option<AttributeInfo>, NgsiError> {
    Ok(attribute_infos(snapshot, tenant, scope)?.into_iter().find(|info| info.name.as_ref() == Some(name)))
}
