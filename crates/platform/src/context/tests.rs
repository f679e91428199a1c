//! What contexts do with names.

use std::collections::HashMap;

use bytes::Bytes;
use model::{Iri, Timestamp};
use serde_json::{Value, json};
use store::{Store, StoreOptions};

use super::*;
use crate::ngsi::ErrorKind;

/// Remote documents in a map.
struct Web(HashMap<&'static str, String>);

impl ContextFetch for Web {
    fn fetch(&self, url: &str) -> FetchFuture {
        let found = self.0.get(url).map(|text| Bytes::from(text.clone())).ok_or_else(|| "404 Not Found".to_owned());
        Box::pin(async move { found })
    }
}

fn contexts(web: &[(&'static str, Value)]) -> Contexts {
    let web = web.iter().map(|(url, document)| (*url, document.to_string())).collect();
    Contexts::new(Store::in_memory(&StoreOptions::default()).unwrap(), Arc::new(Web(web)))
}

async fn resolve(given: Value) -> Arc<Context> {
    contexts(&[]).resolve(&given, Timestamp::from_micros(0)).await.unwrap()
}

fn check(context: &Context, short: &str, full: &str) {
    assert_eq!(context.expand(short).unwrap().as_str(), full);
    assert_eq!(&*context.compact(&Iri::from(full)).text, short, "back from {full}");
}

#[test]
fn core_terms_and_unknown_names_expand_without_any_context() {
    let core = Context::core();
    check(&core, "location", "https://uri.etsi.org/ngsi-ld/location");
    check(&core, "title", "http://purl.org/dc/terms/title");
    check(&core, "speed", "https://uri.etsi.org/ngsi-ld/default-context/speed");
    check(&core, "https://example.org/x", "https://example.org/x");
}

#[tokio::test]
async fn terms_prefixes_and_objects_of_a_user_context_are_used_both_ways() {
    let context = resolve(json!([{
        "ex": "https://example.org/ns#", "speed": "ex:velocity", "near": {"@id": "ex:near", "@type": "@id"}
    }]))
    .await;
    check(&context, "speed", "https://example.org/ns#velocity");
    check(&context, "near", "https://example.org/ns#near");
    check(&context, "ex:other", "https://example.org/ns#other");
    check(&context, "unknown", "https://uri.etsi.org/ngsi-ld/default-context/unknown");
}

#[tokio::test]
async fn core_terms_cannot_be_redefined() {
    let context = resolve(json!({"location": "https://example.org/place", "@vocab": "https://example.org/"})).await;
    check(&context, "location", "https://uri.etsi.org/ngsi-ld/location");
    assert_eq!(&*context.compact(&Iri::from("https://example.org/place")).text, "https://example.org/place");
}

#[tokio::test]
async fn a_term_that_hides_a_default_name_leaves_it_a_prefixed_name() {
    let context = resolve(json!({"speed": "https://example.org/speed"})).await;
    let hidden = Iri::from("https://uri.etsi.org/ngsi-ld/default-context/speed");
    assert_eq!(&*context.compact(&hidden).text, "ngsi-ld:default-context/speed");
}

#[tokio::test]
async fn remote_documents_are_fetched_once_and_may_refer_to_others() {
    let all = contexts(&[
        ("https://c.example/a", json!({"@context": ["https://c.example/b", CORE_CONTEXT, {"x": "https://e.org/x"}]})),
        ("https://c.example/b", json!({"@context": {"y": "https://e.org/y"}})),
    ]);
    let context = all.resolve(&json!("https://c.example/a"), Timestamp::from_micros(0)).await.unwrap();
    check(&context, "x", "https://e.org/x");
    check(&context, "y", "https://e.org/y");
    assert_eq!(context.wire(), &json!("https://c.example/a"));
    assert_eq!(
        all.cached().iter().map(|c| c.url.as_str()).collect::<Vec<_>>(),
        ["https://c.example/a", "https://c.example/b"]
    );
}

#[tokio::test]
async fn contexts_that_cannot_be_had_or_go_in_circles_are_named() {
    let all = contexts(&[
        ("https://c.example/loop", json!({"@context": "https://c.example/loop"})),
        ("https://c.example/none", json!({"no": "context"})),
    ]);
    for url in ["https://c.example/missing", "https://c.example/loop", "https://c.example/none"] {
        let error = all.resolve(&json!(url), Timestamp::from_micros(0)).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::LdContextNotAvailable, "{url}");
    }
    for given in [json!(1), json!({"a": 1}), json!({"a": "b:c", "b": "a:d"}), json!("ftp://x/y"), json!([true])] {
        let error = all.resolve(&given, Timestamp::from_micros(0)).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::BadRequestData, "{given}");
    }
}

#[tokio::test]
async fn a_context_of_very_many_addresses_is_refused_before_they_are_all_fetched() {
    let all = contexts(&[("https://c.example/a", json!({"@context": {"x": "https://e.org/x"}}))]);
    let many = |count: usize| Value::Array(vec![json!("https://c.example/a"); count]);
    assert!(all.resolve(&many(100), Timestamp::from_micros(0)).await.is_ok());
    let error = all.resolve(&many(1_000), Timestamp::from_micros(0)).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::LdContextNotAvailable);
    assert!(all.cached_at("https://c.example/a").unwrap().hits < 1_000);
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    for name in ["", " ", "a b", "a\"b", "a(b)", "@type", "type", "a;b", "<script>", &"x".repeat(2_000)] {
        assert!(Context::core().expand(name).is_err(), "{name}");
    }
}
