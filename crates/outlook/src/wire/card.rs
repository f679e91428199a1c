//! The model card.

use serde::Serialize;
use utoipa::ToSchema;

use super::{ModelBrief, Score, Text};

/// What a model was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastModelData)]
pub struct ModelData {
    /// The type of the entities that count.
    pub entity_type: String,
    /// Their attribute.
    pub attribute: String,
    /// How many series and areas there were.
    pub series: u64,
    /// Hours learned from, each as often as it was asked for.
    pub rows: u64,
    /// The first local day learned from.
    pub from: String,
    /// The local day before which everything was learned.
    pub until: String,
    /// The region whose public holidays are known by rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub region: Option<String>,
    /// Lists of days, and weather, that went in.
    pub inputs: Vec<String>,
}

/// What the model looks at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CrowdForecastFeature)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Its share (0..1) in what the model learned.
    pub share: f64,
}

/// What a reader must know of a model before relying on it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdForecastModelCard)]
pub struct ModelCard {
    /// The set.
    pub set: String,
    /// The model.
    pub model: ModelBrief,
    /// What it is for.
    pub purpose: Text,
    /// What it is not for.
    pub not_for: Vec<Text>,
    /// How it works.
    pub method: Text,
    /// What it was trained on.
    pub data: ModelData,
    /// What it looks at, the most important first; at most twenty.
    pub features: Vec<Feature>,
    /// Where it holds and what it does not know.
    pub limits: Vec<Text>,
    /// The seed of its draws: the same data and seed give the same model.
    pub seed: u64,
    /// The version of Polder that made it.
    pub version: String,
    /// How long the training took, seconds.
    pub training_s: f64,
    /// How good it was over all series in the last 28 days that were scored, by lead, beside the simple methods.
    pub quality: Vec<Score>,
    /// Models before it that are still kept, the newest first.
    pub earlier: Vec<ModelBrief>,
}
