//! When an area is amber or red: thresholds with their source, and hysteresis so that a colour does not flap.

use serde::{Deserialize, Serialize};

use super::{Area, LevelOfService};

/// The state of an area as a person sees it. Order is severity; `Unknown` is not a kind of green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Not known well enough to say.
    Unknown,
    /// Below every threshold.
    Green,
    /// Attention.
    Amber,
    /// Act.
    Red,
}

/// Two rising borders of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Amber from here.
    pub amber: f64,
    /// Red from here.
    pub red: f64,
}

/// Two levels of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLimit {
    /// Amber from this level.
    pub amber: LevelOfService,
    /// Red from this level.
    pub red: LevelOfService,
}

/// The thresholds of an area; what is `None` is not looked at. The worst of them is the area's colour.
///
/// An area without any thresholds in its settings has the defaults; one that names some has those and no others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// On density, ped/m2.
    #[serde(default)]
    pub density_m2: Option<Limit>,
    /// On specific flow through the busiest gate, ped/m/min.
    #[serde(default)]
    pub specific_flow_ped_m_min: Option<Limit>,
    /// On Fruin's level of service.
    #[serde(default)]
    pub level_of_service: Option<ServiceLimit>,
    /// On occupancy as a share of capacity.
    #[serde(default)]
    pub occupancy_share: Option<Limit>,
    /// Density at which movement is expected to break down here, ped/m2: 3.8 to 10 in the literature (Helbing, Johansson
    /// and Al-Abideen 2007; Still 2014), calibrated per site. Only shown, never a reason to stay green below it.
    #[serde(default = "default_breakdown_density_m2")]
    pub breakdown_density_m2: f64,
    /// By which share a value must fall below a border before the colour goes down again.
    #[serde(default = "default_hysteresis_share")]
    pub hysteresis_share: f64,
    /// How long it must stay below before the colour goes down, s.
    #[serde(default = "default_hold_s")]
    pub hold_s: f64,
}

impl Default for Thresholds {
    /// Density: amber at 2 and red at 3.57 ped/m2. Flow peaks at 2-3 ped/m2 and 5 is uncomfortable (Still, G.K. (2014):
    /// Introduction to Crowd Science); 3.57 ped/m2 (0.28 m2 each) is where involuntary contact starts (Fruin 1971,
    /// queueing level D to E). Flow: amber at 66 and red at 82 ped/m/min (Fruin, walkway levels D and E). Occupancy:
    /// amber at 80 % and red at 95 % of capacity, our choice: a margin for the time that a measure needs.
    fn default() -> Self {
        Self {
            density_m2: Some(Limit { amber: 2.0, red: 3.57 }),
            specific_flow_ped_m_min: Some(Limit { amber: 66.0, red: 82.0 }),
            level_of_service: None,
            occupancy_share: Some(Limit { amber: 0.8, red: 0.95 }),
            breakdown_density_m2: default_breakdown_density_m2(),
            hysteresis_share: default_hysteresis_share(),
            hold_s: default_hold_s(),
        }
    }
}

fn default_breakdown_density_m2() -> f64 {
    3.8
}

fn default_hysteresis_share() -> f64 {
    0.1
}

fn default_hold_s() -> f64 {
    180.0
}

/// Which threshold decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Persons per m2.
    Density,
    /// Persons per metre of width and minute.
    SpecificFlow,
    /// Fruin's level of service.
    LevelOfService,
    /// Persons as a share of capacity.
    OccupancyShare,
}

/// What of an area is held against its thresholds; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Persons in the area.
    pub persons: Option<f64>,
    /// Specific flow through its busiest gate, ped/m/min.
    pub specific_flow_ped_m_min: Option<f64>,
}

impl Thresholds {
    /// The fewest persons in `area` for which density, level of service or occupancy share reaches amber or red; `None`
    /// when none of them is set.
    #[must_use]
    pub fn persons_for(&self, area: &Area, colour: Colour) -> Option<f64> {
        let of = |limit: Limit| if colour == Colour::Red { limit.red } else { limit.amber };
        let density = self.density_m2.map(|limit| of(limit) * area.surface_m2);
        let share = self.occupancy_share.map(|limit| of(limit) * area.capacity_persons);
        let service = self.level_of_service.map(|limit| {
            let level = if colour == Colour::Red { limit.red } else { limit.amber };
            let better = LevelOfService::ALL.iter().rev().find(|other| **other < level);
            better.map_or(0.0, |better| better.density_max_m2(area.used_as) * area.surface_m2)
        });
        [density, share, service].into_iter().flatten().reduce(f64::min)
    }

    /// The colour of a load with no memory, and the threshold that decided. `slack` lowers every border by that share:
    /// 0 on the way up, the hysteresis on the way down.
    #[must_use]
    pub fn colour(&self, area: &Area, load: &Load, slack: f64) -> (Colour, Option<Quantity>) {
        let keep = 1.0 - slack.clamp(0.0, 0.9);
        let of = |value: f64, limit: Limit| match value {
            v if v >= limit.red * keep => Colour::Red,
            v if v >= limit.amber * keep => Colour::Amber,
            _ => Colour::Green,
        };
        let mut worst = (if load.persons.is_some() { Colour::Green } else { Colour::Unknown }, None);
        let mut take = |colour: Colour, quantity: Quantity| {
            if colour > worst.0 && (colour > Colour::Green || worst.0 == Colour::Green) {
                worst = (colour, Some(quantity));
            }
        };
        if let Some(persons) = load.persons {
            let density = persons / area.surface_m2;
            if let Some(limit) = self.density_m2 {
                take(of(density, limit), Quantity::Density);
            }
            if let Some(limit) = self.occupancy_share {
                take(of(persons / area.capacity_persons, limit), Quantity::OccupancyShare);
            }
            if let Some(limit) = self.level_of_service {
                let level = LevelOfService::of_density(area.used_as, density / keep);
                let colour = match level {
                    l if l >= limit.red => Colour::Red,
                    l if l >= limit.amber => Colour::Amber,
                    _ => Colour::Green,
                };
                take(colour, Quantity::LevelOfService);
            }
        }
        if let (Some(flow), Some(limit)) = (load.specific_flow_ped_m_min, self.specific_flow_ped_m_min) {
            take(of(flow, limit), Quantity::SpecificFlow);
        }
        worst
    }
}

/// A colour with memory: up at once, down only after the value stayed clearly below for a while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steady {
    /// The colour shown.
    pub colour: Colour,
    /// For how long the value has been below the lowered border, s.
    pub below_s: f64,
}

impl Default for Steady {
    fn default() -> Self {
        Self { colour: Colour::Unknown, below_s: 0.0 }
    }
}

impl Steady {
    /// The colour after a load that held for `length_s`. An unknown load shows unknown, and what comes after it starts
    /// afresh: nobody knows what happened meanwhile.
    #[must_use]
    pub fn after(self, thresholds: &Thresholds, area: &Area, load: &Load, length_s: f64) -> Self {
        let (up, _) = thresholds.colour(area, load, 0.0);
        if up >= self.colour || up == Colour::Unknown || self.colour == Colour::Unknown {
            return Self { colour: up, below_s: 0.0 };
        }
        let (down, _) = thresholds.colour(area, load, thresholds.hysteresis_share);
        if down >= self.colour {
            return Self { colour: self.colour, below_s: 0.0 };
        }
        let below_s = self.below_s + length_s.max(0.0);
        if below_s >= thresholds.hold_s { Self { colour: down, below_s: 0.0 } } else { Self { below_s, ..self } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::test_sites::area, *};

    fn load(persons: f64) -> Load {
        Load { persons: Some(persons), specific_flow_ped_m_min: None }
    }

    #[test]
    fn the_worst_threshold_decides_and_says_which_it_is() {
        let (area, thresholds) = (area("quay"), Thresholds::default());
        assert_eq!(thresholds.colour(&area, &load(159.0), 0.0).0, Colour::Green);
        assert_eq!(thresholds.colour(&area, &load(160.0), 0.0), (Colour::Amber, Some(Quantity::OccupancyShare)));
        assert_eq!(thresholds.colour(&area, &load(190.0), 0.0), (Colour::Red, Some(Quantity::OccupancyShare)));
        let flow = Load { persons: Some(10.0), specific_flow_ped_m_min: Some(90.0) };
        assert_eq!(thresholds.colour(&area, &flow, 0.0), (Colour::Red, Some(Quantity::SpecificFlow)));
        assert_eq!(thresholds.persons_for(&area, Colour::Red), Some(190.0));
    }

    #[test]
    fn unknown_is_not_green() {
        let (area, thresholds) = (area("quay"), Thresholds::default());
        assert_eq!(thresholds.colour(&area, &Load::default(), 0.0).0, Colour::Unknown);
        let red = Steady { colour: Colour::Red, below_s: 0.0 };
        assert_eq!(red.after(&thresholds, &area, &Load::default(), 60.0).colour, Colour::Unknown);
    }

    #[test]
    fn levels_of_service_are_thresholds_too() {
        let limit = ServiceLimit { amber: LevelOfService::D, red: LevelOfService::F };
        let thresholds = Thresholds {
            density_m2: None,
            occupancy_share: None,
            level_of_service: Some(limit),
            ..Thresholds::default()
        };
        let area = area("quay");
        assert_eq!(thresholds.colour(&area, &load(216.0), 0.0), (Colour::Red, Some(Quantity::LevelOfService)));
        assert!((thresholds.persons_for(&area, Colour::Red).unwrap() - 215.3).abs() < 0.1);
    }

    #[test]
    fn thresholds_that_are_named_hold_and_no_others() {
        let named: Thresholds = serde_json::from_str(r#"{"density_m2": {"amber": 1.0, "red": 2.0}}"#).unwrap();
        assert_eq!((named.occupancy_share, named.hold_s), (None, 180.0));
    }

    proptest! {
        #[test]
        fn a_colour_never_flaps(persons in prop::collection::vec(150.0..200.0_f64, 2..120)) {
            let (area, thresholds) = (area("quay"), Thresholds::default());
            let mut steady = Steady { colour: Colour::Green, below_s: 0.0 };
            let (mut last_down, mut minute) = (None, 0);
            for persons in persons {
                let next = steady.after(&thresholds, &area, &load(persons), 60.0);
                if next.colour < steady.colour {
                    if let Some(before) = last_down {
                        prop_assert!(minute - before >= 3, "two falls within the holding time");
                    }
                    last_down = Some(minute);
                }
                steady = next;
                minute += 1;
            }
        }

        #[test]
        fn more_people_are_never_a_milder_colour(persons in 0.0..400.0_f64, more in 0.0..100.0_f64) {
            let (area, thresholds) = (area("quay"), Thresholds::default());
            let colour = |persons| thresholds.colour(&area, &load(persons), 0.0).0;
            prop_assert!(colour(persons + more) >= colour(persons));
        }
    }
}
