//! The store against a simple model: a map of entities and a map of documents. Whatever is written, in whatever order,
//! every question has the answer that the model gives, in every snapshot, also after reopening.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use model::{Attribute, AttributeValue, BoundingBox, Entity, EntityId, Geometry, Iri, Tenant, Timestamp};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use store::{
    CommitError, Document, DocumentSelect, EntitySelect, Expect, Snapshot, Store, StoreOptions, Stored, Transaction,
};

const TYPES: [&str; 3] = ["https://example.org/Tram", "https://example.org/Tree", "https://example.org/\u{0}odd"];
const SCOPES: [&str; 4] = ["/Rotterdam", "/Rotterdam/Centrum", "/Rotterdam2", "/Delft"];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    name: String,
    owner: String,
    text: String,
}

impl Document for Note {
    const COLLECTION: &'static str = "note";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("owner", self.owner.clone())]
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        number: u8,
        types: Vec<usize>,
        scopes: Vec<usize>,
        target: Option<u8>,
        place: Option<(f64, f64, f64)>,
    },
    Touch {
        number: u8,
    },
    Delete {
        number: u8,
    },
    /// A write on the state of two commits ago, which must be refused when the entity was written since.
    Stale {
        number: u8,
    },
    Note {
        name: u8,
        owner: u8,
    },
    DropNote {
        name: u8,
    },
}

#[derive(Clone, Default)]
struct Model {
    entities: BTreeMap<EntityId, Entity>,
    notes: BTreeMap<String, Note>,
}

fn id(number: u8) -> EntityId {
    EntityId::parse(&format!("urn:ngsi-ld:Thing:{number}/é?#{}", "x".repeat(usize::from(number) % 3))).unwrap()
}

fn entity(step: &Step, clock: i64) -> Option<Entity> {
    let Step::Put { number, types, scopes, target, place } = step else { return None };
    let mut entity = Entity::new(id(*number), Iri::from(TYPES[0]), Timestamp::from_micros(clock));
    entity.types = types.iter().map(|t| Iri::from(TYPES[*t])).collect();
    entity.scopes = scopes.iter().map(|s| SCOPES[*s].to_owned()).collect();
    entity.set("https://example.org/speed", Attribute::property(clock));
    if let Some(target) = target {
        let objects = vec![id(*target)];
        let value = AttributeValue::Relationship { objects, array: false, object_types: vec![] };
        entity.set("https://example.org/line", Attribute::new(value));
    }
    if let Some((x, y, size)) = place {
        let shape = if *size == 0.0 {
            geo_types::Geometry::Point(geo_types::Point::new(*x, *y))
        } else {
            geo_types::Geometry::Rect(geo_types::Rect::new((*x, *y), (x + size, y + size)))
        };
        let geometry = Geometry::from_shape(match shape {
            geo_types::Geometry::Rect(rect) => geo_types::Geometry::Polygon(rect.to_polygon()),
            other => other,
        });
        entity.set(Entity::LOCATION, Attribute::new(AttributeValue::Geo(geometry.unwrap())));
    }
    Some(entity)
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let subset = |n: usize, least: usize| proptest::sample::subsequence((0..n).collect::<Vec<_>>(), least..=n);
    let place = (4.0..5.0_f64, 51.5..52.5_f64, prop_oneof![Just(0.0), 0.0001..0.01, 0.1..1.0]);
    let put = (0..8_u8, subset(3, 1), subset(4, 0), proptest::option::of(0..8_u8), proptest::option::of(place));
    let step = prop_oneof![
        5 => put.prop_map(|(number, types, scopes, target, place)| Step::Put { number, types, scopes, target, place }),
        2 => (0..8_u8).prop_map(|number| Step::Touch { number }),
        2 => (0..8_u8).prop_map(|number| Step::Delete { number }),
        1 => (0..8_u8).prop_map(|number| Step::Stale { number }),
        2 => (0..5_u8, 0..3_u8).prop_map(|(name, owner)| Step::Note { name, owner }),
        1 => (0..5_u8).prop_map(|name| Step::DropNote { name }),
    ];
    proptest::collection::vec(proptest::collection::vec(step, 1..5), 1..14)
}

/// Adds a step to a transaction and to the model. Returns whether it makes the commit fail.
fn apply(step: &Step, tx: &mut Transaction, now: &Snapshot, old: &Snapshot, model: &mut Model, clock: i64) -> bool {
    let read = |snapshot: &Snapshot, number: u8| snapshot.entity(&Tenant::default(), &id(number)).unwrap();
    match step {
        Step::Put { number, .. } => {
            let after = entity(step, clock).unwrap();
            model.entities.insert(after.id.clone(), after.clone());
            tx.put_entity(read(now, *number), after, vec![]);
        }
        Step::Touch { number } => {
            if let Some(known) = model.entities.get_mut(&id(*number)) {
                known.set("https://example.org/speed", Attribute::property(-clock));
                tx.put_entity(read(now, *number), known.clone(), vec![Iri::from("https://example.org/speed")]);
            }
        }
        Step::Delete { number } => {
            if let Some(before) = read(now, *number) {
                tx.delete_entity(before);
                model.entities.remove(&id(*number));
            }
        }
        Step::Stale { number } => {
            let (was, is) = (read(old, *number), read(now, *number));
            let after = Entity::new(id(*number), Iri::from(TYPES[0]), Timestamp::from_micros(clock));
            let changed = was.as_ref().map(|s| s.version) != is.as_ref().map(|s| s.version);
            tx.put_entity(was, after.clone(), vec![]);
            model.entities.insert(after.id.clone(), after);
            return changed;
        }
        Step::Note { name, owner } => {
            let note = Note { name: format!("n{name}"), owner: format!("o{owner}"), text: clock.to_string() };
            tx.put_document(&note, Expect::Any).unwrap();
            model.notes.insert(note.name.clone(), note);
        }
        Step::DropNote { name } => {
            tx.delete_document::<Note>(&format!("n{name}"), Expect::Any);
            model.notes.remove(&format!("n{name}"));
        }
    }
    false
}

fn touched(step: &Step) -> Option<u8> {
    match step {
        Step::Put { number, .. } | Step::Touch { number } | Step::Delete { number } | Step::Stale { number } => {
            Some(*number)
        }
        _ => None,
    }
}

fn check_select(snapshot: &Snapshot, model: &Model, select: &EntitySelect, wanted: impl Fn(&Entity) -> bool) {
    let tenant = Tenant::default();
    let found: Vec<Arc<Stored<Entity>>> =
        snapshot.entities(&tenant, select, None).collect::<Result<_, _>>().expect("a readable store");
    let mut found: Vec<Entity> = found.into_iter().map(|stored| stored.value.clone()).collect();
    if matches!(select, EntitySelect::InBox { .. }) {
        found.sort_by(|a, b| a.id.cmp(&b.id));
    }
    let expected: Vec<Entity> = model.entities.values().filter(|e| wanted(e)).cloned().collect();
    assert_eq!(found, expected, "{select:?}");
    if let (Some(first), false) = (expected.first(), matches!(select, EntitySelect::InBox { .. })) {
        let after: Vec<EntityId> =
            snapshot.entity_ids(&tenant, select, Some(&first.id)).collect::<Result<_, _>>().unwrap();
        assert_eq!(after, expected.iter().skip(1).map(|e| e.id.clone()).collect::<Vec<_>>(), "{select:?} after one");
    }
}

fn in_scope(entity: &Entity, scope: &str) -> bool {
    entity.scopes.iter().any(|s| s == scope || s.starts_with(&format!("{scope}/")))
}

fn points_to(entity: &Entity, target: &EntityId) -> bool {
    let line = entity.attribute("https://example.org/line");
    matches!(line.map(|a| &a.value), Some(AttributeValue::Relationship { objects, .. }) if objects.contains(target))
}

fn check_all(snapshot: &Snapshot, model: &Model) {
    let tenant = Tenant::default();
    check_select(snapshot, model, &EntitySelect::All, |_| true);
    for name in TYPES.map(Iri::from) {
        let has_type = |e: &Entity| e.types.contains(&name);
        check_select(snapshot, model, &EntitySelect::Type(name.clone()), has_type);
        let count = model.entities.values().filter(|e| has_type(e)).count() as u64;
        assert_eq!(snapshot.count(&tenant, &name).unwrap(), count, "{name}");
    }
    let used: BTreeSet<&Iri> = model.entities.values().flat_map(|e| &e.types).collect();
    assert_eq!(snapshot.types(&tenant).unwrap().iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), used);
    for scope in SCOPES.into_iter().chain(["/Rotterdam/Centrum/", "/Nowhere"]) {
        let trimmed = scope.trim_end_matches('/');
        check_select(snapshot, model, &EntitySelect::Scope(scope.into()), |e| in_scope(e, trimmed));
    }
    for number in 0..8 {
        for attribute in [None, Some(Iri::from("https://example.org/line"))] {
            let select = EntitySelect::Related { attribute, target: id(number) };
            check_select(snapshot, model, &select, |e| points_to(e, &id(number)));
        }
    }
    let boxes = [(4.0, 51.5, 5.0, 52.5), (4.4, 51.9, 4.6, 52.0), (4.5, 52.0, 4.5, 52.0), (-180.0, -90.0, 180.0, 90.0)];
    for (west, south, east, north) in boxes {
        let bbox = BoundingBox { west, south, east, north };
        let inside = |e: &Entity| e.bounding_box().is_some_and(|b| b.intersects(&bbox));
        check_select(snapshot, model, &EntitySelect::InBox { entity_type: None, bbox }, inside);
        for name in TYPES.map(Iri::from) {
            let select = EntitySelect::InBox { entity_type: Some(name.clone()), bbox };
            check_select(snapshot, model, &select, |e| e.types.contains(&name) && inside(e));
        }
    }
    check_notes(snapshot, model);
}

fn check_notes(snapshot: &Snapshot, model: &Model) {
    let tenant = Tenant::default();
    let notes = |select: &DocumentSelect, after: Option<&str>, limit: usize| {
        let found = snapshot.documents::<Note>(&tenant, select, after, limit).expect("readable documents");
        found.into_iter().map(|stored| stored.value).collect::<Vec<_>>()
    };
    let all: Vec<Note> = model.notes.values().cloned().collect();
    assert_eq!(notes(&DocumentSelect::All, None, 100), all);
    assert_eq!(notes(&DocumentSelect::Prefix("n".into()), Some("n1"), 100), {
        all.iter().filter(|n| n.name.as_str() > "n1").cloned().collect::<Vec<_>>()
    });
    assert_eq!(notes(&DocumentSelect::All, None, 2), all.iter().take(2).cloned().collect::<Vec<_>>());
    for owner in ["o0", "o1", "o2"] {
        let owned: Vec<Note> = all.iter().filter(|n| n.owner == owner).cloned().collect();
        assert_eq!(notes(&DocumentSelect::Index("owner", owner.into()), None, 100), owned);
    }
}

/// Runs the steps on a store; `reopen` gives the store again, after every few commits.
fn run(groups: &[Vec<Step>], mut store: Store, reopen: impl Fn(Store) -> Store) {
    let mut model = Model::default();
    let mut kept: Vec<(Snapshot, Model)> = vec![(store.snapshot().unwrap(), model.clone())];
    for (clock, group) in (1_i64..).zip(groups) {
        let now = store.snapshot().unwrap();
        let old = kept.iter().rev().nth(1).unwrap_or(&kept[0]).0.clone();
        let mut tx = Transaction::new(Tenant::default());
        let (mut next, mut refused, mut seen) = (model.clone(), false, BTreeSet::new());
        for step in group {
            // Twice the same entity in one transaction has a test of its own.
            if touched(step).is_none_or(|number| seen.insert(number)) {
                refused |= apply(step, &mut tx, &now, &old, &mut next, clock);
            }
        }
        match store.commit_blocking(tx) {
            Ok(_) => {
                assert!(!refused, "a write on an old state was accepted: {group:?}");
                model = next;
            }
            Err(CommitError::Conflict { .. }) => assert!(refused, "a write on the newest state was refused: {group:?}"),
            Err(error) => panic!("{error}"),
        }
        drop((now, old));
        kept.push((store.snapshot().unwrap(), model.clone()));
        if clock % 5 == 0 {
            for (snapshot, model) in kept.drain(..) {
                check_all(&snapshot, &model);
            }
            store = reopen(store);
            kept.push((store.snapshot().unwrap(), model.clone()));
        }
    }
    for (snapshot, model) in &kept {
        check_all(snapshot, model);
    }
    let report = store.check_open().unwrap();
    assert_eq!(report.problems, [], "a store that only saw ordinary writes is sound");
}

fn on_disk(directory: &Path) -> Store {
    Store::open(directory, &StoreOptions::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_in_memory_answers_as_the_model(groups in steps()) {
        run(&groups, Store::in_memory(&StoreOptions::default()).unwrap(), |store| store);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_on_disk_answers_as_the_model_also_after_reopening(groups in steps()) {
        let directory = tempfile::tempdir().unwrap();
        run(&groups, on_disk(directory.path()), |store| {
            store.close().unwrap();
            on_disk(directory.path())
        });
    }
}

#[test]
fn one_entity_written_twice_in_a_transaction_has_the_later_state() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let tenant = Tenant::default();
    let mut tx = Transaction::new(tenant.clone());
    let mut thing = Entity::new(id(1), Iri::from(TYPES[0]), Timestamp::from_micros(0));
    tx.put_entity(None, thing.clone(), vec![]);
    thing.types = vec![Iri::from(TYPES[1])];
    tx.put_entity(None, thing.clone(), vec![]);
    store.commit_blocking(tx).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.types(&tenant).unwrap(), [(Iri::from(TYPES[1]), 1)]);
    assert_eq!(snapshot.entity(&tenant, &id(1)).unwrap().unwrap().value, thing);
    assert_eq!(store.check_open().unwrap().problems, []);
}

#[test]
fn tenants_do_not_see_each_other() {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let tenants = ["delft", "delft-2", "rotterdam"].map(|name| Tenant::parse(name).unwrap());
    for (number, tenant) in (0..).zip(&tenants) {
        let mut tx = Transaction::new(tenant.clone());
        tx.put_entity(None, Entity::new(id(number), Iri::from(TYPES[0]), Timestamp::from_micros(0)), vec![]);
        store.commit_blocking(tx).unwrap();
    }
    let snapshot = store.snapshot().unwrap();
    for (number, tenant) in (0..).zip(&tenants) {
        let ids = snapshot.entity_ids(tenant, &EntitySelect::All, None).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(ids, [id(number)], "{tenant}");
        assert_eq!(snapshot.count(tenant, &Iri::from(TYPES[0])).unwrap(), 1);
    }
}

#[test]
fn writers_at_the_same_time_lose_nothing_and_double_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| {
            let store = store.clone();
            std::thread::spawn(move || (0..25).map(|_| increase(&store, writer % 2)).sum::<u64>())
        })
        .collect();
    let repeated: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let snapshot = store.snapshot().unwrap();
    let total: f64 = (0..2)
        .map(|number| {
            let stored = snapshot.entity(&Tenant::default(), &id(number)).unwrap().unwrap();
            stored.value.attribute("https://example.org/count").unwrap().number().unwrap()
        })
        .sum();
    assert_eq!(total, 200.0, "every increase counts once ({repeated} had to be repeated)");
}

/// Adds one to a number in an entity, again and again until nobody came in between. Returns the repetitions.
fn increase(store: &Store, number: u8) -> u64 {
    for attempt in 0.. {
        let before = store.snapshot().unwrap().entity(&Tenant::default(), &id(number)).unwrap();
        let mut after = match &before {
            Some(stored) => stored.value.clone(),
            None => Entity::new(id(number), Iri::from(TYPES[0]), Timestamp::from_micros(0)),
        };
        let count = after.attribute("https://example.org/count").and_then(Attribute::number).unwrap_or(0.0);
        after.set("https://example.org/count", Attribute::property(count + 1.0));
        let mut tx = Transaction::new(Tenant::default());
        tx.put_entity(before, after, vec![]);
        match store.commit_blocking(tx) {
            Ok(_) => return attempt,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("the loop has no end of its own")
}
