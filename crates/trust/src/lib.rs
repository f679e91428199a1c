//! Who asks, and what they may do: accounts, sessions, tokens, roles, one decision, and what the audit says of it.
//!
//! Deny is the default. The door (`api`) turns each request into a [`Subject`], names the [`Action`] of the route and
//! asks [`Policy::decide`] before any layer is touched. Layers never ask: they return what they did, and that is what
//! the audit keeps.

mod action;
mod desk;
mod policy;
mod role;
mod subject;

pub use action::Action;
pub use desk::{Identity, SessionIdentity, Trust, TrustError};
pub use policy::{Decision, Policy, Resource};
pub use role::Role;
pub use subject::{Grants, Subject, SubjectKind};
