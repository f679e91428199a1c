//! What the platform must know about each source, made from the city's settings: the two layers do not know each other.

use platform::accept::{AttributeRules, SourceRules, TransitRules};
use sources::config::{AttributeConfig, SourceConfig, TransitConfig, expand};

use crate::city::CityFolder;

/// The rules of every source of a city.
pub fn of(city: &CityFolder) -> Vec<SourceRules> {
    city.file.sources.iter().map(of_source).collect()
}

fn of_source(source: &SourceConfig) -> SourceRules {
    SourceRules {
        name: source.name.clone(),
        late_after_s: source.late_after_s,
        attributes: source.attributes.iter().map(|a| (a.iri(), of_attribute(a))).collect(),
        transit: source.enrich.as_ref().and_then(|enrich| enrich.transit.as_ref()).map(of_transit),
    }
}

fn of_attribute(attribute: &AttributeConfig) -> AttributeRules {
    AttributeRules {
        to_unit: attribute.to_unit.clone(),
        range: attribute.range,
        stuck_after_s: attribute.stuck_after_s,
        history: attribute.history,
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
