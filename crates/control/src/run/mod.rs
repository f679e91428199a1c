//! One run: a task that steps through the event minute by minute, and does in between what people order.

mod alerts;
mod counters;
mod expected;
mod outlet;
mod reason;
mod rehearse;
mod resume;
mod scene;
mod watch;

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use model::{Change, Tenant, Timestamp};
use store::{ChangeFeed, CommitError, Expect, Store, StoreError, Transaction};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch as channel},
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use crate::{
    AlertRecord, ControlError, DecisionRecord, Difference, Event, Measure, Picture, Plan, RunKind, RunRecord, RunState,
    events, outbox,
    record::Minute,
    room::{Actor, Clock, Start},
};
use alerts::Alerts;
use counters::WAIT_S_MAX;
use outlet::Outlet;
use scene::Scene;
use watch::{Seen, Watch};

pub use rehearse::rehearse;

/// How long a minute is, in microseconds of the event.
const MINUTE_US: i64 = 60_000_000;
/// How long a live run sleeps at most: the city's clock may go faster than the server's, in a replay.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The shortest time between two steps, so that a fast rehearsal leaves room for others.
const STEP_TIME_MIN: Duration = Duration::from_millis(10);
/// How long after a write that was refused it is tried again.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Something that a person orders.
pub(crate) enum Order {
    Pace { speed: Option<f64>, paused: Option<bool>, actor: Actor, reply: Reply<RunRecord> },
    Stop { actor: Actor, reply: Reply<RunRecord> },
    Acknowledge { alert: u32, actor: Actor, reply: Reply<AlertRecord> },
    Close { alert: u32, reason: String, actor: Actor, reply: Reply<AlertRecord> },
    WhatIf { measures: Vec<Measure>, reply: Reply<Vec<Difference>> },
    Decide { measure: Measure, reason: String, actor: Actor, reply: Reply<DecisionRecord> },
}

type Reply<T> = oneshot::Sender<Result<T, ControlError>>;

/// The task of one run.
pub(crate) struct Driver {
    store: Store,
    tenant: Tenant,
    wall: Clock,
    city: Clock,
    until: Timestamp,
    run: RunRecord,
    scene: Scene,
    watch: Watch,
    seen: Seen,
    alerts: Alerts,
    outlet: Outlet,
    decisions: Vec<DecisionRecord>,
    /// The alerts that the last minute changed, while that minute is not written.
    unkept: Option<Vec<AlertRecord>>,
    /// The store took nothing the last time.
    is_refused: bool,
    /// What changes in the city since before the run was made: nothing that comes while it starts is missed.
    feed: Option<ChangeFeed>,
    /// Turns for computing, shared by all runs.
    turns: Arc<Semaphore>,
}

impl Driver {
    pub(crate) fn new(
        (store, tenant, (wall, city), turns): (Store, Tenant, (Clock, Clock), Arc<Semaphore>),
        plan: &Plan,
        run: RunRecord,
        start: Start,
        zone: TimeZone,
    ) -> Self {
        let feed = (run.kind == RunKind::Live).then(|| store.changes());
        let scene = Scene::new(plan, &store, &tenant, run.at, start);
        let watch = Watch::new(plan, &run, run.at, zone);
        let (alerts, outlet) = (Alerts::new(&run, plan), Outlet::new(plan));
        let until = plan.event.facts.until;
        Self {
            store,
            tenant,
            wall,
            city,
            until,
            run,
            scene,
            watch,
            seen: Seen::default(),
            alerts,
            outlet,
            decisions: vec![],
            unkept: None,
            is_refused: false,
            feed,
            turns,
        }
    }

    /// Until the event is over or somebody stops it.
    pub(crate) async fn drive(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        pictures: channel::Sender<Option<Arc<Picture>>>,
    ) -> Result<(), ControlError> {
        let mut due = Instant::now();
        let mut feed = self.feed.take();
        while self.run.state != RunState::Ended {
            let running = self.run.state == RunState::Running;
            let mut lived = false;
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { break };
                    self = self.obey(order).await?;
                }
                changes = next(&mut feed), if running && self.unkept.is_none() => {
                    if self.hear(changes, &mut feed) {
                        due = Instant::now() + self.pause_between();
                    }
                    continue;
                }
                () = sleep_until(due), if running => {
                    if self.unkept.is_none() {
                        if !self.is_time() {
                            due = Instant::now() + self.pause_between();
                            continue;
                        }
                        let (driver, looked) = self.apart(Self::look).await?;
                        self = driver;
                        looked?;
                    }
                    lived = self.keep().await?;
                    due = Instant::now() + if lived { self.pause_between() } else { WRITE_AGAIN_AFTER };
                }
            }
            // Before the first minute there is nothing to show.
            if !self.seen.areas.is_empty() {
                _ = pictures.send(Some(Arc::new(self.picture())));
            }
            if lived {
                self.tell().await;
            }
        }
        Ok(())
    }

    /// Takes note of what changed in the city; whether it concerns this run. What was missed is found in the history.
    fn hear(&mut self, changes: Result<Arc<[Change]>, StoreError>, feed: &mut Option<ChangeFeed>) -> bool {
        match changes {
            Ok(changes) => self.scene.hear(&changes, (self.city)()),
            Err(StoreError::ChangesTrimmed { .. } | StoreError::Corrupt { .. }) => true,
            Err(error) => {
                // The run goes on by the clock: each minute then takes as long as counts are waited for.
                tracing::warn!(%error, run = self.run.id, "a live run hears of no more changes");
                *feed = None;
                true
            }
        }
    }

    /// Computes on a thread that may take its time, and only as many runs at once as leave the server to others.
    async fn apart<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Self) -> T + Send + 'static,
    ) -> Result<(Self, T), ControlError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| ControlError::Broken(e.to_string()))?;
        let worked = spawn_blocking(move || {
            let mut driver = self;
            let done = work(&mut driver);
            drop(turn);
            (driver, done)
        });
        worked.await.map_err(|error| ControlError::Broken(error.to_string()))
    }

    /// How long the minute that is due must still be waited for, s: until it is over, and until its counts are there or
    /// had time to come.
    fn wait_s(&self) -> f64 {
        let end = self.run.at.plus_micros(MINUTE_US);
        let patience_s = if self.scene.is_complete(end) { 0.0 } else { WAIT_S_MAX };
        patience_s - (self.city)().seconds_since(end)
    }

    fn is_time(&self) -> bool {
        self.run.kind == RunKind::Rehearsal || self.wait_s() <= 0.0
    }

    fn pause_between(&self) -> Duration {
        match self.run.kind {
            RunKind::Rehearsal => Duration::from_secs_f64(60.0 / self.run.speed.max(1.0)).max(STEP_TIME_MIN),
            RunKind::Live => Duration::from_secs_f64(self.wait_s().clamp(0.0, HEARTBEAT.as_secs_f64())),
        }
    }

    /// Lives through the next minute.
    fn look(&mut self) -> Result<(), ControlError> {
        let start = self.run.at;
        let measures = self.decided();
        let reported = self.scene.step(start, (self.city)(), &measures)?;
        self.run.at = start.plus_micros(MINUTE_US);
        self.seen = self.watch.step(reported, &measures, self.run.at);
        let because = |area: &str, is_now| self.watch.because(area, is_now);
        self.unkept = Some(self.alerts.take(&self.seen.happened, because, self.run.at));
        Ok(())
    }

    /// The measures that were decided. A gate or an area may be gone from the plan when a run is taken up again.
    fn decided(&self) -> Vec<Measure> {
        let measures = self.decisions.iter().map(|decision| &decision.measure);
        measures.filter(|measure| self.watch.fits(measure)).cloned().collect()
    }

    /// Writes what the minute brought; whether it is written. A store that takes nothing now (its disk is full, too many
    /// writes wait) does not end the run: the minute is tried again, and nothing that it brought is lost.
    async fn keep(&mut self) -> Result<bool, ControlError> {
        let Some(changed) = self.unkept.take() else { return Ok(true) };
        let (event, run) = (self.run.event.clone(), self.run.id.clone());
        let Err(error) = self.write(&changed).await else {
            if std::mem::take(&mut self.is_refused) {
                tracing::info!(event, run, "the minutes of a run are written again");
            }
            return Ok(true);
        };
        self.unkept = Some(changed);
        if matches!(
            error,
            ControlError::Store(StoreError::Closed) | ControlError::Commit(CommitError::Store(StoreError::Closed))
        ) {
            return Err(error);
        }
        if !std::mem::replace(&mut self.is_refused, true) {
            tracing::error!(%error, event, run, "a minute of a run could not be written; it is tried again");
        }
        Ok(false)
    }

    async fn write(&mut self, changed: &[AlertRecord]) -> Result<(), ControlError> {
        // People may change the hours of the event while it goes on.
        let event = self.store.snapshot()?.document::<Event>(&self.tenant, &self.run.event)?;
        self.until = event.map_or(self.until, |event| event.value.facts.until);
        let (event, run) = (self.run.event.clone(), self.run.id.clone());
        let Seen { areas, gates, conditions, .. } = self.seen.clone();
        let minute = Minute { event, run, at: self.run.at, areas, gates, conditions };
        let put = |tx: &mut Transaction| {
            outbox::queue(tx, &self.store, (&self.tenant, &self.run), changed, (self.wall)())?;
            for alert in changed {
                tx.put_document(alert, Expect::Any)?;
            }
            Ok(tx.put_document(&minute, Expect::Any)?)
        };
        if self.run.at >= self.until {
            let run = self.ended(None);
            events::end(&self.store, &self.tenant, &run, put).await?;
            self.run = run;
            return Ok(());
        }
        let mut tx = Transaction::new(self.tenant.clone());
        put(&mut tx)?;
        tx.put_document(&self.run, Expect::Any)?;
        self.store.commit(tx).await?;
        Ok(())
    }

    /// Tells the city what was estimated. It is told again a minute later, so a failure only is written down.
    async fn tell(&self) {
        if self.run.simulated {
            return;
        }
        let told = async {
            let snapshot = self.store.snapshot()?;
            let whose = (&self.tenant, &self.run);
            let tx = self.outlet.tell(&snapshot, whose, &self.seen.areas, (self.wall)())?;
            self.store.commit(tx).await?;
            Ok::<(), ControlError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, event = self.run.event, "the estimates of a minute could not be told to the city");
        }
    }

    /// The run as it is when it is over.
    fn ended(&self, by: Option<String>) -> RunRecord {
        RunRecord { state: RunState::Ended, ended_at: Some((self.wall)()), ended_by: by, ..self.run.clone() }
    }

    fn picture(&self) -> Picture {
        Picture {
            event: self.run.event.clone(),
            run: self.run.clone(),
            at: self.run.at,
            areas: self.seen.areas.clone(),
            gates: self.seen.gates.clone(),
            conditions: self.seen.conditions.clone(),
            attention: self.alerts.open(),
        }
    }

    /// Does what was ordered and says so. A person who does not wait for the answer changes nothing.
    async fn obey(mut self, order: Order) -> Result<Self, ControlError> {
        match order {
            Order::Pace { speed, paused, actor, reply } => {
                let answer = self.pace(speed, paused, &actor).await;
                _ = reply.send(answer);
            }
            Order::Stop { actor, reply } => {
                let answer = self.stop(&actor).await;
                _ = reply.send(answer);
            }
            Order::Acknowledge { alert, actor, reply } => {
                let was = self.alerts.get(alert);
                let answer = self.alerts.acknowledge(&mut self.watch, alert, &actor.name, self.run.at);
                _ = reply.send(self.kept(was, answer, &actor).await);
            }
            Order::Close { alert, reason, actor, reply } => {
                let was = self.alerts.get(alert);
                let answer = self.alerts.close(&mut self.watch, alert, (&actor.name, &reason), self.run.at);
                _ = reply.send(self.kept(was, answer, &actor).await);
            }
            Order::WhatIf { measures, reply } => {
                let (driver, answer) = self.apart(move |driver| driver.differences(&measures)).await?;
                self = driver;
                _ = reply.send(answer);
            }
            Order::Decide { measure, reason, actor, reply } => {
                let asked = [measure.clone()];
                let (driver, expected) = self.apart(move |driver| driver.differences(&asked)).await?;
                self = driver;
                let answer = match expected {
                    Ok(expected) => self.decide(measure, (reason, expected), &actor).await,
                    Err(error) => Err(error),
                };
                _ = reply.send(answer);
            }
        }
        Ok(self)
    }

    async fn pace(
        &mut self,
        speed: Option<f64>,
        paused: Option<bool>,
        actor: &Actor,
    ) -> Result<RunRecord, ControlError> {
        let mut run = self.run.clone();
        if run.kind == RunKind::Rehearsal {
            run.speed = speed.unwrap_or(run.speed);
            match paused {
                Some(true) => run.state = RunState::Paused,
                Some(false) => run.state = RunState::Running,
                None => {}
            }
        } else if speed.is_some() || paused.is_some() {
            let problem =
                model::Problem::new("run", "a live run has the pace of the city", "rehearse to change the pace");
            return Err(problem.into());
        }
        let mut tx = Transaction::new(self.tenant.clone());
        tx.put_document(&run, Expect::Any)?;
        actor.store.commit(tx).await?;
        self.run = run.clone();
        Ok(run)
    }

    async fn stop(&mut self, actor: &Actor) -> Result<RunRecord, ControlError> {
        if !self.keep().await? {
            let problem = model::Problem::new("run", "its last minute is not written yet", "try again in a moment");
            return Err(ControlError::Conflict(problem));
        }
        if self.run.state == RunState::Ended {
            return Ok(self.run.clone());
        }
        let run = self.ended(Some(actor.name.clone()));
        events::end(&actor.store, &self.tenant, &run, |_| Ok(())).await?;
        self.run = run;
        Ok(self.run.clone())
    }

    /// Writes what a person did to an alert, in their name. When it cannot be written, the alert is as it `was`.
    async fn kept(
        &mut self,
        was: Option<AlertRecord>,
        alert: Result<AlertRecord, ControlError>,
        actor: &Actor,
    ) -> Result<AlertRecord, ControlError> {
        let alert = alert?;
        if let Err(error) = self.write_alert(&alert, actor).await {
            if let Some(was) = was {
                self.alerts.put_back(was, &mut self.watch);
            }
            return Err(error);
        }
        // What the minute changed of it is written with this.
        if let Some(unkept) = &mut self.unkept {
            unkept.retain(|other| other.id != alert.id);
        }
        Ok(alert)
    }

    async fn write_alert(&self, alert: &AlertRecord, actor: &Actor) -> Result<(), ControlError> {
        let mut tx = Transaction::new(self.tenant.clone());
        outbox::queue(&mut tx, &self.store, (&self.tenant, &self.run), std::slice::from_ref(alert), (self.wall)())?;
        tx.put_document(alert, Expect::Any)?;
        actor.store.commit(tx).await?;
        Ok(())
    }

    /// With and without these measures, beside those that were decided already.
    fn differences(&self, measures: &[Measure]) -> Result<Vec<Difference>, ControlError> {
        let decided = self.decided();
        let all = [decided.as_slice(), measures].concat();
        Ok(self.watch.differences(&decided, &all)?)
    }

    async fn decide(
        &mut self,
        measure: Measure,
        (reason, expected): (String, Vec<Difference>),
        actor: &Actor,
    ) -> Result<DecisionRecord, ControlError> {
        let decision = DecisionRecord {
            event: self.run.event.clone(),
            run: self.run.id.clone(),
            id: u32::try_from(self.decisions.len() + 1).unwrap_or(u32::MAX),
            expected,
            measure,
            reason: reason.trim().to_owned(),
            decided_by: actor.name.clone(),
            at: self.run.at,
        };
        let mut tx = Transaction::new(self.tenant.clone());
        tx.put_document(&decision, Expect::Absent)?;
        actor.store.commit(tx).await?;
        self.decisions.push(decision.clone());
        Ok(decision)
    }
}

/// The next change of the city; none ever where nothing is listened to.
async fn next(feed: &mut Option<ChangeFeed>) -> Result<Arc<[Change]>, StoreError> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
