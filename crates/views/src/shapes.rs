//! Shapes of answers that Rust keeps in types of elsewhere (a JSON value, a word of `model`), spelled out for the
//! description of the HTTP interface. Nothing is made of them; the test holds them against what is really sent.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How a value came to be: `model::Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Origin)]
pub enum OriginShape {
    /// Read by a sensor or counted.
    Measured,
    /// Computed from measurements or a timetable.
    Modelled,
    /// A statement about the future.
    Forecast,
    /// Made by a simulation.
    Simulated,
    /// Entered or decided by a person or a register.
    Registered,
}

/// A value as a picture shows it; `null` is "no data".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Value)]
pub enum ValueShape {
    /// A number, in the unit beside it.
    Number(f64),
    /// A text, a moment or an identifier.
    Text(String),
    /// Whether something is so.
    Truth(bool),
    /// Several values.
    List(Vec<Value>),
    /// A text in several languages, or a value with parts.
    Object(HashMap<String, Value>),
    /// No data.
    Nothing,
}

/// A GeoJSON geometry (RFC 7946); positions are longitude, latitude and, where it is known, height.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = Geometry)]
pub enum GeometryShape {
    /// One position.
    Point {
        /// The position.
        coordinates: Vec<f64>,
    },
    /// Several positions.
    MultiPoint {
        /// The positions.
        coordinates: Vec<Vec<f64>>,
    },
    /// A line.
    LineString {
        /// Its positions in order.
        coordinates: Vec<Vec<f64>>,
    },
    /// Several lines.
    MultiLineString {
        /// The positions of each.
        coordinates: Vec<Vec<Vec<f64>>>,
    },
    /// An area.
    Polygon {
        /// Its outer ring, then its holes.
        coordinates: Vec<Vec<Vec<f64>>>,
    },
    /// Several areas.
    MultiPolygon {
        /// The rings of each.
        coordinates: Vec<Vec<Vec<Vec<f64>>>>,
    },
    /// Several shapes.
    GeometryCollection {
        /// The shapes.
        #[schema(no_recursion)]
        geometries: Vec<GeometryShape>,
    },
}

#[cfg(test)]
mod tests {
    use model::{Geometry, Origin};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_origin_has_the_word_that_is_sent() {
        let all = [
            (Origin::Measured, OriginShape::Measured),
            (Origin::Modelled, OriginShape::Modelled),
            (Origin::Forecast, OriginShape::Forecast),
            (Origin::Simulated, OriginShape::Simulated),
            (Origin::Registered, OriginShape::Registered),
        ];
        for (sent, described) in all {
            assert_eq!(serde_json::to_value(sent).unwrap(), serde_json::to_value(described).unwrap());
        }
    }

    #[test]
    fn every_geometry_that_is_sent_fits_its_description() {
        let ring = json!([[4.0, 51.0], [5.0, 51.0], [5.0, 52.0], [4.0, 51.0]]);
        for sent in [
            json!({"type": "Point", "coordinates": [4.5, 51.9, 3.0]}),
            json!({"type": "MultiPoint", "coordinates": [[4.5, 51.9]]}),
            json!({"type": "LineString", "coordinates": [[4.5, 51.9], [4.6, 51.9]]}),
            json!({"type": "MultiLineString", "coordinates": [[[4.5, 51.9], [4.6, 51.9]]]}),
            json!({"type": "Polygon", "coordinates": [ring]}),
            json!({"type": "MultiPolygon", "coordinates": [[ring]]}),
        ] {
            let sent = Geometry::from_geojson(&sent).unwrap().to_geojson();
            let described: GeometryShape = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(described).unwrap(), sent);
        }
    }

    #[test]
    fn every_json_value_fits_the_description_of_a_value() {
        for sent in [json!(1.5), json!("Beurs"), json!(true), json!(["a", 1]), json!({"nl": "Beurs"}), json!(null)] {
            let described: ValueShape = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(described).unwrap(), sent);
        }
    }
}
