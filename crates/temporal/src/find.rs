//! Finds temporal evolutions: of one entity, and of all entities that a query means, whether they exist now or not.

use model::{Attributes, Entity, EntityId, Iri, ReadScope, SeriesKey, Tenant};
use platform::{
    entities::TemporalEntity,
    ngsi::{ErrorKind, Member, NgsiError, View},
    query::EntityQuery,
};
use store::{DocumentSelect, EntitySelect, Snapshot};

use crate::read::{PERIODS_MAX, too_many_periods};
use crate::{
    Budget, Evolution, OrderBy, PartialRange, Strand, TemporalForm, TemporalQuery, TemporalReader, cut, scope_name,
};

/// The most instances of one series that a `q` or `geoQ` looks at.
const FILTER_INSTANCES_MAX: usize = 100_000;
/// How many instances may be held, in multiples of the limit, before they are cut back to it.
const HELD_FACTOR: usize = 4;
/// How many documents are read at once.
const PAGE: usize = 200;
/// The most entities that are put in an order.
const ORDERED_MAX: usize = 10_000;

/// A question to the temporal evolution of entities.
#[derive(Clone, Copy)]
pub struct TemporalSearch<'a> {
    /// The view of the store that everything is read from.
    pub snapshot: &'a Snapshot,
    /// Whose entities.
    pub tenant: &'a Tenant,
    /// What the reader may see.
    pub scope: &'a ReadScope,
    /// Which instances, and in which form.
    pub query: &'a TemporalQuery,
    /// Which attributes, datasets and members.
    pub view: &'a View,
    /// The most instances of one answer.
    pub instances_max: usize,
    /// How much may be read for it.
    pub budget: &'a Budget,
}

/// What was found.
#[derive(Debug, Default)]
pub struct TemporalFound {
    /// The evolutions, in a stable order.
    pub evolutions: Vec<Evolution>,
    /// The number of all matches, when it was asked for.
    pub total: Option<u64>,
    /// Whether there are more matches after these.
    pub more: bool,
    /// The stretch of time that is told, when it is not all that was asked for.
    pub partial: Option<PartialRange>,
}

impl TemporalSearch<'_> {
    /// The evolution of one entity.
    ///
    /// # Errors
    /// `ResourceNotFound` when the entity, or all that was asked of it, is not there.
    pub fn one(&self, id: &EntityId) -> Result<TemporalFound, NgsiError> {
        let missing = || NgsiError::not_found(format!("temporal entity {id}"));
        let entity = self.reader().entity(id)?.filter(|entity| self.scope.shows(&entity.to_entity()));
        let entity = entity.ok_or_else(missing)?;
        let all = self.reader().series(id)?;
        let shown: Vec<SeriesKey> = all.into_iter().filter(|series| self.shows(series)).collect();
        let asked = !self.view.attrs.is_empty() || !self.view.dataset_ids.is_empty();
        if shown.is_empty() && (asked || !self.shows_head(&entity)) {
            return Err(missing());
        }
        let mut found = TemporalFound::default();
        found.evolutions.push(Evolution { strands: self.reader().strands(shown)?, entity });
        self.finish(&mut found, false);
        Ok(found)
    }

    /// The evolutions of all entities that `select` means. Its `q` and `geo` look at the instances in the time asked
    /// for; its `attrs` are those of the view.
    ///
    /// # Errors
    /// When the store fails, or the result would have to be put in order and is too large for it.
    pub fn all(&self, select: &EntityQuery, order: Option<&OrderBy>) -> Result<TemporalFound, NgsiError> {
        match order {
            Some(order) => self.all_in_order(select, order),
            None => self.all_as_they_come(select),
        }
    }

    fn all_as_they_come(&self, select: &EntityQuery) -> Result<TemporalFound, NgsiError> {
        let mut found = TemporalFound::default();
        let (mut matched, mut was_cut) = (0_usize, false);
        let wanted = select.offset..select.offset.saturating_add(select.limit);
        for entity in self.candidates(select)? {
            let Some(evolution) = self.evolution(entity?, select)? else { continue };
            matched += 1;
            if wanted.contains(&(matched - 1)) {
                found.evolutions.push(evolution);
                was_cut |= self.hold_back(&mut found.evolutions)?;
            } else if matched > wanted.end {
                found.more = true;
                if !select.count {
                    break;
                }
            }
        }
        found.total = select.count.then_some(matched as u64);
        self.finish(&mut found, was_cut);
        Ok(found)
    }

    /// Reads everything once for its place in the order, and then the page again: only places are held meanwhile.
    fn all_in_order(&self, select: &EntityQuery, order: &OrderBy) -> Result<TemporalFound, NgsiError> {
        let mut places = Vec::new();
        for entity in self.candidates(select)? {
            let entity = entity?;
            let Some(evolution) = self.evolution(entity.clone(), select)? else { continue };
            if places.len() == ORDERED_MAX {
                let detail = format!("more than {ORDERED_MAX} entities cannot be put in order; narrow the query");
                return Err(NgsiError::new(ErrorKind::TooComplexQuery, detail));
            }
            places.push((order.place(&evolution), entity));
        }
        places.sort_by(|(left, _), (right, _)| order.compare(left, right));
        let (total, end) = (places.len(), select.offset.saturating_add(select.limit));
        let mut found = TemporalFound { more: total > end, ..TemporalFound::default() };
        let mut was_cut = false;
        for (_, entity) in places.into_iter().skip(select.offset).take(select.limit) {
            found.evolutions.extend(self.evolution(entity, select)?);
            was_cut |= self.hold_back(&mut found.evolutions)?;
        }
        found.total = select.count.then_some(total as u64);
        self.finish(&mut found, was_cut);
        Ok(found)
    }

    fn reader(&self) -> TemporalReader<'_> {
        TemporalReader {
            snapshot: self.snapshot,
            tenant: self.tenant,
            query: self.query,
            instances_max: self.instances_max,
            budget: self.budget,
        }
    }

    /// Whether the view shows a series.
    fn shows(&self, series: &SeriesKey) -> bool {
        let dataset = self.view.dataset_ids.is_empty() || self.view.dataset_ids.contains(&series.dataset_id);
        let is_scope = series.attribute == scope_name();
        let named =
            if is_scope { self.view.shows(&Member::Scope) } else { self.view.shows_attribute(&series.attribute) };
        dataset && named
    }

    /// Whether the view shows anything of an entity beside its attributes.
    fn shows_head(&self, entity: &TemporalEntity) -> bool {
        self.view.shows(&Member::Id)
            || self.view.shows(&Member::Type)
            || (!entity.scopes.is_empty() && self.view.shows(&Member::Scope))
    }

    /// The evolution of a candidate; `None` when it has nothing in the time asked for, or does not match.
    fn evolution(&self, entity: TemporalEntity, select: &EntityQuery) -> Result<Option<Evolution>, NgsiError> {
        let all = self.reader().series(&entity.id)?;
        let filtered = select.q.is_some() || select.geo.is_some();
        if filtered && !self.matches(&entity, &all, select)? {
            return Ok(None);
        }
        let (shown, hidden): (Vec<_>, Vec<_>) = all.into_iter().partition(|series| self.shows(series));
        let strands = self.reader().strands(shown)?;
        if !strands.is_empty() {
            return Ok(Some(Evolution { entity, strands }));
        }
        // Attributes or datasets that were asked for must be there; members that were picked need not be attributes.
        let asked = !self.view.attrs.is_empty() || !self.view.dataset_ids.is_empty();
        let projected = self.view.pick.is_some() || self.view.omit.is_some();
        if asked || !projected || !self.shows_head(&entity) || !self.picks_head_only() || !self.has_any(hidden)? {
            return Ok(None);
        }
        Ok(Some(Evolution { entity, strands }))
    }

    /// Whether the members picked are none of them attributes.
    fn picks_head_only(&self) -> bool {
        let attribute = |(member, _): &(Member, _)| matches!(member, Member::Attribute(_));
        self.view.pick.as_ref().is_none_or(|pick| !pick.0.iter().any(attribute))
    }

    fn has_any(&self, series: Vec<SeriesKey>) -> Result<bool, NgsiError> {
        let query = TemporalQuery { last: Some(1), form: TemporalForm::Normalized, ..self.query.clone() };
        let reader = TemporalReader { query: &query, instances_max: 1, ..self.reader() };
        Ok(!reader.strands(series)?.is_empty())
    }

    /// Whether the instances in the time asked for match the query.
    fn matches(&self, entity: &TemporalEntity, all: &[SeriesKey], select: &EntityQuery) -> Result<bool, NgsiError> {
        let query = TemporalQuery { last: None, form: TemporalForm::Normalized, ..self.query.clone() };
        let reader = TemporalReader { query: &query, instances_max: FILTER_INSTANCES_MAX, ..self.reader() };
        let told = with_instances(entity, reader.strands(all.to_vec())?);
        Ok(select.q.as_ref().is_none_or(|q| q.matches(&told)) && select.geo.as_ref().is_none_or(|g| g.matches(&told)))
    }

    /// Entities among which all matches are: those that exist now, then those that have only a past.
    fn candidates<'s>(
        &'s self,
        select: &'s EntityQuery,
    ) -> Result<Box<dyn Iterator<Item = Result<TemporalEntity, NgsiError>> + 's>, NgsiError> {
        // Identity, type and scope of what is left of the query: its attributes are history's.
        let identity =
            EntityQuery { selectors: select.selectors.clone(), scope: select.scope.clone(), ..EntityQuery::default() };
        let fits = move |entity: &Entity| identity.matches(entity) && self.scope.shows(entity);
        if !select.selectors.is_empty() && select.selectors.iter().all(|selector| !selector.ids.is_empty()) {
            let mut ids: Vec<EntityId> = select.selectors.iter().flat_map(|selector| selector.ids.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            let found = ids.into_iter().filter_map(move |id| self.reader().entity(&id).transpose());
            let found = found.map(|entity| entity.map_err(NgsiError::from));
            return Ok(Box::new(found.filter(move |entity| entity.as_ref().map_or(true, |e| fits(&e.to_entity())))));
        }
        let fits = std::rc::Rc::new(fits);
        let (fits_now, fits_then) = (fits.clone(), fits);
        let present = self.present(select).filter_map(move |entity| match entity {
            Ok(entity) => fits_now(&entity.value).then(|| Ok(TemporalEntity::of(&entity.value))),
            Err(error) => Some(Err(NgsiError::from(error))),
        });
        let past = self.past().filter(move |entity| entity.as_ref().map_or(true, |e| fits_then(&e.to_entity())));
        Ok(Box::new(present.chain(past)))
    }

    fn present<'s>(
        &'s self,
        select: &EntityQuery,
    ) -> Box<dyn Iterator<Item = Result<std::sync::Arc<store::Stored<Entity>>, store::StoreError>> + 's> {
        let types: Option<Vec<Iri>> = select.selectors.iter().try_fold(Vec::new(), |mut types, selector| {
            types.extend(selector.types.as_ref()?.candidates());
            Some(types)
        });
        let Some(mut types) = types.filter(|types| !types.is_empty()) else {
            return self.snapshot.entities(self.tenant, &EntitySelect::All, None);
        };
        types.sort_unstable();
        types.dedup();
        let each = (0..types.len()).flat_map(move |turn| {
            // An entity of several of the types comes with the first of them.
            let earlier = types[..turn].to_vec();
            let new = move |entity: &std::sync::Arc<store::Stored<Entity>>| {
                !entity.value.types.iter().any(|name| earlier.contains(name))
            };
            let of_type = self.snapshot.entities(self.tenant, &EntitySelect::Type(types[turn].clone()), None);
            of_type.filter(move |entity| entity.as_ref().map_or(true, &new))
        });
        Box::new(each)
    }

    /// Entities that have a past and do not exist now, page by page.
    fn past(&self) -> impl Iterator<Item = Result<TemporalEntity, NgsiError>> + '_ {
        let (mut page, mut after, mut ended) = (Vec::new().into_iter(), None::<String>, false);
        std::iter::from_fn(move || {
            loop {
                let next: Option<TemporalEntity> = page.next();
                if let Some(entity) = next {
                    match self.snapshot.entity(self.tenant, &entity.id) {
                        Ok(None) => return Some(Ok(entity)),
                        Ok(Some(_)) => continue,
                        Err(error) => return Some(Err(error.into())),
                    }
                }
                if ended {
                    return None;
                }
                match self.snapshot.documents(self.tenant, &DocumentSelect::All, after.as_deref(), PAGE) {
                    Ok(documents) => {
                        ended = documents.len() < PAGE;
                        let entities: Vec<TemporalEntity> = documents.into_iter().map(|stored| stored.value).collect();
                        after = entities.last().map(|entity| entity.id.as_str().to_owned());
                        page = entities.into_iter();
                    }
                    Err(error) => {
                        ended = true;
                        return Some(Err(error.into()));
                    }
                }
            }
        })
    }

    /// Keeps what is held within bounds while it is gathered; whether instances were cut off for that.
    fn hold_back(&self, evolutions: &mut [Evolution]) -> Result<bool, NgsiError> {
        let strands = || evolutions.iter().flat_map(|evolution| &evolution.strands);
        let periods: usize = strands().map(|strand| strand.aggregates.periods()).sum();
        if periods > PERIODS_MAX {
            return Err(too_many_periods());
        }
        let held: usize = strands().map(|strand| strand.instances.len()).sum();
        let too_much = held > self.instances_max.saturating_mul(HELD_FACTOR);
        Ok(too_much && cut::cut(evolutions, self.query, self.instances_max))
    }

    fn finish(&self, found: &mut TemporalFound, was_cut: bool) {
        let is_cut = cut::cut(&mut found.evolutions, self.query, self.instances_max) || was_cut;
        found.partial = is_cut.then(|| cut::range_of(&found.evolutions, self.query)).flatten();
    }
}

/// An entity that has all the instances at once, for queries, which match when any instance does.
fn with_instances(entity: &TemporalEntity, strands: Vec<Strand>) -> Entity {
    let mut attributes = Attributes::new();
    for strand in strands {
        let instances = strand.instances.into_iter().filter_map(|instance| instance.attribute);
        attributes.entry(strand.series.attribute).or_default().extend(instances);
    }
    Entity { attributes, ..entity.to_entity() }
}
