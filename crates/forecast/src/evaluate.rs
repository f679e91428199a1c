//! The protocol: forecast each day of a window from what lies before it, and score it against what was.
//!
//! Origins are at 00:00 local time. At each origin the model was trained, and its bands were stretched, on values
//! before it alone. The four weeks before the window are forecast too, unscored, so that the bands have a record to be
//! stretched by.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::{PooledRegression, four_week_mean, seasonal_naive},
    calibrate::{Calibration, Outcome},
    features::Ask,
    insufficient::Insufficient,
    metrics::{Figures, Tally, mean, scale},
    model::{Model, Quantiles},
    panel::Panel,
    series::{DAY, Slot, day_after, days_between},
    train::{TrainOptions, train},
};

/// Days forecast before the window, for the stretch of the bands.
const RECORD_DAYS: usize = 28;

/// What is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    /// The first day of the window.
    pub first_day: Date,
    /// The last day of the window.
    pub last_day: Date,
    /// Hours forecast from each origin, 1 to 168.
    pub horizon_hours: usize,
    /// Days after which the model is trained anew, 7 at least.
    pub retrain_days: usize,
    /// Share of the hours of the 180 days before the window that a series must have.
    pub history_share_min: f64,
    /// Share of the hours of the window that a series must have.
    pub window_share_min: f64,
    /// How the model is trained.
    pub train: TrainOptions,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The methods' figures, mean over series.
    pub methods: Vec<MethodFigures>,
    /// Figures by series, in the order of the panel.
    pub series: Vec<SeriesFigures>,
    /// Series that were left out, with the reason.
    pub left_out: Vec<(String, String)>,
    /// Hours that the model did not answer for, by reason.
    pub unanswered: Vec<(String, usize)>,
    /// How much each feature matters to the last model, the most important first.
    pub importance: Vec<(String, f32)>,
    /// Rows that the last model learned from.
    pub rows: usize,
}

/// The figures of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodFigures {
    /// The method.
    pub method: String,
    /// Its figures: the mean over series, each counting the same.
    pub figures: Figures,
}

/// The figures of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesFigures {
    /// The series.
    pub series: String,
    /// The scale of its MASE, in counts.
    pub scale: Option<f64>,
    /// The figures by method.
    pub methods: Vec<MethodFigures>,
}

/// The methods, in the order of the table.
pub const METHODS: [&str; 4] =
    ["seasonal naive 168 h", "mean of four same weekdays", "pooled regression", "boosted quantiles"];

/// What happens while an evaluation runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A model is being trained on what lies before this day.
    Training(Date),
    /// The days up to this one, not included, were forecast.
    Forecast(Date),
}

/// Runs the protocol. `on_step` is told what happens.
pub fn evaluate(panel: &Panel, protocol: &Protocol, mut on_step: impl FnMut(Step)) -> Result<Evaluation, Insufficient> {
    let (first, last) = window(panel, protocol)?;
    let (chosen, left_out) = choose(panel, protocol, first, last);
    if chosen.is_empty() {
        let first = left_out.first().map(|(name, reason)| format!("{name} {reason}")).unwrap_or_default();
        return Err(Insufficient::LeftOut { series: left_out.len(), first });
    }
    let mut run = Run::new(panel, protocol, &chosen);
    let mut day = first.saturating_sub(RECORD_DAYS);
    let mut model: Option<Model> = None;
    while day < last {
        // The days before the window stretch the bands and are not scored: one model serves them all.
        let until = if day < first { first } else { (day + protocol.retrain_days.max(7)).min(last) };
        on_step(Step::Training(day_after(panel.first_day, day)));
        match train(panel, day * DAY, &protocol.train) {
            Ok(trained) => model = Some(trained),
            Err(reason) if day >= first => return Err(reason),
            Err(_) => {}
        }
        let regression = PooledRegression::fit(panel, day * DAY);
        for origin in day..until {
            if let Some(model) = &model {
                run.forecast(model, &regression, origin * DAY, origin >= first);
            }
        }
        on_step(Step::Forecast(day_after(panel.first_day, until)));
        day = until;
    }
    Ok(run.conclude(left_out, model.as_ref(), first))
}

/// The window as days of the panel, the last not included.
fn window(panel: &Panel, protocol: &Protocol) -> Result<(usize, usize), Insufficient> {
    let day = |day: Date| usize::try_from(days_between(panel.first_day, day)).ok();
    let days = day(protocol.first_day).zip(day(protocol.last_day)).filter(|(first, last)| first <= last);
    let (first, last) = days.ok_or(Insufficient::TooLittleHistory { days: 0, needed: 28 })?;
    Ok((first, last + 1))
}

/// The series that have enough hours, and why the others were left out.
fn choose(panel: &Panel, protocol: &Protocol, first: usize, last: usize) -> (Vec<usize>, Vec<(String, String)>) {
    let mut chosen = Vec::new();
    let mut left_out = Vec::new();
    for (at, track) in panel.series.iter().enumerate() {
        let share = |from: usize, to: usize| {
            let hours = track.values.get(from * DAY..(to * DAY).min(track.values.len())).unwrap_or_default();
            hours.iter().filter(|value| value.is_finite()).count() as f64 / ((to - from) * DAY).max(1) as f64
        };
        let (before, inside) = (share(first.saturating_sub(180), first), share(first, last));
        if before < protocol.history_share_min || inside < protocol.window_share_min || inside == 0.0 {
            let percent = |share: f64| (share * 100.0).floor();
            let reason = format!(
                "has {} % of the hours of the 180 days before the window and {} % of those in it",
                percent(before),
                percent(inside)
            );
            left_out.push((track.name.clone(), reason));
        } else {
            chosen.push(at);
        }
    }
    (chosen, left_out)
}

/// An evaluation under way.
struct Run<'a> {
    panel: &'a Panel,
    protocol: &'a Protocol,
    chosen: &'a [usize],
    tallies: Vec<[Tally; METHODS.len()]>,
    calibration: Calibration,
    /// Outcomes that were not known at the last origin, with their slots.
    awaited: Vec<(Slot, Outcome)>,
    unanswered: std::collections::BTreeMap<String, usize>,
}

impl<'a> Run<'a> {
    fn new(panel: &'a Panel, protocol: &'a Protocol, chosen: &'a [usize]) -> Self {
        Self {
            panel,
            protocol,
            chosen,
            tallies: vec![[Tally::default(); METHODS.len()]; chosen.len()],
            calibration: Calibration::default(),
            awaited: Vec::new(),
            unanswered: std::collections::BTreeMap::new(),
        }
    }

    /// Forecasts from one origin, and scores it when it is in the window.
    fn forecast(&mut self, model: &Model, regression: &PooledRegression, origin: Slot, scored: bool) {
        let (known, awaited) = std::mem::take(&mut self.awaited).into_iter().partition(|(slot, _)| *slot < origin);
        let known: Vec<(Slot, Outcome)> = known;
        self.awaited = awaited;
        self.calibration.learn(&known.into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>());
        let targets = origin..(origin + self.protocol.horizon_hours).min(self.panel.slots);
        let asks: Vec<Ask> = self
            .chosen
            .iter()
            .flat_map(|&series| targets.clone().map(move |target| Ask { series, origin, target }))
            .collect();
        let answers = model.predict(self.panel, &asks);
        for (at, (ask, answer)) in asks.iter().zip(answers).enumerate() {
            let track = &self.panel.series[ask.series];
            let was = track.at(Some(ask.target));
            let tally = &mut self.tallies[at / targets.len()];
            let said: Option<Quantiles> = match answer {
                Ok(quantiles) => {
                    let said = self.calibration.apply(&track.name, ask.target - origin, quantiles);
                    let outcome = Outcome { series: track.name.clone(), lead: ask.target - origin, said, was };
                    self.awaited.push((ask.target, outcome));
                    Some(said)
                }
                Err(reason) => {
                    if scored && was.is_finite() {
                        *self.unanswered.entry(reason.to_string()).or_default() += 1;
                    }
                    None
                }
            };
            if scored {
                tally[0].point(seasonal_naive(self.panel, *ask), was);
                tally[1].point(four_week_mean(self.panel, *ask), was);
                tally[2].point(regression.predict(self.panel, *ask), was);
                if let Some(said) = said {
                    tally[3].quantiles(&said, was);
                }
            }
        }
    }

    fn conclude(self, left_out: Vec<(String, String)>, model: Option<&Model>, first: usize) -> Evaluation {
        let series: Vec<SeriesFigures> = self
            .chosen
            .iter()
            .zip(&self.tallies)
            .map(|(&at, tallies)| {
                let track = &self.panel.series[at];
                let scale = scale(&track.values[..first * DAY]);
                let figures = METHODS.iter().zip(tallies).map(|(method, tally)| MethodFigures {
                    method: (*method).to_owned(),
                    figures: tally.figures(scale),
                });
                SeriesFigures { series: track.name.clone(), scale, methods: figures.collect() }
            })
            .collect();
        let of_method =
            |at: usize| series.iter().filter_map(|s| s.methods.get(at)).map(|m| &m.figures).collect::<Vec<_>>();
        let methods = METHODS
            .iter()
            .enumerate()
            .map(|(at, method)| MethodFigures { method: (*method).to_owned(), figures: mean(&of_method(at)) })
            .collect();
        Evaluation {
            methods,
            series,
            left_out,
            unanswered: self.unanswered.into_iter().collect(),
            importance: model.map(Model::importance).unwrap_or_default(),
            rows: model.map_or(0, |model| model.training.rows),
        }
    }
}
