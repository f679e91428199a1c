//! The ways out other than HTTP: letters by SMTP, messages to an MQTT broker. Whoever sends decides what and when.

pub mod mail;
pub mod publish;

/// Why something was not taken by the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be taken later.
    #[error("{0}")]
    Later(String),
    /// The other side says no to this one.
    #[error("{0}")]
    Never(String),
}
