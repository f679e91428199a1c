//! Looking back on a run: what was seen, what was raised and decided, and how good the predictions were.

use std::collections::BTreeMap;

use model::{Tenant, Timestamp};
use serde::Serialize;
use store::Snapshot;
use support::crowd::Colour;
use utoipa::ToSchema;

use crate::{
    AlertRecord, Body, ControlError, DecisionRecord, EventFacts, RunRecord, events,
    record::{self, Minute},
};

/// The most points of a line in the report: a screen has no more.
const POINTS_MAX: usize = 1_500;
/// The minutes ahead for which predictions are judged.
const HORIZONS_MIN: [u32; 3] = [15, 30, 60];

/// A run, looked back on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdReport)]
pub struct Report {
    /// The id of the event.
    pub event: String,
    /// What was said of the event.
    pub facts: EventFacts,
    /// The run.
    pub run: RunRecord,
    /// Each area.
    pub areas: Vec<AreaReport>,
    /// What was on the programme.
    pub programme: Vec<ProgrammeEntry>,
    /// The alerts, the first one first.
    pub alerts: Vec<AlertRecord>,
    /// The decisions, the first one first.
    pub decisions: Vec<DecisionReport>,
    /// How good the predictions were.
    pub quality: Vec<HorizonQuality>,
}

/// An area over a whole run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdAreaReport)]
pub struct AreaReport {
    /// The area.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// The most persons that it may hold.
    pub capacity_persons: f64,
    /// The fullest moment; absent when no number may or can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peak: Option<Peak>,
    /// How many minutes it was each colour.
    pub minutes: ColourMinutes,
    /// Persons over time.
    pub points: Vec<Point>,
}

/// The fullest moment of an area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdPeak)]
pub struct Peak {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Persons.
    pub persons: f64,
    /// Persons/m2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub density_m2: Option<f64>,
}

/// Minutes by colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CrowdColourMinutes)]
pub struct ColourMinutes {
    /// Below every threshold.
    pub green: u32,
    /// Attention.
    pub amber: u32,
    /// Act.
    pub red: u32,
    /// Not known.
    pub unknown: u32,
}

/// An area at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdPoint)]
pub struct Point {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub persons: Option<f64>,
    /// Its standard deviation, persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sd: Option<f64>,
    /// Its colour.
    #[schema(value_type = String, example = "green")]
    pub colour: Colour,
}

/// Something on the programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CrowdProgrammeEntry)]
pub struct ProgrammeEntry {
    /// What it is called.
    pub name: String,
    /// The area.
    pub area: String,
    /// When it starts.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

/// A decision, with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdDecisionReport)]
pub struct DecisionReport {
    /// The decision.
    #[serde(flatten)]
    pub decision: DecisionRecord,
    /// What was expected and what came.
    pub outcome: Vec<Outcome>,
}

/// Persons in an area some minutes after a decision.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdOutcome)]
pub struct Outcome {
    /// The area.
    pub area: String,
    /// How many minutes later.
    pub in_min: u32,
    /// Expected without the measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub without: Option<f64>,
    /// Expected with the measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub with: Option<f64>,
    /// What came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actual: Option<f64>,
}

/// How good the predictions were for one horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CrowdHorizonQuality)]
pub struct HorizonQuality {
    /// How many minutes ahead.
    pub in_min: u32,
    /// How many predictions could be judged.
    pub judged: u32,
    /// The mean of |median - what came|, persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mean_error_persons: Option<f64>,
    /// The share of what came that lay in the band from p10 to p90; 0.8 is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coverage: Option<f64>,
    /// The mean square of (probability of red - whether it came); 0 is perfect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub brier_red: Option<f64>,
}

/// Looks back on a run, also while it goes on.
///
/// # Errors
/// There is no such run, or the store fails.
pub fn report(snapshot: &Snapshot, tenant: &Tenant, event: &str, run: &str) -> Result<Report, ControlError> {
    let plan = events::plan(snapshot, tenant, event)?;
    let run = record::run(snapshot, tenant, event, run)?.value;
    let minutes = record::minutes(snapshot, tenant, event, &run.id)?;
    let programme = plan.parts.iter().filter_map(|part| match &part.body {
        Body::Programme(item) => Some(ProgrammeEntry {
            name: item.name.clone(),
            area: item.area.clone(),
            from: item.from,
            until: item.until,
        }),
        _ => None,
    });
    let decisions = record::decisions(snapshot, tenant, event, &run.id)?;
    Ok(Report {
        event: event.to_owned(),
        programme: programme.collect(),
        facts: plan.event.value.facts,
        areas: areas(&minutes),
        alerts: record::alerts(snapshot, tenant, event, &run.id)?,
        decisions: decisions.into_iter().map(|decision| with_outcome(decision, &minutes)).collect(),
        quality: qualities(&minutes),
        run,
    })
}

fn areas(minutes: &[Minute]) -> Vec<AreaReport> {
    let mut reports: BTreeMap<&str, AreaReport> = BTreeMap::new();
    let every = minutes.len().div_ceil(POINTS_MAX).max(1);
    for (number, minute) in minutes.iter().enumerate() {
        for area in &minute.areas {
            let report = reports.entry(&area.key).or_insert_with(|| AreaReport {
                key: area.key.clone(),
                name: area.name.clone(),
                capacity_persons: area.capacity_persons,
                peak: None,
                minutes: ColourMinutes::default(),
                points: vec![],
            });
            *match area.colour {
                Colour::Green => &mut report.minutes.green,
                Colour::Amber => &mut report.minutes.amber,
                Colour::Red => &mut report.minutes.red,
                Colour::Unknown => &mut report.minutes.unknown,
            } += 1;
            let persons = area.occupancy.map(|amount| amount.value);
            if let Some(persons) = persons
                && report.peak.is_none_or(|peak| persons > peak.persons)
            {
                report.peak = Some(Peak { at: minute.at, persons, density_m2: area.density_m2 });
            }
            if number % every == 0 {
                let sd = area.occupancy.map(|amount| amount.sd);
                report.points.push(Point { at: minute.at, persons, sd, colour: area.colour });
            }
        }
    }
    reports.into_values().collect()
}

fn minute_after(minutes: &[Minute], at: Timestamp, in_min: u32) -> Option<&Minute> {
    let wanted = at.plus_micros(i64::from(in_min) * 60_000_000);
    minutes.binary_search_by_key(&wanted, |minute| minute.at).ok().and_then(|found| minutes.get(found))
}

fn persons_in(minute: &Minute, area: &str) -> Option<f64> {
    minute.areas.iter().find(|picture| picture.key == area)?.occupancy.map(|amount| amount.value)
}

fn with_outcome(decision: DecisionRecord, minutes: &[Minute]) -> DecisionReport {
    let mut outcome = Vec::new();
    for difference in &decision.expected {
        for (with, without) in difference.with.iter().zip(&difference.without) {
            let later = minute_after(minutes, decision.at, with.in_min);
            outcome.push(Outcome {
                area: difference.key.clone(),
                in_min: with.in_min,
                without: without.p50,
                with: with.p50,
                actual: later.and_then(|minute| persons_in(minute, &difference.key)),
            });
        }
    }
    DecisionReport { decision, outcome }
}

/// How good the predictions of these minutes were, for each horizon.
pub(crate) fn qualities(minutes: &[Minute]) -> Vec<HorizonQuality> {
    HORIZONS_MIN.iter().map(|in_min| quality(minutes, *in_min)).collect()
}

/// Holds every prediction of a run against what came.
fn quality(minutes: &[Minute], in_min: u32) -> HorizonQuality {
    let (mut judged, mut error, mut inside) = (0u32, 0.0, 0u32);
    let (mut asked, mut brier) = (0u32, 0.0);
    for (number, minute) in minutes.iter().enumerate() {
        let Some(later) = minute_after(minutes, minute.at, in_min) else { continue };
        let until = minutes.get(number + 1..).unwrap_or_default().iter().take_while(|m| m.at <= later.at);
        let reds: Vec<&str> = until
            .flat_map(|m| m.areas.iter().filter(|area| area.colour == Colour::Red).map(|area| area.key.as_str()))
            .collect();
        for area in &minute.areas {
            let Some(ahead) = area.coming.iter().find(|ahead| ahead.in_min == in_min) else { continue };
            if let (Some(low), Some(middle), Some(high), Some(actual)) =
                (ahead.p10, ahead.p50, ahead.p90, persons_in(later, &area.key))
            {
                judged += 1;
                error += (middle - actual).abs();
                inside += u32::from((low..=high).contains(&actual));
            }
            // What is red already need not be predicted.
            if let Some(probability) = ahead.probability_red.filter(|_| area.colour != Colour::Red) {
                asked += 1;
                let came = if reds.contains(&area.key.as_str()) { 1.0 } else { 0.0 };
                brier += (probability - came) * (probability - came);
            }
        }
    }
    let mean = |sum: f64, count: u32| (count > 0).then(|| sum / f64::from(count));
    HorizonQuality {
        in_min,
        judged,
        mean_error_persons: mean(error, judged),
        coverage: mean(f64::from(inside), judged),
        brier_red: mean(brier, asked),
    }
}
