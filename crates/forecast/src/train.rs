//! Learning: rows from all series before a moment, and the forests grown on them.

use crate::{
    boost::{Binned, Binner, Forest, Lesson, Loss, Settings, scramble},
    expert::{self, Expert},
    features::{self, Ask},
    insufficient::Insufficient,
    model::{Band, Model, Training, history},
    panel::{Panel, in_two},
    series::{DAY, Slot, WEEK},
};

/// Days to learn from that carry the whole of a model. The hours of a day share one surprise: fewer days hold less to
/// learn, however many series there are, and forests for many days would learn the surprises of few by heart.
const DAYS_FOR_ALL: f64 = 730.0;
/// Trees and leaves that a forest has with the fewest days.
const TREES_MIN: usize = 20;
const LEAVES_MIN: usize = 15;

/// How a model is trained. Trees and leaves are those with two years of days or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainOptions {
    /// Days learned from, at most, counted back from the end.
    pub days_max: usize,
    /// Rows of each band, at most; more are thinned out evenly.
    pub rows_max: usize,
    /// Trees of the middle forests a day ahead; those beyond have half as many.
    pub trees: usize,
    /// Trees of the forests of the low and the high quantile a day ahead; those beyond have half as many.
    pub quantile_trees: usize,
    /// Leaves of a tree.
    pub leaves: usize,
    /// Share of each tree's answer that is taken.
    pub learning_rate: f32,
    /// Share of the features that a tree may use.
    pub feature_share: f32,
    /// Share of the days that a tree sees.
    pub group_share: f32,
    /// How many robust-mean and how many median forests the middle is the mean of.
    pub middle_forests: usize,
    /// Share of rows whose origin is at any hour of the day; the others' is midnight.
    pub any_hour_share: f32,
    /// Whether leads beyond 24 hours are learned too.
    pub week_ahead: bool,
    /// Where the draws begin.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            days_max: 3 * 365,
            rows_max: 800_000,
            trees: 300,
            quantile_trees: 150,
            leaves: 127,
            learning_rate: 0.06,
            feature_share: 0.5,
            group_share: 0.7,
            middle_forests: 1,
            any_hour_share: 0.25,
            week_ahead: true,
            seed: 1,
        }
    }
}

impl TrainOptions {
    /// The same with fewer trees and leaves when the rows, by their days, are of less than two years.
    fn for_days(self, days: &[u32]) -> Self {
        let distinct = days.iter().collect::<std::collections::BTreeSet<_>>().len();
        let share = (distinct as f64 / DAYS_FOR_ALL).min(1.0);
        let part =
            |all: usize, share: f64, least: usize| ((all as f64 * share).round() as usize).clamp(least.min(all), all);
        Self {
            trees: part(self.trees, share * share, TREES_MIN),
            quantile_trees: part(self.quantile_trees, share, TREES_MIN),
            leaves: part(self.leaves, share * share, LEAVES_MIN),
            ..self
        }
    }
}

/// Rows to learn from.
struct Rows {
    bins: Binned,
    targets: Vec<f32>,
    groups: Vec<u32>,
}

/// Trains on what lies before `until`.
pub fn train(panel: &Panel, until: Slot, options: &TrainOptions) -> Result<Model, Insufficient> {
    let from = until.saturating_sub(options.days_max * DAY).max(4 * WEEK);
    let mut names = features::names(panel);
    let near = asks(panel, from, until, options, 0..DAY);
    if near.len() < 24 * 28 {
        return Err(Insufficient::NothingLearned);
    }
    let expert = Expert::fit(panel, &near, names.len());
    let binner = fit_binner(panel, &near, &expert, names.len() + 1);
    names.push(expert::NAME.to_owned());
    let mut model = Model {
        features: names,
        binner,
        bands: Vec::new(),
        training: Training {
            series: panel.series.len(),
            rows: 0,
            from: Some(panel.day_of_slot(from)),
            until: Some(panel.day_of_slot(until)),
            scale_max: scale_max(panel, until),
            seed: options.seed,
        },
    };
    let far = if options.week_ahead { asks(panel, from, until, options, DAY..WEEK) } else { Vec::new() };
    for (asks, lead_end) in [(near, DAY), (far, WEEK)] {
        if asks.is_empty() {
            continue;
        }
        let expert = if lead_end == DAY { expert.clone() } else { Expert::fit(panel, &asks, model.features.len() - 1) };
        let rows = rows(panel, &model.binner, &expert, &asks);
        model.training.rows += rows.targets.len();
        model.bands.push(band(&rows, expert, lead_end, &options.for_days(&rows.groups)));
    }
    Ok(model)
}

fn scale_max(panel: &Panel, until: Slot) -> f32 {
    let scale = |day: usize| panel.series.iter().filter_map(move |track| track.scale.get(day).copied());
    scale(until / DAY).filter(|scale| scale.is_finite()).fold(0.5, f32::max)
}

/// The questions to learn from: each known hour once from midnight (or from further back for far leads), and a share
/// of them from any hour of the day.
fn asks(panel: &Panel, from: Slot, until: Slot, options: &TrainOptions, leads: std::ops::Range<usize>) -> Vec<Ask> {
    let draw = |series: usize, target: Slot, salt: u64| {
        let number = (series as u64) << 40 ^ (target as u64) << 4 ^ salt;
        (scramble(options.seed ^ scramble(number)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut asks = Vec::new();
    for (series, track) in panel.series.iter().enumerate() {
        for target in from..until.min(track.values.len()) {
            if !track.values[target].is_finite() {
                continue;
            }
            if leads.start == 0 {
                asks.push(Ask { series, origin: target - target % DAY, target });
            }
            let any_hour = if leads.start == 0 { f64::from(options.any_hour_share) } else { 0.4 };
            if draw(series, target, 1) < any_hour {
                let lead = leads.start + (draw(series, target, 2) * leads.len() as f64) as usize;
                asks.push(Ask { series, origin: target.saturating_sub(lead), target });
            }
        }
    }
    asks.retain(|ask| ask.origin >= 4 * WEEK && features::frame(panel, *ask).is_some());
    let keep = options.rows_max as f64 / asks.len().max(1) as f64;
    if keep < 1.0 {
        asks.retain(|ask| draw(ask.series, ask.target, 3 + (ask.target - ask.origin) as u64) < keep);
    }
    asks
}

fn fit_binner(panel: &Panel, asks: &[Ask], expert: &Expert, features: usize) -> Binner {
    let mut sample = Vec::new();
    let mut row = Vec::with_capacity(features);
    for ask in asks.iter().step_by((asks.len() / 40_000).max(1)) {
        if let Some(frame) = features::frame(panel, *ask) {
            features::fill(panel, *ask, frame, &mut row);
            row.push(expert.answer(&row, ask.target % DAY));
            sample.extend_from_slice(&row);
        }
    }
    Binner::fit(&sample, features)
}

/// Differences beyond this many scales are as surprising as this one.
const TARGET_MAX: f32 = 15.0;

fn rows(panel: &Panel, binner: &Binner, expert: &Expert, asks: &[Ask]) -> Rows {
    let features = binner.feature_count();
    let parts: Vec<&[Ask]> = asks.chunks(asks.len().div_ceil(2).max(1)).collect();
    let made = in_two(&parts, |part| {
        let mut bins = vec![0_u8; part.len() * features];
        let mut targets = Vec::with_capacity(part.len());
        let mut row = Vec::with_capacity(features);
        for (ask, bins) in part.iter().zip(bins.chunks_mut(features)) {
            let Some(frame) = features::frame(panel, *ask) else { continue };
            features::fill(panel, *ask, frame, &mut row);
            row.push(expert.answer(&row, ask.target % DAY));
            binner.bin(&row, bins);
            let value = panel.series[ask.series].values[ask.target];
            targets.push(((value - frame.base) / frame.scale).clamp(-TARGET_MAX, TARGET_MAX));
        }
        (bins, targets)
    });
    let (bins, targets): (Vec<Vec<u8>>, Vec<Vec<f32>>) = made.into_iter().unzip();
    Rows {
        bins: Binned::from_rows(features, bins.concat()),
        targets: targets.concat(),
        groups: asks.iter().map(|ask| (ask.target / DAY) as u32).collect(),
    }
}

fn band(rows: &Rows, expert: Expert, lead_end: usize, options: &TrainOptions) -> Band {
    let lesson = Lesson { features: &rows.bins, targets: &rows.targets, groups: &rows.groups };
    let settings = |seed: u64, trees: usize| Settings {
        trees,
        leaves: options.leaves,
        leaf_rows_min: 60,
        learning_rate: options.learning_rate,
        feature_share: options.feature_share,
        group_share: options.group_share,
        ridge: 1.0,
        seed: options.seed.wrapping_add(seed),
    };
    let part = if lead_end == DAY { 1 } else { 2 };
    let (trees, quantile_trees) = (options.trees / part, options.quantile_trees / part);
    // Each forest grows on one thread: two at a time keep two cores busy without waiting for each other.
    let quantile = |level: f32| Loss::Quantile { level };
    let middle =
        |loss: Loss, seed: u64| (0..options.middle_forests.max(1) as u64).map(move |at| (loss, seed + at, trees));
    let first = middle(Loss::Huber { delta: 1.0 }, 10).chain([(quantile(0.1), 30, quantile_trees)]);
    let second = middle(quantile(0.5), 20).chain([(quantile(0.9), 40, quantile_trees)]);
    let jobs: Vec<(Loss, u64, usize)> = first.chain(second).collect();
    let mut forests = in_two(&jobs, |(loss, seed, trees)| Forest::grow(&lesson, *loss, &settings(*seed, *trees)));
    let high = forests.pop().unwrap_or_default();
    let low = forests.remove(jobs.len() / 2 - 1);
    Band { lead_end, expert, middle: forests, low, high }
}

/// Whether any series has enough history at a moment to be learned from.
pub fn anything_to_learn(panel: &Panel, until: Slot) -> bool {
    (0..panel.series.len()).any(|series| history(panel, series, until).is_ok())
}
