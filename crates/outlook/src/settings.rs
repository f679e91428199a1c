//! What is forecast: the city's settings in the words of this crate, with the days and the weather read from files.

use std::collections::BTreeMap;

use forecast::{calendar::Region, panel::DailyValues, train::TrainOptions};
use jiff::civil::Date;
use model::Iri;

use crate::wire::{Kind, Text};

/// A day that is not like others, with what it is called where a file says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDay {
    /// The local day.
    pub day: Date,
    /// What it is called.
    pub name: Option<String>,
}

/// A quantity of the weather, by day.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// What it is, such as `rain_mm`.
    pub name: String,
    /// Its values.
    pub by_day: DailyValues,
}

/// A sum of series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// The series that are added up, by id.
    pub series: Vec<String>,
}

/// A set of series that share a model.
#[derive(Clone, Debug)]
pub struct Set {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// The type of the entities that count.
    pub entity_type: Iri,
    /// Their attribute.
    pub attribute: Iri,
    /// The attribute with their name.
    pub name_attribute: Iri,
    /// What the values are.
    pub kind: Kind,
    /// How far apart the values of an entity are, minutes: 60 or a part of it.
    pub step_minutes: u32,
    /// The smallest count that is told; 0 tells all.
    pub minimum_count: u32,
    /// The region whose public holidays are known by rule.
    pub region: Option<Region>,
    /// Public holidays of files.
    pub holidays: Vec<NamedDay>,
    /// Other days of files, by name of the list.
    pub lists: BTreeMap<String, Vec<NamedDay>>,
    /// The weather.
    pub weather: Vec<Weather>,
    /// The sums.
    pub areas: Vec<Area>,
    /// How the model is trained.
    pub train: TrainOptions,
}
