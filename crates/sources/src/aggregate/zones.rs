//! Where a position counts: in the areas of a file, or in a square of the ground.

use std::path::Path;

use geo::Intersects;
use geo_types as gt;
use model::{BoundingBox, Geometry, Problem};

use crate::{
    config::{AggregateConfig, CountBy, Limits},
    connectors::geojson,
    record::Record,
};

/// The most areas of one source.
const AREAS_MAX: usize = 10_000;
/// Metres in a degree of latitude on a sphere of the mean radius; cells need no better.
const DEGREE_M: f64 = 111_195.0;

/// The places that positions are counted by.
pub(super) enum Zones {
    Areas(Vec<Area>),
    /// Squares with this side, metres.
    Cells(f64),
}

/// One area of the file.
pub(super) struct Area {
    key: String,
    name: Option<String>,
    geometry: Geometry,
    bounds: BoundingBox,
}

/// A place as it is told: what the id is made from, the name for people and the shape.
pub(super) struct Place {
    pub(super) key: String,
    pub(super) name: Option<String>,
    pub(super) geometry: Option<Geometry>,
}

impl Zones {
    /// Reads the areas of a source, or takes the size of its cells.
    ///
    /// # Errors
    /// When the file cannot be read, an area has no key or no surface, or two have the same key.
    pub(super) fn load(config: &AggregateConfig, folder: &Path, limits: &Limits) -> Result<Self, Problem> {
        if config.by == CountBy::Cells {
            return Ok(Self::Cells(config.size_m.unwrap_or(100.0)));
        }
        let file = config.file.as_deref().unwrap_or_default();
        let mut areas: Vec<Area> = vec![];
        let mut take = |record: Result<Record, Problem>| {
            let area = area(&record?, config, file)?;
            if areas.len() >= AREAS_MAX || areas.iter().any(|known| known.key == area.key) {
                let detail = format!("\"{}\" is there twice, or there are more than {AREAS_MAX} areas", area.key);
                return Err(Problem::new(file, detail, "give each area its own key"));
            }
            areas.push(area);
            Ok(())
        };
        geojson::each_feature(folder, file, &geojson::GeoJsonSettings::default(), limits, &mut take)?;
        if areas.is_empty() {
            return Err(Problem::new(file, "it has no areas", "draw at least one polygon"));
        }
        Ok(Self::Areas(areas))
    }

    /// The places that hold a position, degrees.
    pub(super) fn at(&self, longitude: f64, latitude: f64) -> Vec<u64> {
        match self {
            Self::Cells(size_m) => vec![cell_at(longitude, latitude, *size_m)],
            Self::Areas(areas) => {
                let point = gt::Point::new(longitude, latitude);
                let holds = |area: &Area| {
                    let b = &area.bounds;
                    let near = b.west <= longitude && longitude <= b.east && b.south <= latitude && latitude <= b.north;
                    near && area.geometry.shape().intersects(&point)
                };
                (0..).zip(areas).filter(|(_, area)| holds(area)).map(|(index, _)| index).collect()
            }
        }
    }

    /// The places that are told in every period, whoever was there.
    pub(super) fn always(&self) -> impl Iterator<Item = u64> + use<> {
        match self {
            Self::Areas(areas) => 0..areas.len() as u64,
            Self::Cells(_) => 0..0,
        }
    }

    /// What is told of a place.
    pub(super) fn place(&self, zone: u64) -> Option<Place> {
        match self {
            Self::Areas(areas) => {
                let area = areas.get(usize::try_from(zone).ok()?)?;
                let geometry = Some(area.geometry.clone());
                Some(Place { key: area.key.clone(), name: area.name.clone(), geometry })
            }
            Self::Cells(size_m) => {
                let (row, column) = (zone >> 32, zone & 0xffff_ffff);
                let geometry = square(row, column, *size_m).ok();
                Some(Place { key: format!("{size_m}m-{row}-{column}"), name: None, geometry })
            }
        }
    }
}

fn area(record: &Record, config: &AggregateConfig, file: &str) -> Result<Area, Problem> {
    let key = record.text(&config.key).filter(|key| !key.is_empty()).ok_or_else(|| {
        let remedy = "give every area this property, or correct `key` in [source.aggregate]";
        Problem::new(file, format!("an area has no \"{}\"", config.key), remedy).at_line(record.line)
    })?;
    let is_areal = |g: &&Geometry| matches!(g.shape(), gt::Geometry::Polygon(_) | gt::Geometry::MultiPolygon(_));
    let geometry = record.geometry.as_ref().filter(is_areal).ok_or_else(|| {
        Problem::new(file, format!("area \"{key}\" is not a polygon"), "draw it as a polygon").at_line(record.line)
    })?;
    let name = config.name.as_deref().and_then(|field| record.text(field)).map(std::borrow::Cow::into_owned);
    Ok(Area { key: key.into_owned(), name, bounds: geometry.bounding_box(), geometry: geometry.clone() })
}

/// The cell of a position: its row from the south pole and its column from the date line.
fn cell_at(longitude: f64, latitude: f64, size_m: f64) -> u64 {
    let row = whole((latitude + 90.0) * DEGREE_M / size_m);
    let column = whole((longitude + 180.0) / width(row, size_m));
    row << 32 | column
}

/// How wide the cells of a row are, degrees.
fn width(row: u64, size_m: f64) -> f64 {
    let middle = (exact(row) + 0.5) * size_m / DEGREE_M - 90.0;
    size_m / (DEGREE_M * middle.to_radians().cos().max(0.01))
}

fn square(row: u64, column: u64, size_m: f64) -> Result<Geometry, Problem> {
    let (height, width) = (size_m / DEGREE_M, width(row, size_m));
    // Seven decimals are a centimetre: two squares beside each other share their edge.
    let edge = |n: u64, step: f64, from: f64| ((exact(n) * step - from) * 1e7).round() / 1e7;
    let (south, north) = (edge(row, height, 90.0), edge(row + 1, height, 90.0).min(90.0));
    let (west, east) = (edge(column, width, 180.0), edge(column + 1, width, 180.0).min(180.0));
    let ring = vec![(west, south), (east, south), (east, north), (west, north), (west, south)];
    Geometry::from_shape(gt::Geometry::Polygon(gt::Polygon::new(ring.into(), vec![])))
}

fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row or column: 0 to 2^31")]
    let whole = number.max(0.0) as u64;
    whole.min(0xffff_ffff)
}

fn exact(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a row or column, below 2^32")]
    let number = number as f64;
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_lies_in_the_square_of_its_cell(x in -179.0..179.0_f64, y in -80.0..80.0_f64, size in 25.0..2_000.0_f64) {
            let zones = Zones::Cells(size);
            let cell = zones.at(x, y)[0];
            let bounds = zones.place(cell).unwrap().geometry.unwrap().bounding_box();
            let dust = 2e-7;
            prop_assert!(bounds.west - dust <= x && x <= bounds.east + dust, "{x} {bounds:?}");
            prop_assert!(bounds.south - dust <= y && y <= bounds.north + dust, "{y} {bounds:?}");
            prop_assert!(((bounds.north - bounds.south) * DEGREE_M - size).abs() < 0.1);
        }
    }
}
