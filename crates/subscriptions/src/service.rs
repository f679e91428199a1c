//! The subscriptions of all tenants: kept in the store, ready to be matched in memory.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use model::{Change, EntityId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{AuditEntry, CommitError, Document, DocumentSelect, Expect, Store, StoreError, Transaction};

use super::{Compiled, Owner, Subscription, SubscriptionFragment, SubscriptionIndex, SubscriptionStatus};
use platform::{
    context::Contexts,
    ngsi::{ErrorKind, NgsiError},
};

/// How many documents are read at once.
const PAGE: usize = 500;
/// How many ids are tried for a subscription that brings none.
const IDS_MAX: i64 = 1_000;

/// A tenant that has, or had, subscriptions: kept with the default tenant, so that all can be found at the start.
#[derive(Serialize, Deserialize)]
struct SubscribedTenant {
    tenant: Tenant,
}

impl Document for SubscribedTenant {
    const COLLECTION: &'static str = "subscribed-tenants";

    fn key(&self) -> String {
        self.tenant.as_str().to_owned()
    }
}

/// How far the change feed was told: where a restart goes on.
#[derive(Serialize, Deserialize)]
struct NotifierCursor {
    sequence: u64,
}

impl NotifierCursor {
    const KEY: &'static str = "notifier";
}

impl Document for NotifierCursor {
    const COLLECTION: &'static str = "notifier-cursor";

    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

type StatusKey = (Tenant, EntityId);

#[derive(Default)]
struct Statuses {
    all: HashMap<StatusKey, SubscriptionStatus>,
    unsaved: HashSet<StatusKey>,
}

/// What became of the notifications of all subscriptions since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Notifications that arrived.
    pub delivered: u64,
    /// Attempts that failed; most are tried again.
    pub failed: u64,
    /// Notifications that were given up after their last attempt.
    pub given_up: u64,
    /// Notifications that were not sent because the owner of the subscription might not read the entities any more.
    pub withheld: u64,
    /// Changes that were gone from the log before it could be seen whom they concern, for each subscription.
    pub missed: u64,
    /// Notifications that wait for their turn now, or are under way.
    pub waiting: u64,
}

struct Inner {
    tally: Mutex<Tally>,
    store: Store,
    contexts: Contexts,
    index: RwLock<SubscriptionIndex>,
    statuses: Mutex<Statuses>,
    /// Held while a subscription is written and put into the index: both happen in the same order.
    writing: tokio::sync::Mutex<()>,
}

/// All subscriptions. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Subscriptions {
    shared: Arc<Inner>,
    /// Whoever changes subscriptions through this handle.
    signature: Option<Arc<AuditEntry>>,
}

impl Subscriptions {
    /// The subscriptions in a store. They are matched after [`Subscriptions::load`] only.
    #[must_use]
    pub fn new(store: Store, contexts: Contexts) -> Self {
        let (index, statuses, tally) = (RwLock::default(), Mutex::default(), Mutex::default());
        let writing = tokio::sync::Mutex::default();
        Self { shared: Arc::new(Inner { tally, store, contexts, index, statuses, writing }), signature: None }
    }

    /// The store they are kept in.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The same subscriptions for somebody: each change through this handle is in the audit, in the same transaction,
    /// with the time, subject, outcome and reason of `signature`. Its action and resource are filled in.
    #[must_use]
    pub fn signed(&self, signature: AuditEntry) -> Self {
        Self { shared: Arc::clone(&self.shared), signature: Some(Arc::new(signature)) }
    }

    fn sign(&self, transaction: &mut Transaction, action: &str, id: &EntityId) {
        if let Some(signature) = &self.signature {
            let (action, resource) = (action.to_owned(), id.to_string());
            transaction.audit(AuditEntry { action, resource, ..(**signature).clone() });
        }
    }

    /// What became of the notifications since the program started.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn statuses(&self) -> MutexGuard<'_, Statuses> {
        self.shared.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all subscriptions; those that cannot be made ready (a context is out of reach) are returned by id, with
    /// the reason, and can be tried again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(&self, now: Timestamp) -> Result<Vec<(EntityId, NgsiError)>, NgsiError> {
        let mut failed = Vec::new();
        let mut tenants = vec![Tenant::default()];
        let subscribed: Vec<SubscribedTenant> = self.read_all(&Tenant::default())?;
        tenants.extend(subscribed.into_iter().map(|t| t.tenant).filter(|tenant| *tenant != Tenant::default()));
        for tenant in tenants {
            for subscription in self.read_all::<Subscription>(&tenant)? {
                let id = subscription.id.clone();
                if self.compiled(&tenant, &id).is_some() {
                    continue;
                }
                match Compiled::compile(subscription, &self.shared.contexts, now).await {
                    Ok(compiled) => self.insert_loaded(&tenant, compiled).await?,
                    Err(error) => failed.push((id, error)),
                }
            }
        }
        Ok(failed)
    }

    /// Takes in a subscription that was read, unless it was changed or ended since.
    async fn insert_loaded(&self, tenant: &Tenant, compiled: Compiled) -> Result<(), StoreError> {
        let _writing = self.shared.writing.lock().await;
        let id = &compiled.subscription.id;
        let snapshot = self.shared.store.snapshot()?;
        let stored = snapshot.document::<Subscription>(tenant, id.as_str())?;
        if self.compiled(tenant, id).is_some() || stored.is_none_or(|stored| stored.value != compiled.subscription) {
            return Ok(());
        }
        let status = snapshot.document::<SubscriptionStatus>(tenant, id.as_str())?;
        let status = status.map_or_else(|| new_status(id), |stored| stored.value);
        self.statuses().all.entry((tenant.clone(), id.clone())).or_insert(status);
        self.insert(tenant, compiled);
        Ok(())
    }

    fn read_all<D: Document>(&self, tenant: &Tenant) -> Result<Vec<D>, StoreError> {
        let snapshot = self.shared.store.snapshot()?;
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = snapshot.documents::<D>(tenant, &DocumentSelect::All, after.as_deref(), PAGE)?;
            let ended = page.len() < PAGE;
            after = page.last().map(|stored| stored.value.key());
            all.extend(page.into_iter().map(|stored| stored.value));
            if ended {
                return Ok(all);
            }
        }
    }

    /// Makes a subscription of somebody; returns its id.
    ///
    /// # Errors
    /// `BadRequestData` when it is not one, `AlreadyExists`, or `LdContextNotAvailable`.
    pub async fn create(
        &self,
        tenant: &Tenant,
        fragment: SubscriptionFragment,
        source: Value,
        owner: Owner,
        now: Timestamp,
    ) -> Result<EntityId, NgsiError> {
        let given = fragment.id().cloned();
        let id = match &given {
            Some(id) => id.clone(),
            None => self.free_id(tenant, now)?,
        };
        let subscription = fragment.into_subscription(id.clone(), source, now)?;
        let subscription = Subscription { owner: Some(owner), ..subscription };
        let compiled = Compiled::compile(subscription, &self.shared.contexts, now).await?;
        self.remember_tenant(tenant).await?;
        let mut transaction = Transaction::new(tenant.clone());
        transaction.put_document(&compiled.subscription, Expect::Absent)?;
        let status = new_status(&id);
        transaction.put_document(&status, Expect::Any)?;
        self.sign(&mut transaction, "subscription.create", &id);
        let (this, tenant) = (self.clone(), tenant.clone());
        unbroken(async move {
            let _writing = this.shared.writing.lock().await;
            let exists = || NgsiError::new(ErrorKind::AlreadyExists, format!("subscription {id} exists already"));
            if this.shared.store.snapshot()?.document::<Subscription>(&tenant, id.as_str())?.is_some() {
                return Err(exists());
            }
            // It is matched before it is stored: a change that comes right after it must not be passed over.
            this.statuses().all.insert((tenant.clone(), id.clone()), status);
            this.insert(&tenant, compiled);
            let stored = this.shared.store.commit(transaction).await;
            if stored.is_err() {
                this.forget(&(tenant, id.clone()));
            }
            match stored {
                Ok(_) => Ok(id),
                Err(CommitError::Conflict { .. }) => Err(exists()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// An id that no subscription has: the moment, or a microsecond nearby.
    fn free_id(&self, tenant: &Tenant, now: Timestamp) -> Result<EntityId, NgsiError> {
        let snapshot = self.shared.store.snapshot()?;
        for offset in 0..IDS_MAX {
            let moment = now.plus_micros(offset).micros();
            let id = EntityId::parse(&format!("urn:ngsi-ld:Subscription:{moment:x}"))?;
            if snapshot.document::<Subscription>(tenant, id.as_str())?.is_none() {
                return Ok(id);
            }
        }
        Err(NgsiError::new(ErrorKind::Conflict, "too many subscriptions at one moment; give each an id"))
    }

    async fn remember_tenant(&self, tenant: &Tenant) -> Result<(), NgsiError> {
        let snapshot = self.shared.store.snapshot()?;
        let known = snapshot.document::<SubscribedTenant>(&Tenant::default(), tenant.as_str())?;
        if known.is_some() {
            return Ok(());
        }
        let mut transaction = Transaction::new(Tenant::default());
        transaction.put_document(&SubscribedTenant { tenant: tenant.clone() }, Expect::Any)?;
        if self.told_through()?.is_none() {
            // From here on changes may concern somebody, also when the server stops before the notifier saves.
            transaction.put_document(&NotifierCursor { sequence: snapshot.sequence() }, Expect::Any)?;
        }
        self.shared.store.commit(transaction).await?;
        Ok(())
    }

    /// Changes a subscription.
    ///
    /// # Errors
    /// `ResourceNotFound`, `BadRequestData`, `LdContextNotAvailable`, or `Conflict`.
    pub async fn update(
        &self,
        tenant: &Tenant,
        id: &EntityId,
        fragment: SubscriptionFragment,
        now: Timestamp,
    ) -> Result<(), NgsiError> {
        let stored = self.shared.store.snapshot()?.document::<Subscription>(tenant, id.as_str())?;
        let stored = stored.ok_or_else(|| NgsiError::not_found(format!("subscription {id}")))?;
        let mut subscription = stored.value;
        fragment.apply(&mut subscription, now)?;
        let compiled = Compiled::compile(subscription, &self.shared.contexts, now).await?;
        let mut transaction = Transaction::new(tenant.clone());
        transaction.put_document(&compiled.subscription, Expect::Version(stored.version))?;
        self.sign(&mut transaction, "subscription.update", id);
        let (this, tenant) = (self.clone(), tenant.clone());
        unbroken(async move {
            let _writing = this.shared.writing.lock().await;
            this.shared.store.commit(transaction).await?;
            this.insert(&tenant, compiled);
            Ok(())
        })
        .await
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// `ResourceNotFound`.
    pub async fn delete(&self, tenant: &Tenant, id: &EntityId) -> Result<(), NgsiError> {
        let missing = || NgsiError::not_found(format!("subscription {id}"));
        self.shared.store.snapshot()?.document::<Subscription>(tenant, id.as_str())?.ok_or_else(missing)?;
        let mut transaction = Transaction::new(tenant.clone());
        transaction.delete_document::<Subscription>(id.as_str(), Expect::Any);
        transaction.delete_document::<SubscriptionStatus>(id.as_str(), Expect::Any);
        self.sign(&mut transaction, "subscription.delete", id);
        let (this, key) = (self.clone(), (tenant.clone(), id.clone()));
        unbroken(async move {
            let _writing = this.shared.writing.lock().await;
            this.shared.store.commit(transaction).await?;
            this.forget(&key);
            Ok(())
        })
        .await
    }

    fn forget(&self, key: &StatusKey) {
        self.write_index().remove(&key.0, &key.1);
        let mut statuses = self.statuses();
        statuses.all.remove(key);
        statuses.unsaved.remove(key);
    }

    /// One subscription.
    ///
    /// # Errors
    /// `ResourceNotFound`.
    pub fn get(&self, tenant: &Tenant, id: &EntityId) -> Result<Subscription, NgsiError> {
        let stored = self.shared.store.snapshot()?.document::<Subscription>(tenant, id.as_str())?;
        stored.map(|stored| stored.value).ok_or_else(|| NgsiError::not_found(format!("subscription {id}")))
    }

    /// All subscriptions of a tenant, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, tenant: &Tenant) -> Result<Vec<Subscription>, NgsiError> {
        let mut all: Vec<Subscription> = self.read_all(tenant)?;
        all.sort_by(|left, right| (left.created_at, &left.id).cmp(&(right.created_at, &right.id)));
        Ok(all)
    }

    /// What became of the notifications of a subscription, up to this moment.
    #[must_use]
    pub fn status(&self, tenant: &Tenant, id: &EntityId) -> SubscriptionStatus {
        let found = self.statuses().all.get(&(tenant.clone(), id.clone())).cloned();
        found.unwrap_or_else(|| new_status(id))
    }

    /// How many subscriptions there are, of all tenants.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read_index(SubscriptionIndex::len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, tenant: &Tenant, compiled: Compiled) {
        self.write_index().insert(tenant, Arc::new(compiled));
    }

    fn write_index(&self) -> std::sync::RwLockWriteGuard<'_, SubscriptionIndex> {
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_index<T>(&self, read: impl FnOnce(&SubscriptionIndex) -> T) -> T {
        read(&self.shared.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn compiled(&self, tenant: &Tenant, id: &EntityId) -> Option<Arc<Compiled>> {
        self.read_index(|index| index.get(tenant, id))
    }

    pub(super) fn candidates(&self, change: &Change) -> Vec<Arc<Compiled>> {
        self.read_index(|index| index.candidates(change))
    }

    /// Those that notify by the clock.
    pub(super) fn periodic(&self) -> Vec<(Tenant, Arc<Compiled>)> {
        let periodic = |(_, compiled): &(&Tenant, &Arc<Compiled>)| compiled.subscription.time_interval.is_some();
        self.read_index(|index| index.iter().filter(periodic).map(|(t, c)| (t.clone(), c.clone())).collect())
    }

    /// Changes the status of a subscription, if there still is one; it is saved with the next
    /// [`Subscriptions::save_statuses`].
    pub(super) fn note(&self, tenant: &Tenant, id: &EntityId, change: impl FnOnce(&mut SubscriptionStatus)) {
        let key = (tenant.clone(), id.clone());
        let mut statuses = self.statuses();
        if let Some(status) = statuses.all.get_mut(&key) {
            change(status);
            statuses.unsaved.insert(key);
        }
    }

    /// Counts changes that were gone from the log before these subscriptions could be held against them.
    pub(super) fn missed<'k>(
        &self,
        subscriptions: impl IntoIterator<Item = (&'k Tenant, &'k EntityId)>,
        count: u64,
        now: Timestamp,
    ) {
        for (tenant, id) in subscriptions {
            tracing::warn!(subscription = id.as_str(), count, "changes were gone before a subscriber could be told");
            self.count(|tally| tally.missed += count);
            self.note(tenant, id, |status| {
                status.changes_missed += count;
                status.last_failure = Some(now);
                status.last_failure_reason = Some(format!("{count} changes were no longer kept"));
            });
        }
    }

    /// All that are matched, by tenant and id.
    pub(super) fn keys(&self) -> Vec<(Tenant, EntityId)> {
        self.read_index(|index| index.iter().map(|(t, c)| (t.clone(), c.subscription.id.clone())).collect())
    }

    /// Writes the statuses that changed, and how far the feed was told where it moved. What could not be written is
    /// tried again the next time.
    pub(super) async fn save_statuses(&self, told_through: Option<u64>) -> Result<(), NgsiError> {
        let unsaved: Vec<(StatusKey, SubscriptionStatus)> = {
            let mut statuses = self.statuses();
            let keys: Vec<StatusKey> = statuses.unsaved.drain().collect();
            keys.into_iter().filter_map(|key| Some((key.clone(), statuses.all.get(&key)?.clone()))).collect()
        };
        let written = self.write_statuses(&unsaved, told_through).await;
        if written.is_err() {
            let mut statuses = self.statuses();
            let left: Vec<StatusKey> =
                unsaved.into_iter().map(|(key, _)| key).filter(|key| statuses.all.contains_key(key)).collect();
            statuses.unsaved.extend(left);
        }
        written
    }

    async fn write_statuses(
        &self,
        unsaved: &[(StatusKey, SubscriptionStatus)],
        told_through: Option<u64>,
    ) -> Result<(), NgsiError> {
        // A subscription that ends meanwhile must not get its status back.
        let _writing = self.shared.writing.lock().await;
        let mut transactions: HashMap<Tenant, Transaction> = HashMap::new();
        let there = unsaved.iter().filter(|(key, _)| self.statuses().all.contains_key(key));
        for ((tenant, _), status) in there {
            let transaction = transactions.entry(tenant.clone()).or_insert_with(|| Transaction::new(tenant.clone()));
            transaction.put_document(status, Expect::Any)?;
        }
        if let Some(sequence) = told_through {
            let tenant = Tenant::default();
            let transaction = transactions.entry(tenant.clone()).or_insert_with(|| Transaction::new(tenant));
            transaction.put_document(&NotifierCursor { sequence }, Expect::Any)?;
        }
        for transaction in transactions.into_values() {
            self.shared.store.commit(transaction).await?;
        }
        Ok(())
    }

    /// How far the feed was told when it was last saved.
    pub(super) fn told_through(&self) -> Result<Option<u64>, NgsiError> {
        let snapshot = self.shared.store.snapshot()?;
        let cursor = snapshot.document::<NotifierCursor>(&Tenant::default(), NotifierCursor::KEY)?;
        Ok(cursor.map(|stored| stored.value.sequence))
    }
}

/// Runs to its end also when whoever asked goes away: what is stored and what is matched must not come apart.
async fn unbroken<T: Send + 'static>(
    work: impl Future<Output = Result<T, NgsiError>> + Send + 'static,
) -> Result<T, NgsiError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a change of a subscription was broken off");
        Err(NgsiError::new(ErrorKind::InternalError, "the change of the subscription was broken off"))
    })
}

fn new_status(id: &EntityId) -> SubscriptionStatus {
    SubscriptionStatus { id: id.as_str().to_owned(), ..SubscriptionStatus::default() }
}
