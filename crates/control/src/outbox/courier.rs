//! Carries what waits in the outbox: in order for each recipient, and again with growing pauses until it arrives.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use jiff::tz::TimeZone;
use model::{Tenant, Timestamp};
use store::{CommitError, Document, Expect, Snapshot, Store, Stored, Transaction};
use tokio::task::JoinSet;

use super::{Delivery, DeliveryState, Parcel, delivery, recipient};
use crate::{Clock, ControlError};

/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many messages are looked at, at once.
const LOOKED_MAX: usize = 20_000;
/// How many messages are under way at once.
const UNDER_WAY_MAX: usize = 16;
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// The longest pause between two attempts, s.
const PAUSE_S_MAX: i64 = 300;
/// After how long a message is given up, s: an alert of six hours ago helps nobody.
const GIVE_UP_S: f64 = 6.0 * 3_600.0;
/// The longest error that is kept, characters.
const ERROR_CHARS_MAX: usize = 300;

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// It may arrive later.
    Later(String),
    /// Trying again brings nothing: the other side says no, or the settings lack something.
    Never(String),
}

/// The answer of a way out.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// The ways out of the program: e-mail, webhooks, MQTT.
pub trait Carrier: Send + Sync + 'static {
    /// Carries a parcel; `Ok` when the other side has taken it.
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carried<'a>;
}

/// Whoever carries the messages of a tenant.
pub struct Courier {
    store: Store,
    tenant: Tenant,
    carrier: Arc<dyn Carrier>,
    wall: Clock,
    zone: TimeZone,
    base: Option<String>,
}

/// What came of an attempt.
type Outcome = (Stored<Delivery>, Result<(), Undelivered>);

/// What is under way: one message of each open lane, and what follows it there.
#[derive(Default)]
struct Lanes {
    under_way: JoinSet<Outcome>,
    open: HashMap<String, VecDeque<Stored<Delivery>>>,
}

impl Courier {
    /// A courier. `base` is the address that people type, for links.
    #[must_use]
    pub fn new(store: Store, tenant: Tenant, carrier: Arc<dyn Carrier>, wall: Clock) -> Self {
        Self { store, tenant, carrier, wall, zone: TimeZone::UTC, base: None }
    }

    /// The same, writing times in a zone and links under an address.
    #[must_use]
    pub fn writing(self, zone: TimeZone, base: Option<String>) -> Self {
        Self { zone, base, ..self }
    }

    /// Carries until it is asked to stop. What was under way then is tried again after the next start.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut lanes = Lanes::default();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            let looked = tokio::select! {
                () = &mut stop => return,
                Some(done) = lanes.under_way.join_next() => match done {
                    Ok((delivery, result)) => self.follow(delivery, result, &mut lanes).await,
                    // Its lane stays shut until the next start: what became of the message is not known.
                    Err(error) => Err(ControlError::Broken(error.to_string())),
                },
                _ = tick.tick() => self.look(&mut lanes),
            };
            if let Err(error) = looked {
                tracing::error!(%error, "the outbox could not be read");
            }
        }
    }

    /// Opens the lanes whose first message is due.
    fn look(&self, lanes: &mut Lanes) -> Result<(), ControlError> {
        let snapshot = self.store.snapshot()?;
        let mut waiting = delivery::waiting(&snapshot, &self.tenant, LOOKED_MAX)?;
        waiting.sort_by_key(|delivery| delivery.place());
        let mut found: BTreeMap<String, VecDeque<Stored<Delivery>>> = BTreeMap::new();
        for delivery in waiting {
            let lane = delivery.lane();
            if !lanes.open.contains_key(&lane) {
                found.entry(lane).or_default().push_back(delivery);
            }
        }
        for (lane, waiting) in found {
            if lanes.under_way.len() >= UNDER_WAY_MAX {
                break;
            }
            lanes.open.insert(lane.clone(), waiting);
            self.send_next(&snapshot, &lane, lanes)?;
        }
        Ok(())
    }

    /// Writes what came of an attempt, and goes on with the next message of its lane when the first is settled.
    async fn follow(
        &self,
        delivery: Stored<Delivery>,
        result: Result<(), Undelivered>,
        lanes: &mut Lanes,
    ) -> Result<(), ControlError> {
        let lane = delivery.lane();
        if self.note(delivery, result).await {
            self.send_next(&self.store.snapshot()?, &lane, lanes)
        } else {
            lanes.open.remove(&lane);
            Ok(())
        }
    }

    /// Sets the next message of a lane on its way when it is its time, or shuts the lane.
    fn send_next(&self, snapshot: &Snapshot, lane: &str, lanes: &mut Lanes) -> Result<(), ControlError> {
        let next = lanes.open.get_mut(lane).and_then(VecDeque::pop_front);
        let now = (self.wall)();
        let Some(delivery) = next.filter(|delivery| delivery.next_at.is_none_or(|at| at <= now)) else {
            lanes.open.remove(lane);
            return Ok(());
        };
        let recipient = match recipient::get(snapshot, &self.tenant, &delivery.event, &delivery.recipient) {
            Ok(recipient) => Some(recipient.value),
            Err(ControlError::Missing(_)) => None,
            Err(error) => {
                lanes.open.remove(lane);
                return Err(error);
            }
        };
        let parcel = recipient.map(|to| Parcel::new(&delivery, &to, self.base.as_deref(), &self.zone));
        let carrier = Arc::clone(&self.carrier);
        lanes.under_way.spawn(async move {
            let result = match parcel {
                None => Err(Undelivered::Never("the recipient was removed from the list".to_owned())),
                Some(parcel) => carry(&*carrier, &parcel).await,
            };
            (delivery, result)
        });
        Ok(())
    }

    /// Writes what came of an attempt; tells whether the message is settled, so that the next may go.
    async fn note(&self, stored: Stored<Delivery>, result: Result<(), Undelivered>) -> bool {
        let Stored { version, value: mut delivery } = stored;
        let now = (self.wall)();
        after(&mut delivery, result, now);
        let key = delivery.key();
        match (delivery.state, &delivery.last_error) {
            (DeliveryState::Delivered, _) => tracing::info!(delivery = key, attempts = delivery.attempts, "delivered"),
            (DeliveryState::Waiting, error) => {
                tracing::warn!(delivery = key, attempts = delivery.attempts, error, "not delivered yet");
            }
            (DeliveryState::Failed, error) => {
                tracing::error!(delivery = key, attempts = delivery.attempts, error, "not delivered");
            }
        }
        let written = async {
            let mut tx = Transaction::new(self.tenant.clone());
            tx.put_document(&delivery, Expect::Version(version))?;
            self.store.commit(tx).await.map(drop).map_err(ControlError::from)
        };
        match written.await {
            // Removed with its event meanwhile: there is nothing left to say it of.
            Ok(()) | Err(ControlError::Commit(CommitError::Conflict { .. })) => {
                delivery.state != DeliveryState::Waiting
            }
            Err(error) => {
                tracing::error!(delivery = key, %error, "what became of a message could not be written; it is sent again");
                false
            }
        }
    }
}

async fn carry(carrier: &dyn Carrier, parcel: &Parcel) -> Result<(), Undelivered> {
    let result = match tokio::time::timeout(ATTEMPT, carrier.carry(parcel)).await {
        Ok(result) => result,
        Err(_) => Err(Undelivered::Later(format!("no answer within {} s", ATTEMPT.as_secs()))),
    };
    let hide = |detail: String| {
        let hidden = parcel.address.hidden_in(&detail);
        hidden.chars().take(ERROR_CHARS_MAX).collect::<String>()
    };
    result.map_err(|error| match error {
        Undelivered::Later(detail) => Undelivered::Later(hide(detail)),
        Undelivered::Never(detail) => Undelivered::Never(hide(detail)),
    })
}

/// A message after an attempt.
fn after(delivery: &mut Delivery, result: Result<(), Undelivered>, now: Timestamp) {
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.next_at = None;
    match result {
        Ok(()) => {
            delivery.state = DeliveryState::Delivered;
            delivery.delivered_at = Some(now);
            delivery.last_error = None;
        }
        Err(Undelivered::Later(detail)) if now.seconds_since(delivery.queued_at) < GIVE_UP_S => {
            let pause_s = PAUSE_S_MAX.min(1_i64 << delivery.attempts.saturating_sub(1).min(20));
            delivery.next_at = Some(now.plus_micros(pause_s * 1_000_000));
            delivery.last_error = Some(detail);
        }
        Err(Undelivered::Later(detail)) => {
            delivery.state = DeliveryState::Failed;
            delivery.last_error = Some(format!("given up after {} hours: {detail}", GIVE_UP_S / 3_600.0));
        }
        Err(Undelivered::Never(detail)) => {
            delivery.state = DeliveryState::Failed;
            delivery.last_error = Some(detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    };

    use store::StoreOptions;

    use super::*;
    use crate::{
        AlertRecord, EventFacts, RunKind, RunRecord, RunState, events,
        outbox::{self, Address, Language, RecipientFacts, TellOf, What},
        record::{AlertEntry, AlertStatus},
    };

    /// Notes what it carries, and fails as often as it is told to.
    #[derive(Default)]
    struct Fake {
        carried: Mutex<Vec<String>>,
        failing: Mutex<Vec<Undelivered>>,
    }

    impl Carrier for Fake {
        fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carried<'a> {
            let failure = self.failing.lock().unwrap().pop();
            if failure.is_none() {
                self.carried.lock().unwrap().push(parcel.subject.clone());
            }
            Box::pin(async move { failure.map_or(Ok(()), Err) })
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_787_000_000 + seconds) * 1_000_000)
    }

    struct Place {
        store: Store,
        fake: Arc<Fake>,
        seconds: Arc<AtomicI64>,
    }

    impl Place {
        async fn new(store: Store) -> Self {
            let facts = EventFacts { name: "Plein".into(), from: at(0), until: at(9_000), notes: String::new() };
            events::make(&store, &Tenant::default(), facts, "anna", at(0)).await.unwrap();
            Self { store, fake: Arc::default(), seconds: Arc::default() }
        }

        async fn recipient(&self, key: &str, tell_of: TellOf, rehearsals: bool) {
            let address = Address::Email { email: format!("{key}@example.org") };
            let facts =
                RecipientFacts { function: key.to_owned(), address, tell_of, rehearsals, language: Language::Nl };
            let tenant = Tenant::default();
            outbox::put_recipient(&self.store, &tenant, ("plein", key), (None, facts), ("anna", at(0))).await.unwrap();
        }

        /// Writes an alert with these happenings, as a run does.
        async fn alert(&self, id: u32, happened: &[&str], simulated: bool) {
            let entry = |what: &&str| AlertEntry { at: at(1), what: (*what).to_owned(), by: None, reason: None };
            let alert = AlertRecord {
                event: "plein".into(),
                run: "1".into(),
                id,
                area: "plein".into(),
                area_name: format!("Plein {id}"),
                status: AlertStatus::Raised,
                is_now: true,
                raised_at: at(0),
                because: None,
                threshold: None,
                probability: None,
                acknowledged_by: None,
                escalations: 0,
                log: happened.iter().map(entry).collect(),
            };
            let mut tx = Transaction::new(Tenant::default());
            let run = run(simulated);
            outbox::queue(&mut tx, &self.store, (&Tenant::default(), &run), std::slice::from_ref(&alert), self.now())
                .unwrap();
            tx.put_document(&alert, Expect::Any).unwrap();
            self.store.commit(tx).await.unwrap();
        }

        fn now(&self) -> Timestamp {
            at(self.seconds.load(Ordering::Relaxed))
        }

        fn deliveries(&self) -> Vec<Delivery> {
            outbox::deliveries(&self.store.snapshot().unwrap(), &Tenant::default(), "plein", "1").unwrap()
        }

        /// Lets a courier work until something is so.
        async fn until(&self, so: impl Fn(&[Delivery]) -> bool + Sync) {
            let seconds = Arc::clone(&self.seconds);
            let wall: Clock = Arc::new(move || at(seconds.load(Ordering::Relaxed)));
            let carrier: Arc<dyn Carrier> = Arc::clone(&self.fake) as _;
            let courier = Courier::new(self.store.clone(), Tenant::default(), carrier, wall);
            let waiting = async {
                while !so(&self.deliveries()) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let late = tokio::time::timeout(Duration::from_secs(10), courier.run(waiting)).await;
            assert!(late.is_ok(), "{:#?}", self.deliveries());
        }
    }

    fn run(simulated: bool) -> RunRecord {
        RunRecord {
            event: "plein".into(),
            id: "1".into(),
            kind: if simulated { RunKind::Rehearsal } else { RunKind::Live },
            simulated,
            state: RunState::Running,
            speed: 1.0,
            seed: None,
            at: at(1),
            from: None,
            began_empty: true,
            gaps: vec![],
            started_at: at(0),
            started_by: "anna".into(),
            ended_at: None,
            ended_by: None,
        }
    }

    async fn place() -> Place {
        Place::new(Store::in_memory(&StoreOptions::default()).unwrap()).await
    }

    fn all_settled(deliveries: &[Delivery]) -> bool {
        deliveries.iter().all(|delivery| delivery.state != DeliveryState::Waiting)
    }

    #[tokio::test]
    async fn everybody_hears_of_what_they_asked_for_and_of_rehearsals_only_when_they_asked() {
        let place = place().await;
        place.recipient("all", TellOf::All, true).await;
        place.recipient("first", TellOf::Raised, false).await;
        place.recipient("late", TellOf::Escalated, true).await;
        place.alert(1, &["raised", "escalated", "acknowledged", "closed"], false).await;
        let told = |key: &str| {
            place.deliveries().into_iter().filter(|d| d.recipient == key).map(|d| d.what).collect::<Vec<_>>()
        };
        assert_eq!(told("all"), [What::Raised, What::Escalated, What::Acknowledged, What::Closed]);
        assert_eq!((told("first"), told("late")), (vec![What::Raised], vec![What::Escalated]));
        place.alert(2, &["raised"], true).await;
        assert_eq!((told("all").len(), told("first").len()), (5, 1));
    }

    #[tokio::test]
    async fn what_is_written_again_is_not_told_again() {
        let place = place().await;
        place.recipient("ovd", TellOf::All, false).await;
        place.alert(1, &["raised"], false).await;
        place.alert(1, &["raised", "acknowledged"], false).await;
        place.until(all_settled).await;
        assert_eq!(*place.fake.carried.lock().unwrap(), ["Te druk: Plein 1 (Plein)", "Opgepakt: Plein 1 (Plein)"]);
    }

    #[tokio::test]
    async fn a_failure_is_tried_again_later_and_what_follows_waits_for_it() {
        let place = place().await;
        place.recipient("ovd", TellOf::All, false).await;
        place.fake.failing.lock().unwrap().push(Undelivered::Later("no route to ovd@example.org".into()));
        place.alert(1, &["raised"], false).await;
        place.alert(2, &["raised"], false).await;
        place.until(|all| all[0].attempts == 1).await;
        let first = &place.deliveries()[0];
        assert_eq!(first.last_error.as_deref(), Some("no route to (address)"));
        assert_eq!((first.state, first.next_at), (DeliveryState::Waiting, Some(at(1))));
        assert!(place.fake.carried.lock().unwrap().is_empty(), "the second went first");
        place.seconds.store(5, Ordering::Relaxed);
        place.until(all_settled).await;
        assert_eq!(*place.fake.carried.lock().unwrap(), ["Te druk: Plein 1 (Plein)", "Te druk: Plein 2 (Plein)"]);
        assert_eq!((place.deliveries()[0].attempts, place.deliveries()[0].delivered_at), (2, Some(at(5))));
    }

    #[tokio::test]
    async fn who_says_no_is_told_once_and_who_never_answers_is_given_up_after_hours_with_the_reason() {
        let place = place().await;
        place.recipient("ovd", TellOf::All, false).await;
        place.fake.failing.lock().unwrap().push(Undelivered::Never("550 no such mailbox".into()));
        place.alert(1, &["raised"], false).await;
        place.until(all_settled).await;
        assert_eq!(place.deliveries()[0].last_error.as_deref(), Some("550 no such mailbox"));
        place.alert(2, &["raised"], false).await;
        place.seconds.store(7 * 3_600, Ordering::Relaxed);
        place.fake.failing.lock().unwrap().push(Undelivered::Later("silence".into()));
        place.until(all_settled).await;
        let second = &place.deliveries()[1];
        assert_eq!(second.state, DeliveryState::Failed);
        assert!(second.last_error.as_deref().unwrap().starts_with("given up after 6 hours"), "{second:?}");
    }

    #[tokio::test]
    async fn what_waits_survives_a_restart_and_arrives_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), &StoreOptions::default()).unwrap();
        let place = Place::new(open()).await;
        place.recipient("ovd", TellOf::All, false).await;
        place.fake.failing.lock().unwrap().push(Undelivered::Later("away".into()));
        place.alert(1, &["raised"], false).await;
        place.until(|all| all[0].attempts == 1).await;
        let Place { store, .. } = place;
        store.close().unwrap();
        let place = Place { store: open(), fake: Arc::default(), seconds: Arc::new(AtomicI64::new(60)) };
        assert_eq!(place.deliveries()[0].state, DeliveryState::Waiting);
        place.until(all_settled).await;
        assert_eq!(place.fake.carried.lock().unwrap().len(), 1);
        assert_eq!((place.deliveries()[0].state, place.deliveries()[0].attempts), (DeliveryState::Delivered, 2));
    }

    #[tokio::test]
    async fn a_full_outbox_refuses_in_sight() {
        let place = place().await;
        place.recipient("ovd", TellOf::Raised, false).await;
        for id in 1..=u32::try_from(outbox::WAITING_MAX).unwrap() {
            place.alert(id, &["raised"], false).await;
        }
        assert!(place.deliveries().iter().all(|delivery| delivery.state == DeliveryState::Waiting));
        place.alert(501, &["raised"], false).await;
        let last = place.deliveries().pop().unwrap();
        assert_eq!((last.alert, last.state), (501, DeliveryState::Failed));
        assert!(last.last_error.unwrap().contains("500 messages wait"));
        let refused = outbox::test(&place.store, &Tenant::default(), ("plein", "ovd"), at(0)).await;
        assert!(matches!(refused, Err(ControlError::Conflict(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn a_test_message_arrives_and_one_for_a_recipient_that_was_removed_says_so() {
        let place = place().await;
        place.recipient("ovd", TellOf::Escalated, false).await;
        let tenant = Tenant::default();
        outbox::test(&place.store, &tenant, ("plein", "ovd"), at(0)).await.unwrap();
        place.alert(1, &["escalated"], false).await;
        place.until(all_settled).await;
        assert_eq!(place.fake.carried.lock().unwrap()[0], "Testbericht (Plein)");
        let tests = outbox::tests(&place.store.snapshot().unwrap(), &tenant, "plein").unwrap();
        assert_eq!(tests["ovd"].state, DeliveryState::Delivered);
        place.alert(2, &["escalated"], false).await;
        let version = outbox::recipient(&place.store.snapshot().unwrap(), &tenant, "plein", "ovd").unwrap().version;
        outbox::remove_recipient(&place.store, &tenant, ("plein", "ovd"), version).await.unwrap();
        place.until(all_settled).await;
        assert_eq!(place.deliveries()[1].last_error.as_deref(), Some("the recipient was removed from the list"));
    }
}
