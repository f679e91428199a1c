//! A consistent view of the store: entities, documents, counters and history as one moment saw them.

use std::sync::Arc;

use bytes::Bytes;
use model::{Entity, EntityId, Iri, Tenant};

use crate::{
    Direction, Document, DocumentSelect, EntitySelect, History, HistoryPin, HistoryState, KvSnapshot, Space,
    StoreError, Stored,
    cache::EntityCache,
    document, entities,
    geo_cells::{BoxE7, Cell, Search},
    keys::{self, KeyBuilder, keys_prefix, scan_prefix, tag},
    kv::version_of,
    transaction::{document_name, index_prefix},
};

/// A consistent view. Cheap to make and to clone; it keeps old states alive, so do not hold it for long.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) kv: Arc<dyn KvSnapshot>,
    pub(crate) cache: Arc<EntityCache>,
    pub(crate) history: Arc<HistoryState>,
    pub(crate) sequence: u64,
    pub(crate) _pin: HistoryPin,
}

/// A stream of entity ids.
type Ids<'a> = Box<dyn Iterator<Item = Result<EntityId, StoreError>> + 'a>;

impl Snapshot {
    /// The sequence of the newest transaction in this view.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// An entity by its id.
    ///
    /// # Errors
    /// When the engine fails, or the stored bytes are damaged.
    pub fn entity(&self, tenant: &Tenant, id: &EntityId) -> Result<Option<Arc<Stored<Entity>>>, StoreError> {
        let key = keys::entity(tenant, id.as_str());
        if let Some(stored) = self.cache.get(&key, self.sequence) {
            return Ok(Some(stored));
        }
        let Some(value) = self.kv.get(Space::Documents, &key)? else { return Ok(None) };
        self.decode(key, id.as_str(), &value).map(Some)
    }

    fn decode(&self, key: Bytes, id: &str, value: &[u8]) -> Result<Arc<Stored<Entity>>, StoreError> {
        let opened = document::open(id, &key, value)?;
        let stored = Arc::new(Stored { version: opened.version, value: opened.decode::<Entity>(id)? });
        self.cache.put(key, stored.clone(), self.sequence, value.len());
        Ok(stored)
    }

    /// The entities that a selection names, ascending by id, each once; those in a box come in any order.
    /// With `after`, only those with a greater id (not for a box).
    pub fn entities<'a>(
        &'a self,
        tenant: &Tenant,
        select: &EntitySelect,
        after: Option<&EntityId>,
    ) -> Box<dyn Iterator<Item = Result<Arc<Stored<Entity>>, StoreError>> + 'a> {
        let tenant = tenant.clone();
        let ids = self.entity_ids(&tenant, select, after);
        Box::new(ids.map(move |id| {
            let id = id?;
            // An index that names an entity that is not there is damage: named, not passed over.
            let missing = || StoreError::corrupt(id.as_str(), "an index names it, but it is not stored");
            self.entity(&tenant, &id)?.ok_or_else(missing)
        }))
    }

    /// The ids that [`Snapshot::entities`] would give, from the index alone.
    pub fn entity_ids<'a>(&'a self, tenant: &Tenant, select: &EntitySelect, after: Option<&EntityId>) -> Ids<'a> {
        match select {
            EntitySelect::All => {
                let prefix = KeyBuilder::tenant(tenant, tag::ENTITY).finish();
                self.ids_under(Space::Documents, prefix, after)
            }
            EntitySelect::Type(name) => self.ids_under(Space::Indexes, entities::type_prefix(tenant, name), after),
            EntitySelect::Scope(scope) => {
                self.ids_under(Space::Indexes, entities::scope_prefix(tenant, entities::segments(scope)), after)
            }
            EntitySelect::Related { attribute, target } => {
                let prefix = entities::related_prefix(tenant, attribute.as_ref(), target);
                self.ids_under(Space::Indexes, prefix, after)
            }
            EntitySelect::InBox { entity_type: Some(name), bbox } => {
                self.ids_in_box(tenant, name, Arc::new(Search::new(*bbox)), false)
            }
            EntitySelect::InBox { entity_type: None, bbox } => {
                let search = Arc::new(Search::new(*bbox));
                let types = match self.types(tenant) {
                    Ok(types) => types,
                    Err(error) => return Box::new(std::iter::once(Err(error))),
                };
                let tenant = tenant.clone();
                let each = types.into_iter().map(|(name, _)| name);
                Box::new(each.flat_map(move |name| self.ids_in_box(&tenant, &name, search.clone(), true)))
            }
        }
    }

    fn ids_under(&self, space: Space, prefix: Vec<u8>, after: Option<&EntityId>) -> Ids<'_> {
        let after = after.map(|id| id.as_str().as_bytes());
        let found = keys_prefix(&*self.kv, space, &prefix, after, Direction::Forward);
        let start = prefix.len();
        Box::new(found.map(move |key| id_from(&key?, start)))
    }

    /// Candidates of one type in a box. With `first_only`, only those that have the type as their first.
    fn ids_in_box(&self, tenant: &Tenant, name: &Iri, search: Arc<Search>, first_only: bool) -> Ids<'_> {
        let prefix = entities::cell_prefix(tenant, name);
        let start = prefix.len();
        let of_type = prefix.clone();
        let report = move |item: Result<(Bytes, Bytes), StoreError>, search: &Search, in_range: bool| {
            let (key, value) = match item {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let cell = key.get(start..).and_then(version_of).map(Cell);
            let (Some(cell), Some(entry)) = (cell, BoxE7::from_bytes(&value)) else {
                return Some(Err(StoreError::corrupt("the index of places", "an entry has the wrong form")));
            };
            let wanted = !first_only || value.get(16) == Some(&1);
            let reported =
                if in_range { search.reports_from_range(cell, &entry) } else { search.reports(cell, &entry) };
            (wanted && reported).then(|| id_from(&key, start + 8))
        };
        let ranges = search.clone();
        let count = search.ranges.len();
        let in_ranges = (0..count).flat_map(move |i| {
            let ranges = ranges.clone();
            let found = ranges.ranges.get(i).map(|(from, to)| self.cells(&of_type, *from, *to));
            found.into_iter().flatten().filter_map(move |item| report(item, &ranges, true))
        });
        let ancestors = search.ancestors.len();
        let in_ancestors = (0..ancestors).flat_map(move |i| {
            let search = search.clone();
            let found = search.ancestors.get(i).map(|cell| {
                let cell_prefix = [&prefix[..], &cell.0.to_be_bytes()].concat();
                scan_prefix(&*self.kv, Space::Indexes, &cell_prefix, None, Direction::Forward)
            });
            found.into_iter().flatten().filter_map(move |item| report(item, &search, false))
        });
        Box::new(in_ranges.chain(in_ancestors))
    }

    /// The entries of the cells numbered `[from, to)` under the prefix of a type.
    fn cells(&self, prefix: &[u8], from: u64, to: Option<u64>) -> crate::kv::Scan<'_> {
        use std::ops::Bound;
        let low = [prefix, &from.to_be_bytes()].concat();
        let high = match to {
            Some(to) => Some([prefix, &to.to_be_bytes()].concat()),
            None => keys::prefix_end(prefix),
        };
        let high = high.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.kv.scan(Space::Indexes, (Bound::Included(&low), high), Direction::Forward)
    }

    /// How many entities have a type.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn count(&self, tenant: &Tenant, entity_type: &Iri) -> Result<u64, StoreError> {
        let record = self.kv.get(Space::Indexes, &entities::counter_key(tenant, entity_type))?;
        Ok(record.as_deref().and_then(version_of).unwrap_or(0))
    }

    /// The types in use, by name, with how many entities have each.
    ///
    /// # Errors
    /// When the engine fails, or a counter is damaged.
    pub fn types(&self, tenant: &Tenant) -> Result<Vec<(Iri, u64)>, StoreError> {
        let prefix = KeyBuilder::tenant(tenant, tag::COUNTER).finish();
        scan_prefix(&*self.kv, Space::Indexes, &prefix, None, Direction::Forward)
            .map(|item| read_counter(&item?.1))
            .collect()
    }

    /// A document by its key.
    ///
    /// # Errors
    /// When the engine fails, or the stored bytes are damaged.
    pub fn document<D: Document>(&self, tenant: &Tenant, key: &str) -> Result<Option<Stored<D>>, StoreError> {
        let name = document_name(D::COLLECTION, key);
        let bytes = keys::document(tenant, D::COLLECTION, key);
        let Some(value) = self.kv.get(Space::Documents, &bytes)? else { return Ok(None) };
        let opened = document::open(&name, &bytes, &value)?;
        Ok(Some(Stored { version: opened.version, value: opened.decode(&name)? }))
    }

    /// Documents of a collection, ascending by key, at most `limit`; with `after`, only those with a greater key.
    ///
    /// # Errors
    /// When the engine fails, or stored bytes are damaged.
    pub fn documents<D: Document>(
        &self,
        tenant: &Tenant,
        select: &DocumentSelect,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Stored<D>>, StoreError> {
        let collection = KeyBuilder::tenant(tenant, tag::DOCUMENT).part(D::COLLECTION).finish();
        let (space, prefix, starts_with) = match select {
            DocumentSelect::All => (Space::Documents, collection, ""),
            DocumentSelect::Prefix(text) => (Space::Documents, collection, text.as_str()),
            DocumentSelect::Index(index, value) => {
                (Space::Indexes, index_prefix(tenant, D::COLLECTION, index, value), "")
            }
        };
        let base = prefix.len();
        let narrowed = [&prefix[..], starts_with.as_bytes()].concat();
        // `after` is a whole key: what of it lies beyond the narrowed prefix decides where the scan starts.
        let after = match after {
            Some(key) if !key.starts_with(starts_with) && key > starts_with => return Ok(vec![]),
            Some(key) => key.strip_prefix(starts_with),
            None => None,
        };
        let found = keys_prefix(&*self.kv, space, &narrowed, after.map(str::as_bytes), Direction::Forward);
        let mut documents = vec![];
        for key in found.take(limit) {
            let key = key?;
            let text = text_from(&key, base)?;
            match self.document(tenant, &text)? {
                Some(stored) => documents.push(stored),
                None => {
                    let name = document_name(D::COLLECTION, &text);
                    return Err(StoreError::corrupt(name, "an index names it, but it is not stored"));
                }
            }
        }
        Ok(documents)
    }

    /// History as this view sees it.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        History::new(&self.history, &*self.kv)
    }
}

pub(crate) fn read_counter(record: &[u8]) -> Result<(Iri, u64), StoreError> {
    let damaged = || StoreError::corrupt("a counter of entities", "it has the wrong form");
    let count = version_of(record).ok_or_else(damaged)?;
    let name = record.get(8..).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(damaged)?;
    Ok((Iri::from(name), count))
}

fn text_from(key: &[u8], start: usize) -> Result<String, StoreError> {
    let text = key.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(str::to_owned).ok_or_else(|| StoreError::corrupt("an index entry", "its key is not text"))
}

fn id_from(key: &[u8], start: usize) -> Result<EntityId, StoreError> {
    let text = key.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| StoreError::corrupt("an index entry", "its key is not text"))?;
    EntityId::parse(text).map_err(|problem| StoreError::corrupt("an index entry", problem.detail))
}
