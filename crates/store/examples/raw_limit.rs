//! The limit that ingest is held against: parse each body with sonic-rs, and write each entity's bytes under its id
//! to a bare fjall key space, one durable batch a body. No entity, no index, no history, no HTTP.
//!
//! `cargo run --profile demo --package polder-store --example raw_limit -- BODIES`, where BODIES is what
//! `polder bench batch --write BODIES` wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader},
    time::Instant,
};

use sonic_rs::{JsonValueTrait, LazyValue};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name the file with the bodies")?;
    let bodies: Vec<String> = BufReader::new(std::fs::File::open(path)?).lines().collect::<Result<_, _>>()?;
    let folder = tempfile::tempdir()?;
    let database = fjall::Database::builder(folder.path()).open()?;
    let separated =
        || fjall::KeyspaceCreateOptions::default().with_kv_separation(Some(fjall::KvSeparationOptions::default()));
    let documents = database.keyspace("documents", separated)?;
    let started = Instant::now();
    let mut items = 0_usize;
    for body in &bodies {
        let mut batch = database.batch();
        for entity in sonic_rs::to_array_iter(body.as_str()) {
            let entity: LazyValue = entity?;
            let id = entity.get("id");
            let key = id.as_str().ok_or("an entity without an id")?;
            batch.insert(&documents, key.as_bytes(), entity.as_raw_str().as_bytes());
            items += 1;
        }
        batch.commit()?;
        database.persist(fjall::PersistMode::SyncData)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let per_second = items as f64 / seconds;
    println!("{}", serde_json::json!({ "items": items, "seconds": seconds, "itemsPerS": per_second }));
    Ok(())
}
