//! Layer 1: connectors. They turn the bytes of a feed into batches of `model` values on a bounded channel.
//!
//! How a feed becomes entities is written in `city.toml` ([`config`]), never in code. What is absent here: a
//! database, the platform, the environment and the wall clock (the city's clock comes in as a [`CityClock`]).
//! [`start`] runs one source; [`http::Client`] is the only way out to the network for the whole program.

mod aggregate;
mod board;
mod clock;
pub mod config;
pub mod connectors;
mod delivery;
mod fetch;
mod ground;
pub mod http;
mod input;
mod join;
mod mapping;
mod moment;
pub mod outgoing;
mod record;
mod sheet;
mod template;

use std::{path::PathBuf, sync::Arc};

use model::{Problem, Timestamp};
use tokio::{sync::mpsc, task::JoinHandle};

pub use aggregate::Keys;
pub use board::{Board, ProblemShape, SourceState, SourceStatus};
pub use clock::{CityClock, ClockState, Stretch};
pub use connectors::{Connector, all};
pub use delivery::{Delivery, Ended, Job};
pub use sheet::{Aggregation, DataSheet, SheetAttribute, SheetProvenance};

use config::SourceConfig;

/// How many deliveries may wait between a source and the platform.
pub const CHANNEL_DELIVERIES: usize = 4;

/// When a source is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// `polder import`: files are read once; archives only as far as the replay's start, as history.
    Import {
        /// The replay's start; `None` takes everything.
        until: Option<Timestamp>,
    },
    /// `polder serve`: live sources and replays run until nobody listens; files that have changed are read again.
    Serve,
}

/// What a source needs to run.
pub struct Start {
    /// Its settings.
    pub config: Arc<SourceConfig>,
    /// The city folder.
    pub folder: PathBuf,
    /// The city's clock.
    pub clock: CityClock,
    /// For sources that fetch.
    pub http: http::Client,
    /// For hiding the pseudonyms of positions; sources that map records need none.
    pub keys: Keys,
    /// The `position` of its last stored delivery.
    pub resume: Option<String>,
    /// When it is started.
    pub occasion: Occasion,
}

/// Whether a source has something to do on an occasion: live sources wait for `serve`.
#[must_use]
pub fn runs_at(config: &SourceConfig, occasion: Occasion) -> bool {
    let live = connectors::find(&config.connector).is_some_and(|c| c.is_live(config));
    match occasion {
        Occasion::Import { .. } => !live,
        Occasion::Serve => true,
    }
}

/// Runs one source in a task of its own; deliveries go to `out`, which should hold [`CHANNEL_DELIVERIES`].
///
/// The task ends with [`Ended`], or with the problem that no further reading can mend. Dropping the receiver stops it.
pub fn start(start: Start, out: mpsc::Sender<Delivery>) -> JoinHandle<Result<Ended, Problem>> {
    tokio::spawn(async move {
        if !runs_at(&start.config, start.occasion) {
            return Ok(Ended::Finished);
        }
        let connector = connectors::find(&start.config.connector).ok_or_else(|| {
            let detail = format!("there is no connector \"{}\"", start.config.connector);
            Problem::new("connector", detail, "name a connector of the list")
        })?;
        let until = match start.occasion {
            Occasion::Import { until } if start.config.replay => until,
            _ => None,
        };
        let plays = start.config.replay && start.occasion == Occasion::Serve;
        // An archive is read from its beginning: as history at import, and by the replay when it is played.
        let resume = if start.config.replay { None } else { start.resume };
        let job = Job {
            config: start.config,
            folder: start.folder,
            clock: start.clock,
            http: start.http,
            keys: start.keys,
            resume,
            until,
            out,
        };
        if plays { connectors::replay::Replay.run(job).await } else { connector.run(job).await }
    })
}
