//! Large answers: when a temporal answer has too many instances, it tells one stretch of time completely and says
//! which one (ETSI GS CIM 009, 6.3.10: status 206 with `Content-Range`).

use std::fmt;

use model::Timestamp;

use crate::{Evolution, TemporalQuery, TimeRelation};

/// The stretch of time that a partial answer tells. Its text is the value of `Content-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialRange {
    /// Where it starts; with `lastN` this is the later end.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
    /// How many instances of each attribute were asked for, when that was said.
    pub size: Option<usize>,
}

impl fmt::Display for PartialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "date-time {}-{}/", self.from, self.to)?;
        match self.size {
            Some(size) => write!(f, "{size}"),
            None => f.write_str("*"),
        }
    }
}

/// Cuts the evolutions to about `instances_max` instances, all at the same moment; whether there was anything to cut.
/// Attributes that lose all their instances stay, empty.
///
/// Instances at the same moment stay together, so that the next request can go on after it; their number may
/// therefore pass the limit by as many as there are series.
pub fn cut(evolutions: &mut [Evolution], query: &TemporalQuery, instances_max: usize) -> bool {
    let newest_first = query.last.is_some();
    let mut times: Vec<Timestamp> = instances(evolutions, query).collect();
    if times.len() <= instances_max || instances_max == 0 {
        return false;
    }
    let (_, boundary, _) = if newest_first {
        times.select_nth_unstable_by(instances_max - 1, |left, right| right.cmp(left))
    } else {
        times.select_nth_unstable(instances_max - 1)
    };
    let boundary = *boundary;
    for strand in evolutions.iter_mut().flat_map(|evolution| &mut evolution.strands) {
        strand.instances.retain(|instance| {
            let time = instance.shown_time(query.property);
            if newest_first { time >= boundary } else { time <= boundary }
        });
    }
    true
}

/// The stretch of time that evolutions tell completely, after they were cut; `None` when they have no instances.
#[must_use]
pub fn range_of(evolutions: &[Evolution], query: &TemporalQuery) -> Option<PartialRange> {
    let earliest = instances(evolutions, query).min()?;
    let latest = instances(evolutions, query).max()?;
    let (from, to) = if query.last.is_some() {
        (query.relation.and_then(TimeRelation::end).unwrap_or(latest), earliest)
    } else {
        (query.relation.and_then(TimeRelation::start).unwrap_or(earliest), latest)
    };
    Some(PartialRange { from, to, size: query.last })
}

fn instances<'a>(evolutions: &'a [Evolution], query: &'a TemporalQuery) -> impl Iterator<Item = Timestamp> + 'a {
    let strands = evolutions.iter().flat_map(|evolution| &evolution.strands);
    strands.flat_map(|strand| &strand.instances).map(|instance| instance.shown_time(query.property))
}

#[cfg(test)]
mod tests {
    use model::{Attribute, EntityId, Iri, SeriesKey};
    use platform::entities::TemporalEntity;

    use super::*;
    use crate::{Aggregates, Instance, Strand};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * 60_000_000)
    }

    /// One entity with one series for each list of minutes.
    fn evolution(minutes: &[&[i64]]) -> Evolution {
        let id = EntityId::parse("urn:ngsi-ld:Vehicle:1").unwrap();
        let strands = minutes.iter().enumerate().map(|(number, minutes)| {
            let instances = minutes.iter().map(|minute| {
                let attribute = Attribute { observed_at: Some(at(*minute)), ..Attribute::property(*minute) };
                Instance { at: at(*minute), recorded_at: at(0), attribute: Some(attribute) }
            });
            let attribute = Iri::new(format!("urn:a{number}"));
            let series = SeriesKey { entity: id.clone(), attribute, dataset_id: None };
            Strand { series, sample: None, instances: instances.collect(), aggregates: Aggregates::default() }
        });
        let entity = TemporalEntity {
            id: id.clone(),
            types: vec![Iri::from("urn:Vehicle")],
            scopes: vec![],
            created_at: at(0),
            modified_at: at(0),
        };
        Evolution { strands: strands.collect(), entity }
    }

    fn check(query: &TemporalQuery, expect_range: Option<(i64, i64)>, expect_left: &[usize]) {
        let mut evolutions = [evolution(&[&[1, 2, 3, 4], &[3, 4, 5, 6]])];
        if query.last.is_some() {
            evolutions[0].strands.iter_mut().for_each(|strand| strand.instances.reverse());
        }
        let is_cut = cut(&mut evolutions, query, if expect_range.is_some() { 3 } else { 8 });
        let range = is_cut.then(|| range_of(&evolutions, query)).flatten();
        assert_eq!(range.map(|range| (range.from, range.to)), expect_range.map(|(from, to)| (at(from), at(to))));
        let left: Vec<usize> = evolutions[0].strands.iter().map(|strand| strand.instances.len()).collect();
        assert_eq!(left, expect_left);
    }

    #[test]
    fn an_answer_that_fits_is_not_cut() {
        check(&TemporalQuery::default(), None, &[4, 4]);
    }

    #[test]
    fn a_large_answer_is_cut_at_one_moment_for_all_attributes() {
        check(&TemporalQuery::default(), Some((1, 3)), &[3, 1]);
    }

    #[test]
    fn the_range_starts_where_the_question_starts() {
        let query = TemporalQuery { relation: Some(TimeRelation::After(at(0))), ..TemporalQuery::default() };
        check(&query, Some((0, 3)), &[3, 1]);
    }

    #[test]
    fn with_last_n_the_range_runs_backwards_and_an_attribute_may_lose_all() {
        let query = TemporalQuery { last: Some(4), ..TemporalQuery::default() };
        check(&query, Some((6, 4)), &[1, 3]);
        let range = PartialRange { from: at(6), to: at(4), size: Some(4) };
        assert_eq!(range.to_string(), "date-time 1970-01-01T00:06:00Z-1970-01-01T00:04:00Z/4");
    }
}
