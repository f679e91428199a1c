//! What the audit says of a transaction that somebody signed: one entry for all entities it changes, one for history
//! that changes without its entity; for a transaction of documents alone, one for each.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::AuditEntry;

/// What a transaction changes, as far as the audit tells it.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Ids of entities, in the order of writing.
    pub created: Vec<String>,
    /// Ids of entities that existed.
    pub updated: Vec<String>,
    /// Ids of entities that are gone.
    pub deleted: Vec<String>,
    /// Ids of entities with moments added to, corrected in or removed from their history.
    pub history: BTreeSet<String>,
    /// Collection and key of documents, and whether each is written or removed.
    pub documents: Vec<(&'static str, String, bool)>,
}

impl Changed {
    /// The entries: `signature` with the action, the resource and the detail filled in.
    pub fn entries(self, signature: &AuditEntry) -> Vec<AuditEntry> {
        let entry = |action: String, resource: String, detail: Value| AuditEntry {
            action,
            resource,
            detail,
            ..signature.clone()
        };
        let mut entries = vec![];
        match (self.created.as_slice(), self.updated.as_slice(), self.deleted.as_slice()) {
            ([], [], []) => {}
            ([one], [], []) => entries.push(entry("entity.create".into(), one.clone(), Value::Null)),
            ([], [one], []) => entries.push(entry("entity.update".into(), one.clone(), Value::Null)),
            ([], [], [one]) => entries.push(entry("entity.delete".into(), one.clone(), Value::Null)),
            (created, updated, deleted) => {
                let count = created.len() + updated.len() + deleted.len();
                let detail = json!({ "created": created, "updated": updated, "deleted": deleted });
                entries.push(entry("entities.change".into(), format!("{count} entities"), detail));
            }
        }
        entries.extend(self.history.into_iter().map(|id| entry("history.change".into(), id, Value::Null)));
        // Beside entities and history, documents are the store's own bookkeeping of that change.
        let documents = if entries.is_empty() { self.documents } else { vec![] };
        entries.extend(documents.into_iter().map(|(collection, key, written)| {
            let action = if written { "write" } else { "delete" };
            entry(format!("{collection}.{action}"), key, Value::Null)
        }));
        entries
    }
}
