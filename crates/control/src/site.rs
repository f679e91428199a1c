//! A plan becomes the site that estimates are made for, with everything that is wrong with it.

use model::Problem;
use store::Stored;
use support::crowd::{Area, FundamentalDiagram, Gate, Limit, Link, Side, Site, Thresholds, Undercount};

use crate::{AreaPart, Body, CounterPart, GatePart, LinkPart, Part, Plan};

/// The site of a plan, as far as it can be used, and what is wrong with the rest.
#[must_use]
pub fn site_of(plan: &Plan) -> (Site, Vec<Problem>) {
    let mut site = Site::default();
    for part in &plan.parts {
        match &part.body {
            Body::Area(area) => site.areas.push(area_of(&part.key, area)),
            Body::Gate(gate) => site.gates.push(gate_of(&part.key, gate)),
            Body::Link(link) => site.links.push(link_of(&part.key, link)),
            _ => {}
        }
    }
    let (site, mut problems) = site.checked();
    problems.extend(plan.parts.iter().filter_map(|part| dangling(part, plan)));
    (site, problems)
}

fn area_of(key: &str, part: &AreaPart) -> Area {
    let limit = |amber: Option<f64>, red: Option<f64>| Some(Limit { amber: amber?, red: red? });
    let usual = Thresholds::default();
    Area {
        id: key.to_owned(),
        surface_m2: part.surface_m2,
        capacity_persons: part.capacity_persons,
        used_as: part.used_as,
        parent: part.parent.clone(),
        outline: Some(part.outline.clone()),
        walk_length_m: part.walk_length_m,
        walk_width_m: None,
        stay_min: part.stay_min,
        thresholds: Thresholds {
            density_m2: limit(part.amber_density_m2, part.red_density_m2).or(usual.density_m2),
            occupancy_share: limit(part.amber_share, part.red_share).or(usual.occupancy_share),
            ..usual
        },
        diagram: FundamentalDiagram::default(),
        closed: None,
    }
}

fn side(area: Option<&String>) -> Side {
    area.map_or(Side::Outside, |key| Side::Area(key.clone()))
}

fn gate_of(key: &str, part: &GatePart) -> Gate {
    Gate {
        id: key.to_owned(),
        width_m: part.width_m,
        from: side(part.from.as_ref()),
        to: side(part.to.as_ref()),
        counters: vec![key.to_owned()],
        capacity_ped_m_min: None,
        undercount: undercount(part.counter.as_ref()),
        persons_each: part.counter.as_ref().and_then(|counter| counter.persons_each),
    }
}

/// Persons themselves are counted as well as counters usually do; those in vehicles as well as their mean is known.
fn undercount(counter: Option<&CounterPart>) -> Undercount {
    let usual = Undercount::default();
    let each = counter.map_or(0.0, CounterPart::each_sd_share);
    Undercount { share_sd: usual.share_sd.hypot(each), ..usual }
}

fn link_of(key: &str, part: &LinkPart) -> Link {
    Link {
        id: key.to_owned(),
        from: side(part.from.as_ref()),
        to: side(part.to.as_ref()),
        width_m: part.width_m,
        length_m: part.length_m,
        gate: part.gate.clone(),
        capacity_ped_m_min: None,
        takes_over: part.takes_over.clone(),
    }
}

/// A part that names another part which is not in the plan, or a programme outside the event's hours.
fn dangling(part: &Stored<Part>, plan: &Plan) -> Option<Problem> {
    let is_there = |kind: &str, key: &str| plan.parts.iter().any(|p| p.body.kind() == kind && p.key == key);
    let lacks = |kind: &str, key: Option<&String>| key.filter(|key| !is_there(kind, key)).cloned();
    let (kind, missing) = match &part.body {
        Body::Programme(item) => {
            let facts = &plan.event.facts;
            if item.from < facts.from || item.until > facts.until {
                let detail = format!("{} is not within the hours of the event", item.name);
                return Some(Problem::new(part.to_string(), detail, "change its hours, or those of the event"));
            }
            ("area", lacks("area", Some(&item.area)))
        }
        Body::Barrier(barrier) => match lacks("threat", barrier.threat.as_ref()) {
            Some(missing) => ("threat", Some(missing)),
            None => ("consequence", lacks("consequence", barrier.consequence.as_ref())),
        },
        Body::Measure(prepared) => {
            let measure = &prepared.measure;
            let gate = lacks("gate", measure.gate.as_ref()).or_else(|| lacks("gate", measure.to_gate.as_ref()));
            match gate {
                Some(gate) => ("gate", Some(gate)),
                None => ("area", lacks("area", measure.area.as_ref())),
            }
        }
        _ => return None,
    };
    let missing = missing?;
    let detail = format!("{} names {kind} \"{missing}\", which is not in the plan", part.body.name());
    Some(Problem::new(part.to_string(), detail, format!("draw that {kind}, or choose another")))
}
