//! The items of a collection: by box, time, property and filter, page by page; and one item.

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use model::{EntityId, Problem};
use serde_json::{Value, json};
use url::form_urlencoded;
use views::{
    LayerConfig,
    ogc::{Filter, ITEMS_MAX, Interval, Items, ItemsQuery},
};

use super::{
    collections::{CRS84, layer_of},
    respond::{Answer, GEOJSON, JSON, link},
};
use crate::{ApiError, AppState, Caller, map};

/// Items on a page when nothing is asked.
pub(super) const LIMIT_DEFAULT: usize = 100;

/// The items of a collection.
#[utoipa::path(
    get,
    path = "/ogc/features/v1/collections/{collection}/items",
    params(
        ("collection" = String, Path, description = "The id of a layer"),
        ("bbox" = Option<String>, Query, description = "west,south,east,north"),
        ("datetime" = Option<String>, Query, description = "A moment, or an interval from/to with .. for open"),
        ("limit" = Option<usize>, Query, description = "At most so many items (100, at most 10,000)"),
        ("offset" = Option<usize>, Query, description = "How many items to leave out"),
        ("filter" = Option<String>, Query, description = "A filter in CQL2 text"),
        ("filter-lang" = Option<String>, Query, description = "cql2-text"),
        ("f" = Option<String>, Query, description = "json or html"),
    ),
    responses((status = 200, description = "A FeatureCollection", content_type = "application/geo+json"))
)]
pub(super) async fn list_items(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let layer = layer_of(&state.views, &id, &caller.scope)?;
    let (query, form) = read_query(layer, &parameters)?;
    let answer = Answer::for_request(&state, &headers, form.as_deref())?;
    let now = state.clock.wall();
    let answered = map::look(&state, caller, move |views, view| {
        let layer = views.layer(&id, view.scope)?;
        let computed = views.computed(view, layer)?;
        let found = views::ogc::items(view, layer, &query, &computed)?;
        let url = answer.url(&format!("/collections/{id}/items"));
        let links = page_links(&answer, &url, &parameters, &query, found.more);
        let document = collection_document(&found, &url, links, now.to_string());
        Ok(answer.send(&layer.title.en, &document, GEOJSON))
    });
    answered.await
}

fn collection_document(found: &Items, url: &str, links: Vec<Value>, time_stamp: String) -> Value {
    let features: Vec<Value> = found
        .features
        .iter()
        .map(|feature| {
            let href = format!("{url}/{}", encode(feature.id.as_str()));
            json!({
                "type": "Feature",
                "id": feature.id,
                "geometry": feature.geometry,
                "properties": feature.properties,
                "links": [link(&href, "self", GEOJSON, "This item")],
            })
        })
        .collect();
    let mut document = json!({
        "type": "FeatureCollection",
        "timeStamp": time_stamp,
        "numberReturned": features.len(),
        "links": links,
        "features": features,
    });
    if let (Some(matched), Some(object)) = (found.matched, document.as_object_mut()) {
        object.insert("numberMatched".to_owned(), matched.into());
    }
    document
}

/// One item.
#[utoipa::path(
    get,
    path = "/ogc/features/v1/collections/{collection}/items/{item}",
    params(
        ("collection" = String, Path, description = "The id of a layer"),
        ("item" = String, Path, description = "The identifier of an item"),
        ("f" = Option<String>, Query, description = "json or html"),
    ),
    responses((status = 200, description = "A Feature", content_type = "application/geo+json"))
)]
pub(super) async fn get_item(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, item)): Path<(String, String)>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    if let Some((unknown, _)) = parameters.iter().find(|(name, _)| name != "f") {
        return Err(unknown_parameter(unknown, "f").into());
    }
    let form = parameters.into_iter().next().map(|(_, value)| value);
    let answer = Answer::for_request(&state, &headers, form.as_deref())?;
    let entity = EntityId::parse(&item).map_err(|_| ApiError::not_found("there is no such item"))?;
    let answered = map::look(&state, caller, move |views, view| {
        let layer = views.layer(&id, view.scope)?;
        let computed = views.computed(view, layer)?;
        let feature = views::ogc::item(view, layer, &entity, &computed)?;
        let collection = answer.url(&format!("/collections/{id}"));
        let mut links = answer.self_links(&format!("{collection}/items/{}", encode(entity.as_str())), GEOJSON);
        links.push(link(&collection, "collection", JSON, &layer.title.en));
        let document = json!({
            "type": "Feature",
            "id": feature.id,
            "geometry": feature.geometry,
            "properties": feature.properties,
            "links": links,
        });
        let title = feature.properties.get("title").and_then(Value::as_str).unwrap_or(&item);
        Ok(answer.send(title, &document, GEOJSON))
    });
    answered.await
}

fn read_query(layer: &LayerConfig, parameters: &[(String, String)]) -> Result<(ItemsQuery, Option<String>), ApiError> {
    let mut query = ItemsQuery { limit: LIMIT_DEFAULT, ..ItemsQuery::default() };
    let mut form = None;
    for (name, value) in parameters {
        match name.as_str() {
            "bbox" => query.bbox = map::parse_bbox(Some(value))?,
            "datetime" => query.datetime = Some(Interval::parse(value)?),
            "limit" => query.limit = whole(name, value)?.clamp(1, ITEMS_MAX),
            "offset" => query.offset = whole(name, value)?,
            "f" => form = Some(value.clone()),
            "filter" => {
                let known = |name: &str| layer.attribute(name).is_some();
                query.filter = Some(Filter::parse(value, &known)?);
            }
            "filter-lang" if value == "cql2-text" => {}
            "bbox-crs" | "crs" | "filter-crs" if value == CRS84 => {}
            "filter-lang" | "bbox-crs" | "crs" | "filter-crs" => {
                let remedy = format!("use cql2-text and {CRS84}");
                return Err(Problem::new(name.as_str(), "this value is not supported", remedy).into());
            }
            _ if layer.attribute(name).is_some() => query.properties.push((name.clone(), value.clone())),
            _ => {
                let names: Vec<&str> = layer.attributes.iter().map(|a| a.name.as_str()).collect();
                let known = format!("bbox, datetime, limit, offset, filter, f, {}", names.join(", "));
                return Err(unknown_parameter(name, &known).into());
            }
        }
    }
    Ok((query, form))
}

fn unknown_parameter(name: &str, known: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::new("query", format!("there is no parameter \"{shown}\""), format!("use {known}"))
}

fn whole(name: &str, value: &str) -> Result<usize, Problem> {
    value.parse().map_err(|_| {
        let shown: String = value.chars().take(40).collect();
        Problem::new(name, format!("\"{shown}\" is not a whole number"), "use a number from 0")
    })
}

/// This page, its other form, the next and the previous page.
fn page_links(
    answer: &Answer,
    url: &str,
    parameters: &[(String, String)],
    query: &ItemsQuery,
    more: bool,
) -> Vec<Value> {
    let address = |offset: usize| {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters.iter().filter(|(name, _)| name != "offset" && name != "f") {
            text.append_pair(name, value);
        }
        if offset > 0 {
            text.append_pair("offset", &offset.to_string());
        }
        let text = text.finish();
        if text.is_empty() { url.to_owned() } else { format!("{url}?{text}") }
    };
    let mut links = answer.self_links(&address(query.offset), GEOJSON);
    if more {
        links.push(link(&address(query.offset.saturating_add(query.limit)), "next", GEOJSON, "The next page"));
    }
    if query.offset > 0 {
        links.push(link(&address(query.offset.saturating_sub(query.limit)), "prev", GEOJSON, "The page before"));
    }
    links
}

/// An identifier as one segment of a path.
fn encode(id: &str) -> String {
    id.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
