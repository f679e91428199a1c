//! One run: a task that steps through the event minute by minute, and does in between what people order.

mod alerts;
mod expected;
mod scene;
mod watch;

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use model::{Tenant, Timestamp};
use store::{Expect, Store, Transaction};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch as channel},
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use crate::{
    AlertRecord, ControlError, DecisionRecord, Difference, Measure, Picture, Plan, RunKind, RunRecord, RunState,
    events, outbox,
    record::Minute,
    room::{Actor, Clock, Start},
};
use alerts::Alerts;
use scene::Scene;
use watch::{Seen, Watch};

/// How long after a minute of the city its counts are waited for, in a live run.
const WAIT_FOR_COUNTS: Duration = Duration::from_secs(20);
/// The shortest time between two steps, so that a fast rehearsal leaves room for others.
const STEP_TIME_MIN: Duration = Duration::from_millis(10);

/// Something that a person orders.
pub(crate) enum Order {
    Pace { speed: Option<f64>, paused: Option<bool>, reply: Reply<RunRecord> },
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
    decisions: Vec<DecisionRecord>,
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
        let scene = Scene::new(plan, &store, &tenant, run.at, start);
        let watch = Watch::new(plan, run.simulated, run.at, zone);
        let alerts = Alerts::new(&run, plan);
        let until = plan.event.facts.until;
        let (seen, decisions) = (Seen::default(), vec![]);
        Self { store, tenant, wall, city, until, run, scene, watch, seen, alerts, decisions, turns }
    }

    /// Until the event is over or somebody stops it.
    pub(crate) async fn drive(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        pictures: channel::Sender<Option<Arc<Picture>>>,
    ) -> Result<(), ControlError> {
        let mut due = Instant::now();
        while self.run.state != RunState::Ended {
            let running = self.run.state == RunState::Running;
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { break };
                    self = self.obey(order).await?;
                }
                () = sleep_until(due), if running => {
                    if self.is_time() {
                        let (driver, looked) = self.apart(Self::look).await?;
                        self = driver;
                        looked?;
                        self.keep().await?;
                    }
                    due = Instant::now() + self.pause_between();
                }
            }
            _ = pictures.send(Some(Arc::new(self.picture())));
        }
        Ok(())
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

    /// A live minute is over when the city's clock says so, and its counts had time to come.
    fn is_time(&self) -> bool {
        let step_end = self.run.at.plus_micros(60_000_000);
        self.run.kind == RunKind::Rehearsal || (self.city)().seconds_since(step_end) >= WAIT_FOR_COUNTS.as_secs_f64()
    }

    fn pause_between(&self) -> Duration {
        match self.run.kind {
            RunKind::Rehearsal => Duration::from_secs_f64(60.0 / self.run.speed.max(1.0)).max(STEP_TIME_MIN),
            RunKind::Live => Duration::from_millis(500),
        }
    }

    /// Lives through the next minute.
    fn look(&mut self) -> Result<(), ControlError> {
        let start = self.run.at;
        let measures = self.decided();
        let readings = self.scene.step(start, &measures)?;
        self.run.at = start.plus_micros(60_000_000);
        self.seen = self.watch.step(&readings, &measures, self.run.at);
        Ok(())
    }

    fn decided(&self) -> Vec<Measure> {
        self.decisions.iter().map(|decision| decision.measure.clone()).collect()
    }

    /// Writes what the minute brought.
    async fn keep(&mut self) -> Result<(), ControlError> {
        let mut tx = Transaction::new(self.tenant.clone());
        let changed = self.alerts.take(&self.seen.happened, |area| self.watch.because(area), self.run.at);
        outbox::queue(&mut tx, &self.store, (&self.tenant, &self.run), &changed, (self.wall)())?;
        for alert in changed {
            tx.put_document(&alert, Expect::Any)?;
        }
        let (event, run) = (self.run.event.clone(), self.run.id.clone());
        let (areas, gates) = (self.seen.areas.clone(), self.seen.gates.clone());
        tx.put_document(&Minute { event, run, at: self.run.at, areas, gates }, Expect::Any)?;
        if self.run.at >= self.until {
            self.end(None);
        }
        tx.put_document(&self.run, Expect::Any)?;
        self.store.commit(tx).await?;
        if self.run.state == RunState::Ended {
            events::release(&self.store, &self.tenant, &self.run).await?;
        }
        Ok(())
    }

    /// The run is over.
    fn end(&mut self, by: Option<String>) {
        self.run.state = RunState::Ended;
        self.run.ended_at = Some((self.wall)());
        self.run.ended_by = by;
    }

    fn picture(&self) -> Picture {
        Picture {
            event: self.run.event.clone(),
            run: self.run.clone(),
            at: self.run.at,
            areas: self.seen.areas.clone(),
            gates: self.seen.gates.clone(),
            attention: self.alerts.open(),
        }
    }

    /// Does what was ordered and says so. A person who does not wait for the answer changes nothing.
    async fn obey(mut self, order: Order) -> Result<Self, ControlError> {
        match order {
            Order::Pace { speed, paused, reply } => {
                let answer = self.pace(speed, paused).await;
                _ = reply.send(answer);
            }
            Order::Stop { actor, reply } => {
                let answer = self.stop(&actor).await;
                _ = reply.send(answer);
            }
            Order::Acknowledge { alert, actor, reply } => {
                let answer = self.alerts.acknowledge(&mut self.watch, alert, &actor.name, self.run.at);
                _ = reply.send(self.kept(answer, &actor).await);
            }
            Order::Close { alert, reason, actor, reply } => {
                let answer = self.alerts.close(&mut self.watch, alert, (&actor.name, &reason), self.run.at);
                _ = reply.send(self.kept(answer, &actor).await);
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

    async fn pace(&mut self, speed: Option<f64>, paused: Option<bool>) -> Result<RunRecord, ControlError> {
        if self.run.kind == RunKind::Rehearsal {
            self.run.speed = speed.unwrap_or(self.run.speed);
            match paused {
                Some(true) => self.run.state = RunState::Paused,
                Some(false) => self.run.state = RunState::Running,
                None => {}
            }
        } else if speed.is_some() || paused.is_some() {
            let problem =
                model::Problem::new("run", "a live run has the pace of the city", "rehearse to change the pace");
            return Err(problem.into());
        }
        let mut tx = Transaction::new(self.tenant.clone());
        tx.put_document(&self.run, Expect::Any)?;
        self.store.commit(tx).await?;
        Ok(self.run.clone())
    }

    async fn stop(&mut self, actor: &Actor) -> Result<RunRecord, ControlError> {
        self.end(Some(actor.name.clone()));
        let mut tx = Transaction::new(self.tenant.clone());
        tx.put_document(&self.run, Expect::Any)?;
        actor.store.commit(tx).await?;
        events::release(&self.store, &self.tenant, &self.run).await?;
        Ok(self.run.clone())
    }

    /// Writes what a person did to an alert, in their name.
    async fn kept(&self, alert: Result<AlertRecord, ControlError>, actor: &Actor) -> Result<AlertRecord, ControlError> {
        let alert = alert?;
        let mut tx = Transaction::new(self.tenant.clone());
        outbox::queue(&mut tx, &self.store, (&self.tenant, &self.run), std::slice::from_ref(&alert), (self.wall)())?;
        tx.put_document(&alert, Expect::Any)?;
        actor.store.commit(tx).await?;
        Ok(alert)
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
