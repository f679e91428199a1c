//! The Mapbox Vector Tile format, version 2.1: <https://github.com/mapbox/vector-tile-spec/tree/master/2.1>.

use std::collections::HashMap;

use prost::Message;
use serde_json::Value;

use super::shape::{Cell, TileShape};

/// A vector tile as it travels.
#[derive(Clone, PartialEq, Message)]
pub struct Tile {
    /// Its layers; Polder puts one layer in each tile.
    #[prost(message, repeated, tag = "3")]
    pub layers: Vec<TileLayer>,
}

/// The things of one layer, with the keys and values that they share.
#[derive(Clone, PartialEq, Message)]
pub struct TileLayer {
    /// Version of the format: 2.
    #[prost(uint32, required, tag = "15")]
    pub version: u32,
    /// The layer's id.
    #[prost(string, required, tag = "1")]
    pub name: String,
    /// The things.
    #[prost(message, repeated, tag = "2")]
    pub features: Vec<TileFeature>,
    /// The names of properties.
    #[prost(string, repeated, tag = "3")]
    pub keys: Vec<String>,
    /// The values of properties.
    #[prost(message, repeated, tag = "4")]
    pub values: Vec<TileValue>,
    /// Units along one side.
    #[prost(uint32, optional, tag = "5")]
    pub extent: Option<u32>,
}

/// One thing.
#[derive(Clone, PartialEq, Message)]
pub struct TileFeature {
    /// Pairs of positions in `keys` and `values`.
    #[prost(uint32, repeated, tag = "2")]
    pub tags: Vec<u32>,
    /// 1 point, 2 line, 3 polygon.
    #[prost(uint32, optional, tag = "3")]
    pub kind: Option<u32>,
    /// Commands and zigzag distances.
    #[prost(uint32, repeated, tag = "4")]
    pub geometry: Vec<u32>,
}

/// One value; exactly one field is set.
#[derive(Clone, PartialEq, Message)]
pub struct TileValue {
    /// Text.
    #[prost(string, optional, tag = "1")]
    pub string: Option<String>,
    /// A number with a fraction.
    #[prost(double, optional, tag = "3")]
    pub double: Option<f64>,
    /// A whole number, written as zigzag.
    #[prost(sint64, optional, tag = "6")]
    pub sint: Option<i64>,
    /// A truth value.
    #[prost(bool, optional, tag = "7")]
    pub bool: Option<bool>,
}

/// Collects things and writes the tile.
pub struct TileBuilder {
    layer: TileLayer,
    keys: HashMap<String, u32>,
    values: HashMap<String, u32>,
}

impl TileBuilder {
    /// An empty tile with one layer.
    #[must_use]
    pub fn new(layer: &str) -> Self {
        let layer = TileLayer { version: 2, name: layer.to_owned(), extent: Some(4096), ..TileLayer::default() };
        Self { layer, keys: HashMap::new(), values: HashMap::new() }
    }

    /// Adds one thing. Values without a form in a tile (`null`, lists, objects) are left out.
    pub fn add<'a>(&mut self, shape: &TileShape, properties: impl IntoIterator<Item = (&'a str, &'a Value)>) {
        let mut tags = vec![];
        for (key, value) in properties {
            let Some(encoded) = encode_value(value) else { continue };
            tags.push(self.key(key));
            tags.push(self.value(value, encoded));
        }
        let (kind, geometry) = encode_shape(shape);
        self.layer.features.push(TileFeature { tags, kind: Some(kind), geometry });
    }

    /// The finished tile; empty when nothing was added (an empty tile is zero bytes).
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        if self.layer.features.is_empty() {
            return vec![];
        }
        Tile { layers: vec![self.layer] }.encode_to_vec()
    }

    fn key(&mut self, key: &str) -> u32 {
        if let Some(place) = self.keys.get(key) {
            return *place;
        }
        let place = count(self.layer.keys.len());
        self.layer.keys.push(key.to_owned());
        self.keys.insert(key.to_owned(), place);
        place
    }

    fn value(&mut self, value: &Value, encoded: TileValue) -> u32 {
        let text = value.to_string();
        if let Some(place) = self.values.get(&text) {
            return *place;
        }
        let place = count(self.layer.values.len());
        self.layer.values.push(encoded);
        self.values.insert(text, place);
        place
    }
}

fn encode_value(value: &Value) -> Option<TileValue> {
    let none = TileValue::default();
    match value {
        Value::String(text) => Some(TileValue { string: Some(text.clone()), ..none }),
        Value::Bool(truth) => Some(TileValue { bool: Some(*truth), ..none }),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(TileValue { sint: Some(whole), ..none }),
            None => Some(TileValue { double: number.as_f64(), ..none }),
        },
        _ => None,
    }
}

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

fn command(id: u32, times: usize) -> u32 {
    (id & 7) | (count(times) << 3)
}

/// A count that a tile can hold; tiles are bounded far below 2^29 of anything.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX >> 3)
}

fn encode_shape(shape: &TileShape) -> (u32, Vec<u32>) {
    let mut pen = Pen { at: (0, 0), out: vec![] };
    match shape {
        TileShape::Points(points) => {
            pen.out.push(command(MOVE_TO, points.len()));
            points.iter().for_each(|p| pen.go(*p));
            (1, pen.out)
        }
        TileShape::Lines(lines) => {
            lines.iter().for_each(|line| pen.path(line));
            (2, pen.out)
        }
        TileShape::Areas(areas) => {
            for ring in areas.iter().flatten() {
                pen.path(ring);
                pen.out.push(command(CLOSE_PATH, 1));
            }
            (3, pen.out)
        }
    }
}

/// Writes distances from the last position.
struct Pen {
    at: Cell,
    out: Vec<u32>,
}

impl Pen {
    fn go(&mut self, to: Cell) {
        for distance in [to.0 - self.at.0, to.1 - self.at.1] {
            #[expect(clippy::cast_sign_loss, reason = "zigzag: the sign moves to the last bit")]
            self.out.push(((distance << 1) ^ (distance >> 31)) as u32);
        }
        self.at = to;
    }

    fn path(&mut self, positions: &[Cell]) {
        let [first, rest @ ..] = positions else { return };
        self.out.push(command(MOVE_TO, 1));
        self.go(*first);
        self.out.push(command(LINE_TO, rest.len()));
        rest.iter().for_each(|p| self.go(*p));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_encoded_as_it_says() {
        // Section 4.3.5 of the specification.
        assert_eq!(encode_shape(&TileShape::Points(vec![(25, 17)])), (1, vec![9, 50, 34]));
        assert_eq!(encode_shape(&TileShape::Points(vec![(5, 7), (3, 2)])), (1, vec![17, 10, 14, 3, 9]));
        let line = TileShape::Lines(vec![vec![(2, 2), (2, 10), (10, 10)]]);
        assert_eq!(encode_shape(&line), (2, vec![9, 4, 4, 18, 0, 16, 16, 0]));
        let area = TileShape::Areas(vec![vec![vec![(3, 6), (8, 12), (20, 34)]]]);
        assert_eq!(encode_shape(&area), (3, vec![9, 6, 12, 18, 10, 12, 24, 44, 15]));
    }

    #[test]
    fn equal_keys_and_values_are_written_once_and_null_not_at_all() {
        let mut builder = TileBuilder::new("trees");
        let (oak, none) = (json!("eik"), json!(null));
        for x in 0..3 {
            builder.add(&TileShape::Points(vec![(x, 0)]), [("species", &oak), ("year", &none)]);
        }
        let tile = Tile::decode(builder.finish().as_slice()).unwrap();
        let layer = &tile.layers[0];
        assert_eq!((layer.keys.len(), layer.values.len(), layer.features.len()), (1, 1, 3));
        assert_eq!(layer.version, 2);
    }

    #[test]
    fn a_tile_without_things_is_zero_bytes() {
        assert!(TileBuilder::new("trees").finish().is_empty());
    }
}
