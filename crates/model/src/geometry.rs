//! Geometry in WGS84 longitude and latitude (EPSG:4326), checked when it comes in.

use geo::{BoundingRect, Validation};
use geo_types as gt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Problem;

/// The most positions one geometry may have; more is a mistake or an attack.
const POSITIONS_MAX: usize = 200_000;
/// The most positions of a polygon: looking for rings that cross takes the square of them.
const AREA_POSITIONS_MAX: usize = 10_000;

/// A GeoJSON geometry in degrees, with all positions inside the world and polygons that do not cross themselves.
///
/// Heights (third coordinates) are kept beside the plane geometry, because `geo` computes in the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    shape: gt::Geometry<f64>,
    /// The GeoJSON exactly as it came, when the plane form cannot say it (heights); `None` otherwise.
    original: Option<Box<Value>>,
}

/// West, south, east and north in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Smallest longitude.
    pub west: f64,
    /// Smallest latitude.
    pub south: f64,
    /// Largest longitude.
    pub east: f64,
    /// Largest latitude.
    pub north: f64,
}

impl BoundingBox {
    /// Whether the two boxes share at least one point.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }
}

impl Geometry {
    /// A point at a longitude and latitude, degrees.
    ///
    /// # Errors
    /// When either is outside the world or not a number.
    pub fn point(longitude: f64, latitude: f64) -> Result<Self, Problem> {
        Self::from_shape(gt::Geometry::Point(gt::Point::new(longitude, latitude)))
    }

    /// How many positions a GeoJSON `coordinates` array holds, of any nesting.
    #[must_use]
    pub fn positions(coordinates: &Value) -> usize {
        match coordinates {
            Value::Array(items) if items.iter().any(Value::is_array) => items.iter().map(Self::positions).sum(),
            _ => 1,
        }
    }

    /// From a plane geometry in degrees.
    ///
    /// # Errors
    /// When a position is outside the world, there are too many, or a polygon is not valid.
    pub fn from_shape(shape: gt::Geometry<f64>) -> Result<Self, Problem> {
        check_positions(&shape)?;
        check_valid(&shape)?;
        Ok(Self { shape, original: None })
    }

    /// From a GeoJSON geometry object.
    ///
    /// # Errors
    /// When it is not one, or when [`Geometry::from_shape`] refuses it.
    pub fn from_geojson(value: &Value) -> Result<Self, Problem> {
        let mut geometry = Self::read_geojson(value)?;
        geometry = Self { original: geometry.original, ..Self::from_shape(geometry.shape)? };
        Ok(geometry)
    }

    /// Reads GeoJSON without the checks, for what was checked when it was stored.
    fn read_geojson(value: &Value) -> Result<Self, Problem> {
        let refuse = |detail: String| {
            Problem::new("geometry", detail, "give a GeoJSON geometry (RFC 7946) in longitude, latitude")
        };
        let parsed: geojson::Geometry = geojson::Geometry::deserialize(value).map_err(|e| refuse(e.to_string()))?;
        let shape = gt::Geometry::try_from(parsed).map_err(|e| refuse(e.to_string()))?;
        let original = has_heights(value.get("coordinates").unwrap_or(&Value::Null)).then(|| Box::new(value.clone()));
        Ok(Self { shape, original })
    }

    /// The geometry in the plane, degrees.
    #[must_use]
    pub fn shape(&self) -> &gt::Geometry<f64> {
        &self.shape
    }

    /// Longitude and latitude, when it is a point without a height.
    #[must_use]
    pub fn flat_point(&self) -> Option<(f64, f64)> {
        match (&self.shape, &self.original) {
            (gt::Geometry::Point(point), None) => Some((point.x(), point.y())),
            _ => None,
        }
    }

    /// The GeoJSON geometry object, with heights where they came in.
    #[must_use]
    pub fn to_geojson(&self) -> Value {
        if let Some(original) = &self.original {
            return (**original).clone();
        }
        serde_json::to_value(geojson::Geometry::from(&self.shape)).unwrap_or(Value::Null)
    }

    /// The box around it, degrees.
    #[must_use]
    pub fn bounding_box(&self) -> BoundingBox {
        let rect = self.shape.bounding_rect();
        rect.map_or(BoundingBox { west: 0.0, south: 0.0, east: 0.0, north: 0.0 }, |r| BoundingBox {
            west: r.min().x,
            south: r.min().y,
            east: r.max().x,
            north: r.max().y,
        })
    }
}

impl Serialize for Geometry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.original {
            Some(original) => original.serialize(serializer),
            None => geojson::Geometry::from(&self.shape).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Geometry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read_geojson(&value).map_err(serde::de::Error::custom)
    }
}

/// Whether any position in a GeoJSON coordinate array has a third number.
fn has_heights(coordinates: &Value) -> bool {
    match coordinates.as_array() {
        Some(items) if items.first().is_some_and(Value::is_number) => items.len() > 2,
        Some(items) => items.iter().any(has_heights),
        None => false,
    }
}

fn check_positions(shape: &gt::Geometry<f64>) -> Result<(), Problem> {
    use geo::CoordsIter;
    let remedy = "give longitude (-180 to 180) first, then latitude (-90 to 90), as numbers";
    if shape.coords_count() == 0 {
        return Err(Problem::new("geometry", "it has no positions", remedy));
    }
    let max = if is_areal(shape) { AREA_POSITIONS_MAX } else { POSITIONS_MAX };
    if shape.coords_count() > max {
        let detail = format!("it has {} positions, more than {max}", shape.coords_count());
        return Err(Problem::new("geometry", detail, "simplify it or split it into several entities"));
    }
    let outside = shape.coords_iter().find(|c| !(-180.0..=180.0).contains(&c.x) || !(-90.0..=90.0).contains(&c.y));
    match outside {
        Some(c) => Err(Problem::new("geometry", format!("position [{}, {}] is not on earth", c.x, c.y), remedy)),
        None => Ok(()),
    }
}

fn is_areal(shape: &gt::Geometry<f64>) -> bool {
    matches!(shape, gt::Geometry::Polygon(_) | gt::Geometry::MultiPolygon(_))
}

fn check_valid(shape: &gt::Geometry<f64>) -> Result<(), Problem> {
    match if is_areal(shape) { shape.check_validation() } else { Ok(()) } {
        Ok(()) => Ok(()),
        Err(error) => Err(Problem::new(
            "geometry",
            format!("the polygon is not valid: {error}"),
            "give rings that are closed, do not cross themselves, and holes that lie inside",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_point_round_trips_with_and_without_a_height() {
        for value in
            [json!({"type":"Point","coordinates":[4.48,51.92]}), json!({"type":"Point","coordinates":[4.48,51.92,3.5]})]
        {
            assert_eq!(Geometry::from_geojson(&value).unwrap().to_geojson(), value);
        }
    }

    #[test]
    fn a_polygon_that_crosses_itself_is_refused() {
        let bow = json!({"type":"Polygon","coordinates":[[[0.0,0.0],[2.0,2.0],[2.0,0.0],[0.0,2.0],[0.0,0.0]]]});
        let problem = Geometry::from_geojson(&bow).unwrap_err();
        assert!(problem.detail.starts_with("the polygon is not valid"), "{problem}");
    }

    #[test]
    fn a_polygon_of_very_many_positions_is_refused_before_it_is_checked() {
        let ring = |positions: u32| {
            let turn = |n: u32| (f64::from(n) * std::f64::consts::TAU / f64::from(positions - 1)).sin_cos();
            let mut ring: Vec<[f64; 2]> = (0..positions - 1).map(turn).map(|(x, y)| [x, y]).collect();
            ring.push(ring[0]);
            json!({"type": "Polygon", "coordinates": [ring]})
        };
        assert!(Geometry::from_geojson(&ring(2_000)).is_ok());
        let problem = Geometry::from_geojson(&ring(10_001)).unwrap_err();
        assert!(problem.detail.contains("10001 positions"), "{problem}");
    }

    #[test]
    fn positions_outside_the_world_are_refused() {
        for (x, y) in [(181.0, 0.0), (0.0, -91.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0)] {
            assert!(Geometry::point(x, y).is_err(), "{x} {y}");
        }
    }

    #[test]
    fn things_that_are_not_geojson_are_refused() {
        for value in [
            json!(null),
            json!("POINT(1 2)"),
            json!({"type":"Point"}),
            json!({"type":"Pint","coordinates":[1,2]}),
            json!({"type":"LineString","coordinates":[]}),
        ] {
            assert!(Geometry::from_geojson(&value).is_err(), "{value}");
        }
    }
}
