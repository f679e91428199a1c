//! `kill -9` while history is deleted: nothing else is lost, the store is whole, and the next run ends the work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use model::{EntityId, Iri, Observation, ObservedValue, Quality, SeriesKey, Tenant, Timestamp};
use polder_platform::retention::expire;
use store::{AuditEntry, HistoryOptions, Order, Store, StoreOptions, TimeRange, Transaction};

const DAY: i64 = 86_400_000_000;
const SENSORS: u32 = 300;
const DAYS: i64 = 60;
const KEPT_FROM: i64 = 40;

fn series(sensor: u32) -> SeriesKey {
    let entity = EntityId::parse(&format!("urn:x:{sensor}")).unwrap();
    SeriesKey { entity, attribute: Iri::from("urn:count"), dataset_id: None }
}

fn open(folder: &Path) -> Store {
    let history = HistoryOptions { background: false, ..HistoryOptions::default() };
    Store::open(folder, &StoreOptions { history, ..StoreOptions::default() }).unwrap()
}

fn fill(store: &Store) {
    for day in 0..DAYS {
        let mut tx = Transaction::new(Tenant::default());
        for sensor in 0..SENSORS {
            let source = if sensor % 2 == 0 { "counts" } else { "others" };
            let at = Timestamp::from_micros(day * DAY);
            let quality = Quality { source: Some(source.to_owned()), ..Quality::default() };
            let value = ObservedValue::Number(f64::from(sensor) + day as f64);
            tx.observe(Observation { series: series(sensor), at, value, unit_code: None, quality, recorded_at: at });
        }
        store.commit_blocking(tx).unwrap();
        if day % 5 == 0 {
            store.flush_history().unwrap();
        }
    }
}

/// What the server's job does.
fn delete(store: &Store) {
    let cutoffs = HashMap::from([("counts".to_owned(), Timestamp::from_micros(KEPT_FROM * DAY))]);
    let entry = AuditEntry {
        at: Timestamp::from_micros(0),
        subject: "server".into(),
        action: "history.expire".into(),
        resource: "counts".into(),
        outcome: "done".into(),
        reason: "retention".into(),
        detail: serde_json::Value::Null,
    };
    expire(store, &Tenant::default(), &cutoffs, &entry).unwrap();
    store.settle_history().unwrap();
}

fn days(store: &Store, sensor: u32) -> Vec<i64> {
    let snapshot = store.snapshot().unwrap();
    let history = snapshot.history();
    let found = history.range(&Tenant::default(), &[series(sensor)], TimeRange::ALL, Order::Ascending, None).unwrap();
    found.map(|observation| observation.unwrap().at.micros() / DAY).collect()
}

#[test]
fn a_kill_while_history_is_deleted_loses_nothing_else_and_is_taken_up() {
    // The process that is killed is this test again, with a data directory as one more word to look for.
    if let Some(folder) = std::env::args().skip(1).find(|word| Path::new(word).is_dir()) {
        delete(&open(Path::new(&folder)));
        return;
    }
    let mut whole = undisturbed();
    let mut broken_off = 0;
    for round in 0..40_u32 {
        // At a sixth, two sixths … of the work; sooner when the work turned out to be done by then.
        let killed = kill_while_deleting(whole * (round % 5 + 1) / 6, round);
        broken_off += u32::from(killed);
        if broken_off == 5 {
            return;
        }
        if !killed {
            whole = whole * 3 / 4;
        }
    }
    panic!("only {broken_off} of 40 were killed while they worked");
}

fn deleting(folder: &Path) -> Child {
    let name = "a_kill_while_history_is_deleted_loses_nothing_else_and_is_taken_up";
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", name]).arg(folder).stdout(Stdio::null()).spawn().unwrap()
}

/// How long the deletion takes with the process around it.
fn undisturbed() -> Duration {
    let folder = filled();
    let start = Instant::now();
    assert!(deleting(folder.path()).wait().unwrap().success());
    start.elapsed()
}

fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store);
    store.close().unwrap();
    folder
}

/// True when the kill came before the end of the work; what must hold holds either way.
fn kill_while_deleting(after: Duration, round: u32) -> bool {
    let folder = filled();
    let mut child = deleting(folder.path());
    std::thread::sleep(after);
    child.kill().unwrap();
    let broken_off = !child.wait().unwrap().success();

    let store = open(folder.path());
    assert!(store.check_open().unwrap().problems.is_empty(), "round {round}");
    for sensor in (1..SENSORS).step_by(2) {
        assert_eq!(days(&store, sensor).len(), DAYS as usize, "round {round}: another source lost something");
    }
    delete(&store);
    for sensor in (0..SENSORS).step_by(2) {
        assert_eq!(days(&store, sensor), (KEPT_FROM..DAYS).collect::<Vec<_>>(), "round {round}");
    }
    store.close().unwrap();
    let report = Store::check(folder.path()).unwrap();
    assert!(report.problems.is_empty(), "round {round}: {report:?}");
    let kept = u64::from(SENSORS / 2) * (DAYS + DAYS - KEPT_FROM) as u64;
    assert_eq!(report.checked["observations in segments"], kept, "round {round}");
    broken_off
}
