//! From the surfaces of buildings to triangles: each face is triangulated in its own plane, by cutting ears.

use model::Problem;
use serde::Deserialize;

/// The most positions of one building; more is a mistake.
const POSITIONS_MAX: usize = 100_000;
/// The largest distance of a position from the origin of its building, metres.
const REACH_MAX: f64 = 5_000.0;

/// What a surface of a building is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SurfaceKind {
    /// Seen from above.
    Roof,
    /// Between ground and roof.
    Wall,
    /// Underneath; never seen, and left out of the mesh.
    Ground,
}

/// The stored form of a building's surfaces.
#[derive(Clone, Debug, Deserialize)]
pub struct Shell {
    /// Longitude and latitude of the origin, degrees.
    pub origin: [f64; 2],
    /// The faces.
    pub surfaces: Vec<Surface>,
}

/// One face: an outer ring and its holes.
#[derive(Clone, Debug, Deserialize)]
pub struct Surface {
    /// What it is.
    pub kind: SurfaceKind,
    /// Rings of positions east, north and up of the origin, metres; outer rings run counter-clockwise seen from
    /// outside.
    pub rings: Vec<Vec<[f64; 3]>>,
}

/// Triangles of one kind of surface. Positions are not shared between faces, so that edges stay sharp.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// Positions east, north and up, metres.
    pub positions: Vec<[f64; 3]>,
    /// Outward normals, one for each position.
    pub normals: Vec<[f64; 3]>,
    /// Which building each position belongs to.
    pub features: Vec<u32>,
    /// Three positions for each triangle, counter-clockwise seen from outside.
    pub indices: Vec<u32>,
}

impl Shell {
    /// From the stored JSON.
    ///
    /// # Errors
    /// When it has another form, too many positions, or positions that cannot be right.
    pub fn read(value: &serde_json::Value) -> Result<Self, Problem> {
        let remedy = "import the building again from its CityJSON";
        let refuse = |detail: String| Problem::new("boundaries3d", detail, remedy);
        let shell = Self::deserialize(value).map_err(|e| refuse(e.to_string()))?;
        let positions = || shell.surfaces.iter().flat_map(|s| &s.rings).flatten();
        if positions().count() > POSITIONS_MAX {
            return Err(refuse(format!("it has more than {POSITIONS_MAX} positions")));
        }
        if positions().flatten().any(|v| !v.is_finite() || v.abs() > REACH_MAX) {
            return Err(refuse(format!("a position is more than {REACH_MAX} m from the origin")));
        }
        let [lon, lat] = shell.origin;
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return Err(refuse("its origin is not on earth".to_owned()));
        }
        Ok(shell)
    }
}

/// Adds the surfaces of one kind of a building to a mesh. `offset` is where its origin lies in the mesh's frame.
/// Faces without an area are left out.
pub fn mesh_of(shell: &Shell, kind: SurfaceKind, offset: [f64; 3], feature: u32, mesh: &mut Mesh) {
    for surface in shell.surfaces.iter().filter(|s| s.kind == kind) {
        add_face(surface, offset, feature, mesh);
    }
}

fn add_face(surface: &Surface, offset: [f64; 3], feature: u32, mesh: &mut Mesh) {
    let open = |ring: &Vec<[f64; 3]>| {
        let closed = ring.len() > 1 && ring.first() == ring.last();
        ring.iter().take(ring.len() - usize::from(closed)).copied().collect::<Vec<_>>()
    };
    let rings: Vec<Vec<[f64; 3]>> = surface.rings.iter().map(open).filter(|r| r.len() > 2).collect();
    let Some(normal) = rings.first().and_then(|outer| unit(newell(outer))) else { return };
    let [u, v] = plane(normal);
    let mut flat = vec![];
    let mut holes = vec![];
    let mut positions = vec![];
    for ring in &rings {
        if !positions.is_empty() {
            holes.push(positions.len());
        }
        for p in ring {
            flat.extend([dot(*p, u), dot(*p, v)]);
            positions.push(*p);
        }
    }
    let Ok(triangles) = earcutr::earcut(&flat, &holes, 2) else { return };
    let Ok(base) = u32::try_from(mesh.positions.len()) else { return };
    for triangle in triangles.chunks_exact(3) {
        let [a, b, c] = triangle else { continue };
        let corner = |i: &usize| positions.get(*i).copied().unwrap_or_default();
        let turned = dot(cross(minus(corner(b), corner(a)), minus(corner(c), corner(a))), normal);
        let order = if turned >= 0.0 { [a, b, c] } else { [a, c, b] };
        mesh.indices.extend(order.map(|i| base + u32::try_from(*i).unwrap_or(0)));
    }
    for p in &positions {
        mesh.positions.push([p[0] + offset[0], p[1] + offset[1], p[2] + offset[2]]);
        mesh.normals.push(normal);
        mesh.features.push(feature);
    }
}

/// The normal of a ring by Newell's method, as long as twice its area (Sutherland, Sproull and Schumacker 1974).
fn newell(ring: &[[f64; 3]]) -> [f64; 3] {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).fold([0.0; 3], |n, (a, b)| {
        [
            n[0] + (a[1] - b[1]) * (a[2] + b[2]),
            n[1] + (a[2] - b[2]) * (a[0] + b[0]),
            n[2] + (a[0] - b[0]) * (a[1] + b[1]),
        ]
    })
}

/// Two directions in a plane that make a right-handed frame with its normal.
fn plane(normal: [f64; 3]) -> [[f64; 3]; 2] {
    let helper = if normal[2].abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
    let u = unit(cross(helper, normal)).unwrap_or([1.0, 0.0, 0.0]);
    [u, cross(normal, u)]
}

/// A vector of length 1; `None` for one that is too short to have a direction.
fn unit(v: [f64; 3]) -> Option<[f64; 3]> {
    let length = dot(v, v).sqrt();
    (length > 1e-6).then(|| v.map(|x| x / length))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The area of the triangles, and how much of it looks along the normal that was stored.
    fn check(rings: Vec<Vec<[f64; 3]>>, area: f64, normal: [f64; 3]) {
        let shell = Shell { origin: [4.0, 52.0], surfaces: vec![Surface { kind: SurfaceKind::Roof, rings }] };
        let mut mesh = Mesh::default();
        mesh_of(&shell, SurfaceKind::Roof, [0.0; 3], 7, &mut mesh);
        let corner = |i: u32| mesh.positions[i as usize];
        let facing: f64 = mesh
            .indices
            .chunks(3)
            .map(|t| dot(cross(minus(corner(t[1]), corner(t[0])), minus(corner(t[2]), corner(t[0]))), normal) / 2.0)
            .sum();
        assert!((facing - area).abs() < 1e-9, "{facing} of {area}");
        assert!(mesh.features.iter().all(|f| *f == 7));
        assert!(mesh.normals.iter().all(|n| dot(*n, normal) > 0.999));
    }

    #[test]
    fn flat_roofs_walls_and_slopes_keep_their_area_and_direction() {
        let square = |z: f64| vec![[0.0, 0.0, z], [4.0, 0.0, z], [4.0, 3.0, z], [0.0, 3.0, z]];
        check(vec![square(5.0)], 12.0, [0.0, 0.0, 1.0]);
        let wall = vec![[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [4.0, 0.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]];
        check(vec![wall], 12.0, [0.0, -1.0, 0.0]);
        let slope = vec![[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.0, 3.0, 4.0], [0.0, 3.0, 4.0]];
        check(vec![slope], 10.0, [0.0, -0.8, 0.6]);
    }

    #[test]
    fn a_court_is_left_open() {
        let outer = vec![[0.0, 0.0, 9.0], [10.0, 0.0, 9.0], [10.0, 10.0, 9.0], [0.0, 10.0, 9.0]];
        let court = vec![[4.0, 4.0, 9.0], [4.0, 6.0, 9.0], [6.0, 6.0, 9.0], [6.0, 4.0, 9.0]];
        check(vec![outer, court], 96.0, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn faces_without_an_area_are_left_out() {
        check(vec![vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]], 0.0, [0.0, 0.0, 1.0]);
        check(vec![], 0.0, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn surfaces_in_another_form_are_refused() {
        for wrong in [
            serde_json::json!(null),
            serde_json::json!({"origin":[4.0,52.0]}),
            serde_json::json!({"origin":[400.0,52.0],"surfaces":[]}),
            serde_json::json!({"origin":[4.0,52.0],"surfaces":[{"kind":"roof","rings":[[[0,0,1e9]]]}]}),
        ] {
            assert!(Shell::read(&wrong).is_err(), "{wrong}");
        }
    }
}
