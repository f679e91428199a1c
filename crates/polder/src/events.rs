//! Plans of events that a city's folder brings along: each is made once, and after that it is people's to change.

use std::path::Path;

use anyhow::{Context, Result};
use control::{EventFacts, Plan, events};
use model::Tenant;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Document, Expect, Store, StoreOptions, Transaction};

use crate::{city::CityFolder, clock::wall};

/// The largest file of an event, bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Who made what a folder brings along.
const BY: &str = "city folder";

/// An event as `events/<name>.json` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventFile {
    id: String,
    name: String,
    from: model::Timestamp,
    until: model::Timestamp,
    #[serde(default)]
    notes: String,
    parts: Vec<PartEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartEntry {
    kind: String,
    key: String,
    body: Value,
}

/// Remembers that an event was made, so that one that people removed stays removed.
#[derive(Serialize, Deserialize)]
struct Brought {
    id: String,
}

impl Document for Brought {
    const COLLECTION: &'static str = "crowd-events-brought";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Makes the events of a city's folder that were not made before.
pub async fn import(store: &Store, city: &CityFolder) -> Result<()> {
    let folder = city.folder.join("events");
    if !folder.is_dir() {
        return Ok(());
    }
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    for file in files {
        make(store, city, &file).await.with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The plan of one such file, as a store would have it.
pub fn read_plan(path: &Path) -> Result<Plan> {
    let EventFile { id, name, from, until, notes, parts } = read(path)?;
    let facts = EventFacts { name, from, until, notes };
    let (store, tenant) = (Store::in_memory(&StoreOptions::default())?, Tenant::default());
    let mut tx = Transaction::new(tenant.clone());
    let parts = parts.into_iter().map(|part| (part.kind, part.key, part.body)).collect();
    events::add_whole(&mut tx, &id, facts, parts, (BY, wall()))?;
    store.commit_blocking(tx)?;
    Ok(events::plan(&store.snapshot()?, &tenant, &id)?)
}

fn read(path: &Path) -> Result<EventFile> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX {
        anyhow::bail!("the file is larger than 4 MB; split the event");
    }
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

async fn make(store: &Store, city: &CityFolder, path: &Path) -> Result<()> {
    let EventFile { id, name, from, until, notes, parts } = read(path)?;
    if store.snapshot()?.document::<Brought>(&city.tenant, &id)?.is_some() {
        return Ok(());
    }
    let facts = EventFacts { name, from, until, notes };
    let parts = parts.into_iter().map(|part| (part.kind, part.key, part.body)).collect();
    let mut tx = Transaction::new(city.tenant.clone());
    tx.put_document(&Brought { id: id.clone() }, Expect::Absent)?;
    events::add_whole(&mut tx, &id, facts, parts, (BY, wall()))?;
    store.commit(tx).await.context("it could not be stored; is there another event with its id?")?;
    Ok(())
}
