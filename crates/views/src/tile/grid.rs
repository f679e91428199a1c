//! The web-mercator grid of tiles: which square of the earth a tile is, and where a position lies inside it.

use model::{BoundingBox, Problem};

use crate::config::ZOOM_MAX;

/// Units along one side of a tile.
pub const EXTENT: f64 = 4096.0;
/// Units around a tile within which lines and areas are kept, so that their edges are not drawn at the border.
pub const BUFFER: f64 = 80.0;
/// The latitude where the square of web mercator ends.
const LATITUDE_MAX: f64 = 85.051_128_779_806_59;

/// One tile: zoom level, column from the west, row from the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileId {
    z: u8,
    x: u32,
    y: u32,
}

impl TileId {
    /// A tile that exists.
    ///
    /// # Errors
    /// When the zoom level is deeper than 22, or the column or row is not on that level.
    pub fn new(z: u8, x: u32, y: u32) -> Result<Self, Problem> {
        if z > ZOOM_MAX {
            let detail = format!("zoom level {z} does not exist");
            return Err(Problem::new("tile", detail, format!("use a zoom level from 0 to {ZOOM_MAX}")));
        }
        let side = 1u32 << z;
        if x >= side || y >= side {
            let remedy = format!("on zoom level {z}, use columns and rows from 0 to {}", side - 1);
            return Err(Problem::new("tile", format!("tile {z}/{x}/{y} does not exist"), remedy));
        }
        Ok(Self { z, x, y })
    }

    /// The tile of a zoom level that holds a position; `None` when the position is not on the map.
    #[must_use]
    pub fn holding(longitude: f64, latitude: f64, z: u8) -> Option<Self> {
        let (x, y) = world(longitude, latitude);
        let side = f64::from(1u32 << z.min(ZOOM_MAX));
        if !(0.0..1.0).contains(&x) || !(0.0..1.0).contains(&y) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the level's cells")]
        let (x, y) = ((x * side) as u32, (y * side) as u32);
        Self::new(z, x, y).ok()
    }

    /// The zoom level.
    #[must_use]
    pub fn z(self) -> u8 {
        self.z
    }

    /// The column and row.
    #[must_use]
    pub fn xy(self) -> (u32, u32) {
        (self.x, self.y)
    }

    /// Longitude and latitude (degrees) in units of this tile, y down from its north-west corner.
    #[must_use]
    pub fn project(self, longitude: f64, latitude: f64) -> (f64, f64) {
        let (x, y) = world(longitude, latitude);
        let side = f64::from(1u32 << self.z);
        ((x * side - f64::from(self.x)) * EXTENT, (y * side - f64::from(self.y)) * EXTENT)
    }

    /// The box of the earth that the tile covers, with `margin` units around it.
    #[must_use]
    pub fn bounds(self, margin: f64) -> BoundingBox {
        let side = f64::from(1u32 << self.z);
        let rim = margin / EXTENT;
        let longitude = |x: f64| (x / side * 360.0 - 180.0).clamp(-180.0, 180.0);
        let latitude = |y: f64| {
            let unrolled = std::f64::consts::PI * (1.0 - 2.0 * (y / side).clamp(0.0, 1.0));
            unrolled.sinh().atan().to_degrees()
        };
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        BoundingBox {
            west: longitude(x - rim),
            east: longitude(x + 1.0 + rim),
            north: latitude(y - rim),
            south: latitude(y + 1.0 + rim),
        }
    }

    /// The tiles of a zoom level that a box touches, with [`BUFFER`] around each; `None` when there are more than
    /// `count_max`.
    #[must_use]
    pub fn touched(bbox: &BoundingBox, z: u8, count_max: u64) -> Option<Vec<Self>> {
        let side = f64::from(1u32 << z);
        let rim = BUFFER / EXTENT;
        let (west, north) = world(bbox.west, bbox.north);
        let (east, south) = world(bbox.east, bbox.south);
        let cell = |v: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the level's cells")]
            let cell = v.floor().clamp(0.0, side - 1.0) as u32;
            cell
        };
        let (x0, x1) = (cell(west * side - rim), cell(east * side + rim));
        let (y0, y1) = (cell(north * side - rim), cell(south * side + rim));
        let count = u64::from(x1 - x0 + 1) * u64::from(y1.saturating_sub(y0) + 1);
        if count > count_max {
            return None;
        }
        Some((y0..=y1).flat_map(|y| (x0..=x1).map(move |x| Self { z, x, y })).collect())
    }
}

/// Web mercator as a square from (0, 0) in the north-west to (1, 1).
fn world(longitude: f64, latitude: f64) -> (f64, f64) {
    let latitude = latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX).to_radians();
    let y = (1.0 - latitude.tan().asinh() / std::f64::consts::PI) / 2.0;
    (longitude / 360.0 + 0.5, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_rotterdam_lies_in_the_tile_that_every_map_uses() {
        let tiles = TileId::touched(&BoundingBox { west: 4.4777, south: 51.9244, east: 4.4777, north: 51.9244 }, 14, 9);
        assert_eq!(tiles, Some(vec![TileId::new(14, 8395, 5417).unwrap()]));
    }

    #[test]
    fn the_corner_of_a_tile_projects_to_its_origin() {
        let tile = TileId::new(12, 2098, 1354).unwrap();
        let b = tile.bounds(0.0);
        let (x, y) = tile.project(b.west, b.north);
        assert!(x.abs() < 1e-6 && y.abs() < 1e-6, "{x} {y}");
        let (x, y) = tile.project(b.east, b.south);
        assert!((x - EXTENT).abs() < 1e-6 && (y - EXTENT).abs() < 1e-6, "{x} {y}");
    }

    #[test]
    fn a_point_near_a_border_touches_both_tiles() {
        let b = TileId::new(14, 8395, 5417).unwrap().bounds(0.0);
        let latitude = f64::midpoint(b.north, b.south);
        let edge = BoundingBox { west: b.east, south: latitude, east: b.east, north: latitude };
        assert_eq!(TileId::touched(&edge, 14, 100).unwrap().len(), 2);
        assert!(
            TileId::touched(&BoundingBox { west: -180.0, south: -80.0, east: 180.0, north: 80.0 }, 10, 100).is_none()
        );
    }

    #[test]
    fn tiles_that_do_not_exist_are_refused() {
        assert!(TileId::new(23, 0, 0).is_err());
        assert!(TileId::new(3, 8, 0).is_err());
        assert!(TileId::new(0, 0, 1).is_err());
    }
}
