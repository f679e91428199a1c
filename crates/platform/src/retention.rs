//! History past its time: what a source delivered is deleted when it is older than the city keeps it.
//!
//! Whose a series is, its oldest observation says. The current state of an entity stays: it is one value, with its
//! moment. Deleting twice changes nothing, and what broke off is found again by the same question.

use std::collections::HashMap;

use model::{SeriesKey, Tenant, Timestamp};
use store::{AuditEntry, CommitError, Order, Store, StoreError, TimeRange, Transaction};

/// How many series are looked at together, and deleted from in one transaction.
const PAGE: usize = 1_000;

/// Deletes the history of each source before its moment; gives from how many series something was deleted. `entry` is
/// put into the audit with each transaction. It blocks: call it from a thread that may wait.
///
/// # Errors
/// The store fails. What was deleted before stays deleted.
pub fn expire(
    store: &Store,
    tenant: &Tenant,
    cutoffs: &HashMap<String, Timestamp>,
    entry: &AuditEntry,
) -> Result<u64, StoreError> {
    let Some(latest) = cutoffs.values().max().copied() else { return Ok(0) };
    let mut expired = 0;
    let mut after: Option<SeriesKey> = None;
    loop {
        let snapshot = store.snapshot()?;
        let history = snapshot.history();
        let page = history.series_page(tenant, after.as_ref(), PAGE)?;
        let Some(last) = page.last().cloned() else { return Ok(expired) };
        after = Some(last);
        let old = TimeRange { from: None, to: Some(latest) };
        let mut tx = Transaction::new(tenant.clone());
        let mut deleted = 0_u64;
        for first in history.range(tenant, &page, old, Order::Ascending, Some(1))? {
            let first = first?;
            let cutoff = first.quality.source.as_ref().and_then(|source| cutoffs.get(source));
            if let Some(cutoff) = cutoff.filter(|cutoff| first.at < **cutoff) {
                tx.delete_observations(first.series, None, Some(*cutoff));
                deleted += 1;
            }
        }
        if deleted == 0 {
            continue;
        }
        tx.audit(AuditEntry { detail: serde_json::json!({ "series": deleted }), ..entry.clone() });
        match store.commit_blocking(tx) {
            Ok(_) => expired += deleted,
            Err(CommitError::Store(error)) => return Err(error),
            Err(other) => {
                return Err(StoreError::Io {
                    thing: "history past its time".to_owned(),
                    detail: other.to_string(),
                    remedy: "it is tried again within the hour".to_owned(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{EntityId, Iri, Observation, ObservedValue, Origin, Quality, QualityFlags};
    use serde_json::Value;
    use store::{HistoryOptions, StoreOptions};

    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn series(sensor: u32) -> SeriesKey {
        let entity = EntityId::parse(&format!("urn:x:{sensor}")).unwrap();
        SeriesKey { entity, attribute: Iri::from("urn:count"), dataset_id: None }
    }

    fn observation(sensor: u32, day: i64, source: Option<&str>) -> Observation {
        Observation {
            series: series(sensor),
            at: Timestamp::from_micros(day * DAY),
            value: ObservedValue::Number(12.0),
            unit_code: None,
            quality: Quality {
                origin: Origin::Measured,
                flags: QualityFlags::default(),
                source: source.map(str::to_owned),
            },
            recorded_at: Timestamp::from_micros(day * DAY),
        }
    }

    fn entry() -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_micros(0),
            subject: "polder".into(),
            action: "history.expire".into(),
            resource: "counts".into(),
            outcome: "done".into(),
            reason: "retention".into(),
            detail: Value::Null,
        }
    }

    fn days(store: &Store, sensor: u32) -> Vec<i64> {
        let snapshot = store.snapshot().unwrap();
        let found =
            snapshot.history().range(&Tenant::default(), &[series(sensor)], TimeRange::ALL, Order::Ascending, None);
        found.unwrap().map(|o| o.unwrap().at.micros() / DAY).collect()
    }

    fn fill(store: &Store, sensors: u32) {
        for day in 0..20 {
            let mut tx = Transaction::new(Tenant::default());
            for sensor in 0..sensors {
                let source = match sensor % 3 {
                    0 => Some("counts"),
                    1 => Some("others"),
                    _ => None,
                };
                tx.observe(observation(sensor, day, source));
            }
            store.commit_blocking(tx).unwrap();
            store.flush_history().unwrap();
        }
    }

    fn cutoffs(day: i64) -> HashMap<String, Timestamp> {
        [("counts".to_owned(), Timestamp::from_micros(day * DAY))].into()
    }

    fn options() -> StoreOptions {
        let history = HistoryOptions { background: false, ..HistoryOptions::default() };
        StoreOptions { history, ..StoreOptions::default() }
    }

    #[test]
    fn what_is_older_goes_once_and_only_of_the_source_that_says_so() {
        let store = Store::in_memory(&options()).unwrap();
        fill(&store, 2_003);
        assert_eq!(expire(&store, &Tenant::default(), &cutoffs(15), &entry()).unwrap(), 668);
        assert_eq!(days(&store, 0), (15..20).collect::<Vec<_>>());
        assert_eq!(days(&store, 2_001), (15..20).collect::<Vec<_>>());
        assert_eq!((days(&store, 1).len(), days(&store, 2).len()), (20, 20));
        assert_eq!(expire(&store, &Tenant::default(), &cutoffs(15), &entry()).unwrap(), 0);
        let audit = store.audit(0, 100).unwrap();
        assert_eq!(audit.len(), 3, "one for each transaction");
        assert!(audit.iter().all(|record| record.entry.action == "history.expire"));
        assert_eq!(expire(&store, &Tenant::default(), &HashMap::new(), &entry()).unwrap(), 0);
    }

    #[test]
    fn what_was_deleted_is_gone_from_the_disk_also_when_settling_broke_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &options()).unwrap();
        fill(&store, 30);
        expire(&store, &Tenant::default(), &cutoffs(15), &entry()).unwrap();
        // Stopped before anything was rewritten: the deletions are on disk, the rows as well.
        store.close().unwrap();
        let store = Store::open(folder.path(), &options()).unwrap();
        assert_eq!(days(&store, 0), (15..20).collect::<Vec<_>>());
        assert_eq!(expire(&store, &Tenant::default(), &cutoffs(15), &entry()).unwrap(), 0);
        store.settle_history().unwrap();
        let rows = store.check_open().unwrap();
        assert!(rows.problems.is_empty(), "{rows:?}");
        store.close().unwrap();
        let report = Store::check(folder.path()).unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
        // Ten of thirty sensors keep five days of twenty.
        assert_eq!(report.checked["observations in segments"], 20 * 20 + 10 * 5);
    }
}
