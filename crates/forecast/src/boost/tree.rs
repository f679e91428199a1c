//! One tree: questions about bins, and an answer in each leaf.

use super::bins::{BINS, Binned, MISSING};

/// A question with two ways on, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// The feature asked about.
    pub feature: u16,
    /// Bins up to this one go left.
    pub bin: u8,
    /// Whether a missing value goes left.
    pub missing_left: bool,
    /// The node to the left; the node to the right comes after it. 0 means that this is a leaf: nothing leads back to
    /// the root.
    pub left: u32,
    /// The answer of a leaf.
    pub value: f32,
}

impl Node {
    /// A leaf.
    pub fn leaf(value: f32) -> Self {
        Self { feature: 0, bin: 0, missing_left: false, left: 0, value }
    }

    /// Whether a value in this bin goes left.
    pub fn goes_left(&self, bin: u8) -> bool {
        if bin == MISSING { self.missing_left } else { bin <= self.bin }
    }

    /// Brings the rows that go left to the front, keeping their order; tells how many they are. `spare` is as long as
    /// `rows` at least.
    pub fn part(&self, features: &Binned, rows: &mut [u32], spare: &mut [u32]) -> usize {
        let column = features.column(usize::from(self.feature));
        let ways: [bool; BINS] = std::array::from_fn(|bin| self.goes_left(bin as u8));
        let (mut left, mut right) = (0, 0);
        for at in 0..rows.len() {
            let row = rows[at];
            let goes_left = ways[usize::from(column[row as usize]) % BINS];
            // Both are written, one of them counts: which way a row goes cannot be guessed beforehand.
            rows[left] = row;
            spare[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        rows[left..].copy_from_slice(&spare[..right]);
        left
    }
}

/// A tree, its root first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The nodes; children come after their parent.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// The answer for one row of bins.
    pub fn answer(&self, bins: &[u8]) -> f32 {
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            // A child that is not after its parent would be a circle: a damaged tree ends here.
            if node.left as usize <= at {
                return node.value;
            }
            let bin = bins.get(usize::from(node.feature)).copied().unwrap_or(MISSING);
            at = node.left as usize + usize::from(!node.goes_left(bin));
        }
        0.0
    }

    /// Adds the tree's answer for rows of a table. Changes the order of `rows`; `spare` is as long at least.
    pub fn add_to(&self, features: &Binned, rows: &mut [u32], spare: &mut [u32], answers: &mut [f32]) {
        let mut open = vec![(0_usize, 0_usize, rows.len())];
        while let Some((at, from, to)) = open.pop() {
            let Some(node) = self.nodes.get(at).filter(|_| from < to) else { continue };
            let left = node.left as usize;
            if left <= at {
                rows[from..to].iter().for_each(|row| answers[*row as usize] += node.value);
                continue;
            }
            let middle = from + node.part(features, &mut rows[from..to], spare);
            open.extend([(left, from, middle), (left + 1, middle, to)]);
        }
    }
}
