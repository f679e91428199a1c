//! Who asks, and what they may do: accounts, sessions, tokens, roles, one decision, and what the audit says of it.
//!
//! Deny is the default. The door (`api`) turns each request into a [`Subject`], names the [`Action`] of the route and
//! asks [`Policy::decide`] before any layer is touched. Layers never ask: they return what they did, and that is what
//! the audit keeps.

mod action;
mod audit;
mod departures;
mod desk;
mod error;
mod oidc;
pub mod password;
mod policy;
mod role;
mod secret;
mod sessions;
mod subject;
mod throttle;
pub mod tokens;
pub mod users;

pub use action::Action;
pub use audit::{Outcome, audit_entry};
pub use desk::{Identity, SessionIdentity, SignedIn, Touch, Trust};
pub use error::TrustError;
pub use oidc::{HttpFailure, HttpFuture, HttpPort, HttpRequest, HttpResponse, Oidc, OidcSettings};
pub use policy::{Decision, Policy, Resource};
pub use role::Role;
pub use secret::{SECRET_CHARS, new_secret};
pub use subject::{Grants, Subject, SubjectKind};
pub use throttle::network_of;
