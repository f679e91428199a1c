//! What the platform must know about each source, made from the city's settings: the two layers do not know each other.

use std::collections::HashMap;

use model::Iri;
use platform::accept::{AttributeRules, SourceRules, TransitRules};
use sources::config::{AttributeConfig, SourceConfig, TransitConfig, expand};

use crate::city::CityFolder;

/// The rules of every source of a city.
pub fn of(city: &CityFolder) -> Vec<SourceRules> {
    city.file.sources.iter().map(of_source).collect()
}

/// The smallest number that anybody may store under an attribute that holds a number of persons. A name under which
/// another source counts things has none.
pub fn floors(city: &CityFolder) -> HashMap<Iri, f64> {
    let mut floors: HashMap<Iri, f64> = HashMap::new();
    let shown: Vec<SourceRules> = of(city).into_iter().filter(|source| !source.internal).collect();
    for (name, rules) in shown.into_iter().flat_map(|source| source.attributes) {
        let minimum = rules.persons_minimum.map_or(f64::NEG_INFINITY, f64::from);
        floors.entry(name).and_modify(|floor| *floor = floor.min(minimum)).or_insert(minimum);
    }
    floors.retain(|_, floor| floor.is_finite());
    floors
}

fn of_source(source: &SourceConfig) -> SourceRules {
    let mapped = source.attributes.iter().map(|a| (a.iri(), of_attribute(a)));
    let counted = source.aggregate.iter().map(|aggregate| {
        let persons_minimum = Some(aggregate.minimum);
        (expand(&aggregate.count), AttributeRules { history: aggregate.history, persons_minimum, ..Default::default() })
    });
    SourceRules {
        name: source.name.clone(),
        late_after_s: source.late_after_s,
        internal: source.internal,
        attributes: mapped.chain(counted).collect(),
        transit: source.enrich.as_ref().and_then(|enrich| enrich.transit.as_ref()).map(of_transit),
    }
}

fn of_attribute(attribute: &AttributeConfig) -> AttributeRules {
    AttributeRules {
        to_unit: attribute.to_unit.clone(),
        range: attribute.range,
        stuck_after_s: attribute.stuck_after_s,
        history: attribute.history,
        persons_minimum: attribute.persons_minimum(),
    }
}

fn of_transit(transit: &TransitConfig) -> TransitRules {
    TransitRules {
        timetable: transit.timetable.clone(),
        trip: expand(&transit.trip),
        sequence: expand(&transit.sequence),
        at_stop: transit.at_stop.as_deref().map(expand),
        delay: transit.delay.as_deref().map(expand),
        stop: transit.stop.clone(),
    }
}
