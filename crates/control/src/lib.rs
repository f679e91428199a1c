//! The control room: events that are planned, rehearsed, run and looked back on.
//!
//! A plan is made of parts that people change at once; a run lives through it, live or with simulated visitors, and
//! records what was seen, what was raised and what was decided.

mod error;
mod event;
pub mod events;
pub mod geojson;
mod measure;
pub mod outbox;
mod parts;
mod picture;
pub mod record;
mod report;
pub mod retention;
mod room;
mod run;
mod site;

pub use error::ControlError;
pub use event::{Event, EventFacts};
pub use events::Plan;
pub use measure::{LIBRARY, Measure, MeasureCard, MeasureKind, Text};
pub use parts::{
    AreaCounterPart, AreaPart, BarrierPart, BarrierSide, Body, ConditionPart, ConsequencePart, CounterKind,
    CounterPart, GatePart, KINDS, Level, LinkPart, MeasurePart, Part, PartView, ProgrammePart, ThreatKind, ThreatPart,
    checked_key,
};
pub use picture::{
    Ahead, Amount, AreaPicture, AreaThresholds, Borders, ConditionPicture, GatePicture, GateStatus, Picture,
};
pub use record::{AlertRecord, DecisionRecord, Difference, RunGap, RunKind, RunRecord, RunState};
pub use report::{
    AreaReport, ColourMinutes, DecisionReport, HorizonQuality, Outcome, Peak, Point, ProgrammeEntry, Report, report,
};
pub use room::{Actor, Clock, Room, Start};
pub use run::rehearse;
pub use site::site_of;
