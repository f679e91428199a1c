//! The inspector: everything that is known about one thing, with its age, its label and its source beside each value.

use model::{AttributeValue, Entity, EntityId, Iri, Quality, SeriesKey, Timestamp};
use serde::Serialize;
use serde_json::Value;
use store::EntitySelect;
use utoipa::ToSchema;

use crate::{
    Layers, SourceCard, Text, ViewError, Viewpoint, as_text,
    features::{Then, is_shown_at, newest, values_at},
    flag_names, sentence,
    shapes::{GeometryShape, OriginShape, ValueShape},
    shown, shown_observation, title_of, unit_symbol,
};

/// The most things that are listed as pointing to one thing.
const RELATED_MAX: usize = 50;

/// One thing with all that is known about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Thing)]
pub struct Inspector {
    /// The identifier.
    #[schema(value_type = String)]
    pub id: EntityId,
    /// The short type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// The layer it is drawn in.
    #[schema(required)]
    pub layer: Option<String>,
    /// Where it is.
    #[schema(required, value_type = Option<GeometryShape>)]
    pub location: Option<Value>,
    /// When the newest of its values was observed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Whether it exists at the moment asked for (an incident that has begun and is not over).
    pub current: bool,
    /// Its values.
    pub attributes: Vec<InspectedValue>,
    /// Whose data it is.
    #[schema(required)]
    pub source: Option<SourceCard>,
    /// What it does, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sentence: Option<Text>,
    /// What the data do not allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Text>,
    /// Things it points to, and things that point to it.
    pub relations: Vec<Relation>,
}

/// One value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ThingAttribute)]
pub struct InspectedValue {
    /// The short name.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The value; `null` is "no data".
    #[schema(value_type = ValueShape)]
    pub value: Value,
    /// The value in words, where the layer has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub words: Option<Text>,
    /// The symbol of the unit.
    #[schema(required)]
    pub unit: Option<String>,
    /// When it was observed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Seconds since then, by the city's clock.
    #[schema(required)]
    pub age_s: Option<f64>,
    /// Older than the layer allows: no longer a value of now.
    pub stale: bool,
    /// How it came to be, and what is known to be wrong with it.
    pub quality: QualityLabel,
    /// The source that delivered it.
    #[schema(required)]
    pub source: Option<String>,
    /// Whether it has a chart.
    pub history: bool,
}

/// The label of one value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Quality)]
pub struct QualityLabel {
    /// Measured, modelled, forecast, simulated, registered.
    #[schema(value_type = OriginShape)]
    pub origin: model::Origin,
    /// `outOfRange`, `stuck`, `late`, `suspect`.
    #[schema(value_type = Vec<String>)]
    pub flags: Vec<&'static str>,
}

/// A thing that this thing points to, or that points to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Relation {
    /// The short name of the relationship.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The other thing.
    #[schema(value_type = String)]
    pub id: EntityId,
    /// What it is called.
    pub title: String,
}

/// Everything that is known about one thing, now or at a moment.
///
/// `source_of` gives the card of a source by its name; `zone` is the city's time zone, for sentences.
///
/// # Errors
/// The store's. A thing that the reader may not see is missing.
pub fn inspect(
    view: &Viewpoint<'_>,
    layers: &Layers,
    id: &EntityId,
    at: Option<Timestamp>,
    language: &str,
    zone: &jiff::tz::TimeZone,
    source_of: &dyn Fn(&str) -> Option<SourceCard>,
) -> Result<Inspector, ViewError> {
    let stored = view.entity(id)?;
    let entity = &stored.value;
    let layer = entity.types.iter().find_map(|t| layers.of_type(t));
    let moment = at.unwrap_or(view.now);
    let ahead = layer.and_then(|l| newest(l, entity)).is_some_and(|t| t > moment);
    let then = match layer.filter(|_| at.is_some() || ahead) {
        Some(layer) => Some(values_at(view, layer, std::slice::from_ref(entity), moment)?),
        None => None,
    };
    let desk = Desk { entity, layer, then, moment };
    let attributes = desk.values();
    let source_name = layer
        .map(|l| l.source.clone())
        .or_else(|| entity.attributes.values().flatten().find_map(|a| a.quality.as_ref()?.source.clone()));
    Ok(Inspector {
        id: id.clone(),
        kind: entity.types.first().map(|t| t.short().to_owned()).unwrap_or_default(),
        title: title_of(layer, entity, language),
        layer: layer.map(|l| l.id.clone()),
        location: desk.location(),
        observed_at: attributes.iter().filter_map(|a| a.observed_at).max(),
        current: layer.is_none_or(|l| is_shown_at(l, entity, moment)),
        sentence: sentence(&|name| attributes.iter().find(|a| a.name == name).map(|a| a.value.clone()), zone),
        attributes,
        source: source_name.and_then(|name| source_of(&name)),
        limits: layer.map(|l| l.limits.clone()).unwrap_or_default(),
        relations: relations(view, layers, entity, language)?,
    })
}

/// What the values of one thing are read from.
struct Desk<'a> {
    entity: &'a Entity,
    layer: Option<&'a crate::LayerConfig>,
    then: Option<Then>,
    moment: Timestamp,
}

impl Desk<'_> {
    /// The layer's attributes in its order, then everything else that the thing has.
    fn values(&self) -> Vec<InspectedValue> {
        let listed = self.layer.map(|l| l.attributes.as_slice()).unwrap_or_default();
        let mut values: Vec<InspectedValue> = vec![];
        for config in listed {
            let history = config.history || self.layer.is_some_and(|l| l.moving);
            if let Some(value) = self.value(&config.iri(), Some(config), history) {
                values.push(value);
            }
        }
        for name in self.entity.attributes.keys() {
            let known = listed.iter().any(|c| c.iri() == *name) || name.as_str() == Entity::LOCATION;
            if let Some(value) = (!known).then(|| self.value(name, None, false)).flatten() {
                values.push(value);
            }
        }
        values
    }

    fn value(&self, name: &Iri, config: Option<&crate::AttributeConfig>, history: bool) -> Option<InspectedValue> {
        let found = self.entity.attribute(name.as_str())?;
        let drawn = matches!(
            found.value,
            AttributeValue::Property(_)
                | AttributeValue::Vocab(_)
                | AttributeValue::Language(_)
                | AttributeValue::List(_)
        );
        if !drawn {
            return None;
        }
        let held = self.then.as_ref().filter(|_| history).map(|then| then.get(&self.key(name)));
        let (value, observed_at, quality) = match held {
            Some(Some(held)) => (shown_observation(&held.value), Some(held.at), Some(held.quality.clone())),
            // Nothing held at that moment: no data, unless the value has no history at all.
            Some(None) if config.is_some_and(|c| c.history) => (Value::Null, None, found.quality.clone()),
            _ => (shown(found), found.observed_at, found.quality.clone()),
        };
        let age_s = observed_at.map(|t| self.moment.seconds_since(t).max(0.0).round());
        let age_s_max = self.layer.and_then(|l| l.age_s_max).filter(|_| history);
        let text = as_text(&value).unwrap_or_default();
        let short = name.short().to_owned();
        Some(InspectedValue {
            label: config.map_or_else(|| Text { nl: short.clone(), en: short.clone() }, |c| c.label.clone()),
            name: config.map_or(short, |c| c.name.clone()),
            words: config.and_then(|c| c.words.iter().find(|w| w.value == text)).map(|w| w.label.clone()),
            unit: unit_symbol(found.unit_code.as_deref(), config),
            stale: age_s.zip(age_s_max).is_some_and(|(age, max)| age > max),
            value,
            observed_at,
            age_s,
            source: quality.as_ref().and_then(|q| q.source.clone()),
            quality: self.label(quality),
            history: config.is_some_and(|c| c.history),
        })
    }

    fn label(&self, quality: Option<Quality>) -> QualityLabel {
        let origin = self.layer.map(|l| l.origin).unwrap_or_default();
        quality.map_or(QualityLabel { origin, flags: vec![] }, |q| QualityLabel {
            origin: q.origin,
            flags: flag_names(q.flags),
        })
    }

    fn key(&self, name: &Iri) -> SeriesKey {
        SeriesKey { entity: self.entity.id.clone(), attribute: name.clone(), dataset_id: None }
    }

    fn location(&self) -> Option<Value> {
        let held = self.then.as_ref().and_then(|then| then.get(&self.key(&Iri::from(Entity::LOCATION))));
        if let Some(model::ObservedValue::Attribute(attribute)) = held.map(|h| &h.value)
            && let AttributeValue::Geo(geometry) = &attribute.value
        {
            return Some(geometry.to_geojson());
        }
        self.entity.location().map(model::Geometry::to_geojson)
    }
}

fn relations(
    view: &Viewpoint<'_>,
    layers: &Layers,
    entity: &Entity,
    language: &str,
) -> Result<Vec<Relation>, ViewError> {
    let mut relations = vec![];
    let mut add = |name: &str, other: &Entity| {
        let layer = other.types.iter().find_map(|t| layers.of_type(t));
        relations.push(Relation {
            name: name.to_owned(),
            label: Text { nl: name.to_owned(), en: name.to_owned() },
            id: other.id.clone(),
            title: title_of(layer, other, language),
        });
    };
    for (name, instances) in &entity.attributes {
        let targets = instances.iter().filter_map(|a| match &a.value {
            AttributeValue::Relationship { objects, .. } | AttributeValue::ListRelationship { objects, .. } => {
                Some(objects)
            }
            _ => None,
        });
        for target in targets.flatten().take(RELATED_MAX) {
            if let Some(other) = view.snapshot.entity(view.tenant, target)?.filter(|e| view.scope.shows(&e.value)) {
                add(name.short(), &other.value);
            }
        }
    }
    let mut left = RELATED_MAX;
    let pointing = EntitySelect::Related { attribute: None, target: entity.id.clone() };
    view.each(&pointing, |other| {
        let kind = other.types.first().map(|t| t.short().to_owned()).unwrap_or_default();
        add(&kind, other);
        left -= 1;
        left > 0
    })?;
    Ok(relations)
}
