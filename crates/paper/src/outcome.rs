//! What was done and what it brought: alerts, measures, the quality of the forecast, and how far all of it goes.

use control::{AlertRecord, DecisionReport, RunKind};

use crate::{
    Paper,
    sheet::{Sheet, Style},
    table::{Cell, Column, table},
    words::{Words, name_of},
};

/// The chapters.
pub fn chapters(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    alerts(sheet, paper, words);
    measures(sheet, paper, words);
    quality(sheet, paper, words);
    limits(sheet, paper, words);
}

fn alerts(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Meldingen", "Alerts"));
    if paper.report.alerts.is_empty() {
        sheet.paragraph(&words.say("Er waren geen meldingen.", "There were no alerts."), Style::BODY);
        return;
    }
    let columns = [
        Column::words(words.say("Nr.", "No."), 0.5),
        Column::words(words.say("Gebied", "Area"), 1.6),
        Column::words(words.say("Gemeld", "Raised"), 0.9),
        Column::words(words.say("Wat", "What"), 2.2),
        Column::words(words.say("Aangenomen", "Taken"), 2.0),
        Column::numbers(words.say("Niemand op tijd", "Nobody in time"), 1.0),
        Column::words(words.say("Gesloten", "Closed"), 1.9),
    ];
    let rows: Vec<Vec<Cell>> = paper.report.alerts.iter().map(|alert| alert_row(alert, words)).collect();
    table(sheet, &columns, &rows);
}

fn alert_row(alert: &AlertRecord, words: &Words) -> Vec<Cell> {
    let entry = |what: &str| alert.log.iter().find(|entry| entry.what == what);
    let why = alert.because.map_or_else(String::new, |because| format!(": {}", words.because(because)));
    let what = match alert.probability {
        Some(probability) => {
            let chance = words.percent(probability);
            words
                .say(&format!("rood verwacht, kans {chance}{why}"), &format!("red expected, probability {chance}{why}"))
        }
        None => words.say(&format!("rood{why}"), &format!("red{why}")),
    };
    let arrived = entry("arrived").map_or_else(String::new, |entry| {
        let at = words.time(entry.at);
        words.say(&format!("; er om {at}"), &format!("; there at {at}"))
    });
    let by = |what: &str| {
        entry(what).map_or_else(
            || words.say("nee", "no"),
            |entry| {
                let who = entry.by.clone().unwrap_or_else(|| words.say("vanzelf", "by itself"));
                let after = words.number((entry.at.seconds_since(alert.raised_at) / 60.0).round());
                words.say(&format!("{who}, na {after} min"), &format!("{who}, after {after} min"))
            },
        )
    };
    vec![
        format!("M{}", alert.id).into(),
        alert.area_name.clone().into(),
        words.time(alert.raised_at).into(),
        format!("{what}{arrived}").into(),
        by("acknowledged").into(),
        alert.escalations.to_string().into(),
        by("closed").into(),
    ]
}

fn measures(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Maatregelen en wat ze brachten", "Measures and what they brought"));
    if paper.report.decisions.is_empty() {
        sheet.paragraph(&words.say("Er is geen maatregel genomen.", "No measure was taken."), Style::BODY);
        return;
    }
    for report in &paper.report.decisions {
        measure(sheet, paper, words, report);
    }
}

fn measure(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words, report: &DecisionReport) {
    let decision = &report.decision;
    sheet.heading(3, &format!("B{}. {}", decision.id, words.measure(&decision.measure, paper.plan)));
    let (at, from) = (words.time(decision.at), words.time(decision.measure.from));
    let until = decision.measure.until.map(|until| words.time(until));
    let period = match &until {
        Some(until) => words.say(&format!("van {from} tot {until}"), &format!("from {from} until {until}")),
        None => words.say(&format!("vanaf {from}"), &format!("from {from}")),
    };
    let text = words.say(
        &format!("Besloten om {at} door {}, {period}. Reden: {}", decision.decided_by, decision.reason),
        &format!("Decided at {at} by {}, {period}. Reason: {}", decision.decided_by, decision.reason),
    );
    sheet.paragraph(&text, Style::BODY);
    let told: Vec<_> = report
        .outcome
        .iter()
        .filter(|one| one.without.is_some() || one.with.is_some() || one.actual.is_some())
        .collect();
    if told.is_empty() {
        let text = words.say("Er zijn geen aantallen om te vergelijken.", "There are no numbers to compare.");
        sheet.paragraph(&text, Style::NOTE);
        return;
    }
    let columns = [
        Column::words(words.say("Gebied", "Area"), 2.0),
        Column::numbers(words.say("Na (min)", "After (min)"), 1.0),
        Column::numbers(words.say("Verwacht zonder", "Expected without"), 1.4),
        Column::numbers(words.say("Verwacht met", "Expected with"), 1.4),
        Column::numbers(words.say("Gekomen", "Came"), 1.2),
        Column::numbers(words.say("Verschil met verwacht", "Difference"), 1.4),
    ];
    let rows: Vec<Vec<Cell>> = told
        .into_iter()
        .map(|one| {
            let difference = one.actual.zip(one.with).map(|(actual, with)| {
                let sign = if actual > with { "+" } else { "" };
                format!("{sign}{}", words.number(actual - with))
            });
            vec![
                name_of(paper.plan, "area", &one.area).into(),
                one.in_min.to_string().into(),
                words.persons(one.without).into(),
                words.persons(one.with).into(),
                words.persons(one.actual).into(),
                difference.unwrap_or_else(|| "\u{2013}".to_owned()).into(),
            ]
        })
        .collect();
    table(sheet, &columns, &rows);
}

fn quality(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Hoe goed was de verwachting?", "How good was the forecast?"));
    if paper.report.quality.iter().all(|one| one.judged == 0) {
        let text = words.say(
            "Er zijn te weinig verwachtingen om iets over te zeggen.",
            "There are too few predictions to say anything about.",
        );
        sheet.paragraph(&text, Style::BODY);
        return;
    }
    let text = words.say(
        "Elke minuut is voorspeld hoeveel mensen er later zouden zijn. Hier staat hoe ver dat ernaast lag, hoe vaak het \
         echte aantal binnen de band lag (80 % is goed), en de fout in de kans op rood (Brier: 0 is perfect, 0,25 is gokken).",
        "Each minute it was predicted how many people there would be later. Here is how far off that was, how often the \
         real number lay inside the band (80% is right), and the error of the probability of red (Brier: 0 is perfect, \
         0.25 is guessing).",
    );
    sheet.paragraph(&text, Style::BODY);
    let columns = [
        Column::words(words.say("Vooruit", "Ahead"), 1.2),
        Column::numbers(words.say("Aantal keer", "Number"), 1.0),
        Column::numbers(words.say("Gemiddeld ernaast (mensen)", "Mean error (persons)"), 1.6),
        Column::numbers(words.say("Binnen de band", "Inside the band"), 1.2),
        Column::numbers(words.say("Fout in kans op rood", "Brier score of red"), 1.4),
    ];
    let dash = || "\u{2013}".to_owned();
    let rows: Vec<Vec<Cell>> = paper
        .report
        .quality
        .iter()
        .map(|one| {
            vec![
                words.say(&format!("{} minuten", one.in_min), &format!("{} minutes", one.in_min)).into(),
                words.number(f64::from(one.judged)).into(),
                one.mean_error_persons.map_or_else(dash, |error| words.number(error)).into(),
                one.coverage.map_or_else(dash, |coverage| words.percent(coverage)).into(),
                one.brier_red.map_or_else(dash, |brier| words.decimal(brier, 3)).into(),
            ]
        })
        .collect();
    table(sheet, &columns, &rows);
}

fn limits(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Bronnen en grenzen", "Sources and limits"));
    let run = &paper.report.run;
    let source = match run.kind {
        RunKind::Rehearsal => words.say(
            "De bezoekers zijn gesimuleerd. Ze komen voor het programma en gaan door de poorten zo snel als de breedte \
             toelaat. Tellers tellen 3 % van hen niet. Uit deze cijfers volgt niets over echte bezoekers.",
            "The visitors are simulated. They come for the programme and pass the gates as fast as the width allows. \
             Counters miss 3% of them. Nothing about real visitors follows from these figures.",
        ),
        RunKind::Live => words.say(
            "De aantallen zijn berekend uit tellers bij de poorten die het plan noemt. Er zijn alleen aantallen gebruikt, \
             geen beelden en geen gegevens van personen.",
            "The numbers were computed from counters at the gates that the plan names. Only counts were used, no images \
             and no data on persons.",
        ),
    };
    let lines = [
        source,
        words.say(
            "Hoeveel mensen er zijn, is een schatting: wie binnenkwam min wie wegging, met correctie voor tellers die \
             afwijken. De band zegt hoe zeker dat is.",
            "How many people there are is an estimate: who came in minus who went out, corrected for counters that \
             drift. The band says how sure that is.",
        ),
        words.say(
            "Aantallen zijn afgerond op tientallen. Aantallen onder de tien, en alles waaruit die zijn af te leiden, staan er niet in.",
            "Numbers are rounded to tens. Numbers below ten, and all from which they could be derived, are left out.",
        ),
        words.say(
            "Zwijgt een poort langer dan tien minuten, dan is onbekend hoeveel mensen daar gaan. Is de schatting van een gebied \
             onzekerder dan een vijfde van wat erin past, dan is het gebied onbekend. Onbekend is nooit leeg en nooit groen.",
            "When a gate is silent for longer than ten minutes, its flow is unknown. When the estimate of an area is less \
             sure than a fifth of its capacity, the area is unknown. Unknown is never empty and never green.",
        ),
        words.say(
            "De grenzen voor oranje en rood staan in het plan of volgen uit de literatuur (Fruin 1971, Still 2014). Ze \
             vervangen het oordeel van mensen ter plaatse niet.",
            "The thresholds of amber and red are in the plan or come from the literature (Fruin 1971, Still 2014). They \
             do not replace the judgement of people on the spot.",
        ),
        words.say(
            "Het systeem nam geen besluiten. Elk besluit is van een persoon met naam en reden.",
            "The system took no decisions. Each decision is of a person, with name and reason.",
        ),
    ];
    sheet.bullets(&lines);
}
