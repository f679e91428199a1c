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
    /// The node to the left; the node to the right comes after it. 0 means that this is a leaf: nothing leads back to the root.
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
        self.follow(|feature| bins.get(feature).copied().unwrap_or(MISSING))
    }

    /// Adds the tree's answer for those rows of a table that are marked, on two threads.
    pub fn add_to(&self, features: &Binned, marked: &[bool], answers: &mut [f32]) {
        let columns: Vec<&[u8]> = (0..features.feature_count()).map(|feature| features.column(feature)).collect();
        let half = answers.len() / 2;
        let (first, second) = answers.split_at_mut(half);
        let add = |answers: &mut [f32], offset: usize| {
            let marked = &marked[offset..];
            for (row, answer) in answers.iter_mut().enumerate().filter(|(row, _)| marked[*row]) {
                let bin = |feature: usize| columns.get(feature).and_then(|c| c.get(row + offset)).copied();
                *answer += self.follow(|feature| bin(feature).unwrap_or(MISSING));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| add(first, 0));
            add(second, half);
        });
    }

    fn follow(&self, bin_of: impl Fn(usize) -> u8) -> f32 {
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            // A child that is not after its parent would be a circle: a damaged tree ends here.
            if node.left as usize <= at {
                return node.value;
            }
            at = node.left as usize + usize::from(!node.goes_left(bin_of(usize::from(node.feature))));
        }
        0.0
    }
}
