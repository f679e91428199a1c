//! Reading the configuration file and the environment; what is wrong is named with its line and the remedy.

use std::path::Path;

use anyhow::{Context, Result, bail};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};

use super::Settings;

/// Variables that commands read themselves, so they are not settings.
const NOT_SETTINGS: &[&str] = &["DATA", "CONFIG"];

/// Defaults, then the file (when one is named), then `POLDER_<SECTION>__<SETTING>` from the environment.
pub fn read(path: Option<&Path>) -> Result<Settings> {
    let mut figment = Figment::from(Serialized::defaults(Settings::default()));
    if let Some(path) = path {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("cannot read the configuration file {}; check the name and the rights", path.display())
        })?;
        check_text(&text, path)?;
        figment = figment.merge(Toml::string(&text));
    }
    let figment = figment.merge(Env::prefixed("POLDER_").ignore(NOT_SETTINGS).split("__"));
    figment.extract().map_err(|error| {
        anyhow::anyhow!("a setting from the environment is wrong: {error}; `polder config sample` shows every setting")
    })
}

/// Reads the text on its own first, because only then a mistake has a line.
fn check_text(text: &str, path: &Path) -> Result<()> {
    let Err(error) = toml::from_str::<Settings>(text) else { return Ok(()) };
    let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    bail!("{}:{line}: {}; `polder config sample` shows every setting", path.display(), error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        let text = "[server]\nlisten = \"127.0.0.1:8080\"\nlissten = 3\n";
        let error = check_text(text, Path::new("polder.toml")).unwrap_err().to_string();
        assert!(error.starts_with("polder.toml:3: unknown field `lissten`, expected one of"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_line() {
        let error = check_text("[store]\n\nentity_cache_mb = \"many\"\n", Path::new("p.toml")).unwrap_err().to_string();
        assert!(error.starts_with("p.toml:3: invalid type: string \"many\", expected u64"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Some(Path::new("no-such.toml"))).unwrap_err().to_string();
        assert!(error.contains("no-such.toml"), "{error}");
    }

    #[test]
    fn the_sample_is_the_defaults() {
        let settings: Settings = toml::from_str(&super::super::sample()).unwrap();
        let as_json = |settings: &Settings| serde_json::to_value(settings).unwrap();
        assert_eq!(as_json(&settings), as_json(&Settings::default()));
    }
}
