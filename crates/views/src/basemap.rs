//! The base map: vector tiles of one PMTiles file, handed out as they are stored.

use std::path::Path;

use bytes::Bytes;
use pmtiles::{AsyncPmTilesReader, HashMapCache, MmapBackend, TileCoord};
use serde_json::{Value, json};

use crate::{TileId, ViewError};

/// An opened PMTiles file.
pub struct Basemap {
    reader: AsyncPmTilesReader<MmapBackend, HashMapCache>,
    metadata: Value,
    /// A fingerprint of the file: its length and when it was changed.
    etag: String,
}

/// A tile as it is stored.
#[derive(Clone, Debug)]
pub struct StoredTile {
    /// The content, compressed as `encoding` says.
    pub bytes: Bytes,
    /// The media type.
    pub media_type: &'static str,
    /// The content encoding, when compressed.
    pub encoding: Option<&'static str>,
}

impl Basemap {
    /// Opens a PMTiles file (version 3).
    ///
    /// # Errors
    /// When the file is missing or is not one.
    pub async fn open(path: &Path) -> Result<Self, ViewError> {
        let reader = AsyncPmTilesReader::new_with_cached_path(HashMapCache::default(), path).await?;
        let metadata = serde_json::from_str(&reader.get_metadata().await?).unwrap_or_default();
        let file = tokio::fs::metadata(path).await.ok();
        let changed = file.as_ref().and_then(|f| f.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok());
        let etag = format!("{:x}-{:x}", file.map_or(0, |f| f.len()), changed.map_or(0, |d| d.as_secs()));
        Ok(Self { reader, metadata, etag })
    }

    /// A fingerprint of the whole file, without quotes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// A tile; `None` where the map has nothing. It comes as it is stored when `accepted` (the value of
    /// `Accept-Encoding`) has its encoding, else unpacked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn tile(&self, tile: TileId, accepted: &str) -> Result<Option<StoredTile>, ViewError> {
        let (x, y) = tile.xy();
        let place = TileCoord::new(tile.z(), x, y)?;
        let header = self.reader.get_header();
        let media_type = header.tile_type.content_type();
        let encoding = header.tile_compression.content_encoding();
        if encoding.is_some_and(|e| !accepted.contains(e)) {
            let found = self.reader.get_tile_decompressed(place).await?;
            return Ok(found.map(|bytes| StoredTile { bytes, media_type, encoding: None }));
        }
        let found = self.reader.get_tile(place).await?;
        Ok(found.map(|bytes| StoredTile { bytes, media_type, encoding }))
    }

    /// The TileJSON 3.0 document, with the tiles at `tiles`.
    #[must_use]
    pub fn tile_json(&self, tiles: &str) -> Value {
        let header = self.reader.get_header();
        let bounds = [header.min_longitude, header.min_latitude, header.max_longitude, header.max_latitude];
        let said = |name: &str| self.metadata.get(name).cloned().unwrap_or(Value::Null);
        json!({
            "tilejson": "3.0.0",
            "name": said("name"),
            "attribution": said("attribution"),
            "tiles": [tiles],
            "minzoom": header.min_zoom,
            "maxzoom": header.max_zoom,
            "bounds": bounds,
            "center": [header.center_longitude, header.center_latitude, header.center_zoom],
            "vector_layers": said("vector_layers"),
        })
    }
}
