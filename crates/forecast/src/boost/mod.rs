//! Gradient boosting on histograms: trees grown leaf by leaf on features sorted into at most 63 bins and one for
//! "missing".
//!
//! The method is that of Friedman (2001), with the histograms and best-first growth of LightGBM (Ke et al., 2017) and
//! two things that city series need. Rows of one *group* (a day) are drawn into a tree together or not at all, because
//! the hours of one day share one surprise, and a tree that saw 23 of them has seen the day. And the leaves of a
//! quantile loss take the quantile of what is left in them, so that a level of 0.9 means what it says.

mod bins;
mod grow;
mod tree;

pub use bins::{Binned, Binner};
pub use tree::{Node, Tree};

use grow::{Grower, Packed, packed};

/// What a forest minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Squared up to `delta`, absolute beyond: a mean that outliers cannot drag along.
    Huber {
        /// Where squared becomes absolute, in units of the target.
        delta: f32,
    },
    /// The pinball loss of one quantile.
    Quantile {
        /// The level, between 0 and 1.
        level: f32,
    },
}

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Number of trees.
    pub trees: usize,
    /// Leaves of each tree, at most.
    pub leaves: usize,
    /// Rows in a leaf, at least.
    pub leaf_rows_min: usize,
    /// Share of each tree's answer that is taken.
    pub learning_rate: f32,
    /// Share of the features that a tree may use.
    pub feature_share: f32,
    /// Share of the groups of rows that a tree sees.
    pub group_share: f32,
    /// Weight of the pull of each leaf towards zero, in rows.
    pub ridge: f32,
    /// Where the draws begin; the same seed gives the same forest on any number of threads.
    pub seed: u64,
}

/// Trees whose answers add up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forest {
    /// The answer before the first tree.
    pub start: f32,
    /// The trees, the learning rate already in their leaves.
    pub trees: Vec<Tree>,
    /// For each feature, how much its splits lowered the loss in training.
    pub gain: Vec<f32>,
}

/// Rows to learn from: binned features, targets, and the group (day) of each row.
pub struct Lesson<'a> {
    /// The features of each row.
    pub features: &'a Binned,
    /// The target of each row; finite.
    pub targets: &'a [f32],
    /// The group of each row.
    pub groups: &'a [u32],
}

impl Forest {
    /// Grows a forest. The answer depends on the lesson, the loss and the settings alone.
    pub fn grow(lesson: &Lesson<'_>, loss: Loss, settings: &Settings) -> Self {
        let rows = lesson.targets.len();
        let features = lesson.features.feature_count();
        let mut forest = Self { start: start(lesson, loss), trees: Vec::new(), gain: vec![0.0; features] };
        if rows == 0 {
            return forest;
        }
        let mut answers = vec![forest.start; rows];
        let mut slopes = vec![0; rows];
        let mut spare = vec![0_u32; rows];
        let mut table = Vec::new();
        for number in 0..settings.trees {
            write_slopes(lesson, loss, &answers, &mut slopes);
            let (seen, mut others) = draw_rows(lesson.groups, settings, number);
            let columns = draw_features(features, settings, number);
            grow::draw(lesson.features, &seen, &columns, &mut table);
            let (slopes, answers_before, drawn) = (&slopes[..], &answers[..], &table[..]);
            let grower = Grower { lesson, loss, settings, slopes, answers: answers_before, columns: &columns, drawn };
            let grown = grower.grow(seen, &mut spare, &mut forest.gain);
            let mut from = 0;
            for (to, value) in grown.ends {
                grown.rows[from..to].iter().for_each(|row| answers[*row as usize] += value);
                from = to;
            }
            grown.tree.add_to(lesson.features, &mut others, &mut spare, &mut answers);
            forest.trees.push(grown.tree);
        }
        forest
    }

    /// The answer for one row of bins.
    pub fn answer(&self, bins: &[u8]) -> f32 {
        self.start + self.trees.iter().map(|tree| tree.answer(bins)).sum::<f32>()
    }

    /// Adds the answers for rows of bins, one after another, each of `width` bins. A tree is asked for many rows at
    /// once, so that it stays in the nearest cache.
    pub fn add_answers(&self, rows: &[u8], width: usize, answers: &mut [f32]) {
        let width = width.max(1);
        for (rows, answers) in rows.chunks(width * ROWS_AT_ONCE).zip(answers.chunks_mut(ROWS_AT_ONCE)) {
            let mut sums = [0.0_f32; ROWS_AT_ONCE];
            for tree in &self.trees {
                rows.chunks_exact(width).zip(&mut sums).for_each(|(bins, sum)| *sum += tree.answer(bins));
            }
            answers.iter_mut().zip(sums).for_each(|(answer, sum)| *answer += self.start + sum);
        }
    }
}

/// Rows that a tree answers for at once.
const ROWS_AT_ONCE: usize = 128;

/// The constant with which the boosting begins: the quantile, or the median for the robust mean.
fn start(lesson: &Lesson<'_>, loss: Loss) -> f32 {
    let level = match loss {
        Loss::Huber { .. } => 0.5,
        Loss::Quantile { level } => level,
    };
    quantile_of(&mut lesson.targets.to_vec(), level).unwrap_or(0.0)
}

/// The quantile of values, the lower neighbour where it falls between two; `None` without any. Changes their order.
fn quantile_of(values: &mut [f32], level: f32) -> Option<f32> {
    let at = ((values.len().checked_sub(1)?) as f32 * level) as usize;
    Some(*values.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// The slope of the loss at each row's answer, as it enters sums.
fn write_slopes(lesson: &Lesson<'_>, loss: Loss, answers: &[f32], slopes: &mut [Packed]) {
    for (slope, (target, answer)) in slopes.iter_mut().zip(lesson.targets.iter().zip(answers)) {
        let over = answer - target;
        *slope = packed(match loss {
            Loss::Huber { delta } => over.clamp(-delta, delta),
            Loss::Quantile { level } if over >= 0.0 => 1.0 - level,
            Loss::Quantile { level } => -level,
        });
    }
}

/// The rows whose group this tree sees, and the others, each in order.
fn draw_rows(groups: &[u32], settings: &Settings, tree: usize) -> (Vec<u32>, Vec<u32>) {
    let limit = (f64::from(settings.group_share) * f64::from(u32::MAX)) as u64;
    let seed = scramble(settings.seed ^ scramble(tree as u64 + 1));
    let seen = |group: u32| scramble(seed ^ u64::from(group)) >> 32 <= limit;
    let (rows, others): (Vec<u32>, Vec<u32>) = (0..groups.len() as u32).partition(|row| seen(groups[*row as usize]));
    if rows.is_empty() { (others, rows) } else { (rows, others) }
}

/// The features this tree may use, in order; at least one.
fn draw_features(features: usize, settings: &Settings, tree: usize) -> Vec<usize> {
    let seed = scramble(settings.seed.wrapping_add(0x5EED) ^ scramble(tree as u64 + 1));
    let mut drawn: Vec<(u64, usize)> = (0..features).map(|f| (scramble(seed ^ (f as u64 + 1)), f)).collect();
    drawn.sort_unstable();
    drawn.truncate(((features as f32 * settings.feature_share).ceil() as usize).clamp(1, features.max(1)));
    let mut columns: Vec<usize> = drawn.into_iter().map(|(_, feature)| feature).collect();
    columns.sort_unstable();
    columns
}

/// A well-mixed number from a number (the finaliser of SplitMix64, Steele et al., 2014).
pub fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
