//! Binary glTF 2.0 (ISO/IEC 12113:2022): one buffer with the triangles of roofs and walls, a number for each building
//! on every position (`EXT_mesh_features`), and a table with each building's identifier and height
//! (`EXT_structural_metadata`).

use serde_json::{Value, json};

use super::mesh::Mesh;

/// What is said about one building in the table.
#[derive(Clone, Debug)]
pub struct FeatureRow {
    /// Its identifier.
    pub id: String,
    /// Its height, metres; not a number where it is not known.
    pub height: f32,
}

/// Colours as linear RGB factors: tile red and light stone.
const ROOF: [f64; 4] = [0.448, 0.152, 0.091, 1.0];
const WALL: [f64; 4] = [0.716, 0.651, 0.558, 1.0];

/// glTF's names for kinds of numbers and uses of a buffer.
const FLOAT: u32 = 5126;
const UNSIGNED_INT: u32 = 5125;
const UNSIGNED_SHORT: u32 = 5123;
const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;

/// A GLB file with roofs and walls. glTF's y points up: east, north, up become x, -z, y.
#[must_use]
pub fn encode_glb(roofs: &Mesh, walls: &Mesh, rows: &[FeatureRow]) -> Vec<u8> {
    let mut file = File::default();
    let primitives: Vec<Value> = [(roofs, 0), (walls, 1)]
        .into_iter()
        .filter(|(mesh, _)| !mesh.indices.is_empty())
        .map(|(mesh, material)| file.primitive(mesh, material, rows.len()))
        .collect();
    let table = file.table(rows);
    let material = |name: &str, color: [f64; 4]| {
        json!({
            "name": name,
            "pbrMetallicRoughness": { "baseColorFactor": color, "metallicFactor": 0.0, "roughnessFactor": 0.9 },
            // Walls are rebuilt skirts: a missing neighbour must not show a hole.
            "doubleSided": true,
        })
    };
    let mut document = json!({
        "asset": { "version": "2.0", "generator": "Polder" },
        "extensionsUsed": ["EXT_mesh_features", "EXT_structural_metadata"],
        "extensions": { "EXT_structural_metadata": {
            "schema": { "id": "polder", "classes": { "building": { "properties": {
                "id": { "type": "STRING", "required": true },
                "height": { "type": "SCALAR", "componentType": "FLOAT32", "noData": -1.0 },
            } } } },
            "propertyTables": [table],
        } },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0 }],
        "meshes": [{ "primitives": primitives }],
        "materials": [material("roof", ROOF), material("wall", WALL)],
        "accessors": file.accessors,
        "bufferViews": file.views,
    });
    if let Some(object) = document.as_object_mut() {
        file.pad(4);
        object.insert("buffers".to_owned(), json!([{ "byteLength": file.bytes.len() }]));
    }
    container(&document, &file.bytes)
}

/// The header and the two chunks.
fn container(document: &Value, binary: &[u8]) -> Vec<u8> {
    let mut text = document.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(4), b' ');
    let total = 12 + 8 + text.len() + 8 + binary.len();
    let mut out = Vec::with_capacity(total);
    out.extend(b"glTF");
    out.extend(2_u32.to_le_bytes());
    out.extend(length(total));
    for (kind, content) in [(b"JSON", text.as_slice()), (b"BIN\0", binary)] {
        out.extend(length(content.len()));
        out.extend(kind);
        out.extend(content);
    }
    out
}

/// A length in a file; one cell of a city stays far below 4 GiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

/// The buffer in the making.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
}

impl File {
    fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    /// Adds a view of new bytes, on a multiple of 8 as property tables demand.
    fn view(&mut self, content: impl IntoIterator<Item = u8>, target: Option<u32>) -> usize {
        self.pad(8);
        let offset = self.bytes.len();
        self.bytes.extend(content);
        let mut view = json!({ "buffer": 0, "byteOffset": offset, "byteLength": self.bytes.len() - offset });
        if let (Some(target), Some(view)) = (target, view.as_object_mut()) {
            view.insert("target".to_owned(), target.into());
        }
        self.views.push(view);
        self.views.len() - 1
    }

    fn accessor(&mut self, accessor: Value) -> usize {
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    fn vectors(&mut self, vectors: &[[f32; 3]], with_bounds: bool) -> usize {
        let content = vectors.iter().flatten().flat_map(|v| v.to_le_bytes());
        let view = self.view(content, Some(ARRAY_BUFFER));
        let mut accessor =
            json!({ "bufferView": view, "componentType": FLOAT, "count": vectors.len(), "type": "VEC3" });
        if let (true, Some(accessor)) = (with_bounds, accessor.as_object_mut()) {
            let bound = |pick: fn(f32, f32) -> f32| -> [f32; 3] {
                vectors
                    .iter()
                    .copied()
                    .reduce(|a, b| [pick(a[0], b[0]), pick(a[1], b[1]), pick(a[2], b[2])])
                    .unwrap_or_default()
            };
            accessor.insert("min".to_owned(), json!(bound(f32::min)));
            accessor.insert("max".to_owned(), json!(bound(f32::max)));
        }
        self.accessor(accessor)
    }

    fn primitive(&mut self, mesh: &Mesh, material: u32, features: usize) -> Value {
        #[expect(clippy::cast_possible_truncation, reason = "a float of 32 bits holds a kilometre to 0.1 mm")]
        let turn = |v: &[f64; 3]| [v[0] as f32, v[2] as f32, -v[1] as f32];
        let positions: Vec<[f32; 3]> = mesh.positions.iter().map(turn).collect();
        let normals: Vec<[f32; 3]> = mesh.normals.iter().map(turn).collect();
        let position = self.vectors(&positions, true);
        let normal = self.vectors(&normals, false);
        // A vertex attribute may not be a 32-bit integer; a float holds whole numbers up to 16 million.
        #[expect(clippy::cast_precision_loss, reason = "a cell has far fewer than 16 million buildings")]
        let ids = mesh.features.iter().flat_map(|f| (*f as f32).to_le_bytes());
        let view = self.view(ids, Some(ARRAY_BUFFER));
        let id = self.accessor(json!({
            "bufferView": view, "componentType": FLOAT, "count": mesh.features.len(), "type": "SCALAR"
        }));
        let indices = self.indices(&mesh.indices, mesh.positions.len());
        json!({
            "attributes": { "POSITION": position, "NORMAL": normal, "_FEATURE_ID_0": id },
            "indices": indices,
            "material": material,
            "mode": 4,
            "extensions": { "EXT_mesh_features": { "featureIds": [
                { "featureCount": features, "attribute": 0, "propertyTable": 0 }
            ] } },
        })
    }

    fn indices(&mut self, indices: &[u32], positions: usize) -> usize {
        let short = positions < usize::from(u16::MAX);
        let view = if short {
            let content = indices.iter().flat_map(|i| u16::try_from(*i).unwrap_or(0).to_le_bytes());
            self.view(content, Some(ELEMENT_ARRAY_BUFFER))
        } else {
            self.view(indices.iter().flat_map(|i| i.to_le_bytes()), Some(ELEMENT_ARRAY_BUFFER))
        };
        let kind = if short { UNSIGNED_SHORT } else { UNSIGNED_INT };
        self.accessor(json!({ "bufferView": view, "componentType": kind, "count": indices.len(), "type": "SCALAR" }))
    }

    fn table(&mut self, rows: &[FeatureRow]) -> Value {
        let text = self.view(rows.iter().flat_map(|r| r.id.bytes()), None);
        let ends = rows.iter().scan(0_usize, |end, row| {
            *end += row.id.len();
            Some(*end)
        });
        let offsets: Vec<u8> = std::iter::once(0).chain(ends).flat_map(length).collect();
        let offsets = self.view(offsets, None);
        let heights = rows.iter().map(|r| if r.height.is_finite() { r.height } else { -1.0 });
        let heights = self.view(heights.flat_map(f32::to_le_bytes), None);
        json!({
            "class": "building",
            "count": rows.len(),
            "properties": {
                "id": { "values": text, "stringOffsets": offsets, "stringOffsetType": "UINT32" },
                "height": { "values": heights },
            },
        })
    }
}
