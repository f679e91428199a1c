//! What is measured of a threat: weather, or anything else that makes crowding worse.

use model::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Level, ThreatPart, short, source};

/// An entity that measures how much a threat matters now. From `low` to `high` it may rise or fall: rain makes it worse
/// as it rises, a temperature near freezing as it falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdCondition)]
pub struct ConditionPart {
    /// The id of the entity, for example of a weather station or a forecast.
    pub entity: String,
    /// The attribute with the number.
    pub attribute: String,
    /// It matters some from here.
    pub medium_from: f64,
    /// It matters much from here.
    pub high_from: f64,
}

impl ConditionPart {
    /// How much a value matters.
    #[must_use]
    pub fn level(&self, value: f64) -> Level {
        let sign = if self.high_from >= self.medium_from { 1.0 } else { -1.0 };
        match value * sign {
            v if v >= self.high_from * sign => Level::High,
            v if v >= self.medium_from * sign => Level::Medium,
            _ => Level::Low,
        }
    }
}

impl ThreatPart {
    pub(super) fn check(&self) -> Result<(), Problem> {
        short(&self.note)?;
        let Some(measured) = &self.measured else { return Ok(()) };
        source("measured", &measured.entity, &measured.attribute)?;
        let is_range = measured.medium_from.is_finite()
            && measured.high_from.is_finite()
            && (measured.medium_from - measured.high_from).abs() > f64::EPSILON;
        if !is_range {
            let remedy = "give two different numbers: from where it matters some, and from where much";
            return Err(Problem::new("measured.highFrom", "the levels do not differ", remedy));
        }
        Ok(())
    }
}
