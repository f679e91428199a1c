//! The place that is watched: areas, the gates where people are counted, and the links along which a crowd moves.

use std::collections::BTreeMap;

use jiff::{civil, tz::TimeZone};
use model::{Geometry, Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FundamentalDiagram, Thresholds};

/// Names an area of a site.
pub type AreaId = String;
/// Names a gate of a site.
pub type GateId = String;
/// Names a counter, as its readings do.
pub type CounterId = String;

/// A watched place. Take it through [`Site::checked`] before use: the rest of this module relies on what that refuses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Surfaces where people are.
    pub areas: Vec<Area>,
    /// Lines where people are counted.
    pub gates: Vec<Gate>,
    /// Ways from one area to another, with their narrowest width.
    pub links: Vec<Link>,
}

/// What people do in an area: it decides which of Fruin's tables holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaUse {
    /// They walk through it.
    #[default]
    Walkway,
    /// They stand and wait.
    Queue,
    /// They climb or descend.
    Stairs,
}

/// A surface with a capacity. An area with a parent is a part of it; gates lead to areas without parts only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its name in readings and answers.
    pub id: AreaId,
    /// Where people can walk or stand, m2.
    pub surface_m2: f64,
    /// The most people that it may hold, as its permit or plan says.
    pub capacity_persons: f64,
    /// What people do there.
    #[serde(default)]
    pub used_as: AreaUse,
    /// The area of which this is a part.
    #[serde(default)]
    pub parent: Option<AreaId>,
    /// Its outline, degrees; needed to see that areas overlap.
    #[serde(default)]
    pub outline: Option<Geometry>,
    /// For an area that people only walk through: the way from entry to exit, m. Lets the estimate be held against the
    /// walking time while nothing queues.
    #[serde(default)]
    pub walk_length_m: Option<f64>,
    /// The width of the stream in which they walk, m, when that is less than the area's own: surface over way.
    #[serde(default)]
    pub walk_width_m: Option<f64>,
    /// How long people stay there, minutes, when that is known beforehand; otherwise it follows from the counts.
    #[serde(default)]
    pub stay_min: Option<f64>,
    /// When amber and red are reached.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// Speed and density in this area.
    #[serde(default)]
    pub diagram: FundamentalDiagram,
    /// The hours in which it is known to be empty, local time.
    #[serde(default)]
    pub closed: Option<ClosedHours>,
}

impl Area {
    /// How far people walk to cross it, m: as stated, or the side of a square of its surface.
    #[must_use]
    pub fn crossing_m(&self) -> f64 {
        self.walk_length_m.unwrap_or_else(|| self.surface_m2.sqrt()).max(1.0)
    }
}

/// Hours of each day, local time, in which nobody is there. `from` after `until` spans midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedHours {
    /// The first moment of it.
    pub from: civil::Time,
    /// The first moment after it.
    pub until: civil::Time,
}

impl ClosedHours {
    /// Whether the area is closed at a moment. Civil time decides, so that days of 23 and 25 hours come out right.
    #[must_use]
    pub fn contain(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(at.into()).time();
        if self.from <= self.until {
            (self.from..self.until).contains(&local)
        } else {
            local >= self.from || local < self.until
        }
    }
}

/// One side of a gate or the end of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Not in any area of the site.
    #[default]
    Outside,
    /// In this area.
    Area(AreaId),
}

impl Side {
    /// The area on this side, if any.
    #[must_use]
    pub fn area(&self) -> Option<&str> {
        match self {
            Self::Outside => None,
            Self::Area(id) => Some(id),
        }
    }
}

/// A line where people are counted, forward (`from` to `to`) and backward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name.
    pub id: GateId,
    /// The width that people can use, m.
    pub width_m: f64,
    /// Where forward comes from.
    #[serde(default)]
    pub from: Side,
    /// Where forward goes to.
    #[serde(default)]
    pub to: Side,
    /// The counters that together cover the width; their counts are added.
    pub counters: Vec<CounterId>,
    /// The most people that pass one metre of it, ped/m/min; Weidmann's 73.5 (1.225 ped/m/s) when absent.
    #[serde(default)]
    pub capacity_ped_m_min: Option<f64>,
    /// What is known of people who pass uncounted.
    #[serde(default)]
    pub undercount: Undercount,
    /// Persons in each vehicle, where vehicles are counted: they come many at once, and nobody between.
    #[serde(default)]
    pub persons_each: Option<f64>,
}

impl Gate {
    /// Whether people walk through it, so that a flow over its width says how crowded it is.
    #[must_use]
    pub fn is_walked(&self) -> bool {
        self.persons_each.is_none()
    }

    /// The most people that pass in a minute. Where vehicles bring them no width bounds them.
    #[must_use]
    pub fn capacity_per_min(&self) -> f64 {
        if !self.is_walked() {
            return f64::INFINITY;
        }
        self.width_m * self.capacity_ped_m_min.unwrap_or(super::flow::WEIDMANN_CAPACITY_PED_M_MIN)
    }
}

/// People who pass uncounted, as a share of those counted, known beforehand (a manual count beside the counter).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Undercount {
    /// The expected share; 0.05 means that 105 pass when 100 are counted.
    pub share: f64,
    /// Its standard deviation.
    pub share_sd: f64,
}

impl Default for Undercount {
    /// Nothing is known of this counter: none is expected to be missed, give or take 3 %.
    fn default() -> Self {
        Self { share: 0.0, share_sd: 0.03 }
    }
}

/// A way from an area to another or out, with its narrowest place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its name.
    pub id: String,
    /// Where it starts.
    pub from: Side,
    /// Where it ends.
    #[serde(default)]
    pub to: Side,
    /// Its narrowest width, m.
    pub width_m: f64,
    /// Its length, m; gives the travel time.
    pub length_m: f64,
    /// The gate on it, when its flow is counted.
    #[serde(default)]
    pub gate: Option<GateId>,
    /// The most people that pass one metre of it, ped/m/min.
    #[serde(default)]
    pub capacity_ped_m_min: Option<f64>,
    /// For a gate that closes: the share (0..1) of its forward flow that goes along this link instead.
    #[serde(default)]
    pub takes_over: BTreeMap<GateId, f64>,
}

impl Link {
    /// The most people that pass in a minute.
    #[must_use]
    pub fn capacity_per_min(&self) -> f64 {
        self.width_m * self.capacity_ped_m_min.unwrap_or(super::flow::WEIDMANN_CAPACITY_PED_M_MIN)
    }
}

impl Site {
    /// The area of a name.
    #[must_use]
    pub fn area(&self, id: &str) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// The gate of a name.
    #[must_use]
    pub fn gate(&self, id: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.id == id)
    }

    /// The areas without parts: those that gates lead to and that occupancy is kept for.
    pub fn leaves(&self) -> impl Iterator<Item = &Area> {
        self.areas.iter().filter(|area| !self.is_parent(&area.id))
    }

    /// Whether other areas are parts of this one.
    #[must_use]
    pub fn is_parent(&self, id: &str) -> bool {
        self.areas.iter().any(|area| area.parent.as_deref() == Some(id))
    }

    /// The leaves that make up an area: itself when it has no parts.
    #[must_use]
    pub fn leaves_of(&self, id: &str) -> Vec<&Area> {
        self.leaves().filter(|leaf| self.lies_in(leaf, id)).collect()
    }

    fn lies_in(&self, area: &Area, ancestor: &str) -> bool {
        let mut at = Some(area);
        for _ in 0..=self.areas.len() {
            match at {
                Some(here) if here.id == ancestor => return true,
                Some(here) => at = here.parent.as_deref().and_then(|parent| self.area(parent)),
                None => return false,
            }
        }
        false
    }

    /// The parts of a drawn or imported site that can be used, and what is wrong with the rest.
    ///
    /// Refused: an area without surface or capacity, a gate or link without width, names used twice, ends that do not
    /// exist, gates to an area that has parts. Kept with a problem: overlapping outlines, an area without a gate, a
    /// capacity denser than 5 ped/m2, shares that add up to more than one (then scaled down to one).
    #[must_use]
    pub fn checked(self) -> (Self, Vec<Problem>) {
        super::site_check::checked(self)
    }
}
