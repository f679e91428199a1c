//! How good forecasts were: what was said against what was counted, beside what anybody could have said.

use forecast::{
    metrics::{Figures, Tally, mean},
    series::{DAY, WEEK},
};
use jiff::civil::Date;

use crate::{
    hours::{Hours, days_before},
    record::Record,
    wire::{Quality, Score},
};

/// The methods, as they are called in answers.
pub(crate) const METHODS: [&str; 3] = ["forecast", "seasonal_naive", "four_week_mean"];
/// How far ahead: within a day of the midnight, or later in its week.
pub(crate) const LEADS: [&str; 2] = ["day", "week"];

/// The figures by lead and method.
pub(crate) type Table = [[Figures; METHODS.len()]; LEADS.len()];

/// What was counted a week before; NaN where nothing was.
fn seasonal_naive(values: &[f32], slot: usize) -> f32 {
    slot.checked_sub(WEEK).and_then(|slot| values.get(slot)).copied().unwrap_or(f32::NAN)
}

/// The mean of the last four same weekdays at that hour, of those that are there.
pub(crate) fn four_week_mean(values: &[f32], slot: usize) -> f32 {
    let weeks = (1..=4).filter_map(|week| values.get(slot.checked_sub(week * WEEK)?).copied());
    let there: Vec<f32> = weeks.filter(|value| value.is_finite()).collect();
    if there.is_empty() { f32::NAN } else { there.iter().sum::<f32>() / there.len() as f32 }
}

/// Scores the forecasts of a series for the days before one. Only hours of which something was said are scored, for
/// each method the same ones.
pub(crate) fn table(
    record: &Record,
    hours: &Hours,
    (id, values): (&str, &[f32]),
    (today, days): (Date, usize),
    scale: Option<f64>,
) -> Table {
    let mut tallies = [[Tally::default(); METHODS.len()]; LEADS.len()];
    for day in (1..=days).rev().map(|back| days_before(today, back)).filter(|day| *day >= hours.first_day) {
        let first = hours.slot_of(day);
        for days_ahead in 0..7 {
            let Some(said) = record.said_of(id, day, days_ahead) else { continue };
            let tally = &mut tallies[usize::from(days_ahead > 0)];
            for (hour, told) in said.iter().enumerate() {
                let slot = first + hour;
                let was = values.get(slot).copied().unwrap_or(f32::NAN);
                let Some([low, middle, high]) = told.filter(|_| was.is_finite()) else { continue };
                tally[0].quantiles(&forecast::model::Quantiles { low, middle, high }, was);
                tally[1].point(seasonal_naive(values, slot), was);
                tally[2].point(four_week_mean(values, slot), was);
            }
        }
    }
    tallies.map(|methods| methods.map(|tally| tally.figures(scale)))
}

/// The mean over series, each counting the same.
pub(crate) fn over_series(tables: &[Table]) -> Table {
    std::array::from_fn(|lead| {
        std::array::from_fn(|method| {
            let of_series: Vec<&Figures> =
                tables.iter().map(|table| &table[lead][method]).filter(|figures| figures.hours > 0).collect();
            mean(&of_series)
        })
    })
}

/// Hours without which errors of suppressed counts are not told: those of a few hours are the counts.
const HOURS_TOLD_MIN: usize = 12;

/// An error as it may be told. Where small counts are suppressed it has two digits and stands on enough hours, so that no
/// count can be computed from it.
fn veiled(error: Option<f64>, figures: &Figures, minimum: u32) -> Option<f64> {
    if minimum == 0 {
        return error;
    }
    error.filter(|_| figures.hours >= HOURS_TOLD_MIN).map(|error| (error * 100.0).round() / 100.0)
}

/// An absolute error as it may be told.
fn coarse(error: Option<f64>, minimum: u32) -> Option<f64> {
    let least = f64::from(minimum);
    if minimum == 0 {
        return error;
    }
    error.filter(|error| *error >= least).map(|error| (error / least).round() * least)
}

/// The figures as they are told; leads of which nothing was scored are left out. Where small counts are suppressed the
/// absolute error is rounded to the smallest one that is told: with the relative error it would give the sum of the counts.
pub(crate) fn told(table: &Table, minimum: u32) -> Vec<Score> {
    let mut scores = vec![];
    for (lead, methods) in LEADS.iter().zip(table) {
        for (method, figures) in METHODS.iter().zip(methods).filter(|(_, figures)| figures.hours > 0) {
            scores.push(Score {
                lead: (*lead).to_owned(),
                method: (*method).to_owned(),
                hours: figures.hours as u64,
                mase: veiled(figures.mase, figures, minimum),
                mae: coarse(figures.mae, minimum),
                wape: veiled(figures.wape, figures, minimum),
                coverage: figures.coverage,
            });
        }
    }
    scores
}

/// The day-ahead figures in a few words.
pub(crate) fn quality(table: &Table, minimum: u32) -> Option<Quality> {
    let [forecast, naive, weeks] = &table[0];
    let told = |error: Option<f64>| veiled(error, forecast, minimum);
    (forecast.hours > 0).then(|| Quality {
        hours: forecast.hours as u64,
        mase: told(forecast.mase),
        wape: told(forecast.wape),
        coverage: forecast.coverage,
        baseline_wape: told([naive.wape, weeks.wape].into_iter().flatten().min_by(f64::total_cmp)),
    })
}

/// How the totals of days compared with what was expected some days before: the quantiles 10 and 90 of counted over
/// said. `None` with fewer than 14 days.
pub(crate) fn day_ratios(
    record: &Record,
    hours: &Hours,
    (id, values): (&str, &[f32]),
    today: Date,
    days_ahead: usize,
) -> Option<(f64, f64)> {
    const DAYS: usize = 56;
    const DAYS_MIN: usize = 14;
    let mut ratios: Vec<f64> = (1..=DAYS)
        .filter_map(|back| {
            let day = days_before(today, back);
            let first = hours.slot_of(day);
            let was = values.get(first..first + DAY).filter(|_| day >= hours.first_day)?;
            let said = record.said_of(id, day, days_ahead)?;
            let pairs: Option<Vec<(f32, f32)>> = said
                .iter()
                .zip(was)
                .filter(|(_, was)| was.is_finite())
                .map(|(told, was)| Some(((*told)?[1], *was)))
                .collect();
            let pairs = pairs.filter(|pairs| pairs.len() * 10 >= DAY * 9)?;
            let sum = |of: fn(&(f32, f32)) -> f32| pairs.iter().map(of).map(f64::from).sum::<f64>();
            let said = sum(|pair| pair.0);
            (said > 0.0).then(|| sum(|pair| pair.1) / said)
        })
        .collect();
    if ratios.len() < DAYS_MIN {
        return None;
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let quantile = |level: f64| {
        let place = level * (ratios.len() - 1) as f64;
        let (low, share) = (place.floor() as usize, place.fract());
        let at = |place: usize| ratios.get(place).or(ratios.last()).copied().unwrap_or(1.0);
        at(low) * (1.0 - share) + at(low + 1) * share
    };
    Some((quantile(0.1).min(1.0), quantile(0.9).max(1.0)))
}
