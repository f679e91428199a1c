//! Where layer 1 and layer 2 meet: what a source delivers goes to the platform, its place is remembered, and the board
//! says how it goes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use model::{Incoming, Tenant, TripTimes};
use platform::accept::{Accept, Accepted, Moment};
use serde::{Deserialize, Serialize};
use sources::{
    Board, CHANNEL_DELIVERIES, CityClock, Delivery, Ended, Keys, Occasion, SourceState, Start, config::SourceConfig,
    http::Client,
};
use store::{Document, Expect, Store, StoreError, Transaction};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{city::CityFolder, rules};

/// How long a source that failed waits before it is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How far a source has been read, for when it is started again.
#[derive(Serialize, Deserialize)]
struct Position {
    source: String,
    position: String,
}

impl Document for Position {
    const COLLECTION: &'static str = "source-positions";

    fn key(&self) -> String {
        self.source.clone()
    }
}

/// What every source of a city needs to deliver. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    store: Store,
    accept: Arc<Accept>,
    tenant: Tenant,
    folder: PathBuf,
    clock: CityClock,
    http: Client,
    keys: Keys,
    board: Board,
}

impl Intake {
    /// The intake of one city.
    pub fn new(store: &Store, city: &CityFolder, clock: &CityClock, http: Client, board: Board) -> Self {
        Self {
            store: store.clone(),
            accept: Arc::new(Accept::new(store.clone(), city.tenant.clone(), rules::of(city))),
            tenant: city.tenant.clone(),
            folder: city.folder.clone(),
            clock: clock.clone(),
            http,
            keys: Keys::of(|| trust::new_secret().ok()),
            board,
        }
    }

    /// Runs a source until it has nothing more to say, or until `stop`.
    pub async fn run(&self, source: Arc<SourceConfig>, occasion: Occasion, stop: &CancellationToken) -> Result<()> {
        let name = source.name.clone();
        let resume =
            self.store.snapshot()?.document::<Position>(&self.tenant, &name)?.map(|stored| stored.value.position);
        self.board.update(&name, |status| status.state = SourceState::Running);
        let (sender, mut deliveries) = mpsc::channel(CHANNEL_DELIVERIES);
        let start = Start {
            config: source.clone(),
            folder: self.folder.clone(),
            clock: self.clock.clone(),
            http: self.http.clone(),
            keys: self.keys.clone(),
            resume,
            occasion,
        };
        let reading = sources::start(start, sender);
        loop {
            let delivery = tokio::select! {
                delivery = deliveries.recv() => delivery,
                () = stop.cancelled() => None,
            };
            let Some(delivery) = delivery else { break };
            self.take(&source, delivery, occasion).await?;
        }
        drop(deliveries);
        match reading.await.context("the source stopped unexpectedly")? {
            Ok(Ended::Finished) => self.board.update(&name, |status| status.state = SourceState::Finished),
            Ok(Ended::Stopped) => self.board.update(&name, |status| status.state = SourceState::Waiting),
            Err(problem) => {
                tracing::error!(source = %name, %problem, "the source cannot be read further");
                self.board.update(&name, |status| {
                    status.state = SourceState::Failed;
                    status.last_message = Some(problem.to_string());
                    status.note([problem]);
                });
            }
        }
        Ok(())
    }

    /// Runs a source, and tries again after a while when it failed, until `stop`.
    pub async fn keep_running(&self, source: Arc<SourceConfig>, occasion: Occasion, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.run(source.clone(), occasion, stop).await {
                tracing::error!(source = %source.name, error = format!("{error:#}"), "what the source delivered could not be stored");
                self.board.update(&source.name, |status| {
                    status.state = SourceState::Failed;
                    status.last_message = Some(format!("{error:#}"));
                });
            }
            let status = self.board.all().into_iter().find(|status| status.name == source.name);
            if stop.is_cancelled() || status.is_none_or(|status| status.state == SourceState::Finished) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(TRY_AGAIN_AFTER) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Makes a source start from its beginning the next time.
    pub async fn forget(&self, source: &SourceConfig) -> Result<()> {
        let mut tx = Transaction::new(self.tenant.clone());
        tx.delete_document::<Position>(&source.name, Expect::Any);
        self.store.commit(tx).await?;
        Ok(())
    }

    async fn take(&self, source: &SourceConfig, mut delivery: Delivery, occasion: Occasion) -> Result<()> {
        let values = delivery.incoming.iter().flat_map(|incoming| incoming.entity.attributes.values().flatten());
        let observed = values.filter_map(|attribute| attribute.observed_at).max();
        let moment = Moment { wall: self.clock.wall(), city: self.clock.now(), live: occasion == Occasion::Serve };
        let (incoming, trips) = (std::mem::take(&mut delivery.incoming), std::mem::take(&mut delivery.trips));
        let accept = Arc::clone(&self.accept);
        let accepted = tokio::task::spawn_blocking(move || take_blocking(&accept, &incoming, trips, &moment)).await??;
        if let Some(position) = delivery.position.take() {
            let mut tx = Transaction::new(self.tenant.clone());
            tx.put_document(&Position { source: source.name.clone(), position }, Expect::Any)?;
            self.store.commit(tx).await?;
        }
        delivery.committed();
        self.board.update(&source.name, |status| {
            status.taken += accepted.taken;
            status.refused += accepted.refused + delivery.refused;
            status.last_observed_at = status.last_observed_at.max(observed);
            if let Some(message) = delivery.message {
                status.last_message = Some(message);
            }
            status.note(delivery.problems);
            status.note(accepted.problems);
        });
        Ok(())
    }
}

/// Everything of a delivery that goes to the platform, from a thread that may wait for the disk.
fn take_blocking(
    accept: &Accept,
    incoming: &[Incoming],
    trips: Vec<TripTimes>,
    moment: &Moment,
) -> Result<Accepted, StoreError> {
    let mut accepted = accept.accept(incoming, moment)?;
    if !trips.is_empty() {
        accepted.taken += accept.accept_trips(trips)?;
    }
    Ok(accepted)
}
