//! The data protection sheet of a source: what anybody may know of it, made from the settings that the source runs by,
//! so that it cannot say anything else than what happens.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::{AggregateConfig, AttributeConfig, CountBy, Persons, SourceConfig, Text};

/// A data protection sheet. Serialised form: `GET /api/v1/data-sheets/{source}`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSheet {
    /// The name of the source.
    pub source: String,
    /// What a person reads.
    pub title: Text,
    /// The short type of its entities.
    pub entity_type: String,
    /// Whether everybody may see its entities without an account.
    pub public: bool,
    /// Whether its entities are for computing only: no reader reaches them.
    pub internal: bool,
    /// How its values come to be: measured, modelled, forecast, simulated or registered.
    pub origin: String,
    /// Whether somebody has stated purpose, ground and controller.
    pub stated: bool,
    /// What it says about persons.
    pub persons: Persons,
    /// Whom or what the data are about.
    #[schema(required)]
    pub collected: Option<Text>,
    /// What the data are used for.
    #[schema(required)]
    pub purpose: Option<Text>,
    /// The legal ground.
    #[schema(required)]
    pub basis: Option<Text>,
    /// Who decides about the data.
    #[schema(required)]
    pub controller: Option<String>,
    /// Where to ask, object or complain.
    #[schema(required)]
    pub contact: Option<String>,
    /// What is done so that nobody can be recognised, beside what Polder itself does.
    pub measures: Vec<Text>,
    /// What the data do not say.
    #[schema(required)]
    pub limits: Option<Text>,
    /// The day by which this must be looked at again.
    #[schema(required, value_type = Option<String>, format = Date)]
    pub review_by: Option<String>,
    /// Whether that day has passed.
    pub review_overdue: bool,
    /// What is kept of each thing that is measured.
    pub attributes: Vec<SheetAttribute>,
    /// How positions of people become counts before they are kept.
    #[schema(required)]
    pub aggregation: Option<Aggregation>,
    /// Days of history that are kept; `null` when everything is kept.
    #[schema(required)]
    pub history_days: Option<u32>,
    /// Where the data come from.
    pub provenance: SheetProvenance,
}

/// One attribute of the entities of a source.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DataSheetAttribute)]
pub struct SheetAttribute {
    /// Its short name.
    pub name: String,
    /// The UN/CEFACT code of its unit.
    #[schema(required)]
    pub unit: Option<String>,
    /// Whether its values over time are kept.
    pub history: bool,
    /// Fewer persons than this are not told; `null` when it is no number of persons.
    #[schema(required)]
    pub minimum_count: Option<u32>,
}

/// How positions become counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DataSheetAggregation)]
pub struct Aggregation {
    /// `areas` or `cells`.
    pub by: String,
    /// The side of a cell, metres.
    #[schema(required)]
    pub size_m: Option<f64>,
    /// The length of a period, seconds.
    pub period_s: u32,
    /// For how long after a period its hashed pseudonyms are held, seconds.
    pub grace_s: u32,
    /// Fewer are not told, and what is told is rounded to it.
    pub minimum: u32,
    /// Whether each device counts once.
    pub distinct: bool,
}

/// Who publishes the data, and under which conditions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DataSheetProvenance)]
pub struct SheetProvenance {
    /// The organisation.
    pub publisher: String,
    /// The licence.
    pub licence: String,
    /// Whether somebody has read its text.
    pub licence_verified: bool,
    /// The line that must be shown.
    pub attribution: String,
    /// Where the data come from.
    #[schema(required)]
    pub url: Option<String>,
    /// What a reader must know about them.
    #[schema(required)]
    pub note: Option<Text>,
}

impl DataSheet {
    /// The sheet of a source; `now` decides whether it should have been looked at again.
    #[must_use]
    pub fn of(source: &SourceConfig, now: Timestamp) -> Self {
        let privacy = source.privacy.as_ref();
        let review_by = privacy.and_then(|p| p.review_by).map(|day| day.to_string());
        let today: String = now.to_string().chars().take(10).collect();
        let own = source.aggregate.as_ref().map(counted);
        Self {
            source: source.name.clone(),
            title: source.title.clone(),
            entity_type: source.entity_type.clone(),
            public: source.public && !source.internal,
            internal: source.internal,
            origin: format!("{:?}", source.origin).to_lowercase(),
            stated: privacy.is_some(),
            persons: privacy.map(|p| p.persons).unwrap_or_default(),
            collected: privacy.map(|p| p.collected.clone()),
            purpose: privacy.map(|p| p.purpose.clone()),
            basis: privacy.map(|p| p.basis.clone()),
            controller: privacy.map(|p| p.controller.clone()),
            contact: privacy.and_then(|p| p.contact.clone()),
            measures: privacy.map(|p| p.measures.clone()).unwrap_or_default(),
            limits: privacy.and_then(|p| p.limits.clone()),
            // Days as year-month-day are in the order of their texts.
            review_overdue: review_by.as_ref().is_some_and(|day| *day < today),
            review_by,
            attributes: source.attributes.iter().map(attribute).chain(own).collect(),
            aggregation: source.aggregate.as_ref().map(aggregation),
            history_days: source.retention.and_then(|r| r.history_days),
            provenance: SheetProvenance {
                publisher: source.provenance.publisher.clone(),
                licence: source.provenance.licence.clone(),
                licence_verified: source.provenance.licence_verified,
                attribution: source.provenance.attribution.clone(),
                url: source.provenance.url.clone(),
                note: source.provenance.note.clone(),
            },
        }
    }
}

fn attribute(attribute: &AttributeConfig) -> SheetAttribute {
    SheetAttribute {
        name: attribute.name.clone(),
        unit: attribute.to_unit.clone().or_else(|| attribute.unit.clone()),
        history: attribute.history,
        minimum_count: attribute.persons_minimum(),
    }
}

/// The attribute that holds the count of an aggregated source.
fn counted(aggregate: &AggregateConfig) -> SheetAttribute {
    SheetAttribute {
        name: aggregate.count.clone(),
        unit: None,
        history: aggregate.history,
        minimum_count: Some(aggregate.minimum),
    }
}

fn aggregation(aggregate: &AggregateConfig) -> Aggregation {
    let by = match aggregate.by {
        CountBy::Areas => "areas",
        CountBy::Cells => "cells",
    };
    Aggregation {
        by: by.to_owned(),
        size_m: aggregate.size_m.filter(|_| aggregate.by == CountBy::Cells),
        period_s: aggregate.period_s,
        grace_s: aggregate.grace_s,
        minimum: aggregate.minimum,
        distinct: aggregate.distinct,
    }
}
