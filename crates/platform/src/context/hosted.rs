//! Contexts that users store in Polder (`/jsonldContexts`, ETSI GS CIM 009, 5.13).

use model::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Document, DocumentSelect, Expect, Store, Transaction};

use super::Contexts;
use crate::ngsi::NgsiError;

/// The path under which hosted contexts are served.
const PATH: &str = "/ngsi-ld/v1/jsonldContexts/";
/// The most hosted contexts that are listed.
const LISTED_MAX: usize = 1_000;

/// A stored context.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostedContext {
    /// Its identifier, the last part of its address.
    pub id: String,
    /// The document: an object with `@context`.
    pub document: Value,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl Document for HostedContext {
    const COLLECTION: &'static str = "contexts";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// The document behind an address, when it is the address of a hosted context.
pub(super) fn by_url(store: &Store, url: &str) -> Result<Option<Value>, NgsiError> {
    let Some((_, id)) = url.split_once(PATH) else { return Ok(None) };
    let found = store.snapshot()?.document::<HostedContext>(&Tenant::default(), id)?;
    Ok(found.map(|stored| stored.value.document))
}

impl Contexts {
    /// Stores a context under an identifier.
    ///
    /// # Errors
    /// `BadRequestData` when the document has no usable `@context`; a remote context in it must be available.
    pub async fn host(&self, id: &str, document: Value, now: Timestamp) -> Result<(), NgsiError> {
        let context = match document.get("@context") {
            Some(context @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => context.clone(),
            _ => return Err(NgsiError::bad_data("the document must be an object with an @context member")),
        };
        self.resolve(&context, now).await?;
        let mut tx = Transaction::new(Tenant::default());
        let hosted = HostedContext { id: id.to_owned(), document, created_at: now };
        tx.put_document(&hosted, Expect::Absent)?;
        self.sign(&mut tx, "context.create", id);
        self.store().commit(tx).await?;
        Ok(())
    }

    /// An identifier for a new hosted context: the moment in microseconds, and a number that no other one here has.
    #[must_use]
    pub fn new_id(&self, now: Timestamp) -> String {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("{:x}-{number:x}", now.micros())
    }

    /// A hosted context.
    ///
    /// # Errors
    /// When the store fails.
    pub fn hosted(&self, id: &str) -> Result<Option<HostedContext>, NgsiError> {
        let found = self.store().snapshot()?.document::<HostedContext>(&Tenant::default(), id)?;
        Ok(found.map(|stored| stored.value))
    }

    /// All hosted contexts, by identifier.
    ///
    /// # Errors
    /// When the store fails.
    pub fn all_hosted(&self) -> Result<Vec<HostedContext>, NgsiError> {
        let snapshot = self.store().snapshot()?;
        let all = snapshot.documents::<HostedContext>(&Tenant::default(), &DocumentSelect::All, None, LISTED_MAX)?;
        Ok(all.into_iter().map(|stored| stored.value).collect())
    }

    /// Removes a hosted context.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unhost(&self, id: &str) -> Result<(), NgsiError> {
        let mut tx = Transaction::new(Tenant::default());
        tx.delete_document::<HostedContext>(id, Expect::Any);
        self.sign(&mut tx, "context.delete", id);
        self.store().commit(tx).await?;
        self.forget_compiled();
        Ok(())
    }
}
