//! Geographical queries (ETSI GS CIM 009, 4.10). Distances are on the sphere, in metres.

use geo::{Distance, Euclidean, Haversine, MapCoords, Relate};
use geo_types as gt;
use model::{AttributeValue, BoundingBox, Entity, Geometry, Iri};
use serde_json::{Value, json};

use crate::{context::Context, ngsi::NgsiError};

/// Mean radius of the earth, metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// The most positions of a query's geometry: checking a polygon takes the square of them, for every request.
const POSITIONS_MAX: usize = 1_000;

/// How the geometry of an entity relates to the reference geometry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeoRelation {
    /// Within and beyond these distances, metres.
    Near {
        /// At most so far.
        max_m: Option<f64>,
        /// At least so far.
        min_m: Option<f64>,
    },
    /// The entity lies within the reference.
    Within,
    /// The entity contains the reference.
    Contains,
    /// They share a point.
    Intersects,
    /// They are the same set of points.
    Equals,
    /// They share no point.
    Disjoint,
    /// They overlap partly.
    Overlaps,
}

/// A geographical query.
#[derive(Clone, Debug, PartialEq)]
pub struct GeoQ {
    /// The relation.
    pub relation: GeoRelation,
    /// The geometry to compare with.
    pub reference: Geometry,
    /// Which attribute of the entity is looked at.
    pub property: Iri,
}

impl GeoQ {
    /// From its parts: `georel`, `geometry`, `coordinates` (a JSON array, or text with one), `geoproperty`.
    ///
    /// # Errors
    /// `BadRequestData` that names the part.
    pub fn parse(
        georel: &str,
        geometry: &str,
        coordinates: &Value,
        geoproperty: Option<&str>,
        context: &Context,
    ) -> Result<Self, NgsiError> {
        let relation = parse_relation(georel)?;
        let coordinates = match coordinates {
            Value::String(text) => crate::ngsi::parse_json(text.as_bytes())
                .map_err(|_| NgsiError::bad_data("coordinates: give a JSON array, for example [4.48,51.92]"))?,
            other => other.clone(),
        };
        if Geometry::positions(&coordinates) > POSITIONS_MAX {
            let detail = format!("coordinates: a query takes at most {POSITIONS_MAX} positions; simplify the geometry");
            return Err(NgsiError::bad_data(detail));
        }
        let reference = Geometry::from_geojson(&json!({"type": geometry, "coordinates": coordinates}))
            .map_err(|problem| NgsiError::bad_data(format!("geometry and coordinates: {problem}")))?;
        let property = context.expand(geoproperty.unwrap_or("location"))?;
        Ok(Self { relation, reference, property })
    }

    /// Whether an entity has a geometry in the relation. An entity without geometry never has.
    #[must_use]
    pub fn matches(&self, entity: &Entity) -> bool {
        let instances = entity.attributes.get(&self.property).into_iter().flatten();
        instances.into_iter().any(|attribute| match &attribute.value {
            AttributeValue::Geo(geometry) => self.relates(geometry),
            _ => false,
        })
    }

    fn relates(&self, geometry: &Geometry) -> bool {
        let (target, reference) = (geometry.shape(), self.reference.shape());
        match self.relation {
            GeoRelation::Near { max_m, min_m } => {
                let distance_m = distance_m(target, reference);
                max_m.is_none_or(|max| distance_m <= max) && min_m.is_none_or(|min| distance_m >= min)
            }
            GeoRelation::Within => target.relate(reference).is_within(),
            GeoRelation::Contains => target.relate(reference).is_contains(),
            GeoRelation::Intersects => target.relate(reference).is_intersects(),
            GeoRelation::Equals => target.relate(reference).is_equal_topo(),
            GeoRelation::Disjoint => target.relate(reference).is_disjoint(),
            GeoRelation::Overlaps => target.relate(reference).is_overlaps(),
        }
    }

    /// The box in which all matches must lie, degrees; `None` when they may lie anywhere, or when the query is
    /// about another attribute than `location`.
    #[must_use]
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        if self.property.as_str() != Entity::LOCATION {
            return None;
        }
        let bbox = self.reference.bounding_box();
        match self.relation {
            GeoRelation::Near { max_m: Some(max_m), .. } => Some(widened(&bbox, max_m)),
            GeoRelation::Near { max_m: None, .. } | GeoRelation::Disjoint => None,
            _ => Some(bbox),
        }
    }
}

fn parse_relation(georel: &str) -> Result<GeoRelation, NgsiError> {
    let refuse = || {
        NgsiError::bad_data(format!(
            "georel: \"{georel}\" is not one of near;maxDistance==metres, near;minDistance==metres, within, contains, \
             intersects, equals, disjoint, overlaps"
        ))
    };
    let mut parts = georel.split(';');
    let relation = match parts.next().unwrap_or_default() {
        "near" => GeoRelation::Near { max_m: None, min_m: None },
        "within" => GeoRelation::Within,
        "contains" => GeoRelation::Contains,
        "intersects" => GeoRelation::Intersects,
        "equals" => GeoRelation::Equals,
        "disjoint" => GeoRelation::Disjoint,
        "overlaps" => GeoRelation::Overlaps,
        _ => return Err(refuse()),
    };
    let (mut max_m, mut min_m) = (None, None);
    for part in parts {
        let (name, metres) = part.split_once("==").ok_or_else(refuse)?;
        let metres: f64 = metres.parse().map_err(|_| refuse())?;
        let place = match name {
            "maxDistance" => &mut max_m,
            "minDistance" => &mut min_m,
            _ => return Err(refuse()),
        };
        if place.replace(metres).is_some() || !metres.is_finite() || metres < 0.0 {
            return Err(refuse());
        }
    }
    let bounded = max_m.is_some() || min_m.is_some();
    match relation {
        GeoRelation::Near { .. } if bounded => Ok(GeoRelation::Near { max_m, min_m }),
        GeoRelation::Near { .. } => Err(refuse()),
        other if !bounded => Ok(other),
        _ => Err(refuse()),
    }
}

/// Distance between two geometries. Points by the haversine formula; others in the plane that touches the
/// sphere at the reference, which is exact enough for distances within a region.
fn distance_m(target: &gt::Geometry<f64>, reference: &gt::Geometry<f64>) -> f64 {
    if let (gt::Geometry::Point(a), gt::Geometry::Point(b)) = (target, reference) {
        return Haversine.distance(*a, *b);
    }
    use geo::BoundingRect;
    let centre = reference.bounding_rect().map_or(gt::coord! { x: 0.0, y: 0.0 }, |rect| rect.center());
    let metres_per_degree = EARTH_RADIUS_M.to_radians();
    let shrink = centre.y.to_radians().cos();
    let plane = |c: gt::Coord<f64>| {
        gt::coord! {
            x: (c.x - centre.x) * shrink * metres_per_degree,
            y: (c.y - centre.y) * metres_per_degree,
        }
    };
    Euclidean.distance(&target.map_coords(plane), &reference.map_coords(plane))
}

/// The box made larger by a distance on all sides, a little generously.
fn widened(bbox: &BoundingBox, metres: f64) -> BoundingBox {
    let degrees = metres / EARTH_RADIUS_M.to_radians() * 1.01;
    let latitude_max = (bbox.north.abs().max(bbox.south.abs()) + degrees).min(90.0);
    let shrink = latitude_max.to_radians().cos().max(1e-6);
    let across = degrees / shrink;
    if bbox.west - across < -180.0 || bbox.east + across > 180.0 {
        // It reaches over the date line: look at all longitudes.
        return BoundingBox { west: -180.0, south: bbox.south - degrees, east: 180.0, north: bbox.north + degrees };
    }
    BoundingBox {
        west: bbox.west - across,
        south: bbox.south - degrees,
        east: bbox.east + across,
        north: bbox.north + degrees,
    }
}
