//! A problem with input: which thing, what is wrong, what to do. Bad input is a value, not a failure.

use serde::{Deserialize, Serialize};

/// Something wrong with one thing in the input. It names the thing and the remedy, for a person to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{thing}: {detail}; {remedy}")]
pub struct Problem {
    /// The field, row, file or setting that is wrong.
    pub thing: String,
    /// What is wrong with it.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// The line of the input where it was found, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Problem {
    /// A problem without a line number.
    pub fn new(thing: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { thing: thing.into(), detail: detail.into(), remedy: remedy.into(), line: None }
    }

    /// The same problem, with the line of the input where it was found.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}
