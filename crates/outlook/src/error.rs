//! What can be wrong with a question.

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutlookError {
    /// There is no such set, or no such series in it.
    #[error("there is no {what} \"{}\"", .name.chars().take(80).collect::<String>())]
    Missing {
        /// `forecast` or `series`.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The set has no model yet.
    #[error("\"{set}\" has no model yet")]
    NoModel {
        /// The set.
        set: String,
    },
    /// The set is being trained already.
    #[error("\"{set}\" is being trained already")]
    Training {
        /// The set.
        set: String,
    },
}
