//! What a connector hands over: batches of entities with the problems met on the way, through a bounded channel.

use std::{path::PathBuf, sync::Arc};

use model::{Incoming, Problem, Timestamp, TripTimes};
use tokio::sync::{mpsc, oneshot};

use crate::{
    aggregate::{Aggregator, Keys, Seen, hidden},
    clock::CityClock,
    config::SourceConfig,
    http::Client,
    mapping::Mapper,
    record::Record,
};

/// The most problems that one delivery spells out; all are counted.
const PROBLEMS_MAX: usize = 100;

/// One batch. It travels through a bounded channel, so a slow reader slows the source.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The entities, in the order of the source.
    pub incoming: Vec<Incoming>,
    /// Trips of a timetable, for the enrichment of vehicles.
    pub trips: Vec<TripTimes>,
    /// What was wrong, with lines; at most 100 for each delivery.
    pub problems: Vec<Problem>,
    /// How many records were refused.
    pub refused: u64,
    /// How many records a filter left out.
    pub left_out: u64,
    /// Where the source stands after this batch; handed back to it when it starts again.
    pub position: Option<String>,
    /// What a person should know about the source (`the replay starts again`).
    pub message: Option<String>,
    /// Told once the batch is stored, for sources that must not forget it before that.
    pub(crate) stored: Option<oneshot::Sender<()>>,
}

impl Delivery {
    /// Tells the source that the batch is stored. Call it after the commit: a broker is only then told to forget it.
    pub fn committed(&mut self) {
        if let Some(stored) = self.stored.take() {
            // The source may have been stopped meanwhile; then the broker delivers again.
            let _ = stored.send(());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.incoming.is_empty()
            && self.trips.is_empty()
            && self.problems.is_empty()
            && self.left_out == 0
            && self.message.is_none()
    }

    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// How the work of a source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was read.
    Finished,
    /// Nobody listens any more.
    Stopped,
}

/// Why reading breaks off.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Nobody listens any more.
    Stopped,
    /// The input cannot be read on.
    Failed(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// What a connector is given to do.
pub struct Job {
    /// The source.
    pub config: Arc<SourceConfig>,
    /// The city folder.
    pub folder: PathBuf,
    /// The city's clock.
    pub clock: CityClock,
    /// For connectors that fetch.
    pub http: Client,
    /// Where the source stood when it stopped, as one of its deliveries said.
    pub resume: Option<String>,
    /// For hiding the pseudonyms of positions.
    pub keys: Keys,
    /// Only what was observed up to this moment is wanted.
    pub until: Option<Timestamp>,
    /// Where deliveries go.
    pub out: mpsc::Sender<Delivery>,
}

/// What becomes of records.
enum Shape {
    /// Each becomes entities.
    Map(Box<Mapper>),
    /// They are positions of people, and only counted.
    Count(Box<Aggregator>),
}

/// Collects records into deliveries.
pub(crate) struct Writer {
    shape: Shape,
    clock: CityClock,
    until: Option<Timestamp>,
    batch: usize,
    out: mpsc::Sender<Delivery>,
    pub(crate) delivery: Delivery,
}

impl Writer {
    pub(crate) fn new(job: &Job) -> Result<Self, Problem> {
        let live = crate::connectors::find(&job.config.connector).is_some_and(|c| c.is_live(&job.config));
        let shape = match &job.config.aggregate {
            None => Shape::Map(Box::new(Mapper::new(job.config.clone(), &job.folder)?)),
            Some(settings) => Shape::Count(Box::new(Aggregator::new(job, settings, live)?)),
        };
        Ok(Self {
            shape,
            clock: job.clock.clone(),
            until: job.until,
            batch: job.config.limits.batch,
            out: job.out.clone(),
            delivery: Delivery::default(),
        })
    }

    /// Maps or counts one record, or notes what is wrong with it.
    pub(crate) fn take(&mut self, record: Result<Record, Problem>) {
        let now = self.clock.now();
        let mapped = match &mut self.shape {
            Shape::Map(mapper) => record.and_then(|record| mapper.map(record, now)),
            Shape::Count(counting) => {
                match record.map_err(|problem| hidden(&problem)).and_then(|record| counting.take(record, now)) {
                    Ok(Seen::Counted) => {}
                    Ok(Seen::LeftOut) => self.delivery.left_out += 1,
                    Err(problem) => self.delivery.refuse(problem),
                }
                return self.count_on();
            }
        };
        match mapped {
            Ok(mapped) if mapped.is_empty() => self.delivery.left_out += 1,
            Ok(mapped) => self.extend(mapped),
            Err(problem) => self.delivery.refuse(problem),
        }
    }

    /// Notes an answer or message that could not be read at all.
    pub(crate) fn refuse_input(&mut self, problem: Problem) {
        let problem = if self.counts() { hidden(&problem) } else { problem };
        self.delivery.refuse(problem);
    }

    /// Whether its records are positions that are only counted: then nothing of them may be kept, not even the place
    /// in the feed.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.shape, Shape::Count(_))
    }

    /// Tells the counts whose period is over.
    pub(crate) fn count_on(&mut self) {
        let now = self.clock.now();
        if let Shape::Count(counting) = &mut self.shape {
            let told = counting.due(now);
            self.told(told);
        }
    }

    /// Tells the counts of every period, at the end of a file.
    fn finish(&mut self) {
        if let Shape::Count(counting) = &mut self.shape {
            let told = counting.finish();
            self.told(told);
        }
    }

    fn told(&mut self, told: Vec<Incoming>) {
        self.extend(told);
        if let Shape::Count(counting) = &mut self.shape
            && let Some(message) = counting.message()
        {
            self.delivery.message = Some(message);
        }
    }

    fn extend(&mut self, incoming: Vec<Incoming>) {
        let until = self.until;
        let wanted = |incoming: &Incoming| until.is_none_or(|u| moment_of(incoming).is_none_or(|at| at <= u));
        self.delivery.incoming.extend(incoming.into_iter().filter(wanted));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.delivery.incoming.len() >= self.batch
            || self.delivery.trips.len() >= self.batch
            || self.delivery.refused >= self.batch as u64
    }

    /// Hands the batch over, from a thread that may wait.
    pub(crate) fn flush_blocking(&mut self, position: Option<String>) -> Result<(), Halt> {
        let delivery = self.cut(position);
        if delivery.is_empty() && delivery.position.is_none() {
            return Ok(());
        }
        self.out.blocking_send(delivery).map_err(|_| Halt::Stopped)
    }

    /// Hands the batch over.
    pub(crate) async fn flush(&mut self, position: Option<String>) -> Result<(), Halt> {
        let delivery = self.cut(position);
        if delivery.is_empty() && delivery.position.is_none() {
            return Ok(());
        }
        self.out.send(delivery).await.map_err(|_| Halt::Stopped)
    }

    fn cut(&mut self, position: Option<String>) -> Delivery {
        // Counts can only be taken up from the beginning of a file or of an answer.
        let position = position.filter(|position| !self.counts() || position.ends_with(":end"));
        Delivery { position, ..std::mem::take(&mut self.delivery) }
    }
}

/// The latest moment that an incoming entity speaks about.
pub(crate) fn moment_of(incoming: &Incoming) -> Option<Timestamp> {
    incoming.entity.attributes.values().flatten().filter_map(|a| a.observed_at).max()
}

/// Turns the end of the reading into the end of the job.
pub(crate) fn ended(result: Result<(), Halt>) -> Result<Ended, Problem> {
    match result {
        Ok(()) => Ok(Ended::Finished),
        Err(Halt::Stopped) => Ok(Ended::Stopped),
        Err(Halt::Failed(problem)) => Err(problem),
    }
}

/// Reads a file of the city folder in a thread of its own. `read` calls its argument with each record and stops when
/// that says so. A file that was read before, to its end or to a line, is taken up from there, unless it has changed.
pub(crate) async fn read_file<R>(job: Job, read: R) -> Result<Ended, Problem>
where
    R: FnOnce(&Job, &mut dyn FnMut(Step) -> Result<(), Halt>) -> Result<(), Halt> + Send + 'static,
{
    let worker = tokio::task::spawn_blocking(move || ended(read_file_blocking(&job, read)));
    worker.await.unwrap_or_else(|_| {
        Err(Problem::new("connector", "it stopped unexpectedly", "report this, with the log and the file"))
    })
}

/// What a file reader met.
pub(crate) enum Step {
    /// A record, or what is wrong with it.
    Record(Result<Record, Problem>),
    /// A trip of a timetable.
    Trip(TripTimes),
}

fn read_file_blocking<R>(job: &Job, read: R) -> Result<(), Halt>
where
    R: FnOnce(&Job, &mut dyn FnMut(Step) -> Result<(), Halt>) -> Result<(), Halt>,
{
    let file = job.config.file.as_deref().unwrap_or_default();
    let fingerprint = crate::input::fingerprint(&job.folder, file)?;
    let resume = job.resume.as_deref().and_then(|r| r.strip_prefix(&fingerprint)).and_then(|r| r.strip_prefix(':'));
    if resume == Some("end") {
        return Ok(());
    }
    let read_before: u64 = resume.and_then(|line| line.parse().ok()).unwrap_or(0);
    let mut writer = Writer::new(job)?;
    let mut take = |step: Step| {
        let line = match step {
            Step::Trip(trip) => {
                writer.delivery.trips.push(trip);
                None
            }
            Step::Record(record) => {
                let line = record.as_ref().map_or_else(|p| p.line, |r| Some(r.line)).unwrap_or(0);
                if line <= read_before && line > 0 {
                    return Ok(());
                }
                writer.take(record);
                Some(line)
            }
        };
        if writer.is_full() {
            writer.flush_blocking(line.map(|l| format!("{fingerprint}:{l}")))?;
        }
        Ok(())
    };
    match read(job, &mut take) {
        Ok(()) => {
            writer.finish();
            writer.flush_blocking(Some(format!("{fingerprint}:end")))
        }
        Err(Halt::Stopped) => Err(Halt::Stopped),
        Err(failed) => {
            writer.flush_blocking(None)?;
            Err(failed)
        }
    }
}
