//! The temporal evolution of an entity as wire JSON: normalised, simplified and aggregated (ETSI GS CIM 009, 4.5.6 to
//! 4.5.9 and 4.5.19).

use model::{Attribute, AttributeValue, Iri, NGSI_LD};
use platform::{
    context::Context,
    ngsi::{Member, NULL, View, write_attribute, write_attribute_value, write_string, write_timestamp},
};
use serde_json::{Map, Value, json};

use crate::{Evolution, Instance, Strand, TemporalForm, TemporalQuery, TimeProperty};

/// The expanded name under which the scopes of an entity have their history.
#[must_use]
pub fn scope_name() -> Iri {
    Iri::new(format!("{NGSI_LD}scope"))
}

/// The name of the kind of an attribute, and of the list of its values in the simplified form.
fn kind_names(value: Option<&AttributeValue>) -> (&'static str, &'static str) {
    match value {
        None | Some(AttributeValue::Property(_)) => ("Property", "values"),
        Some(AttributeValue::Geo(_)) => ("GeoProperty", "values"),
        Some(AttributeValue::Relationship { .. }) => ("Relationship", "objects"),
        Some(AttributeValue::Language(_)) => ("LanguageProperty", "languageMaps"),
        Some(AttributeValue::Json(_)) => ("JsonProperty", "jsons"),
        Some(AttributeValue::Vocab(_)) => ("VocabProperty", "vocabs"),
        Some(AttributeValue::List(_)) => ("ListProperty", "valueLists"),
        Some(AttributeValue::ListRelationship { .. }) => ("ListRelationship", "objectLists"),
    }
}

/// The member that says that an attribute of a kind was deleted, with its value.
fn deleted_member(series: &Iri, value: Option<&AttributeValue>) -> (&'static str, Value) {
    if *series == scope_name() {
        return ("value", json!([]));
    }
    match value {
        None | Some(AttributeValue::Property(_) | AttributeValue::Geo(_)) => ("value", json!(NULL)),
        Some(AttributeValue::Relationship { .. }) => ("object", json!(NULL)),
        Some(AttributeValue::Language(_)) => ("languageMap", json!({ "@none": NULL })),
        Some(AttributeValue::Json(_)) => ("json", json!(NULL)),
        Some(AttributeValue::Vocab(_)) => ("vocab", json!(NULL)),
        Some(AttributeValue::List(_)) => ("valueList", json!(NULL)),
        Some(AttributeValue::ListRelationship { .. }) => ("objectList", json!(NULL)),
    }
}

/// Writes the evolution of one entity; `with_context` adds `@context`.
pub fn write_evolution(
    out: &mut Vec<u8>,
    evolution: &Evolution,
    context: &Context,
    view: &View,
    query: &TemporalQuery,
    with_context: bool,
) {
    let writer = Writer { context, view, query };
    out.push(b'{');
    writer.head(out, evolution);
    let mut strands = evolution.strands.as_slice();
    while let Some(first) = strands.first() {
        let same = strands.iter().take_while(|strand| strand.series.attribute == first.series.attribute).count();
        let (group, rest) = strands.split_at(same);
        separate(out);
        out.extend_from_slice(&context.compact(&first.series.attribute).member);
        writer.attribute(out, group);
        strands = rest;
    }
    if with_context {
        member(out, "@context");
        write_json(out, context.wire());
    }
    out.push(b'}');
}

fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

fn member(out: &mut Vec<u8>, name: &str) {
    separate(out);
    write_string(out, name);
    out.push(b':');
}

fn write_json(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
}

struct Writer<'a> {
    context: &'a Context,
    view: &'a View,
    query: &'a TemporalQuery,
}

impl Writer<'_> {
    fn head(&self, out: &mut Vec<u8>, evolution: &Evolution) {
        let entity = &evolution.entity;
        if self.view.shows(&Member::Id) {
            member(out, "id");
            write_string(out, entity.id.as_str());
        }
        if self.view.shows(&Member::Type) {
            let names: Vec<Value> = entity.types.iter().map(|name| json!(self.context.compact(name).text)).collect();
            member(out, "type");
            match names.as_slice() {
                [name] => write_json(out, name),
                _ => write_json(out, &Value::Array(names)),
            }
        }
        let told = evolution.strands.iter().any(|strand| strand.series.attribute == scope_name());
        let living = self.query.property != TimeProperty::DeletedAt;
        if living && !told && !entity.scopes.is_empty() && self.view.shows(&Member::Scope) {
            member(out, "scope");
            match entity.scopes.as_slice() {
                [scope] => write_string(out, scope),
                scopes => write_json(out, &json!(scopes)),
            }
        }
        if self.query.sys_attrs {
            member(out, "createdAt");
            write_timestamp(out, entity.created_at);
            member(out, "modifiedAt");
            write_timestamp(out, entity.modified_at);
        }
    }

    /// All datasets of one attribute: one list in the normalised form, otherwise one object or a list of objects.
    fn attribute(&self, out: &mut Vec<u8>, group: &[Strand]) {
        let list = self.query.form == TemporalForm::Normalized || group.len() > 1;
        if list {
            out.push(b'[');
        }
        for strand in group {
            match &self.query.form {
                TemporalForm::Normalized => self.instances(out, strand),
                TemporalForm::Values => self.values(out, strand),
                TemporalForm::Aggregated(aggregation) => {
                    separate_objects(out);
                    let mut members = self.strand_members(strand);
                    for method in &aggregation.methods {
                        members.insert(method.name().into(), Value::Array(strand.aggregates.values(*method)));
                    }
                    write_json(out, &Value::Object(members));
                }
            }
        }
        if list {
            out.push(b']');
        }
    }

    /// The kind and the dataset of a series.
    fn strand_members(&self, strand: &Strand) -> Map<String, Value> {
        let mut members = Map::new();
        let (kind, _) = kind_names(strand.sample.as_ref().map(|sample| &sample.value));
        members.insert("type".into(), json!(kind));
        if let Some(dataset) = &strand.series.dataset_id {
            members.insert("datasetId".into(), json!(dataset));
        }
        members
    }

    fn instances(&self, out: &mut Vec<u8>, strand: &Strand) {
        for instance in &strand.instances {
            separate(out);
            match &instance.attribute {
                Some(attribute) => {
                    let named = Attribute { instance_id: Some(instance.id(&strand.series)), ..attribute.clone() };
                    write_attribute(out, &named, self.context, self.view);
                }
                None => self.deleted(out, strand, instance),
            }
        }
    }

    fn deleted(&self, out: &mut Vec<u8>, strand: &Strand, instance: &Instance) {
        let mut members = self.strand_members(strand);
        let sample = strand.sample.as_ref().map(|sample| &sample.value);
        let (name, value) = deleted_member(&strand.series.attribute, sample);
        members.insert(name.into(), value);
        members.insert("instanceId".into(), json!(instance.id(&strand.series)));
        members.insert("deletedAt".into(), json!(instance.at));
        write_json(out, &Value::Object(members));
    }

    fn values(&self, out: &mut Vec<u8>, strand: &Strand) {
        separate_objects(out);
        let sample = strand.sample.as_ref().map(|sample| &sample.value);
        let (kind, plural) = kind_names(sample);
        out.push(b'{');
        member(out, "type");
        write_string(out, kind);
        if let Some(dataset) = &strand.series.dataset_id {
            member(out, "datasetId");
            write_string(out, dataset);
        }
        member(out, plural);
        out.push(b'[');
        for instance in &strand.instances {
            separate(out);
            out.push(b'[');
            match &instance.attribute {
                Some(attribute) => write_attribute_value(out, attribute, self.context, self.view),
                None => write_json(out, &deleted_member(&strand.series.attribute, sample).1),
            }
            out.push(b',');
            write_timestamp(out, instance.shown_time(self.query.property));
            out.push(b']');
        }
        out.extend_from_slice(b"]}");
    }
}

/// A comma between the objects of a list; a single object follows its name.
fn separate_objects(out: &mut Vec<u8>) {
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
}
