//! Series and areas side by side: sensors as they count, areas as the sums of theirs.

use model::{Iri, Tenant};
use store::Snapshot;

use crate::{
    Set,
    hours::Hours,
    sensors::Sensor,
    veil::Veil,
    wire::{Place, SeriesKind, Text},
};

/// What is known of a series or area beside its hours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    /// Its id in addresses.
    pub id: String,
    /// Whether it is a sensor's or a sum.
    pub kind: SeriesKind,
    /// What it is called.
    pub name: Text,
    /// The entity that counts.
    pub entity: Option<String>,
    /// The series that an area adds up.
    pub parts: Vec<String>,
    /// Those of them that are not there.
    pub unknown: Vec<String>,
    /// The area that a series is part of.
    pub parent: Option<String>,
    /// Where it is.
    pub place: Option<Place>,
}

/// Series and areas: areas first, then series by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    /// What is known of each.
    pub cards: Vec<Card>,
    /// Their hours, with their ids.
    pub hours: Vec<(String, Vec<f32>)>,
}

impl Lanes {
    /// Puts the sensors of a set and its areas side by side.
    pub fn new(set: &Set, sensors: &[Sensor], hours: &Hours) -> Self {
        let mut lanes = Self::default();
        for area in &set.areas {
            let parts: Vec<(usize, &Sensor)> =
                sensors.iter().enumerate().filter(|(_, sensor)| area.series.contains(&sensor.id)).collect();
            let unknown = area.series.iter().filter(|id| !sensors.iter().any(|sensor| sensor.id == **id));
            let unknown: Vec<String> = unknown.cloned().collect();
            let values = parts.iter().filter_map(|(at, _)| hours.values.get(*at));
            let sum = if unknown.is_empty() { sum(values, hours.end) } else { vec![f32::NAN; hours.end] };
            lanes.cards.push(Card {
                id: area.id.clone(),
                kind: SeriesKind::Area,
                name: area.title.clone(),
                entity: None,
                parts: area.series.clone(),
                unknown,
                parent: None,
                place: middle(parts.iter().filter_map(|(_, sensor)| sensor.place)),
            });
            lanes.hours.push((area.id.clone(), sum));
        }
        for (sensor, values) in sensors.iter().zip(&hours.values) {
            let parent = set.areas.iter().find(|area| area.series.contains(&sensor.id));
            lanes.cards.push(Card {
                id: sensor.id.clone(),
                kind: SeriesKind::Series,
                name: Text { nl: sensor.name.clone(), en: sensor.name.clone() },
                entity: Some(sensor.entity.as_str().to_owned()),
                parts: vec![],
                unknown: vec![],
                parent: parent.map(|area| area.id.clone()),
                place: sensor.place,
            });
            lanes.hours.push((sensor.id.clone(), values.clone()));
        }
        lanes
    }

    /// Decides what may be told of them.
    pub fn veil(&self, minimum: u32) -> Veil {
        Veil::new(minimum, self.cards.iter().map(|card| (card.id.clone(), card.parent.clone())))
    }
}

/// The sum of each hour that all of them have.
fn sum<'a>(parts: impl Iterator<Item = &'a Vec<f32>>, end: usize) -> Vec<f32> {
    let (mut sum, mut any) = (vec![0.0; end], false);
    for values in parts {
        any = true;
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value;
        }
    }
    if any { sum } else { vec![f32::NAN; end] }
}

fn middle(places: impl Iterator<Item = Place>) -> Option<Place> {
    let places: Vec<Place> = places.collect();
    let count = places.len() as f64;
    let mean = |of: fn(&Place) -> f64| places.iter().map(of).sum::<f64>() / count;
    (!places.is_empty())
        .then(|| Place { longitude: mean(|place| place.longitude), latitude: mean(|place| place.latitude) })
}

/// Whether any entity of a set's type is there.
pub(crate) fn any_entity(snapshot: &Snapshot, tenant: &Tenant, entity_type: &Iri) -> bool {
    snapshot.count(tenant, entity_type).is_ok_and(|count| count > 0)
}
