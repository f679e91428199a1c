//! What the store alone does, without HTTP: durable batches of entities of about 1 KB, created and then updated, reads
//! by id and by box, and the start with all of them there.
//!
//! `cargo run --profile demo --package polder-store --example commit_rate -- ENTITIES`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use std::{error::Error, time::Instant};

use model::{
    Attribute, AttributeValue, BoundingBox, Entity, EntityId, Geometry, Iri, Observation, ObservedValue, Quality,
    SeriesKey, Tenant, Timestamp,
};
use store::{EntitySelect, Store, StoreOptions, Transaction};

const BATCH: usize = 1_000;
const TYPE: &str = "https://uri.etsi.org/ngsi-ld/default-context/TrafficFlowObserved";

fn entity(number: usize, round: i64) -> Result<Entity, Box<dyn Error>> {
    let now = Timestamp::from_micros(round * 1_000_000);
    let id = EntityId::parse(&format!("urn:ngsi-ld:TrafficFlowObserved:bench-{number:07}"))?;
    let mut entity = Entity::new(id, Iri::from(TYPE), now);
    for (position, name) in ["intensity", "averageVehicleSpeed", "occupancy", "congested"].into_iter().enumerate() {
        let mut attribute = Attribute::property((number * 7 + position) as f64 + round as f64 / 8.0);
        attribute.observed_at = Some(now);
        attribute.unit_code = Some("KMH".to_owned());
        attribute.created_at = Some(now);
        attribute.modified_at = Some(now);
        entity.set(format!("https://uri.etsi.org/ngsi-ld/default-context/{name}").as_str(), attribute);
    }
    entity.set("https://example.org/address", Attribute::property("Coolsingel 40, 3011 AD Rotterdam"));
    let (x, y) = ((number % 1_000) as f64 / 5e3, (number / 1_000) as f64 / 5e3);
    entity.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(Geometry::point(4.3 + x, 51.8 + y)?)));
    Ok(entity)
}

fn write_all(store: &Store, entities: usize, round: i64, observe: bool) -> Result<f64, Box<dyn Error>> {
    let mut busy = 0.0;
    for start in (0..entities).step_by(BATCH) {
        let made: Vec<Entity> =
            (start..(start + BATCH).min(entities)).map(|number| entity(number, round)).collect::<Result<_, _>>()?;
        let started = Instant::now();
        let snapshot = store.snapshot()?;
        let mut tx = Transaction::new(Tenant::default());
        for entity in made {
            let before = snapshot.entity(&tx.tenant, &entity.id)?;
            if observe {
                let attribute = Iri::from("https://uri.etsi.org/ngsi-ld/default-context/intensity");
                let series = SeriesKey { entity: entity.id.clone(), attribute, dataset_id: None };
                let (at, value, quality) = (entity.modified_at, ObservedValue::Number(1.0), Quality::default());
                tx.observe(Observation { series, at, value, unit_code: None, quality, recorded_at: at });
            }
            tx.put_entity(before, entity, vec![]);
        }
        store.commit_blocking(tx)?;
        busy += started.elapsed().as_secs_f64();
    }
    Ok(entities as f64 / busy)
}

fn main() -> Result<(), Box<dyn Error>> {
    let entities: usize = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let store = Store::open(directory.path(), &StoreOptions::default())?;
    let mut reader = store.changes();
    println!("JSON of one entity: {} bytes", serde_json::to_string(&entity(1, 1)?)?.len());
    println!("create: {:.0}/s", write_all(&store, entities, 1, false)?);
    println!("update: {:.0}/s", write_all(&store, entities, 2, false)?);
    println!("update with an observation each: {:.0}/s", write_all(&store, entities, 3, true)?);
    while let Ok(Some(changes)) = reader.next_ready() {
        std::hint::black_box(changes.len());
    }
    let snapshot = store.snapshot()?;
    let bbox = BoundingBox { west: 4.35, south: 51.80, east: 4.37, north: 51.81 };
    let select = EntitySelect::InBox { entity_type: Some(Iri::from(TYPE)), bbox };
    let started = Instant::now();
    let mut found = 0;
    for _ in 0..100 {
        found = snapshot.entity_ids(&Tenant::default(), &select, None).count();
    }
    println!("ids in a box: {found} in {:.3} ms", started.elapsed().as_secs_f64() * 10.0);
    let started = Instant::now();
    for number in 0..entities.min(50_000) {
        std::hint::black_box(snapshot.entity(&Tenant::default(), &entity(number, 1)?.id)?);
    }
    println!("entity by id: {:.2} µs", started.elapsed().as_secs_f64() * 1e6 / entities.min(50_000) as f64);
    println!("{:?}", store.statistics());
    drop(snapshot);
    store.close()?;
    let started = Instant::now();
    let store = Store::open(directory.path(), &StoreOptions::default())?;
    println!("start: {:.3} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let report = store.check_open()?;
    println!(
        "check: {:.1} s, {:?}, {} problems",
        started.elapsed().as_secs_f64(),
        report.checked,
        report.problems.len()
    );
    Ok(())
}
