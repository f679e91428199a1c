//! Answers of the NGSI-LD API: bodies with their context, pages with their links, errors with their types.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use platform::{context::Context, ngsi::NgsiError};
use serde_json::{Value, json};

use super::{Ask, Media};

/// The relation of a JSON-LD context in a `Link` header.
const CONTEXT_REL: &str = "http://www.w3.org/ns/json-ld#context";
/// The number of all matches.
const RESULTS_COUNT: HeaderName = HeaderName::from_static("ngsild-results-count");
/// The tenant, given back.
const TENANT: HeaderName = HeaderName::from_static("ngsild-tenant");

/// An error inside an answer (`ProblemDetails` of one entity of a batch).
pub(crate) fn error_json(error: &NgsiError) -> Value {
    json!({
        "type": error.kind.uri(),
        "title": error.kind.title(),
        "detail": error.detail,
        "status": error.kind.status(),
    })
}

/// Adds the `Link` to the context, which JSON answers carry in a header (6.3.5).
pub(crate) fn with_context_link(headers: &mut HeaderMap, context: &Context) {
    let link = format!("<{}>; rel=\"{CONTEXT_REL}\"; type=\"application/ld+json\"", context.link());
    if let Ok(value) = HeaderValue::from_str(&link) {
        headers.append(header::LINK, value);
    }
}

/// Adds the links to the pages before and after (6.3.10).
pub(crate) fn page_links(headers: &mut HeaderMap, ask: &Ask, limit: usize, offset: usize, more: bool) {
    let mut add = |offset: usize, rel: &str| {
        let query = ask.params.with_offset(offset);
        let path = ask.path.trim_end_matches('/');
        let link = format!("<{path}?{query}>;rel=\"{rel}\";type=\"application/ld+json\"");
        if let Ok(value) = HeaderValue::from_str(&link) {
            headers.append(header::LINK, value);
        }
    };
    if limit > 0 && offset > 0 {
        add(offset.saturating_sub(limit), "prev");
    }
    if limit > 0 && more {
        add(offset + limit, "next");
    }
}

impl Ask {
    /// An answer with a body; JSON answers name their context in a `Link` header.
    pub fn answer(&self, media: Media, context: &Context, body: Vec<u8>) -> Response {
        let mut response = (StatusCode::OK, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
        if media == Media::Json {
            with_context_link(headers, context);
        }
        self.echo_tenant(headers);
        response
    }

    /// An answer whose body is a JSON value; `application/ld+json` adds the `@context` to an object.
    pub fn answer_value(&self, media: Media, context: &Context, mut value: Value) -> Response {
        if let (Media::LdJson, Value::Object(members)) = (media, &mut value) {
            members.insert("@context".to_owned(), context.wire().clone());
        }
        self.answer(media, context, value.to_string().into_bytes())
    }

    /// An answer without a body.
    pub fn done(&self, status: StatusCode) -> Response {
        let mut response = status.into_response();
        self.echo_tenant(response.headers_mut());
        response
    }

    /// 201 with the address of what was made.
    pub fn created(&self, location: &str) -> Response {
        let mut response = self.done(StatusCode::CREATED);
        if let Ok(value) = HeaderValue::from_str(location) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }

    /// The tenant that was asked for is named in the answer (6.3.14).
    fn echo_tenant(&self, headers: &mut HeaderMap) {
        if let Some(tenant) = self.headers.get(&TENANT) {
            headers.insert(TENANT, tenant.clone());
        }
    }
}

/// Adds the number of all matches.
pub(crate) fn with_count(headers: &mut HeaderMap, total: Option<u64>) {
    if let Some(total) = total {
        headers.insert(RESULTS_COUNT, HeaderValue::from(total));
    }
}
