//! What arrives and what leaves, as of now: the level and trend of each lane from outside, and how readily people leave
//! each area by each gate.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;

use super::{
    Area, AreaId, Departure, Estimator, GateId, Site, StepFlows,
    stay::{Stay, Staying},
};

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

/// How readily people leave an area by one lane, when nothing holds them up. Where a [`Stay`] is known it says how many
/// leave, and this only by which lane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leaving {
    /// The share of its people that leave by this lane in a minute.
    pub per_min: f64,
    /// Persons that left by this lane lately, a minute.
    pub lately_per_min: f64,
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
    /// How long people stay, for the areas that they do not only walk through.
    pub stays: BTreeMap<AreaId, Stay>,
    /// What is known beforehand of people who go home.
    pub departures: BTreeMap<AreaId, Departure>,
}

impl Outlook {
    /// Nothing known yet.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let (persons, arrivals, leaving) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { at, persons, arrivals, leaving, stays: BTreeMap::new(), departures: BTreeMap::new() }
    }
}

/// How far back counts are kept for the trend, min.
const MINUTES_KEPT: usize = 40;
/// Half-life of the weight of a count in the trend, min.
const TREND_HALF_LIFE_MIN: f64 = 10.0;
/// How long ago arrivals may have begun to change, min.
const BENDS_MIN: [f64; 9] = [6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 40.0];
/// Half-life of what is remembered of leaving, min: areas where people stay, and those they walk through.
const STAY_HALF_LIFE_MIN: f64 = 10.0;
const WALK_HALF_LIFE_MIN: f64 = 3.0;
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
    staying: BTreeMap<AreaId, Staying>,
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
        let stays = site.leaves().filter(|area| area.walk_length_m.is_none());
        Self {
            staying: stays.map(|area| (area.id.clone(), Staying::new(area.stay_min))).collect(),
            site: site.clone(),
            counts: BTreeMap::new(),
            left: BTreeMap::new(),
            step_min: 1.0,
        }
    }

    /// Takes the flows of one step and the occupancy after it. Flows that are not known are what the other gates make
    /// likely; the occupancy's standard deviation carries that doubt into the projection.
    pub fn step(&mut self, flows: &StepFlows, estimator: &Estimator) {
        for (lane, from, _) in lanes(&self.site) {
            let Some(flow) = flows.get(&lane.0) else { continue };
            self.step_min = flow.length_s / 60.0;
            let count = if lane.1 == Direction::Forward { flow.forward } else { flow.backward };
            let kept = self.counts.entry(lane.clone()).or_default();
            kept.push_back(count);
            if kept.len() > MINUTES_KEPT {
                kept.pop_front();
            }
            let keep = keep(from.and_then(|id| self.site.area(id)), flow.length_s / 60.0);
            let left = self.left.entry(lane).or_default();
            *left = *left * keep + count;
        }
        for (id, staying) in &mut self.staying {
            let passed = |lane: &Lane| {
                let flow = flows.get(&lane.0);
                flow.map_or(0.0, |flow| if lane.1 == Direction::Forward { flow.forward } else { flow.backward })
            };
            let ends = |lane: (Lane, Option<&str>, Option<&str>)| {
                let count = passed(&lane.0);
                (lane.2 == Some(id.as_str()), lane.1 == Some(id.as_str()), count)
            };
            let (mut entered, mut left) = (0.0, 0.0);
            for (enters, leaves, count) in lanes(&self.site).map(ends) {
                entered += if enters { count } else { 0.0 };
                left += if leaves { count } else { 0.0 };
            }
            let persons = estimator.occupancy(id).map_or(0.0, |occupancy| occupancy.persons);
            staying.step(entered, left, persons, self.step_min);
        }
    }

    /// What a projection from now on starts from. Areas whose occupancy is unknown are left out.
    #[must_use]
    pub fn outlook(&self, estimator: &Estimator, at: Timestamp) -> Outlook {
        let mut outlook = Outlook::of(at);
        outlook.stays = self.staying.iter().map(|(area, staying)| (area.clone(), staying.now())).collect();
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
            let leaving = self.leaving(&lane, from, &outlook);
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
        let rates =
            sums.iter().zip(0_u32..).map(|(count, age)| (f64::from(age) * self.step_min, count / self.step_min));
        let whole = line(&rates.collect::<Vec<_>>(), self.step_min);
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

    /// The share that leaves in a minute: one over the walking time or the stay, split over the lanes as lately.
    fn leaving(&self, lane: &Lane, from: &str, outlook: &Outlook) -> Leaving {
        let Some(area) = self.site.area(from) else { return Leaving::default() };
        let left = self.left.get(lane).copied().unwrap_or(0.0);
        let beside: Vec<Lane> =
            lanes(&self.site).filter(|(_, other, _)| *other == Some(from)).map(|(lane, ..)| lane).collect();
        let lanes_count = as_f64(beside.len().max(1));
        let all: f64 = beside.iter().filter_map(|lane| self.left.get(lane)).sum();
        let share = (left + 1.0) / (all + lanes_count);
        let walking = area.walk_length_m.map(|length_m| length_m / (area.diagram.free_speed_m_s * 60.0));
        let minutes = walking.or_else(|| outlook.stays.get(from).map(|stay| stay.mean_min));
        // The sum of the weights that the counts have in `left`.
        let keep = keep(Some(area), self.step_min);
        let steps = self.counts.get(lane).map_or(0, VecDeque::len);
        let weights = (0..steps).map(|age| keep.powf(as_f64(age))).sum::<f64>();
        Leaving {
            per_min: minutes.map_or(0.0, |minutes| share / minutes),
            lately_per_min: if steps > 0 { left / weights / self.step_min } else { 0.0 },
        }
    }
}

/// The share of what is remembered of leaving an area that is kept over a step.
fn keep(area: Option<&Area>, step_min: f64) -> f64 {
    let half_life_min = match area {
        Some(area) if area.walk_length_m.is_some() => WALK_HALF_LIFE_MIN,
        _ => STAY_HALF_LIFE_MIN,
    };
    0.5_f64.powf(step_min / half_life_min)
}

fn as_f64(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some lanes or steps")]
    let count = count as f64;
    count
}

/// Level now and slope of rates, given as (minutes ago, persons a minute), each over `step_min` minutes.
///
/// Arrivals are taken to have been steady until some time ago and to have changed in a straight line since. Each such
/// time is fitted by weighted least squares and believed as far as it fits, so that a rise is seen soon after it started
/// and a long one is still known exactly. The slope is drawn to zero as far as it is not significant; beforehand, a
/// change of a twentieth of the mean a minute is taken to be usual.
pub(super) fn line(rates: &[(f64, f64)], step_min: f64) -> Arrival {
    let weight = |age_min: f64| 0.5_f64.powf(age_min / TREND_HALF_LIFE_MIN);
    let (sum, all) = rates.iter().fold((0.0, 0.0), |(sum, all), (age, y)| (sum + weight(*age), all + weight(*age) * y));
    if sum <= 0.0 {
        return Arrival::default();
    }
    let mean = all / sum;
    let variance = DISPERSION * mean.max(0.5) / step_min;
    let fits: Vec<Fit> = BENDS_MIN.iter().filter_map(|bend| Fit::new(rates, *bend, weight, variance)).collect();
    let best = fits.iter().map(|fit| fit.log_likelihood).fold(f64::NEG_INFINITY, f64::max);
    let believed = |fit: &Fit| (fit.log_likelihood - best).exp();
    let total: f64 = fits.iter().map(believed).sum();
    let usual = (TREND_USUAL * mean.max(0.5)).powi(2);
    if fits.is_empty() || total <= 0.0 {
        let level_sd = (variance / sum).sqrt();
        return Arrival { level_per_min: mean, level_sd, trend_per_min2: 0.0, trend_sd: usual.sqrt() };
    }
    let over = |value: &dyn Fn(&Fit) -> f64| fits.iter().map(|fit| believed(fit) * value(fit)).sum::<f64>() / total;
    let (slope, middle) = (over(&|fit| fit.slope), over(&|fit| fit.middle));
    let slope_variance = over(&|fit| fit.slope_variance + (fit.slope - slope).powi(2));
    let kept = usual / (usual + slope_variance);
    let (trend, trend_variance) = (slope * kept, slope_variance * kept);
    let mean_variance = over(&|fit| fit.mean_variance);
    Arrival {
        level_per_min: over(&|fit| fit.mean + fit.slope * kept * fit.middle).max(0.0),
        level_sd: (mean_variance + trend_variance * middle * middle).sqrt(),
        trend_per_min2: trend,
        trend_sd: trend_variance.sqrt(),
    }
}

/// Steady until `bend` minutes ago, a straight line since.
struct Fit {
    log_likelihood: f64,
    mean: f64,
    mean_variance: f64,
    slope: f64,
    slope_variance: f64,
    /// From the weighted middle of the line to now, min.
    middle: f64,
}

impl Fit {
    fn new(rates: &[(f64, f64)], bend_min: f64, weight: impl Fn(f64) -> f64, variance: f64) -> Option<Self> {
        // x runs from 0 (until the bend) to `bend_min` (now).
        let points = || rates.iter().map(|(age, y)| (weight(*age), (bend_min - age).max(0.0), *y));
        let sums = points().fold([0.0; 4], |[s, sx, sy, ss], (w, x, y)| [s + w, sx + w * x, sy + w * y, ss + w * w]);
        let [s, sx, sy, ss] = sums;
        let (x_mean, y_mean) = (sx / s, sy / s);
        let spread: f64 = points().map(|(w, x, _)| w * (x - x_mean).powi(2)).sum();
        if spread <= 1e-9 {
            return None;
        }
        let slope = points().map(|(w, x, y)| w * (x - x_mean) * (y - y_mean)).sum::<f64>() / spread;
        let slope_variance =
            variance * points().map(|(w, x, _)| (w * (x - x_mean)).powi(2)).sum::<f64>() / (spread * spread);
        let misfit: f64 = points().map(|(w, x, y)| w * (y - y_mean - slope * (x - x_mean)).powi(2)).sum();
        Some(Self {
            // A bend at any time is as likely as at any other, and the times further back stand for longer spans.
            log_likelihood: bend_min.ln() - 0.5 * misfit / variance,
            mean: y_mean,
            mean_variance: variance * ss / (s * s),
            slope,
            slope_variance,
            middle: bend_min - x_mean,
        })
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
    fn people_who_stay_a_quarter_of_an_hour_leave_where_others_left_lately() {
        // Twenty a minute come and go while 300 are there.
        let outlook = played(&square(), 120, |gate, minute| match gate {
            "north" if minute < 15 => (20.0, 0.0),
            "north" => (20.0, 20.0),
            _ => (0.0, 0.0),
        });
        assert!((outlook.stays["square"].mean_min - 15.0).abs() < 2.0, "{:?}", outlook.stays);
        let leaving = |gate: &str| outlook.leaving[&(gate.to_owned(), Direction::Backward)].per_min;
        assert!((leaving("north") - 1.0 / 15.0).abs() < 0.01 && leaving("east") < 0.001, "{}", leaving("north"));
    }

    #[test]
    fn who_walks_through_leaves_after_the_walking_time_where_others_left_lately() {
        let mut site = row();
        site.areas[0].walk_length_m = Some(40.2);
        let outlook = played(&site, 20, |_, _| (10.0, 0.0));
        let leaving = outlook.leaving[&("between".to_owned(), Direction::Forward)];
        assert!((leaving.per_min - 2.0).abs() < 0.1, "half a minute of walking: {leaving:?}");
        assert!(outlook.stays.keys().eq(["b"]), "{:?}", outlook.stays);
    }
}
