//! The description of the interface (OpenAPI 3.1): what the areas wrote, completed from the list of routes.

use serde_json::{Map, Value, json};

use crate::{Route, Routes};

/// The whole document. Every route is in it; what an area has not described gets its parameters, its action and the
/// error envelope.
pub(crate) fn describe(routes: &Routes) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Polder",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The open city platform: live state, history, pictures and access.",
            "license": { "name": "EUPL-1.2", "identifier": "EUPL-1.2" },
        },
        "servers": [{ "url": "/" }],
        "paths": {},
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token, polder_…" },
                "session": { "type": "apiKey", "in": "cookie", "name": crate::session::Cookie::Session.name(false) },
            },
            "schemas": { "Problem": problem_schema() },
        },
    });
    for part in routes.documents() {
        if let Ok(part) = serde_json::to_value(part) {
            adopt(&mut document, &part, "/paths");
            adopt(&mut document, &part, "/components/schemas");
        }
    }
    for route in routes.iter() {
        complete(&mut document, route);
    }
    document
}

/// Copies what `part` has at a place into the document.
fn adopt(document: &mut Value, part: &Value, place: &str) {
    let (Some(Value::Object(into)), Some(Value::Object(from))) = (document.pointer_mut(place), part.pointer(place))
    else {
        return;
    };
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

/// Makes sure that a route is there, with its operation id, security and errors.
fn complete(document: &mut Value, route: &Route) {
    let Some(Value::Object(paths)) = document.pointer_mut("/paths") else { return };
    let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
    let Value::Object(methods) = path else { return };
    let operation = methods.entry(route.method.as_str().to_lowercase()).or_insert_with(|| json!({}));
    let Value::Object(operation) = operation else { return };
    let mut set = |name: &str, value: Value| {
        operation.entry(name).or_insert(value);
    };
    set("operationId", json!(route.operation));
    set("tags", json!([route.area]));
    set("summary", json!(sentence(route.operation)));
    set("description", json!(format!("Needs `{}`.", route.action)));
    set("parameters", parameters(route.path));
    set("responses", json!({ "2XX": { "description": "Done" } }));
    set("security", json!([{ "token": [] }, { "session": [] }, {}]));
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        responses.entry("default").or_insert_with(problem_response);
    }
}

fn parameters(path: &str) -> Value {
    let names = path.split('/').filter_map(|part| {
        let (_, rest) = part.split_once('{')?;
        Some(rest.split('}').next()?.trim_start_matches('*'))
    });
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })).collect()
}

/// `list_layers` becomes `List layers`.
fn sentence(operation: &str) -> String {
    let words = operation.replace('_', " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn problem_response() -> Value {
    let schema = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    json!({ "description": "A problem (RFC 9457)", "content": { "application/problem+json": schema } })
}

fn problem_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let mut properties = Map::new();
    properties.insert("type".into(), text("A URI that names the kind of problem"));
    properties.insert("title".into(), text("The kind of problem in a few words"));
    properties.insert("status".into(), json!({ "type": "integer", "description": "The HTTP status" }));
    properties.insert("detail".into(), text("What is wrong this time"));
    properties.insert("remedy".into(), text("What to do about it"));
    properties.insert("instance".into(), text("Which request it was"));
    json!({ "type": "object", "required": ["type", "title", "status", "detail"], "properties": properties })
}
