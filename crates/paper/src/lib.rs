//! The report of a run on paper: a PDF that people can read, search, have read to them, and keep.
//!
//! Pure: a report, its plan and a moment give bytes. The pages are laid out first ([`sheet`]) and written afterwards
//! ([`write`]), because a page says how many there are. Tagged (PDF/UA-1) and fit to be archived (PDF/A-2a), with its
//! fonts embedded; every chart has its figures in a table.

mod chart;
mod face;
mod facts;
mod outcome;
mod sheet;
mod table;
mod timeline;
mod words;
mod write;

use control::{Plan, Report, outbox::Language};
use jiff::tz::TimeZone;
use model::Timestamp;

use sheet::Sheet;
use words::Words;

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Paper<'a> {
    /// The run, looked back on.
    pub report: &'a Report,
    /// The plan that it was run with, for the thresholds.
    pub plan: &'a Plan,
    /// The zone that times are written in.
    pub zone: TimeZone,
    /// The language.
    pub language: Language,
    /// When it is made, by the server's clock.
    pub made_at: Timestamp,
}

/// Why there is no paper.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The fonts that come along cannot be read.
    #[error("the font {0} cannot be read")]
    Font(&'static str),
    /// The pages cannot be written as they should be.
    #[error("the report cannot be written as PDF: {0}")]
    Write(String),
}

/// The report as PDF.
///
/// # Errors
/// What was laid out does not meet the standards, which is a defect of this crate.
pub fn report(paper: &Paper<'_>) -> Result<Vec<u8>, PaperError> {
    let facts = &paper.report.facts;
    let words = Words::new(paper.language, paper.zone.clone()).between(facts.from, facts.until);
    let mut sheet = Sheet::new()?;
    facts::opening(&mut sheet, paper, &words);
    timeline::chapter(&mut sheet, paper, &words);
    chart::chapter(&mut sheet, paper, &words);
    outcome::chapters(&mut sheet, paper, &words);
    let title =
        words.say(&format!("Verslag: {}", paper.report.facts.name), &format!("Report: {}", paper.report.facts.name));
    let label = paper.report.run.simulated.then(|| {
        words.say(
            "GESIMULEERD: een oefening met bezoekers die niet bestaan",
            "SIMULATED (GESIMULEERD): an exercise with visitors who do not exist",
        )
    });
    write::pdf(sheet, &write::Frame { title, label, paper, words: &words })
}
