//! The words and numbers of the report, in Dutch and in English.

use control::{Measure, MeasureKind, Plan, outbox::Language};
use jiff::{civil::DateTime, tz::TimeZone};
use model::Timestamp;
use support::crowd::{Colour, Quantity};

use crate::sheet::Ink;

const MONTHS_NL: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A language and a zone.
pub struct Words {
    language: Language,
    zone: TimeZone,
    /// Whether a time needs its day, because the event lasts longer than one.
    is_long: bool,
}

impl Words {
    /// Words in a language, times in a zone.
    pub fn new(language: Language, zone: TimeZone) -> Self {
        Self { language, zone, is_long: false }
    }

    /// The same for what lies between two moments: when they are on different days more than half a day apart, each time
    /// is told with its day.
    pub fn between(self, from: Timestamp, until: Timestamp) -> Self {
        let is_long = self.local(from).date() != self.local(until).date() && until.seconds_since(from) > 43_200.0;
        Self { is_long, ..self }
    }

    /// One of two texts.
    pub fn say(&self, nl: &str, en: &str) -> String {
        match self.language {
            Language::Nl => nl.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    /// The tag of the language (BCP 47).
    pub fn tag(&self) -> &'static str {
        match self.language {
            Language::Nl => "nl-NL",
            Language::En => "en-GB",
        }
    }

    /// A moment in the zone.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at.into())
    }

    /// Hours and minutes, of a long event with the day before them.
    pub fn time(&self, at: Timestamp) -> String {
        let at = self.local(at);
        let day = if self.is_long { format!("{}-{} ", at.day(), at.month()) } else { String::new() };
        format!("{day}{}", at.strftime("%H:%M"))
    }

    /// Day, hours and minutes.
    pub fn day_time(&self, at: Timestamp) -> String {
        let at = self.local(at);
        let months = match self.language {
            Language::Nl => MONTHS_NL,
            Language::En => MONTHS_EN,
        };
        let month =
            usize::try_from(at.month() - 1).ok().and_then(|month| months.get(month)).copied().unwrap_or_default();
        format!("{} {month} {}, {}", at.day(), at.year(), at.strftime("%H:%M"))
    }

    /// A whole number with its thousands apart.
    pub fn number(&self, value: f64) -> String {
        let digits = format!("{:.0}", value.abs());
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(if self.language == Language::Nl { '.' } else { ',' });
            }
            text.push(digit);
        }
        if value <= -0.5 { format!("-{text}") } else { text }
    }

    /// A number with digits after the point.
    pub fn decimal(&self, value: f64, digits: usize) -> String {
        let text = format!("{value:.digits$}");
        if self.language == Language::Nl { text.replace('.', ",") } else { text }
    }

    /// A share (0..1) as a percentage.
    pub fn percent(&self, share: f64) -> String {
        self.say(&format!("{:.0} %", share * 100.0), &format!("{:.0}%", share * 100.0))
    }

    /// Persons, or the words for what is not told.
    pub fn persons(&self, persons: Option<f64>) -> String {
        persons.map_or_else(|| "\u{2013}".to_owned(), |persons| self.number(persons))
    }

    /// A colour in words.
    pub fn colour(&self, colour: Colour) -> String {
        match colour {
            Colour::Green => self.say("groen", "green"),
            Colour::Amber => self.say("oranje", "amber"),
            Colour::Red => self.say("rood", "red"),
            Colour::Unknown => self.say("onbekend", "unknown"),
        }
    }

    /// Why an area is not green.
    pub fn because(&self, quantity: Quantity) -> String {
        match quantity {
            Quantity::Density => self.say("te dicht op elkaar", "too close together"),
            Quantity::SpecificFlow => {
                self.say("te veel mensen door een smal stuk", "too many people through a narrow part")
            }
            Quantity::LevelOfService => self.say("te weinig ruimte om te lopen", "too little room to walk"),
            Quantity::OccupancyShare => self.say("het gebied raakt vol", "the area fills up"),
        }
    }

    /// A measure with where and how much.
    pub fn measure(&self, measure: &Measure, plan: &Plan) -> String {
        let name = |kind: &str, key: Option<&String>| key.map(|key| name_of(plan, kind, key)).unwrap_or_default();
        let gate = name("gate", measure.gate.as_ref());
        let area = name("area", measure.area.as_ref());
        let to = name("gate", measure.to_gate.as_ref());
        let per_min = self.number(measure.per_min.unwrap_or_default());
        let share = self.percent(measure.share.unwrap_or_default());
        let later = self.number(measure.later_min.unwrap_or_default());
        match measure.kind {
            MeasureKind::Close => self.say(&format!("Afsluiten: {gate}"), &format!("Close: {gate}")),
            MeasureKind::Divert => self.say(
                &format!("Omleiden: {share} van {gate} naar {to}"),
                &format!("Divert: {share} from {gate} to {to}"),
            ),
            MeasureKind::Dose => self
                .say(&format!("Doseren: {gate}, {per_min} per minuut"), &format!("Dose: {gate}, {per_min} a minute")),
            MeasureKind::ExtraTransport => self.say(
                &format!("Extra vervoer: {area}, {per_min} per minuut"),
                &format!("Extra transport: {area}, {per_min} a minute"),
            ),
            MeasureKind::Message => self.say(
                &format!("Bericht: kom later ({share} komt {later} minuten later)"),
                &format!("Message: come later ({share} comes {later} minutes later)"),
            ),
            MeasureKind::OneWay => self.say(&format!("Eenrichting: {gate}"), &format!("One way: {gate}")),
        }
    }
}

/// What a part of the plan is called; its key when it is gone.
pub fn name_of(plan: &Plan, kind: &str, key: &str) -> String {
    let part = plan.parts.iter().find(|part| part.body.kind() == kind && part.key == key);
    part.map_or_else(|| key.to_owned(), |part| part.body.name().to_owned())
}

/// The colour of a colour: the same as on the screens, each with its own lightness.
pub fn ink(colour: Colour) -> Ink {
    match colour {
        Colour::Green => 0x0f_7b_5f,
        Colour::Amber => 0xff_b6_27,
        Colour::Red => 0x9b_12_30,
        Colour::Unknown => 0x66_71_7d,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_are_written_as_each_language_does() {
        let zone = TimeZone::UTC;
        let (nl, en) = (Words::new(Language::Nl, zone.clone()), Words::new(Language::En, zone));
        assert_eq!(
            (nl.number(12_340.0), en.number(1_234_567.0), nl.number(90.0)),
            ("12.340".into(), "1,234,567".into(), "90".into())
        );
        assert_eq!(
            (nl.decimal(0.125, 2), en.decimal(1.5, 1), nl.percent(0.618)),
            ("0,12".into(), "1.5".into(), "62 %".into())
        );
        let at = Timestamp::parse("2026-08-21T18:05:00Z").unwrap();
        assert_eq!((nl.day_time(at), en.time(at)), ("21 augustus 2026, 18:05".into(), "18:05".into()));
        let evening = Words::new(Language::Nl, TimeZone::UTC).between(at, at.plus_micros(8 * 3_600_000_000));
        let days = Words::new(Language::Nl, TimeZone::UTC).between(at, at.plus_micros(30 * 3_600_000_000));
        assert_eq!((evening.time(at), days.time(at)), ("18:05".into(), "21-8 18:05".into()));
    }
}
