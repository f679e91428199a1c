//! What is wrong with a site that was drawn or imported, and the parts of it that can be used all the same.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Area as _, BooleanOps};
use model::Problem;

use super::{Area, Gate, Link, Side, Site};

/// Two outlines overlap when they share more than this part of the smaller one; drawn borders are never exact.
const OVERLAP_SHARE_MAX: f64 = 0.02;
/// More persons per m2 than this is no capacity: Still (2014) calls 5 ped/m2 the limit for a standing crowd.
const CAPACITY_DENSITY_MAX: f64 = 5.0;

/// See [`Site::checked`].
pub(super) fn checked(site: Site) -> (Site, Vec<Problem>) {
    let mut problems = Vec::new();
    let areas = usable_areas(site.areas, &mut problems);
    let mut kept = Site { areas, ..Site::default() };
    problems.extend(overlaps(&kept));
    kept.gates = usable_gates(site.gates, &kept, &mut problems);
    kept.links = usable_links(site.links, &kept, &mut problems);
    scale_shares(&mut kept.links, &mut problems);
    problems.extend(unreached(&kept));
    (kept, problems)
}

fn usable_areas(areas: Vec<Area>, problems: &mut Vec<Problem>) -> Vec<Area> {
    let mut names = BTreeSet::new();
    let mut kept: Vec<Area> = Vec::new();
    for area in areas {
        match area_problem(&area, &names) {
            Some(problem) => problems.push(problem),
            None => {
                names.insert(area.id.clone());
                if area.capacity_persons > area.surface_m2 * CAPACITY_DENSITY_MAX {
                    let detail = format!(
                        "capacity {} on {} m2 is more than {CAPACITY_DENSITY_MAX} persons per m2",
                        area.capacity_persons, area.surface_m2
                    );
                    problems.push(of_area(&area.id, detail, "check the surface, or lower the capacity"));
                }
                kept.push(area);
            }
        }
    }
    for place in 0..kept.len() {
        let reason = match kept[place].parent.as_deref() {
            Some(parent) if !names.contains(parent) => format!("is part of \"{parent}\", which is no usable area"),
            Some(_) if is_own_ancestor(&kept, place) => "is part of itself".to_owned(),
            _ => continue,
        };
        problems.push(of_area(&kept[place].id, reason, "name another area; it now stands alone"));
        kept[place].parent = None;
    }
    kept
}

fn of_area(id: &str, detail: impl Into<String>, remedy: &str) -> Problem {
    Problem::new(format!("area \"{id}\""), detail, remedy)
}

fn area_problem(area: &Area, names: &BTreeSet<String>) -> Option<Problem> {
    let id = area.id.as_str();
    if id.trim().is_empty() {
        return Some(of_area(id, "has no name", "give it one"));
    }
    if names.contains(id) {
        return Some(of_area(id, "is there twice", "give each area a name of its own"));
    }
    if !is_positive(area.surface_m2) {
        return Some(of_area(id, format!("surface {} m2", area.surface_m2), "give the walkable surface, above 0 m2"));
    }
    if !is_positive(area.capacity_persons) {
        let detail = format!("capacity {}", area.capacity_persons);
        return Some(of_area(id, detail, "give the number of persons that it may hold, above 0"));
    }
    let diagram = &area.diagram;
    if ![diagram.free_speed_m_s, diagram.jam_density_m2, diagram.gamma_m2].into_iter().all(is_positive) {
        return Some(of_area(id, "a fundamental diagram with a value of 0 or less", "use 1.34, 5.4 and 1.913"));
    }
    if [area.walk_length_m, area.stay_min].into_iter().flatten().any(|value| !is_positive(value)) {
        return Some(of_area(id, "walk_length_m or stay_min is not above 0", "leave it out when it is not known"));
    }
    let thresholds = &area.thresholds;
    let limits = [thresholds.density_m2, thresholds.specific_flow_ped_m_min, thresholds.occupancy_share];
    let upside_down = limits.into_iter().flatten().any(|limit| !(limit.amber > 0.0 && limit.red >= limit.amber))
        || thresholds.level_of_service.is_some_and(|limit| limit.red < limit.amber);
    upside_down.then(|| of_area(id, "red lies below amber, or a border is not above 0", "set amber first, then red"))
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn is_own_ancestor(areas: &[Area], start: usize) -> bool {
    let mut at = start;
    for _ in 0..areas.len() {
        let Some(parent) = &areas[at].parent else { return false };
        let Some(next) = areas.iter().position(|area| area.id == *parent) else { return false };
        if next == start {
            return true;
        }
        at = next;
    }
    false
}

/// Overlapping outlines count people twice; a part may lie in its whole.
fn overlaps(site: &Site) -> Vec<Problem> {
    let leaves: Vec<&Area> = site.leaves().collect();
    let mut found = Vec::new();
    for (place, one) in leaves.iter().enumerate() {
        for other in &leaves[place + 1..] {
            if let Some(share) = overlap_share(one, other).filter(|share| *share > OVERLAP_SHARE_MAX) {
                let detail = format!("{:.0} % of the smaller one also lies in \"{}\"", share * 100.0, other.id);
                found.push(of_area(&one.id, detail, "draw them side by side: people would be counted twice"));
            }
        }
    }
    found
}

fn overlap_share(one: &Area, other: &Area) -> Option<f64> {
    let polygons = |area: &Area| match area.outline.as_ref().map(model::Geometry::shape) {
        Some(geo::Geometry::Polygon(polygon)) => Some(geo::MultiPolygon::new(vec![polygon.clone()])),
        Some(geo::Geometry::MultiPolygon(many)) => Some(many.clone()),
        _ => None,
    };
    let (one, other) = (polygons(one)?, polygons(other)?);
    let smaller = one.unsigned_area().min(other.unsigned_area());
    (smaller > 0.0).then(|| one.intersection(&other).unsigned_area() / smaller)
}

/// Why an end cannot be used.
fn end_problem(side: &Side, site: &Site) -> Option<String> {
    let id = side.area()?;
    if site.area(id).is_none() {
        return Some(format!("leads to \"{id}\", which is no usable area"));
    }
    site.is_parent(id).then(|| format!("leads to \"{id}\", which has parts"))
}

fn usable_gates(gates: Vec<Gate>, site: &Site, problems: &mut Vec<Problem>) -> Vec<Gate> {
    let (mut names, mut counters) = (BTreeSet::new(), BTreeSet::new());
    let mut kept = Vec::new();
    for gate in gates {
        let problem = |detail: String, remedy: &str| Problem::new(format!("gate \"{}\"", gate.id), detail, remedy);
        let fault = if !names.insert(gate.id.clone()) {
            Some(problem("is there twice".into(), "give each gate a name of its own"))
        } else if !is_positive(gate.width_m) {
            Some(problem(format!("width {} m", gate.width_m), "give the width that people can use, above 0 m"))
        } else if gate.from == gate.to {
            Some(problem("both sides are the same".into(), "say which area lies behind it"))
        } else if let Some(detail) = end_problem(&gate.from, site).or_else(|| end_problem(&gate.to, site)) {
            Some(problem(detail, "name an area without parts, or leave it out for outside"))
        } else if gate.capacity_ped_m_min.is_some_and(|capacity| !is_positive(capacity)) {
            Some(problem("capacity of 0 or less".into(), "give ped/m/min, or leave it out"))
        } else if !(gate.undercount.share_sd > 0.0 && gate.undercount.share.abs() < 1.0) {
            Some(problem("an undercount outside -1..1 or without sd".into(), "give share and share_sd as fractions"))
        } else {
            let twice = gate.counters.iter().find(|counter| counters.contains(*counter));
            twice.map(|counter| problem(format!("counter \"{counter}\" is on two gates"), "put it on one"))
        };
        match fault {
            Some(fault) => problems.push(fault),
            None => {
                counters.extend(gate.counters.iter().cloned());
                if gate.counters.is_empty() {
                    problems.push(problem("has no counter".into(), "name one; its flow is unknown until then"));
                }
                kept.push(gate);
            }
        }
    }
    kept
}

fn usable_links(links: Vec<Link>, site: &Site, problems: &mut Vec<Problem>) -> Vec<Link> {
    let mut kept = Vec::new();
    for link in links {
        let problem = |detail: String, remedy: &str| Problem::new(format!("link \"{}\"", link.id), detail, remedy);
        let unknown = link.gate.iter().chain(link.takes_over.keys()).find(|gate| site.gate(gate).is_none());
        let fault = if !is_positive(link.width_m) || !is_positive(link.length_m) {
            Some(problem(format!("width {} m, length {} m", link.width_m, link.length_m), "give both, above 0 m"))
        } else if link.from == link.to {
            Some(problem("both ends are the same".into(), "say where it leads"))
        } else if let Some(detail) = end_problem(&link.from, site).or_else(|| end_problem(&link.to, site)) {
            Some(problem(detail, "name an area without parts, or leave it out for outside"))
        } else if let Some(gate) = unknown {
            Some(problem(format!("gate \"{gate}\" is no usable gate"), "name a gate of this site"))
        } else if link.takes_over.values().any(|share| !(0.0..=1.0).contains(share)) {
            Some(problem("a share outside 0..1".into(), "give the part of the flow that comes along here"))
        } else if link.gate.is_none() && !link.takes_over.is_empty() {
            Some(problem("takes over from a gate but has none".into(), "name the gate through which people go instead"))
        } else {
            None
        };
        match fault {
            Some(fault) => problems.push(fault),
            None => kept.push(link),
        }
    }
    kept
}

/// More than the whole flow of a closed gate cannot go elsewhere.
fn scale_shares(links: &mut [Link], problems: &mut Vec<Problem>) {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for (gate, share) in links.iter().flat_map(|link| &link.takes_over) {
        *sums.entry(gate.clone()).or_default() += share;
    }
    for (gate, sum) in sums.into_iter().filter(|(_, sum)| *sum > 1.0 + 1e-9) {
        let detail = format!("links take over {:.0} % of its flow when it closes", sum * 100.0);
        problems.push(Problem::new(format!("gate \"{gate}\""), detail, "make it 100 % or less; scaled down to 100 %"));
        for link in links.iter_mut() {
            if let Some(share) = link.takes_over.get_mut(&gate) {
                *share /= sum;
            }
        }
    }
}

fn unreached(site: &Site) -> Vec<Problem> {
    let reached: BTreeSet<&str> =
        site.gates.iter().flat_map(|gate| [gate.from.area(), gate.to.area()]).flatten().collect();
    site.leaves()
        .filter(|area| !reached.contains(area.id.as_str()))
        .map(|area| of_area(&area.id, "has no gate", "add one, or give area counts; else it stays unknown"))
        .collect()
}

#[cfg(test)]
mod tests;
