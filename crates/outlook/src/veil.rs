//! What may be told: counts below the minimum are not, nor those from which one of them could be had.

use std::collections::BTreeMap;

use model::Timestamp;
use support::crowd::{Area, AreaUse, Cell, FundamentalDiagram, Site, Suppressor, Thresholds};

use crate::wire::Point;

/// Decides what may be told of the series of a set.
#[derive(Clone, Debug)]
pub(crate) struct Veil {
    minimum: u32,
    suppressor: Suppressor,
    /// Series and areas with who is part of what, which is all that suppression asks of a site.
    site: Site,
}

impl Veil {
    /// For series by id, with the area that each is part of.
    pub fn new(minimum: u32, series: impl Iterator<Item = (String, Option<String>)>) -> Self {
        let areas = series.map(|(id, parent)| Area {
            id,
            surface_m2: 1.0,
            capacity_persons: 1.0,
            used_as: AreaUse::default(),
            parent,
            outline: None,
            walk_length_m: None,
            walk_width_m: None,
            stay_min: None,
            thresholds: Thresholds::default(),
            diagram: FundamentalDiagram::default(),
            closed: None,
        });
        let site = Site { areas: areas.collect(), ..Site::default() };
        Self { minimum, suppressor: Suppressor { minimum }, site }
    }

    /// The values of one hour as they may be told, in the order of the series.
    pub fn hour(&self, values: impl Iterator<Item = f32>) -> Vec<Cell> {
        if self.minimum == 0 {
            return values
                .map(|value| finite(value).map_or(Cell::Unknown, |value| Cell::Shown(value.round())))
                .collect();
        }
        let ids = self.site.areas.iter().map(|area| area.id.clone());
        let persons: BTreeMap<String, Option<f64>> = ids.zip(values.map(finite)).collect();
        let cells = self.suppressor.areas(&self.site, &persons);
        self.site.areas.iter().map(|area| cells.get(&area.id).copied().unwrap_or(Cell::Unknown)).collect()
    }

    /// A forecast as it may be told.
    pub fn point(&self, at: Timestamp, [low, middle, high]: [f32; 3]) -> Point {
        let suppressed = middle < self.minimum as f32;
        let told = |value: f32| (!suppressed && value >= self.minimum as f32).then(|| f64::from(value.round()));
        Point { at, p10: told(low), p50: told(middle), p90: told(high), suppressed }
    }

    /// A sum of hours as it may be told, rounded to the minimum.
    pub fn total(&self, value: f64) -> Option<f64> {
        let base = f64::from(self.minimum.max(1));
        (value >= f64::from(self.minimum)).then(|| (value / base).round() * base)
    }
}

fn finite(value: f32) -> Option<f64> {
    value.is_finite().then(|| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil(minimum: u32) -> Veil {
        let parts = ["a", "b", "c"].map(|id| (id.to_owned(), Some("street".to_owned())));
        Veil::new(minimum, [("street".to_owned(), None)].into_iter().chain(parts))
    }

    #[test]
    fn a_small_count_is_not_told_and_cannot_be_had_from_the_sum() {
        let cells = veil(10).hour([147.0, 100.0, 7.0, 40.0].into_iter());
        assert_eq!(cells, [Cell::Shown(150.0), Cell::Shown(100.0), Cell::Suppressed, Cell::Suppressed]);
        assert_eq!(veil(10).hour([f32::NAN, 100.0, f32::NAN, 7.0].into_iter())[2], Cell::Unknown);
        assert_eq!(veil(0).hour([14.4, 7.0, 7.4, 0.0].into_iter())[2], Cell::Shown(7.0));
    }

    #[test]
    fn a_forecast_below_the_minimum_has_no_number() {
        let at = Timestamp::MIN;
        let point = veil(10).point(at, [4.0, 9.6, 20.0]);
        assert_eq!((point.p10, point.p50, point.p90, point.suppressed), (None, None, None, true));
        let point = veil(10).point(at, [4.0, 10.0, 20.4]);
        assert_eq!((point.p10, point.p50, point.p90, point.suppressed), (None, Some(10.0), Some(20.0), false));
    }
}
