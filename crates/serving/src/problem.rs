//! The one error envelope: `application/problem+json` (RFC 9457), which says what is wrong and what to do.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use control::{ControlError, geojson::FeatureProblem};
use model::Problem;
use platform::ngsi::{ErrorKind, NgsiError};
use serde::Serialize;
use store::{CommitError, StoreError};
use trust::TrustError;
use views::ViewError;

/// Where the types of problems are named. The names are identifiers; nothing need be served there.
const TYPES: &str = "https://polder.city/problems/";

/// An answer that is an error. Its fields are those of [`Envelope`].
#[derive(Clone, Debug)]
pub struct ApiError(Box<Envelope>);

/// What an error says: the type, the status, what is wrong and the remedy.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind of problem in a few words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    pub status: StatusCode,
    /// What is wrong this time.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Which request it was: the request id, also in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is there now, for whoever wanted to change something older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<serde_json::Value>,
    /// What is wrong in many places at once, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<serde_json::Value>,
    /// After how many seconds to try again; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
    /// The media type of the answer.
    #[serde(skip)]
    pub media_type: &'static str,
}

impl Deref for ApiError {
    type Target = Envelope;

    fn deref(&self) -> &Envelope {
        &self.0
    }
}

impl DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut Envelope {
        &mut self.0
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl ApiError {
    /// An error with a status, the last part of its type's URI, a title and a detail.
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Envelope {
            kind: format!("{TYPES}{kind}").into(),
            title: title.into(),
            status,
            detail: detail.into(),
            remedy: None,
            instance: None,
            current: None,
            problems: Vec::new(),
            retry_after_s: None,
            media_type: "application/problem+json",
        }))
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same error, to be tried again after some seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// 400: the request is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is not right", detail)
    }

    /// 401: it needs an account.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-signed-in", "This needs an account", detail)
            .with_remedy("sign in, or send an API token in the Authorization header")
    }

    /// 403: the account may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", "This is not allowed", detail)
    }

    /// 404: there is no such thing (for this subject).
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// 409: the state does not allow it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It conflicts with what is there", detail)
    }

    /// 429: too much at once.
    pub fn too_many(detail: impl Into<String>, seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail)
            .with_remedy("wait as long as Retry-After says")
            .retry_after(seconds)
    }

    /// 500: our failure. The cause goes to the log, never to the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        let detail = "the server could not do this; the cause is in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed", detail)
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let place = problem.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        Self::bad_request(format!("{}{place}: {}", problem.thing, problem.detail)).with_remedy(problem.remedy)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&*self.0).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, self.media_type)], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"polder\""));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull { .. } => {
                tracing::error!(%error, "a write was refused");
                let detail = "the server's disk is full; nothing of this request was stored";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The disk is full", detail)
                    .with_remedy("ask the operator to make space, then repeat the request")
            }
            StoreError::Closed => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "The server is stopping", "nothing was done")
                    .retry_after(5)
            }
            StoreError::Unstorable { .. } => Self::bad_request(error.to_string()).with_remedy(
                "nothing of this request was stored; use shorter names and identifiers, or values that JSON can hold",
            ),
            other => Self::internal(&other),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::conflict(error.to_string()).with_remedy("read it again and repeat"),
            CommitError::Full => Self::too_many(error.to_string(), 1),
            CommitError::Store(error) => error.into(),
        }
    }
}

fn feature(found: &FeatureProblem) -> serde_json::Value {
    let Problem { thing, detail, remedy, .. } = &found.problem;
    serde_json::json!({ "feature": found.feature, "thing": thing, "detail": detail, "remedy": remedy })
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Problem(problem) => problem.into(),
            ControlError::Missing(_) => Self::not_found(error.to_string()),
            ControlError::Conflict(problem) => Self::conflict(problem.detail).with_remedy(problem.remedy),
            ControlError::Changed(ref current) => {
                let mut conflict = Self::conflict(error.to_string())
                    .with_remedy("compare it with what is there now, and repeat what is still wanted");
                conflict.current = current.as_ref().and_then(|current| serde_json::to_value(current).ok());
                conflict
            }
            ControlError::Features { ref problems, .. } => {
                let mut refused = Self::bad_request(error.to_string())
                    .with_remedy("mend what \"problems\" says of each feature, and import the file again");
                refused.problems = problems.iter().map(feature).collect();
                refused
            }
            ControlError::Broken(_) => Self::internal(&error),
            ControlError::Store(error) => error.into(),
            ControlError::Commit(error) => error.into(),
        }
    }
}

impl From<NgsiError> for ApiError {
    fn from(error: NgsiError) -> Self {
        if error.kind == ErrorKind::InternalError {
            tracing::error!(detail = error.detail, "an NGSI-LD operation failed");
        }
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut envelope = Self::new(status, "ngsi-ld", error.kind.title(), error.detail);
        envelope.kind = Cow::Owned(error.kind.uri());
        envelope
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Question(problem) => problem.into(),
            ViewError::Missing(_) => Self::not_found(error.to_string()),
            ViewError::Store(cause) => Self::internal(&cause),
            ViewError::Basemap(cause) => Self::internal(&cause),
        }
    }
}

impl From<TrustError> for ApiError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::TokenInvalid => Self::unauthenticated(error.to_string()),
            TrustError::WrongNameOrPassword => {
                Self::unauthenticated(error.to_string()).with_remedy("check both, or ask an administrator")
            }
            TrustError::TooManyAttempts { seconds } => Self::too_many(error.to_string(), seconds),
            TrustError::Provider { .. } => {
                tracing::warn!(%error, "an identity provider did not sign somebody in");
                Self::unauthenticated(error.to_string()).with_remedy("try again, or sign in with a name and a password")
            }
            TrustError::Problem(problem) => problem.into(),
            TrustError::Missing(problem) => Self::not_found(problem.detail).with_remedy(problem.remedy),
            TrustError::Taken(problem) => Self::conflict(problem.detail).with_remedy(problem.remedy),
            TrustError::Denied(problem) => Self::forbidden(problem.detail).with_remedy(problem.remedy),
            TrustError::Store(error) => error.into(),
            TrustError::Commit(error) => error.into(),
            TrustError::Hashing(_) | TrustError::NoRandomness(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_stored_is_told_to_the_caller_with_the_thing_and_the_remedy() {
        let error = StoreError::Unstorable { thing: "tokens a".to_owned(), detail: "its key is too long".to_owned() };
        for error in [ApiError::from(error.clone()), ApiError::from(CommitError::Store(error))] {
            assert_eq!(error.status, StatusCode::BAD_REQUEST);
            let told = serde_json::to_value(&*error.0).unwrap();
            assert_eq!(told["detail"], "tokens a cannot be stored: its key is too long");
            assert!(told["remedy"].as_str().unwrap().contains("shorter names"), "{told}");
        }
    }
}
