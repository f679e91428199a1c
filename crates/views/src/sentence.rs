//! What a vehicle does, in a sentence: "Tram 8, volgende halte Beurs om 11:24".
//!
//! The next stop comes from the timetable (the platform adds it); where it is missing the sentence says so by leaving
//! it out. Times are those of the city's own clock on the wall.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::{Text, as_text, moment_in};

/// The sentence for a thing that has a `transportMode` and a `line`; `None` for everything else. `value` gives an attribute by
/// its short name.
#[must_use]
pub fn sentence(value: &dyn Fn(&str) -> Option<Value>, zone: &TimeZone) -> Option<Text> {
    let text = |name: &str| value(name).as_ref().and_then(as_text);
    let (mode, line) = (text("transportMode")?, text("line")?);
    let (mode_nl, mode_en) = mode_words(&mode);
    let Some(stop) = text("nextStopName") else {
        return text("headsign")
            .map(|to| Text { nl: format!("{mode_nl} {line} naar {to}"), en: format!("{mode_en} {line} to {to}") });
    };
    let at = value("nextStopAt").as_ref().and_then(moment_in).map(|moment| {
        let local = jiff::Timestamp::from(moment).to_zoned_datetime(zone.clone());
        format!("{:02}:{:02}", local.hour(), local.minute())
    });
    // Where the timetable's time had passed already, when it comes is not known: only by how much it is late at least.
    let behind_min = value("behindTimetable").and_then(|v| v.as_f64()).map(|seconds| (seconds / 60.0).floor());
    Some(match (at, behind_min) {
        (Some(at), _) => Text {
            nl: format!("{mode_nl} {line}, volgende halte {stop} om {at}"),
            en: format!("{mode_en} {line}, next stop {stop} at {at}"),
        },
        (None, Some(minutes)) => Text {
            nl: format!("{mode_nl} {line}, volgende halte {stop}, minstens {minutes} min later dan de dienstregeling"),
            en: format!("{mode_en} {line}, next stop {stop}, at least {minutes} min behind the timetable"),
        },
        (None, None) => Text {
            nl: format!("{mode_nl} {line}, volgende halte {stop}"),
            en: format!("{mode_en} {line}, next stop {stop}"),
        },
    })
}

fn mode_words(mode: &str) -> (&str, &str) {
    match mode {
        "tram" => ("Tram", "Tram"),
        "metro" | "subway" => ("Metro", "Metro"),
        "bus" => ("Bus", "Bus"),
        "ferry" => ("Veerboot", "Ferry"),
        "rail" | "train" => ("Trein", "Train"),
        other => (other, other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(attributes: &Value, nl: Option<&str>) {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let said = sentence(&|name| attributes.get(name).cloned(), &zone);
        assert_eq!(said.map(|t| t.nl).as_deref(), nl, "{attributes}");
    }

    #[test]
    fn a_vehicle_with_a_timetable_says_line_stop_and_local_time() {
        let full =
            json!({"transportMode":"tram","line":"8","nextStopName":"Beurs","nextStopAt":"2026-08-21T09:24:00Z"});
        check(&full, Some("Tram 8, volgende halte Beurs om 11:24"));
    }

    #[test]
    fn a_vehicle_behind_its_timetable_is_said_to_be_late_without_a_time_that_has_passed() {
        let late = json!({"transportMode":"tram","line":"8","nextStopName":"Beurs","behindTimetable":150.0});
        check(&late, Some("Tram 8, volgende halte Beurs, minstens 2 min later dan de dienstregeling"));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        check(&json!({"transportMode":"tram","line":"8","nextStopName":"Beurs"}), Some("Tram 8, volgende halte Beurs"));
        check(&json!({"transportMode":"bus","line":"33","headsign":"Airport"}), Some("Bus 33 naar Airport"));
        check(&json!({"transportMode":"bus","line":"33"}), None);
        check(&json!({"name":"a tree"}), None);
    }
}
