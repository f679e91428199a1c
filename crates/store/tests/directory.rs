//! The data directory: two servers, a full disk, a path that cannot be used, and starting again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use model::{Entity, EntityId, Tenant, Timestamp};
use store::{CommitError, Store, StoreError, StoreOptions, Transaction};

fn tree(number: u32) -> Transaction {
    let mut tx = Transaction::new(Tenant::default());
    let id = EntityId::parse(&format!("urn:x:{number}")).unwrap();
    tx.put_entity(None, Entity::new(id, "Tree".into(), Timestamp::from_micros(0)), vec![]);
    tx
}

#[test]
fn a_second_store_on_one_directory_is_refused_with_its_name_and_the_holder() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(directory.path(), &StoreOptions::default()).unwrap();
    for second in [Store::open(directory.path(), &StoreOptions::default()).err(), Store::check(directory.path()).err()]
    {
        let message = second.unwrap().to_string();
        assert!(message.contains(&directory.path().display().to_string()), "{message}");
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert!(message.contains("--data"), "{message}");
    }
    first.close().unwrap();
    Store::open(directory.path(), &StoreOptions::default()).unwrap();
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_leaves_nothing_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), &StoreOptions::default()).unwrap();
    store.commit_blocking(tree(1)).unwrap();
    store.close().unwrap();
    let full = StoreOptions { disk_reserve_bytes: u64::MAX, ..StoreOptions::default() };
    let store = Store::open(directory.path(), &full).unwrap();
    let refused = store.commit_blocking(tree(2));
    assert!(matches!(&refused, Err(CommitError::Store(StoreError::DiskFull { .. }))), "{refused:?}");
    assert_eq!(store.snapshot().unwrap().count(&Tenant::default(), &"Tree".into()).unwrap(), 1);
    store.close().unwrap();
    let store = Store::open(directory.path(), &StoreOptions::default()).unwrap();
    store.commit_blocking(tree(2)).unwrap();
    assert_eq!(store.check_open().unwrap().problems, []);
}

#[test]
fn a_path_that_is_a_file_or_has_no_database_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let message = Store::open(&file, &StoreOptions::default()).err().unwrap().to_string();
    assert!(message.contains(&file.display().to_string()), "{message}");
    let message = Store::check(directory.path()).err().unwrap().to_string();
    assert!(message.contains("no Polder database") && message.contains("--data"), "{message}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_the_remedy() {
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let read_only = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
    for error in [denied, read_only] {
        let message = StoreError::io(std::path::Path::new("/data/polder"), &error).to_string();
        assert!(message.contains("/data/polder cannot be written") && message.contains("write access"), "{message}");
    }
}

#[test]
fn more_writers_than_the_queue_has_places_all_get_their_turn() {
    let store = Store::in_memory(&StoreOptions { queue_places: 2, ..StoreOptions::default() }).unwrap();
    let writers: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            std::thread::spawn(move || store.commit_blocking(tree(number)).unwrap())
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(store.snapshot().unwrap().count(&Tenant::default(), &"Tree".into()).unwrap(), 16);
    assert_eq!(store.statistics().queue_used, 0);
}
