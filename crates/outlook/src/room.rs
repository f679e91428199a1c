//! The room itself: its sets, the two threads' work, and the way to what is known of each set.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::tz::TimeZone;
use model::{Tenant, Timestamp};
use store::Store;

use crate::{
    OutlookError, Set, answers,
    learn::{due, learn},
    nowcast::{self, Nowcaster},
    picture::Picture,
    state::{Ground, SetState, WorkError},
    watch::Watch,
    wire::{self, Notice, Phase},
};

/// How long the threads wait before they look at the city's clock again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the thread that forecasts waits after a failure.
const PAUSE_FAILED: Duration = Duration::from_secs(30);

/// Tells a time. The clock is not this crate's business.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the room is made of.
pub struct Parts {
    /// Where counts are read, and models and records kept.
    pub store: Store,
    /// Whose counts they are.
    pub tenant: Tenant,
    /// The time zone of the city.
    pub zone: TimeZone,
    /// The city's time, which differs from the server's in a replay.
    pub city: Clock,
    /// The server's time.
    pub wall: Clock,
    /// The version of Polder, for the model card.
    pub version: String,
    /// What must be told beside every forecast.
    pub notices: Vec<Notice>,
    /// What is forecast.
    pub sets: Vec<Set>,
}

struct Inner {
    ground: Ground,
    notices: Vec<Notice>,
    sets: Vec<SetState>,
    stopped: AtomicBool,
    bell: (Mutex<()>, Condvar),
    remembered: Once,
}

/// The outlook of a city. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Outlook(Arc<Inner>);

impl Outlook {
    /// An outlook that knows nothing until its threads work.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, tenant, zone, city, wall, version, notices, sets } = parts;
        Self(Arc::new(Inner {
            ground: Ground { store, tenant, zone, city, wall, version },
            notices,
            sets: sets.into_iter().map(SetState::new).collect(),
            stopped: AtomicBool::new(false),
            bell: (Mutex::new(()), Condvar::new()),
            remembered: Once::new(),
        }))
    }

    /// Whether anything is forecast at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.sets.is_empty()
    }

    /// Forecasts each hour what the next week will bring, and each step what the next hour will, until [`Outlook::stop`]. For a thread of its own.
    pub fn refresh(&self) {
        self.remember();
        let mut watches: Vec<(Watch, Nowcaster)> = self.0.sets.iter().map(|_| Default::default()).collect();
        while !self.stopped() {
            let mut pause = PAUSE;
            for ((watch, nowcaster), state) in watches.iter_mut().zip(&self.0.sets) {
                if !self.works(state, || watch.look(&self.0.ground, state)) {
                    *watch = Watch::default();
                    pause = PAUSE_FAILED;
                }
                if !self.works(state, || nowcaster.look(&self.0.ground, state)) {
                    *nowcaster = Nowcaster::default();
                    pause = PAUSE_FAILED;
                }
            }
            self.wait(pause);
        }
    }

    /// Whether a look at a set came to its end; what broke it off is logged.
    fn works(&self, state: &SetState, look: impl FnOnce() -> Result<(), WorkError>) -> bool {
        let failed = match catch_unwind(AssertUnwindSafe(look)) {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it broke off".to_owned(),
        };
        if !self.stopped() {
            tracing::error!(set = state.set.id, error = failed, "a forecast could not be made");
        }
        false
    }

    /// Trains the models that are due, one after the other, until [`Outlook::stop`]. For a thread of its own.
    pub fn learn(&self) {
        self.remember();
        while !self.stopped() {
            for state in &self.0.sets {
                if let Some(why) = due(&self.0.ground, state).filter(|_| !self.stopped()) {
                    learn(&self.0.ground, state, why, &|| self.stopped());
                }
            }
            self.wait(PAUSE);
        }
    }

    /// Lets both threads end: the one that forecasts at once, the one that learns as soon as it can.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.bell.1.notify_all();
    }

    fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    fn wait(&self, pause: Duration) {
        if self.stopped() {
            return;
        }
        let guard = self.0.bell.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.bell.1.wait_timeout(guard, pause));
    }

    /// Reads what an earlier run left; whichever thread comes first does it.
    fn remember(&self) {
        self.0.remembered.call_once(|| {
            for state in &self.0.sets {
                if let Err(error) = state.remember(&self.0.ground) {
                    tracing::error!(set = state.set.id, %error, "what was forecast before cannot be read");
                }
            }
        });
    }

    fn find(&self, tenant: &Tenant, set: &str) -> Result<&SetState, OutlookError> {
        let mine = *tenant == self.0.ground.tenant;
        let found = self.0.sets.iter().find(|state| mine && state.set.id == set);
        found.ok_or_else(|| OutlookError::Missing { what: "forecast", name: set.to_owned() })
    }

    /// The picture of a set; before there is one, no series of it is known.
    fn picture(&self, tenant: &Tenant, (set, series): (&str, &str)) -> Result<Arc<Picture>, OutlookError> {
        let picture = self.find(tenant, set)?.live().picture.clone();
        picture.ok_or_else(|| OutlookError::Missing { what: "series", name: series.to_owned() })
    }

    fn now(&self) -> Timestamp {
        (self.0.ground.city)()
    }

    /// Every set with its series.
    #[must_use]
    pub fn sets(&self, tenant: &Tenant) -> Vec<wire::Set> {
        if *tenant != self.0.ground.tenant {
            return vec![];
        }
        self.0.sets.iter().map(|state| answers::set(state, &self.0.ground, &self.0.notices)).collect()
    }

    /// What is expected of a series, some hours ahead.
    ///
    /// # Errors
    /// There is no such set or series.
    pub fn forecast(&self, tenant: &Tenant, series: (&str, &str), hours: u32) -> Result<wire::Forecast, OutlookError> {
        let picture = self.picture(tenant, series)?;
        answers::forecast(&picture, series.1, hours as usize, self.now())
    }

    /// What was said of a series on the last days that are over, and what it was.
    ///
    /// # Errors
    /// There is no such set or series.
    pub fn record(&self, tenant: &Tenant, series: (&str, &str), days: u32) -> Result<wire::SeriesRecord, OutlookError> {
        let picture = self.picture(tenant, series)?;
        answers::record(&picture, series.1, days, self.now())
    }

    /// The card of the model in use.
    ///
    /// # Errors
    /// There is no such set, or no model.
    pub fn model(&self, tenant: &Tenant, set: &str) -> Result<wire::ModelCard, OutlookError> {
        let state = self.find(tenant, set)?;
        answers::card(state, self.now()).ok_or_else(|| OutlookError::NoModel { set: set.to_owned() })
    }

    /// The week ahead.
    ///
    /// # Errors
    /// There is no such set.
    pub fn week(&self, tenant: &Tenant, set: &str) -> Result<wire::Week, OutlookError> {
        let state = self.find(tenant, set)?;
        let picture = state.live().picture.clone();
        Ok(match picture {
            Some(picture) => answers::week(&picture, self.now()),
            None => wire::Week {
                set: set.to_owned(),
                now: self.now(),
                said_at: None,
                minimum_count: state.set.minimum_count,
                days: vec![],
                calendar: vec![],
                series: vec![],
            },
        })
    }

    /// The next hour.
    ///
    /// # Errors
    /// There is no such set.
    pub fn nowcast(&self, tenant: &Tenant, set: &str) -> Result<wire::Nowcast, OutlookError> {
        let state = self.find(tenant, set)?;
        let told = state.live().nowcast.clone();
        Ok(match told {
            Some(told) => wire::Nowcast { now: self.now(), ..(*told).clone() },
            None => {
                let reason = nowcast::refused(&state.set).unwrap_or_else(nowcast::not_yet);
                wire::Nowcast { now: self.now(), reason: Some(reason), ..wire::Nowcast::of(&state.set) }
            }
        })
    }

    /// Asks for a training now.
    ///
    /// # Errors
    /// There is no such set, or it is being trained.
    pub fn train(&self, tenant: &Tenant, set: &str) -> Result<wire::Set, OutlookError> {
        let state = self.find(tenant, set)?;
        {
            let mut live = state.live();
            if live.asked || live.progress.is_some() {
                return Err(OutlookError::Training { set: set.to_owned() });
            }
            live.asked = true;
            live.progress = Some(wire::Progress {
                why: wire::Why::Asked,
                phase: Phase::Waiting,
                share: 0.0,
                started_at: (self.0.ground.wall)(),
            });
        }
        self.0.bell.1.notify_all();
        Ok(answers::set(state, &self.0.ground, &self.0.notices))
    }
}
