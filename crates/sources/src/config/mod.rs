//! `city.toml`: the city itself and its sources. How the fields of a feed become attributes is written here, never
//! in code; a mistake is named with its file, line and remedy.

mod attribute;
mod check;
mod check_forecast;
mod city;
mod forecast;
mod read;
mod source;

pub use attribute::{AttributeConfig, Condition, Kind};
pub use city::{Basemap, CityConfig, Notice, NoticeKind, ReplayWindow, Text};
pub use forecast::{ForecastArea, ForecastConfig, ForecastKind, ForecastRegion, ForecastWeather};
pub use read::{CityFile, read_city};
pub use source::{
    Ambiguous, EnrichConfig, FilterConfig, JoinConfig, Limits, OriginConfig, Provenance, SourceConfig, TimeConfig,
    TransitConfig,
};

use model::{DEFAULT_CONTEXT, Iri, NGSI_LD};

/// The terms of the NGSI-LD core context that an attribute may have as its name.
const CORE_ATTRIBUTES: [&str; 3] = ["location", "observationSpace", "operationSpace"];

/// The expanded form of a short name of a type or attribute: the NGSI-LD namespace for `location` and its kin, a
/// full IRI as it is, the default context for everything else.
#[must_use]
pub fn expand(name: &str) -> Iri {
    if name.contains(':') {
        return Iri::from(name);
    }
    let namespace = if CORE_ATTRIBUTES.contains(&name) { NGSI_LD } else { DEFAULT_CONTEXT };
    Iri::new(format!("{namespace}{name}"))
}
