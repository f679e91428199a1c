//! Gates of a plan, and the counters at them.

use model::{Geometry, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{amounts, drawing, source};

/// The longest period of a counter, s: a day.
const PERIOD_S_MAX: u32 = 86_400;
/// The most persons for each one counted: a long train.
const PERSONS_EACH_MAX: f64 = 2_000.0;

/// A line where people are counted; forward is from `from` to `to`, and outside is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdGate)]
pub struct GatePart {
    /// What it is called.
    pub name: String,
    /// The line: a GeoJSON line string, degrees.
    #[schema(value_type = Object)]
    pub line: Geometry,
    /// The width that people can use, m.
    pub width_m: f64,
    /// The area where forward comes from; outside when absent.
    #[serde(default)]
    pub from: Option<String>,
    /// The area where forward goes to; outside when absent.
    #[serde(default)]
    pub to: Option<String>,
    /// Which share of the visitors arrives here; by width when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_share: Option<f64>,
    /// Where its counts come from in a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<CounterPart>,
}

impl GatePart {
    pub(super) fn check(&self) -> Result<(), Problem> {
        drawing("line", &self.line, &["LineString"])?;
        amounts([("widthM", self.width_m)])?;
        if self.arrival_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Problem::new("arrivalShare", "it is not a share", "use a number from 0 to 1"));
        }
        self.counter.as_ref().map_or(Ok(()), CounterPart::check)
    }
}

/// How a counter gives what it counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdCounterKind)]
pub enum CounterKind {
    /// How many in each period.
    #[default]
    Period,
    /// How many since it was started; it may start again.
    Total,
}

/// An entity that counts: its attributes with the persons, or what carries them, of each period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdCounter)]
pub struct CounterPart {
    /// The id of the entity.
    pub entity: String,
    /// The attribute with those who went forward, for example `peopleCountTowards`.
    pub in_attribute: String,
    /// The attribute with those who came back, for example `peopleCountAway`. Absent for a counter that sees one
    /// direction only, as of vehicles that arrive: nobody is then taken to come back this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub out_attribute: Option<String>,
    /// How long one count lasts, s; it ends at its `observedAt`.
    pub period_s: u32,
    /// How it gives what it counted.
    #[serde(default)]
    pub counts: CounterKind,
    /// Persons for each one counted, for example in a car or a tram; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub persons_each: Option<f64>,
    /// The standard deviation of `personsEach` as a mean; a fifth of it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub persons_each_sd: Option<f64>,
}

impl CounterPart {
    pub(super) fn check(&self) -> Result<(), Problem> {
        source("counter", &self.entity, &self.in_attribute)?;
        if let Some(out) = &self.out_attribute {
            source("counter", &self.entity, out)?;
            if *out == self.in_attribute {
                let remedy = "name another attribute, or leave outAttribute away when it counts one direction";
                return Err(Problem::new("counter.outAttribute", "both directions name the same attribute", remedy));
            }
        }
        if !(1..=PERIOD_S_MAX).contains(&self.period_s) {
            let detail = format!("{} s is not the period of a counter", self.period_s);
            return Err(Problem::new("counter.periodS", detail, "use whole seconds from 1 to 86,400"));
        }
        let given = [("counter.personsEach", self.persons_each), ("counter.personsEachSd", self.persons_each_sd)];
        amounts(given.into_iter().filter_map(|(field, value)| Some((field, value?))))?;
        if self.persons_each.is_some_and(|each| each > PERSONS_EACH_MAX) {
            let remedy = "use persons for one vehicle, at most 2,000";
            return Err(Problem::new("counter.personsEach", "more persons than one can carry", remedy));
        }
        if self.persons_each_sd.is_some() && self.persons_each.is_none() {
            let remedy = "give personsEach too, or neither";
            return Err(Problem::new("counter.personsEachSd", "it says how sure something absent is", remedy));
        }
        Ok(())
    }

    /// Whether another gate counts the same persons.
    pub(crate) fn shares(&self, other: &Self) -> bool {
        let named = |part: &Self| [Some(part.in_attribute.clone()), part.out_attribute.clone()];
        let others = named(other);
        self.entity == other.entity
            && named(self).iter().flatten().any(|name| others.iter().flatten().any(|o| o == name))
    }

    /// Persons for each one counted.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.persons_each.unwrap_or(1.0)
    }

    /// How sure that number is, as a share of it; 0 where persons themselves are counted.
    #[must_use]
    pub fn each_sd_share(&self) -> f64 {
        self.persons_each.map_or(0.0, |each| self.persons_each_sd.map_or(0.2, |sd| sd / each))
    }
}
