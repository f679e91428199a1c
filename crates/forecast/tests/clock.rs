//! Wall-clock time: days of 23 and 25 hours, and input that is out of order, twice, negative or between hours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use forecast::series::{DAY, Fault, HourlySeries, moments_of, slot_at};
use jiff::{Timestamp, civil::date, tz::TimeZone};

fn zone() -> TimeZone {
    TimeZone::get("Europe/Amsterdam").unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn faults(series: &HourlySeries) -> Vec<(&str, Fault)> {
    series.marks.iter().map(|mark| (mark.hour.as_str(), mark.fault)).collect()
}

#[test]
fn a_day_of_23_hours_has_one_empty_slot() {
    let start = moment("2025-03-29T23:00:00Z"); // 30 March, 00:00
    let points: Vec<(Timestamp, f64)> =
        (0..23).map(|hour| (start + jiff::SignedDuration::from_hours(hour), hour as f64)).collect();
    let series = HourlySeries::from_moments("a", &zone(), &points).unwrap();
    assert_eq!(series.values.len(), DAY);
    assert!(series.values[2].is_nan(), "02:00 did not exist");
    assert_eq!((series.values[1], series.values[3], series.values[23]), (1.0, 2.0, 22.0));
    assert_eq!(series.marks, []);
    assert_eq!(moments_of(2, date(2025, 3, 30), &zone()), []);
}

#[test]
fn a_day_of_25_hours_shares_one_slot_and_says_so() {
    let start = moment("2025-10-25T22:00:00Z"); // 26 October, 00:00
    let points: Vec<(Timestamp, f64)> =
        (0..25).map(|hour| (start + jiff::SignedDuration::from_hours(hour), 10.0 * hour as f64)).collect();
    let series = HourlySeries::from_moments("a", &zone(), &points).unwrap();
    assert_eq!(series.values.len(), DAY);
    assert_eq!((series.values[1], series.values[2], series.values[3]), (10.0, 25.0, 40.0));
    assert_eq!(faults(&series), [("2025-10-26T02", Fault::TwiceOnTheClock)]);
    let both = moments_of(2, date(2025, 10, 26), &zone());
    assert_eq!(both, [moment("2025-10-26T00:00:00Z"), moment("2025-10-26T01:00:00Z")]);
    assert!(both.iter().all(|at| slot_at(*at, date(2025, 10, 26), &zone()) == Some(2)));
}

#[test]
fn what_is_wrong_with_the_input_is_marked_and_left_out() {
    let points = [
        (moment("2025-01-01T10:00:00Z"), 5.0),
        (moment("2025-01-01T09:00:00Z"), 4.0), // late
        (moment("2025-01-01T11:00:00Z"), -1.0),
        (moment("2025-01-01T12:20:00Z"), 3.0),
        (moment("2025-01-01T13:00:00Z"), 7.0),
        (moment("2025-01-01T13:00:00Z"), 7.0),
        (moment("2025-01-01T14:00:00Z"), 8.0),
        (moment("2025-01-01T14:00:00Z"), 9.0),
        (moment("2025-01-01T15:00:00Z"), f64::NAN),
    ];
    let series = HourlySeries::from_moments("a", &zone(), &points).unwrap();
    assert_eq!(
        faults(&series),
        [
            ("2025-01-01T10", Fault::OutOfOrder),
            ("2025-01-01T14", Fault::Repeated),
            ("2025-01-01T15", Fault::Contradicting),
            ("2025-01-01T12", Fault::Negative),
            ("2025-01-01T13", Fault::BetweenHours),
            ("2025-01-01T16", Fault::NotANumber),
        ]
    );
    let there: Vec<(usize, f32)> =
        series.values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).collect();
    assert_eq!(there, [(10, 4.0), (11, 5.0), (14, 7.0)]);
}

#[test]
fn a_total_delivered_after_an_outage_is_left_out_and_a_new_level_is_kept() {
    let mut values = vec![50.0; 70 * DAY];
    values[60 * DAY] = 9_000.0;
    let series = HourlySeries::from_slots("a", date(2025, 1, 1), values.clone()).without_implausible();
    assert!(series.values[60 * DAY].is_nan());
    assert_eq!(faults(&series), [("2025-03-02T00", Fault::Implausible)]);
    values[60 * DAY..].fill(9_000.0);
    let series = HourlySeries::from_slots("a", date(2025, 1, 1), values).without_implausible();
    assert_eq!(series.marks.len(), 1, "only the first hour of a new level is doubted");
}

#[test]
fn nothing_usable_is_no_series() {
    assert_eq!(HourlySeries::from_moments("a", &zone(), &[]), None);
    assert_eq!(HourlySeries::from_moments("a", &zone(), &[(moment("2025-01-01T11:00:00Z"), -1.0)]), None);
}
