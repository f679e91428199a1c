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

/// A table of bins, kept twice: row after row, because a histogram reads all features of scattered rows, and column
/// after column, because a split reads one feature of many rows.
pub struct Binned {
    features: usize,
    rows: usize,
    by_row: Vec<u8>,
    by_column: Vec<u8>,
}

/// Rows that are turned at once: they and their columns stay in the nearest cache.
const TURNED_ROWS: usize = 64;

impl Binned {
    /// The table of rows of bins, one after another, each of `features` bins. A row that is not whole is left out.
    pub fn from_rows(features: usize, by_row: Vec<u8>) -> Self {
        let rows = by_row.len() / features.max(1);
        let mut by_column = vec![0; rows * features];
        for (block, bins) in by_row.chunks(features.max(1) * TURNED_ROWS).enumerate() {
            for feature in 0..features {
                let column = &mut by_column[feature * rows + block * TURNED_ROWS..];
                for (place, bin) in column.iter_mut().zip(bins.iter().skip(feature).step_by(features)) {
                    *place = *bin;
                }
            }
        }
        Self { features, rows, by_row, by_column }
    }

    /// How many features there are.
    pub fn feature_count(&self) -> usize {
        self.features
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// The bins of one row; empty beyond the last.
    pub fn row(&self, row: usize) -> &[u8] {
        self.by_row.get(row * self.features..(row + 1) * self.features).unwrap_or_default()
    }

    /// The bins of one feature in all rows; empty beyond the last feature.
    pub fn column(&self, feature: usize) -> &[u8] {
        self.by_column.get(feature * self.rows..(feature + 1) * self.rows).unwrap_or_default()
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

    #[test]
    fn a_table_gives_the_same_bins_by_row_and_by_column() {
        let bins: Vec<u8> = (0..3 * 150).map(|at| (at % 61) as u8).collect();
        let table = Binned::from_rows(3, bins.clone());
        assert_eq!(table.row_count(), 150);
        for row in 0..150 {
            assert_eq!(table.row(row), &bins[3 * row..3 * row + 3]);
            (0..3).for_each(|feature| assert_eq!(table.column(feature)[row], bins[3 * row + feature]));
        }
        assert!(table.row(150).is_empty() && table.column(3).is_empty());
    }
}
