//! The two faces of the letter that comes along: which glyph a character has, and how wide it is.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider,
    charmap::Charmap,
    instance::{LocationRef, Size},
    metrics::GlyphMetrics,
};

use crate::PaperError;

static REGULAR: &[u8] = include_bytes!("../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/NotoSans-Bold.ttf");

/// One face.
pub struct Face {
    font: Font,
    charmap: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    units: f32,
}

impl Face {
    fn read(bytes: &'static [u8], name: &'static str) -> Result<Self, PaperError> {
        let font = Font::new(bytes.into(), 0).ok_or(PaperError::Font(name))?;
        let table = FontRef::new(bytes).map_err(|_| PaperError::Font(name))?;
        let widths = table.glyph_metrics(Size::unscaled(), LocationRef::default());
        Ok(Self { units: font.units_per_em(), font, charmap: table.charmap(), widths })
    }

    /// The face as the writer wants it.
    pub fn font(&self) -> Font {
        self.font.clone()
    }

    /// The glyph of a character and its width as a share of the size. One that the face lacks is drawn as a question
    /// mark; who copies the text gets the character.
    fn glyph(&self, c: char) -> (u32, f32) {
        let found = self.charmap.map(c).or_else(|| self.charmap.map('?'));
        let Some(glyph) = found else { return (0, 0.0) };
        (glyph.to_u32(), self.widths.advance_width(glyph).unwrap_or_default() / self.units)
    }

    /// How wide a text is at a size.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.glyph(c).1).sum::<f32>() * size
    }

    /// The glyphs of a text.
    pub fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let glyphs = text.char_indices().map(|(start, c)| {
            let (glyph, width) = self.glyph(c);
            KrillaGlyph::new(GlyphId::new(glyph), width, 0.0, 0.0, 0.0, start..start + c.len_utf8(), None)
        });
        glyphs.collect()
    }

    /// A text in lines that are not wider than `width`; a word that is too long is broken.
    pub fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = vec![];
        let mut line = String::new();
        for word in text.split_whitespace() {
            let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&joined, size) <= width {
                line = joined;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                line.push(c);
                if self.width(&line, size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Both faces.
pub struct Faces {
    /// For reading.
    pub regular: Face,
    /// For headings.
    pub bold: Face,
}

impl Faces {
    /// Reads the fonts that come along.
    pub fn read() -> Result<Self, PaperError> {
        Ok(Self { regular: Face::read(REGULAR, "Noto Sans Regular")?, bold: Face::read(BOLD, "Noto Sans Bold")? })
    }

    /// One of them.
    pub fn of(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}
