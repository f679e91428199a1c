//! Indicators of areas, computed from the things that lie inside them: trees for each square kilometre, litter bins.
//!
//! Things are counted in the area that contains their point (a line or an area counts where its box's middle lies).
//! An area without a single such thing has no value: the data may simply not reach there.

use std::collections::HashMap;

use geo::BoundingRect;
use model::{Entity, EntityId, SeriesKey, Timestamp};
use serde::Serialize;
use store::EntitySelect;
use utoipa::ToSchema;

use crate::{
    Compute, IndicatorConfig, LayerConfig, Layers, Stop, Text, ViewError, Viewpoint,
    areas::{Area, Areas},
    features::{is_shown_at, values_at},
    number_in, shown, shown_observation,
};

/// Values of computed indicators, by name and area.
#[derive(Clone, Debug, Default)]
pub struct Computed(pub HashMap<String, HashMap<EntityId, f64>>);

impl Computed {
    /// The value of an indicator for an area.
    #[must_use]
    pub fn get(&self, indicator: &str, area: &EntityId) -> Option<f64> {
        self.0.get(indicator)?.get(area).copied()
    }
}

/// An indicator that areas may be coloured by.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Indicator {
    /// The area layer.
    pub layer: String,
    /// The attribute of the area.
    pub attribute: String,
    /// What a person reads.
    pub label: Text,
    /// The symbol of the unit.
    pub unit: String,
    /// The smallest value of an area, when there is any.
    #[schema(required)]
    pub min: Option<f64>,
    /// The largest value of an area, when there is any.
    #[schema(required)]
    pub max: Option<f64>,
    /// Ascending values with their colours.
    #[schema(value_type = Vec<(f64, String)>)]
    pub stops: Vec<Stop>,
    /// How it was made, for computed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub how: Option<Text>,
}

/// Five steps of viridis (van der Walt and Smith 2015), for indicators without colours of their own.
const RAMP: [&str; 5] = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];

/// One computed indicator for every area of a layer.
///
/// # Errors
/// The store's.
pub fn compute(
    view: &Viewpoint<'_>,
    layers: &Layers,
    areas: &LayerConfig,
    indicator: &IndicatorConfig,
) -> Result<HashMap<EntityId, f64>, ViewError> {
    let Some(things) = layers.get(&indicator.layer).filter(|l| view.scope.shows_type(&l.type_iri())) else {
        return Ok(HashMap::new());
    };
    let mut found = areas_of(view, areas)?;
    let mut live = vec![];
    let attribute = indicator.attribute.as_deref();
    let has_history = attribute.and_then(|a| things.attribute(a)).is_some_and(|a| a.history);
    view.each(&EntitySelect::Type(things.type_iri()), |thing| {
        if has_history {
            live.push(thing.clone());
        } else if is_shown_at(things, thing, view.now) {
            let value = attribute.and_then(|a| number_in(&shown(thing.attribute(crate::expand(a).as_str())?)));
            if let Some(bbox) = thing.bounding_box() {
                found.add(&bbox, value);
            }
        }
        true
    })?;
    if let (true, Some(name)) = (has_history, attribute) {
        add_live(view, things, &live, name, view.now, &mut found)?;
    }
    let value = |area: &Area| match indicator.compute {
        Compute::Count => Some(area.count as f64).filter(|n| *n > 0.0),
        Compute::Density => area.km2.filter(|km2| *km2 > 0.0 && area.count > 0).map(|km2| area.count as f64 / km2),
        Compute::Sum => (area.values > 0).then_some(area.sum),
        Compute::Mean => (area.values > 0).then(|| area.sum / area.values as f64),
    };
    Ok(found.iter().filter_map(|area| Some((area.id.clone(), round(value(area)?)))).collect())
}

/// Values that change are taken at the city's moment, and only while they are fresh.
fn add_live(
    view: &Viewpoint<'_>,
    things: &LayerConfig,
    live: &[Entity],
    name: &str,
    at: Timestamp,
    found: &mut Areas,
) -> Result<(), ViewError> {
    let then = values_at(view, things, live, at)?;
    let attribute = crate::expand(name);
    for thing in live {
        let series = SeriesKey { entity: thing.id.clone(), attribute: attribute.clone(), dataset_id: None };
        if let (Some(held), Some(bbox)) = (then.get(&series), thing.bounding_box()) {
            found.add(&bbox, number_in(&shown_observation(&held.value)));
        }
    }
    Ok(())
}

fn areas_of(view: &Viewpoint<'_>, layer: &LayerConfig) -> Result<Areas, ViewError> {
    let mut areas = vec![];
    view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
        if let Some((shape, frame)) = entity.location().and_then(|g| Some((g.shape(), g.shape().bounding_rect()?))) {
            let area_attribute = entity.attribute(crate::expand("area").as_str());
            let km2 = area_attribute.and_then(|a| {
                let unit = a.unit_code.as_deref().unwrap_or("KMK");
                model::harmonise(a.number()?, unit, "KMK")
            });
            let id = entity.id.clone();
            areas.push(Area::new(id, shape.clone(), frame, km2));
        }
        true
    })?;
    Ok(Areas::new(areas))
}

/// One decimal: more would pretend an exactness that the data do not have.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Every indicator that areas may be coloured by: attributes marked so, and computed ones.
///
/// # Errors
/// The store's.
pub fn indicators(
    view: &Viewpoint<'_>,
    layers: &Layers,
    computed: &HashMap<String, std::sync::Arc<Computed>>,
) -> Result<Vec<Indicator>, ViewError> {
    let mut all = vec![];
    for layer in layers.layers.iter().filter(|l| view.scope.shows_type(&l.type_iri())) {
        for indicator in &layer.indicators {
            let values = computed.get(&layer.id).and_then(|c| c.0.get(&indicator.name));
            let (min, max) = extremes(values.into_iter().flatten().map(|(_, v)| *v));
            all.push(Indicator {
                layer: layer.id.clone(),
                attribute: indicator.name.clone(),
                label: indicator.label.clone(),
                unit: indicator.unit.clone(),
                min,
                max,
                stops: stops(&indicator.stops, min, max),
                how: Some(indicator.how.clone()),
            });
        }
        for attribute in layer.attributes.iter().filter(|a| a.indicator) {
            let mut values = vec![];
            let name = attribute.iri();
            view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
                values.extend(entity.attribute(name.as_str()).and_then(model::Attribute::number));
                true
            })?;
            let (min, max) = extremes(values.into_iter());
            all.push(Indicator {
                layer: layer.id.clone(),
                attribute: attribute.name.clone(),
                label: attribute.label.clone(),
                unit: crate::unit_symbol(None, Some(attribute)).unwrap_or_default(),
                min,
                max,
                stops: stops(&[], min, max),
                how: None,
            });
        }
    }
    Ok(all)
}

fn extremes(values: impl Iterator<Item = f64>) -> (Option<f64>, Option<f64>) {
    values.fold((None, None), |(low, high): (Option<f64>, Option<f64>), v| {
        (Some(low.map_or(v, |l| l.min(v))), Some(high.map_or(v, |h| h.max(v))))
    })
}

/// The configured colours, or [`RAMP`] in equal steps from the smallest to the largest value.
fn stops(configured: &[Stop], min: Option<f64>, max: Option<f64>) -> Vec<Stop> {
    let (Some(min), Some(max), true) = (min, max, configured.is_empty()) else { return configured.to_vec() };
    let step = (max - min) / RAMP.len() as f64;
    if step <= 0.0 {
        return vec![Stop(min, RAMP[2].to_owned())];
    }
    (0_i32..).zip(RAMP).map(|(i, colour)| Stop(round(min + f64::from(i) * step), colour.to_owned())).collect()
}
