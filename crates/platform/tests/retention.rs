//! `kill -9` while history is deleted: nothing else is lost, the store is whole, and the next run ends the work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::HashMap, path::Path, process::Command, time::Duration};

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
    let mut broken_off = 0;
    for round in 0..6_u64 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        fill(&store);
        store.close().unwrap();
        let name = "a_kill_while_history_is_deleted_loses_nothing_else_and_is_taken_up";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .arg(folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(15 + 20 * round));
        child.kill().unwrap();
        broken_off += u64::from(!child.wait().unwrap().success());

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
    }
    assert!(broken_off >= 3, "only {broken_off} of 6 were killed while they worked");
}
