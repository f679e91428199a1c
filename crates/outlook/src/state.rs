//! What the room, the thread that forecasts and the thread that learns share of a set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forecast::model::Model;
use jiff::{civil::Date, tz::TimeZone};
use model::{Tenant, Timestamp};
use store::{CommitError, Store, StoreError};

use crate::{
    Set,
    models::{self, Facts, Unusable},
    picture::Picture,
    reason,
    record::Record,
    room::Clock,
    wire::{Nowcast, Phase, Progress, Reason},
};

/// What a thread of the room works with.
#[derive(Clone)]
pub(crate) struct Ground {
    /// Where counts are read, and models and records kept.
    pub store: Store,
    /// Whose counts they are.
    pub tenant: Tenant,
    /// The city's time zone.
    pub zone: TimeZone,
    /// The city's time.
    pub city: Clock,
    /// The server's time.
    pub wall: Clock,
    /// The version of Polder.
    pub version: String,
}

/// What can go wrong while a thread works. It is logged, told as a reason, and tried again later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// A set, shared.
pub(crate) struct SetState {
    /// The set.
    pub set: Arc<Set>,
    live: Mutex<Live>,
    record: Mutex<Record>,
}

/// What changes of a set.
#[derive(Default)]
pub(crate) struct Live {
    /// What questions are answered from.
    pub picture: Option<Arc<Picture>>,
    /// The next hour.
    pub nowcast: Option<Arc<Nowcast>>,
    /// The training that goes on.
    pub progress: Option<Progress>,
    /// Whether somebody asked for a training.
    pub asked: bool,
    /// Why there is no model.
    pub reason: Option<Reason>,
    /// Whether the last training broke off.
    pub failed: bool,
    /// The models that are kept, the oldest first.
    pub models: Vec<Facts>,
    /// The one that was read last.
    loaded: Option<(Facts, Arc<Model>)>,
    /// The local day on which a training was last tried without a model coming of it.
    pub tried: Option<Date>,
    /// Before this moment of the server no training begins by itself.
    pub rest_until: Option<Timestamp>,
}

impl SetState {
    /// A set of which nothing is known yet.
    pub fn new(set: Set) -> Self {
        Self { set: Arc::new(set), live: Mutex::default(), record: Mutex::default() }
    }

    /// What changes.
    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what an earlier run of the server left.
    pub fn remember(&self, ground: &Ground) -> Result<(), StoreError> {
        let snapshot = ground.store.snapshot()?;
        let today = crate::hours::day_of((ground.city)(), &ground.zone);
        *self.record() = Record::read(&snapshot, &ground.tenant, &self.set.id, today)?;
        self.live().models = models::all(&snapshot, &ground.tenant, &self.set.id)?;
        Ok(())
    }

    /// The newest model that learned from nothing after a moment.
    pub fn model_at(&self, ground: &Ground, at: Timestamp) -> Result<Option<(Facts, Arc<Model>)>, WorkError> {
        loop {
            let facts = {
                let live = self.live();
                let Some(facts) = models::newest(&live.models, at) else { return Ok(None) };
                if let Some(loaded) = live.loaded.as_ref().filter(|(loaded, _)| loaded == facts) {
                    return Ok(Some(loaded.clone()));
                }
                facts.clone()
            };
            match models::read(&ground.store.snapshot()?, &ground.tenant, &facts) {
                Ok(model) => {
                    let loaded = (facts, Arc::new(model));
                    self.live().loaded = Some(loaded.clone());
                    return Ok(Some(loaded));
                }
                Err(Unusable::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, "a forecast model is discarded");
                    self.discard(ground, &facts)?;
                }
            }
        }
    }

    /// Forgets a model that cannot be used.
    pub fn discard(&self, ground: &Ground, facts: &Facts) -> Result<(), WorkError> {
        models::discard(&ground.store, &ground.tenant, facts)?;
        let mut live = self.live();
        live.models.retain(|other| other.until != facts.until);
        live.loaded = live.loaded.take().filter(|(other, _)| other.until != facts.until);
        Ok(())
    }

    /// Takes a new model into use.
    pub fn publish(&self, facts: Facts, model: Arc<Model>) {
        let mut live = self.live();
        live.models.retain(|other| other.until != facts.until);
        live.models.push(facts.clone());
        live.models.sort_by_key(|facts| facts.until);
        let surplus = live.models.len().saturating_sub(models::MODELS_KEPT);
        live.models.drain(..surplus);
        live.loaded = Some((facts, model));
        (live.reason, live.failed, live.tried) = (None, false, None);
    }

    /// Says how far a training is.
    pub fn step(&self, phase: Phase, share: f64) {
        if let Some(progress) = &mut self.live().progress {
            (progress.phase, progress.share) = (phase, share);
        }
    }

    /// Says why no model came of a training.
    pub fn fail(&self, reason: Reason, failed: bool, today: Date) {
        let mut live = self.live();
        (live.reason, live.failed, live.tried) = (Some(reason), failed, Some(today));
    }

    /// Says that something broke off.
    pub fn broken(&self, code: &str, error: &dyn std::fmt::Display, today: Date) {
        self.fail(reason::plain(code, error), true, today);
    }
}
