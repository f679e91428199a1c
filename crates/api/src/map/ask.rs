//! From a request to a question for the views: the viewpoint of the caller, and the parameters that many routes share.

use axum::http::{HeaderMap, StatusCode, header};
use model::{BoundingBox, Problem, Timestamp};
use views::{ViewError, Viewpoint, Views};

use crate::{ApiError, AppState, Caller};

/// Asks the views something, on a thread that may take its time, from where the caller stands.
pub(crate) async fn look<T, F>(state: &AppState, caller: Caller, ask: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Views, &Viewpoint<'_>) -> Result<T, ViewError> + Send + 'static,
{
    let views = state.views.clone();
    let now = state.clock.now();
    let asked = state.pictures().run(move || {
        let snapshot = views.snapshot()?;
        let view = Viewpoint { snapshot: &snapshot, tenant: &caller.tenant, scope: &caller.scope, now };
        ask(&views, &view)
    });
    Ok(asked.await??)
}

/// A moment in a parameter.
pub(crate) fn parse_time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    match Timestamp::parse(text) {
        Ok(moment) => Ok(Some(moment)),
        Err(problem) => Err(Problem { thing: name.to_owned(), ..problem }.into()),
    }
}

/// West, south, east, north in a parameter.
pub(crate) fn parse_bbox(text: Option<&str>) -> Result<Option<BoundingBox>, ApiError> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    let refuse = || {
        let shown: String = text.chars().take(80).collect();
        let remedy = "write west,south,east,north in degrees, for example 4.4,51.9,4.6,52.0";
        ApiError::from(Problem::new("bbox", format!("\"{shown}\" is not a box"), remedy))
    };
    let numbers: Vec<f64> =
        text.split(',').map(|n| n.trim().parse()).collect::<Result<_, _>>().map_err(|_| refuse())?;
    let (west, south, east, north) = match numbers.as_slice() {
        [west, south, east, north] | [west, south, _, east, north, _] => (*west, *south, *east, *north),
        _ => return Err(refuse()),
    };
    let on_earth = [west, east].iter().all(|x| (-180.0..=180.0).contains(x))
        && [south, north].iter().all(|y| (-90.0..=90.0).contains(y));
    if !on_earth || west > east || south > north {
        return Err(refuse());
    }
    Ok(Some(BoundingBox { west, south, east, north }))
}

/// The address under which the caller reached this server, without a slash at the end.
pub(crate) fn base_url(state: &AppState, headers: &HeaderMap) -> Result<String, ApiError> {
    if let Some(public) = &state.door.public_url {
        return Ok(public.as_str().trim_end_matches('/').to_owned());
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    if fits {
        return Ok(format!("http://{host}"));
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "bad-request",
        "The request is not right",
        "the Host header is not a host",
    ))
}
