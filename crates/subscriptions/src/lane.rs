//! The lane of one subscription: its notifications, one after the other, each tried until it arrives or is given up.
//!
//! A lane holds a bounded number of notifications. One that is full takes no more; it remembers from where it fell
//! behind, and reads on from the durable change log when it is empty again. So a receiver that is slow or away costs
//! neither memory nor the others' notifications.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{Change, EntityId, ReadScope, Tenant, Timestamp};
use store::StoreError;
use tokio::sync::{Notify, Semaphore};

use super::{
    Compiled, Delivery, NotificationSink, Rights, Standing, Subscriptions,
    notification::{Told, delivery},
};
use platform::{
    ngsi::{Linked, NgsiError},
    query::follow,
};

/// How many notifications a lane holds.
const QUEUE_MAX: usize = 64;
/// How many entities one notification tells of.
const TOLD_MAX: usize = 1_000;
/// How often a notification is tried, as long as the receiver is believed to be there.
const ATTEMPTS_MAX: u32 = 4;
/// How long to wait after the first failure, when the subscription does not say; each wait is four times the last.
const COOLDOWN: Duration = Duration::from_secs(1);

/// How long to wait when the store does not answer.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// What all lanes share.
pub(super) struct LaneContext {
    pub subscriptions: Subscriptions,
    pub sink: Arc<dyn NotificationSink>,
    pub rights: Rights,
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How many deliveries may be under way at once.
    pub places: Semaphore,
}

/// Changes that are to be told together.
pub(super) struct Pending {
    /// The sequences of the first and last change; of a periodic notification, the newest that was told.
    pub first: u64,
    pub last: u64,
    pub told: Vec<Told>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Pending>,
    in_hand: Option<u64>,
    /// The first and last sequence that the lane did not take.
    skipped: Option<(u64, u64)>,
}

/// One subscription's lane. The task that serves it ends with [`Lane::drop`].
pub(super) struct Lane {
    shared: Arc<Shared>,
    context: Arc<LaneContext>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    tenant: Tenant,
    id: EntityId,
    queue: Mutex<Queue>,
    wake: Notify,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was skipped up to a sequence has been read; what came meanwhile is still to be read.
    fn caught_up(&self, through: u64) {
        let mut queue = self.queue();
        queue.skipped = queue.skipped.filter(|(_, end)| *end > through).map(|(_, end)| (through + 1, end));
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
        let mut queue = self.shared.queue();
        let left = std::mem::take(&mut queue.waiting).len() + usize::from(queue.in_hand.take().is_some());
        self.context.subscriptions.count(|tally| tally.waiting = tally.waiting.saturating_sub(left as u64));
    }
}

impl Lane {
    pub fn start(context: Arc<LaneContext>, tenant: Tenant, id: EntityId) -> Self {
        let shared = Arc::new(Shared { tenant, id, queue: Mutex::default(), wake: Notify::new() });
        let task = tokio::spawn(serve(context.clone(), shared.clone()));
        Self { shared, context, task }
    }

    /// Takes changes, or remembers that it did not.
    pub fn push(&self, pending: Pending) {
        let mut queue = self.shared.queue();
        match queue.skipped {
            Some((first, _)) => queue.skipped = Some((first, pending.last)),
            None if queue.waiting.len() >= QUEUE_MAX => queue.skipped = Some((pending.first, pending.last)),
            None => {
                queue.waiting.push_back(pending);
                self.context.subscriptions.count(|tally| tally.waiting += 1);
            }
        }
        drop(queue);
        self.shared.wake.notify_one();
    }

    /// Takes a periodic notification; nothing is remembered when there is no room, the next one tells the same.
    pub fn push_periodic(&self, pending: Pending) {
        let mut queue = self.shared.queue();
        if queue.skipped.is_none() && queue.waiting.is_empty() {
            queue.waiting.push_back(pending);
            self.context.subscriptions.count(|tally| tally.waiting += 1);
            drop(queue);
            self.shared.wake.notify_one();
        }
    }

    /// The first sequence that is not told yet, if any.
    pub fn oldest(&self) -> Option<u64> {
        let queue = self.shared.queue();
        let waiting = queue.waiting.front().map(|pending| pending.first);
        let skipped = queue.skipped.map(|(first, _)| first);
        [queue.in_hand, waiting, skipped].into_iter().flatten().min()
    }
}

/// What a lane does next.
enum Work {
    Tell(Pending),
    CatchUp(u64, u64),
}

async fn serve(context: Arc<LaneContext>, shared: Arc<Shared>) {
    let mut receiver = Receiver { context: &context, shared: &shared, answers: true, withheld: false };
    loop {
        let work = {
            let mut queue = shared.queue();
            if queue.in_hand.take().is_some() {
                context.subscriptions.count(|tally| tally.waiting = tally.waiting.saturating_sub(1));
            }
            match (queue.waiting.pop_front(), queue.skipped) {
                (Some(pending), _) => {
                    queue.in_hand = Some(pending.first);
                    Some(Work::Tell(pending))
                }
                (None, Some((first, last))) => Some(Work::CatchUp(first, last)),
                (None, None) => None,
            }
        };
        match work {
            Some(Work::Tell(pending)) => receiver.tell(pending).await,
            Some(Work::CatchUp(first, last)) => {
                if let Err(error) = receiver.catch_up(first, last).await {
                    // The rest of the gap stays, and is read when the store answers again or after the next start.
                    let id = shared.id.as_str();
                    tracing::error!(subscription = id, %error, "changes could not be read again for a subscription");
                    tokio::time::sleep(STORE_WAIT).await;
                }
            }
            None => shared.wake.notified().await,
        }
    }
}

/// The receiver of one subscription, as its lane sees it.
struct Receiver<'a> {
    context: &'a LaneContext,
    shared: &'a Shared,
    /// Whether the last notification arrived. One that does not answer gets one attempt for each, until it does.
    answers: bool,
    /// Whether the last notification was not sent because the owner may not read it.
    withheld: bool,
}

impl Receiver<'_> {
    /// Reads the changes that the lane did not take from the log, and tells them. Where the log no longer reaches back
    /// so far, it goes on from the oldest change that is kept and counts those before it.
    async fn catch_up(&mut self, first: u64, last: u64) -> Result<(), StoreError> {
        let mut feed = self.context.subscriptions.store().changes_since(first.saturating_sub(1));
        while feed.position() < last {
            match feed.next().await {
                Ok(changes) => {
                    let compiled = self.context.subscriptions.compiled(&self.shared.tenant, &self.shared.id);
                    let Some(compiled) = compiled else { break };
                    let now = (self.context.clock)();
                    let mine = |change: &&Change| change.tenant == self.shared.tenant && change.sequence <= last;
                    if let Some(pending) = pending_of(changes.iter().filter(mine), &compiled, now) {
                        self.tell(pending).await;
                    }
                }
                Err(StoreError::ChangesTrimmed { after, oldest }) => {
                    let (tenant, id) = (&self.shared.tenant, &self.shared.id);
                    let (count, now) = (oldest.min(last).saturating_sub(after), (self.context.clock)());
                    self.context.subscriptions.missed([(tenant, id)], count, now);
                }
                Err(error @ StoreError::Corrupt { .. }) => {
                    let (tenant, id) = (&self.shared.tenant, &self.shared.id);
                    tracing::error!(subscription = id.as_str(), %error, "a record of the change log is damaged");
                    self.context.subscriptions.missed([(tenant, id)], 1, (self.context.clock)());
                }
                Err(error) => return Err(error),
            }
            self.shared.caught_up(feed.position().min(last));
        }
        self.shared.caught_up(last);
        Ok(())
    }

    /// What the owner of the subscription may read now; `None`, and counted, when nothing may be sent.
    async fn scope(&mut self, compiled: &Compiled) -> Option<ReadScope> {
        let (id, owner) = (self.shared.id.as_str(), compiled.subscription.owner.as_ref());
        loop {
            match (self.context.rights)(&self.shared.tenant, owner, (self.context.clock)()) {
                Ok(Standing::May(scope)) => {
                    self.withheld = false;
                    return Some(scope);
                }
                Ok(Standing::MayNot(reason)) => {
                    if !std::mem::replace(&mut self.withheld, true) {
                        tracing::warn!(subscription = id, reason, "notifications are withheld");
                    }
                    self.context.subscriptions.count(|tally| tally.withheld += 1);
                    self.note(|status| {
                        status.times_withheld += 1;
                        status.last_failure_reason = Some(reason);
                    });
                    return None;
                }
                Err(error) => {
                    tracing::error!(subscription = id, error, "the rights of the owner could not be read");
                    tokio::time::sleep(STORE_WAIT).await;
                }
            }
        }
    }

    async fn tell(&mut self, pending: Pending) {
        let id = &self.shared.id;
        let Some(compiled) = self.context.subscriptions.compiled(&self.shared.tenant, id) else { return };
        let Some(scope) = self.scope(&compiled).await else {
            self.note(|status| status.done_through = status.done_through.max(pending.last));
            return;
        };
        let now = (self.context.clock)();
        let status = self.context.subscriptions.status(&self.shared.tenant, id);
        if is_throttled(&compiled, status.last_notification, now) {
            self.note(|status| {
                status.times_throttled += 1;
                status.done_through = status.done_through.max(pending.last);
            });
            return;
        }
        let shown: Vec<Told> = pending.told.into_iter().filter(|told| told.is_shown_to(&scope)).collect();
        for (part, told) in shown.chunks(TOLD_MAX).enumerate() {
            let number = pending.first.saturating_add(part as u64);
            let linked = self.linked(&compiled, told, &scope);
            let delivery = delivery(&compiled, &self.shared.tenant, told, linked.as_ref(), number, now);
            self.deliver(&delivery, &compiled, &scope).await;
        }
        self.note(|status| status.done_through = status.done_through.max(pending.last));
    }

    /// The entities that those told of link to, where the subscription wants them.
    fn linked(&self, compiled: &Compiled, told: &[Told], scope: &ReadScope) -> Option<Linked> {
        let settings = &compiled.subscription.notification;
        settings.join?;
        let level = settings.join_level.and_then(|level| usize::try_from(level).ok()).unwrap_or(1);
        let entities = told.iter().filter_map(Told::entity);
        let snapshot = self.context.subscriptions.store().snapshot().map_err(NgsiError::from);
        let followed = snapshot.and_then(|s| follow(&s, &self.shared.tenant, scope, entities, level));
        let id = self.shared.id.as_str();
        followed.inspect_err(|error| tracing::error!(subscription = id, %error, "links could not be followed")).ok()
    }

    /// Tries until it arrives, or the attempts are used up, or the owner may no longer read what it was made of.
    async fn deliver(&mut self, delivery: &Delivery, compiled: &Compiled, scope: &ReadScope) {
        let cooldown = compiled.subscription.notification.endpoint.cooldown.map(Duration::from_millis);
        let mut wait = cooldown.unwrap_or(COOLDOWN);
        let attempts = if self.answers { ATTEMPTS_MAX } else { 1 };
        for attempt in 1..=attempts {
            let result = {
                // The semaphore is never closed.
                let _place = self.context.places.acquire().await;
                let timeout = Duration::from_millis(delivery.timeout_ms);
                match tokio::time::timeout(timeout, self.context.sink.deliver(delivery)).await {
                    Ok(result) => result,
                    Err(_) => Err(format!("no answer within {} ms", delivery.timeout_ms)),
                }
            };
            let now = (self.context.clock)();
            self.note(|status| {
                status.times_sent += 1;
                status.last_notification = Some(now);
                match &result {
                    Ok(()) => status.last_success = Some(now),
                    Err(reason) => {
                        status.times_failed += 1;
                        status.last_failure = Some(now);
                        status.last_failure_reason = Some(reason.clone());
                    }
                }
            });
            self.context.subscriptions.count(|tally| match &result {
                Ok(()) => tally.delivered += 1,
                Err(_) => tally.failed += 1,
            });
            match result {
                Ok(()) => {
                    self.answers = true;
                    return;
                }
                Err(reason) if attempt == attempts => {
                    let (id, uri) = (self.shared.id.as_str(), &delivery.uri);
                    tracing::warn!(subscription = id, uri, reason, "a notification was given up");
                }
                Err(_) => {
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(4);
                    if self.scope(compiled).await.as_ref() != Some(scope) {
                        return;
                    }
                }
            }
        }
        self.answers = false;
        self.context.subscriptions.count(|tally| tally.given_up += 1);
        self.note(|status| status.times_given_up += 1);
    }

    fn note(&self, change: impl FnOnce(&mut super::SubscriptionStatus)) {
        self.context.subscriptions.note(&self.shared.tenant, &self.shared.id, change);
    }
}

fn is_throttled(compiled: &Compiled, last: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(seconds) = compiled.subscription.throttling else { return false };
    last.is_some_and(|last| now.seconds_since(last) < seconds)
}

/// The changes that concern a subscription, to be told together; `None` when there are none.
pub(super) fn pending_of<'c>(
    changes: impl Iterator<Item = &'c Change>,
    compiled: &Compiled,
    now: Timestamp,
) -> Option<Pending> {
    let mut pending: Option<Pending> = None;
    for change in changes {
        let Some(events) = compiled.matches(change, now) else { continue };
        let told = Told::Change(change.clone(), events);
        match &mut pending {
            Some(pending) => {
                pending.last = change.sequence;
                pending.told.push(told);
            }
            None => pending = Some(Pending { first: change.sequence, last: change.sequence, told: vec![told] }),
        }
    }
    pending
}
