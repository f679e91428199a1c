//! Layer 3: pictures of the city. A snapshot and a question go in, picture data come out.
//!
//! A view never writes to the store and never looks at the clock: what "now" is comes with the question. What every
//! view keeps to: no data is `null`, never zero; every value can say when it was observed and how it came to be; what
//! the reader may not see does not exist.
//!
//! - [`Layers`]: `layers.toml`, which entities are drawn and how
//! - [`Views`]: the views of one server, with what is remembered between questions
//! - [`features()`], [`table()`], [`inspect`], [`chart`], [`timeline()`], [`SearchIndex`]: pictures of entities
//! - [`build_tile`], [`TileCache`], [`Basemap`]: vector tiles
//! - [`threed`]: buildings with their roofs as 3D Tiles
//! - [`ogc`]: features for other people's software
//! - [`change_event`]: what a listener is told

mod areas;
mod basemap;
mod catalogue;
mod city;
mod config;
mod error;
mod features;
mod indicators;
mod inspector;
mod live;
pub mod ogc;
mod orders;
mod remembered;
mod search;
mod sentence;
mod series;
mod service;
mod shapes;
mod table;
pub mod threed;
mod tile;
mod timeline;
mod value;
mod viewpoint;

pub use basemap::{Basemap, StoredTile};
pub use catalogue::{Catalogue, Group, Layer, LayerAttribute, LayerStyle, LayerWord};
pub use city::{City, Notice, NoticeKind};
pub use config::{
    AttributeConfig, AttributeKind, Category, Compute, Delivery, GroupConfig, IndicatorConfig, LayerConfig, LayerKind,
    Layers, PeriodConfig, SourceCard, Stop, StyleConfig, StyleKind, Text, Word, ZOOM_MAX, expand,
};
pub use error::ViewError;
pub use features::{
    CollectionTag, FEATURES_MAX, Feature, FeatureCollection, FeatureTag, FeaturesQuery, features, is_shown_at,
};
pub use indicators::{Computed, Indicator};
pub use inspector::{InspectedValue, Inspector, QualityLabel, Relation, inspect};
pub use live::{ChangeEvent, ChangedKind, Listener, change_event};
pub use search::{Found, FoundKind, RESULTS_MAX, SearchIndex};
pub use sentence::sentence;
pub use series::{Chart, ChartPoint, SeriesQuery, chart, draw};
pub use service::{Views, ViewsParts};
pub use shapes::{GeometryShape, OriginShape, ValueShape};
pub use table::{Column, ROWS_MAX, Row, Table, TableQuery, table};
pub use tile::{BySize, CachedTile, Tile, TileCache, TileFeature, TileId, TileKey, TileLayer, TileValue, build_tile};
pub use timeline::{Slot, Timeline, timeline};
pub use value::{
    as_text, fits, flag_names, in_words, moment_in, number_in, shown, shown_observation, title_of, unit_symbol,
};
pub use viewpoint::Viewpoint;
