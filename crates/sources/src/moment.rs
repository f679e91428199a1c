//! Moments as feeds write them: ISO 8601, a format of their own, numbers since 1970, wall-clock time in a zone.

use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use model::{Problem, Timestamp};
use serde_json::Value;

use crate::{
    config::{Ambiguous, TimeConfig},
    record::{as_number, as_text},
};

/// Reads moments as `[source.time]` says.
#[derive(Clone, Debug)]
pub struct Moments {
    zone: TimeZone,
    zone_name: String,
    format: Option<String>,
    ambiguous: Ambiguous,
}

impl Moments {
    /// # Errors
    /// When the time zone does not exist.
    pub fn new(config: Option<&TimeConfig>) -> Result<Self, Problem> {
        let zone_name = config.map_or("UTC", |c| c.zone.as_str()).to_owned();
        let zone = TimeZone::get(&zone_name).map_err(|_| {
            let remedy = "use an IANA name, for example Europe/Amsterdam";
            Problem::new("zone", format!("\"{zone_name}\" is not a time zone"), remedy)
        })?;
        let format = config.and_then(|c| c.format.clone());
        let ambiguous = config.map_or(Ambiguous::Earlier, |c| c.ambiguous);
        Ok(Self { zone, zone_name, format, ambiguous })
    }

    /// Reads one moment; `field` is what messages call it.
    ///
    /// # Errors
    /// When it cannot be read, does not exist in its zone, or is not between the years 1000 and 9000.
    pub fn read(&self, field: &str, value: &Value) -> Result<Timestamp, Problem> {
        let refuse = |detail: String, remedy: &str| Problem::new(field, detail, remedy);
        let factor = match self.format.as_deref() {
            Some("unix") => Some(1e6),
            Some("unix_ms") => Some(1e3),
            _ => None,
        };
        if let Some(factor) = factor {
            let number = as_number(value).filter(|n| n.abs() * factor < 2.0e17);
            #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
            return number
                .map(|n| Timestamp::from_micros((n * factor) as i64))
                .ok_or_else(|| refuse(format!("{value} is not a number of seconds since 1970"), "give a number"));
        }
        let text = as_text(value).ok_or_else(|| refuse(format!("{value} is not a moment"), REMEDY))?;
        match &self.format {
            None => match Timestamp::parse(&text) {
                Ok(at) => Ok(at),
                Err(_) => self.wall_clock(field, text.parse(), &text),
            },
            Some(format) => {
                let broken = jiff::fmt::strtime::parse(format, text.as_bytes())
                    .map_err(|_| refuse(format!("\"{text}\" is not written as {format}"), REMEDY))?;
                match broken.to_timestamp() {
                    Ok(at) if broken.offset().is_some() => checked(field, at.into()),
                    _ => self.wall_clock(field, broken.to_datetime(), &text),
                }
            }
        }
    }

    fn wall_clock(&self, field: &str, civil: Result<DateTime, jiff::Error>, text: &str) -> Result<Timestamp, Problem> {
        let refuse = |detail: String, remedy: &str| Err(Problem::new(field, detail, remedy));
        let Ok(civil) = civil else { return refuse(format!("\"{text}\" is not a moment"), REMEDY) };
        let ambiguous = self.zone.to_ambiguous_zoned_datetime(civil);
        let zoned = match (ambiguous.offset(), self.ambiguous) {
            (AmbiguousOffset::Gap { .. }, _) => {
                let detail = format!("{text} does not exist in {}: the clock skips this hour", self.zone_name);
                return refuse(detail, "check the time zone of the source");
            }
            (AmbiguousOffset::Fold { .. }, Ambiguous::Refuse) => {
                let detail = format!("{text} happens twice in {}", self.zone_name);
                return refuse(detail, "set ambiguous to earlier or later, or let the source write an offset");
            }
            (AmbiguousOffset::Fold { .. }, Ambiguous::Later) => ambiguous.later(),
            _ => ambiguous.earlier(),
        };
        match zoned {
            Ok(zoned) => checked(field, zoned.timestamp().into()),
            Err(_) => refuse(format!("\"{text}\" is not between the years 1000 and 9000"), REMEDY),
        }
    }
}

const REMEDY: &str = "give the moment as [source.time] says, for example 2026-08-20T11:40:00Z";

fn checked(field: &str, at: Timestamp) -> Result<Timestamp, Problem> {
    if at > Timestamp::MIN && at < Timestamp::MAX {
        return Ok(at);
    }
    Err(Problem::new(field, "it is not between the years 1000 and 9000", REMEDY))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(zone: &str, format: Option<&str>, ambiguous: Ambiguous, value: Value, expect: &str) {
        let config = TimeConfig { field: "t".into(), zone: zone.into(), format: format.map(str::to_owned), ambiguous };
        let read = Moments::new(Some(&config)).and_then(|m| m.read("t", &value));
        assert_eq!(read.map_or_else(|p| p.detail, |t| t.to_string()), expect);
    }

    #[test]
    fn an_offset_in_the_text_wins_over_the_zone() {
        check("Europe/Amsterdam", None, Ambiguous::Earlier, json!("2026-08-20T11:40:00Z"), "2026-08-20T11:40:00Z");
    }

    #[test]
    fn wall_clock_time_follows_summer_and_winter() {
        check("Europe/Amsterdam", None, Ambiguous::Earlier, json!("2026-08-20T11:40"), "2026-08-20T09:40:00Z");
        check("Europe/Amsterdam", None, Ambiguous::Earlier, json!("2026-12-20 11:40:00"), "2026-12-20T10:40:00Z");
        check("UTC", Some("%d/%m/%Y %H:%M"), Ambiguous::Earlier, json!("20/08/2026 11:40"), "2026-08-20T11:40:00Z");
    }

    #[test]
    fn the_hour_that_comes_twice_is_what_the_settings_say() {
        let twice = || json!("2026-10-25T02:30:00");
        check("Europe/Amsterdam", None, Ambiguous::Earlier, twice(), "2026-10-25T00:30:00Z");
        check("Europe/Amsterdam", None, Ambiguous::Later, twice(), "2026-10-25T01:30:00Z");
        let refused = "2026-10-25T02:30:00 happens twice in Europe/Amsterdam";
        check("Europe/Amsterdam", None, Ambiguous::Refuse, twice(), refused);
    }

    #[test]
    fn the_hour_that_is_skipped_is_refused() {
        let refused = "2026-03-29T02:30:00 does not exist in Europe/Amsterdam: the clock skips this hour";
        check("Europe/Amsterdam", None, Ambiguous::Later, json!("2026-03-29T02:30:00"), refused);
    }

    #[test]
    fn numbers_since_1970_are_read_and_nonsense_is_refused() {
        check("UTC", Some("unix"), Ambiguous::Earlier, json!(1_787_304_000), "2026-08-21T09:20:00Z");
        check("UTC", Some("unix_ms"), Ambiguous::Earlier, json!("1787304000500"), "2026-08-21T09:20:00.5Z");
        let refused = "1e+300 is not a number of seconds since 1970";
        check("UTC", Some("unix"), Ambiguous::Earlier, json!(1e300), refused);
        check("UTC", None, Ambiguous::Earlier, json!("yesterday"), "\"yesterday\" is not a moment");
        check("UTC", None, Ambiguous::Earlier, json!([1]), "[1] is not a moment");
    }
}
