//! How good the predictions of a rehearsal are, on an event that a city brings along.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use jiff::tz::TimeZone;
use model::{Tenant, Timestamp};
use polder_control::{EventFacts, Plan, events, rehearse};
use serde_json::Value;
use store::{Store, StoreOptions, Transaction};

fn plan(name: &str) -> Plan {
    let path = format!("{}/../../cities/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |part: &Value, field: &str| part[field].as_str().unwrap().to_owned();
    let parts = file["parts"].as_array_mut().unwrap().iter_mut().map(|part| {
        let (kind, key) = (text(part, "kind"), text(part, "key"));
        (kind, key, part["body"].take())
    });
    let (parts, tenant) = (parts.collect(), Tenant::default());
    let moment = |field: &str| Timestamp::parse(file[field].as_str().unwrap()).unwrap();
    let facts =
        EventFacts { name: "Oefening".into(), from: moment("from"), until: moment("until"), notes: String::new() };
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let mut tx = Transaction::new(tenant.clone());
    events::add_whole(&mut tx, "oefening", facts, parts, ("anna", Timestamp::from_micros(0))).unwrap();
    store.commit_blocking(tx).unwrap();
    events::plan(&store.snapshot().unwrap(), &tenant, "oefening").unwrap()
}

#[test]
fn the_end_of_a_programme_is_part_of_what_is_predicted() {
    let plan = plan("rotterdam/events/avond-aan-de-maas.json");
    for quality in rehearse(&plan, 101, 1.0, TimeZone::UTC).unwrap() {
        eprintln!("{quality:?}");
        let coverage = quality.coverage.unwrap();
        assert!(coverage > 0.5, "{} min ahead, {coverage:.2} of what came lay in the band", quality.in_min);
    }
}
