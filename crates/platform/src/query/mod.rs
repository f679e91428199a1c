//! Queries over entities: type selectors, `q`, `geoQ`, `scopeQ`, and finding what matches
//! (ETSI GS CIM 009, 4.9, 4.10, 4.17, 4.19 and 5.7.2).

mod find;
mod geo_q;
mod linked;
mod order_by;
mod q;
mod q_parse;
mod q_value;
mod scope_q;
mod type_selector;

pub use find::{EntityQuery, Found, Selector, find, find_one};
pub use geo_q::{GeoQ, GeoRelation};
pub use linked::{follow, follow_flat};
pub use order_by::OrderBy;
pub use q::Q;
pub use scope_q::ScopeQ;
pub use type_selector::TypeSelector;

use crate::ngsi::{ErrorKind, NgsiError};

/// The deepest nesting of parentheses in a query expression.
const DEPTH_MAX: usize = 32;
/// What one compiled regular expression may take.
const PATTERN_BYTES_MAX: usize = 128 << 10;
/// The longest query expression.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// A regular expression as queries carry it, with bounds on its size. Matching takes linear time.
///
/// # Errors
/// `BadRequestData` when it is not a regular expression.
pub fn pattern(text: &str) -> Result<regex::Regex, NgsiError> {
    if has_double_repetition(text) {
        let detail = format!("the regular expression \"{text}\" cannot be used: one repetition follows another");
        return Err(NgsiError::bad_data(detail));
    }
    let compiled = regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).nest_limit(50).build();
    compiled.map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default();
        NgsiError::bad_data(format!("the regular expression cannot be used: {last}"))
    })
}

/// Whether `**`, `+*` and the like stand outside a class. Other engines refuse them or read them otherwise, so that
/// a query would mean different things in different places.
fn has_double_repetition(text: &str) -> bool {
    let (mut escaped, mut in_class, mut repeated) = (false, false, false);
    for c in text.chars() {
        let repetition = !escaped && !in_class && matches!(c, '*' | '+');
        if repetition && repeated {
            return true;
        }
        repeated = repetition;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    false
}

fn check_length(text: &str) -> Result<(), NgsiError> {
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("the expression is longer than {TEXT_BYTES_MAX} bytes; split the query");
        return Err(NgsiError::new(ErrorKind::TooComplexQuery, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
