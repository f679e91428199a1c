//! Observations: what a source delivers, and one moment of one series in history.

use serde::{Deserialize, Serialize};

use crate::{Attribute, Entity, EntityId, Iri, Origin, Quality, Timestamp};

/// Which series an observation belongs to: one attribute (and dataset) of one entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The entity that was observed.
    pub entity: EntityId,
    /// The attribute, expanded.
    pub attribute: Iri,
    /// Which instance of the attribute; `None` is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
}

/// A value in history. Numbers are columns of their own, so that aggregates never parse text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ObservedValue {
    /// A finite number.
    Number(f64),
    /// Anything else: the attribute itself, complete.
    Attribute(Box<Attribute>),
    /// The instance at this moment was withdrawn.
    Deleted,
}

/// One moment of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Which series.
    pub series: SeriesKey,
    /// When it was true in the city (`observedAt`), or when it was recorded when nothing better is known.
    pub at: Timestamp,
    /// What was observed.
    pub value: ObservedValue,
    /// The UN/CEFACT code of the unit, where there is one.
    pub unit_code: Option<String>,
    /// The quality label.
    pub quality: Quality,
    /// When the platform accepted it.
    pub recorded_at: Timestamp,
}

/// Who delivered a value and under which conditions: shown beside every value and on the map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceInfo {
    /// The name in the city's configuration (`ndw-traffic`).
    pub name: String,
    /// The organisation that publishes the data.
    pub publisher: String,
    /// The licence, as an SPDX id or a name.
    pub licence: String,
    /// The line that must be shown.
    pub attribution: String,
    /// How its values come to be.
    pub origin: Origin,
}

/// What a connector hands to the platform: an entity (whole, or only the attributes that changed).
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The name of the source that delivered it.
    pub source: std::sync::Arc<str>,
    /// The entity with the attributes that were delivered. Attributes that are not here stay as they are.
    pub entity: Entity,
    /// Whether the source is certain that the entity is gone.
    pub deleted: bool,
    /// The line or record number in the source, counted from 1, for messages.
    pub line: u64,
}
