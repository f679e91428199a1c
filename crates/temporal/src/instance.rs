//! One instance of an attribute in its temporal evolution, and the identity (`instanceId`) it goes by.
//!
//! An `instanceId` is derived from the series and the time, so that it is stable without being stored: the same
//! observation has the same id on every machine and after every restart. Only an instance whose time was changed
//! later keeps the id it had, written in its attribute.

use model::{Attribute, Observation, ObservedValue, SeriesKey, Timestamp};
use platform::ngsi::whole_where_whole;

const PREFIX: &str = "urn:ngsi-ld:Instance:";

/// Which of the times of an instance a temporal query looks at (`timeproperty`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeProperty {
    /// When it was true in the city.
    #[default]
    ObservedAt,
    /// When the platform first accepted it.
    CreatedAt,
    /// When the platform last changed it.
    ModifiedAt,
    /// When the attribute was deleted; only deletions have it.
    DeletedAt,
}

impl TimeProperty {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ObservedAt => "observedAt",
            Self::CreatedAt => "createdAt",
            Self::ModifiedAt => "modifiedAt",
            Self::DeletedAt => "deletedAt",
        }
    }
}

/// One instance: what an attribute was at one moment, or that it was deleted then.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its time in the series.
    pub at: Timestamp,
    /// When the platform accepted it.
    pub recorded_at: Timestamp,
    /// What it was; `None` when it was deleted at this moment.
    pub attribute: Option<Attribute>,
}

impl Instance {
    /// From history.
    #[must_use]
    pub fn from_observation(observation: Observation) -> Self {
        let Observation { series, at, value, unit_code, quality, recorded_at } = observation;
        let attribute = match value {
            ObservedValue::Deleted => None,
            ObservedValue::Attribute(attribute) => {
                let mut attribute = *attribute;
                attribute.created_at.get_or_insert(recorded_at);
                attribute.modified_at.get_or_insert(recorded_at);
                Some(attribute)
            }
            ObservedValue::Number(number) => {
                let mut attribute = Attribute::property(whole_where_whole(number));
                attribute.dataset_id = series.dataset_id;
                attribute.observed_at = Some(at);
                attribute.unit_code = unit_code;
                attribute.quality = Some(quality);
                attribute.created_at = Some(recorded_at);
                attribute.modified_at = Some(recorded_at);
                Some(attribute)
            }
        };
        Self { at, recorded_at, attribute }
    }

    /// Its time as a temporal query sees it; `None` when it does not have that time.
    #[must_use]
    pub fn time(&self, property: TimeProperty) -> Option<Timestamp> {
        match (property, &self.attribute) {
            (TimeProperty::DeletedAt, None) => Some(self.at),
            (TimeProperty::ObservedAt, Some(attribute)) => attribute.observed_at,
            (TimeProperty::CreatedAt, Some(attribute)) => attribute.created_at,
            (TimeProperty::ModifiedAt, Some(attribute)) => attribute.modified_at,
            (TimeProperty::DeletedAt, Some(_)) | (_, None) => None,
        }
    }

    /// The time it is shown with in the simplified form: the one asked for, otherwise the best that it has.
    #[must_use]
    pub fn shown_time(&self, property: TimeProperty) -> Timestamp {
        self.time(property).unwrap_or(self.at)
    }

    /// Its `instanceId`.
    #[must_use]
    pub fn id(&self, series: &SeriesKey) -> String {
        let kept = self.attribute.as_ref().and_then(|attribute| attribute.instance_id.clone());
        kept.unwrap_or_else(|| instance_id(series, self.at))
    }
}

/// The `instanceId` of the instance of a series at a moment.
#[must_use]
pub fn instance_id(series: &SeriesKey, at: Timestamp) -> String {
    format!("{PREFIX}{:016x}-{:x}", series_hash(series), at.micros().wrapping_sub(Timestamp::MIN.micros()))
}

/// The moment that an `instanceId` points to, when it was derived from this series.
#[must_use]
pub fn moment_of(id: &str, series: &SeriesKey) -> Option<Timestamp> {
    let (hash, micros) = id.strip_prefix(PREFIX)?.split_once('-')?;
    let same_series = u64::from_str_radix(hash, 16).ok()? == series_hash(series);
    let micros = i64::from_str_radix(micros, 16).ok()?.checked_add(Timestamp::MIN.micros())?;
    let moment = Timestamp::from_micros(micros);
    (same_series && moment.micros() == micros).then_some(moment)
}

/// FNV-1a, 64 bits: short, and the same everywhere for ever, which the standard library's hasher does not promise.
fn series_hash(series: &SeriesKey) -> u64 {
    let dataset = series.dataset_id.as_deref().unwrap_or_default();
    let parts = [series.entity.as_str(), series.attribute.as_str(), dataset];
    parts
        .iter()
        .flat_map(|part| part.bytes().chain([0xff]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use model::{EntityId, Iri, Quality};

    use super::*;

    fn series(dataset_id: Option<&str>) -> SeriesKey {
        SeriesKey {
            entity: EntityId::parse("urn:ngsi-ld:Vehicle:1").unwrap(),
            attribute: Iri::from("https://example.org/speed"),
            dataset_id: dataset_id.map(str::to_owned),
        }
    }

    #[test]
    fn an_instance_id_leads_back_to_its_moment_in_its_own_series_only() {
        for moment in ["2020-08-01T12:03:00Z", "1000-01-01T00:00:00Z", "8999-12-31T23:59:59.999999Z"] {
            let at = Timestamp::parse(moment).unwrap();
            let id = instance_id(&series(None), at);
            assert_eq!(moment_of(&id, &series(None)), Some(at), "{id}");
            assert_eq!(moment_of(&id, &series(Some("urn:d"))), None, "{id}");
        }
    }

    #[test]
    fn text_that_is_not_an_instance_id_leads_nowhere() {
        for id in ["", "urn:ngsi-ld:Instance:", "urn:ngsi-ld:Instance:zz-1", "urn:x:1", "urn:ngsi-ld:Instance:1-zz"] {
            assert_eq!(moment_of(id, &series(None)), None, "{id}");
        }
    }

    #[test]
    fn a_number_from_history_becomes_a_property_with_its_time_and_unit() {
        let at = Timestamp::parse("2020-08-01T12:03:00Z").unwrap();
        let observation = Observation {
            series: series(Some("urn:d")),
            at,
            value: ObservedValue::Number(120.0),
            unit_code: Some("KMH".into()),
            quality: Quality::default(),
            recorded_at: at.plus_micros(5),
        };
        let instance = Instance::from_observation(observation);
        let attribute = instance.attribute.clone().unwrap();
        assert_eq!(attribute.value, model::AttributeValue::Property(serde_json::json!(120)));
        assert_eq!((attribute.observed_at, attribute.unit_code.as_deref()), (Some(at), Some("KMH")));
        assert_eq!(instance.time(TimeProperty::CreatedAt), Some(at.plus_micros(5)));
        assert_eq!(instance.time(TimeProperty::DeletedAt), None);
    }
}
