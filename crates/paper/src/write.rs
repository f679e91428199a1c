//! Writes laid-out pages as PDF: tagged, archivable, with page numbers and, on each page of a rehearsal, its label.

use std::collections::BTreeMap;

use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{Path, PathBuilder, Point},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule, LineCap, LineJoin, Stroke, StrokeDash},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, Tag, TagGroup, TagTree},
};
use model::Timestamp;

use crate::{
    Paper, PaperError,
    face::Faces,
    sheet::{Bookmark, Branch, Ink, LEFT, Mark, PAGE, Placed, QUIET, RULE, Sheet, Slot, WIDTH},
    words::{Words, ink},
};

/// What is around the pages.
pub struct Frame<'a> {
    /// The title of the document.
    pub title: String,
    /// What is at the top of each page of a rehearsal.
    pub label: Option<String>,
    /// What it is made of.
    pub paper: &'a Paper<'a>,
    /// The words.
    pub words: &'a Words,
}

/// The identifiers of each piece of content: one for each page that it is on.
type Found = BTreeMap<Slot, Vec<Identifier>>;

/// The bytes of the document.
///
/// # Errors
/// The pages do not meet the standards.
pub fn pdf(sheet: Sheet, frame: &Frame<'_>) -> Result<Vec<u8>, PaperError> {
    let failed = |error: &dyn std::fmt::Debug| PaperError::Write(format!("{error:?}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| failed(&error))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let (faces, pages, tree, bookmarks) = sheet.finish();
    let mut found = Found::new();
    let count = pages.len();
    for (number, marks) in pages.iter().enumerate() {
        let size = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| failed(&"the size of a page"))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        let mut pen = Pen { surface: &mut surface, faces: &faces };
        pen.marks(marks, &mut found);
        pen.around(frame, number + 1, count);
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(tags(tree, &mut found, frame.words.tag()));
    document.set_outline(outline(&bookmarks));
    document.set_metadata(metadata(frame));
    document.finish().map_err(|error| failed(&error))
}

fn metadata(frame: &Frame<'_>) -> Metadata {
    let facts = &frame.paper.report.facts;
    Metadata::new()
        .title(frame.title.clone())
        .language(frame.words.tag().to_owned())
        .description(frame.words.say(
            &format!("Terugblik op {}: verloop, meldingen, maatregelen en kwaliteit van de verwachting", facts.name),
            &format!("Looking back on {}: course, alerts, measures and quality of the forecast", facts.name),
        ))
        .creator("Polder".to_owned())
        .creation_date(date(frame.paper.made_at))
}

fn date(at: Timestamp) -> DateTime {
    let at = jiff::tz::TimeZone::UTC.to_datetime(at.into());
    let small = |value: i8| u8::try_from(value).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn outline(bookmarks: &[Bookmark]) -> Outline {
    let mut outline = Outline::new();
    for Bookmark { text, page, y } in bookmarks {
        let place = XyzDestination::new(*page, Point::from_xy(0.0, *y));
        outline.push_child(OutlineNode::new(text.clone(), place));
    }
    outline
}

fn tags(tree: Vec<Branch>, found: &mut Found, language: &str) -> TagTree {
    let mut root = TagTree::new().with_lang(Some(language.to_owned()));
    let mut all = TagGroup::new(Tag::Part);
    for node in nodes(tree, found) {
        all.push(node);
    }
    root.push(all);
    root
}

fn nodes(branches: Vec<Branch>, found: &mut Found) -> Vec<Node> {
    let mut nodes = vec![];
    for branch in branches {
        match branch {
            Branch::Leaf(slot) => nodes.extend(found.remove(&slot).unwrap_or_default().into_iter().map(Node::from)),
            Branch::Group(kind, children) => {
                nodes.push(TagGroup::with_children(kind, self::nodes(children, found)).into())
            }
        }
    }
    nodes
}

fn colour(ink: Ink) -> rgb::Color {
    let [_, red, green, blue] = ink.to_be_bytes();
    rgb::Color::new(red, green, blue)
}

/// Draws on one page.
struct Pen<'a, 'b> {
    surface: &'a mut Surface<'b>,
    faces: &'a Faces,
}

impl Pen<'_, '_> {
    /// Draws what was laid out; what belongs together is tagged together.
    fn marks(&mut self, marks: &[Placed], found: &mut Found) {
        for group in marks.chunk_by(|a, b| a.slot == b.slot) {
            let Some(first) = group.first() else { continue };
            let text = group.iter().all(|placed| matches!(placed.mark, Mark::Text { .. }));
            let tag = match first.slot {
                None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
                Some(_) if text => ContentTag::Span(SpanTag::empty()),
                Some(_) => ContentTag::Other,
            };
            let identifier = self.surface.start_tagged(tag);
            for placed in group {
                self.mark(&placed.mark);
            }
            self.surface.end_tagged();
            if let Some(slot) = first.slot {
                found.entry(slot).or_default().push(identifier);
            }
        }
    }

    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Text { x, y, size, bold, ink, text } => self.text((*x, *y), text, (*size, *bold, *ink)),
            Mark::Line { points, width, ink, dashed } => {
                let Some(path) = path(points, false) else { return };
                let dash = dashed.then(|| StrokeDash { array: vec![4.0, 3.0], offset: 0.0 });
                self.surface.set_fill(None);
                self.surface.set_stroke(Some(Stroke {
                    paint: colour(*ink).into(),
                    width: *width,
                    line_cap: LineCap::Round,
                    line_join: LineJoin::Round,
                    dash,
                    ..Stroke::default()
                }));
                self.surface.draw_path(&path);
                self.surface.set_stroke(None);
            }
            Mark::Shape { points, ink, opacity } => {
                let Some(path) = path(points, true) else { return };
                self.fill(*ink, *opacity);
                self.surface.draw_path(&path);
            }
        }
    }

    fn fill(&mut self, ink: Ink, opacity: f32) {
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(Fill {
            paint: colour(ink).into(),
            opacity: NormalizedF32::new(opacity).unwrap_or(NormalizedF32::ONE),
            rule: FillRule::NonZero,
        }));
    }

    fn text(&mut self, (x, y): (f32, f32), text: &str, (size, bold, ink): (f32, bool, Ink)) {
        let face = self.faces.of(bold);
        self.fill(ink, 1.0);
        // A line ends with a blank, so that words of two lines do not run together when they are read.
        let text = format!("{text} ");
        self.surface.draw_glyphs(Point::from_xy(x, y), &face.glyphs(&text), face.font(), &text, size, false);
    }

    /// The head and the foot of a page: decoration, but for those who see.
    fn around(&mut self, frame: &Frame<'_>, number: usize, count: usize) {
        let artifact = |kind| ContentTag::Artifact(Artifact::with_kind(kind));
        self.surface.start_tagged(artifact(ArtifactType::PaginationOther));
        if let Some(label) = &frame.label {
            self.mark(&Mark::block((0.0, 0.0), (PAGE.0, 26.0), ink(support::crowd::Colour::Amber)));
            self.text((LEFT, 17.5), label, (10.5, true, crate::sheet::INK));
        }
        let top = if frame.label.is_some() { 44.0 } else { 36.0 };
        self.text((LEFT, top), &frame.title, (8.0, false, QUIET));
        let foot = PAGE.1 - 34.0;
        self.mark(&Mark::rule((LEFT, foot - 12.0), (LEFT + WIDTH, foot - 12.0), RULE));
        let made = frame.words.day_time(frame.paper.made_at);
        let made = frame.words.say(&format!("Gemaakt door Polder op {made}"), &format!("Made by Polder on {made}"));
        self.text((LEFT, foot), &made, (8.0, false, QUIET));
        let page = frame.words.say(&format!("Pagina {number} van {count}"), &format!("Page {number} of {count}"));
        let wide = self.faces.regular.width(&page, 8.0);
        self.text((LEFT + WIDTH - wide, foot), &page, (8.0, false, QUIET));
        self.surface.end_tagged();
    }
}

fn path(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0, first.1);
    if rest.is_empty() {
        // A lone point is a dot: a line of no length with round ends.
        builder.line_to(first.0 + 0.01, first.1);
    }
    for point in rest {
        builder.line_to(point.0, point.1);
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
