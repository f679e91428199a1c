//! Attributes to wire JSON, straight into bytes.

use model::{Attribute, AttributeValue, EntityId, Geometry, Iri, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Form, View,
    write::{Linked, Scribe},
};
use crate::context::Context;

/// Writes a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        write_value(out, text);
    }
}

/// Writes any value. Serialising into memory does not fail for the values of the model.
pub(super) fn write_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Writes a moment as a JSON string, the same text as its `Display`.
///
/// Answers have a time on nearly every attribute, so this goes from days to year, month and day by arithmetic
/// (H. Hinnant, "chrono-compatible low-level date algorithms", 2021) instead of through a calendar library.
pub fn write_timestamp(out: &mut Vec<u8>, at: Timestamp) {
    let (seconds, micros) = (at.micros().div_euclid(1_000_000), at.micros().rem_euclid(1_000_000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
    let parts = [(1, year / 100), (3, year), (6, month), (9, day)];
    let time = [(12, second_of_day / 3_600), (15, second_of_day / 60 % 60), (18, second_of_day % 60)];
    for (place, number) in parts.into_iter().chain(time) {
        write_two_digits(&mut text, place, number);
    }
    if micros == 0 {
        out.extend_from_slice(&text[..20]);
    } else {
        for (place, number) in [(21, micros / 10_000), (23, micros / 100), (25, micros)] {
            write_two_digits(&mut text, place, number);
        }
        let end = text[..27].iter().rposition(|digit| *digit != b'0').map_or(27, |last| last + 1);
        out.extend_from_slice(&text[..end]);
    }
    out.extend_from_slice(b"Z\"");
}

/// Writes the last two digits of a number from 0.
fn write_two_digits(text: &mut [u8], place: usize, number: i64) {
    let number = u8::try_from(number.rem_euclid(100)).unwrap_or(0);
    text[place] = b'0' + number / 10;
    text[place + 1] = b'0' + number % 10;
}

fn write_geometry(out: &mut Vec<u8>, geometry: &Geometry) {
    match geometry.flat_point() {
        Some((longitude, latitude)) => {
            out.extend_from_slice(b"{\"type\":\"Point\",\"coordinates\":[");
            write_value(out, &longitude);
            out.push(b',');
            write_value(out, &latitude);
            out.extend_from_slice(b"]}");
        }
        None => write_value(out, geometry),
    }
}

/// Writes one instance of an attribute as an answer shows it.
pub fn write_attribute(out: &mut Vec<u8>, attribute: &Attribute, context: &Context, view: &View) {
    let scribe = Scribe { context, view, linked: None };
    scribe.attribute(out, attribute, None, 0);
}

/// Writes only the value, as the simplified form has it.
pub fn write_attribute_value(out: &mut Vec<u8>, attribute: &Attribute, context: &Context, view: &View) {
    let scribe = Scribe { context, view, linked: None };
    scribe.simplified(out, attribute, None, 0);
}

/// The text of a language map in a language: that tag, else `@none`, else English, else the first.
pub(super) fn in_language<'m>(map: &'m Map<String, Value>, lang: &str) -> Option<(&'m str, &'m Value)> {
    // An Accept-Language style list: "nl,en;q=0.8".
    let wanted = lang.split(',').map(|tag| tag.split(';').next().unwrap_or_default().trim());
    let exact = |tag: &str| map.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
    let close = |tag: &str| {
        let base = tag.split('-').next().unwrap_or_default();
        map.iter().find(|(known, _)| known.split('-').next().is_some_and(|k| k.eq_ignore_ascii_case(base)))
    };
    let found = wanted.filter(|tag| *tag != "*").find_map(|tag| exact(tag).or_else(|| close(tag)));
    let found = found.or_else(|| exact("@none")).or_else(|| exact("en")).or_else(|| map.iter().next());
    found.map(|(tag, text)| (tag.as_str(), text))
}

/// Opens a member: a comma when it is not the first, then the name.
pub(super) fn member(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

impl Scribe<'_> {
    /// One instance in the form of the view. `name` is given for attributes that may link to entities.
    pub(super) fn attribute(&self, out: &mut Vec<u8>, attribute: &Attribute, name: Option<&Iri>, level: usize) {
        match self.view.form {
            Form::Simplified => self.simplified(out, attribute, name, level),
            Form::Concise if self.is_bare(attribute) => match &attribute.value {
                AttributeValue::Geo(geometry) => write_geometry(out, geometry),
                AttributeValue::Property(value) => write_value(out, value),
                _ => self.object(out, attribute, name, level),
            },
            Form::Concise | Form::Normalized => self.object(out, attribute, name, level),
        }
    }

    /// Whether the concise form needs nothing but the value.
    fn is_bare(&self, attribute: &Attribute) -> bool {
        let simple = match &attribute.value {
            AttributeValue::Property(value) => !value.is_object(),
            AttributeValue::Geo(_) => true,
            _ => false,
        };
        simple
            && attribute.dataset_id.is_none()
            && attribute.observed_at.is_none()
            && attribute.unit_code.is_none()
            && attribute.instance_id.is_none()
            && attribute.sub_attributes.is_empty()
            && !self.view.sys_attrs
    }

    fn object(&self, out: &mut Vec<u8>, attribute: &Attribute, name: Option<&Iri>, level: usize) {
        out.push(b'{');
        let reduced = match (&attribute.value, &self.view.lang) {
            (AttributeValue::Language(map), Some(lang)) => in_language(map, lang),
            _ => None,
        };
        if self.view.form == Form::Normalized {
            member(out, "type");
            write_string(out, if reduced.is_some() { "Property" } else { attribute.value.kind() });
        }
        match reduced {
            Some((tag, text)) => {
                member(out, "value");
                write_value(out, text);
                member(out, "lang");
                write_string(out, tag);
            }
            None => self.value_member(out, &attribute.value),
        }
        self.metadata(out, attribute);
        for (sub_name, instances) in &attribute.sub_attributes {
            self.instances(out, sub_name, instances.iter(), None, 0);
        }
        if let (Some(name), Some(linked)) = (name, self.linked) {
            self.inline_entities(out, attribute, name, linked, level);
        }
        out.push(b'}');
    }

    fn metadata(&self, out: &mut Vec<u8>, attribute: &Attribute) {
        let texts = [
            ("datasetId", &attribute.dataset_id),
            ("unitCode", &attribute.unit_code),
            ("instanceId", &attribute.instance_id),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                member(out, name);
                write_string(out, text);
            }
        }
        let system = |at: Option<Timestamp>| at.filter(|_| self.view.sys_attrs);
        let times = [
            ("observedAt", attribute.observed_at),
            ("createdAt", system(attribute.created_at)),
            ("modifiedAt", system(attribute.modified_at)),
        ];
        for (name, at) in times {
            if let Some(at) = at {
                member(out, name);
                write_timestamp(out, at);
            }
        }
    }

    fn value_member(&self, out: &mut Vec<u8>, value: &AttributeValue) {
        let name = match value {
            AttributeValue::Property(_) | AttributeValue::Geo(_) => "value",
            AttributeValue::Relationship { .. } => "object",
            AttributeValue::Language(_) => "languageMap",
            AttributeValue::Json(_) => "json",
            AttributeValue::Vocab(_) => "vocab",
            AttributeValue::List(_) => "valueList",
            AttributeValue::ListRelationship { .. } => "objectList",
        };
        member(out, name);
        self.bare_value(out, value);
        if let AttributeValue::Relationship { object_types: types, .. }
        | AttributeValue::ListRelationship { object_types: types, .. } = value
            && !types.is_empty()
        {
            member(out, "objectType");
            self.names(out, types);
        }
    }

    /// The value as the normalised form has it.
    fn bare_value(&self, out: &mut Vec<u8>, value: &AttributeValue) {
        match value {
            AttributeValue::Property(value) | AttributeValue::Json(value) => write_value(out, value),
            AttributeValue::Geo(geometry) => write_geometry(out, geometry),
            AttributeValue::Relationship { objects, array, .. } => write_objects(out, objects, *array),
            AttributeValue::Language(map) => write_value(out, map),
            AttributeValue::Vocab(Value::Array(items)) => {
                let names: Vec<Iri> = items.iter().filter_map(Value::as_str).map(Iri::from).collect();
                self.array_of_names(out, &names);
            }
            AttributeValue::Vocab(item) => self.name(out, &Iri::from(item.as_str().unwrap_or_default())),
            AttributeValue::List(items) => write_value(out, items),
            AttributeValue::ListRelationship { objects, .. } => {
                out.push(b'[');
                for (i, object) in objects.iter().enumerate() {
                    out.extend_from_slice(if i == 0 { b"{\"object\":" } else { b",{\"object\":" });
                    write_string(out, object.as_str());
                    out.push(b'}');
                }
                out.push(b']');
            }
        }
    }

    /// The value as the simplified form has it.
    pub(super) fn simplified(&self, out: &mut Vec<u8>, attribute: &Attribute, name: Option<&Iri>, level: usize) {
        let wrapped = match &attribute.value {
            AttributeValue::Language(map) => match &self.view.lang {
                Some(lang) => return write_value(out, &in_language(map, lang).map(|(_, text)| text)),
                None => "languageMap",
            },
            AttributeValue::Json(_) => "json",
            AttributeValue::Vocab(_) => "vocab",
            AttributeValue::List(_) => "valueList",
            AttributeValue::ListRelationship { objects, .. } => {
                out.extend_from_slice(b"{\"objectList\":");
                write_objects(out, objects, true);
                out.push(b'}');
                return;
            }
            AttributeValue::Relationship { objects, array, .. } => {
                let linked = name.zip(self.linked).filter(|(_, linked)| level < linked.level_max);
                return match linked {
                    Some((name, linked)) => self.simplified_links(out, objects, *array, (name, linked), level),
                    None => write_objects(out, objects, *array),
                };
            }
            other => return self.bare_value(out, other),
        };
        member_only(out, wrapped, |out| self.bare_value(out, &attribute.value));
    }

    fn simplified_links(
        &self,
        out: &mut Vec<u8>,
        objects: &[EntityId],
        array: bool,
        (name, linked): (&Iri, &Linked),
        level: usize,
    ) {
        let list = array || objects.len() > 1;
        if list {
            out.push(b'[');
        }
        for (i, object) in objects.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match linked.entities.get(object) {
                Some(entity) => self.linked_entity(out, entity, name, level),
                None => write_string(out, object.as_str()),
            }
        }
        if list {
            out.push(b']');
        }
    }

    /// The `entity` member of a relationship whose objects are shown inside it.
    fn inline_entities(&self, out: &mut Vec<u8>, attribute: &Attribute, name: &Iri, linked: &Linked, level: usize) {
        let (objects, array, label) = match &attribute.value {
            AttributeValue::Relationship { objects, array, .. } => (objects, *array || objects.len() > 1, "entity"),
            AttributeValue::ListRelationship { objects, .. } => (objects, true, "entityList"),
            _ => return,
        };
        let found: Vec<_> = objects.iter().filter_map(|object| linked.entities.get(object)).collect();
        if level >= linked.level_max || found.is_empty() {
            return;
        }
        member(out, label);
        if array {
            out.push(b'[');
        }
        for (i, entity) in found.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.linked_entity(out, entity, name, level);
        }
        if array {
            out.push(b']');
        }
    }
}

fn member_only(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    member(out, name);
    write(out);
    out.push(b'}');
}

fn write_objects(out: &mut Vec<u8>, objects: &[EntityId], array: bool) {
    match objects {
        [object] if !array => write_string(out, object.as_str()),
        objects => {
            out.push(b'[');
            for (i, object) in objects.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(out, object.as_str());
            }
            out.push(b']');
        }
    }
}
