//! Aggregated values: what becomes of the instances of one series in each period.
//!
//! Which method applies to which kind of value follows ETSI GS CIM 009, table 4.5.19.1-1: numbers allow every method,
//! booleans count as 0 and 1, arrays by their length, texts have an order, everything else can only be counted.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
};

use model::{Attribute, AttributeValue, Problem, Timestamp};
use platform::ngsi::whole_where_whole;
use serde_json::{Value, json};

use crate::AggregationPeriod;

/// One way to make one value of many (`aggrMethods`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AggregationMethod {
    /// How many instances.
    TotalCount,
    /// How many different values.
    DistinctCount,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The standard deviation of the population.
    Stddev,
    /// The sum of the squares.
    Sumsq,
}

impl AggregationMethod {
    const ALL: [Self; 8] =
        [Self::TotalCount, Self::DistinctCount, Self::Sum, Self::Avg, Self::Min, Self::Max, Self::Stddev, Self::Sumsq];

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TotalCount => "totalCount",
            Self::DistinctCount => "distinctCount",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Stddev => "stddev",
            Self::Sumsq => "sumsq",
        }
    }

    /// From the name in the API.
    ///
    /// # Errors
    /// Names the text and lists the methods.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|method| method.name() == text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let known = Self::ALL.map(Self::name).join(", ");
            Problem::new("aggrMethods", format!("\"{shown}\" is not a method"), format!("use one or more of {known}"))
        })
    }
}

/// What to compute (`aggrMethods`) and in which steps of time (`aggrPeriodDuration`).
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// The methods, at least one, in the order in which they were asked for.
    pub methods: Vec<AggregationMethod>,
    /// The periods.
    pub period: AggregationPeriod,
}

/// The running aggregates of one series: one tally for each period that has an instance.
#[derive(Debug, Default)]
pub struct Aggregates {
    tallies: BTreeMap<Timestamp, Tally>,
}

/// What is kept of the instances of one period.
#[derive(Debug, Default)]
struct Tally {
    end: Option<Timestamp>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    count: u64,
    distinct: HashSet<String>,
    numbers: u64,
    sum: f64,
    mean: f64,
    squared_distance: f64,
    sum_of_squares: f64,
    min: Option<Value>,
    max: Option<Value>,
}

impl Aggregates {
    /// How many periods have an instance.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.tallies.len()
    }

    /// Takes in one instance.
    pub fn add(&mut self, moment: Timestamp, attribute: &Attribute, origin: Timestamp, aggregation: &Aggregation) {
        let bounds = aggregation.period.around(moment, origin);
        let tally = self.tallies.entry(bounds.map_or(Timestamp::MIN, |(start, _)| start)).or_default();
        tally.end = bounds.map(|(_, end)| end);
        tally.first = Some(tally.first.map_or(moment, |first| first.min(moment)));
        tally.last = Some(tally.last.map_or(moment, |last| last.max(moment)));
        let distinct = aggregation.methods.contains(&AggregationMethod::DistinctCount);
        tally.add(&attribute.value, distinct);
    }

    /// The values of one method as `[value, start, end]`, in the order of time. A period in which the method does not
    /// apply to the kind of value is left out.
    #[must_use]
    pub fn values(&self, method: AggregationMethod) -> Vec<Value> {
        let rows = self.tallies.iter().filter_map(|(start, tally)| {
            let value = tally.value(method)?;
            let start = if tally.end.is_some() { *start } else { tally.first? };
            let end = tally.end.or(tally.last)?;
            Some(json!([value, start.to_string(), end.to_string()]))
        });
        rows.collect()
    }
}

impl Tally {
    fn add(&mut self, value: &AttributeValue, distinct: bool) {
        self.count += 1;
        if distinct {
            self.distinct.insert(serde_json::to_string(value).unwrap_or_default());
        }
        let plain = match value {
            AttributeValue::Property(value) => value,
            _ => return,
        };
        let number = match plain {
            Value::Number(number) => number.as_f64(),
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            #[expect(clippy::cast_precision_loss, reason = "an array has far fewer than 2^53 items")]
            Value::Array(items) => Some(items.len() as f64),
            Value::String(_) => {
                self.keep_extremes(plain.clone());
                return;
            }
            Value::Null | Value::Object(_) => None,
        };
        if let Some(number) = number {
            self.add_number(number);
            self.keep_extremes(whole_where_whole(number));
        }
    }

    /// Welford's method: the variance stays exact for values that are large and close to each other.
    fn add_number(&mut self, number: f64) {
        self.numbers += 1;
        self.sum += number;
        self.sum_of_squares += number * number;
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 instances")]
        let count = self.numbers as f64;
        let distance = number - self.mean;
        self.mean += distance / count;
        self.squared_distance += distance * (number - self.mean);
    }

    fn keep_extremes(&mut self, value: Value) {
        if self.max.as_ref().is_none_or(|max| compare(&value, max) == Ordering::Greater) {
            self.max = Some(value.clone());
        }
        if self.min.as_ref().is_none_or(|min| compare(&value, min) == Ordering::Less) {
            self.min = Some(value);
        }
    }

    fn value(&self, method: AggregationMethod) -> Option<Value> {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 instances")]
        let count = self.numbers as f64;
        let number = |value: f64| (self.numbers > 0).then(|| whole_where_whole(value));
        match method {
            AggregationMethod::TotalCount => Some(json!(self.count)),
            AggregationMethod::DistinctCount => Some(json!(self.distinct.len())),
            AggregationMethod::Sum => number(self.sum),
            AggregationMethod::Avg => number(self.sum / count),
            AggregationMethod::Min => self.min.clone(),
            AggregationMethod::Max => self.max.clone(),
            AggregationMethod::Stddev => number((self.squared_distance / count).max(0.0).sqrt()),
            AggregationMethod::Sumsq => number(self.sum_of_squares),
        }
    }
}

/// Numbers before texts, each in their own order.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.as_str().cmp(&right.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, period: &str, values: &[(&str, Value)], expect: &Value) {
        let aggregation = Aggregation {
            methods: vec![AggregationMethod::parse(method).unwrap()],
            period: AggregationPeriod::parse(period).unwrap(),
        };
        let origin = Timestamp::parse("2020-08-01T12:00:00Z").unwrap();
        let mut aggregates = Aggregates::default();
        for (time, value) in values {
            let moment = Timestamp::parse(time).unwrap();
            aggregates.add(moment, &Attribute::property(value.clone()), origin, &aggregation);
        }
        assert_eq!(Value::Array(aggregates.values(aggregation.methods[0])), *expect);
    }

    fn speeds() -> Vec<(&'static str, Value)> {
        vec![
            ("2020-08-01T12:03:00Z", json!(120)),
            ("2020-08-01T12:05:00Z", json!(80)),
            ("2020-08-01T14:07:00Z", json!(80)),
        ]
    }

    #[test]
    fn each_method_gives_its_value_for_each_period_that_has_one() {
        let hour = |value: Value| json!([value, "2020-08-01T12:00:00Z", "2020-08-01T13:00:00Z"]);
        let later = |value: Value| json!([value, "2020-08-01T14:00:00Z", "2020-08-01T15:00:00Z"]);
        for (method, first, second) in [
            ("totalCount", json!(2), json!(1)),
            ("distinctCount", json!(2), json!(1)),
            ("sum", json!(200), json!(80)),
            ("avg", json!(100), json!(80)),
            ("min", json!(80), json!(80)),
            ("max", json!(120), json!(80)),
            ("stddev", json!(20), json!(0)),
            ("sumsq", json!(20_800), json!(6_400)),
        ] {
            check(method, "PT1H", &speeds(), &json!([hour(first), later(second)]));
        }
    }

    #[test]
    fn the_whole_range_goes_from_the_first_to_the_last_instance() {
        check("avg", "PT0S", &speeds()[..2], &json!([[100, "2020-08-01T12:03:00Z", "2020-08-01T12:05:00Z"]]));
    }

    #[test]
    fn texts_have_an_order_and_no_mean() {
        let texts = [("2020-08-01T12:03:00Z", json!("b")), ("2020-08-01T12:04:00Z", json!("a"))];
        check("min", "P1D", &texts, &json!([["a", "2020-08-01T12:00:00Z", "2020-08-02T12:00:00Z"]]));
        check("avg", "P1D", &texts, &json!([]));
    }

    #[test]
    fn large_values_that_differ_little_keep_their_deviation() {
        let values =
            [("2020-08-01T12:03:00Z", json!(1_000_000_000.0)), ("2020-08-01T12:04:00Z", json!(1_000_000_002.0))];
        check("stddev", "P1D", &values, &json!([[1, "2020-08-01T12:00:00Z", "2020-08-02T12:00:00Z"]]));
    }
}
