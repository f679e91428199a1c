//! Accounts, for administrators.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use trust::{
    Grants,
    users::{Account, NewUser},
};
use utoipa::ToSchema;

use super::presence::blocking;
use crate::{ApiError, AppState, Caller};

/// An account, without its secrets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(crate) struct UserView {
    /// The name to sign in with.
    name: String,
    /// What to call the person.
    display_name: String,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    party: Option<String>,
    /// The roles: `role` (in every tenant) or `tenant:role`.
    roles: Vec<String>,
    /// Whether the account signs in through an identity provider.
    external: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Account> for UserView {
    fn from(account: Account) -> Self {
        Self {
            roles: account.grants.texts(),
            external: account.external.is_some(),
            name: account.name,
            display_name: account.display_name,
            party: account.party,
            created_at: account.created_at,
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// The name to sign in with.
    name: String,
    /// The first password, at least 12 characters.
    password: String,
    /// The organisation.
    #[serde(default)]
    party: Option<String>,
    /// The roles: `role` (in every tenant) or `tenant:role`.
    #[serde(default)]
    roles: Vec<String>,
}

/// The roles of an account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Roles {
    /// `role` (in every tenant) or `tenant:role`.
    roles: Vec<String>,
}

/// Accounts that the caller may manage.
#[utoipa::path(get, path = "/api/v1/users", responses((status = 200, body = Vec<UserView>)))]
pub(super) async fn list_users(State(state): State<AppState>, caller: Caller) -> Result<Json<Vec<UserView>>, ApiError> {
    let store = state.store.clone();
    let accounts = blocking(move || trust::users::list(&store)).await?;
    let managed = accounts.into_iter().filter(|account| account.is_managed_by(&caller.subject));
    Ok(Json(managed.map(UserView::from).collect()))
}

/// Adds an account. Accounts are changed by people who are signed in only, never by a token.
#[utoipa::path(post, path = "/api/v1/users", request_body = NewAccount, responses((status = 201, body = UserView)))]
pub(super) async fn add_user(
    State(state): State<AppState>,
    caller: Caller,
    Json(asked): Json<NewAccount>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    let grants = Grants::parse(asked.roles.iter().map(String::as_str))?;
    let home = Some(caller.tenant.clone());
    let new = NewUser { name: asked.name, password: asked.password, party: asked.party, grants, home };
    let (store, now) = (state.store.clone(), state.clock.wall());
    let account = blocking(move || trust::users::add(&store, &caller.subject, new, now)).await?;
    Ok((StatusCode::CREATED, Json(account.into())))
}

/// Replaces the roles of an account; it holds at once.
#[utoipa::path(put, path = "/api/v1/users/{name}/roles", request_body = Roles,
    params(("name" = String, Path, description = "The account")),
    responses((status = 200, body = UserView)))]
pub(super) async fn set_user_roles(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(asked): Json<Roles>,
) -> Result<Json<UserView>, ApiError> {
    let grants = Grants::parse(asked.roles.iter().map(String::as_str))?;
    let (store, now) = (state.store.clone(), state.clock.wall());
    let account = blocking(move || trust::users::set_roles(&store, &caller.subject, &name, grants, now)).await?;
    Ok(Json(account.into()))
}

/// Removes an account with its sessions and tokens.
#[utoipa::path(delete, path = "/api/v1/users/{name}",
    params(("name" = String, Path, description = "The account")),
    responses((status = 204, description = "Removed")))]
pub(super) async fn remove_user(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    if *caller.subject.name == *name {
        return Err(ApiError::conflict("nobody can remove the account that they are signed in with")
            .with_remedy("ask another administrator"));
    }
    let (store, now) = (state.store.clone(), state.clock.wall());
    blocking(move || trust::users::remove(&store, &caller.subject, &name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
