//! Vector tiles straight from the store: which things of a layer lie in a tile, thinned, clipped, simplified and
//! encoded; and the cache that is never behind a change.

mod build;
mod cache;
mod encode;
mod grid;
mod shape;

pub use build::build_tile;
pub use cache::{BySize, CachedTile, TileCache, TileKey};
pub use encode::{Tile, TileFeature, TileLayer, TileValue};
pub use grid::TileId;
