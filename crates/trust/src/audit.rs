//! What the audit says: one form for sign-ins, accounts, tokens and every change of data.

use model::Timestamp;
use serde_json::Value;
use store::AuditEntry;

use crate::{Subject, SubjectKind};

/// What came of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// An entry of the audit. `action` is a noun and a verb (`entity.update`), `resource` the thing (an entity's id).
/// Put it in the transaction that makes the change, so that there is never one without the other.
#[must_use]
pub fn audit_entry(subject: &Subject, action: &str, resource: &str, outcome: Outcome, now: Timestamp) -> AuditEntry {
    let reason = match subject.kind {
        SubjectKind::Anonymous => "without an account",
        SubjectKind::Person => "a role of the account",
        SubjectKind::Machine => "a role of the token's owner and a scope of the token",
        SubjectKind::Open => "the server lets everybody in (--open)",
    };
    AuditEntry {
        at: now,
        subject: subject.name.to_string(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        outcome: outcome.word().to_owned(),
        reason: reason.to_owned(),
        detail: Value::Null,
    }
}
