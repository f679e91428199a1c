//! Counts at their own step, for the next hour: the last weeks side by side, oldest first.

use forecast::nowcast::Steps;
use jiff::tz::TimeZone;
use model::{ObservedValue, Timestamp};
use store::{StoreError, TimeRange};

use crate::{
    hours::{Source, day_of, midnight},
    sensors::Sensor,
    wire::Kind,
};

/// Days that are kept: four weeks that show what is usual at this minute, and one to learn from.
const DAYS_KEPT: usize = 35;
/// Days that are kept at least, however many sensors there are.
const DAYS_LEAST: usize = 8;
/// Days that may come before everything is read anew.
const DAYS_MORE: usize = 2;
/// Values that are kept of a set, at most, as long as these are the least days.
const VALUES_MAX: usize = 8_000_000;
/// How long the newest counts are waited for, minutes.
const LATE_MINUTES: usize = 30;
const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MINUTES: usize = 24 * 60;

/// The steps of a set's sensors.
pub(crate) struct Minutes {
    /// The start of the first step.
    first: Timestamp,
    /// Minutes in a step.
    minutes: usize,
    /// The days that were read.
    days: usize,
    /// The sensors, by id, to see that they are still the same.
    ids: Vec<String>,
    /// Their counts, all as long, up to the step in which the city's moment lies.
    pub steps: Vec<Steps>,
}

impl Minutes {
    /// Reads the last weeks up to `now`.
    pub fn read(source: &Source<'_>, sensors: &[Sensor], now: Timestamp) -> Result<Self, StoreError> {
        let minutes = source.set.step_minutes.max(1) as usize;
        let a_day = sensors.len().max(1) * DAY_MINUTES / minutes;
        let days = (VALUES_MAX / a_day).clamp(DAYS_LEAST, DAYS_KEPT);
        let today = midnight(day_of(now, source.zone), source.zone);
        let first = today.plus_micros(-whole(days * DAY_MINUTES) * MINUTE_MICROS);
        let first_minute = minute_of_week(first, source.zone);
        let steps = sensors.iter().map(|_| Steps { minutes, first_minute, values: vec![] }).collect();
        let mut read =
            Self { first, minutes, days, ids: sensors.iter().map(|sensor| sensor.id.clone()).collect(), steps };
        read.fill(source, sensors, 0, now)?;
        Ok(read)
    }

    /// Reads the last minutes again; `false` when everything must be read anew: other sensors, or days that have grown.
    pub fn read_again(
        &mut self,
        source: &Source<'_>,
        sensors: &[Sensor],
        now: Timestamp,
        minutes: i64,
    ) -> Result<bool, StoreError> {
        let grown = self.place(now) > (self.days + DAYS_MORE) * DAY_MINUTES / self.minutes;
        if grown || !self.ids.iter().eq(sensors.iter().map(|sensor| &sensor.id)) {
            return Ok(false);
        }
        let again = self.place(now.plus_micros(-minutes * MINUTE_MICROS)).min(self.len());
        self.fill(source, sensors, again, now)?;
        Ok(true)
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.first().map_or(0, |steps| steps.values.len())
    }

    /// The start of a step.
    pub fn moment(&self, step: usize) -> Timestamp {
        self.first.plus_micros(whole(step * self.minutes) * MINUTE_MICROS)
    }

    /// Whether nothing was counted at all.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|steps| steps.values.iter().any(|value| value.is_finite()))
    }

    /// The end of the newest step that is in: half of the sensors that gave anything in the last two hours have a value
    /// in it. `None` when there is no such step in the last half hour.
    pub fn known(&self) -> Option<usize> {
        let end = self.len();
        let there = |from: usize, to: usize| {
            let gave = |steps: &&Steps| steps.values[from..to].iter().any(|value| value.is_finite());
            self.steps.iter().filter(gave).count()
        };
        let reporting = there(end.saturating_sub(120 / self.minutes), end);
        let oldest = end.saturating_sub(LATE_MINUTES / self.minutes);
        (oldest + 1..=end).rev().find(|end| there(end - 1, *end) * 2 >= reporting.max(1))
    }

    /// The step in which a moment lies; 0 for moments before the first.
    fn place(&self, moment: Timestamp) -> usize {
        let since = moment.micros().saturating_sub(self.first.micros());
        usize::try_from(since.div_euclid(whole(self.minutes) * MINUTE_MICROS)).unwrap_or(0)
    }

    /// Takes over the values from a step on. The step in which `now` lies is not over, so it is not one of them.
    fn fill(&mut self, source: &Source<'_>, sensors: &[Sensor], from: usize, now: Timestamp) -> Result<(), StoreError> {
        let end = self.place(now).max(from);
        let range = TimeRange { from: Some(self.moment(from)), to: Some(self.moment(end)) };
        for (at, sensor) in sensors.iter().enumerate() {
            let mut sums = vec![(0.0_f64, 0_u32); end - from];
            for observation in source.observations(sensor, range)? {
                let observation = observation?;
                let ObservedValue::Number(value) = observation.value else { continue };
                let Some(sum) = self.place(observation.at).checked_sub(from).and_then(|step| sums.get_mut(step)) else {
                    continue;
                };
                if value.is_finite() && value >= 0.0 {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
            let value = |(sum, count): (f64, u32)| match (count, source.set.kind) {
                (0, _) => f32::NAN,
                (_, Kind::Count) => sum as f32,
                (count, Kind::Occupancy | Kind::Rate) => (sum / f64::from(count)) as f32,
            };
            let values = &mut self.steps[at].values;
            values.truncate(from);
            values.resize(from, f32::NAN);
            values.extend(sums.into_iter().map(value));
        }
        Ok(())
    }
}

/// The minute of the local week of a moment, from Monday 00:00. Weeks of earlier summer or winter time are an hour off.
fn minute_of_week(moment: Timestamp, zone: &TimeZone) -> usize {
    let local = zone.to_datetime(moment.into());
    let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
    let of_day = usize::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
    day * DAY_MINUTES + of_day
}

fn whole(minutes: usize) -> i64 {
    i64::try_from(minutes).unwrap_or(i64::MAX / MINUTE_MICROS)
}
