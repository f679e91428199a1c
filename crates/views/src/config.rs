//! `layers.toml`: which entities of the city become a layer on the map, and how a layer looks.
//!
//! A city is configuration: everything that the map, the table, the legend and the features interface know about
//! a layer is written here, never in code. [`Layers::parse`] reads the text and names every mistake in it.

use std::collections::HashSet;

use model::{DEFAULT_CONTEXT, Iri, NGSI_LD, Origin, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The deepest zoom level of a tile.
pub const ZOOM_MAX: u8 = 22;

/// A text in the two languages of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The text in one language: Dutch for `nl`, English otherwise.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        if language.starts_with("nl") { &self.nl } else { &self.en }
    }
}

/// A heading under which layers stand in the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// What layers refer to (`mobility`).
    pub id: String,
    /// The heading.
    pub title: Text,
}

/// The shape that a layer is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// Dots or icons.
    Point,
    /// Lines.
    Line,
    /// Areas.
    Polygon,
    /// Areas that stand up by a height.
    Building,
}

/// How a layer reaches the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Vector tiles: for many things that seldom change.
    Tiles,
    /// GeoJSON as a whole: for few things, or things that move.
    Features,
}

/// How values become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StyleKind {
    /// Low to high.
    Sequential,
    /// Two directions from a middle.
    Diverging,
    /// One colour for each name.
    Categorical,
    /// One colour for all.
    #[default]
    Single,
    /// Arrows that point along an attribute in degrees.
    Direction,
}

/// The colour from a value upwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stop(pub f64, pub String);

/// The colour and name of one category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The value of the attribute.
    pub value: String,
    /// `#rrggbb`.
    pub color: String,
    /// What the legend says.
    pub label: Text,
}

/// How a layer looks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StyleConfig {
    /// The attribute that gives the colour.
    pub by: Option<String>,
    /// How values become colours.
    #[serde(default)]
    pub kind: StyleKind,
    /// For `sequential` and `diverging`: ascending values with their colours.
    #[serde(default)]
    pub stops: Vec<Stop>,
    /// For `categorical`.
    #[serde(default, rename = "category")]
    pub categories: Vec<Category>,
    /// The colour where nothing else decides, `#rrggbb`.
    pub color: String,
    /// The colour of "no data", `#rrggbb`.
    #[serde(default = "grey")]
    pub color_no_data: String,
    /// Radius of a point or width of a line, CSS pixels at zoom 14.
    #[serde(default = "radius")]
    pub radius: f64,
    /// The name of an icon of the web app.
    pub icon: Option<String>,
    /// The attribute that gives the height of an extrusion, metres.
    pub height: Option<String>,
    /// The attribute that is written beside a thing.
    pub label: Option<String>,
}

fn grey() -> String {
    "#9ca3af".to_owned()
}

fn radius() -> f64 {
    5.0
}

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttributeKind {
    /// Numbers, with or without a unit.
    Number,
    /// Words.
    Text,
    /// Moments (ISO 8601).
    Time,
}

/// One attribute that a layer shows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeConfig {
    /// The short name (`averageVehicleSpeed`), or a full IRI.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The UN/CEFACT code of the unit.
    pub unit_code: Option<String>,
    /// What its values are.
    #[serde(default = "text_kind")]
    pub kind: AttributeKind,
    /// Whether its values over time are kept and may be drawn as a chart.
    #[serde(default)]
    pub history: bool,
    /// Whether an area may be coloured by it.
    #[serde(default)]
    pub indicator: bool,
    /// The usual seconds between two values; gaps are judged by it. Without it they are judged by the median.
    pub interval_s: Option<f64>,
    /// Words of this attribute in both languages (`accident` -> ongeval, accident).
    #[serde(default, rename = "word")]
    pub words: Vec<Word>,
}

fn text_kind() -> AttributeKind {
    AttributeKind::Text
}

/// One value of an attribute in words.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The value in the data.
    pub value: String,
    /// What a person reads.
    pub label: Text,
}

impl AttributeConfig {
    /// The expanded name.
    #[must_use]
    pub fn iri(&self) -> Iri {
        expand(&self.name)
    }
}

/// What is computed about an area from the things inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compute {
    /// How many there are.
    Count,
    /// How many there are for each square kilometre.
    Density,
    /// The sum of an attribute.
    Sum,
    /// The mean of an attribute.
    Mean,
}

/// An indicator of an area layer, computed from the things of another layer that lie inside each area.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorConfig {
    /// The name that it gets as an attribute of the area.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The unit behind the number.
    #[serde(default)]
    pub unit: String,
    /// The layer whose things are counted.
    pub layer: String,
    /// What is computed.
    pub compute: Compute,
    /// The attribute that is summed or averaged.
    pub attribute: Option<String>,
    /// How it was made, for the reader.
    pub how: Text,
    /// Ascending values with their colours.
    #[serde(default)]
    pub stops: Vec<Stop>,
}

/// Shown only between two moments: an incident that has begun and is not over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodConfig {
    /// The attribute with the first moment.
    pub from: String,
    /// The attribute with the last moment; a thing without it is still going on.
    pub to: String,
}

/// One layer of the map.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// The name in addresses: lower-case letters, digits and `-`.
    pub id: String,
    /// The heading it stands under.
    pub group: String,
    /// What a person reads.
    pub title: Text,
    /// What it shows and what it does not, in a sentence or two.
    pub description: Text,
    /// The short type of the entities (`TrafficFlowObserved`), or a full IRI.
    pub entity_type: String,
    /// The shape that it is drawn in.
    pub kind: LayerKind,
    /// How it reaches the map.
    pub delivery: Delivery,
    /// The first zoom level at which it is drawn.
    #[serde(default)]
    pub min_zoom: u8,
    /// The deepest zoom level with tiles of their own; the map magnifies those.
    #[serde(default = "zoom_deep")]
    pub max_zoom: u8,
    /// The first zoom level at which tiles hold all its points; each level further out holds a quarter of the next.
    /// Without it every level holds all.
    pub full_zoom: Option<u8>,
    /// Whether the map shows it at first.
    #[serde(default)]
    pub visible: bool,
    /// Whether its values change while one looks at it.
    #[serde(default)]
    pub live: bool,
    /// How old a value may be before it counts as "no data", seconds. Without it values do not age.
    pub age_s_max: Option<f64>,
    /// Whether its things move: then their place at a moment comes from history.
    #[serde(default)]
    pub moving: bool,
    /// Whether its things are found by name in the search box.
    #[serde(default)]
    pub search: bool,
    /// Whether its things are places (areas, stops), which the search lists before other things.
    #[serde(default)]
    pub place: bool,
    /// When its things are shown.
    pub period: Option<PeriodConfig>,
    /// The attributes that together name a thing.
    #[serde(default = "name_attribute")]
    pub titles: Vec<String>,
    /// How its values come to be.
    #[serde(default)]
    #[schemars(with = "String")]
    pub origin: Origin,
    /// The source in `city.toml` whose publisher and licence are shown.
    pub source: String,
    /// How it looks.
    pub style: StyleConfig,
    /// The attributes that it shows, in this order.
    #[serde(default, rename = "attribute")]
    pub attributes: Vec<AttributeConfig>,
    /// What is computed about its areas.
    #[serde(default, rename = "indicator")]
    pub indicators: Vec<IndicatorConfig>,
    /// What the data do not allow, said beside every thing.
    #[serde(default, rename = "limit")]
    pub limits: Vec<Text>,
}

fn zoom_deep() -> u8 {
    16
}

fn name_attribute() -> Vec<String> {
    vec!["name".to_owned()]
}

impl LayerConfig {
    /// The expanded type of its entities.
    #[must_use]
    pub fn type_iri(&self) -> Iri {
        expand(&self.entity_type)
    }

    /// The attribute with this short name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeConfig> {
        self.attributes.iter().find(|a| a.name == name)
    }
}

/// The terms of the NGSI-LD core context that may stand in `layers.toml`.
const CORE_TERMS: [&str; 5] = ["location", "observationSpace", "operationSpace", "title", "description"];

/// The expanded form of a short name: core terms in the NGSI-LD namespace, a full IRI as it is, everything else in
/// the default context.
#[must_use]
pub fn expand(name: &str) -> Iri {
    if name.contains(':') {
        return Iri::from(name);
    }
    let namespace = if CORE_TERMS.contains(&name) { NGSI_LD } else { DEFAULT_CONTEXT };
    Iri::new(format!("{namespace}{name}"))
}

/// The whole of `layers.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// The headings, in the order of the catalogue.
    #[serde(default, rename = "group")]
    pub groups: Vec<GroupConfig>,
    /// The layers, in the order of the catalogue; later ones are drawn above earlier ones.
    #[serde(default, rename = "layer")]
    pub layers: Vec<LayerConfig>,
}

impl Layers {
    /// Reads `layers.toml`.
    ///
    /// # Errors
    /// Every mistake in it, each with the line where TOML knows one, and the remedy.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let layers: Self = toml::from_str(text).map_err(|error| vec![toml_problem(text, &error)])?;
        let problems = layers.problems();
        if problems.is_empty() { Ok(layers) } else { Err(problems) }
    }

    /// The layer with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&LayerConfig> {
        self.layers.iter().find(|l| l.id == id)
    }

    /// The first layer of a type.
    #[must_use]
    pub fn of_type(&self, entity_type: &Iri) -> Option<&LayerConfig> {
        self.layers.iter().find(|l| expand(&l.entity_type) == *entity_type)
    }

    fn problems(&self) -> Vec<Problem> {
        let groups: HashSet<&str> = self.groups.iter().map(|g| g.id.as_str()).collect();
        let mut seen = HashSet::new();
        let mut problems = vec![];
        for layer in &self.layers {
            if !seen.insert(layer.id.as_str()) {
                problems.push(mistake(layer, "id", "it is used twice", "give every layer its own id"));
            }
            if !groups.contains(layer.group.as_str()) {
                let detail = format!("there is no group \"{}\"", layer.group);
                problems.push(mistake(layer, "group", &detail, "add a [[group]] with this id, or use another"));
            }
            problems.extend(layer_problems(layer));
            for indicator in layer.indicators.iter().filter(|i| self.get(&i.layer).is_none()) {
                let detail = format!("indicator \"{}\": there is no layer \"{}\"", indicator.name, indicator.layer);
                problems.push(mistake(layer, "indicator", &detail, "name a layer of this file"));
            }
        }
        problems
    }

    /// Names the layers whose source is not among `names`.
    #[must_use]
    pub fn check_sources(&self, names: &HashSet<&str>) -> Vec<Problem> {
        let unknown = self.layers.iter().filter(|l| !names.contains(l.source.as_str()));
        unknown
            .map(|l| {
                let detail = format!("there is no source \"{}\" in city.toml", l.source);
                mistake(l, "source", &detail, "name a source of city.toml, so that its licence can be shown")
            })
            .collect()
    }
}

fn layer_problems(layer: &LayerConfig) -> Vec<Problem> {
    let mut problems = vec![];
    let id_fits =
        !layer.id.is_empty() && layer.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !id_fits || layer.id == "basemap" {
        let remedy = "use lower-case letters, digits and '-'; \"basemap\" is taken";
        problems.push(mistake(layer, "id", "it cannot stand in an address", remedy));
    }
    if layer.min_zoom > layer.max_zoom || layer.max_zoom > ZOOM_MAX {
        let detail = format!("{} to {} is not a range of zoom levels", layer.min_zoom, layer.max_zoom);
        problems.push(mistake(layer, "min_zoom, max_zoom", &detail, "keep 0 <= min_zoom <= max_zoom <= 22"));
    }
    let style = &layer.style;
    let colours = [&style.color, &style.color_no_data].into_iter().chain(style.stops.iter().map(|s| &s.1));
    for colour in colours.chain(style.categories.iter().map(|c| &c.color)).filter(|c| !is_colour(c)) {
        let detail = format!("\"{colour}\" is not a colour");
        problems.push(mistake(layer, "style", &detail, "write colours as #rrggbb"));
    }
    if !style.stops.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0)) {
        problems.push(mistake(layer, "style.stops", "the values do not ascend", "write the lowest value first"));
    }
    let known = |name: &String| {
        layer.attribute(name).is_some() || layer.indicators.iter().any(|i| i.name == *name) || name == "title"
    };
    for name in [&style.by, &style.height, &style.label].into_iter().flatten().filter(|n| !known(n)) {
        let detail = format!("the layer has no attribute \"{name}\"");
        problems.push(mistake(layer, "style", &detail, "add it as [[layer.attribute]] or use another"));
    }
    problems
}

fn is_colour(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text.bytes().skip(1).all(|b| b.is_ascii_hexdigit())
}

fn mistake(layer: &LayerConfig, field: &str, detail: &str, remedy: &str) -> Problem {
    Problem::new(format!("layers.toml: layer \"{}\", {field}", layer.id), detail, remedy)
}

fn toml_problem(text: &str, error: &toml::de::Error) -> Problem {
    let problem = Problem::new("layers.toml", error.message(), "compare with docs or another city's layers.toml");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or("");
            problem.at_line(before.bytes().filter(|b| *b == b'\n').count() as u64 + 1)
        }
        None => problem,
    }
}

/// Who delivers a layer and under which conditions: what `city.toml` says about the source.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
pub struct SourceCard {
    /// The name in `city.toml`.
    pub name: String,
    /// The organisation that publishes the data.
    pub publisher: String,
    /// The licence, as an SPDX id or a name.
    pub licence: String,
    /// Whether the text of the licence was seen.
    pub licence_verified: bool,
    /// The line that must be shown.
    pub attribution: String,
    /// Where the data come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<String>,
    /// What a reader must know about these data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<Text>,
}
