//! Where inputs come from: the corpus, noise, and words in any order.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts that have broken parsers before, here or elsewhere: odd numbers, odd times, odd ids, odd characters.
pub const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "𝔘",
    "a\nb",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "-1e-999",
    "1e308",
    "99999999999999999999999999",
    "0x10",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-08-20T25:61:61Z",
    "2026-08-20",
    "P999999999Y",
    "PT",
    "urn:",
    "urn:ngsi-ld:null",
    ":",
    "://",
    "http://",
    "urn:x:<script>",
    "urn:x:%00",
    "../../etc/passwd",
    "' OR 1=1 --",
    "@context",
    "@id",
    "__proto__",
    "[",
    "{",
    "}",
    "\\",
    "(((((",
    ")))))",
    ";;;;",
    "||||",
    ",,,,",
    "....",
    "a.b.c[d.e]",
    "~=",
    "==",
    "%",
    "*",
    "#",
    "+",
    "/",
    "//",
];

/// The lines of a file of the corpus.
pub fn corpus(name: &str) -> Vec<String> {
    let path = format!("{}/tests/fuzz/corpus/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
}

/// Noise, odd texts, and words in any order.
pub fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => prop::sample::select(words).prop_map(str::to_owned),
        2 => prop::sample::select(ODD_TEXTS).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9_.:-]{1,8}",
        1 => "\\PC{0,4}",
    ];
    prop_oneof![
        4 => prop::collection::vec(word, 0..14).prop_map(|words| words.concat()),
        1 => ".{0,60}",
    ]
}

/// Any JSON, with the names that mean something to NGSI-LD more often than others.
pub fn json_value(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        prop::sample::select(names).prop_map(|name| json!(name)),
        prop::sample::select(ODD_TEXTS).prop_map(|text| json!(text)),
        ".{0,12}".prop_map(|text| json!(text)),
    ];
    let leaf = prop_oneof![
        4 => text,
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        2 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<u64>().prop_map(|number| json!(number)),
        2 => any::<f64>().prop_map(|number| json!(number)),
        1 => Just(Value::Null),
    ];
    let name = prop_oneof![
        8 => prop::sample::select(names).prop_map(str::to_owned),
        1 => prop::sample::select(ODD_TEXTS).prop_map(str::to_owned),
        1 => "[a-z]{1,6}",
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..7)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}
