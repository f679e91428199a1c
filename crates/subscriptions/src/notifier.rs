//! The notifier: reads the change feed, finds the subscriptions that a change concerns, and gives it to their lanes.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::Arc,
    time::Duration,
};

use model::{Change, EntityId, ReadScope, Tenant, Timestamp};
use store::{ChangeFeed, StoreError};
use tokio::sync::Semaphore;

use super::{
    Compiled, NotificationSink, Rights, Subscriptions,
    lane::{Lane, LaneContext, Pending, pending_of},
    notification::Told,
};
use platform::{
    ngsi::NgsiError,
    query::{EntityQuery, find},
};

/// How many deliveries may be under way at once.
const DELIVERIES_MAX: usize = 256;
/// How often statuses are saved and clocks are looked at.
const TICK: Duration = Duration::from_millis(500);
/// How often contexts that are out of reach at the start are tried again, and after how long each.
const LOADS_MAX: u32 = 12;
const LOAD_WAIT: Duration = Duration::from_secs(5);
/// How many entities a periodic notification tells of.
const PERIODIC_MAX: usize = 1_000;
/// How long to wait when the feed cannot be read.
const FEED_WAIT: Duration = Duration::from_secs(1);

/// Tells subscribers of changes, as a task that runs as long as the server.
pub struct Notifier {
    context: Arc<LaneContext>,
    lanes: HashMap<(Tenant, EntityId), Lane>,
    /// When periodic subscriptions are due.
    due: HashMap<(Tenant, EntityId), Timestamp>,
    /// Every change up to here was given to lanes.
    position: u64,
    saved: Option<u64>,
}

/// A subscription with the changes of one transaction that concern it.
type Concerned<'a> = (Arc<Compiled>, Vec<&'a Change>);

impl Notifier {
    /// A notifier of these subscriptions, which sends through `sink` what `rights` allow, and tells time by `clock`.
    #[must_use]
    pub fn new(
        subscriptions: Subscriptions,
        sink: Arc<dyn NotificationSink>,
        rights: Rights,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let clock = Arc::new(clock);
        let context = LaneContext { subscriptions, sink, rights, clock, places: Semaphore::new(DELIVERIES_MAX) };
        Self { context: Arc::new(context), lanes: HashMap::new(), due: HashMap::new(), position: 0, saved: None }
    }

    /// Runs until `stop` completes. Changes that were not told then are told after the next start.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let started = tokio::select! {
            started = self.start() => started,
            () = &mut stop => return,
        };
        let mut feed = match started {
            Ok(feed) => feed,
            Err(error) => {
                tracing::error!(%error, "subscriptions cannot be read; nobody is notified until the next start");
                return;
            }
        };
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                // Before the changes: a feed that always has one would put saving and the clocks off for ever.
                _ = ticks.tick() => self.tick().await,
                changes = feed.next() => match changes {
                    Ok(changes) => {
                        self.dispatch(&changes);
                        self.position = feed.position();
                        // Timers and lanes have their turn between two changes, also on a single thread.
                        tokio::task::yield_now().await;
                    }
                    Err(StoreError::Closed) => break,
                    Err(StoreError::ChangesTrimmed { after, oldest }) => {
                        let (keys, now) = (self.context.subscriptions.keys(), (self.context.clock)());
                        let keys = keys.iter().map(|(tenant, id)| (tenant, id));
                        self.context.subscriptions.missed(keys, oldest.saturating_sub(after), now);
                        self.position = feed.position();
                    }
                    Err(error @ StoreError::Corrupt { .. }) => {
                        tracing::error!(%error, "a record of the change log is damaged; its changes are told to nobody");
                        let (keys, now) = (self.context.subscriptions.keys(), (self.context.clock)());
                        self.context.subscriptions.missed(keys.iter().map(|(tenant, id)| (tenant, id)), 1, now);
                        self.position = feed.position();
                    }
                    Err(error) => {
                        tracing::error!(%error, "the change feed cannot be read; subscribers may miss changes");
                        tokio::time::sleep(FEED_WAIT).await;
                    }
                },
            }
        }
        self.save().await;
    }

    /// Loads the subscriptions, and opens the feed where the last run ended.
    async fn start(&mut self) -> Result<ChangeFeed, NgsiError> {
        let subscriptions = self.context.subscriptions.clone();
        let store = subscriptions.store();
        // What changes while the subscriptions are being loaded is told too.
        let newest = store.snapshot()?.sequence();
        for load in 1..=LOADS_MAX {
            let failed = subscriptions.load((self.context.clock)()).await?;
            if failed.is_empty() {
                break;
            }
            for (id, error) in &failed {
                tracing::warn!(subscription = id.as_str(), %error, load, "a subscription cannot be used yet");
            }
            if load < LOADS_MAX {
                tokio::time::sleep(LOAD_WAIT).await;
            }
        }
        let told = subscriptions.told_through()?.filter(|told| *told <= newest);
        self.saved = told;
        self.position = told.unwrap_or(newest);
        Ok(store.changes_since(self.position))
    }

    /// Gives one transaction's changes to the lanes of the subscriptions that they concern.
    fn dispatch(&mut self, changes: &[Change]) {
        let now = (self.context.clock)();
        let mut concerned: HashMap<(Tenant, EntityId), Concerned<'_>> = HashMap::new();
        for change in changes {
            for compiled in self.context.subscriptions.candidates(change) {
                let key = (change.tenant.clone(), compiled.subscription.id.clone());
                concerned.entry(key).or_insert_with(|| (compiled, Vec::new())).1.push(change);
            }
        }
        for ((tenant, id), (compiled, changes)) in concerned {
            // After a restart, some subscribers were told already.
            let done = self.context.subscriptions.status(&tenant, &id).done_through;
            let new = changes.into_iter().filter(|change| change.sequence > done);
            if let Some(pending) = pending_of(new, &compiled, now) {
                self.lane(tenant, id).push(pending);
            }
        }
    }

    fn lane(&mut self, tenant: Tenant, id: EntityId) -> &Lane {
        let context = &self.context;
        let start = |key: &(Tenant, EntityId)| Lane::start(context.clone(), key.0.clone(), key.1.clone());
        self.lanes.entry((tenant, id)).or_insert_with_key(start)
    }

    async fn tick(&mut self) {
        let subscriptions = self.context.subscriptions.clone();
        self.lanes.retain(|(tenant, id), _| subscriptions.compiled(tenant, id).is_some());
        if let Err(error) = self.notify_periodic() {
            tracing::error!(%error, "a periodic notification could not be made");
        }
        self.save().await;
    }

    fn notify_periodic(&mut self) -> Result<(), NgsiError> {
        let now = (self.context.clock)();
        let periodic = self.context.subscriptions.periodic();
        let keys: HashSet<_> = periodic.iter().map(|(t, c)| (t.clone(), c.subscription.id.clone())).collect();
        self.due.retain(|key, _| keys.contains(key));
        for (tenant, compiled) in periodic {
            let Some(seconds) = compiled.subscription.time_interval else { continue };
            #[expect(clippy::cast_possible_truncation, reason = "at most a year of microseconds")]
            let next = now.plus_micros((seconds * 1e6) as i64);
            let key = (tenant.clone(), compiled.subscription.id.clone());
            let due = *self.due.entry(key.clone()).or_insert(next);
            if due > now || compiled.subscription.status(now) != "active" {
                continue;
            }
            self.due.insert(key, next);
            let snapshot = self.context.subscriptions.store().snapshot()?;
            let query = EntityQuery { limit: PERIODIC_MAX, ..compiled.query.clone() };
            let found = find(&snapshot, &tenant, &query, &ReadScope::All)?;
            let told: Vec<Told> =
                found.entities.into_iter().map(|stored| Told::State(Arc::new(stored.value.clone()))).collect();
            if !told.is_empty() {
                let (first, last) = (self.position, self.position);
                let id = compiled.subscription.id.clone();
                self.lane(tenant, id).push_periodic(Pending { first, last, told });
            }
        }
        Ok(())
    }

    /// Saves the statuses, and how far every lane has come.
    async fn save(&mut self) {
        let oldest = self.lanes.values().filter_map(Lane::oldest).min();
        let through = oldest.map_or(self.position, |oldest| oldest.saturating_sub(1).min(self.position));
        let moved = self.saved != Some(through) && (self.saved.is_some() || !self.context.subscriptions.is_empty());
        match self.context.subscriptions.save_statuses(moved.then_some(through)).await {
            Ok(()) if moved => self.saved = Some(through),
            Ok(()) => {}
            Err(error) => tracing::error!(%error, "the state of subscriptions could not be saved; it is tried again"),
        }
    }
}
