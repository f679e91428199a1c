//! OGC API Features at `/ogc/features/v1`: the city's layers for GIS software and for people with a browser.

mod collections;
mod describe;
mod items;
mod respond;

use trust::Action;
use utoipa::OpenApi;

use crate::Routes;

/// Where it stands.
const ROOT: &str = "/ogc/features/v1";

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/ogc/features/v1", Action::ReadLayers, collections::get_landing_page)
        // The same with a slash, which some clients put behind the address that they were given.
        .get("/ogc/features/v1/", Action::ReadLayers, collections::get_landing_page)
        .get("/ogc/features/v1/api", Action::ReadLayers, describe::get_features_description)
        .get("/ogc/features/v1/conformance", Action::ReadLayers, collections::get_conformance)
        .get("/ogc/features/v1/collections", Action::ReadLayers, collections::list_collections)
        .get("/ogc/features/v1/collections/{collection}", Action::ReadLayers, collections::get_collection)
        .get("/ogc/features/v1/collections/{collection}/queryables", Action::ReadLayers, collections::get_queryables)
        .get("/ogc/features/v1/collections/{collection}/items", Action::ReadLayers, items::list_items)
        .get("/ogc/features/v1/collections/{collection}/items/{item}", Action::ReadLayers, items::get_item)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(
    collections::get_landing_page,
    collections::get_conformance,
    collections::list_collections,
    collections::get_collection,
    collections::get_queryables,
    describe::get_features_description,
    items::list_items,
    items::get_item,
))]
struct Described;
