//! The one writer: takes the transactions that wait, checks their conditions in order, writes those that hold as one
//! atomic batch with one flush to disk, and only then answers and publishes.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use model::{Change, Tenant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    Batch, CommitError, Committed, Expect, HistoryAdded, HistoryState, Kv, KvSnapshot, Space, StoreError, Stored,
    audit,
    cache::EntityCache,
    document, entities,
    feed::{Feed, Published},
    head::{self, Head},
    kv::version_of,
    log::{self, RawChange},
    transaction::{Prepared, PreparedDocument, PreparedEntity, index_key},
};

/// How many transactions, and about how many bytes, one group commit takes at most.
const GROUP_TRANSACTIONS_MAX: usize = 256;
const GROUP_BYTES_MAX: usize = 16 << 20;
/// How many log records one group commit trims at most: more than it can add, and few enough not to delay it for long.
const TRIM_RECORDS_MAX: usize = 4 * GROUP_TRANSACTIONS_MAX;
/// The log is trimmed once in this many sequences, not with every commit.
const TRIM_EVERY: u64 = 1_024;

/// Where the answer to a transaction goes.
pub(crate) enum Reply {
    /// To a task.
    Task(oneshot::Sender<Result<Committed, CommitError>>),
    /// To a thread.
    Thread(mpsc::SyncSender<Result<Committed, CommitError>>),
}

impl Reply {
    fn send(self, answer: Result<Committed, CommitError>) {
        // A caller that no longer waits has given up the answer, not the write.
        match self {
            Self::Task(sender) => drop(sender.send(answer)),
            Self::Thread(sender) => drop(sender.send(answer)),
        }
    }
}

/// A transaction that waits for the writer.
pub(crate) struct Job {
    pub prepared: Prepared,
    pub reply: Reply,
    /// Its place in the bounded queue, given back when it is done.
    pub place: OwnedSemaphorePermit,
}

/// What the writer needs and keeps between groups.
pub(crate) struct Writer {
    pub kv: Arc<dyn Kv>,
    pub cache: Arc<EntityCache>,
    pub feed: Arc<Feed>,
    pub history: Arc<HistoryState>,
    pub head: Head,
    pub counters: HashMap<Bytes, u64>,
    /// How many changes the log keeps.
    pub log_changes_kept: u64,
    /// Says whether the disk has room; asked before every group.
    pub room: Box<dyn Fn() -> Result<(), StoreError> + Send>,
}

/// What earlier transactions of the same group did to a document.
enum Pending {
    Removed,
    Written { version: u64, index_keys: Vec<Bytes> },
}

/// A group in the making.
struct Group<'a> {
    snapshot: &'a dyn KvSnapshot,
    head: Head,
    batch: Batch,
    pending: HashMap<Bytes, Pending, RandomState>,
    counters: HashMap<Bytes, (u64, Vec<u8>)>,
    published: Vec<Published>,
    cached: Vec<(Bytes, Arc<Stored<model::Entity>>, usize)>,
    history: HistoryAdded,
}

/// What each transaction of a group is answered.
type Answers = Vec<Result<Committed, CommitError>>;

impl Writer {
    /// Works until every sender is gone.
    pub fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (mut group, mut bytes) = (vec![], first.prepared.size_bytes);
            group.push(first);
            while group.len() < GROUP_TRANSACTIONS_MAX && bytes < GROUP_BYTES_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                bytes += next.prepared.size_bytes;
                group.push(next);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        let mut waiting = Vec::with_capacity(jobs.len());
        let mut work = Vec::with_capacity(jobs.len());
        for Job { prepared, reply, place } in jobs {
            work.push(prepared);
            waiting.push((reply, place));
        }
        let (answers, added) = match self.write(work) {
            Ok(written) => written,
            Err(error) => {
                (waiting.iter().map(|_| Err(CommitError::Store(error.clone()))).collect(), HistoryAdded::default())
            }
        };
        for ((reply, place), answer) in waiting.into_iter().zip(answers) {
            drop(place);
            reply.send(answer);
        }
        self.history.stored(added);
    }

    fn write(&mut self, work: Vec<Prepared>) -> Result<(Answers, HistoryAdded), StoreError> {
        (self.room)()?;
        let snapshot = self.kv.snapshot()?;
        let mut group = Group {
            snapshot: &*snapshot,
            head: self.head,
            batch: Batch::new(),
            pending: HashMap::default(),
            counters: HashMap::new(),
            published: vec![],
            cached: vec![],
            history: HistoryAdded::default(),
        };
        let answers: Vec<_> = work.into_iter().map(|prepared| self.add(&mut group, prepared)).collect();
        let Group { mut head, mut batch, counters, published, cached, history, .. } = group;
        if head == self.head {
            return Ok((answers, history));
        }
        for (key, (count, record)) in &counters {
            match count {
                0 => batch.delete(Space::Indexes, key.clone()),
                _ => batch.put(Space::Indexes, key.clone(), record.clone()),
            }
        }
        self.trim_log(&*snapshot, &mut head, &mut batch)?;
        let unmoved = if self.head.sequence == 0 { Expect::Absent } else { Expect::Version(self.head.sequence) };
        batch.expect(Space::Meta, head::KEY, unmoved);
        batch.put(Space::Meta, head::KEY, head.encode());
        drop(snapshot);
        let moved = self.kv.commit(&[&batch])?.into_iter().any(|result| result.is_err());
        if moved {
            let detail = "another writer has moved the head record".to_owned();
            return Err(StoreError::Engine { detail });
        }
        self.head = head;
        self.counters.extend(counters.into_iter().map(|(key, (count, _))| (key, count)));
        for (key, stored, json_bytes) in cached {
            let version = stored.version;
            self.cache.put(key, stored, version, json_bytes);
        }
        for transaction in published {
            self.feed.publish(transaction);
        }
        Ok((answers, history))
    }

    /// Adds one transaction to a group, or refuses it without a trace.
    fn add(&self, group: &mut Group<'_>, prepared: Prepared) -> Result<Committed, CommitError> {
        self.check_conditions(group, &prepared)?;
        let undo = (group.batch.writes.len(), group.head);
        let sequence = group.head.sequence + prepared.entities.len().max(1) as u64;
        match self.fill(group, prepared, sequence) {
            Ok(()) => {
                group.head.sequence = sequence;
                Ok(Committed { sequence })
            }
            Err(error) => {
                group.batch.writes.truncate(undo.0);
                group.head = undo.1;
                Err(error.into())
            }
        }
    }

    fn check_conditions(&self, group: &Group<'_>, prepared: &Prepared) -> Result<(), CommitError> {
        for entity in &prepared.entities {
            if !self.holds(group, &entity.key, entity.expect)? {
                return Err(CommitError::Conflict { key: entity.change.id.to_string() });
            }
        }
        for document in &prepared.documents {
            if !self.holds(group, &document.key, document.expect)? {
                return Err(CommitError::Conflict { key: document.name.clone() });
            }
        }
        Ok(())
    }

    fn holds(&self, group: &Group<'_>, key: &Bytes, expect: Expect) -> Result<bool, StoreError> {
        let version = match (group.pending.get(key), expect) {
            (_, Expect::Any) => return Ok(true),
            (Some(Pending::Removed), _) => None,
            (Some(Pending::Written { version, .. }), _) => Some(*version),
            (None, _) => match self.cache.get(key, self.head.sequence) {
                Some(stored) => Some(stored.version),
                None => group.snapshot.get(Space::Documents, key)?.as_deref().and_then(version_of),
            },
        };
        Ok(match expect {
            Expect::Any => true,
            Expect::Absent => version.is_none(),
            Expect::Version(expected) => version == Some(expected),
        })
    }

    /// Everything that can fail comes before anything that later transactions of the group would see.
    fn fill(&self, group: &mut Group<'_>, prepared: Prepared, sequence: u64) -> Result<(), StoreError> {
        let Prepared { tenant, entities, index_changes, counters, documents, mut log, history, audit, .. } = prepared;
        for entry in audit {
            let number = group.head.audit_sequence + 1;
            let (hash, record) = audit::link(&group.head.audit_hash, number, &tenant, entry)?;
            (group.head.audit_sequence, group.head.audit_hash) = (number, hash);
            group.batch.put(Space::Log, audit::key(number), record);
        }
        let old_index_keys =
            documents.iter().map(|d| index_keys_of(group, &tenant, d)).collect::<Result<Vec<_>, _>>()?;
        let counted = counters
            .iter()
            .map(|(name, change)| self.counted(group, &tenant, name, *change))
            .collect::<Result<Vec<_>, _>>()?;
        group.counters.extend(counted);
        group.history.add(history, &tenant, sequence, &mut group.batch);
        for (key, value) in index_changes {
            group.batch.writes.push(crate::Write { space: Space::Indexes, key, value });
        }
        if !log.is_empty() {
            document::stamp(&mut log, sequence);
            group.batch.put(Space::Log, log::key(sequence), log);
        }
        for (document, old) in documents.into_iter().zip(old_index_keys) {
            group.write_document(document, old, sequence);
        }
        self.write_entities(group, &tenant, entities, sequence);
        Ok(())
    }

    fn write_entities(&self, group: &mut Group<'_>, tenant: &Tenant, entities: Vec<PreparedEntity>, sequence: u64) {
        let mut changes = Vec::with_capacity(entities.len());
        let first = sequence + 1 - (entities.len() as u64).min(sequence);
        for (PreparedEntity { key, sealed, change, .. }, number) in entities.into_iter().zip(first..) {
            self.cache.announce_write(&key, sequence);
            let RawChange { id, kind, attributes, before, after } = change;
            let after = after.map(|value| Arc::new(Stored { version: sequence, value }));
            let pending = match (sealed, &after) {
                (Some(mut sealed), Some(stored)) => {
                    document::stamp(&mut sealed, sequence);
                    group.cached.push((key.clone(), stored.clone(), sealed.len()));
                    group.batch.put(Space::Documents, key.clone(), sealed);
                    Pending::Written { version: sequence, index_keys: vec![] }
                }
                _ => {
                    group.batch.delete(Space::Documents, key.clone());
                    Pending::Removed
                }
            };
            group.pending.insert(key, pending);
            changes.push(Change { sequence: number, tenant: tenant.clone(), id, kind, attributes, before, after });
        }
        if !changes.is_empty() {
            group.published.push(Published { last_sequence: sequence, changes: changes.into() });
        }
    }

    /// A type's counter after a change: its key, the count, and the record.
    fn counted(
        &self,
        group: &Group<'_>,
        tenant: &Tenant,
        name: &model::Iri,
        change: i64,
    ) -> Result<(Bytes, (u64, Vec<u8>)), StoreError> {
        let key = entities::counter_key(tenant, name);
        let known = group.counters.get(&key).map(|(count, _)| *count).or_else(|| self.counters.get(&key).copied());
        let count = match known {
            Some(count) => count,
            None => group.snapshot.get(Space::Indexes, &key)?.as_deref().and_then(version_of).unwrap_or(0),
        };
        let count = count.saturating_add_signed(change);
        Ok((key, (count, [&count.to_be_bytes()[..], name.as_str().as_bytes()].concat())))
    }

    /// Forgets changes that are older than the log keeps.
    fn trim_log(&self, snapshot: &dyn KvSnapshot, head: &mut Head, batch: &mut Batch) -> Result<(), StoreError> {
        let keep_after = head.sequence.saturating_sub(self.log_changes_kept);
        if keep_after < head.log_trimmed_until + TRIM_EVERY {
            return Ok(());
        }
        let keys = log::keys_between(snapshot, head.log_trimmed_until, keep_after, TRIM_RECORDS_MAX)?;
        head.log_trimmed_until = match keys.last() {
            Some(last) if keys.len() == TRIM_RECORDS_MAX => log::sequence_of(last)?,
            _ => keep_after,
        };
        for key in keys {
            batch.delete(Space::Log, key);
        }
        Ok(())
    }
}

/// The index entries that a document has now.
fn index_keys_of(group: &Group<'_>, tenant: &Tenant, new: &PreparedDocument) -> Result<Vec<Bytes>, StoreError> {
    match group.pending.get(&new.key) {
        Some(Pending::Removed) => return Ok(vec![]),
        Some(Pending::Written { index_keys, .. }) => return Ok(index_keys.clone()),
        None => {}
    }
    let Some(value) = group.snapshot.get(Space::Documents, &new.key)? else { return Ok(vec![]) };
    let indexes = document::open(&new.name, &new.key, &value)?.indexes(&new.name)?;
    let key_of = |(index, value): &(String, String)| index_key(tenant, new.collection, index, value, &new.document_key);
    Ok(indexes.iter().map(key_of).collect())
}

impl Group<'_> {
    fn write_document(&mut self, new: PreparedDocument, old_index_keys: Vec<Bytes>, sequence: u64) {
        for gone in old_index_keys.into_iter().filter(|key| !new.index_keys.contains(key)) {
            self.batch.delete(Space::Indexes, gone);
        }
        for key in &new.index_keys {
            self.batch.put(Space::Indexes, key.clone(), Bytes::new());
        }
        let pending = match new.sealed {
            Some(mut sealed) => {
                document::stamp(&mut sealed, sequence);
                self.batch.put(Space::Documents, new.key.clone(), sealed);
                Pending::Written { version: sequence, index_keys: new.index_keys }
            }
            None => {
                self.batch.delete(Space::Documents, new.key.clone());
                Pending::Removed
            }
        };
        self.pending.insert(new.key, pending);
    }
}
