//! What runs recorded is kept for as long as the city says, and then removed: minutes, alerts, messages and decisions
//! first, the run itself last, so that a removal that broke off is found and ended the next time.

use model::{Tenant, Timestamp};
use serde::de::DeserializeOwned;
use store::{AuditEntry, Document, DocumentSelect, Expect, Store, Transaction};

use crate::{
    ControlError,
    outbox::Delivery,
    record::{AlertRecord, DecisionRecord, Minute, RunRecord, RunState},
};

/// How many documents are removed in one transaction.
const BATCH: usize = 500;

/// Removes every run that ended before a moment, with all that it recorded; gives how many. `entry` is put into the
/// audit for each run, with its key.
///
/// # Errors
/// The store fails. What was removed before stays removed.
pub async fn expire(
    store: &Store,
    tenant: &Tenant,
    before: Timestamp,
    entry: &AuditEntry,
) -> Result<u64, ControlError> {
    let mut expired = 0;
    let mut after: Option<String> = None;
    loop {
        let page = store.snapshot()?.documents::<RunRecord>(tenant, &DocumentSelect::All, after.as_deref(), BATCH)?;
        let Some(last) = page.last() else { return Ok(expired) };
        after = Some(last.value.key());
        let is_old = |run: &RunRecord| run.state == RunState::Ended && run.ended_at.is_some_and(|end| end < before);
        for run in page.iter().map(|stored| &stored.value).filter(|run| is_old(run)) {
            expire_run(store, tenant, run, entry).await?;
            expired += 1;
        }
    }
}

async fn expire_run(store: &Store, tenant: &Tenant, run: &RunRecord, entry: &AuditEntry) -> Result<(), ControlError> {
    let recorded = format!("{}/", run.key());
    remove::<Minute>(store, tenant, &recorded).await?;
    remove::<AlertRecord>(store, tenant, &recorded).await?;
    remove::<Delivery>(store, tenant, &recorded).await?;
    remove::<DecisionRecord>(store, tenant, &recorded).await?;
    let mut tx = Transaction::new(tenant.clone());
    tx.delete_document::<RunRecord>(&run.key(), Expect::Any);
    tx.audit(AuditEntry { resource: run.key(), ..entry.clone() });
    store.commit(tx).await?;
    Ok(())
}

/// Removes the documents whose key starts so, a batch at a time.
async fn remove<D: Document + DeserializeOwned>(
    store: &Store,
    tenant: &Tenant,
    prefix: &str,
) -> Result<(), ControlError> {
    let select = DocumentSelect::Prefix(prefix.to_owned());
    loop {
        let page = store.snapshot()?.documents::<D>(tenant, &select, None, BATCH)?;
        if page.is_empty() {
            return Ok(());
        }
        let mut tx = Transaction::new(tenant.clone());
        for document in &page {
            tx.delete_document::<D>(&document.value.key(), Expect::Any);
        }
        store.commit(tx).await?;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use store::StoreOptions;

    use super::*;
    use crate::record::RunKind;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn run(id: &str, ended: Option<&str>) -> RunRecord {
        let moment = at("2026-03-01T10:00:00Z");
        let facts = serde_json::json!({
            "event": "fair", "id": id, "kind": RunKind::Rehearsal, "simulated": true, "speed": 1.0, "at": moment,
            "state": if ended.is_some() { "ended" } else { "running" }, "startedAt": moment, "startedBy": "anna",
            "endedAt": ended,
        });
        serde_json::from_value(facts).unwrap()
    }

    fn minute(run: &str, micros: i64) -> Minute {
        let at = at("2026-03-01T10:00:00Z").plus_micros(micros);
        Minute { event: "fair".into(), run: run.into(), at, ..empty_minute() }
    }

    fn empty_minute() -> Minute {
        let facts =
            serde_json::json!({ "event": "", "run": "", "at": at("2026-03-01T10:00:00Z"), "areas": [], "gates": [] });
        serde_json::from_value(facts).unwrap()
    }

    fn entry() -> AuditEntry {
        AuditEntry {
            at: at("2026-11-28T00:00:00Z"),
            subject: "polder".into(),
            action: "crowd.expire".into(),
            resource: String::new(),
            outcome: "done".into(),
            reason: "retention".into(),
            detail: Value::Null,
        }
    }

    async fn filled() -> Store {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        let runs = [run("1", Some("2026-03-01T12:00:00Z")), run("2", Some("2026-11-01T12:00:00Z")), run("3", None)];
        for run in runs {
            let mut tx = Transaction::new(Tenant::default());
            tx.put_document(&run, Expect::Absent).unwrap();
            for number in 0..1_200 {
                tx.put_document(&minute(&run.id, number * 60_000_000), Expect::Absent).unwrap();
            }
            store.commit(tx).await.unwrap();
        }
        store
    }

    fn minutes_of(store: &Store, run: &str) -> usize {
        let select = DocumentSelect::Prefix(format!("fair/{run}/"));
        store.snapshot().unwrap().documents::<Minute>(&Tenant::default(), &select, None, 10_000).unwrap().len()
    }

    #[tokio::test]
    async fn runs_past_their_time_go_with_all_they_recorded_and_others_stay() {
        let store = filled().await;
        let before = at("2026-06-01T00:00:00Z");
        assert_eq!(expire(&store, &Tenant::default(), before, &entry()).await.unwrap(), 1);
        assert_eq!(["1", "2", "3"].map(|run| minutes_of(&store, run)), [0, 1_200, 1_200]);
        let audit = store.audit(0, 10).unwrap();
        assert_eq!(audit.len(), 1);
        assert_eq!((audit[0].entry.action.as_str(), audit[0].entry.resource.as_str()), ("crowd.expire", "fair/1"));
        assert_eq!(expire(&store, &Tenant::default(), before, &entry()).await.unwrap(), 0, "it is done once");
        assert!(store.check_open().unwrap().problems.is_empty());
    }

    #[tokio::test]
    async fn a_removal_that_broke_off_is_ended_the_next_time() {
        let store = filled().await;
        // As after a kill: some minutes are gone, the run is still there.
        let mut tx = Transaction::new(Tenant::default());
        for number in 0..500 {
            tx.delete_document::<Minute>(&minute("1", number * 60_000_000).key(), Expect::Any);
        }
        store.commit(tx).await.unwrap();
        assert_eq!(expire(&store, &Tenant::default(), at("2026-06-01T00:00:00Z"), &entry()).await.unwrap(), 1);
        assert_eq!(minutes_of(&store, "1"), 0);
    }
}
