//! What a listener is told about a change: which thing of which layer, and its new values.

use model::{Change, ChangeKind, Entity, ReadScope, Tenant};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    Layers,
    features::newest,
    fits,
    shapes::{GeometryShape, ValueShape},
    shown,
};

/// What happened to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangedKind {
    /// It is new.
    Created,
    /// It has other values.
    Updated,
    /// It is gone.
    Deleted,
}

/// One change, as the event stream tells it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Change)]
pub struct ChangeEvent {
    /// The layer that the thing is drawn in, when there is one.
    #[schema(required)]
    pub layer: Option<String>,
    /// The short type.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// Which thing.
    pub id: String,
    /// What happened to it.
    pub kind: ChangedKind,
    /// When the newest of its values was observed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<model::Timestamp>,
    /// The layer's attributes that changed, by short name; `null` when one was removed.
    #[schema(value_type = HashMap<String, ValueShape>)]
    pub values: Map<String, Value>,
    /// Where it is now, when that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<GeometryShape>)]
    pub location: Option<Value>,
}

/// What a listener wants to hear and may hear.
pub struct Listener<'a> {
    /// Whose data.
    pub tenant: &'a Tenant,
    /// What may be shown.
    pub scope: &'a ReadScope,
    /// Short types; empty for all that have a layer.
    pub types: &'a [String],
}

/// The event for a change; `None` when the listener does not want it or may not hear it.
#[must_use]
pub fn change_event(change: &Change, layers: &Layers, listener: &Listener<'_>) -> Option<ChangeEvent> {
    let entity = change.after().or(change.before())?;
    if change.tenant != *listener.tenant || !listener.scope.shows(entity) {
        return None;
    }
    let layer = entity.types.iter().find_map(|t| layers.of_type(t));
    let wanted = match listener.types {
        [] => layer.is_some(),
        types => entity.types.iter().any(|t| types.iter().any(|wanted| wanted == t.short() || wanted == t.as_str())),
    };
    if !wanted {
        return None;
    }
    let mut values = Map::new();
    for attribute in layer.map(|l| l.attributes.as_slice()).unwrap_or_default() {
        let name = attribute.iri();
        if change.kind == ChangeKind::Created || change.attributes.contains(&name) {
            let value = change.after.as_ref().and_then(|e| e.attribute(name.as_str())).map(shown);
            let value = value.filter(|v| fits(attribute.kind, v)).unwrap_or_default();
            values.insert(attribute.name.clone(), value);
        }
    }
    let moved = change.kind == ChangeKind::Created || change.attributes.iter().any(|a| a.as_str() == Entity::LOCATION);
    let location = change.after.as_ref().filter(|_| moved).and_then(|e| e.location()).map(model::Geometry::to_geojson);
    Some(ChangeEvent {
        layer: layer.map(|l| l.id.clone()),
        entity_type: entity.types.first().map(|t| t.short().to_owned()).unwrap_or_default(),
        id: change.id.to_string(),
        kind: match change.kind {
            ChangeKind::Created => ChangedKind::Created,
            ChangeKind::Updated => ChangedKind::Updated,
            ChangeKind::Deleted => ChangedKind::Deleted,
        },
        observed_at: layer.and_then(|l| newest(l, entity)),
        values,
        location,
    })
}
