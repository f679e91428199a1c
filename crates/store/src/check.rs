//! Verifies a store: every document, every index entry in both directions, counters, audit chain and change log.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::{Entity, Iri, Problem, Tenant};

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
    /// Index entries of one document each, keyed by what they are; taken out as they are found.
    entries: BTreeMap<Bytes, Bytes>,
    counters: BTreeMap<Bytes, (Iri, u64)>,
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
    let expected = check_documents(kv, &head, &mut report);
    check_indexes(kv, expected, &mut report);
    let (links, broken) = audit::verify(kv, head.audit_sequence, &head.audit_hash)?;
    report.count("audit records", links);
    for error in broken {
        report.damage(error);
    }
    check_log(kv, &head, &mut report);
    history.check(kv, &mut report)?;
    Ok(report)
}

fn check_documents(kv: &dyn KvSnapshot, head: &Head, report: &mut CheckReport) -> Expected {
    let mut expected = Expected::default();
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
    expected.entries.extend(entities::entries(tenant, &entity));
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
        expected.entries.insert(index_key(tenant, &collection, &index, &value, document_key), Bytes::new());
    }
    Ok(())
}

/// Takes every expected entry that is there out of the list: what remains is missing, what was not in it is too much.
fn check_indexes(kv: &dyn KvSnapshot, mut expected: Expected, report: &mut CheckReport) {
    for item in scan_prefix(kv, Space::Indexes, &[], None, Direction::Forward) {
        let (key, value) = match item {
            Ok(entry) => entry,
            Err(error) => {
                report.damage(error);
                continue;
            }
        };
        let is_counter = tenant_of(&key).is_ok_and(|(_, rest)| rest.first() == Some(&tag::COUNTER));
        report.count(if is_counter { "counters" } else { "index entries" }, 1);
        let wrong = if is_counter {
            match (expected.counters.remove(&key), snapshot::read_counter(&value)) {
                (Some((name, counted)), Ok((stored_name, stored))) if stored_name == name => {
                    (stored != counted).then(|| format!("it says {stored} for {name}, but there are {counted}"))
                }
                (_, Err(error)) => Some(error.to_string()),
                _ => Some("it counts a type that no entity has".to_owned()),
            }
        } else {
            match expected.entries.remove(&key) {
                Some(wanted) => (wanted != value).then(|| "its value does not fit the document".to_owned()),
                None => Some("no document has it".to_owned()),
            }
        };
        if let Some(detail) = wrong {
            report.damage(StoreError::corrupt(format!("index entry {}", printable(&key)), detail));
        }
    }
    let missing = expected.entries.into_keys().chain(expected.counters.into_keys());
    for key in missing {
        report.damage(StoreError::corrupt(format!("index entry {}", printable(&key)), "it is missing"));
    }
}

fn check_log(kv: &dyn KvSnapshot, head: &Head, report: &mut CheckReport) {
    let mut last = 0;
    for item in log::read(kv, 0) {
        report.count("change log records", 1);
        match item {
            Ok((sequence, _)) => last = sequence,
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
