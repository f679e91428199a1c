//! The guard of each route: who asks, for which tenant, how often, and may they. Handlers run only behind it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{ReadScope, Tenant, Timestamp};
use serving::Charge;
use store::{AuditEntry, Store, Transaction};
use trust::{Action, Decision, Identity, Outcome, Resource, Subject, SubjectKind};

use crate::{ApiError, AppState, Route, session::Cookie};

/// The header that names the tenant (ETSI GS CIM 009, 6.3.14).
const TENANT: &str = "ngsild-tenant";
/// The header that states what the data are used for.
const PURPOSE: &str = "polder-purpose";
/// The header that repeats the session's secret, so that other sites' pages cannot act in a session.
pub(crate) const CSRF: &str = "x-csrf-token";
/// The longest purpose kept, characters.
const PURPOSE_CHARS_MAX: usize = 200;

/// Who asks and what they may see: the extractor that handlers take. It exists only behind the guard.
#[derive(Clone, Debug)]
pub struct Caller {
    /// On whose behalf.
    pub subject: Arc<Subject>,
    /// Whose data.
    pub tenant: Tenant,
    /// Which entities may be shown.
    pub scope: ReadScope,
    /// What for, as the caller states it.
    pub purpose: Option<Arc<str>>,
    /// The action that was allowed.
    pub action: Action,
    /// The address that the request came from; none in tests without a socket.
    pub address: Option<IpAddr>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Only a route outside `Routes` could lack it, and such a route must not answer.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::unauthenticated("nobody checked this request"))
    }
}

impl Caller {
    /// The store in the caller's name: what is committed through it is in the audit, in the same transaction.
    #[must_use]
    pub fn store(&self, state: &AppState) -> Store {
        if self.action.changes() { state.store.signed(self.signature(state)) } else { state.store.clone() }
    }

    /// Whether the caller may do something else than what was asked.
    #[must_use]
    pub fn may(&self, state: &AppState, action: Action) -> bool {
        let tenant = decided_in(action, Some(self.tenant.clone()), state);
        let resource = Resource { tenant: &tenant, name: "" };
        state.trust.decide(&self.subject, action, resource, self.purpose.as_deref()).allowed
    }

    /// By what this caller is counted where something is limited for each caller.
    pub(crate) fn bucket(&self) -> String {
        counted_by(&self.subject, self.address)
    }

    /// Writes to the audit what was changed in memory only.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record(&self, state: &AppState, action: &str, resource: &str) -> Result<(), ApiError> {
        let mut tx = Transaction::new(self.tenant.clone());
        tx.audit(self.signed_entry(action, resource, state));
        state.store.commit(tx).await?;
        Ok(())
    }

    /// The audit entry of what a layer changes in the caller's name; the layer fills in action and resource.
    pub(crate) fn signature(&self, state: &AppState) -> AuditEntry {
        self.signed_entry("", "", state)
    }

    fn signed_entry(&self, action: &str, resource: &str, state: &AppState) -> AuditEntry {
        let mut entry = trust::audit_entry(&self.subject, action, resource, Outcome::Done, state.clock.wall());
        if let Some(purpose) = &self.purpose {
            entry.reason = format!("{}; purpose: {purpose}", entry.reason);
        }
        entry
    }
}

/// Where a guard stands: the server, and the route behind it.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) state: AppState,
    pub(crate) route: Arc<Route>,
}

/// Lets a request through to its handler, or answers 401, 403 or 429.
pub(crate) async fn guard(State(post): State<Post>, mut request: Request, next: Next) -> Response {
    match admit(&post, &request) {
        Ok((caller, identity)) => {
            if let Some(touch) = identity.touch.clone() {
                let (state, now) = (post.state.clone(), post.state.clock.wall());
                tokio::spawn(async move { state.trust.touch(touch, now).await });
            }
            request.extensions_mut().insert(identity);
            request.extensions_mut().insert(caller.clone());
            let mut response = next.run(request).await;
            response.extensions_mut().insert(Answered { subject: caller.subject, route: Arc::clone(&post.route) });
            response
        }
        Err(error) => {
            let mut response = error.into_response();
            let subject = Arc::new(Subject::anonymous());
            response.extensions_mut().insert(Answered { subject, route: Arc::clone(&post.route) });
            response
        }
    }
}

/// Left on a response for the log and the measurements.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) subject: Arc<Subject>,
    pub(crate) route: Arc<Route>,
}

fn admit(post: &Post, request: &Request) -> Result<(Caller, Identity), ApiError> {
    let (state, headers) = (&post.state, request.headers());
    let now = state.clock.wall();
    let address = request.extensions().get::<Address>().map(|a| a.0);
    let session = Cookie::Session.name(state.door.secure());
    let identity = state.trust.identify(bearer(headers), cookie(headers, session), now);
    let identity =
        identity.map_err(|error| limited(state, &Subject::anonymous(), address, now).err().unwrap_or(error.into()))?;
    limited(state, &identity.subject, address, now)?;
    let action = post.route.action;
    let tenant = decided_in(action, tenant_of(headers)?, state);
    let purpose = headers.get(PURPOSE).and_then(|v| v.to_str().ok());
    let purpose = purpose.map(|text| Arc::from(text.chars().take(PURPOSE_CHARS_MAX).collect::<String>()));
    let resource = Resource { tenant: &tenant, name: request.uri().path() };
    let decision = state.trust.decide(&identity.subject, action, resource, purpose.as_deref());
    refused(&decision, &identity.subject, action)?;
    check_csrf(&identity, request.method(), headers)?;
    let caller =
        Caller { subject: Arc::clone(&identity.subject), tenant, scope: decision.scope, purpose, action, address };
    Ok((caller, identity))
}

/// Actions on what all tenants of a server share. A role in the server's own tenant allows them, whatever tenant the
/// request names: who administers another tenant does not administer the server.
fn concerns_server(action: Action) -> bool {
    use Action::{ManageContexts, ManageSources, ReadMetrics, ReadSources, SetClock};
    matches!(action, ManageContexts | ManageSources | ReadMetrics | ReadSources | SetClock)
}

/// In which tenant an action is decided.
fn decided_in(action: Action, named: Option<Tenant>, state: &AppState) -> Tenant {
    named.filter(|_| !concerns_server(action)).unwrap_or_else(|| state.door.tenant.clone())
}

/// By what a caller is counted: a subject by name, strangers by where they come from.
fn counted_by(subject: &Subject, address: Option<IpAddr>) -> String {
    match subject.kind {
        SubjectKind::Open | SubjectKind::Anonymous => address.map(trust::network_of).unwrap_or_default(),
        SubjectKind::Person | SubjectKind::Machine => subject.name.to_string(),
    }
}

fn limited(state: &AppState, subject: &Subject, address: Option<IpAddr>, now: Timestamp) -> Result<(), ApiError> {
    let caller = counted_by(subject, address);
    let taken = match subject.kind {
        SubjectKind::Open => Ok(()),
        SubjectKind::Anonymous => state.limiter().take(Charge::Stranger, &caller, now),
        SubjectKind::Person | SubjectKind::Machine => state.limiter().take(Charge::Subject, &caller, now),
    };
    taken.map_err(|seconds| ApiError::too_many("more requests came than are accepted from one caller", seconds))
}

fn refused(decision: &Decision, subject: &Subject, action: Action) -> Result<(), ApiError> {
    if decision.allowed {
        return Ok(());
    }
    let detail = format!("{action} was refused: {}", decision.reason);
    tracing::info!(subject = %subject.name, %action, reason = decision.reason, "refused");
    Err(match subject.kind {
        SubjectKind::Anonymous => ApiError::unauthenticated(detail),
        _ => ApiError::forbidden(detail).with_remedy("ask an administrator of this tenant for a role that allows it"),
    })
}

/// A session's unsafe requests must repeat its secret. A token in a header needs no such proof: no page of another
/// site can send it.
fn check_csrf(identity: &Identity, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(session) = identity.session.as_ref().filter(|_| !safe) else { return Ok(()) };
    let given = headers.get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if session.csrf_fits(given) {
        return Ok(());
    }
    Err(ApiError::forbidden("the X-CSRF-Token header is missing or does not belong to this session")
        .with_remedy("send the csrf value of GET /api/v1/session in the X-CSRF-Token header"))
}

fn tenant_of(headers: &HeaderMap) -> Result<Option<Tenant>, ApiError> {
    let Some(value) = headers.get(TENANT) else { return Ok(None) };
    Ok(Some(Tenant::parse(&String::from_utf8_lossy(value.as_bytes()))?))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// The address that a request came from, as the door found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) IpAddr);
