//! The contract of connectors: bad rows are named and never fatal, a slow reader slows the source, a restart goes on
//! where the last one stopped, and empty or cut-off input is no surprise.
//!
//! A connector passes with one [`Case`]; [`check`] runs all of it.

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use flate2::{Compression, write::GzEncoder};
use model::{Problem, Timestamp};
use sources::{
    CityClock, Delivery, Ended, Keys, Occasion, Start,
    config::CityFile,
    http::{Client, ClientSettings},
    start,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::JoinHandle,
};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a test watches that nothing comes.
const QUIET: Duration = Duration::from_millis(300);

/// How the bytes of a case reach the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// As a file with this name; `.gz` is packed.
    File(&'static str),
    /// As the answer of a small server, with an `ETag`.
    Http,
}

/// One connector with good and bad input.
pub struct Case {
    /// The keys of `[[source]]` but `name`, `title`, `file`, `url`, `provenance` and `limits`, as TOML.
    pub settings: &'static str,
    /// How the bytes reach it.
    pub feed: Feed,
    /// Input without mistakes.
    pub good: Vec<u8>,
    /// The ids of its entities, in order: at least six.
    pub ids: Vec<String>,
    /// Input with bad records between good ones.
    pub bad: Vec<u8>,
    /// The lines of the bad records.
    pub bad_lines: Vec<u64>,
    /// The ids of the good ones between them.
    pub bad_ids: Vec<String>,
}

/// A running source.
struct Run {
    deliveries: mpsc::Receiver<Delivery>,
    task: JoinHandle<Result<Ended, Problem>>,
}

/// What was read.
#[derive(Default)]
struct Read {
    ids: Vec<String>,
    problems: Vec<Problem>,
    refused: u64,
    position: Option<String>,
}

impl Read {
    fn add(&mut self, mut delivery: Delivery) {
        delivery.committed();
        self.ids.extend(delivery.incoming.iter().map(|i| i.entity.id.to_string()));
        self.problems.append(&mut delivery.problems);
        self.refused += delivery.refused;
        self.position = delivery.position.take().or(self.position.take());
    }
}

/// Runs the whole contract. Panics with the rule that is broken.
///
/// # Panics
/// When the connector breaks the contract.
pub async fn check(case: &Case) {
    assert!(case.ids.len() >= 6, "a case needs six entities, so that there are several batches");
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("a folder for the test: {e}"));
    good_input_comes_whole_and_in_order(case, folder.path()).await;
    bad_records_are_named_and_the_others_come(case, folder.path()).await;
    a_slow_reader_slows_the_source(case, folder.path()).await;
    a_restart_goes_on_where_the_last_one_stopped(case, folder.path()).await;
    empty_input_is_no_entity_and_no_problem(case, folder.path()).await;
    if let Feed::File(name) = case.feed {
        changed_input_is_read_again(case, folder.path()).await;
        if name.ends_with(".gz") {
            a_file_that_is_cut_off_gives_what_it_has(case, name, folder.path()).await;
        }
    }
}

async fn good_input_comes_whole_and_in_order(case: &Case, folder: &Path) {
    let read = read_all(run(case, &case.good, None, folder).await, case.ids.len()).await;
    assert_eq!(read.ids, case.ids, "good input comes whole and in order");
    assert!(read.problems.is_empty(), "good input has no problems: {:?}", read.problems);
}

async fn bad_records_are_named_and_the_others_come(case: &Case, folder: &Path) {
    let read = read_all(run(case, &case.bad, None, folder).await, case.bad_ids.len()).await;
    assert_eq!(read.ids, case.bad_ids, "bad records do not hold up the good ones");
    let lines: Vec<u64> = read.problems.iter().filter_map(|p| p.line).collect();
    assert_eq!(lines, case.bad_lines, "each bad record is named with its line: {:?}", read.problems);
    assert_eq!(read.refused, case.bad_lines.len() as u64, "bad records are counted");
    let said = read.problems.iter().all(|p| !p.thing.is_empty() && !p.detail.is_empty() && !p.remedy.is_empty());
    assert!(said, "each problem has a thing, a detail and a remedy: {:?}", read.problems);
}

async fn a_slow_reader_slows_the_source(case: &Case, folder: &Path) {
    let mut run = run(case, &case.good, None, folder).await;
    let mut read = Read::default();
    while read.ids.len() < case.ids.len() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(run.deliveries.len() <= 1, "no more waits than the channel holds");
        if read.ids.len() + 4 < case.ids.len() {
            assert!(!run.task.is_finished(), "the source waits for its reader");
        }
        let delivery = tokio::time::timeout(PATIENCE, run.deliveries.recv()).await;
        match delivery.unwrap_or_else(|_| panic!("the source goes on when its reader does")) {
            Some(delivery) => {
                assert!(delivery.incoming.len() <= 2, "batches are as small as the settings say");
                read.add(delivery);
            }
            None => break,
        }
    }
    assert_eq!(read.ids, case.ids, "nothing is dropped for a slow reader");
}

async fn a_restart_goes_on_where_the_last_one_stopped(case: &Case, folder: &Path) {
    let mut first = run(case, &case.good, None, folder).await;
    let mut read = Read::default();
    let wanted = if case.feed == Feed::Http { case.ids.len() } else { 4 };
    while read.ids.len() < wanted || read.position.is_none() {
        let delivery = tokio::time::timeout(PATIENCE, first.deliveries.recv()).await;
        match delivery.unwrap_or_else(|_| panic!("deliveries carry a position to go on from")) {
            Some(delivery) => read.add(delivery),
            None => break,
        }
    }
    drop(first.deliveries);
    let ended = tokio::time::timeout(PATIENCE, first.task).await;
    let ended = ended.unwrap_or_else(|_| panic!("the source stops when nobody listens"));
    assert!(matches!(ended, Ok(Ok(_))), "to be stopped is no failure: {ended:?}");
    let again = read_all(run(case, &case.good, read.position.clone(), folder).await, case.ids.len()).await;
    read.ids.extend(again.ids);
    assert_eq!(read.ids, case.ids, "a restart loses nothing and doubles nothing");
}

async fn changed_input_is_read_again(case: &Case, folder: &Path) {
    let first = read_all(run(case, &case.bad, None, folder).await, case.bad_ids.len()).await;
    let read = read_all(run(case, &case.good, first.position, folder).await, case.ids.len()).await;
    assert_eq!(read.ids, case.ids, "a file that has changed is read from its beginning");
}

async fn empty_input_is_no_entity_and_no_problem(case: &Case, folder: &Path) {
    let read = read_all(run(case, b"", None, folder).await, 1).await;
    assert_eq!(read.ids, Vec::<String>::new(), "empty input has no entities");
    assert!(read.problems.is_empty(), "empty input is not a problem: {:?}", read.problems);
}

async fn a_file_that_is_cut_off_gives_what_it_has(case: &Case, name: &str, folder: &Path) {
    let path = folder.join(name);
    let whole = std::fs::read(&path).unwrap_or_default();
    assert!(!whole.is_empty());
    write_file(folder, name, &case.good);
    let whole = std::fs::read(&path).unwrap_or_default();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap_or_else(|e| panic!("{e}"));
    let mut run = begin(case, None, folder, None);
    let mut read = Read::default();
    while let Some(delivery) = run.deliveries.recv().await {
        read.add(delivery);
    }
    let ended = run.task.await.unwrap_or_else(|e| panic!("a cut-off file must not panic: {e}"));
    let problem = ended.expect_err("a cut-off file is a failure, said aloud");
    assert!(problem.thing.contains(name), "the failure names the file: {problem}");
    assert!(case.ids.starts_with(&read.ids), "what was readable is right");
}

async fn run(case: &Case, bytes: &[u8], resume: Option<String>, folder: &Path) -> Run {
    match case.feed {
        Feed::File(name) => {
            write_file(folder, name, bytes);
            begin(case, resume, folder, None)
        }
        Feed::Http => {
            let url = serve(bytes.to_vec()).await;
            begin(case, resume, folder, Some(&url))
        }
    }
}

fn write_file(folder: &Path, name: &str, bytes: &[u8]) {
    let mut packed = GzEncoder::new(vec![], Compression::default());
    let content = if name.ends_with(".gz") {
        packed.write_all(bytes).and_then(|()| packed.finish()).unwrap_or_else(|e| panic!("{e}"))
    } else {
        bytes.to_vec()
    };
    std::fs::write(folder.join(name), content).unwrap_or_else(|e| panic!("{e}"));
}

fn begin(case: &Case, resume: Option<String>, folder: &Path, url: Option<&str>) -> Run {
    let place = match (case.feed, url) {
        (Feed::File(name), _) => format!("file = \"{name}\""),
        (Feed::Http, url) => format!("url = \"{}\"", url.unwrap_or_default()),
    };
    let text = format!(
        r#"
        [city]
        id = "x"
        name = "X"
        country = "NL"
        title = {{ nl = "X", en = "X" }}
        time_zone = "UTC"
        center = [4.5, 51.9]
        bounds = [4.0, 51.0, 5.0, 52.0]
        zoom = 10
        [[source]]
        name = "feed"
        title = {{ nl = "X", en = "X" }}
        provenance = {{ publisher = "X", licence = "X", attribution = "X" }}
        limits = {{ batch = 2 }}
        {place}
        {}
        "#,
        case.settings
    );
    let city = CityFile::parse(&text, "city.toml").unwrap_or_else(|p| panic!("settings of the case: {p:?}"));
    let config = city.source("feed").cloned().unwrap_or_else(|| panic!("the case has a source"));
    let settings = ClientSettings { allow_http: true, allow_private: true, ..ClientSettings::default() };
    let start_with = Start {
        config: Arc::new(config),
        folder: folder.to_owned(),
        clock: CityClock::live(|| Timestamp::from_micros(1_787_304_000_000_000)),
        http: Client::new(settings).unwrap_or_else(|e| panic!("{e}")),
        keys: Keys::default(),
        resume,
        occasion: Occasion::Serve,
    };
    let (sender, deliveries) = mpsc::channel(1);
    Run { deliveries, task: start(start_with, sender) }
}

/// Reads to the end of a file, or until a live source has delivered `count` entities and is quiet.
async fn read_all(mut run: Run, count: usize) -> Read {
    let mut read = Read::default();
    loop {
        let patience = if read.ids.len() >= count { QUIET } else { Duration::from_secs(2) };
        match tokio::time::timeout(patience, run.deliveries.recv()).await {
            Ok(Some(delivery)) => read.add(delivery),
            Ok(None) => break,
            Err(_) => return read,
        }
    }
    let ended = run.task.await.unwrap_or_else(|e| panic!("a connector must not panic: {e}"));
    assert_eq!(ended, Ok(Ended::Finished), "reading ends well");
    read
}

/// A server that answers every request with `body`, or with 304 to whoever has it.
async fn serve(body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|e| panic!("{e}"));
    let port = listener.local_addr().map_or(0, |a| a.port());
    let tag = format!("\"{}-{}\"", body.len(), body.iter().map(|b| u64::from(*b)).sum::<u64>());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let Ok(count) = stream.read(&mut request).await else { continue };
            let known =
                String::from_utf8_lossy(&request[..count]).to_lowercase().contains(&format!("if-none-match: {tag}"));
            let (line, body) = if known { ("304 Not Modified", &[][..]) } else { ("200 OK", &body[..]) };
            let head = format!(
                "HTTP/1.1 {line}\r\netag: {tag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            // A client that went away meanwhile is not the server's concern.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body).await;
        }
    });
    format!("http://127.0.0.1:{port}/feed")
}
