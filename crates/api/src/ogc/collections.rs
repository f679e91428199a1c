//! The landing page, what it conforms to, the collections and what can be asked of them.

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use model::ReadScope;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use views::{AttributeKind, LayerConfig, LayerKind, ViewError, Viewpoint, Views};

use super::{
    describe::OPENAPI,
    respond::{Answer, GEOJSON, JSON, link},
};
use crate::{ApiError, AppState, Caller, map};

/// The standard's own coordinate reference system: longitude and latitude in WGS84.
pub(super) const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// The requirements that the tests hold this interface to.
const CONFORMS_TO: [&str; 12] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
];

/// The form of the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    f: Option<String>,
}

/// A query string that may have only `f`; anything else is refused, as the standard demands.
type FormQuery = Result<Query<Form>, axum::extract::rejection::QueryRejection>;

fn form(query: FormQuery) -> Result<Option<String>, ApiError> {
    match query {
        Ok(Query(form)) => Ok(form.f),
        Err(error) => Err(ApiError::bad_request(error.body_text()).with_remedy("use only the parameter f")),
    }
}

/// The landing page: where everything is.
#[utoipa::path(get, path = "/ogc/features/v1", responses((status = 200, description = "Links")))]
pub(super) async fn get_landing_page(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, ApiError> {
    let answer = Answer::for_request(&state, &headers, form(query)?.as_deref())?;
    let title = format!("{}: features", state.views.city().name);
    let mut links = answer.self_links(&answer.url(""), JSON);
    let whole = format!("{}/api/v1/openapi.json", answer.server());
    links.extend([
        link(&answer.url("/api"), "service-desc", OPENAPI, "This interface (OpenAPI 3.0)"),
        link(&whole, "service-desc", "application/openapi+json;version=3.1", "The whole server (OpenAPI 3.1)"),
        link(&answer.url("/conformance"), "conformance", JSON, "What this interface conforms to"),
        link(&answer.url("/collections"), "data", JSON, "The collections"),
    ]);
    let document = json!({
        "title": title,
        "description": "The city's layers as OGC API Features.",
        "attribution": state.views.city().basemap_attribution,
        "links": links,
    });
    Ok(answer.send(&title, &document, JSON))
}

/// What this interface conforms to.
#[utoipa::path(get, path = "/ogc/features/v1/conformance", responses((status = 200, description = "Classes")))]
pub(super) async fn get_conformance(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, ApiError> {
    let answer = Answer::for_request(&state, &headers, form(query)?.as_deref())?;
    let links = answer.self_links(&answer.url("/conformance"), JSON);
    Ok(answer.send("Conformance", &json!({ "conformsTo": CONFORMS_TO, "links": links }), JSON))
}

/// The collections that the caller may see.
#[utoipa::path(get, path = "/ogc/features/v1/collections", responses((status = 200, description = "Collections")))]
pub(super) async fn list_collections(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, ApiError> {
    let answer = Answer::for_request(&state, &headers, form(query)?.as_deref())?;
    let answered = map::look(&state, caller, move |views, view| {
        let layers = views.layers().layers.iter().filter(|l| view.scope.shows_type(&l.type_iri()));
        let collections = layers.map(|l| collection(&answer, views, view, l)).collect::<Result<Vec<_>, _>>()?;
        let links = answer.self_links(&answer.url("/collections"), JSON);
        Ok(answer.send("Collections", &json!({ "links": links, "collections": collections }), JSON))
    });
    answered.await
}

/// One collection.
#[utoipa::path(
    get,
    path = "/ogc/features/v1/collections/{collection}",
    params(("collection" = String, Path, description = "The id of a layer")),
    responses((status = 200, description = "The collection"))
)]
pub(super) async fn get_collection(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    query: FormQuery,
) -> Result<Response, ApiError> {
    let answer = Answer::for_request(&state, &headers, form(query)?.as_deref())?;
    let answered = map::look(&state, caller, move |views, view| {
        let layer = views.layer(&id, view.scope)?;
        let mut document = collection(&answer, views, view, layer)?;
        let url = answer.url(&format!("/collections/{id}"));
        if let Some(links) = document.get_mut("links").and_then(Value::as_array_mut) {
            links.extend(answer.self_links(&url, JSON));
        }
        Ok(answer.send(&layer.title.en, &document, JSON))
    });
    answered.await
}

/// What can be asked of a collection, as a JSON Schema.
#[utoipa::path(
    get,
    path = "/ogc/features/v1/collections/{collection}/queryables",
    params(("collection" = String, Path, description = "The id of a layer")),
    responses((status = 200, description = "A JSON Schema", content_type = "application/schema+json"))
)]
pub(super) async fn get_queryables(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    query: FormQuery,
) -> Result<Response, ApiError> {
    let answer = Answer::for_request(&state, &headers, form(query)?.as_deref())?;
    let layer = state.views.layer(&id, &caller.scope)?;
    let mut properties = Map::new();
    properties.insert("geometry".to_owned(), json!({ "title": "geometry", "format": geometry_format(layer.kind) }));
    for attribute in &layer.attributes {
        let kind = match attribute.kind {
            AttributeKind::Number => json!({ "title": attribute.label.en, "type": "number" }),
            AttributeKind::Text => json!({ "title": attribute.label.en, "type": "string" }),
            AttributeKind::Time => json!({ "title": attribute.label.en, "type": "string", "format": "date-time" }),
        };
        properties.insert(attribute.name.clone(), kind);
    }
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": answer.url(&format!("/collections/{id}/queryables")),
        "type": "object",
        "title": layer.title.en,
        "properties": properties,
        "additionalProperties": false,
    });
    Ok(answer.send(&format!("{}: queryables", layer.title.en), &document, "application/schema+json"))
}

fn geometry_format(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Point => "geometry-point",
        LayerKind::Line => "geometry-linestring",
        LayerKind::Polygon | LayerKind::Building => "geometry-polygon",
    }
}

fn collection(answer: &Answer, views: &Views, view: &Viewpoint<'_>, layer: &LayerConfig) -> Result<Value, ViewError> {
    let count = view.count(&layer.type_iri())?;
    let bounds = views.bounds(view, layer, count)?.unwrap_or_else(|| views.city().bounding_box());
    let url = answer.url(&format!("/collections/{}", layer.id));
    let source = views.source(&layer.source);
    Ok(json!({
        "id": layer.id,
        "title": layer.title.en,
        "description": layer.description.en,
        "attribution": source.attribution,
        "itemType": "feature",
        "crs": [CRS84],
        "storageCrs": CRS84,
        "extent": { "spatial": {
            "bbox": [[bounds.west, bounds.south, bounds.east, bounds.north]],
            "crs": CRS84,
        } },
        "links": [
            link(&url, "collection", JSON, &layer.title.en),
            link(&format!("{url}/items"), "items", GEOJSON, "The items as GeoJSON"),
            link(&format!("{url}/items?f=html"), "items", "text/html", "The items as HTML"),
            link(&format!("{url}/queryables"), "http://www.opengis.net/def/rel/ogc/1.0/queryables", "application/schema+json", "What can be asked"),
            link(&licence_url(&source.licence), "license", "text/html", &source.licence),
        ],
    }))
}

/// Where a licence can be read, by its SPDX id.
fn licence_url(licence: &str) -> String {
    let id: String = licence.chars().filter(|c| c.is_ascii_alphanumeric() || "-.+".contains(*c)).collect();
    format!("https://spdx.org/licenses/{id}.html")
}

/// A layer that the caller may see.
pub(super) fn layer_of<'a>(views: &'a Views, id: &str, scope: &ReadScope) -> Result<&'a LayerConfig, ApiError> {
    Ok(views.layer(id, scope)?)
}
