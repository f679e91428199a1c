//! The days that are not like others: for the model, and by name for people.

use forecast::calendar::{Calendar, Region};
use jiff::civil::Date;

use crate::{
    Set,
    wire::{CalendarDay, Text},
};

/// What the model may know of the days of these years.
pub(crate) fn calendar(set: &Set, from: Date, to: Date) -> Calendar {
    let mut calendar = match set.region {
        Some(region) => Calendar::of_region(region, from.year() - 1, to.year() + 1),
        None => Calendar::default(),
    };
    calendar.add_holidays(set.holidays.iter().map(|named| named.day));
    for (name, days) in &set.lists {
        calendar.add_list(name, days.iter().map(|named| named.day));
    }
    calendar
}

/// What a day is called; `None` for a day like others.
pub(crate) fn told(set: &Set, calendar: &Calendar, day: Date) -> Option<CalendarDay> {
    let mut holidays = vec![];
    if let Some(key) = calendar.holidays.get(&day) {
        let own = set.holidays.iter().find(|named| named.day == day).and_then(|named| named.name.as_deref());
        holidays.push(own.map_or_else(|| holiday(set.region, key), |own| both(own, own)));
    }
    let lists = set.lists.iter().filter_map(|(list, days)| {
        let named = days.iter().find(|named| named.day == day)?;
        Some(named.name.as_deref().map_or_else(|| list_name(list), |name| both(name, name)))
    });
    let lists: Vec<Text> = lists.collect();
    let special = !holidays.is_empty() || !lists.is_empty();
    special.then(|| CalendarDay { date: day.to_string(), holidays, lists })
}

fn both(nl: &str, en: &str) -> Text {
    Text { nl: nl.to_owned(), en: en.to_owned() }
}

/// Lists that most cities have get their name; others are told as they are written.
fn list_name(list: &str) -> Text {
    match list {
        "school_holidays" => both("schoolvakantie", "school holidays"),
        "university_holidays" => both("collegevrij", "university holidays"),
        "events" => both("evenement", "event"),
        other => {
            let words = other.replace('_', " ");
            both(&words, &words)
        }
    }
}

/// The name of a holiday that is known by rule. Keys are those of `forecast::calendar`.
fn holiday(region: Option<Region>, key: &str) -> Text {
    let (key, in_lieu) = match key.strip_suffix(" in lieu") {
        Some(key) => (key, true),
        None => (key, false),
    };
    let name = match (region, key) {
        (_, "01-01") => both("Nieuwjaarsdag", "New Year's Day"),
        (_, "easter-2") => both("Goede Vrijdag", "Good Friday"),
        (_, "easter-1") => both("Stille Zaterdag", "Easter Saturday"),
        (_, "easter+0") => both("eerste paasdag", "Easter Sunday"),
        (_, "easter+1") => both("tweede paasdag", "Easter Monday"),
        (_, "easter+39") => both("Hemelvaartsdag", "Ascension Day"),
        (_, "easter+49") => both("eerste pinksterdag", "Whit Sunday"),
        (_, "easter+50") => both("tweede pinksterdag", "Whit Monday"),
        (_, "12-25") => both("eerste kerstdag", "Christmas Day"),
        (_, "12-26") => both("tweede kerstdag", "Boxing Day"),
        (Some(Region::Netherlands), "04-27") => both("Koningsdag", "King's Day"),
        (Some(Region::Netherlands), "05-05") => both("Bevrijdingsdag", "Liberation Day"),
        (Some(Region::England), "1. Monday of 05") => both("bankvrije dag in mei", "Early May bank holiday"),
        (Some(Region::England), "-1. Monday of 05") => both("bankvrije dag in het voorjaar", "Spring bank holiday"),
        (Some(Region::England), "-1. Monday of 08") => both("bankvrije dag in de zomer", "Summer bank holiday"),
        (Some(Region::Auckland), "01-02") => both("de dag na Nieuwjaar", "Day after New Year's Day"),
        (Some(Region::Auckland), "monday near 01-29") => both("Auckland Anniversary Day", "Auckland Anniversary Day"),
        (Some(Region::Auckland), "02-06") => both("Waitangi Day", "Waitangi Day"),
        (Some(Region::Auckland | Region::Victoria), "04-25") => both("Anzac Day", "Anzac Day"),
        (Some(Region::Auckland), "1. Monday of 06") => both("verjaardag van de koning", "King's Birthday"),
        (Some(Region::Auckland), "as announced") => both("Matariki", "Matariki"),
        (Some(Region::Auckland), "4. Monday of 10") => both("Labour Day", "Labour Day"),
        (Some(Region::Victoria), "01-26") => both("Australia Day", "Australia Day"),
        (Some(Region::Victoria), "2. Monday of 03") => both("Labour Day", "Labour Day"),
        (Some(Region::Victoria), "2. Monday of 06") => both("verjaardag van de koning", "King's Birthday"),
        (Some(Region::Victoria), "1. Tuesday of 11") => both("Melbourne Cup Day", "Melbourne Cup Day"),
        _ => both("feestdag", "public holiday"),
    };
    if in_lieu { both(&format!("vrije dag voor {}", name.nl), &format!("{} (in lieu)", name.en)) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holiday_that_is_known_by_rule_has_a_name_of_its_own() {
        for region in [Region::Netherlands, Region::England, Region::Auckland, Region::Victoria] {
            let calendar = Calendar::of_region(region, 2022, 2027);
            for (day, key) in &calendar.holidays {
                let name = holiday(Some(region), key);
                assert!(!name.nl.contains("feestdag"), "{region:?} {day}: {key} has no name");
            }
        }
    }
}
