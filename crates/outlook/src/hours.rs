//! Counts as hours: history is read, brought to hours of the clock on the wall, and cut off at the city's moment.

use std::collections::BTreeMap;

use forecast::series::{DAY, HourlySeries, Slot, day_after, days_between, slot_at};
use jiff::{civil::Date, tz::TimeZone};
use model::{Iri, Observation, ObservedValue, SeriesKey, Tenant, Timestamp};
use store::{Order, Snapshot, StoreError, TimeRange};

use crate::{Set, sensors::Sensor, wire::Kind};

/// Days before the first wanted one that show what is plausible there.
const DAYS_TO_COMPARE: usize = 57;
/// Share of the steps of an hour that must be there: of counts, in quarters; of levels, half.
const QUARTERS_MIN: usize = 3;

/// Where counts are read.
pub(crate) struct Source<'a> {
    /// The state of the store.
    pub snapshot: &'a Snapshot,
    /// Whose counts.
    pub tenant: &'a Tenant,
    /// The city's time zone.
    pub zone: &'a TimeZone,
    /// Which counts.
    pub set: &'a Set,
}

/// The hours of sensors, by their order, from 00:00 of a local day on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours {
    /// The local day of slot 0.
    pub first_day: Date,
    /// The first slot that is not over: nothing is known of it and of those after it.
    pub end: Slot,
    /// The sensors, by id, to see that they are still the same.
    pub ids: Vec<String>,
    /// Values by sensor and slot, up to `end`; NaN where there is none.
    pub values: Vec<Vec<f32>>,
}

/// The start of the local hour of a moment.
pub(crate) fn hour_start(moment: Timestamp, zone: &TimeZone) -> Timestamp {
    let local = zone.to_datetime(moment.into());
    let into = i64::from(local.minute()) * 60_000_000
        + i64::from(local.second()) * 1_000_000
        + i64::from(local.subsec_nanosecond()) / 1_000;
    moment.plus_micros(-into)
}

/// The first moment of a local day.
pub(crate) fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(day.at(0, 0, 0, 0)).map_or(Timestamp::MIN, Timestamp::from)
}

/// The local day of a moment.
pub(crate) fn day_of(moment: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(moment.into()).date()
}

/// The local day some days before another.
pub(crate) fn days_before(day: Date, days: usize) -> Date {
    day.saturating_sub(jiff::SignedDuration::from_hours(24 * i64::try_from(days).unwrap_or(i64::MAX / 24)))
}

impl Hours {
    /// Reads the hours from a local day up to the hour in which `now` lies. Days before any count are left out.
    pub fn read(source: &Source<'_>, sensors: &[Sensor], from: Date, now: Timestamp) -> Result<Self, StoreError> {
        let series = source.read(sensors, days_before(from, DAYS_TO_COMPARE), now)?;
        let starts = series.iter().flatten().map(|series| series.first_day);
        let today = day_of(now, source.zone);
        let first_day = starts.min().unwrap_or(today).max(from).min(today);
        let end = slot_at(now.into(), first_day, source.zone).unwrap_or(0);
        let ids = sensors.iter().map(|sensor| sensor.id.clone()).collect();
        let mut hours = Self { first_day, end, ids, values: vec![vec![f32::NAN; end]; sensors.len()] };
        hours.put(&series, first_day);
        Ok(hours)
    }

    /// Reads the days from one on again: what is new, and what came late.
    pub fn read_again(
        &mut self,
        source: &Source<'_>,
        sensors: &[Sensor],
        from: Date,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let series = source.read(sensors, days_before(from, DAYS_TO_COMPARE), now)?;
        self.end = slot_at(now.into(), self.first_day, source.zone).unwrap_or(0);
        for values in &mut self.values {
            values.resize(self.end, f32::NAN);
        }
        self.put(&series, from.max(self.first_day));
        Ok(())
    }

    /// Takes over the values from a day on.
    fn put(&mut self, series: &[Option<HourlySeries>], from: Date) {
        let first = self.slot_of(from);
        for (values, series) in self.values.iter_mut().zip(series) {
            values.iter_mut().skip(first).for_each(|value| *value = f32::NAN);
            let Some(series) = series else { continue };
            for (place, value) in series.values.iter().enumerate() {
                let day = day_after(series.first_day, place / DAY);
                let Ok(days) = usize::try_from(days_between(self.first_day, day)) else { continue };
                let slot = days * DAY + place % DAY;
                if let Some(known) = values.get_mut(slot).filter(|_| slot >= first) {
                    *known = *value;
                }
            }
        }
    }

    /// The slot at which a local day begins; 0 for days before the first.
    pub fn slot_of(&self, day: Date) -> Slot {
        usize::try_from(days_between(self.first_day, day)).unwrap_or(0) * DAY
    }
}

impl Source<'_> {
    /// The sensors' hours from a local day up to the hour in which `now` lies; `None` for one without any.
    fn read(&self, sensors: &[Sensor], from: Date, now: Timestamp) -> Result<Vec<Option<HourlySeries>>, StoreError> {
        let range = TimeRange { from: Some(midnight(from, self.zone)), to: Some(hour_start(now, self.zone)) };
        sensors.iter().map(|sensor| self.hours_of(sensor, range)).collect()
    }

    /// What a sensor observed, the oldest first.
    pub fn observations(
        &self,
        sensor: &Sensor,
        range: TimeRange,
    ) -> Result<impl Iterator<Item = Result<Observation, StoreError>>, StoreError> {
        let attribute: Iri = self.set.attribute.clone();
        let key = SeriesKey { entity: sensor.entity.clone(), attribute, dataset_id: None };
        let history = self.snapshot.history();
        let tenant = history.exact_tenant(self.tenant, &key)?;
        history.range(&tenant, &[key], range, Order::Ascending, None)
    }

    fn hours_of(&self, sensor: &Sensor, range: TimeRange) -> Result<Option<HourlySeries>, StoreError> {
        let mut points: Vec<(Timestamp, f64)> = vec![];
        for observation in self.observations(sensor, range)? {
            let observation = observation?;
            if let ObservedValue::Number(value) = observation.value {
                points.push((observation.at, value));
            }
        }
        let points = self.hourly(&points);
        let series = HourlySeries::from_moments(sensor.id.clone(), self.zone, &points);
        Ok(series.map(HourlySeries::without_implausible))
    }

    /// One value for each hour. Hourly counts stay as they are; parts of an hour are added up or averaged.
    fn hourly(&self, points: &[(Timestamp, f64)]) -> Vec<(jiff::Timestamp, f64)> {
        if self.set.kind == Kind::Count && self.set.step_minutes == 60 {
            return points.iter().map(|(at, value)| ((*at).into(), *value)).collect();
        }
        let mut hours: BTreeMap<Timestamp, (usize, f64)> = BTreeMap::new();
        for (at, value) in points.iter().filter(|(_, value)| *value >= 0.0) {
            let (count, sum) = hours.entry(hour_start(*at, self.zone)).or_default();
            *count += 1;
            *sum += value;
        }
        let steps = (60 / self.set.step_minutes.clamp(1, 60)) as usize;
        let whole = |(at, (count, sum)): (Timestamp, (usize, f64))| {
            let mean = sum / count as f64;
            let (is_whole, value) = match self.set.kind {
                Kind::Count => (count * 4 >= steps * QUARTERS_MIN, mean * steps as f64),
                Kind::Occupancy | Kind::Rate => (count * 2 >= steps, mean),
            };
            is_whole.then_some((at.into(), value))
        };
        hours.into_iter().filter_map(whole).collect()
    }
}
