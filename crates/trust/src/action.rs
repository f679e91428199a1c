//! The actions that a route can need, and their names in token scopes.

use std::{fmt, str::FromStr};

use model::Problem;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $variant:ident = $scope:literal,)*) => {
        /// Something that a subject may be allowed to do. Each route of the API needs exactly one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Action {
            /// Every action, in the order in which the rights table shows them.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// The name in token scopes and in the audit, such as `entities:write`.
            #[must_use]
            pub fn scope(self) -> &'static str {
                match self {
                    $(Self::$variant => $scope,)*
                }
            }
        }
    };
}

actions! {
    /// Say whether the server lives and is ready; read the description of the API.
    ReadHealth = "health:read",
    /// Sign in, sign out, ask who one is.
    UseSession = "session:use",
    /// Read the web app, the city's settings, layers, tiles, features and search.
    ReadLayers = "layers:read",
    /// Read the current state of entities.
    ReadEntities = "entities:read",
    /// Create and change entities.
    WriteEntities = "entities:write",
    /// Delete entities and their attributes.
    DeleteEntities = "entities:delete",
    /// Read history.
    ReadHistory = "history:read",
    /// Add, correct and delete history.
    WriteHistory = "history:write",
    /// Create, change and end subscriptions.
    ManageSubscriptions = "subscriptions:manage",
    /// Store and delete JSON-LD contexts.
    ManageContexts = "contexts:manage",
    /// Set the city's clock and the speed of a replay.
    SetClock = "clock:set",
    /// See the state of the sources and what they refused.
    ReadSources = "sources:read",
    /// Start, stop and change sources.
    ManageSources = "sources:manage",
    /// Read measurements of the server itself.
    ReadMetrics = "metrics:read",
    /// Make, list and revoke one's own API tokens.
    ManageOwnTokens = "tokens:manage",
    /// Add, change and remove accounts.
    ManageUsers = "users:manage",
    /// Read the audit.
    ReadAudit = "audit:read",
    /// See crowding, its forecast, alerts and what was decided.
    ReadCrowd = "crowd:read",
    /// Make and change the plans of events, and rehearse them.
    PlanCrowd = "crowd:plan",
    /// Run an event: take alerts, decide on measures.
    ActOnCrowd = "crowd:act",
}

impl Action {
    /// Whether the action changes something. Reading never does.
    #[must_use]
    pub fn changes(self) -> bool {
        !self.scope().ends_with(":read")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scope())
    }
}

impl FromStr for Action {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::ALL.iter().copied().find(|a| a.scope() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|a| a.scope()).collect();
            let text: String = text.chars().take(80).collect();
            Problem::new("scope", format!("\"{text}\" is not a scope"), format!("use one of {}", known.join(", ")))
        })
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.scope())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
