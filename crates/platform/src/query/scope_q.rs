//! Scope queries: `/A/B`, `/A/+/C`, `/A/#`, with `;`, `,` and parentheses (ETSI GS CIM 009, 4.19).

use super::{DEPTH_MAX, check_length};
use crate::ngsi::NgsiError;

/// Which scopes an entity must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeQ {
    /// A scope that fits these levels; `+` stands for any one level, `#` at the end for any number.
    Levels(Vec<String>),
    /// All of these.
    All(Vec<ScopeQ>),
    /// At least one of these.
    Any(Vec<ScopeQ>),
}

impl ScopeQ {
    /// Reads a scope query.
    ///
    /// # Errors
    /// `BadRequestData` when it is not one.
    pub fn parse(text: &str) -> Result<Self, NgsiError> {
        check_length(text)?;
        let (query, rest) = Self::any(text, text, 0)?;
        if rest.is_empty() { Ok(query) } else { Err(refuse(text)) }
    }

    fn any<'t>(whole: &str, text: &'t str, depth: usize) -> Result<(Self, &'t str), NgsiError> {
        let (first, mut rest) = Self::all(whole, text, depth)?;
        let mut parts = vec![first];
        while let Some(after) = rest.strip_prefix([',', '|']) {
            let (part, after) = Self::all(whole, after, depth)?;
            parts.push(part);
            rest = after;
        }
        Ok((if parts.len() == 1 { parts.swap_remove(0) } else { Self::Any(parts) }, rest))
    }

    fn all<'t>(whole: &str, text: &'t str, depth: usize) -> Result<(Self, &'t str), NgsiError> {
        let (first, mut rest) = Self::one(whole, text, depth)?;
        let mut parts = vec![first];
        while let Some(after) = rest.strip_prefix(';') {
            let (part, after) = Self::one(whole, after, depth)?;
            parts.push(part);
            rest = after;
        }
        Ok((if parts.len() == 1 { parts.swap_remove(0) } else { Self::All(parts) }, rest))
    }

    fn one<'t>(whole: &str, text: &'t str, depth: usize) -> Result<(Self, &'t str), NgsiError> {
        if depth > DEPTH_MAX {
            return Err(refuse(whole));
        }
        if let Some(inner) = text.strip_prefix('(') {
            let (query, rest) = Self::any(whole, inner, depth + 1)?;
            return Ok((query, rest.strip_prefix(')').ok_or_else(|| refuse(whole))?));
        }
        let end = text.find([',', ';', '|', '(', ')']).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        let levels: Vec<String> = path.strip_prefix('/').unwrap_or(path).split('/').map(str::to_owned).collect();
        let wild_early = levels.iter().rev().skip(1).any(|level| level == "#");
        if wild_early || levels.iter().any(String::is_empty) {
            return Err(refuse(whole));
        }
        Ok((Self::Levels(levels), rest))
    }

    /// Whether an entity with these scopes is meant.
    #[must_use]
    pub fn matches(&self, scopes: &[String]) -> bool {
        match self {
            Self::Levels(levels) => scopes.iter().any(|scope| fits(levels, scope)),
            Self::All(parts) => parts.iter().all(|p| p.matches(scopes)),
            Self::Any(parts) => parts.iter().any(|p| p.matches(scopes)),
        }
    }
}

fn fits(levels: &[String], scope: &str) -> bool {
    let mut actual = scope.strip_prefix('/').unwrap_or(scope).split('/');
    for level in levels {
        match (level.as_str(), actual.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
    actual.next().is_none()
}

fn refuse(text: &str) -> NgsiError {
    NgsiError::bad_data(format!("scopeQ: \"{text}\" is not a scope query such as /A/B, /A/+/C or /A/#"))
}
