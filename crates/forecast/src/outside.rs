//! What comes from outside the series: weather, as values for each local day or hour, measured or forecast.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::series::{DAY, Slot, days_between};

/// A quantity from outside, such as rain, on the slots of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// What it is, such as `rain_mm`.
    pub name: String,
    /// The value that holds for each slot; NaN where it is not known. Slots after the origin hold what was forecast.
    pub values: Vec<f32>,
}

impl Outside {
    /// A quantity that has one value for each day.
    pub fn daily(name: impl Into<String>, first_day: Date, slots: usize, by_day: &BTreeMap<Date, f32>) -> Self {
        let mut values = vec![f32::NAN; slots];
        for (day, value) in by_day {
            let Ok(at) = usize::try_from(days_between(first_day, *day)) else { continue };
            for place in values.iter_mut().skip(at * DAY).take(DAY) {
                *place = *value;
            }
        }
        Self { name: name.into(), values }
    }

    /// The value at a slot.
    pub fn at(&self, slot: Slot) -> f32 {
        self.values.get(slot).copied().unwrap_or(f32::NAN)
    }

    /// The value at a slot less the mean of the same hour on the 28 days before `known`, of which at least seven must
    /// be there: how unusual it is for the season.
    pub fn unusual(&self, slot: Slot, known: Slot) -> f32 {
        let first = known.saturating_sub(1) / DAY;
        let hour = slot % DAY;
        let (mut sum, mut count) = (0.0, 0.0);
        for day in first.saturating_sub(28)..first {
            let value = self.at(day * DAY + hour);
            if value.is_finite() {
                sum += value;
                count += 1.0;
            }
        }
        if count < 7.0 { f32::NAN } else { self.at(slot) - sum / count }
    }
}
