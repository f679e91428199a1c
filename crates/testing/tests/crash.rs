//! Kills a writing process at random moments, again and again on one directory, and proves that every acknowledged
//! transaction is there exactly once, whole, and that nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use model::{Iri, ObservedValue, Tenant};
use polder_testing::crash_lanes::{LaneDocument, TYPE, last_number, numbered, series};
use store::{EntitySelect, Order, Snapshot, Store, StoreOptions, TimeRange};

const LANES: u32 = 4;
const KILLS: u64 = 22;

/// Starts the writer, kills it after a while, and gives the last number it acknowledged for each lane.
fn write_and_kill(directory: &Path, after: Duration) -> BTreeMap<u32, u64> {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_crash_writer"))
        .arg(directory)
        .arg(LANES.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let lines = BufReader::new(writer.stdout.take().expect("its output is piped"));
    let reader = std::thread::spawn(move || {
        let mut acknowledged = BTreeMap::new();
        for line in lines.lines().map_while(Result::ok) {
            // The last line may be cut off by the kill; what is not whole was not read as acknowledged.
            let Some((lane, number)) = line.split_once(' ') else { continue };
            if let (Ok(lane), Ok(number)) = (lane.parse::<u32>(), number.parse::<u64>()) {
                acknowledged.entry(lane).and_modify(|n: &mut u64| *n = number.max(*n)).or_insert(number);
            }
        }
        acknowledged
    });
    std::thread::sleep(after);
    assert!(writer.try_wait().expect("its state is known").is_none(), "the writer must run until it is killed");
    writer.kill().expect("it is killed");
    writer.wait().expect("it is gone");
    reader.join().expect("its lines were read")
}

/// Everything of a lane up to its last number is there once, and nothing beyond. Returns that number.
fn verify_lane(snapshot: &Snapshot, lane: u32, audited: &BTreeMap<String, u64>) -> u64 {
    let last = last_number(snapshot, lane).expect("a readable store");
    let tenant = Tenant::default();
    for number in 1..=last {
        let id = numbered(lane, number).expect("a valid id");
        assert!(snapshot.entity(&tenant, &id).expect("a read").is_some(), "{id} is lost");
        assert_eq!(audited.get(id.as_str()), Some(&1), "{id} is audited once");
    }
    let beyond = numbered(lane, last + 1).expect("a valid id");
    assert!(snapshot.entity(&tenant, &beyond).expect("a read").is_none(), "{beyond} is half a transaction");
    assert_eq!(audited.get(beyond.as_str()), None, "{beyond} is half a transaction");
    let document = snapshot.document::<LaneDocument>(&tenant, &lane.to_string()).expect("a read");
    assert_eq!(document.map_or(0, |d| d.value.number), last, "the document of lane {lane}");
    let series = [series(lane).expect("a valid series")];
    let history = snapshot.history();
    let observed = history.range(&tenant, &series, TimeRange::default(), Order::Ascending, None).expect("a read");
    let values: Vec<ObservedValue> = observed.map(|o| o.expect("a readable history").value).collect();
    let expected: Vec<ObservedValue> = (1..=last).map(|number| ObservedValue::Number(number as f64)).collect();
    assert_eq!(values, expected, "the observations of lane {lane}");
    last
}

/// How often each resource is in the audit log.
fn audited(store: &Store) -> BTreeMap<String, u64> {
    let mut resources = BTreeMap::new();
    for record in store.audit(0, usize::MAX).expect("a readable audit log") {
        *resources.entry(record.entry.resource).or_default() += 1;
    }
    resources
}

#[test]
fn a_killed_server_has_lost_nothing_and_doubled_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut total = 0;
    for round in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledged = write_and_kill(directory.path(), Duration::from_millis(150 + (random >> 33) % 450));
        let store = Store::open(directory.path(), &StoreOptions::default()).expect("it opens after a kill");
        let snapshot = store.snapshot().expect("a snapshot");
        let audited = audited(&store);
        total = 0;
        for lane in 0..LANES {
            let last = verify_lane(&snapshot, lane, &audited);
            let promised = acknowledged.get(&lane).copied().unwrap_or(0);
            assert!(last >= promised, "round {round}: lane {lane} promised {promised} and has {last}");
            total += last;
        }
        let tenant = Tenant::default();
        assert_eq!(snapshot.count(&tenant, &Iri::from(TYPE)).expect("a counter"), total, "round {round}");
        let ids = snapshot.entity_ids(&tenant, &EntitySelect::Type(Iri::from(TYPE)), None);
        assert_eq!(ids.count() as u64, total, "round {round}");
        assert_eq!(audited.values().sum::<u64>(), total, "round {round}");
        if round % 4 == 3 || round + 1 == KILLS {
            assert_eq!(store.check_open().expect("a check").problems, [], "round {round}");
        }
        drop(snapshot);
        store.close().expect("it closes");
    }
    assert!(total > KILLS * 20, "only {total} transactions were written: the test proves little");
}
