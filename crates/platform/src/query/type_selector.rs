//! Type selectors: `A`, `A,B`, `(A;B)|C` (ETSI GS CIM 009, 4.17).

use model::Iri;

use super::{DEPTH_MAX, check_length};
use crate::{context::Context, ngsi::NgsiError};

/// Which types an entity must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeSelector {
    /// This one.
    Type(Iri),
    /// All of these.
    All(Vec<TypeSelector>),
    /// At least one of these.
    Any(Vec<TypeSelector>),
}

impl TypeSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// `BadRequestData` when it is not one.
    pub fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        check_length(text)?;
        let mut parser = Parser { text, rest: text, context };
        let selector = parser.any(0)?;
        if parser.rest.is_empty() { Ok(selector) } else { Err(parser.refuse()) }
    }

    /// Whether an entity with these types is selected.
    #[must_use]
    pub fn matches(&self, types: &[Iri]) -> bool {
        match self {
            Self::Type(iri) => types.contains(iri),
            Self::All(parts) => parts.iter().all(|p| p.matches(types)),
            Self::Any(parts) => parts.iter().any(|p| p.matches(types)),
        }
    }

    /// Types of which every selected entity has at least one, without doubles.
    #[must_use]
    pub fn candidates(&self) -> Vec<Iri> {
        match self {
            Self::Type(iri) => vec![iri.clone()],
            Self::All(parts) => parts.iter().map(Self::candidates).min_by_key(Vec::len).unwrap_or_default(),
            Self::Any(parts) => {
                let mut all = Vec::new();
                for iri in parts.iter().flat_map(Self::candidates) {
                    if !all.contains(&iri) {
                        all.push(iri);
                    }
                }
                all
            }
        }
    }
}

struct Parser<'t, 'c> {
    text: &'t str,
    rest: &'t str,
    context: &'c Context,
}

impl Parser<'_, '_> {
    fn refuse(&self) -> NgsiError {
        let detail = format!("type: \"{}\" is not a type selector such as A,B or (A;B)|C", self.text);
        NgsiError::bad_data(detail)
    }

    fn any(&mut self, depth: usize) -> Result<TypeSelector, NgsiError> {
        let mut parts = vec![self.all(depth)?];
        while let Some(rest) = self.rest.strip_prefix([',', '|']) {
            self.rest = rest;
            parts.push(self.all(depth)?);
        }
        Ok(single_or(parts, TypeSelector::Any))
    }

    fn all(&mut self, depth: usize) -> Result<TypeSelector, NgsiError> {
        let mut parts = vec![self.one(depth)?];
        while let Some(rest) = self.rest.strip_prefix(';') {
            self.rest = rest;
            parts.push(self.one(depth)?);
        }
        Ok(single_or(parts, TypeSelector::All))
    }

    fn one(&mut self, depth: usize) -> Result<TypeSelector, NgsiError> {
        if depth > DEPTH_MAX {
            return Err(self.refuse());
        }
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.any(depth + 1)?;
            self.rest = self.rest.strip_prefix(')').ok_or_else(|| self.refuse())?;
            return Ok(inner);
        }
        let end = self.rest.find([',', '|', ';', '(', ')']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(TypeSelector::Type(self.context.expand(name.trim())?))
    }
}

fn single_or(mut parts: Vec<TypeSelector>, make: fn(Vec<TypeSelector>) -> TypeSelector) -> TypeSelector {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            make(parts)
        }
        None => make(parts),
    }
}
