//! What the archive holds over time, for the slider: how many readings in each slot, and where there are none.

use model::{SeriesKey, Timestamp};
use serde::Serialize;
use store::{EntitySelect, Period, TimeRange};
use utoipa::ToSchema;

use crate::{LayerConfig, Layers, ViewError, Viewpoint};

/// The most slots of a timeline.
const SLOTS_MAX: i64 = 400;
/// The shortest slot: five minutes, in microseconds.
const SLOT_MIN: i64 = 300_000_000;
/// The most series that are counted for one layer.
const SERIES_MAX: usize = 5_000;

/// How many readings an archive holds, slot by slot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The start of the archive.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The end of the archive.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Slots of equal length, oldest first.
    pub slots: Vec<Slot>,
    /// Stretches up to the city's moment without any reading.
    #[schema(value_type = Vec<(String, String)>)]
    pub gaps: Vec<(Timestamp, Timestamp)>,
}

/// One slot of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimelineSlot)]
pub struct Slot {
    /// Its start.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// How many readings lie in it.
    pub readings: u64,
}

/// The timeline of one layer, or of all layers with history, over `[from, to]`.
///
/// # Errors
/// The store's.
pub fn timeline(
    view: &Viewpoint<'_>,
    layers: &Layers,
    layer: Option<&LayerConfig>,
    (from, to): (Timestamp, Timestamp),
) -> Result<Timeline, ViewError> {
    let to = to.max(from);
    let span = (to.micros() - from.micros()).max(1);
    // Whole slots of five minutes, as many as fit under the limit.
    let width = (span / SLOTS_MAX / SLOT_MIN + 1) * SLOT_MIN;
    let count = usize::try_from(span / width + 1).unwrap_or(1);
    let mut readings = vec![0_u64; count];
    let chosen = layers.layers.iter().filter(|l| layer.is_none_or(|wanted| wanted.id == l.id));
    for layer in chosen.filter(|l| view.scope.shows_type(&l.type_iri())) {
        let series = series_of(view, layer)?;
        let range = TimeRange { from: Some(from), to: Some(to.plus_micros(1)) };
        let period = Period { micros: width, origin: from };
        let counted = view.snapshot.history().aggregate(view.tenant, &series, range, period, &[])?;
        for bucket in counted.into_iter().flat_map(|(_, buckets)| buckets) {
            let slot = usize::try_from((bucket.from.micros() - from.micros()) / width).unwrap_or(usize::MAX);
            if let Some(sum) = readings.get_mut(slot) {
                *sum += bucket.count;
            }
        }
    }
    let slots: Vec<Slot> = (0_i64..)
        .zip(readings)
        .map(|(i, readings)| Slot {
            from: from.plus_micros(i * width),
            to: from.plus_micros((i + 1) * width).min(to),
            readings,
        })
        .collect();
    let gaps = gaps_in(&slots, view.now);
    Ok(Timeline { from, to, slots, gaps })
}

fn series_of(view: &Viewpoint<'_>, layer: &LayerConfig) -> Result<Vec<SeriesKey>, ViewError> {
    let names: Vec<model::Iri> = layer.attributes.iter().filter(|a| a.history).map(|a| a.iri()).collect();
    let mut series = vec![];
    if names.is_empty() {
        return Ok(series);
    }
    view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
        let key = |attribute: &model::Iri| SeriesKey {
            entity: entity.id.clone(),
            attribute: attribute.clone(),
            dataset_id: None,
        };
        series.extend(names.iter().map(key));
        series.len() < SERIES_MAX
    })?;
    Ok(series)
}

fn gaps_in(slots: &[Slot], now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let past = slots.iter().take_while(|s| s.to <= now).collect::<Vec<_>>();
    let empty = past.chunk_by(|a, b| (a.readings == 0) == (b.readings == 0));
    empty.filter_map(|run| Some((run.first().filter(|s| s.readings == 0)?.from, run.last()?.to))).collect()
}
