//! JSON from outside: its depth is checked before anything is built, and only finite numbers come through.

use serde_json::{Number, Value};

use super::{ErrorKind, NgsiError};

/// The deepest nesting of arrays and objects that is read.
pub const DEPTH_MAX: usize = 64;

/// Reads a JSON text.
///
/// # Errors
/// `InvalidRequest` when it is not JSON (`NaN` and numbers too large for a double included), or nested deeper
/// than [`DEPTH_MAX`].
pub fn parse_json(bytes: &[u8]) -> Result<Value, NgsiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let detail = "the body is empty; send a JSON text";
        return Err(NgsiError::new(ErrorKind::InvalidRequest, detail));
    }
    check_depth(bytes)?;
    sonic_rs::from_slice(bytes).map_err(|error| {
        let reason = error.to_string();
        let first = reason.lines().next().unwrap_or_default();
        NgsiError::new(ErrorKind::InvalidRequest, format!("the body is not JSON: {first}"))
    })
}

/// A number as JSON, without a fraction where it has none (`120`, not `120.0`).
pub fn whole_where_whole(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Value::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Counts brackets outside strings; a text that is not JSON may pass, the parser refuses it afterwards.
fn check_depth(bytes: &[u8]) -> Result<(), NgsiError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let detail = format!("the JSON is nested deeper than {DEPTH_MAX} levels; flatten it");
            return Err(NgsiError::new(ErrorKind::InvalidRequest, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_brackets_are_refused_before_anything_is_built() {
        let text = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(parse_json(text.as_bytes()).unwrap_err().detail.contains("nested deeper than 64"));
        assert!(parse_json(format!("\"{}\"", "[".repeat(10_000)).as_bytes()).is_ok());
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for text in ["NaN", "{\"a\":NaN}", "[1e999]", "[Infinity]", "[-Infinity]", "", "  ", "{", "{\"a\":1,}"] {
            let error = parse_json(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest, "{text}");
        }
    }
}
