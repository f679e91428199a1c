//! A transaction: writes that are committed all or not at all. It is encoded where it was made, so that the one
//! writer thread only checks, numbers and writes.

use std::{
    collections::{BTreeMap, HashMap, hash_map},
    sync::Arc,
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use model::{Attributes, ChangeKind, Entity, EntityId, Iri, Observation, SeriesKey, Tenant, Timestamp};

use crate::{
    AuditEntry, Document, Expect, HistoryDeletion, HistoryState, HistoryWrites, StoreError, Stored, audit, document,
    entities::{self, IndexChanges},
    floors::{self, Floors},
    keys,
    log::{self, RawChange},
    signature::Changed,
};

/// Writes from which on a transaction is encoded beside the tasks, not among them: about a millisecond's work.
const LARGE_WRITES: usize = 64;

/// Writes of one tenant that are committed all or not at all.
#[derive(Debug, Default)]
pub struct Transaction {
    /// Whose data are written.
    pub tenant: Tenant,
    entities: HashMap<EntityId, EntityWrite, RandomState>,
    documents: BTreeMap<Bytes, DocumentWrite>,
    pub(crate) observations: Vec<Observation>,
    pub(crate) deletions: Vec<HistoryDeletion>,
    audit: Vec<AuditEntry>,
}

#[derive(Debug)]
struct EntityWrite {
    before: Option<Arc<Stored<Entity>>>,
    after: Option<Entity>,
    attributes: Vec<Iri>,
    order: usize,
}

/// The sealed value of a document, and its index values.
type SealedDocument = (Vec<u8>, Vec<(&'static str, String)>);

#[derive(Debug)]
struct DocumentWrite {
    name: String,
    expect: Expect,
    value: Option<SealedDocument>,
    collection: &'static str,
    document_key: String,
}

impl Transaction {
    /// An empty transaction.
    #[must_use]
    pub fn new(tenant: Tenant) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// Refuses numbers that may not be stored where requests read.
    pub(crate) fn check_floors(&self, floors: &Floors) -> Result<(), StoreError> {
        for write in self.entities.values() {
            if let Some(after) = &write.after {
                floors::check_attributes(floors, &after.attributes, &write.attributes)?;
            }
        }
        self.observations.iter().try_for_each(|o| floors::check_observed(floors, &o.series.attribute, &o.value))
    }

    /// Creates an entity (`before` is `None`), or replaces the state that was read as `before`. The commit is refused
    /// when somebody else wrote the entity in between. `attributes` names those that changed, for the change feed.
    ///
    /// Written twice in one transaction, an entity gets the later state, on the condition of the first.
    pub fn put_entity(&mut self, before: Option<Arc<Stored<Entity>>>, after: Entity, attributes: Vec<Iri>) {
        let order = self.entities.len();
        match self.entities.entry(after.id.clone()) {
            hash_map::Entry::Vacant(place) => {
                place.insert(EntityWrite { before, after: Some(after), attributes, order });
            }
            hash_map::Entry::Occupied(mut place) => {
                let write = place.get_mut();
                write.after = Some(after);
                write.attributes.extend(attributes);
                write.attributes.sort_unstable();
                write.attributes.dedup();
            }
        }
    }

    /// Removes the entity that was read as `before`.
    pub fn delete_entity(&mut self, before: Arc<Stored<Entity>>) {
        let order = self.entities.len();
        let attributes: Vec<Iri> = before.value.attributes.keys().cloned().collect();
        let write = self.entities.entry(before.value.id.clone()).or_insert_with(|| EntityWrite {
            before: Some(before),
            after: None,
            attributes: vec![],
            order,
        });
        write.after = None;
        write.attributes = attributes;
    }

    /// Adds an observation to history. One with the same series and moment replaces the earlier one: a correction.
    pub fn observe(&mut self, observation: Observation) {
        self.observations.push(observation);
    }

    /// Removes the observations of a series in `[from, to)` from history; this transaction's own are kept.
    pub fn delete_observations(&mut self, series: SeriesKey, from: Option<Timestamp>, to: Option<Timestamp>) {
        self.deletions.push(HistoryDeletion { series, from, to });
    }

    /// Writes a document under its key.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or its key is too long.
    pub fn put_document<D: Document>(&mut self, document: &D, expect: Expect) -> Result<(), StoreError> {
        let document_key = document.key();
        let name = document_name(D::COLLECTION, &document_key);
        let key = keys::document(&self.tenant, D::COLLECTION, &document_key);
        check_key(&name, &key)?;
        let indexes = document.indexes();
        let sealed = document::seal(&name, &key, &indexes, document)?;
        self.write_document(key, name, expect, Some((sealed, indexes)), D::COLLECTION, document_key);
        Ok(())
    }

    /// Removes a document. With [`Expect::Any`] nothing happens when it does not exist.
    pub fn delete_document<D: Document>(&mut self, key: &str, expect: Expect) {
        let name = document_name(D::COLLECTION, key);
        let bytes = keys::document(&self.tenant, D::COLLECTION, key);
        self.write_document(bytes, name, expect, None, D::COLLECTION, key.to_owned());
    }

    /// A later write to one document replaces the earlier one, on the condition of the first.
    fn write_document(
        &mut self,
        key: Bytes,
        name: String,
        expect: Expect,
        value: Option<SealedDocument>,
        collection: &'static str,
        document_key: String,
    ) {
        let expect = self.documents.get(&key).map_or(expect, |earlier| earlier.expect);
        self.documents.insert(key, DocumentWrite { name, expect, value, collection, document_key });
    }

    /// Adds an entry to the audit log.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.audit.push(entry);
    }

    /// Adds audit entries that say what this transaction changes, in the name of `signature`.
    pub(crate) fn sign(&mut self, signature: &AuditEntry) {
        let mut changed = Changed::default();
        let mut writes: Vec<_> = self.entities.iter().collect();
        writes.sort_unstable_by_key(|(_, write)| write.order);
        for (id, write) in writes {
            match (&write.before, &write.after) {
                (None, Some(_)) => changed.created.push(id.to_string()),
                (Some(_), Some(_)) => changed.updated.push(id.to_string()),
                (Some(_), None) => changed.deleted.push(id.to_string()),
                (None, None) => {}
            }
        }
        let observed = self.observations.iter().map(|o| &o.series.entity);
        let touched = observed.chain(self.deletions.iter().map(|d| &d.series.entity));
        changed.history.extend(touched.filter(|id| !self.entities.contains_key(*id)).map(EntityId::to_string));
        let documents = self.documents.values();
        changed.documents.extend(documents.map(|d| (d.collection, d.document_key.clone(), d.value.is_some())));
        self.audit.extend(changed.entries(signature));
    }

    /// Whether encoding it takes so long that other tasks of the same thread would notice.
    pub(crate) fn is_large(&self) -> bool {
        self.entities.len() + self.observations.len() > LARGE_WRITES
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
            && self.documents.is_empty()
            && self.observations.is_empty()
            && self.deletions.is_empty()
            && self.audit.is_empty()
    }
}

/// A transaction encoded for the writer.
pub(crate) struct Prepared {
    pub tenant: Tenant,
    pub entities: Vec<PreparedEntity>,
    pub index_changes: IndexChanges,
    pub counters: Vec<(Iri, i64)>,
    pub documents: Vec<PreparedDocument>,
    /// The change log's record, compressed; empty when no entity changes.
    pub log: Vec<u8>,
    /// What it adds to history.
    pub history: HistoryWrites,
    /// Audit entries as JSON.
    pub audit: Vec<String>,
    /// About how many bytes it will write.
    pub size_bytes: usize,
}

pub(crate) struct PreparedEntity {
    pub key: Bytes,
    pub expect: Expect,
    /// The sealed value; `None` removes the entity.
    pub sealed: Option<Vec<u8>>,
    pub change: RawChange,
}

pub(crate) struct PreparedDocument {
    pub name: String,
    pub key: Bytes,
    pub expect: Expect,
    pub sealed: Option<Vec<u8>>,
    /// The index entries it will have.
    pub index_keys: Vec<Bytes>,
    pub collection: &'static str,
    pub document_key: String,
}

pub(crate) fn document_name(collection: &str, key: &str) -> String {
    format!("{collection} {key}")
}

fn check_key(thing: &str, key: &[u8]) -> Result<(), StoreError> {
    if key.len() <= keys::KEY_BYTES_MAX {
        return Ok(());
    }
    let thing: String = thing.chars().take(80).collect();
    Err(StoreError::Unstorable { thing, detail: format!("its key of {} bytes is too long", key.len()) })
}

impl Prepared {
    /// Encodes a transaction.
    pub fn new(tx: Transaction, history: &HistoryState) -> Result<Self, StoreError> {
        let Transaction { tenant, entities, documents, observations, deletions, audit } = tx;
        let mut prepared = Self {
            log: vec![],
            entities: Vec::with_capacity(entities.len()),
            index_changes: vec![],
            counters: vec![],
            documents: vec![],
            audit: audit.iter().map(audit::encode_entry).collect::<Result<_, _>>()?,
            size_bytes: 0,
            history: history.encode(&tenant, &observations, &deletions)?,
            tenant,
        };
        let mut writes: Vec<(EntityId, EntityWrite)> = entities.into_iter().collect();
        writes.sort_unstable_by_key(|(_, write)| write.order);
        let mut counters: BTreeMap<Iri, i64> = BTreeMap::new();
        for (id, write) in writes {
            prepared.add_entity(id, write, &mut counters)?;
        }
        prepared.counters = counters.into_iter().filter(|(_, change)| *change != 0).collect();
        prepared.log = log::encode(&prepared.tenant, &prepared.entities)?;
        for (key, write) in documents {
            prepared.add_document(key, write)?;
        }
        prepared.size_bytes = prepared.size();
        Ok(prepared)
    }

    fn add_entity(
        &mut self,
        id: EntityId,
        write: EntityWrite,
        counters: &mut BTreeMap<Iri, i64>,
    ) -> Result<(), StoreError> {
        let key = keys::entity(&self.tenant, id.as_str());
        let EntityWrite { before, after, attributes, .. } = write;
        if before.is_none() && after.is_none() {
            return Ok(());
        }
        let old = before.as_ref().map(|stored| &stored.value);
        let indexes = entities::changes(&self.tenant, old, after.as_ref());
        for (index_key, _) in &indexes {
            check_key(id.as_str(), index_key)?;
        }
        self.index_changes.extend(indexes);
        for (entity_type, change) in entities::counted(old, after.as_ref()) {
            *counters.entry(entity_type).or_default() += change;
        }
        let expect = before.as_ref().map_or(Expect::Absent, |stored| Expect::Version(stored.version));
        let sealed = after.as_ref().map(|entity| document::seal(id.as_str(), &key, &[], entity)).transpose()?;
        let kind = match (&before, &after) {
            (None, _) => ChangeKind::Created,
            (Some(_), Some(_)) => ChangeKind::Updated,
            (Some(_), None) => ChangeKind::Deleted,
        };
        let change = RawChange { id, kind, attributes, before, after };
        self.entities.push(PreparedEntity { key, expect, sealed, change });
        Ok(())
    }

    fn add_document(&mut self, key: Bytes, write: DocumentWrite) -> Result<(), StoreError> {
        let DocumentWrite { name, expect, value, collection, document_key } = write;
        let (sealed, indexes) = value.map_or((None, vec![]), |(sealed, indexes)| (Some(sealed), indexes));
        let index_keys = indexes
            .iter()
            .map(|(index, value)| index_key(&self.tenant, collection, index, value, &document_key))
            .collect::<Vec<_>>();
        for index_key in &index_keys {
            check_key(&name, index_key)?;
        }
        self.documents.push(PreparedDocument { name, key, expect, sealed, index_keys, collection, document_key });
        Ok(())
    }

    fn size(&self) -> usize {
        let entities = self.entities.iter().map(|e| e.key.len() + e.sealed.as_ref().map_or(0, Vec::len));
        let documents = self.documents.iter().map(|d| d.key.len() + d.sealed.as_ref().map_or(0, Vec::len));
        let indexes = self.index_changes.iter().map(|(key, _)| key.len() + 16);
        entities.chain(documents).chain(indexes).sum::<usize>() + self.log.len() + self.history.size_bytes()
    }
}

/// The prefix of the entries of documents with a value in an index.
pub(crate) fn index_prefix(tenant: &Tenant, collection: &str, index: &str, value: &str) -> Vec<u8> {
    keys::KeyBuilder::tenant(tenant, keys::tag::BY_DOCUMENT_INDEX).part(collection).part(index).part(value).finish()
}

pub(crate) fn index_key(tenant: &Tenant, collection: &str, index: &str, value: &str, key: &str) -> Bytes {
    let mut bytes = index_prefix(tenant, collection, index, value);
    bytes.extend_from_slice(key.as_bytes());
    bytes.into()
}

/// The attributes whose instances differ between two states.
pub(crate) fn differing<'a>(old: &'a Attributes, new: &'a Attributes) -> impl Iterator<Item = &'a Iri> {
    let changed = old.iter().filter(|(name, instances)| new.get(*name) != Some(instances)).map(|(name, _)| name);
    changed.chain(new.keys().filter(|name| !old.contains_key(*name)))
}
