//! What every request passes on its way in and out: an id, limits of size and time, headers, one form of errors, the
//! log and the measurements.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tower_http::compression::CompressionLayer;
use tracing::Instrument;
use trust::Action;

use crate::{
    ApiError, AppState, Routes,
    guard::{Address, Answered},
    headers::{self, FixedHeaders},
};

/// The header with the id of a request, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest text of another server's error that is read to be put in our envelope, bytes.
const ERROR_TEXT_BYTES_MAX: usize = 16 * 1024;

/// Puts the whole interface behind the door.
pub(crate) fn wrap(router: Router<AppState>, state: AppState, public_paths: HashSet<&'static str>) -> Router {
    let public_paths = Arc::new(public_paths);
    let door = Door { fixed: FixedHeaders::of(&state), state: state.clone(), public_paths };
    router
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(state.door.body_bytes_max))
        .layer(middleware::from_fn_with_state(door, pass))
        .layer(CompressionLayer::new())
        .with_state(state)
}

#[derive(Clone)]
struct Door {
    state: AppState,
    fixed: FixedHeaders,
    /// Paths that anybody may read, as routes name them: other sites' pages may ask for those.
    public_paths: Arc<HashSet<&'static str>>,
}

/// The paths that [`wrap`] wants to know.
pub(crate) fn public_paths(routes: &Routes) -> HashSet<&'static str> {
    routes.iter().filter(|r| r.method == Method::GET && is_public_read(r.action)).map(|r| r.path).collect()
}

async fn method_not_allowed(method: Method) -> ApiError {
    let detail = format!("{method} is not possible here");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The method does not fit", detail)
        .with_remedy("use one of the methods in the Allow header")
}

async fn pass(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if let Some(address) = address_of(&request, &door.state.door.trusted_proxies) {
        request.extensions_mut().insert(Address(address));
    }
    let matched = request.extensions().get::<MatchedPath>();
    let open_to_all = matched.is_some_and(|path| door.public_paths.contains(path.as_str()));
    let span = tracing::info_span!("request", id = %id, %method, path = shortened(&path));
    let answered = answer(request, next, door.state.door.answer_time_max).instrument(span.clone()).await;
    let mut response = in_envelope(answered, &id).await;
    let answered = response.extensions_mut().remove::<Answered>();
    let public = answered.as_ref().is_some_and(|a| is_public_read(a.route.action));
    let preflight = open_to_all && method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if preflight {
        response = StatusCode::NO_CONTENT.into_response();
    }
    if public || preflight {
        headers::allow_other_sites(&method, response.headers_mut());
    }
    door.fixed.add(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    span.in_scope(|| record(&method, answered.as_ref(), response.status(), started.elapsed()));
    response
}

/// Runs the rest; a panic becomes a 500 and does not take the server with it, a slow answer becomes a 503.
async fn answer(request: Request, next: Next, time_max: Duration) -> Response {
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(time_max, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            ApiError::internal(&text.unwrap_or("a handler panicked")).into_response()
        }
        Err(_) => {
            let detail = format!("no answer within {} s", time_max.as_secs());
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", "It took too long", detail)
                .with_remedy("ask for less at once, or try again later")
                .retry_after(5)
                .into_response()
        }
    }
}

/// Errors that a library answered with plain text get the envelope that all others have.
async fn in_envelope(response: Response, id: &str) -> Response {
    let status = response.status();
    let (mut parts, body) = response.into_parts();
    if !(status.is_client_error() || status.is_server_error()) {
        return Response::from_parts(parts, body);
    }
    let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !(media_type.is_empty() || media_type.starts_with("text/plain")) {
        return Response::from_parts(parts, body);
    }
    let text = axum::body::to_bytes(body, ERROR_TEXT_BYTES_MAX).await.unwrap_or_default();
    let title = status.canonical_reason().unwrap_or("Error");
    let mut error = ApiError::new(status, kind_of(status), title, String::from_utf8_lossy(&text));
    if error.detail.is_empty() {
        title.clone_into(&mut error.detail);
    }
    error.remedy = remedy_of(status).map(str::to_owned);
    error.instance = Some(format!("urn:polder:request:{id}"));
    let fresh = error.into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(fresh.headers().clone());
    Response::from_parts(parts, fresh.into_body())
}

fn kind_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media-type",
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => "bad-request",
        _ => "error",
    }
}

fn remedy_of(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Some("send less at once, in several requests"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some("set the Content-Type that the interface's description names"),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Some("compare the request with the description at /api/v1/openapi.json")
        }
        _ => None,
    }
}

fn is_public_read(action: Action) -> bool {
    matches!(action, Action::ReadEntities | Action::ReadHistory | Action::ReadLayers)
}

/// The caller's own id when it is a plain short word, otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let plain = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(plain) {
        Some(id) => id.to_owned(),
        None => format!("r{:08x}", NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The peer's address, or what a trusted proxy says it is.
fn address_of(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    if !proxies.contains(&peer) {
        return Some(peer);
    }
    let lines = request.headers().get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    // From the right, over all lines: the first hop that is not itself a proxy of ours is the one we were told of
    // reliably. What cannot be read ends the chain, because whoever sent it may have written all that is left of it.
    let mut known = peer;
    for hop in hops {
        let Some(address) = address_in(hop.trim()) else { break };
        known = address;
        if !proxies.contains(&address) {
            break;
        }
    }
    Some(known)
}

/// An address, alone or with a port, as proxies write it.
fn address_in(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop).parse::<IpAddr>();
    let address = hop.parse::<SocketAddr>().map(|with_port| with_port.ip()).or_else(|_| bare());
    address.ok().map(|address| address.to_canonical())
}

fn record(method: &Method, answered: Option<&Answered>, status: StatusCode, took: Duration) {
    let route = answered.map_or("other", |a| a.route.path);
    let subject = answered.map_or("anonymous", |a| &a.subject.name);
    let labels = [("method", method_label(method)), ("route", route), ("status", status_label(status))];
    metrics::counter!("polder_http_requests_total", &labels).increment(1);
    metrics::histogram!("polder_http_request_seconds", "route" => route).record(took.as_secs_f64());
    let ms = took.as_secs_f64() * 1e3;
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), ms, subject, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), ms, subject, "answered");
    }
}

/// Methods are the caller's text: only those that exist become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..300 => "2xx",
        300..400 => "3xx",
        401 => "401",
        403 => "403",
        429 => "429",
        400..500 => "4xx",
        _ => "5xx",
    }
}

fn shortened(path: &str) -> &str {
    path.get(..200).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_callers_address_is_the_last_one_that_a_proxy_of_ours_saw() {
        let ours: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let seen_by = |peer: &str, lines: &[&str]| {
            let mut request = Request::new(Body::empty());
            for line in lines {
                request.headers_mut().append("x-forwarded-for", line.parse().unwrap());
            }
            request.extensions_mut().insert(ConnectInfo(format!("{peer}:1").parse::<SocketAddr>().unwrap()));
            address_of(&request, &ours).unwrap().to_string()
        };
        assert_eq!(seen_by("192.0.2.9", &["198.51.100.7"]), "192.0.2.9", "a stranger is not believed");
        assert_eq!(seen_by("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen_by("10.0.0.1", &["203.0.113.5, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen_by("10.0.0.1", &["203.0.113.5", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(seen_by("10.0.0.1", &["203.0.113.5, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen_by("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(seen_by("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
    }
}
