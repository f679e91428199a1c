//! Damage on disk is found, named, and never passed over: one kind after the other is written behind the store's back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use std::{path::Path, sync::Arc};

use model::{Attribute, Entity, EntityId, Geometry, Iri, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    AuditEntry, Document, Expect, Store, StoreError, StoreOptions, Transaction,
    kv::{Batch, Direction, Kv, Space, fjall::FjallKv},
};

#[derive(Serialize, Deserialize)]
struct Note(String);

impl Document for Note {
    const COLLECTION: &'static str = "note";

    fn key(&self) -> String {
        self.0.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("first letter", self.0.chars().take(1).collect())]
    }
}

fn fill(directory: &Path) {
    let store = Store::open(directory, &StoreOptions::default()).unwrap();
    for number in 0..3 {
        let mut tx = Transaction::new(Tenant::default());
        let id = EntityId::parse(&format!("urn:x:{number}")).unwrap();
        let mut entity = Entity::new(id, Iri::from("https://example.org/Tree"), Timestamp::from_micros(0));
        entity.set(Entity::LOCATION, Attribute::new(model::AttributeValue::Geo(Geometry::point(4.5, 51.9).unwrap())));
        entity.set("https://example.org/text", Attribute::property("x".repeat(800)));
        tx.put_entity(None, entity, vec![]);
        tx.put_document(&Note(format!("note {number}")), Expect::Absent).unwrap();
        tx.audit(AuditEntry {
            at: Timestamp::from_micros(0),
            subject: "ada".into(),
            action: "tree.plant".into(),
            resource: "urn:x:1".into(),
            outcome: "done".into(),
            reason: String::new(),
            detail: serde_json::Value::Null,
        });
        store.commit_blocking(tx).unwrap();
    }
    store.close().unwrap();
}

/// Every key of a space that contains a text, with its value.
fn find(kv: &dyn Kv, space: Space, text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let snapshot = kv.snapshot().unwrap();
    let all = snapshot.scan(space, (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded), Direction::Forward);
    let all = all.map(|item| item.unwrap()).map(|(key, value)| (key.to_vec(), value.to_vec()));
    all.filter(|(key, _)| String::from_utf8_lossy(key).contains(text)).collect()
}

/// Fills a store, lets `damage` change the engine's content, and gives the problems that the check finds.
fn check(damage: impl Fn(&dyn Kv, &mut Batch)) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let kv = FjallKv::open(&directory.path().join("db"), 1 << 20).unwrap();
    let mut batch = Batch::new();
    damage(&kv, &mut batch);
    kv.commit(&[&batch]).unwrap();
    kv.close().unwrap();
    drop(kv);
    let report = Store::check(directory.path()).unwrap();
    report.problems.iter().map(|p| format!("{}: {}", p.thing, p.detail)).collect()
}

fn flip_last(mut value: Vec<u8>) -> Vec<u8> {
    if let Some(last) = value.last_mut() {
        *last ^= 1;
    }
    value
}

#[track_caller]
fn assert_named(problems: &[String], parts: &[&str]) {
    assert!(problems.iter().any(|p| parts.iter().all(|part| p.contains(part))), "{parts:?} in {problems:#?}");
}

#[test]
fn an_undamaged_store_has_no_problems_and_says_what_was_checked() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let report = Store::check(directory.path()).unwrap();
    assert_eq!(report.problems, []);
    let counted = ["entities", "documents", "audit records", "change log records", "counters"];
    assert_eq!(counted.map(|kind| report.checked[kind]), [3, 3, 3, 3, 1]);
    // By type and by cell for each entity, by first letter for each note.
    assert!(report.checked["index entries"] >= 9, "{:?}", report.checked);
}

#[test]
fn a_flipped_bit_in_an_entity_is_found_and_named() {
    let problems = check(|kv, batch| {
        let (key, value) = find(kv, Space::Documents, "urn:x:1").remove(0);
        batch.put(Space::Documents, key, flip_last(value));
    });
    assert_named(&problems, &["urn:x:1", "checksum"]);
}

#[test]
fn a_flipped_bit_in_an_audit_record_breaks_the_chain_there() {
    let problems = check(|kv, batch| {
        let (key, value) = find(kv, Space::Log, "a").remove(1);
        let text = String::from_utf8(value).unwrap().replace("tree.plant", "tree.chop!");
        batch.put(Space::Log, key, text.into_bytes());
    });
    assert_named(&problems, &["audit record 2", "hash"]);
}

#[test]
fn a_removed_audit_record_is_missed_even_at_the_end() {
    for place in [1, 2] {
        let problems = check(|kv, batch| {
            let (key, _) = find(kv, Space::Log, "a").remove(place);
            batch.delete(Space::Log, key);
        });
        assert_named(&problems, &["audit"]);
    }
}

#[test]
fn a_missing_a_foreign_and_a_changed_index_entry_are_found() {
    let problems = check(|kv, batch| {
        let (key, _) = find(kv, Space::Indexes, "urn:x:1").remove(0);
        batch.delete(Space::Indexes, key);
    });
    assert_named(&problems, &["index entry", "urn:x:1", "missing"]);
    let problems = check(|kv, batch| {
        let (mut key, value) = find(kv, Space::Indexes, "urn:x:1").remove(0);
        key.push(b'7');
        batch.put(Space::Indexes, key, value);
    });
    assert_named(&problems, &["index entry", "urn:x:17", "no document has it"]);
    let problems = check(|kv, batch| {
        for (key, value) in find(kv, Space::Indexes, "urn:x:1").into_iter().filter(|(_, value)| value.len() == 17) {
            batch.put(Space::Indexes, key, flip_last(value));
        }
    });
    assert_named(&problems, &["index entry", "urn:x:1", "does not fit"]);
}

#[test]
fn a_wrong_counter_is_found() {
    let problems = check(|kv, batch| {
        let counters = find(kv, Space::Indexes, "Tree").into_iter().filter(|(_, value)| value.ends_with(b"Tree"));
        for (key, mut value) in counters {
            value[7] = 9;
            batch.put(Space::Indexes, key, value);
        }
    });
    assert_named(&problems, &["Tree", "it says 9", "there are 3"]);
}

#[test]
fn a_flipped_bit_in_the_change_log_and_in_the_head_is_found() {
    let problems = check(|kv, batch| {
        let (key, value) = find(kv, Space::Log, "c").remove(0);
        batch.put(Space::Log, key, flip_last(value));
    });
    assert_named(&problems, &["change log record", "checksum"]);
    let problems = check(|kv, batch| {
        let (key, value) = find(kv, Space::Meta, "head").remove(0);
        batch.put(Space::Meta, key, flip_last(value));
    });
    assert_named(&problems, &["head record", "checksum"]);
}

#[test]
fn reading_a_damaged_entity_is_an_error_that_names_it_and_the_others_stay_readable() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let kv: Arc<dyn Kv> = Arc::new(FjallKv::open(&directory.path().join("db"), 1 << 20).unwrap());
    let (key, value) = find(&*kv, Space::Documents, "urn:x:1").remove(0);
    let mut batch = Batch::new();
    batch.put(Space::Documents, key, flip_last(value));
    kv.commit(&[&batch]).unwrap();
    kv.close().unwrap();
    drop(kv);
    let store = Store::open(directory.path(), &StoreOptions::default()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let read = |id: &str| snapshot.entity(&Tenant::default(), &EntityId::parse(id).unwrap());
    assert!(matches!(read("urn:x:1"), Err(StoreError::Corrupt { thing, .. }) if thing == "urn:x:1"));
    assert!(read("urn:x:2").unwrap().is_some());
}

#[test]
fn a_reader_is_told_of_a_damaged_change_once_and_goes_on_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let kv: Arc<dyn Kv> = Arc::new(FjallKv::open(&directory.path().join("db"), 1 << 20).unwrap());
    let (key, value) = find(&*kv, Space::Log, "c").remove(1);
    let mut batch = Batch::new();
    batch.put(Space::Log, key, flip_last(value));
    kv.commit(&[&batch]).unwrap();
    kv.close().unwrap();
    drop(kv);
    let store = Store::open(directory.path(), &StoreOptions::default()).unwrap();
    let mut feed = store.changes_since(0);
    let told: Vec<Option<usize>> = (0..3).map(|_| feed.next_ready().map(|c| c.map_or(0, |c| c.len())).ok()).collect();
    assert_eq!(told, [Some(1), None, Some(1)]);
    assert!(feed.next_ready().unwrap().is_none());
}
