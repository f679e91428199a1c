//! What the query languages select.

use model::{Entity, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{context::Context, ngsi::parse_entity};

fn entity() -> Entity {
    let wire = json!({
        "id": "urn:x:1", "type": ["Station", "Sensor"], "scope": ["/Rotterdam/Centrum", "/Test"],
        "speed": {"value": 50, "unitCode": "KMH", "observedAt": "2026-08-20T11:40:00Z", "accuracy": 0.5},
        "name": "Coolsingel", "open": true, "lanes": [1, 2, 3],
        "since": "2026-01-01T00:00:00Z",
        "address": {"value": {"city": "Rotterdam", "parts": {"number": 12}}},
        "road": {"object": "urn:road:A13"},
        "label": {"languageMap": {"nl": "Haven", "en": "Port"}},
        "state": {"vocab": "free"},
        "location": {"type": "Point", "coordinates": [4.48, 51.92]},
    });
    parse_entity(wire, &Context::core(), Timestamp::parse("2026-08-20T12:00:00Z").unwrap()).unwrap()
}

fn check(q: &str, expect: bool) {
    let parsed = Q::parse(q, &Context::core()).unwrap_or_else(|e| panic!("{q}: {e}"));
    assert_eq!(parsed.matches(&entity()), expect, "{q}");
}

#[test]
fn values_compare_by_their_type() {
    check("speed==50", true);
    check("speed==50.0", true);
    check("speed==\"50\"", false);
    check("speed>49.5;speed<=50", true);
    check("speed>50", false);
    check("speed!=50", false);
    check("speed!=51", true);
    check("speed!=\"x\"", true);
    check("missing!=1", false);
    check("name==\"Coolsingel\"", true);
    check("name>\"Co\";name<\"D\"", true);
    check("open==true", true);
    check("open==false", false);
    check("lanes==2", true);
    check("lanes==4", false);
    check("lanes>2", true);
    check("since==2026-01-01T01:00:00+01:00", true);
    check("since<2026-02-01T00:00:00Z", true);
    check("road==urn:road:A13", true);
    check("road==\"urn:road:A13\"", true);
    check("road==urn:road:A12", false);
    check("location==1", false);
    check("location", true);
}

#[test]
fn lists_ranges_and_patterns_are_understood() {
    check("speed==40..50", true);
    check("speed==10..20", false);
    check("speed!=10..20", true);
    check("name==\"A\",\"Coolsingel\"", true);
    check("speed==1,50,3", true);
    check("speed!=1,50,3", false);
    check("name~=^Cool", true);
    check("name~=\"single?l$|x\"", false);
    check("name~=^(Cool|Warm)(s).*$;open", true);
    check("name!~=^Warm", true);
    check("missing!~=^Warm", false);
    check("speed~=5", false);
}

#[test]
fn paths_reach_into_values_languages_and_metadata() {
    check("address[city]==\"Rotterdam\"", true);
    check("address[parts.number]>=12", true);
    check("address[street]", false);
    check("label[nl]==\"Haven\"", true);
    check("label[fr]", false);
    check("label[*]==\"Port\"", true);
    check("label==\"Port\"", true);
    check("speed.unitCode==\"KMH\"", true);
    check("speed.accuracy<1", true);
    check("speed.accuracy.deeper", false);
    check("speed.observedAt>2026-08-20T11:00:00Z", true);
    check("modifiedAt>=2026-08-20T12:00:00Z", true);
    check("state==free", true);
    check("state==\"https://uri.etsi.org/ngsi-ld/default-context/free\"", true);
    check("https://uri.etsi.org/ngsi-ld/default-context/speed.accuracy==0.5", true);
}

#[test]
fn and_binds_closer_than_or_and_parentheses_closest() {
    check("speed==1;speed==1|open==true", true);
    check("speed==1;(speed==1|open==true)", false);
    check("(((speed==50)))|missing", true);
    check("missing|(name;open)", true);
}

#[test]
fn what_is_not_an_expression_is_refused_with_its_place() {
    for wrong in [
        "", "==1", "a==", "a==1;", "a==1|", "(a", "a)", "a[b", "a[]", "a==\"x", "a==1..", "a==1,", "a>1,2", "a>1..2",
        "a~=(", "a~=", "a b==1", "a==1 b", "a==1)(b", ";", "|", "a.", ".a", "a..b==1",
    ] {
        if let Ok(q) = Q::parse(wrong, &Context::core()) {
            assert!(wrong == "a==1 b", "{wrong} became {q:?}");
        }
    }
    let error = Q::parse("speed==1;name==\"x", &Context::core()).unwrap_err();
    assert_eq!(error.detail, "q: a closing quote is missing at character 15, before \"\"x\"");
    let deep = "(".repeat(5_000) + "a" + &")".repeat(5_000);
    assert!(Q::parse(&deep, &Context::core()).is_err());
    let long = vec!["a"; 1_000].join("|");
    assert!(Q::parse(&long, &Context::core()).is_err());
}

#[test]
fn types_are_selected_by_lists_and_combinations() {
    let types = entity().types;
    for (text, expect) in [
        ("Station", true),
        ("Road", false),
        ("Road,Station", true),
        ("Road|Sensor", true),
        ("Station;Sensor", true),
        ("Station;Road", false),
        ("(Station;Road),Sensor", true),
        ("(Road,Sensor);Station", true),
        ("https://uri.etsi.org/ngsi-ld/default-context/Station", true),
    ] {
        let selector = TypeSelector::parse(text, &Context::core()).unwrap();
        assert_eq!(selector.matches(&types), expect, "{text}");
        assert!(!selector.matches(&[]) && !selector.candidates().is_empty(), "{text}");
    }
    for wrong in ["", ",", "A,", "(A", "A)", "A;;B", "a b"] {
        assert!(TypeSelector::parse(wrong, &Context::core()).is_err(), "{wrong}");
    }
}

#[test]
fn scopes_are_selected_by_levels_and_wildcards() {
    for (text, expect) in [
        ("/Rotterdam/Centrum", true),
        ("/Rotterdam", false),
        ("/Rotterdam/#", true),
        ("/Rotterdam/+", true),
        ("/+", true),
        ("/#", true),
        ("/+/+/+", false),
        ("/Delft,/Test", true),
        ("/Delft;/Test", false),
        ("(/Delft,/Test);/Rotterdam/#", true),
    ] {
        assert_eq!(ScopeQ::parse(text).unwrap().matches(&entity().scopes), expect, "{text}");
    }
    for wrong in ["", "/", "//", "/#/a", "(/a", "/a)"] {
        assert!(ScopeQ::parse(wrong).is_err(), "{wrong}");
    }
}

fn geo(georel: &str, geometry: &str, coordinates: Value) -> Result<GeoQ, crate::ngsi::NgsiError> {
    GeoQ::parse(georel, geometry, &coordinates, None, &Context::core())
}

#[test]
fn places_are_selected_by_relation_and_distance() {
    let square = json!([[[4.0, 51.0], [5.0, 51.0], [5.0, 52.0], [4.0, 52.0], [4.0, 51.0]]]);
    for (georel, geometry, coordinates, expect) in [
        ("near;maxDistance==1000", "Point", json!([4.49, 51.92]), true),
        ("near;maxDistance==600", "Point", json!([4.49, 51.92]), false),
        ("near;minDistance==600", "Point", json!([4.49, 51.92]), true),
        ("near;maxDistance==1000;minDistance==900", "Point", json!([4.49, 51.92]), false),
        ("near;maxDistance==700", "LineString", json!([[4.49, 51.0], [4.49, 52.0]]), true),
        ("within", "Polygon", square.clone(), true),
        ("contains", "Polygon", square.clone(), false),
        ("intersects", "Polygon", square.clone(), true),
        ("disjoint", "Polygon", square.clone(), false),
        ("overlaps", "Polygon", square, false),
        ("equals", "Point", json!("[4.48,51.92]"), true),
        ("contains", "Point", json!([4.48, 51.92]), true),
        ("disjoint", "Point", json!([4.49, 51.92]), true),
    ] {
        let query = geo(georel, geometry, coordinates).unwrap();
        assert_eq!(query.matches(&entity()), expect, "{georel} {geometry}");
        if let (true, Some(bbox)) = (expect, query.bounding_box()) {
            assert!(bbox.intersects(&entity().bounding_box().unwrap()), "{georel} {geometry}");
        }
    }
}

#[test]
fn a_repetition_of_a_repetition_is_refused() {
    for wrong in ["a**", "a+*", "(", "a{2"] {
        assert!(pattern(wrong).is_err(), "{wrong}");
    }
    assert!(pattern("^urn:.*[*+]\\*+?$").is_ok());
}

#[test]
fn half_a_geo_query_is_refused() {
    for georel in [
        "near",
        "near;maxDistance==x",
        "near;maxDistance=1",
        "near;maxDistance==-1",
        "within;maxDistance==1",
        "touches",
        "",
        "near;maxDistance==1;maxDistance==2",
        "near;maxDistance==inf",
    ] {
        assert!(geo(georel, "Point", json!([4.0, 51.0])).is_err(), "{georel}");
    }
    assert!(geo("within", "Point", json!([400.0, 51.0])).is_err());
    assert!(geo("within", "Pint", json!([4.0, 51.0])).is_err());
    assert!(geo("within", "Point", json!("[4,")).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(
        text in "[a-z=!<>~.,;|()\\[\\]\"#+/:*0-9 -]{0,60}", georel in "[a-z;=0-9.]{0,40}", any in ".{0,40}"
    ) {
        let (context, entity) = (Context::core(), entity());
        for text in [&text, &any] {
            if let Ok(q) = Q::parse(text, &context) {
                let _ = q.matches(&entity);
            }
            if let Ok(types) = TypeSelector::parse(text, &context) {
                let _ = types.matches(&entity.types);
            }
            if let Ok(scope) = ScopeQ::parse(text) {
                let _ = scope.matches(&entity.scopes);
            }
            if let Ok(regex) = pattern(text) {
                let _ = regex.is_match("urn:x:1");
            }
            let _ = geo("within", text, json!(text));
        }
        let _ = geo(&georel, "Point", json!([4.0, 51.0]));
    }

    #[test]
    fn geometries_of_any_shape_relate_without_panic(
        relation in prop::sample::select(vec!["near;maxDistance==5", "within", "contains", "intersects", "equals",
            "disjoint", "overlaps"]),
        points in prop::collection::vec((-180.0..180.0_f64, -90.0..90.0_f64), 1..6)
    ) {
        let list = json!(points.iter().map(|(x, y)| [x, y]).collect::<Vec<_>>());
        for (kind, coordinates) in [("Point", list[0].clone()), ("LineString", list.clone()), ("MultiPoint", list.clone()),
            ("Polygon", json!([list]))] {
            if let Ok(query) = geo(relation, kind, coordinates) {
                let _ = query.matches(&entity());
            }
        }
    }
}
