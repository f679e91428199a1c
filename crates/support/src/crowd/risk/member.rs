//! One member of the projection: a stated way in which the next hour may go, walked minute by minute.

use std::collections::BTreeMap;

use super::{ForecastBand, RiskSettings};
use crate::crowd::{
    Departure, Direction, Leaving, Outlook, Plan, Site, departure,
    measure::{Held, Rules},
    trend::{Arrival, lanes},
};

/// Five equally likely values of a normal deviate: the 10, 30, 50, 70 and 90 % quantiles.
const DEVIATES: [f64; 5] = [-1.281_55, -0.524_40, 0.0, 0.524_40, 1.281_55];
/// Three equally likely ones.
const DEVIATES_3: [f64; 3] = [-0.967_42, 0.0, 0.967_42];

/// What a member supposes, each as a normal deviate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    occupancy: f64,
    arrivals: f64,
    later: f64,
    leaving: f64,
}

/// All members, equally likely.
pub(super) fn all() -> Vec<Member> {
    let mut members = Vec::new();
    for occupancy in DEVIATES_3 {
        for arrivals in DEVIATES {
            for later in DEVIATES {
                members.extend(DEVIATES_3.map(|leaving| Member { occupancy, arrivals, later, leaving }));
            }
        }
    }
    members
}

/// What a member came to: by minute, then by leaf area or gate.
pub(super) struct Path {
    pub persons: Vec<Vec<f64>>,
    /// Persons through each gate, both directions, a minute.
    pub flows: Vec<Vec<f64>>,
    /// Persons held back outside each gate.
    pub waiting: Vec<Vec<f64>>,
}

/// One lane as the walk needs it.
struct LaneRow {
    gate: usize,
    direction: Direction,
    from: Option<usize>,
    to: Option<usize>,
    arrival: Arrival,
    leaving: Leaving,
    capacity_per_min: f64,
    delay_min: usize,
}

/// Everything that all members share.
pub(super) struct Road<'a> {
    names: Vec<&'a str>,
    now: Vec<(f64, f64)>,
    lanes: Vec<LaneRow>,
    gates: usize,
    rules: Rules,
    bands: BTreeMap<usize, &'a ForecastBand>,
    departures: BTreeMap<usize, &'a Departure>,
    /// For each lane the share of those going home who take it.
    homeward: Vec<f64>,
    /// For each leaf the share of those going home who reach a gate in a minute.
    reaching: Vec<f64>,
    settings: &'a RiskSettings,
}

/// Who is where in one member: those who stay or walk on as lately, and those who go home.
struct People {
    here: Vec<f64>,
    homeward: Vec<f64>,
}

impl People {
    fn all(&self) -> Vec<f64> {
        self.here.iter().zip(&self.homeward).map(|(here, homeward)| here + homeward).collect()
    }

    /// Takes people away, those who want to leave first.
    fn take(&mut self, place: usize, persons: f64) {
        let first = persons.min(self.homeward[place]);
        self.homeward[place] -= first;
        self.here[place] = (self.here[place] - (persons - first)).max(0.0);
    }
}

impl<'a> Road<'a> {
    pub fn new(
        site: &'a Site,
        outlook: &'a Outlook,
        plan: &Plan,
        bands: &'a [ForecastBand],
        settings: &'a RiskSettings,
    ) -> Self {
        // An area of unknown occupancy is not projected; people who go there leave the picture.
        let known = site.leaves().filter_map(|area| Some((area.id.as_str(), *outlook.persons.get(&area.id)?)));
        let (names, now): (Vec<&str>, Vec<(f64, f64)>) = known.unzip();
        let place = |area: Option<&str>| names.iter().position(|name| Some(*name) == area);
        let rows = lanes(site).filter_map(|(lane, from, to)| {
            let gate = site.gates.iter().position(|gate| gate.id == lane.0)?;
            let link = site
                .links
                .iter()
                .find(|link| link.gate.as_ref() == Some(&lane.0) && link.from.area() == from && link.to.area() == to);
            let width = link.map_or(f64::INFINITY, crate::crowd::Link::capacity_per_min);
            let delay_min = link.map_or(0, |link| whole_minutes(link.length_m / (1.34 * 60.0)));
            let arrives = from.is_none().then(|| outlook.arrivals.get(&lane).copied()).flatten();
            Some(LaneRow {
                gate,
                direction: lane.1,
                from: place(from),
                to: place(to),
                // From an area that is not projected, people keep coming as they would from outside.
                arrival: arrives.unwrap_or_default(),
                leaving: leaving_of(outlook, &lane, from),
                capacity_per_min: site.gates[gate].capacity_per_min().min(width),
                delay_min,
            })
        });
        let lanes = rows.collect();
        let bands = bands.iter().filter_map(|band| Some((place(Some(&band.area))?, band))).collect();
        let departures = outlook.departures.iter().filter_map(|(area, going)| Some((place(Some(area))?, going)));
        let departures: BTreeMap<usize, &Departure> = departures.collect();
        let surface = |name: &&str| site.area(name).map_or(1.0, |area| area.surface_m2);
        let reaching = names.iter().map(|name| departure::reaching_per_min(surface(name))).collect();
        let (gates, rules) = (site.gates.len(), Rules::new(site, outlook.at, plan));
        let homeward = departure::homeward(site);
        Self { names, now, lanes, gates, rules, bands, departures, homeward, reaching, settings }
    }

    pub fn place(&self, leaf: &str) -> Option<usize> {
        self.names.iter().position(|name| *name == leaf)
    }

    pub fn persons_now(&self, leaf: usize) -> f64 {
        self.now[leaf].0
    }

    /// Walks one member to the end.
    pub fn walk(&self, member: &Member) -> Path {
        let here: Vec<f64> = self.now.iter().map(|(mean, sd)| (mean + member.occupancy * sd).max(0.0)).collect();
        let mut people = People { homeward: vec![0.0; here.len()], here };
        let mut held = Held::new(self.gates);
        let nobody = || (vec![0.0; people.here.len()], vec![0.0; people.here.len()]);
        let mut coming: Vec<(Vec<f64>, Vec<f64>)> = (0..=self.settings.minutes).map(|_| nobody()).collect();
        let mut path = Path { persons: Vec::new(), flows: Vec::new(), waiting: Vec::new() };
        for minute in 0..self.settings.minutes {
            self.decide_to_go(member, minute, &mut people);
            let flows = self.move_people(member, minute, (&mut people, &mut coming), &mut held);
            for (place, per_min) in self.rules.taken_away(minute) {
                if let Some(place) = self.names.iter().position(|name| *name == place) {
                    people.take(place, per_min);
                }
            }
            path.persons.push(people.all());
            path.flows.push(flows);
            path.waiting.push(held.outside());
        }
        path
    }

    /// Who decides to go home in this minute, beyond those who leave as lately anyway.
    fn decide_to_go(&self, member: &Member, minute: usize, people: &mut People) {
        for (place, departure) in &self.departures {
            let deviates = (member.leaving, member.later);
            let going = departure.in_minute(minute, deviates, &self.settings.departures);
            let lately: f64 =
                self.lanes.iter().filter(|row| row.from == Some(*place)).map(|row| row.leaving.now_per_min).sum();
            let deciding = people.here[*place] * (1.0 - (-(going - lately).max(0.0)).exp());
            people.here[*place] -= deciding;
            people.homeward[*place] += deciding;
        }
    }

    /// Moves people through every lane; gives the persons through each gate, both directions.
    fn move_people(
        &self,
        member: &Member,
        minute: usize,
        (people, coming): (&mut People, &mut [(Vec<f64>, Vec<f64>)]),
        held: &mut Held,
    ) -> Vec<f64> {
        let mut flows = vec![0.0; self.gates];
        let mut change = std::mem::take(&mut coming[minute]);
        let mut wanted = self.wanted(member, minute, &people.here);
        let mut homeward = vec![0.0; wanted.len()];
        for (lane, row) in self.lanes.iter().enumerate() {
            let Some(from) = row.from.filter(|from| people.homeward[*from] > 0.0) else { continue };
            let going = people.homeward[from] * self.reaching[from] * self.homeward[lane];
            wanted[lane] += going;
            homeward[lane] = if wanted[lane] > 0.0 { going / wanted[lane] } else { 0.0 };
        }
        let moved = self.rules.apply(minute, wanted, held);
        for (lane, (row, moved)) in self.lanes.iter().zip(&moved).enumerate() {
            let moved = moved.min(row.capacity_per_min);
            let (here, homeward) = (moved * (1.0 - homeward[lane]), moved * homeward[lane]);
            flows[row.gate] += moved;
            if let Some(from) = row.from {
                change.0[from] -= here;
                change.1[from] -= homeward;
            } else {
                held.keep_rest(row.gate, row.direction, moved);
            }
            if let Some(to) = row.to {
                let at = minute + row.delay_min;
                let to_change = if at == minute { Some(&mut change) } else { coming.get_mut(at) };
                if let Some(arriving) = to_change {
                    arriving.0[to] += here;
                    arriving.1[to] += homeward;
                }
            }
        }
        for (persons, change) in people.here.iter_mut().zip(change.0) {
            *persons = (*persons + change).max(0.0);
        }
        for (persons, change) in people.homeward.iter_mut().zip(change.1) {
            *persons = (*persons + change).max(0.0);
        }
        flows
    }

    /// Who would pass each lane in this minute if nothing held them up.
    fn wanted(&self, member: &Member, minute: usize, persons: &[f64]) -> Vec<f64> {
        let ahead = minutes_of(minute) + 0.5;
        let mut wanted: Vec<f64> = self.lanes.iter().map(|row| self.arriving(member, row, ahead)).collect();
        for (place, band) in &self.bands {
            let into: Vec<usize> = (0..self.lanes.len())
                .filter(|lane| self.lanes[*lane].to == Some(*place) && self.lanes[*lane].from.is_none())
                .collect();
            let sum: f64 = into.iter().map(|lane| wanted[*lane]).sum();
            let Some(target) = of_band(band, minute, member.later) else { continue };
            let weight = ahead / (ahead + self.settings.band_half_min);
            let total = sum * (1.0 - weight) + target * weight;
            #[expect(clippy::cast_precision_loss, reason = "a handful of lanes")]
            let even = 1.0 / into.len().max(1) as f64;
            for lane in into {
                wanted[lane] = if sum > 0.0 { wanted[lane] / sum * total } else { total * even };
            }
        }
        // Leaving is exponential in all lanes of an area together, so that nobody leaves twice.
        let readiness = (1.0 - member.leaving * self.settings.leaving_spread).max(0.0);
        let mut rates = vec![0.0; persons.len()];
        for row in &self.lanes {
            if let Some(from) = row.from {
                rates[from] += row.leaving.ahead(ahead) * readiness;
            }
        }
        for (row, wanted) in self.lanes.iter().zip(&mut wanted) {
            if let Some(from) = row.from.filter(|from| rates[*from] > 0.0) {
                let share = row.leaving.ahead(ahead) * readiness / rates[from];
                *wanted = persons[from] * (1.0 - (-rates[from]).exp()) * share;
            }
        }
        wanted
    }

    /// Arrivals from outside: the level, a trend that fades, and what may change later.
    fn arriving(&self, member: &Member, row: &LaneRow, ahead_min: f64) -> f64 {
        if row.from.is_some() {
            return 0.0;
        }
        let (arrival, fades) = (&row.arrival, self.settings.trend_fades_min);
        let level = (arrival.level_per_min + member.arrivals * arrival.level_sd).max(0.0);
        let trend = arrival.trend_per_min2 + member.arrivals * arrival.trend_sd;
        let expected = (level + trend * fades * (1.0 - (-ahead_min / fades).exp())).max(0.0);
        let later = 1.0 + member.later * self.settings.arrivals_sd_per_h * (ahead_min / 60.0).sqrt();
        expected * later.max(0.0)
    }
}

/// How readily people leave by a lane. Where it is known when they go home, they do not tire of staying before that.
fn leaving_of(outlook: &Outlook, lane: &crate::crowd::Lane, from: Option<&str>) -> Leaving {
    let leaving = outlook.leaving.get(lane).copied().unwrap_or_default();
    let is_known = from.is_some_and(|area| outlook.departures.contains_key(area));
    if is_known { Leaving::steady(leaving.now_per_min) } else { leaving }
}

/// A band's value for a normal deviate: straight through its quantiles.
fn of_band(band: &ForecastBand, minute: usize, deviate: f64) -> Option<f64> {
    let (low, middle, high) = (*band.p10.get(minute)?, *band.p50.get(minute)?, *band.p90.get(minute)?);
    let side = if deviate < 0.0 { middle - low } else { high - middle };
    Some((middle + deviate / 1.281_55 * side).max(0.0))
}

fn whole_minutes(minutes: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a walk, from 0")]
    let whole = minutes.max(0.0).round() as usize;
    whole
}

fn minutes_of(minute: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of a horizon")]
    let minutes = minute as f64;
    minutes
}
