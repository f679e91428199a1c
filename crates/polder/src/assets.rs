//! The web app, embedded in the binary.

use std::borrow::Cow;

/// The built web app. In development builds the files are read from disk.
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/build"]
struct Web;

/// One file of the web app by its path without a leading slash.
pub fn get(path: &str) -> Option<(Cow<'static, [u8]>, String, String)> {
    let file = Web::get(path)?;
    let etag = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    Some((file.data, media_type(path).to_owned(), etag))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
