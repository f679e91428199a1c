//! What a drawn site is refused for.

use super::super::test_sites::square;
use super::*;
use model::Geometry;

fn detail(site: Site) -> String {
    let (_, problems) = site.checked();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_site_without_faults_is_kept_as_it_is() {
    let (site, problems) = square().checked();
    assert_eq!(site, square());
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn an_area_without_capacity_or_surface_is_refused_with_its_gates() {
    let mut site = square();
    site.areas[0].capacity_persons = 0.0;
    let (kept, problems) = site.checked();
    assert!(kept.areas.is_empty() && kept.gates.is_empty());
    assert!(problems[0].to_string().contains("capacity 0"), "{}", problems[0]);
    let mut site = square();
    site.areas[0].surface_m2 = f64::NAN;
    assert!(detail(site).contains("surface NaN"));
}

#[test]
fn a_gate_without_width_or_to_nowhere_is_refused() {
    let mut site = square();
    site.gates[0].width_m = 0.0;
    site.gates[1].to = Side::Area("moon".into());
    site.gates[2].to = Side::Outside;
    let (kept, problems) = site.checked();
    assert_eq!(kept.gates.len(), 1);
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn a_counter_on_two_gates_and_an_area_without_a_gate_are_named() {
    let mut site = square();
    site.gates[1].counters = site.gates[0].counters.clone();
    assert!(detail(site).contains("on two gates"));
    let mut site = square();
    site.gates.clear();
    assert!(detail(site).contains("has no gate"));
}

#[test]
fn overlapping_outlines_are_named_and_neighbours_are_not() {
    let outline = |west: f64| {
        let ring = vec![(west, 0.0), (west + 0.01, 0.0), (west + 0.01, 0.01), (west, 0.01)];
        Some(Geometry::from_shape(geo::Geometry::Polygon(geo::Polygon::new(ring.into(), vec![]))).unwrap())
    };
    let mut site = square();
    let mut other = site.areas[0].clone();
    other.id = "quay".into();
    site.areas.push(other);
    site.gates[0].from = Side::Area("quay".into());
    (site.areas[0].outline, site.areas[1].outline) = (outline(0.0), outline(0.01));
    assert_eq!(detail(site.clone()), "");
    site.areas[1].outline = outline(0.005);
    assert!(detail(site).contains("50 % of the smaller one"));
}

#[test]
fn an_area_that_is_part_of_itself_stands_alone() {
    let mut site = square();
    site.areas[0].parent = Some("square".into());
    let (kept, problems) = site.checked();
    assert_eq!(kept.areas[0].parent, None);
    assert_eq!(problems.len(), 1);
}

#[test]
fn more_than_the_whole_flow_of_a_closed_gate_is_scaled_down() {
    let mut site = square();
    let link = |id: &str| Link {
        id: id.into(),
        from: Side::Area("square".into()),
        to: Side::Outside,
        width_m: 2.0,
        length_m: 10.0,
        gate: Some("south".into()),
        capacity_ped_m_min: None,
        takes_over: [("north".to_owned(), 0.8)].into(),
    };
    site.links = vec![link("a"), link("b")];
    let (kept, problems) = site.checked();
    assert!((kept.links[0].takes_over["north"] - 0.5).abs() < 1e-9);
    assert!(problems[0].to_string().contains("160 %"));
}
