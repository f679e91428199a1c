//! The door: HTTP routes, wire types and the check of every request before a layer is touched.
//!
//! Each area is a folder with `routes()`; [`router`] is the one list of them. A route cannot be added without naming
//! the `trust::Action` that it needs, and its handler runs only when `trust` has allowed it.

mod assets;
mod crowd;
mod door;
mod guard;
mod headers;
mod map;
mod ngsi_ld;
mod ogc;
mod openapi;
mod operations;
mod routes;
mod session;
mod state;
mod threed;
mod tiles;

pub use assets::{Asset, Assets};
pub use guard::Caller;
pub use ngsi_ld::subscription_rights;
pub use routes::{Route, Routes};
pub use serving::{ApiError, CityClock, ClockMode, ClockReading, ClockSetting, Envelope, Rate, RateLimits, serve};
pub use state::{AppState, DoorSettings, StateParts};

use axum::Router;

/// Every area's routes, in alphabetical order of the areas.
#[must_use]
pub fn all_routes() -> Routes {
    [
        crowd::routes(),
        map::routes(),
        ngsi_ld::routes(),
        ogc::routes(),
        operations::routes(),
        session::routes(),
        threed::routes(),
        tiles::routes(),
    ]
    .into_iter()
    .fold(Routes::new(), Routes::merge)
}

/// The description of every route (OpenAPI 3.1).
#[must_use]
pub fn description() -> serde_json::Value {
    openapi::describe(&all_routes())
}

/// The whole HTTP interface: every area behind the guard, the web app as the fallback, all of it behind the door.
pub fn router(state: AppState) -> Router {
    let routes = all_routes();
    let description = openapi::describe(&routes);
    let public_paths = door::public_paths(&routes);
    let router = routes.into_router(&state).fallback(assets::serve_asset);
    door::wrap(operations::with_description(router, &description), state, public_paths)
}
