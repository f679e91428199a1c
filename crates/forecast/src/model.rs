//! The model: one set of forests for all series, that answers with three quantiles or says why it cannot.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    boost::{Binner, Forest},
    expert::Expert,
    features::{self, Ask, Frame},
    insufficient::{HISTORY_DAYS_MIN, Insufficient, RECENT_HOURS_MIN},
    panel::Panel,
    series::{DAY, WEEK},
};

/// How often above the highest scale in training a series may be.
const SCALE_FACTOR_MAX: f32 = 20.0;

/// A forecast of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// One in ten hours is below this.
    pub low: f32,
    /// As likely above as below.
    pub middle: f32,
    /// One in ten hours is above this.
    pub high: f32,
}

/// The forests for a range of leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The first lead in hours that is beyond this band.
    pub lead_end: usize,
    /// The linear opinion, which the forests see as the last feature.
    pub expert: Expert,
    /// Forests whose mean is the middle.
    pub middle: Vec<Forest>,
    /// The forest of the 10 % quantile.
    pub low: Forest,
    /// The forest of the 90 % quantile.
    pub high: Forest,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The names of the features, in order; the last is the linear opinion.
    pub features: Vec<String>,
    /// How features become bins.
    pub binner: Binner,
    /// Forests by lead, nearest first.
    pub bands: Vec<Band>,
    /// What it was trained on.
    pub training: Training,
}

/// What a model was trained on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Series that carried rows.
    pub series: usize,
    /// Rows learned from, in all bands.
    pub rows: usize,
    /// The first day learned from.
    pub from: Option<jiff::civil::Date>,
    /// The day before which everything was learned.
    pub until: Option<jiff::civil::Date>,
    /// The highest scale of a series in training.
    pub scale_max: f32,
    /// The seed of the draws.
    pub seed: u64,
}

/// What a forecast rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Days of the series with counts before the origin.
    pub history_days: usize,
    /// Hours with counts in the four weeks before the origin.
    pub recent_hours: usize,
    /// Share of the features that had a value.
    pub inputs_share: f32,
    /// Inputs from outside that had no value, by name.
    pub missing: Vec<String>,
}

/// Whether each series can be forecast from each origin asked for.
type Readiness = HashMap<(usize, usize), Result<(), Insufficient>>;

/// Questions for one band: where their answers go, their frames, and their bins one after another.
#[derive(Default)]
struct Batch {
    places: Vec<(usize, Frame)>,
    bins: Vec<u8>,
}

/// An answer: quantiles and what they rest on, or why there are none.
pub type Answer = Result<Quantiles, Insufficient>;

impl Model {
    /// Answers questions, in their order. On two threads.
    pub fn predict(&self, panel: &Panel, asks: &[Ask]) -> Vec<Answer> {
        if let Err(reason) = self.same_inputs(panel) {
            return vec![Err(reason); asks.len()];
        }
        let readiness = self.readiness(panel, asks);
        let parts: Vec<&[Ask]> = asks.chunks(asks.len().div_ceil(8).max(1)).collect();
        crate::panel::in_two(&parts, |part| self.answer(panel, part, &readiness)).into_iter().flatten().collect()
    }

    /// Whether the panel gives the features that the model knows, in their order.
    pub fn same_inputs(&self, panel: &Panel) -> Result<(), Insufficient> {
        let mut there = features::names(panel);
        there.push(crate::expert::NAME.to_owned());
        if there == self.features {
            return Ok(());
        }
        let one_sided = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|name| !those.contains(name)).cloned().collect()
        };
        let mut inputs = one_sided(&self.features, &there);
        inputs.extend(one_sided(&there, &self.features));
        Err(Insufficient::OtherInputs { inputs })
    }

    fn readiness(&self, panel: &Panel, asks: &[Ask]) -> Readiness {
        let mut all = Readiness::new();
        for ask in asks {
            all.entry((ask.series, ask.origin)).or_insert_with(|| self.ready(panel, ask.series, ask.origin));
        }
        all
    }

    /// Whether a series can be forecast from an origin.
    pub fn ready(&self, panel: &Panel, series: usize, origin: usize) -> Result<(), Insufficient> {
        let track = panel.series.get(series).ok_or(Insufficient::UnknownSeries)?;
        if self.bands.is_empty() {
            return Err(Insufficient::NothingLearned);
        }
        history(panel, series, origin)?;
        let scale = track.scale.get(origin / DAY).copied().unwrap_or(f32::NAN);
        if scale > SCALE_FACTOR_MAX * self.training.scale_max {
            let factor = (scale / self.training.scale_max) as u32;
            return Err(Insufficient::OutsideValidity { factor, most: SCALE_FACTOR_MAX as u32 });
        }
        Ok(())
    }

    /// Answers questions, each forest for all of them at once.
    fn answer(&self, panel: &Panel, asks: &[Ask], readiness: &Readiness) -> Vec<Answer> {
        let width = self.features.len();
        let mut batches: Vec<Batch> = self.bands.iter().map(|_| Batch::default()).collect();
        let mut row = Vec::with_capacity(width);
        let mut answers = Vec::with_capacity(asks.len());
        for (place, ask) in asks.iter().enumerate() {
            let ready = readiness.get(&(ask.series, ask.origin)).cloned().unwrap_or(Err(Insufficient::UnknownSeries));
            let found = ready.and_then(|()| self.place(panel, *ask));
            let Ok((band, frame)) = found else {
                answers.extend(found.err().map(Err));
                continue;
            };
            answers.push(Err(Insufficient::NothingLearned));
            features::fill(panel, *ask, frame, &mut row);
            row.push(self.bands[band].expert.answer(&row, ask.target % DAY));
            let batch = &mut batches[band];
            batch.places.push((place, frame));
            let bins = batch.bins.len();
            batch.bins.resize(bins + width, 0);
            self.binner.bin(&row, &mut batch.bins[bins..]);
        }
        for (band, batch) in self.bands.iter().zip(batches) {
            let said = band.quantiles(&batch.bins, width, &batch.places);
            for ((place, _), said) in batch.places.iter().zip(said) {
                answers[*place] = Ok(said);
            }
        }
        answers
    }

    /// The band and the frame of a question.
    fn place(&self, panel: &Panel, ask: Ask) -> Result<(usize, Frame), Insufficient> {
        let hours = ask.target as i64 - ask.origin as i64 + 1;
        let lead = usize::try_from(hours - 1).ok();
        let band = lead.and_then(|lead| self.bands.iter().position(|band| lead < band.lead_end));
        let band = band.ok_or(Insufficient::OutsideHorizon { hours })?;
        Ok((band, features::frame(panel, ask).ok_or(Insufficient::HourNeverSeen)?))
    }

    /// What a forecast of a series from an origin rests on.
    pub fn basis(&self, panel: &Panel, ask: Ask) -> Basis {
        let mut row = Vec::with_capacity(self.features.len());
        if let Some(frame) = features::frame(panel, ask) {
            features::fill(panel, ask, frame, &mut row);
        }
        let there = row.iter().filter(|value| value.is_finite()).count();
        let outside = panel.outside.iter().filter(|outside| outside.at(ask.target).is_nan());
        let (history_days, recent_hours) = counted(panel, ask.series, ask.origin);
        Basis {
            history_days,
            recent_hours,
            inputs_share: there as f32 / self.features.len().saturating_sub(1).max(1) as f32,
            missing: outside.map(|outside| outside.name.clone()).collect(),
        }
    }

    /// How much each feature lowered the loss in training, as shares of the whole, the most important first.
    pub fn importance(&self) -> Vec<(String, f32)> {
        let mut gains = vec![0.0_f32; self.features.len()];
        for forest in self.bands.iter().flat_map(|band| band.middle.iter().take(1)) {
            let total: f32 = forest.gain.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            for (sum, gain) in gains.iter_mut().zip(&forest.gain) {
                *sum += gain / total / self.bands.len() as f32;
            }
        }
        let mut named: Vec<(String, f32)> = self.features.iter().cloned().zip(gains).collect();
        named.sort_by(|a, b| b.1.total_cmp(&a.1));
        named
    }
}

impl Band {
    /// The quantiles of rows of bins, one after another: in order, and never below zero.
    fn quantiles(&self, bins: &[u8], width: usize, places: &[(usize, Frame)]) -> Vec<Quantiles> {
        let mut middle = vec![0.0; places.len()];
        self.middle.iter().for_each(|forest| forest.add_answers(bins, width, &mut middle));
        let of = |forest: &Forest| {
            let mut answers = vec![0.0; places.len()];
            forest.add_answers(bins, width, &mut answers);
            answers
        };
        let (low, high) = (of(&self.low), of(&self.high));
        let forests = self.middle.len().max(1) as f32;
        let said = places.iter().zip(middle).zip(low.into_iter().zip(high)).map(|(((_, frame), sum), (low, high))| {
            let middle = sum / forests;
            let value = |answer: f32| (frame.base + frame.scale * answer).max(0.0);
            Quantiles { low: value(low.min(middle)), middle: value(middle), high: value(high.max(middle)) }
        });
        said.collect()
    }
}

/// Whether a series has enough history before an origin.
pub fn history(panel: &Panel, series: usize, origin: usize) -> Result<(), Insufficient> {
    let (days, hours) = counted(panel, series, origin);
    if days < HISTORY_DAYS_MIN {
        return Err(Insufficient::TooLittleHistory { days, needed: HISTORY_DAYS_MIN });
    }
    if hours < RECENT_HOURS_MIN {
        return Err(Insufficient::TooManyGaps { hours, needed: RECENT_HOURS_MIN });
    }
    Ok(())
}

/// Days with counts before the origin (at most those of the last year), and hours with counts in the four weeks before
/// it.
fn counted(panel: &Panel, series: usize, origin: usize) -> (usize, usize) {
    let Some(track) = panel.series.get(series) else { return (0, 0) };
    let year = track.values.get(origin.saturating_sub(365 * DAY)..origin.min(track.values.len())).unwrap_or_default();
    let days = year.chunks(DAY).filter(|day| day.iter().any(|value| value.is_finite())).count();
    let recent = track.values.get(origin.saturating_sub(4 * WEEK)..origin.min(track.values.len())).unwrap_or_default();
    (days, recent.iter().filter(|value| value.is_finite()).count())
}
