//! What arrives and what leaves, as of now: the level and trend of each lane from outside, and how readily people leave
//! each area by each gate.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;

use super::{AreaId, Departure, Estimator, GateId, Site, StepFlows};

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

/// Arrivals from outside through one lane. The standard deviations are shares of the area's: those of all lanes into one
/// area add up, because its arrivals rise and fall together.
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

/// How readily people leave an area by one lane, as a share of its people and minute, when nothing holds them up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leaving {
    /// Now.
    pub now_per_min: f64,
    /// Later: while an area fills, those who came lately are not yet ready to leave.
    pub later_per_min: f64,
    /// How long it takes to go from one to the other, min.
    pub settles_min: f64,
}

impl Leaving {
    /// The same now and later.
    #[must_use]
    pub fn steady(per_min: f64) -> Self {
        Self { now_per_min: per_min, later_per_min: per_min, settles_min: 1.0 }
    }

    /// The share a number of minutes ahead.
    #[must_use]
    pub fn ahead(&self, minutes: f64) -> f64 {
        let settled = 1.0 - (-minutes / self.settles_min.max(0.1)).exp();
        (self.now_per_min + (self.later_per_min - self.now_per_min) * settled).max(0.0)
    }
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
    /// How readily people leave the areas, by lane.
    pub leaving: BTreeMap<Lane, Leaving>,
    /// What is known beforehand of people who go home.
    pub departures: BTreeMap<AreaId, Departure>,
}

impl Outlook {
    /// Nothing known yet.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let (persons, arrivals, leaving) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { at, persons, arrivals, leaving, departures: BTreeMap::new() }
    }
}

/// How far back counts are kept for the trend, min.
const MINUTES_KEPT: usize = 40;
/// How far back arrivals are kept to find how long people stay: six hours of minutes.
const STEPS_KEPT: usize = 360;
/// Fewer than this who left say nothing about the stay.
const LEFT_MIN: f64 = 10.0;
/// Half-life of the weight of a count in the trend, min.
const TREND_HALF_LIFE_MIN: f64 = 8.0;
/// Half-life of what is remembered of leaving, min: areas where people stay, and those they walk through.
const STAY_HALF_LIFE_MIN: f64 = 10.0;
const WALK_HALF_LIFE_MIN: f64 = 3.0;
/// Person-minutes of prior belief in the stay (its own or half an hour).
const STAY_PRIOR: f64 = 60.0;
const STAY_DEFAULT_MIN: f64 = 30.0;
/// What a stay is taken to come to while too few have left to say.
const STAY_UNKNOWN_MIN: f64 = 60.0;
/// A usual trend: this share of the mean, a minute.
const TREND_USUAL: f64 = 0.05;
/// Counts vary more than Poisson says, because people come in groups.
const DISPERSION: f64 = 1.5;

/// Follows the flows of a site.
#[derive(Clone, Debug)]
pub struct Trends {
    site: Site,
    counts: BTreeMap<Lane, VecDeque<f64>>,
    left: BTreeMap<Lane, f64>,
    person_minutes: BTreeMap<AreaId, f64>,
    /// Everybody who came so far, by step: who has left since tells how long they stayed.
    came: BTreeMap<AreaId, VecDeque<f64>>,
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
            came: BTreeMap::new(),
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
            let entered: f64 = lanes(&self.site)
                .filter(|(_, _, to)| *to == Some(area.id.as_str()))
                .filter_map(|(lane, ..)| {
                    let flow = flows.get(&lane.0)?;
                    Some(if lane.1 == Direction::Forward { flow.forward } else { flow.backward })
                })
                .sum();
            let came = self.came.entry(area.id.clone()).or_insert_with(|| [(persons - entered).max(0.0)].into());
            let before = came.back().copied().unwrap_or(0.0);
            came.push_back(before + entered);
            if came.len() > STEPS_KEPT {
                came.pop_front();
            }
        }
    }

    /// What a projection from now on starts from. Areas whose occupancy is unknown are left out.
    #[must_use]
    pub fn outlook(&self, estimator: &Estimator, at: Timestamp) -> Outlook {
        let mut outlook = Outlook::of(at);
        for area in self.site.leaves() {
            let occupancy = estimator.occupancy(&area.id);
            if let Some(occupancy) = occupancy.filter(|occupancy| occupancy.shown().is_some()) {
                outlook.persons.insert(area.id.clone(), (occupancy.persons, occupancy.sd_persons));
            }
        }
        for area in self.site.leaves() {
            outlook.arrivals.extend(self.arrivals_into(&area.id));
        }
        for (lane, from, _) in lanes(&self.site) {
            let Some(from) = from else { continue };
            let persons = estimator.occupancy(from).map_or(0.0, |occupancy| occupancy.persons);
            let leaving = self.leaving(&lane, from, persons);
            outlook.leaving.insert(lane, leaving);
        }
        outlook
    }

    /// Arrivals from outside into an area: one line through the sum of its lanes, shared out as they lately were.
    fn arrivals_into(&self, area: &str) -> Vec<(Lane, Arrival)> {
        let into: Vec<Lane> = lanes(&self.site)
            .filter(|(_, from, to)| from.is_none() && *to == Some(area))
            .map(|(lane, ..)| lane)
            .collect();
        let counts: Vec<&VecDeque<f64>> = into.iter().filter_map(|lane| self.counts.get(lane)).collect();
        let steps = counts.iter().map(|counts| counts.len()).min().unwrap_or(0);
        if counts.len() < into.len() || steps == 0 {
            return into.into_iter().map(|lane| (lane, Arrival::default())).collect();
        }
        // Newest first; gates are stepped together, so equal places are equal times.
        let back = |counts: &VecDeque<f64>, age: usize| counts.iter().rev().nth(age).copied().unwrap_or(0.0);
        let sums: Vec<f64> = (0..steps).map(|age| counts.iter().map(|counts| back(counts, age)).sum()).collect();
        let whole = line(&sums, self.step_min);
        let lately = |counts: &&VecDeque<f64>| 0.1 + counts.iter().rev().take(15).sum::<f64>();
        let all: f64 = counts.iter().map(lately).sum();
        let shares: Vec<f64> = counts.iter().map(|counts| lately(counts) / all).collect();
        let arrivals = into.into_iter().zip(shares).map(|(lane, share)| {
            let arrival = Arrival {
                level_per_min: whole.level_per_min * share,
                level_sd: whole.level_sd * share,
                trend_per_min2: whole.trend_per_min2 * share,
                trend_sd: whole.trend_sd * share,
            };
            (lane, arrival)
        });
        arrivals.collect()
    }

    /// The share that leaves in a minute. Where people walk through, it is one over the walking time, split over the
    /// lanes as lately; where they stay, it is what lately left per person and minute, and later one over the stay.
    fn leaving(&self, lane: &Lane, from: &str, persons: f64) -> Leaving {
        let Some(area) = self.site.area(from) else { return Leaving::default() };
        let left = self.left.get(lane).copied().unwrap_or(0.0);
        let beside: Vec<Lane> =
            lanes(&self.site).filter(|(_, other, _)| *other == Some(from)).map(|(lane, ..)| lane).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of lanes")]
        let lanes_count = beside.len().max(1) as f64;
        if let Some(length_m) = area.walk_length_m {
            let all: f64 = beside.iter().filter_map(|lane| self.left.get(lane)).sum();
            let share = (left + 1.0) / (all + lanes_count);
            return Leaving::steady(share * area.diagram.free_speed_m_s * 60.0 / length_m);
        }
        let prior = 1.0 / area.stay_min.unwrap_or(STAY_DEFAULT_MIN);
        let minutes = self.person_minutes.get(from).copied().unwrap_or(0.0);
        let now_per_min = (left + STAY_PRIOR * prior / lanes_count) / (minutes + STAY_PRIOR);
        let all: f64 = beside.iter().filter_map(|lane| self.left.get(lane)).sum();
        let share = (left + 1.0) / (all + lanes_count);
        // While nobody knows how long people stay, a long stay is the safe side: they may have come for the evening.
        let stay_min = area.stay_min.or_else(|| self.stay_min(from, persons)).unwrap_or(STAY_UNKNOWN_MIN);
        Leaving { now_per_min, later_per_min: share / stay_min, settles_min: stay_min / 2.0 }
    }

    /// How long those stayed who leave now, when who came first leaves first: the time since as many had come as have
    /// left by now. `None` while too few have left.
    fn stay_min(&self, area: &str, persons: f64) -> Option<f64> {
        let came = self.came.get(area)?;
        let left = came.back()? - persons;
        let first = came.front()?;
        if left - first < LEFT_MIN {
            return None;
        }
        let since = came.iter().rev().position(|came| *came <= left)?;
        #[expect(clippy::cast_precision_loss, reason = "some hundred steps")]
        let stay_min = since as f64 * self.step_min;
        Some(stay_min.max(1.0))
    }
}

/// Weighted least squares through counts, newest first: level now and slope. The slope is drawn to zero as far as it is
/// not significant; beforehand, a change of a twentieth of the mean a minute is taken to be usual.
fn line(counts: &[f64], step_min: f64) -> Arrival {
    let decay = 0.5_f64.powf(step_min / TREND_HALF_LIFE_MIN);
    let (mut s, mut sx, mut sxx, mut sy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut ss, mut ssx, mut ssxx) = (0.0, 0.0, 0.0);
    let (mut weight, mut x) = (1.0, 0.0);
    for count in counts {
        let y = count / step_min;
        s += weight;
        sx += weight * x;
        sxx += weight * x * x;
        sy += weight * y;
        sxy += weight * x * y;
        ss += weight * weight;
        ssx += weight * weight * x;
        ssxx += weight * weight * x * x;
        weight *= decay;
        x -= step_min;
    }
    let (mean, middle) = (sy / s, sx / s);
    let variance = DISPERSION * mean.max(0.5) / step_min;
    let mean_variance = variance * ss / (s * s);
    let spread = sxx - sx * middle;
    if spread <= 1e-9 {
        let level_sd = mean_variance.sqrt();
        return Arrival { level_per_min: mean, level_sd, trend_per_min2: 0.0, trend_sd: TREND_USUAL * mean.max(0.5) };
    }
    let found = (sxy - sx * mean) / spread;
    let found_variance = variance * (ssxx - 2.0 * middle * ssx + middle * middle * ss).max(0.0) / (spread * spread);
    let usual = (TREND_USUAL * mean.max(0.5)).powi(2);
    let kept = usual / (usual + found_variance);
    let (trend, trend_variance) = (found * kept, found_variance * kept);
    Arrival {
        level_per_min: (mean - trend * middle).max(0.0),
        level_sd: (mean_variance + trend_variance * middle * middle).sqrt(),
        trend_per_min2: trend,
        trend_sd: trend_variance.sqrt(),
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
        assert!((arrival.level_per_min - 39.0).abs() < 0.5, "{arrival:?}");
        assert!((arrival.trend_per_min2 - 1.0).abs() < 0.05, "a clear trend is hardly drawn to zero: {arrival:?}");
        assert!(arrival.level_sd > 0.3 && arrival.trend_sd > 0.01, "{arrival:?}");
    }

    #[test]
    fn people_who_stay_a_quarter_of_an_hour_leave_at_one_fifteenth_a_minute() {
        // Twenty a minute come and go while 300 are there.
        let outlook = played(&square(), 120, |gate, minute| match gate {
            "north" if minute < 15 => (20.0, 0.0),
            "north" => (20.0, 20.0),
            _ => (0.0, 0.0),
        });
        let leaving = outlook.leaving[&("north".to_owned(), Direction::Backward)];
        assert!((leaving.now_per_min - 1.0 / 15.0).abs() < 0.005, "{leaving:?}");
        let all: f64 = outlook.leaving.values().map(|leaving| leaving.later_per_min).sum();
        assert!((all - 1.0 / 15.0).abs() < 0.005, "{all}");
    }

    #[test]
    fn who_walks_through_leaves_after_the_walking_time_where_others_left_lately() {
        let mut site = row();
        site.areas[0].walk_length_m = Some(40.2);
        let outlook = played(&site, 20, |_, _| (10.0, 0.0));
        let leaving = outlook.leaving[&("between".to_owned(), Direction::Forward)];
        let leaving = leaving.ahead(10.0);
        assert!((leaving - 2.0).abs() < 0.1, "half a minute of walking: {leaving}");
    }
}
