//! What a live run estimates, told to the city: each area is an entity of type `CrowdArea` that other systems read and
//! subscribe to. It tells no more than the picture: what is withheld or not known is absent, with the reason beside it.
//! Simulated visitors never become entities.

use std::collections::BTreeMap;

use model::{
    Attribute, AttributeValue, DEFAULT_CONTEXT, Entity, EntityId, Geometry, Iri, Observation, ObservedValue, Origin,
    Quality, SeriesKey, Tenant, Timestamp,
};
use serde_json::Value;
use store::{Snapshot, StoreError, Transaction};

use crate::{AreaPicture, Body, Plan, RunRecord, parts::AREA_ENTITY};

/// The attributes that are written here. Others that somebody added to the entity stay.
const OWN: [&str; 12] = [
    "capacity",
    "colour",
    "crowdEvent",
    "crowdRun",
    "density",
    "estimateMade",
    "levelOfService",
    "name",
    "occupancy",
    "occupancySd",
    "unknownBecause",
    "withheldBecause",
];
/// The source in the quality label of each value.
const SOURCE: &str = "control-room";
/// The UN/CEFACT code of persons.
const PERSONS: &str = "IE";

/// Where the areas of a plan are.
pub(super) struct Outlet {
    outlines: BTreeMap<String, Geometry>,
}

impl Outlet {
    pub(super) fn new(plan: &Plan) -> Self {
        let outlines = plan.parts.iter().filter_map(|part| match &part.body {
            Body::Area(area) => Some((part.key.clone(), area.outline.clone())),
            _ => None,
        });
        Self { outlines: outlines.collect() }
    }

    /// A transaction that tells the areas of a minute. `wall` is the server's time.
    ///
    /// # Errors
    /// The store fails.
    pub(super) fn tell(
        &self,
        snapshot: &Snapshot,
        (tenant, run): (&Tenant, &RunRecord),
        areas: &[AreaPicture],
        wall: Timestamp,
    ) -> Result<Transaction, StoreError> {
        let mut tx = Transaction::new(tenant.clone());
        for area in areas {
            // Events and parts have keys of small letters, digits and hyphens, so this is an id.
            let Ok(id) = EntityId::parse(&format!("{AREA_ENTITY}{}:{}", run.event, area.key)) else { continue };
            let before = snapshot.entity(tenant, &id)?;
            let mut after = match &before {
                Some(before) => before.value.clone(),
                None => Entity::new(id.clone(), expanded("CrowdArea"), wall),
            };
            OWN.iter().for_each(|name| drop(after.attributes.remove(&expanded(name))));
            for (name, attribute) in attributes(run, area, wall) {
                if let Some(value) = observed(&attribute) {
                    let (attribute, quality) = (expanded(name), told());
                    let series = SeriesKey { entity: id.clone(), attribute, dataset_id: None };
                    let (unit_code, at) = (None, run.at);
                    tx.observe(Observation { series, at, value, unit_code, quality, recorded_at: wall });
                }
                after.set(expanded(name), attribute);
            }
            if let Some(outline) = self.outlines.get(&area.key) {
                after.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(outline.clone())));
            }
            after.modified_at = wall;
            let names = after.attributes.keys().chain(before.iter().flat_map(|entity| entity.value.attributes.keys()));
            let is_changed = |name: &&Iri| {
                before.as_ref().and_then(|b| b.value.attributes.get(*name)) != after.attributes.get(*name)
            };
            let mut changed: Vec<Iri> = names.filter(is_changed).cloned().collect();
            changed.sort_unstable();
            changed.dedup();
            tx.put_entity(before, after, changed);
        }
        Ok(tx)
    }
}

fn expanded(name: &str) -> Iri {
    Iri::from(format!("{DEFAULT_CONTEXT}{name}").as_str())
}

fn told() -> Quality {
    Quality { origin: Origin::Modelled, source: Some(SOURCE.to_owned()), ..Quality::default() }
}

/// Numbers and the colour go into history; what only explains them does not.
fn observed(attribute: &Attribute) -> Option<ObservedValue> {
    attribute.observed_at?;
    Some(match attribute.number() {
        Some(number) => ObservedValue::Number(number),
        None => ObservedValue::Attribute(Box::new(attribute.clone())),
    })
}

fn attributes(run: &RunRecord, area: &AreaPicture, wall: Timestamp) -> Vec<(&'static str, Attribute)> {
    let text = |value: String| Some(Value::String(value));
    let word = |value: Option<Value>| value.filter(Value::is_string);
    let code = |value: &Option<support::crowd::LevelOfService>| serde_json::to_value(value).ok();
    let withheld = area.suppressed.then(|| Value::String("few-persons".to_owned()));
    let unknown = area.unknown_because.clone().map(Value::String);
    // What was estimated of this minute, with the moment; then what does not change with it.
    let estimates = [
        ("occupancy", area.occupancy.map(|amount| amount.value.into()), Some(PERSONS)),
        ("occupancySd", area.occupancy.map(|amount| amount.sd.into()), Some(PERSONS)),
        ("density", area.density_m2.map(Value::from), None),
        ("levelOfService", word(code(&area.level_of_service)), None),
        ("colour", word(serde_json::to_value(area.colour).ok()), None),
        ("withheldBecause", withheld, None),
        ("unknownBecause", unknown, None),
    ];
    let facts = [
        ("name", text(area.name.clone()), None),
        ("capacity", Some(area.capacity_persons.into()), Some(PERSONS)),
        ("crowdEvent", text(run.event.clone()), None),
        ("crowdRun", text(run.id.clone()), None),
        ("estimateMade", Some(area.made.clone().into()), None),
    ];
    let made = |(name, value, unit, observed_at): (&'static str, Option<Value>, Option<&str>, Option<Timestamp>)| {
        let mut attribute = Attribute::property(value?);
        attribute.unit_code = unit.map(str::to_owned);
        attribute.observed_at = observed_at;
        attribute.created_at = Some(wall);
        attribute.modified_at = Some(wall);
        attribute.quality = observed_at.map(|_| told());
        Some((name, attribute))
    };
    let estimates = estimates.into_iter().map(|(name, value, unit)| (name, value, unit, Some(run.at)));
    let facts = facts.into_iter().map(|(name, value, unit)| (name, value, unit, None));
    estimates.chain(facts).filter_map(made).collect()
}
