//! What can go wrong in the control room.

use model::Problem;
use store::{CommitError, StoreError};

use crate::{PartView, geojson::FeatureProblem};

/// A failure, in words for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// What was asked cannot be.
    #[error("{}: {}", .0.thing, .0.detail)]
    Problem(Problem),
    /// There is no such event, part, run or alert.
    #[error("there is no {0}")]
    Missing(String),
    /// The state of things does not allow it.
    #[error("{}", .0.detail)]
    Conflict(Problem),
    /// Somebody changed the part since it was read.
    #[error("somebody else changed this part since you read it")]
    Changed(Option<Box<PartView>>),
    /// Features of a file cannot be used; nothing of it was taken over.
    #[error("{said}")]
    Features {
        /// How many, and the first.
        said: String,
        /// Each with what is wrong with it.
        problems: Vec<FeatureProblem>,
    },
    /// A task of a run broke off.
    #[error("the run broke off: {0}")]
    Broken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<Problem> for ControlError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
