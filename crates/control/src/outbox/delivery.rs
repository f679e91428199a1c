//! A message that is to be told, and its fate. It is written in the transaction of what it tells.

use model::{Problem, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Document, DocumentSelect, Expect, Snapshot, Store, Stored, Transaction};
use support::crowd::Quantity;
use utoipa::ToSchema;

use super::{Channel, Recipient, TellOf, recipient};
use crate::{AlertRecord, ControlError, RunRecord, events, record};

/// How many messages may wait for one recipient.
pub const WAITING_MAX: usize = 500;
/// What test messages have instead of a run.
pub(super) const TEST: &str = "test";
/// How many deliveries one list tells.
const LISTED_MAX: usize = 2_000;

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdTold)]
pub enum What {
    /// An alert is raised.
    Raised,
    /// What was predicted is there.
    Arrived,
    /// Nobody took the alert in time.
    Escalated,
    /// A person took it.
    Acknowledged,
    /// It is over.
    Closed,
    /// Nothing: somebody tries the way.
    Test,
}

impl What {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "raised" => Self::Raised,
            "arrived" => Self::Arrived,
            "escalated" => Self::Escalated,
            "acknowledged" => Self::Acknowledged,
            "closed" => Self::Closed,
            _ => return None,
        })
    }

    fn is_wanted(self, tell_of: TellOf) -> bool {
        match tell_of {
            TellOf::All => true,
            TellOf::Raised => matches!(self, Self::Raised | Self::Arrived | Self::Test),
            TellOf::Escalated => matches!(self, Self::Escalated | Self::Test),
        }
    }

    /// The word in addresses of events and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Arrived => "arrived",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
            Self::Test => "test",
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CrowdDeliveryState)]
pub enum DeliveryState {
    /// It has not arrived yet, and is tried again.
    Waiting,
    /// The other side took it.
    Delivered,
    /// It is not tried any more; `lastError` says why.
    Failed,
}

/// What a message says of an alert, as it was when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdToldOf)]
pub struct ToldOf {
    /// What the event is called.
    pub event_name: String,
    /// What the area is called; empty in a test.
    pub area_name: String,
    /// Whether the visitors are simulated.
    pub simulated: bool,
    /// Red is there; otherwise it is predicted.
    pub is_now: bool,
    /// The threshold that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub because: Option<Quantity>,
    /// The probability (0..1) of red when it was raised as a prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub probability: Option<f64>,
    /// When the alert was raised, in the event's time.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
}

/// A message to one recipient. It holds no address: that is the recipient's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdDelivery)]
pub struct Delivery {
    /// The event.
    pub event: String,
    /// The run; `test` for a test message.
    pub run: String,
    /// When it happened, in the event's time.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The alert; 0 for a test message.
    pub alert: u32,
    /// Which entry of the alert's log.
    pub entry: u32,
    /// The key of the recipient.
    pub recipient: String,
    /// The function of the recipient.
    pub function: String,
    /// The way.
    pub channel: Channel,
    /// What it tells.
    pub what: What,
    /// Of what.
    pub of: ToldOf,
    /// When it was put here, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub next_at: Option<Timestamp>,
    /// When the other side took it, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub delivered_at: Option<Timestamp>,
    /// What went wrong last, without the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_error: Option<String>,
}

impl Document for Delivery {
    const COLLECTION: &'static str = "crowd-deliveries";

    fn key(&self) -> String {
        let (at, alert, entry) = (self.at.micros(), self.alert, self.entry);
        format!("{}/{}/{at:020}-{alert:08}-{entry:04}/{}", self.event, self.run, self.recipient)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        if self.state != DeliveryState::Waiting {
            return vec![];
        }
        vec![("state", "waiting".to_owned()), ("waiting-for", self.lane())]
    }
}

impl Delivery {
    /// Whom it waits for: what waits for one recipient goes in order.
    pub(super) fn lane(&self) -> String {
        format!("{}/{}", self.event, self.recipient)
    }

    /// Its place in the order of its lane.
    pub(super) fn place(&self) -> (Timestamp, Timestamp, u32, u32) {
        (self.queued_at, self.at, self.alert, self.entry)
    }

    fn to(recipient: &Recipient, (run, at, alert, entry): (&str, Timestamp, u32, u32), what: What, of: ToldOf) -> Self {
        Self {
            event: recipient.event.clone(),
            run: run.to_owned(),
            at,
            alert,
            entry,
            recipient: recipient.key.clone(),
            function: recipient.facts.function.clone(),
            channel: recipient.facts.address.channel(),
            what,
            of,
            queued_at: at,
            state: DeliveryState::Waiting,
            attempts: 0,
            next_at: None,
            delivered_at: None,
            last_error: None,
        }
    }
}

/// Puts a message for every recipient of what is new in these alerts into the transaction that writes them.
///
/// # Errors
/// The store fails.
pub(crate) fn queue(
    tx: &mut Transaction,
    store: &Store,
    (tenant, run): (&Tenant, &RunRecord),
    alerts: &[AlertRecord],
    now: Timestamp,
) -> Result<(), ControlError> {
    if alerts.is_empty() {
        return Ok(());
    }
    let snapshot = store.snapshot()?;
    let recipients = recipient::all(&snapshot, tenant, &run.event)?;
    if recipients.is_empty() {
        return Ok(());
    }
    let event_name = events::event(&snapshot, tenant, &run.event)?.value.facts.name;
    let mut waiting: Vec<usize> = vec![];
    for recipient in &recipients {
        waiting.push(waiting_for(&snapshot, tenant, &recipient.key())?);
    }
    for alert in alerts {
        let known = snapshot.document::<AlertRecord>(tenant, &alert.key())?.map_or(0, |stored| stored.log.len());
        for (number, entry) in alert.log.iter().enumerate().skip(known) {
            let Some(what) = What::of(&entry.what) else { continue };
            for (recipient, waiting) in recipients.iter().zip(&mut waiting) {
                let facts = &recipient.facts;
                if !what.is_wanted(facts.tell_of) || (run.simulated && !facts.rehearsals) {
                    continue;
                }
                let place = (run.id.as_str(), entry.at, alert.id, u32::try_from(number).unwrap_or(u32::MAX));
                let mut delivery = Delivery::to(recipient, place, what, of(alert, &event_name, run.simulated));
                delivery.queued_at = now;
                bounded(&mut delivery, waiting);
                tx.put_document(&delivery, Expect::Absent)?;
            }
        }
    }
    Ok(())
}

/// A message more waits for a recipient. When there is no room, it says that it is not sent: nothing is lost unseen.
fn bounded(delivery: &mut Delivery, waiting: &mut usize) {
    if *waiting < WAITING_MAX {
        *waiting += 1;
        return;
    }
    delivery.state = DeliveryState::Failed;
    delivery.last_error = Some(format!("not sent: {WAITING_MAX} messages wait for this recipient already"));
    tracing::error!(delivery = delivery.key(), "the outbox of a recipient is full, and a message is not sent");
}

fn of(alert: &AlertRecord, event_name: &str, simulated: bool) -> ToldOf {
    ToldOf {
        event_name: event_name.to_owned(),
        area_name: alert.area_name.clone(),
        simulated,
        is_now: alert.is_now,
        because: alert.because,
        probability: alert.probability,
        raised_at: alert.raised_at,
    }
}

fn waiting_for(snapshot: &Snapshot, tenant: &Tenant, lane: &str) -> Result<usize, ControlError> {
    let select = DocumentSelect::Index("waiting-for", lane.to_owned());
    Ok(snapshot.documents::<Delivery>(tenant, &select, None, WAITING_MAX)?.len())
}

/// Everything that waits, at most `limit`.
pub(super) fn waiting(
    snapshot: &Snapshot,
    tenant: &Tenant,
    limit: usize,
) -> Result<Vec<Stored<Delivery>>, ControlError> {
    Ok(snapshot.documents(tenant, &DocumentSelect::Index("state", "waiting".to_owned()), None, limit)?)
}

/// The messages of a run, the first one first.
///
/// # Errors
/// The store fails.
pub fn list(snapshot: &Snapshot, tenant: &Tenant, event: &str, run: &str) -> Result<Vec<Delivery>, ControlError> {
    record::all(snapshot, tenant, &format!("{event}/{run}/"), LISTED_MAX)
}

/// Puts a test message for a recipient into the outbox.
///
/// # Errors
/// There is no such recipient, as many messages wait for it as may, or the store fails.
pub async fn test(
    store: &Store,
    tenant: &Tenant,
    (event, key): (&str, &str),
    now: Timestamp,
) -> Result<Delivery, ControlError> {
    let snapshot = store.snapshot()?;
    let event = events::event(&snapshot, tenant, event)?.value;
    let recipient = recipient::get(&snapshot, tenant, &event.id, key)?.value;
    if waiting_for(&snapshot, tenant, &recipient.key())? >= WAITING_MAX {
        let detail = format!("{WAITING_MAX} messages wait for this recipient already");
        return Err(ControlError::Conflict(Problem::new(
            "recipient",
            detail,
            "mend the address, or remove the recipient",
        )));
    }
    let of = ToldOf {
        event_name: event.facts.name,
        area_name: String::new(),
        simulated: false,
        is_now: false,
        because: None,
        probability: None,
        raised_at: now,
    };
    let delivery = Delivery::to(&recipient, (TEST, now, 0, 0), What::Test, of);
    let mut tx = Transaction::new(tenant.clone());
    // Only the newest test of a recipient is kept, but for what still waits.
    for old in list(&snapshot, tenant, &event.id, TEST)? {
        if old.recipient == key && old.state != DeliveryState::Waiting {
            tx.delete_document::<Delivery>(&old.key(), Expect::Any);
        }
    }
    tx.put_document(&delivery, Expect::Any)?;
    store.commit(tx).await?;
    Ok(delivery)
}
