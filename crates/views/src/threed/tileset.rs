//! The tree of cells, and the content of one.

use std::collections::BTreeMap;

use model::{AttributeValue, Entity};
use serde_json::{Value, json};
use store::EntitySelect;

use super::{
    CELL_ZOOM, GROUP_ZOOM, SURFACES, encode_glb,
    frame::Frame,
    glb::FeatureRow,
    mesh::{Mesh, Shell, SurfaceKind, mesh_of},
};
use crate::{LayerConfig, TileId, ViewError, Viewpoint};

/// Metres of error when a group is shown without its cells: they appear from some 10 km.
const GROUP_ERROR: f64 = 200.0;
/// Metres of error when nothing is shown.
const ROOT_ERROR: f64 = 1_000.0;
/// How far the origin of a building may lie from the box of its outline, in units of a tile.
const ORIGIN_MARGIN: f64 = 1_024.0;

/// West, south, east, north (degrees), lowest and highest (metres).
#[derive(Clone, Copy, Debug)]
struct Region([f64; 6]);

impl Region {
    fn around(shell: &Shell) -> Option<Self> {
        let frame = Frame::at(shell.origin[0], shell.origin[1]);
        let positions = shell.surfaces.iter().flat_map(|s| &s.rings).flatten();
        let corners = positions.map(|[e, n, u]| {
            let [lon, lat] = frame.degrees(*e, *n);
            Self([lon, lat, lon, lat, *u, *u])
        });
        corners.reduce(Self::union)
    }

    fn union(self, other: Self) -> Self {
        let ([w, s, e, n, low, high], o) = (self.0, other.0);
        Self([w.min(o[0]), s.min(o[1]), e.max(o[2]), n.max(o[3]), low.min(o[4]), high.max(o[5])])
    }

    /// As 3D Tiles writes it: radians, with a little room for rounding.
    fn volume(self) -> Value {
        let [w, s, e, n, low, high] = self.0;
        let r = |degrees: f64| degrees.to_radians();
        json!({ "region": [r(w - 1e-6), r(s - 1e-6), r(e + 1e-6), r(n + 1e-6), low - 0.1, high + 0.1] })
    }
}

/// The `tileset.json` of a building layer. Content is at `{z}/{x}/{y}.glb` beside it.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing.
pub fn tileset(view: &Viewpoint<'_>, layer: &LayerConfig) -> Result<Value, ViewError> {
    view.check(layer)?;
    let mut cells: BTreeMap<(u32, u32), Region> = BTreeMap::new();
    let (mut damaged, mut example) = (0_u64, None);
    view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
        let found = shell_of(entity);
        if let Err(problem) = &found {
            damaged += 1;
            example = Some((entity.id.clone(), problem.clone()));
        }
        if let Ok(Some(shell)) = found
            && let (Some(cell), Some(region)) = (cell_of(&shell), Region::around(&shell))
        {
            let joined = cells.get(&cell.xy()).map_or(region, |known| known.union(region));
            cells.insert(cell.xy(), joined);
        }
        true
    })?;
    if let Some((building, problem)) = example {
        tracing::warn!(damaged, %building, %problem, "buildings are left out of the 3D tiles; this is one of them");
    }
    let mut groups: BTreeMap<(u32, u32), (Region, Vec<Value>)> = BTreeMap::new();
    let up = CELL_ZOOM - GROUP_ZOOM;
    for ((x, y), region) in cells {
        let leaf = json!({
            "boundingVolume": region.volume(),
            "geometricError": 0.0,
            "transform": TileId::new(CELL_ZOOM, x, y).map(|cell| frame_of(cell).matrix())?,
            "content": { "uri": format!("{CELL_ZOOM}/{x}/{y}.glb") },
        });
        let group = groups.entry((x >> up, y >> up)).or_insert((region, vec![]));
        group.0 = group.0.union(region);
        group.1.push(leaf);
    }
    let whole = groups.values().map(|(region, _)| *region).reduce(Region::union);
    let whole = whole.unwrap_or(Region([0.0; 6]));
    let children: Vec<Value> = groups
        .into_values()
        .map(|(region, cells)| {
            json!({ "boundingVolume": region.volume(), "geometricError": GROUP_ERROR, "children": cells })
        })
        .collect();
    let mut root = json!({ "boundingVolume": whole.volume(), "geometricError": ROOT_ERROR, "refine": "ADD" });
    if let (false, Some(root)) = (children.is_empty(), root.as_object_mut()) {
        root.insert("children".to_owned(), children.into());
    }
    Ok(json!({
        "asset": { "version": "1.1", "extras": { "heights": "metres above the local ground" } },
        "geometricError": ROOT_ERROR,
        "root": root,
    }))
}

/// The content of one cell as binary glTF; `None` when no building with surfaces lies in it.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing; a cell of another level is refused.
pub fn cell_glb(view: &Viewpoint<'_>, layer: &LayerConfig, cell: TileId) -> Result<Option<Vec<u8>>, ViewError> {
    view.check(layer)?;
    if cell.z() != CELL_ZOOM {
        let remedy = format!("use the addresses in tileset.json: they are on level {CELL_ZOOM}");
        return Err(model::Problem::new("tile", format!("there is no content on level {}", cell.z()), remedy).into());
    }
    let frame = frame_of(cell);
    let (mut roofs, mut walls, mut rows) = (Mesh::default(), Mesh::default(), vec![]);
    let select = EntitySelect::InBox { entity_type: Some(layer.type_iri()), bbox: cell.bounds(ORIGIN_MARGIN) };
    let mut buildings = vec![];
    view.each(&select, |entity| {
        if let Ok(Some(shell)) = shell_of(entity)
            && cell_of(&shell) == Some(cell)
        {
            buildings.push((entity.id.clone(), height_of(layer, entity), shell));
        }
        true
    })?;
    // In the order of their identifiers, so that the same buildings give the same file.
    buildings.sort_by(|a, b| a.0.cmp(&b.0));
    for (number, (id, height, shell)) in (0_u32..).zip(&buildings) {
        let offset = frame.towards(shell.origin[0], shell.origin[1]);
        mesh_of(shell, SurfaceKind::Roof, offset, number, &mut roofs);
        mesh_of(shell, SurfaceKind::Wall, offset, number, &mut walls);
        rows.push(FeatureRow { id: id.to_string(), height: *height });
    }
    let empty = roofs.indices.is_empty() && walls.indices.is_empty();
    Ok((!empty).then(|| encode_glb(&roofs, &walls, &rows)))
}

/// The surfaces of a building, when it has any; `Err` when they are damaged.
fn shell_of(entity: &Entity) -> Result<Option<Shell>, model::Problem> {
    let Some(attribute) = entity.attribute(crate::expand(SURFACES).as_str()) else { return Ok(None) };
    match &attribute.value {
        AttributeValue::Json(value) | AttributeValue::Property(value) => Shell::read(value).map(Some),
        _ => Ok(None),
    }
}

fn cell_of(shell: &Shell) -> Option<TileId> {
    TileId::holding(shell.origin[0], shell.origin[1], CELL_ZOOM)
}

/// The frame at the middle of a cell.
fn frame_of(cell: TileId) -> Frame {
    let b = cell.bounds(0.0);
    Frame::at(f64::midpoint(b.west, b.east), f64::midpoint(b.south, b.north))
}

#[expect(clippy::cast_possible_truncation, reason = "a height in metres")]
fn height_of(layer: &LayerConfig, entity: &Entity) -> f32 {
    let number = |name: &str| entity.attribute(crate::expand(name).as_str())?.number();
    let height = number("measuredHeight").or_else(|| number(layer.style.height.as_deref()?));
    height.map_or(f32::NAN, |h| h as f32)
}
