//! One tile from the store.
//!
//! A tile has a budget. Points are thinned by a fixed sample of their identifiers that doubles with each zoom level
//! in both directions (so neighbouring tiles look alike, and a thing that is shown stays shown further in). Areas
//! that are smaller than a pixel or so are left out, and beyond [`FEATURES_MAX`] the smallest go first.

use model::{AttributeValue, Entity, EntityId};
use serde_json::Value;
use store::EntitySelect;

use super::{
    encode::TileBuilder,
    grid::{BUFFER, TileId},
    shape::{TileShape, shape_in},
};
use crate::{LayerConfig, LayerKind, ViewError, Viewpoint, fits, shown, title_of};

/// The most things in one tile.
const FEATURES_MAX: usize = 12_000;
/// The most lines or areas in one tile above the layer's deepest level.
const AREAS_MAX: usize = 7_000;
/// Square units below which an area is left out on levels above the layer's deepest: 2 pixels of a tile that
/// is drawn 512 pixels wide.
const AREA_MIN: f64 = 128.0;
/// Units that a simplified line may lie off: half a pixel.
const TOLERANCE: f64 = 4.0;

/// A tile of a layer as bytes (not compressed); empty when nothing of the layer lies in it.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing.
pub fn build_tile(view: &Viewpoint<'_>, layer: &LayerConfig, tile: TileId) -> Result<Vec<u8>, ViewError> {
    view.check(layer)?;
    if tile.z() < layer.min_zoom {
        return Ok(vec![]);
    }
    let points = layer.kind == LayerKind::Point;
    let bbox = tile.bounds(if points { 0.0 } else { BUFFER });
    let select = EntitySelect::InBox { entity_type: Some(layer.type_iri()), bbox };
    let sample = Sample::at(layer, tile.z());
    let deepest = tile.z() >= layer.max_zoom;
    let tolerance = if deepest { 1.0 } else { TOLERANCE };
    let mut things: Vec<Thing> = vec![];
    let mut add = |entity: &Entity| {
        let Some(shape) = entity.location().and_then(|g| shape_in(tile, g.shape(), tolerance)) else { return };
        let area = shape.area();
        if matches!(shape, TileShape::Areas(_)) && !deepest && area < AREA_MIN {
            return;
        }
        let weight = if area > 0.0 { area } else { rank(&entity.id) };
        things.push(Thing { weight, shape, properties: properties(layer, entity, tile.z()) });
    };
    if points && sample.share < 1.0 {
        // Sampling by identifier first: things that will not be shown are never read.
        for id in view.snapshot.entity_ids(view.tenant, &select, None) {
            let id = id?;
            if sample.keeps(&id)
                && let Some(stored) = view.snapshot.entity(view.tenant, &id)?
                && view.scope.shows(&stored.value)
            {
                add(&stored.value);
            }
        }
    } else {
        view.each(&select, |entity| {
            add(entity);
            true
        })?;
    }
    let most = if points || deepest { FEATURES_MAX } else { AREAS_MAX };
    if things.len() > most {
        things.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        things.truncate(most);
    }
    let mut builder = TileBuilder::new(&layer.id);
    for Thing { shape, properties, .. } in &things {
        builder.add(shape, properties.iter().map(|(key, value)| (key.as_str(), value)));
    }
    Ok(builder.finish())
}

/// A thing on its way into a tile.
struct Thing {
    /// What is kept when there are too many: the largest.
    weight: f64,
    shape: TileShape,
    properties: Vec<(String, Value)>,
}

/// Which share of a layer's points a zoom level shows.
struct Sample {
    share: f64,
}

impl Sample {
    fn at(layer: &LayerConfig, z: u8) -> Self {
        let full = layer.full_zoom.unwrap_or(layer.min_zoom);
        Self { share: 0.25_f64.powi(i32::from(full.saturating_sub(z))) }
    }

    fn keeps(&self, id: &EntityId) -> bool {
        rank(id) < self.share
    }
}

/// A number in [0, 1) that an identifier always gets: FNV-1a, 64 bits, with a final mix.
fn rank(id: &EntityId) -> f64 {
    let hash = id
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / 4_294_967_296.0
}

/// `id`, `title` (where a thing has a name), and the layer's attributes; far out only those that decide how a thing looks.
fn properties(layer: &LayerConfig, entity: &Entity, z: u8) -> Vec<(String, Value)> {
    let id = entity.id.as_str();
    let mut properties = vec![("id".to_owned(), Value::from(id))];
    let title = title_of(Some(layer), entity, "nl");
    // A title that only repeats the end of the identifier says nothing and costs a third of a tile of buildings.
    if !id.ends_with(&title) {
        properties.push(("title".to_owned(), title.into()));
    }
    if entity.attribute(crate::expand(crate::threed::SURFACES).as_str()).is_some() {
        // Drawn with its roofs by the 3D tiles: the map leaves out its block.
        properties.push(("roofs".to_owned(), true.into()));
    }
    let style = &layer.style;
    let near = z + 1 >= layer.max_zoom;
    for attribute in &layer.attributes {
        let decides = [&style.by, &style.height, &style.label].into_iter().flatten().any(|n| *n == attribute.name);
        let Some(found) = entity.attribute(attribute.iri().as_str()).filter(|_| near || decides) else { continue };
        if matches!(found.value, AttributeValue::Json(_)) {
            continue;
        }
        let value = shown(found);
        if fits(attribute.kind, &value) {
            properties.push((attribute.name.clone(), value));
        }
    }
    properties
}
