//! `[city]`: what the map and the clock need to know about the city.

use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text in the two languages of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

/// The city.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CityConfig {
    /// Short name in addresses: lower-case letters, digits and `-`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The country, as an ISO 3166-1 code of two letters.
    pub country: String,
    /// The title of the page.
    pub title: Text,
    /// IANA name of the time zone in which times are shown (`Europe/Amsterdam`).
    pub time_zone: String,
    /// Longitude and latitude at which the map opens, degrees.
    pub center: [f64; 2],
    /// West, south, east and north of the area that the map covers, degrees.
    pub bounds: [f64; 4],
    /// The zoom level at which the map opens.
    pub zoom: f64,
    /// How far the map leans over when it opens, degrees.
    #[serde(default)]
    pub pitch: f64,
    /// The tenant that the city's data belong to.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// What everybody must be told about the data.
    #[serde(default, rename = "notice")]
    pub notices: Vec<Notice>,
    /// The map underneath.
    pub basemap: Option<Basemap>,
    /// The stretch of time that is replayed; absent when the city is live.
    pub replay: Option<ReplayWindow>,
}

fn default_tenant() -> String {
    "default".to_owned()
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// That the picture is a replay.
    Replay,
    /// What the data are not.
    Data,
}

/// A line that is always on the screen.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Its name among the notices.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// The line.
    pub text: Text,
}

/// The map underneath.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basemap {
    /// PMTiles file, relative to the city folder.
    pub file: String,
    /// The line that must be shown on the map.
    pub attribution: String,
}

/// The stretch of time that is replayed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayWindow {
    /// The first moment of the archive.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// Where the replay starts, and where it returns to at the end; what is earlier is loaded as history.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// Where the replay ends.
    #[schemars(with = "String")]
    pub to: Timestamp,
    /// City seconds for each second of the clock on the wall.
    pub speed: f64,
}
