//! Who may import whom. The table is the architecture; `cargo metadata` is the truth; a difference is a finding.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run::{cargo, output};

/// Each crate with the crates of the house that it may use in production.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "polder",
        &[
            "model",
            "store",
            "sources",
            "platform",
            "subscriptions",
            "temporal",
            "views",
            "support",
            "control",
            "forecast",
            "outlook",
            "trust",
            "api",
        ],
    ),
    (
        "polder-api",
        &[
            "model",
            "serving",
            "store",
            "sources",
            "platform",
            "subscriptions",
            "temporal",
            "views",
            "support",
            "control",
            "outlook",
            "paper",
            "trust",
        ],
    ),
    ("polder-control", &["model", "store", "support"]),
    ("polder-forecast", &[]),
    ("polder-model", &[]),
    ("polder-outlook", &["model", "store", "support", "forecast"]),
    ("polder-paper", &["model", "support", "control"]),
    ("polder-platform", &["model", "store"]),
    ("polder-segments", &["model"]),
    ("polder-serving", &["model", "store", "sources", "platform", "views", "control", "trust"]),
    ("polder-sources", &["model"]),
    ("polder-store", &["model", "segments"]),
    ("polder-subscriptions", &["model", "store", "platform"]),
    ("polder-support", &["model"]),
    ("polder-temporal", &["model", "store", "platform"]),
    ("polder-testing", &["model", "store", "sources", "platform", "views", "trust", "api"]),
    ("polder-trust", &["model", "store"]),
    ("polder-views", &["model", "store"]),
    ("xtask", &[]),
];

/// Libraries that have one home: nobody else may use them, so that what they do stays in one place.
const HOMES: &[(&str, &[&str])] = &[
    ("argon2", &["polder-trust"]),
    ("axum", &["polder-api", "polder-serving"]),
    ("fjall", &["polder-store"]),
    ("krilla", &["polder-paper"]),
    ("lettre", &["polder-sources"]),
    ("object_store", &["polder-segments"]),
    ("parquet", &["polder-segments"]),
    ("reqwest", &["polder-sources"]),
    ("rumqttc", &["polder-sources"]),
    ("tower-http", &["polder-api"]),
];

/// What cargo knows of the workspace and all it depends on.
pub fn metadata() -> Result<Value> {
    let text = output(&mut cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    serde_json::from_str(&text).context("cargo metadata printed something else than JSON")
}

/// How many arrows the longest path may have.
const DEPTH_MAX: usize = 6;

/// Every arrow that the table does not allow, every library outside its home, and a graph that is too deep.
pub fn check(metadata: &Value) -> Result<Vec<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().context("no members")?.iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut found = Vec::new();
    let mut graph: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages.iter().filter(|p| p["id"].as_str().is_some_and(|id| members.contains(id))) {
        let name = package["name"].as_str().unwrap_or_default();
        let production = production_dependencies(package);
        found.extend(forbidden(name, &production));
        let inside = production.iter().filter(|d| is_inside(d)).cloned().collect();
        graph.insert(name.to_owned(), inside);
    }
    let deepest = graph.keys().map(|name| depth(name, &graph)).max().unwrap_or(0);
    if deepest > DEPTH_MAX {
        found.push(format!("the crate graph has a path of {deepest} arrows, more than {DEPTH_MAX}"));
    }
    Ok(found)
}

fn production_dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|d| d["kind"].is_null()).filter_map(|d| d["name"].as_str().map(str::to_owned)).collect()
}

fn is_inside(name: &str) -> bool {
    ARROWS.iter().any(|(member, _)| *member == name)
}

fn forbidden(name: &str, dependencies: &[String]) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| *member == name) else {
        return vec![format!(
            "{name}: a new crate: give it a row in xtask/src/checks/arrows.rs and in ARCHITECTURE.md"
        )];
    };
    let mut found = Vec::new();
    for dependency in dependencies {
        let short = dependency.strip_prefix("polder-").unwrap_or(dependency);
        if is_inside(dependency) && !allowed.contains(&short) {
            found.push(format!("{name} -> {dependency}: the architecture has no such arrow"));
        }
        if let Some((_, homes)) = HOMES.iter().find(|(library, _)| library == dependency)
            && !homes.contains(&name)
            && name != "polder-testing"
        {
            found.push(format!("{name} uses {dependency}, whose only home is {}", homes.join(", ")));
        }
    }
    found
}

fn depth(name: &str, graph: &BTreeMap<String, Vec<String>>) -> usize {
    let below = graph.get(name).map(Vec::as_slice).unwrap_or_default();
    below.iter().map(|next| 1 + depth(next, graph)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_upward_and_a_library_away_from_home_are_found() {
        let found = forbidden("polder-views", &["polder-platform".into(), "axum".into(), "polder-store".into()]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(forbidden("polder-new", &[]).len(), 1);
    }
}
