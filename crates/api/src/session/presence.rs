//! Who one is, signing in and signing out.

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::Tenant;
use serde::{Deserialize, Serialize};
use serving::Charge;
use subtle::ConstantTimeEq;
use tokio::task::spawn_blocking;
use trust::{Grants, Identity, Role, SubjectKind};
use utoipa::ToSchema;

use super::Cookie;
use crate::{ApiError, AppState, Caller, guard::CSRF};

/// Answers with a secret in them are kept by no cache.
const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Who one is, and what the next request needs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SessionView {
    /// Whether somebody is signed in.
    signed_in: bool,
    /// What to call the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The roles in the tenant of this request.
    roles: Vec<&'static str>,
    /// The tenants with a role; `*` is all of them.
    tenants: Vec<String>,
    /// What unsafe requests of this browser repeat in `X-CSRF-Token`.
    csrf: String,
    /// Signing in through an identity provider.
    oidc: ProviderView,
    /// Whether everybody is let in (`--open`).
    open: bool,
}

/// An identity provider.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
pub(crate) struct ProviderView {
    /// Whether there is one.
    enabled: bool,
    /// The name on the button.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
}

/// A name and a password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignIn {
    /// The account's name.
    name: String,
    /// Its password.
    password: String,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    /// The password until now.
    current: String,
    /// The password from now on.
    new: String,
}

/// Who one is, with the token that unsafe requests must repeat.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = SessionView)))]
pub(super) async fn get_session(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut answer = HeaderMap::new();
    let csrf = match &identity.session {
        Some(session) => session.csrf.clone(),
        None => known_or_new_csrf(&state, &headers, &mut answer)?,
    };
    let name = identity.session.as_ref().map(|session| session.display_name.clone());
    let mut view = SessionView::of(&state, &caller.subject.grants, &caller.tenant, name, csrf);
    view.signed_in = caller.subject.kind != SubjectKind::Anonymous;
    Ok((answer, NO_STORE, Json(view)).into_response())
}

impl SessionView {
    fn of(state: &AppState, grants: &Grants, tenant: &Tenant, name: Option<String>, csrf: String) -> Self {
        let provider = state.trust.provider().map(str::to_owned);
        Self {
            signed_in: true,
            name,
            roles: grants.roles_in(tenant.as_str()).map(Role::name).collect(),
            tenants: grants.iter().map(|(tenant, _)| tenant.to_owned()).collect(),
            csrf,
            oidc: ProviderView { enabled: provider.is_some(), name: provider },
            open: state.trust.is_open(),
        }
    }
}

fn known_or_new_csrf(state: &AppState, headers: &HeaderMap, answer: &mut HeaderMap) -> Result<String, ApiError> {
    if let Some(known) = Cookie::Csrf.read(headers, state).filter(|value| value.len() == trust::SECRET_CHARS) {
        return Ok(known);
    }
    let new = trust::new_secret()?;
    Cookie::Csrf.set(answer, &new, state);
    Ok(new)
}

/// Signs in with a name and a password. An earlier session of this browser ends.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn, responses(
    (status = 200, body = SessionView, description = "Signed in: the cookie is set"),
    (status = 401, description = "The name or the password is not right"),
    (status = 429, description = "Too many attempts"),
))]
pub(super) async fn sign_in(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    caller: Caller,
    headers: HeaderMap,
    Json(SignIn { name, password }): Json<SignIn>,
) -> Result<Response, ApiError> {
    charge_sign_in(&state, &caller)?;
    if identity.session.is_none() {
        check_own_page(&state, &headers)?;
    }
    let earlier = Cookie::Session.read(&headers, &state);
    let now = state.clock.wall();
    let signed_in = state.trust.sign_in(&name, &password, caller.address, earlier.as_deref(), now).await?;
    let mut answer = HeaderMap::new();
    Cookie::Session.set(&mut answer, &signed_in.cookie, &state);
    Cookie::Csrf.clear(&mut answer, &state);
    let account = signed_in.account;
    let name = Some(account.display_name);
    let view = SessionView::of(&state, &account.grants, &caller.tenant, name, signed_in.csrf);
    Ok((answer, NO_STORE, Json(view)).into_response())
}

/// Attempts to sign in have a bucket of their own, smaller than that of other requests.
pub(super) fn charge_sign_in(state: &AppState, caller: &Caller) -> Result<(), ApiError> {
    let address = caller.address.map(trust::network_of).unwrap_or_default();
    let taken = state.limiter().take(Charge::SignIn, &address, state.clock.wall());
    taken.map_err(|seconds| ApiError::too_many("too many attempts to sign in from this address", seconds))
}

/// Before there is a session, the cookie and the header must carry the same secret (double submit): another site's
/// page can make a browser send the cookie, but cannot read it to fill the header.
fn check_own_page(state: &AppState, headers: &HeaderMap) -> Result<(), ApiError> {
    let cookie = Cookie::Csrf.read(headers, state).unwrap_or_default();
    let header = headers.get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !cookie.is_empty() && bool::from(cookie.as_bytes().ct_eq(header.as_bytes())) {
        return Ok(());
    }
    Err(ApiError::forbidden("the X-CSRF-Token header is missing or does not belong to this browser")
        .with_remedy("read GET /api/v1/session first, and send its csrf value in the X-CSRF-Token header"))
}

/// Signs out: the session ends on the server too.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "Signed out")))]
pub(super) async fn sign_out(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let session = Cookie::Session.read(&headers, &state);
    if let Some(cookie) = session.filter(|_| caller.subject.kind == SubjectKind::Person) {
        state.trust.sign_out(&cookie, &caller.subject, state.clock.wall()).await?;
    }
    let mut answer = HeaderMap::new();
    Cookie::Session.clear(&mut answer, &state);
    Ok((StatusCode::NO_CONTENT, answer).into_response())
}

/// Changes one's own password. All sessions of the account end.
#[utoipa::path(put, path = "/api/v1/session/password", request_body = NewPassword, responses(
    (status = 204, description = "Changed; sign in again"),
))]
pub(super) async fn set_own_password(
    State(state): State<AppState>,
    caller: Caller,
    Json(NewPassword { current, new }): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    charge_sign_in(&state, &caller)?;
    if caller.subject.kind != SubjectKind::Person {
        return Err(ApiError::forbidden("only a person who is signed in has a password to change"));
    }
    let now = state.clock.wall();
    let name = caller.subject.name.to_string();
    state.trust.confirm_password(&name, &current, caller.address, now).await?;
    let (store, subject) = (state.store.clone(), caller.subject);
    blocking(move || trust::users::set_password(&store, &subject, &name, &new, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs work that waits for the disk or hashes a password on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, trust::TrustError> + Send + 'static,
) -> Result<T, ApiError> {
    Ok(spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))??)
}
