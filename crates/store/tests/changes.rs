//! The change feed and the audit log, as their readers see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use std::{path::Path, time::Duration};

use model::{Attribute, Change, ChangeKind, Entity, EntityId, Iri, Tenant, Timestamp};
use store::{AuditEntry, ChangeFeed, Store, StoreError, StoreOptions, Transaction};

const SPEED: &str = "https://example.org/speed";

fn id(number: u64) -> EntityId {
    EntityId::parse(&format!("urn:x:{number}")).unwrap()
}

/// Gives entity `number` the speed `speed`; creates it when needed. One transaction.
fn write(store: &Store, number: u64, speed: u64) {
    let mut tx = Transaction::new(Tenant::default());
    let before = store.snapshot().unwrap().entity(&Tenant::default(), &id(number)).unwrap();
    let mut after = before
        .as_ref()
        .map_or_else(|| Entity::new(id(number), "t".into(), Timestamp::from_micros(0)), |s| s.value.clone());
    after.set(SPEED, Attribute::property(speed));
    after.modified_at = Timestamp::from_micros(i64::try_from(speed).unwrap());
    tx.put_entity(before, after, vec![Iri::from(SPEED)]);
    store.commit_blocking(tx).unwrap();
}

fn delete(store: &Store, number: u64) {
    let mut tx = Transaction::new(Tenant::default());
    tx.delete_entity(store.snapshot().unwrap().entity(&Tenant::default(), &id(number)).unwrap().unwrap());
    store.commit_blocking(tx).unwrap();
}

fn speed(entity: Option<&Entity>) -> Option<f64> {
    entity.and_then(|e| e.attribute(SPEED)).and_then(Attribute::number)
}

/// What a change says, in short: sequence, kind, speed before and after.
fn short(change: &Change) -> (u64, ChangeKind, Option<f64>, Option<f64>) {
    (change.sequence, change.kind, speed(change.before()), speed(change.after()))
}

fn ready(feed: &mut ChangeFeed) -> Vec<(u64, ChangeKind, Option<f64>, Option<f64>)> {
    let mut all = vec![];
    while let Some(changes) = feed.next_ready().unwrap() {
        all.extend(changes.iter().map(short));
    }
    all
}

fn open(directory: &Path, log_changes_kept: u64) -> Store {
    Store::open(directory, &StoreOptions { log_changes_kept, ..StoreOptions::default() }).unwrap()
}

#[test]
fn a_reader_gets_each_change_with_the_states_before_and_after() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let mut feed = store.changes();
    write(&store, 1, 10);
    write(&store, 1, 20);
    delete(&store, 1);
    let expected = [
        (1, ChangeKind::Created, None, Some(10.0)),
        (2, ChangeKind::Updated, Some(10.0), Some(20.0)),
        (3, ChangeKind::Deleted, Some(20.0), None),
    ];
    assert_eq!(ready(&mut feed), expected);
    assert_eq!(ready(&mut store.changes_since(1)), expected[1..]);
}

#[test]
fn a_reader_that_comes_back_after_a_restart_gets_from_the_log_exactly_what_it_would_have_got_live() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1_000);
    let mut live = store.changes();
    for number in 0..40 {
        write(&store, number % 7, number);
    }
    delete(&store, 3);
    let seen: Vec<Change> = std::iter::from_fn(|| live.next_ready().unwrap()).flat_map(|c| c.to_vec()).collect();
    store.close().unwrap();
    let store = open(directory.path(), 1_000);
    let mut later = store.changes_since(0);
    let again: Vec<Change> = std::iter::from_fn(|| later.next_ready().unwrap()).flat_map(|c| c.to_vec()).collect();
    assert_eq!(seen.len(), 41);
    for (live, logged) in seen.iter().zip(&again) {
        assert_eq!((&live.id, &live.attributes, &live.tenant), (&logged.id, &logged.attributes, &logged.tenant));
        assert_eq!((live.sequence, live.kind), (logged.sequence, logged.kind));
        assert_eq!((&live.before, &live.after), (&logged.before, &logged.after), "both states, exactly");
    }
    assert_eq!(seen.len(), again.len());
}

#[test]
fn a_reader_that_lags_beyond_what_memory_keeps_still_gets_everything_in_order() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let mut slow = store.changes();
    for number in 0..3_000 {
        write(&store, number % 5, number);
    }
    let mut sequences = vec![];
    while let Some(changes) = slow.next_ready().unwrap() {
        sequences.extend(changes.iter().map(|c| c.sequence));
        if sequences.len() == 1_500 {
            write(&store, 9, 9);
        }
    }
    assert_eq!(sequences, (1..=3_001).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_comes_back_too_late_is_told_so_and_continues_with_what_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 500);
    for number in 0..2_500 {
        write(&store, number % 5, number);
    }
    store.close().unwrap();
    let store = open(directory.path(), 500);
    let mut feed = store.changes_since(3);
    let oldest = match feed.next_ready() {
        Err(StoreError::ChangesTrimmed { after: 3, oldest }) => oldest,
        other => panic!("{other:?}"),
    };
    assert!((1_000..=2_000).contains(&oldest), "{oldest}");
    let rest = ready(&mut feed);
    assert_eq!(rest.first().map(|c| c.0), Some(oldest + 1));
    assert_eq!(rest.last().map(|c| c.0), Some(2_500));
    assert_eq!(store.check_open().unwrap().problems, []);
}

#[tokio::test]
async fn a_waiting_reader_wakes_for_a_commit_and_for_the_end() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let mut feed = store.changes();
    let reader = tokio::spawn(async move {
        let first = feed.next().await.map(|changes| changes.len());
        (first, feed.next().await.map(|changes| changes.len()))
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut tx = Transaction::new(Tenant::default());
    for number in 0..3 {
        tx.put_entity(None, Entity::new(id(number), "t".into(), Timestamp::from_micros(0)), vec![]);
    }
    assert_eq!(store.commit(tx).await.unwrap().sequence, 3, "each change has a sequence of its own");
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.close().unwrap();
    let (first, second) = tokio::time::timeout(Duration::from_secs(5), reader).await.unwrap().unwrap();
    assert_eq!(first.unwrap(), 3);
    assert!(matches!(second, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_closed_store_refuses_writes_and_loses_none_that_it_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1_000);
    let commits: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut tx = Transaction::new(Tenant::default());
                tx.put_entity(None, Entity::new(id(number), "t".into(), Timestamp::from_micros(0)), vec![]);
                store.commit(tx).await.is_ok()
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(3)).await;
    store.close().unwrap();
    let mut accepted = 0;
    for commit in commits {
        accepted += u64::from(commit.await.unwrap());
    }
    let store = open(directory.path(), 1_000);
    assert_eq!(store.snapshot().unwrap().count(&Tenant::default(), &"t".into()).unwrap(), accepted);
}

#[test]
fn audit_entries_form_a_chain_that_is_read_in_order_and_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1_000);
    for number in 0..5 {
        let mut tx = Transaction::new(Tenant::default());
        for part in 0..2 {
            tx.audit(AuditEntry {
                at: Timestamp::from_micros(number),
                subject: "ada".into(),
                action: "note.write".into(),
                resource: format!("note:{number}.{part}"),
                outcome: "done".into(),
                reason: "test".into(),
                detail: serde_json::json!({ "number": number }),
            });
        }
        store.commit_blocking(tx).unwrap();
    }
    store.close().unwrap();
    let store = open(directory.path(), 1_000);
    let records = store.audit(0, 100).unwrap();
    assert_eq!(records.iter().map(|r| r.sequence).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert!(records.windows(2).all(|pair| pair[0].hash == pair[1].previous_hash));
    assert_eq!(records[9].entry.resource, "note:4.1");
    assert_eq!(store.audit(7, 2).unwrap().iter().map(|r| r.sequence).collect::<Vec<_>>(), [8, 9]);
}
