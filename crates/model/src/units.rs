//! Units: the UN/CEFACT codes that Polder knows, how to write them, and how to bring a value to the unit wanted.

/// One unit of measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// UN/CEFACT Recommendation 20 code (`KMH`), the one that NGSI-LD's `unitCode` carries.
    pub code: &'static str,
    /// How it is written behind a number.
    pub symbol: &'static str,
    /// What it measures; only units of the same quantity convert into each other.
    pub quantity: &'static str,
    /// Multiply by this, then add [`Unit::offset`], to reach the quantity's base unit.
    pub factor: f64,
    /// See [`Unit::factor`].
    pub offset: f64,
}

const fn unit(code: &'static str, symbol: &'static str, quantity: &'static str, factor: f64, offset: f64) -> Unit {
    Unit { code, symbol, quantity, factor, offset }
}

/// All units, by code. Source: UNECE Recommendation 20. Vehicles per hour and per minute have no code there:
/// `VPH` and `VPM` are Polder's own.
static UNITS: &[Unit] = &[
    unit("C62", "", "count", 1.0, 0.0),
    unit("CEL", "°C", "temperature", 1.0, 0.0),
    unit("CMT", "cm", "length", 0.01, 0.0),
    unit("DD", "°", "angle", 1.0, 0.0),
    unit("FAH", "°F", "temperature", 5.0 / 9.0, -160.0 / 9.0),
    unit("GP", "mg/m³", "concentration", 1_000.0, 0.0),
    unit("GQ", "µg/m³", "concentration", 1.0, 0.0),
    unit("KEL", "K", "temperature", 1.0, -273.15),
    unit("KMH", "km/h", "speed", 1.0, 0.0),
    unit("KMK", "km²", "area", 1_000_000.0, 0.0),
    unit("KMT", "km", "length", 1_000.0, 0.0),
    unit("MIN", "min", "duration", 60.0, 0.0),
    unit("MMT", "mm", "length", 0.001, 0.0),
    unit("MTK", "m²", "area", 1.0, 0.0),
    unit("MTR", "m", "length", 1.0, 0.0),
    unit("MTS", "m/s", "speed", 3.6, 0.0),
    unit("P1", "%", "share", 1.0, 0.0),
    unit("SEC", "s", "duration", 1.0, 0.0),
    unit("VPH", "/h", "flow", 1.0, 0.0),
    unit("VPM", "/min", "flow", 60.0, 0.0),
];

/// The unit with this code, when Polder knows it.
#[must_use]
pub fn unit_of(code: &str) -> Option<&'static Unit> {
    UNITS.binary_search_by(|u| u.code.cmp(code)).ok().map(|i| &UNITS[i])
}

/// `value` in unit `from`, expressed in unit `to`; `None` when either is unknown or they measure different things.
#[must_use]
pub fn harmonise(value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(value);
    }
    let (from, to) = (unit_of(from)?, unit_of(to)?);
    (from.quantity == to.quantity).then(|| (value * from.factor + from.offset - to.offset) / to.factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_lookup_works() {
        assert!(UNITS.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn speeds_and_temperatures_convert() {
        assert!((harmonise(10.0, "MTS", "KMH").unwrap() - 36.0).abs() < 1e-9);
        assert!((harmonise(50.0, "FAH", "CEL").unwrap() - 10.0).abs() < 1e-9);
        assert!((harmonise(10.0, "CEL", "FAH").unwrap() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_speed_is_not_a_length() {
        assert_eq!(harmonise(1.0, "KMH", "MTR"), None);
        assert_eq!(harmonise(1.0, "KMH", "???"), None);
    }
}
