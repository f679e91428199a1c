//! Which days are not like others: public holidays by the rules of a region or from a list, school holidays, events.
//!
//! Rules are those in force in 2026, applied to all years: Easter by the anonymous Gregorian algorithm (Meeus, 1991),
//! fixed dates, "the n-th Monday of", and days given in lieu where a region gives them. A city whose region is not
//! known works without: its calendar is a list from a file, or empty.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday, date};
use serde::{Deserialize, Serialize};

use crate::series::{day_after, days_between};

/// A region whose public holidays are known by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Region {
    /// The Netherlands.
    #[serde(rename = "NL")]
    Netherlands,
    /// England (and Wales).
    #[serde(rename = "GB-ENG")]
    England,
    /// Auckland, New Zealand.
    #[serde(rename = "NZ-AUK")]
    Auckland,
    /// Victoria, Australia (Melbourne).
    #[serde(rename = "AU-VIC")]
    Victoria,
}

/// The days that are not like others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// Public holidays: day and a key that is the same in each year ("easter+1", "12-25", "dodenherdenking" are all
    /// good keys).
    pub holidays: BTreeMap<Date, String>,
    /// Days of school holidays, and of other lists ("university", "events"), by name of the list.
    pub lists: BTreeMap<String, BTreeSet<Date>>,
}

/// How a region gives a day off in lieu when a holiday falls in the weekend.
#[derive(Clone, Copy, PartialEq)]
enum InLieu {
    Never,
    Monday,
}

enum When {
    Fixed(i8, i8),
    /// Days after Easter Sunday.
    Easter(i32),
    /// The n-th weekday of a month; from the end when negative.
    Nth(i8, i8, Weekday),
    /// The Monday nearest to a date.
    MondayNear(i8, i8),
    /// As announced, by year.
    Listed(&'static [(i16, i8, i8)]),
}

impl Calendar {
    /// The public holidays of a region in the given years, both included.
    pub fn of_region(region: Region, from_year: i16, to_year: i16) -> Self {
        let mut calendar = Self::default();
        for year in from_year..=to_year {
            let mut days: BTreeMap<Date, (String, InLieu)> = BTreeMap::new();
            for (when, in_lieu) in rules(region) {
                if let Some((day, key)) = resolve(&when, year) {
                    days.insert(day, (key, in_lieu));
                }
            }
            if region == Region::Netherlands {
                days = with_kings_day_before_sunday(days, year);
            }
            let mut given: BTreeMap<Date, String> = days.iter().map(|(day, (key, _))| (*day, key.clone())).collect();
            for (day, (key, in_lieu)) in &days {
                let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
                if weekend && *in_lieu == InLieu::Monday {
                    let mut instead = day_after(*day, if day.weekday() == Weekday::Saturday { 2 } else { 1 });
                    while given.contains_key(&instead) {
                        instead = day_after(instead, 1);
                    }
                    given.insert(instead, format!("{key} in lieu"));
                }
            }
            calendar.holidays.extend(given);
        }
        calendar
    }

    /// Adds public holidays from a list. Their keys follow from the dates: the distance to Easter for the days that
    /// move with it, else the month and day.
    pub fn add_holidays(&mut self, days: impl IntoIterator<Item = Date>) {
        for day in days {
            let from_easter = easter(day.year()).map_or(i32::MAX, |easter| days_between(easter, day));
            let key = if [-2, -1, 0, 1, 39, 49, 50, 60].contains(&from_easter) {
                format!("easter{from_easter:+}")
            } else {
                format!("{:02}-{:02}", day.month(), day.day())
            };
            self.holidays.entry(day).or_insert(key);
        }
    }

    /// Adds days to a named list, such as "school".
    pub fn add_list(&mut self, name: &str, days: impl IntoIterator<Item = Date>) {
        self.lists.entry(name.to_owned()).or_default().extend(days);
    }

    /// Whether a day is a public holiday.
    pub fn is_holiday(&self, day: Date) -> bool {
        self.holidays.contains_key(&day)
    }

    /// The same holiday in the year before: that of the same key, else the one nearest to the same date, at most ten
    /// days off.
    pub fn year_before(&self, day: Date) -> Option<Date> {
        let key = self.holidays.get(&day)?;
        let earlier = |least: i32, most: i32| {
            let from = day.saturating_sub(jiff::SignedDuration::from_hours(i64::from(most) * 24));
            let to = day.saturating_sub(jiff::SignedDuration::from_hours(i64::from(least) * 24));
            self.holidays.range(from..=to)
        };
        let same = earlier(300, 430).rev().find(|(_, other)| *other == key).map(|(day, _)| *day);
        same.or_else(|| {
            earlier(355, 375).map(|(other, _)| *other).min_by_key(|other| (days_between(*other, day) - 365).abs())
        })
    }
}

/// Easter Sunday of a year.
pub fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn rules(region: Region) -> Vec<(When, InLieu)> {
    use InLieu::{Monday as Lieu, Never};
    use When::{Easter, Fixed, Listed, MondayNear, Nth};
    let monday = Weekday::Monday;
    match region {
        Region::Netherlands => vec![
            (Fixed(1, 1), Never),
            (Easter(-2), Never),
            (Easter(0), Never),
            (Easter(1), Never),
            (Fixed(4, 27), Never),
            (Fixed(5, 5), Never),
            (Easter(39), Never),
            (Easter(49), Never),
            (Easter(50), Never),
            (Fixed(12, 25), Never),
            (Fixed(12, 26), Never),
        ],
        Region::England => vec![
            (Fixed(1, 1), Lieu),
            (Easter(-2), Never),
            (Easter(0), Never),
            (Easter(1), Never),
            (Nth(1, 5, monday), Never),
            (Nth(-1, 5, monday), Never),
            (Nth(-1, 8, monday), Never),
            (Fixed(12, 25), Lieu),
            (Fixed(12, 26), Lieu),
        ],
        Region::Auckland => vec![
            (Fixed(1, 1), Lieu),
            (Fixed(1, 2), Lieu),
            (MondayNear(1, 29), Never),
            (Fixed(2, 6), Lieu),
            (Easter(-2), Never),
            (Easter(0), Never),
            (Easter(1), Never),
            (Fixed(4, 25), Lieu),
            (Nth(1, 6, monday), Never),
            (Listed(MATARIKI), Never),
            (Nth(4, 10, monday), Never),
            (Fixed(12, 25), Lieu),
            (Fixed(12, 26), Lieu),
        ],
        Region::Victoria => vec![
            (Fixed(1, 1), Lieu),
            (Fixed(1, 26), Lieu),
            (Nth(2, 3, monday), Never),
            (Easter(-2), Never),
            (Easter(-1), Never),
            (Easter(0), Never),
            (Easter(1), Never),
            (Fixed(4, 25), Never),
            (Nth(2, 6, monday), Never),
            (Nth(1, 11, Weekday::Tuesday), Never),
            (Fixed(12, 25), Lieu),
            (Fixed(12, 26), Lieu),
        ],
    }
}

/// Days of Matariki as fixed by the Te Kāhui o Matariki Public Holiday Act 2022.
const MATARIKI: &[(i16, i8, i8)] = &[
    (2022, 6, 24),
    (2023, 7, 14),
    (2024, 6, 28),
    (2025, 6, 20),
    (2026, 7, 10),
    (2027, 6, 25),
    (2028, 7, 14),
    (2029, 7, 6),
    (2030, 6, 21),
];

fn resolve(when: &When, year: i16) -> Option<(Date, String)> {
    match *when {
        When::Fixed(month, day) => Some((Date::new(year, month, day).ok()?, format!("{month:02}-{day:02}"))),
        When::Easter(days) => {
            let day = easter(year)?.saturating_add(jiff::SignedDuration::from_hours(i64::from(days) * 24));
            Some((day, format!("easter{days:+}")))
        }
        When::Nth(n, month, weekday) => {
            let day = Date::new(year, month, 1).ok()?.nth_weekday_of_month(n, weekday).ok()?;
            Some((day, format!("{n}. {weekday:?} of {month:02}")))
        }
        When::MondayNear(month, day) => {
            let middle = Date::new(year, month, day).ok()?;
            let from_monday = i32::from(middle.weekday().to_monday_zero_offset());
            let shift = if from_monday <= 3 { -from_monday } else { 7 - from_monday };
            let monday = middle.saturating_add(jiff::SignedDuration::from_hours(i64::from(shift) * 24));
            Some((monday, format!("monday near {month:02}-{day:02}")))
        }
        When::Listed(days) => {
            let &(year, month, day) = days.iter().find(|listed| listed.0 == year)?;
            Some((date(year, month, day), "as announced".to_owned()))
        }
    }
}

/// The Dutch King's Day is held on the 26th when the 27th of April is a Sunday.
fn with_kings_day_before_sunday(
    mut days: BTreeMap<Date, (String, InLieu)>,
    year: i16,
) -> BTreeMap<Date, (String, InLieu)> {
    let kings_day = date(year, 4, 27);
    if kings_day.weekday() == Weekday::Sunday {
        let held = days.remove(&kings_day);
        if let Some(held) = held {
            days.insert(date(year, 4, 26), held);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_falls_where_the_almanac_says() {
        let days: Vec<String> = [2014, 2015, 2016, 2019, 2024, 2025, 2038]
            .iter()
            .filter_map(|y| easter(*y))
            .map(|d| d.to_string())
            .collect();
        assert_eq!(
            days,
            ["2014-04-20", "2015-04-05", "2016-03-27", "2019-04-21", "2024-03-31", "2025-04-20", "2038-04-25"]
        );
    }

    #[test]
    fn a_region_has_its_own_days_and_those_in_lieu() {
        let check = |region, day: Date, expect: bool| {
            assert_eq!(Calendar::of_region(region, 2014, 2026).is_holiday(day), expect, "{region:?} {day}");
        };
        check(Region::Netherlands, date(2025, 4, 26), true); // the 27th is a Sunday
        check(Region::Netherlands, date(2025, 4, 27), false);
        check(Region::England, date(2016, 12, 27), true); // Christmas fell on a Sunday
        check(Region::England, date(2015, 5, 25), true);
        check(Region::Auckland, date(2025, 1, 27), true);
        check(Region::Auckland, date(2025, 10, 27), true);
        check(Region::Auckland, date(2025, 6, 20), true);
        check(Region::Victoria, date(2015, 1, 26), true);
        check(Region::Victoria, date(2014, 11, 4), true);
        check(Region::Victoria, date(2014, 11, 5), false);
    }

    #[test]
    fn a_holiday_finds_itself_in_the_year_before() {
        let calendar = Calendar::of_region(Region::Netherlands, 2023, 2026);
        assert_eq!(calendar.year_before(date(2025, 4, 21)), Some(date(2024, 4, 1))); // Easter Monday
        assert_eq!(calendar.year_before(date(2025, 4, 26)), Some(date(2024, 4, 27))); // King's Day
        assert_eq!(calendar.year_before(date(2025, 4, 22)), None);
        let mut listed = Calendar::default();
        listed.add_holidays([date(2024, 10, 28), date(2025, 10, 27)]);
        assert_eq!(listed.year_before(date(2025, 10, 27)), Some(date(2024, 10, 28)));
    }
}
