//! CQL2 text (OGC 21-065r2): comparisons, `LIKE`, `BETWEEN`, `IN`, `IS NULL`, `AND`, `OR`, `NOT` and `S_INTERSECTS`.
//!
//! A comparison with a value that is not there is neither true nor false; only what is true passes.

use geo::Intersects;
use geo_types as gt;
use model::{Entity, Problem};
use serde_json::Value;

use crate::{moment_in, number_in};

/// The longest filter, bytes.
const LENGTH_MAX: usize = 8_000;
/// The deepest nesting of brackets and negations.
const DEPTH_MAX: usize = 40;

/// A filter that has been read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Test);

#[derive(Clone, Debug, PartialEq)]
enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare(String, Relation, Literal),
    Like(String, String),
    Between(String, Literal, Literal),
    In(String, Vec<Literal>),
    IsNull(String),
    Intersects(gt::Geometry<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Filter {
    /// Reads a filter. `known` says which properties exist.
    ///
    /// # Errors
    /// Names the place and what was expected there.
    pub fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, Problem> {
        if text.len() > LENGTH_MAX {
            return Err(wrong(format!("it has {} bytes, more than {LENGTH_MAX}", text.len())));
        }
        let tokens = tokens_of(text)?;
        let mut reader = Reader { tokens: &tokens, place: 0, depth: 0, known };
        let test = reader.either()?;
        match reader.peek() {
            None => Ok(Self(test)),
            Some(extra) => Err(wrong(format!("{extra} is not expected after a complete filter"))),
        }
    }

    /// Whether a thing passes. `value` gives a property by its short name, `null` when it is not there.
    pub fn passes(&self, entity: &Entity, value: &dyn Fn(&str) -> Value) -> bool {
        self.0.holds(entity, value) == Some(true)
    }
}

fn wrong(detail: String) -> Problem {
    Problem::new("filter", detail, "write CQL2 text, for example speed > 50 AND name LIKE 'A%'")
}

impl Test {
    fn holds(&self, entity: &Entity, value: &dyn Fn(&str) -> Value) -> Option<bool> {
        match self {
            Self::And(all) => all
                .iter()
                .try_fold(true, |sofar, test| match test.holds(entity, value) {
                    Some(false) => Err(Some(false)),
                    None => Ok(false),
                    Some(true) => Ok(sofar),
                })
                .map_or_else(|decided| decided, |all_true| all_true.then_some(true)),
            Self::Or(any) => any
                .iter()
                .try_fold(true, |sofar, test| match test.holds(entity, value) {
                    Some(true) => Err(Some(true)),
                    None => Ok(false),
                    Some(false) => Ok(sofar),
                })
                .map_or_else(|decided| decided, |all_false| all_false.then_some(false)),
            Self::Not(test) => test.holds(entity, value).map(|held| !held),
            Self::Compare(name, relation, literal) => {
                let order = compare(&value(name), literal)?;
                Some(match relation {
                    Relation::Equal => order.is_eq(),
                    Relation::Different => order.is_ne(),
                    Relation::Less => order.is_lt(),
                    Relation::LessOrEqual => order.is_le(),
                    Relation::Greater => order.is_gt(),
                    Relation::GreaterOrEqual => order.is_ge(),
                })
            }
            Self::Like(name, pattern) => Some(like(value(name).as_str()?, pattern)),
            Self::Between(name, low, high) => {
                let found = value(name);
                Some(compare(&found, low)?.is_ge() && compare(&found, high)?.is_le())
            }
            Self::In(name, choices) => {
                let found = value(name);
                (!found.is_null()).then(|| choices.iter().any(|c| compare(&found, c).is_some_and(|o| o.is_eq())))
            }
            Self::IsNull(name) => Some(value(name).is_null()),
            Self::Intersects(shape) => Some(entity.location()?.shape().intersects(shape)),
        }
    }
}

/// `None` when the two cannot be compared.
fn compare(value: &Value, literal: &Literal) -> Option<std::cmp::Ordering> {
    match literal {
        Literal::Number(number) => number_in(value)?.partial_cmp(number),
        Literal::Truth(truth) => Some(value.as_bool()?.cmp(truth)),
        Literal::Text(text) => match (moment_in(value), model::Timestamp::parse(text)) {
            (Some(moment), Ok(other)) => Some(moment.cmp(&other)),
            _ => Some(value.as_str()?.cmp(text.as_str())),
        },
    }
}

/// `%` stands for any characters, `_` for one; `\` takes away the meaning of the next. Linear but for one retry.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut wanted = vec![];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        wanted.push(match c {
            '%' => Wanted::Any,
            '_' => Wanted::One,
            '\\' => Wanted::This(chars.next().unwrap_or('\\')),
            other => Wanted::This(other),
        });
    }
    let (mut t, mut w) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (text.get(t), wanted.get(w)) {
            (_, Some(Wanted::Any)) => {
                w += 1;
                retry = Some((t, w));
            }
            (Some(c), Some(Wanted::This(this))) if c == this => (t, w) = (t + 1, w + 1),
            (Some(_), Some(Wanted::One)) => (t, w) = (t + 1, w + 1),
            (None, None) => return true,
            _ => match retry {
                Some((from, after)) if from < text.len() => {
                    (t, w) = (from + 1, after);
                    retry = Some((from + 1, after));
                }
                _ => return false,
            },
        }
    }
}

enum Wanted {
    Any,
    One,
    This(char),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => write!(f, "\"{number}\""),
            Self::Sign(sign) => write!(f, "\"{sign}\""),
        }
    }
}

/// Signs, longer ones before their beginnings.
const SIGNS: [&str; 9] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

fn tokens_of(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)?,
            c if c.is_ascii_digit() || (c == '-' && rest.len() > 1) => number(rest)?,
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_.:-".contains(c))).unwrap_or(rest.len());
                (Token::Word(rest.get(..end).unwrap_or_default().to_owned()), end)
            }
            other => match SIGNS.iter().find(|s| rest.starts_with(**s)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err(wrong(format!("\"{other}\" has no meaning here"))),
            },
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Problem> {
    let mut inside = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inside.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            // A doubled quote is a quote.
            inside.push(quote);
            chars.next();
        } else {
            let token = if quote == '"' { Token::Name(inside) } else { Token::Text(inside) };
            return Ok((token, at + 1));
        }
    }
    Err(wrong(format!("a {quote} is not closed")))
}

fn number(rest: &str) -> Result<(Token, usize), Problem> {
    let end = rest
        .char_indices()
        .position(|(i, c)| {
            !(c.is_ascii_digit()
                || c == '.'
                || "eE".contains(c)
                || ("+-".contains(c) && (i == 0 || rest.get(..i).is_some_and(|b| b.ends_with(['e', 'E'])))))
        })
        .unwrap_or(rest.len());
    let text = rest.get(..end).unwrap_or_default();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), end)),
        _ => Err(wrong(format!("\"{}\" is not a number", text.chars().take(40).collect::<String>()))),
    }
}

/// Reads a list of tokens by recursive descent.
struct Reader<'a> {
    tokens: &'a [Token],
    place: usize,
    depth: usize,
    known: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn word_is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word_is(word);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Problem> {
        match self.peek() {
            Some(Token::Sign(found)) if *found == sign => {
                self.place += 1;
                Ok(())
            }
            other => Err(expected(sign, other)),
        }
    }

    fn either(&mut self) -> Result<Test, Problem> {
        let mut tests = vec![self.both()?];
        while self.take_word("or") {
            tests.push(self.both()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::Or(tests) })
    }

    fn both(&mut self) -> Result<Test, Problem> {
        let mut tests = vec![self.single()?];
        while self.take_word("and") {
            tests.push(self.single()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::And(tests) })
    }

    fn single(&mut self) -> Result<Test, Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(wrong(format!("it is nested deeper than {DEPTH_MAX}")));
        }
        let test = if self.take_word("not") {
            Test::Not(Box::new(self.single()?))
        } else if self.expect("(").is_ok() {
            let inner = self.either()?;
            self.expect(")")?;
            inner
        } else if self.take_word("s_intersects") {
            self.intersects()?
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(test)
    }

    fn predicate(&mut self) -> Result<Test, Problem> {
        let name = self.name()?;
        if self.take_word("is") {
            let not = self.take_word("not");
            if !self.take_word("null") {
                return Err(expected("NULL", self.peek()));
            }
            let test = Test::IsNull(name);
            return Ok(if not { Test::Not(Box::new(test)) } else { test });
        }
        let not = self.take_word("not");
        let test = if self.take_word("like") {
            match self.literal()? {
                Literal::Text(pattern) => Test::Like(name, pattern),
                _ => return Err(wrong("LIKE needs a text in single quotes".to_owned())),
            }
        } else if self.take_word("between") {
            let low = self.literal()?;
            if !self.take_word("and") {
                return Err(expected("AND", self.peek()));
            }
            Test::Between(name, low, self.literal()?)
        } else if self.take_word("in") {
            self.expect("(")?;
            let mut choices = vec![self.literal()?];
            while self.expect(",").is_ok() {
                choices.push(self.literal()?);
            }
            self.expect(")")?;
            Test::In(name, choices)
        } else if not {
            return Err(expected("LIKE, BETWEEN or IN", self.peek()));
        } else {
            let relation = self.relation()?;
            Test::Compare(name, relation, self.literal()?)
        };
        Ok(if not { Test::Not(Box::new(test)) } else { test })
    }

    fn name(&mut self) -> Result<String, Problem> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Name(name)) => name.clone(),
            other => return Err(expected("the name of a property", other)),
        };
        self.place += 1;
        if (self.known)(&name) {
            return Ok(name);
        }
        let detail = format!("there is no property \"{}\"", name.chars().take(80).collect::<String>());
        Err(Problem::new("filter", detail, "use a property that the collection's queryables list"))
    }

    fn relation(&mut self) -> Result<Relation, Problem> {
        let relation = match self.peek() {
            Some(Token::Sign("=")) => Relation::Equal,
            Some(Token::Sign("<>")) => Relation::Different,
            Some(Token::Sign("<")) => Relation::Less,
            Some(Token::Sign("<=")) => Relation::LessOrEqual,
            Some(Token::Sign(">")) => Relation::Greater,
            Some(Token::Sign(">=")) => Relation::GreaterOrEqual,
            other => return Err(expected("a comparison", other)),
        };
        self.place += 1;
        Ok(relation)
    }

    fn literal(&mut self) -> Result<Literal, Problem> {
        for function in ["timestamp", "date"] {
            if self.take_word(function) {
                self.expect("(")?;
                let inner = self.literal()?;
                self.expect(")")?;
                return Ok(match inner {
                    Literal::Text(day) if function == "date" => Literal::Text(format!("{day}T00:00:00Z")),
                    other => other,
                });
            }
        }
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(*number),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Literal::Truth(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Literal::Truth(false),
            other => return Err(expected("a number, a text in single quotes, TRUE or FALSE", other)),
        };
        self.place += 1;
        Ok(literal)
    }

    /// `S_INTERSECTS(geometry, BBOX(w,s,e,n))`, or `POINT(x y)`, or `POLYGON((x y, ...))` in its place.
    fn intersects(&mut self) -> Result<Test, Problem> {
        self.expect("(")?;
        let name = self.peek().cloned();
        if !matches!(&name, Some(Token::Word(n) | Token::Name(n)) if n == "geometry" || n == "location") {
            return Err(expected("geometry", name.as_ref()));
        }
        self.place += 1;
        self.expect(",")?;
        let shape = if self.take_word("bbox") || self.take_word("envelope") {
            match self.positions()?.as_slice() {
                [w, s, e, n] => gt::Rect::new((*w, *s), (*e, *n)).to_polygon().into(),
                _ => return Err(wrong("BBOX needs four numbers: west, south, east, north".to_owned())),
            }
        } else if self.take_word("point") {
            match self.positions()?.as_slice() {
                [x, y] => gt::Point::new(*x, *y).into(),
                _ => return Err(wrong("POINT needs a longitude and a latitude".to_owned())),
            }
        } else if self.take_word("polygon") {
            self.expect("(")?;
            let numbers = self.positions()?;
            self.expect(")")?;
            let ring: Vec<(f64, f64)> =
                numbers.chunks_exact(2).filter_map(|c| if let [x, y] = c { Some((*x, *y)) } else { None }).collect();
            if ring.len() < 4 || ring.first() != ring.last() {
                return Err(wrong("POLYGON needs a closed ring of at least four positions".to_owned()));
            }
            gt::Polygon::new(ring.into(), vec![]).into()
        } else {
            return Err(expected("BBOX, POINT or POLYGON", self.peek()));
        };
        self.expect(")")?;
        Ok(Test::Intersects(shape))
    }

    /// Numbers between brackets, with or without commas.
    fn positions(&mut self) -> Result<Vec<f64>, Problem> {
        self.expect("(")?;
        let mut numbers = vec![];
        loop {
            match self.peek() {
                Some(Token::Number(number)) => numbers.push(*number),
                Some(Token::Sign(",")) => {}
                _ => break,
            }
            self.place += 1;
        }
        self.expect(")")?;
        Ok(numbers)
    }
}

fn expected(what: &str, found: Option<&Token>) -> Problem {
    match found {
        Some(found) => wrong(format!("expected {what}, found {found}")),
        None => wrong(format!("expected {what}, but it ends there")),
    }
}
