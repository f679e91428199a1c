//! Templates of identifiers: text with fields in braces (`urn:ngsi-ld:TrafficFlowObserved:{station}`).

use model::Problem;

use crate::record::Record;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When a brace is not closed, not opened, or empty.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let refuse = |detail: &str| {
            let remedy = "write fields in braces, for example urn:ngsi-ld:Tree:{id}";
            Problem::new("id", format!("\"{text}\": {detail}"), remedy)
        };
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').ok_or_else(|| refuse("a brace is not closed"))?;
            if field.is_empty() || field.contains('{') {
                return Err(refuse("there is no field between the braces"));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Field(field.to_owned()));
            rest = behind;
        }
        if rest.contains('}') {
            return Err(refuse("a brace is closed that was not opened"));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text for one record; characters that an identifier may not have become `%XX`.
    ///
    /// # Errors
    /// Names the field that the record does not have.
    pub fn fill(&self, record: &Record) -> Result<String, Problem> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field(name) if name == "line" => filled.push_str(&record.line.to_string()),
                Part::Field(name) => match record.text(name) {
                    Some(text) if !text.is_empty() => push_encoded(&mut filled, &text),
                    _ => {
                        let remedy = "give the record this field, or use another field in the id template";
                        return Err(Problem::new(name, "it is missing, so the record has no id", remedy));
                    }
                },
            }
        }
        Ok(filled)
    }
}

/// Appends `text` with the characters that no entity id may have as percent-encoded UTF-8.
fn push_encoded(filled: &mut String, text: &str) {
    for c in text.chars() {
        let forbidden = c.is_whitespace() || c.is_control() || "<>\"{}|\\^`%".contains(c);
        if forbidden {
            let mut buffer = [0_u8; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                filled.push_str(&format!("%{byte:02X}"));
            }
        } else {
            filled.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(template: &str, fields: serde_json::Value, expect: &str) {
        let fields = fields.as_object().cloned().unwrap_or_default();
        let record = Record::new(7, fields);
        let filled = Template::parse(template).and_then(|t| t.fill(&record));
        assert_eq!(filled.unwrap_or_else(|p| p.to_string()), expect);
    }

    #[test]
    fn fields_numbers_and_the_line_are_filled_in() {
        check("urn:x:{a}:{b}:{line}", json!({"a": "q", "b": 32}), "urn:x:q:32:7");
    }

    #[test]
    fn spaces_and_braces_in_a_field_are_encoded() {
        check("urn:x:{a}", json!({"a": "8 Darby Street {EW}é%"}), "urn:x:8%20Darby%20Street%20%7BEW%7Dé%25");
    }

    #[test]
    fn a_missing_field_and_a_crooked_template_are_named() {
        check(
            "urn:x:{a}",
            json!({"a": null}),
            "a: it is missing, so the record has no id; give the record this field, or use another field in the id template",
        );
        for crooked in ["urn:{", "urn:{}", "urn:}", "urn:{a{b}"] {
            assert!(Template::parse(crooked).is_err(), "{crooked}");
        }
    }
}
