//! What arrives and what leaves, as of now: the level and trend of each lane from outside, and how readily people leave
//! each area by each gate.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;

use super::{AreaId, Estimator, GateId, Site, StepFlows};

/// A direction through a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the gate's `from` to its `to`.
    Forward,
    /// The other way.
    Backward,
}

/// A gate in one direction.
pub type Lane = (GateId, Direction);

/// Arrivals from outside through one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arrival {
    /// Now, persons a minute.
    pub level_per_min: f64,
    /// Its standard deviation.
    pub level_sd: f64,
    /// Its change, persons a minute per minute.
    pub trend_per_min2: f64,
    /// Its standard deviation.
    pub trend_sd: f64,
}

/// All that a projection starts from: plain values, so that it can be made by hand, kept and repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The moment it is about.
    pub at: Timestamp,
    /// Persons in each leaf area and their standard deviation. An area that is missing is unknown and is not projected.
    pub persons: BTreeMap<AreaId, (f64, f64)>,
    /// Arrivals from outside, by lane.
    pub arrivals: BTreeMap<Lane, Arrival>,
    /// The share of an area's people that leaves it in a minute when nothing holds them up, by lane.
    pub leaving_per_min: BTreeMap<Lane, f64>,
}

/// How far back counts are kept for the trend, min.
const MINUTES_KEPT: usize = 40;
/// Half-life of the weight of a count in the trend, min.
const TREND_HALF_LIFE_MIN: f64 = 8.0;
/// Half-life of what is remembered of leaving, min: areas where people stay, and those they walk through.
const STAY_HALF_LIFE_MIN: f64 = 10.0;
const WALK_HALF_LIFE_MIN: f64 = 3.0;
/// Person-minutes of prior belief in the stay (its own or half an hour).
const STAY_PRIOR: f64 = 60.0;
const STAY_DEFAULT_MIN: f64 = 30.0;
/// Counts vary more than Poisson says, because people come in groups.
const DISPERSION: f64 = 1.5;

/// Follows the flows of a site.
#[derive(Clone, Debug)]
pub struct Trends {
    site: Site,
    counts: BTreeMap<Lane, VecDeque<f64>>,
    left: BTreeMap<Lane, f64>,
    person_minutes: BTreeMap<AreaId, f64>,
    step_min: f64,
}

/// Both lanes of each gate, with where they come from and go to.
pub(super) fn lanes(site: &Site) -> impl Iterator<Item = (Lane, Option<&str>, Option<&str>)> {
    site.gates.iter().flat_map(|gate| {
        let (from, to) = (gate.from.area(), gate.to.area());
        [((gate.id.clone(), Direction::Forward), from, to), ((gate.id.clone(), Direction::Backward), to, from)]
    })
}

impl Trends {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self {
            site: site.clone(),
            counts: BTreeMap::new(),
            left: BTreeMap::new(),
            person_minutes: BTreeMap::new(),
            step_min: 1.0,
        }
    }

    /// Takes the flows of one step and the occupancy after it. Flows that are not known are what the other gates make
    /// likely; the occupancy's standard deviation carries that doubt into the projection.
    pub fn step(&mut self, flows: &StepFlows, estimator: &Estimator) {
        let half_life = |area: Option<&str>| match area.and_then(|id| self.site.area(id)) {
            Some(area) if area.walk_length_m.is_some() => WALK_HALF_LIFE_MIN,
            _ => STAY_HALF_LIFE_MIN,
        };
        for (lane, from, _) in lanes(&self.site) {
            let Some(flow) = flows.get(&lane.0) else { continue };
            self.step_min = flow.length_s / 60.0;
            let count = if lane.1 == Direction::Forward { flow.forward } else { flow.backward };
            let kept = self.counts.entry(lane.clone()).or_default();
            kept.push_back(count);
            if kept.len() > MINUTES_KEPT {
                kept.pop_front();
            }
            let keep = 0.5_f64.powf(self.step_min / half_life(from));
            let left = self.left.entry(lane).or_default();
            *left = *left * keep + count;
        }
        for area in self.site.leaves() {
            let keep = 0.5_f64.powf(self.step_min / half_life(Some(&area.id)));
            let persons = estimator.occupancy(&area.id).map_or(0.0, |occupancy| occupancy.persons);
            let sum = self.person_minutes.entry(area.id.clone()).or_default();
            *sum = *sum * keep + persons * self.step_min;
        }
    }

    /// What a projection from now on starts from. Areas whose occupancy is unknown are left out.
    #[must_use]
    pub fn outlook(&self, estimator: &Estimator, at: Timestamp) -> Outlook {
        let mut outlook =
            Outlook { at, persons: BTreeMap::new(), arrivals: BTreeMap::new(), leaving_per_min: BTreeMap::new() };
        for area in self.site.leaves() {
            let occupancy = estimator.occupancy(&area.id);
            if let Some(occupancy) = occupancy.filter(|occupancy| occupancy.shown().is_some()) {
                outlook.persons.insert(area.id.clone(), (occupancy.persons, occupancy.sd_persons));
            }
        }
        for (lane, from, to) in lanes(&self.site) {
            match from {
                None if to.is_some() => {
                    let arrival = self.arrival(&lane);
                    outlook.arrivals.insert(lane, arrival);
                }
                None => {}
                Some(from) => {
                    let leaving = self.leaving(&lane, from);
                    outlook.leaving_per_min.insert(lane, leaving);
                }
            }
        }
        outlook
    }

    /// Weighted least squares through the last counts: level now and slope.
    fn arrival(&self, lane: &Lane) -> Arrival {
        let Some(counts) = self.counts.get(lane).filter(|counts| !counts.is_empty()) else { return Arrival::default() };
        let decay = 0.5_f64.powf(self.step_min / TREND_HALF_LIFE_MIN);
        let (mut s, mut sx, mut sxx, mut sy, mut sxy, mut weight) = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0);
        let (mut ss, mut ssx, mut ssxx) = (0.0, 0.0, 0.0);
        let mut age = 0.0;
        for count in counts.iter().rev() {
            let (x, y) = (-age, count / self.step_min);
            s += weight;
            sx += weight * x;
            sxx += weight * x * x;
            sy += weight * y;
            sxy += weight * x * y;
            ss += weight * weight;
            ssx += weight * weight * x;
            ssxx += weight * weight * x * x;
            weight *= decay;
            age += self.step_min;
        }
        let determinant = s * sxx - sx * sx;
        let mean = sy / s;
        let variance = DISPERSION * mean.max(0.5) / self.step_min;
        if counts.len() < 5 || determinant <= 1e-9 {
            let level_sd = (variance * ss).sqrt() / s;
            return Arrival { level_per_min: mean, level_sd, trend_per_min2: 0.0, trend_sd: level_sd / 10.0 };
        }
        let level = (sxx * sy - sx * sxy) / determinant;
        let trend = (s * sxy - sx * sy) / determinant;
        let level_variance = (sxx * sxx * ss - 2.0 * sxx * sx * ssx + sx * sx * ssxx) / (determinant * determinant);
        let trend_variance = (s * s * ssxx - 2.0 * s * sx * ssx + sx * sx * ss) / (determinant * determinant);
        Arrival {
            level_per_min: level.max(0.0),
            level_sd: (variance * level_variance.max(0.0)).sqrt(),
            trend_per_min2: trend,
            trend_sd: (variance * trend_variance.max(0.0)).sqrt(),
        }
    }

    /// The share that leaves in a minute. Where people walk through, it is one over the walking time, split over the
    /// lanes as lately; where they stay, it is what lately left per person and minute.
    fn leaving(&self, lane: &Lane, from: &str) -> f64 {
        let Some(area) = self.site.area(from) else { return 0.0 };
        let left = self.left.get(lane).copied().unwrap_or(0.0);
        let beside: Vec<Lane> =
            lanes(&self.site).filter(|(_, other, _)| *other == Some(from)).map(|(lane, ..)| lane).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of lanes")]
        let lanes_count = beside.len().max(1) as f64;
        if let Some(length_m) = area.walk_length_m {
            let all: f64 = beside.iter().filter_map(|lane| self.left.get(lane)).sum();
            let share = (left + 1.0) / (all + lanes_count);
            return share * area.diagram.free_speed_m_s * 60.0 / length_m;
        }
        let prior = 1.0 / area.stay_min.unwrap_or(STAY_DEFAULT_MIN);
        let minutes = self.person_minutes.get(from).copied().unwrap_or(0.0);
        (left + STAY_PRIOR * prior / lanes_count) / (minutes + STAY_PRIOR)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            EstimatorSettings, FlowStatus, GateFlow, Start,
            counter::plus_s,
            test_sites::{row, square},
        },
        *,
    };

    /// Plays minutes of flows into a fresh estimate.
    fn played(site: &Site, minutes: u32, count: impl Fn(&str, u32) -> (f64, f64)) -> Outlook {
        let origin = Timestamp::from_micros(1_780_000_000_000_000);
        let mut estimator = Estimator::new(site, EstimatorSettings::default(), origin, Start::Empty);
        let mut trends = Trends::new(site);
        for minute in 0..minutes {
            let flows = site.gates.iter().map(|gate| {
                let (forward, backward) = count(&gate.id, minute);
                let start = plus_s(origin, f64::from(minute) * 60.0);
                let status = FlowStatus::Measured;
                let (id, late) = (gate.id.clone(), (0.0, 0.0));
                let flow = GateFlow {
                    gate: id,
                    start,
                    length_s: 60.0,
                    forward,
                    backward,
                    sd_persons: 0.0,
                    status,
                    late,
                    marks: vec![],
                };
                (gate.id.clone(), flow)
            });
            let flows: StepFlows = flows.collect();
            estimator.step(&flows);
            trends.step(&flows, &estimator);
        }
        trends.outlook(&estimator, plus_s(origin, f64::from(minutes) * 60.0))
    }

    #[test]
    fn a_straight_rise_is_found_with_its_level_and_slope() {
        let outlook = played(&square(), 30, |_, minute| (10.0 + f64::from(minute), 0.0));
        let arrival = outlook.arrivals[&("north".to_owned(), Direction::Forward)];
        assert!((arrival.level_per_min - 39.0).abs() < 1e-6 && (arrival.trend_per_min2 - 1.0).abs() < 1e-6);
        assert!(arrival.level_sd > 1.0 && arrival.trend_sd > 0.05, "{arrival:?}");
    }

    #[test]
    fn people_who_stay_a_quarter_of_an_hour_leave_at_one_fifteenth_a_minute() {
        // Twenty a minute come and go while 300 are there.
        let outlook = played(&square(), 120, |gate, minute| match gate {
            "north" if minute < 15 => (20.0, 0.0),
            "north" => (20.0, 20.0),
            _ => (0.0, 0.0),
        });
        let leaving = outlook.leaving_per_min[&("north".to_owned(), Direction::Backward)];
        assert!((leaving - 1.0 / 15.0).abs() < 0.005, "{leaving}");
    }

    #[test]
    fn who_walks_through_leaves_after_the_walking_time_where_others_left_lately() {
        let mut site = row();
        site.areas[0].walk_length_m = Some(40.2);
        let outlook = played(&site, 20, |_, _| (10.0, 0.0));
        let leaving = outlook.leaving_per_min[&("between".to_owned(), Direction::Forward)];
        assert!((leaving - 2.0).abs() < 0.1, "half a minute of walking: {leaving}");
    }
}
