//! The crowd in public space: how many people are where, what will cross a threshold, what a measure changes.
//!
//! One file for one thing:
//! - [`Site`]: areas, gates and links, checked
//! - [`Counters`]: readings become flows per gate and step, each with what was done to it
//! - [`Estimator`]: flows become occupancy per area, with its standard deviation and its making
//! - [`flow`]: density, specific flow, speed, Fruin's level of service, time to capacity
//! - [`Thresholds`]: amber and red, with hysteresis
//! - [`Departure`]: who goes home when the programme is over
//! - [`project`]: where occupancy goes in the next hour, and with which probability it crosses
//! - [`Plan`]: measures and what they change
//! - [`Alert`]: raised once, acknowledged, escalated, closed
//! - [`Suppressor`]: small counts leave in no output, nor by subtraction
//! - [`Live`]: all of it wired together for one site

mod alert;
mod counter;
mod departure;
pub mod evaluate;
pub mod flow;
mod live;
mod measure;
mod occupancy;
mod risk;
mod site;
mod site_check;
mod suppress;
#[cfg(test)]
mod test_sites;
mod threshold;
mod trend;

pub use alert::{Alert, AlertEvent, AlertHappening, AlertRules, AlertState};
pub use counter::{
    AreaCount, CountKind, CounterSettings, Counters, Counts, Finding, FlowStatus, GateFlow, Mark, Reading, StepFlows,
};
pub use departure::{Departure, DepartureSettings};
pub use flow::{FundamentalDiagram, LevelOfService};
pub use live::{AreaPicture, Live, LiveSettings, StepDone};
pub use measure::{Comparison, Difference, Measure, Plan, Planned, what_if};
pub use occupancy::{Anchor, Correction, Estimator, EstimatorSettings, Knowledge, Making, Occupancy, Start};
pub use risk::{AreaProjection, Crossing, ForecastBand, Projection, RiskSettings, project};
pub use site::{Area, AreaId, AreaUse, ClosedHours, CounterId, Gate, GateId, Link, Side, Site, Undercount};
pub use suppress::{Cell, Suppressed, Suppressor};
pub use threshold::{Colour, Limit, Load, Quantity, ServiceLimit, Steady, Thresholds};
pub use trend::{Arrival, Direction, Lane, Leaving, Outlook, Trends};
