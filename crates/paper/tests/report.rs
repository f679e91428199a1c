//! A report on paper: what it says, page by page, and whether it is tagged as it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reader;

use control::{
    AlertRecord, Amount, AreaReport, ColourMinutes, DecisionRecord, DecisionReport, EventFacts, HorizonQuality,
    Measure, MeasureKind, Outcome, Peak, Plan, Point, ProgrammeEntry, Report, RunKind, RunRecord, RunState, events,
    outbox::Language,
    record::{AlertEntry, AlertStatus},
};
use jiff::tz::TimeZone;
use model::{Tenant, Timestamp};
use polder_paper::{Paper, report};
use reader::Pdf;
use serde_json::json;
use store::{Store, StoreOptions, Transaction};
use support::crowd::{Colour, Quantity};

fn at(minute: i64) -> Timestamp {
    Timestamp::parse("2026-08-21T16:00:00Z").unwrap().plus_micros(minute * 60_000_000)
}

fn facts() -> EventFacts {
    let notes = "De kade is smal bij de steiger.".to_owned();
    EventFacts { name: "Avond aan de Maas".into(), from: at(0), until: at(300), notes }
}

fn plan() -> Plan {
    let outline = |west: f64| json!({ "type": "Polygon", "coordinates": [[[west, 51.9], [west + 0.001, 51.9], [west + 0.001, 51.901], [west, 51.9]]] });
    let line = json!({ "type": "LineString", "coordinates": [[4.48, 51.91], [4.4801, 51.91]] });
    let area = |west: f64, name: &str, capacity: f64| json!({ "name": name, "outline": outline(west), "surfaceM2": 1_200.0, "capacityPersons": capacity });
    let parts = vec![
        ("area".into(), "kade".into(), area(4.48, "Boompjeskade", 2_000.0)),
        ("area".into(), "plein".into(), area(4.49, "Willemsplein", 1_500.0)),
        ("area".into(), "brug".into(), area(4.50, "Erasmusbrug", 900.0)),
        ("gate".into(), "noord".into(), json!({ "name": "Poort noord", "line": line, "widthM": 4.0, "to": "kade" })),
    ];
    let (store, tenant) = (Store::in_memory(&StoreOptions::default()).unwrap(), Tenant::default());
    let mut tx = Transaction::new(tenant.clone());
    events::add_whole(&mut tx, "avond", facts(), parts, ("anna", at(0))).unwrap();
    store.commit_blocking(tx).unwrap();
    events::plan(&store.snapshot().unwrap(), &tenant, "avond").unwrap()
}

fn colour(share: f64) -> Colour {
    match share {
        share if share >= 0.95 => Colour::Red,
        share if share >= 0.8 => Colour::Amber,
        _ => Colour::Green,
    }
}

/// An area that fills until its peak and empties; `hidden` minutes have no number.
fn area(
    key: &str,
    name: &str,
    (capacity, most): (f64, f64),
    hidden: std::ops::Range<i64>,
    unknown: bool,
) -> AreaReport {
    let mut minutes = ColourMinutes::default();
    let mut peak: Option<Peak> = None;
    let points = (0..300).map(|minute| {
        let persons = (most * (-((minute as f64 - 190.0) / 75.0).powi(2)).exp() / 10.0).round() * 10.0;
        let is_hidden = hidden.contains(&minute) || persons < 10.0;
        let colour = if is_hidden && unknown { Colour::Unknown } else { colour(persons / capacity) };
        *match colour {
            Colour::Green => &mut minutes.green,
            Colour::Amber => &mut minutes.amber,
            Colour::Red => &mut minutes.red,
            Colour::Unknown => &mut minutes.unknown,
        } += 1;
        let told = (!is_hidden).then_some(Amount { value: persons, sd: 8.0 + persons * 0.05 });
        if let Some(told) = told
            && peak.is_none_or(|peak| told.value > peak.persons)
        {
            peak = Some(Peak { at: at(minute), persons: told.value, density_m2: Some(told.value / 1_200.0) });
        }
        Point { at: at(minute), persons: told.map(|told| told.value), sd: told.map(|told| told.sd), colour }
    });
    let points = points.collect();
    AreaReport { key: key.into(), name: name.into(), capacity_persons: capacity, peak, minutes, points }
}

fn entry(minute: i64, what: &str, by: Option<&str>, reason: Option<&str>) -> AlertEntry {
    AlertEntry { at: at(minute), what: what.into(), by: by.map(str::to_owned), reason: reason.map(str::to_owned) }
}

fn alert() -> AlertRecord {
    AlertRecord {
        event: "avond".into(),
        run: "3".into(),
        id: 1,
        area: "kade".into(),
        area_name: "Boompjeskade".into(),
        status: AlertStatus::Closed,
        is_now: true,
        raised_at: at(140),
        because: Some(Quantity::OccupancyShare),
        threshold: Some(0.95),
        probability: Some(0.618),
        acknowledged_by: Some("anna".into()),
        escalations: 1,
        log: vec![
            entry(140, "raised", None, None),
            entry(145, "escalated", None, None),
            entry(147, "acknowledged", Some("anna"), None),
            entry(158, "arrived", None, None),
            entry(230, "closed", Some("bram"), Some("De kade stroomt leeg.")),
        ],
    }
}

fn decision() -> DecisionReport {
    let measure = Measure {
        kind: MeasureKind::Dose,
        gate: Some("noord".into()),
        to_gate: None,
        area: None,
        per_min: Some(40.0),
        share: None,
        later_min: None,
        from: at(150),
        until: Some(at(210)),
    };
    let outcome = [(15, 1_700.0, 1_600.0, 1_640.0), (30, 1_950.0, 1_750.0, 1_720.0), (60, 2_050.0, 1_800.0, 1_890.0)];
    let outcome = outcome.map(|(in_min, without, with, actual)| Outcome {
        area: "kade".into(),
        in_min,
        without: Some(without),
        with: Some(with),
        actual: Some(actual),
    });
    let decision = DecisionRecord {
        event: "avond".into(),
        run: "3".into(),
        id: 1,
        measure,
        reason: "De steiger mag niet voller worden dan hij nu is.".into(),
        decided_by: "anna".into(),
        at: at(149),
        expected: vec![],
    };
    DecisionReport { decision, outcome: outcome.to_vec() }
}

fn looked_back(simulated: bool) -> Report {
    let run = RunRecord {
        event: "avond".into(),
        id: "3".into(),
        kind: if simulated { RunKind::Rehearsal } else { RunKind::Live },
        simulated,
        state: RunState::Ended,
        speed: if simulated { 60.0 } else { 1.0 },
        seed: simulated.then_some(7),
        at: at(300),
        from: Some(at(0)),
        began_empty: true,
        gaps: vec![],
        started_at: at(0),
        started_by: "anna".into(),
        ended_at: Some(at(300)),
        ended_by: None,
    };
    let quality = [(15, 90.0, 0.78, 0.021), (30, 140.0, 0.71, 0.044), (60, 260.0, 0.55, 0.09)];
    let programme = |name: &str, from: i64, until: i64| ProgrammeEntry {
        name: name.into(),
        area: "kade".into(),
        from: at(from),
        until: at(until),
    };
    Report {
        event: "avond".into(),
        facts: facts(),
        run,
        areas: vec![
            area("brug", "Erasmusbrug", (900.0, 640.0), 120..150, true),
            area("kade", "Boompjeskade", (2_000.0, 2_060.0), 0..0, false),
            area("plein", "Willemsplein", (1_500.0, 4.0), 0..0, false),
        ],
        programme: vec![programme("Optreden op de pier", 100, 170), programme("Vuurwerk", 200, 225)],
        alerts: vec![alert()],
        decisions: vec![decision()],
        quality: quality
            .map(|(in_min, error, coverage, brier)| HorizonQuality {
                in_min,
                judged: 640,
                mean_error_persons: Some(error),
                coverage: Some(coverage),
                brier_red: Some(brier),
            })
            .to_vec(),
    }
}

fn on_paper(simulated: bool, language: Language) -> Vec<u8> {
    let (report_of, plan) = (looked_back(simulated), plan());
    let zone = TimeZone::fixed(jiff::tz::offset(2));
    let paper = Paper { report: &report_of, plan: &plan, zone, language, made_at: at(320) };
    let bytes = report(&paper).unwrap();
    // To be looked at: the build keeps it in its own folder.
    let name = format!("{}/report-{simulated}-{language:?}.pdf", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(name, &bytes).unwrap();
    bytes
}

#[test]
fn the_report_of_a_rehearsal_says_on_each_page_that_it_is_simulated_and_which_page_it_is() {
    let bytes = on_paper(true, Language::Nl);
    let pages = Pdf::read(&bytes).pages();
    assert!(pages.len() >= 4, "{}", pages.len());
    for (number, page) in pages.iter().enumerate() {
        assert!(page.contains("GESIMULEERD"), "page {}: {page}", number + 1);
        assert!(page.contains(&format!("Pagina {} van {}", number + 1, pages.len())), "{page}");
    }
    let english = Pdf::read(&on_paper(true, Language::En)).pages();
    assert!(english.iter().all(|page| page.contains("SIMULATED (GESIMULEERD)")));
    let live = Pdf::read(&on_paper(false, Language::Nl)).pages();
    assert!(live.iter().all(|page| !page.contains("GESIMULEERD") && !page.contains("gesimuleerde")), "{live:?}");
}

#[test]
fn it_tells_what_happened_what_was_decided_and_what_came_of_it() {
    let text = Pdf::read(&on_paper(true, Language::Nl)).pages().join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Avond aan de Maas",
        "21 augustus 2026, 18:00",
        "Optreden op de pier begint",
        "Melding 1: rood verwacht binnen 30 minuten (62 %)",
        "bram: De kade stroomt leeg.",
        "Doseren: Poort noord, 40 per minuut",
        "De steiger mag niet voller worden dan hij nu is.",
        "1.750",
        "Hoe goed was de verwachting?",
        "71 %",
        "Bronnen en grenzen",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let english = Pdf::read(&on_paper(true, Language::En)).pages().join(" ");
    for part in ["Course of events", "Dose: Poort noord, 40 a minute", "2,060", "Sources and limits"] {
        assert!(english.contains(part), "{part} is not in: {english}");
    }
}

#[test]
fn what_is_suppressed_stays_suppressed() {
    let text = Pdf::read(&on_paper(true, Language::Nl)).pages().join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Er is geen aantal dat genoemd mag of kan worden (capaciteit 1.500)."), "{text}");
    assert!(text.contains("Willemsplein 1.500 \u{2013} \u{2013} \u{2013}"), "{text}");
}

#[test]
fn it_is_tagged_for_who_cannot_see_it_with_its_language_title_and_texts_of_charts() {
    let bytes = on_paper(true, Language::Nl);
    let pdf = Pdf::read(&bytes);
    for part in ["/Lang(nl-NL)", "/MarkInfo", "/Marked true", "/StructTreeRoot", "/DisplayDocTitle true", "/FontFile2"]
    {
        assert!(pdf.objects_hold(part), "{part} is missing");
    }
    for kind in ["/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/L", "/LBody", "/Figure"] {
        assert!(pdf.count_structures(kind) > 0, "nothing is tagged {kind}");
    }
    assert_eq!(pdf.count_structures("/Figure"), 3);
    let xmp = pdf.metadata();
    assert!(xmp.contains("pdfuaid:part>1<") && xmp.contains("Verslag: Avond aan de Maas"), "{xmp}");
    assert!(xmp.contains("pdfaid:part>2<"), "{xmp}");
}
