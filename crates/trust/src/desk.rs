//! The front desk: from what a request carries to the subject it is made for.

use std::sync::Arc;

use model::Timestamp;

use crate::{Action, Decision, Policy, Resource, Subject};

/// Accounts, sessions, tokens and the one decision, as one handle. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    policy: Policy,
    open: bool,
}

/// Who a request is made for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// On whose behalf.
    pub subject: Arc<Subject>,
    /// The session, when a cookie said who.
    pub session: Option<Arc<SessionIdentity>>,
}

/// What the door must know of a session.
#[derive(Debug)]
pub struct SessionIdentity {
    csrf: String,
}

impl SessionIdentity {
    /// Whether a text is this session's secret against requests from other sites; takes the same time for every text.
    #[must_use]
    pub fn csrf_fits(&self, given: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.csrf.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// A credential that is not, or no longer, valid.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The token is unknown, expired or revoked.
    #[error("the API token is not valid: it is unknown, expired or revoked")]
    TokenInvalid,
}

impl Trust {
    /// A desk with this policy. `open` lets everybody in as an administrator: for tests on loopback addresses only.
    #[must_use]
    pub fn new(policy: Policy, open: bool) -> Self {
        Self(Arc::new(Inner { policy, open }))
    }

    /// Who a request is made for.
    ///
    /// # Errors
    /// A token was given that is not valid. A cookie that is not valid makes nobody of its bearer, without an error.
    pub fn identify(
        &self,
        bearer: Option<&str>,
        _cookie: Option<&str>,
        _now: Timestamp,
    ) -> Result<Identity, TrustError> {
        if self.0.open {
            return Ok(Identity { subject: Arc::new(Subject::open()), session: None });
        }
        if bearer.is_some() {
            return Err(TrustError::TokenInvalid);
        }
        Ok(Identity { subject: Arc::new(Subject::anonymous()), session: None })
    }

    /// See [`Policy::decide`].
    #[must_use]
    pub fn decide(&self, subject: &Subject, action: Action, resource: Resource<'_>, purpose: Option<&str>) -> Decision {
        self.0.policy.decide(subject, action, resource, purpose)
    }
}
