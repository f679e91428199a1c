//! The model card: what a model was trained on, where it holds, what it looks at, and how good it was.

use serde::{Deserialize, Serialize};

use crate::{
    evaluate::{Evaluation, MethodFigures},
    insufficient::{HISTORY_DAYS_MIN, RECENT_HOURS_MIN},
    model::{Model, Training},
};

/// What a reader must know of a model before relying on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// What the model is for.
    pub purpose: String,
    /// How it works, in a sentence.
    pub method: String,
    /// What it was trained on.
    pub training: Training,
    /// Where it holds, and what it refuses.
    pub validity: Vec<String>,
    /// What matters to it: feature and share, the most important first, at most twenty.
    pub importance: Vec<(String, f32)>,
    /// How good it and the baselines were in the last evaluation; empty before the first.
    pub figures: Vec<MethodFigures>,
}

/// The card of a model, with the figures of an evaluation if there was one.
pub fn card(model: &Model, evaluation: Option<&Evaluation>) -> ModelCard {
    let hours = model.bands.last().map_or(0, |band| band.lead_end);
    ModelCard {
        purpose: "Hourly counts and occupancies of public space: what to expect, and how sure that is. \
                  Only counts go in; it says nothing of persons."
            .to_owned(),
        method: "Gradient-boosted trees on scaled differences from the same hour of earlier weeks, one model for all series; \
                 quantiles 10, 50 and 90, the band stretched daily by its record."
            .to_owned(),
        training: model.training.clone(),
        validity: vec![
            format!("1 to {hours} hours ahead"),
            format!("series with {HISTORY_DAYS_MIN} days of counts, {RECENT_HOURS_MIN} hours in the last four weeks"),
            "hours counted in one of the eight weeks before, or on a week of the last 28 days".to_owned(),
            format!("a daily change of at most 20 times {:.0}, the largest in training", model.training.scale_max),
        ],
        importance: model.importance().into_iter().take(20).collect(),
        figures: evaluation.map(|evaluation| evaluation.methods.clone()).unwrap_or_default(),
    }
}
