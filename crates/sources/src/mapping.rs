//! From record to entity, as `city.toml` says: filters, joins, identifiers, kinds, units and moments.

use std::{path::Path, sync::Arc};

use model::{
    Attribute, AttributeValue, Entity, EntityId, Geometry, Incoming, Iri, Problem, Quality, QualityFlags, Timestamp,
};
use serde_json::Value;

use crate::{
    config::{AttributeConfig, FilterConfig, Kind, SourceConfig},
    join::Join,
    moment::Moments,
    record::{Record, as_number, as_text, same},
    template::Template,
};

/// The most elements that `each` takes out of one record.
const EACH_MAX: usize = 100_000;

/// Makes entities of the records of one source.
pub struct Mapper {
    source: Arc<str>,
    config: Arc<SourceConfig>,
    id: Template,
    entity_type: Iri,
    moments: Moments,
    joins: Vec<Join>,
    groups: Vec<Group>,
}

/// The attributes that share a moment.
struct Group {
    time_field: Option<String>,
    /// Whether that moment is another than the record's.
    own_time: bool,
    attributes: Vec<Prepared>,
}

struct Prepared {
    name: Iri,
    /// Its place in the configuration.
    index: usize,
    object: Option<Template>,
}

impl Mapper {
    /// Prepares the mapping of a source; joined files are read now.
    ///
    /// # Errors
    /// When a setting or a joined file is wrong.
    pub fn new(config: Arc<SourceConfig>, folder: &Path) -> Result<Self, Problem> {
        let mut groups: Vec<Group> = vec![];
        let record_time = config.time.as_ref().map(|t| t.field.clone());
        for (index, attribute) in config.attributes.iter().enumerate() {
            let time_field = attribute.time_field.clone().or_else(|| record_time.clone());
            let object = attribute.object.as_deref().map(Template::parse).transpose()?;
            let prepared = Prepared { name: attribute.iri(), index, object };
            match groups.iter_mut().find(|g| g.time_field == time_field) {
                Some(group) => group.attributes.push(prepared),
                None => {
                    let own_time = time_field != record_time;
                    groups.push(Group { time_field, own_time, attributes: vec![prepared] });
                }
            }
        }
        let joins = config.joins.iter().map(|j| Join::load(j, folder, &config.limits)).collect::<Result<_, _>>()?;
        Ok(Self {
            source: config.name.as_str().into(),
            id: Template::parse(&config.id)?,
            entity_type: config.type_iri(),
            moments: Moments::new(config.time.as_ref())?,
            joins,
            groups,
            config,
        })
    }

    /// The entities of one record; none when a filter leaves it out. `now` is when it was received.
    ///
    /// # Errors
    /// What is wrong with the record, with its line.
    pub fn map(&self, record: Record, now: Timestamp) -> Result<Vec<Incoming>, Problem> {
        let line = record.line;
        let mapped = match self.config.each.as_deref() {
            None => self.map_one(record, now),
            Some(field) => self.map_each(&record, field, now),
        };
        mapped.map_err(|p| p.at_line(line))
    }

    fn map_each(&self, record: &Record, field: &str, now: Timestamp) -> Result<Vec<Incoming>, Problem> {
        let mut mapped = vec![];
        for element in elements(record, field)? {
            mapped.extend(self.map_one(element, now)?);
        }
        Ok(mapped)
    }

    fn map_one(&self, mut record: Record, now: Timestamp) -> Result<Vec<Incoming>, Problem> {
        for join in &self.joins {
            join.add_to(&mut record)?;
        }
        if !passes(&self.config.filters, &record) {
            return Ok(vec![]);
        }
        let id = EntityId::parse(&self.id.fill(&record)?)?;
        let mut mapped = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let at = match &group.time_field {
                None => None,
                Some(field) => match record.get(field) {
                    Some(value) => Some(self.moments.read(field, value)?),
                    // What has a moment of its own may not have happened yet.
                    None if group.own_time => continue,
                    None => {
                        let remedy = "give every record its moment, or correct [source.time]";
                        return Err(Problem::new(field, "it is missing, so the record has no moment", remedy));
                    }
                },
            };
            let mut entity = Entity::new(id.clone(), self.entity_type.clone(), now);
            for prepared in &group.attributes {
                if let Some(mut attribute) = self.attribute(prepared, &record)? {
                    attribute.observed_at = at;
                    entity.set(prepared.name.clone(), attribute);
                }
            }
            if entity.attributes.is_empty() {
                continue;
            }
            mapped.push(Incoming { source: self.source.clone(), entity, deleted: false, line: record.line });
        }
        Ok(mapped)
    }

    /// One attribute; `None` when the record has nothing for it.
    fn attribute(&self, prepared: &Prepared, record: &Record) -> Result<Option<Attribute>, Problem> {
        let Some(config) = self.config.attributes.get(prepared.index) else { return Ok(None) };
        let holds = |c: &crate::config::Condition| record.get(&c.field).is_some_and(|v| same(v, &c.equals));
        if config.when.as_ref().is_some_and(|condition| !holds(condition)) {
            return Ok(None);
        }
        let Some(value) = self.value(config, prepared, record)? else {
            if config.required {
                let thing = config.field.as_deref().unwrap_or(&config.name);
                return Err(Problem::new(thing, "it is missing", "give it, or set required = false"));
            }
            return Ok(None);
        };
        let mut attribute = Attribute::new(value);
        attribute.unit_code.clone_from(&config.unit);
        let suspect = config.suspect.as_ref().is_some_and(holds);
        attribute.quality = Some(Quality {
            origin: config.origin.unwrap_or(self.config.origin).into(),
            flags: QualityFlags { suspect, ..QualityFlags::default() },
            source: Some(self.config.name.clone()),
        });
        Ok(Some(attribute))
    }

    fn value(
        &self,
        config: &AttributeConfig,
        prepared: &Prepared,
        record: &Record,
    ) -> Result<Option<AttributeValue>, Problem> {
        match config.kind {
            Kind::Geo => return Ok(geo(config, record)?.map(AttributeValue::Geo)),
            Kind::Relationship => {
                // A record without the fields of the template has no such relation.
                let filled = prepared.object.as_ref().and_then(|t| t.fill(record).ok());
                let object = filled.map(|text| EntityId::parse(&text)).transpose()?;
                return Ok(object.map(|o| AttributeValue::Relationship {
                    objects: vec![o],
                    array: false,
                    object_types: vec![],
                }));
            }
            _ => {}
        }
        let raw = match (&config.value, &config.field) {
            (Some(value), _) => Some(value),
            (None, Some(field)) => record.get(field),
            (None, None) => None,
        };
        let Some(raw) = raw.filter(|v| !v.as_str().is_some_and(|t| t.trim().is_empty())) else { return Ok(None) };
        let word = if config.words.is_empty() { None } else { as_text(raw).and_then(|t| config.words.get(t.as_ref())) };
        let raw = word.unwrap_or(raw);
        let field = config.field.as_deref().unwrap_or(&config.name);
        scalar(config.kind, field, raw, &self.moments).map(Some)
    }
}

/// The elements of a list in a record, each with the fields around it.
///
/// # Errors
/// When the field holds no list of objects, or too many of them.
pub(crate) fn elements(record: &Record, field: &str) -> Result<Vec<Record>, Problem> {
    let Some(Value::Array(items)) = record.get(field) else {
        return Err(Problem::new(field, "it is not a list", "correct the feed, or the setting `each`"));
    };
    if items.len() > EACH_MAX {
        let detail = format!("it has {} elements, more than {EACH_MAX}", items.len());
        return Err(Problem::new(field, detail, "split the record"));
    }
    let element = |item: &Value| {
        let Value::Object(inner) = item else {
            return Err(Problem::new(field, "an element is not an object", "correct the feed"));
        };
        let mut fields = inner.clone();
        for (name, value) in record.fields.iter().filter(|(name, _)| *name != field) {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Ok(Record { line: record.line, fields, geometry: record.geometry.clone(), joined: vec![] })
    };
    items.iter().map(element).collect()
}

/// Whether every filter lets a record through.
pub(crate) fn passes(filters: &[FilterConfig], record: &Record) -> bool {
    filters.iter().all(|filter| {
        let value = record.get(&filter.field).unwrap_or(&Value::Null);
        filter.equals.as_ref().is_none_or(|wanted| same(value, wanted))
            && filter.not_equals.as_ref().is_none_or(|unwanted| !same(value, unwanted))
    })
}

fn scalar(kind: Kind, field: &str, raw: &Value, moments: &Moments) -> Result<AttributeValue, Problem> {
    let refuse = |what: &str| {
        let shown: String = raw.to_string().chars().take(80).collect();
        Problem::new(field, format!("{shown} is not {what}"), "correct the feed, or the kind in city.toml")
    };
    match kind {
        Kind::Json => Ok(AttributeValue::Json(raw.clone())),
        Kind::Time => Ok(AttributeValue::Property(Value::String(moments.read(field, raw)?.to_string()))),
        Kind::Number => {
            let number = as_number(raw).ok_or_else(|| refuse("a number"))?;
            Ok(AttributeValue::Property(number_value(number, raw)))
        }
        Kind::Boolean => {
            let flag = match as_text(raw).as_deref() {
                Some("true" | "1" | "yes" | "True" | "TRUE") => true,
                Some("false" | "0" | "no" | "False" | "FALSE") => false,
                _ => return Err(refuse("true or false")),
            };
            Ok(AttributeValue::Property(Value::Bool(flag)))
        }
        _ => match raw {
            Value::Array(_) | Value::Object(_) => Ok(AttributeValue::Property(raw.clone())),
            _ => {
                let text = as_text(raw).ok_or_else(|| refuse("text"))?;
                Ok(AttributeValue::Property(Value::String(text.into_owned())))
            }
        },
    }
}

/// A number as JSON: whole where it was written whole.
fn number_value(number: f64, raw: &Value) -> Value {
    let whole = match raw {
        Value::Number(_) => return raw.clone(),
        Value::String(text) => text.trim().parse::<i64>().ok(),
        _ => None,
    };
    whole.map_or_else(|| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number), Value::from)
}

fn geo(config: &AttributeConfig, record: &Record) -> Result<Option<Geometry>, Problem> {
    if let Some([longitude, latitude]) = config.point {
        return Geometry::point(longitude, latitude).map(Some);
    }
    let (Some(longitude), Some(latitude)) = (&config.longitude, &config.latitude) else {
        return Ok(record.geometry.clone());
    };
    let read = |field: &String| match record.get(field) {
        None => Ok(None),
        Some(value) if value.as_str().is_some_and(|t| t.trim().is_empty()) => Ok(None),
        Some(value) => {
            let refuse = || Problem::new(field, format!("{value} is not a number"), "give degrees as a number");
            as_number(value).map(Some).ok_or_else(refuse)
        }
    };
    match (read(longitude)?, read(latitude)?) {
        (Some(x), Some(y)) => Geometry::point(x, y).map(Some),
        _ => Ok(None),
    }
}
