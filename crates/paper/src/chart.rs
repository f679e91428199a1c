//! A chart of each area: how many people, how sure that is, the thresholds, the programme, and what was raised and
//! decided; below it the colours of the minutes. The figures are in a table at the end.

use control::{AreaReport, Point};
use krilla::tagging::Tag;
use model::Timestamp;
use support::crowd::{Area, Colour};

use crate::{
    Paper,
    sheet::{ACCENT, INK, Ink, LEFT, Mark, QUIET, RULE, SOFT, Sheet, Style, WIDTH},
    table::{Cell, Column, table},
    words::{Words, ink},
};

/// The drawing without what is around it, points.
const HEIGHT: f32 = 132.0;
/// Room for the numbers at the left.
const GUTTER: f32 = 36.0;
/// The band in which eight of ten lie.
const BAND_SD: f64 = 1.28;
/// A point holds until the next one: so many times their usual distance at most, and at least so long. What is further
/// apart is a gap.
const HOLDS_STEPS: f64 = 2.0;
const HOLDS_LEAST_S: f64 = 120.0;
/// The longest step between rows of the table of figures has at most so many rows.
const ROWS_MAX: i64 = 26;
/// How many areas one table of figures shows.
const AREAS_EACH: usize = 5;

/// The chapter.
pub fn chapter(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Drukte per gebied", "Crowding by area"));
    let report = paper.report;
    if report.areas.iter().all(|area| area.points.is_empty()) {
        sheet.paragraph(&words.say("Er zijn geen cijfers.", "There are no figures."), Style::BODY);
        return;
    }
    sheet.paragraph(&legend(words), Style::NOTE);
    let (site, _) = control::site_of(paper.plan);
    for area in &report.areas {
        sheet.heading(3, &area.name);
        sheet.paragraph(&said(area, words), Style::BODY);
        let lines = site.areas.iter().find(|known| known.id == area.key).map(lines).unwrap_or_default();
        figure(sheet, paper, words, (area, &lines));
    }
    peaks(sheet, paper, words);
}

fn legend(words: &Words) -> String {
    words.say(
        "De lijn is het aantal mensen, de band eromheen waar het in acht van de tien keer ligt. De stippellijnen zijn de \
         grenzen voor oranje en rood. Waar de lijn ontbreekt, is het aantal niet bekend of zijn er te weinig mensen om het \
         te noemen. Lichte balken zijn het programma. M is een melding, B een besluit. De strook eronder is de kleur: G \
         groen, O oranje, R rood, ? onbekend.",
        "The line is the number of people, the band around it is where it lies in eight of ten cases. The dashed lines are \
         the thresholds of amber and red. Where there is no line, the number is not known, or there are too few people to \
         tell it. Light bars are the programme. M is an alert, B a decision. The strip below is the colour: G green, A \
         amber, R red, ? unknown.",
    )
}

fn said(area: &AreaReport, words: &Words) -> String {
    let minutes = |count: u32| words.number(f64::from(count));
    let colours = words.say(
        &format!(
            "{} minuten groen, {} oranje, {} rood, {} onbekend.",
            minutes(area.minutes.green),
            minutes(area.minutes.amber),
            minutes(area.minutes.red),
            minutes(area.minutes.unknown)
        ),
        &format!(
            "{} minutes green, {} amber, {} red, {} unknown.",
            minutes(area.minutes.green),
            minutes(area.minutes.amber),
            minutes(area.minutes.red),
            minutes(area.minutes.unknown)
        ),
    );
    let capacity = words.number(area.capacity_persons);
    match area.peak {
        Some(peak) => {
            let (persons, at) = (words.number(peak.persons), words.time(peak.at));
            let peak = words.say(
                &format!("Het drukst om {at}: {persons} mensen (capaciteit {capacity})."),
                &format!("Busiest at {at}: {persons} people (capacity {capacity})."),
            );
            format!("{peak} {colours}")
        }
        None => words.say(
            &format!("Er is geen aantal dat genoemd mag of kan worden (capaciteit {capacity}). {colours}"),
            &format!("There is no number that may or can be told (capacity {capacity}). {colours}"),
        ),
    }
}

/// From how many persons it is amber and red: the lowest of its thresholds.
fn lines(area: &Area) -> Vec<(Colour, f64)> {
    let limits = [
        area.thresholds.density_m2.map(|limit| (limit.amber * area.surface_m2, limit.red * area.surface_m2)),
        area.thresholds
            .occupancy_share
            .map(|limit| (limit.amber * area.capacity_persons, limit.red * area.capacity_persons)),
    ];
    let lowest = limits.into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)));
    lowest.map(|(amber, red)| vec![(Colour::Amber, amber), (Colour::Red, red)]).unwrap_or_default()
}

/// Where moments and numbers are in a drawing.
struct Frame {
    from: Timestamp,
    length_s: f64,
    most: f64,
    top: f32,
}

impl Frame {
    fn x(&self, at: Timestamp) -> f32 {
        let share = (at.seconds_since(self.from) / self.length_s).clamp(0.0, 1.0) as f32;
        LEFT + GUTTER + share * (WIDTH - GUTTER)
    }

    fn y(&self, persons: f64) -> f32 {
        self.top + HEIGHT - (persons / self.most).clamp(0.0, 1.0) as f32 * HEIGHT
    }
}

fn frame(paper: &Paper<'_>, area: &AreaReport, lines: &[(Colour, f64)], top: f32) -> Frame {
    let moments = || paper.report.areas.iter().flat_map(|area| area.points.iter().map(|point| point.at));
    let from = moments().min().unwrap_or(paper.report.facts.from);
    let until = moments().max().unwrap_or(paper.report.facts.until);
    let high = area.points.iter().filter_map(|point| Some(point.persons? + BAND_SD * point.sd.unwrap_or(0.0)));
    let most = lines.iter().map(|line| line.1).chain(high).fold(area.capacity_persons, f64::max);
    let step = step(most);
    Frame { from, length_s: until.seconds_since(from).max(60.0), most: (most / step).ceil() * step, top }
}

/// A round step with at most five of them up to a number.
fn step(most: f64) -> f64 {
    let rough = (most / 5.0).max(1.0);
    let ten = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|part| part * ten).find(|step| *step >= rough).unwrap_or(rough)
}

fn figure(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words, (area, lines): (&AreaReport, &[(Colour, f64)])) {
    sheet.need(HEIGHT + 64.0);
    let alt = words.say(
        &format!(
            "Grafiek van {}. {} De cijfers staan in de tabel met aantallen door de tijd.",
            area.name,
            said(area, words)
        ),
        &format!("Chart of {}. {} The figures are in the table of numbers over time.", area.name, said(area, words)),
    );
    sheet.open(Tag::Figure(Some(alt)));
    let slot = sheet.slot();
    let frame = frame(paper, area, lines, sheet.y + 22.0);
    let mut marks = programme(&frame, paper, sheet, area);
    marks.extend(axes(&frame, words, sheet));
    marks.extend(limits(&frame, lines, words, sheet));
    marks.extend(runs(&frame, &area.points));
    marks.extend(events(&frame, paper, sheet, area));
    marks.extend(strip(&frame, &area.points, words, sheet));
    for mark in marks {
        sheet.put(Some(slot), mark);
    }
    sheet.close();
    sheet.y = frame.top + HEIGHT + 40.0;
}

fn label(text: String, (x, y): (f32, f32), ink: Ink, bold: bool) -> Mark {
    Mark::Text { x, y, size: 7.0, bold, ink, text }
}

fn axes(frame: &Frame, words: &Words, sheet: &Sheet) -> Vec<Mark> {
    let mut marks = vec![];
    let step = step(frame.most);
    let mut value = 0.0;
    while value <= frame.most + step / 2.0 {
        let y = frame.y(value);
        marks.push(Mark::rule((LEFT + GUTTER, y), (LEFT + WIDTH, y), RULE));
        let text = words.number(value);
        let wide = sheet.faces.regular.width(&text, 7.0);
        marks.push(label(text, (LEFT + GUTTER - 5.0 - wide, y + 2.5), QUIET, false));
        value += step;
    }
    for at in ticks(frame.from, frame.length_s, 8) {
        let (x, y) = (frame.x(at), frame.top + HEIGHT);
        marks.push(Mark::rule((x, y), (x, y + 3.0), QUIET));
        let text = words.time(at);
        let wide = sheet.faces.regular.width(&text, 7.0);
        let x = (x - wide / 2.0).clamp(LEFT + GUTTER - 8.0, LEFT + WIDTH - wide);
        marks.push(label(text, (x, y + 28.0), QUIET, false));
    }
    marks
}

/// Whole hours or parts of them, at most `most` apart over a length.
fn ticks(from: Timestamp, length_s: f64, most: i64) -> Vec<Timestamp> {
    const STEPS_MIN: [i64; 11] = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 10_080];
    let length_min = (length_s / 60.0) as i64;
    let step = STEPS_MIN.into_iter().find(|step| length_min / step <= most).unwrap_or(10_080) * 60_000_000;
    let end = from.micros() + length_min * 60_000_000;
    let first = from.micros().div_euclid(step) * step;
    let first = if first < from.micros() { first + step } else { first };
    (0..=most).map(|number| first + number * step).take_while(|at| *at <= end).map(Timestamp::from_micros).collect()
}

fn limits(frame: &Frame, lines: &[(Colour, f64)], words: &Words, sheet: &Sheet) -> Vec<Mark> {
    let mut marks = vec![];
    for (colour, persons) in lines {
        let y = frame.y(*persons);
        let points = vec![(LEFT + GUTTER, y), (LEFT + WIDTH, y)];
        marks.push(Mark::Line { points, width: 1.1, ink: ink(*colour), dashed: true });
        let text = format!("{} {}", words.colour(*colour), words.number(*persons));
        let wide = sheet.faces.bold.width(&text, 7.0);
        let ink = if *colour == Colour::Red { ink(Colour::Red) } else { INK };
        marks.push(label(text, (LEFT + WIDTH - wide, y - 2.5), ink, true));
    }
    marks
}

/// How long a point holds, s.
fn holds_s(points: &[Point]) -> f64 {
    let apart = points.windows(2).map(|two| two[1].at.seconds_since(two[0].at));
    let usual = apart.fold(f64::INFINITY, f64::min);
    if usual.is_finite() { (HOLDS_STEPS * usual).max(HOLDS_LEAST_S) } else { HOLDS_LEAST_S }
}

/// The band and the line of each stretch without a gap.
fn runs(frame: &Frame, points: &[Point]) -> Vec<Mark> {
    let (mut bands, mut all) = (vec![], vec![]);
    let holds_s = holds_s(points);
    let stretches =
        points.chunk_by(|a, b| a.persons.is_some() == b.persons.is_some() && b.at.seconds_since(a.at) <= holds_s);
    for stretch in stretches {
        let run = stretch.iter().filter_map(|point| {
            let (persons, spread) = (point.persons?, BAND_SD * point.sd.unwrap_or(0.0));
            Some((frame.x(point.at), frame.y(persons), frame.y(persons - spread), frame.y(persons + spread)))
        });
        let run: Vec<(f32, f32, f32, f32)> = run.collect();
        if run.is_empty() {
            continue;
        }
        let there = run.iter().map(|(x, _, _, high)| (*x, *high));
        let back = run.iter().rev().map(|(x, _, low, _)| (*x, *low));
        bands.push(Mark::Shape { points: there.chain(back).collect(), ink: ACCENT, opacity: 0.18 });
        let points = run.iter().map(|(x, y, ..)| (*x, *y)).collect();
        all.push(Mark::Line { points, width: 1.6, ink: ACCENT, dashed: false });
    }
    bands.extend(all);
    bands
}

fn programme(frame: &Frame, paper: &Paper<'_>, sheet: &Sheet, area: &AreaReport) -> Vec<Mark> {
    let mut marks = vec![];
    let mut free: f32 = 0.0;
    let items = paper.report.programme.iter().filter(|item| item.area == area.key);
    for item in items {
        let (left, right) = (frame.x(item.from), frame.x(item.until));
        marks.push(Mark::block((left, frame.top), ((right - left).max(1.0), HEIGHT), SOFT));
        let wide = sheet.faces.regular.width(&item.name, 7.0);
        if left >= free && left + wide + 4.0 <= LEFT + WIDTH {
            marks.push(label(item.name.clone(), (left + 3.0, frame.top + 9.0), QUIET, false));
            free = left + wide + 8.0;
        }
    }
    marks
}

/// Where alerts of the area were raised, and where anything was decided.
fn events(frame: &Frame, paper: &Paper<'_>, sheet: &Sheet, area: &AreaReport) -> Vec<Mark> {
    let report = paper.report;
    let alerts = report.alerts.iter().filter(|alert| alert.area == area.key);
    let mut all: Vec<(Timestamp, String, Ink)> =
        alerts.map(|alert| (alert.raised_at, format!("M{}", alert.id), ink(Colour::Red))).collect();
    all.extend(report.decisions.iter().map(|one| (one.decision.at, format!("B{}", one.decision.id), ACCENT)));
    all.sort_by_key(|event| event.0);
    let mut marks = vec![];
    let mut free = [0.0_f32; 2];
    for (at, text, ink) in all {
        let x = frame.x(at);
        let points = vec![(x, frame.top - 2.0), (x, frame.top + HEIGHT)];
        marks.push(Mark::Line { points, width: 0.7, ink, dashed: true });
        let wide = sheet.faces.bold.width(&text, 7.0);
        // A second row when the first is taken.
        let Some(row) = free.iter().position(|taken| x - wide / 2.0 >= *taken) else { continue };
        let y = if row == 0 { frame.top - 4.0 } else { frame.top - 12.0 };
        marks.push(label(text, (x - wide / 2.0, y), ink, true));
        if let Some(taken) = free.get_mut(row) {
            *taken = x + wide / 2.0 + 3.0;
        }
    }
    marks
}

/// The colour of each minute, with its letter where there is room.
fn strip(frame: &Frame, points: &[Point], words: &Words, sheet: &Sheet) -> Vec<Mark> {
    let mut marks = vec![];
    let holds_s = holds_s(points);
    for run in points.chunk_by(|a, b| a.colour == b.colour && b.at.seconds_since(a.at) <= holds_s) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let next = last.at.plus_micros(60_000_000);
        let (left, right) = (frame.x(first.at), frame.x(next));
        let (x, y) = (left, frame.top + HEIGHT + 6.0);
        marks.push(Mark::block((x, y), ((right - left).max(0.6), 10.0), ink(first.colour)));
        let letter = letter(first.colour, words);
        let wide = sheet.faces.bold.width(&letter, 7.0);
        if right - left > wide + 4.0 {
            let ink = if first.colour == Colour::Amber { INK } else { 0xff_ff_ff };
            marks.push(label(letter, ((left + right - wide) / 2.0, y + 7.6), ink, true));
        }
    }
    marks
}

fn letter(colour: Colour, words: &Words) -> String {
    match colour {
        Colour::Green => "G".to_owned(),
        Colour::Amber => words.say("O", "A"),
        Colour::Red => "R".to_owned(),
        Colour::Unknown => "?".to_owned(),
    }
}

/// The peaks, and the figures behind the charts.
fn peaks(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    sheet.heading(2, &words.say("Drukste momenten", "Busiest moments"));
    let columns = [
        Column::words(words.say("Gebied", "Area"), 2.2),
        Column::numbers(words.say("Capaciteit", "Capacity"), 1.1),
        Column::numbers(words.say("Meeste mensen", "Most people"), 1.2),
        Column::words(words.say("Om", "At"), 0.8),
        Column::numbers(words.say("Per m2", "Per m2"), 0.8),
        Column::numbers(words.say("Min. oranje", "Min. amber"), 0.9),
        Column::numbers(words.say("Min. rood", "Min. red"), 0.9),
        Column::numbers(words.say("Min. onbekend", "Min. unknown"), 1.1),
    ];
    let rows: Vec<Vec<Cell>> = paper
        .report
        .areas
        .iter()
        .map(|area| {
            let density = area.peak.and_then(|peak| peak.density_m2);
            vec![
                area.name.clone().into(),
                words.number(area.capacity_persons).into(),
                words.persons(area.peak.map(|peak| peak.persons)).into(),
                area.peak.map_or_else(|| "\u{2013}".to_owned(), |peak| words.time(peak.at)).into(),
                density.map_or_else(|| "\u{2013}".to_owned(), |density| words.decimal(density, 1)).into(),
                words.number(f64::from(area.minutes.amber)).into(),
                words.number(f64::from(area.minutes.red)).into(),
                words.number(f64::from(area.minutes.unknown)).into(),
            ]
        })
        .collect();
    table(sheet, &columns, &rows);
    figures(sheet, paper, words);
}

fn figures(sheet: &mut Sheet, paper: &Paper<'_>, words: &Words) {
    let areas = &paper.report.areas;
    let Some(first) = areas.iter().flat_map(|area| &area.points).map(|point| point.at).min() else { return };
    let Some(last) = areas.iter().flat_map(|area| &area.points).map(|point| point.at).max() else { return };
    sheet.heading(2, &words.say("Aantallen door de tijd", "Numbers over time"));
    let note = words.say(
        "Aantal mensen en kleur. Een streep betekent: niet bekend, of te weinig mensen om het te noemen.",
        "Number of people and colour. A dash means: not known, or too few people to tell.",
    );
    sheet.paragraph(&note, Style::NOTE);
    let moments = ticks(first, last.seconds_since(first), ROWS_MAX);
    for some in areas.chunks(AREAS_EACH) {
        let mut columns = vec![Column::words(words.say("Tijd", "Time"), 0.8)];
        columns.extend(some.iter().map(|area| Column::words(area.name.clone(), 1.4)));
        let rows: Vec<Vec<Cell>> = moments
            .iter()
            .map(|at| {
                let mut row: Vec<Cell> = vec![words.time(*at).into()];
                row.extend(some.iter().map(|area| figure_at(area, *at, words)));
                row
            })
            .collect();
        table(sheet, &columns, &rows);
    }
}

fn figure_at(area: &AreaReport, at: Timestamp, words: &Words) -> Cell {
    let holds_s = holds_s(&area.points);
    let point = area.points.iter().rfind(|point| point.at <= at && at.seconds_since(point.at) <= holds_s);
    let Some(point) = point else { return Cell::from("\u{2013}".to_owned()) };
    let text = format!("{} ({})", words.persons(point.persons), words.colour(point.colour));
    Cell { text, swatch: Some(ink(point.colour)), bold: false }
}
