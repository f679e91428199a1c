//! What every NGSI-LD request brings: caller, parameters, media types, body and context (6.3.4, 6.3.5).

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header},
};
use model::{Tenant, Timestamp};
use platform::{
    context::Context,
    ngsi::{ErrorKind, NgsiError, parse_json},
};
use serde_json::Value;
use store::{AuditEntry, Store};

use super::Params;
use crate::{ApiError, AppState, Caller};

/// A request, taken apart. Handlers take it as their last argument.
pub(crate) struct Ask {
    /// Who asks.
    pub caller: Caller,
    /// The query parameters.
    pub params: Params,
    /// The path and nothing else.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Now, by the city's clock.
    pub now: Timestamp,
    /// The store in the caller's name: what is committed through it is in the audit.
    pub store: Store,
}

/// The body as JSON, and the context that its names are in.
pub(crate) struct Body {
    pub value: Value,
    pub context: Arc<Context>,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    LdJson,
    GeoJson,
}

impl Media {
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::LdJson => "application/ld+json",
            Self::GeoJson => "application/geo+json",
        }
    }
}

impl FromRequest<AppState> for Ask {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        let params = Params::parse(parts.uri.query().unwrap_or_default())?;
        let (headers, path) = (parts.headers.clone(), parts.uri.path().to_owned());
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await.map_err(|error| {
            let status = error.status();
            let detail = format!("the body could not be read: {}", error.body_text());
            ApiError::new(status, "body", "The body was not accepted", detail)
                .with_remedy("send smaller batches, completely")
        })?;
        let store = caller.store(state);
        Ok(Self { caller, params, path, headers, body, now: state.clock.now(), store })
    }
}

impl Ask {
    pub fn tenant(&self) -> &Tenant {
        &self.caller.tenant
    }

    /// The audit entry of what a layer changes in the caller's name; the layer fills in action and resource.
    pub fn signature(&self, state: &AppState) -> AuditEntry {
        self.caller.signature(state)
    }

    /// Writes to the audit what was changed in memory only.
    pub async fn record(&self, state: &AppState, action: &str, resource: &str) -> Result<(), ApiError> {
        self.caller.record(state, action, resource).await
    }

    /// The body and its context, by the media type of the body.
    pub async fn body(&self, state: &AppState) -> Result<Body, ApiError> {
        let linked = self.is_linked()?;
        let value = parse_json(&self.body)?;
        let context = self.context_of(state, &value, linked).await?;
        Ok(Body { value, context })
    }

    /// Whether the context comes from the `Link` header (`application/json`) and not from the body
    /// (`application/ld+json`).
    pub fn is_linked(&self) -> Result<bool, ApiError> {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" | "application/merge-patch+json" => Ok(true),
            "application/ld+json" => Ok(false),
            _ => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The media type of the body is not supported",
                format!("the Content-Type \"{given}\" is not one that is read here"),
            )
            .with_remedy("send application/json or application/ld+json")),
        }
    }

    /// The context of one value of the body.
    pub async fn context_of(&self, state: &AppState, value: &Value, linked: bool) -> Result<Arc<Context>, NgsiError> {
        let inside = value.get("@context");
        match (linked, inside) {
            (true, Some(_)) => Err(NgsiError::bad_data(
                "the body has an @context, but its Content-Type is application/json; send application/ld+json, or \
                 the context in the Link header",
            )),
            (true, None) => self.link_context(state).await,
            (false, Some(given)) => {
                self.refuse_link()?;
                state.contexts.resolve(given, self.now).await
            }
            (false, None) => Err(NgsiError::bad_data("application/ld+json needs an @context in the body")),
        }
    }

    /// Refuses a context in the `Link` header beside those in the body.
    pub fn refuse_link(&self) -> Result<(), NgsiError> {
        match self.link() {
            Some(_) => Err(NgsiError::bad_data(
                "a context in the Link header does not go with application/ld+json; leave one of them out",
            )),
            None => Ok(()),
        }
    }

    /// The context in the `Link` header, or the core context.
    pub async fn link_context(&self, state: &AppState) -> Result<Arc<Context>, NgsiError> {
        match self.link() {
            Some(url) => state.contexts.resolve(&Value::String(url), self.now).await,
            None => Ok(Context::core()),
        }
    }

    /// The address in a `Link` header with the relation of JSON-LD contexts.
    fn link(&self) -> Option<String> {
        let lines = self.headers.get_all(header::LINK).into_iter().filter_map(|v| v.to_str().ok());
        let mut links = lines.flat_map(|line| line.split(", <").map(|part| part.trim_start_matches('<')));
        links.find_map(|link| {
            let (url, rest) = link.split_once('>')?;
            rest.contains("http://www.w3.org/ns/json-ld#context").then(|| url.trim().to_owned())
        })
    }

    /// The form that the answer shall have, among those offered.
    pub fn media(&self, geojson: bool) -> Result<Media, ApiError> {
        let Some(accept) = self.headers.get(header::ACCEPT) else { return Ok(Media::Json) };
        let accept = accept.to_str().unwrap_or_default();
        let mut best: Option<(f32, Media)> = None;
        for part in accept.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let media = match pieces.next().unwrap_or_default() {
                "application/json" | "*/*" | "application/*" | "" => Media::Json,
                "application/ld+json" => Media::LdJson,
                "application/geo+json" if geojson => Media::GeoJson,
                _ => continue,
            };
            let quality = pieces.find_map(|p| p.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media).ok_or_else(|| {
            let detail = format!("none of \"{accept}\" can be answered");
            ApiError::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "The answer has no such form", detail)
                .with_remedy("accept application/json or application/ld+json")
        })
    }

    /// Refuses to read from a tenant that does not exist (6.3.14).
    pub fn check_tenant(&self, state: &AppState) -> Result<(), NgsiError> {
        if platform::entities::tenant_exists(&state.store, self.tenant())? {
            return Ok(());
        }
        let detail = format!("there is no tenant \"{}\"; tenants are made by the first entity in them", self.tenant());
        Err(NgsiError::new(ErrorKind::NonexistentTenant, detail))
    }
}
