//! The opening: what it is about, the facts, and in short what happened.

use control::{AreaReport, RunKind, RunState};
use support::crowd::Colour;

use crate::{
    Paper,
    sheet::{ACCENT, LEFT, Mark, QUIET, Sheet, Style, WIDTH},
    table::{Cell, Column, table},
    words::{Words, ink},
};

/// The first page.
pub fn opening(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    let report = paper.report;
    sheet.y += 26.0;
    let y = sheet.y;
    sheet.put(None, Mark::block((LEFT, y), (56.0, 4.0), ACCENT));
    sheet.y += 14.0;
    let kind = match report.run.kind {
        RunKind::Rehearsal => words.say("Verslag van een oefening", "Report of a rehearsal"),
        RunKind::Live => words.say("Verslag van een evenement", "Report of an event"),
    };
    sheet.paragraph(&kind, Style { size: 11.0, ink: QUIET, ..Style::BODY });
    sheet.heading(1, &report.facts.name);
    let period = format!("{} \u{2013} {}", words.day_time(report.facts.from), words.day_time(report.facts.until));
    sheet.paragraph(&period, Style { size: 11.0, ..Style::BODY });
    if report.run.simulated {
        simulated(sheet, words);
    }
    in_short(sheet, paper, words);
    facts(sheet, paper, words);
}

/// The label, in the text too: what stands at the top of each page is not read aloud.
fn simulated(sheet: &mut Sheet, words: &Words) {
    sheet.y += 8.0;
    let y = sheet.y;
    sheet.put(None, Mark::block((LEFT, y), (WIDTH, 40.0), 0xff_f3_d6));
    sheet.put(None, Mark::block((LEFT, y), (4.0, 40.0), ink(Colour::Amber)));
    sheet.y += 6.0;
    let style = Style { indent: 14.0, ..Style::BODY };
    sheet.paragraph(&words.say("GESIMULEERD", "SIMULATED (GESIMULEERD)"), Style { bold: true, ..style });
    sheet.y -= 4.0;
    let text = words.say(
        "Dit was een oefening. De bezoekers bestaan niet; hun aantallen zijn berekend uit het programma.",
        "This was an exercise. The visitors do not exist; their numbers were computed from the programme.",
    );
    sheet.paragraph(&text, style);
    sheet.y = y + 46.0;
}

fn in_short(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    let report = paper.report;
    sheet.heading(2, &words.say("In het kort", "In short"));
    let mut lines = vec![];
    let peaks = report.areas.iter().filter_map(|area| Some((area, area.peak?)));
    if let Some((area, peak)) = peaks.max_by(|a, b| a.1.persons.total_cmp(&b.1.persons)) {
        let (persons, at) = (words.number(peak.persons), words.time(peak.at));
        lines.push(words.say(
            &format!(
                "De meeste mensen waren er om {at} in {}: {persons}, bij een capaciteit van {}.",
                area.name,
                words.number(area.capacity_persons)
            ),
            &format!(
                "Most people were there at {at} in {}: {persons}, where the capacity is {}.",
                area.name,
                words.number(area.capacity_persons)
            ),
        ));
    }
    for area in report.areas.iter().filter(|area| area.minutes.red > 0) {
        let minutes = words.number(f64::from(area.minutes.red));
        lines.push(words.say(
            &format!("{} was {minutes} minuten rood.", area.name),
            &format!("{} was red for {minutes} minutes.", area.name),
        ));
    }
    if report.areas.iter().all(|area| area.minutes.red == 0) {
        lines.push(words.say("Geen enkel gebied werd rood.", "No area became red."));
    }
    lines.extend(report.areas.iter().filter(|area| area.minutes.unknown > 0).map(|area| not_known(area, words)));
    lines.extend(report.run.gaps.iter().map(|gap| {
        let (from, until) = (words.time(gap.from), words.time(gap.until));
        words.say(
            &format!("Tussen {from} en {until} keek niemand mee: het systeem stond stil."),
            &format!("Between {from} and {until} nobody watched: the system stood still."),
        )
    }));
    let (alerts, decisions) = (report.alerts.len(), report.decisions.len());
    lines.push(match alerts {
        0 => words.say("Er waren geen meldingen.", "There were no alerts."),
        1 => words.say("Er was één melding.", "There was one alert."),
        _ => words.say(&format!("Er waren {alerts} meldingen."), &format!("There were {alerts} alerts.")),
    });
    lines.push(match decisions {
        0 => words.say("Er is geen maatregel genomen.", "No measure was taken."),
        1 => words.say("Er is één maatregel genomen.", "One measure was taken."),
        _ => words
            .say(&format!("Er zijn {decisions} maatregelen genomen."), &format!("{decisions} measures were taken.")),
    });
    sheet.bullets(&lines);
}

fn not_known(area: &AreaReport, words: &Words) -> String {
    let minutes = words.number(f64::from(area.minutes.unknown));
    words.say(
        &format!("Van {} was {minutes} minuten niet bekend hoe druk het was.", area.name),
        &format!("How crowded {} was, is not known for {minutes} minutes.", area.name),
    )
}

fn facts(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    let (facts, run) = (&paper.report.facts, &paper.report.run);
    sheet.heading(2, &words.say("Gegevens", "Facts"));
    let mut rows: Vec<(String, String)> = vec![
        (words.say("Evenement", "Event"), facts.name.clone()),
        (words.say("Van", "From"), words.day_time(facts.from)),
        (words.say("Tot", "Until"), words.day_time(facts.until)),
        (
            words.say("Soort", "Kind"),
            match run.kind {
                RunKind::Rehearsal => {
                    words.say("oefening met gesimuleerde bezoekers", "rehearsal with simulated visitors")
                }
                RunKind::Live => words.say("live, met de tellers in de stad", "live, with the counters in the city"),
            },
        ),
        (words.say("Nummer van de keer", "Number of the run"), run.id.clone()),
        (words.say("Gestart", "Started"), format!("{} ({})", words.day_time(run.started_at), run.started_by)),
        (words.say("Verslag loopt tot", "Report goes up to"), words.day_time(run.at)),
    ];
    if let Some(ended) = run.ended_at {
        let by = run.ended_by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
        rows.push((words.say("Geëindigd", "Ended"), format!("{}{by}", words.day_time(ended))));
    } else if run.state != RunState::Ended {
        rows.push((words.say("Toestand", "State"), words.say("nog niet afgelopen", "not over yet")));
    }
    if let Some(seed) = run.seed {
        let speed = words.number(run.speed);
        rows.push((words.say("Startgetal en snelheid", "Seed and speed"), format!("{seed}, {speed} x")));
    }
    let columns = [Column::words(words.say("Wat", "What"), 1.0), Column::words(words.say("Gegeven", "Fact"), 2.6)];
    let rows: Vec<Vec<Cell>> = rows
        .into_iter()
        .map(|(what, value)| vec![Cell { text: what, swatch: None, bold: true }, value.into()])
        .collect();
    table(sheet, &columns, &rows);
    if !facts.notes.trim().is_empty() {
        sheet.heading(3, &words.say("Aantekeningen", "Notes"));
        for line in facts.notes.lines().filter(|line| !line.trim().is_empty()) {
            sheet.paragraph(line, Style::BODY);
        }
    }
}
