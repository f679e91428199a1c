//! What a run leaves behind: itself, a picture of each minute, its alerts and its decisions.

use model::{Tenant, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{Document, DocumentSelect, Expect, Snapshot, Stored, Transaction};
use support::crowd::Quantity;
use utoipa::ToSchema;

use crate::{Ahead, AreaPicture, ConditionPicture, ControlError, GatePicture, Measure, Picture};

/// How many documents are read at once.
const PAGE: usize = 1_000;
/// The most minutes that are kept of a run: 60 days.
const MINUTES_MAX: usize = 60 * 24 * 60;

/// Whether a run is for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdRunKind)]
pub enum RunKind {
    /// With simulated visitors.
    Rehearsal,
    /// With the counts of the city.
    Live,
}

/// How a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdRunState)]
pub enum RunState {
    /// It goes on.
    Running,
    /// Somebody paused it.
    Paused,
    /// It is over.
    Ended,
}

/// A run of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdRun)]
pub struct RunRecord {
    /// The event.
    pub event: String,
    /// Its number within the event, as text.
    pub id: String,
    /// Whether it is for real.
    pub kind: RunKind,
    /// Whether its visitors are simulated.
    pub simulated: bool,
    /// How it is doing.
    pub state: RunState,
    /// Seconds of the event for each second of the clock; 1 in a live run.
    pub speed: f64,
    /// The seed of its visitors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seed: Option<u64>,
    /// The moment of the event up to which it has come.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The moment of the event from which it was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub from: Option<Timestamp>,
    /// Whether nobody was in the areas at that moment, as whoever started it said; otherwise they are unknown until they
    /// are counted.
    #[serde(default)]
    pub began_empty: bool,
    /// The stretches in which the server stood still: nobody watched, and no picture was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<RunGap>,
    /// When it was started, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Who started it.
    pub started_by: String,
    /// When it ended, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub ended_at: Option<Timestamp>,
    /// Who stopped it, when somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended_by: Option<String>,
}

/// A stretch of a live run without pictures, in the event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CrowdRunGap)]
pub struct RunGap {
    /// The last moment before it.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first moment after it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

impl Document for RunRecord {
    const COLLECTION: &'static str = "crowd-runs";

    fn key(&self) -> String {
        format!("{}/{}", self.event, self.id)
    }
}

/// A minute of a run, with what must not be told left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minute {
    /// The event.
    pub event: String,
    /// The run.
    pub run: String,
    /// The moment.
    pub at: Timestamp,
    /// The areas.
    pub areas: Vec<AreaPicture>,
    /// The gates.
    pub gates: Vec<GatePicture>,
    /// What was measured of threats.
    #[serde(default)]
    pub conditions: Vec<ConditionPicture>,
}

impl Document for Minute {
    const COLLECTION: &'static str = "crowd-minutes";

    fn key(&self) -> String {
        format!("{}/{}/{:020}", self.event, self.run, self.at.micros())
    }
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdAlertEntry)]
pub struct AlertEntry {
    /// When, in the event's time.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What: raised, arrived, acknowledged, escalated or closed.
    pub what: String,
    /// Who did it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub by: Option<String>,
    /// The reason given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdAlertStatus)]
pub enum AlertStatus {
    /// Nobody has taken it.
    Raised,
    /// A named person has it.
    Acknowledged,
    /// It is over.
    Closed,
}

/// An alert with its whole life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdAlert)]
pub struct AlertRecord {
    /// The event.
    pub event: String,
    /// The run.
    pub run: String,
    /// Its number within the run.
    pub id: u32,
    /// The area that it is about.
    pub area: String,
    /// What the area is called.
    pub area_name: String,
    /// Where it is in its life.
    pub status: AlertStatus,
    /// Red is there; otherwise it is predicted.
    pub is_now: bool,
    /// When it was raised, in the event's time.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
    /// The threshold that decided: of those for red, the one that is reached, or that is predicted to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub because: Option<Quantity>,
    /// Its value: persons/m2, ped/m/min, a share of the capacity (0..1), or for a level of service the density at which
    /// it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub threshold: Option<f64>,
    /// The probability (0..1) of red when it was raised as a prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub probability: Option<f64>,
    /// Who has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acknowledged_by: Option<String>,
    /// How many times it was escalated.
    pub escalations: u32,
    /// Everything that happened to it.
    pub log: Vec<AlertEntry>,
}

impl Document for AlertRecord {
    const COLLECTION: &'static str = "crowd-alerts";

    fn key(&self) -> String {
        format!("{}/{}/{:08}", self.event, self.run, self.id)
    }
}

/// What a measure was expected to do for an area, and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdDifference)]
pub struct Difference {
    /// The area.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Without the measure.
    pub without: Vec<Ahead>,
    /// With it.
    pub with: Vec<Ahead>,
}

/// A decision of a named person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdDecision)]
pub struct DecisionRecord {
    /// The event.
    pub event: String,
    /// The run.
    pub run: String,
    /// Its number within the run.
    pub id: u32,
    /// What was decided.
    pub measure: Measure,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// When, in the event's time.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What it was expected to do.
    pub expected: Vec<Difference>,
}

impl Document for DecisionRecord {
    const COLLECTION: &'static str = "crowd-decisions";

    fn key(&self) -> String {
        format!("{}/{}/{:08}", self.event, self.run, self.id)
    }
}

/// The runs of an event, the first one first.
///
/// # Errors
/// The store fails.
pub fn runs(snapshot: &Snapshot, tenant: &Tenant, event: &str) -> Result<Vec<RunRecord>, ControlError> {
    all(snapshot, tenant, &format!("{event}/"), PAGE)
}

/// A run.
///
/// # Errors
/// There is none, or the store fails.
pub fn run(snapshot: &Snapshot, tenant: &Tenant, event: &str, run: &str) -> Result<Stored<RunRecord>, ControlError> {
    let found = snapshot.document(tenant, &format!("{event}/{run}"))?;
    found
        .ok_or_else(|| ControlError::Missing(format!("run {} of this event", run.chars().take(20).collect::<String>())))
}

/// The minutes of a run, in order.
///
/// # Errors
/// The store fails.
pub fn minutes(snapshot: &Snapshot, tenant: &Tenant, event: &str, run: &str) -> Result<Vec<Minute>, ControlError> {
    all(snapshot, tenant, &format!("{event}/{run}/"), MINUTES_MAX)
}

/// The minute of a run that ended at a moment.
pub(crate) fn minute(
    snapshot: &Snapshot,
    tenant: &Tenant,
    run: &RunRecord,
    at: Timestamp,
) -> Result<Option<Minute>, ControlError> {
    let key = format!("{}/{:020}", run.key(), at.micros());
    Ok(snapshot.document(tenant, &key)?.map(|stored| stored.value))
}

/// The last picture of a run: what is left of one that is over.
///
/// # Errors
/// There is no such run, it recorded nothing, or the store fails.
pub fn last_picture(snapshot: &Snapshot, tenant: &Tenant, event: &str, id: &str) -> Result<Picture, ControlError> {
    let run = run(snapshot, tenant, event, id)?.value;
    let Some(minute) = minute(snapshot, tenant, &run, run.at)? else {
        return Err(ControlError::Missing("picture of this run yet".to_owned()));
    };
    let mut attention = alerts(snapshot, tenant, event, id)?;
    attention.retain(|alert| alert.status != AlertStatus::Closed);
    attention.reverse();
    let Minute { areas, gates, conditions, at, .. } = minute;
    Ok(Picture { event: event.to_owned(), run, at, areas, gates, conditions, attention })
}

/// The alerts of a run, the first one first.
///
/// # Errors
/// The store fails.
pub fn alerts(snapshot: &Snapshot, tenant: &Tenant, event: &str, run: &str) -> Result<Vec<AlertRecord>, ControlError> {
    all(snapshot, tenant, &format!("{event}/{run}/"), MINUTES_MAX)
}

/// The decisions of a run, the first one first.
///
/// # Errors
/// The store fails.
pub fn decisions(
    snapshot: &Snapshot,
    tenant: &Tenant,
    event: &str,
    run: &str,
) -> Result<Vec<DecisionRecord>, ControlError> {
    all(snapshot, tenant, &format!("{event}/{run}/"), MINUTES_MAX)
}

pub(crate) fn all<D: Document + DeserializeOwned>(
    snapshot: &Snapshot,
    tenant: &Tenant,
    prefix: &str,
    most: usize,
) -> Result<Vec<D>, ControlError> {
    let select = DocumentSelect::Prefix(prefix.to_owned());
    let mut found: Vec<D> = Vec::new();
    let mut after: Option<String> = None;
    while found.len() < most {
        let page = snapshot.documents::<D>(tenant, &select, after.as_deref(), PAGE.min(most - found.len()))?;
        let Some(last) = page.last() else { break };
        after = Some(last.key());
        found.extend(page.into_iter().map(|stored| stored.value));
    }
    Ok(found)
}

/// Removes what the runs of an event recorded.
pub(crate) fn forget(
    snapshot: &Snapshot,
    tenant: &Tenant,
    event: &str,
    tx: &mut Transaction,
) -> Result<(), ControlError> {
    forget_all::<RunRecord>(snapshot, tenant, event, tx)?;
    forget_all::<Minute>(snapshot, tenant, event, tx)?;
    forget_all::<AlertRecord>(snapshot, tenant, event, tx)?;
    forget_all::<crate::outbox::Delivery>(snapshot, tenant, event, tx)?;
    forget_all::<crate::outbox::Recipient>(snapshot, tenant, event, tx)?;
    forget_all::<DecisionRecord>(snapshot, tenant, event, tx)
}

fn forget_all<D: Document>(
    snapshot: &Snapshot,
    tenant: &Tenant,
    event: &str,
    tx: &mut Transaction,
) -> Result<(), ControlError> {
    for document in all::<D>(snapshot, tenant, &format!("{event}/"), usize::MAX)? {
        tx.delete_document::<D>(&document.key(), Expect::Any);
    }
    Ok(())
}
