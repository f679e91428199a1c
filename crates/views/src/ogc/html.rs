//! A document of this interface as a plain page: its title, its values, its links. Nothing in it comes unescaped.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The most items of a list on one page.
const ROWS_MAX: usize = 1_000;

/// A page with a title. `document` is what the interface answers as JSON; `base` is where the interface stands.
#[must_use]
pub fn page(title: &str, document: &Value, base: &str) -> String {
    let mut body = String::new();
    match document.get("features").and_then(Value::as_array) {
        Some(features) => {
            numbers(&mut body, document);
            table(&mut body, features, base);
        }
        None => value(&mut body, document, 0),
    }
    links(&mut body, document);
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head>\n\
         <body><nav><a href=\"{base}?f=html\">Features</a> · <a href=\"{base}/collections?f=html\">Collections</a> · \
         <a href=\"/\">Map</a></nav>\n<main><h1>{title}</h1>\n{body}</main></body></html>\n",
        base = escape(base),
    )
}

fn numbers(out: &mut String, document: &Value) {
    for (name, label) in [("numberMatched", "Matched"), ("numberReturned", "On this page")] {
        if let Some(number) = document.get(name) {
            let _ = write!(out, "<p>{label}: {number}</p>");
        }
    }
}

fn table(out: &mut String, features: &[Value], base: &str) {
    let empty = Map::new();
    let properties =
        |f: &Value| f.get("properties").and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let Some(first) = features.first().map(properties) else {
        out.push_str("<p>No items.</p>");
        return;
    };
    let names: Vec<&String> = first.keys().collect();
    out.push_str("<table><thead><tr><th scope=\"col\">id</th>");
    for name in &names {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(name));
    }
    out.push_str("</tr></thead><tbody>\n");
    for feature in features.iter().take(ROWS_MAX) {
        let id = feature.get("id").and_then(Value::as_str).unwrap_or_default();
        let href = feature.get("links").and_then(|l| l.get(0)?.get("href")?.as_str().map(str::to_owned));
        let href = href.unwrap_or_else(|| base.to_owned());
        let _ = write!(out, "<tr><th scope=\"row\"><a href=\"{}\">{}</a></th>", escape(&href), escape(id));
        let row = properties(feature);
        for name in &names {
            let _ = write!(out, "<td>{}</td>", row.get(*name).map(cell).unwrap_or_default());
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "no data".to_owned(),
        Value::String(text) => escape(text),
        other => escape(&other.to_string()),
    }
}

fn value(out: &mut String, document: &Value, depth: usize) {
    match document {
        Value::Object(object) if depth < 6 => {
            out.push_str("<dl>");
            for (name, inner) in object.iter().filter(|(name, _)| *name != "links" || depth > 0) {
                let _ = write!(out, "<dt>{}</dt><dd>", escape(name));
                value(out, inner, depth + 1);
                out.push_str("</dd>\n");
            }
            out.push_str("</dl>");
        }
        Value::Array(items) if depth < 6 => {
            out.push_str("<ul>");
            for item in items.iter().take(ROWS_MAX) {
                out.push_str("<li>");
                value(out, item, depth + 1);
                out.push_str("</li>\n");
            }
            out.push_str("</ul>");
        }
        Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
            let _ = write!(out, "<a href=\"{0}\">{0}</a>", escape(text));
        }
        other => out.push_str(&cell(other)),
    }
}

fn links(out: &mut String, document: &Value) {
    let Some(links) = document.get("links").and_then(Value::as_array) else { return };
    out.push_str("<h2>Links</h2><ul>");
    for link in links {
        let text = |name: &str| link.get(name).and_then(Value::as_str).map(escape).unwrap_or_default();
        let _ = write!(out, "<li><a href=\"{}\" rel=\"{}\">{}</a></li>", text("href"), text("rel"), text("title"));
    }
    out.push_str("</ul>");
}

/// Text that stands for itself in HTML, also inside quotes.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_in_a_page_comes_unescaped() {
        let evil = "<script>alert('x')</script>";
        let feature = json!({ "id": evil, "properties": { "name": evil, evil: 1 }, "links": [{ "href": evil }] });
        for document in [json!({ "features": [feature] }), json!({ evil: [evil], "links": [{ "title": evil }] })] {
            let page = page(evil, &document, "http://x");
            assert!(!page.contains("<script>"), "{page}");
        }
    }
}
