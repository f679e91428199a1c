//! Coordinate systems of maps: from a national grid to WGS84, and from WGS84 to metres around a place.

use model::Problem;
use proj4rs::Proj;

/// RD New (EPSG:28992) with the Helmert transformation of the PROJ database (EPSG:4833), about 0.25 m.
const RD_NEW: &str = "+proj=sterea +lat_0=52.1561605555556 +lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 \
    +y_0=463000 +ellps=bessel +towgs84=565.4171,50.3319,465.5524,-0.398957388243134,0.343987817378283,\
    -1.87740163998045,4.0725 +units=m +no_defs";

/// A grid that positions come in.
pub(crate) struct Grid {
    from: Proj,
    to: Proj,
}

impl Grid {
    /// The Dutch grid.
    pub(crate) fn rd_new() -> Result<Self, Problem> {
        Self::from_proj(RD_NEW)
    }

    /// A grid described by a PROJ string.
    pub(crate) fn from_proj(text: &str) -> Result<Self, Problem> {
        let remedy = "give a PROJ string, for example +proj=utm +zone=31 +ellps=GRS80 +units=m";
        let read = |text: &str| {
            Proj::from_proj_string(text).map_err(|e| Problem::new("proj", format!("\"{text}\": {e}"), remedy))
        };
        Ok(Self { from: read(text)?, to: read("+proj=longlat +datum=WGS84 +no_defs")? })
    }

    /// Longitude and latitude of a position, degrees.
    pub(crate) fn to_degrees(&self, x: f64, y: f64) -> Result<(f64, f64), Problem> {
        let refuse = || {
            let remedy = "check the coordinate system of the file";
            Problem::new("vertices", format!("position {x}, {y} is not on the map"), remedy)
        };
        let mut point = (x, y, 0.0);
        if !(x.is_finite() && y.is_finite()) {
            return Err(refuse());
        }
        proj4rs::transform::transform(&self.from, &self.to, &mut point).map_err(|_| refuse())?;
        let (longitude, latitude) = (point.0.to_degrees(), point.1.to_degrees());
        if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 { Ok((longitude, latitude)) } else { Err(refuse()) }
    }
}

/// Metres east and north of a place, on the tangent plane of the WGS84 ellipsoid; good to a centimetre within 500 m.
pub(crate) struct Local {
    pub(crate) longitude: f64,
    pub(crate) latitude: f64,
    /// Metres in a degree of longitude and of latitude.
    degree: [f64; 2],
}

impl Local {
    pub(crate) fn new(longitude: f64, latitude: f64) -> Self {
        let (semi_major, eccentricity_squared) = (6_378_137.0_f64, 0.006_694_379_990_141_316_f64);
        let (sine, cosine) = latitude.to_radians().sin_cos();
        let w = (1.0 - eccentricity_squared * sine * sine).sqrt();
        // Radii of curvature: across the meridian, and along it.
        let (across, along) = (semi_major / w, semi_major * (1.0 - eccentricity_squared) / (w * w * w));
        let radians = std::f64::consts::PI / 180.0;
        Self { longitude, latitude, degree: [across * cosine * radians, along * radians] }
    }

    pub(crate) fn metres(&self, longitude: f64, latitude: f64) -> [f64; 2] {
        [(longitude - self.longitude) * self.degree[0], (latitude - self.latitude) * self.degree[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: PROJ 9.5.1, EPSG:28992 to EPSG:4326 by "Amersfoort to WGS 84 (4)".
    fn check(x: f64, y: f64, longitude: f64, latitude: f64) {
        let (found_x, found_y) = Grid::rd_new().unwrap().to_degrees(x, y).unwrap();
        let [east, north] = Local::new(longitude, latitude).metres(found_x, found_y);
        assert!(east.hypot(north) < 0.000_2, "{x} {y}: {east} m east, {north} m north of what PROJ says");
    }

    #[test]
    fn the_dutch_grid_lies_where_proj_puts_it() {
        check(92_000.0, 437_000.0, 4.471_457_622, 51.917_915_331);
        check(90_475.82, 435_172.8, 4.449_648_045, 51.901_319_082);
        check(94_618.05, 439_262.81, 4.509_110_928, 51.938_542_372);
        check(155_000.0, 463_000.0, 5.387_203_508, 52.155_172_301);
        check(60_000.0, 420_000.0, 4.011_099_562, 51.760_605_701);
    }

    #[test]
    fn local_metres_keep_the_distances_of_the_grid() {
        let grid = Grid::rd_new().unwrap();
        let (x, y) = grid.to_degrees(92_000.0, 437_000.0).unwrap();
        let local = Local::new(x, y);
        let (x, y) = grid.to_degrees(92_300.0, 437_400.0).unwrap();
        let [east, north] = local.metres(x, y);
        // The scale of the grid is 0.99993 here: 500 m in the grid are 500.03 m on the ground.
        assert!((east.hypot(north) - 500.0).abs() < 0.06, "{east} {north}");
        // The grid leans 0.7 degrees to the west of north in Rotterdam; local metres do not.
        assert!((east - 300.0).abs() > 3.0, "{east} {north}");
    }

    #[test]
    fn positions_that_are_not_on_the_map_are_refused() {
        assert!(Grid::rd_new().unwrap().to_degrees(f64::NAN, 0.0).is_err());
        assert!(Grid::from_proj("+proj=nonsense").is_err());
    }
}
