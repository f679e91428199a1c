//! What a forecast stands on: the hours of all series side by side with the calendar and the weather.

use forecast::{
    calendar::Calendar,
    calibrate::Calibration,
    features::Ask,
    insufficient::Insufficient,
    model::{Basis, Model},
    panel::Panel,
    series::{HourlySeries, Slot, WEEK, day_after},
};
use jiff::civil::Date;

use crate::{
    Set,
    calendar::calendar,
    hours::Hours,
    lanes::Lanes,
    record::{Told, kept},
};

/// Whole days that are laid out beyond the last hour: a week, and the rest of today.
const DAYS_AHEAD: usize = 9;

/// The hours of a set, laid out for the model.
pub(crate) struct Ground {
    /// The days.
    pub calendar: Calendar,
    /// Everything side by side, in the order of the lanes.
    pub panel: Panel,
    first_day: Date,
}

impl Ground {
    /// Lays out the hours that are known.
    pub fn new(set: &Set, hours: &Hours, lanes: &Lanes) -> Self {
        let last = day_after(hours.first_day, hours.end / forecast::series::DAY + DAYS_AHEAD);
        let calendar = calendar(set, hours.first_day, last);
        let series: Vec<HourlySeries> = lanes
            .hours
            .iter()
            .map(|(id, values)| HourlySeries::from_slots(id.clone(), hours.first_day, values.clone()))
            .collect();
        let outside = set.weather.iter().map(|weather| (weather.name.clone(), weather.by_day.clone())).collect();
        let panel = Panel::new(&series, &calendar, outside, DAYS_AHEAD);
        Self { calendar, panel, first_day: hours.first_day }
    }

    /// The slot at which a local day begins; `None` before the first.
    pub fn slot_of(&self, day: Date) -> Option<Slot> {
        self.panel.slot_of_day(day).filter(|_| day >= self.first_day)
    }

    /// The week from an origin for each lane, of what lies before the origin alone; or why there is none.
    pub fn week(&self, model: &Model, calibration: &Calibration, origin: Slot) -> Vec<Result<Vec<Told>, Insufficient>> {
        let lanes = self.panel.series.len();
        let week = |series: usize| (0..WEEK).map(move |lead| Ask { series, origin, target: origin + lead });
        let asks: Vec<Ask> = (0..lanes).flat_map(week).collect();
        let answers = model.predict(&self.panel, &asks);
        let told = |(series, answers): (usize, &[forecast::model::Answer])| {
            let name = &self.panel.series[series].name;
            if let Some(Err(why)) = answers.iter().find(|answer| is_of_the_series(answer)) {
                return Err(why.clone());
            }
            let hours: Vec<Told> = answers
                .iter()
                .enumerate()
                .map(|(lead, answer)| kept(calibration.apply(name, lead, *answer.as_ref().ok()?)))
                .collect();
            if hours.iter().any(Option::is_some) { Ok(hours) } else { Err(Insufficient::HourNeverSeen) }
        };
        answers.chunks(WEEK).enumerate().map(told).collect()
    }

    /// What the forecast of a lane from an origin rests on.
    pub fn basis(&self, model: &Model, series: usize, origin: Slot) -> Basis {
        model.basis(&self.panel, Ask { series, origin, target: origin })
    }

    /// Whether a lane has enough history for a forecast from an origin.
    pub fn history(&self, series: usize, origin: Slot) -> Result<(), Insufficient> {
        forecast::model::history(&self.panel, series, origin)
    }

    /// The usual change of a lane from a day to the next, before an origin.
    pub fn scale(&self, series: usize, origin: Slot) -> Option<f64> {
        let track = self.panel.series.get(series)?;
        track.scale.get(origin / forecast::series::DAY).copied().filter(|scale| scale.is_finite()).map(f64::from)
    }
}

/// Whether an answer is a reason that holds for the whole series, not for one hour.
fn is_of_the_series(answer: &forecast::model::Answer) -> bool {
    !matches!(answer, Ok(_) | Err(Insufficient::HourNeverSeen | Insufficient::OutsideHorizon { .. }))
}
