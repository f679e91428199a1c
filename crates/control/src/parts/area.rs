//! Areas of a plan, and what counts the persons in them.

use model::{Geometry, Problem};
use serde::{Deserialize, Serialize};
use support::crowd::AreaUse;
use utoipa::ToSchema;

use super::{amounts, drawing, ordered, source};

/// The most things that count one area.
const COUNTS_MAX: usize = 20;
/// How well a share of registered persons is known, as a share of it: our choice until a site has calibrated it.
const SHARE_KNOWN_TO: f64 = 0.15;

/// A surface where people are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdArea)]
pub struct AreaPart {
    /// What it is called.
    pub name: String,
    /// Its outline: a GeoJSON polygon, degrees.
    #[schema(value_type = Object)]
    pub outline: Geometry,
    /// Where people can walk or stand, m2.
    pub surface_m2: f64,
    /// The most people that it may hold.
    pub capacity_persons: f64,
    /// What people do there.
    #[serde(default)]
    #[schema(value_type = String, example = "walkway")]
    pub used_as: AreaUse,
    /// The area of which this is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How far people walk through it, m, when they do nothing but walk through: then who is there follows from who
    /// passes, and what is missed at one gate is seen at the other. Absent where people also stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk_length_m: Option<f64>,
    /// How long people stay, minutes, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay_min: Option<f64>,
    /// Amber from this density, ped/m2; the default of the literature when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amber_density_m2: Option<f64>,
    /// Red from this density, ped/m2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_density_m2: Option<f64>,
    /// Amber from this share of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amber_share: Option<f64>,
    /// Red from this share of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_share: Option<f64>,
    /// What counts the persons in it in a live run: its counts correct what the gates say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<AreaCounterPart>,
}

impl AreaPart {
    pub(super) fn check(&self) -> Result<(), Problem> {
        drawing("outline", &self.outline, &["Polygon", "MultiPolygon"])?;
        amounts([("surfaceM2", self.surface_m2), ("capacityPersons", self.capacity_persons)])?;
        let given = [
            ("walkLengthM", self.walk_length_m),
            ("stayMin", self.stay_min),
            ("amberDensityM2", self.amber_density_m2),
            ("redDensityM2", self.red_density_m2),
            ("amberShare", self.amber_share),
            ("redShare", self.red_share),
        ];
        amounts(given.into_iter().filter_map(|(field, value)| Some((field, value?))))?;
        ordered("redDensityM2", self.amber_density_m2, self.red_density_m2)?;
        ordered("redShare", self.amber_share, self.red_share)?;
        if self.counts.len() > COUNTS_MAX {
            let remedy = format!("name at most {COUNTS_MAX}");
            return Err(Problem::new("counts", "too many things count this area", remedy));
        }
        self.counts.iter().try_for_each(AreaCounterPart::check)
    }
}

/// An entity that counts the persons in an area: a location feed that is already anonymous totals, a car park, a camera
/// that gives a number. How sure it is follows from `sdPersons` or from the share of people that is registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CrowdAreaCounter)]
pub struct AreaCounterPart {
    /// The id of the entity.
    pub entity: String,
    /// The attribute with the number, for example `occupancy`.
    pub attribute: String,
    /// The standard deviation of the number as a count of persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sd_persons: Option<f64>,
    /// The share (0..1) of the persons present that is registered: the number is divided by it, and the standard
    /// deviation is that of such a sample with a share that is itself known to 15 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub registration_share: Option<f64>,
    /// Persons for each one counted, for example in a parked car; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub persons_each: Option<f64>,
}

impl AreaCounterPart {
    pub(super) fn check(&self) -> Result<(), Problem> {
        source("counts", &self.entity, &self.attribute)?;
        let given = [("counts.sdPersons", self.sd_persons), ("counts.personsEach", self.persons_each)];
        amounts(given.into_iter().filter_map(|(field, value)| Some((field, value?))))?;
        if self.registration_share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            let remedy = "use a number above 0, at most 1";
            return Err(Problem::new("counts.registrationShare", "it is not a share of the persons", remedy));
        }
        if self.sd_persons.is_some() == self.registration_share.is_some() {
            let (detail, remedy) =
                ("how sure the count is must be said in one way", "give sdPersons or registrationShare, not both");
            return Err(Problem::new("counts", detail, remedy));
        }
        Ok(())
    }

    /// Persons and their standard deviation for a number that was counted.
    #[must_use]
    pub fn persons(&self, counted: f64) -> (f64, f64) {
        let each = self.persons_each.unwrap_or(1.0);
        let Some(share) = self.registration_share else {
            return (counted * each, self.sd_persons.unwrap_or(1.0).max(1.0));
        };
        // Of n persons a share p is registered: the count varies as a binomial, and p is known only so well.
        let persons = counted / share * each;
        let sampled = counted.max(1.0) * (1.0 - share) / (share * share) * each * each;
        (persons, (sampled + (persons * SHARE_KNOWN_TO).powi(2)).sqrt().max(1.0))
    }
}
