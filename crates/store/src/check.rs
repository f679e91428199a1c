//! Verifies a store: every document, every index entry in both directions, counters, audit chain and change log.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::{Entity, Iri, Problem, Tenant};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{
    Direction, HistoryState, KvSnapshot, Space, StoreError, audit, document, entities,
    head::Head,
    keys::{scan_prefix, split_part, tag},
    log, snapshot,
    transaction::{document_name, index_key},
};

/// What to do about damage.
const REMEDY: &str = "restore it from a backup, or delete it and let its source deliver it again";

/// What was verified and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many of each kind of record were verified.
    pub checked: BTreeMap<String, u64>,
    /// What is wrong; empty when everything is well.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// Adds to the number of verified records of a kind.
    pub fn count(&mut self, kind: &str, number: u64) {
        *self.checked.entry(kind.to_owned()).or_default() += number;
    }

    /// Adds a problem.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds damage that was found while reading.
    pub fn damage(&mut self, error: StoreError) {
        let (thing, detail) = match error {
            StoreError::Corrupt { thing, detail } => (thing, detail),
            other => ("the store".to_owned(), other.to_string()),
        };
        self.problem(Problem::new(thing, detail, REMEDY));
    }
}

/// What the documents say the indexes must hold.
#[derive(Default)]
struct Expected {
    /// The index entries: only their sum at first, since there are many.
    entries: Entries,
    counters: BTreeMap<Bytes, (Iri, u64)>,
}

/// Index entries, as a sum that does not depend on their order, or one by one.
enum Entries {
    Sum(u64),
    Each(BTreeMap<Bytes, Bytes>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Sum(0)
    }
}

impl Entries {
    fn add(&mut self, key: Bytes, value: Bytes) {
        match self {
            Self::Sum(sum) => *sum = sum.wrapping_add(entry_hash(&key, &value)),
            Self::Each(entries) => drop(entries.insert(key, value)),
        }
    }
}

fn entry_hash(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64(key))
}

/// Verifies everything that a snapshot sees.
pub(crate) fn check(kv: &dyn KvSnapshot, history: &HistoryState) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport::default();
    let head = match Head::read(kv) {
        Ok(head) => head,
        Err(error) => {
            report.damage(error);
            Head::START
        }
    };
    let sums = check_documents(kv, &head, Expected::default(), &mut report);
    let found = sum_of_indexes(kv, &mut report);
    if !matches!(sums.entries, Entries::Sum(sum) if sum == found) || !counters_fit(kv, &sums.counters) {
        // Something differs: now look which, with every entry in memory and the documents' own damage already told.
        let each = Expected { entries: Entries::Each(BTreeMap::new()), ..Expected::default() };
        let expected = check_documents(kv, &head, each, &mut CheckReport::default());
        compare_indexes(kv, expected, &mut report);
    }
    let (links, broken) = audit::verify(kv, head.audit_sequence, &head.audit_hash)?;
    report.count("audit records", links);
    for error in broken {
        report.damage(error);
    }
    check_log(kv, &head, &mut report);
    history.check(kv, &mut report)?;
    Ok(report)
}

fn check_documents(kv: &dyn KvSnapshot, head: &Head, mut expected: Expected, report: &mut CheckReport) -> Expected {
    for item in scan_prefix(kv, Space::Documents, &[], None, Direction::Forward) {
        let verified = item.and_then(|(key, value)| {
            let (tenant, rest) = tenant_of(&key)?;
            match rest.split_first() {
                Some((&tag::ENTITY, id)) => check_entity(&tenant, &key, id, &value, head, &mut expected, report),
                Some((&tag::DOCUMENT, rest)) => check_document(&tenant, &key, rest, &value, &mut expected, report),
                _ => Err(StoreError::corrupt(printable(&key), "its key names no kind of document")),
            }
        });
        if let Err(error) = verified {
            report.damage(error);
        }
    }
    expected
}

fn tenant_of(key: &[u8]) -> Result<(Tenant, &[u8]), StoreError> {
    let damaged = || StoreError::corrupt(printable(key), "its key names no tenant");
    let (tenant, rest) = split_part(key).ok_or_else(damaged)?;
    let tenant = String::from_utf8(tenant).ok().and_then(|name| Tenant::parse(&name).ok()).ok_or_else(damaged)?;
    Ok((tenant, rest))
}

fn check_entity(
    tenant: &Tenant,
    key: &[u8],
    id: &[u8],
    value: &[u8],
    head: &Head,
    expected: &mut Expected,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let name = String::from_utf8_lossy(id).into_owned();
    report.count("entities", 1);
    let opened = document::open(&name, key, value)?;
    let entity: Entity = opened.decode(&name)?;
    if entity.id.as_str().as_bytes() != id {
        return Err(StoreError::corrupt(&name, format!("its document names another id, {}", entity.id)));
    }
    if opened.version > head.sequence {
        return Err(StoreError::corrupt(&name, format!("its version {} is after the head", opened.version)));
    }
    for (key, value) in entities::entries(tenant, &entity) {
        expected.entries.add(key, value);
    }
    for entity_type in entity.types.iter().collect::<BTreeSet<_>>() {
        let counter = expected.counters.entry(entities::counter_key(tenant, entity_type));
        counter.or_insert_with(|| (entity_type.clone(), 0)).1 += 1;
    }
    Ok(())
}

fn check_document(
    tenant: &Tenant,
    key: &[u8],
    rest: &[u8],
    value: &[u8],
    expected: &mut Expected,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    report.count("documents", 1);
    let damaged = || StoreError::corrupt(printable(key), "its key names no collection");
    let (collection, document_key) = split_part(rest).ok_or_else(damaged)?;
    let collection = String::from_utf8(collection).map_err(|_| damaged())?;
    let document_key = std::str::from_utf8(document_key).map_err(|_| damaged())?;
    let name = document_name(&collection, document_key);
    let opened = document::open(&name, key, value)?;
    let _: serde_json::Value = opened.decode(&name)?;
    for (index, value) in opened.indexes(&name)? {
        expected.entries.add(index_key(tenant, &collection, &index, &value, document_key), Bytes::new());
    }
    Ok(())
}

fn is_counter(key: &[u8]) -> bool {
    tenant_of(key).is_ok_and(|(_, rest)| rest.first() == Some(&tag::COUNTER))
}

/// The sum of all index entries that are there; counters are compared one by one.
fn sum_of_indexes(kv: &dyn KvSnapshot, report: &mut CheckReport) -> u64 {
    let (mut sum, mut entries, mut counters) = (0_u64, 0, 0);
    for item in scan_prefix(kv, Space::Indexes, &[], None, Direction::Forward) {
        match item {
            Ok((key, _)) if is_counter(&key) => counters += 1,
            Ok((key, value)) => {
                entries += 1;
                sum = sum.wrapping_add(entry_hash(&key, &value));
            }
            Err(error) => report.damage(error),
        }
    }
    report.count("index entries", entries);
    report.count("counters", counters);
    sum
}

fn counters_fit(kv: &dyn KvSnapshot, expected: &BTreeMap<Bytes, (Iri, u64)>) -> bool {
    let mut found = 0;
    // An entry that cannot be read was reported when the sum was made.
    for (key, value) in scan_prefix(kv, Space::Indexes, &[], None, Direction::Forward).flatten() {
        if is_counter(&key) {
            found += 1;
            if !matches!((expected.get(&key), snapshot::read_counter(&value)), (Some(e), Ok(f)) if *e == f) {
                return false;
            }
        }
    }
    found == expected.len()
}

/// Takes every expected entry that is there out of the list: what remains is missing, what was not in it is too much.
fn compare_indexes(kv: &dyn KvSnapshot, expected: Expected, report: &mut CheckReport) {
    let Expected { entries: Entries::Each(mut entries), mut counters } = expected else { return };
    for (key, value) in scan_prefix(kv, Space::Indexes, &[], None, Direction::Forward).flatten() {
        let wrong = if is_counter(&key) {
            match (counters.remove(&key), snapshot::read_counter(&value)) {
                (Some((name, counted)), Ok((stored_name, stored))) if stored_name == name => {
                    (stored != counted).then(|| format!("it says {stored} for {name}, but there are {counted}"))
                }
                (_, Err(error)) => Some(error.to_string()),
                _ => Some("it counts a type that no entity has".to_owned()),
            }
        } else {
            match entries.remove(&key) {
                Some(wanted) => (wanted != value).then(|| "its value does not fit the document".to_owned()),
                None => Some("no document has it".to_owned()),
            }
        };
        if let Some(detail) = wrong {
            report.damage(StoreError::corrupt(format!("index entry {}", printable(&key)), detail));
        }
    }
    for key in entries.into_keys().chain(counters.into_keys()) {
        report.damage(StoreError::corrupt(format!("index entry {}", printable(&key)), "it is missing"));
    }
}

fn check_log(kv: &dyn KvSnapshot, head: &Head, report: &mut CheckReport) {
    let mut last = 0;
    for item in log::read(kv, 0) {
        report.count("change log records", 1);
        match item {
            Ok((sequence, changes)) => {
                last = sequence;
                changes.err().into_iter().for_each(|error| report.damage(error));
            }
            Err(error) => report.damage(error),
        }
    }
    if last > head.sequence {
        let detail = format!("it ends at {last}, after the head at {}", head.sequence);
        report.damage(StoreError::corrupt("the change log", detail));
    }
}

/// A key for messages: its text, with the separators as spaces.
fn printable(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    text.chars().map(|c| if c.is_control() || c == char::REPLACEMENT_CHARACTER { ' ' } else { c }).take(200).collect()
}
