//! Growing one tree: the leaf whose best split lowers the loss most is split next.

use super::{
    Lesson, Loss, Settings,
    bins::{BINS, MISSING},
    quantile_of,
    tree::{Node, Tree},
};

/// Rows below which a second thread costs more than it brings.
const ROWS_FOR_TWO_THREADS: usize = 8_192;

/// Sums of the rows in one bin.
#[derive(Clone, Copy, Default)]
struct Sum {
    slope: f64,
    weight: f64,
    rows: u32,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self { slope: self.slope + other.slope, weight: self.weight + other.weight, rows: self.rows + other.rows }
    }

    fn minus(self, other: Self) -> Self {
        Self { slope: self.slope - other.slope, weight: self.weight - other.weight, rows: self.rows - other.rows }
    }

    /// What a leaf of these rows lowers the loss by.
    fn worth(self, ridge: f64) -> f64 {
        self.slope * self.slope / (self.weight + ridge)
    }
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    column: usize,
    bin: u8,
    missing_left: bool,
}

/// A leaf that may still be split.
struct Leaf {
    node: usize,
    from: usize,
    to: usize,
    total: Sum,
    sums: Vec<Sum>,
    best: Option<Split>,
}

/// What one tree is grown from.
pub struct Grower<'a> {
    pub lesson: &'a Lesson<'a>,
    pub loss: Loss,
    pub settings: &'a Settings,
    pub gradients: &'a [f32],
    pub answers: &'a [f32],
    pub columns: &'a [usize],
}

impl Grower<'_> {
    /// Grows the tree on the drawn rows and adds what its splits bring to `gain`.
    pub fn grow(&self, mut rows: Vec<u32>, gain: &mut [f32]) -> Tree {
        let mut tree = Tree { nodes: vec![Node::leaf(0.0)] };
        let sums = self.sums(&rows);
        let root = self.leaf(0, 0, rows.len(), sums);
        let mut leaves = vec![root];
        let mut spare = vec![0_u32; rows.len()];
        while leaves.len() < self.settings.leaves {
            let best = leaves.iter().enumerate().filter_map(|(at, leaf)| leaf.best.map(|split| (at, split.gain)));
            let Some((at, _)) = best.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))) else { break };
            let parent = leaves.swap_remove(at);
            let Some(split) = parent.best else { break };
            let feature = self.columns[split.column];
            gain[feature] += split.gain as f32;
            let left = tree.nodes.len();
            tree.nodes[parent.node] = Node {
                feature: feature as u16,
                bin: split.bin,
                missing_left: split.missing_left,
                left: left as u32,
                value: 0.0,
            };
            tree.nodes.extend([Node::leaf(0.0); 2]);
            let middle = self.part(&mut rows[parent.from..parent.to], &mut spare, &tree.nodes[parent.node]);
            leaves.extend(self.halves(parent, middle, left, &rows));
        }
        for leaf in &leaves {
            tree.nodes[leaf.node].value = self.settings.learning_rate * self.value(leaf, &rows);
        }
        tree
    }

    /// The two leaves of a split: the smaller is counted, the larger is what remains.
    fn halves(&self, parent: Leaf, middle: usize, left: usize, rows: &[u32]) -> [Leaf; 2] {
        let middle = parent.from + middle;
        let left_is_smaller = middle - parent.from <= parent.to - middle;
        let counted = if left_is_smaller { &rows[parent.from..middle] } else { &rows[middle..parent.to] };
        let smaller = self.sums(counted);
        let larger = parent.sums.iter().zip(&smaller).map(|(all, part)| all.minus(*part)).collect();
        let (left_sums, right_sums) = if left_is_smaller { (smaller, larger) } else { (larger, smaller) };
        [
            self.leaf(left, parent.from, middle, left_sums),
            self.leaf(left + 1, middle, parent.to, right_sums),
        ]
    }

    fn leaf(&self, node: usize, from: usize, to: usize, sums: Vec<Sum>) -> Leaf {
        let total = sums.iter().take(BINS).fold(Sum::default(), |total, sum| total.plus(*sum));
        let best = if to - from >= 2 * self.settings.leaf_rows_min { self.best(&sums, total) } else { None };
        Leaf { node, from, to, total, sums, best }
    }

    /// Sums by bin of each drawn feature, one feature after another.
    fn sums(&self, rows: &[u32]) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.columns.len() * BINS];
        let slopes: Vec<(f32, f32)> =
            rows.iter().map(|row| (self.gradients[*row as usize], self.lesson.weights[*row as usize])).collect();
        let count = |columns: &[usize], sums: &mut [Sum]| {
            for (column, sums) in columns.iter().zip(sums.chunks_mut(BINS)) {
                let bins = self.lesson.features.column(*column);
                for (row, (slope, weight)) in rows.iter().zip(&slopes) {
                    let sum = &mut sums[usize::from(bins[*row as usize]) % BINS];
                    sum.slope += f64::from(*slope);
                    sum.weight += f64::from(*weight);
                    sum.rows += 1;
                }
            }
        };
        if rows.len() < ROWS_FOR_TWO_THREADS {
            count(self.columns, &mut sums);
            return sums;
        }
        let half = self.columns.len() / 2;
        let (first, second) = sums.split_at_mut(half * BINS);
        std::thread::scope(|scope| {
            scope.spawn(|| count(&self.columns[..half], first));
            count(&self.columns[half..], second);
        });
        sums
    }

    /// The split that lowers the loss most, if one does.
    fn best(&self, sums: &[Sum], total: Sum) -> Option<Split> {
        let ridge = f64::from(self.settings.ridge);
        let rows_min = self.settings.leaf_rows_min as u32;
        let whole = total.worth(ridge);
        let mut best: Option<Split> = None;
        for (column, sums) in sums.chunks(BINS).enumerate() {
            let missing = sums[usize::from(MISSING)];
            let ways: &[bool] = if missing.rows == 0 { &[false] } else { &[false, true] };
            for &missing_left in ways {
                let mut left = if missing_left { missing } else { Sum::default() };
                for (bin, sum) in sums.iter().enumerate().skip(1) {
                    left = left.plus(*sum);
                    let right = total.minus(left);
                    if left.rows < rows_min || sum.rows == 0 {
                        continue;
                    }
                    if right.rows < rows_min {
                        break;
                    }
                    let gain = left.worth(ridge) + right.worth(ridge) - whole;
                    if gain > best.map_or(1e-9, |best| best.gain) {
                        best = Some(Split { gain, column, bin: bin as u8, missing_left });
                    }
                }
            }
        }
        best
    }

    /// Brings the rows that go left to the front, keeping their order; tells how many they are.
    fn part(&self, rows: &mut [u32], spare: &mut [u32], node: &Node) -> usize {
        let bins = self.lesson.features.column(usize::from(node.feature));
        let (mut left, mut right) = (0, 0);
        for at in 0..rows.len() {
            let row = rows[at];
            if node.goes_left(bins[row as usize]) {
                rows[left] = row;
                left += 1;
            } else {
                spare[right] = row;
                right += 1;
            }
        }
        rows[left..].copy_from_slice(&spare[..right]);
        left
    }

    /// The answer of a leaf before the learning rate.
    fn value(&self, leaf: &Leaf, rows: &[u32]) -> f32 {
        match self.loss {
            Loss::Huber { .. } => (-leaf.total.slope / (leaf.total.weight + f64::from(self.settings.ridge))) as f32,
            Loss::Quantile { level } => {
                let left_over = |row: u32| self.lesson.targets[row as usize] - self.answers[row as usize];
                let mut values: Vec<(f32, f32)> = rows[leaf.from..leaf.to]
                    .iter()
                    .map(|row| (left_over(*row), self.lesson.weights[*row as usize]))
                    .collect();
                quantile_of(&mut values, level).unwrap_or(0.0)
            }
        }
    }
}
