//! `[source.privacy]`, `[source.retention]` and `[crowd]`: what a data protection sheet says about a source that nothing
//! else in the configuration says, and for how long data are kept.

use model::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SourceConfig, Text};

/// What a source says about persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Persons {
    /// Nothing: it is about things.
    None,
    /// Counts of persons; nobody can be recognised in them.
    Aggregated,
    /// Positions or passages of persons under a pseudonym, which are counted at the door and not kept.
    Pseudonymous,
    /// Nobody has stated it.
    #[default]
    Unknown,
}

/// What people are told about a source: why it is collected, by whom, and on what ground.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyConfig {
    /// What it says about persons.
    pub persons: Persons,
    /// Whom or what the data are about, and how they are gathered.
    pub collected: Text,
    /// What the data are used for.
    pub purpose: Text,
    /// The legal ground; "not known" where that is so.
    pub basis: Text,
    /// Who decides about the data (the controller in the sense of the GDPR).
    pub controller: String,
    /// Where to ask, object or complain: an e-mail address, a telephone number or a page.
    pub contact: Option<String>,
    /// What is done so that nobody can be recognised, beside what Polder itself does.
    #[serde(default)]
    pub measures: Vec<Text>,
    /// What the data do not say, and how good they are.
    pub limits: Option<Text>,
    /// The day by which this must be looked at again (`2027-01-31`).
    #[serde(default, deserialize_with = "day")]
    #[schemars(with = "Option<String>")]
    pub review_by: Option<jiff::civil::Date>,
}

fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<jiff::civil::Date>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| serde::de::Error::custom(format!("\"{text}\" is not a day; write it as 2027-01-31"));
    text.parse().map(Some).map_err(wrong)
}

/// For how long the values of a source are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// Days of history that are kept, 1 to 36,500; older values are deleted. Everything is kept when absent.
    pub history_days: Option<u32>,
}

/// What is kept of crowd management.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrowdConfig {
    /// Days that the minutes, alerts, decisions, reports and deliveries of a run are kept after its end, 1 to 36,500.
    /// Everything is kept when absent.
    pub retention_days: Option<u32>,
}

/// Days that a setting may say.
const DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;

/// Every mistake in what a source says of persons; `thing` is the key.
pub(super) fn problems(source: &SourceConfig) -> Vec<Problem> {
    let mut found = vec![];
    let mut add = |key: &str, wrong: bool, detail: &str, remedy: &str| {
        if wrong {
            found.push(Problem::new(key, detail, remedy));
        }
    };
    let counts_persons = source.aggregate.is_some() || source.attributes.iter().any(|a| a.persons);
    let unexplained = counts_persons && source.privacy.is_none();
    let remedy = "add [source.privacy] with persons, collected, purpose, basis and controller";
    add("privacy", unexplained, "it counts persons, and nothing says why, by whom and on what ground", remedy);
    if let Some(privacy) = &source.privacy {
        let texts = [("collected", &privacy.collected), ("purpose", &privacy.purpose), ("basis", &privacy.basis)];
        for (key, text) in texts {
            let empty = text.nl.trim().is_empty() || text.en.trim().is_empty();
            add(key, empty, "it says nothing", "write it in both languages; say so where it is not known");
        }
        add("controller", privacy.controller.trim().is_empty(), "nobody is named", "name the organisation");
        let denied = counts_persons && matches!(privacy.persons, Persons::None | Persons::Unknown);
        add(
            "persons",
            denied,
            "the source counts persons",
            "write aggregated, or pseudonymous with [source.aggregate]",
        );
        let raw = privacy.persons == Persons::Pseudonymous && source.aggregate.is_none();
        add("persons", raw, "records about single persons would be kept", "count them with [source.aggregate]");
    }
    let both = source.internal && source.public;
    add("internal", both, "the source is public as well", "remove public = true, or internal = true");
    let unkept = source.retention.and_then(|r| r.history_days).is_some_and(|days| !DAYS.contains(&days));
    add("history_days", unkept, "it is not a number of days", "use 1 to 36,500, or leave it out to keep everything");
    for attribute in source.attributes.iter().filter(|a| a.persons) {
        let low = attribute.minimum_count.is_some_and(|least| least < super::aggregate::MINIMUM_LEAST);
        add("minimum_count", low, "fewer than 10 persons must not be told apart", "use 10 or more");
        let other = attribute.kind != super::Kind::Number;
        add("persons", other, "a count of persons is a number", "set kind = \"number\"");
    }
    found
}

/// What is wrong with `[crowd]`.
pub(super) fn crowd_problem(crowd: Option<&CrowdConfig>) -> Option<Problem> {
    let wrong = crowd.and_then(|c| c.retention_days).is_some_and(|days| !DAYS.contains(&days));
    let remedy = "use 1 to 36,500, or leave it out to keep everything";
    wrong.then(|| Problem::new("retention_days", "it is not a number of days", remedy))
}
