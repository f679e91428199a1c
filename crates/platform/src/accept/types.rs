//! What entities of well-known types must have, and what their attributes may be.
//!
//! The facts are those of the Smart Data Models (smartdatamodels.org: Transportation, Parking, Environment,
//! WasteManagement, UrbanMobility), kept to what sources of a city deliver. Where a model demands `dateObserved`,
//! NGSI-LD's `observedAt` on each value takes its place. Attributes and types that are not here are taken as they are.

use model::{Attribute, AttributeValue, DEFAULT_CONTEXT, Entity, Iri, NGSI_LD, Problem};
use serde_json::Value;

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holds {
    /// A number, at least this.
    Number(f64),
    Text,
    Flag,
    Place,
    Entity,
}

struct TypeRule {
    name: &'static str,
    /// Without these an entity is not created.
    required: &'static [&'static str],
    attributes: &'static [(&'static str, Holds)],
}

const ANY: f64 = f64::NEG_INFINITY;

static TYPES: &[TypeRule] = &[
    TypeRule {
        name: "AirQualityObserved",
        required: &["location"],
        attributes: &[
            ("CO", Holds::Number(0.0)),
            ("NO2", Holds::Number(0.0)),
            ("O3", Holds::Number(0.0)),
            ("PM10", Holds::Number(0.0)),
            ("PM25", Holds::Number(0.0)),
            ("SO2", Holds::Number(0.0)),
            ("airQualityIndex", Holds::Number(0.0)),
            ("location", Holds::Place),
            ("relativeHumidity", Holds::Number(0.0)),
            ("temperature", Holds::Number(ANY)),
        ],
    },
    TypeRule {
        name: "Building",
        required: &[],
        attributes: &[
            ("floorsAboveGround", Holds::Number(0.0)),
            ("height", Holds::Number(0.0)),
            ("location", Holds::Place),
            ("measuredHeight", Holds::Number(0.0)),
            ("name", Holds::Text),
        ],
    },
    TypeRule {
        name: "OffStreetParking",
        required: &["location"],
        attributes: &[
            ("availableSpotNumber", Holds::Number(0.0)),
            ("location", Holds::Place),
            ("maximumAllowedHeight", Holds::Number(0.0)),
            ("name", Holds::Text),
            ("occupancy", Holds::Number(0.0)),
            ("occupiedSpotNumber", Holds::Number(0.0)),
            ("openingHours", Holds::Text),
            ("totalSpotNumber", Holds::Number(0.0)),
        ],
    },
    TypeRule {
        name: "PublicTransportStop",
        required: &["name"],
        attributes: &[("location", Holds::Place), ("name", Holds::Text), ("stopCode", Holds::Text)],
    },
    TypeRule {
        name: "TrafficFlowObserved",
        required: &[],
        attributes: &[
            ("averageHeadwayTime", Holds::Number(0.0)),
            ("averageVehicleLength", Holds::Number(0.0)),
            ("averageVehicleSpeed", Holds::Number(0.0)),
            ("congested", Holds::Flag),
            ("intensity", Holds::Number(0.0)),
            ("laneId", Holds::Number(ANY)),
            ("location", Holds::Place),
            ("name", Holds::Text),
            ("occupancy", Holds::Number(0.0)),
            ("refRoadSegment", Holds::Entity),
            ("reversedLane", Holds::Flag),
        ],
    },
    TypeRule {
        name: "Vehicle",
        required: &["location"],
        attributes: &[
            ("bearing", Holds::Number(ANY)),
            ("heading", Holds::Number(ANY)),
            ("location", Holds::Place),
            ("speed", Holds::Number(-1.0)),
            ("vehicleType", Holds::Text),
        ],
    },
    TypeRule {
        name: "WasteContainer",
        required: &["location"],
        attributes: &[("fillingLevel", Holds::Number(0.0)), ("location", Holds::Place)],
    },
    TypeRule {
        name: "WaterLevelObserved",
        required: &["location"],
        attributes: &[("location", Holds::Place), ("waterLevel", Holds::Number(ANY))],
    },
    TypeRule {
        name: "WaterObserved",
        required: &["location"],
        attributes: &[("flow", Holds::Number(ANY)), ("height", Holds::Number(ANY)), ("location", Holds::Place)],
    },
];

fn rule_of(entity_type: &Iri) -> Option<&'static TypeRule> {
    let name = entity_type.as_str().strip_prefix(DEFAULT_CONTEXT)?;
    TYPES.binary_search_by(|rule| rule.name.cmp(name)).ok().and_then(|index| TYPES.get(index))
}

/// The short name of an attribute that a rule may speak about.
fn short(name: &Iri) -> Option<&str> {
    let text = name.as_str();
    text.strip_prefix(DEFAULT_CONTEXT).or_else(|| text.strip_prefix(NGSI_LD))
}

/// Checks what a source delivers about an entity.
///
/// # Errors
/// Names the first attribute that does not hold what its type says.
pub fn check_attributes(entity: &Entity) -> Result<(), Problem> {
    for rule in entity.types.iter().filter_map(rule_of) {
        for (name, instances) in &entity.attributes {
            let Some(holds) = short(name).and_then(|n| rule.attributes.iter().find(|(a, _)| *a == n)) else { continue };
            for attribute in instances {
                check_one(rule.name, holds.0, holds.1, attribute)?;
            }
        }
    }
    Ok(())
}

/// Checks that a new entity has what its types demand.
///
/// # Errors
/// Names the first attribute that is missing.
pub fn check_complete(entity: &Entity) -> Result<(), Problem> {
    for rule in entity.types.iter().filter_map(rule_of) {
        let has = |wanted: &str| entity.attributes.keys().any(|name| short(name) == Some(wanted));
        if let Some(missing) = rule.required.iter().find(|required| !has(required)) {
            let detail = format!("a {} needs it, and {} has none", rule.name, entity.id);
            return Err(Problem::new(*missing, detail, "map a field to it in city.toml"));
        }
    }
    Ok(())
}

fn check_one(type_name: &str, name: &str, holds: Holds, attribute: &Attribute) -> Result<(), Problem> {
    let wrong = |what: String| {
        let detail = format!("for a {type_name} it must be {what}");
        Err(Problem::new(name, detail, "correct the feed, or the kind and unit in city.toml"))
    };
    match (holds, &attribute.value) {
        (Holds::Number(least), AttributeValue::Property(Value::Number(number))) => match number.as_f64() {
            Some(n) if n.is_finite() && n >= least => Ok(()),
            _ => wrong(format!("at least {least}, and it is {number}")),
        },
        (Holds::Number(_), _) => wrong("a number".to_owned()),
        (Holds::Text, AttributeValue::Property(Value::String(_)) | AttributeValue::Language(_)) => Ok(()),
        (Holds::Text, _) => wrong("text".to_owned()),
        (Holds::Flag, AttributeValue::Property(Value::Bool(_))) => Ok(()),
        (Holds::Flag, _) => wrong("true or false".to_owned()),
        (Holds::Place, AttributeValue::Geo(_)) => Ok(()),
        (Holds::Place, _) => wrong("a place".to_owned()),
        (Holds::Entity, AttributeValue::Relationship { .. }) => Ok(()),
        (Holds::Entity, _) => wrong("another entity".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use model::{EntityId, Timestamp};
    use serde_json::json;

    use super::*;

    fn check(entity_type: &str, name: &str, value: Value, expect: &str) {
        let id = EntityId::parse("urn:x:1").unwrap();
        let full = |n: &str| Iri::new(format!("{DEFAULT_CONTEXT}{n}"));
        let mut entity = Entity::new(id, full(entity_type), Timestamp::from_micros(0));
        entity.set(full(name), Attribute::property(value));
        assert_eq!(check_attributes(&entity).err().map(|p| p.to_string()).unwrap_or_default(), expect);
    }

    #[test]
    fn the_table_is_sorted_so_that_lookup_works() {
        assert!(TYPES.is_sorted_by(|a, b| a.name < b.name));
        assert!(TYPES.iter().all(|t| t.attributes.is_sorted_by(|a, b| a.0 < b.0)));
    }

    #[test]
    fn a_negative_flow_and_a_worded_speed_are_refused() {
        let remedy = "correct the feed, or the kind and unit in city.toml";
        check("TrafficFlowObserved", "intensity", json!(60), "");
        let least = "intensity: for a TrafficFlowObserved it must be at least 0, and it is -60";
        check("TrafficFlowObserved", "intensity", json!(-60), &format!("{least}; {remedy}"));
        let number = "averageVehicleSpeed: for a TrafficFlowObserved it must be a number";
        check("TrafficFlowObserved", "averageVehicleSpeed", json!("fast"), &format!("{number}; {remedy}"));
    }

    #[test]
    fn types_and_attributes_that_are_not_known_are_taken_as_they_are() {
        check("Lamp", "intensity", json!("bright"), "");
        check("TrafficFlowObserved", "colour", json!(["red"]), "");
    }

    #[test]
    fn a_parking_place_that_is_nowhere_is_refused() {
        let id = EntityId::parse("urn:x:1").unwrap();
        let entity_type = Iri::new(format!("{DEFAULT_CONTEXT}OffStreetParking"));
        let entity = Entity::new(id, entity_type, Timestamp::from_micros(0));
        assert_eq!(check_complete(&entity).unwrap_err().thing, "location");
    }
}
