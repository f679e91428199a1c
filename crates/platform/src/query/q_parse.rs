//! Reads `q` expressions (ETSI GS CIM 009, 4.9). `;` binds closer than `|`, as everywhere in the API.

use model::Timestamp;

use super::{
    DEPTH_MAX, check_length, pattern,
    q::{Operator, Path, Q},
    q_value::{Operand, Scalar},
};
use crate::{
    context::Context,
    ngsi::{ErrorKind, NgsiError},
};

/// The most comparisons in one expression.
const TERMS_MAX: usize = 200;

struct Parser<'t, 'c> {
    text: &'t str,
    rest: &'t str,
    context: &'c Context,
    terms: usize,
}

/// What stands between a path and a value, longest first.
const OPERATORS: &[(&str, Kind)] = &[
    ("!~=", Kind::Pattern(false)),
    ("~=", Kind::Pattern(true)),
    ("==", Kind::Compare(Operator::Equal)),
    ("!=", Kind::Compare(Operator::Unequal)),
    (">=", Kind::Compare(Operator::GreaterEqual)),
    ("<=", Kind::Compare(Operator::LessEqual)),
    (">", Kind::Compare(Operator::Greater)),
    ("<", Kind::Compare(Operator::Less)),
];

#[derive(Clone, Copy)]
enum Kind {
    Compare(Operator),
    Pattern(bool),
}

pub(super) fn parse(text: &str, context: &Context) -> Result<Q, NgsiError> {
    check_length(text)?;
    let mut parser = Parser { text, rest: text, context, terms: 0 };
    let q = parser.any(0)?;
    if parser.rest.is_empty() { Ok(q) } else { Err(parser.refuse("there is something left")) }
}

pub(super) fn parse_path(text: &str, context: &Context) -> Result<Path, NgsiError> {
    check_length(text)?;
    let mut parser = Parser { text, rest: text, context, terms: 0 };
    let path = parser.path()?;
    if parser.rest.is_empty() { Ok(path) } else { Err(parser.refuse("there is something left")) }
}

impl<'t> Parser<'t, '_> {
    fn refuse(&self, what: &str) -> NgsiError {
        let at = self.text.len() - self.rest.len();
        let near: String = self.rest.chars().take(20).collect();
        NgsiError::bad_data(format!("q: {what} at character {at}, before \"{near}\""))
    }

    fn any(&mut self, depth: usize) -> Result<Q, NgsiError> {
        let mut parts = vec![self.all(depth)?];
        while let Some(rest) = self.rest.strip_prefix('|') {
            self.rest = rest;
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Q::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Q, NgsiError> {
        let mut parts = vec![self.one(depth)?];
        while let Some(rest) = self.rest.strip_prefix(';') {
            self.rest = rest;
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Q::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Q, NgsiError> {
        self.terms += 1;
        if self.terms > TERMS_MAX || depth > DEPTH_MAX {
            let detail = format!("q: more than {TERMS_MAX} comparisons or {DEPTH_MAX} parentheses; split the query");
            return Err(NgsiError::new(ErrorKind::TooComplexQuery, detail));
        }
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.any(depth + 1)?;
            self.rest = self.rest.strip_prefix(')').ok_or_else(|| self.refuse("a ) is missing"))?;
            return Ok(inner);
        }
        let path = self.path()?;
        let Some((sign, kind)) = OPERATORS.iter().find(|(sign, _)| self.rest.starts_with(sign)) else {
            return Ok(Q::Exists(path));
        };
        self.rest = &self.rest[sign.len()..];
        match kind {
            Kind::Pattern(wanted) => Ok(Q::Pattern(path, *wanted, self.regex()?)),
            Kind::Compare(operator) => {
                let operand = self.operand()?;
                let ordered = !matches!(operator, Operator::Equal | Operator::Unequal);
                if ordered && !matches!(operand, Operand::One(_)) {
                    return Err(self.refuse("lists and ranges go with == and != only"));
                }
                Ok(Q::Compare(path, *operator, operand))
            }
        }
    }

    /// `name.sub.sub[key.key]`; a name may be a full IRI.
    fn path(&mut self) -> Result<Path, NgsiError> {
        let end = self.rest.find(['=', '!', '>', '<', '~', ';', '|', '(', ')', '[']).unwrap_or(self.rest.len());
        let (names, after) = self.rest.split_at(end);
        if names.trim().is_empty() {
            return Err(self.refuse("the name of an attribute is missing"));
        }
        let mut path = Path { names: vec![], keys: vec![] };
        for name in split_names(names.trim()) {
            path.names.push((name.to_owned(), self.context.expand(name)?));
        }
        self.rest = after;
        if let Some(inner) = self.rest.strip_prefix('[') {
            let (keys, after) = inner.split_once(']').ok_or_else(|| self.refuse("a ] is missing"))?;
            path.keys = keys.split('.').map(|key| key.trim_matches('"').to_owned()).collect();
            if path.keys.iter().any(String::is_empty) {
                return Err(self.refuse("the key between [ and ] is empty"));
            }
            self.rest = after;
        }
        Ok(path)
    }

    /// A regular expression: quoted, or up to the next `;`, `|` or `)` outside its own parentheses.
    fn regex(&mut self) -> Result<regex::Regex, NgsiError> {
        if self.rest.starts_with('"') {
            let text = self.quoted()?;
            return pattern(&text);
        }
        let (mut depth, mut end) = (0_usize, self.rest.len());
        for (at, c) in self.rest.char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' if depth > 0 => depth -= 1,
                ')' | ';' | '|' if depth == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err(self.refuse("the regular expression is missing"));
        }
        self.rest = rest;
        pattern(text)
    }

    fn operand(&mut self) -> Result<Operand, NgsiError> {
        let first = self.scalar()?;
        if let Some(rest) = self.rest.strip_prefix("..") {
            self.rest = rest;
            return Ok(Operand::Range(first, self.scalar()?));
        }
        let mut values = vec![first];
        while let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            values.push(self.scalar()?);
        }
        Ok(if values.len() == 1 { Operand::One(values.swap_remove(0)) } else { Operand::OneOf(values) })
    }

    fn scalar(&mut self) -> Result<Scalar, NgsiError> {
        if self.rest.starts_with('"') {
            let text = self.quoted()?;
            let expanded = self.context.expand(&text).ok();
            return Ok(Scalar::Text(text, expanded));
        }
        let end = self.rest.find([',', ';', '|', '(', ')', '"']).unwrap_or(self.rest.len());
        let end = self.rest[..end].find("..").unwrap_or(end);
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err(self.refuse("a value is missing"));
        }
        self.rest = rest;
        Ok(match text {
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            _ => match (text.parse::<f64>(), Timestamp::parse(text)) {
                (Ok(number), _) if number.is_finite() => Scalar::Number(number),
                (_, Ok(at)) => Scalar::Time(at, text.to_owned()),
                _ => Scalar::Text(text.to_owned(), self.context.expand(text).ok()),
            },
        })
    }

    /// A text between quotes; `\"` and `\\` stand for themselves.
    fn quoted(&mut self) -> Result<String, NgsiError> {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '"' if !escaped => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' if !escaped => escaped = true,
                _ => {
                    if escaped && !matches!(c, '"' | '\\') {
                        text.push('\\');
                    }
                    escaped = false;
                    text.push(c);
                }
            }
        }
        Err(self.refuse("a closing quote is missing"))
    }
}

/// Splits at dots, but not inside a full IRI: there only after its last `/` or `#`.
fn split_names(text: &str) -> Vec<&str> {
    let own_dots_from = if text.contains("://") { text.rfind(['/', '#']).unwrap_or(0) } else { 0 };
    let Some(first_end) = text[own_dots_from..].find('.').map(|at| own_dots_from + at) else { return vec![text] };
    let (first, rest) = text.split_at(first_end);
    std::iter::once(first).chain(rest[1..].split('.')).collect()
}
