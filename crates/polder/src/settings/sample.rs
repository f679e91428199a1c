//! The annotated sample configuration: made from the defaults and the docstrings, so it cannot grow stale.

use std::fmt::Write;

use serde_json::Value;

use super::Settings;

/// A configuration file with every setting, what it means and its default. Settings without a default are commented.
pub fn sample() -> String {
    let schema = schemars::schema_for!(Settings).to_value();
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut text = String::from(
        "# Polder's settings, each with its default. The environment goes before this file\n\
         # (POLDER_SERVER__LISTEN=...), and what is typed goes before both.\n",
    );
    let empty = serde_json::Map::new();
    for (section, section_schema) in schema["properties"].as_object().unwrap_or(&empty) {
        let shape = resolve(&schema, section_schema);
        _ = write!(text, "\n{}[{section}]\n", comment(section_schema, shape));
        for (setting, setting_schema) in shape["properties"].as_object().unwrap_or(&empty) {
            let value = &defaults[section][setting];
            _ = writeln!(
                text,
                "{}{}",
                comment(setting_schema, setting_schema),
                line(setting, value, &schema, setting_schema)
            );
        }
    }
    text
}

fn comment(schema: &Value, shape: &Value) -> String {
    let description = schema["description"].as_str().or_else(|| shape["description"].as_str()).unwrap_or_default();
    description.lines().map(|line| format!("# {line}\n")).collect()
}

fn line(setting: &str, value: &Value, root: &Value, schema: &Value) -> String {
    if !value.is_null() {
        return format!("{setting} = {value}");
    }
    let shape = resolve(root, schema);
    match shape["properties"].as_object() {
        Some(inner) => {
            let keys: Vec<String> = inner.keys().map(|key| format!("{key} = \"…\"")).collect();
            format!("# {setting} = {{ {} }}", keys.join(", "))
        }
        None => format!("# {setting} ="),
    }
}

/// Follows `$ref` and the non-null branch of `anyOf`.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return root.pointer(reference.trim_start_matches('#')).unwrap_or(schema);
    }
    let branches = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    branches.iter().find(|branch| branch["type"] != "null").map_or(schema, |branch| resolve(root, branch))
}
