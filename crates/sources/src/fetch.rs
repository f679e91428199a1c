//! Polling: fetching an address again and again, only when it has changed.

use std::time::Duration;

use model::Problem;

use crate::{
    delivery::{Ended, Halt, Job, Writer, ended},
    http::Response,
    record::Record,
};

/// The longest wait after failures in a row.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// What was found in one answer.
pub(crate) struct Polled {
    /// The records, or why there are none.
    pub(crate) records: Result<Vec<Result<Record, Problem>>, Problem>,
}

/// Fetches `url` of the source every `interval` until nobody listens. An answer that cannot be used is reported and
/// tried again, with longer and longer pauses.
pub(crate) async fn poll(
    job: Job,
    interval: Duration,
    read: impl Fn(&Job, &[u8]) -> Polled + Send + Sync + 'static,
) -> Result<Ended, Problem> {
    let mut writer = Writer::new(&job)?;
    let mut version = job.resume.clone().filter(|_| !writer.counts());
    let mut failures = 0_u32;
    loop {
        match fetch(&job, version.as_deref()).await {
            Ok(Some(answer)) => {
                let new_version = version_of(&answer);
                let polled = read(&job, &answer.body);
                match polled.records {
                    Ok(records) => {
                        failures = 0;
                        if let Err(halt) = hand_on(&mut writer, records, new_version.clone()).await {
                            return ended(Err(halt));
                        }
                        version = new_version;
                    }
                    Err(problem) => {
                        failures += 1;
                        writer.refuse_input(problem);
                    }
                }
            }
            Ok(None) => failures = 0,
            Err(problem) => {
                failures += 1;
                writer.delivery.refuse(problem);
            }
        }
        writer.count_on();
        if let Err(halt) = writer.flush(None).await {
            return ended(Err(halt));
        }
        let pause = interval.saturating_mul(1 << failures.min(8)).min(PAUSE_MAX.max(interval));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = job.out.closed() => return Ok(Ended::Stopped),
        }
    }
}

async fn hand_on(
    writer: &mut Writer,
    records: Vec<Result<Record, Problem>>,
    version: Option<String>,
) -> Result<(), Halt> {
    for record in records {
        writer.take(record);
        if writer.is_full() {
            writer.flush(None).await?;
        }
    }
    // Only the last batch of an answer completes it.
    writer.flush(version).await
}

/// The answer; `None` when it is the version that we have.
async fn fetch(job: &Job, version: Option<&str>) -> Result<Option<Response>, Problem> {
    let url = job.config.url.as_deref().unwrap_or_default();
    let mut headers = vec![];
    match version.and_then(|v| v.split_once(':')) {
        Some(("etag", tag)) => headers.push(("if-none-match".to_owned(), tag.to_owned())),
        Some(("modified", date)) => headers.push(("if-modified-since".to_owned(), date.to_owned())),
        _ => {}
    }
    let answer = job.http.get(url, &headers).await.map_err(|e| Problem::new(url, e.to_string(), e.remedy()))?;
    match answer.status {
        200..=299 => Ok(Some(answer)),
        304 => Ok(None),
        status => {
            Err(Problem::new(url, format!("it answered {status}"), "check the address, and whether it needs a key"))
        }
    }
}

fn version_of(answer: &Response) -> Option<String> {
    let tag = answer.header("etag").map(|t| format!("etag:{t}"));
    tag.or_else(|| answer.header("last-modified").map(|d| format!("modified:{d}")))
}
