//! Reads that may take their time: on threads of their own, and only so many at once that the rest goes on.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::ApiError;

/// How long a question waits for its turn before the caller is told to come back.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How many questions of one kind run at once for each core: enough to keep the disk busy beside the cores.
const PER_CORE: usize = 4;

/// Turns for questions. A question that is given up by its caller keeps its turn until its thread is done, so that
/// giving up and asking again wins nothing.
pub struct Turns {
    free: Arc<Semaphore>,
    wait_max: Duration,
}

impl Turns {
    /// As many turns as fit this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::of(cores * PER_CORE, WAIT_MAX)
    }

    fn of(turns: usize, wait_max: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(turns)), wait_max }
    }

    /// Runs a question when it is its turn.
    ///
    /// # Errors
    /// 503 when no turn came in time, 500 when the question panics.
    pub async fn run<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let turn = timeout(self.wait_max, Arc::clone(&self.free).acquire_owned()).await.map_err(|_| busy())?;
        let turn = turn.map_err(|closed| ApiError::internal(&closed))?;
        let answered = spawn_blocking(move || {
            let answer = question();
            drop(turn);
            answer
        });
        answered.await.map_err(|failure| ApiError::internal(&failure))
    }
}

fn busy() -> ApiError {
    let detail = format!(
        "so many large questions are being answered that this one could not start within {} s",
        WAIT_MAX.as_secs()
    );
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy", detail)
        .with_remedy("try again after the seconds in Retry-After, or ask for less at once")
        .retry_after(5)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_question_without_a_turn_is_told_to_come_back_and_an_abandoned_one_keeps_its_turn() {
        let turns = Arc::new(Turns::of(1, Duration::from_millis(20)));
        let (release, held) = mpsc::channel::<()>();
        let first = {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { turns.run(move || held.recv().is_ok()).await })
        };
        while turns.free.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        let refused = turns.run(|| ()).await.err().map(|error| (error.status, error.retry_after_s));
        assert_eq!(refused, Some((StatusCode::SERVICE_UNAVAILABLE, Some(5))));
        release.send(()).unwrap();
        assert_eq!(turns.run(|| 42).await.ok(), Some(42));
    }
}
