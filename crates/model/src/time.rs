//! Moments in time: UTC, microseconds, between the years 1000 and 9000.

use std::{borrow::Cow, fmt};

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
        // ISO 8601 also knows the comma before a fraction.
        let pointed = if text.contains(',') { Cow::Owned(text.replacen(',', ".", 1)) } else { Cow::Borrowed(text) };
        let parsed: jiff::Timestamp = pointed
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

/// A moment as text, in place: every entity that is stored or answered carries many.
struct Text {
    bytes: [u8; 27],
    length: usize,
}

impl Text {
    fn of(moment: Timestamp) -> Self {
        let civil = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from(moment));
        let mut text = Self { bytes: *b"0000-00-00T00:00:00.000000Z", length: 27 };
        text.digits(0, 4, i32::from(civil.year()));
        for (place, number) in
            [(5, civil.month()), (8, civil.day()), (11, civil.hour()), (14, civil.minute()), (17, civil.second())]
        {
            text.digits(place, 2, i32::from(number));
        }
        let micros = civil.subsec_nanosecond() / 1_000;
        text.digits(20, 6, micros);
        let mut end = 26;
        while end > 20 && text.bytes[end - 1] == b'0' {
            end -= 1;
        }
        let end = if end == 20 { 19 } else { end };
        text.bytes[end] = b'Z';
        text.length = end + 1;
        text
    }

    /// Writes a number that is not negative and has at most `count` digits.
    fn digits(&mut self, place: usize, count: usize, number: i32) {
        let mut left = number;
        for byte in self.bytes[place..place + count].iter_mut().rev() {
            *byte = b'0' + (left % 10) as u8;
            left /= 10;
        }
    }

    fn as_str(&self) -> &str {
        // Digits and separators are ASCII, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Text::of(*self).as_str())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Text::of(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
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
    fn a_moment_is_written_as_the_library_writes_it() {
        let moments =
            (-400..400).flat_map(|n: i64| [n * 86_400_000_000 * 3_137 + n * 1_001, n * 50_000, n * 999_999_937]);
        for micros in moments.filter(|m| (Timestamp::MIN.0..=Timestamp::MAX.0).contains(m)) {
            let moment = Timestamp::from_micros(micros);
            assert_eq!(moment.to_string(), jiff::Timestamp::from(moment).to_string());
            assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
        }
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
