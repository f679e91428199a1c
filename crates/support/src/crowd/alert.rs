//! An alert's life: raised once, acknowledged by a named person, escalated when nobody does, closed when it is over.
//!
//! The machine is pure: a state, an event and a moment give the next state and what happened, for the log and for
//! whoever must be told.

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AreaId, Colour, Quantity};

/// When an alert is raised, repeated upwards and closed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertRules {
    /// The least colour that raises an alert.
    pub raise_at: Colour,
    /// Raised as a prediction when the probability of red within the horizon reaches this (0..1).
    pub raise_probability: f64,
    /// For how many looks in a row it must; more is steadier and later.
    pub raise_looks: u32,
    /// A predicted alert is over when the probability has fallen below this (0..1).
    pub clear_probability: f64,
    /// For how long it must be over before the alert closes by itself, s.
    pub clear_s: f64,
    /// Without acknowledgement for this long it is escalated, s; each further time it is escalated again.
    pub escalate_s: f64,
    /// How many times it is escalated at most.
    pub escalations_max: u32,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            raise_at: Colour::Red,
            raise_probability: 0.45,
            raise_looks: 1,
            clear_probability: 0.2,
            clear_s: 300.0,
            escalate_s: 300.0,
            escalations_max: 2,
        }
    }
}

/// Where an alert is in its life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AlertState {
    /// Nothing is the matter.
    #[default]
    Quiet,
    /// Raised, and nobody has said that they take it.
    Raised {
        /// Since when.
        at: Timestamp,
        /// How many times it was escalated.
        escalations: u32,
    },
    /// A named person has it.
    Acknowledged {
        /// When it was raised.
        raised_at: Timestamp,
        /// Since when.
        at: Timestamp,
        /// Who.
        by: String,
    },
}

/// The alert of one area. At most one is open at a time: what gets worse changes it and raises no second one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The area that it is about.
    pub area: AreaId,
    /// Where it is in its life.
    pub state: AlertState,
    /// The worst that was seen: true for now, false for predicted.
    pub is_now: bool,
    /// Since when the reason has been gone, if it is.
    pub over_since: Option<Timestamp>,
    /// How many looks in a row have predicted red.
    pub looks: u32,
}

/// What can happen to an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertEvent {
    /// The area as it is now and as it is predicted.
    Seen {
        /// Its colour now (already steadied by hysteresis).
        colour: Colour,
        /// The probability (0..1) of red within the horizon; `None` when it cannot be said.
        probability: Option<f64>,
        /// Which threshold decided.
        because: Option<Quantity>,
    },
    /// A named person takes it.
    Acknowledge {
        /// Who.
        by: String,
    },
    /// A named person says that it is over.
    Close {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// What an event did, for the log and for those who must be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "happening")]
pub enum AlertHappening {
    /// A new alert.
    Raised {
        /// Red is there (true) or predicted (false).
        is_now: bool,
        /// The probability of red within the horizon, when that is why.
        probability: Option<f64>,
        /// Which threshold decided.
        because: Option<Quantity>,
    },
    /// What was predicted has come; the alert is the same.
    Arrived,
    /// A named person has taken it.
    Acknowledged {
        /// Who.
        by: String,
    },
    /// Nobody took it in time.
    Escalated {
        /// The how-many-eth time.
        step: u32,
    },
    /// It is over.
    Closed {
        /// Who closed it; `None` when it was over for long enough.
        by: Option<String>,
        /// The reason given.
        reason: Option<String>,
    },
}

impl Alert {
    /// No alert yet for this area.
    #[must_use]
    pub fn quiet(area: impl Into<AreaId>) -> Self {
        Self { area: area.into(), state: AlertState::Quiet, is_now: false, over_since: None, looks: 0 }
    }

    /// Whether it is raised or acknowledged.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != AlertState::Quiet
    }

    /// The next state and what happened. Events that come out of order in time never undo anything.
    ///
    /// # Errors
    /// An acknowledgement or closing without a name, without a reason, or of an alert that is not open.
    pub fn after(
        &self,
        event: &AlertEvent,
        at: Timestamp,
        rules: &AlertRules,
    ) -> Result<(Self, Vec<AlertHappening>), Problem> {
        match event {
            AlertEvent::Seen { colour, probability, because } => {
                Ok(self.seen(rules, at, (*colour, *probability, *because)))
            }
            AlertEvent::Acknowledge { by } => self.acknowledged(by, at),
            AlertEvent::Close { by, reason } => self.closed_by(by, reason),
        }
    }

    fn seen(
        &self,
        rules: &AlertRules,
        at: Timestamp,
        (colour, probability, because): (Colour, Option<f64>, Option<Quantity>),
    ) -> (Self, Vec<AlertHappening>) {
        let is_now = colour >= rules.raise_at && colour != Colour::Unknown;
        let mut next = self.clone();
        next.looks =
            if probability.is_some_and(|p| p >= rules.raise_probability) { self.looks.saturating_add(1) } else { 0 };
        let is_predicted = next.looks >= rules.raise_looks.max(1);
        let mut happened = Vec::new();
        if !self.is_open() {
            if is_now || is_predicted {
                next.state = AlertState::Raised { at, escalations: 0 };
                (next.is_now, next.over_since) = (is_now, None);
                happened.push(AlertHappening::Raised { is_now, probability, because });
            }
            return (next, happened);
        }
        if is_now && !self.is_now {
            next.is_now = true;
            happened.push(AlertHappening::Arrived);
        }
        // Unknown is not over: without a value nobody can say that the crowd has gone.
        let could_be_over = !is_now && colour != Colour::Unknown;
        let is_over = could_be_over && probability.is_none_or(|p| p < rules.clear_probability);
        next.over_since = if is_over { Some(self.over_since.unwrap_or(at)) } else { None };
        if next.over_since.is_some_and(|since| at.seconds_since(since) >= rules.clear_s) {
            happened.push(AlertHappening::Closed { by: None, reason: None });
            return (Self::quiet(self.area.clone()), happened);
        }
        next.escalate(rules, at, &mut happened);
        (next, happened)
    }

    fn escalate(&mut self, rules: &AlertRules, at: Timestamp, happened: &mut Vec<AlertHappening>) {
        if let AlertState::Raised { at: raised_at, escalations } = &mut self.state {
            let due = f64::from(*escalations + 1) * rules.escalate_s;
            if *escalations < rules.escalations_max && at.seconds_since(*raised_at) >= due {
                *escalations += 1;
                happened.push(AlertHappening::Escalated { step: *escalations });
            }
        }
    }

    fn acknowledged(&self, by: &str, at: Timestamp) -> Result<(Self, Vec<AlertHappening>), Problem> {
        let by = named(&self.area, by)?;
        match &self.state {
            AlertState::Quiet => Err(self.not_open()),
            // Who had it first keeps it: a second click is no second acknowledgement.
            AlertState::Acknowledged { .. } => Ok((self.clone(), Vec::new())),
            AlertState::Raised { at: raised_at, .. } => {
                let state = AlertState::Acknowledged { raised_at: *raised_at, at, by: by.clone() };
                Ok((Self { state, ..self.clone() }, vec![AlertHappening::Acknowledged { by }]))
            }
        }
    }

    fn closed_by(&self, by: &str, reason: &str) -> Result<(Self, Vec<AlertHappening>), Problem> {
        let by = named(&self.area, by)?;
        if !self.is_open() {
            return Err(self.not_open());
        }
        if reason.trim().is_empty() {
            return Err(Problem::new(self.thing(), "closed without a reason", "say why it is over"));
        }
        let closed = AlertHappening::Closed { by: Some(by), reason: Some(reason.trim().to_owned()) };
        Ok((Self::quiet(self.area.clone()), vec![closed]))
    }

    fn thing(&self) -> String {
        format!("alert of area \"{}\"", self.area)
    }

    fn not_open(&self) -> Problem {
        Problem::new(self.thing(), "is not open", "reload: somebody closed it, or it was over")
    }
}

fn named(area: &str, by: &str) -> Result<String, Problem> {
    let by = by.trim();
    if by.is_empty() {
        let thing = format!("alert of area \"{area}\"");
        return Err(Problem::new(thing, "nobody is named", "a named person answers for it: sign in"));
    }
    Ok(by.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::from_micros(minutes * 60_000_000)
    }

    fn see(colour: Colour, probability: f64) -> AlertEvent {
        AlertEvent::Seen { colour, probability: Some(probability), because: Some(Quantity::Density) }
    }

    /// Plays events a minute apart and writes down what happened.
    fn play(events: &[AlertEvent]) -> (Alert, Vec<(i64, AlertHappening)>) {
        let (mut alert, mut log) = (Alert::quiet("quay"), Vec::new());
        for (at, event) in (0..).zip(events) {
            let (next, happened) = alert.after(event, minute(at), &AlertRules::default()).unwrap();
            log.extend(happened.into_iter().map(|what| (at, what)));
            alert = next;
        }
        (alert, log)
    }

    #[test]
    fn a_predicted_alert_that_comes_true_stays_one_alert() {
        let (alert, log) = play(&[see(Colour::Green, 0.2), see(Colour::Amber, 0.7), see(Colour::Red, 0.99)]);
        assert!(alert.is_open() && alert.is_now);
        assert_eq!(log.len(), 2, "{log:?}");
        assert!(matches!(log[0], (1, AlertHappening::Raised { is_now: false, .. })));
        assert_eq!(log[1], (2, AlertHappening::Arrived));
    }

    #[test]
    fn an_alert_that_nobody_takes_is_escalated_and_one_that_is_taken_is_not() {
        let mut events = vec![see(Colour::Red, 1.0); 12];
        let (_, log) = play(&events);
        assert_eq!(log[1..], [(5, AlertHappening::Escalated { step: 1 }), (10, AlertHappening::Escalated { step: 2 })]);
        events[3] = AlertEvent::Acknowledge { by: "A. de Vries".into() };
        let (alert, log) = play(&events);
        assert_eq!(log.len(), 2, "{log:?}");
        assert!(matches!(alert.state, AlertState::Acknowledged { .. }));
    }

    #[test]
    fn an_alert_closes_only_after_it_was_over_for_a_while_and_unknown_is_not_over() {
        let mut events = vec![see(Colour::Red, 1.0)];
        events.extend(vec![see(Colour::Unknown, 0.0); 20]);
        let (alert, _) = play(&events);
        assert!(alert.is_open());
        events.extend(vec![see(Colour::Green, 0.1); 6]);
        let (alert, log) = play(&events);
        assert!(!alert.is_open());
        assert_eq!(log.last(), Some(&(26, AlertHappening::Closed { by: None, reason: None })));
    }

    #[test]
    fn acknowledging_or_closing_needs_a_name_a_reason_and_an_open_alert() {
        let quiet = Alert::quiet("quay");
        let rules = AlertRules::default();
        let by = |name: &str| AlertEvent::Acknowledge { by: name.into() };
        assert!(quiet.after(&by("A. de Vries"), minute(0), &rules).is_err());
        let (open, _) = quiet.after(&see(Colour::Red, 1.0), minute(0), &rules).unwrap();
        assert!(open.after(&by("  "), minute(1), &rules).unwrap_err().to_string().contains("nobody is named"));
        let close = AlertEvent::Close { by: "A. de Vries".into(), reason: String::new() };
        assert!(open.after(&close, minute(1), &rules).unwrap_err().to_string().contains("without a reason"));
    }

    proptest! {
        #[test]
        fn raised_and_closed_always_alternate(seen in prop::collection::vec((0..4_u8, 0.0..1.0_f64), 1..200)) {
            let colours = [Colour::Unknown, Colour::Green, Colour::Amber, Colour::Red];
            let events: Vec<_> = seen.iter().map(|(colour, p)| see(colours[usize::from(*colour)], *p)).collect();
            let (_, log) = play(&events);
            let borders: Vec<bool> = log.iter().filter_map(|(_, what)| match what {
                AlertHappening::Raised { .. } => Some(true),
                AlertHappening::Closed { .. } => Some(false),
                _ => None,
            }).collect();
            for (place, is_raised) in borders.iter().enumerate() {
                prop_assert_eq!(*is_raised, place % 2 == 0);
            }
            // Between closing and the time it takes to be over lie at least the minutes of the rule.
            let closings: Vec<i64> =
                log.iter().filter(|(_, w)| matches!(w, AlertHappening::Closed { .. })).map(|(at, _)| *at).collect();
            for pair in closings.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 6);
            }
        }
    }
}
