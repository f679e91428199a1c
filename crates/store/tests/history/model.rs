//! Random lives of a history against a sorted map.

use std::collections::BTreeMap;

use model::{Attribute, Observation, ObservedValue, SeriesKey};
use proptest::prelude::*;
use store::{Bucket, HistoryDeletion, Order};

use crate::fixture::{Fixture, at, between, deletion, every, observed, series};

const SERIES: usize = 4;
const SECONDS: i64 = 40;

#[derive(Clone, Debug)]
enum Step {
    Write { observations: Vec<(usize, i64, ObservedValue)>, deletions: Vec<(usize, Option<i64>, Option<i64>)> },
    Refused { observations: Vec<(usize, i64, ObservedValue)> },
    Flush,
    Reopen,
}

/// Quarters are exact in binary, so sums can be compared exactly.
fn value() -> impl Strategy<Value = ObservedValue> {
    prop_oneof![
        6 => (-400_i32..400).prop_map(|quarters| ObservedValue::Number(f64::from(quarters) / 4.0)),
        1 => "[a-zé\"]{0,5}".prop_map(|text| ObservedValue::Attribute(Box::new(Attribute::property(text)))),
        1 => Just(ObservedValue::Deleted),
    ]
}

fn observations() -> impl Strategy<Value = Vec<(usize, i64, ObservedValue)>> {
    proptest::collection::vec((0..SERIES, 0..SECONDS, value()), 0..12)
}

fn step() -> impl Strategy<Value = Step> {
    let bound = || proptest::option::of(0..SECONDS);
    let deletions = proptest::collection::vec((0..SERIES, bound(), bound()), 0..2);
    prop_oneof![
        8 => (observations(), deletions).prop_map(|(observations, deletions)| Step::Write { observations, deletions }),
        1 => observations().prop_map(|observations| Step::Refused { observations }),
        5 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ]
}

type Model = BTreeMap<(usize, i64), ObservedValue>;

fn apply(fixture: &mut Fixture, model: &mut Model, step: Step) {
    let written = |observations: &[(usize, i64, ObservedValue)]| -> Vec<Observation> {
        observations.iter().map(|(number, second, value)| observed(*number, *second, value.clone())).collect()
    };
    match step {
        Step::Write { observations, deletions } => {
            let deleted: Vec<HistoryDeletion> = deletions.iter().map(|&(n, from, to)| deletion(n, from, to)).collect();
            fixture.write(&written(&observations), &deleted);
            for (number, from, to) in deletions {
                let (from, to) = (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
                model.retain(|&(series, second), _| series != number || second < from || second >= to);
            }
            model.extend(observations.into_iter().map(|(number, second, value)| ((number, second), value)));
        }
        Step::Refused { observations } => fixture.write_and_refuse(&written(&observations)),
        Step::Flush => fixture.flush(),
        Step::Reopen => fixture.reopen(),
    }
}

fn expected(model: &Model, number: usize, from: i64, to: i64, order: Order, limit: usize) -> Vec<Observation> {
    let rows = model.iter().filter(|((series, second), _)| *series == number && from <= *second && *second < to);
    let mut rows: Vec<_> = rows.map(|((_, second), value)| observed(number, *second, value.clone())).collect();
    if order == Order::Descending {
        rows.reverse();
    }
    rows.truncate(limit);
    rows
}

/// Sorts and interpolates, by the book.
fn naive_quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = quantile * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * (rank - rank.floor())
}

fn naive_buckets(model: &Model, number: usize, from: i64, to: i64, seconds: i64, quantiles: &[f64]) -> Vec<Bucket> {
    let mut groups: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (&(series, second), value) in model {
        if let (true, ObservedValue::Number(value)) = (series == number && from <= second && second < to, value) {
            let start = if seconds == 0 { from } else { second.div_euclid(seconds) * seconds };
            groups.entry(start).or_default().push(*value);
        }
    }
    let bucket = |(start, mut values): (i64, Vec<f64>)| {
        let (sum, sum_of_squares) = (values.iter().sum(), values.iter().map(|v| v * v).sum());
        values.sort_by(f64::total_cmp);
        Bucket {
            from: at(start),
            count: values.len() as u64,
            sum,
            sum_of_squares,
            min: values[0],
            max: values[values.len() - 1],
            quantiles: quantiles.iter().map(|&quantile| naive_quantile(&values, quantile)).collect(),
        }
    };
    groups.into_iter().map(bucket).collect()
}

/// A question about a stretch of time.
#[derive(Clone, Debug)]
struct Question {
    from: i64,
    to: i64,
    limit: usize,
    seconds: i64,
    quantile: f64,
}

fn question() -> impl Strategy<Value = Question> {
    (-3..SECONDS, 0..SECONDS + 3, 0_usize..6, prop_oneof![Just(0_i64), 1_i64..15], 0.0..=1.0_f64).prop_map(
        |(from, length, limit, seconds, quantile)| Question { from, to: from + length, limit, seconds, quantile },
    )
}

fn check(fixture: &Fixture, model: &Model, question: &Question) {
    let Question { from, to, limit, seconds, quantile } = *question;
    let numbers: Vec<usize> = (0..=SERIES).rev().collect();
    let keys: Vec<SeriesKey> = numbers.iter().map(|&number| series(number)).collect();
    for order in [Order::Ascending, Order::Descending] {
        for limit in [None, Some(limit)] {
            let rows = fixture.range(&numbers, between(from, to), order, limit).unwrap();
            let most = limit.unwrap_or(usize::MAX);
            let wanted: Vec<_> = numbers.iter().flat_map(|&n| expected(model, n, from, to, order, most)).collect();
            assert_eq!(rows, wanted, "{order:?} {limit:?}");
        }
    }
    let last: Vec<_> = fixture
        .ask(|history, tenant| history.last(tenant, &keys, limit, Some(at(to))).unwrap().collect::<Result<_, _>>())
        .unwrap();
    let wanted: Vec<_> =
        numbers.iter().flat_map(|&n| expected(model, n, i64::MIN, to, Order::Descending, limit)).collect();
    assert_eq!(last, wanted, "last");
    let held = fixture.ask(|history, tenant| history.at(tenant, &keys, at(to), Some(7.0)).unwrap());
    let wanted: Vec<_> =
        numbers.iter().map(|&n| expected(model, n, to - 7, to + 1, Order::Descending, 1).pop()).collect();
    assert_eq!(held, wanted, "at");
    let quantiles = [quantile, 0.5, 1.0];
    let found = fixture.ask(|history, tenant| {
        history.aggregate(tenant, &keys, between(from, to), every(seconds), &quantiles).unwrap()
    });
    for ((key, buckets), &number) in found.iter().zip(&numbers) {
        assert_eq!(key, &series(number));
        assert_eq!(buckets, &naive_buckets(model, number, from, to, seconds, &quantiles), "aggregate of {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_life_of_a_history_reads_like_a_sorted_map(
        steps in proptest::collection::vec(step(), 1..30),
        questions in proptest::collection::vec(question(), 4),
    ) {
        let (mut fixture, mut model) = (Fixture::new(), Model::new());
        for (number, step) in steps.into_iter().enumerate() {
            apply(&mut fixture, &mut model, step);
            check(&fixture, &model, &questions[number % questions.len()]);
        }
        questions.iter().for_each(|question| check(&fixture, &model, question));
        prop_assert_eq!(fixture.problems(), Vec::<String>::new());
    }
}
