//! Words that must not be there (unfinished business, paths of one machine, hosts of package registries), calls that
//! belong to one crate only, and links in the docs that lead nowhere.

use std::path::Path;

use anyhow::{Context, Result};

use crate::run::root;

/// A text that must not stand in some files, and why.
struct Rule {
    words: &'static [&'static str],
    applies: fn(&str) -> bool,
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &[
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("XX", "X:"),
            "coming soon",
            "binnenkort beschikbaar",
        ],
        applies: is_code,
        why: "finish it or leave it out",
    },
    Rule {
        words: &[concat!("#[ign", "ore"), "test.skip(", "it.skip(", "test.fixme", "it.todo("],
        applies: is_code,
        why: "a test that does not run proves nothing",
    },
    Rule {
        words: &["/home/", "/work/", "../shared"],
        applies: |path| is_code(path) || path.ends_with(".md") || path.ends_with(".toml"),
        why: "the project stands alone: name no path of one machine",
    },
    Rule {
        words: &["registry.npmjs", "index.crates.io", "static.crates.io", "pypi.org", "deb.debian.org"],
        applies: |path| !path.starts_with("xtask/src/checks/") && path != "Cargo.lock",
        why: "name no host of a package registry",
    },
    Rule {
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now", "env::var"],
        applies: |path| is_layer(path) && !path.ends_with("/tests.rs"),
        why: "the clock and the environment enter in the binary only; take them as a value",
    },
];

/// Crates whose code takes time and settings as values.
fn is_layer(path: &str) -> bool {
    const LAYERS: &[&str] = &[
        "model",
        "segments",
        "store",
        "sources",
        "platform",
        "subscriptions",
        "outlook",
        "temporal",
        "views",
        "support",
        "trust",
        "api",
    ];
    path.ends_with(".rs") && LAYERS.iter().any(|layer| path.starts_with(&format!("crates/{layer}/src/")))
}

fn is_code(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    matches!(extension, "rs" | "ts" | "svelte" | "mjs" | "js" | "css") && !path.starts_with("xtask/src/checks/")
}

/// Reads every text file and gives each place that breaks a rule.
pub fn check(files: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in files.iter().filter(|path| is_text(path)) {
        let text = std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))?;
        for rule in RULES.iter().filter(|rule| (rule.applies)(path)) {
            found.extend(break_of(rule, path, &text));
        }
        if path.ends_with(".md") {
            found.extend(dead_links(path, &text));
        }
    }
    Ok(found)
}

fn is_text(path: &str) -> bool {
    const TEXT: &[&str] =
        &["rs", "ts", "js", "mjs", "svelte", "css", "html", "md", "toml", "json", "yml", "yaml", "sh", "py"];
    let extension = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    TEXT.contains(&extension) && !path.contains("/data/")
}

fn break_of(rule: &Rule, path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let hits = lines.filter_map(|(i, line)| {
        let word = rule.words.iter().find(|word| line.contains(**word))?;
        Some(format!("{path}:{}: \"{word}\": {}", i + 1, rule.why))
    });
    hits.collect()
}

/// Links of a Markdown file to files that are not there.
fn dead_links(path: &str, text: &str) -> Vec<String> {
    let folder = root().join(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        for part in line.split("](").skip(1) {
            let Some(target) = part.split(')').next() else { continue };
            let target = target.split('#').next().unwrap_or_default();
            let outside = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !folder.join(target).exists() {
                found.push(format!("{path}:{}: the link to {target} leads nowhere", i + 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_business_is_found_with_its_line() {
        let text = format!("fn a() {{}}\n// {}: later\n", concat!("TO", "DO"));
        assert_eq!(break_of(&RULES[0], "a.rs", &text).len(), 1);
    }

    #[test]
    fn a_link_to_a_missing_file_is_found_and_a_web_link_is_left_alone() {
        let text = "[a](no-such-file.md) [b](https://example.org) [c](#here)";
        assert_eq!(dead_links("README.md", text), ["README.md:1: the link to no-such-file.md leads nowhere"]);
    }
}
