//! The quality label on each value: where it came from, and what is known to be wrong with it.

use serde::{Deserialize, Serialize};

/// How a value came to be. Shown with every value, so that nobody takes a model for a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Read by a sensor or counted (Dutch: *gemeten*).
    #[default]
    Measured,
    /// Computed from measurements or a timetable (*berekend*).
    Modelled,
    /// A statement about the future (*voorspeld*).
    Forecast,
    /// Made by a simulation (*gesimuleerd*).
    Simulated,
    /// Entered or decided by a person or a register (*geregistreerd*).
    Registered,
}

/// What checks found when the value was accepted. All `false` is a clean value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QualityFlags {
    /// Outside the range that the source states for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub out_of_range: bool,
    /// The same value for longer than the source says is plausible.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stuck: bool,
    /// Arrived later after it was observed than the source promises.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The source itself marks it as doubtful.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
}

/// The quality label of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// How the value came to be.
    pub origin: Origin,
    /// What checks found.
    #[serde(flatten)]
    pub flags: QualityFlags,
    /// The name of the source in the city's configuration, where one delivered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
