//! What can go wrong with accounts and credentials, in words that are safe to show to whoever asked.

use model::Problem;
use store::{CommitError, StoreError};

/// Why trust refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The token is unknown, expired or revoked.
    #[error("the API token is not valid: it is unknown, expired or revoked")]
    TokenInvalid,
    /// The name or the password is wrong; which of the two is never said.
    #[error("the name or the password is not right")]
    WrongNameOrPassword,
    /// Too many failed attempts.
    #[error("too many attempts to sign in; try again in {seconds} s")]
    TooManyAttempts {
        /// After how many seconds the next attempt is accepted.
        seconds: u64,
    },
    /// The other side of an OpenID Connect sign-in refused or failed.
    #[error("signing in with {provider} did not work: {detail}")]
    Provider {
        /// The provider's name in the settings.
        provider: String,
        /// What went wrong, without secrets.
        detail: String,
    },
    /// Something that was asked for cannot be done.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// There is no such account or token.
    #[error("{0}")]
    Missing(Problem),
    /// The name is taken.
    #[error("{0}")]
    Taken(Problem),
    /// Whoever asks may not do this to that account.
    #[error("{0}")]
    Denied(Problem),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Hashing failed: not enough memory, or a stored hash that is damaged.
    #[error("the password could not be checked: {0}")]
    Hashing(String),
    /// The operating system has no random bytes to give.
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
}
