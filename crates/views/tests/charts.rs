//! Thinning keeps every peak, whatever the series.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use polder_views::draw;
use proptest::prelude::*;

/// Readings at ascending moments.
fn readings() -> impl Strategy<Value = Vec<(i64, f64)>> {
    proptest::collection::vec((1_i64..2_000_000, -1e6_f64..1e6), 0..3_000).prop_map(|steps| {
        let mut at = 1_700_000_000_000;
        let mut out = vec![];
        for (step, value) in steps {
            at += step;
            out.push((at, value));
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn thinning_keeps_the_extremes_the_ends_and_the_order(all in readings(), points in 1_usize..1_000) {
        let chart = draw(&all, points, None);
        let kept: Vec<(i64, f64)> = chart.points.iter().filter_map(|(at, v)| Some((*at, (*v)?))).collect();
        prop_assert!(kept.len() <= points.max(4) + 4, "{} of {points}", kept.len());
        prop_assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
        prop_assert!(kept.iter().all(|r| all.contains(r)), "no reading is invented");
        let highest = kept.iter().map(|r| r.1).reduce(f64::max);
        let lowest = kept.iter().map(|r| r.1).reduce(f64::min);
        prop_assert_eq!((lowest, highest), (chart.min, chart.max));
        prop_assert_eq!((kept.first(), kept.last()), (all.first(), all.last()));
        prop_assert_eq!(chart.downsampled, kept.len() < all.len());
    }

    #[test]
    fn each_peak_of_a_bucket_survives(peak in 0_usize..10_000) {
        let all: Vec<(i64, f64)> = (0..10_000).map(|i| (i * 1_000, if i == peak as i64 { 99.0 } else { 1.0 })).collect();
        let chart = draw(&all, 100, Some(1.0));
        prop_assert!(chart.points.contains(&(peak as i64 * 1_000, Some(99.0))));
    }
}

#[test]
fn a_pause_longer_than_usual_is_a_gap_and_breaks_the_line() {
    let minute = 60_000;
    let all: Vec<(i64, f64)> = [0, 5, 10, 40, 45, 52].into_iter().map(|m| (m * minute, 1.0)).collect();
    let chart = draw(&all, 400, Some(300.0));
    assert_eq!(chart.gaps, [(10 * minute, 40 * minute)]);
    let breaks: Vec<i64> = chart.points.iter().filter(|p| p.1.is_none()).map(|p| p.0).collect();
    assert_eq!(breaks, [10 * minute + 1]);
    assert_eq!(draw(&all, 400, None).gaps, [(10 * minute, 40 * minute)], "by the median interval");
    assert_eq!(draw(&[], 400, None), polder_views::Chart::default());
}
