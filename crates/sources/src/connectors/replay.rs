//! `replay`: plays an archive as if it were live, on the city's clock.
//!
//! The archive is read in its own order, about an hour of city time ahead of the clock, and each entity is handed on
//! when the clock reaches its moment. When the clock jumps, or comes to its end and starts again, the archive is read
//! from its beginning and every entity gets the last value before the clock's moment. The archive must be in order of
//! time, give or take that hour; what comes later than that is handed on at once, never dropped.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures::future::BoxFuture;
use model::{EntityId, Incoming, Iri, Problem, Timestamp};
use schemars::{Schema, json_schema};
use tokio::sync::mpsc;

use super::Connector;
use crate::{
    config::SourceConfig,
    delivery::{Delivery, Ended, Job, moment_of},
};

/// How far the archive is read ahead of the clock, city microseconds.
const AHEAD: i64 = 3_600_000_000;
/// The shortest time between two batches, so that a fast replay does not commit every row.
const TICK: Duration = Duration::from_millis(100);
/// The longest wait before the clock is looked at again.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The connector. It is not named in `connector = "…"`: `replay = true` puts it around the connector of a source.
pub struct Replay;

impl Connector for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn about(&self) -> &'static str {
        "Plays the archive of any file connector as if it were live, on the city's clock. Set replay = true on the \
         source; it needs [source.time], and a [city.replay] with from, start, to and speed."
    }

    fn settings(&self) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": false })
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        true
    }

    fn check(&self, _config: &SourceConfig) -> Result<(), Problem> {
        let remedy = "name the connector of the archive (csv, geojson, …) and set replay = true";
        Err(Problem::new("connector", "replay goes around another connector", remedy))
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(play(job))
    }
}

/// Plays the archive until nobody listens.
async fn play(job: Job) -> Result<Ended, Problem> {
    let mut jumps = None;
    let mut lap = job.clock.state().lap;
    loop {
        let state = job.clock.state();
        if state.lap != lap {
            lap = state.lap;
            let message = format!("the replay starts again at {}", state.now);
            tracing::info!(source = job.config.name, "{message}");
            if job.out.send(Delivery { message: Some(message), ..Delivery::default() }).await.is_err() {
                return Ok(Ended::Stopped);
            }
        }
        let mut archive = Archive::open(&job)?;
        let played = archive.play(&job, state.jumps).await;
        if let Some(ended) = played? {
            return Ok(ended);
        }
        // Only a jump of the clock brings us here; a jump that did not move it would spin.
        if jumps == Some(state.jumps) {
            tokio::time::sleep(TICK).await;
        }
        jumps = Some(state.jumps);
    }
}

/// The archive being read.
struct Archive {
    incoming: mpsc::Receiver<Delivery>,
    reading: tokio::task::JoinHandle<Result<Ended, Problem>>,
    finished: bool,
    /// What has been read and is not due yet, by moment and order of arrival.
    ahead: BTreeMap<(Timestamp, u64), Incoming>,
    /// The latest moment that has been read.
    read_to: Option<Timestamp>,
    count: u64,
    /// Counts and problems to hand on with the next batch.
    notes: Delivery,
}

impl Archive {
    fn open(job: &Job) -> Result<Self, Problem> {
        let connector = super::find(&job.config.connector)
            .ok_or_else(|| Problem::new("connector", "it does not exist", "name a connector of the list"))?;
        let (sender, incoming) = mpsc::channel(1);
        let inner = Job {
            config: job.config.clone(),
            folder: job.folder.clone(),
            clock: job.clock.clone(),
            http: job.http.clone(),
            keys: job.keys.clone(),
            resume: None,
            until: None,
            out: sender,
        };
        let reading = tokio::spawn(connector.run(inner));
        let (ahead, notes) = (BTreeMap::new(), Delivery::default());
        Ok(Self { incoming, reading, finished: false, ahead, read_to: None, count: 0, notes })
    }

    /// Plays until the clock jumps (`None`), nobody listens or the archive cannot be read.
    async fn play(&mut self, job: &Job, jumps: u64) -> Result<Option<Ended>, Problem> {
        let mut changes = job.clock.changes();
        let mut first = true;
        loop {
            let state = job.clock.state();
            if state.jumps != jumps {
                return Ok(None);
            }
            self.read_ahead(state.now.plus_micros(AHEAD), first.then_some(state.now)).await?;
            let due = self.due(job.clock.now().min(state.now.plus_micros(AHEAD)));
            // At the first time there is a whole past: of that, only the last value of each entity is told.
            let due = if first { latest(due) } else { due };
            first = false;
            for batch in split(due, job.config.limits.batch) {
                let delivery = Delivery { incoming: batch, ..std::mem::take(&mut self.notes) };
                if job.out.send(delivery).await.is_err() {
                    return Ok(Some(Ended::Stopped));
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.wait(job)) => {}
                _ = changes.changed() => {}
                () = job.out.closed() => return Ok(Some(Ended::Stopped)),
            }
        }
    }

    /// Reads until the archive is past `moment`. While the whole past goes by, before `now`, superseded values are
    /// dropped on the way, so that memory is bounded by the number of entities.
    async fn read_ahead(&mut self, moment: Timestamp, now: Option<Timestamp>) -> Result<(), Problem> {
        while !self.finished && self.read_to.is_none_or(|read_to| read_to <= moment) {
            let Some(delivery) = self.incoming.recv().await else {
                self.finished = true;
                let ended = (&mut self.reading).await;
                let lost = || Problem::new("replay", "the archive stopped unexpectedly", "report this, with the log");
                return ended.map_err(|_| lost())?.map(|_| ());
            };
            self.notes.refused += delivery.refused;
            self.notes.left_out += delivery.left_out;
            self.notes.problems.extend(delivery.problems);
            self.notes.problems.truncate(100);
            // One record may speak about a later moment as well (when an incident ends): its first one counts.
            let last_line = delivery.incoming.last().map(|i| i.line);
            let last_record = delivery.incoming.iter().rev().take_while(|i| Some(i.line) == last_line);
            let reached = last_record.filter_map(moment_of).min();
            for incoming in delivery.incoming {
                let at = moment_of(&incoming).unwrap_or(Timestamp::MIN);
                self.count += 1;
                self.ahead.insert((at, self.count), incoming);
            }
            self.read_to = self.read_to.max(reached);
            if let Some(now) = now {
                let past = self.due(now);
                for incoming in latest(past) {
                    let at = moment_of(&incoming).unwrap_or(Timestamp::MIN);
                    self.count += 1;
                    self.ahead.insert((at, self.count), incoming);
                }
            }
        }
        Ok(())
    }

    /// Takes out what is due at `now`, in order of time.
    fn due(&mut self, now: Timestamp) -> Vec<Incoming> {
        let later = self.ahead.split_off(&(now.plus_micros(1), 0));
        std::mem::replace(&mut self.ahead, later).into_values().collect()
    }

    /// How long until the next one is due.
    fn wait(&self, job: &Job) -> Duration {
        let state = job.clock.state();
        let Some(((next, _), _)) = self.ahead.first_key_value() else { return WAIT_MAX };
        if !state.running {
            return WAIT_MAX;
        }
        let seconds = next.seconds_since(state.now).max(0.0) / state.speed;
        Duration::try_from_secs_f64(seconds).unwrap_or(WAIT_MAX).clamp(TICK, WAIT_MAX)
    }
}

/// Of each entity and group of attributes, the last, in order of time.
fn latest(past: Vec<Incoming>) -> Vec<Incoming> {
    let mut last: HashMap<(EntityId, Option<Iri>), usize> = HashMap::new();
    for (index, incoming) in past.iter().enumerate() {
        last.insert((incoming.entity.id.clone(), incoming.entity.attributes.keys().next().cloned()), index);
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable_by_key(|index| Reverse(*index));
    let mut past = past;
    let mut latest: Vec<Incoming> = kept.into_iter().map(|index| past.swap_remove(index)).collect();
    latest.reverse();
    latest
}

fn split(incoming: Vec<Incoming>, batch: usize) -> Vec<Vec<Incoming>> {
    let mut batches = vec![];
    let mut rest = incoming;
    while rest.len() > batch {
        let tail = rest.split_off(batch);
        batches.push(std::mem::replace(&mut rest, tail));
    }
    if !rest.is_empty() {
        batches.push(rest);
    }
    batches
}
