//! The web app: files that the binary carries, with the page itself as the answer to every address of the app.

use std::borrow::Cow;

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::{ApiError, AppState};

/// One file of the web app.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The content.
    pub bytes: Cow<'static, [u8]>,
    /// The media type.
    pub mime: Cow<'static, str>,
    /// A fingerprint of the content, without quotes.
    pub etag: String,
}

/// Gives the file at a path without a leading slash (`index.html`).
pub type Assets = fn(&str) -> Option<Asset>;

/// Paths that belong to the interfaces: what is not there is an error, never the web app's page.
const INTERFACES: &[&str] = &["/api/", "/ngsi-ld/", "/ogc/", "/tiles/", "/3dtiles/", "/.well-known/"];

/// The pages that answer every address of the app, in order of preference.
pub(crate) const PAGES: &[&str] = &["200.html", "index.html"];

pub(crate) async fn serve_asset(
    State(state): State<AppState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path();
    let missing = || ApiError::not_found(format!("there is nothing at {}", shortened(path))).into_response();
    if INTERFACES.iter().any(|prefix| path.starts_with(prefix)) || !matches!(method, Method::GET | Method::HEAD) {
        return missing();
    }
    let assets = state.door.assets;
    let name = path.trim_start_matches('/');
    if let Some(asset) = (!name.is_empty()).then(|| assets(name)).flatten() {
        return answer(asset, name.contains("/immutable/"), &headers);
    }
    if name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return missing();
    }
    match PAGES.iter().find_map(|page| assets(page)) {
        Some(page) => answer(page, false, &headers),
        None => missing(),
    }
}

fn answer(asset: Asset, immutable: bool, request: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", asset.etag);
    let caching = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let headers = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, caching.to_owned())];
    if known.is_some_and(|known| known.split(',').any(|k| k.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, asset.mime.into_owned())], asset.bytes.into_owned()).into_response()
}

fn shortened(path: &str) -> String {
    path.chars().take(200).collect()
}
