//! API tokens of one's own account.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use trust::{
    Action, SubjectKind,
    tokens::{NewToken, Token},
};
use utoipa::ToSchema;

use super::presence::blocking;
use crate::{ApiError, AppState, Caller};

/// How long a token works when nothing is said, days.
const DAYS_USUAL: u32 = 90;

/// A token, without the text that signs requests.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(crate) struct TokenView {
    /// Its public id.
    id: String,
    /// What it is for.
    label: String,
    /// What it is limited to.
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
    /// The token itself. Shown once, when it is made, and stored nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
}

impl TokenView {
    fn of(token: Token, text: Option<String>) -> Self {
        Self {
            id: token.id().to_owned(),
            label: token.label,
            scopes: token.scopes.into_iter().map(Action::scope).collect(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
            token: text,
        }
    }
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewToken)]
pub(crate) struct TokenAsked {
    /// What it is for.
    #[serde(default)]
    label: String,
    /// What it is limited to, such as `entities:read`.
    scopes: Vec<String>,
    /// After how many days it stops working, 1 to 366.
    #[serde(default = "usual_days")]
    days: u32,
}

fn usual_days() -> u32 {
    DAYS_USUAL
}

/// One's own tokens.
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = 200, body = Vec<TokenView>)))]
pub(super) async fn list_tokens(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Vec<TokenView>>, ApiError> {
    let owner = person(&caller)?;
    let store = state.store.clone();
    let tokens = blocking(move || trust::tokens::list(&store, Some(&owner))).await?;
    Ok(Json(tokens.into_iter().map(|token| TokenView::of(token, None)).collect()))
}

/// Makes a token for one's own account.
#[utoipa::path(post, path = "/api/v1/tokens", request_body = TokenAsked, responses((status = 201, body = TokenView)))]
pub(super) async fn create_token(
    State(state): State<AppState>,
    caller: Caller,
    Json(asked): Json<TokenAsked>,
) -> Result<(StatusCode, Json<TokenView>), ApiError> {
    let owner = person(&caller)?;
    let scopes = asked.scopes.iter().map(|scope| scope.parse::<Action>()).collect::<Result<_, _>>()?;
    let new = NewToken { owner, label: asked.label, scopes, days: asked.days };
    let (store, now) = (state.store.clone(), state.clock.wall());
    let (token, text) = blocking(move || trust::tokens::create(&store, &caller.subject, new, now)).await?;
    Ok((StatusCode::CREATED, Json(TokenView::of(token, Some(text)))))
}

/// Ends a token at once: one's own, or for an administrator of every tenant anybody's.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}",
    params(("id" = String, Path, description = "The public id")),
    responses((status = 204, description = "Ended")))]
pub(super) async fn revoke_token(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let anybodys = caller.subject.grants.allow(Action::ManageUsers, "*");
    let owner = match caller.subject.kind {
        SubjectKind::Person | SubjectKind::Open if anybodys => None,
        _ => Some(person(&caller)?),
    };
    let (store, now) = (state.store.clone(), state.clock.wall());
    blocking(move || trust::tokens::revoke(&store, &caller.subject, &id, owner.as_deref(), now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token cannot make, list or end tokens: it would outlive its own end.
fn person(caller: &Caller) -> Result<String, ApiError> {
    if caller.subject.kind == SubjectKind::Person {
        return Ok(caller.subject.name.to_string());
    }
    Err(ApiError::forbidden("only a person who is signed in has tokens, not an API token")
        .with_remedy("sign in with an account"))
}
