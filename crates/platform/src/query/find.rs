//! Finds the entities that match a query: from the best index, one by one, no further than needed.

use std::sync::Arc;

use model::{Entity, EntityId, Iri, ReadScope, Tenant};
use regex::Regex;
use store::{EntitySelect, Snapshot, StoreError, Stored};

use super::{GeoQ, OrderBy, Q, ScopeQ, TypeSelector};
use crate::ngsi::{ErrorKind, NgsiError};

/// The most matches that are put in order.
const ORDERED_MAX: usize = 50_000;

/// Which entities are meant by identity and type.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// These, when not empty.
    pub ids: Vec<EntityId>,
    /// Those whose identifier matches.
    pub id_pattern: Option<Regex>,
    /// Those of these types.
    pub types: Option<TypeSelector>,
}

impl Selector {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.id_pattern.is_none() && self.types.is_none()
    }

    fn matches(&self, entity: &Entity) -> bool {
        (self.ids.is_empty() || self.ids.contains(&entity.id))
            && self.id_pattern.as_ref().is_none_or(|p| p.is_match(entity.id.as_str()))
            && self.types.as_ref().is_none_or(|t| t.matches(&entity.types))
    }
}

/// A query over the current state.
#[derive(Clone, Debug, Default)]
pub struct EntityQuery {
    /// Any of these must fit; everything fits when there are none.
    pub selectors: Vec<Selector>,
    /// At least one of these attributes must exist, when not empty.
    pub attrs: Vec<Iri>,
    /// The query expression.
    pub q: Option<Q>,
    /// The geographical query.
    pub geo: Option<GeoQ>,
    /// The scope query.
    pub scope: Option<ScopeQ>,
    /// How many matches are passed over.
    pub offset: usize,
    /// How many matches are wanted.
    pub limit: usize,
    /// Whether the number of all matches is wanted.
    pub count: bool,
    /// In which order; by an order of the store's own when `None`.
    pub order: Option<OrderBy>,
}

/// What a query found.
#[derive(Debug, Default)]
pub struct Found {
    /// The entities, at most `limit`.
    pub entities: Vec<Arc<Stored<Entity>>>,
    /// The number of all matches, when it was asked for.
    pub total: Option<u64>,
    /// Whether there are more matches after these.
    pub more: bool,
}

type Entities<'a> = Box<dyn Iterator<Item = Result<Arc<Stored<Entity>>, StoreError>> + 'a>;

impl EntityQuery {
    /// Whether an entity matches everything that the query says.
    #[must_use]
    pub fn matches(&self, entity: &Entity) -> bool {
        (self.selectors.is_empty() || self.selectors.iter().any(|s| s.matches(entity)))
            && (self.attrs.is_empty() || self.attrs.iter().any(|a| entity.attributes.contains_key(a)))
            && self.scope.as_ref().is_none_or(|s| s.matches(&entity.scopes))
            && self.q.as_ref().is_none_or(|q| q.matches(entity))
            && self.geo.as_ref().is_none_or(|g| g.matches(entity))
    }

    /// Whether it reads no more entities than it gives.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.only_type().is_some() && self.limit <= 100 && self.offset <= 10_000
    }

    /// The one type that the query asks for, when it asks for nothing else.
    fn only_type(&self) -> Option<&Iri> {
        let bare = self.attrs.is_empty()
            && self.q.is_none()
            && self.geo.is_none()
            && self.scope.is_none()
            && self.order.is_none();
        match self.selectors.as_slice() {
            [Selector { ids, id_pattern: None, types: Some(TypeSelector::Type(iri)) }] if bare && ids.is_empty() => {
                Some(iri)
            }
            _ => None,
        }
    }

    /// Types of which every match has one; `None` when it may be any.
    fn candidate_types(&self) -> Option<Vec<Iri>> {
        let mut all = Vec::new();
        for selector in &self.selectors {
            for iri in selector.types.as_ref()?.candidates() {
                if !all.contains(&iri) {
                    all.push(iri);
                }
            }
        }
        (!all.is_empty()).then_some(all)
    }
}

/// The entities that match and that the reader may see, in a stable order.
///
/// # Errors
/// When the store fails.
pub fn find(snapshot: &Snapshot, tenant: &Tenant, query: &EntityQuery, scope: &ReadScope) -> Result<Found, NgsiError> {
    let open = sees_everything(snapshot, tenant, scope)?;
    if let (Some(entity_type), true) = (query.only_type(), open) {
        return page_of_type(snapshot, tenant, query, entity_type);
    }
    if let Some(order) = &query.order {
        return ordered(snapshot, tenant, query, order, (scope, open));
    }
    let mut found = Found::default();
    let mut matched = 0_u64;
    let (offset, limit) = (query.offset as u64, query.limit as u64);
    for entity in candidates(snapshot, tenant, query) {
        let entity = entity?;
        if !query.matches(&entity.value) || !(open || scope.shows(&entity.value)) {
            continue;
        }
        matched += 1;
        if matched > offset + limit {
            found.more = true;
            if !query.count {
                break;
            }
        } else if matched > offset {
            found.entities.push(entity);
        }
    }
    found.total = query.count.then_some(matched);
    Ok(found)
}

/// A page of matches in the order asked for: all of them are read and sorted.
fn ordered(
    snapshot: &Snapshot,
    tenant: &Tenant,
    query: &EntityQuery,
    order: &OrderBy,
    (scope, open): (&ReadScope, bool),
) -> Result<Found, NgsiError> {
    let mut matches = Vec::new();
    for entity in candidates(snapshot, tenant, query) {
        let entity = entity?;
        if query.matches(&entity.value) && (open || scope.shows(&entity.value)) {
            matches.push(entity);
        }
        if matches.len() > ORDERED_MAX {
            let detail = format!("more than {ORDERED_MAX} matches cannot be put in order; narrow the query");
            return Err(NgsiError::new(ErrorKind::TooManyResults, detail));
        }
    }
    matches.sort_by(|a, b| order.compare(&a.value, &b.value));
    let total = matches.len();
    let entities: Vec<_> = matches.into_iter().skip(query.offset).take(query.limit).collect();
    let more = query.offset + entities.len() < total;
    Ok(Found { entities, total: query.count.then_some(total as u64), more })
}

/// One entity, when it exists and the reader may see it.
///
/// # Errors
/// When the store fails.
pub fn find_one(
    snapshot: &Snapshot,
    tenant: &Tenant,
    id: &EntityId,
    scope: &ReadScope,
) -> Result<Option<Arc<Stored<Entity>>>, NgsiError> {
    Ok(snapshot.entity(tenant, id)?.filter(|entity| scope.shows(&entity.value)))
}

/// Whether the reader may see every entity there is, so that indexes alone can answer.
fn sees_everything(snapshot: &Snapshot, tenant: &Tenant, scope: &ReadScope) -> Result<bool, NgsiError> {
    if *scope == ReadScope::All {
        return Ok(true);
    }
    Ok(snapshot.types(tenant)?.iter().all(|(entity_type, _)| scope.shows_type(entity_type)))
}

/// A page of one type: the type index is walked for the offset, only the page itself is loaded.
fn page_of_type(
    snapshot: &Snapshot,
    tenant: &Tenant,
    query: &EntityQuery,
    entity_type: &Iri,
) -> Result<Found, NgsiError> {
    let select = EntitySelect::Type(entity_type.clone());
    let mut found = Found::default();
    if query.count {
        found.total = Some(snapshot.count(tenant, entity_type)?);
    }
    if query.limit == 0 {
        return Ok(found);
    }
    let after = match query.offset.checked_sub(1) {
        None => None,
        Some(before) => match snapshot.entity_ids(tenant, &select, None).nth(before) {
            Some(id) => Some(id?),
            None => return Ok(found),
        },
    };
    found.entities.reserve(query.limit);
    for entity in snapshot.entities(tenant, &select, after.as_ref()) {
        if found.entities.len() == query.limit {
            found.more = true;
            break;
        }
        found.entities.push(entity?);
    }
    Ok(found)
}

/// Entities among which all matches are, each once.
fn candidates<'a>(snapshot: &'a Snapshot, tenant: &'a Tenant, query: &'a EntityQuery) -> Entities<'a> {
    if !query.selectors.is_empty() && query.selectors.iter().all(|s| !s.ids.is_empty()) {
        let mut ids: Vec<&EntityId> = query.selectors.iter().flat_map(|s| &s.ids).collect();
        ids.sort_unstable();
        ids.dedup();
        return Box::new(ids.into_iter().filter_map(move |id| snapshot.entity(tenant, id).transpose()));
    }
    let types = query.candidate_types();
    if let Some(bbox) = query.geo.as_ref().and_then(GeoQ::bounding_box) {
        let entity_type = types.and_then(|types| if let [only] = types.as_slice() { Some(only.clone()) } else { None });
        return snapshot.entities(tenant, &EntitySelect::InBox { entity_type, bbox }, None);
    }
    let Some(types) = types else {
        return snapshot.entities(tenant, &EntitySelect::All, None);
    };
    let all = types.clone();
    Box::new(types.into_iter().enumerate().flat_map(move |(i, entity_type)| {
        let earlier: Vec<Iri> = all[..i].to_vec();
        let of_type = snapshot.entities(tenant, &EntitySelect::Type(entity_type), None);
        // An entity of several types was given already under an earlier one.
        of_type.filter(move |e| e.as_ref().map_or(true, |e| !e.value.types.iter().any(|t| earlier.contains(t))))
    }))
}
