//! JSON-LD contexts: short names at the border, full IRIs inside (ETSI GS CIM 009, 5.2.2 and 5.5.5 to 5.5.7).
//!
//! A [`Context`] is compiled once from its documents and then only looked things up in. The core context is
//! part of every context and its terms cannot be redefined. A name that no document defines belongs to the
//! default namespace.

mod compile;
mod contexts;
mod core;
mod hosted;
mod kept;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use foldhash::fast::RandomState;
use model::{DEFAULT_CONTEXT, Iri};
use serde_json::Value;

pub use self::{
    contexts::{ContextFetch, Contexts, FetchFuture},
    core::CORE_CONTEXT,
    hosted::HostedContext,
    kept::CachedContext,
};
use crate::ngsi::{NgsiError, write_string};

/// The most names one context remembers, and the longest; others are worked out each time.
const REMEMBERED_MAX: usize = 2_000;
const REMEMBERED_BYTES_MAX: usize = 200;

/// A compiled context.
pub struct Context {
    /// User terms to IRIs; empty text for terms that were set to null.
    terms: HashMap<Box<str>, Box<str>>,
    /// IRIs to user terms.
    names: HashMap<Box<str>, Box<str>>,
    /// Namespaces and their prefixes, longest namespace first.
    prefixes: Vec<(Box<str>, Box<str>)>,
    /// What answers carry as `@context`.
    wire: Value,
    expanded: RwLock<HashMap<Box<str>, Iri, RandomState>>,
    compacted: RwLock<HashMap<Iri, Arc<CompactName>, RandomState>>,
}

/// A short name, ready to be written.
#[derive(Debug, PartialEq, Eq)]
pub struct CompactName {
    /// The name.
    pub text: Box<str>,
    /// The name as a JSON member: quoted, escaped, with the colon.
    pub member: Box<[u8]>,
}

static CORE_ONLY: LazyLock<Arc<Context>> =
    LazyLock::new(|| Arc::new(Context::new(HashMap::new(), Vec::new(), Value::String(CORE_CONTEXT.to_owned()))));

impl Context {
    /// The core context alone.
    #[must_use]
    pub fn core() -> Arc<Self> {
        CORE_ONLY.clone()
    }

    fn new(terms: HashMap<Box<str>, Box<str>>, prefixes: Vec<(Box<str>, Box<str>)>, wire: Value) -> Self {
        let mut names: HashMap<Box<str>, Box<str>> = HashMap::with_capacity(terms.len());
        for (term, iri) in &terms {
            let shadowed = core::CORE.terms.contains_key(&**term);
            let better = |known: &str| (term.len(), &**term) < (known.len(), known);
            if !iri.is_empty() && !shadowed && names.get(iri).is_none_or(|known| better(known)) {
                names.insert(iri.clone(), term.clone());
            }
        }
        Self { terms, names, prefixes, wire, expanded: RwLock::default(), compacted: RwLock::default() }
    }

    /// Whether an address is that of the core context, in any of its versions.
    #[must_use]
    pub fn is_core(url: &str) -> bool {
        core::is_core(url)
    }

    /// About how many bytes it takes: its terms, which are in it both ways, and what it remembers.
    fn bytes(&self) -> usize {
        let terms: usize = self.terms.iter().map(|(term, iri)| 2 * (term.len() + iri.len()) + 100).sum();
        let remembered = REMEMBERED_MAX * REMEMBERED_BYTES_MAX / 8;
        terms + remembered
    }

    /// What answers carry as `@context`: as it was given, with the core context in it.
    #[must_use]
    pub fn wire(&self) -> &Value {
        &self.wire
    }

    /// The address for a `Link` header: the only, or the first, address in it.
    #[must_use]
    pub fn link(&self) -> &str {
        let first = match &self.wire {
            Value::Array(items) => items.iter().find_map(Value::as_str),
            other => other.as_str(),
        };
        first.unwrap_or(CORE_CONTEXT)
    }

    /// The full IRI of a type, attribute or vocabulary name.
    ///
    /// # Errors
    /// `BadRequestData` when it is not a name.
    pub fn expand(&self, term: &str) -> Result<Iri, NgsiError> {
        if let Some(iri) = core::CORE.terms.get(term) {
            return Ok(iri.clone());
        }
        if let Some(iri) = self.expanded.read().unwrap_or_else(PoisonError::into_inner).get(term) {
            return Ok(iri.clone());
        }
        let iri = self.work_out(term)?;
        let mut remembered = self.expanded.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < REMEMBERED_MAX && term.len() <= REMEMBERED_BYTES_MAX {
            remembered.insert(term.into(), iri.clone());
        }
        Ok(iri)
    }

    fn work_out(&self, term: &str) -> Result<Iri, NgsiError> {
        check_name(term)?;
        if let Some(iri) = self.terms.get(term).filter(|iri| !iri.is_empty()) {
            return Ok(Iri::new(&**iri));
        }
        if let Some((prefix, rest)) = term.split_once(':') {
            let namespace = self.terms.get(prefix).map(|iri| &**iri);
            let namespace = core::CORE.terms.get(prefix).map(Iri::as_str).or(namespace);
            return match namespace {
                Some(namespace) if !rest.starts_with("//") && !namespace.is_empty() => {
                    Ok(Iri::new(format!("{namespace}{rest}")))
                }
                _ => Ok(Iri::new(term)),
            };
        }
        if term.contains(['(', ')', '[', ']', ';', ',', '\'', '=']) {
            return Err(not_a_name(term));
        }
        Ok(Iri::new(format!("{DEFAULT_CONTEXT}{term}")))
    }

    /// The short name of an IRI.
    #[must_use]
    pub fn compact(&self, iri: &Iri) -> Arc<CompactName> {
        if let Some(name) = self.compacted.read().unwrap_or_else(PoisonError::into_inner).get(iri) {
            return name.clone();
        }
        let text = self.shorten(iri);
        let mut member = Vec::with_capacity(text.len() + 3);
        write_string(&mut member, &text);
        member.push(b':');
        let name = Arc::new(CompactName { text, member: member.into() });
        let mut remembered = self.compacted.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < REMEMBERED_MAX && iri.as_str().len() <= REMEMBERED_BYTES_MAX {
            remembered.insert(iri.clone(), name.clone());
        }
        name
    }

    fn shorten(&self, iri: &Iri) -> Box<str> {
        let full = iri.as_str();
        if let Some(name) = self.names.get(full) {
            return name.clone();
        }
        if let Some(name) = core::CORE.names.get(iri) {
            return (*name).into();
        }
        let means_the_same = |short: &str| self.work_out(short).is_ok_and(|back| back == *iri);
        if let Some(short) = full.strip_prefix(DEFAULT_CONTEXT)
            && !core::CORE.terms.contains_key(short)
            && means_the_same(short)
        {
            return short.into();
        }
        let own = self.prefixes.iter().map(|(namespace, prefix)| (&**namespace, &**prefix));
        for (namespace, prefix) in own.chain(core::PREFIXES) {
            if let Some(rest) = full.strip_prefix(namespace).filter(|rest| !rest.is_empty()) {
                let short = format!("{prefix}:{rest}");
                if means_the_same(&short) {
                    return short.into();
                }
            }
        }
        full.into()
    }
}

fn not_a_name(term: &str) -> NgsiError {
    let start: String = term.chars().take(80).collect();
    NgsiError::bad_data(format!("\"{start}\" is not a name; use letters, digits, '_' and '-', or a URI"))
}

/// Refuses what could be neither a term nor a URI.
fn check_name(term: &str) -> Result<(), NgsiError> {
    let forbidden = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    };
    // `id` and `type` are other words for JSON-LD's @id and @type.
    let keyword = term.starts_with('@') || matches!(term, "id" | "type");
    if keyword || term.is_empty() || term.len() > 1_024 || term.contains(forbidden) {
        return Err(not_a_name(term));
    }
    Ok(())
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({})", self.wire())
    }
}

#[cfg(test)]
mod tests;
