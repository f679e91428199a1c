//! Whose subscription it is, and the port through which the notifier asks what that somebody may read now.

use std::sync::Arc;

use model::{ReadScope, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

/// Who made a subscription. What is told to it is decided with the rights that they have when it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The account, or `account/token-id` when a token made it.
    pub name: String,
    /// When the account was made: another one that gets the same name later is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Owner {
    /// The account, also when one of its tokens made the subscription.
    #[must_use]
    pub fn account(&self) -> &str {
        self.name.split_once('/').map_or(&self.name, |(account, _)| account)
    }
}

/// Whether a subscription may be told of changes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may, of these entities.
    May(ReadScope),
    /// It may not: why, in words for its owner.
    MayNot(String),
}

/// Answers what the owner of a subscription may read now. An error is no answer: it is asked again.
pub type Rights = Arc<dyn Fn(&Tenant, Option<&Owner>, Timestamp) -> Result<Standing, String> + Send + Sync>;
