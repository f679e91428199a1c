//! The temporal evolution of a small city, written and told.

use model::{EntityId, ReadScope, Tenant, Timestamp};
use platform::{
    context::Context,
    ngsi::{InputForm, NgsiError, Projection, View, parse_attribute, parse_fragment},
    query::{EntityQuery, Q, Selector, TypeSelector},
};
use serde_json::{Value, json};
use store::{Store, StoreOptions};

use super::*;

const BUS: &str = "urn:ngsi-ld:Vehicle:1";

fn now() -> Timestamp {
    Timestamp::parse("2026-08-20T12:00:00Z").unwrap()
}

/// A store with the evolution of two vehicles: speeds at 12:03 to 12:07, fuel over three hours.
async fn city() -> Store {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let vehicle = |id: &str, factor: i64| {
        let at = |time: &str, value: i64| json!({"type": "Property", "value": value * factor, "observedAt": format!("2020-08-01T{time}:00Z")});
        json!({
            "id": id,
            "type": "Vehicle",
            "speed": [at("12:03", 120), at("12:05", 80), at("12:07", 100)],
            "fuelLevel": [at("12:03", 67), at("13:05", 53), at("14:07", 40)],
        })
    };
    for (id, factor) in [(BUS, 1), ("urn:ngsi-ld:Vehicle:2", 2)] {
        let fragment = parse_fragment(vehicle(id, factor), &Context::core(), InputForm::Normalized).unwrap();
        let tenant = Tenant::default();
        let writer = TemporalWriter { store: &store, tenant: &tenant, now: now() };
        assert_eq!(writer.create_or_update(fragment).await.unwrap(), Written::Created);
    }
    store
}

/// Runs a search and gives back the status that HTTP would have, and what was written.
fn ask(
    store: &Store,
    parameters: &TemporalParameters<'_>,
    view: &View,
    instances_max: usize,
    search: impl FnOnce(&TemporalSearch<'_>) -> Result<TemporalFound, NgsiError>,
) -> Result<(Option<String>, Value), NgsiError> {
    let query = TemporalQuery::parse(parameters).unwrap();
    let (snapshot, tenant) = (store.snapshot().unwrap(), Tenant::default());
    let (snapshot, tenant, scope, query) = (&snapshot, &tenant, &ReadScope::All, &query);
    let budget = &Budget::default();
    let found = search(&TemporalSearch { snapshot, tenant, scope, query, view, instances_max, budget })?;
    let told = found.evolutions.iter().map(|evolution| {
        let mut out = Vec::new();
        write_evolution(&mut out, evolution, &Context::core(), view, query, false);
        let mut value: Value = serde_json::from_slice(&out).unwrap();
        without_instance_ids(&mut value);
        value
    });
    Ok((found.partial.map(|partial| partial.to_string()), told.collect()))
}

fn without_instance_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("instanceId");
            members.values_mut().for_each(without_instance_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(without_instance_ids),
        _ => {}
    }
}

fn one(search: &TemporalSearch<'_>) -> Result<TemporalFound, NgsiError> {
    search.one(&EntityId::parse(BUS).unwrap())
}

fn vehicles() -> EntityQuery {
    let types = Some(TypeSelector::parse("Vehicle", &Context::core()).unwrap());
    EntityQuery { selectors: vec![Selector { types, ..Selector::default() }], limit: 10, ..EntityQuery::default() }
}

#[tokio::test]
async fn an_evolution_is_told_complete_in_the_order_of_time() {
    let (partial, told) = ask(&city().await, &TemporalParameters::default(), &View::default(), 100, one).unwrap();
    assert_eq!(partial, None);
    let at = |time: &str, value: i64| json!({"type": "Property", "value": value, "observedAt": format!("2020-08-01T{time}:00Z")});
    let expect = json!([{
        "id": BUS,
        "type": "Vehicle",
        "fuelLevel": [at("12:03", 67), at("13:05", 53), at("14:07", 40)],
        "speed": [at("12:03", 120), at("12:05", 80), at("12:07", 100)],
    }]);
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_time_relation_keeps_what_lies_in_it_and_last_n_counts_from_the_end() {
    let store = city().await;
    let after = TemporalParameters {
        timerel: Some("after"),
        time_at: Some("2020-08-01T12:05:00Z"),
        format: Some("temporalValues"),
        ..TemporalParameters::default()
    };
    let (_, told) = ask(&store, &after, &View::default(), 100, one).unwrap();
    assert_eq!(told[0]["speed"]["values"], json!([[100, "2020-08-01T12:07:00Z"]]));
    let last = TemporalParameters { last_n: Some("2"), timerel: None, time_at: None, ..after };
    let (_, told) = ask(&store, &last, &View::default(), 100, one).unwrap();
    assert_eq!(told[0]["speed"]["values"], json!([[100, "2020-08-01T12:07:00Z"], [80, "2020-08-01T12:05:00Z"]]));
}

#[tokio::test]
async fn aggregates_start_at_the_first_instance_of_the_entity() {
    let parameters = TemporalParameters {
        format: Some("aggregatedValues"),
        aggr_methods: Some("avg,totalCount"),
        aggr_period: Some("PT1H"),
        ..TemporalParameters::default()
    };
    let (_, told) = ask(&city().await, &parameters, &View::default(), 100, one).unwrap();
    assert_eq!(told[0]["speed"]["avg"], json!([[100, "2020-08-01T12:03:00Z", "2020-08-01T13:03:00Z"]]));
    assert_eq!(told[0]["fuelLevel"]["totalCount"][2], json!([1, "2020-08-01T14:03:00Z", "2020-08-01T15:03:00Z"]));
}

#[tokio::test]
async fn an_answer_that_is_too_large_tells_a_stretch_of_time_completely() {
    let parameters = TemporalParameters { format: Some("temporalValues"), ..TemporalParameters::default() };
    let (partial, told) = ask(&city().await, &parameters, &View::default(), 3, one).unwrap();
    assert_eq!(partial.as_deref(), Some("date-time 2020-08-01T12:03:00Z-2020-08-01T12:05:00Z/*"));
    assert_eq!(told[0]["fuelLevel"]["values"], json!([[67, "2020-08-01T12:03:00Z"]]));
}

#[tokio::test]
async fn a_query_looks_at_the_instances_in_its_time() {
    let store = city().await;
    let parameters = TemporalParameters {
        timerel: Some("before"),
        time_at: Some("2020-08-01T12:04:00Z"),
        format: Some("temporalValues"),
        ..TemporalParameters::default()
    };
    let q = |text: &str| EntityQuery { q: Some(Q::parse(text, &Context::core()).unwrap()), ..vehicles() };
    for (text, expect) in [("speed>200", 1), ("speed>100", 2), ("speed==160", 0)] {
        let found = ask(&store, &parameters, &View::default(), 100, |search| search.all(&q(text), None)).unwrap();
        assert_eq!(found.1.as_array().unwrap().len(), expect, "{text}");
    }
}

#[tokio::test]
async fn attributes_that_are_asked_for_must_be_there_and_picked_members_need_not_be_attributes() {
    let store = city().await;
    let context = Context::core();
    let everything = TemporalParameters::default();
    let attrs = View { attrs: vec![context.expand("colour").unwrap()], ..View::default() };
    assert!(ask(&store, &everything, &attrs, 100, one).is_err());
    let picked = View { pick: Some(Projection::parse("id", &context).unwrap()), ..View::default() };
    let (_, told) = ask(&store, &everything, &picked, 100, |search| search.all(&vehicles(), None)).unwrap();
    assert_eq!(told, json!([{"id": BUS}, {"id": "urn:ngsi-ld:Vehicle:2"}]));
    let all = Projection::parse("id,type,speed,fuelLevel", &context).unwrap();
    let nothing = View { omit: Some(all), ..View::default() };
    assert!(ask(&store, &everything, &nothing, 100, one).is_err());
}

#[tokio::test]
async fn an_instance_is_corrected_and_deleted_by_its_id() {
    let store = city().await;
    let (tenant, id) = (Tenant::default(), EntityId::parse(BUS).unwrap());
    let name = Context::core().expand("speed").unwrap();
    let writer = TemporalWriter { store: &store, tenant: &tenant, now: now() };
    let series = model::SeriesKey { entity: id.clone(), attribute: name.clone(), dataset_id: None };
    let instance = instance_id(&series, Timestamp::parse("2020-08-01T12:05:00Z").unwrap());
    let correction = json!({"type": "Property", "value": 81, "observedAt": "2020-08-01T12:06:00Z"});
    let fragment = parse_attribute("speed", correction, &Context::core()).unwrap().pop().unwrap();
    writer.update_instance(&id, &name, &instance, fragment).await.unwrap();
    let values = TemporalParameters { format: Some("temporalValues"), ..TemporalParameters::default() };
    let (_, told) = ask(&store, &values, &View::default(), 100, one).unwrap();
    assert_eq!(told[0]["speed"]["values"][1], json!([81, "2020-08-01T12:06:00Z"]));
    // It kept its id, although its time is another now.
    writer.delete_instance(&id, &name, &instance).await.unwrap();
    let (_, told) = ask(&store, &values, &View::default(), 100, one).unwrap();
    assert_eq!(told[0]["speed"]["values"].as_array().unwrap().len(), 2);
    assert!(writer.delete_instance(&id, &name, &instance).await.is_err());
}

#[tokio::test]
async fn a_deleted_evolution_is_not_found_any_more() {
    let store = city().await;
    let (tenant, id) = (Tenant::default(), EntityId::parse(BUS).unwrap());
    let writer = TemporalWriter { store: &store, tenant: &tenant, now: now() };
    writer.delete_attribute(&id, &Context::core().expand("speed").unwrap(), &Datasets::All).await.unwrap();
    let (_, told) = ask(&store, &TemporalParameters::default(), &View::default(), 100, one).unwrap();
    assert_eq!(told[0].get("speed"), None);
    writer.delete_entity(&id).await.unwrap();
    assert!(ask(&store, &TemporalParameters::default(), &View::default(), 100, one).is_err());
}

#[tokio::test]
async fn an_answer_that_takes_reading_too_much_is_refused_in_every_form() {
    let store = city().await;
    let snapshot = store.snapshot().unwrap();
    let by_creation = TemporalParameters { timeproperty: Some("createdAt"), ..TemporalParameters::default() };
    let hourly = TemporalParameters {
        format: Some("aggregatedValues"),
        aggr_methods: Some("avg"),
        aggr_period: Some("PT1H"),
        ..TemporalParameters::default()
    };
    let order = OrderBy::parse("speed", &Context::core()).unwrap();
    for (parameters, order) in [
        (TemporalParameters::default(), None),
        (TemporalParameters::default(), Some(&order)),
        (by_creation, None),
        (hourly, None),
    ] {
        let (query, tenant, view) = (TemporalQuery::parse(&parameters).unwrap(), Tenant::default(), View::default());
        let with = |observations: usize| {
            let search = TemporalSearch {
                snapshot: &snapshot,
                tenant: &tenant,
                scope: &ReadScope::All,
                query: &query,
                view: &view,
                instances_max: 100,
                budget: &Budget::of(observations),
            };
            search.all(&vehicles(), order).map(|found| found.evolutions.len()).map_err(|error| error.kind)
        };
        assert_eq!(with(5), Err(platform::ngsi::ErrorKind::TooComplexQuery), "{parameters:?}");
        assert_eq!(with(100), Ok(2), "{parameters:?}");
    }
}

#[tokio::test]
async fn an_order_holds_over_pages_and_several_types_give_each_entity_once() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    for (id, types) in [(BUS, json!("Vehicle")), ("urn:ngsi-ld:Vehicle:2", json!(["Vehicle", "Bus"]))] {
        let speed = json!({"type": "Property", "value": 50, "observedAt": "2026-08-20T11:00:00Z"});
        let entity = json!({"id": id, "type": types, "speed": speed});
        let entity = platform::ngsi::parse_entity(entity, &Context::core(), now()).unwrap();
        platform::entities::create(&store, &Tenant::default(), entity, now()).await.unwrap();
    }
    let both = Some(TypeSelector::parse("Vehicle,Bus", &Context::core()).unwrap());
    let select = |offset: usize| EntityQuery {
        selectors: vec![Selector { types: both.clone(), ..Selector::default() }],
        offset,
        limit: 1,
        count: true,
        ..EntityQuery::default()
    };
    let order = OrderBy::parse("id;desc", &Context::core()).unwrap();
    let page = |offset: usize, order: Option<&OrderBy>| {
        let find = |search: &TemporalSearch<'_>| {
            let found = search.all(&select(offset), order)?;
            assert_eq!((found.total, found.more), (Some(2), offset == 0));
            Ok(found)
        };
        let (_, told) = ask(&store, &TemporalParameters::default(), &View::default(), 100, find).unwrap();
        told[0]["id"].as_str().map(str::to_owned).unwrap()
    };
    assert_eq!([page(0, Some(&order)), page(1, Some(&order))], ["urn:ngsi-ld:Vehicle:2", BUS]);
    assert_eq!([page(0, None), page(1, None)], ["urn:ngsi-ld:Vehicle:2", BUS]);
}
