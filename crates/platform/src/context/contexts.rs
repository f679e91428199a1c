//! Finds the context that a request names: built in, inline, hosted here, or fetched and kept.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use model::Timestamp;
use serde_json::{Map, Value};
use store::{AuditEntry, Store, Transaction};

use super::{CORE_CONTEXT, CachedContext, Context, compile::compile, core::is_core, hosted, kept::Kept};
use crate::ngsi::{ErrorKind, NgsiError, parse_json};

/// How long a remote context may take to arrive.
const FETCH_SECONDS_MAX: u64 = 10;
/// The largest context document.
const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most contexts (addresses, arrays, objects) that one context may be made of.
const STEPS_MAX: usize = 256;
/// How deep documents may refer to documents.
const DEPTH_MAX: usize = 8;

/// A remote document on its way.
pub type FetchFuture = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send>>;

/// The port through which remote contexts come: outgoing HTTP in the server, a map in tests.
pub trait ContextFetch: Send + Sync + 'static {
    /// Fetches a document; the error says in words why it could not be had.
    fn fetch(&self, url: &str) -> FetchFuture;
}

/// All contexts in use. Cheap to clone.
#[derive(Clone)]
pub struct Contexts {
    store: Store,
    fetch: Arc<dyn ContextFetch>,
    kept: Arc<Mutex<Kept>>,
    /// Whoever changes hosted contexts through this handle.
    signature: Option<Arc<AuditEntry>>,
}

impl Contexts {
    /// Contexts hosted in `store`; others come through `fetch`.
    #[must_use]
    pub fn new(store: Store, fetch: Arc<dyn ContextFetch>) -> Self {
        Self { store, fetch, kept: Arc::default(), signature: None }
    }

    /// The same contexts for somebody: each change of a hosted one through this handle is in the audit, in the same
    /// transaction, with the time, subject, outcome and reason of `signature`. Its action and resource are filled in.
    #[must_use]
    pub fn signed(&self, signature: AuditEntry) -> Self {
        Self { signature: Some(Arc::new(signature)), ..self.clone() }
    }

    pub(super) fn sign(&self, tx: &mut Transaction, action: &str, id: &str) {
        if let Some(signature) = &self.signature {
            tx.audit(AuditEntry { action: action.to_owned(), resource: id.to_owned(), ..(**signature).clone() });
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The context for a `@context` value: an address, an object, or an array of those.
    ///
    /// # Errors
    /// `BadRequestData` when the value is not a context, `LdContextNotAvailable` when a remote one cannot be had.
    pub async fn resolve(&self, given: &Value, now: Timestamp) -> Result<Arc<Context>, NgsiError> {
        if given.as_str().is_some_and(is_core) {
            return Ok(Context::core());
        }
        let key = given.to_string();
        if let Some(context) = self.kept().compiled(&key) {
            return Ok(context);
        }
        let mut gathered = Gathered::default();
        self.gather(given.clone(), now, 0, &mut gathered).await?;
        let context = Arc::new(compile(&gathered.documents, wire_of(given, gathered.core_seen))?);
        self.kept().keep_compiled(key, context.clone());
        Ok(context)
    }

    /// Collects the documents of a context in the order in which they apply.
    fn gather<'a>(
        &'a self,
        given: Value,
        now: Timestamp,
        depth: usize,
        gathered: &'a mut Gathered,
    ) -> Pin<Box<dyn Future<Output = Result<(), NgsiError>> + Send + 'a>> {
        Box::pin(async move {
            gathered.steps += 1;
            if depth > DEPTH_MAX || gathered.steps > STEPS_MAX {
                let detail = format!("@context: it refers to more than {STEPS_MAX} contexts, or in a circle");
                return Err(NgsiError::new(ErrorKind::LdContextNotAvailable, detail));
            }
            match given {
                Value::String(url) if is_core(&url) => gathered.core_seen = true,
                Value::String(url) => {
                    let document = self.document(&url, now).await?;
                    self.gather(context_of(&url, &document)?, now, depth + 1, gathered).await?;
                }
                Value::Object(document) => gathered.documents.push(document),
                Value::Array(items) => {
                    for item in items {
                        self.gather(item, now, depth + 1, gathered).await?;
                    }
                }
                Value::Null => {}
                _ => return Err(NgsiError::bad_data("@context: give a URL, an object, or an array of those")),
            }
            Ok(())
        })
    }

    /// A context document by its address: hosted here, kept, or fetched now.
    async fn document(&self, url: &str, now: Timestamp) -> Result<Arc<Value>, NgsiError> {
        if let Some(document) = hosted::by_url(&self.store, url)? {
            return Ok(Arc::new(document));
        }
        if let Some(document) = self.kept().document(url, now) {
            return Ok(document);
        }
        self.fetch_document(url, now).await
    }

    async fn fetch_document(&self, url: &str, now: Timestamp) -> Result<Arc<Value>, NgsiError> {
        let unavailable = |reason: &str| {
            NgsiError::new(ErrorKind::LdContextNotAvailable, format!("the @context {url} cannot be had: {reason}"))
        };
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(NgsiError::bad_data(format!("@context: \"{url}\" is not an http or https URL")));
        }
        let fetched = tokio::time::timeout(Duration::from_secs(FETCH_SECONDS_MAX), self.fetch.fetch(url)).await;
        let bytes = match fetched {
            Ok(Ok(bytes)) if bytes.len() <= DOCUMENT_BYTES_MAX => bytes,
            Ok(Ok(_)) => return Err(unavailable("it is larger than 4 MB")),
            Ok(Err(reason)) => return Err(unavailable(&reason)),
            Err(_) => return Err(unavailable("it did not arrive within 10 seconds")),
        };
        let document = parse_json(&bytes).map_err(|error| unavailable(&error.detail))?;
        if document.get("@context").is_none() {
            return Err(unavailable("the document has no @context member"));
        }
        let document = Arc::new(document);
        self.kept().keep_document(url, Arc::clone(&document), bytes.len(), now);
        Ok(document)
    }

    /// The remote contexts that are kept, by address.
    #[must_use]
    pub fn cached(&self) -> Vec<CachedContext> {
        self.kept().about_all()
    }

    /// What is known of a remote context that is kept.
    #[must_use]
    pub fn cached_at(&self, url: &str) -> Option<CachedContext> {
        self.kept().about(url)
    }

    /// Forgets a remote context; whether it was kept.
    #[must_use]
    pub fn forget(&self, url: &str) -> bool {
        let mut kept = self.kept();
        kept.forget_compiled();
        kept.forget_document(url)
    }

    /// Fetches a remote context again and keeps the new one.
    ///
    /// # Errors
    /// `LdContextNotAvailable`; then the old one stays.
    pub async fn reload(&self, url: &str, now: Timestamp) -> Result<(), NgsiError> {
        self.fetch_document(url, now).await?;
        self.kept().forget_compiled();
        Ok(())
    }

    /// Forgets compiled contexts, because a hosted one changed.
    pub(super) fn forget_compiled(&self) {
        self.kept().forget_compiled();
    }
}

#[derive(Default)]
struct Gathered {
    documents: Vec<Map<String, Value>>,
    core_seen: bool,
    /// How many contexts were looked at: addresses, arrays and objects.
    steps: usize,
}

fn context_of(url: &str, document: &Value) -> Result<Value, NgsiError> {
    document.get("@context").cloned().ok_or_else(|| {
        let detail = format!("the @context {url} cannot be had: the document has no @context member");
        NgsiError::new(ErrorKind::LdContextNotAvailable, detail)
    })
}

/// What answers carry: the context as given, with the core context at its end unless it is in there already.
fn wire_of(given: &Value, core_seen: bool) -> Value {
    if core_seen {
        return given.clone();
    }
    let mut items = match given {
        Value::Array(items) => items.clone(),
        Value::Null => vec![],
        other => vec![other.clone()],
    };
    items.push(Value::String(CORE_CONTEXT.to_owned()));
    Value::Array(items)
}
