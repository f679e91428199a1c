//! A plan as GeoJSON: parts come in from a file, all of them or none, and go out in the same form.

use std::collections::BTreeSet;

use model::{Problem, Tenant, Timestamp};
use serde_json::{Map, Value, json};
use store::{CommitError, Expect, Store, Transaction};

use crate::{
    Body, ControlError, KINDS, Part, Plan, checked_key,
    event::slug,
    events::{self, PARTS_MAX},
};

/// What becomes of a part that is there already under the key of one that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Nothing is taken over, and the key is named.
    #[default]
    Refuse,
    /// It is written over.
    Replace,
}

/// Something in the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureProblem {
    /// Its place in the file, from 1.
    pub feature: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The field of a kind that holds its drawing.
fn drawing_of(kind: &str) -> Option<&'static str> {
    match kind {
        "area" => Some("outline"),
        "gate" => Some("line"),
        _ => None,
    }
}

/// The plan as a `FeatureCollection`: the fields of each part are its properties, with `kind` and `key`. What is not
/// drawn has no geometry.
#[must_use]
pub fn export(plan: &Plan) -> Value {
    let features: Vec<Value> = plan.parts.iter().filter_map(|part| feature(part)).collect();
    json!({ "type": "FeatureCollection", "name": plan.event.facts.name, "features": features })
}

fn feature(part: &Part) -> Option<Value> {
    let (kind, body) = (part.body.kind(), serde_json::to_value(&part.body).ok()?);
    let Value::Object(mut properties) = body.get("body")?.clone() else { return None };
    let geometry = drawing_of(kind).and_then(|field| properties.remove(field)).unwrap_or(Value::Null);
    properties.insert("kind".to_owned(), kind.into());
    properties.insert("key".to_owned(), part.key.clone().into());
    Some(json!({ "type": "Feature", "geometry": geometry, "properties": properties }))
}

/// Takes the parts of a `FeatureCollection` into a plan, in one transaction: all of them, or none when one cannot be.
///
/// # Errors
/// [`ControlError::Features`] with every feature that cannot be used; too many parts; somebody changed one of them
/// meanwhile; or the store fails.
pub async fn import(
    store: &Store,
    tenant: &Tenant,
    event: &str,
    (collection, existing): (&Value, Existing),
    (by, now): (&str, Timestamp),
) -> Result<Plan, ControlError> {
    let plan = events::plan(&store.snapshot()?, tenant, event)?;
    let features = features(collection)?;
    let (mut taken, mut problems) = (BTreeSet::new(), Vec::new());
    let mut tx = Transaction::new(tenant.clone());
    let mut added = 0;
    for (place, feature) in (1..).zip(features) {
        let read = read(feature).and_then(|(key, body)| {
            let is_new = taken.insert((body.kind(), key.clone()));
            let version = version_of(&plan, (body.kind(), &key), is_new, existing)?;
            Ok((key, body, version))
        });
        match read {
            Ok((key, body, version)) => {
                added += usize::from(version.is_none());
                let part = Part { event: event.to_owned(), key, body, changed_by: by.to_owned(), changed_at: now };
                tx.put_document(&part, version.map_or(Expect::Absent, Expect::Version))?;
            }
            Err(problem) => problems.push(FeatureProblem { feature: place, problem }),
        }
    }
    if let Some(FeatureProblem { feature, problem }) = problems.first() {
        let count = (problems.len(), features.len());
        let said = format!(
            "{} of {} features cannot be used, so nothing was taken over; the first is feature {feature}: {problem}",
            count.0, count.1
        );
        return Err(ControlError::Features { said, problems });
    }
    if plan.parts.len() + added > PARTS_MAX {
        let problem = Problem::new("parts", "a plan has at most 1,000 parts", "import fewer, or remove some first");
        return Err(ControlError::Conflict(problem));
    }
    match store.commit(tx).await {
        Ok(_) => events::plan(&store.snapshot()?, tenant, event),
        Err(CommitError::Conflict { .. }) => Err(ControlError::Conflict(Problem::new(
            "parts",
            "somebody changed one of these parts while they were read in",
            "look at the plan, and import again",
        ))),
        Err(error) => Err(error.into()),
    }
}

fn features(collection: &Value) -> Result<&[Value], Problem> {
    let problem = |detail: &str, remedy: &str| Problem::new("file", detail, remedy);
    let is_collection = collection.get("type").and_then(Value::as_str) == Some("FeatureCollection");
    let features = collection.get("features").and_then(Value::as_array).filter(|_| is_collection);
    match features.map(Vec::as_slice) {
        None => Err(problem("it is no GeoJSON FeatureCollection", "export it as GeoJSON (RFC 7946)")),
        Some([]) => Err(problem("it has no features", "export what is to be planned, and try again")),
        Some(many) if many.len() > PARTS_MAX => {
            Err(problem("it has more than 1,000 features", "a plan has at most 1,000 parts; leave some out"))
        }
        Some(features) => Ok(features),
    }
}

/// The version that is written over; none for a new part.
fn version_of(
    plan: &Plan,
    (kind, key): (&str, &str),
    is_first: bool,
    existing: Existing,
) -> Result<Option<u64>, Problem> {
    if !is_first {
        let detail = format!("the file has {kind} \"{key}\" twice");
        return Err(Problem::new("key", detail, "give each feature of a kind its own key"));
    }
    let there = plan.parts.iter().find(|part| part.body.kind() == kind && part.key == key);
    match (there, existing) {
        (Some(_), Existing::Refuse) => {
            let detail = format!("the plan has {kind} \"{key}\" already");
            Err(Problem::new("key", detail, "choose to replace what is there, or give it another key"))
        }
        (there, _) => Ok(there.map(|part| part.version)),
    }
}

/// Key and body of a feature. What it is follows from `kind`, or else from its geometry; its key from `key`, from the
/// id of the feature, or else from its name.
fn read(feature: &Value) -> Result<(String, Body), Problem> {
    let problem = |thing: &str, detail: &str, remedy: &str| Err(Problem::new(thing, detail, remedy));
    let is_feature = feature.get("type").and_then(Value::as_str) == Some("Feature");
    let Some(properties) = feature.get("properties").and_then(Value::as_object).filter(|_| is_feature) else {
        return problem("feature", "it is no feature with properties", "give it the fields of a part as properties");
    };
    let mut fields: Map<String, Value> = properties.iter().filter(|(_, v)| !v.is_null()).map(owned).collect();
    let geometry = feature.get("geometry").filter(|geometry| !geometry.is_null());
    let shape = geometry.and_then(|geometry| geometry.get("type")).and_then(Value::as_str);
    let kind = match (fields.remove("kind"), shape) {
        (Some(Value::String(kind)), _) if KINDS.contains(&kind.as_str()) => kind,
        (Some(_), _) => {
            return problem("kind", "there is no such kind of part", "use area, gate, link or another kind");
        }
        (None, Some("Polygon" | "MultiPolygon")) => "area".to_owned(),
        (None, Some("LineString")) => (if fields.contains_key("lengthM") { "link" } else { "gate" }).to_owned(),
        (None, _) => {
            let remedy = "draw areas as polygons and gates as lines, or name its kind";
            return problem("kind", "nothing says what it is", remedy);
        }
    };
    let key = key_of(fields.remove("key"), feature.get("id"), fields.get("name"))?;
    match (drawing_of(&kind), geometry) {
        (Some(field), Some(geometry)) => drop(fields.insert(field.to_owned(), checked(geometry)?)),
        (Some(field), None) => return problem(field, "it is not drawn", "give the feature a geometry"),
        // The line of a link is only a help to draw it: what counts is its length.
        (None, _) => {}
    }
    Ok((key, Body::read(&kind, Value::Object(fields))?))
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn key_of(key: Option<Value>, id: Option<&Value>, name: Option<&Value>) -> Result<String, Problem> {
    if let Some(key) = key {
        return checked_key(key.as_str().unwrap_or_default()).map(str::to_owned);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = id.filter(|id| id.is_string() || id.is_number()).or(name).map(text).unwrap_or_default();
    let key = slug(&text);
    checked_key(&key).map(str::to_owned)
}

/// A geometry that can be on the map. Metres instead of degrees are told apart: that is how most files go wrong.
fn checked(geometry: &Value) -> Result<Value, Problem> {
    if metres(geometry) {
        let (detail, remedy) = ("its positions are no degrees", "export it in WGS 84 (EPSG:4326), not in RD");
        return Err(Problem::new("geometry", detail, remedy));
    }
    model::Geometry::from_geojson(geometry)?;
    Ok(geometry.clone())
}

/// Whether a position lies outside the world, as metres of a national grid do.
fn metres(geometry: &Value) -> bool {
    match geometry {
        Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() > 360.0),
        Value::Array(items) => items.iter().any(metres),
        Value::Object(fields) => fields.get("coordinates").is_some_and(metres),
        _ => false,
    }
}
