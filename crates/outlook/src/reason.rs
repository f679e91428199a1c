//! Why there is no answer, in the form in which it leaves: a code, its numbers and a sentence.

use std::{collections::BTreeMap, fmt::Display};

use forecast::{insufficient::Insufficient, nowcast::NowcastRefusal};

use crate::wire::Reason;

/// A reason without numbers.
pub(crate) fn plain(code: &str, detail: impl Display) -> Reason {
    Reason { code: code.to_owned(), values: BTreeMap::new(), names: vec![], detail: detail.to_string() }
}

/// No answer from the model.
pub(crate) fn of(why: &Insufficient) -> Reason {
    let number = |name: &str, value: usize| (name.to_owned(), value as f64);
    let (code, values, names) = match why {
        Insufficient::UnknownSeries => ("unknown_series", vec![], vec![]),
        Insufficient::TooLittleHistory { days, needed } => {
            ("too_little_history", vec![number("days", *days), number("needed", *needed)], vec![])
        }
        Insufficient::TooManyGaps { hours, needed } => {
            ("too_many_gaps", vec![number("hours", *hours), number("needed", *needed)], vec![])
        }
        Insufficient::HourNeverSeen => ("hour_never_seen", vec![], vec![]),
        Insufficient::OutsideHorizon { hours } => {
            ("outside_horizon", vec![("hours".to_owned(), *hours as f64)], vec![])
        }
        Insufficient::OutsideValidity { factor, most } => {
            let values = vec![("factor".to_owned(), f64::from(*factor)), ("most".to_owned(), f64::from(*most))];
            ("outside_validity", values, vec![])
        }
        Insufficient::OtherInputs { inputs } => ("other_inputs", vec![], inputs.clone()),
        // What an evaluation leaves out, a server has nothing to learn from.
        Insufficient::NothingLearned | Insufficient::LeftOut { .. } => ("nothing_learned", vec![], vec![]),
    };
    Reason { code: code.to_owned(), values: values.into_iter().collect(), names, detail: why.to_string() }
}

/// No now-cast.
pub(crate) fn of_nowcast(why: &NowcastRefusal) -> Reason {
    let (code, values) = match why {
        NowcastRefusal::Step { minutes } | NowcastRefusal::Horizon { minutes } => ("step", vec![("minutes", *minutes)]),
        NowcastRefusal::TooFewCounts { have, needed } => ("too_few_counts", vec![("have", *have), ("needed", *needed)]),
        NowcastRefusal::TooLittlePast { have, needed } => {
            ("too_little_past", vec![("have", *have), ("needed", *needed)])
        }
        NowcastRefusal::NotSideBySide => ("step", vec![]),
    };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value as f64)).collect();
    Reason { values, ..plain(code, why) }
}

/// An area that adds up series that are not there.
pub(crate) fn unknown_parts(names: &[String]) -> Reason {
    let detail = format!("the area adds up series that are not there: {}", names.join(", "));
    Reason { names: names.to_vec(), ..plain("unknown_series", detail) }
}
