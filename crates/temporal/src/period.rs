//! The period of an aggregation (`aggrPeriodDuration`): an ISO 8601 duration, stepped from an origin in UTC.
//!
//! Days and shorter are fixed lengths (UTC has no summer time); months and years follow the calendar.

use jiff::{Span, civil::DateTime, tz::Offset};
use model::{Problem, Timestamp};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// The longest period accepted, so that stepping never leaves the calendar.
const MONTHS_MAX: i64 = 12_000;

/// How the time axis is cut into periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregationPeriod {
    /// One period for everything (`PT0S`).
    Whole,
    /// Periods of a fixed number of microseconds.
    Micros(i64),
    /// Periods of a number of calendar months.
    Months(i64),
}

impl AggregationPeriod {
    /// From an ISO 8601 duration (`PT1H`, `P1D`, `P3M`); `PT0S` is the whole range.
    ///
    /// # Errors
    /// When it is not a duration, is negative, or mixes calendar and clock units.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let refuse = |detail: &str| {
            let shown: String = text.chars().take(40).collect();
            Problem::new(
                "aggrPeriodDuration",
                format!("\"{shown}\" {detail}"),
                "write an ISO 8601 duration such as PT15M, PT1H, P1D or P1M",
            )
        };
        let span: Span = text.parse().map_err(|_| refuse("is not an ISO 8601 duration"))?;
        if !text.starts_with('P') || span.is_negative() {
            return Err(refuse("is not a duration that goes forward"));
        }
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let clock = clock_micros(&span).ok_or_else(|| refuse("is too long"))?;
        let micros =
            days.checked_mul(MICROS_PER_DAY).and_then(|d| d.checked_add(clock)).ok_or_else(|| refuse("is too long"))?;
        match (months, micros) {
            (0, 0) => Ok(Self::Whole),
            (0, micros) => Ok(Self::Micros(micros)),
            (1..=MONTHS_MAX, 0) => Ok(Self::Months(months)),
            (1..=MONTHS_MAX, _) => Err(refuse("mixes months with days or hours")),
            _ => Err(refuse("is too long")),
        }
    }

    /// The period that `moment` falls in, as [start, end), when periods are laid from `origin`; `None` for the whole
    /// range, which has no bounds of its own.
    #[must_use]
    pub fn around(self, moment: Timestamp, origin: Timestamp) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Whole => None,
            Self::Micros(micros) => {
                let steps = (moment.micros() - origin.micros()).div_euclid(micros);
                let start = origin.micros().saturating_add(steps.saturating_mul(micros));
                Some((Timestamp::from_micros(start), Timestamp::from_micros(start.saturating_add(micros))))
            }
            Self::Months(months) => Some(months_around(months, moment, origin)),
        }
    }
}

fn clock_micros(span: &Span) -> Option<i64> {
    let hours = i64::from(span.get_hours()).checked_mul(3_600_000_000)?;
    let minutes = span.get_minutes().checked_mul(60_000_000)?;
    let seconds = span.get_seconds().checked_mul(1_000_000)?;
    let small = span.get_milliseconds().checked_mul(1_000)?.checked_add(span.get_microseconds())?;
    hours.checked_add(minutes)?.checked_add(seconds)?.checked_add(small)
}

fn months_around(months: i64, moment: Timestamp, origin: Timestamp) -> (Timestamp, Timestamp) {
    let start_of = |step: i64| plus_months(origin, step.saturating_mul(months));
    let (from, to) = (civil(origin), civil(moment));
    let apart = i64::from(to.year() - from.year()) * 12 + i64::from(to.month() - from.month());
    let mut step = apart.div_euclid(months);
    // A month later on a later day (or hour) of the month is still the period before.
    if start_of(step) > moment {
        step -= 1;
    }
    (start_of(step), start_of(step + 1))
}

fn civil(moment: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(jiff::Timestamp::from(moment))
}

/// The same day and hour some months later; the last day of the month where that day does not exist.
fn plus_months(moment: Timestamp, months: i64) -> Timestamp {
    let moved = Span::new().try_months(months).and_then(|span| civil(moment).checked_add(span));
    match moved.and_then(|datetime| Offset::UTC.to_timestamp(datetime)) {
        Ok(timestamp) => timestamp.into(),
        Err(_) if months < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn check(period: &str, moment: &str, origin: &str, expect: Option<(&str, &str)>) {
        let found = AggregationPeriod::parse(period).unwrap().around(at(moment), at(origin));
        assert_eq!(found, expect.map(|(start, end)| (at(start), at(end))));
    }

    #[test]
    fn hours_and_days_step_from_the_origin_in_both_directions() {
        let origin = "2020-08-01T12:03:00Z";
        check("PT1H", "2020-08-01T13:05:00Z", origin, Some(("2020-08-01T13:03:00Z", "2020-08-01T14:03:00Z")));
        check("P1D", "2020-08-01T12:02:59Z", origin, Some(("2020-07-31T12:03:00Z", "2020-08-01T12:03:00Z")));
        check("P1W", "2020-08-20T00:00:00Z", origin, Some(("2020-08-15T12:03:00Z", "2020-08-22T12:03:00Z")));
    }

    #[test]
    fn months_follow_the_calendar_and_end_with_the_month() {
        let origin = "2024-01-31T00:00:00Z";
        check("P1M", "2024-02-29T12:00:00Z", origin, Some(("2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z")));
        check("P1M", "2024-02-28T12:00:00Z", origin, Some(("2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z")));
        check("P1Y", "2023-06-01T00:00:00Z", origin, Some(("2023-01-31T00:00:00Z", "2024-01-31T00:00:00Z")));
    }

    #[test]
    fn zero_seconds_is_the_whole_range() {
        check("PT0S", "2024-02-29T12:00:00Z", "2024-01-31T00:00:00Z", None);
    }

    #[test]
    fn things_that_are_not_periods_are_refused() {
        for text in ["", "1h", "PT", "-PT1H", "P1M1D", "P999999Y", "1 hour", "PT1H\u{0}", "P1Y2"] {
            assert!(AggregationPeriod::parse(text).is_err(), "{text}");
        }
    }
}
