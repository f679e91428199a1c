//! The secondary indexes of entities: by type, scope, relation and place, and how an update changes them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::{AttributeValue, BoundingBox, Entity, EntityId, Iri, Tenant};

use crate::{
    geo_cells::BoxE7,
    keys::{KeyBuilder, tag},
};

/// Which entities.
#[derive(Clone, Debug, PartialEq)]
pub enum EntitySelect {
    /// All of the tenant.
    All,
    /// Those with this type among theirs.
    Type(Iri),
    /// Those in this scope or below it (`/Rotterdam` also finds `/Rotterdam/Centrum`, not `/Rotterdam2`).
    Scope(String),
    /// Those with a relationship to a target: the index of children of a parent.
    Related {
        /// Only through this attribute.
        attribute: Option<Iri>,
        /// The entity pointed to.
        target: EntityId,
    },
    /// Those whose `location` has a bounding box that meets this one: candidates for an exact test.
    InBox {
        /// Only those with this type.
        entity_type: Option<Iri>,
        /// The box, degrees.
        bbox: BoundingBox,
    },
}

/// Index entries: key and value.
pub(crate) type Entries = BTreeMap<Bytes, Bytes>;

/// The changes to one entity's index entries: `None` removes.
pub(crate) type IndexChanges = Vec<(Bytes, Option<Bytes>)>;

/// The segments of a scope (`/Rotterdam/Centrum` has two).
pub(crate) fn segments(scope: &str) -> impl Iterator<Item = &str> {
    scope.split('/').filter(|segment| !segment.is_empty())
}

/// The prefix of the entries of entities in a scope or below it.
pub(crate) fn scope_prefix<'a>(tenant: &Tenant, path: impl Iterator<Item = &'a str>) -> Vec<u8> {
    // An empty part closes the path, so that a scope's own range does not hold the longer paths below it.
    path.fold(KeyBuilder::tenant(tenant, tag::BY_SCOPE), KeyBuilder::part).part("").finish()
}

/// The prefix of the entries of entities of a type.
pub(crate) fn type_prefix(tenant: &Tenant, entity_type: &Iri) -> Vec<u8> {
    KeyBuilder::tenant(tenant, tag::BY_TYPE).part(entity_type.as_str()).finish()
}

/// The prefix of the entries of entities related to a target.
pub(crate) fn related_prefix(tenant: &Tenant, attribute: Option<&Iri>, target: &EntityId) -> Vec<u8> {
    match attribute {
        Some(name) => KeyBuilder::tenant(tenant, tag::BY_RELATION).part(name.as_str()),
        None => KeyBuilder::tenant(tenant, tag::BY_TARGET),
    }
    .part(target.as_str())
    .finish()
}

/// The prefix of all cells of a type.
pub(crate) fn cell_prefix(tenant: &Tenant, entity_type: &Iri) -> Vec<u8> {
    KeyBuilder::tenant(tenant, tag::BY_CELL).part(entity_type.as_str()).finish()
}

/// The key of a type's counter.
pub(crate) fn counter_key(tenant: &Tenant, entity_type: &Iri) -> Bytes {
    KeyBuilder::tenant(tenant, tag::COUNTER).part(entity_type.as_str()).finish().into()
}

fn key(mut prefix: Vec<u8>, id: &EntityId) -> Bytes {
    prefix.extend_from_slice(id.as_str().as_bytes());
    prefix.into()
}

/// The relationships of an entity, in order: attribute and targets.
fn relations(entity: &Entity) -> impl Iterator<Item = (&Iri, &[EntityId])> {
    entity.attributes.iter().flat_map(|(name, instances)| {
        instances.iter().filter_map(move |instance| match &instance.value {
            AttributeValue::Relationship { objects, .. } | AttributeValue::ListRelationship { objects, .. } => {
                Some((name, objects.as_slice()))
            }
            _ => None,
        })
    })
}

fn type_entries(tenant: &Tenant, entity: &Entity, entries: &mut Entries) {
    for entity_type in &entity.types {
        entries.insert(key(type_prefix(tenant, entity_type), &entity.id), Bytes::new());
    }
}

fn scope_entries(tenant: &Tenant, entity: &Entity, entries: &mut Entries) {
    for scope in &entity.scopes {
        for depth in 1..=segments(scope).count() {
            let prefix = scope_prefix(tenant, segments(scope).take(depth));
            entries.insert(key(prefix, &entity.id), Bytes::new());
        }
    }
}

fn relation_entries(tenant: &Tenant, entity: &Entity, entries: &mut Entries) {
    for (name, targets) in relations(entity) {
        for target in targets {
            entries.insert(key(related_prefix(tenant, Some(name), target), &entity.id), Bytes::new());
            entries.insert(key(related_prefix(tenant, None, target), &entity.id), Bytes::new());
        }
    }
}

/// Entries by place: the box, and whether the entry's type is the entity's first, so that a query over all types
/// reports an entity with several types once.
fn cell_entries(tenant: &Tenant, entity: &Entity, entries: &mut Entries) {
    let Some(bbox) = entity.bounding_box().map(BoxE7::from) else { return };
    for (position, entity_type) in entity.types.iter().enumerate() {
        let first = entity.types.iter().position(|t| t == entity_type) == Some(0);
        if position > 0 && first {
            continue;
        }
        let mut value = bbox.to_bytes().to_vec();
        value.push(u8::from(first));
        let value = Bytes::from(value);
        for cell in bbox.filed_under() {
            let mut prefix = cell_prefix(tenant, entity_type);
            prefix.extend_from_slice(&cell.0.to_be_bytes());
            entries.insert(key(prefix, &entity.id), value.clone());
        }
    }
}

/// All index entries of an entity.
pub(crate) fn entries(tenant: &Tenant, entity: &Entity) -> Entries {
    let mut all = Entries::new();
    type_entries(tenant, entity, &mut all);
    scope_entries(tenant, entity, &mut all);
    relation_entries(tenant, entity, &mut all);
    cell_entries(tenant, entity, &mut all);
    all
}

/// What an update changes in the indexes: nothing, for most updates. Families whose source did not change are not
/// even computed.
pub(crate) fn changes(tenant: &Tenant, before: Option<&Entity>, after: Option<&Entity>) -> IndexChanges {
    let (Some(old), Some(new)) = (before, after) else {
        let removed = before.map(|e| entries(tenant, e)).unwrap_or_default().into_keys().map(|k| (k, None));
        let added = after.map(|e| entries(tenant, e)).unwrap_or_default().into_iter().map(|(k, v)| (k, Some(v)));
        return removed.chain(added).collect();
    };
    let (mut gone, mut wanted) = (Entries::new(), Entries::new());
    let mut both = |family: fn(&Tenant, &Entity, &mut Entries)| {
        family(tenant, old, &mut gone);
        family(tenant, new, &mut wanted);
    };
    let same_types = old.types == new.types;
    if !same_types {
        both(type_entries);
    }
    if old.scopes != new.scopes {
        both(scope_entries);
    }
    if !relations(old).eq(relations(new)) {
        both(relation_entries);
    }
    if !same_types || old.location() != new.location() {
        both(cell_entries);
    }
    let removed = gone.keys().filter(|k| !wanted.contains_key(*k)).map(|k| (k.clone(), None)).collect::<Vec<_>>();
    let added = wanted.into_iter().filter(|(k, v)| gone.get(k) != Some(v)).map(|(k, v)| (k, Some(v)));
    removed.into_iter().chain(added).collect()
}

/// How an update changes the counters of types.
pub(crate) fn counted(before: Option<&Entity>, after: Option<&Entity>) -> Vec<(Iri, i64)> {
    let types = |entity: Option<&Entity>| entity.iter().flat_map(|e| &e.types).cloned().collect::<BTreeSet<Iri>>();
    if let (Some(old), Some(new)) = (before, after)
        && old.types == new.types
    {
        return vec![];
    }
    let (old, new) = (types(before), types(after));
    let lost = old.difference(&new).map(|t| (t.clone(), -1));
    let gained = new.difference(&old).map(|t| (t.clone(), 1));
    lost.chain(gained).collect()
}
