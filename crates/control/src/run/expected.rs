//! How many are expected to arrive where in the next hour, and who goes home, by the programme of the plan.
//!
//! Only the plan is used, never what a rehearsal simulates: a run with twice the visitors meets the same expectation,
//! and the counts must correct it.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use support::{
    crowd::{AreaId, Departure, ForecastBand, Lane, Side, Site},
    visitors::{Bound, Draw, entries_of},
};

use super::scene::{arrival_shares, draws};
use crate::Plan;

/// How far ahead, min.
const MINUTES: i64 = 60;
/// One in ten events draws less than this share of those expected, and one in ten more: our choice until the records of
/// a site's own events say better.
const SHARE_P10: f64 = 0.6;
const SHARE_P90: f64 = 1.5;

/// The share of those whose programme is over that decides to go home in a minute: half of them within nine minutes. Our
/// choice; as soon as people leave, the counts say how fast.
const LEAVING_PER_MIN: f64 = 0.075;

/// What a plan expects.
pub(super) struct Expected {
    draws: Vec<Draw>,
    bound: Bound,
    /// The share of all arrivals that enters each area from outside.
    shares: BTreeMap<String, f64>,
}

impl Expected {
    pub(super) fn new(plan: &Plan, site: &Site) -> Self {
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        let entries = entries_of(site, &arrival_shares(plan));
        for (gate, share) in &entries {
            let Some(gate) = site.gate(gate) else { continue };
            let inside = if gate.from == Side::Outside { &gate.to } else { &gate.from };
            if let Some(area) = inside.area() {
                *shares.entry(area.to_owned()).or_default() += *share;
            }
        }
        let draws: Vec<Draw> = draws(plan, site).collect();
        Self { bound: Bound::new(site, draws.clone(), &entries), draws, shares }
    }

    /// Arrivals a minute into each area from outside, for the next hour; nothing when there is no programme, for then
    /// only the counts can say.
    pub(super) fn bands(&self, at: Timestamp) -> Vec<ForecastBand> {
        if self.draws.is_empty() {
            return vec![];
        }
        let minutes: Vec<f64> = (0..MINUTES)
            .map(|minute| at.plus_micros(minute * 60_000_000))
            .map(|moment| self.draws.iter().map(|draw| draw.arrivals_per_min(moment)).sum())
            .collect();
        let line = |factor: f64| minutes.iter().map(|all| all * factor).collect();
        self.shares
            .iter()
            .map(|(area, share)| ForecastBand {
                area: area.clone(),
                p10: line(share * SHARE_P10),
                p50: line(*share),
                p90: line(share * SHARE_P90),
            })
            .collect()
    }

    /// Who goes home from the areas with a programme, minute by minute for the next hour: of those who came for several
    /// things, the share whose programme is over by then.
    pub(super) fn departures(&self, at: Timestamp) -> BTreeMap<AreaId, Departure> {
        let areas: BTreeSet<&AreaId> = self.draws.iter().map(|draw| &draw.area).collect();
        let minutes = (0..MINUTES).map(|minute| at.plus_micros(minute * 60_000_000));
        let mut settling: BTreeMap<Lane, Vec<f64>> = BTreeMap::new();
        for shares in minutes.clone().map(|moment| self.bound.settling(moment)) {
            for (lane, share) in shares {
                settling.entry(lane).or_default().push(share);
            }
        }
        let lines = areas.into_iter().map(|area| {
            let per_min = minutes.clone().map(|moment| self.share_over(area, moment) * LEAVING_PER_MIN).collect();
            (area.clone(), Departure { per_min, settling: settling.clone() })
        });
        lines.collect()
    }

    /// The share of the people in an area whose programme is over at a moment.
    fn share_over(&self, area: &str, at: Timestamp) -> f64 {
        let (mut over, mut all) = (0.0, 0.0);
        for draw in self.draws.iter().filter(|draw| draw.area == area) {
            let since_min = at.seconds_since(draw.until) / 60.0;
            let came = draw.arrived_by(at.min(draw.until)) * (-LEAVING_PER_MIN * since_min.max(0.0)).exp();
            all += came;
            over += if since_min >= 0.0 { came } else { 0.0 };
        }
        if all > 0.0 { over / all } else { 0.0 }
    }
}
