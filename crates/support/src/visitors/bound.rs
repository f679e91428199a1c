//! Where those who pass a gate want to be: for each way through a gate, the share that stays in the area behind it.

use std::collections::BTreeMap;

use model::Timestamp;

use super::{Draw, Routes, Steering};
use crate::crowd::{AreaId, Direction, GateId, Lane, Side, Site};

/// The ways from the gates at the outside to each draw.
pub struct Bound {
    draws: Vec<Draw>,
    /// For each lane, the share of each draw's visitors that passes it, and where it leads to.
    passing: BTreeMap<Lane, (AreaId, Vec<f64>)>,
}

impl Bound {
    /// `entries` are the shares of the arrivals by gate, see [`super::entries_of`]. Everybody is taken to walk the shortest
    /// way, the wider gates preferred among equals.
    #[must_use]
    pub fn new(site: &Site, draws: Vec<Draw>, entries: &BTreeMap<GateId, f64>) -> Self {
        let routes = Routes::of(site, &Steering::default());
        let mut passing = BTreeMap::new();
        for (number, draw) in draws.iter().enumerate() {
            for (gate, share) in entries {
                let Some(gate) = site.gate(gate) else { continue };
                let direction = if gate.from == Side::Outside { Direction::Forward } else { Direction::Backward };
                let mut walk =
                    Walk { site, routes: &routes, goal: (number, draws.len(), &draw.area), passing: &mut passing };
                walk.pass((gate.id.clone(), direction), *share, site.areas.len());
            }
        }
        Self { draws, passing }
    }

    /// The shares at a moment, by lane; without a lane that nobody passes then.
    #[must_use]
    pub fn settling(&self, at: Timestamp) -> BTreeMap<Lane, f64> {
        let coming: Vec<f64> = self.draws.iter().map(|draw| draw.arrivals_per_min(at)).collect();
        let shares = self.passing.iter().filter_map(|(lane, (to, passing))| {
            let all: f64 = passing.iter().zip(&coming).map(|(share, coming)| share * coming).sum();
            let here = self.draws.iter().zip(passing.iter().zip(&coming)).filter(|(draw, _)| draw.area == *to);
            let stay: f64 = here.map(|(_, (share, coming))| share * coming).sum();
            (all > 0.0).then(|| (lane.clone(), stay / all))
        });
        shares.collect()
    }
}

/// Follows the visitors of one draw through the site.
struct Walk<'a> {
    site: &'a Site,
    routes: &'a Routes,
    /// The number of the draw, of how many, and where it is.
    goal: (usize, usize, &'a str),
    passing: &'a mut BTreeMap<Lane, (AreaId, Vec<f64>)>,
}

impl Walk<'_> {
    /// Each step leads nearer, so the number of areas bounds them.
    fn pass(&mut self, lane: Lane, share: f64, steps_left: usize) {
        let Some(gate) = self.site.gate(&lane.0) else { return };
        let to = if lane.1 == Direction::Forward { &gate.to } else { &gate.from };
        let Some(area) = to.area() else { return };
        let (number, draws, goal) = self.goal;
        let (_, shares) = self.passing.entry(lane).or_insert_with(|| (area.to_owned(), vec![0.0; draws]));
        shares[number] += share;
        if area == goal || steps_left == 0 {
            return;
        }
        let ways = self.routes.to(area, goal);
        let all: f64 = ways.iter().map(|(_, weight)| weight).sum();
        for (next, weight) in ways {
            let leads = self.site.gate(next).is_some_and(|gate| gate.from.area() == Some(area));
            let direction = if leads { Direction::Forward } else { Direction::Backward };
            self.pass((next.clone(), direction), share * weight / all.max(f64::MIN_POSITIVE), steps_left - 1);
        }
    }
}
