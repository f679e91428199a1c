//! Wrong settings are named with their line and a remedy. Each message is a snapshot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use polder_sources::config::CityFile;

const CITY: &str = r#"[city]
id = "x"
name = "X"
country = "NL"
title = { nl = "X", en = "X" }
time_zone = "Europe/Amsterdam"
center = [4.5, 51.9]
bounds = [4.0, 51.0, 5.0, 52.0]
zoom = 10
"#;

const SOURCE: &str = r#"
[[source]]
name = "trees"
title = { nl = "Bomen", en = "Trees" }
connector = "csv"
file = "data/trees.csv.gz"
entity_type = "Tree"
id = "urn:x:{id}"
provenance = { publisher = "X", licence = "X", attribution = "X" }
[[source.attribute]]
name = "height"
field = "height_cm"
kind = "number"
unit = "CMT"
to_unit = "MTR"
"#;

/// What is said when one piece of right settings is replaced by something wrong.
fn said(right: &str, wrong: &str) -> String {
    let text = format!("{CITY}{SOURCE}");
    assert!(text.contains(right), "{right}");
    let problems = CityFile::parse(&text.replacen(right, wrong, 1), "city.toml").unwrap_err();
    problems.iter().map(|p| format!("line {}: {p}", p.line.unwrap_or(0))).collect::<Vec<_>>().join("\n")
}

#[test]
fn right_settings_are_right() {
    let parsed = CityFile::parse(&format!("{CITY}{SOURCE}"), "city.toml").unwrap();
    assert_eq!(parsed.sources.len(), 1);
}

#[test]
fn mistakes_of_toml_are_named_with_their_line() {
    insta::assert_snapshot!(said("zoom = 10", "zoom = ten"));
    insta::assert_snapshot!(said("zoom = 10", "zoom = 10\nzom = 11"));
    insta::assert_snapshot!(said("kind = \"number\"", "kind = \"integer\""));
    insta::assert_snapshot!(said("entity_type = \"Tree\"\n", ""));
}

#[test]
fn mistakes_of_meaning_are_named_with_their_line_and_a_remedy() {
    insta::assert_snapshot!(said("connector = \"csv\"", "connector = \"excel\""));
    insta::assert_snapshot!(said("{id}", "{id"));
    insta::assert_snapshot!(said("\"CMT\"", "\"FOOT\""));
    insta::assert_snapshot!(said("\"MTR\"", "\"KMH\""));
    insta::assert_snapshot!(said("field = \"height_cm\"\n", ""));
    insta::assert_snapshot!(said("name = \"height\"", "name = \"status\""));
    insta::assert_snapshot!(said("Europe/Amsterdam", "Europe/Rotterdam"));
    insta::assert_snapshot!(said("bounds = [4.0", "bounds = [6.0"));
    insta::assert_snapshot!(said("data/trees.csv.gz", "../../etc/passwd"));
    insta::assert_snapshot!(said("entity_type = \"Tree\"", "entity_type = \"Tree\"\nreplay = true"));
    insta::assert_snapshot!(said("kind = \"number\"", "kind = \"number\"\nhistory = true"));
    insta::assert_snapshot!(said("name = \"trees\"", "name = \"Trees!\""));
}

#[test]
fn connectors_say_what_they_miss() {
    insta::assert_snapshot!(said("file = \"data/trees.csv.gz\"\n", ""));
    insta::assert_snapshot!(said("connector = \"csv\"", "connector = \"replay\""));
    insta::assert_snapshot!(said("connector = \"csv\"", "connector = \"gtfs\""));
    insta::assert_snapshot!(said("connector = \"csv\"", "connector = \"mqtt\""));
    insta::assert_snapshot!(said("connector = \"csv\"", "connector = \"json_http\""));
}

const FORECAST: &str = r#"
[[source]]
name = "people"
title = { nl = "Mensen", en = "People" }
connector = "csv"
file = "data/people.csv"
entity_type = "Counter"
id = "urn:ngsi-ld:Counter:{id}"
provenance = { publisher = "X", licence = "X", attribution = "X" }
time = { field = "at" }
[[source.attribute]]
name = "count"
field = "count"
kind = "number"
history = true
[[forecast]]
id = "people"
title = { nl = "Mensen", en = "People" }
entity_type = "Counter"
attribute = "count"
kind = "count"
[[forecast.area]]
id = "square"
title = { nl = "Plein", en = "Square" }
series = ["north", "south"]
"#;

/// The first thing that is said when one piece of a right forecast is replaced by something wrong, and its line.
fn said_of_forecast(right: &str, wrong: &str) -> (u64, String) {
    assert!(FORECAST.contains(right), "{right}");
    let at = FORECAST.rfind(right).unwrap();
    let (before, after) = FORECAST.split_at(at);
    let text = format!("{CITY}{before}{wrong}{}", &after[right.len()..]);
    let problem = CityFile::parse(&text, "city.toml").unwrap_err().remove(0);
    (problem.line.unwrap_or(0) - CITY.lines().count() as u64, problem.to_string())
}

#[test]
fn a_right_forecast_is_right_and_a_wrong_one_is_named_with_its_line_and_a_remedy() {
    let parsed = CityFile::parse(&format!("{CITY}{FORECAST}"), "city.toml").unwrap();
    assert_eq!((parsed.forecasts[0].minimum_count, parsed.forecasts[0].areas.len()), (10, 1));
    for (right, wrong, line, word) in [
        ("entity_type = \"Counter\"", "entity_type = \"Tree\"", 19, "name the entity_type of a source"),
        ("attribute = \"count\"", "attribute = \"height\"", 20, "name an attribute of one of its sources"),
        ("history = true\n", "history = false\n", 20, "set history = true"),
        (
            "kind = \"count\"",
            "kind = \"count\"\nstep_minutes = 7",
            22,
            "use 60, or a number by which 60 can be divided",
        ),
        ("kind = \"count\"", "kind = \"count\"\nminimum_count = 5000", 22, "use a number from 0 to 1000"),
        ("[\"north\", \"south\"]", "[\"north\", \"north\"]", 25, "let each series be part of one area"),
        ("[\"north\", \"south\"]", "[\"north\"]", 25, "name two series or more"),
        ("[\"north\", \"south\"]", "[\"north\", \"South Side\"]", 25, "lower-case letters and digits with '-'"),
        ("id = \"square\"", "id = \"Square!\"", 23, "use lower-case letters"),
    ] {
        let (found, said) = said_of_forecast(right, wrong);
        assert!(found == line && said.contains(word), "{wrong}: line {found}: {said}");
    }
}
