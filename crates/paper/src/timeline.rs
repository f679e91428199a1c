//! What happened, in order: programme, alerts and decisions.

use model::Timestamp;
use support::crowd::Colour;

use crate::{
    Paper,
    sheet::{Ink, QUIET, Sheet, Style},
    table::{Cell, Column, table},
    words::{Words, ink, name_of},
};

/// The most rows: a longer list is for a screen.
const ROWS_MAX: usize = 400;

struct Happening {
    at: Timestamp,
    what: String,
    place: String,
    who: String,
    swatch: Option<Ink>,
}

/// The chapter.
pub fn chapter(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Verloop", "Course of events"));
    let mut all = programme(paper, words);
    all.extend(alerts(paper, words));
    all.extend(decisions(paper, words));
    all.sort_by_key(|happening| happening.at);
    if all.is_empty() {
        sheet.paragraph(&words.say("Er is niets gebeurd.", "Nothing happened."), Style::BODY);
        return;
    }
    let left_out = all.len().saturating_sub(ROWS_MAX);
    let columns = [
        Column::words(words.say("Tijd", "Time"), 0.9),
        Column::words(words.say("Wat", "What"), 3.4),
        Column::words(words.say("Waar", "Where"), 1.8),
        Column::words(words.say("Wie en waarom", "Who and why"), 2.6),
    ];
    let rows: Vec<Vec<Cell>> = all
        .into_iter()
        .take(ROWS_MAX)
        .map(|Happening { at, what, place, who, swatch }| {
            let what = Cell { text: what, swatch, bold: false };
            vec![words.time(at).into(), what, place.into(), who.into()]
        })
        .collect();
    table(sheet, &columns, &rows);
    if left_out > 0 {
        let text = words.say(
            &format!("De laatste {left_out} regels staan alleen op het scherm."),
            &format!("The last {left_out} rows are on the screen only."),
        );
        sheet.paragraph(&text, Style::NOTE);
    }
}

fn programme(paper: &Paper<'_>, words: &Words) -> Vec<Happening> {
    let mut all = vec![];
    for item in &paper.report.programme {
        let place = name_of(paper.plan, "area", &item.area);
        for (at, what) in [
            (item.from, words.say(&format!("{} begint", item.name), &format!("{} starts", item.name))),
            (item.until, words.say(&format!("{} is afgelopen", item.name), &format!("{} ends", item.name))),
        ] {
            all.push(Happening { at, what, place: place.clone(), who: String::new(), swatch: Some(QUIET) });
        }
    }
    all
}

fn alerts(paper: &Paper<'_>, words: &Words) -> Vec<Happening> {
    let mut all = vec![];
    for alert in &paper.report.alerts {
        let number = alert.id;
        for entry in &alert.log {
            let chance = alert.probability.map_or_else(String::new, |p| format!(" ({})", words.percent(p)));
            let what = match (entry.what.as_str(), &alert.probability) {
                ("raised", Some(_)) => words.say(
                    &format!("Melding {number}: rood verwacht binnen 30 minuten{chance}"),
                    &format!("Alert {number}: red expected within 30 minutes{chance}"),
                ),
                ("raised", None) => words.say(&format!("Melding {number}: rood"), &format!("Alert {number}: red")),
                ("arrived", _) => {
                    words.say(&format!("Melding {number}: rood is er"), &format!("Alert {number}: red is there"))
                }
                ("acknowledged", _) => {
                    words.say(&format!("Melding {number}: aangenomen"), &format!("Alert {number}: taken"))
                }
                ("escalated", _) => words.say(
                    &format!("Melding {number}: niemand reageerde op tijd"),
                    &format!("Alert {number}: nobody responded in time"),
                ),
                ("closed", _) => words.say(&format!("Melding {number}: gesloten"), &format!("Alert {number}: closed")),
                (other, _) => words.say(&format!("Melding {number}: {other}"), &format!("Alert {number}: {other}")),
            };
            let swatch = match entry.what.as_str() {
                "raised" if alert.probability.is_some() => ink(Colour::Amber),
                "raised" | "arrived" | "escalated" => ink(Colour::Red),
                _ => ink(Colour::Green),
            };
            let who = [entry.by.clone(), entry.reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
            all.push(Happening { at: entry.at, what, place: alert.area_name.clone(), who, swatch: Some(swatch) });
        }
    }
    all
}

fn decisions(paper: &Paper<'_>, words: &Words) -> Vec<Happening> {
    let all = paper.report.decisions.iter().map(|report| {
        let decision = &report.decision;
        let measure = words.measure(&decision.measure, paper.plan);
        let what =
            words.say(&format!("Besluit {}: {measure}", decision.id), &format!("Decision {}: {measure}", decision.id));
        let who = format!("{}: {}", decision.decided_by, decision.reason);
        Happening { at: decision.at, what, place: String::new(), who, swatch: Some(crate::sheet::ACCENT) }
    });
    all.collect()
}
