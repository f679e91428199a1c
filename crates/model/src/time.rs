//! Moments in time: UTC, microseconds, between the years 1000 and 9000.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Problem, id::shortened};

/// A moment in UTC, to the microsecond. Written `2026-08-20T11:40:00Z`, with a fraction only where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment accepted: the start of the year 1000.
    pub const MIN: Self = Self(-30_610_224_000_000_000);
    /// The latest moment accepted: the end of the year 8999.
    pub const MAX: Self = Self(221_845_391_999_999_999);

    /// From microseconds since 1970-01-01T00:00:00Z; values outside the accepted years are moved to the nearest one.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years: exact enough for an age")]
        let micros = (self.0 - earlier.0) as f64;
        micros / 1e6
    }

    /// This moment moved by a number of microseconds.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// From ISO 8601 with an offset or `Z` (`2026-08-20T13:40:00+02:00`).
    ///
    /// # Errors
    /// Names the text, and says which form and which years are accepted.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let remedy = "write ISO 8601 with a zone, for example 2026-08-20T11:40:00Z";
        let parsed: jiff::Timestamp = text
            .replacen(',', ".", 1)
            .parse()
            .map_err(|_| Problem::new("time", format!("\"{}\" is not a moment in time", shortened(text)), remedy))?;
        let micros = parsed.as_microsecond();
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Ok(Self(micros));
        }
        Err(Problem::new("time", format!("\"{}\" is not between the years 1000 and 9000", shortened(text)), remedy))
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(value: jiff::Timestamp) -> Self {
        Self::from_micros(value.as_microsecond())
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(value: Timestamp) -> Self {
        // Every accepted moment lies within jiff's range, so the fallback is never taken.
        Self::from_microsecond(value.0).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from(*self).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_utc_and_whole_seconds_stay_whole() {
        assert_eq!(Timestamp::parse("2026-08-20T13:40:00+02:00").unwrap().to_string(), "2026-08-20T11:40:00Z");
        assert_eq!(Timestamp::parse("2026-08-20T11:40:00.25Z").unwrap().to_string(), "2026-08-20T11:40:00.25Z");
    }

    #[test]
    fn times_without_a_zone_or_far_from_now_are_refused() {
        for text in ["2026-08-20", "2026-08-20T11:40:00", "9999-01-01T00:00:00Z", "0099-01-01T00:00:00Z", "yesterday"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_bounds_are_the_years_they_say() {
        assert_eq!(Timestamp::MIN.to_string(), "1000-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "8999-12-31T23:59:59.999999Z");
    }
}
