//! What the city is called, where it lies, and what a visitor must be told.

use model::BoundingBox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Text;

/// A city as the web app shows it. Filled from `city.toml`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct City {
    /// The short name in file names (`rotterdam`).
    pub id: String,
    /// The name of the city.
    pub name: String,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: String,
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Longitude and latitude where the map opens.
    pub center: [f64; 2],
    /// The zoom level at which the map opens.
    pub zoom: f64,
    /// The tilt at which the map opens, degrees.
    pub pitch: f64,
    /// West, south, east, north of the city.
    pub bounds: [f64; 4],
    /// The title of the page.
    pub title: Text,
    /// What a visitor must be told.
    pub notices: Vec<Notice>,
    /// The line that must be shown for the base map.
    pub basemap_attribution: String,
}

/// Where a notice is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// Always, while the city is a replay.
    Replay,
    /// Beside the data.
    #[default]
    Data,
}

/// Something that a visitor must be told.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Notice {
    /// A name, so that the web app can remember that it was read.
    pub id: String,
    /// Where it is shown.
    pub kind: NoticeKind,
    /// What is said.
    pub text: Text,
}

impl City {
    /// The box of the city.
    #[must_use]
    pub fn bounding_box(&self) -> BoundingBox {
        let [west, south, east, north] = self.bounds;
        BoundingBox { west, south, east, north }
    }

    /// The city's time zone; UTC when the name is not known.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}
