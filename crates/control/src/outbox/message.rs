//! The words of a message: what, where, since when, and what to do next; plain and short.

use jiff::tz::TimeZone;
use model::Timestamp;
use serde_json::{Value, json};
use store::Document;
use support::crowd::Quantity;

use super::{Address, Delivery, Language, Recipient, What};

/// What every message of a rehearsal begins with, in every language.
pub const REHEARSAL: &str = "OEFENING (gesimuleerd)";
/// How far ahead alerts look, minutes.
const AHEAD_MIN: u32 = 30;

/// A message, ready to be carried.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// The same for each attempt, so that whoever gets it twice can tell.
    pub id: String,
    /// The same for each message about one alert to one recipient.
    pub thread: String,
    /// Where to.
    pub address: Address,
    /// What it tells.
    pub what: What,
    /// When it happened, by the server's clock.
    pub time: Timestamp,
    /// One line.
    pub subject: String,
    /// The whole, in plain text.
    pub text: String,
    /// The same for machines.
    pub data: Value,
}

impl Parcel {
    /// The message for a recipient. `base` is the address that people type, `zone` the one of the city.
    #[must_use]
    pub fn new(delivery: &Delivery, recipient: &Recipient, base: Option<&str>, zone: &TimeZone) -> Self {
        let words = Words { delivery, language: recipient.facts.language, base, zone };
        let (subject, text) = (words.subject(), words.text());
        let data = words.data(&subject, &text);
        Self {
            id: delivery.key(),
            thread: format!("{}/{}/{}/{}", delivery.event, delivery.run, delivery.alert, delivery.recipient),
            address: recipient.facts.address.clone(),
            what: delivery.what,
            time: delivery.queued_at,
            subject,
            text,
            data,
        }
    }

    /// The message as a CloudEvent 1.0 in the NL GOV profile; `source` is the URN of the sending system.
    #[must_use]
    pub fn cloud_event(&self, source: &str) -> Value {
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": format!("nl.polder.crowd.alert.{}", self.what.word()),
            "subject": self.subject,
            "time": self.time.to_string(),
            "datacontenttype": "application/json",
            "data": self.data,
        })
    }
}

struct Words<'a> {
    delivery: &'a Delivery,
    language: Language,
    base: Option<&'a str>,
    zone: &'a TimeZone,
}

impl Words<'_> {
    fn say(&self, nl: &str, en: &str) -> String {
        match self.language {
            Language::Nl => nl.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    fn subject(&self) -> String {
        let of = &self.delivery.of;
        let label = if of.simulated { format!("{REHEARSAL}: ") } else { String::new() };
        let area = &of.area_name;
        let what = match (self.delivery.what, of.is_now) {
            (What::Raised, true) | (What::Arrived, _) => {
                self.say(&format!("Te druk: {area}"), &format!("Too crowded: {area}"))
            }
            (What::Raised, false) => {
                self.say(&format!("Drukte verwacht: {area}"), &format!("Crowding expected: {area}"))
            }
            (What::Escalated, _) => self.say(&format!("Niemand reageert: {area}"), &format!("Nobody responds: {area}")),
            (What::Acknowledged, _) => self.say(&format!("Opgepakt: {area}"), &format!("Taken: {area}")),
            (What::Closed, _) => self.say(&format!("Voorbij: {area}"), &format!("Over: {area}")),
            (What::Test, _) => self.say("Testbericht", "Test message"),
        };
        format!("{label}{what} ({})", of.event_name)
    }

    fn text(&self) -> String {
        let of = &self.delivery.of;
        let mut lines: Vec<String> = vec![];
        if of.simulated {
            lines.push(REHEARSAL.to_owned());
            lines.push(self.say(
                "Dit is een oefening. De bezoekers bestaan niet.",
                "This is an exercise. The visitors do not exist.",
            ));
            lines.push(String::new());
        }
        lines.push(self.what());
        lines.push(String::new());
        lines.push(format!("{}: {}", self.say("Evenement", "Event"), of.event_name));
        if self.delivery.what != What::Test {
            lines.push(format!("{}: {}", self.say("Gebied", "Area"), of.area_name));
            if let Some(because) = of.because {
                lines.push(format!("{}: {}", self.say("Grens", "Threshold"), self.because(because)));
            }
            lines.push(format!("{}: {}", self.say("Melding sinds", "Alert since"), self.moment(of.raised_at)));
            lines.push(format!(
                "{}: {}",
                self.say("Dit bericht gaat over", "This message is about"),
                self.moment(self.delivery.at)
            ));
        }
        lines.push(String::new());
        lines.push(self.next());
        if let Some(link) = self.link() {
            lines.push(link);
        }
        lines.join("\n") + "\n"
    }

    fn what(&self) -> String {
        let of = &self.delivery.of;
        let area = &of.area_name;
        let chance = of.probability.map_or_else(String::new, |p| {
            let percent = (p * 100.0).round();
            self.say(&format!(" (kans {percent} %)"), &format!(" (probability {percent} %)"))
        });
        match (self.delivery.what, of.is_now) {
            (What::Raised, true) => {
                self.say(&format!("Het is nu te druk (rood) in {area}."), &format!("{area} is too crowded now (red)."))
            }
            (What::Raised, false) => self.say(
                &format!("Binnen {AHEAD_MIN} minuten wordt het waarschijnlijk te druk (rood) in {area}{chance}."),
                &format!("Within {AHEAD_MIN} minutes {area} will probably be too crowded (red){chance}."),
            ),
            (What::Arrived, _) => self.say(
                &format!("De verwachte drukte is er: het is nu te druk (rood) in {area}."),
                &format!("What was expected is there: {area} is too crowded now (red)."),
            ),
            (What::Escalated, _) => self.say(
                &format!("Niemand heeft de melding over {area} opgepakt."),
                &format!("Nobody has taken the alert about {area}."),
            ),
            (What::Acknowledged, _) => self.say(
                &format!("De regiekamer heeft de melding over {area} opgepakt."),
                &format!("The control room has taken the alert about {area}."),
            ),
            (What::Closed, _) => {
                self.say(&format!("De melding over {area} is gesloten."), &format!("The alert about {area} is closed."))
            }
            (What::Test, _) => self.say(
                "Dit is een testbericht. Er is niets aan de hand. U staat op de lijst voor berichten over dit evenement.",
                "This is a test message. Nothing is the matter. You are on the list for messages about this event.",
            ),
        }
    }

    fn next(&self) -> String {
        match self.delivery.what {
            What::Raised | What::Arrived | What::Escalated => self.say(
                "Wat nu: open de dienstweergave, neem de melding aan en beslis over een maatregel.",
                "What now: open the duty view, take the alert and decide on a measure.",
            ),
            What::Acknowledged | What::Closed => {
                self.say("U hoeft niets te doen. De dienstweergave:", "You need not do anything. The duty view:")
            }
            What::Test => {
                self.say("U hoeft niets te doen. De dienstweergave:", "You need not do anything. The duty view:")
            }
        }
    }

    fn because(&self, quantity: Quantity) -> String {
        match quantity {
            Quantity::Density => self.say("dichtheid (personen per m2)", "density (persons per m2)"),
            Quantity::SpecificFlow => self.say("doorstroming per meter breedte", "flow per metre of width"),
            Quantity::LevelOfService => self.say("niveau van Fruin", "Fruin's level of service"),
            Quantity::OccupancyShare => {
                self.say("aantal personen ten opzichte van de capaciteit", "persons compared with the capacity")
            }
        }
    }

    fn moment(&self, at: Timestamp) -> String {
        self.zone.to_datetime(at.into()).strftime("%d-%m-%Y %H:%M").to_string()
    }

    fn link(&self) -> Option<String> {
        let base = self.base?.trim_end_matches('/');
        Some(format!("{base}/drukte/{}/dienst", self.delivery.event))
    }

    fn data(&self, subject: &str, text: &str) -> Value {
        let (delivery, of) = (self.delivery, &self.delivery.of);
        json!({
            "label": of.simulated.then_some(REHEARSAL),
            "message": { "subject": subject, "text": text },
            "simulated": of.simulated,
            "event": { "id": delivery.event, "name": of.event_name },
            "run": delivery.run,
            "at": delivery.at.to_string(),
            "alert": (delivery.what != What::Test).then(|| json!({
                "id": delivery.alert,
                "what": delivery.what.word(),
                "areaName": of.area_name,
                "isNow": of.is_now,
                "because": of.because,
                "probability": of.probability,
                "raisedAt": of.raised_at.to_string(),
            })),
            "link": self.link(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{Channel, DeliveryState, RecipientFacts, TellOf, ToldOf};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros((1_787_000_000 + minutes * 60) * 1_000_000)
    }

    fn delivery(what: What, simulated: bool, is_now: bool) -> Delivery {
        Delivery {
            event: "avond".into(),
            run: "2".into(),
            at: at(5),
            alert: 3,
            entry: 0,
            recipient: "ovd".into(),
            function: "Officier van dienst".into(),
            channel: Channel::Email,
            what,
            of: ToldOf {
                event_name: "Avond aan de Maas".into(),
                area_name: "Kade".into(),
                simulated,
                is_now,
                because: Some(Quantity::Density),
                probability: Some(0.618),
                raised_at: at(0),
            },
            queued_at: at(5),
            state: DeliveryState::Waiting,
            attempts: 0,
            next_at: None,
            delivered_at: None,
            last_error: None,
        }
    }

    fn parcel(delivery: &Delivery, language: Language) -> Parcel {
        let facts = RecipientFacts {
            function: "Officier van dienst".into(),
            address: Address::Email { email: "ovd@example.org".into() },
            tell_of: TellOf::All,
            rehearsals: true,
            language,
        };
        let (event, key) = ("avond".into(), "ovd".into());
        let recipient = Recipient { event, key, facts, changed_by: "anna".into(), changed_at: at(0) };
        Parcel::new(delivery, &recipient, Some("https://polder.example.org/"), &TimeZone::UTC)
    }

    #[test]
    fn every_message_of_a_rehearsal_begins_with_the_word_for_an_exercise() {
        let all = [What::Raised, What::Arrived, What::Escalated, What::Acknowledged, What::Closed];
        for (what, language) in all.into_iter().flat_map(|what| [(what, Language::Nl), (what, Language::En)]) {
            let parcel = parcel(&delivery(what, true, true), language);
            assert!(parcel.subject.starts_with("OEFENING (gesimuleerd)"), "{parcel:?}");
            assert!(parcel.text.starts_with("OEFENING (gesimuleerd)\n"), "{parcel:?}");
            let event = parcel.cloud_event("urn:nld:polder");
            assert!(event["subject"].as_str().unwrap().starts_with("OEFENING (gesimuleerd)"));
            assert_eq!(event["data"]["simulated"], true);
        }
    }

    #[test]
    fn a_prediction_says_where_how_sure_since_when_and_what_to_do() {
        let dutch = parcel(&delivery(What::Raised, false, false), Language::Nl);
        assert_eq!(dutch.subject, "Drukte verwacht: Kade (Avond aan de Maas)");
        assert!(
            dutch.text.starts_with("Binnen 30 minuten wordt het waarschijnlijk te druk (rood) in Kade (kans 62 %).\n")
        );
        for part in [
            "Melding sinds: 17-08-2026 20:53",
            "dichtheid",
            "neem de melding aan",
            "https://polder.example.org/drukte/avond/dienst",
        ] {
            assert!(dutch.text.contains(part), "{part}: {}", dutch.text);
        }
        let english = parcel(&delivery(What::Arrived, false, true), Language::En);
        assert!(
            english.text.starts_with("What was expected is there: Kade is too crowded now (red)."),
            "{}",
            english.text
        );
    }

    #[test]
    fn a_cloud_event_has_what_the_profile_demands_and_no_address() {
        let event = parcel(&delivery(What::Escalated, false, true), Language::Nl)
            .cloud_event("urn:nld:oin:00000001:systeem:polder");
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["type"], "nl.polder.crowd.alert.escalated");
        assert_eq!(event["source"], "urn:nld:oin:00000001:systeem:polder");
        assert_eq!(event["data"]["alert"]["areaName"], "Kade");
        assert!(!event.to_string().contains("ovd@example.org"));
    }
}
