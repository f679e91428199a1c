//! The room itself: which runs go on now, and the way to each of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::tz::TimeZone;
use model::{Problem, Tenant, Timestamp};
use store::{Expect, Store, Transaction};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::{
    AlertRecord, ControlError, DecisionRecord, Difference, Event, Measure, Picture, Plan, RunKind, RunRecord, RunState,
    events, record,
    run::{Driver, Order},
};

/// How many orders may wait for a run.
const ORDERS_MAX: usize = 64;
/// How many runs may go on at once.
const RUNS_MAX: usize = 32;
/// The most measures that are tried together.
const TRIED_MAX: usize = 20;
/// The fastest rehearsal: an evening in six seconds.
const SPEED_MAX: f64 = 3_600.0;

/// Tells a time. The clock is not this crate's business.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a run is to start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Whether it is for real.
    pub kind: RunKind,
    /// Seconds of the event for each second, in a rehearsal.
    pub speed: f64,
    /// The seed of the visitors of a rehearsal.
    pub seed: u64,
    /// How many come, as a share of those expected, in a rehearsal.
    pub visitors_factor: f64,
    /// Whether nobody is in the areas now, in a live run, as whoever starts it knows; when nothing is said, they are
    /// taken to be empty before the event begins and unknown after that.
    pub areas_empty: Option<bool>,
}

/// A person who acts, with the store that writes in their name.
#[derive(Clone)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// The store that puts what is done in the audit under this name.
    pub store: Store,
}

type RunKey = (Tenant, String, String);

struct Handle {
    orders: mpsc::Sender<Order>,
    pictures: watch::Receiver<Option<Arc<Picture>>>,
}

struct Inner {
    store: Store,
    zone: TimeZone,
    wall: Clock,
    city: Clock,
    running: Mutex<HashMap<RunKey, Handle>>,
    turns: Arc<Semaphore>,
}

/// The control room of a server. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

impl Room {
    /// A room without runs. `wall` is the server's time, `city` that of the city, which differs in a replay.
    #[must_use]
    pub fn new(store: Store, zone: TimeZone, wall: Clock, city: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let turns = Arc::new(Semaphore::new((cores / 2).max(1)));
        Self(Arc::new(Inner { store, zone, wall, city, running: Mutex::default(), turns }))
    }

    /// The zone of the city.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.0.zone.clone()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RunKey, Handle>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what a stop of the server broke off: live runs go on, with the stretch marked in which nobody watched;
    /// a rehearsal cannot be taken up again and ends.
    ///
    /// # Errors
    /// The store fails.
    pub async fn resume(&self, tenant: &Tenant) -> Result<(), ControlError> {
        let snapshot = self.0.store.snapshot()?;
        for stored in events::list(&snapshot, tenant)? {
            let Some(run) = &stored.run else { continue };
            let found = snapshot.document::<RunRecord>(tenant, &format!("{}/{run}", stored.id))?;
            let record = match found.map(|found| found.value) {
                Some(record) if record.state != RunState::Ended => record,
                over => {
                    tracing::warn!(event = stored.id, run, "an event named a run that is over; it is freed");
                    let was_live = over.is_some_and(|record| record.kind == RunKind::Live);
                    events::release(&self.0.store, tenant, stored, was_live).await?;
                    continue;
                }
            };
            let resumed = match record.kind {
                RunKind::Live => self.take_up(tenant, record).await,
                RunKind::Rehearsal => self.break_off(tenant, &stored.id, run).await,
            };
            if let Err(error) = resumed {
                tracing::error!(%error, event = stored.id, run, "a run could not be taken up again");
                self.break_off(tenant, &stored.id, run).await?;
            }
        }
        Ok(())
    }

    async fn take_up(&self, tenant: &Tenant, run: RunRecord) -> Result<(), ControlError> {
        let plan = events::plan(&self.0.store.snapshot()?, tenant, &run.event)?;
        let (parts, zone) = (self.parts(tenant), self.0.zone.clone());
        let key = (tenant.clone(), run.event.clone(), run.id.clone());
        let resumed = tokio::task::spawn_blocking(move || Driver::resumed(parts, &plan, run, zone));
        let driver = resumed.await.map_err(|error| ControlError::Broken(error.to_string()))??;
        self.go(key, driver);
        Ok(())
    }

    /// What every run is given.
    fn parts(&self, tenant: &Tenant) -> (Store, Tenant, (Clock, Clock), Arc<Semaphore>) {
        let clocks = (Arc::clone(&self.0.wall), Arc::clone(&self.0.city));
        (self.0.store.clone(), tenant.clone(), clocks, Arc::clone(&self.0.turns))
    }

    /// Lets a run go on until it is over.
    fn go(&self, key: RunKey, driver: Driver) {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let (sender, pictures) = watch::channel(None);
        self.running().insert(key.clone(), Handle { orders, pictures });
        let room = self.clone();
        tokio::spawn(async move {
            if let Err(error) = driver.drive(receiver, sender).await {
                tracing::error!(%error, event = key.1, run = key.2, "a run broke off");
                if let Err(error) = room.break_off(&key.0, &key.1, &key.2).await {
                    tracing::error!(%error, event = key.1, run = key.2, "and its end could not be written");
                }
            }
            room.running().remove(&key);
        });
    }

    /// Writes that a run is over which nobody ended.
    async fn break_off(&self, tenant: &Tenant, event: &str, run: &str) -> Result<(), ControlError> {
        let mut run = record::run(&self.0.store.snapshot()?, tenant, event, run)?.value;
        run.state = RunState::Ended;
        run.ended_at = Some((self.0.wall)());
        events::end(&self.0.store, tenant, &run, |_| Ok(())).await
    }

    /// Starts a run of an event.
    ///
    /// # Errors
    /// The plan cannot be run, another run of the event goes on, too many runs, or the store fails.
    pub async fn start(
        &self,
        tenant: &Tenant,
        event: &str,
        start: Start,
        actor: &Actor,
    ) -> Result<RunRecord, ControlError> {
        let plan = events::plan(&self.0.store.snapshot()?, tenant, event)?;
        check(&plan, &start, (self.0.city)() >= plan.event.facts.until)?;
        if self.running().len() >= RUNS_MAX {
            let detail = format!("{RUNS_MAX} runs go on already");
            return Err(ControlError::Conflict(Problem::new("run", detail, "stop one of them first")));
        }
        // In a task of its own: also when nobody waits for the answer any more, a run that is written goes on.
        let (room, tenant, actor) = (self.clone(), tenant.clone(), actor.clone());
        let started = tokio::spawn(async move {
            let run = room.record(&tenant, &plan, &start, &actor).await?;
            let driver = Driver::new(room.parts(&tenant), &plan, run.clone(), start, room.0.zone.clone());
            room.go((tenant, run.event.clone(), run.id.clone()), driver);
            Ok(run)
        });
        started.await.map_err(|error| ControlError::Broken(error.to_string()))?
    }

    /// Writes the run and names it in its event, in one transaction: of two starts at once, one wins.
    async fn record(
        &self,
        tenant: &Tenant,
        plan: &Plan,
        start: &Start,
        actor: &Actor,
    ) -> Result<RunRecord, ControlError> {
        let facts = &plan.event.facts;
        let number = plan.event.runs + 1;
        let rehearsal = start.kind == RunKind::Rehearsal;
        let now = (self.0.city)();
        // Counters count by whole minutes of the clock, so a live run does too.
        let whole = now.plus_micros(-now.micros().rem_euclid(60_000_000));
        let at = if rehearsal { facts.from } else { whole.max(facts.from) };
        let run = RunRecord {
            event: plan.event.id.clone(),
            id: number.to_string(),
            kind: start.kind,
            simulated: rehearsal,
            state: RunState::Running,
            speed: if rehearsal { start.speed } else { 1.0 },
            seed: rehearsal.then_some(start.seed),
            at,
            from: Some(at),
            began_empty: rehearsal || start.areas_empty.unwrap_or(now < facts.from),
            gaps: vec![],
            started_at: (self.0.wall)(),
            started_by: actor.name.clone(),
            ended_at: None,
            ended_by: None,
        };
        let event = Event { run: Some(run.id.clone()), runs: number, ..plan.event.value.clone() };
        let mut tx = Transaction::new(tenant.clone());
        tx.put_document(&event, Expect::Version(plan.event.version))?;
        tx.put_document(&run, Expect::Absent)?;
        actor.store.commit(tx).await?;
        Ok(run)
    }

    /// The newest picture of a run that goes on, and a way to hear of the next.
    #[must_use]
    pub fn pictures(&self, tenant: &Tenant, event: &str, run: &str) -> Option<watch::Receiver<Option<Arc<Picture>>>> {
        let key = (tenant.clone(), event.to_owned(), run.to_owned());
        self.running().get(&key).map(|handle| handle.pictures.clone())
    }

    /// A person pauses a run, or lets it go on at a speed.
    ///
    /// # Errors
    /// The run does not go on, a speed that cannot be, or the store fails.
    pub async fn pace(
        &self,
        (tenant, event, run): (&Tenant, &str, &str),
        speed: Option<f64>,
        paused: Option<bool>,
        actor: Actor,
    ) -> Result<RunRecord, ControlError> {
        if let Some(speed) = speed {
            check_speed(speed)?;
        }
        self.ask((tenant, event, run), |reply| Order::Pace { speed, paused, actor, reply }).await
    }

    /// Stops a run for good.
    ///
    /// # Errors
    /// The run does not go on, or the store fails.
    pub async fn stop(&self, run: (&Tenant, &str, &str), actor: Actor) -> Result<RunRecord, ControlError> {
        self.ask(run, |reply| Order::Stop { actor, reply }).await
    }

    /// A named person takes an alert.
    ///
    /// # Errors
    /// There is no such alert, it is not open, or the store fails.
    pub async fn acknowledge(
        &self,
        run: (&Tenant, &str, &str),
        alert: u32,
        actor: Actor,
    ) -> Result<AlertRecord, ControlError> {
        self.ask(run, |reply| Order::Acknowledge { alert, actor, reply }).await
    }

    /// A named person says that an alert is over, and why.
    ///
    /// # Errors
    /// There is no such alert, it is not open, no reason, or the store fails.
    pub async fn close(
        &self,
        run: (&Tenant, &str, &str),
        alert: u32,
        reason: String,
        actor: Actor,
    ) -> Result<AlertRecord, ControlError> {
        self.ask(run, |reply| Order::Close { alert, reason, actor, reply }).await
    }

    /// What measures would change from now on. Nothing is decided by asking.
    ///
    /// # Errors
    /// Measures that cannot be, more than 20 of them, the run does not go on.
    pub async fn what_if(
        &self,
        run: (&Tenant, &str, &str),
        measures: Vec<Measure>,
    ) -> Result<Vec<Difference>, ControlError> {
        if measures.len() > TRIED_MAX {
            let (detail, remedy) = (format!("{} measures at once", measures.len()), format!("try at most {TRIED_MAX}"));
            return Err(Problem::new("measures", detail, remedy).into());
        }
        for measure in &measures {
            measure.check()?;
        }
        self.ask(run, |reply| Order::WhatIf { measures, reply }).await
    }

    /// A named person decides on a measure, and says why.
    ///
    /// # Errors
    /// A measure that cannot be, no reason, the run does not go on, or the store fails.
    pub async fn decide(
        &self,
        run: (&Tenant, &str, &str),
        measure: Measure,
        reason: String,
        actor: Actor,
    ) -> Result<DecisionRecord, ControlError> {
        measure.check()?;
        if reason.trim().is_empty() || reason.chars().count() > 2_000 {
            let problem = Problem::new("reason", "a decision has a reason", "say in a few words why you decide this");
            return Err(problem.into());
        }
        self.ask(run, |reply| Order::Decide { measure, reason, actor, reply }).await
    }

    /// Sends an order and waits for what became of it.
    async fn ask<T>(
        &self,
        (tenant, event, run): (&Tenant, &str, &str),
        order: impl FnOnce(oneshot::Sender<Result<T, ControlError>>) -> Order,
    ) -> Result<T, ControlError> {
        let key = (tenant.clone(), event.to_owned(), run.to_owned());
        let orders = self.running().get(&key).map(|handle| handle.orders.clone());
        let over = || {
            let detail = format!("run {} of this event does not go on", run.chars().take(20).collect::<String>());
            ControlError::Conflict(Problem::new("run", detail, "look at its report, or start another run"))
        };
        let Some(orders) = orders else {
            record::run(&self.0.store.snapshot()?, tenant, event, run)?;
            return Err(over());
        };
        let (reply, answer) = oneshot::channel();
        orders.send(order(reply)).await.map_err(|_| over())?;
        answer.await.map_err(|_| over())?
    }
}

fn check_speed(speed: f64) -> Result<(), Problem> {
    if speed.is_finite() && (1.0..=SPEED_MAX).contains(&speed) {
        return Ok(());
    }
    Err(Problem::new("speed", format!("{speed} is not a speed"), format!("use a number from 1 to {SPEED_MAX}")))
}

/// Whether a plan can be run; `over` says that its hours are past by the city's clock.
pub(crate) fn check(plan: &Plan, start: &Start, over: bool) -> Result<(), ControlError> {
    let (site, _) = crate::site_of(plan);
    let lacks =
        |thing: &str, detail: &str, remedy: &str| Err(ControlError::Conflict(Problem::new(thing, detail, remedy)));
    if site.areas.is_empty() || site.gates.is_empty() {
        return lacks(
            "plan",
            "the plan has no area with a gate that can be used",
            "draw an area and a gate to it first",
        );
    }
    if plan.event.run.is_some() {
        return lacks("run", "another run of this event goes on", "stop it first");
    }
    match start.kind {
        RunKind::Rehearsal => {
            check_speed(start.speed)?;
            if !(0.01..=10.0).contains(&start.visitors_factor) {
                let remedy = "use a number from 0.01 to 10";
                return Err(Problem::new("visitorsFactor", "it is not a share of the visitors", remedy).into());
            }
            let has_programme = plan.parts.iter().any(|part| matches!(part.body, crate::Body::Programme(_)));
            if !has_programme {
                return lacks("programme", "nothing draws visitors", "add something to the programme first");
            }
        }
        RunKind::Live => {
            let counted = |part: &crate::Part| matches!(&part.body, crate::Body::Gate(gate) if gate.counter.is_some());
            if !plan.parts.iter().any(|part| counted(part)) {
                return lacks(
                    "gates",
                    "no gate of this plan has a counter",
                    "name the entity that counts at each gate",
                );
            }
            if over {
                return lacks("event", "the event is over", "change its hours, or rehearse it");
            }
        }
    }
    Ok(())
}
