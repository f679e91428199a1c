//! An event: when it is, what it is called, and how far it is.

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;
use utoipa::ToSchema;

/// The longest name, characters.
const NAME_CHARS_MAX: usize = 120;
/// The longest notes, characters.
const NOTES_CHARS_MAX: usize = 10_000;
/// The longest event, days: what lasts longer is a place, not an event.
const DAYS_MAX: f64 = 60.0;

/// What a person says of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdEventFacts)]
pub struct EventFacts {
    /// What it is called.
    pub name: String,
    /// The first moment that is watched.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The last moment that is watched.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// What else must be known.
    #[serde(default)]
    pub notes: String,
}

impl EventFacts {
    /// The facts, when they can be true.
    ///
    /// # Errors
    /// An event without a name, that ends before it starts, or that lasts longer than 60 days.
    pub fn checked(mut self) -> Result<Self, Problem> {
        self.name = self.name.trim().to_owned();
        let problem = |thing, detail: String, remedy| Err(Problem::new(thing, detail, remedy));
        if self.name.is_empty() || self.name.chars().count() > NAME_CHARS_MAX {
            return problem("name", "an event has a name".into(), "give it 1 to 120 characters");
        }
        if self.notes.chars().count() > NOTES_CHARS_MAX {
            return problem("notes", "the notes are too long".into(), "keep them under 10,000 characters");
        }
        let length_s = self.until.seconds_since(self.from);
        if length_s <= 0.0 {
            let detail = format!("the event ends ({}) before it starts ({})", self.until, self.from);
            return problem("until", detail, "choose an end after the start");
        }
        if length_s > DAYS_MAX * 86_400.0 {
            return problem("until", "the event lasts longer than 60 days".into(), "split it into shorter events");
        }
        Ok(self)
    }
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id: a short word, unique in the tenant.
    pub id: String,
    /// What a person said of it.
    pub facts: EventFacts,
    /// The run that goes on now.
    #[serde(default)]
    pub run: Option<String>,
    /// How many runs there were.
    #[serde(default)]
    pub runs: u32,
    /// Whether a live run has ended: the event is over.
    #[serde(default)]
    pub over: bool,
    /// Who made it.
    pub made_by: String,
    /// When it was made, by the server's clock.
    pub made_at: Timestamp,
}

impl Document for Event {
    const COLLECTION: &'static str = "crowd-events";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// The id of a new event: its name in small letters, digits and hyphens.
pub(crate) fn slug(name: &str) -> String {
    let plain = |c: char| match c {
        'à'..='å' => 'a',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        c if c.is_ascii_alphanumeric() => c,
        _ => '-',
    };
    let letters: String = name.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(48).collect();
    match slug.trim_matches('-') {
        "" => "event".to_owned(),
        // Pages of the web app have these addresses.
        page @ ("kwaliteit" | "week") => format!("event-{page}"),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(from: i64, until: i64) -> EventFacts {
        let moment = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000);
        EventFacts { name: " Kade ".into(), from: moment(from), until: moment(until), notes: String::new() }
    }

    #[test]
    fn an_event_that_ends_before_it_starts_is_refused_and_a_name_is_trimmed() {
        assert_eq!(facts(10, 20).checked().unwrap().name, "Kade");
        for (from, until) in [(10, 10), (10, 9), (0, 24 * 61)] {
            assert_eq!(facts(from, until).checked().unwrap_err().thing, "until");
        }
    }

    #[test]
    fn an_id_is_made_of_the_name() {
        assert_eq!(slug("Vuurwerk bij de Erasmusbrug 2026"), "vuurwerk-bij-de-erasmusbrug-2026");
        assert_eq!(slug("Fête & café!"), "fete-cafe");
        assert_eq!(slug("???"), "event");
        assert_eq!(slug("Week"), "event-week");
    }
}
