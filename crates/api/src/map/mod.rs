//! The map: what the web app reads. City, clock, layers, features, things, charts, search and live events.
#![allow(unused_qualifications, reason = "utoipa's macro repeats the names of parameter types")]

mod ask;
mod city;
mod events;
mod layers;
mod places;
mod things;

pub(crate) use ask::{base_url, look, parse_bbox, parse_time};

use trust::Action;
use utoipa::OpenApi;

use crate::Routes;

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/v1/city", Action::ReadLayers, city::get_city)
        .get("/api/v1/clock", Action::ReadLayers, city::get_clock)
        .post("/api/v1/clock", Action::SetClock, city::set_clock)
        .get("/api/v1/events", Action::ReadLayers, events::stream_events)
        .get("/api/v1/indicators", Action::ReadLayers, layers::list_indicators)
        .get("/api/v1/layers", Action::ReadLayers, layers::list_layers)
        .get("/api/v1/layers/{layer}/features", Action::ReadLayers, layers::get_layer_features)
        .get("/api/v1/layers/{layer}/table", Action::ReadLayers, layers::get_layer_table)
        .get("/api/v1/search", Action::ReadLayers, places::search_places)
        .get("/api/v1/things/{id}", Action::ReadLayers, things::get_thing)
        .get("/api/v1/things/{id}/series", Action::ReadLayers, things::get_thing_series)
        .get("/api/v1/timeline", Action::ReadLayers, places::get_timeline)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(
    components(schemas(events::TilesEvent, views::ChangeEvent)),
    paths(
        city::get_city,
        city::get_clock,
        city::set_clock,
        events::stream_events,
        layers::list_indicators,
        layers::list_layers,
        layers::get_layer_features,
        layers::get_layer_table,
        places::search_places,
        places::get_timeline,
        things::get_thing,
        things::get_thing_series,
    )
)]
struct Described;
