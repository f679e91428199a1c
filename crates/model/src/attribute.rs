//! Attributes of an entity: the eight kinds of the NGSI-LD information model, with their metadata.
//!
//! The serialised form is Polder's stored form (expanded names, short keys), not the NGSI-LD wire form: that
//! one is made in `platform`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Attributes, EntityId, Geometry, Quality, Timestamp};

/// What an attribute holds, by its NGSI-LD kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeValue {
    /// `Property`: any JSON value but null.
    Property(Value),
    /// `GeoProperty`: a GeoJSON geometry.
    Geo(Geometry),
    /// `Relationship`: one or more entities it points to.
    Relationship {
        /// The entities pointed to.
        objects: Vec<EntityId>,
        /// Whether it was written as an array (which matters for one object).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        array: bool,
        /// The type of those entities, expanded, where stated.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        object_types: Vec<crate::Iri>,
    },
    /// `LanguageProperty`: language tag to text (or list of texts), as a JSON object.
    Language(serde_json::Map<String, Value>),
    /// `JsonProperty`: JSON that is kept exactly and never expanded.
    Json(Value),
    /// `VocabProperty`: one or more expanded terms (a string or an array of strings).
    Vocab(Value),
    /// `ListProperty`: an ordered list.
    List(Vec<Value>),
    /// `ListRelationship`: an ordered list of entities.
    ListRelationship {
        /// The entities pointed to, in order.
        objects: Vec<EntityId>,
        /// The type of those entities, expanded, where stated.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        object_types: Vec<crate::Iri>,
    },
}

impl AttributeValue {
    /// The name of its kind in NGSI-LD (`Property`).
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Property(_) => "Property",
            Self::Geo(_) => "GeoProperty",
            Self::Relationship { .. } => "Relationship",
            Self::Language(_) => "LanguageProperty",
            Self::Json(_) => "JsonProperty",
            Self::Vocab(_) => "VocabProperty",
            Self::List(_) => "ListProperty",
            Self::ListRelationship { .. } => "ListRelationship",
        }
    }
}

/// One instance of an attribute. Several instances of one name differ in `dataset_id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// What it holds.
    #[serde(rename = "v")]
    pub value: AttributeValue,
    /// Which of several instances this is (`datasetId`, a URI); `None` is the default instance.
    #[serde(rename = "ds", default, skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
    /// When it was true in the city.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// The UN/CEFACT code of the unit (`KMH`).
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub unit_code: Option<String>,
    /// Attributes of this attribute.
    #[serde(rename = "sub", default, skip_serializing_if = "Attributes::is_empty")]
    pub sub_attributes: Attributes,
    /// When the platform first saw it.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the platform last changed it.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// The identity of one temporal instance (`instanceId`), set on history only.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// The quality label, where a source delivered the value.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

impl Attribute {
    /// An attribute with a value and no metadata.
    #[must_use]
    pub fn new(value: AttributeValue) -> Self {
        Self {
            value,
            dataset_id: None,
            observed_at: None,
            unit_code: None,
            sub_attributes: Attributes::default(),
            created_at: None,
            modified_at: None,
            instance_id: None,
            quality: None,
        }
    }

    /// A `Property` with a value and no metadata.
    #[must_use]
    pub fn property(value: impl Into<Value>) -> Self {
        Self::new(AttributeValue::Property(value.into()))
    }

    /// The number it holds, when it is a `Property` with a finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            AttributeValue::Property(Value::Number(number)) => number.as_f64(),
            _ => None,
        }
    }

    /// The text it holds, when it is a `Property` with a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            AttributeValue::Property(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it was written again as it was: without a moment of its own there is nothing for history in it.
    #[must_use]
    pub fn repeats(&self, known: &Self) -> bool {
        (known.observed_at, self.observed_at) == (None, None)
            && self.quality == known.quality
            && says_the_same(known, self)
    }
}

/// Whether two instances say the same, whenever they were written.
fn says_the_same(known: &Attribute, new: &Attribute) -> bool {
    let members = |one: &Attribute| (one.dataset_id.clone(), one.observed_at, one.unit_code.clone());
    let (old, sub) = (&known.sub_attributes, &new.sub_attributes);
    let same_instances = |a: &[Attribute], b: &[Attribute]| {
        a.len() == b.len() && a.iter().zip(b).all(|(known, new)| says_the_same(known, new))
    };
    known.value == new.value
        && members(known) == members(new)
        && old.len() == sub.len()
        && old.iter().zip(sub).all(|((a, known), (b, new))| a == b && same_instances(known, new))
}
