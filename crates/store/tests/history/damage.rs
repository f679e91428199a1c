//! Damaged, missing and left-over segment files: named in the error, and everything else stays readable.

use std::fs;

use model::{ObservedValue, Tenant};
use store::{Order, TimeRange};

use crate::fixture::{Fixture, between, number, series};

/// Two segments that do not overlap in time.
fn two_segments() -> Fixture {
    let mut fixture = Fixture::new();
    for start in [0, 10_000] {
        let rows: Vec<_> = (0..5_000).map(|k| number(0, start + k, (k * k % 977) as f64)).collect();
        fixture.write(&rows, &[]);
        fixture.flush();
    }
    fixture
}

#[test]
fn any_flipped_byte_is_found_by_the_check_and_never_stops_the_process() {
    let mut fixture = two_segments();
    let file = fixture.segment_files().remove(1);
    let whole = fs::read(&file).unwrap();
    for position in (0..whole.len()).step_by(whole.len() / 150) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        fs::write(&file, damaged).unwrap();
        fixture.reopen();
        let problems = fixture.problems();
        assert_eq!(problems.len(), 1, "{position}");
        assert!(problems[0].contains(file.file_name().unwrap().to_str().unwrap()), "{problems:?}");
        // A read may or may not meet the damage; it must end either way, and the other segment is whole.
        drop(fixture.range(&[0], TimeRange::ALL, Order::Descending, None));
        assert_eq!(fixture.range(&[0], between(0, 9_000), Order::Ascending, None).unwrap().len(), 5_000);
    }
}

#[test]
fn a_cut_or_missing_segment_is_named_by_reads_that_need_it_only() {
    let mut fixture = two_segments();
    let file = fixture.segment_files().remove(1);
    let whole = fs::read(&file).unwrap();
    for length in [0, 7, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        fixture.reopen();
        let error = fixture.range(&[0], TimeRange::ALL, Order::Ascending, None).unwrap_err().to_string();
        assert!(error.contains(file.file_name().unwrap().to_str().unwrap()), "{error}");
        assert_eq!(fixture.range(&[0], between(0, 9_000), Order::Ascending, None).unwrap().len(), 5_000);
    }
    fs::remove_file(&file).unwrap();
    fixture.reopen();
    let error = fixture.range(&[0], TimeRange::ALL, Order::Ascending, None).unwrap_err().to_string();
    assert!(error.contains("the file is missing"), "{error}");
    assert_eq!(fixture.problems().len(), 1);
}

#[test]
fn a_file_that_a_crash_left_behind_is_removed_at_the_next_start() {
    let mut fixture = two_segments();
    let files = fixture.segment_files();
    fs::copy(&files[0], files[0].with_file_name("0000000000000009-0000000000000009-9.parquet")).unwrap();
    fixture.reopen();
    assert_eq!(fixture.segment_files(), files);
    assert_eq!(fixture.range(&[0], TimeRange::ALL, Order::Ascending, None).unwrap().len(), 10_000);
}

#[test]
fn numbers_that_are_not_finite_are_refused_by_name() {
    let fixture = Fixture::new();
    for value in [f64::NAN, f64::INFINITY] {
        let observation = number(1, 5, value);
        let error = fixture.state().encode(&Tenant::default(), &[observation], &[]).unwrap_err().to_string();
        assert!(error.contains(series(1).entity.as_str()) && error.contains("not a finite number"), "{error}");
    }
    let withdrawn = crate::fixture::observed(1, 5, ObservedValue::Deleted);
    fixture.state().encode(&Tenant::default(), &[withdrawn], &[]).unwrap();
}
