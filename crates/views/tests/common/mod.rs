//! A small city in a string, and a view of it.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use model::{
    Attribute, AttributeValue, Entity, EntityId, Geometry, Iri, Observation, ObservedValue, Origin, Quality, ReadScope,
    SeriesKey, Tenant, Timestamp,
};
use polder_views::{City, Layers, Viewpoint, Views, ViewsParts, expand};
use serde_json::Value;
use store::{Snapshot, Store, StoreOptions, Transaction};

/// The layers of the small city.
pub const LAYERS: &str = r##"
[[group]]
id = "all"
title = { nl = "Alles", en = "Everything" }

[[layer]]
id = "traffic"
group = "all"
title = { nl = "Verkeer", en = "Traffic" }
description = { nl = "Verkeer", en = "Traffic" }
entity_type = "Station"
kind = "point"
delivery = "features"
live = true
search = true
age_s_max = 900.0
source = "s"
style = { by = "speed", kind = "sequential", stops = [[0.0, "#a50026"], [50.0, "#313695"]], color = "#313695" }
[[layer.attribute]]
name = "speed"
label = { nl = "Snelheid", en = "Speed" }
unit_code = "KMH"
kind = "number"
history = true
interval_s = 300.0
[[layer.attribute]]
name = "name"
label = { nl = "Naam", en = "Name" }

[[layer]]
id = "incidents"
group = "all"
title = { nl = "Incidenten", en = "Incidents" }
description = { nl = "Incidenten", en = "Incidents" }
entity_type = "Incident"
kind = "point"
delivery = "features"
source = "s"
titles = ["category"]
period = { from = "startsAt", to = "endsAt" }
style = { color = "#d55e00" }
[[layer.attribute]]
name = "category"
label = { nl = "Soort", en = "Type" }
[[layer.attribute.word]]
value = "accident"
label = { nl = "Ongeval", en = "Accident" }

[[layer]]
id = "trees"
group = "all"
title = { nl = "Bomen", en = "Trees" }
description = { nl = "Bomen", en = "Trees" }
entity_type = "Tree"
kind = "point"
delivery = "tiles"
min_zoom = 10
max_zoom = 16
full_zoom = 14
source = "s"
style = { color = "#2f8f5b" }
[[layer.attribute]]
name = "year"
label = { nl = "Jaar", en = "Year" }
kind = "number"

[[layer]]
id = "areas"
group = "all"
title = { nl = "Buurten", en = "Areas" }
description = { nl = "Buurten", en = "Areas" }
entity_type = "Area"
kind = "polygon"
delivery = "tiles"
min_zoom = 10
search = true
place = true
source = "s"
style = { color = "#3b528b" }
[[layer.attribute]]
name = "name"
label = { nl = "Naam", en = "Name" }
[[layer.attribute]]
name = "area"
label = { nl = "Oppervlakte", en = "Area" }
unit_code = "KMK"
kind = "number"
indicator = true
[[layer.indicator]]
name = "treesPerKm2"
label = { nl = "Bomen per km²", en = "Trees per km²" }
unit = "/km²"
layer = "trees"
compute = "density"
how = { nl = "Geteld", en = "Counted" }
[[layer.indicator]]
name = "meanSpeed"
label = { nl = "Snelheid", en = "Speed" }
layer = "traffic"
compute = "mean"
attribute = "speed"
how = { nl = "Gemiddeld", en = "Mean" }
"##;

/// The small city: `id Type geometry name=value ...`, where a geometry is `lon,lat` or `[west,south,east,north]`, and
/// `name=value@time` is observed then. A line with the id of an earlier one adds an observation.
pub const CITY: &str = "
    station:1  Station  4.4777,51.9244            name=Beurs speed=40@12:00 speed=55@12:05 speed=50@12:10
    station:2  Station  4.4900,51.9200            name=Blaak speed=80@11:00
    accident:1 Incident 4.4800,51.9250            category=accident startsAt=12:02 endsAt=12:08
    tree:1     Tree     4.4770,51.9240            year=1990
    tree:2     Tree     4.4780,51.9245            year=2001
    tree:3     Tree     4.6000,51.9900            year=1950
    area:1     Area     [4.47,51.92,4.485,51.93]  name=Cool area=2
    area:2     Area     [4.485,51.915,4.5,51.925] name=Stadsdriehoek area=1
";

/// A moment of the day of the small city.
pub fn at(time: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-08-21T{time}:00Z")).unwrap()
}

/// An identifier of the small city.
pub fn id(short: &str) -> EntityId {
    EntityId::parse(&format!("urn:x:{short}")).unwrap()
}

/// A store with the small city in it.
pub fn store() -> Store {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    for line in CITY.lines().map(str::trim).filter(|l| !l.is_empty()) {
        put(&store, line);
    }
    store
}

/// Writes one line of a city, acknowledged when it returns.
pub fn put(store: &Store, line: &str) {
    let mut words = line.split_whitespace();
    let id = id(words.next().unwrap());
    let snapshot = store.snapshot().unwrap();
    let before = snapshot.entity(&Tenant::default(), &id).unwrap();
    let mut entity = Entity::new(id, expand(words.next().unwrap()), at("10:00"));
    entity.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(geometry(words.next().unwrap()))));
    let mut tx = Transaction::new(Tenant::default());
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        let (value, observed) = value.split_once('@').map_or((value, None), |(v, t)| (v, Some(at(t))));
        let attribute = attribute(value, observed);
        if let (Some(observed), Some(number)) = (observed, attribute.number()) {
            tx.observe(observation(&entity.id, expand(name), observed, number));
        }
        entity.set(expand(name), attribute);
    }
    let names = entity.attributes.keys().cloned().collect();
    tx.put_entity(before, entity, names);
    store.commit_blocking(tx).unwrap();
}

/// Deletes one entity.
pub fn delete(store: &Store, short: &str) {
    let snapshot = store.snapshot().unwrap();
    let before = snapshot.entity(&Tenant::default(), &id(short)).unwrap().unwrap();
    let mut tx = Transaction::new(Tenant::default());
    tx.delete_entity(before);
    store.commit_blocking(tx).unwrap();
}

fn observation(entity: &EntityId, attribute: Iri, at: Timestamp, number: f64) -> Observation {
    Observation {
        series: SeriesKey { entity: entity.clone(), attribute, dataset_id: None },
        at,
        value: ObservedValue::Number(number),
        unit_code: Some("KMH".to_owned()),
        quality: Quality { origin: Origin::Measured, ..Quality::default() },
        recorded_at: at,
    }
}

fn attribute(text: &str, observed_at: Option<Timestamp>) -> Attribute {
    let moment = || (text.len() == 5 && text.contains(':')).then(|| Value::from(at(text).to_string()));
    let value = text.parse::<f64>().ok().map(Value::from).or_else(moment).unwrap_or_else(|| text.into());
    let quality = Some(Quality { origin: Origin::Measured, source: Some("s".to_owned()), ..Quality::default() });
    Attribute { observed_at, quality: quality.filter(|_| observed_at.is_some()), ..Attribute::property(value) }
}

fn geometry(text: &str) -> Geometry {
    let inner = text.trim_matches(['[', ']']);
    let numbers: Vec<f64> = inner.split(',').map(|n| n.parse().unwrap()).collect();
    match numbers.as_slice() {
        [lon, lat] => Geometry::point(*lon, *lat).unwrap(),
        [w, s, e, n] => {
            let ring = serde_json::json!([[w, s], [e, s], [e, n], [w, n], [w, s]]);
            Geometry::from_geojson(&serde_json::json!({ "type": "Polygon", "coordinates": [ring] })).unwrap()
        }
        _ => panic!("{text} is not a geometry"),
    }
}

/// The views over a store.
pub fn views(store: &Store) -> Views {
    let city = City { time_zone: "Europe/Amsterdam".to_owned(), bounds: [4.4, 51.9, 4.6, 52.0], ..City::default() };
    let layers = Layers::parse(LAYERS).unwrap();
    Views::new(ViewsParts { store: store.clone(), layers, sources: vec![], city, basemap: None })
}

/// Looks at the small city at a moment, with everything visible.
pub fn view<'a>(snapshot: &'a Snapshot, tenant: &'a Tenant, now: &str) -> Viewpoint<'a> {
    Viewpoint { snapshot, tenant, scope: &ReadScope::All, now: at(now) }
}
