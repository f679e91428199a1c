//! Density, flow, speed and level of service: the arithmetic of pedestrians, each with its source.

use serde::{Deserialize, Serialize};

use super::AreaUse;

/// The largest specific flow on level ground: 1.225 ped/m/s (Weidmann 1993, table 9), as ped/m/min.
pub const WEIDMANN_CAPACITY_PED_M_MIN: f64 = 73.5;

/// Speed as it falls with density: v = v0 (1 - exp(-gamma (1/rho - 1/rho_jam))).
///
/// Weidmann, U. (1993): Transporttechnik der Fussgänger, Schriftenreihe des IVT 90, ETH Zürich: v0 1.34 m/s,
/// gamma 1.913 /m2, rho_jam 5.4 /m2. All three are calibrated per site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FundamentalDiagram {
    /// Speed of a person alone, m/s.
    pub free_speed_m_s: f64,
    /// Density at which nobody moves, ped/m2.
    pub jam_density_m2: f64,
    /// How fast speed falls with density, ped/m2.
    pub gamma_m2: f64,
}

impl Default for FundamentalDiagram {
    fn default() -> Self {
        Self { free_speed_m_s: 1.34, jam_density_m2: 5.4, gamma_m2: 1.913 }
    }
}

impl FundamentalDiagram {
    /// Speed at a density (ped/m2), m/s: between 0 and the free speed.
    #[must_use]
    pub fn speed_m_s(&self, density_m2: f64) -> f64 {
        if density_m2 <= 0.0 {
            return self.free_speed_m_s;
        }
        let exponent = -self.gamma_m2 * (1.0 / density_m2 - 1.0 / self.jam_density_m2);
        (self.free_speed_m_s * (1.0 - exponent.exp())).clamp(0.0, self.free_speed_m_s)
    }

    /// Specific flow at a density (ped/m2), ped/m/min.
    #[must_use]
    pub fn specific_flow_ped_m_min(&self, density_m2: f64) -> f64 {
        density_m2.max(0.0) * self.speed_m_s(density_m2) * 60.0
    }

    /// The density with the largest specific flow, and that flow: (ped/m2, ped/m/min).
    #[must_use]
    pub fn peak(&self) -> (f64, f64) {
        let steps = 540;
        (1..steps)
            .map(|step| self.jam_density_m2 * f64::from(step) / f64::from(steps))
            .map(|density| (density, self.specific_flow_ped_m_min(density)))
            .fold((0.0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
    }

    /// The density with which a queue moves when the narrowing behind it lets `specific_flow` (ped/m/min, per metre of
    /// the *queue's* width) through: the congested branch of the diagram. The peak's density above its flow.
    #[must_use]
    pub fn queue_density_m2(&self, specific_flow_ped_m_min: f64) -> f64 {
        let (mut low, flow_max) = self.peak();
        let mut high = self.jam_density_m2;
        if specific_flow_ped_m_min >= flow_max {
            return low;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.specific_flow_ped_m_min(middle) > specific_flow_ped_m_min { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

/// Density of persons on a surface, ped/m2; `None` without a surface.
#[must_use]
pub fn density_m2(persons: f64, surface_m2: f64) -> Option<f64> {
    (surface_m2 > 0.0).then(|| persons.max(0.0) / surface_m2)
}

/// People that pass a metre of width in a minute; `None` without a width or a time.
#[must_use]
pub fn specific_flow_ped_m_min(persons: f64, width_m: f64, length_s: f64) -> Option<f64> {
    (width_m > 0.0 && length_s > 0.0).then(|| persons.max(0.0) / width_m / length_s * 60.0)
}

/// The share of the smaller direction in both together: 0 is one-way, 0.5 is as many against as along. `None` when
/// nobody passed.
#[must_use]
pub fn counterflow_ratio(forward: f64, backward: f64) -> Option<f64> {
    let both = forward.max(0.0) + backward.max(0.0);
    (both > 0.0).then(|| forward.min(backward).max(0.0) / both)
}

/// Minutes until `capacity` is reached when net inflow stays as it is; `None` when it never is, 0 when it is already.
#[must_use]
pub fn time_to_capacity_min(persons: f64, capacity_persons: f64, net_inflow_per_min: f64) -> Option<f64> {
    if persons >= capacity_persons {
        return Some(0.0);
    }
    (net_inflow_per_min > 0.0).then(|| (capacity_persons - persons) / net_inflow_per_min)
}

/// Density at the front of a narrowing, ped/m2: in a queue it is higher than the area's mean.
///
/// Two zones: who is more than what walks freely (flow x walking time) stands in a queue in front of the narrowing, with
/// the density of the congested branch. The front is queue when the queue is at least `front_m2` large, and the mix of
/// both below that. `surface_m2` is the approach, `width_m` its width, `outflow_per_min` what passes the narrowing.
#[must_use]
pub fn density_at_front_m2(
    diagram: &FundamentalDiagram,
    persons: f64,
    surface_m2: f64,
    width_m: f64,
    outflow_per_min: f64,
    front_m2: f64,
) -> Option<f64> {
    if surface_m2 <= 0.0 || width_m <= 0.0 || front_m2 <= 0.0 {
        return None;
    }
    let mean = persons.max(0.0) / surface_m2;
    let flowing = (outflow_per_min.max(0.0) / width_m / (diagram.free_speed_m_s * 60.0)).min(mean);
    let queued = diagram.queue_density_m2(outflow_per_min.max(0.0) / width_m).max(mean);
    if queued <= flowing {
        return Some(mean);
    }
    let queue_m2 = (persons.max(0.0) - flowing * surface_m2).max(0.0) / (queued - flowing);
    let share = (queue_m2 / front_m2).min(1.0);
    Some(share * queued + (1.0 - share) * flowing)
}

/// Fruin's levels of service, from A (free) to F (breakdown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LevelOfService {
    /// Free choice of speed.
    A,
    /// Slight conflicts.
    B,
    /// Restricted choice of speed.
    C,
    /// Most are restricted, counterflow is difficult.
    D,
    /// All are restricted; the capacity of the way is near.
    E,
    /// Shuffling; flow breaks down.
    F,
}

use LevelOfService::{A, B, C, D, E, F};

/// Square feet in a square metre: Fruin's tables are in feet.
const FT2_M2: f64 = 0.092_903_04;
/// Least space per person in ft2 of levels A..E. Fruin, J.J. (1971): Pedestrian Planning and Design, chapter 4.
const WALKWAY_FT2: [f64; 5] = [35.0, 25.0, 15.0, 10.0, 5.0];
const STAIRS_FT2: [f64; 5] = [20.0, 15.0, 10.0, 7.0, 4.0];
const QUEUE_FT2: [f64; 5] = [13.0, 10.0, 7.0, 3.0, 2.0];
/// Largest flow in ped/ft/min of levels A..E, same chapter. Queues do not flow.
const WALKWAY_PED_FT_MIN: [f64; 5] = [7.0, 10.0, 15.0, 20.0, 25.0];
const STAIRS_PED_FT_MIN: [f64; 5] = [5.0, 7.0, 10.0, 13.0, 17.0];
/// Feet in a metre.
const FT_PER_M: f64 = 3.280_839_895;

impl LevelOfService {
    /// All levels, best first.
    pub const ALL: [Self; 6] = [A, B, C, D, E, F];

    /// The level of a density (ped/m2) by space per person.
    #[must_use]
    pub fn of_density(used_as: AreaUse, density_m2: f64) -> Self {
        let table = match used_as {
            AreaUse::Walkway => WALKWAY_FT2,
            AreaUse::Queue => QUEUE_FT2,
            AreaUse::Stairs => STAIRS_FT2,
        };
        let reached = table.iter().position(|space_ft2| density_m2 * space_ft2 * FT2_M2 <= 1.0);
        reached.map_or(F, |place| Self::ALL[place])
    }

    /// The level of a specific flow (ped/m/min); `None` for a queue, which does not flow. A flow alone cannot tell F:
    /// after a breakdown it is small again.
    #[must_use]
    pub fn of_flow(used_as: AreaUse, specific_flow_ped_m_min: f64) -> Option<Self> {
        let table = match used_as {
            AreaUse::Walkway => WALKWAY_PED_FT_MIN,
            AreaUse::Stairs => STAIRS_PED_FT_MIN,
            AreaUse::Queue => return None,
        };
        let reached = table.iter().position(|flow| specific_flow_ped_m_min <= flow * FT_PER_M);
        Some(reached.map_or(F, |place| Self::ALL[place]))
    }

    /// The smallest density (ped/m2) that is worse than this level; infinite for F.
    #[must_use]
    pub fn density_max_m2(self, used_as: AreaUse) -> f64 {
        let table = match used_as {
            AreaUse::Walkway => WALKWAY_FT2,
            AreaUse::Queue => QUEUE_FT2,
            AreaUse::Stairs => STAIRS_FT2,
        };
        table.get(self as usize).map_or(f64::INFINITY, |space_ft2| 1.0 / (space_ft2 * FT2_M2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weidmanns_diagram_gives_his_capacity_and_free_speed() {
        let diagram = FundamentalDiagram::default();
        let (density, flow) = diagram.peak();
        assert!((flow - WEIDMANN_CAPACITY_PED_M_MIN).abs() < 1.0, "{flow}");
        assert!((density - 1.75).abs() < 0.1, "{density}");
        assert!((diagram.speed_m_s(0.0) - 1.34).abs() < 1e-12 && diagram.speed_m_s(5.4).abs() < 1e-12);
        assert!(diagram.speed_m_s(9.0).abs() < 1e-12, "no one walks backwards beyond the jam");
    }

    #[test]
    fn a_queue_is_on_the_congested_branch() {
        let diagram = FundamentalDiagram::default();
        let density = diagram.queue_density_m2(30.0);
        assert!(density > diagram.peak().0);
        assert!((diagram.specific_flow_ped_m_min(density) - 30.0).abs() < 1e-6);
    }

    #[test]
    fn fruins_tables_are_met_at_their_borders() {
        assert_eq!(LevelOfService::of_density(AreaUse::Walkway, 0.30), A);
        assert_eq!(LevelOfService::of_density(AreaUse::Walkway, 0.31), B);
        assert_eq!(LevelOfService::of_density(AreaUse::Walkway, 2.15), E);
        assert_eq!(LevelOfService::of_density(AreaUse::Walkway, 2.16), F);
        assert_eq!(LevelOfService::of_density(AreaUse::Queue, 3.57), D);
        assert_eq!(LevelOfService::of_density(AreaUse::Queue, 3.60), E);
        assert_eq!(LevelOfService::of_density(AreaUse::Stairs, 2.70), F);
        assert_eq!(LevelOfService::of_flow(AreaUse::Walkway, 80.0), Some(E));
        assert_eq!(LevelOfService::of_flow(AreaUse::Walkway, 83.0), Some(F));
        assert_eq!(LevelOfService::of_flow(AreaUse::Queue, 10.0), None);
        assert!((D.density_max_m2(AreaUse::Queue) - 3.588).abs() < 1e-3);
    }

    #[test]
    fn what_cannot_be_computed_is_absent_and_not_zero() {
        assert_eq!(density_m2(10.0, 0.0), None);
        assert_eq!(specific_flow_ped_m_min(10.0, 0.0, 60.0), None);
        assert_eq!(counterflow_ratio(0.0, 0.0), None);
        assert_eq!(time_to_capacity_min(10.0, 100.0, -1.0), None);
        assert_eq!(time_to_capacity_min(100.0, 100.0, -1.0), Some(0.0));
        assert_eq!(time_to_capacity_min(40.0, 100.0, 6.0), Some(10.0));
    }

    #[test]
    fn the_front_of_a_narrowing_is_denser_than_the_approach_once_a_queue_stands_there() {
        let diagram = FundamentalDiagram::default();
        let free = density_at_front_m2(&diagram, 10.0, 48.0, 4.0, 60.0, 8.0).unwrap();
        let queued = density_at_front_m2(&diagram, 100.0, 48.0, 4.0, 60.0, 8.0).unwrap();
        assert!(free < 0.6 && queued > 3.0, "{free} {queued}");
    }
}
