//! Search by name: places and things whose layer says that they can be searched.
//!
//! The index is a list in memory of folded names (lower case, without accents), scanned on each question: some ten
//! thousand names take about a millisecond. It is filled from a snapshot and kept by the change feed.

use std::collections::HashMap;

use model::{Change, Entity, EntityId, Iri, ReadScope, Tenant};
use serde::Serialize;
use store::EntitySelect;
use utoipa::ToSchema;

use crate::{LayerConfig, Layers, ViewError, Viewpoint, title_of};

/// The most names of one tenant.
const NAMES_MAX: usize = 100_000;
/// The most results of one question.
pub const RESULTS_MAX: usize = 50;

/// Whether a thing is one that other things are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FoundKind {
    /// An area, a stop.
    Place,
    /// Anything else.
    Entity,
}

/// One result.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SearchResult)]
pub struct Found {
    /// The identifier of the thing.
    #[schema(value_type = String)]
    pub id: EntityId,
    /// A place, or another thing.
    pub kind: FoundKind,
    /// What it is called.
    pub title: String,
    /// The title of its layer.
    pub subtitle: String,
    /// The layer it is drawn in.
    pub layer: String,
    /// The middle of its box, longitude and latitude.
    #[schema(value_type = (f64, f64))]
    pub location: [f64; 2],
    /// West, south, east, north, for things that are not a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<(f64, f64, f64, f64)>)]
    pub bounds: Option<[f64; 4]>,
}

/// The names of one tenant.
#[derive(Clone, Debug, Default)]
pub struct SearchIndex {
    names: HashMap<EntityId, Entry>,
    /// Every change up to here is in it.
    sequence: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    folded: String,
    title: String,
    layer: usize,
    /// The types of the thing besides that of the layer; who may not read one of them does not find it.
    other_types: Box<[Iri]>,
    bbox: model::BoundingBox,
}

impl SearchIndex {
    /// The names in a snapshot. The scope of `view` must show everything; results are filtered when they are read.
    ///
    /// # Errors
    /// The store's.
    pub fn build(view: &Viewpoint<'_>, layers: &Layers) -> Result<Self, ViewError> {
        let mut index = Self { names: HashMap::new(), sequence: view.snapshot.sequence() };
        for (place, layer) in layers.layers.iter().enumerate().filter(|(_, l)| l.search) {
            view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
                index.put(place, layer, entity);
                true
            })?;
        }
        Ok(index)
    }

    /// Every change up to this sequence is in it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes in one change, unless it is in it already.
    pub fn apply(&mut self, layers: &Layers, change: &Change) {
        if change.sequence <= self.sequence {
            return;
        }
        self.sequence = change.sequence;
        self.names.remove(&change.id);
        if let Some(entity) = &change.after {
            let of = |l: &LayerConfig| l.search && entity.types.contains(&l.type_iri());
            for (place, layer) in layers.layers.iter().enumerate().filter(|(_, l)| of(l)) {
                self.put(place, layer, entity);
            }
        }
    }

    fn put(&mut self, place: usize, layer: &LayerConfig, entity: &Entity) {
        let Some(bbox) = entity.bounding_box() else { return };
        if self.names.len() >= NAMES_MAX && !self.names.contains_key(&entity.id) {
            tracing::warn!(limit = NAMES_MAX, "the search index is full; a name was left out");
            return;
        }
        let title = title_of(Some(layer), entity, "nl");
        let own = layer.type_iri();
        let other_types = entity.types.iter().filter(|t| **t != own).cloned().collect();
        let entry = Entry { folded: fold(&title), title, layer: place, other_types, bbox };
        self.names.insert(entity.id.clone(), entry);
    }

    /// The best matches: the whole name before a name that starts so, before a word that starts so, before the rest;
    /// places before other things; then short names first. One name of one layer is listed once. Only things of which
    /// the reader may see every type are found.
    #[must_use]
    pub fn find(&self, layers: &Layers, scope: &ReadScope, text: &str, limit: usize, language: &str) -> Vec<Found> {
        let wanted = fold(text);
        if wanted.is_empty() {
            return vec![];
        }
        let mut hits: Vec<(u8, bool, usize, &EntityId, &Entry)> = self
            .names
            .iter()
            .filter_map(|(id, entry)| {
                let layer = layers.layers.get(entry.layer)?;
                let grade = grade(&entry.folded, &wanted)?;
                let types = || entry.other_types.iter().all(|t| scope.shows_type(t));
                let shown = scope.shows_type(&layer.type_iri()) && types();
                shown.then_some((grade, !layer.place, entry.folded.len(), id, entry))
            })
            .collect();
        hits.sort_by(|a, b| (a.0, a.1, a.2, &a.4.folded, a.3).cmp(&(b.0, b.1, b.2, &b.4.folded, b.3)));
        hits.dedup_by(|a, b| a.4.folded == b.4.folded && a.4.layer == b.4.layer);
        let found = hits.into_iter().filter_map(|(_, _, _, id, entry)| {
            let layer = layers.layers.get(entry.layer)?;
            let b = entry.bbox;
            let point = b.west == b.east && b.south == b.north;
            Some(Found {
                id: id.clone(),
                kind: if layer.place { FoundKind::Place } else { FoundKind::Entity },
                title: entry.title.clone(),
                subtitle: layer.title.in_language(language).to_owned(),
                layer: layer.id.clone(),
                location: [f64::midpoint(b.west, b.east), f64::midpoint(b.south, b.north)],
                bounds: (!point).then_some([b.west, b.south, b.east, b.north]),
            })
        });
        found.take(limit.min(RESULTS_MAX)).collect()
    }
}

/// Names of all tenants that have been asked for.
pub type SearchIndexes = HashMap<Tenant, SearchIndex>;

/// How well a folded name fits: 0 best; `None` not at all.
fn grade(name: &str, wanted: &str) -> Option<u8> {
    if name == wanted {
        return Some(0);
    }
    if name.starts_with(wanted) {
        return Some(1);
    }
    let place = name.find(wanted)?;
    let starts_word = |at: usize| name.get(..at).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    let word = starts_word(place) || name.match_indices(wanted).any(|(at, _)| starts_word(at));
    Some(if word { 2 } else { 3 })
}

/// Lower case, without the accents of western European names.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    };
    text.trim().to_lowercase().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter() {
        assert_eq!(fold(" Oude Háven "), "oude haven");
    }

    #[test]
    fn whole_names_come_before_beginnings_before_words_before_parts() {
        let grades: Vec<_> =
            ["beurs", "beursplein", "metro beurs", "kabeurs", "blaak"].map(|n| grade(n, "beurs")).into();
        assert_eq!(grades, vec![Some(0), Some(1), Some(2), Some(3), None]);
    }
}
