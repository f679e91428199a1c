//! Growing one tree: the leaf whose best split lowers the loss most is split next.

use super::{
    Lesson, Loss, Settings,
    bins::{BINS, Binned, MISSING},
    quantile_of,
    tree::{Node, Tree},
};

/// Slopes are counted in steps of this size, as whole numbers: sums do not depend on the order of adding.
const SLOPE_STEPS: f64 = 16_384.0;
/// Bits of a packed sum that hold the number of rows.
const ROW_BITS: u32 = 26;

/// Slope and number of rows of one bin in a single number: the slope above, the rows below.
pub type Packed = i64;

/// What one row adds to a packed sum.
pub fn packed(slope: f32) -> Packed {
    ((f64::from(slope) * SLOPE_STEPS) as i64) * (1 << ROW_BITS) + 1
}

/// Sums of the rows in one or more bins.
#[derive(Clone, Copy, Default)]
struct Sum {
    slope: f64,
    rows: u32,
}

impl Sum {
    fn of(packed: Packed) -> Self {
        Self { slope: (packed >> ROW_BITS) as f64 / SLOPE_STEPS, rows: (packed & ((1 << ROW_BITS) - 1)) as u32 }
    }

    /// What a leaf of these rows lowers the loss by.
    fn worth(self, ridge: f64) -> f64 {
        self.slope * self.slope / (f64::from(self.rows) + ridge)
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
    total: Packed,
    sums: Vec<Packed>,
    best: Option<Split>,
}

/// A tree, and where it put the rows that it was grown on.
pub struct Grown {
    pub tree: Tree,
    pub rows: Vec<u32>,
    pub ends: Vec<(usize, f32)>,
}

/// What one tree is grown from.
pub struct Grower<'a> {
    pub lesson: &'a Lesson<'a>,
    pub loss: Loss,
    pub settings: &'a Settings,
    /// What each row adds to a sum.
    pub slopes: &'a [Packed],
    pub answers: &'a [f32],
    pub columns: &'a [usize],
    /// The drawn features of the drawn rows, each row at its place in the lesson.
    pub drawn: &'a [u8],
}

/// Copies the features that a tree may use next to each other, for the rows that it sees.
pub fn draw(features: &Binned, rows: &[u32], columns: &[usize], drawn: &mut Vec<u8>) {
    drawn.resize(features.row_count() * columns.len(), MISSING);
    for row in rows {
        let row = *row as usize;
        let bins = features.row(row);
        let places = &mut drawn[row * columns.len()..(row + 1) * columns.len()];
        places.iter_mut().zip(columns).for_each(|(place, column)| *place = bins[*column]);
    }
}

impl Grower<'_> {
    /// Grows the tree on the drawn rows, and adds what its splits bring to `gain`. Also gives the drawn rows sorted by
    /// leaf, with the end and the answer of each leaf. `spare` is as long as `rows` at least.
    pub fn grow(&self, mut rows: Vec<u32>, spare: &mut [u32], gain: &mut [f32]) -> Grown {
        let mut tree = Tree { nodes: vec![Node::leaf(0.0)] };
        let sums = self.sums(&rows);
        let root = self.leaf(0, 0, rows.len(), sums);
        let mut leaves = vec![root];
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
            let middle = tree.nodes[parent.node].part(self.lesson.features, &mut rows[parent.from..parent.to], spare);
            leaves.extend(self.halves(parent, middle, left, &rows));
        }
        let mut ends = Vec::with_capacity(leaves.len());
        leaves.sort_unstable_by_key(|leaf| leaf.from);
        for leaf in &leaves {
            let value = self.settings.learning_rate * self.value(leaf, &rows);
            tree.nodes[leaf.node].value = value;
            ends.push((leaf.to, value));
        }
        Grown { tree, rows, ends }
    }

    /// The two leaves of a split: the smaller is counted, the larger is what remains.
    fn halves(&self, parent: Leaf, middle: usize, left: usize, rows: &[u32]) -> [Leaf; 2] {
        let middle = parent.from + middle;
        let left_is_smaller = middle - parent.from <= parent.to - middle;
        let counted = if left_is_smaller { &rows[parent.from..middle] } else { &rows[middle..parent.to] };
        let smaller = self.sums(counted);
        let larger = parent.sums.iter().zip(&smaller).map(|(all, part)| all - part).collect();
        let (left_sums, right_sums) = if left_is_smaller { (smaller, larger) } else { (larger, smaller) };
        [self.leaf(left, parent.from, middle, left_sums), self.leaf(left + 1, middle, parent.to, right_sums)]
    }

    fn leaf(&self, node: usize, from: usize, to: usize, sums: Vec<Packed>) -> Leaf {
        let total = sums.iter().take(BINS).sum();
        let best = if to - from >= 2 * self.settings.leaf_rows_min { self.best(&sums, total) } else { None };
        Leaf { node, from, to, total, sums, best }
    }

    /// Sums by bin of each drawn feature, one feature after another.
    fn sums(&self, rows: &[u32]) -> Vec<Packed> {
        let width = self.columns.len();
        let mut sums = vec![0; width * BINS];
        let (of_features, _) = sums.as_chunks_mut::<BINS>();
        for row in rows {
            let row = *row as usize;
            let slope = self.slopes[row];
            for (bin, sums) in self.drawn[row * width..(row + 1) * width].iter().zip(of_features.iter_mut()) {
                sums[usize::from(*bin) % BINS] += slope;
            }
        }
        sums
    }

    /// The split that lowers the loss most, if one does.
    fn best(&self, sums: &[Packed], total: Packed) -> Option<Split> {
        let ridge = f64::from(self.settings.ridge);
        let rows_min = self.settings.leaf_rows_min as u32;
        let whole = Sum::of(total).worth(ridge);
        let mut best: Option<Split> = None;
        for (column, sums) in sums.chunks(BINS).enumerate() {
            let missing = sums[usize::from(MISSING)];
            let ways: &[bool] = if missing == 0 { &[false] } else { &[false, true] };
            for &missing_left in ways {
                let mut below = if missing_left { missing } else { 0 };
                for (bin, sum) in sums.iter().enumerate().skip(1) {
                    below += sum;
                    let (left, right) = (Sum::of(below), Sum::of(total - below));
                    if left.rows < rows_min || *sum == 0 {
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

    /// The answer of a leaf before the learning rate.
    fn value(&self, leaf: &Leaf, rows: &[u32]) -> f32 {
        match self.loss {
            Loss::Huber { .. } => {
                let total = Sum::of(leaf.total);
                (-total.slope / (f64::from(total.rows) + f64::from(self.settings.ridge))) as f32
            }
            Loss::Quantile { level } => {
                let left_over = |row: &u32| self.lesson.targets[*row as usize] - self.answers[*row as usize];
                let mut values: Vec<f32> = rows[leaf.from..leaf.to].iter().map(left_over).collect();
                quantile_of(&mut values, level).unwrap_or(0.0)
            }
        }
    }
}
