//! Which series a set has: the entities of its type, each with a short id for addresses.

use std::collections::{BTreeMap, HashSet};

use model::{AttributeValue, Entity, EntityId, Tenant};
use store::{EntitySelect, Snapshot, StoreError};

use crate::{Set, wire::Place};

/// The most sensors of a set.
const SENSORS_MAX: usize = 2_000;
/// The longest id.
const ID_LENGTH_MAX: usize = 60;
/// What stands in addresses at the place of a series.
const TAKEN: [&str; 4] = ["model", "nowcast", "train", "week"];

/// Something that counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sensor {
    /// Its short id.
    pub id: String,
    /// The entity.
    pub entity: EntityId,
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub place: Option<Place>,
}

/// The sensors of a set, by name.
pub(crate) fn sensors(snapshot: &Snapshot, tenant: &Tenant, set: &Set) -> Result<Vec<Sensor>, StoreError> {
    let select = EntitySelect::Type(set.entity_type.clone());
    let mut found = vec![];
    for stored in snapshot.entities(tenant, &select, None).take(SENSORS_MAX) {
        let stored = stored?;
        let entity = &stored.value;
        let name = entity.attribute(set.name_attribute.as_str()).and_then(|name| name.text()).map(str::to_owned);
        let slug = slug(entity.id.as_str());
        found.push(Sensor {
            id: slug.clone(),
            entity: entity.id.clone(),
            name: name.unwrap_or(slug),
            place: place(entity),
        });
    }
    tell_apart(&mut found, set);
    found.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(found)
}

fn place(entity: &Entity) -> Option<Place> {
    let location = entity.attribute(Entity::LOCATION)?;
    let AttributeValue::Geo(geometry) = &location.value else { return None };
    let (longitude, latitude) = geometry.flat_point().unwrap_or_else(|| {
        let around = geometry.bounding_box();
        ((around.west + around.east) / 2.0, (around.south + around.north) / 2.0)
    });
    Some(Place { longitude, latitude })
}

/// Gives those whose ids are the same, or taken, the mark of their entity.
fn tell_apart(sensors: &mut [Sensor], set: &Set) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sensor in sensors.iter() {
        *times.entry(sensor.id.clone()).or_default() += 1;
    }
    let taken: HashSet<&str> = TAKEN.into_iter().chain(set.areas.iter().map(|area| area.id.as_str())).collect();
    for sensor in sensors.iter_mut() {
        if times.get(&sensor.id).is_some_and(|times| *times > 1) || taken.contains(sensor.id.as_str()) {
            sensor.id = format!("{}-{:06x}", sensor.id, mark(sensor.entity.as_str()) & 0xff_ffff);
        }
    }
}

/// A number that is the same for the same text at all times (FNV-1a).
fn mark(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What follows the type in an id such as `urn:ngsi-ld:CrowdFlowObserved:45%20Queen%20Street`, in small letters and
/// digits with `-` between words.
fn slug(id: &str) -> String {
    let rest = id.strip_prefix("urn:").and_then(|rest| rest.splitn(3, ':').nth(2)).unwrap_or(id);
    let mut slug = String::new();
    for char in decoded(rest).chars() {
        if char.is_ascii_alphanumeric() {
            slug.push(char.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(ID_LENGTH_MAX).collect();
    if slug.is_empty() { format!("s-{:06x}", mark(id) & 0xff_ffff) } else { slug }
}

/// `%20` is a space again.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_for_addresses_is_what_follows_the_type() {
        assert_eq!(slug("urn:ngsi-ld:CrowdFlowObserved:45%20Queen%20Street"), "45-queen-street");
        assert_eq!(slug("urn:ngsi-ld:CrowdFlowObserved:188%20Quay%20Street%20%28EW%29"), "188-quay-street-ew");
        assert_eq!(slug("urn:ngsi-ld:TrafficFlowObserved:RWS01_MONIBAS:0131"), "rws01-monibas-0131");
        assert_eq!(slug("https://example.org/a%zz"), "https-example-org-a-zz");
        assert!(slug("urn:ngsi-ld:X:%E2%82%AC").starts_with("s-"));
    }
}
