//! Pages before they are written: marks with their places, and the tree of what they mean.

use std::num::NonZeroU16;

use krilla::tagging::{ListNumbering, Tag, TagKind};

use crate::{PaperError, face::Faces};

/// A4, points.
pub const PAGE: (f32, f32) = (595.28, 841.89);
/// The margin left and right, points.
pub const LEFT: f32 = 54.0;
/// The first line of a page lies below this.
pub const TOP: f32 = 66.0;
/// The last line of a page lies above this.
pub const BOTTOM: f32 = 780.0;
/// How wide a line is.
pub const WIDTH: f32 = PAGE.0 - 2.0 * LEFT;

/// A colour as `0xRRGGBB`.
pub type Ink = u32;
/// Of text.
pub const INK: Ink = 0x14_20_2b;
/// Of what is said beside.
pub const QUIET: Ink = 0x52_5e_6a;
/// Of headings and lines of charts.
pub const ACCENT: Ink = 0x0b_4a_6f;
/// Of lines between rows.
pub const RULE: Ink = 0xd3_da_e0;
/// Behind the head of a table.
pub const SOFT: Ink = 0xee_f2_f5;

/// Something on a page; `y` grows downwards.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A line of text, at its baseline.
    Text { x: f32, y: f32, size: f32, bold: bool, ink: Ink, text: String },
    /// A line through points.
    Line { points: Vec<(f32, f32)>, width: f32, ink: Ink, dashed: bool },
    /// A filled shape.
    Shape { points: Vec<(f32, f32)>, ink: Ink, opacity: f32 },
}

impl Mark {
    /// A filled rectangle.
    pub fn block((x, y): (f32, f32), (width, height): (f32, f32), ink: Ink) -> Self {
        Self::Shape {
            points: vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)],
            ink,
            opacity: 1.0,
        }
    }

    /// A straight line.
    pub fn rule(from: (f32, f32), to: (f32, f32), ink: Ink) -> Self {
        Self::Line { points: vec![from, to], width: 0.6, ink, dashed: false }
    }
}

/// The number of a piece of content in the tree.
pub type Slot = usize;

/// A mark with what it belongs to; without a slot it is decoration.
pub struct Placed {
    /// What it belongs to.
    pub slot: Option<Slot>,
    /// The mark.
    pub mark: Mark,
}

/// What things mean.
pub enum Branch {
    /// A group with a meaning.
    Group(TagKind, Vec<Branch>),
    /// Content.
    Leaf(Slot),
}

/// An entry of the table of contents beside the pages.
pub struct Bookmark {
    /// The heading.
    pub text: String,
    /// The page, from 0.
    pub page: usize,
    /// Where on it.
    pub y: f32,
}

/// The pages as they grow.
pub struct Sheet {
    /// The letters.
    pub faces: Faces,
    /// The marks of each page.
    pub pages: Vec<Vec<Placed>>,
    /// The top of the next thing.
    pub y: f32,
    /// The headings of the first level.
    pub bookmarks: Vec<Bookmark>,
    open: Vec<(TagKind, Vec<Branch>)>,
    tree: Vec<Branch>,
    slots: usize,
}

impl Sheet {
    /// One empty page.
    pub fn new() -> Result<Self, PaperError> {
        let faces = Faces::read()?;
        Ok(Self { faces, pages: vec![vec![]], y: TOP, bookmarks: vec![], open: vec![], tree: vec![], slots: 0 })
    }

    /// The pages, the tree, and the headings.
    pub fn finish(mut self) -> (Faces, Vec<Vec<Placed>>, Vec<Branch>, Vec<Bookmark>) {
        while !self.open.is_empty() {
            self.close();
        }
        (self.faces, self.pages, self.tree, self.bookmarks)
    }

    /// What follows belongs to a group, until it is closed.
    pub fn open(&mut self, kind: impl Into<TagKind>) {
        self.open.push((kind.into(), vec![]));
    }

    /// Closes the group that was opened last.
    pub fn close(&mut self) {
        if let Some((kind, children)) = self.open.pop() {
            self.push(Branch::Group(kind, children));
        }
    }

    fn push(&mut self, branch: Branch) {
        match self.open.last_mut() {
            Some((_, children)) => children.push(branch),
            None => self.tree.push(branch),
        }
    }

    /// A new piece of content in the open group.
    pub fn slot(&mut self) -> Slot {
        self.slots += 1;
        self.push(Branch::Leaf(self.slots));
        self.slots
    }

    /// A new page when less than this is left.
    pub fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.new_page();
        }
    }

    /// Goes on at the top of a new page.
    pub fn new_page(&mut self) {
        self.pages.push(vec![]);
        self.y = TOP;
    }

    /// Room between two things; none at the top of a page.
    pub fn gap(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// Puts a mark on the page.
    pub fn put(&mut self, slot: Option<Slot>, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Placed { slot, mark });
        }
    }

    /// Puts lines of text; a new page when one does not fit.
    pub fn text(&mut self, slot: Option<Slot>, text: &str, style: Style) {
        let lines = self.faces.of(style.bold).lines(text, style.size, WIDTH - style.indent);
        let height = style.size * 1.42;
        for line in lines {
            self.need(height);
            let y = self.y + style.size * 1.08;
            let (x, Style { size, bold, ink, .. }) = (LEFT + style.indent, style);
            self.put(slot, Mark::Text { x, y, size, bold, ink, text: line });
            self.y += height;
        }
    }

    /// A heading of level 1 to 3, with room for what follows it.
    pub fn heading(&mut self, level: u16, text: &str) {
        let (size, before, after) = match level {
            1 => (24.0, 0.0, 6.0),
            2 => (15.0, 20.0, 6.0),
            _ => (11.5, 12.0, 3.0),
        };
        self.gap(before);
        self.need(size * 1.42 + 90.0);
        if level == 2 {
            self.bookmarks.push(Bookmark { text: text.to_owned(), page: self.pages.len() - 1, y: self.y });
        }
        let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
        self.open(Tag::Hn(level, Some(text.to_owned())));
        let slot = self.slot();
        self.text(Some(slot), text, Style { size, bold: true, ink: ACCENT, indent: 0.0 });
        self.close();
        self.y += after;
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str, style: Style) {
        self.open(Tag::P);
        let slot = self.slot();
        self.text(Some(slot), text, style);
        self.close();
        self.y += 4.0;
    }

    /// A list with a dot before each item.
    pub fn bullets(&mut self, items: &[String]) {
        self.open(Tag::L(ListNumbering::Disc));
        for item in items {
            self.need(Style::BODY.size * 1.42);
            self.open(Tag::LI);
            self.open(Tag::Lbl);
            let slot = self.slot();
            let y = self.y + Style::BODY.size * 1.08;
            let text = "\u{2022}".to_owned();
            self.put(Some(slot), Mark::Text { x: LEFT, y, size: Style::BODY.size, bold: true, ink: ACCENT, text });
            self.close();
            self.open(Tag::LBody);
            let slot = self.slot();
            self.text(Some(slot), item, Style { indent: 12.0, ..Style::BODY });
            self.close();
            self.close();
            self.y += 1.5;
        }
        self.close();
        self.y += 4.0;
    }
}

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Points.
    pub size: f32,
    /// Whether it is bold.
    pub bold: bool,
    /// Its colour.
    pub ink: Ink,
    /// How far from the left.
    pub indent: f32,
}

impl Style {
    /// For reading.
    pub const BODY: Self = Self { size: 9.5, bold: false, ink: INK, indent: 0.0 };
    /// Beside.
    pub const NOTE: Self = Self { size: 8.5, bold: false, ink: QUIET, indent: 0.0 };
}
