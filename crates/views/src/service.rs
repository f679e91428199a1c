//! The views of one server: the city's layers over its store, with everything that is remembered between questions.
//!
//! What is remembered (tiles, names, indicators) is kept by the change feed. Each question first takes in the changes
//! that are waiting, so that an answer is never behind a write that was acknowledged before the question came.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use model::{BoundingBox, Change, ReadScope, Tenant, Timestamp};
use quick_cache::sync::Cache;
use store::{ChangeFeed, EntitySelect, Snapshot, Store, StoreError};
use tokio::sync::watch;

use crate::{
    Basemap, BySize, CachedTile, Catalogue, City, Computed, Found, Group, Layer, LayerConfig, LayerKind, Layers,
    SearchIndex, SourceCard, TileCache, TileId, TileKey, ViewError, Viewpoint, build_tile, indicators,
    orders::Orders,
    remembered::Remembered,
    search::SearchIndexes,
    table::{Table, TableQuery, table_with},
    threed,
};

/// Layers with more things than this show the city's bounds instead of their own.
const BOUNDS_THINGS_MAX: u64 = 10_000;

/// The memory that the content of 3D tiles may take, bytes.
const CELL_BYTES_MAX: u64 = 96 * 1024 * 1024;

/// What the views of a server are made of.
pub struct ViewsParts {
    /// The state and history of the city.
    pub store: Store,
    /// The layers of `layers.toml`.
    pub layers: Layers,
    /// Who delivers the data, by the name of the source in `city.toml`.
    pub sources: Vec<SourceCard>,
    /// The city.
    pub city: City,
    /// The base map, when there is one.
    pub basemap: Option<Basemap>,
}

/// The views of one server. Cheap to clone.
#[derive(Clone)]
pub struct Views(Arc<Inner>);

struct Inner {
    parts: ViewsParts,
    zone: jiff::tz::TimeZone,
    feed: Mutex<ChangeFeed>,
    tiles: TileCache,
    /// For each layer, the sequence of its last change.
    changed: Vec<AtomicU64>,
    /// Told after changes have been taken in.
    taken_in: watch::Sender<u64>,
    search: RwLock<SearchIndexes>,
    computed: Remembered<AreaValues>,
    bounds: Remembered<Option<BoundingBox>>,
    tilesets: Remembered<Arc<str>>,
    /// The orders of large tables.
    orders: Orders,
    /// The content of 3D tiles.
    cells: Cache<TileKey, CachedTile, BySize>,
}

/// The value of one indicator for each area.
type AreaValues = Arc<HashMap<model::EntityId, f64>>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Views {
    /// The views over a store, from now on.
    #[must_use]
    pub fn new(parts: ViewsParts) -> Self {
        let count = parts.layers.layers.len();
        Self(Arc::new(Inner {
            zone: parts.city.zone(),
            feed: Mutex::new(parts.store.changes()),
            tiles: TileCache::new(count),
            changed: std::iter::repeat_with(|| AtomicU64::new(0)).take(count).collect(),
            taken_in: watch::Sender::new(0),
            search: RwLock::default(),
            computed: Remembered::default(),
            bounds: Remembered::default(),
            tilesets: Remembered::default(),
            orders: Orders::default(),
            cells: Cache::with_weighter(2_000, CELL_BYTES_MAX, BySize),
            parts,
        }))
    }

    /// The city.
    #[must_use]
    pub fn city(&self) -> &City {
        &self.0.parts.city
    }

    /// The city's time zone.
    #[must_use]
    pub fn zone(&self) -> &jiff::tz::TimeZone {
        &self.0.zone
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &Layers {
        &self.0.parts.layers
    }

    /// The base map.
    #[must_use]
    pub fn basemap(&self) -> Option<&Basemap> {
        self.0.parts.basemap.as_ref()
    }

    /// Who delivers the data of a source; only its name when nothing is known of it.
    #[must_use]
    pub fn source(&self, name: &str) -> SourceCard {
        let known = self.0.parts.sources.iter().find(|s| s.name == name);
        known.cloned().unwrap_or_else(|| SourceCard { name: name.to_owned(), ..SourceCard::default() })
    }

    /// A layer that the reader may see.
    ///
    /// # Errors
    /// [`ViewError::Missing`].
    pub fn layer(&self, id: &str, scope: &ReadScope) -> Result<&LayerConfig, ViewError> {
        let found = self.layers().get(id).filter(|l| scope.shows_type(&l.type_iri()));
        found.ok_or_else(|| ViewError::Missing(format!("layer \"{}\"", id.chars().take(80).collect::<String>())))
    }

    /// The newest state, with everything that is remembered brought up to it.
    ///
    /// # Errors
    /// The store's.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let snapshot = self.0.parts.store.snapshot()?;
        self.catch_up()?;
        Ok(snapshot)
    }

    /// Tells the sequence up to which changes have been taken in, each time it grows.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.0.taken_in.subscribe()
    }

    /// The changes after a sequence (or from now on), for one listener.
    #[must_use]
    pub fn changes(&self, since: Option<u64>) -> ChangeFeed {
        match since {
            Some(sequence) => self.0.parts.store.changes_since(sequence),
            None => self.0.parts.store.changes(),
        }
    }

    /// The sequence of the last change that a layer had, 0 when none since the server started.
    #[must_use]
    pub fn changed(&self, layer: &str) -> u64 {
        let place = self.layers().layers.iter().position(|l| l.id == layer);
        place.and_then(|p| self.0.changed.get(p)).map_or(0, |c| c.load(Ordering::Acquire))
    }

    /// Takes in changes as they come, until the store is closed. A server runs this beside its requests.
    pub async fn follow(self) {
        let mut wake = self.0.parts.store.changes();
        loop {
            match wake.next().await {
                Err(StoreError::Closed) => return,
                Err(error) => tracing::warn!(%error, "the change feed had a hole; everything remembered is forgotten"),
                Ok(_) => {}
            }
            if let Err(error) = self.catch_up() {
                tracing::error!(%error, "changes could not be taken in");
            }
        }
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        let mut feed = locked(&self.0.feed);
        let before = feed.position();
        loop {
            match feed.next_ready() {
                Ok(Some(changes)) => self.apply(&changes),
                Ok(None) => break,
                Err(StoreError::ChangesTrimmed { .. } | StoreError::Corrupt { .. }) => self.forget()?,
                Err(error) => return Err(error),
            }
        }
        let position = feed.position();
        drop(feed);
        if position != before {
            self.0.taken_in.send_replace(position);
        }
        Ok(())
    }

    fn apply(&self, changes: &[Change]) {
        for change in changes {
            let states = || [&change.before, &change.after].into_iter().flatten();
            for (place, layer) in self.layers().layers.iter().enumerate() {
                let name = layer.type_iri();
                if !states().any(|e| e.types.contains(&name)) {
                    continue;
                }
                if let Some(changed) = self.0.changed.get(place) {
                    changed.fetch_max(change.sequence, Ordering::AcqRel);
                }
                self.0.tiles.touch(place, layer, change);
            }
        }
        let mut search = self.0.search.write().unwrap_or_else(PoisonError::into_inner);
        if !search.is_empty() {
            for change in changes {
                if let Some(index) = search.get_mut(&change.tenant) {
                    index.apply(self.layers(), change);
                }
            }
        }
    }

    /// Forgets everything: changes were missed.
    fn forget(&self) -> Result<(), StoreError> {
        let sequence = self.0.parts.store.snapshot()?.sequence();
        self.0.tiles.touch_all(sequence);
        self.0.changed.iter().for_each(|c| c.store(sequence, Ordering::Release));
        self.0.search.write().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// The catalogue of layers that the reader may see.
    ///
    /// # Errors
    /// The store's.
    pub fn catalogue(&self, view: &Viewpoint<'_>) -> Result<Catalogue, ViewError> {
        let mut layers = vec![];
        for config in self.layers().layers.iter().filter(|l| view.scope.shows_type(&l.type_iri())) {
            let count = view.count(&config.type_iri())?;
            let bounds = self.bounds(view, config, count)?;
            layers.push(Layer::of(config, count, bounds, self.source(&config.source)));
        }
        let groups = self.layers().groups.iter().map(|g| Group { id: g.id.clone(), title: g.title.clone() }).collect();
        Ok(Catalogue { groups, layers })
    }

    /// The box around the things of a layer; the city's box for a layer with very many things.
    ///
    /// # Errors
    /// The store's.
    pub fn bounds(
        &self,
        view: &Viewpoint<'_>,
        layer: &LayerConfig,
        count: u64,
    ) -> Result<Option<BoundingBox>, ViewError> {
        if count == 0 {
            return Ok(None);
        }
        if count > BOUNDS_THINGS_MAX {
            return Ok(Some(self.city().bounding_box()));
        }
        // Things of a live layer change all the time but seldom leave its box: count decides there.
        let (changed, beside) = if layer.live { (0, count) } else { (self.changed(&layer.id), 0) };
        let key = (view.tenant.clone(), layer.id.clone(), fingerprint(view.scope));
        if let Some(bounds) = self.0.bounds.get(&key, changed, beside) {
            return Ok(bounds);
        }
        let mut bounds: Option<BoundingBox> = None;
        view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
            if let Some(bbox) = entity.bounding_box() {
                bounds = Some(bounds.map_or(bbox, |b| b.union(&bbox)));
            }
            true
        })?;
        self.0.bounds.put(key, view.snapshot.sequence(), beside, bounds);
        Ok(bounds)
    }

    /// The computed indicators of an area layer.
    ///
    /// # Errors
    /// The store's.
    pub fn computed(&self, view: &Viewpoint<'_>, layer: &LayerConfig) -> Result<Arc<Computed>, ViewError> {
        let mut all = HashMap::new();
        for indicator in &layer.indicators {
            let things = self.layers().get(&indicator.layer);
            // Values of live things age with the clock; a minute is fine enough for an area.
            let minute = if things.is_some_and(|t| t.live) { view.now.micros().unsigned_abs() / 60_000_000 } else { 0 };
            let changed = self.changed(&layer.id).max(self.changed(&indicator.layer));
            let key = (view.tenant.clone(), format!("{}/{}", layer.id, indicator.name), fingerprint(view.scope));
            let values = match self.0.computed.get(&key, changed, minute) {
                Some(values) => values,
                None => {
                    let values = Arc::new(indicators::compute(view, self.layers(), layer, indicator)?);
                    self.0.computed.put(key, view.snapshot.sequence(), minute, values.clone());
                    values
                }
            };
            all.insert(indicator.name.clone(), HashMap::clone(&values));
        }
        Ok(Arc::new(Computed(all)))
    }

    /// Everything that areas may be coloured by.
    ///
    /// # Errors
    /// The store's.
    pub fn indicators(&self, view: &Viewpoint<'_>) -> Result<Vec<crate::Indicator>, ViewError> {
        let mut computed = HashMap::new();
        for layer in self.layers().layers.iter().filter(|l| !l.indicators.is_empty()) {
            computed.insert(layer.id.clone(), self.computed(view, layer)?);
        }
        indicators::indicators(view, self.layers(), &computed)
    }

    /// A tile of a layer, from the cache unless a change has touched it.
    ///
    /// # Errors
    /// The store's. A layer that the reader may not see is missing.
    pub fn tile(&self, view: &Viewpoint<'_>, id: &str, tile: TileId) -> Result<CachedTile, ViewError> {
        let layer = self.layer(id, view.scope)?;
        let key = self.tile_key(view, id, tile);
        if let Some(known) = self.0.tiles.get(&key) {
            return Ok(known);
        }
        let made = self.finished(view, build_tile(view, layer, tile)?);
        self.0.tiles.put(key, made.clone());
        Ok(made)
    }

    /// The `tileset.json` of a building layer, made again only after one of its buildings changed.
    ///
    /// # Errors
    /// The store's. A layer that the reader may not see, or that has no buildings, is missing.
    pub fn tileset(&self, view: &Viewpoint<'_>, id: &str) -> Result<Arc<str>, ViewError> {
        let layer = self.building_layer(id, view.scope)?;
        let key = (view.tenant.clone(), id.to_owned(), fingerprint(view.scope));
        if let Some(known) = self.0.tilesets.get(&key, self.changed(id), 0) {
            return Ok(known);
        }
        let made: Arc<str> = threed::tileset(view, layer)?.to_string().into();
        self.0.tilesets.put(key, view.snapshot.sequence(), 0, made.clone());
        Ok(made)
    }

    /// The content of one cell of the 3D tiles; empty when no building lies in it.
    ///
    /// # Errors
    /// The store's. A layer that the reader may not see, or that has no buildings, is missing.
    pub fn building_cell(&self, view: &Viewpoint<'_>, id: &str, cell: TileId) -> Result<CachedTile, ViewError> {
        let layer = self.building_layer(id, view.scope)?;
        let key = self.tile_key(view, id, cell);
        if let Some(known) = self.0.cells.get(&key).filter(|tile| tile.sequence >= self.changed(id)) {
            return Ok(known);
        }
        let bytes = threed::cell_glb(view, layer, cell)?.unwrap_or_default();
        let made = self.finished(view, bytes);
        self.0.cells.insert(key, made.clone());
        Ok(made)
    }

    fn building_layer(&self, id: &str, scope: &ReadScope) -> Result<&LayerConfig, ViewError> {
        let layer = self.layer(id, scope)?;
        if layer.kind == LayerKind::Building {
            return Ok(layer);
        }
        Err(ViewError::Missing(format!("3D tileset \"{id}\"")))
    }

    fn tile_key(&self, view: &Viewpoint<'_>, id: &str, tile: TileId) -> TileKey {
        let layer = self.layers().layers.iter().position(|l| l.id == id).unwrap_or_default();
        TileKey { tenant: view.tenant.clone(), layer, tile, scope: fingerprint(view.scope) }
    }

    fn finished(&self, view: &Viewpoint<'_>, bytes: Vec<u8>) -> CachedTile {
        let etag = format!("{:016x}-{:x}", hash_of(&bytes), bytes.len()).into();
        CachedTile { sequence: view.snapshot.sequence(), bytes: bytes.into(), etag }
    }

    /// A page of the table of a layer; the order of a large one is remembered until one of its things changes.
    ///
    /// # Errors
    /// The store's. A layer that the reader may not see is missing; a column that does not exist is refused.
    pub fn table(&self, view: &Viewpoint<'_>, id: &str, query: &TableQuery) -> Result<Table, ViewError> {
        let layer = self.layer(id, view.scope)?;
        let computed = self.computed(view, layer)?;
        let asked = format!("{:?}", (&query.language, &query.sort, &query.search));
        let key = (view.tenant.clone(), id.to_owned(), fingerprint(view.scope), asked);
        table_with(view, layer, query, &computed, &|make| {
            if let Some(known) = self.0.orders.get(&key, self.changed(id)) {
                return Ok(known);
            }
            let made = make()?;
            self.0.orders.put(key.clone(), view.snapshot.sequence(), Arc::clone(&made));
            Ok(made)
        })
    }

    /// Places and things by name.
    ///
    /// # Errors
    /// The store's.
    pub fn search(
        &self,
        view: &Viewpoint<'_>,
        text: &str,
        limit: usize,
        language: &str,
    ) -> Result<Vec<Found>, ViewError> {
        let all = self.0.search.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = all.get(view.tenant) {
            return Ok(index.find(self.layers(), view.scope, text, limit, language));
        }
        drop(all);
        let everything = Viewpoint { scope: &ReadScope::All, ..*view };
        let index = SearchIndex::build(&everything, self.layers())?;
        let found = index.find(self.layers(), view.scope, text, limit, language);
        self.keep_names(view.tenant, index)?;
        Ok(found)
    }

    /// Keeps an index that was built from a snapshot, with the changes that were taken in while it was being built.
    fn keep_names(&self, tenant: &Tenant, mut index: SearchIndex) -> Result<(), StoreError> {
        // As long as the feed is held, no more changes are taken in.
        let feed = locked(&self.0.feed);
        let mut missed = self.0.parts.store.changes_since(index.sequence());
        while missed.position() < feed.position() {
            match missed.next_ready() {
                Ok(Some(changes)) => {
                    let mine = changes.iter().filter(|change| change.tenant == *tenant);
                    mine.for_each(|change| index.apply(self.layers(), change));
                }
                Ok(None) => break,
                // It cannot be brought up to date: the next question builds another.
                Err(StoreError::ChangesTrimmed { .. } | StoreError::Corrupt { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.0.search.write().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_insert(index);
        Ok(())
    }

    /// Computes what takes long (indicators, bounds, names), so that the first visitor does not wait for it.
    ///
    /// # Errors
    /// The store's.
    pub fn warm(&self, tenant: &Tenant, scope: &ReadScope, now: Timestamp) -> Result<(), ViewError> {
        let snapshot = self.snapshot()?;
        let view = Viewpoint { snapshot: &snapshot, tenant, scope, now };
        self.indicators(&view)?;
        self.catalogue(&view)?;
        self.search(&view, "a", 1, "nl")?;
        for layer in self.layers().layers.iter().filter(|l| l.kind == LayerKind::Building) {
            self.tileset(&view, &layer.id)?;
        }
        Ok(())
    }
}

/// A number that stands for what a reader may see; equal scopes have equal numbers.
fn fingerprint(scope: &ReadScope) -> u64 {
    match scope {
        ReadScope::All => 0,
        ReadScope::Types(types) => {
            let mut names: Vec<&str> = types.iter().map(model::Iri::as_str).collect();
            names.sort_unstable();
            hash_of(&names) | 1
        }
    }
}

fn hash_of(value: &impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}
