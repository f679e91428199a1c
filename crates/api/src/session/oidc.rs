//! Signing in through an identity provider: leaving for it, and coming back.

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Cookie, presence::charge_sign_in};
use crate::{ApiError, AppState, Caller};

/// Where a browser goes when the provider did not sign the person in.
const FAILED_PAGE: &str = "/aanmelden?failed=provider";

/// Where to go afterwards.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StartParameters {
    /// A path of this server to return to.
    #[serde(default, rename = "return")]
    #[param(rename = "return")]
    return_to: Option<String>,
}

/// What the provider sends back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CallbackParameters {
    /// The code to exchange.
    code: Option<String>,
    /// What was sent along.
    state: Option<String>,
    /// Why the provider refused.
    error: Option<String>,
}

/// Sends the browser to the identity provider.
#[utoipa::path(get, path = "/api/v1/session/oidc/start", params(StartParameters), responses(
    (status = 303, description = "To the provider"),
))]
pub(super) async fn start_oidc(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<StartParameters>,
) -> Result<Response, ApiError> {
    charge_sign_in(&state, &caller)?;
    let return_to = asked.return_to.as_deref().unwrap_or("/");
    let (url, cookie) = state.trust.depart(return_to, state.clock.wall()).await?;
    let mut headers = HeaderMap::new();
    Cookie::Departure.set(&mut headers, &cookie, &state);
    see_other(headers, url.as_str())
}

/// Receives the browser back from the identity provider and signs the person in.
#[utoipa::path(get, path = "/api/v1/session/oidc/callback", params(CallbackParameters), responses(
    (status = 303, description = "Signed in; to the path asked for"),
    (status = 401, description = "The provider did not sign the person in"),
))]
pub(super) async fn finish_oidc(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Query(answer): Query<CallbackParameters>,
) -> Result<Response, ApiError> {
    let arrived = arrive(&state, &caller, &headers, answer).await;
    let mut back = HeaderMap::new();
    Cookie::Departure.clear(&mut back, &state);
    match arrived {
        Ok((cookie, return_to)) => {
            Cookie::Session.set(&mut back, &cookie, &state);
            see_other(back, &return_to)
        }
        Err(error) if wants_page(&headers) => {
            tracing::warn!(detail = error.detail, "a sign-in through the identity provider failed");
            see_other(back, FAILED_PAGE)
        }
        Err(error) => Err(error),
    }
}

async fn arrive(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    answer: CallbackParameters,
) -> Result<(String, String), ApiError> {
    let missing = |what: &str| ApiError::bad_request(format!("the identity provider's answer has no {what}"));
    if let Some(error) = answer.error {
        let error: String = error.chars().take(80).collect();
        return Err(ApiError::unauthenticated(format!("the identity provider answered \"{error}\"")));
    }
    let cookie = Cookie::Departure.read(headers, state).ok_or_else(|| missing("cookie that belongs to it"))?;
    let code = answer.code.ok_or_else(|| missing("code"))?;
    let given = answer.state.ok_or_else(|| missing("state"))?;
    let now = state.clock.wall();
    let (signed_in, return_to) = state.trust.arrive(&cookie, &given, code, caller.address, now).await?;
    Ok((signed_in.cookie, return_to))
}

/// Whether a person is looking, rather than a program.
fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

fn see_other(mut headers: HeaderMap, place: &str) -> Result<Response, ApiError> {
    let place = HeaderValue::from_str(place).map_err(|error| ApiError::internal(&error))?;
    headers.insert(header::LOCATION, place);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
