//! A city's folder: `city.toml` and `layers.toml`, checked together, and brought into the words of each layer.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use model::{Iri, Problem, Tenant};
use sources::config::{CityFile, SourceConfig, read_city};
use views::{City, Layers, SourceCard};

/// What a city's folder says.
pub struct CityFolder {
    /// Where it is.
    pub folder: PathBuf,
    /// The city and its sources.
    pub file: CityFile,
    /// Its layers.
    pub layers: Layers,
    /// Whose data they are.
    pub tenant: Tenant,
}

impl CityFolder {
    /// Reads and checks both files.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = read_city(folder).map_err(|problems| several(&problems))?;
        let layers = read_layers(folder)?;
        let names: HashSet<&str> = file.sources.iter().map(|source| source.name.as_str()).collect();
        let problems = layers.check_sources(&names);
        if !problems.is_empty() {
            return Err(several(&problems));
        }
        let tenant = Tenant::parse(&file.city.tenant)?;
        Ok(Self { folder: folder.to_path_buf(), file, layers, tenant })
    }

    /// The same city with the passwords of its sources, which `city.toml` names by environment variable.
    ///
    /// # Errors
    /// Every variable that is not set, with the source that needs it.
    pub fn with_passwords(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut problems = Vec::new();
        for source in &mut self.file.sources {
            let Some(mqtt) = &mut source.mqtt else { continue };
            let Some(name) = &mqtt.password_env else { continue };
            mqtt.password = variable(name).filter(|password| !password.is_empty());
            if mqtt.password.is_none() {
                let thing = format!("city.toml: source \"{}\", password_env", source.name);
                let detail = format!("the environment variable {name} is not set");
                problems.push(Problem::new(thing, detail, "set it to the broker's password and start Polder again"));
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(several(&problems)) }
    }

    /// The types that everybody may see without an account.
    pub fn public_types(&self) -> Vec<Iri> {
        self.file.sources.iter().filter(|source| source.public).map(SourceConfig::type_iri).collect()
    }

    /// The sources, for tasks that share them.
    pub fn sources(&self) -> Vec<Arc<SourceConfig>> {
        self.file.sources.iter().cloned().map(Arc::new).collect()
    }

    /// The city in the words of the views.
    pub fn view(&self) -> City {
        let city = &self.file.city;
        let text = |text: &sources::config::Text| views::Text { nl: text.nl.clone(), en: text.en.clone() };
        let notices = city.notices.iter().map(|notice| views::Notice {
            id: notice.id.clone(),
            kind: match notice.kind {
                sources::config::NoticeKind::Replay => views::NoticeKind::Replay,
                sources::config::NoticeKind::Data => views::NoticeKind::Data,
            },
            text: text(&notice.text),
        });
        City {
            id: city.id.clone(),
            name: city.name.clone(),
            country: city.country.clone(),
            time_zone: city.time_zone.clone(),
            center: city.center,
            zoom: city.zoom,
            pitch: city.pitch,
            bounds: city.bounds,
            title: text(&city.title),
            notices: notices.collect(),
            basemap_attribution: city.basemap.as_ref().map(|map| map.attribution.clone()).unwrap_or_default(),
        }
    }

    /// Who delivers the data, in the words of the views.
    pub fn source_cards(&self) -> Vec<SourceCard> {
        self.file.sources.iter().map(card).collect()
    }

    /// The file of the base map, when the city has one.
    pub fn basemap(&self) -> Option<PathBuf> {
        self.file.city.basemap.as_ref().map(|map| self.folder.join(&map.file))
    }
}

fn card(source: &SourceConfig) -> SourceCard {
    let provenance = &source.provenance;
    SourceCard {
        name: source.name.clone(),
        publisher: provenance.publisher.clone(),
        licence: provenance.licence.clone(),
        licence_verified: provenance.licence_verified,
        attribution: provenance.attribution.clone(),
        url: provenance.url.clone(),
        note: provenance.note.as_ref().map(|note| views::Text { nl: note.nl.clone(), en: note.en.clone() }),
    }
}

/// A city without `layers.toml` has no map of its own, only the APIs.
fn read_layers(folder: &Path) -> Result<Layers> {
    let path = folder.join("layers.toml");
    if !path.exists() {
        return Ok(Layers::default());
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Layers::parse(&text).map_err(|problems| several(&problems))
}

/// One error that names every problem, a line each.
pub fn several(problems: &[Problem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(in_a_line).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

/// A problem as a line for a person.
pub fn in_a_line(problem: &Problem) -> String {
    match problem.line {
        Some(line) => format!("{}, line {line}: {}; {}", problem.thing, problem.detail, problem.remedy),
        None => problem.to_string(),
    }
}

/// The sources with these names, in the order of the file; all when no name is given.
pub fn chosen(sources: Vec<Arc<SourceConfig>>, names: &[String]) -> Result<Vec<Arc<SourceConfig>>> {
    if let Some(unknown) = names.iter().find(|name| !sources.iter().any(|source| source.name == **name)) {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        bail!("there is no source \"{unknown}\" in city.toml; the sources are {}", known.join(", "));
    }
    Ok(sources.into_iter().filter(|source| names.is_empty() || names.contains(&source.name)).collect())
}
