//! Models as they are kept: each with its card's facts, in parts that a database likes, and only a few of them.

use base64::{Engine, engine::general_purpose::STANDARD};
use forecast::model::Model;
use jiff::civil::Date;
use model::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use store::{CommitError, Document, DocumentSelect, Expect, Snapshot, Store, StoreError, Transaction};

use crate::wire::ModelBrief;

/// How many models of a set are kept: those of the last weeks, so that a replay that starts again finds its own.
pub(crate) const MODELS_KEPT: usize = 12;
/// Bytes of a model in one document.
const PART_BYTES: usize = 512 << 10;
/// The most parts of a model.
const PARTS_MAX: usize = 1_000;

/// What is known of a model without reading it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The set.
    pub set: String,
    /// The local day before which everything lies that it learned from.
    pub until_day: Date,
    /// The moment at which that day begins.
    pub until: Timestamp,
    /// When it was made, by the server's clock.
    pub trained_at: Timestamp,
    /// How long that took, seconds.
    pub seconds: f64,
    /// The version of Polder that made it.
    pub version: String,
    /// Series and areas that there were.
    pub series: usize,
    /// Rows learned from.
    pub rows: usize,
    /// The first day learned from.
    pub from_day: Option<Date>,
    /// The greatest usual daily change of a series in training.
    pub scale_max: f32,
    /// The seed of the draws.
    pub seed: u64,
    /// Lists of days and weather that went in.
    pub inputs: Vec<String>,
    /// What it looks at, the most important first.
    pub importance: Vec<(String, f32)>,
    /// In how many parts its bytes are kept.
    pub parts: usize,
}

impl Facts {
    /// Its name.
    pub fn id(&self) -> String {
        self.until.to_string()
    }

    /// In a few words.
    pub fn brief(&self) -> ModelBrief {
        ModelBrief { id: self.id(), trained_at: self.trained_at, trained_until: self.until }
    }
}

impl Document for Facts {
    const COLLECTION: &'static str = "crowd-forecast-models";

    fn key(&self) -> String {
        key(&self.set, self.until)
    }
}

fn key(set: &str, until: Timestamp) -> String {
    format!("{set}/{:020}", until.micros())
}

/// A part of a model's bytes.
#[derive(Serialize, Deserialize)]
struct Part {
    set: String,
    until: Timestamp,
    number: usize,
    base64: String,
}

impl Document for Part {
    const COLLECTION: &'static str = "crowd-forecast-model-parts";

    fn key(&self) -> String {
        part_key(&self.set, self.until, self.number)
    }
}

fn part_key(set: &str, until: Timestamp, number: usize) -> String {
    format!("{}/{number:04}", key(set, until))
}

/// The models of a set, the oldest first.
pub(crate) fn all(snapshot: &Snapshot, tenant: &Tenant, set: &str) -> Result<Vec<Facts>, StoreError> {
    let select = DocumentSelect::Prefix(format!("{set}/"));
    let found = snapshot.documents::<Facts>(tenant, &select, None, 10 * MODELS_KEPT)?;
    Ok(found.into_iter().map(|stored| stored.value).collect())
}

/// The newest model that learned from nothing after a moment.
pub(crate) fn newest(models: &[Facts], at: Timestamp) -> Option<&Facts> {
    models.iter().filter(|facts| facts.until <= at).max_by_key(|facts| facts.until)
}

/// Why a model that is kept cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// A part is not there, or its bytes are not those of a model of this version.
    #[error("the model of {set} up to {until} cannot be used: {detail}; it is trained again")]
    Damaged { set: String, until: Timestamp, detail: String },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a model.
pub(crate) fn read(snapshot: &Snapshot, tenant: &Tenant, facts: &Facts) -> Result<Model, Unusable> {
    let damaged = |detail: String| Unusable::Damaged { set: facts.set.clone(), until: facts.until, detail };
    let mut bytes = Vec::new();
    for number in 0..facts.parts.min(PARTS_MAX) {
        let part = snapshot.document::<Part>(tenant, &part_key(&facts.set, facts.until, number))?;
        let part = part.ok_or_else(|| damaged(format!("part {number} is not there")))?;
        bytes.extend(STANDARD.decode(&part.value.base64).map_err(|error| damaged(error.to_string()))?);
    }
    Model::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))
}

/// Writes a model with its facts, and removes those that are too old, in one transaction.
pub(crate) fn write(store: &Store, tenant: &Tenant, facts: &mut Facts, model: &Model) -> Result<(), CommitError> {
    let unstorable = |detail: String| StoreError::Unstorable { thing: format!("the model of {}", facts.set), detail };
    let bytes = model.to_bytes().map_err(|error| unstorable(error.to_string()))?;
    let parts: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    if parts.len() > PARTS_MAX {
        return Err(unstorable(format!("it has {} bytes", bytes.len())).into());
    }
    facts.parts = parts.len();
    let mut tx = Transaction::new(tenant.clone());
    for (number, part) in parts.into_iter().enumerate() {
        let part = Part { set: facts.set.clone(), until: facts.until, number, base64: STANDARD.encode(part) };
        tx.put_document(&part, Expect::Any)?;
    }
    tx.put_document(facts, Expect::Any)?;
    let kept = all(&store.snapshot()?, tenant, &facts.set)?;
    let others: Vec<Facts> = kept.into_iter().filter(|other| other.until != facts.until).collect();
    for old in others.iter().take((others.len() + 1).saturating_sub(MODELS_KEPT)) {
        remove(&mut tx, old);
    }
    store.commit_blocking(tx)?;
    Ok(())
}

fn remove(tx: &mut Transaction, facts: &Facts) {
    for number in 0..facts.parts.min(PARTS_MAX) {
        tx.delete_document::<Part>(&part_key(&facts.set, facts.until, number), Expect::Any);
    }
    tx.delete_document::<Facts>(&facts.key(), Expect::Any);
}

/// Removes a model that cannot be used.
pub(crate) fn discard(store: &Store, tenant: &Tenant, facts: &Facts) -> Result<(), CommitError> {
    let mut tx = Transaction::new(tenant.clone());
    remove(&mut tx, facts);
    store.commit_blocking(tx)?;
    Ok(())
}
