//! Linked entities: what relationships point to, for answers with `join` (ETSI GS CIM 009, 4.5.23).

use std::{collections::HashSet, sync::Arc};

use model::{AttributeValue, Entity, EntityId, Iri, ReadScope, Tenant};
use store::Snapshot;

use super::find_one;
use crate::ngsi::{ErrorKind, Linked, NgsiError, View};

/// The most entities that one answer draws in through links.
const LINKED_MAX: usize = 10_000;

/// Collects the entities that can be reached in at most `level_max` links.
///
/// # Errors
/// `TooManyResults` when there are more than 10,000; otherwise when the store fails.
pub fn follow<'e>(
    snapshot: &Snapshot,
    tenant: &Tenant,
    scope: &ReadScope,
    from: impl IntoIterator<Item = &'e Entity>,
    level_max: usize,
) -> Result<Linked, NgsiError> {
    let mut linked = Linked { level_max, ..Linked::default() };
    let mut frontier: Vec<EntityId> = from.into_iter().flat_map(|e| links(e).map(|(_, id)| id.clone())).collect();
    for _ in 0..level_max {
        let mut next = Vec::new();
        for id in frontier {
            if linked.entities.contains_key(&id) {
                continue;
            }
            let Some(found) = find_one(snapshot, tenant, &id, scope)? else { continue };
            if linked.entities.len() >= LINKED_MAX {
                let detail = format!("more than {LINKED_MAX} linked entities; lower joinLevel or limit");
                return Err(NgsiError::new(ErrorKind::TooManyResults, detail));
            }
            let entity = Arc::new(found.value.clone());
            next.extend(links(&entity).map(|(_, id)| id.clone()));
            linked.entities.insert(id, entity);
        }
        frontier = next;
    }
    Ok(linked)
}

/// The relationships of an entity, each with one entity it points to.
fn links(entity: &Entity) -> impl Iterator<Item = (&Iri, &EntityId)> {
    entity.attributes.iter().flat_map(|(name, instances)| {
        instances.iter().flat_map(move |instance| {
            let objects: &[EntityId] = match &instance.value {
                AttributeValue::Relationship { objects, .. } | AttributeValue::ListRelationship { objects, .. } => {
                    objects
                }
                _ => &[],
            };
            objects.iter().map(move |object| (name, object))
        })
    })
}

/// The linked entities side by side (`join=flat`): level by level, each once, with the view that applies to it.
/// Links that a view does not show are not followed.
#[must_use]
pub fn follow_flat(from: &[&Entity], linked: &Linked, view: &View) -> Vec<(Arc<Entity>, View)> {
    let mut seen: HashSet<EntityId> = from.iter().map(|e| e.id.clone()).collect();
    let mut frontier: Vec<(Arc<Entity>, View)> = from.iter().map(|e| (Arc::new((*e).clone()), view.clone())).collect();
    let mut all = Vec::new();
    for _ in 0..linked.level_max {
        let mut next = Vec::new();
        for (entity, view) in &frontier {
            for (name, id) in links(entity).filter(|(name, _)| view.shows_attribute(name)) {
                if let Some(target) = linked.entities.get(id)
                    && seen.insert(id.clone())
                {
                    next.push((target.clone(), view.of_linked(name)));
                }
            }
        }
        all.extend(next.iter().cloned());
        frontier = next;
    }
    all
}
