//! Connectors: each reads one kind of feed. One file for each, and this list.

pub mod cityjson;
pub mod csv;
pub mod geojson;
pub mod gtfs;
pub mod gtfs_realtime;
pub mod json_http;
pub mod mqtt;
pub mod replay;

use futures::future::BoxFuture;
use model::Problem;
use schemars::Schema;

use crate::{
    config::SourceConfig,
    delivery::{Ended, Job},
};

/// Reads one kind of feed: bytes in, batches of entities and named problems out.
///
/// Bad rows are delivered as problems and never end the work; a full channel makes the connector wait; after a
/// restart it goes on from the position that it is handed. `testing::connector_contract` checks all three.
pub trait Connector: Send + Sync {
    /// What `connector = "…"` says.
    fn name(&self) -> &'static str;

    /// What it reads, for the reference page.
    fn about(&self) -> &'static str;

    /// The schema of its own settings table.
    fn settings(&self) -> Schema;

    /// Whether it keeps listening, so that it runs while the city is served and not at import.
    fn is_live(&self, config: &SourceConfig) -> bool;

    /// Checks the settings of a source.
    ///
    /// # Errors
    /// The first wrong one; `thing` is its key.
    fn check(&self, config: &SourceConfig) -> Result<(), Problem>;

    /// Reads until the end of the feed, or until nobody listens.
    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>>;
}

/// All connectors, in alphabetical order.
#[must_use]
pub fn all() -> &'static [&'static dyn Connector] {
    &[
        &cityjson::CityJson,
        &csv::Csv,
        &geojson::GeoJson,
        &gtfs::Gtfs,
        &gtfs_realtime::GtfsRealtime,
        &json_http::JsonHttp,
        &mqtt::Mqtt,
        &replay::Replay,
    ]
}

/// The connector with a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Connector> {
    all().iter().copied().find(|c| c.name() == name)
}

/// That a source names a file inside the city folder, and nothing to fetch.
pub(crate) fn needs_file(config: &SourceConfig) -> Result<(), Problem> {
    let Some(file) = config.file.as_deref() else {
        return Err(Problem::new("file", "the source names no file", "add file = \"data/…\""));
    };
    if config.url.is_some() {
        return Err(Problem::new("url", "this connector reads files", "remove url, or use json_http"));
    }
    crate::input::path_in(std::path::Path::new(""), file).map(|_| ())
}

/// That a source names an address to fetch.
pub(crate) fn needs_url(config: &SourceConfig, schemes: &[&str]) -> Result<(), Problem> {
    let fits = config.url.as_deref().is_some_and(|u| schemes.iter().any(|s| u.starts_with(&format!("{s}://"))));
    if fits {
        return Ok(());
    }
    let detail = match &config.url {
        None => "the source names no address".to_owned(),
        Some(url) => format!("\"{url}\" is not an address it can fetch"),
    };
    Err(Problem::new("url", detail, format!("write url = \"{}://…\"", schemes.first().unwrap_or(&"https"))))
}
