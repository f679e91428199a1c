//! The subscriptions of all tenants: kept in the store, ready to be matched in memory.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use model::{Change, EntityId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{AuditEntry, CommitError, Document, DocumentSelect, Expect, Store, StoreError, Transaction};

use super::{Compiled, Subscription, SubscriptionFragment, SubscriptionIndex, SubscriptionStatus};
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
    /// Notifications that wait for their turn now, or are under way.
    pub waiting: u64,
}

struct Inner {
    tally: Mutex<Tally>,
    store: Store,
    contexts: Contexts,
    index: RwLock<SubscriptionIndex>,
    statuses: Mutex<Statuses>,
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
        Self { shared: Arc::new(Inner { tally, store, contexts, index, statuses }), signature: None }
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
                let status = self.shared.store.snapshot()?.document::<SubscriptionStatus>(&tenant, id.as_str())?;
                let status = status.map_or_else(|| new_status(&id), |stored| stored.value);
                self.statuses().all.entry((tenant.clone(), id.clone())).or_insert(status);
                match Compiled::compile(subscription, &self.shared.contexts, now).await {
                    Ok(compiled) => self.insert(&tenant, compiled),
                    Err(error) => failed.push((id, error)),
                }
            }
        }
        Ok(failed)
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

    /// Makes a subscription; returns its id.
    ///
    /// # Errors
    /// `BadRequestData` when it is not one, `AlreadyExists`, or `LdContextNotAvailable`.
    pub async fn create(
        &self,
        tenant: &Tenant,
        fragment: SubscriptionFragment,
        source: Value,
        now: Timestamp,
    ) -> Result<EntityId, NgsiError> {
        let given = fragment.id().cloned();
        let id = match &given {
            Some(id) => id.clone(),
            None => self.free_id(tenant, now)?,
        };
        let subscription = fragment.into_subscription(id.clone(), source, now)?;
        let compiled = Compiled::compile(subscription, &self.shared.contexts, now).await?;
        self.remember_tenant(tenant).await?;
        let mut transaction = Transaction::new(tenant.clone());
        transaction.put_document(&compiled.subscription, Expect::Absent)?;
        let status = new_status(&id);
        transaction.put_document(&status, Expect::Any)?;
        self.sign(&mut transaction, "subscription.create", &id);
        match self.shared.store.commit(transaction).await {
            Ok(_) => {}
            Err(CommitError::Conflict { .. }) => {
                return Err(NgsiError::new(ErrorKind::AlreadyExists, format!("subscription {id} exists already")));
            }
            Err(error) => return Err(error.into()),
        }
        self.statuses().all.insert((tenant.clone(), id.clone()), status);
        self.insert(tenant, compiled);
        Ok(id)
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
        self.shared.store.commit(transaction).await?;
        self.insert(tenant, compiled);
        Ok(())
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
        self.write_index().remove(tenant, id);
        self.forget_status(&(tenant.clone(), id.clone()));
        self.shared.store.commit(transaction).await?;
        Ok(())
    }

    fn forget_status(&self, key: &StatusKey) {
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

    /// Writes the statuses that changed, and how far the feed was told where it moved.
    pub(super) async fn save_statuses(&self, told_through: Option<u64>) -> Result<(), NgsiError> {
        let unsaved: Vec<(Tenant, SubscriptionStatus)> = {
            let mut statuses = self.statuses();
            let keys: Vec<StatusKey> = statuses.unsaved.drain().collect();
            keys.into_iter().filter_map(|key| Some((key.0.clone(), statuses.all.get(&key)?.clone()))).collect()
        };
        let mut transactions: HashMap<Tenant, Transaction> = HashMap::new();
        for (tenant, status) in &unsaved {
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

fn new_status(id: &EntityId) -> SubscriptionStatus {
    SubscriptionStatus { id: id.as_str().to_owned(), ..SubscriptionStatus::default() }
}
