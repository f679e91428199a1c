//! The catalogue of layers, as the web app reads it: what each shows, how it looks, whose data it is.

use model::{BoundingBox, Origin, unit_of};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    AttributeConfig, AttributeKind, Category, Delivery, LayerConfig, LayerKind, SourceCard, Stop, StyleConfig,
    StyleKind, Text, shapes::OriginShape,
};

/// The headings and layers of a city.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Catalogue {
    /// The headings, in order.
    pub groups: Vec<Group>,
    /// The layers that the reader may see, in drawing order.
    pub layers: Vec<Layer>,
}

/// A heading.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Group {
    /// What layers refer to.
    pub id: String,
    /// The heading.
    pub title: Text,
}

/// One layer as the web app reads it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The name in addresses.
    pub id: String,
    /// The heading it stands under.
    pub group: String,
    /// What a person reads.
    pub title: Text,
    /// What it shows and what it does not.
    pub description: Text,
    /// The short type of its entities.
    pub entity_type: String,
    /// The shape that it is drawn in.
    pub kind: LayerKind,
    /// How it reaches the map.
    pub delivery: Delivery,
    /// The address of its tiles.
    pub tiles: String,
    /// The address of the description of its tiles.
    pub tile_json: String,
    /// The address of its features.
    pub features: String,
    /// The name of the layer inside a tile.
    pub source_layer: String,
    /// The first zoom level at which it is drawn.
    pub min_zoom: u8,
    /// The deepest zoom level with tiles of their own.
    pub max_zoom: u8,
    /// Whether the map shows it at first.
    pub visible: bool,
    /// Whether its values change while one looks at it.
    pub live: bool,
    /// How many things it has.
    pub count: u64,
    /// West, south, east, north of its things.
    #[schema(required, value_type = Option<(f64, f64, f64, f64)>)]
    pub bounds: Option<[f64; 4]>,
    /// How it looks.
    pub style: LayerStyle,
    /// The attributes that it shows.
    pub attributes: Vec<LayerAttribute>,
    /// Whose data it is.
    pub source: SourceCard,
    /// How its values come to be.
    #[schema(value_type = OriginShape)]
    pub origin: Origin,
    /// What the data do not allow.
    pub limits: Vec<Text>,
}

/// How a layer looks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerStyle {
    /// The attribute that gives the colour.
    #[schema(required)]
    pub by: Option<String>,
    /// How values become colours.
    pub kind: StyleKind,
    /// Ascending values with their colours.
    #[schema(value_type = Vec<(f64, String)>)]
    pub stops: Vec<Stop>,
    /// Names with their colours.
    pub categories: Vec<Category>,
    /// The colour where nothing else decides.
    pub color: String,
    /// The colour of "no data".
    pub color_no_data: String,
    /// Radius of a point or width of a line, CSS pixels at zoom 14.
    pub radius: f64,
    /// The name of an icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub icon: Option<String>,
    /// The attribute that gives the height, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<String>,
    /// The attribute that is written beside a thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<String>,
}

/// One attribute of a layer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerAttribute {
    /// The short name.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The symbol of the unit.
    pub unit: String,
    /// The UN/CEFACT code of the unit.
    #[schema(required)]
    pub unit_code: Option<String>,
    /// What its values are.
    pub kind: AttributeKind,
    /// Whether it has a chart.
    pub history: bool,
    /// Whether areas may be coloured by it.
    pub indicator: bool,
    /// Its values in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<LayerWord>,
}

/// One value in words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LayerWord {
    /// The value in the data.
    pub value: String,
    /// What a person reads.
    pub label: Text,
}

impl Layer {
    /// A layer with what is counted in the store and known of its source.
    #[must_use]
    pub fn of(config: &LayerConfig, count: u64, bounds: Option<BoundingBox>, source: SourceCard) -> Self {
        let id = &config.id;
        let computed = config.indicators.iter().map(|i| LayerAttribute {
            name: i.name.clone(),
            label: i.label.clone(),
            unit: i.unit.clone(),
            unit_code: None,
            kind: AttributeKind::Number,
            history: false,
            indicator: true,
            words: vec![],
        });
        Self {
            id: id.clone(),
            group: config.group.clone(),
            title: config.title.clone(),
            description: config.description.clone(),
            entity_type: config.entity_type.clone(),
            kind: config.kind,
            delivery: config.delivery,
            tiles: format!("/tiles/v1/{id}/{{z}}/{{x}}/{{y}}.mvt"),
            tile_json: format!("/tiles/v1/{id}/tilejson.json"),
            features: format!("/api/v1/layers/{id}/features"),
            source_layer: id.clone(),
            min_zoom: config.min_zoom,
            max_zoom: config.max_zoom,
            visible: config.visible,
            live: config.live,
            count,
            bounds: bounds.map(|b| [b.west, b.south, b.east, b.north]),
            style: LayerStyle::of(&config.style),
            attributes: config.attributes.iter().map(LayerAttribute::of).chain(computed).collect(),
            source,
            origin: config.origin,
            limits: config.limits.clone(),
        }
    }
}

impl LayerStyle {
    fn of(style: &StyleConfig) -> Self {
        let style = style.clone();
        Self {
            by: style.by,
            kind: style.kind,
            stops: style.stops,
            categories: style.categories,
            color: style.color,
            color_no_data: style.color_no_data,
            radius: style.radius,
            icon: style.icon,
            height: style.height,
            label: style.label,
        }
    }
}

impl LayerAttribute {
    fn of(attribute: &AttributeConfig) -> Self {
        let symbol = attribute.unit_code.as_deref().map(|code| unit_of(code).map_or(code, |u| u.symbol));
        Self {
            name: attribute.name.clone(),
            label: attribute.label.clone(),
            unit: symbol.unwrap_or_default().to_owned(),
            unit_code: attribute.unit_code.clone(),
            kind: attribute.kind,
            history: attribute.history,
            indicator: attribute.indicator,
            words: attribute
                .words
                .iter()
                .map(|w| LayerWord { value: w.value.clone(), label: w.label.clone() })
                .collect(),
        }
    }
}
