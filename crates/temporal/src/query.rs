//! The temporal query: which instances are asked for, and in which form they are shown.

use model::{Problem, Timestamp};

use crate::{Aggregation, AggregationMethod, AggregationPeriod, TimeProperty};

/// The most instances of one attribute that `lastN` may ask for.
const LAST_MAX: usize = 100_000;

/// A condition on the time of an instance (`timerel`, `timeAt`, `endTimeAt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeRelation {
    /// Earlier than a moment.
    Before(Timestamp),
    /// Later than a moment.
    After(Timestamp),
    /// From a moment (included) to another (not included).
    Between(Timestamp, Timestamp),
}

impl TimeRelation {
    /// Whether a moment meets it.
    #[must_use]
    pub fn holds(self, moment: Timestamp) -> bool {
        match self {
            Self::Before(end) => moment < end,
            Self::After(start) => moment > start,
            Self::Between(start, end) => start <= moment && moment < end,
        }
    }

    /// The bounds [from, to) in which it holds.
    #[must_use]
    pub fn bounds(self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Before(end) => (None, Some(end)),
            Self::After(start) => (Some(start.plus_micros(1)), None),
            Self::Between(start, end) => (Some(start), Some(end)),
        }
    }

    /// The moment from which time is told, where there is one: the start of `After` and `Between`.
    #[must_use]
    pub fn start(self) -> Option<Timestamp> {
        match self {
            Self::Before(_) => None,
            Self::After(start) | Self::Between(start, _) => Some(start),
        }
    }

    /// The moment up to which time is told, where there is one: the end of `Before` and `Between`.
    #[must_use]
    pub fn end(self) -> Option<Timestamp> {
        match self {
            Self::After(_) => None,
            Self::Before(end) | Self::Between(_, end) => Some(end),
        }
    }
}

/// How instances are shown (`format`, or `options`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TemporalForm {
    /// Each instance complete.
    #[default]
    Normalized,
    /// Value and time only (`temporalValues`).
    Values,
    /// Aggregates of periods (`aggregatedValues`).
    Aggregated(Aggregation),
}

/// The parameters of a temporal query as they came in. Empty texts count as absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemporalParameters<'a> {
    /// `timerel`.
    pub timerel: Option<&'a str>,
    /// `timeAt`.
    pub time_at: Option<&'a str>,
    /// `endTimeAt`.
    pub end_time_at: Option<&'a str>,
    /// `timeproperty`.
    pub timeproperty: Option<&'a str>,
    /// `lastN`.
    pub last_n: Option<&'a str>,
    /// `format`; it goes before a format in `options`.
    pub format: Option<&'a str>,
    /// `options`, separated by commas.
    pub options: Option<&'a str>,
    /// `aggrMethods`, separated by commas.
    pub aggr_methods: Option<&'a str>,
    /// `aggrPeriodDuration`.
    pub aggr_period: Option<&'a str>,
}

/// Which instances, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemporalQuery {
    /// The condition on the time, if any.
    pub relation: Option<TimeRelation>,
    /// The time that the condition looks at.
    pub property: TimeProperty,
    /// At most so many instances of each attribute, the latest first.
    pub last: Option<usize>,
    /// The form of the answer.
    pub form: TemporalForm,
    /// Whether to show `createdAt` and `modifiedAt`.
    pub sys_attrs: bool,
}

/// A form or option that the API does not have. The standard tells it apart from other wrong parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemporalQueryError {
    /// `format` or `options` has a word that is not one (`InvalidRequest`).
    #[error("{0}")]
    UnknownOption(Problem),
    /// Another parameter is wrong (`BadRequestData`).
    #[error("{0}")]
    Parameter(#[from] Problem),
}

impl TemporalQuery {
    /// Makes sense of the parameters.
    ///
    /// # Errors
    /// Names the first parameter that is wrong, missing or without its companion, and says what it should be.
    pub fn parse(parameters: &TemporalParameters<'_>) -> Result<Self, TemporalQueryError> {
        let (form, sys_attrs) = parse_form(parameters)?;
        Ok(Self {
            relation: parse_relation(parameters)?,
            property: parse_property(parameters.timeproperty)?,
            last: present(parameters.last_n).map(parse_last).transpose()?,
            form,
            sys_attrs,
        })
    }
}

/// What is there and not empty.
fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn parse_relation(parameters: &TemporalParameters<'_>) -> Result<Option<TimeRelation>, Problem> {
    let remedy = "give timerel (before, after or between) with timeAt, and endTimeAt for between";
    let moment = |name: &str, text: Option<&str>| match present(text) {
        Some(text) => Timestamp::parse(text).map_err(|problem| Problem { thing: name.to_owned(), ..problem }),
        None => Err(Problem::new(name, "it is missing", remedy)),
    };
    let start = || moment("timeAt", parameters.time_at);
    match present(parameters.timerel) {
        Some("before") => Ok(Some(TimeRelation::Before(start()?))),
        Some("after") => Ok(Some(TimeRelation::After(start()?))),
        Some("between") => {
            let (start, end) = (start()?, moment("endTimeAt", parameters.end_time_at)?);
            if end < start {
                return Err(Problem::new("endTimeAt", "it is earlier than timeAt", "exchange timeAt and endTimeAt"));
            }
            Ok(Some(TimeRelation::Between(start, end)))
        }
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            Err(Problem::new("timerel", format!("\"{shown}\" is not a relation of times"), remedy))
        }
        None if present(parameters.time_at).or(present(parameters.end_time_at)).is_some() => {
            Err(Problem::new("timerel", "it is missing beside timeAt", remedy))
        }
        None => Ok(None),
    }
}

fn parse_property(text: Option<&str>) -> Result<TimeProperty, Problem> {
    let all = [TimeProperty::ObservedAt, TimeProperty::CreatedAt, TimeProperty::ModifiedAt, TimeProperty::DeletedAt];
    match present(text) {
        None => Ok(TimeProperty::default()),
        Some(text) => all.into_iter().find(|property| property.name() == text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let known = all.map(TimeProperty::name).join(", ");
            Problem::new("timeproperty", format!("\"{shown}\" is not a time"), format!("use one of {known}"))
        }),
    }
}

fn parse_last(text: &str) -> Result<usize, Problem> {
    let number = text.parse().ok().filter(|number| (1..=LAST_MAX).contains(number));
    number.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Problem::new("lastN", format!("\"{shown}\" is not a count"), format!("give a whole number, 1 to {LAST_MAX}"))
    })
}

/// The form and whether system attributes are shown. `format` wins from `options` (clause 6.3.12), but a wrong word in
/// either is an error.
fn parse_form(parameters: &TemporalParameters<'_>) -> Result<(TemporalForm, bool), TemporalQueryError> {
    let unknown = |name: &str, word: &str| {
        let shown: String = word.chars().take(40).collect();
        let remedy = "use temporalValues, aggregatedValues, normalized or sysAttrs";
        TemporalQueryError::UnknownOption(Problem::new(name, format!("\"{shown}\" is not known"), remedy))
    };
    let mut form = None;
    let mut sys_attrs = false;
    for option in present(parameters.options).unwrap_or_default().split(',').map(str::trim).filter(|o| !o.is_empty()) {
        match option {
            "sysAttrs" => sys_attrs = true,
            "temporalValues" | "simplified" | "aggregatedValues" | "normalized" => form = form.or(Some(option)),
            other => return Err(unknown("options", other)),
        }
    }
    if let Some(format) = present(parameters.format) {
        form = match format {
            "temporalValues" | "simplified" | "aggregatedValues" | "normalized" => Some(format),
            other => return Err(unknown("format", other)),
        };
    }
    let form = match form {
        Some("temporalValues" | "simplified") => TemporalForm::Values,
        Some("aggregatedValues") => TemporalForm::Aggregated(parse_aggregation(parameters)?),
        _ => TemporalForm::Normalized,
    };
    Ok((form, sys_attrs))
}

fn parse_aggregation(parameters: &TemporalParameters<'_>) -> Result<Aggregation, Problem> {
    let words = present(parameters.aggr_methods).unwrap_or_default().split(',').map(str::trim);
    let methods = words.filter(|word| !word.is_empty()).map(AggregationMethod::parse).collect::<Result<Vec<_>, _>>()?;
    if methods.is_empty() {
        let remedy = "name at least one, for example aggrMethods=avg,max";
        return Err(Problem::new("aggrMethods", "it is missing, and aggregatedValues needs it", remedy));
    }
    let period = present(parameters.aggr_period).map_or(Ok(AggregationPeriod::Whole), AggregationPeriod::parse)?;
    Ok(Aggregation { methods, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_three_relations_hold_where_the_standard_says() {
        let (start, end) = (at("2020-08-01T12:00:00Z"), at("2020-08-01T13:00:00Z"));
        for (relation, on_start, inside, on_end) in [
            (TimeRelation::After(start), false, true, true),
            (TimeRelation::Before(end), true, true, false),
            (TimeRelation::Between(start, end), true, true, false),
        ] {
            let inner = at("2020-08-01T12:30:00Z");
            let found = (relation.holds(start), relation.holds(inner), relation.holds(end));
            assert_eq!(found, (on_start, inside, on_end), "{relation:?}");
        }
    }

    #[test]
    fn a_format_wins_from_an_option() {
        let parameters = TemporalParameters {
            format: Some("temporalValues"),
            options: Some("aggregatedValues,sysAttrs"),
            ..TemporalParameters::default()
        };
        let query = TemporalQuery::parse(&parameters).unwrap();
        assert_eq!((query.form, query.sys_attrs), (TemporalForm::Values, true));
    }

    #[test]
    fn a_wrong_word_is_told_apart_from_a_wrong_parameter() {
        let wrong = TemporalParameters { options: Some("temporalValues,nonsense"), ..TemporalParameters::default() };
        assert!(matches!(TemporalQuery::parse(&wrong), Err(TemporalQueryError::UnknownOption(_))));
        for parameters in [
            TemporalParameters { timerel: Some("after"), ..TemporalParameters::default() },
            TemporalParameters { time_at: Some("2020-08-01T12:00:00Z"), ..TemporalParameters::default() },
            TemporalParameters { timerel: Some("near"), time_at: Some("2020-08-01T12:00:00Z"), ..Default::default() },
            TemporalParameters { timeproperty: Some("bornAt"), ..TemporalParameters::default() },
            TemporalParameters { last_n: Some("0"), ..TemporalParameters::default() },
            TemporalParameters { format: Some("aggregatedValues"), ..TemporalParameters::default() },
        ] {
            let found = TemporalQuery::parse(&parameters);
            assert!(matches!(found, Err(TemporalQueryError::Parameter(_))), "{parameters:?}");
        }
    }
}
