//! What each operation makes of an entity.

use model::{Iri, ReadScope, Tenant, Timestamp};
use serde_json::{Value, json};
use store::{EntitySelect, Store, StoreOptions, TimeRange};

use super::*;
use crate::{
    context::Context,
    ngsi::{ErrorKind, InputForm, NgsiError, View, parse_attribute, parse_entity, parse_fragment, write_entity},
    query::{EntityQuery, Q, Selector, TypeSelector, find},
};

fn at(minute: u32) -> Timestamp {
    Timestamp::parse(&format!("2026-08-20T12:{minute:02}:00Z")).unwrap()
}

fn fragment(value: Value) -> crate::ngsi::EntityFragment {
    parse_fragment(value, &Context::core(), InputForm::Normalized).unwrap()
}

fn edit() -> Edit {
    let entity = parse_entity(
        json!({
            "id": "urn:x:1", "type": "T",
            "speed": [
                {"type": "Property", "value": 1, "unitCode": "KMH", "observedAt": "2026-08-20T11:00:00Z"},
                {"type": "Property", "value": 2, "datasetId": "urn:d:1"}
            ],
            "address": {"type": "Property", "value": {"city": "Rotterdam", "number": 1}, "by": {"type": "Property", "value": "me"}}
        }),
        &Context::core(),
        at(0),
    );
    Edit::of(&entity.unwrap(), at(1))
}

fn shown(edit: &Edit) -> Value {
    let mut out = Vec::new();
    write_entity(&mut out, &edit.entity, &Context::core(), &View::default(), None, false);
    serde_json::from_slice(&out).unwrap()
}

fn name(short: &str) -> Iri {
    Context::core().expand(short).unwrap()
}

#[test]
fn an_update_replaces_what_exists_adds_the_rest_and_leaves_out_a_new_scope() {
    let mut edit = edit();
    let result = edit.update(fragment(json!({"speed": 5, "colour": "red", "scope": "/a"}))).unwrap();
    assert_eq!(result.updated, [name("speed"), name("colour")]);
    assert_eq!(result.not_updated.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>(), [name("scope")]);
    assert_eq!(shown(&edit)["speed"][0], json!({"type": "Property", "value": 5}));
    assert_eq!(shown(&edit)["speed"][1]["value"], json!(2));
    let speed = edit.instance(&name("speed"), None).unwrap();
    assert_eq!((speed.created_at, speed.modified_at), (Some(at(0)), Some(at(1))));
}

#[test]
fn scopes_are_added_replaced_and_deleted() {
    let mut edit = edit();
    edit.append(fragment(json!({"scope": "/a"})), false).unwrap();
    edit.append(fragment(json!({"scope": ["/a", "/b"]})), false).unwrap();
    assert_eq!(shown(&edit)["scope"], json!(["/a", "/b"]));
    edit.update(fragment(json!({"scope": "/c"}))).unwrap();
    assert_eq!(shown(&edit)["scope"], json!("/c"));
    assert!(partial(&mut edit, "scope", json!({"value": "/d"})).is_err());
    edit.delete_attribute(&name("scope"), None, false).unwrap();
    assert_eq!(shown(&edit).get("scope"), None);
}

#[test]
fn an_append_adds_and_overwrites_unless_told_not_to() {
    let mut first = edit();
    let result = first.append(fragment(json!({"type": "U", "speed": 5, "colour": "red"})), false).unwrap();
    assert_eq!((result.updated, result.not_updated.len()), (vec![name("colour")], 1));
    assert_eq!(shown(&first)["type"], json!(["T", "U"]));
    assert_eq!(shown(&first)["speed"][0]["value"], json!(1));
    let mut second = edit();
    second.append(fragment(json!({"speed": 5})), true).unwrap();
    assert_eq!(shown(&second)["speed"][0], json!({"type": "Property", "value": 5}));
}

#[test]
fn a_merge_goes_into_values_and_null_takes_members_away() {
    let mut edit = edit();
    let merge = json!({
        "address": {"value": {"number": "urn:ngsi-ld:null", "street": "Coolsingel"}, "by": "urn:ngsi-ld:null", "to": "you"},
        "speed": {"value": 9, "unitCode": "urn:ngsi-ld:null"},
        "gone": "urn:ngsi-ld:null"
    });
    edit.merge(fragment(merge), Some(at(2))).unwrap();
    assert_eq!(
        shown(&edit)["address"],
        json!({
            "type": "Property", "value": {"city": "Rotterdam", "street": "Coolsingel"},
            "to": {"type": "Property", "value": "you"}
        })
    );
    assert_eq!(shown(&edit)["speed"][0], json!({"type": "Property", "value": 9, "observedAt": at(2)}));
    edit.merge(fragment(json!({"speed": {"value": "urn:ngsi-ld:null", "datasetId": "urn:d:1"}})), None).unwrap();
    assert_eq!(shown(&edit)["speed"]["value"], json!(9));
    edit.merge(fragment(json!({"speed": "urn:ngsi-ld:null"})), None).unwrap();
    assert_eq!(shown(&edit).get("speed"), None);
}

fn partial(edit: &mut Edit, attribute: &str, body: Value) -> Result<(), NgsiError> {
    let fragment = parse_attribute(attribute, body, &Context::core())?.remove(0);
    edit.change_attribute(&name(attribute), AttributeChange::Partial(fragment))
}

#[test]
fn a_partial_update_changes_members_of_one_instance() {
    let mut edit = edit();
    partial(&mut edit, "speed", json!({"value": 3, "limit": 50})).unwrap();
    assert_eq!(
        shown(&edit)["speed"][0],
        json!({
            "type": "Property", "value": 3, "unitCode": "KMH", "observedAt": "2026-08-20T11:00:00Z",
            "limit": {"type": "Property", "value": 50}
        })
    );
    partial(&mut edit, "speed", json!({"datasetId": "urn:d:1", "unitCode": "MTS"})).unwrap();
    assert_eq!(shown(&edit)["speed"][1]["unitCode"], json!("MTS"));
    let missing = partial(&mut edit, "speed", json!({"datasetId": "urn:d:2", "value": 1})).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::ResourceNotFound);
    let other = partial(&mut edit, "speed", json!({"type": "Relationship", "object": "urn:x:2"})).unwrap_err();
    assert_eq!(other.kind, ErrorKind::BadRequestData);
    assert!(other.detail.contains("its kind cannot be changed"), "{other}");
}

#[test]
fn attributes_are_deleted_by_instance_or_all_at_once() {
    let mut first = edit();
    first.delete_attribute(&name("speed"), Some("urn:d:1"), false).unwrap();
    assert_eq!(shown(&first)["speed"]["value"], json!(1));
    assert!(first.delete_attribute(&name("speed"), Some("urn:d:1"), false).is_err());
    let mut second = edit();
    second.delete_attribute(&name("speed"), None, true).unwrap();
    assert_eq!(shown(&second).get("speed"), None);
    assert!(second.delete_attribute(&name("speed"), None, true).is_err());
}

fn store() -> Store {
    Store::in_memory(&StoreOptions::default()).unwrap()
}

fn entity(number: u32, value: u32) -> Value {
    json!({
        "id": format!("urn:x:{number:03}"), "type": if number.is_multiple_of(2) { "Even" } else { "Odd" },
        "value": {"value": value, "observedAt": at(0)}
    })
}

fn upsert(store: &Store, values: Vec<Value>) -> BatchResult {
    let snapshot = store.snapshot().unwrap();
    let mut batch = Batch::new(&snapshot, Tenant::default(), at(0));
    for value in values {
        batch.add(fragment(value), BatchOperation::Upsert { update: false }).unwrap();
    }
    let (tx, result) = batch.finish().unwrap();
    store.commit_blocking(tx).unwrap();
    result
}

#[test]
fn a_batch_writes_what_is_right_and_names_what_is_wrong() {
    let store = store();
    let result = upsert(&store, vec![entity(1, 1), json!({"id": "urn:x:2"}), entity(3, 1), entity(1, 2)]);
    assert_eq!(result.success.iter().map(ToString::to_string).collect::<Vec<_>>(), ["urn:x:001", "urn:x:003"]);
    assert_eq!(result.created, result.success);
    assert_eq!(result.errors.len(), 1);
    let again = upsert(&store, vec![entity(1, 3)]);
    assert!(again.created.is_empty() && again.errors.is_empty());
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.count(&Tenant::default(), &name("Odd")).unwrap(), 2);
    assert_eq!(snapshot.entities(&Tenant::default(), &EntitySelect::All, None).count(), 2);
}

fn ids(store: &Store, query: &EntityQuery, scope: &ReadScope) -> (Vec<String>, Option<u64>, bool) {
    let found = find(&store.snapshot().unwrap(), &Tenant::default(), query, scope).unwrap();
    let ids = found.entities.iter().map(|e| e.value.id.to_string()).collect();
    (ids, found.total, found.more)
}

#[test]
fn pages_follow_each_other_with_and_without_filters() {
    let store = store();
    upsert(&store, (0..10).map(|n| entity(n, n)).collect());
    let selector = |text: &str| Selector {
        types: Some(TypeSelector::parse(text, &Context::core()).unwrap()),
        ..Selector::default()
    };
    let even =
        EntityQuery { selectors: vec![selector("Even")], limit: 2, offset: 2, count: true, ..Default::default() };
    let expected = (vec!["urn:x:004".to_owned(), "urn:x:006".to_owned()], Some(5), true);
    assert_eq!(ids(&store, &even, &ReadScope::All), expected);
    let filtered = EntityQuery { q: Some(Q::parse("value>=0", &Context::core()).unwrap()), ..even.clone() };
    assert_eq!(ids(&store, &filtered, &ReadScope::All), expected);
    let both = EntityQuery { selectors: vec![selector("Odd,Even")], limit: 20, ..Default::default() };
    assert_eq!(ids(&store, &both, &ReadScope::All).0.len(), 10);
    let public = ReadScope::Types(std::sync::Arc::new([name("Even")].into()));
    assert_eq!(ids(&store, &both, &public).0.len(), 5);
    let beyond = EntityQuery { offset: 50, ..even };
    assert_eq!(ids(&store, &beyond, &ReadScope::All), (vec![], Some(5), false));
}

#[tokio::test]
async fn writes_leave_their_history() {
    let (store, tenant) = (store(), Tenant::default());
    upsert(&store, vec![entity(1, 7)]);
    let id = model::EntityId::parse("urn:x:001").unwrap();
    let update = json!({"value": {"value": 8, "observedAt": at(5)}});
    update_attributes(&store, &tenant, &id, fragment(update), at(5)).await.unwrap();
    delete_attribute(&store, &tenant, &id, &name("value"), None, false, at(9)).await.unwrap();
    let snapshot = store.snapshot().unwrap();
    let history = snapshot.history();
    let series = history.series_of(&tenant, &id).unwrap();
    let all: Vec<_> = history
        .range(&tenant, &series, TimeRange { from: None, to: None }, store::Order::Ascending, None)
        .unwrap()
        .map(|observation| observation.map(|o| (o.at, o.value)).unwrap())
        .collect();
    use model::ObservedValue::{Deleted, Number};
    assert_eq!(all, [(at(0), Number(7.0)), (at(5), Number(8.0)), (at(9), Deleted)]);
}

#[test]
fn an_entity_that_comes_twice_in_a_batch_has_both_values_in_its_history() {
    let (store, tenant) = (store(), Tenant::default());
    upsert(&store, vec![entity(1, 0)]);
    let told = |value: i64, minute: u32| json!({"id": "urn:x:001", "type": "Odd", "value": {"type": "Property", "value": value, "observedAt": at(minute)}});
    upsert(&store, vec![told(1, 1), told(2, 2), told(3, 3)]);
    let snapshot = store.snapshot().unwrap();
    let (history, id) = (snapshot.history(), model::EntityId::parse("urn:x:001").unwrap());
    let series = history.series_of(&tenant, &id).unwrap();
    let range = TimeRange { from: Some(at(1)), to: None };
    let all = history.range(&tenant, &series, range, store::Order::Ascending, None).unwrap();
    let values: Vec<_> = all.map(|observation| observation.unwrap().value).collect();
    use model::ObservedValue::Number;
    assert_eq!(values, [Number(1.0), Number(2.0), Number(3.0)]);
}

#[tokio::test]
async fn an_entity_is_created_once_and_gone_after_its_deletion() {
    let (store, tenant) = (store(), Tenant::default());
    let new = || parse_entity(entity(1, 1), &Context::core(), at(0)).unwrap();
    create(&store, &tenant, new(), at(0)).await.unwrap();
    assert_eq!(create(&store, &tenant, new(), at(0)).await.unwrap_err().kind, ErrorKind::AlreadyExists);
    delete(&store, &tenant, &new().id, at(1)).await.unwrap();
    assert_eq!(delete(&store, &tenant, &new().id, at(1)).await.unwrap_err().kind, ErrorKind::ResourceNotFound);
}
