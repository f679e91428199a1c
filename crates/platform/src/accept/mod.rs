//! Accepting what sources deliver: validate, bring to one unit, label, merge with what is known, enrich, store.
//!
//! One batch becomes one transaction with state, history and change log; when somebody else changed an entity
//! meanwhile, the batch is merged again. Bad entities are problems and do not hold up the others.

mod label;
mod persons;
mod rules;
mod transit;
mod types;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::{Attribute, Entity, EntityId, Incoming, Iri, Problem, Tenant, Timestamp, TripTimes};
use store::{CommitError, Expect, Snapshot, Store, StoreError, Stored, Transaction};

pub use persons::flag_name;
pub use rules::{AttributeRules, SourceRules, TransitRules};
pub use transit::TripDocument;

use label::{Watch, label};

/// How often a batch is merged again after a conflict.
const ATTEMPTS_MAX: usize = 8;

/// When a batch is accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The clock on the wall: what `createdAt` and `modifiedAt` say.
    pub wall: Timestamp,
    /// The city's clock: what ages and the order of values are judged by.
    pub city: Timestamp,
    /// Whether it arrives as it happens; `false` for an import of the past, which is never late.
    pub live: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accepted {
    /// How many were taken. Taken and refused add up to what came in: nothing is lost.
    pub taken: u64,
    /// How many were refused.
    pub refused: u64,
    /// Why, with the line of the source.
    pub problems: Vec<Problem>,
}

/// Accepts what sources deliver for one tenant.
pub struct Accept {
    store: Store,
    tenant: Tenant,
    sources: HashMap<String, SourceRules>,
    watch: Watch,
}

/// An entity while a batch is merged into it.
struct Working {
    before: Option<Arc<Stored<Entity>>>,
    after: Entity,
    changed: HashSet<Iri>,
    deleted: bool,
}

/// A batch while it is merged.
struct Batch<'a> {
    tx: Transaction,
    /// Exact numbers of persons, for the internal tenant.
    exact: Transaction,
    tenant: &'a Tenant,
    moment: &'a Moment,
    snapshot: &'a Snapshot,
    order: Vec<EntityId>,
    working: HashMap<EntityId, Working>,
}

/// What a batch writes, and what became of it.
struct Prepared {
    tx: Transaction,
    exact: Transaction,
    accepted: Accepted,
}

impl Accept {
    /// Accepts for `tenant` by the rules of its sources.
    #[must_use]
    pub fn new(store: Store, tenant: Tenant, sources: Vec<SourceRules>) -> Self {
        let sources = sources.into_iter().map(|s| (s.name.clone(), s)).collect();
        Self { store, tenant, sources, watch: Watch::default() }
    }

    /// Accepts one batch and waits until it is stored. It computes and waits for the disk: call it from a thread that
    /// may be blocked.
    ///
    /// # Errors
    /// When the store fails; then nothing of the batch is stored, or of that of one tenant nothing: delivering it again
    /// doubles nothing.
    pub fn accept(&self, incoming: &[Incoming], moment: &Moment) -> Result<Accepted, StoreError> {
        let is_internal = |one: &Incoming| self.sources.get(one.source.as_ref()).is_some_and(|rules| rules.internal);
        if !incoming.iter().any(is_internal) {
            return self.accept_in(&self.tenant, incoming, moment);
        }
        let (internal, shown): (Vec<Incoming>, Vec<Incoming>) = incoming.iter().cloned().partition(is_internal);
        let mut accepted = self.accept_in(&self.tenant.internal(), &internal, moment)?;
        let rest = self.accept_in(&self.tenant, &shown, moment)?;
        accepted.taken += rest.taken;
        accepted.refused += rest.refused;
        accepted.problems.extend(rest.problems);
        Ok(accepted)
    }

    fn accept_in(&self, tenant: &Tenant, incoming: &[Incoming], moment: &Moment) -> Result<Accepted, StoreError> {
        let mut pause = std::time::Duration::from_millis(1);
        for _ in 0..ATTEMPTS_MAX {
            let Prepared { tx, exact, accepted } = self.prepare(tenant, incoming, moment)?;
            // The exact numbers first: without them, what is told could not be computed again.
            let parts = [exact, tx].into_iter().filter(|part| !part.is_empty());
            match parts.map(|part| self.store.commit_blocking(part)).find_map(Result::err) {
                None => return Ok(accepted),
                Some(CommitError::Conflict { .. } | CommitError::Full) => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                Some(CommitError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Io {
            thing: "entities of a source".to_owned(),
            detail: format!("others changed them at each of {ATTEMPTS_MAX} attempts"),
            remedy: "let one source, or one client, write each entity".to_owned(),
        })
    }

    /// Stores trips of a timetable, for the next stops of vehicles. Blocks like [`Accept::accept`].
    ///
    /// # Errors
    /// When the store fails.
    pub fn accept_trips(&self, trips: Vec<TripTimes>) -> Result<u64, StoreError> {
        let count = trips.len() as u64;
        let mut tx = Transaction::new(self.tenant.clone());
        for trip in trips {
            tx.put_document(&TripDocument(trip), Expect::Any)?;
        }
        match self.store.commit_blocking(tx) {
            Ok(_) => Ok(count),
            Err(CommitError::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Io {
                thing: "trips of a timetable".to_owned(),
                detail: other.to_string(),
                remedy: "import the timetable again".to_owned(),
            }),
        }
    }

    fn prepare(&self, tenant: &Tenant, incoming: &[Incoming], moment: &Moment) -> Result<Prepared, StoreError> {
        let snapshot = self.store.snapshot()?;
        let mut batch = Batch {
            tx: Transaction::new(tenant.clone()),
            exact: Transaction::new(self.tenant.internal()),
            tenant,
            moment,
            snapshot: &snapshot,
            order: vec![],
            working: HashMap::new(),
        };
        let mut accepted = Accepted::default();
        for one in incoming {
            match self.merge(one, &mut batch)? {
                Ok(()) => accepted.taken += 1,
                Err(problem) => {
                    accepted.refused += 1;
                    accepted.problems.push(problem.at_line(one.line));
                }
            }
        }
        let Batch { mut tx, exact, order, mut working, .. } = batch;
        for id in order {
            let Some(work) = working.remove(&id) else { continue };
            match work {
                Working { before: Some(before), deleted: true, .. } => tx.delete_entity(before),
                Working { deleted: true, .. } => {}
                Working { changed, .. } if changed.is_empty() => {}
                Working { before, after, changed, .. } => tx.put_entity(before, after, changed.into_iter().collect()),
            }
        }
        Ok(Prepared { tx, exact, accepted })
    }

    /// Merges one delivered entity. The inner result is what is wrong with it.
    fn merge(&self, one: &Incoming, batch: &mut Batch<'_>) -> Result<Result<(), Problem>, StoreError> {
        let moment = batch.moment;
        let Some(rules) = self.sources.get(one.source.as_ref()) else {
            let detail = "there is no source with this name";
            return Ok(Err(Problem::new(one.source.as_ref(), detail, "add it to city.toml")));
        };
        let id = &one.entity.id;
        let delivered = match self.prepared(&one.entity, rules, moment) {
            Ok(delivered) => delivered,
            Err(problem) => return Ok(Err(problem)),
        };
        if !batch.working.contains_key(id) {
            let before = batch.snapshot.entity(batch.tenant, id)?;
            if before.is_none()
                && !one.deleted
                && let Err(problem) = types::check_complete(&delivered)
            {
                return Ok(Err(problem));
            }
            let after = before.as_ref().map_or_else(|| empty(&one.entity, moment.wall), |b| b.value.clone());
            batch.order.push(id.clone());
            batch.working.insert(id.clone(), Working { before, after, changed: HashSet::new(), deleted: false });
        }
        let Some(work) = batch.working.get_mut(id) else { return Ok(Ok(())) };
        work.deleted = one.deleted;
        if one.deleted {
            return Ok(Ok(()));
        }
        if let Some(new) = one.entity.types.iter().find(|t| !work.after.types.contains(t)) {
            work.after.types.push(new.clone());
        }
        for (name, instances) in delivered.attributes {
            let attribute_rules = rules.attributes.get(&name);
            let kept = attribute_rules.is_some_and(|r| r.history);
            let minimum = attribute_rules.and_then(|r| r.persons_minimum).filter(|_| !rules.internal);
            for attribute in instances {
                let kept = kept && attribute.observed_at.is_some();
                let mut told = vec![];
                match minimum {
                    None => told.push((name.clone(), attribute)),
                    Some(minimum) => {
                        let few = persons::is_few(&attribute, minimum);
                        told.push((flag_name(&name), persons::flag(&attribute, few)));
                        if kept && !persons::is_null(&attribute) {
                            crate::entities::record(&mut batch.exact, id, &name, &attribute, moment.wall);
                        }
                        if few {
                            persons::withhold(work, &name, &attribute, moment);
                        } else {
                            told.push((name.clone(), attribute));
                        }
                    }
                }
                for (name, attribute) in told {
                    if kept {
                        crate::entities::record(&mut batch.tx, id, &name, &attribute, moment.wall);
                    }
                    put(work, &name, attribute, moment);
                }
            }
        }
        if let Some(transit) = rules.transit.as_ref().filter(|_| !work.changed.is_empty()) {
            work.changed.extend(transit::enrich(&mut work.after, transit, batch.snapshot, batch.tenant)?);
        }
        Ok(Ok(()))
    }

    /// The delivered entity with values in their units and labelled, checked against its type.
    fn prepared(&self, entity: &Entity, rules: &SourceRules, moment: &Moment) -> Result<Entity, Problem> {
        let mut prepared = entity.clone();
        types::check_attributes(&prepared)?;
        for (name, instances) in &mut prepared.attributes {
            let attribute_rules = rules.attributes.get(name);
            for attribute in instances {
                label(attribute, &entity.id, name, rules, attribute_rules, moment, &self.watch)?;
            }
        }
        Ok(prepared)
    }
}

/// A new entity without attributes.
fn empty(delivered: &Entity, now: Timestamp) -> Entity {
    Entity {
        id: delivered.id.clone(),
        types: delivered.types.clone(),
        scopes: delivered.scopes.clone(),
        attributes: model::Attributes::new(),
        created_at: now,
        modified_at: now,
    }
}

/// Puts one instance in place, unless what is known is newer.
fn put(work: &mut Working, name: &Iri, mut attribute: Attribute, moment: &Moment) {
    let known = work
        .after
        .attributes
        .get(name)
        .and_then(|instances| instances.iter().find(|a| a.dataset_id == attribute.dataset_id));
    if let Some(known) = known {
        if !replaces(known.observed_at, attribute.observed_at, moment.city) || same(known, &attribute) {
            return;
        }
        attribute.created_at = known.created_at;
    }
    attribute.created_at = attribute.created_at.or(Some(moment.wall));
    attribute.modified_at = Some(moment.wall);
    work.after.modified_at = moment.wall;
    work.after.set(name.clone(), attribute);
    work.changed.insert(name.clone());
}

/// Whether a value of one moment takes the place of another: when it is not older, or when the one that is known lies
/// in the city's future, which a replay leaves behind when it goes back.
fn replaces(known: Option<Timestamp>, new: Option<Timestamp>, city: Timestamp) -> bool {
    match (known, new) {
        (Some(known), Some(new)) => new >= known || known > city,
        _ => true,
    }
}

/// Whether nothing about an instance is new.
fn same(known: &Attribute, new: &Attribute) -> bool {
    known.value == new.value
        && known.observed_at == new.observed_at
        && known.unit_code == new.unit_code
        && known.quality == new.quality
}

#[cfg(test)]
mod tests;
