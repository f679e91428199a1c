//! The alerts of a run: one at a time for each area, each with its whole life.

use std::collections::BTreeMap;

use model::{Problem, Timestamp};
use support::crowd::{Alert, AlertEvent, AlertHappening, AlertState};

use super::{
    reason::Reason,
    watch::{Watch, area_names},
};
use crate::{
    AlertRecord, ControlError, Plan, RunRecord,
    record::{AlertEntry, AlertStatus},
};

/// The alerts of a run that are open, by area. The rules are those of `support`; here is what is kept of them.
pub(super) struct Alerts {
    event: String,
    run: String,
    names: BTreeMap<String, String>,
    open: BTreeMap<String, AlertRecord>,
    last: u32,
}

impl Alerts {
    pub(super) fn new(run: &RunRecord, plan: &Plan) -> Self {
        let (event, id) = (run.event.clone(), run.id.clone());
        Self { event, run: id, names: area_names(plan), open: BTreeMap::new(), last: 0 }
    }

    /// Takes over the alerts of a run that a stop of the server broke off: those that are open stay so.
    pub(super) fn restore(&mut self, stored: Vec<AlertRecord>, watch: &mut Watch) {
        for record in stored {
            self.last = self.last.max(record.id);
            if record.status != AlertStatus::Closed && self.names.contains_key(&record.area) {
                self.put_back(record, watch);
            }
        }
    }

    /// An alert that is open.
    pub(super) fn get(&self, id: u32) -> Option<AlertRecord> {
        self.open.values().find(|alert| alert.id == id).cloned()
    }

    /// Puts an open alert back as it was kept.
    pub(super) fn put_back(&mut self, record: AlertRecord, watch: &mut Watch) {
        watch.restore(alert_of(&record));
        self.open.insert(record.area.clone(), record);
    }

    /// The open alerts, the newest first.
    pub(super) fn open(&self) -> Vec<AlertRecord> {
        let mut open: Vec<_> = self.open.values().cloned().collect();
        open.sort_by_key(|alert| std::cmp::Reverse(alert.id));
        open
    }

    /// Takes over what happened in a step; gives the alerts that changed. `because` tells why an area is red (now or in a
    /// prediction).
    pub(super) fn take(
        &mut self,
        happened: &[(String, AlertHappening)],
        because: impl Fn(&str, bool) -> Option<Reason>,
        at: Timestamp,
    ) -> Vec<AlertRecord> {
        let mut changed: BTreeMap<u32, AlertRecord> = BTreeMap::new();
        for (area, happening) in happened {
            if let Some(record) = self.after(area, happening, &because, at) {
                changed.insert(record.id, record);
            }
        }
        changed.into_values().collect()
    }

    pub(super) fn acknowledge(
        &mut self,
        watch: &mut Watch,
        id: u32,
        by: &str,
        at: Timestamp,
    ) -> Result<AlertRecord, ControlError> {
        self.act(watch, id, &AlertEvent::Acknowledge { by: by.to_owned() }, at)
    }

    pub(super) fn close(
        &mut self,
        watch: &mut Watch,
        id: u32,
        (by, reason): (&str, &str),
        at: Timestamp,
    ) -> Result<AlertRecord, ControlError> {
        let event = AlertEvent::Close { by: by.to_owned(), reason: reason.trim().to_owned() };
        self.act(watch, id, &event, at)
    }

    fn act(
        &mut self,
        watch: &mut Watch,
        id: u32,
        event: &AlertEvent,
        at: Timestamp,
    ) -> Result<AlertRecord, ControlError> {
        let Some(record) = self.get(id) else {
            let detail = format!("alert {id} is not open");
            return Err(ControlError::Conflict(Problem::new("alert", detail, "look at the list of alerts again")));
        };
        let happened = watch.decide(&record.area, event, at)?;
        let happened: Vec<_> = happened.into_iter().map(|what| (record.area.clone(), what)).collect();
        Ok(self.take(&happened, |_, _| None, at).pop().unwrap_or(record))
    }

    /// A closed alert leaves the open ones.
    fn after(
        &mut self,
        area: &str,
        happening: &AlertHappening,
        because_of: &impl Fn(&str, bool) -> Option<Reason>,
        at: Timestamp,
    ) -> Option<AlertRecord> {
        if let AlertHappening::Raised { is_now, probability, .. } = happening {
            self.last += 1;
            let because = because_of(area, *is_now);
            let record = AlertRecord {
                event: self.event.clone(),
                run: self.run.clone(),
                id: self.last,
                area: area.to_owned(),
                area_name: self.names.get(area).cloned().unwrap_or_else(|| area.to_owned()),
                status: AlertStatus::Raised,
                is_now: *is_now,
                raised_at: at,
                because: because.map(|reason| reason.quantity),
                threshold: because.map(|reason| reason.threshold),
                probability: probability.filter(|_| !is_now),
                acknowledged_by: None,
                escalations: 0,
                log: vec![],
            };
            self.open.insert(area.to_owned(), record);
        }
        let record = self.open.get_mut(area)?;
        record.log.push(entry(happening, at));
        match happening {
            AlertHappening::Raised { .. } => {}
            AlertHappening::Arrived => {
                record.is_now = true;
                if let Some(reason) = because_of(area, true) {
                    (record.because, record.threshold) = (Some(reason.quantity), Some(reason.threshold));
                }
            }
            AlertHappening::Acknowledged { by } => {
                record.status = AlertStatus::Acknowledged;
                record.acknowledged_by = Some(by.clone());
            }
            AlertHappening::Escalated { step } => record.escalations = *step,
            AlertHappening::Closed { .. } => {
                record.status = AlertStatus::Closed;
                return self.open.remove(area);
            }
        }
        Some(record.clone())
    }
}

/// The state of an alert that was kept.
fn alert_of(record: &AlertRecord) -> Alert {
    let taken = record.log.iter().rfind(|entry| entry.what == "acknowledged").map(|entry| entry.at);
    let state = match &record.acknowledged_by {
        Some(by) => AlertState::Acknowledged {
            raised_at: record.raised_at,
            at: taken.unwrap_or(record.raised_at),
            by: by.clone(),
        },
        None => AlertState::Raised { at: record.raised_at, escalations: record.escalations },
    };
    Alert { state, is_now: record.is_now, ..Alert::quiet(record.area.clone()) }
}

fn entry(happening: &AlertHappening, at: Timestamp) -> AlertEntry {
    let (what, by, reason) = match happening {
        AlertHappening::Raised { .. } => ("raised", None, None),
        AlertHappening::Arrived => ("arrived", None, None),
        AlertHappening::Acknowledged { by } => ("acknowledged", Some(by.clone()), None),
        AlertHappening::Escalated { .. } => ("escalated", None, None),
        AlertHappening::Closed { by, reason } => ("closed", by.clone(), reason.clone()),
    };
    AlertEntry { at, what: what.to_owned(), by, reason }
}
