//! A layer as GeoJSON: now, or as it was at a moment of the archive.
//!
//! A value that is older than the layer allows is shown as "no data" (`null`), never as if it were fresh; when it was
//! last seen stays visible beside it.

use std::collections::HashMap;

use model::{AttributeValue, BoundingBox, Entity, EntityId, Geometry, ObservedValue, Quality, SeriesKey, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use store::EntitySelect;
use utoipa::ToSchema;

use crate::{
    Computed, LayerConfig, ViewError, Viewpoint, fits, flag_names, moment_in,
    shapes::{GeometryShape, ValueShape},
    shown, shown_observation, title_of,
};

/// The most features in one answer.
pub const FEATURES_MAX: usize = 20_000;
/// How far ahead of the city's clock a value may be before the picture is taken from history instead, microseconds.
const AHEAD_MAX: i64 = 1_000_000;

/// Which features are asked for.
#[derive(Clone, Debug, Default)]
pub struct FeaturesQuery {
    /// The picture at this moment instead of now.
    pub at: Option<Timestamp>,
    /// Only what touches this box.
    pub bbox: Option<BoundingBox>,
    /// At most so many; [`FEATURES_MAX`] at the most.
    pub limit: Option<usize>,
    /// The language of titles.
    pub language: String,
}

/// The tag of a GeoJSON feature collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub enum CollectionTag {
    /// The only one.
    FeatureCollection,
}

/// The tag of a GeoJSON feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub enum FeatureTag {
    /// The only one.
    Feature,
}

/// Features of one layer at one moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Features)]
pub struct FeatureCollection {
    /// Always `FeatureCollection`.
    #[serde(rename = "type")]
    pub kind: CollectionTag,
    /// The moment of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How many features have no value for the attribute that gives the colour.
    pub no_data: usize,
    /// Whether there were more than the limit.
    pub truncated: bool,
    /// The features.
    pub features: Vec<Feature>,
}

/// One thing as GeoJSON.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Feature {
    /// Always `Feature`.
    #[serde(rename = "type")]
    pub kind: FeatureTag,
    /// The identifier of the entity.
    #[schema(value_type = String)]
    pub id: EntityId,
    /// Where it is.
    #[schema(value_type = GeometryShape)]
    pub geometry: Value,
    /// `title`, the layer's attributes, `observedAt`, `ageS`, `origin`, `flags`.
    #[schema(value_type = HashMap<String, ValueShape>)]
    pub properties: Map<String, Value>,
}

/// Features of a layer.
///
/// `computed` are the indicators of areas, where the layer has any.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing.
pub fn features(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &FeaturesQuery,
    computed: &Computed,
) -> Result<FeatureCollection, ViewError> {
    view.check(layer)?;
    let entity_type = layer.type_iri();
    // A moving thing is looked for where it was, so the box of where it is now must not decide.
    let select = match query.bbox.filter(|_| !layer.moving) {
        Some(bbox) => EntitySelect::InBox { entity_type: Some(entity_type), bbox },
        None => EntitySelect::Type(entity_type),
    };
    let limit = query.limit.unwrap_or(FEATURES_MAX).min(FEATURES_MAX);
    let mut entities = vec![];
    let mut truncated = false;
    let at = query.at.unwrap_or(view.now);
    view.each(&select, |entity| {
        if is_shown_at(layer, entity, at) {
            truncated = entities.len() >= limit;
            if !truncated {
                entities.push(entity.clone());
            }
        }
        !truncated
    })?;
    let features = picture_of(view, layer, &entities, query.at, &query.language, computed)?;
    let features: Vec<Feature> = match query.bbox.filter(|_| layer.moving) {
        Some(bbox) => features.into_iter().filter(|f| touches(f, &bbox)).collect(),
        None => features,
    };
    let by = layer.style.by.as_deref();
    let empty = |f: &&Feature| by.is_some_and(|by| f.properties.get(by).is_none_or(Value::is_null));
    let no_data = features.iter().filter(empty).count();
    Ok(FeatureCollection { kind: CollectionTag::FeatureCollection, at, no_data, truncated, features })
}

/// These things as features, now or at a moment; things that were nowhere at that moment are left out.
///
/// # Errors
/// The store's.
pub fn picture_of(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    entities: &[Entity],
    at: Option<Timestamp>,
    language: &str,
    computed: &Computed,
) -> Result<Vec<Feature>, ViewError> {
    let moment = at.unwrap_or(view.now);
    let ahead = |entity: &Entity| newest(layer, entity).is_some_and(|t| t.micros() > moment.micros() + AHEAD_MAX);
    // When the clock of a replay was turned back, the state is ahead of it and history has the picture.
    let past = at.is_some() || entities.iter().any(ahead);
    let then = if past { Some(values_at(view, layer, entities, moment)?) } else { None };
    let picture = Picture { layer, at: moment, then, language, computed };
    Ok(entities.iter().filter_map(|entity| picture.feature(entity)).collect())
}

/// Whether a thing with a beginning and an end exists at a moment.
#[must_use]
pub fn is_shown_at(layer: &LayerConfig, entity: &Entity, at: Timestamp) -> bool {
    let Some(period) = &layer.period else { return true };
    let moment = |name: &str| moment_in(&shown(entity.attribute(crate::expand(name).as_str())?));
    moment(&period.from).is_none_or(|from| from <= at) && moment(&period.to).is_none_or(|to| at <= to)
}

/// When the newest value of a layer's attributes was observed.
#[must_use]
pub fn newest(layer: &LayerConfig, entity: &Entity) -> Option<Timestamp> {
    let observed = layer.attributes.iter().filter_map(|a| entity.attribute(a.iri().as_str())?.observed_at);
    let seen_at = entity.attribute(Entity::LOCATION).and_then(|a| a.observed_at).filter(|_| layer.moving);
    observed.chain(seen_at).max()
}

/// Values that held at a moment, by entity and attribute.
pub type Then = HashMap<SeriesKey, Held>;

/// One value that held at a moment.
#[derive(Clone, Debug)]
pub struct Held {
    /// When it was observed.
    pub at: Timestamp,
    /// What was observed.
    pub value: ObservedValue,
    /// Its label.
    pub quality: Quality,
}

/// The values of a layer's attributes (and of the place of things that move) that held at a moment.
///
/// # Errors
/// The store's.
pub fn values_at(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    entities: &[Entity],
    at: Timestamp,
) -> Result<Then, ViewError> {
    let mut names: Vec<model::Iri> = layer.attributes.iter().filter(|a| a.history).map(|a| a.iri()).collect();
    if layer.moving {
        names.extend(layer.attributes.iter().filter(|a| !a.history).map(|a| a.iri()));
        names.push(model::Iri::from(Entity::LOCATION));
    }
    let key = |entity: &Entity, attribute: &model::Iri| SeriesKey {
        entity: entity.id.clone(),
        attribute: attribute.clone(),
        dataset_id: None,
    };
    let keys: Vec<SeriesKey> = entities.iter().flat_map(|e| names.iter().map(move |n| key(e, n))).collect();
    if keys.is_empty() {
        return Ok(Then::new());
    }
    let found = view.snapshot.history().at(view.tenant, &keys, at, layer.age_s_max)?;
    let held = |o: model::Observation| (o.series, Held { at: o.at, value: o.value, quality: o.quality });
    Ok(found.into_iter().flatten().map(held).collect())
}

fn touches(feature: &Feature, bbox: &BoundingBox) -> bool {
    Geometry::from_geojson(&feature.geometry).is_ok_and(|g| g.bounding_box().intersects(bbox))
}

/// What all features of one answer share.
struct Picture<'a> {
    layer: &'a LayerConfig,
    at: Timestamp,
    then: Option<Then>,
    language: &'a str,
    computed: &'a Computed,
}

/// One value with what is known about it.
struct Seen {
    value: Value,
    observed_at: Option<Timestamp>,
    quality: Option<Quality>,
}

impl Picture<'_> {
    /// `None` for a thing that was nowhere at the moment.
    fn feature(&self, entity: &Entity) -> Option<Feature> {
        let geometry = self.place(entity)?;
        let mut properties = Map::new();
        properties.insert("title".to_owned(), title_of(Some(self.layer), entity, self.language).into());
        let mut newest: Option<Timestamp> = None;
        let mut flags: Vec<&str> = vec![];
        let mut origin = self.layer.origin;
        for attribute in &self.layer.attributes {
            let mut seen = self.value(entity, attribute.iri(), attribute.history);
            if seen.observed_at.is_some_and(|t| t > self.at) {
                // A picture of the past does not know what was observed later, such as when an incident will end.
                seen.observed_at = None;
                if self.layer.period.is_some() {
                    seen.value = Value::Null;
                }
            }
            newest = newest.max(seen.observed_at);
            if let Some(quality) = &seen.quality {
                flags.extend(flag_names(quality.flags));
                if self.layer.style.by.as_ref() == Some(&attribute.name) {
                    origin = quality.origin;
                }
            }
            let stale = attribute.history && self.is_stale(seen.observed_at);
            let value = if stale || !fits(attribute.kind, &seen.value) { Value::Null } else { seen.value };
            properties.insert(attribute.name.clone(), value);
        }
        for indicator in &self.layer.indicators {
            let value = self.computed.get(&indicator.name, &entity.id);
            properties.insert(indicator.name.clone(), value.map_or(Value::Null, Value::from));
        }
        if self.layer.moving {
            newest = self.moved_at(entity).or(newest);
        }
        flags.sort_unstable();
        flags.dedup();
        let age_s = newest.map(|t| self.at.seconds_since(t).max(0.0).round());
        properties.insert("observedAt".to_owned(), newest.map_or(Value::Null, |t| t.to_string().into()));
        properties.insert("ageS".to_owned(), age_s.map_or(Value::Null, Value::from));
        properties.insert("origin".to_owned(), serde_json::to_value(origin).unwrap_or_default());
        properties.insert("flags".to_owned(), flags.into());
        Some(Feature { kind: FeatureTag::Feature, id: entity.id.clone(), geometry, properties })
    }

    fn value(&self, entity: &Entity, attribute: model::Iri, history: bool) -> Seen {
        if let Some(then) = self.then.as_ref().filter(|_| history || self.layer.moving) {
            let key = SeriesKey { entity: entity.id.clone(), attribute: attribute.clone(), dataset_id: None };
            if let Some(held) = then.get(&key) {
                return Seen {
                    value: shown_observation(&held.value),
                    observed_at: Some(held.at),
                    quality: Some(held.quality.clone()),
                };
            }
            if history {
                return Seen { value: Value::Null, observed_at: None, quality: None };
            }
        }
        match entity.attribute(attribute.as_str()) {
            Some(found) => Seen { value: shown(found), observed_at: found.observed_at, quality: found.quality.clone() },
            None => Seen { value: Value::Null, observed_at: None, quality: None },
        }
    }

    fn is_stale(&self, observed_at: Option<Timestamp>) -> bool {
        let (Some(age_s_max), Some(observed_at)) = (self.layer.age_s_max, observed_at) else { return false };
        self.at.seconds_since(observed_at) > age_s_max
    }

    /// When the place of a moving thing was observed.
    fn moved_at(&self, entity: &Entity) -> Option<Timestamp> {
        match &self.then {
            Some(then) => then.get(&location_key(entity)).map(|held| held.at),
            None => entity.attribute(Entity::LOCATION)?.observed_at,
        }
    }

    fn place(&self, entity: &Entity) -> Option<Value> {
        if !self.layer.moving {
            return entity.location().map(Geometry::to_geojson);
        }
        if let Some(then) = &self.then {
            let held = then.get(&location_key(entity))?;
            let ObservedValue::Attribute(attribute) = &held.value else { return None };
            let AttributeValue::Geo(geometry) = &attribute.value else { return None };
            return Some(geometry.to_geojson());
        }
        // A vehicle that has not been seen for longer than the layer allows is not drawn where it once was.
        if self.is_stale(self.moved_at(entity)) {
            return None;
        }
        entity.location().map(Geometry::to_geojson)
    }
}

fn location_key(entity: &Entity) -> SeriesKey {
    SeriesKey { entity: entity.id.clone(), attribute: model::Iri::from(Entity::LOCATION), dataset_id: None }
}
