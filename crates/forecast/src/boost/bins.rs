//! Features sorted into bins: one byte for each value, so that a split is found by counting.

use serde::{Deserialize, Serialize};

/// Bin of a missing value; values have the bins from 1.
pub const MISSING: u8 = 0;

/// Bins of a feature, the one for "missing" included.
pub const BINS: usize = 64;

/// The borders between the bins of each feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binner {
    /// For each feature the upper borders of its bins, ascending; a value above the last is in the bin after it.
    borders: Vec<Vec<f32>>,
}

impl Binner {
    /// Chooses borders so that each bin holds about as many of the sample's values. `sample` is one row after another,
    /// each of `features` values; NaN is missing.
    pub fn fit(sample: &[f32], features: usize) -> Self {
        let borders =
            (0..features).map(|feature| borders(sample.iter().skip(feature).step_by(features.max(1)))).collect();
        Self { borders }
    }

    /// How many features there are.
    pub fn feature_count(&self) -> usize {
        self.borders.len()
    }

    /// Writes the bins of one row of values.
    pub fn bin(&self, values: &[f32], bins: &mut [u8]) {
        for ((bin, value), borders) in bins.iter_mut().zip(values).zip(&self.borders) {
            *bin = if value.is_nan() { MISSING } else { 1 + borders.partition_point(|border| border < value) as u8 };
        }
    }
}

fn borders<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.copied().filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f32::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    if distinct.len() < BINS {
        distinct.pop(); // the largest value needs no upper border
        return distinct;
    }
    let parts = BINS - 1;
    let mut borders: Vec<f32> =
        (1..parts).filter_map(|part| values.get(part * values.len() / parts).copied()).collect();
    borders.dedup();
    borders
}

/// A table of bins, row after row: a leaf reads scattered rows, and all features of a row lie together.
pub struct Binned {
    features: usize,
    bins: Vec<u8>,
}

impl Binned {
    /// An empty table for as many features, with room for as many rows.
    pub fn new(features: usize, rows: usize) -> Self {
        Self { features, bins: Vec::with_capacity(features * rows) }
    }

    /// Adds rows of bins, one after another.
    pub fn extend(&mut self, rows: &[u8]) {
        self.bins.extend_from_slice(rows);
    }

    /// How many features there are.
    pub fn feature_count(&self) -> usize {
        self.features
    }

    /// The bins of one row; empty beyond the last.
    pub fn row(&self, row: usize) -> &[u8] {
        self.bins.get(row * self.features..(row + 1) * self.features).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_the_bin_below_their_border_and_missing_has_its_own() {
        let binner = Binner::fit(&[1.0, 2.0, 3.0, f32::NAN], 1);
        let bin = |value: f32| {
            let mut bins = [9];
            binner.bin(&[value], &mut bins);
            bins[0]
        };
        assert_eq!([bin(f32::NAN), bin(0.0), bin(1.0), bin(1.5), bin(2.0), bin(3.0), bin(99.0)], [0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn many_values_fill_no_more_bins_than_there_are() {
        let sample: Vec<f32> = (0..10_000).map(|value| value as f32).collect();
        let binner = Binner::fit(&sample, 1);
        let mut bins = [0];
        binner.bin(&[1e9], &mut bins);
        assert_eq!(usize::from(bins[0]), BINS - 1);
    }
}
