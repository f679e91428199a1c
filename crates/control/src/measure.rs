//! The library of measures: what each needs, what it is expected to do, and what it can make worse.

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = CrowdMeasureKind)]
pub enum MeasureKind {
    /// Close a gate.
    Close,
    /// Send a share of those who come to another gate.
    Divert,
    /// Let at most so many through a gate each minute.
    Dose,
    /// More trains, trams or buses: people leave an area faster.
    ExtraTransport,
    /// Ask people to come later.
    Message,
    /// A gate in its forward direction only.
    OneWay,
}

/// A measure, with where, when and how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdMeasure)]
pub struct Measure {
    /// What is done.
    pub kind: MeasureKind,
    /// At which gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub gate: Option<String>,
    /// To which gate people are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to_gate: Option<String>,
    /// For which area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub area: Option<String>,
    /// How many persons each minute: let through (dose), or taken away (extra transport).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub per_min: Option<f64>,
    /// Which share (0..1) of those who come does as asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub share: Option<f64>,
    /// How many minutes later those who do as asked come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub later_min: Option<f64>,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until when; until further notice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub until: Option<Timestamp>,
}

/// A text in both languages of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CrowdText)]
pub struct Text {
    /// Dutch.
    pub nl: &'static str,
    /// English.
    pub en: &'static str,
}

/// What the library says of a kind of measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CrowdMeasureCard)]
pub struct MeasureCard {
    /// The kind.
    pub kind: MeasureKind,
    /// The fields that it needs beside `from`.
    pub needs: &'static [&'static str],
    /// What it is expected to do.
    pub expects: Text,
    /// What it can make worse.
    pub caution: Text,
}

/// Every kind of measure, in the order of their names.
pub const LIBRARY: &[MeasureCard] = &[
    MeasureCard {
        kind: MeasureKind::Close,
        needs: &["gate"],
        expects: Text {
            nl: "Niemand gaat meer door deze poort. Wie komt, kiest een andere weg of wacht.",
            en: "Nobody passes this gate. Who comes chooses another way or waits.",
        },
        caution: Text {
            nl: "De drukte verplaatst zich naar de andere poorten en naar buiten. Houd een vluchtweg vrij.",
            en: "The crowd moves to the other gates and to the outside. Keep a way out free.",
        },
    },
    MeasureCard {
        kind: MeasureKind::Divert,
        needs: &["gate", "toGate", "share"],
        expects: Text {
            nl: "Een deel van de mensen komt door een andere poort binnen.",
            en: "Some of the people enter through another gate.",
        },
        caution: Text {
            nl: "De andere poort en de weg daarheen moeten het aankunnen.",
            en: "The other gate, and the way to it, must be able to take them.",
        },
    },
    MeasureCard {
        kind: MeasureKind::Dose,
        needs: &["gate", "perMin"],
        expects: Text {
            nl: "Er gaan per minuut niet meer mensen door de poort dan u kiest. Binnen loopt het langzamer vol.",
            en: "No more people pass the gate each minute than you choose. Inside it fills more slowly.",
        },
        caution: Text {
            nl: "Buiten de poort ontstaat een rij. Zorg daar voor ruimte en uitleg.",
            en: "A queue forms outside the gate. Give it space and explain why.",
        },
    },
    MeasureCard {
        kind: MeasureKind::ExtraTransport,
        needs: &["area", "perMin"],
        expects: Text {
            nl: "Per minuut verlaten meer mensen het gebied.",
            en: "More people leave the area each minute.",
        },
        caution: Text {
            nl: "Extra vervoer trekt mensen naar de halte. Houd de weg ernaartoe in het oog.",
            en: "Extra transport draws people to the stop. Watch the way to it.",
        },
    },
    MeasureCard {
        kind: MeasureKind::Message,
        needs: &["share", "laterMin"],
        expects: Text {
            nl: "Een deel van de mensen komt later. De piek wordt lager en duurt langer.",
            en: "Some of the people come later. The peak is lower and lasts longer.",
        },
        caution: Text {
            nl: "Hoeveel mensen luisteren is een schatting. Vergelijk het achteraf met wat er gebeurde.",
            en: "How many people listen is an estimate. Compare it with what happened afterwards.",
        },
    },
    MeasureCard {
        kind: MeasureKind::OneWay,
        needs: &["gate"],
        expects: Text {
            nl: "Mensen gaan in één richting door de poort. Er is geen tegenstroom, dus er kunnen meer mensen door.",
            en: "People pass the gate in one direction. There is no counterflow, so more people can pass.",
        },
        caution: Text {
            nl: "Wie terug wil, heeft een andere poort nodig.",
            en: "Who wants to go back needs another gate.",
        },
    },
];

impl Measure {
    /// Whether the measure has what its kind needs, and only amounts that can be.
    ///
    /// # Errors
    /// A field that is missing or impossible.
    pub fn check(&self) -> Result<(), Problem> {
        let needs = LIBRARY.iter().find(|card| card.kind == self.kind).map_or(&[][..], |card| card.needs);
        let missing = |field: &str| match field {
            "gate" => self.gate.is_none(),
            "toGate" => self.to_gate.is_none(),
            "area" => self.area.is_none(),
            "perMin" => self.per_min.is_none(),
            "share" => self.share.is_none(),
            "laterMin" => self.later_min.is_none(),
            _ => false,
        };
        if let Some(field) = needs.iter().find(|field| missing(field)) {
            return Err(Problem::new(*field, "this measure needs it", format!("give \"{field}\"")));
        }
        if self.per_min.is_some_and(|value| !(value.is_finite() && (0.0..=100_000.0).contains(&value))) {
            return Err(Problem::new("perMin", "it is not a number of persons", "use a number from 0 to 100,000"));
        }
        if self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Problem::new("share", "it is not a share", "use a number from 0 to 1"));
        }
        if self.later_min.is_some_and(|minutes| !(1.0..=600.0).contains(&minutes)) {
            return Err(Problem::new("laterMin", "it is not a delay", "use minutes from 1 to 600"));
        }
        if self.until.is_some_and(|until| until <= self.from) {
            return Err(Problem::new("until", "the measure ends before it starts", "choose an end after the start"));
        }
        Ok(())
    }

    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        at >= self.from && self.until.is_none_or(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_says_which_field_it_lacks() {
        let mut dose: Measure =
            serde_json::from_str(r#"{"kind": "dose", "gate": "noord", "from": "2026-08-21T19:00:00Z"}"#).unwrap();
        assert_eq!(dose.check().unwrap_err().thing, "perMin");
        dose.per_min = Some(40.0);
        assert!(dose.check().is_ok());
        dose.until = Some(dose.from);
        assert_eq!(dose.check().unwrap_err().thing, "until");
    }

    #[test]
    fn every_kind_is_in_the_library_once_and_in_order() {
        let kinds: Vec<_> = LIBRARY.iter().map(|card| card.kind).collect();
        let mut sorted = kinds.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(kinds, sorted);
        assert_eq!(kinds.len(), 6);
    }
}
