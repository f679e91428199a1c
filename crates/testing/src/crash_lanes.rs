//! What the crash test writes and how it reads it back: lanes of numbered transactions, each with everything that a
//! transaction can hold.

use model::{
    Attribute, AttributeValue, Entity, EntityId, Geometry, Iri, Observation, ObservedValue, Problem, Quality,
    SeriesKey, Tenant, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{AuditEntry, Document, Expect, Snapshot, StoreError, Transaction};

/// The type of the entities that are created, one for each number.
pub const TYPE: &str = "https://example.org/Numbered";
const COUNT: &str = "https://example.org/count";

/// The last number of a lane, as a typed document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneDocument {
    /// Which lane.
    pub lane: u32,
    /// The last number.
    pub number: u64,
}

impl Document for LaneDocument {
    const COLLECTION: &'static str = "lane";

    fn key(&self) -> String {
        self.lane.to_string()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("number", self.number.to_string())]
    }
}

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name is not valid.
    #[error(transparent)]
    Name(#[from] Problem),
}

/// The entity of a number of a lane.
///
/// # Errors
/// Never, for any number: the names are valid.
pub fn numbered(lane: u32, number: u64) -> Result<EntityId, Problem> {
    EntityId::parse(&format!("urn:crash:{lane}:{number}"))
}

/// The entity that counts a lane.
///
/// # Errors
/// Never, for any lane: the names are valid.
pub fn counter(lane: u32) -> Result<EntityId, Problem> {
    EntityId::parse(&format!("urn:crash-counter:{lane}"))
}

/// The series of a lane: one observation for each number, at that number of seconds.
///
/// # Errors
/// Never, for any lane: the names are valid.
pub fn series(lane: u32) -> Result<SeriesKey, Problem> {
    Ok(SeriesKey { entity: counter(lane)?, attribute: Iri::from(COUNT), dataset_id: None })
}

/// The last number of a lane that is in the store, by its counting entity; 0 when there is none.
///
/// # Errors
/// When the store fails.
pub fn last_number(snapshot: &Snapshot, lane: u32) -> Result<u64, LaneError> {
    let stored = snapshot.entity(&Tenant::default(), &counter(lane)?)?;
    let count = stored.and_then(|s| s.value.attribute(COUNT).and_then(Attribute::number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "written as a small whole number")]
    Ok(count.unwrap_or(0.0) as u64)
}

/// The transaction with a number: creates an entity, updates the counting one and a document, observes and audits.
///
/// # Errors
/// When the store fails.
pub fn transaction(snapshot: &Snapshot, tenant: &Tenant, lane: u32, number: u64) -> Result<Transaction, LaneError> {
    let at = Timestamp::from_micros(i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let mut tx = Transaction::new(tenant.clone());
    let mut created = Entity::new(numbered(lane, number)?, Iri::from(TYPE), at);
    let place = Geometry::point(4.0 + f64::from(lane) / 10.0, 51.0 + (number % 1_000) as f64 / 1e4)?;
    created.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(place)));
    created.set("https://example.org/text", Attribute::property("x".repeat(600)));
    tx.put_entity(None, created, vec![]);
    let before = snapshot.entity(tenant, &counter(lane)?)?;
    let mut counting = match &before {
        Some(stored) => stored.value.clone(),
        None => Entity::new(counter(lane)?, Iri::from("https://example.org/Counter"), at),
    };
    counting.set(COUNT, Attribute::property(number));
    tx.put_entity(before, counting, vec![Iri::from(COUNT)]);
    tx.put_document(&LaneDocument { lane, number }, Expect::Any)?;
    let value = ObservedValue::Number(number as f64);
    let quality = Quality::default();
    tx.observe(Observation { series: series(lane)?, at, value, unit_code: None, quality, recorded_at: at });
    tx.audit(AuditEntry {
        at,
        subject: format!("lane {lane}"),
        action: "count".to_owned(),
        resource: numbered(lane, number)?.to_string(),
        outcome: "done".to_owned(),
        reason: "crash test".to_owned(),
        detail: serde_json::Value::Null,
    });
    Ok(tx)
}
