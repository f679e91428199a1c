//! Buildings with their roofs as 3D Tiles 1.1 (OGC 22-025r4), made by us from the surfaces in the store.
//!
//! A building that has surfaces carries them as the JSON attribute `boundaries3d`: an origin in degrees and rings in
//! metres east, north and up of it. Tiles are the cells of the web-mercator grid on zoom level 16 (some 380 m in the
//! Netherlands), each a binary glTF 2.0 file; cells of level 14 group them. Heights are above the local ground, which
//! is put on the ellipsoid: there is no terrain in these data.

mod frame;
mod glb;
mod mesh;
mod tileset;

pub use glb::{FeatureRow, encode_glb};
pub use mesh::{Mesh, Shell, Surface, SurfaceKind, mesh_of};
pub use tileset::{cell_glb, tileset};

/// The attribute with the surfaces.
pub const SURFACES: &str = "boundaries3d";
/// The zoom level of the cells with content.
pub const CELL_ZOOM: u8 = 16;
/// The zoom level of the cells that group them.
const GROUP_ZOOM: u8 = 14;
