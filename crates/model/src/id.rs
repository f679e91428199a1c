//! Identifiers: entity ids, expanded names and tenants, each checked once at the border.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Problem;

/// The longest identifier accepted, in bytes. Longer ones would make index keys unreasonably large.
const ID_BYTES_MAX: usize = 1_024;

/// The longest name of a tenant, bytes.
const TENANT_BYTES_MAX: usize = 63;

/// What the name of an internal tenant begins with.
const INTERNAL: &str = "_internal-";

/// What the name of a number of persons ends with in the flag that says that the number is too small to be told.
pub const SUPPRESSED: &str = "Suppressed";

macro_rules! shared_text {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The identifier of an entity: a URI (`urn:ngsi-ld:TrafficFlowObserved:RWS01-123`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(Arc<str>);
shared_text!(EntityId);

impl EntityId {
    /// Checks that `text` is a URI: a scheme, a colon and something after it, without spaces or control characters.
    ///
    /// # Errors
    /// Names the text and says what a valid identifier looks like.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if is_uri(text) && text.len() <= ID_BYTES_MAX {
            return Ok(Self(text.into()));
        }
        Err(Problem::new(
            "id",
            format!("\"{}\" is not a URI", shortened(text)),
            "use an absolute URI of at most 1,024 bytes without spaces, for example urn:ngsi-ld:Building:42",
        ))
    }
}

/// An expanded name: the full IRI of an entity type or an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Iri(Arc<str>);
shared_text!(Iri);

impl Iri {
    /// Wraps a name that a JSON-LD context has already expanded.
    #[must_use]
    pub fn new(expanded: impl Into<Arc<str>>) -> Self {
        Self(expanded.into())
    }

    /// The part after the last `/`, `#` or `:`: what a person would call it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit(['/', '#', ':']).next().unwrap_or(&self.0)
    }
}

impl From<&str> for Iri {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// A municipality (or other owner) whose data are kept apart from all others'. The default tenant is `default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenant(Arc<str>);
shared_text!(Tenant);

impl Default for Tenant {
    fn default() -> Self {
        Self("default".into())
    }
}

impl Tenant {
    /// Checks a tenant name: 1 to 63 of lower-case letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// Names the text and the rule.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let fits = (1..=TENANT_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if fits {
            return Ok(Self(text.into()));
        }
        Err(Problem::new(
            "tenant",
            format!("\"{}\" is not a tenant name", shortened(text)),
            "use 1 to 63 lower-case letters, digits, '-' or '_'",
        ))
    }

    /// Where values of this tenant are kept that only the platform itself computes with: exact numbers of persons
    /// below the minimum, and counters of gates. Names that start with `_` belong to the server; no request reaches
    /// them, whatever the role of who asks.
    #[must_use]
    pub fn internal(&self) -> Self {
        Self(format!("{INTERNAL}{}", self.0).into())
    }

    /// Whether there is room for the name of the internal tenant as well.
    #[must_use]
    pub fn has_internal(&self) -> bool {
        INTERNAL.len() + self.0.len() <= TENANT_BYTES_MAX
    }
}

/// Whether `text` is an absolute URI as far as an identifier needs it.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let forbidden = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    };
    scheme_fits && !rest.is_empty() && !rest.contains(forbidden)
}

/// At most 80 characters of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_and_a_url_are_entity_ids() {
        for text in ["urn:ngsi-ld:Building:42", "https://example.org/id?x=1#a", "urn:x:é"] {
            assert_eq!(EntityId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn text_without_a_scheme_or_with_spaces_is_refused() {
        for text in ["", "42", ":x", "urn:", "urn:a b", "urn:a<b", "1a:b", &format!("urn:{}", "x".repeat(2_000))] {
            assert!(EntityId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tenants_are_short_lower_case_words() {
        assert!(Tenant::parse("rotterdam-2").is_ok());
        for text in ["", "Rotterdam", "a/b", "a b", &"x".repeat(64)] {
            assert!(Tenant::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_internal_tenant_is_a_name_of_the_servers_own() {
        let internal = Tenant::default().internal();
        assert_eq!(internal.as_str(), "_internal-default");
        assert_eq!(Tenant::parse(internal.as_str()), Ok(internal));
        assert!(!Tenant::parse(&"x".repeat(60)).unwrap().has_internal());
    }

    #[test]
    fn the_short_name_is_the_last_part() {
        assert_eq!(Iri::from("https://uri.etsi.org/ngsi-ld/default-context/speed").short(), "speed");
    }
}
