//! Small counts leave in no output, and cannot be had by subtraction.
//!
//! Three rules. A value below the minimum is suppressed. Where one suppressed value could be had from a whole and its
//! other parts, another is suppressed with it (complementary suppression; Hundepool et al. (2012): Statistical Disclosure
//! Control). Values that are shown are rounded to the minimum, so that the difference of two moments is 0 or
//! at least the minimum; flows beside a suppressed value are suppressed, because previous value plus flows is the value.

use std::collections::BTreeMap;

use super::{AreaId, Gate, Site};

/// A value as it may leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// The value, rounded.
    Shown(f64),
    /// Too small to show, or it would give away one that is.
    Suppressed,
    /// There is no value.
    Unknown,
}

/// The values of the areas of one moment, as they may leave.
pub type Suppressed = BTreeMap<AreaId, Cell>;

/// Decides what may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppressor {
    /// The smallest count that is shown.
    pub minimum: u32,
}

impl Default for Suppressor {
    fn default() -> Self {
        Self { minimum: 10 }
    }
}

impl Suppressor {
    /// The areas of a moment: persons by area, `None` where unknown; areas that are left out are unknown.
    #[must_use]
    pub fn areas(&self, site: &Site, persons: &BTreeMap<AreaId, Option<f64>>) -> Suppressed {
        let mut hidden: BTreeMap<&str, bool> = BTreeMap::new();
        let value = |id: &str| persons.get(id).copied().flatten().map(|persons| self.rounded(persons));
        for area in &site.areas {
            if let Some(value) = value(&area.id) {
                hidden.insert(&area.id, value < f64::from(self.minimum));
            }
        }
        let mut wholes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for area in &site.areas {
            if let Some(whole) = &area.parent {
                wholes.entry(whole).or_default().push(&area.id);
            }
        }
        // Each round hides at least one more, so there are at most as many rounds as areas.
        while wholes.iter().any(|(whole, parts)| self.protect(whole, parts, &value, &mut hidden)) {}
        let cell = |id: &str| match (value(id), hidden.get(id)) {
            (Some(value), Some(false)) => Cell::Shown(value),
            (Some(_), _) => Cell::Suppressed,
            (None, _) => Cell::Unknown,
        };
        site.areas.iter().map(|area| (area.id.clone(), cell(&area.id))).collect()
    }

    /// Hides one more value of a whole and its parts when the hidden ones could be computed; whether it did.
    fn protect<'a>(
        &self,
        whole: &'a str,
        parts: &[&'a str],
        value: &impl Fn(&str) -> Option<f64>,
        hidden: &mut BTreeMap<&'a str, bool>,
    ) -> bool {
        if value(whole).is_none() || parts.iter().any(|part| value(part).is_none()) {
            return false;
        }
        let is_hidden = |hidden: &BTreeMap<&str, bool>, id: &str| hidden.get(id).copied().unwrap_or(false);
        let in_parts: Vec<&str> = parts.iter().copied().filter(|part| is_hidden(hidden, part)).collect();
        let whole_hidden = is_hidden(hidden, whole);
        let count = in_parts.len() + usize::from(whole_hidden);
        let sum: f64 = in_parts.iter().filter_map(|part| value(part)).sum();
        let is_safe = count == 0 || (count >= 2 && (whole_hidden || sum >= f64::from(self.minimum)));
        if is_safe {
            return false;
        }
        let smallest = parts
            .iter()
            .copied()
            .filter(|part| !is_hidden(hidden, part))
            .min_by(|one, other| value(one).unwrap_or(0.0).total_cmp(&value(other).unwrap_or(0.0)));
        match smallest {
            Some(part) => hidden.insert(part, true),
            None if !whole_hidden => hidden.insert(whole, true),
            None => return false,
        };
        true
    }

    /// The change between two moments of an area.
    #[must_use]
    pub fn change(&self, before: Cell, after: Cell) -> Cell {
        match (before, after) {
            (Cell::Unknown, _) | (_, Cell::Unknown) => Cell::Unknown,
            (Cell::Shown(before), Cell::Shown(after)) => Cell::Shown(after - before),
            _ => Cell::Suppressed,
        }
    }

    /// Persons that passed a gate between two moments: suppressed when they are too few, or when an area on one of its
    /// sides is suppressed before or after.
    #[must_use]
    pub fn gate(&self, gate: &Gate, persons: Option<f64>, before: &Suppressed, after: &Suppressed) -> Cell {
        let Some(persons) = persons.map(|persons| self.rounded(persons)) else { return Cell::Unknown };
        let sides = [gate.from.area(), gate.to.area()];
        let beside = sides.into_iter().flatten().flat_map(|area| [before.get(area), after.get(area)]);
        let gives_away = beside.flatten().any(|cell| *cell == Cell::Suppressed);
        if gives_away || persons < f64::from(self.minimum) { Cell::Suppressed } else { Cell::Shown(persons) }
    }

    fn rounded(&self, persons: f64) -> f64 {
        let base = f64::from(self.minimum.max(1));
        // What is below the minimum must stay below it, so that nothing too small is rounded up into sight.
        if persons < base { 0.0 } else { (persons / base).round() * base }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::test_sites::area, *};

    /// A whole with parts of the given names.
    fn site(parts: usize) -> Site {
        let mut areas = vec![area("whole")];
        for place in 0..parts {
            areas.push(super::super::Area { parent: Some("whole".into()), ..area(&format!("part {place}")) });
        }
        Site { areas, ..Site::default() }
    }

    fn shown(values: &[f64]) -> Suppressed {
        let mut persons: BTreeMap<AreaId, Option<f64>> =
            values.iter().enumerate().map(|(place, value)| (format!("part {place}"), Some(*value))).collect();
        persons.insert("whole".into(), Some(values.iter().sum()));
        Suppressor::default().areas(&site(values.len()), &persons)
    }

    #[test]
    fn a_small_part_takes_the_next_smallest_with_it() {
        let cells = shown(&[100.0, 7.0, 40.0]);
        assert_eq!(cells["part 1"], Cell::Suppressed);
        assert_eq!(cells["part 2"], Cell::Suppressed);
        assert_eq!(cells["part 0"], Cell::Shown(100.0));
        assert_eq!(cells["whole"], Cell::Shown(150.0));
    }

    #[test]
    fn a_whole_with_one_part_goes_with_it_and_nothing_is_hidden_without_need() {
        let cells = shown(&[7.0]);
        assert!(cells.values().all(|cell| *cell == Cell::Suppressed));
        assert!(shown(&[50.0, 60.0]).values().all(|cell| matches!(cell, Cell::Shown(_))));
    }

    #[test]
    fn unknown_is_neither_zero_nor_suppressed() {
        let persons = [("whole".to_owned(), None), ("part 0".to_owned(), Some(3.0))].into();
        let cells = Suppressor::default().areas(&site(1), &persons);
        assert_eq!(cells["whole"], Cell::Unknown);
        assert_eq!(cells["part 0"], Cell::Suppressed);
    }

    #[test]
    fn flows_beside_a_suppressed_value_and_its_change_are_suppressed() {
        let suppressor = Suppressor::default();
        let gate = &super::super::test_sites::square().gates[0];
        let (many, few): (Suppressed, Suppressed) =
            ([("square".to_owned(), Cell::Shown(50.0))].into(), [("square".to_owned(), Cell::Suppressed)].into());
        assert_eq!(suppressor.gate(gate, Some(44.0), &many, &few), Cell::Suppressed);
        assert_eq!(suppressor.gate(gate, Some(44.0), &many, &many), Cell::Shown(40.0));
        assert_eq!(suppressor.gate(gate, Some(4.0), &many, &many), Cell::Suppressed);
        assert_eq!(suppressor.gate(gate, None, &many, &many), Cell::Unknown);
        assert_eq!(suppressor.change(Cell::Shown(50.0), Cell::Suppressed), Cell::Suppressed);
    }

    proptest! {
        #[test]
        fn no_suppressed_value_can_be_had_by_subtraction(values in prop::collection::vec(0.0..60.0_f64, 1..8)) {
            let cells = shown(&values);
            let parts: Vec<Cell> = (0..values.len()).map(|place| cells[&format!("part {place}")]).collect();
            let hidden: Vec<usize> = (0..parts.len()).filter(|place| parts[*place] == Cell::Suppressed).collect();
            let unknowns = hidden.len() + usize::from(cells["whole"] == Cell::Suppressed);
            prop_assert!(unknowns != 1, "{cells:?}");
            for (value, cell) in values.iter().zip(&parts) {
                prop_assert!(*value >= 10.0 || *cell == Cell::Suppressed);
            }
        }

        #[test]
        fn a_change_that_is_shown_is_nothing_or_at_least_the_minimum(before in 0.0..500.0_f64, after in 0.0..500.0_f64) {
            let one = |value: f64| shown(&[value])["whole"];
            if let Cell::Shown(change) = Suppressor::default().change(one(before), one(after)) {
                prop_assert!(change == 0.0 || change.abs() >= 10.0);
            }
        }
    }
}
