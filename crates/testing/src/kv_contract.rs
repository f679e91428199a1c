//! The contract of the ordered key-value port: what every backend of `store::kv` must do, checked the same way for all.

#![expect(clippy::expect_used, reason = "a suite fails by panicking, as every test does")]

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use store::kv::{Batch, Direction, Expect, Kv, KvSnapshot, Space};

/// Runs the whole suite; `make` gives a fresh, empty engine each time.
///
/// # Panics
/// When the backend breaks the contract; the message says how.
pub fn kv_contract(make: impl Fn() -> Arc<dyn Kv>) {
    nothing_is_in_an_empty_engine(&*make());
    writes_are_visible_after_commit_and_spaces_are_apart(&*make());
    a_snapshot_never_changes(&*make());
    a_scan_keeps_to_its_bounds_in_both_directions(&*make());
    odd_keys_and_values_are_kept_exactly(&*make());
    a_failed_precondition_refuses_its_batch_and_no_other(&*make());
    preconditions_see_the_batches_before_them(&*make());
    the_last_write_to_a_key_wins(&*make());
    readers_never_see_half_a_batch(&make());
    random_writes_agree_with_a_sorted_map(&*make());
    nothing_is_accepted_after_close(&*make());
}

/// Runs what only a durable backend must do; `open` opens the same engine each time.
///
/// # Panics
/// When something committed is not there after reopening.
pub fn durable_kv_contract(open: impl Fn() -> Arc<dyn Kv>) {
    let kv = open();
    for number in 0..500_u32 {
        put(&*kv, Space::Documents, &number.to_be_bytes(), &vec![7; 2_000]);
    }
    let mut batch = Batch::new();
    batch.delete(Space::Documents, 3_u32.to_be_bytes().to_vec());
    commit(&*kv, &batch);
    kv.close().expect("it closes");
    drop(kv);
    let kv = open();
    let snapshot = kv.snapshot().expect("a snapshot");
    assert_eq!(scan(&*snapshot, Space::Documents, Direction::Forward).len(), 499, "all but the removed one are there");
    assert_eq!(get(&*snapshot, Space::Documents, &3_u32.to_be_bytes()), None);
    assert_eq!(get(&*snapshot, Space::Documents, &4_u32.to_be_bytes()), Some(vec![7; 2_000]));
    put(&*kv, Space::Documents, b"more", b"it still takes writes");
}

fn commit(kv: &dyn Kv, batch: &Batch) {
    let answers = kv.commit(&[batch]).expect("the engine works");
    assert!(matches!(answers.as_slice(), [Ok(())]), "the batch is applied: {answers:?}");
}

fn put(kv: &dyn Kv, space: Space, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put(space, key.to_vec(), value.to_vec());
    commit(kv, &batch);
}

fn get(snapshot: &dyn KvSnapshot, space: Space, key: &[u8]) -> Option<Vec<u8>> {
    snapshot.get(space, key).expect("a read").map(|value| value.to_vec())
}

fn scan(snapshot: &dyn KvSnapshot, space: Space, direction: Direction) -> Vec<(Vec<u8>, Vec<u8>)> {
    let found = snapshot.scan(space, (Bound::Unbounded, Bound::Unbounded), direction);
    found.map(|item| item.expect("an entry")).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn versioned(version: u64) -> Vec<u8> {
    [&version.to_be_bytes()[..], b"content"].concat()
}

fn nothing_is_in_an_empty_engine(kv: &dyn Kv) {
    let snapshot = kv.snapshot().expect("a snapshot");
    for space in Space::ALL {
        assert_eq!(get(&*snapshot, space, b"key"), None);
        assert!(scan(&*snapshot, space, Direction::Forward).is_empty());
    }
    assert!(kv.commit(&[]).expect("no batch is no error").is_empty());
}

fn writes_are_visible_after_commit_and_spaces_are_apart(kv: &dyn Kv) {
    let mut batch = Batch::new();
    for space in Space::ALL {
        batch.put(space, "key", space.name());
    }
    commit(kv, &batch);
    let snapshot = kv.snapshot().expect("a snapshot");
    for space in Space::ALL {
        assert_eq!(get(&*snapshot, space, b"key"), Some(space.name().into()), "each space has its own value");
    }
    let mut batch = Batch::new();
    batch.delete(Space::Log, "key");
    batch.delete(Space::Meta, "never there");
    commit(kv, &batch);
    let snapshot = kv.snapshot().expect("a snapshot");
    assert_eq!(get(&*snapshot, Space::Log, b"key"), None, "a removed key is gone");
    assert!(get(&*snapshot, Space::Meta, b"key").is_some(), "and only that one");
}

fn a_snapshot_never_changes(kv: &dyn Kv) {
    put(kv, Space::Documents, b"a", b"1");
    put(kv, Space::Documents, b"b", b"1");
    let old = kv.snapshot().expect("a snapshot");
    put(kv, Space::Documents, b"a", b"2");
    put(kv, Space::Documents, b"c", b"2");
    let mut batch = Batch::new();
    batch.delete(Space::Documents, "b");
    commit(kv, &batch);
    let new = kv.snapshot().expect("a snapshot");
    assert_eq!(get(&*old, Space::Documents, b"a"), Some(b"1".to_vec()));
    assert_eq!(scan(&*old, Space::Documents, Direction::Forward).len(), 2, "what was removed later is still in it");
    assert_eq!(get(&*new, Space::Documents, b"b"), None);
    assert_eq!(scan(&*new, Space::Documents, Direction::Backward)[0].0, b"c");
}

fn a_scan_keeps_to_its_bounds_in_both_directions(kv: &dyn Kv) {
    use Bound::{Excluded, Included, Unbounded};
    let mut batch = Batch::new();
    for number in 0..300_u16 {
        batch.put(Space::Indexes, number.to_be_bytes().to_vec(), "");
    }
    commit(kv, &batch);
    let snapshot = kv.snapshot().expect("a snapshot");
    let key = |number: u16| number.to_be_bytes();
    let numbers = |low: Bound<u16>, high: Bound<u16>, direction: Direction| {
        let (low, high) = (low.map(key), high.map(key));
        let range = (low.as_ref().map(AsRef::as_ref), high.as_ref().map(AsRef::as_ref));
        let keys: Vec<_> = snapshot.keys(Space::Indexes, range, direction).map(|k| k.expect("a key")).collect();
        let scanned: Vec<_> =
            snapshot.scan(Space::Indexes, range, direction).map(|item| item.expect("an entry").0).collect();
        assert_eq!(keys, scanned, "keys alone are the keys of the scan");
        keys.iter().map(|k| u16::from_be_bytes([k[0], k[1]])).collect::<Vec<_>>()
    };
    let forward = |low, high| numbers(low, high, Direction::Forward);
    assert_eq!(forward(Included(5), Excluded(8)), [5, 6, 7]);
    assert_eq!(forward(Excluded(5), Included(8)), [6, 7, 8]);
    assert_eq!(forward(Included(298), Unbounded), [298, 299]);
    assert_eq!(forward(Unbounded, Excluded(2)), [0, 1]);
    assert_eq!(forward(Unbounded, Unbounded), (0..300).collect::<Vec<_>>());
    assert_eq!(numbers(Included(5), Included(7), Direction::Backward), [7, 6, 5]);
    assert_eq!(numbers(Unbounded, Unbounded, Direction::Backward), (0..300).rev().collect::<Vec<_>>());
    for (low, high) in [(Included(8), Excluded(8)), (Included(9), Included(8)), (Excluded(8), Excluded(8))] {
        assert!(forward(low, high).is_empty(), "{low:?} to {high:?} holds nothing");
    }
}

fn odd_keys_and_values_are_kept_exactly(kv: &dyn Kv) {
    let keys: [&[u8]; 7] = [&[0], &[0, 0], &[0, 1], &[0xFF], &[0xFF, 0xFF, 0], "é/ü".as_bytes(), &[b'k'; 60_000]];
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for key in keys {
        put(kv, Space::Documents, key, &[]);
        put(kv, Space::History, key, &large);
    }
    let snapshot = kv.snapshot().expect("a snapshot");
    for key in keys {
        assert_eq!(get(&*snapshot, Space::Documents, key), Some(vec![]), "an empty value is a value");
        assert_eq!(get(&*snapshot, Space::History, key).as_ref(), Some(&large));
    }
    let found = scan(&*snapshot, Space::Documents, Direction::Forward);
    assert!(found.is_sorted_by(|a, b| a.0 < b.0), "keys sort as bytes");
    assert_eq!(found.len(), keys.len());
}

fn a_failed_precondition_refuses_its_batch_and_no_other(kv: &dyn Kv) {
    put(kv, Space::Documents, b"there", &versioned(4));
    let attempts = [
        ("there", Expect::Any, true),
        ("there", Expect::Absent, false),
        ("there", Expect::Version(4), true),
        ("there", Expect::Version(5), false),
        ("missing", Expect::Any, true),
        ("missing", Expect::Absent, true),
        ("missing", Expect::Version(0), false),
    ];
    let batches = attempts.iter().enumerate().map(|(number, (key, expect, _))| {
        let mut batch = Batch::new();
        batch.expect(Space::Documents, *key, *expect);
        batch.put(Space::Documents, format!("result {number}"), "applied");
        batch.delete(Space::Documents, format!("nothing {number}"));
        batch
    });
    let batches: Vec<Batch> = batches.collect();
    let answers = kv.commit(&batches.iter().collect::<Vec<_>>()).expect("the engine works");
    let snapshot = kv.snapshot().expect("a snapshot");
    for (number, ((key, expect, holds), answer)) in attempts.iter().zip(&answers).enumerate() {
        assert_eq!(answer.is_ok(), *holds, "{key} {expect:?}");
        if let Err(conflict) = answer {
            assert_eq!((conflict.space, &conflict.key[..]), (Space::Documents, key.as_bytes()));
        }
        let applied = get(&*snapshot, Space::Documents, format!("result {number}").as_bytes()).is_some();
        assert_eq!(applied, *holds, "a refused batch leaves no trace, an accepted one does: {key} {expect:?}");
    }
}

fn preconditions_see_the_batches_before_them(kv: &dyn Kv) {
    let step = |expect: Expect, value: Option<u64>| {
        let mut batch = Batch::new();
        batch.expect(Space::Documents, "key", expect);
        match value {
            Some(version) => batch.put(Space::Documents, "key", versioned(version)),
            None => batch.delete(Space::Documents, "key"),
        }
        batch
    };
    let batches = [
        step(Expect::Absent, Some(1)),
        step(Expect::Absent, Some(9)),
        step(Expect::Version(1), Some(2)),
        step(Expect::Version(2), None),
        step(Expect::Absent, Some(3)),
    ];
    let answers = kv.commit(&batches.iter().collect::<Vec<_>>()).expect("the engine works");
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true, true]);
    let snapshot = kv.snapshot().expect("a snapshot");
    assert_eq!(get(&*snapshot, Space::Documents, b"key"), Some(versioned(3)));
}

fn the_last_write_to_a_key_wins(kv: &dyn Kv) {
    let mut batch = Batch::new();
    batch.put(Space::Meta, "a", "1");
    batch.put(Space::Meta, "a", "2");
    batch.put(Space::Meta, "b", "1");
    batch.delete(Space::Meta, "b");
    batch.delete(Space::Meta, "c");
    batch.put(Space::Meta, "c", "3");
    commit(kv, &batch);
    let snapshot = kv.snapshot().expect("a snapshot");
    let values = ["a", "b", "c"].map(|key| get(&*snapshot, Space::Meta, key.as_bytes()));
    assert_eq!(values, [Some(b"2".to_vec()), None, Some(b"3".to_vec())]);
}

fn readers_never_see_half_a_batch(kv: &Arc<dyn Kv>) {
    let finished = Arc::new(AtomicBool::new(false));
    let reader = {
        let (kv, finished) = (kv.clone(), finished.clone());
        std::thread::spawn(move || {
            while !finished.load(Ordering::Acquire) {
                let snapshot = kv.snapshot().expect("a snapshot");
                let first = get(&*snapshot, Space::Documents, b"first");
                let second = get(&*snapshot, Space::Log, b"second");
                assert_eq!(first, second, "both halves of a batch, or none");
            }
        })
    };
    for number in 0..200_u32 {
        let mut batch = Batch::new();
        batch.put(Space::Documents, "first", number.to_be_bytes().to_vec());
        batch.put(Space::Log, "second", number.to_be_bytes().to_vec());
        commit(&**kv, &batch);
    }
    finished.store(true, Ordering::Release);
    reader.join().expect("the reader found nothing wrong");
}

fn random_writes_agree_with_a_sorted_map(kv: &dyn Kv) {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut kept = vec![];
    for round in 0..150_u64 {
        let mut batch = Batch::new();
        for _ in 0..random(40) {
            let key = vec![b'k'; random(3) as usize + 1].into_iter().chain([random(60) as u8]).collect::<Vec<_>>();
            if random(3) == 0 {
                batch.delete(Space::Documents, key.clone());
                model.remove(&key);
            } else {
                let value = vec![round as u8; random(1_500) as usize];
                batch.put(Space::Documents, key.clone(), value.clone());
                model.insert(key, value);
            }
        }
        commit(kv, &batch);
        if round % 10 == 0 {
            kept.push((kv.snapshot().expect("a snapshot"), model.clone()));
        }
    }
    for (snapshot, model) in &kept {
        let expected: Vec<_> = model.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(scan(&**snapshot, Space::Documents, Direction::Forward), expected, "a snapshot of then is as then");
    }
}

fn nothing_is_accepted_after_close(kv: &dyn Kv) {
    put(kv, Space::Meta, b"key", b"value");
    kv.close().expect("it closes");
    kv.close().expect("closing twice is no error");
    let mut batch = Batch::new();
    batch.put(Space::Meta, "key", "late");
    assert!(kv.commit(&[&batch]).is_err(), "a late write is refused, not lost");
}
