//! What measures do to visitors: gates that are closed, dosed or one-way, ways that are pointed out, people who come
//! later or leave sooner.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;

use crate::crowd::{AreaId, Gate, GateId};

/// The measures that hold in a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steering {
    /// Gates that nobody passes.
    pub closed: BTreeSet<GateId>,
    /// Gates that are passed forward only.
    pub one_way: BTreeSet<GateId>,
    /// The most persons that pass a gate forward in a minute.
    pub dosed: BTreeMap<GateId, f64>,
    /// Which share of those who come to a gate is sent to another: from, to, share.
    pub diverted: Vec<(GateId, GateId, f64)>,
    /// How many more decide to leave an area in a minute.
    pub leaving: BTreeMap<AreaId, f64>,
    /// Messages: since when, until when, the share that listens, and how many minutes later they come.
    pub messages: Vec<(Timestamp, Option<Timestamp>, f64, f64)>,
}

impl Steering {
    pub(super) fn is_closed(&self, gate: &str) -> bool {
        self.closed.contains(gate)
    }

    pub(super) fn is_one_way(&self, gate: &str) -> bool {
        self.one_way.contains(gate)
    }

    pub(super) fn extra_leaving(&self, area: &str) -> f64 {
        self.leaving.get(area).copied().unwrap_or_default()
    }

    /// How many may pass a gate in a minute, forward and backward, of those who want to. Both share its width.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "persons through a gate in a minute; the cast saturates"
    )]
    pub(super) fn allowed(&self, gate: &Gate, (forward, backward): (u64, u64)) -> (u64, u64) {
        if self.is_closed(&gate.id) {
            return (0, 0);
        }
        let backward = if self.is_one_way(&gate.id) { 0 } else { backward };
        let capacity = gate.capacity_per_min();
        let dose = self.dosed.get(&gate.id).copied().unwrap_or(f64::INFINITY);
        let wanted = (forward + backward) as f64;
        let share = if wanted > capacity { capacity / wanted } else { 1.0 };
        let forward = (forward as f64 * share).min(dose);
        (forward.floor() as u64, (backward as f64 * share).floor() as u64)
    }

    /// The shares of the arrivals by gate: closed gates are avoided, and some are sent elsewhere.
    pub(super) fn entries(&self, usual: &BTreeMap<GateId, f64>) -> BTreeMap<GateId, f64> {
        let mut shares: BTreeMap<GateId, f64> = usual
            .iter()
            .filter(|(gate, _)| !self.is_closed(gate))
            .map(|(gate, share)| (gate.clone(), *share))
            .collect();
        for (from, to, share) in &self.diverted {
            if !shares.contains_key(to) {
                continue;
            }
            let Some(there) = shares.get_mut(from) else { continue };
            let sent = *there * share.clamp(0.0, 1.0);
            *there -= sent;
            *shares.entry(to.clone()).or_default() += sent;
        }
        shares
    }

    /// How many arrive in the minute from `at`, when `usual` gives how many would without messages.
    pub(super) fn arrivals(&self, at: Timestamp, usual: impl Fn(Timestamp) -> f64) -> f64 {
        let mut expected = usual(at);
        for (from, until, share, later_min) in &self.messages {
            let holds = |at: Timestamp| at >= *from && until.is_none_or(|until| at < until);
            if holds(at) {
                expected -= share * usual(at);
            }
            #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
            let before = at.plus_micros(-((later_min * 60e6) as i64));
            if holds(before) {
                expected += share * usual(before);
            }
        }
        expected.max(0.0)
    }
}
