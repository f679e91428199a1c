//! The items of a collection, page by page.
//!
//! `datetime` asks for a picture: of a moment, what held then; of an interval, what was observed in it, with the
//! values that held at its end. Things without a time of their own are always there.

use geo::Intersects;
use geo_types as gt;
use model::{BoundingBox, Entity, EntityId, Iri, Problem, Timestamp};
use serde_json::Value;
use store::EntitySelect;

use super::Filter;
use crate::{
    AttributeKind, Computed, Feature, LayerConfig, ViewError, Viewpoint, as_text,
    features::{is_shown_at, picture_of},
    moment_in, number_in, shown,
};

/// The most items of one page.
pub const ITEMS_MAX: usize = 10_000;
/// Collections up to this size are counted exactly under a filter; counting larger ones would cost more than the page.
const COUNTED_MAX: u64 = 20_000;

/// A stretch of time; `None` is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// From this moment.
    pub from: Option<Timestamp>,
    /// Until and with this moment.
    pub to: Option<Timestamp>,
}

/// Which items.
#[derive(Clone, Debug, Default)]
pub struct ItemsQuery {
    /// Only what touches this box.
    pub bbox: Option<BoundingBox>,
    /// Only what was there in this time.
    pub datetime: Option<Interval>,
    /// How many to leave out.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
    /// Properties that must have a value.
    pub properties: Vec<(String, String)>,
    /// A filter.
    pub filter: Option<Filter>,
}

/// A page of items.
#[derive(Clone, Debug)]
pub struct Items {
    /// The items.
    pub features: Vec<Feature>,
    /// How many there are in all, where that is known.
    pub matched: Option<u64>,
    /// Whether there are more after this page.
    pub more: bool,
}

impl Interval {
    /// Reads `2026-08-21T12:00:00Z`, `from/to`, `../to` or `from/..`.
    ///
    /// # Errors
    /// Names the text and the forms.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let moment = |part: &str| match part.trim() {
            "" | ".." => Ok(None),
            part => Timestamp::parse(part).map(Some).map_err(|p| Problem { thing: "datetime".to_owned(), ..p }),
        };
        let read = match text.split_once('/') {
            Some((from, to)) => Self { from: moment(from)?, to: moment(to)? },
            None => {
                let at = moment(text)?;
                Self { from: at, to: at }
            }
        };
        if read.from.zip(read.to).is_some_and(|(from, to)| to < from) {
            let remedy = "write the earlier moment first: from/to";
            return Err(Problem::new("datetime", "the interval ends before it starts", remedy));
        }
        Ok(read)
    }

    /// Whether it is one moment.
    fn is_moment(self) -> bool {
        self.from.is_some() && self.from == self.to
    }
}

/// A page of the items of a layer.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing.
pub fn items(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &ItemsQuery,
    computed: &Computed,
) -> Result<Items, ViewError> {
    view.check(layer)?;
    let limit = query.limit.min(ITEMS_MAX);
    let name = layer.type_iri();
    let select = match query.bbox {
        Some(bbox) => EntitySelect::InBox { entity_type: Some(name.clone()), bbox },
        None => EntitySelect::Type(name.clone()),
    };
    let at = query.datetime.and_then(|d| d.to);
    let count = view.count(&name)?;
    let plain = query.bbox.is_none()
        && query.filter.is_none()
        && query.properties.is_empty()
        && layer.period.is_none()
        && (query.datetime.is_none() || !layer.live);
    let mut page: Vec<Entity> = vec![];
    let mut matched = 0_u64;
    if plain {
        for id in view.snapshot.entity_ids(view.tenant, &select, None).skip(query.offset).take(limit) {
            page.extend(view.entity(&id?).ok().map(|stored| stored.value.clone()));
        }
        matched = count;
    } else {
        let all = count <= COUNTED_MAX;
        let end = query.offset.saturating_add(limit);
        view.each(&select, |entity| {
            if passes(layer, entity, query, view.now) {
                let place = usize::try_from(matched).unwrap_or(usize::MAX);
                if (query.offset..end).contains(&place) {
                    page.push(entity.clone());
                }
                matched += 1;
            }
            all || matched <= end as u64
        })?;
    }
    let more = matched > query.offset.saturating_add(limit) as u64;
    let mut features = picture_of(view, layer, &page, at, "en", computed)?;
    if layer.live
        && let Some(datetime) = query.datetime
    {
        features.retain(|f| was_observed(f, datetime));
    }
    let exact = plain || count <= COUNTED_MAX;
    Ok(Items { features, matched: (exact && !(layer.live && query.datetime.is_some())).then_some(matched), more })
}

/// One item by its identifier.
///
/// # Errors
/// The store's. What is not an item of the layer is missing.
pub fn item(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    id: &EntityId,
    computed: &Computed,
) -> Result<Feature, ViewError> {
    view.check(layer)?;
    let stored = view.entity(id)?;
    let missing = || ViewError::Missing(format!("item \"{id}\" in \"{}\"", layer.id));
    if !stored.value.types.contains(&layer.type_iri()) {
        return Err(missing());
    }
    let features = picture_of(view, layer, std::slice::from_ref(&stored.value), None, "en", computed)?;
    features.into_iter().next().ok_or_else(missing)
}

fn was_observed(feature: &Feature, datetime: Interval) -> bool {
    let Some(observed) = feature.properties.get("observedAt").and_then(moment_in) else { return false };
    datetime.is_moment() || datetime.from.is_none_or(|from| from <= observed)
}

fn passes(layer: &LayerConfig, entity: &Entity, query: &ItemsQuery, now: Timestamp) -> bool {
    let value = |name: &str| -> Value { entity.attribute(iri(name).as_str()).map(shown).unwrap_or_default() };
    query.bbox.is_none_or(|bbox| touches(entity, &bbox))
        && lasts(layer, entity, query.datetime, now)
        && query.properties.iter().all(|(name, wanted)| equals(layer, name, &value(name), wanted))
        && query.filter.as_ref().is_none_or(|filter| filter.passes(entity, &value))
}

fn iri(name: &str) -> Iri {
    crate::expand(name)
}

fn touches(entity: &Entity, bbox: &BoundingBox) -> bool {
    let Some(location) = entity.location() else { return false };
    let frame = gt::Rect::new((bbox.west, bbox.south), (bbox.east, bbox.north));
    location.shape().intersects(&frame)
}

/// Whether a thing with a beginning and an end was there in an interval; without an interval, at the city's moment.
fn lasts(layer: &LayerConfig, entity: &Entity, interval: Option<Interval>, now: Timestamp) -> bool {
    let Some(period) = &layer.period else { return true };
    let Some(interval) = interval else { return is_shown_at(layer, entity, now) };
    let moment = |name: &str| moment_in(&shown(entity.attribute(iri(name).as_str())?));
    let begins_before = moment(&period.from).zip(interval.to).is_none_or(|(begin, to)| begin <= to);
    let ends_after = moment(&period.to).zip(interval.from).is_none_or(|(end, from)| end >= from);
    begins_before && ends_after
}

fn equals(layer: &LayerConfig, name: &str, value: &Value, wanted: &str) -> bool {
    let kind = layer.attribute(name).map_or(AttributeKind::Text, |a| a.kind);
    match kind {
        AttributeKind::Number => number_in(value).is_some_and(|n| wanted.parse::<f64>().is_ok_and(|w| w == n)),
        AttributeKind::Time => moment_in(value).is_some_and(|m| Timestamp::parse(wanted).is_ok_and(|w| w == m)),
        AttributeKind::Text => as_text(value).is_some_and(|text| text == wanted),
    }
}
