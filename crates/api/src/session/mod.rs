//! Sessions: who one is, signing in and out, accounts, tokens and the audit.

mod audit;
mod cookies;
mod oidc;
mod presence;
mod tokens;
mod users;

pub(crate) use cookies::Cookie;

use trust::Action;
use utoipa::OpenApi;

use crate::Routes;

/// The largest body of these routes, bytes: a name, a password, a list of roles.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    use Action::{ManageOwnTokens, ManageUsers, ReadAudit, UseSession};
    Routes::new()
        .get("/api/v1/audit", ReadAudit, audit::list_audit)
        .get("/api/v1/session", UseSession, presence::get_session)
        .post("/api/v1/session", UseSession, presence::sign_in)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/session", UseSession, presence::sign_out)
        .put("/api/v1/session/password", ManageOwnTokens, presence::set_own_password)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/session/oidc/callback", UseSession, oidc::finish_oidc)
        .get("/api/v1/session/oidc/start", UseSession, oidc::start_oidc)
        .get("/api/v1/tokens", ManageOwnTokens, tokens::list_tokens)
        .post("/api/v1/tokens", ManageOwnTokens, tokens::create_token)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/tokens/{id}", ManageOwnTokens, tokens::revoke_token)
        .get("/api/v1/users", ManageUsers, users::list_users)
        .post("/api/v1/users", ManageUsers, users::add_user)
        .body_max(BODY_BYTES_MAX)
        .put("/api/v1/users/{name}/roles", ManageUsers, users::set_user_roles)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/users/{name}", ManageUsers, users::remove_user)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(
    audit::list_audit,
    oidc::finish_oidc,
    oidc::start_oidc,
    presence::get_session,
    presence::set_own_password,
    presence::sign_in,
    presence::sign_out,
    tokens::create_token,
    tokens::list_tokens,
    tokens::revoke_token,
    users::add_user,
    users::list_users,
    users::remove_user,
    users::set_user_roles,
))]
struct Described;
