//! A model as bytes, and back: it is trained by one process and asked by another.
//!
//! Layout, little-endian: the eight bytes `PLDFORE1`; the length of a JSON header as u64, and the header (features,
//! bins, training, the shape of the bands); then forest by forest the start, the gains and the trees, each node in
//! twelve bytes.

use serde::{Deserialize, Serialize};

use crate::{
    boost::{Binner, Forest, Node, Tree},
    expert::Expert,
    model::{Band, Model, Training},
};

const MAGIC: &[u8; 8] = b"PLDFORE1";

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoringError {
    /// They do not begin as a model does.
    #[error("these bytes are not a forecast model of this version; train it again")]
    NotAModel,
    /// They end too soon, or say more than they hold.
    #[error("the forecast model is damaged at byte {0}; train it again")]
    Damaged(usize),
    /// The header does not read.
    #[error("the header of the forecast model does not read: {0}; train it again")]
    Header(String),
}

#[derive(Serialize, Deserialize)]
struct Header {
    features: Vec<String>,
    binner: Binner,
    training: Training,
    bands: Vec<BandShape>,
}

#[derive(Serialize, Deserialize)]
struct BandShape {
    lead_end: usize,
    middle: usize,
    expert: Expert,
}

impl Model {
    /// The model as bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoringError> {
        let header = Header {
            features: self.features.clone(),
            binner: self.binner.clone(),
            training: self.training.clone(),
            bands: self
                .bands
                .iter()
                .map(|b| BandShape { lead_end: b.lead_end, middle: b.middle.len(), expert: b.expert.clone() })
                .collect(),
        };
        let header = serde_json::to_vec(&header).map_err(|error| StoringError::Header(error.to_string()))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        for band in &self.bands {
            for forest in band.middle.iter().chain([&band.low, &band.high]) {
                write_forest(forest, &mut bytes);
            }
        }
        Ok(bytes)
    }

    /// The model of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoringError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoringError::NotAModel)?;
        let mut reader = Reader { bytes: rest, at: 0 };
        let length = u64::from_le_bytes(reader.take()?);
        let header = reader.slice(usize::try_from(length).map_err(|_| StoringError::Damaged(8))?)?;
        let header: Header = serde_json::from_slice(header).map_err(|error| StoringError::Header(error.to_string()))?;
        let mut bands = Vec::new();
        for shape in header.bands {
            let mut middle = Vec::new();
            for _ in 0..shape.middle {
                middle.push(reader.forest()?);
            }
            bands.push(Band {
                lead_end: shape.lead_end,
                expert: shape.expert,
                middle,
                low: reader.forest()?,
                high: reader.forest()?,
            });
        }
        if reader.at != rest.len() {
            return Err(StoringError::Damaged(reader.at + MAGIC.len()));
        }
        Ok(Self { features: header.features, binner: header.binner, bands, training: header.training })
    }
}

fn write_forest(forest: &Forest, bytes: &mut Vec<u8>) {
    bytes.extend(forest.start.to_le_bytes());
    bytes.extend((forest.gain.len() as u32).to_le_bytes());
    forest.gain.iter().for_each(|gain| bytes.extend(gain.to_le_bytes()));
    bytes.extend((forest.trees.len() as u32).to_le_bytes());
    for tree in &forest.trees {
        bytes.extend((tree.nodes.len() as u32).to_le_bytes());
        for node in &tree.nodes {
            bytes.extend(node.feature.to_le_bytes());
            bytes.extend([node.bin, u8::from(node.missing_left)]);
            bytes.extend(node.left.to_le_bytes());
            bytes.extend(node.value.to_le_bytes());
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn slice(&mut self, length: usize) -> Result<&'a [u8], StoringError> {
        let end = self.at.checked_add(length).ok_or(StoringError::Damaged(self.at))?;
        let slice = self.bytes.get(self.at..end).ok_or(StoringError::Damaged(self.at))?;
        self.at = end;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoringError> {
        let at = self.at;
        self.slice(N)?.try_into().map_err(|_| StoringError::Damaged(at))
    }

    /// A count of things of which each takes at least `size` bytes: a damaged count cannot ask for more memory than
    /// there are bytes.
    fn count(&mut self, size: usize) -> Result<usize, StoringError> {
        let at = self.at;
        let count = u32::from_le_bytes(self.take()?) as usize;
        if count.saturating_mul(size) > self.bytes.len() { Err(StoringError::Damaged(at)) } else { Ok(count) }
    }

    fn forest(&mut self) -> Result<Forest, StoringError> {
        let start = f32::from_le_bytes(self.take()?);
        let gains = self.count(4)?;
        let gain = (0..gains).map(|_| Ok(f32::from_le_bytes(self.take()?))).collect::<Result<_, StoringError>>()?;
        let trees = self.count(4)?;
        let trees = (0..trees).map(|_| self.tree()).collect::<Result<_, _>>()?;
        Ok(Forest { start, trees, gain })
    }

    fn tree(&mut self) -> Result<Tree, StoringError> {
        let nodes = self.count(12)?;
        let nodes = (0..nodes).map(|_| self.node()).collect::<Result<_, _>>()?;
        Ok(Tree { nodes })
    }

    fn node(&mut self) -> Result<Node, StoringError> {
        let feature = u16::from_le_bytes(self.take()?);
        let [bin, missing_left] = self.take()?;
        let left = u32::from_le_bytes(self.take()?);
        Ok(Node { feature, bin, missing_left: missing_left != 0, left, value: f32::from_le_bytes(self.take()?) })
    }
}
