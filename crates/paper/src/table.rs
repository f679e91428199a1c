//! Tables: a head that is repeated on each page, and rows that are not torn apart.

use krilla::tagging::{TableHeaderScope, Tag};

use crate::sheet::{BOTTOM, INK, Ink, LEFT, Mark, QUIET, RULE, SOFT, Sheet, Slot, TOP, WIDTH};

const SIZE: f32 = 8.5;
const LINE: f32 = SIZE * 1.36;
const PAD: f32 = 4.0;
/// How wide the mark of a colour is, with the room after it.
const SWATCH: f32 = 12.0;

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// Its part of the width, relative to the others.
    pub share: f32,
    /// Whether it holds numbers.
    pub right: bool,
}

impl Column {
    /// A column of words.
    pub fn words(title: String, share: f32) -> Self {
        Self { title, share, right: false }
    }

    /// A column of numbers.
    pub fn numbers(title: String, share: f32) -> Self {
        Self { title, share, right: true }
    }
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// A colour before it.
    pub swatch: Option<Ink>,
    /// Whether it is bold.
    pub bold: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// A row, laid out.
struct Laid {
    cells: Vec<(Vec<String>, Option<Ink>, bool)>,
    height: f32,
}

/// Puts a table on the sheet.
pub fn table(sheet: &mut Sheet, columns: &[Column], rows: &[Vec<Cell>]) {
    let whole: f32 = columns.iter().map(|column| column.share).sum();
    let widths: Vec<f32> = columns.iter().map(|column| WIDTH * column.share / whole).collect();
    let head: Vec<Cell> =
        columns.iter().map(|column| Cell { text: column.title.clone(), swatch: None, bold: true }).collect();
    let head = laid(sheet, &head, &widths);
    sheet.need(head.height + 3.0 * LINE);
    sheet.open(Tag::Table);
    sheet.open(Tag::THead);
    sheet.open(Tag::TR);
    let slots: Vec<Option<Slot>> = columns
        .iter()
        .map(|_| {
            sheet.open(Tag::TH(TableHeaderScope::Column));
            let slot = sheet.slot();
            sheet.close();
            Some(slot)
        })
        .collect();
    sheet.close();
    sheet.close();
    draw_head(sheet, columns, &widths, &head, &slots);
    sheet.open(Tag::TBody);
    for row in rows {
        let row = laid(sheet, row, &widths);
        if sheet.y + row.height > BOTTOM && sheet.y > TOP {
            sheet.new_page();
            draw_head(sheet, columns, &widths, &head, &vec![None; columns.len()]);
        }
        let slots = row_slots(sheet, columns.len());
        draw(sheet, columns, &widths, &row, (&slots, INK));
        let y = sheet.y;
        sheet.put(None, Mark::rule((LEFT, y), (LEFT + WIDTH, y), RULE));
    }
    sheet.close();
    sheet.close();
    sheet.y += 8.0;
}

/// The first cell of a row says what the row is about.
fn row_slots(sheet: &mut Sheet, count: usize) -> Vec<Option<Slot>> {
    sheet.open(Tag::TR);
    let mut slots = vec![];
    for number in 0..count {
        if number == 0 {
            sheet.open(Tag::TH(TableHeaderScope::Row));
        } else {
            sheet.open(Tag::TD);
        }
        slots.push(Some(sheet.slot()));
        sheet.close();
    }
    sheet.close();
    slots
}

fn draw_head(sheet: &mut Sheet, columns: &[Column], widths: &[f32], head: &Laid, slots: &[Option<Slot>]) {
    let y = sheet.y;
    sheet.put(None, Mark::block((LEFT, y), (WIDTH, head.height), SOFT));
    draw(sheet, columns, widths, head, (slots, QUIET));
}

fn laid(sheet: &Sheet, cells: &[Cell], widths: &[f32]) -> Laid {
    let cells: Vec<(Vec<String>, Option<Ink>, bool)> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| {
            let room = width - 2.0 * PAD - cell.swatch.map_or(0.0, |_| SWATCH);
            (sheet.faces.of(cell.bold).lines(&cell.text, SIZE, room), cell.swatch, cell.bold)
        })
        .collect();
    let lines = cells.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(1);
    let height = lines as f32 * LINE + 2.0 * PAD;
    Laid { cells, height }
}

fn draw(sheet: &mut Sheet, columns: &[Column], widths: &[f32], row: &Laid, (slots, ink): (&[Option<Slot>], Ink)) {
    let mut left = LEFT;
    let top = sheet.y;
    for (((column, width), (lines, swatch, bold)), slot) in columns.iter().zip(widths).zip(&row.cells).zip(slots) {
        let mut y = top + PAD + SIZE;
        let indent = swatch.map_or(0.0, |_| SWATCH);
        if let Some(colour) = swatch {
            sheet.put(None, Mark::block((left + PAD, y - 7.0), (8.0, 8.0), *colour));
        }
        for line in lines {
            let wide = sheet.faces.of(*bold).width(line, SIZE);
            let x = if column.right { left + width - PAD - wide } else { left + PAD + indent };
            sheet.put(*slot, Mark::Text { x, y, size: SIZE, bold: *bold, ink, text: line.clone() });
            y += LINE;
        }
        left += width;
    }
    sheet.y += row.height;
}
