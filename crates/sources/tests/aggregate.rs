//! Positions of people become counts at the door: nothing of a record leaves, and no count tells of few.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use model::{AttributeValue, Problem, Timestamp};
use polder_sources::{
    CityClock, Delivery, Ended, Keys, Occasion, Start,
    config::CityFile,
    http::{Client, ClientSettings},
    start,
};
use proptest::prelude::*;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Two areas beside each other, and one around both.
const AREAS: [(&str, [f64; 4]); 3] =
    [("west", [4.0, 51.0, 4.5, 52.0]), ("east", [4.5, 51.0, 5.0, 52.0]), ("both", [4.0, 51.0, 5.0, 52.0])];

fn settings(aggregate: &str, more: &str) -> String {
    format!(
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
        name = "phones"
        title = {{ nl = "X", en = "X" }}
        connector = "csv"
        file = "phones.csv"
        entity_type = "CrowdFlowObserved"
        id = "urn:x:{{area}}"
        provenance = {{ publisher = "X", licence = "X", attribution = "X" }}
        time = {{ field = "at" }}
        {more}
        [source.privacy]
        persons = "pseudonymous"
        collected = {{ nl = "X", en = "X" }}
        purpose = {{ nl = "X", en = "X" }}
        basis = {{ nl = "X", en = "X" }}
        controller = "X"
        [source.aggregate]
        pseudonym = "phone"
        longitude = "lon"
        latitude = "lat"
        period_s = 300
        {aggregate}
        "#
    )
}

const BY_AREAS: &str = "by = \"areas\"\nfile = \"areas.geojson\"\nname = \"title\"";

fn areas() -> String {
    let feature = |(key, [west, south, east, north]): (&str, [f64; 4])| {
        let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
        json!({ "type": "Feature", "properties": { "id": key, "title": key },
            "geometry": { "type": "Polygon", "coordinates": [ring] } })
    };
    json!({ "type": "FeatureCollection", "features": AREAS.map(feature) }).to_string()
}

fn keys() -> Keys {
    Keys::of(|| Some("a key that only this test may use, and only here".to_owned()))
}

async fn read(folder: &Path, city: &str, keys: Keys) -> (Vec<Delivery>, Result<Ended, Problem>) {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let city = CityFile::parse(city, "city.toml").unwrap();
    let start_with = Start {
        config: Arc::new(city.source("phones").unwrap().clone()),
        folder: folder.to_owned(),
        clock: CityClock::live(|| Timestamp::from_micros(1_787_304_000_000_000)),
        http: CLIENT.get_or_init(|| Client::new(ClientSettings::default()).unwrap()).clone(),
        keys,
        resume: None,
        occasion: Occasion::Import { until: None },
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let task = start(start_with, sender);
    let mut deliveries = vec![];
    while let Some(delivery) = receiver.recv().await {
        deliveries.push(delivery);
    }
    (deliveries, task.await.unwrap())
}

/// What was told by area and end of the period; `None` where it was told without a number.
type Told = BTreeMap<(String, String), Option<u64>>;

/// Reads the lines of a feed.
fn told(lines: &str) -> (Told, Vec<Delivery>) {
    told_by(lines, BY_AREAS, "urn:x:")
}

fn told_by(lines: &str, by: &str, prefix: &str) -> (Told, Vec<Delivery>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("phones.csv"), format!("phone,at,lon,lat\n{lines}")).unwrap();
    std::fs::write(folder.path().join("areas.geojson"), areas()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let city = settings(by, "");
    let city = if by.starts_with(BY_AREAS) { city } else { city.replace("{area}", "{cell}") };
    let (deliveries, ended) = runtime.block_on(read(folder.path(), &city, keys()));
    assert_eq!(ended, Ok(Ended::Finished));
    let mut counts = BTreeMap::new();
    for incoming in deliveries.iter().flat_map(|d| &d.incoming) {
        let name = "https://uri.etsi.org/ngsi-ld/default-context/deviceCount";
        let attribute = incoming.entity.attribute(name).unwrap();
        let AttributeValue::Property(value) = &attribute.value else { panic!("a property") };
        let key = incoming.entity.id.as_str().strip_prefix(prefix).unwrap().to_owned();
        let before = counts.insert((key, attribute.observed_at.unwrap().to_string()), value.as_u64());
        assert!(before.is_none(), "each place is told once for a period");
        assert!(value.is_null() || value.is_u64(), "{value}");
    }
    (counts, deliveries)
}

/// A position: which phone, how many seconds after nine, and where.
type Position = (u32, u32, f64, f64);

fn position() -> impl Strategy<Value = Position> {
    (0..60_u32, 0..900_u32, 3.9..5.1_f64, 51.2..51.8_f64)
}

fn lines(positions: &[Position]) -> String {
    let line = |(phone, at, x, y): &Position| {
        let (minute, second) = (at / 60, at % 60);
        format!("phone-{phone:04}-secret,2026-08-21T09:{minute:02}:{second:02}Z,{x:.7},{y:.7}\n")
    };
    positions.iter().map(line).collect()
}

/// What should be told, computed in another way: the devices of each area and period, or nothing where they are few.
fn expected(positions: &[Position]) -> BTreeMap<(String, String), Option<u64>> {
    let mut periods: BTreeMap<u32, BTreeMap<&str, BTreeSet<u32>>> = BTreeMap::new();
    let mut feed: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (phone, at, x, y) in positions {
        feed.entry(at / 300).or_default().insert(*phone);
        let in_areas = periods.entry(at / 300).or_default();
        let (x, y) = (format!("{x:.7}").parse::<f64>().unwrap(), format!("{y:.7}").parse::<f64>().unwrap());
        for (key, [west, south, east, north]) in AREAS {
            if west <= x && x <= east && south <= y && y <= north {
                in_areas.entry(key).or_default().insert(*phone);
            }
        }
    }
    let mut told = BTreeMap::new();
    for (period, in_areas) in periods.iter().filter(|(period, _)| feed[period].len() >= 10) {
        let end = format!("2026-08-21T09:{:02}:00Z", (period + 1) * 5);
        for (key, _) in AREAS {
            let devices = in_areas.get(key).map_or(0, BTreeSet::len) as u64;
            told.insert((key.to_owned(), end.clone()), (devices >= 10).then(|| (devices + 5) / 10 * 10));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_count_is_the_distinct_devices_and_no_difference_tells_of_few(
        mut positions in prop::collection::vec(position(), 0..400),
    ) {
        positions.sort_by_key(|(_, at, ..)| *at);
        let (counts, deliveries) = told(&lines(&positions));
        prop_assert_eq!(&counts, &expected(&positions));
        let refused: u64 = deliveries.iter().map(|d| d.refused).sum();
        prop_assert_eq!(refused, 0);
        // Over time, and between an area and the area around it.
        for (one, other) in counts.values().flatten().flat_map(|a| counts.values().flatten().map(move |b| (a, b))) {
            let difference = one.abs_diff(*other);
            prop_assert!(difference == 0 || difference >= 10, "{one} and {other}");
        }
    }

    #[test]
    fn no_pseudonym_and_no_coordinate_leaves_in_any_output_or_problem(
        mut positions in prop::collection::vec(position(), 1..200),
        broken in prop::collection::vec(0..200_usize, 0..8),
        cells in any::<bool>(),
    ) {
        positions.sort_by_key(|(_, at, ..)| *at);
        let mut rows: Vec<String> = lines(&positions).lines().map(str::to_owned).collect();
        for at in broken {
            let at = at % rows.len();
            // A position that is not on earth, a moment that is none, a cell too many: each names its record otherwise.
            rows[at] = match at % 4 {
                0 => rows[at].replace(",5", ",1905"),
                1 => rows[at].replace("2026", "never"),
                2 => format!("{},{}", rows[at], rows[at]),
                _ => rows[at].replace("phone-", ""),
            };
        }
        let by = if cells { "by = \"cells\"\nsize_m = 5000" } else { BY_AREAS };
        let (_, deliveries) = told_by(&rows.join("\n"), by, "urn:x:");
        let everything = format!("{deliveries:?}");
        prop_assert!(!everything.contains("secret"), "{everything}");
        for (phone, _, x, y) in &positions {
            for secret in [format!("{phone:04}-s"), format!("{x:.7}"), format!("{y:.7}")] {
                prop_assert!(!everything.contains(&secret), "{secret} is in {everything}");
            }
        }
    }
}

#[test]
fn an_area_that_had_many_is_told_without_a_number_when_few_are_left() {
    let mut rows: Vec<Position> = (0..30).map(|phone| (phone, 10, 4.2, 51.5)).collect();
    rows.extend((0..12).map(|phone| (phone, 400, if phone < 9 { 4.2 } else { 4.8 }, 51.5)));
    let (counts, deliveries) = told(&lines(&rows));
    let of = |key: &str, at: &str| counts[&(key.to_owned(), format!("2026-08-21T09:{at}:00Z"))];
    assert_eq!((of("west", "05"), of("east", "05"), of("both", "05")), (Some(30), None, Some(30)));
    assert_eq!((of("west", "10"), of("east", "10"), of("both", "10")), (None, None, Some(10)));
    let first = &deliveries[0].incoming[0].entity;
    let text = |name: &str| {
        let iri = format!("https://uri.etsi.org/ngsi-ld/default-context/{name}");
        first.attribute(&iri).unwrap().text().unwrap().to_owned()
    };
    assert_eq!(text("name"), "west");
    assert_eq!(text("dateObservedFrom"), "2026-08-21T09:00:00Z");
    assert_eq!(text("dateObservedTo"), "2026-08-21T09:05:00Z");
}

#[test]
fn a_cell_is_told_once_it_had_enough_and_then_also_when_it_has_few() {
    let crowd = (0..20).map(|phone| (phone, 10, 4.2, 51.5));
    let alone = (0..1).map(|phone| (phone + 50, 20, 4.7, 51.6));
    let later = (0..15).map(|phone| (phone, 350, 4.8, 51.4));
    let rows: Vec<Position> = crowd.chain(alone).chain(later).collect();
    let (counts, _) = told_by(&lines(&rows), "by = \"cells\"\nsize_m = 1000", "urn:x:1000m-");
    let told: Vec<Option<u64>> = counts.values().copied().collect();
    assert_eq!(counts.keys().map(|(cell, _)| cell).collect::<BTreeSet<_>>().len(), 2, "a single phone has no cell");
    assert_eq!(told.iter().flatten().count(), 2);
    assert_eq!(told.len(), 3, "{counts:?}");
}

#[test]
fn what_comes_after_its_period_was_told_is_counted_as_refused() {
    let mut rows: Vec<Position> = (0..12).map(|phone| (phone, 10, 4.2, 51.5)).collect();
    rows.push((1, 340, 4.2, 51.5));
    rows.push((40, 20, 4.2, 51.5));
    let (counts, deliveries) = told(&lines(&rows));
    assert_eq!(counts[&("west".to_owned(), "2026-08-21T09:05:00Z".to_owned())], Some(10));
    let problems: Vec<&Problem> = deliveries.iter().flat_map(|d| &d.problems).collect();
    assert_eq!((problems.len(), problems[0].line), (1, Some(15)));
    assert!(problems[0].detail.starts_with("it came after its period was told"), "{problems:?}");
}

#[test]
fn a_period_with_more_than_fits_is_not_told_and_says_so() {
    let rows: Vec<Position> = (0..30).map(|phone| (phone, 10, 4.2, 51.5)).collect();
    let (counts, deliveries) = told_by(&lines(&rows), &format!("{BY_AREAS}\npositions_max = 40"), "urn:x:");
    assert!(counts.is_empty(), "{counts:?}");
    assert_eq!(deliveries.iter().map(|d| d.refused).sum::<u64>(), 10);
    let message = deliveries.iter().find_map(|d| d.message.clone()).unwrap();
    assert!(message.contains("than fit"), "{message}");
}

#[tokio::test]
async fn without_randomness_no_position_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("phones.csv"), "phone,at,lon,lat\n").unwrap();
    std::fs::write(folder.path().join("areas.geojson"), areas()).unwrap();
    for keys in [Keys::default(), Keys::of(|| None), Keys::of(|| Some("short".to_owned()))] {
        let (_, ended) = read(folder.path(), &settings(BY_AREAS, ""), keys).await;
        assert!(ended.unwrap_err().detail.contains("no key"));
    }
}

fn refused(aggregate: &str, more: &str, change: (&str, &str)) -> String {
    let text = settings(aggregate, more).replace(change.0, change.1);
    let problems = CityFile::parse(&text, "city.toml").err().unwrap_or_default();
    problems.iter().map(|p| format!("{}: {}", p.thing, p.detail)).collect::<Vec<_>>().join("; ")
}

#[test]
fn settings_that_would_let_a_record_through_are_refused() {
    let same = ("", "");
    assert_eq!(refused(BY_AREAS, "", same), "");
    let attribute = "attribute = [{ name = \"phone\", field = \"phone\" }]";
    assert!(refused(BY_AREAS, attribute, same).contains("become no attributes"));
    let join = "join = [{ file = \"owners.csv\", key = \"phone\" }]";
    assert!(refused(BY_AREAS, join, same).contains("nothing may be added"));
    assert!(refused(BY_AREAS, "", ("{area}", "{phone}")).contains("more than the place"));
    assert!(refused(BY_AREAS, "", ("{area}", "{area}-{phone}")).contains("more than the place"));
    assert!(refused(&format!("{BY_AREAS}\nminimum = 3"), "", same).contains("fewer than 10"));
    assert!(refused(&format!("{BY_AREAS}\nperiod_s = 7"), "", ("period_s = 300", "")).contains("whole number"));
    assert!(refused("by = \"cells\"", "", ("{area}", "{cell}")).contains("the side of a cell"));
    assert!(refused("by = \"areas\"", "", same).contains("not named"));
    assert!(refused(BY_AREAS, "", ("pseudonym = \"phone\"", "")).contains("cannot be told apart"));
    let broker = "url = \"mqtt://127.0.0.1\"\nmqtt = { topic = \"a\", client_id = \"b\" }";
    let mqtt = ("connector = \"csv\"\n        file = \"phones.csv\"", "connector = \"mqtt\"");
    assert!(refused(BY_AREAS, broker, mqtt).contains("the broker would keep positions"));
}

#[test]
fn a_source_that_counts_persons_says_why_and_on_what_ground() {
    let text = settings(BY_AREAS, "");
    let from = text.find("[source.privacy]").unwrap();
    let to = text.find("[source.aggregate]").unwrap();
    let without = format!("{}{}", &text[..from], &text[to..]);
    let problems = CityFile::parse(&without, "city.toml").err().unwrap();
    assert!(problems[0].detail.contains("nothing says why"), "{problems:?}");
    assert!(refused(BY_AREAS, "", ("pseudonymous", "none")).contains("counts persons"));
    assert!(refused(BY_AREAS, "", ("controller = \"X\"", "controller = \" \"")).contains("nobody is named"));
    let review = ("controller = \"X\"", "controller = \"X\"\nreview_by = \"soon\"");
    assert!(refused(BY_AREAS, "", review).contains("is not a day"));
}

/// A server that answers every request with what is in `body` at that moment.
async fn serve(body: Arc<Mutex<String>>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = socket.read(&mut request).await;
            let text = body.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
            let _ = socket.write_all(format!("{head}{text}").as_bytes()).await;
        }
    });
    port
}

/// What a live source of phones starts with; the test moves its clock.
fn live(city: &CityFile, folder: &std::path::Path, now: Arc<AtomicI64>) -> Start {
    let client = ClientSettings { allow_http: true, allow_private: true, ..ClientSettings::default() };
    Start {
        config: Arc::new(city.source("phones").unwrap().clone()),
        folder: folder.to_owned(),
        clock: CityClock::live(move || Timestamp::from_micros(now.load(Ordering::SeqCst) * 1_000_000)),
        http: Client::new(client).unwrap(),
        keys: keys(),
        resume: None,
        occasion: Occasion::Serve,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_feed_is_told_by_the_clock_and_not_before_it_was_seen_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("areas.geojson"), areas()).unwrap();
    let start_s = Timestamp::parse("2026-08-21T09:01:00Z").unwrap().micros() / 1_000_000;
    let now = Arc::new(AtomicI64::new(start_s));
    let positions = |phones: u32, at: &str| {
        let one = |phone: u32| json!({ "phone": format!("secret-{phone}"), "at": at, "lon": 4.21234, "lat": 51.51234 });
        json!((0..phones).map(one).collect::<Vec<_>>()).to_string()
    };
    let body = Arc::new(Mutex::new(positions(40, "2026-08-21T09:01:00Z")));
    let port = serve(Arc::clone(&body)).await;
    let http =
        format!("connector = \"json_http\"\nurl = \"http://127.0.0.1:{port}/\"\njson_http = {{ interval_s = 1 }}");
    let text = settings(BY_AREAS, "").replace("connector = \"csv\"\n        file = \"phones.csv\"", &http);
    let city = CityFile::parse(&text, "city.toml").unwrap();
    let start_with = live(&city, folder.path(), Arc::clone(&now));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let _task = start(start_with, sender);
    let mut seen = vec![];
    let next = async |receiver: &mut tokio::sync::mpsc::Receiver<Delivery>| {
        tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.unwrap().unwrap()
    };
    // The period in which we started is refused: it was not seen from its beginning.
    let first = next(&mut receiver).await;
    assert_eq!((first.refused, first.incoming.len()), (40, 0));
    seen.push(first);
    *body.lock().unwrap() = positions(33, "2026-08-21T09:06:00Z");
    now.store(start_s + 300, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    // Nothing more comes; the clock alone ends the period, after its grace.
    *body.lock().unwrap() = "[]".to_owned();
    now.store(start_s + 540 + 20, Ordering::SeqCst);
    let quiet = tokio::time::timeout(Duration::from_millis(1_500), async {
        loop {
            let delivery = next(&mut receiver).await;
            if !delivery.incoming.is_empty() {
                return delivery;
            }
            seen.push(delivery);
        }
    });
    assert!(quiet.await.is_err(), "the grace is not over");
    now.store(start_s + 540 + 31, Ordering::SeqCst);
    let told = loop {
        let delivery = next(&mut receiver).await;
        if !delivery.incoming.is_empty() {
            break delivery;
        }
        seen.push(delivery);
    };
    let name = "https://uri.etsi.org/ngsi-ld/default-context/deviceCount";
    let counts: Vec<_> = told.incoming.iter().map(|one| one.entity.attribute(name).unwrap().number()).collect();
    assert_eq!(counts, [Some(30.0), None, Some(30.0)]);
    assert_eq!(
        told.incoming[0].entity.attribute(name).unwrap().observed_at.unwrap().to_string(),
        "2026-08-21T09:10:00Z"
    );
    seen.push(told);
    let everything = format!("{seen:?}");
    assert!(!everything.contains("secret") && !everything.contains("4.21234"), "{everything}");
    assert!(seen.iter().all(|delivery| delivery.position.is_none()), "no place in the feed is kept");
}
