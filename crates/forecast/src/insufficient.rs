//! When there is no answer, and why.

use serde::{Deserialize, Serialize};

/// Days with values that a series needs before it is forecast.
pub const HISTORY_DAYS_MIN: usize = 28;
/// Hours of the last four weeks that must be there.
pub const RECENT_HOURS_MIN: usize = 14 * 24;

/// Why history, inputs or validity range do not carry an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Insufficient {
    /// The series is not in the panel.
    #[error("there is no series of this name")]
    UnknownSeries,
    /// Too few days have been counted.
    #[error("{days} days with counts, at least {needed} are needed")]
    TooLittleHistory {
        /// Days with at least one count.
        days: usize,
        /// Days that are needed.
        needed: usize,
    },
    /// Too much of the last four weeks is missing.
    #[error("{hours} hours with counts in the last four weeks, at least {needed} are needed")]
    TooManyGaps {
        /// Hours with a count.
        hours: usize,
        /// Hours that are needed.
        needed: usize,
    },
    /// This hour has no count in any of the eight weeks before, nor in the last 28 days.
    #[error("nothing was counted at this hour in the weeks before")]
    HourNeverSeen,
    /// Asked for further ahead than the model reaches, or for the past.
    #[error("{hours} hours ahead; the model answers for 1 to 168 hours")]
    OutsideHorizon {
        /// Hours from the origin to the end of the hour asked for.
        hours: i64,
    },
    /// The level is far outside what the model learned from.
    #[error("the series' level is {factor} times what the model was trained on; it holds up to {most} times")]
    OutsideValidity {
        /// Level now against the highest level in training, rounded.
        factor: u32,
        /// The most that the model answers for.
        most: u32,
    },
    /// The panel has not the inputs that the model was trained with: other weather, other lists of days.
    #[error("the model was trained with other inputs; missing or added: {}", .inputs.join(", "))]
    OtherInputs {
        /// Names of features that only one of both has.
        inputs: Vec<String>,
    },
    /// An evaluation in which no series has enough hours.
    #[error(
        "every one of {series} series was left out: {first}; lower history_share_min or window_share_min, or choose another window"
    )]
    LeftOut {
        /// How many there were.
        series: usize,
        /// Why the first was.
        first: String,
    },
    /// The model learned from nothing: no series had enough history.
    #[error("no series had enough history to learn from: about eight weeks are needed")]
    NothingLearned,
}
