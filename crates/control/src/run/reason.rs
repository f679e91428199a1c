//! Which threshold decides that an area is red or will be, with its value: what an alert is raised for.

use support::crowd::{Area, AreaProjection, Colour, Load, Quantity, Thresholds};

/// As near to its border as this (a share of it) a prediction of persons counts as the reason; otherwise the flow is.
const NEAR_SHARE: f64 = 0.9;

/// A threshold that decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reason {
    pub quantity: Quantity,
    /// Where red starts, in the unit of the quantity; of a level of service the density, ped/m2.
    pub threshold: f64,
}

/// Why an area is red: what is over its border, also when only the hysteresis keeps it red, or else what is nearest.
pub(super) fn now(area: &Area, load: &Load) -> Option<Reason> {
    let reached = |slack| match area.thresholds.colour(area, load, slack) {
        (Colour::Red, quantity) => quantity,
        _ => None,
    };
    let reached = reached(0.0).or_else(|| reached(area.thresholds.hysteresis_share));
    let quantity = reached.or_else(|| nearest(area, load).map(|(quantity, _)| quantity))?;
    Some(Reason { quantity, threshold: border(area, quantity)? })
}

/// Why an area is predicted to be red within some minutes.
pub(super) fn ahead(area: &Area, load: &Load, projection: &AreaProjection, within_min: usize) -> Option<Reason> {
    let median = projection.p50.iter().take(within_min).copied().fold(0.0, f64::max);
    let persons = Load { persons: Some(median), specific_flow_ped_m_min: None };
    let by_persons = nearest(area, &persons);
    let by_flow = border(area, Quantity::SpecificFlow).map(|_| Quantity::SpecificFlow);
    let quantity = match by_persons {
        Some((quantity, share)) if share >= NEAR_SHARE => Some(quantity),
        // Not by the number of people: then by how many want through a gate at once.
        found => by_flow.or(found.map(|(quantity, _)| quantity)),
    };
    let quantity = quantity.or_else(|| nearest(area, load).map(|(quantity, _)| quantity))?;
    Some(Reason { quantity, threshold: border(area, quantity)? })
}

/// The quantity that is furthest towards its red border, and how far (a share of it).
fn nearest(area: &Area, load: &Load) -> Option<(Quantity, f64)> {
    let density = load.persons.map(|persons| persons / area.surface_m2);
    let shares = [
        (Quantity::Density, density),
        (Quantity::OccupancyShare, load.persons.map(|persons| persons / area.capacity_persons)),
        (Quantity::LevelOfService, density),
        (Quantity::SpecificFlow, load.specific_flow_ped_m_min),
    ];
    let known = shares.into_iter().filter_map(|(quantity, value)| Some((quantity, value? / border(area, quantity)?)));
    known.max_by(|one, other| one.1.total_cmp(&other.1))
}

/// Where red starts.
fn border(area: &Area, quantity: Quantity) -> Option<f64> {
    let thresholds = &area.thresholds;
    match quantity {
        Quantity::Density => thresholds.density_m2.map(|limit| limit.red),
        Quantity::SpecificFlow => thresholds.specific_flow_ped_m_min.map(|limit| limit.red),
        Quantity::OccupancyShare => thresholds.occupancy_share.map(|limit| limit.red),
        Quantity::LevelOfService => {
            thresholds.level_of_service?;
            let alone = Thresholds { density_m2: None, occupancy_share: None, ..*thresholds };
            Some(alone.persons_for(area, Colour::Red)? / area.surface_m2)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 100 m2 for 300 persons: red at 285 by capacity, at 357 by density.
    fn area() -> Area {
        serde_json::from_value(json!({ "id": "plein", "surface_m2": 100.0, "capacity_persons": 300.0 })).unwrap()
    }

    fn load(persons: f64, flow: f64) -> Load {
        Load { persons: Some(persons), specific_flow_ped_m_min: Some(flow) }
    }

    fn projected(p50: f64) -> AreaProjection {
        let line = vec![p50; 60];
        let (p10, p90) = (line.clone(), line.clone());
        AreaProjection {
            area: "plein".into(),
            p10,
            p50: line,
            p90,
            flow_p50: vec![],
            crossings: vec![],
            red_in_min: None,
        }
    }

    #[test]
    fn what_is_red_names_the_border_that_was_reached_also_while_it_is_only_held() {
        let share = Some(Reason { quantity: Quantity::OccupancyShare, threshold: 0.95 });
        assert_eq!(now(&area(), &load(290.0, 10.0)), share);
        assert_eq!(now(&area(), &load(270.0, 10.0)), share);
        assert_eq!(now(&area(), &load(200.0, 10.0)), share);
        let flow = Some(Reason { quantity: Quantity::SpecificFlow, threshold: 82.0 });
        assert_eq!(now(&area(), &load(20.0, 90.0)), flow);
    }

    #[test]
    fn what_is_predicted_names_the_persons_or_else_the_flow() {
        let reason = |p50| ahead(&area(), &load(10.0, 10.0), &projected(p50), 30).unwrap().quantity;
        assert_eq!((reason(280.0), reason(100.0)), (Quantity::OccupancyShare, Quantity::SpecificFlow));
    }
}
