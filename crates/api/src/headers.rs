//! The headers of every answer: what a browser may do with it, and who may read it from another site.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{AppState, Assets, assets::PAGES};

/// The version of the HTTP interface, in every answer (NL API Design Rules, API-57).
const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The headers that never differ between answers, made once.
#[derive(Clone)]
pub(crate) struct FixedHeaders(Vec<(HeaderName, HeaderValue)>);

impl FixedHeaders {
    /// For one server: the policy allows exactly the inline scripts that its web app's page has.
    pub(crate) fn of(state: &AppState) -> Self {
        let mut headers = vec![
            (HeaderName::from_static("api-version"), HeaderValue::from_static(API_VERSION)),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), microphone=(), payment=(), usb=(), geolocation=(self)"),
            ),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        ];
        if let Ok(policy) = HeaderValue::from_str(&content_policy(state.door.assets)) {
            headers.push((header::CONTENT_SECURITY_POLICY, policy));
        }
        if state.door.secure() {
            let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
            headers.push((header::STRICT_TRANSPORT_SECURITY, year));
        }
        Self(headers)
    }

    /// Adds them to an answer, except where the handler has set its own.
    pub(crate) fn add(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Scripts from here only, and the page's own inline bootstrap by its fingerprint. MapLibre runs its workers from
/// blobs and draws images from blobs.
fn content_policy(assets: Assets) -> String {
    let page = PAGES.iter().find_map(|page| assets(page)).map(|page| page.bytes).unwrap_or_default();
    let scripts: String = inline_scripts(&String::from_utf8_lossy(&page))
        .map(|script| format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect();
    format!(
        "default-src 'self'; script-src 'self'{scripts}; worker-src 'self' blob:; child-src 'self' blob:; \
         img-src 'self' data: blob:; style-src 'self'; font-src 'self'; connect-src 'self'; object-src 'none'; \
         base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// The contents of `<script>` elements without `src`. The page is our own build, so plain search is enough.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

/// Lets pages of other sites read what is public. Without credentials: a session's cookie opens nothing there.
pub(crate) fn allow_other_sites(method: &Method, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = "ETag, Link, API-Version, NGSILD-Results-Count, NGSILD-Tenant, Content-Range, Retry-After";
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    if *method == Method::OPTIONS {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
        let accepted = "Accept, Accept-Language, Link, If-None-Match, NGSILD-Tenant";
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(accepted));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_without_a_source_are_inline() {
        let page =
            "<html><script>a()</script><script type=\"module\" src=\"/x.js\"></script><script nonce>b()</script>";
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), ["a()", "b()"]);
    }
}
