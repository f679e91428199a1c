//! Finds the subscriptions that a change may concern, without looking at all of them.
//!
//! A subscription stands under the entities it names, otherwise under its types, and there under the attributes it
//! watches. A subscription without entity selectors stands under its attributes alone. What is found here is a superset:
//! [`Compiled::matches`] decides.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::{Change, EntityId, Iri, Tenant};

use super::Compiled;

type List = Vec<Arc<Compiled>>;

/// All subscriptions of all tenants.
#[derive(Debug, Default)]
pub struct SubscriptionIndex {
    tenants: HashMap<Tenant, TenantIndex>,
}

#[derive(Debug, Default)]
struct TenantIndex {
    all: HashMap<EntityId, Arc<Compiled>>,
    places: HashMap<Place, List>,
}

/// Where a subscription stands. `None` for the attribute is any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Entity(EntityId),
    Type(Iri, Option<Iri>),
    /// Any entity.
    Anything(Option<Iri>),
}

impl SubscriptionIndex {
    /// Puts a subscription in, in the place of the one with the same id.
    pub fn insert(&mut self, tenant: &Tenant, compiled: Arc<Compiled>) {
        self.remove(tenant, &compiled.subscription.id);
        let index = self.tenants.entry(tenant.clone()).or_default();
        for place in places(&compiled) {
            index.places.entry(place).or_default().push(compiled.clone());
        }
        index.all.insert(compiled.subscription.id.clone(), compiled);
    }

    /// Takes a subscription out.
    pub fn remove(&mut self, tenant: &Tenant, id: &EntityId) {
        let Some(index) = self.tenants.get_mut(tenant) else { return };
        let Some(compiled) = index.all.remove(id) else { return };
        for place in places(&compiled) {
            if let Some(list) = index.places.get_mut(&place) {
                list.retain(|other| !Arc::ptr_eq(other, &compiled));
                if list.is_empty() {
                    index.places.remove(&place);
                }
            }
        }
    }

    /// One subscription.
    #[must_use]
    pub fn get(&self, tenant: &Tenant, id: &EntityId) -> Option<Arc<Compiled>> {
        self.tenants.get(tenant)?.all.get(id).cloned()
    }

    /// Every subscription, with its tenant.
    pub fn iter(&self) -> impl Iterator<Item = (&Tenant, &Arc<Compiled>)> {
        self.tenants.iter().flat_map(|(tenant, index)| index.all.values().map(move |compiled| (tenant, compiled)))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tenants.values().map(|index| index.all.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The subscriptions that a change may concern, each once.
    #[must_use]
    pub fn candidates(&self, change: &Change) -> List {
        let Some(index) = self.tenants.get(&change.tenant) else { return vec![] };
        let states = || change.before.iter().chain(&change.after);
        let types: HashSet<&Iri> = states().flat_map(|entity| &entity.types).collect();
        // When an entity comes or goes, all its attributes do.
        let whole = if change.before.is_some() && change.after.is_some() { None } else { states().next() };
        let attributes = change.attributes.iter().chain(whole.into_iter().flat_map(|entity| entity.attributes.keys()));
        let attributes: Vec<Option<Iri>> = std::iter::once(None).chain(attributes.cloned().map(Some)).collect();
        let mut seen = HashSet::new();
        let mut found = List::new();
        let mut take = |place: &Place| {
            let list = index.places.get(place).map_or(&[][..], Vec::as_slice);
            found.extend(list.iter().filter(|compiled| seen.insert(Arc::as_ptr(compiled))).cloned());
        };
        take(&Place::Entity(change.id.clone()));
        for attribute in attributes {
            for name in &types {
                take(&Place::Type((*name).clone(), attribute.clone()));
            }
            take(&Place::Anything(attribute));
        }
        found
    }
}

/// The places of a subscription, each once.
fn places(compiled: &Compiled) -> HashSet<Place> {
    let watched = &compiled.subscription.watched_attributes;
    let attributes = || -> Vec<Option<Iri>> {
        if watched.is_empty() { vec![None] } else { watched.iter().cloned().map(Some).collect() }
    };
    let mut places = HashSet::new();
    for selector in &compiled.query.selectors {
        if !selector.ids.is_empty() {
            places.extend(selector.ids.iter().cloned().map(Place::Entity));
            continue;
        }
        match &selector.types {
            Some(types) => {
                for name in types.candidates() {
                    places.extend(attributes().into_iter().map(|attribute| Place::Type(name.clone(), attribute)));
                }
            }
            None => places.extend(attributes().into_iter().map(Place::Anything)),
        }
    }
    if compiled.query.selectors.is_empty() {
        places.extend(attributes().into_iter().map(Place::Anything));
    }
    places
}
