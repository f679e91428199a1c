//! How long people stay in an area, learned from who came and who left.
//!
//! A stay is a chain of stages that people go through one after the other, at the same rate; who is through leaves. Four
//! stages are a stay that most people share, one stage is one that nobody can tell beforehand. Candidates with other
//! means and shapes are run along with the counts; each is believed as far as it foretold who left. So those who came
//! lately are known not to be ready yet, and an area that fills is not taken for one that empties as fast.

/// Stages of a chain; who is in the last one may leave.
pub(super) const STAGES: usize = 4;
/// Where newcomers start, and how far that is believed beforehand (logarithm): hardly anywhere is leaving pure chance.
const FIRST: [(usize, f64); 3] = [(0, 0.0), (2, 0.0), (STAGES - 1, -3.0)];
/// The shortest mean stay that is considered, min, and the factor to the next one: half a minute is a small square that
/// everybody crosses, the longest one five hours.
const SHORTEST_MIN: f64 = 0.5;
const FACTOR: f64 = 1.15;
const MEANS: i32 = 47;
/// Beforehand: an hour, give or take a factor of about three. They may have come for the evening.
const PRIOR_MIN: f64 = 60.0;
const PRIOR_SD_LOG: f64 = 1.0;
/// When the site states how long people stay.
const STATED_SD_LOG: f64 = 0.15;
/// Half-life of what was learned, min.
const HALF_LIFE_MIN: f64 = 120.0;
/// Counts vary more than Poisson says, because people leave in groups.
const DISPERSION: f64 = 1.5;

/// How long people stay, and how far those are who are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// Mean stay, min.
    pub mean_min: f64,
    /// Standard deviation of its logarithm.
    pub sd_log: f64,
    /// Shares of those present by stage; they add up to 1.
    pub stages: [f64; STAGES],
    /// The stage in which newcomers start.
    pub first: usize,
}

impl Stay {
    /// The share of a stage that goes on in a number of minutes, when the mean stay is this factor longer.
    pub(super) fn share_on(&self, minutes: f64, longer: f64) -> f64 {
        share_on(self.mean_min * longer, self.first, minutes)
    }
}

fn share_on(mean_min: f64, first: usize, minutes: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "four stages at most")]
    let stages = (STAGES - first) as f64;
    1.0 - (-stages * minutes / mean_min).exp()
}

/// Moves people from each stage to the next; the last one is left to the caller.
pub(super) fn advance(stages: &mut [f64; STAGES], share: f64) {
    for stage in (1..STAGES).rev() {
        let moved = stages[stage - 1] * share;
        stages[stage - 1] -= moved;
        stages[stage] += moved;
    }
}

/// One way in which people may stay.
#[derive(Clone, Debug)]
struct Candidate {
    mean_min: f64,
    first: usize,
    prior: f64,
    likelihood: f64,
    stages: [f64; STAGES],
}

/// Learns how long people stay in one area.
#[derive(Clone, Debug)]
pub(super) struct Staying {
    candidates: Vec<Candidate>,
    is_begun: bool,
}

impl Staying {
    /// Nothing seen yet; `stated_min` is what the site says of the stay.
    pub fn new(stated_min: Option<f64>) -> Self {
        let (middle, sd) = stated_min.map_or((PRIOR_MIN, PRIOR_SD_LOG), |stated| (stated, STATED_SD_LOG));
        let means = (0..MEANS).map(|number| SHORTEST_MIN * FACTOR.powi(number));
        let candidates = means.flat_map(|mean_min| {
            FIRST.map(|(first, belief)| {
                let prior = belief - 0.5 * ((mean_min / middle).ln() / sd).powi(2);
                Candidate { mean_min, first, prior, likelihood: 0.0, stages: [0.0; STAGES] }
            })
        });
        Self { candidates: candidates.collect(), is_begun: false }
    }

    /// Takes who entered and left in a step, and who are there after it.
    pub fn step(&mut self, entered: f64, left: f64, persons: f64, step_min: f64) {
        let before = (persons - entered + left).max(0.0);
        let keep = 0.5_f64.powf(step_min / HALF_LIFE_MIN);
        for candidate in &mut self.candidates {
            if !self.is_begun {
                candidate.begin(before);
            }
            candidate.step(entered, left, persons, step_min, keep);
        }
        self.is_begun = true;
    }

    /// What is believed now.
    pub fn now(&self) -> Stay {
        let most = self.candidates.iter().map(Candidate::belief).fold(f64::NEG_INFINITY, f64::max);
        let weight = |candidate: &Candidate| (candidate.belief() - most).exp();
        let of_shape = |first: usize| self.candidates.iter().filter(move |candidate| candidate.first == first);
        let believed = |first: usize| of_shape(first).map(weight).sum::<f64>();
        let shapes = FIRST.iter().map(|(first, _)| *first);
        let first = shapes.max_by(|one, other| believed(*one).total_cmp(&believed(*other))).unwrap_or(0);
        let all = believed(first).max(f64::MIN_POSITIVE);
        let mean_log = of_shape(first).map(|c| weight(c) * c.mean_min.ln()).sum::<f64>() / all;
        let variance = of_shape(first).map(|c| weight(c) * (c.mean_min.ln() - mean_log).powi(2)).sum::<f64>() / all;
        let mut stages = [0.0; STAGES];
        for candidate in of_shape(first) {
            let sum: f64 = candidate.stages.iter().sum();
            for (stage, persons) in stages.iter_mut().zip(candidate.stages) {
                *stage += weight(candidate) / all * if sum > 0.0 { persons / sum } else { 0.0 };
            }
        }
        let sum: f64 = stages.iter().sum();
        let stages = if sum > 0.0 { stages.map(|stage| stage / sum) } else { spread(first) };
        Stay { mean_min: mean_log.exp(), sd_log: variance.max(0.0).sqrt(), stages, first }
    }
}

/// Those of whom nobody knows when they came are spread over all stages.
fn spread(first: usize) -> [f64; STAGES] {
    #[expect(clippy::cast_precision_loss, reason = "four stages at most")]
    let each = 1.0 / (STAGES - first) as f64;
    let mut stages = [0.0; STAGES];
    stages[first..].fill(each);
    stages
}

impl Candidate {
    fn belief(&self) -> f64 {
        self.prior + self.likelihood
    }

    fn begin(&mut self, persons: f64) {
        self.stages = spread(self.first).map(|share| share * persons);
    }

    fn step(&mut self, entered: f64, left: f64, persons: f64, step_min: f64, keep: f64) {
        let share = share_on(self.mean_min, self.first, step_min);
        let leaving = self.stages[STAGES - 1] * share;
        // Somebody may always leave at once: a candidate that did not foresee it is doubted, not ruled out.
        let expected = leaving + 0.02 * self.stages.iter().sum::<f64>() / self.mean_min + 1e-3;
        self.likelihood = self.likelihood * keep + (left * expected.ln() - expected) / DISPERSION;
        self.stages[STAGES - 1] -= leaving;
        advance(&mut self.stages, share);
        self.stages[self.first] += entered;
        // What is counted decides how many there are; the candidate only how far they are.
        let sum: f64 = self.stages.iter().sum();
        if sum > 0.0 {
            self.stages = self.stages.map(|stage| stage * persons.max(0.0) / sum);
        } else {
            self.begin(persons.max(0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills an area for some minutes with people who all stay as long.
    fn filled(minutes: u32, stay: u32, per_min: f64) -> Stay {
        let mut staying = Staying::new(None);
        let mut persons = 0.0;
        for minute in 0..minutes {
            let left = if minute >= stay { per_min } else { 0.0 };
            persons += per_min - left;
            staying.step(per_min, left, persons, 1.0);
        }
        staying.now()
    }

    #[test]
    fn people_who_stay_a_quarter_of_an_hour_are_found_to_do_so() {
        let stay = filled(120, 15, 20.0);
        assert!((stay.mean_min - 15.0).abs() < 2.0, "{stay:?}");
        assert!((stay.stages.iter().sum::<f64>() - 1.0).abs() < 1e-9 && stay.sd_log < 0.2, "{stay:?}");
    }

    #[test]
    fn while_nobody_has_left_a_stay_is_long_and_the_newcomers_are_not_ready() {
        let stay = filled(10, 60, 20.0);
        assert!(stay.mean_min > 30.0 && stay.stages[STAGES - 1] < 0.1, "{stay:?}");
    }

    #[test]
    fn a_stay_that_the_site_states_holds_from_the_start() {
        let stay = Staying::new(Some(12.0)).now();
        assert!((stay.mean_min - 12.0).abs() < 1.0, "{stay:?}");
    }

    #[test]
    fn a_share_that_leaves_each_minute_is_a_stay_of_one_stage() {
        let (mut staying, mut persons) = (Staying::new(None), 0.0);
        for _ in 0..90 {
            let left = persons * 0.05;
            persons += 10.0 - left;
            staying.step(10.0, left, persons, 1.0);
        }
        let stay = staying.now();
        assert_eq!(stay.first, STAGES - 1, "{stay:?}");
        assert!((stay.mean_min - 20.0).abs() < 3.0, "{stay:?}");
    }
}
