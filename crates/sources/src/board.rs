//! The board: how each source is doing, for the data steward's page and the metrics. Bounded, and kept in memory only.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    DataSheet,
    config::{SourceConfig, Text},
};

/// How many of the last problems are kept for each source.
const PROBLEMS_KEPT: usize = 20;

/// What a source is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// It has not been started, or waits for its next try.
    #[default]
    Waiting,
    /// It delivers.
    Running,
    /// Everything was read.
    Finished,
    /// It stopped with an error that it cannot mend itself.
    Failed,
}

/// How one source is doing. Serialised form: `GET /api/v1/sources`.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The name in `city.toml`.
    pub name: String,
    /// The connector that reads it.
    pub kind: String,
    /// What a person reads.
    pub title: Text,
    /// What it is doing.
    pub state: SourceState,
    /// Entities (or parts of them) that the platform took.
    pub taken: u64,
    /// Records that were refused, each with a reason.
    pub refused: u64,
    /// Records that were accepted and then lost. Always 0; anything else is a fault in Polder.
    pub lost: u64,
    /// The latest moment that a value was observed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_observed_at: Option<Timestamp>,
    /// What a person should know (`the replay starts again`).
    #[schema(required)]
    pub last_message: Option<String>,
    /// The last problems, newest first.
    #[schema(value_type = Vec<ProblemShape>)]
    pub problems: VecDeque<Problem>,
}

/// Something wrong with one thing that a source delivered: `model::Problem` as the interface describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SourceProblem)]
pub struct ProblemShape {
    /// The field, row, file or setting that is wrong.
    pub thing: String,
    /// What is wrong with it.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// The line of the input where it was found, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<u64>,
}

/// The board of one server; clones show the same.
#[derive(Clone, Default)]
pub struct Board {
    status: Arc<Mutex<BTreeMap<String, SourceStatus>>>,
    sources: Arc<[Arc<SourceConfig>]>,
}

impl Board {
    /// A board with these sources, all waiting.
    #[must_use]
    pub fn new(sources: &[Arc<SourceConfig>]) -> Self {
        let status = |source: &Arc<SourceConfig>| SourceStatus {
            name: source.name.clone(),
            kind: source.connector.clone(),
            title: source.title.clone(),
            ..SourceStatus::default()
        };
        let all = sources.iter().map(|source| (source.name.clone(), status(source)));
        Self { status: Arc::new(Mutex::new(all.collect())), sources: sources.into() }
    }

    /// The data protection sheet of every source, in the order of the settings.
    #[must_use]
    pub fn sheets(&self, now: Timestamp) -> Vec<DataSheet> {
        self.sources.iter().map(|source| DataSheet::of(source, now)).collect()
    }

    /// Every source, by name.
    #[must_use]
    pub fn all(&self) -> Vec<SourceStatus> {
        self.locked().values().cloned().collect()
    }

    /// Changes what is said of a source; unknown names are left alone.
    pub fn update(&self, name: &str, change: impl FnOnce(&mut SourceStatus)) {
        if let Some(status) = self.locked().get_mut(name) {
            change(status);
            status.problems.truncate(PROBLEMS_KEPT);
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, SourceStatus>> {
        // A status is whole after each statement, so a panic elsewhere cannot have left it half written.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SourceStatus {
    /// Puts problems in front, newest first.
    pub fn note(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            self.problems.push_front(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_fits_its_description_with_and_without_a_line() {
        let problem = Problem::new("row", "wrong", "mend it");
        for sent in [problem.clone().at_line(7), problem] {
            let sent = serde_json::to_value(sent).unwrap();
            let described: ProblemShape = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(described).unwrap(), sent);
        }
    }

    #[test]
    fn only_the_newest_problems_are_kept() {
        let status = BTreeMap::from([("a".to_owned(), SourceStatus::default())]);
        let board = Board { status: Arc::new(Mutex::new(status)), sources: Arc::new([]) };
        for line in 1..=50 {
            board.update("a", |status| status.note([Problem::new("row", "wrong", "mend it").at_line(line)]));
        }
        board.update("unknown", |status| status.taken = 9);
        let status = board.all().remove(0);
        assert_eq!((status.problems.len(), status.problems[0].line), (PROBLEMS_KEPT, Some(50)));
    }
}
