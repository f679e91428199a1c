//! One tree: questions about bins, and an answer in each leaf.

use super::bins::{Binned, MISSING};

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

    /// Adds the tree's answer for those rows of a table that are marked, on two threads.
    pub fn add_to(&self, features: &Binned, marked: &[bool], answers: &mut [f32]) {
        let half = answers.len() / 2;
        let (first, second) = answers.split_at_mut(half);
        let add = |answers: &mut [f32], offset: usize| {
            for (row, answer) in answers.iter_mut().enumerate().filter(|(row, _)| marked[row + offset]) {
                *answer += self.answer(features.row(row + offset));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| add(first, 0));
            add(second, half);
        });
    }
}
