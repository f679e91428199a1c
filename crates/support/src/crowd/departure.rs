//! People who go home because what they came for is over: which share of an area decides so when, and which gates lead
//! out of the site from there.

use std::collections::{BTreeMap, VecDeque};

use super::{Area, Lane, Site, trend::lanes};

/// What is known beforehand of people who leave an area for good. In an area with a departure, people stay until then:
/// it does not happen by itself that they leave more readily as time goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Departure {
    /// The share (0..1) of its people that decides to go home in a minute, for each minute ahead; none after the last.
    pub per_min: Vec<f64>,
    /// For each lane into the area, for each minute ahead, the share of those who come by it that stays for its programme;
    /// the others walk on. All stay where a lane is missing.
    pub settling: BTreeMap<Lane, Vec<f64>>,
}

impl Departure {
    /// The share in a minute for a normal deviate of how readily people leave; the end itself may come some minutes
    /// earlier or later, as its deviate says.
    pub(super) fn in_minute(&self, minute: usize, (readily, sooner): (f64, f64), settings: &DepartureSettings) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
        let shift = (sooner * settings.end_sd_min).round() as i64;
        let last = self.per_min.len().saturating_sub(1);
        let shifted = i64::try_from(minute).unwrap_or(i64::MAX).saturating_add(shift).max(0);
        let place = usize::try_from(shifted).unwrap_or(0).min(last);
        let usual = self.per_min.get(place).copied().unwrap_or(0.0);
        (usual * (readily * settings.spread).exp()).clamp(0.0, 1.0)
    }
}

/// How sure departures are.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DepartureSettings {
    /// Standard deviation of how readily people leave, in the logarithm of the share.
    pub spread: f64,
    /// Standard deviation of when a programme really ends, min.
    pub end_sd_min: f64,
}

impl Default for DepartureSettings {
    fn default() -> Self {
        Self { spread: 0.5, end_sd_min: 3.0 }
    }
}

/// For each lane, the share of those who go home from the area where it starts that takes it: the shortest ways out, the
/// wider gates preferred among equals.
pub(super) fn homeward(site: &Site) -> Vec<f64> {
    let all: Vec<_> = lanes(site).collect();
    let width = |gate: &str| site.gate(gate).map_or(0.0, |gate| gate.width_m);
    // Nobody walks through the outside, so each area has one distance: how many gates lie before the way out.
    let mut far: BTreeMap<&str, u32> = BTreeMap::new();
    let mut queue: VecDeque<(Option<&str>, u32)> = [(None, 0)].into();
    while let Some((here, distance)) = queue.pop_front() {
        for (_, from, to) in all.iter().filter(|(_, _, to)| *to == here) {
            let Some(from) = from.filter(|from| Some(*from) != *to && !far.contains_key(from)) else { continue };
            far.insert(from, distance + 1);
            queue.push_back((Some(from), distance + 1));
        }
    }
    let distance = |side: Option<&str>| side.map_or(Some(0), |area| far.get(area).copied());
    let leads = |(_, from, to): &(Lane, Option<&str>, Option<&str>)| {
        from.is_some() && distance(*to).zip(distance(*from)).is_some_and(|(to, from)| to + 1 == from)
    };
    let total = |area: Option<&str>| -> f64 {
        all.iter().filter(|lane| lane.1 == area && leads(lane)).map(|lane| width(&lane.0.0)).sum()
    };
    let share = |lane: &(Lane, Option<&str>, Option<&str>)| {
        if leads(lane) { width(&lane.0.0) / total(lane.1).max(1e-9) } else { 0.0 }
    };
    all.iter().map(share).collect()
}

/// The share of those who want to leave an area that reaches its gates in a minute: they cross it at a free walk.
pub(super) fn reaching_per_min(area: &Area) -> f64 {
    (area.diagram.free_speed_m_s * 60.0 / area.crossing_m()).clamp(0.02, 1.0)
}

#[cfg(test)]
mod tests {
    use super::{
        super::test_sites::{row, square},
        *,
    };

    #[test]
    fn the_way_home_leads_through_the_gates_that_are_nearer_to_the_outside() {
        for site in [row(), square()] {
            let shares = homeward(&site);
            for area in site.leaves() {
                let from: f64 =
                    lanes(&site).zip(&shares).filter(|((_, from, _), _)| *from == Some(&area.id)).map(|(_, s)| s).sum();
                assert!((from - 1.0).abs() < 1e-9, "{from} of those in {} know a way out", area.id);
            }
            let inward = lanes(&site).zip(&shares).filter(|((_, from, _), _)| from.is_none());
            assert!(inward.map(|(_, share)| *share).sum::<f64>() < 1e-9);
        }
    }

    #[test]
    fn an_end_may_come_sooner_and_people_may_leave_more_readily_but_never_more_than_all() {
        let departure = Departure { per_min: [vec![0.0; 10], vec![0.4; 10]].concat(), ..Departure::default() };
        let in_minute = |minute, deviates| departure.in_minute(minute, deviates, &DepartureSettings::default());
        assert!(in_minute(8, (0.0, 0.0)) < 1e-9 && in_minute(8, (0.0, 1.0)) > 0.3);
        assert!((in_minute(15, (5.0, 0.0)) - 1.0).abs() < 1e-9 && in_minute(90, (0.0, 0.0)) > 0.3);
    }
}
