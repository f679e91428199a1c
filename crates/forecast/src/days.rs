//! What is known of each day before it comes: where it stands in the year, and which earlier day it is like.

use jiff::civil::Date;

use crate::{
    calendar::{Calendar, easter},
    series::{day_after, days_between},
};

/// What is known of one day from the calendar alone.
#[derive(Debug, Clone, Default)]
pub struct DayFacts {
    /// 0 is Monday.
    pub weekday: u8,
    /// 1 to 366.
    pub day_of_year: u16,
    /// Days from the nearest 25 December, between -40 and 40.
    pub from_christmas: i8,
    /// Days from this year's Easter Sunday, between -15 and 15.
    pub from_easter: i8,
    /// Whether it is a public holiday.
    pub holiday: bool,
    /// Whether it is a day between two free days.
    pub bridge: bool,
    /// Days to the nearest public holiday: negative before it, 8 when none is within a week.
    pub to_holiday: i8,
    /// How many of the same weekdays of the last four weeks were public holidays.
    pub holidays_in_lags: u8,
    /// The day 52 weeks before, as days since the first of the panel.
    pub weeks_52: Option<usize>,
    /// The same date a year before.
    pub same_date: Option<usize>,
    /// The same holiday a year before.
    pub same_holiday: Option<usize>,
    /// The last public holiday before this one.
    pub last_holiday: Option<usize>,
    /// For each list of the calendar: whether the day is in it, and the share of the same weekdays of the four weeks
    /// before.
    pub lists: Vec<(bool, f32)>,
}

/// The facts of as many days from the first on.
pub fn day_facts(first_day: Date, days: usize, calendar: &Calendar) -> Vec<DayFacts> {
    (0..days).map(|at| facts(first_day, at, calendar)).collect()
}

fn facts(first_day: Date, at: usize, calendar: &Calendar) -> DayFacts {
    let day = day_after(first_day, at);
    let index = |other: Date| usize::try_from(days_between(first_day, other)).ok().filter(|other| *other < at);
    let shifted = |days: i64| day.saturating_add(jiff::SignedDuration::from_hours(24 * days));
    let free = |day: Date| calendar.is_holiday(day) || day.weekday().to_monday_zero_offset() >= 5;
    let holiday = calendar.is_holiday(day);
    let nearest = (-7..=7_i64).filter(|days| calendar.is_holiday(shifted(*days))).min_by_key(|days| days.abs());
    let year_ago = Date::new(day.year() - 1, day.month(), day.day()).ok();
    let week_lags = |is: &dyn Fn(Date) -> bool| (1..=4).filter(|week| is(shifted(-7 * week))).count();
    DayFacts {
        weekday: day.weekday().to_monday_zero_offset() as u8,
        day_of_year: day.day_of_year() as u16,
        from_christmas: from_christmas(day),
        from_easter: easter(day.year()).map_or(15, |easter| days_between(easter, day).clamp(-15, 15)) as i8,
        holiday,
        bridge: !free(day) && free(shifted(-1)) && free(shifted(1)),
        to_holiday: nearest.map_or(8, |days| -days) as i8,
        holidays_in_lags: week_lags(&|day| calendar.is_holiday(day)) as u8,
        weeks_52: at.checked_sub(364),
        same_date: year_ago.and_then(index),
        same_holiday: calendar.year_before(day).and_then(index),
        last_holiday: if holiday {
            calendar.holidays.range(..day).next_back().and_then(|(day, _)| index(*day))
        } else {
            None
        },
        lists: calendar
            .lists
            .values()
            .map(|list| (list.contains(&day), week_lags(&|day| list.contains(&day)) as f32 / 4.0))
            .collect(),
    }
}

fn from_christmas(day: Date) -> i8 {
    let to = |year: i16| Date::new(year, 12, 25).map_or(40, |christmas| days_between(christmas, day));
    let (this, last) = (to(day.year()), to(day.year() - 1));
    (if last.abs() < this.abs() { last } else { this }).clamp(-40, 40) as i8
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_knows_its_holidays_and_the_days_it_is_like() {
        let mut calendar = Calendar::default();
        calendar.add_holidays([date(2024, 5, 9), date(2025, 5, 29)]); // Ascension
        calendar.add_list("school", [date(2025, 5, 23)]);
        let all = day_facts(date(2024, 1, 1), 600, &calendar);
        let at = |day: Date| &all[days_between(date(2024, 1, 1), day) as usize];
        let ascension = at(date(2025, 5, 29));
        assert!(ascension.holiday && ascension.to_holiday == 0);
        assert_eq!(ascension.same_holiday, Some(129)); // 9 May 2024
        assert!(at(date(2025, 5, 30)).bridge, "a Friday between Ascension and Saturday");
        assert_eq!(at(date(2025, 6, 5)).holidays_in_lags, 1);
        assert_eq!(at(date(2025, 5, 30)).lists, [(false, 0.25)]);
        assert_eq!(at(date(2025, 1, 4)).from_christmas, 10);
    }
}
