//! Reads the temporal evolution of an entity from history: which series, which instances, in which order.

use std::cell::Cell;

use model::{Attribute, EntityId, SeriesKey, Tenant, Timestamp};
use platform::{
    entities::TemporalEntity,
    ngsi::{ErrorKind, NgsiError},
};
use store::{Order, Snapshot, StoreError, TimeRange};

use crate::{Aggregates, Instance, TemporalForm, TemporalQuery, TimeProperty};

/// The most periods that one answer is aggregated into.
pub(crate) const PERIODS_MAX: usize = 100_000;
/// How many instances are held at least before they are sorted and cut.
const HELD_MIN: usize = 1_000;

/// One series of an entity with the instances that a query asked for.
#[derive(Debug)]
pub struct Strand {
    /// Which series.
    pub series: SeriesKey,
    /// An attribute that shows what kind the series is of: the latest that was read.
    pub sample: Option<Attribute>,
    /// The instances, oldest first; newest first with `lastN`. Empty in the aggregated form.
    pub instances: Vec<Instance>,
    /// The aggregates, in the aggregated form.
    pub aggregates: Aggregates,
}

/// The temporal evolution of one entity.
#[derive(Debug)]
pub struct Evolution {
    /// What is known of the entity itself.
    pub entity: TemporalEntity,
    /// Its series that have at least one instance asked for, by attribute and dataset.
    pub strands: Vec<Strand>,
}

/// How many observations one question may still read. The size of an answer is bounded too, but what must be read for
/// it can be far more: everything is read for an order, for an aggregate, and by a time other than the observed one.
#[derive(Debug)]
pub struct Budget(Cell<usize>);

impl Default for Budget {
    /// Two million: some seconds of one core.
    fn default() -> Self {
        Self::of(2_000_000)
    }
}

impl Budget {
    /// A number of observations.
    #[must_use]
    pub fn of(observations: usize) -> Self {
        Self(Cell::new(observations))
    }

    fn take_one(&self) -> Result<(), NgsiError> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| {
            let detail = "answering it would take reading too many observations; ask for a shorter time, fewer \
                          entities or fewer attributes";
            NgsiError::new(ErrorKind::TooComplexQuery, detail)
        })?;
        self.0.set(left);
        Ok(())
    }
}

/// Reads one tenant's history for one query.
#[derive(Clone, Copy)]
pub struct TemporalReader<'a> {
    /// The view of the store that everything is read from.
    pub snapshot: &'a Snapshot,
    /// Whose history.
    pub tenant: &'a Tenant,
    /// Which instances.
    pub query: &'a TemporalQuery,
    /// The most instances that one series gives; one more is read, to know that there are more.
    pub instances_max: usize,
    /// How much may be read.
    pub budget: &'a Budget,
}

impl TemporalReader<'_> {
    /// What is known of an entity that has a present, a past, or both.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn entity(&self, id: &EntityId) -> Result<Option<TemporalEntity>, StoreError> {
        if let Some(stored) = self.snapshot.entity(self.tenant, id)? {
            return Ok(Some(TemporalEntity::of(&stored.value)));
        }
        let document = self.snapshot.document::<TemporalEntity>(self.tenant, id.as_str())?;
        Ok(document.map(|stored| stored.value))
    }

    /// All series of an entity, by attribute and dataset.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn series(&self, id: &EntityId) -> Result<Vec<SeriesKey>, StoreError> {
        let mut series = self.snapshot.history().series_of(self.tenant, id)?;
        series.sort();
        Ok(series)
    }

    /// The strands of some series of one entity. Series without an instance asked for are left out.
    ///
    /// # Errors
    /// `TooComplexQuery` when too much has to be read; when the store cannot be read.
    pub fn strands(&self, series: Vec<SeriesKey>) -> Result<Vec<Strand>, NgsiError> {
        if let TemporalForm::Aggregated(_) = &self.query.form {
            return self.aggregated(series);
        }
        let mut strands = Vec::with_capacity(series.len());
        for series in series {
            let strand = self.strand(series)?;
            if !strand.instances.is_empty() {
                strands.push(strand);
            }
        }
        Ok(strands)
    }

    fn strand(&self, series: SeriesKey) -> Result<Strand, NgsiError> {
        let property = self.query.property;
        let limit = self.query.last.unwrap_or(usize::MAX).min(self.instances_max.saturating_add(1));
        // History is sorted by the time that was observed. By another time, everything must be seen first.
        let in_order = property == TimeProperty::ObservedAt;
        let newest_first = self.query.last.is_some();
        let order = if in_order && newest_first { Order::Descending } else { Order::Ascending };
        let (mut instances, mut sample) = (Vec::new(), None);
        self.scan(&series, order, |instance, asked| {
            if let Some(attribute) = &instance.attribute
                && (sample.is_none() || order == Order::Ascending)
            {
                sample = Some(attribute.clone());
            }
            if asked {
                instances.push(instance);
            }
            if !in_order && instances.len() >= limit.saturating_mul(2).max(HELD_MIN) {
                keep_first(&mut instances, limit, property, newest_first);
            }
            !in_order || instances.len() < limit
        })?;
        if !in_order {
            keep_first(&mut instances, limit, property, newest_first);
        }
        Ok(Strand { series, sample, instances, aggregates: Aggregates::default() })
    }

    /// Gives each instance of a series to `take`, with whether the query asks for it, until `take` says enough.
    fn scan(
        &self,
        series: &SeriesKey,
        order: Order,
        mut take: impl FnMut(Instance, bool) -> bool,
    ) -> Result<(), NgsiError> {
        let (property, relation) = (self.query.property, self.query.relation);
        let range = match relation.filter(|_| property == TimeProperty::ObservedAt) {
            Some(relation) => {
                let (from, to) = relation.bounds();
                TimeRange { from, to }
            }
            None => TimeRange { from: None, to: None },
        };
        let history = self.snapshot.history();
        for observation in history.range(self.tenant, std::slice::from_ref(series), range, order, None)? {
            self.budget.take_one()?;
            let instance = Instance::from_observation(observation?);
            let asked = match relation {
                Some(relation) => instance.time(property).is_some_and(|time| relation.holds(time)),
                // Without a condition, what was recorded without a time of its own belongs to the evolution too.
                None if property == TimeProperty::ObservedAt => instance.attribute.is_some(),
                None => instance.time(property).is_some(),
            };
            if !take(instance, asked) {
                break;
            }
        }
        Ok(())
    }

    fn aggregated(&self, series: Vec<SeriesKey>) -> Result<Vec<Strand>, NgsiError> {
        let TemporalForm::Aggregated(aggregation) = &self.query.form else { return Ok(vec![]) };
        let Some(origin) = self.origin(&series)? else { return Ok(vec![]) };
        let property = self.query.property;
        let (mut strands, mut periods) = (Vec::with_capacity(series.len()), 0);
        for series in series {
            let (mut aggregates, mut sample) = (Aggregates::default(), None);
            self.scan(&series, Order::Ascending, |instance, asked| {
                if let (true, Some(attribute)) = (asked, &instance.attribute) {
                    aggregates.add(instance.shown_time(property), attribute, origin, aggregation);
                    sample = instance.attribute;
                }
                periods + aggregates.periods() <= PERIODS_MAX
            })?;
            periods += aggregates.periods();
            if periods > PERIODS_MAX {
                return Err(too_many_periods());
            }
            if sample.is_some() {
                strands.push(Strand { series, sample, instances: vec![], aggregates });
            }
        }
        Ok(strands)
    }

    /// Where the first period starts: at `timeAt` where time is told from it, otherwise at the first instance.
    fn origin(&self, series: &[SeriesKey]) -> Result<Option<Timestamp>, NgsiError> {
        if let Some(start) = self.query.relation.and_then(super::TimeRelation::start) {
            return Ok(Some(start));
        }
        let property = self.query.property;
        let mut first: Option<Timestamp> = None;
        for series in series {
            self.scan(series, Order::Ascending, |instance, asked| {
                let time = instance.shown_time(property);
                if asked {
                    first = Some(first.map_or(time, |first| first.min(time)));
                }
                // In the order of time, the first one is enough.
                !(asked && property == TimeProperty::ObservedAt)
            })?;
        }
        Ok(first)
    }
}

pub(crate) fn too_many_periods() -> NgsiError {
    let detail = format!("the answer would have more than {PERIODS_MAX} periods; ask for longer periods or less time");
    NgsiError::new(ErrorKind::TooManyResults, detail)
}

/// Keeps the first `limit` instances in the order of their shown time.
fn keep_first(instances: &mut Vec<Instance>, limit: usize, property: TimeProperty, newest_first: bool) {
    instances.sort_by_key(|instance| instance.shown_time(property));
    if newest_first {
        instances.reverse();
    }
    instances.truncate(limit);
}
