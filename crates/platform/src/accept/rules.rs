//! What the platform must know about a source. `polder` makes it from the city's settings.

use std::collections::HashMap;

use model::Iri;

/// The rules of one source.
#[derive(Clone, Debug, Default)]
pub struct SourceRules {
    /// Its name.
    pub name: String,
    /// How long after its moment a value may arrive, seconds.
    pub late_after_s: Option<f64>,
    /// Whether its entities are for computing only: they go to the internal tenant, which no request reaches.
    pub internal: bool,
    /// The rules of its attributes, by expanded name.
    pub attributes: HashMap<Iri, AttributeRules>,
    /// How its vehicles find their next stop.
    pub transit: Option<TransitRules>,
}

/// The rules of one attribute.
#[derive(Clone, Debug, Default)]
pub struct AttributeRules {
    /// The UN/CEFACT code of the unit that it is brought to.
    pub to_unit: Option<String>,
    /// The smallest and largest value that the source can mean, in the unit of the source.
    pub range: Option<[f64; 2]>,
    /// For how long the same value is plausible, seconds.
    pub stuck_after_s: Option<f64>,
    /// Whether its values over time are kept.
    pub history: bool,
    /// The smallest number of persons that is told, where it is a number of persons.
    pub persons_minimum: Option<u32>,
}

/// How a vehicle's place in its trip becomes its next stop. All names are expanded.
#[derive(Clone, Debug)]
pub struct TransitRules {
    /// The name of the source with the timetable.
    pub timetable: String,
    /// The attribute with the trip id.
    pub trip: Iri,
    /// The attribute with the place in the order of stops.
    pub sequence: Iri,
    /// The attribute that says whether the vehicle stands at that stop.
    pub at_stop: Option<Iri>,
    /// The attribute with the delay, seconds.
    pub delay: Option<Iri>,
    /// The id of a stop entity, with `{stop_id}` in it.
    pub stop: String,
}
