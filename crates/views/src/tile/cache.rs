//! The tile cache. A tile from the cache is never behind a change.
//!
//! Every tile carries the sequence of the snapshot that it was made from. The follower of the change feed writes, for
//! every tile that a change touches, the sequence of that change into a stamp; a tile is served only while its own
//! sequence is at least its stamp. Stamps are shared by tiles whose hashes meet, which can only cause a tile to be
//! made again needlessly. A reader first waits until the follower has reached the reader's own snapshot.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use model::{BoundingBox, Change, Tenant};
use quick_cache::{Weighter, sync::Cache};

use super::grid::TileId;
use crate::LayerConfig;

/// Stamps of each layer; a power of two.
const STAMPS: usize = 1 << 14;
/// Tiles of one zoom level that one change may touch before the whole layer counts as touched.
const TOUCHED_MAX: u64 = 256;
/// The memory that tiles may take, bytes.
const BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Which tile, for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TileKey {
    /// Whose data.
    pub tenant: Tenant,
    /// The place of the layer in the list of layers.
    pub layer: usize,
    /// Which tile.
    pub tile: TileId,
    /// A fingerprint of what the reader may see.
    pub scope: u64,
}

/// A tile with the state that it shows.
#[derive(Clone, Debug)]
pub struct CachedTile {
    /// The sequence of the snapshot it was made from.
    pub sequence: u64,
    /// The vector tile, not compressed.
    pub bytes: Bytes,
    /// A fingerprint of the bytes, without quotes.
    pub etag: std::sync::Arc<str>,
}

/// Weighs tiles by their size.
#[derive(Clone)]
pub struct BySize;

impl Weighter<TileKey, CachedTile> for BySize {
    fn weight(&self, _: &TileKey, tile: &CachedTile) -> u64 {
        tile.bytes.len() as u64 + 128
    }
}

/// The tiles of all layers, bounded in memory.
pub struct TileCache {
    tiles: Cache<TileKey, CachedTile, BySize>,
    layers: Vec<Stamps>,
}

struct Stamps {
    tiles: Vec<AtomicU64>,
    whole: AtomicU64,
}

impl TileCache {
    /// An empty cache for a number of layers.
    #[must_use]
    pub fn new(layers: usize) -> Self {
        let stamps = || Stamps {
            tiles: std::iter::repeat_with(|| AtomicU64::new(0)).take(STAMPS).collect(),
            whole: AtomicU64::new(0),
        };
        Self {
            tiles: Cache::with_weighter(10_000, BYTES_MAX, BySize),
            layers: std::iter::repeat_with(stamps).take(layers).collect(),
        }
    }

    /// The tile, when it is there and no change since has touched it.
    #[must_use]
    pub fn get(&self, key: &TileKey) -> Option<CachedTile> {
        let tile = self.tiles.get(key)?;
        let stamps = self.layers.get(key.layer)?;
        let touched = stamps.tiles.get(slot(&key.tenant, key.tile))?.load(Ordering::Acquire);
        (tile.sequence >= touched.max(stamps.whole.load(Ordering::Acquire))).then_some(tile)
    }

    /// Keeps a tile.
    pub fn put(&self, key: TileKey, tile: CachedTile) {
        self.tiles.insert(key, tile);
    }

    /// Marks every tile of a layer that a change touches, where the thing was and where it is.
    pub fn touch(&self, place: usize, layer: &LayerConfig, change: &Change) {
        let Some(stamps) = self.layers.get(place) else { return };
        let boxes = [&change.before, &change.after].into_iter().flatten().filter_map(|e| e.bounding_box());
        for bbox in boxes {
            for z in layer.min_zoom..=crate::config::ZOOM_MAX {
                if !stamps.touch_level(&change.tenant, &bbox, z, change.sequence) {
                    stamps.whole.fetch_max(change.sequence, Ordering::AcqRel);
                    break;
                }
            }
        }
    }

    /// Forgets everything before a sequence, in all layers: for when changes may have been missed.
    pub fn touch_all(&self, sequence: u64) {
        for stamps in &self.layers {
            stamps.whole.fetch_max(sequence, Ordering::AcqRel);
        }
    }
}

impl Stamps {
    /// Whether the tiles were few enough to mark each.
    fn touch_level(&self, tenant: &Tenant, bbox: &BoundingBox, z: u8, sequence: u64) -> bool {
        let Some(touched) = TileId::touched(bbox, z, TOUCHED_MAX) else { return false };
        for tile in touched {
            if let Some(stamp) = self.tiles.get(slot(tenant, tile)) {
                stamp.fetch_max(sequence, Ordering::AcqRel);
            }
        }
        true
    }
}

fn slot(tenant: &Tenant, tile: TileId) -> usize {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((tenant, tile));
    usize::try_from(hash % STAMPS as u64).unwrap_or(0)
}
