//! Places on the WGS84 ellipsoid: earth-centred coordinates, and the frame of east, north and up at a place.
//!
//! Formulas: EPSG Guidance Note 7-2, section 4.1.1 (geographic/geocentric) and 4.1.2 (topocentric).

/// The semi-major axis, metres.
const A: f64 = 6_378_137.0;
/// The first eccentricity squared.
const E2: f64 = 6.694_379_990_141_316e-3;

/// The frame of east, north and up at a place on the ellipsoid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    origin: [f64; 3],
    east: [f64; 3],
    north: [f64; 3],
    up: [f64; 3],
    /// Metres for each degree of longitude and latitude.
    degree: [f64; 2],
    place: [f64; 2],
}

impl Frame {
    /// At a longitude and latitude, degrees.
    pub(super) fn at(longitude: f64, latitude: f64) -> Self {
        let (sin_x, cos_x) = longitude.to_radians().sin_cos();
        let (sin_y, cos_y) = latitude.to_radians().sin_cos();
        let w = (1.0 - E2 * sin_y * sin_y).sqrt();
        let across = A / w;
        let along = A * (1.0 - E2) / (w * w * w);
        Self {
            origin: [across * cos_y * cos_x, across * cos_y * sin_x, across * (1.0 - E2) * sin_y],
            east: [-sin_x, cos_x, 0.0],
            north: [-sin_y * cos_x, -sin_y * sin_x, cos_y],
            up: [cos_y * cos_x, cos_y * sin_x, sin_y],
            degree: [(across * cos_y).to_radians(), along.to_radians()],
            place: [longitude, latitude],
        }
    }

    /// Where another place lies, in metres east, north and up of this one.
    pub(super) fn towards(&self, longitude: f64, latitude: f64) -> [f64; 3] {
        let other = Self::at(longitude, latitude).origin;
        let d = [other[0] - self.origin[0], other[1] - self.origin[1], other[2] - self.origin[2]];
        let along = |axis: [f64; 3]| axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2];
        [along(self.east), along(self.north), along(self.up)]
    }

    /// The longitude and latitude of a position near the origin, in metres east and north; right within a few
    /// centimetres for some hundred metres.
    pub(super) fn degrees(&self, east: f64, north: f64) -> [f64; 2] {
        [self.place[0] + east / self.degree[0], self.place[1] + north / self.degree[1]]
    }

    /// The 4x4 matrix, column by column, from this frame to earth-centred coordinates.
    pub(super) fn matrix(&self) -> [f64; 16] {
        let column = |axis: [f64; 3], w: f64| [axis[0], axis[1], axis[2], w];
        let columns = [column(self.east, 0.0), column(self.north, 0.0), column(self.up, 0.0), column(self.origin, 1.0)];
        let mut matrix = [0.0; 16];
        for (slot, value) in matrix.iter_mut().zip(columns.iter().flatten()) {
            *slot = *value;
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amersfoort_lies_where_proj_puts_it() {
        // echo "5.38763888888889 52.1561605555556 0" | gdaltransform -s_srs EPSG:4979 -t_srs EPSG:4978
        let frame = Frame::at(5.387_638_888_888_89, 52.156_160_555_555_6);
        let expected = [3_903_930.446_12, 368_180.327_49, 5_013_482.285_53];
        for (found, expected) in frame.origin.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-3, "{:?}", frame.origin);
        }
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        let frame = Frame::at(4.48, 51.92);
        let [e, n, u] = frame.towards(4.485, 51.923);
        let [lon, lat] = frame.degrees(e, n);
        assert!((lon - 4.485).abs() < 1e-6 && (lat - 51.923).abs() < 1e-6, "{lon} {lat}");
        assert!((343.0..345.0).contains(&e) && (333.0..335.0).contains(&n) && u.abs() < 0.05, "{e} {n} {u}");
    }
}
