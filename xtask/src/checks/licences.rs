//! Every dependency has a licence that an EUPL-1.2 program may use and a city may redistribute.

use serde_json::Value;

/// Licences that may be combined with EUPL-1.2 without conditions beyond attribution or the file itself.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "EUPL-1.2",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Each package without a licence expression that can be met from the list.
pub fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused = packages.iter().filter(|p| !p["license"].as_str().is_some_and(is_allowed));
    refused.map(|p| format!("{} {}: licence {} is not on the list", p["name"], p["version"], p["license"])).collect()
}

/// Whether an SPDX expression can be met: of parts joined by OR one must be allowed, of parts joined by AND all.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    split_outside(&expression, " AND ").iter().all(|all| {
        let all = all.trim();
        let inner = all.strip_prefix('(').and_then(|a| a.strip_suffix(')')).unwrap_or(all);
        let either = split_outside(inner, " OR ");
        either.iter().any(|one| {
            let one = one.trim();
            ALLOWED.contains(&one) || (one != expression.trim() && is_compound(one) && is_allowed(one))
        })
    })
}

fn is_compound(expression: &str) -> bool {
    [" OR ", " AND ", "("].iter().any(|sign| expression.contains(sign))
}

/// Splits at `sign`, but not inside parentheses.
fn split_outside<'a>(text: &'a str, sign: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && i >= start && text[i..].starts_with(sign) => {
                parts.push(&text[start..i]);
                start = i + sign.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start.min(text.len())..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_choices_is_enough_and_all_of_a_conjunction_are_needed() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 AND ISC",
            "Unlicense OR MIT",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR AGPL-3.0) AND MIT", ""] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
