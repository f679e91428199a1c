//! Edges of reading: many row groups, many segments, views that outlive a merge, empty answers.

use std::time::{Duration, Instant};

use model::{ObservedValue, Tenant, Timestamp};
use store::{Bucket, History, HistoryOptions, Kv, Order, Period, TimeRange};

use crate::fixture::{Fixture, at, between, deletion, every, number, series};

/// A value that tells series and second apart.
fn value_of(number: usize, second: i64) -> f64 {
    (number * 1_000_000) as f64 + second as f64
}

/// 150 series with 2,000 rows each: three row groups, pages that two series share, and series that two groups share.
fn large() -> Fixture {
    let mut fixture = Fixture::new();
    let rows: Vec<_> = (0..150).flat_map(|n| (0..2_000).map(move |k| number(n, k * 10, value_of(n, k * 10)))).collect();
    fixture.write(&rows, &[]);
    fixture.flush();
    fixture
}

#[test]
fn any_stretch_of_any_series_of_a_large_segment_is_found_exactly() {
    let fixture = large();
    for n in [0, 1, 64, 65, 66, 131, 149] {
        for (from, to) in [(0, 1), (-5, 20_000), (9_995, 10_015), (19_990, 99_999), (5_000, 15_000), (19_991, 30_000)] {
            let wanted: Vec<f64> =
                (0..2_000).map(|k| k * 10).filter(|s| (from..to).contains(s)).map(|s| value_of(n, s)).collect();
            let values = |order| -> Vec<f64> {
                let rows = fixture.range(&[n], between(from, to), order, None).unwrap();
                rows.iter().map(|row| if let ObservedValue::Number(v) = row.value { v } else { f64::NAN }).collect()
            };
            assert_eq!(values(Order::Ascending), wanted, "{n} {from} {to}");
            let reversed: Vec<f64> = wanted.into_iter().rev().collect();
            assert_eq!(values(Order::Descending), reversed, "{n} {from} {to}");
        }
    }
}

#[test]
fn aggregates_of_all_series_in_any_order_equal_the_sums_by_hand() {
    let fixture = large();
    let numbers: Vec<usize> = (0..150).rev().collect();
    let keys: Vec<_> = numbers.iter().map(|&n| series(n)).collect();
    let found =
        fixture.ask(|history, tenant| history.aggregate(tenant, &keys, TimeRange::ALL, every(5_000), &[0.25]).unwrap());
    for ((key, buckets), n) in found.into_iter().zip(numbers) {
        assert_eq!(key, series(n));
        assert_eq!(buckets.len(), 4);
        for (bucket, start) in buckets.into_iter().zip([0, 5_000, 10_000, 15_000]) {
            let values: Vec<f64> = (0..500).map(|k| value_of(n, start + k * 10)).collect();
            let wanted = Bucket {
                from: at(start),
                count: 500,
                sum: values.iter().sum(),
                sum_of_squares: values.iter().map(|v| v * v).sum(),
                min: values[0],
                max: values[499],
                quantiles: vec![value_of(n, start) + 1_247.5],
            };
            assert_eq!(bucket, wanted);
        }
    }
}

#[test]
fn many_flushes_leave_few_segments_and_every_row() {
    let mut fixture = Fixture::new();
    for second in 0..70 {
        fixture.write(&[number(0, second, 1.0), number(0, second - 1, 2.0), number(3, 7, second as f64)], &[]);
        fixture.flush();
    }
    // 70 flushes are 1012 in base 4: one segment of level 3, two of level 0 and one of level 1.
    assert_eq!(fixture.segment_files().len(), 4);
    let rows = fixture.range(&[0, 3], TimeRange::ALL, Order::Ascending, None).unwrap();
    let values: Vec<_> = rows.into_iter().map(|row| row.value).collect();
    let mut wanted = vec![ObservedValue::Number(2.0); 70];
    wanted.extend([ObservedValue::Number(1.0), ObservedValue::Number(69.0)]);
    assert_eq!(values, wanted);
    assert_eq!(fixture.problems(), Vec::<String>::new());
}

#[test]
fn a_view_reads_the_same_while_segments_are_merged_under_it() {
    let mut fixture = Fixture::new();
    for second in 0..3 {
        fixture.write(&[number(0, second, 0.0)], &[]);
        fixture.flush();
    }
    fixture.write(&[number(0, 3, 0.0)], &[]);
    let pin = fixture.state().pin();
    let snapshot = fixture.kv().snapshot().unwrap();
    fixture.write(&[number(0, 1, 9.0), number(0, 4, 9.0)], &[deletion(0, None, Some(1))]);
    fixture.flush();
    assert_eq!(fixture.segment_files().len(), 5, "the pin keeps the four that were merged");
    let times = |history: &History<'_>| -> Vec<Timestamp> {
        let rows = history.range(&Tenant::default(), &[series(0)], TimeRange::ALL, Order::Ascending, None).unwrap();
        rows.map(|row| row.unwrap().at).collect()
    };
    assert_eq!(times(&History::new(fixture.state(), &*snapshot)), [at(0), at(1), at(2), at(3)]);
    assert_eq!(fixture.ask(|history, _| times(history)), [at(1), at(2), at(3), at(4)]);
    drop(pin);
    fixture.flush();
    assert_eq!(fixture.segment_files().len(), 1);
}

#[test]
fn deleted_rows_leave_the_files_when_many_deletions_wait() {
    let mut fixture = Fixture::new();
    let rows: Vec<_> = (0..200).map(|second| number(0, second, 1.0)).collect();
    fixture.write(&rows, &[]);
    fixture.flush();
    let deletions: Vec<_> = (0..100).map(|k| deletion(0, Some(2 * k), Some(2 * k + 1))).collect();
    fixture.write(&[], &deletions);
    fixture.flush();
    assert_eq!(fixture.state().statistics().unwrap().segment_rows, 100);
    let rows = fixture.range(&[0], TimeRange::ALL, Order::Ascending, None).unwrap();
    assert!(rows.iter().all(|row| row.at.micros() % 2_000_000 == 1_000_000));
    assert_eq!(rows.len(), 100);
}

#[test]
fn readers_see_every_write_once_while_the_thread_flushes_and_merges() {
    let mut fixture = Fixture::new();
    fixture.reopen_with(HistoryOptions { flush_rows: 20, ..HistoryOptions::default() });
    for second in 0..300 {
        fixture.write(&[number(0, second, 1.0), number(1, -second, 1.0)], &[]);
        let keys = [series(0), series(1)];
        let found =
            fixture.ask(|history, tenant| history.aggregate(tenant, &keys, TimeRange::ALL, every(0), &[]).unwrap());
        let counts: Vec<u64> = found.iter().map(|(_, buckets)| buckets[0].count).collect();
        assert_eq!(counts, [second as u64 + 1; 2]);
    }
    // On a busy machine the thread may get its turn only now.
    let patience = Instant::now();
    while fixture.segment_files().is_empty() && patience.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!fixture.segment_files().is_empty());
    fixture.reopen();
    assert_eq!(fixture.range(&[0, 1], TimeRange::ALL, Order::Ascending, None).unwrap().len(), 600);
    assert_eq!(fixture.problems(), Vec::<String>::new());
}

#[test]
fn unknown_series_and_empty_ranges_give_empty_answers() {
    let mut fixture = Fixture::new();
    fixture.write(&[number(0, 5, 1.0)], &[]);
    for flushed in [false, true] {
        if flushed {
            fixture.flush();
        }
        assert_eq!(fixture.range(&[9], TimeRange::ALL, Order::Ascending, None).unwrap(), []);
        assert_eq!(fixture.range(&[0], between(6, 9), Order::Ascending, None).unwrap(), []);
        assert_eq!(fixture.range(&[0], between(5, 5), Order::Descending, None).unwrap(), []);
        assert_eq!(fixture.range(&[0], between(9, 0), Order::Ascending, None).unwrap(), []);
        assert_eq!(fixture.range(&[], TimeRange::ALL, Order::Ascending, None).unwrap(), []);
        let buckets = fixture.ask(|history, tenant| {
            history.aggregate(tenant, &[series(9), series(0)], TimeRange::ALL, every(0), &[]).unwrap()
        });
        assert_eq!(buckets[0], (series(9), vec![]));
        assert_eq!((buckets[1].1[0].from, buckets[1].1[0].count), (at(5), 1));
        let held = fixture.ask(|history, tenant| history.at(tenant, &[series(0)], at(4), None).unwrap());
        assert_eq!(held, [None]);
    }
}

#[test]
fn the_earliest_and_the_latest_moment_and_the_longest_period_are_kept_apart() {
    let mut fixture = Fixture::new();
    let mut edges = vec![number(0, 0, 1.0), number(0, 0, 2.0)];
    edges[0].at = Timestamp::MIN;
    edges[1].at = Timestamp::MAX;
    fixture.write(&edges, &[]);
    fixture.flush();
    assert_eq!(fixture.range(&[0], TimeRange::ALL, Order::Ascending, None).unwrap(), edges);
    let period = Period { micros: i64::MAX, origin: Timestamp::MAX };
    let buckets =
        fixture.ask(|history, tenant| history.aggregate(tenant, &[series(0)], TimeRange::ALL, period, &[]).unwrap());
    assert_eq!(buckets[0].1.len(), 2);
}

#[test]
fn other_tenants_see_nothing() {
    let mut fixture = Fixture::new();
    fixture.write(&[number(0, 5, 1.0)], &[]);
    let other = Tenant::parse("default2").unwrap();
    fixture.ask(|history, tenant| {
        assert_eq!(history.series_of(tenant, &series(0).entity).unwrap(), [series(0)]);
        assert_eq!(history.series_of(&other, &series(0).entity).unwrap(), []);
        let mut rows = history.range(&other, &[series(0)], TimeRange::ALL, Order::Ascending, None).unwrap();
        assert!(rows.next().is_none());
    });
}
