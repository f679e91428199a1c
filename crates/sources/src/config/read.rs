//! Reading `city.toml`: TOML to settings, with the line of every mistake.

use std::path::Path;

use model::Problem;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CityConfig, ForecastConfig, SourceConfig, check};

/// The largest settings file that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The whole of `city.toml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CityFile {
    /// The city.
    pub city: CityConfig,
    /// Its sources, in the order in which they are imported.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// What is forecast.
    #[serde(default, rename = "forecast")]
    pub forecasts: Vec<ForecastConfig>,
}

impl CityFile {
    /// Reads the text of `city.toml`; `file` is what messages call it.
    ///
    /// # Errors
    /// Every mistake, with its line and what to do.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let parsed: Self = toml::from_str(text).map_err(|e| vec![syntax_problem(text, file, &e)])?;
        let problems = check::problems(&parsed, text, file);
        if problems.is_empty() { Ok(parsed) } else { Err(problems) }
    }

    /// The source with this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|s| s.name == name)
    }
}

/// Reads `city.toml` in a city folder.
///
/// # Errors
/// That it cannot be read, or every mistake in it.
pub fn read_city(folder: &Path) -> Result<CityFile, Vec<Problem>> {
    let path = folder.join("city.toml");
    let file = path.display().to_string();
    let remedy = "name a folder with a city.toml, for example cities/rotterdam";
    let size = std::fs::metadata(&path).map_err(|e| vec![Problem::new(&file, e.to_string(), remedy)])?.len();
    if size > FILE_BYTES_MAX {
        let detail = format!("it has {size} bytes, more than {FILE_BYTES_MAX}");
        return Err(vec![Problem::new(&file, detail, "a settings file is small: check that this is the right one")]);
    }
    let text = std::fs::read_to_string(&path).map_err(|e| vec![Problem::new(&file, e.to_string(), remedy)])?;
    CityFile::parse(&text, &file)
}

fn syntax_problem(text: &str, file: &str, error: &toml::de::Error) -> Problem {
    let remedy = "correct this setting; `polder config schema` lists what may stand here";
    let problem = Problem::new(file, error.message(), remedy);
    match error.span() {
        Some(span) => problem.at_line(line_at(text, span.start)),
        None => problem,
    }
}

/// The line of a byte position, counted from 1.
fn line_at(text: &str, position: usize) -> u64 {
    text.bytes().take(position).filter(|b| *b == b'\n').count() as u64 + 1
}
