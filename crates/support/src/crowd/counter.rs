//! Readings of counters become flows per gate and step; each correction carries a mark, and each doubt a finding.

mod bridge;
mod intake;
mod series;
mod swap;

use std::collections::BTreeMap;

use model::{Problem, Timestamp};

use super::{AreaId, CounterId, GateId};

pub use intake::{CounterSettings, Counters};
pub(in crate::crowd) use series::plus_s;

/// What one counter saw in one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Which counter.
    pub counter: CounterId,
    /// The start of the interval.
    pub start: Timestamp,
    /// The length of the interval, s.
    pub length_s: f64,
    /// How many.
    pub counts: Counts,
}

/// Counts as counters give them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Counts {
    /// Persons within the interval.
    Interval {
        /// In the direction of the gate.
        forward: f64,
        /// Against it.
        backward: f64,
    },
    /// Totals since the counter's last start, at the end of the interval.
    Cumulative {
        /// In the direction of the gate.
        forward: f64,
        /// Against it.
        backward: f64,
    },
}

/// Persons in an area as another way of counting gives them.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaCount {
    /// Which area; one with parts counts all of them.
    pub area: AreaId,
    /// When.
    pub at: Timestamp,
    /// Persons.
    pub persons: f64,
    /// Its standard deviation, persons; above 0.
    pub sd_persons: f64,
    /// How it was counted.
    pub kind: CountKind,
}

/// How an area was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountKind {
    /// People counted by eye or on a picture.
    Observed,
    /// Totals of devices, scaled to persons at the source.
    Devices,
    /// Occupancy of a facility (parking, stand), scaled to persons at the source.
    Occupancy,
}

/// What was done to a value, or what is to be known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A cumulative counter started again; what it showed since is the count.
    Reset,
    /// The same reading came again and was not counted twice.
    Duplicate,
    /// The same interval came again with another value; the first one stands.
    Conflict,
    /// It came after its step was closed; the difference was added to the step after.
    Late,
    /// It came so late that it was not used.
    TooLate,
    /// Its clock is ahead, or jumped; the reading was not used.
    ClockJump,
    /// A negative count or one that is not a number; the reading was not used.
    Negative,
    /// More than the width can let through; the reading was not used.
    BeyondCapacity,
    /// Far outside the gate's own profile; used, with a larger standard deviation.
    OutsideProfile,
    /// The counter shows the same value again and again; the readings are not used.
    Stuck,
    /// The counter shows nothing while people must have passed; the readings are not used.
    SilentZero,
    /// No reading came; filled for a while from the other gates and the gate's own profile.
    Bridged,
    /// No reading came for longer than may be bridged.
    Unknown,
    /// The directions seem to be swapped; nothing was changed. It stays until the gate is judged afresh.
    SwapSuspected,
    /// The interval was spread over several steps.
    Spread,
}

/// How far a flow can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowStatus {
    /// Counted.
    Measured,
    /// Filled from elsewhere, for a stated time.
    Bridged,
    /// Not known. The numbers are what the other gates make likely, with a wide standard deviation; they serve the
    /// estimate of occupancy and are not to be shown as this gate's flow.
    Unknown,
}

/// The flow of one gate in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct GateFlow {
    /// Which gate.
    pub gate: GateId,
    /// The start of the step.
    pub start: Timestamp,
    /// The length of the step, s.
    pub length_s: f64,
    /// Persons in the gate's direction.
    pub forward: f64,
    /// Persons against it.
    pub backward: f64,
    /// Standard deviation of each direction beyond what the counter misses, persons.
    pub sd_persons: f64,
    /// How far it can be trusted.
    pub status: FlowStatus,
    /// Persons of earlier steps that came late (forward, backward), to be added to occupancy but not to this step's flow.
    pub late: (f64, f64),
    /// What was done to it, each once.
    pub marks: Vec<Mark>,
}

/// A doubt about a counter or gate that a person must look into.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The counter or gate.
    pub thing: String,
    /// Since when.
    pub since: Timestamp,
    /// What is the matter.
    pub mark: Mark,
    /// In words, with what to do.
    pub problem: Problem,
}

/// Flows of all gates in one step.
pub type StepFlows = BTreeMap<GateId, GateFlow>;

#[cfg(test)]
mod tests;
