//! Small by rule: functions, files, crates and components have a largest size, and each Rust file says what it is for.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use syn::visit::Visit;

use crate::run::root;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
const CRATE_LINES_MAX: usize = 6_000;
const COMPONENT_LINES_MAX: usize = 200;

/// Reads every Rust and Svelte file and gives what is too large or lacks its header.
pub fn check(files: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut crates: BTreeMap<String, usize> = BTreeMap::new();
    for path in files {
        if path.ends_with(".svelte") {
            found.extend(component(path)?);
        }
        if !path.ends_with(".rs") {
            continue;
        }
        let text = read(path)?;
        if !text.starts_with("//!") {
            found.push(format!("{path}:1: does not open with a `//!` line that says what the file is for"));
        }
        let lines = text.lines().count();
        if is_production(path) {
            if lines > FILE_LINES_MAX {
                found.push(format!("{path}: {lines} lines, more than {FILE_LINES_MAX}: split it by what it is about"));
            }
            let owner = path.split('/').take(2).collect::<Vec<_>>().join("/");
            *crates.entry(owner).or_default() += lines_of_code(&text);
        }
        found.extend(functions(path, &text)?);
    }
    for (name, lines) in crates.iter().filter(|(_, lines)| **lines > CRATE_LINES_MAX) {
        found.push(format!("{name}: {lines} lines of code, more than {CRATE_LINES_MAX}"));
    }
    Ok(found)
}

/// Lines that a program runs: without blank lines, comments, docstrings and the tests at the end of a file. A crate is
/// limited by these, so that nobody saves on docstrings.
fn lines_of_code(text: &str) -> usize {
    let production = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    production.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// Production code is what ships: not tests, examples, benchmarks or the test crate.
fn is_production(path: &str) -> bool {
    let in_crate = path.starts_with("crates/") && path.contains("/src/") || path.starts_with("xtask/src/");
    let test = path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("crates/testing/");
    in_crate && !test
}

fn component(path: &str) -> Result<Option<String>> {
    let lines = read(path)?.lines().count();
    Ok((lines > COMPONENT_LINES_MAX).then(|| format!("{path}: {lines} lines, more than {COMPONENT_LINES_MAX}")))
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

fn functions(path: &str, text: &str) -> Result<Vec<String>> {
    let file = syn::parse_file(text).with_context(|| format!("{path} is not Rust"))?;
    let mut walk = Functions { path, found: Vec::new() };
    walk.visit_file(&file);
    Ok(walk.found)
}

struct Functions<'a> {
    path: &'a str,
    found: Vec<String>,
}

impl Functions<'_> {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let (first, last) = (name.span().start().line, block.brace_token.span.close().end().line);
        let lines = last + 1 - first;
        if lines > FUNCTION_LINES_MAX {
            self.found
                .push(format!("{}:{first}: `{name}` has {lines} lines, more than {FUNCTION_LINES_MAX}", self.path));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig.ident, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_over_the_limit_is_named_with_its_line() {
        let text = format!("//! x\nfn long() {{\n{}}}\n", "    let _ = 1;\n".repeat(FUNCTION_LINES_MAX));
        let found = functions("a.rs", &text).unwrap();
        assert_eq!(found, ["a.rs:2: `long` has 72 lines, more than 70"]);
    }

    #[test]
    fn tests_and_the_test_crate_are_not_production() {
        assert!(is_production("crates/store/src/lib.rs"));
        for path in [
            "crates/store/src/x/tests.rs",
            "crates/store/tests/a.rs",
            "crates/testing/src/lib.rs",
            "crates/store/examples/a.rs",
        ] {
            assert!(!is_production(path), "{path}");
        }
    }
}
