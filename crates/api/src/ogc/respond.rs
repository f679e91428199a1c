//! JSON or HTML: what the caller asked for with `f=` or `Accept`.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use model::Problem;
use serde_json::{Value, json};

use super::ROOT;
use crate::{ApiError, AppState, map};

/// The media type of JSON answers that are not features.
pub(super) const JSON: &str = "application/json";
/// The media type of features.
pub(super) const GEOJSON: &str = "application/geo+json";

/// The form of an answer, and where this interface stands.
pub(super) struct Answer {
    html: bool,
    base: String,
}

impl Answer {
    /// From the parameter `f` and the header `Accept`; `f` decides when both are there.
    pub(super) fn for_request(state: &AppState, headers: &HeaderMap, f: Option<&str>) -> Result<Self, ApiError> {
        let base = format!("{}{ROOT}", map::base_url(state, headers)?);
        let accepted = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let html = match f {
            Some("html") => true,
            Some("json" | "geojson") => false,
            Some(other) => {
                let shown: String = other.chars().take(40).collect();
                return Err(Problem::new("f", format!("there is no form \"{shown}\""), "use f=json or f=html").into());
            }
            None => prefers_html(accepted),
        };
        Ok(Self { html, base })
    }

    /// An absolute address under this interface; `path` starts with a slash or is empty.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The address of this server's other interfaces.
    pub(super) fn server(&self) -> &str {
        self.base.strip_suffix(ROOT).unwrap_or(&self.base)
    }

    /// Links to this answer and to its other form. `url` may have parameters.
    pub(super) fn self_links(&self, url: &str, media_type: &str) -> Vec<Value> {
        let with = |form: &str| format!("{url}{}f={form}", if url.contains('?') { '&' } else { '?' });
        let (own, other) = if self.html { ("self", "alternate") } else { ("alternate", "self") };
        vec![
            link(&with("json"), other, media_type, "This document as JSON"),
            link(&with("html"), own, "text/html", "This document as HTML"),
        ]
    }

    /// The document in the form that was asked for.
    pub(super) fn send(&self, title: &str, document: &Value, media_type: &'static str) -> Response {
        if self.html {
            let page = views::ogc::page(title, document, &self.base);
            return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
        }
        ([(header::CONTENT_TYPE, media_type)], document.to_string()).into_response()
    }
}

/// A link.
pub(super) fn link(href: &str, rel: &str, media_type: &str, title: &str) -> Value {
    json!({ "href": href, "rel": rel, "type": media_type, "title": title })
}

/// Whether HTML stands before JSON in an `Accept` header, as browsers send it.
fn prefers_html(accepted: &str) -> bool {
    let place = |kind: &str| accepted.find(kind);
    match (place("text/html"), place("json")) {
        (Some(html), Some(json)) => html < json,
        (Some(_), None) => true,
        _ => false,
    }
}
