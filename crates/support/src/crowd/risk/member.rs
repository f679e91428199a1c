//! One member of the projection: a stated way in which the next hour may go, walked minute by minute.

use std::collections::BTreeMap;

use super::{ForecastBand, RiskSettings, arrivals::Expectation};
use crate::crowd::{
    Departure, Direction, Leaving, Outlook, Plan, Site, Stay, departure,
    measure::{Held, Rules},
    stay::{self, STAGES},
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
struct LaneRow<'a> {
    gate: usize,
    direction: Direction,
    from: Option<usize>,
    to: Option<usize>,
    arrival: Arrival,
    leaving: Leaving,
    /// For each minute the share of those who come by it that stays where it leads to; `None` where that is not known.
    settling: Option<&'a [f64]>,
    capacity_per_min: f64,
    delay_min: usize,
}

/// Everything that all members share.
pub(super) struct Road<'a> {
    names: Vec<&'a str>,
    now: Vec<(f64, f64)>,
    stays: Vec<Option<Stay>>,
    lanes: Vec<LaneRow<'a>>,
    gates: usize,
    rules: Rules,
    expected: BTreeMap<usize, Expectation<'a>>,
    departures: BTreeMap<usize, &'a Departure>,
    /// For each lane the share of those going home who take it.
    homeward: Vec<f64>,
    /// For each area the share of those going home who reach its gates in a minute.
    reaching: Vec<f64>,
    settings: &'a RiskSettings,
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
                leaving: outlook.leaving.get(&lane).copied().unwrap_or_default(),
                settling: to.and_then(|area| Some(outlook.departures.get(area)?.settling.get(&lane)?.as_slice())),
                capacity_per_min: site.gates[gate].capacity_per_min().min(width),
                delay_min,
            })
        });
        let lanes: Vec<LaneRow<'_>> = rows.collect();
        let stays = names.iter().map(|name| outlook.stays.get(*name).copied()).collect();
        let expected = bands.iter().filter_map(|band| {
            let place = place(Some(&band.area))?;
            let counted = lanes.iter().filter(|row| row.to == Some(place)).map(|row| row.arrival.level_per_min).sum();
            Some((place, Expectation::new(band, counted)))
        });
        let expected = expected.collect();
        let departures = outlook.departures.iter().filter_map(|(area, going)| Some((place(Some(area))?, going)));
        let departures: BTreeMap<usize, &Departure> = departures.collect();
        let reaching = names.iter().map(|name| site.area(name).map_or(1.0, departure::reaching_per_min)).collect();
        let (gates, rules) = (site.gates.len(), Rules::new(site, outlook.at, plan));
        let homeward = departure::homeward(site);
        Self { names, now, stays, lanes, gates, rules, expected, departures, homeward, reaching, settings }
    }

    pub fn place(&self, leaf: &str) -> Option<usize> {
        self.names.iter().position(|name| *name == leaf)
    }

    pub fn persons_now(&self, leaf: usize) -> f64 {
        self.now[leaf].0
    }

    /// Walks one member to the end.
    pub fn walk(&self, member: &Member) -> Path {
        let mut present: Vec<Present> = (0..self.now.len()).map(|place| self.present(place, member)).collect();
        let mut held = Held::new(self.gates);
        let mut coming: Vec<Vec<Group>> = vec![vec![Group::default(); present.len()]; self.settings.minutes + 1];
        let mut path = Path { persons: Vec::new(), flows: Vec::new(), waiting: Vec::new() };
        for minute in 0..self.settings.minutes {
            self.decide_to_go(member, minute, &mut present);
            let due = std::mem::take(&mut coming[minute]);
            let Minute { moved, came, held: held_after } = self.minute(member, minute, &present, &due, &held);
            held = held_after;
            let (mut flows, mut left) = (vec![0.0; self.gates], vec![Group::default(); present.len()]);
            for (row, moved) in self.lanes.iter().zip(&moved) {
                flows[row.gate] += moved.all();
                match row.from {
                    Some(from) => left[from].add(*moved),
                    None => held.keep_rest(row.gate, row.direction, moved.all()),
                }
                let later = row.to.filter(|_| row.delay_min > 0).zip(coming.get_mut(minute + row.delay_min));
                if let Some((to, coming)) = later {
                    coming[to].add(row.arriving(minute, *moved));
                }
            }
            for ((present, came), left) in present.iter_mut().zip(came).zip(left) {
                present.pass(came, left);
            }
            for (name, per_min) in self.rules.taken_away(minute) {
                if let Some(place) = self.place(name) {
                    present[place].take_away(per_min);
                }
            }
            path.persons.push(present.iter().map(Present::persons).collect());
            path.flows.push(flows);
            path.waiting.push(held.outside());
        }
        path
    }

    /// Who decides to go home in this minute, beyond those who leave as lately anyway.
    fn decide_to_go(&self, member: &Member, minute: usize, present: &mut [Present]) {
        for (place, departure) in &self.departures {
            let deviates = (member.leaving, member.later);
            let going = departure.in_minute(minute, deviates, &self.settings.departures);
            let lately = present[*place].share_on.unwrap_or(0.0);
            present[*place].go_home(1.0 - (-(going - lately).max(0.0)).exp());
        }
    }

    /// Who passes each lane in a minute. Who walks through a short area leaves it in the minute in which they came, so
    /// what came is found by going over it once more for each such area on the way.
    fn minute(&self, member: &Member, minute: usize, present: &[Present], due: &[Group], held: &Held) -> Minute {
        let walked = present.iter().filter(|present| present.share_on.is_none()).count();
        let mut found = Minute { moved: Vec::new(), came: due.to_vec(), held: held.clone() };
        for _ in 0..=walked.min(WALKED_MAX) {
            let mut held = held.clone();
            let wanted = self.wanted(member, minute, present, &found.came);
            let passing = self.rules.apply(minute, wanted.iter().map(Group::all).collect(), &mut held);
            let mut came = due.to_vec();
            let rows = self.lanes.iter().zip(wanted.iter().zip(passing));
            let moved = rows.map(|(row, (wanted, passing))| {
                let moved = wanted.part(passing.min(row.capacity_per_min));
                if let Some(to) = row.to.filter(|_| row.delay_min == 0) {
                    came[to].add(row.arriving(minute, moved));
                }
                moved
            });
            let moved = moved.collect();
            found = Minute { moved, came, held };
        }
        found
    }

    fn present(&self, place: usize, member: &Member) -> Present {
        let (mean, sd) = self.now[place];
        let persons = (mean + member.occupancy * sd).max(0.0);
        let Some(stay) = &self.stays[place] else { return Present::walking(persons) };
        let longer = (member.leaving * stay.sd_log.hypot(self.settings.leaving_spread)).exp();
        if self.departures.contains_key(&place) {
            // Where it is known when they go home, those who stay do not tire of it before that. Of those who left lately,
            // some came to walk on; as readily as the others left, they go on leaving.
            let through = self.walking_through(place).min(persons);
            let rows = self.lanes.iter().filter(|row| row.from == Some(place));
            let left: f64 = rows.map(|row| row.leaving.lately_per_min).sum();
            let staying = persons - through;
            let early = (left - through * self.reaching[place]).max(0.0) / staying.max(1.0) / longer;
            return Present { share_on: Some(early.min(1.0)), through, ..Present::walking(staying) };
        }
        let stages = stay.stages.map(|share| share * persons);
        Present { stages, share_on: Some(stay.share_on(1.0, longer)), first: stay.first, ..Present::walking(0.0) }
    }

    /// How many are in an area now on their way to another one: who comes by a gate from outside and does not stay,
    /// for as long as it takes to cross it.
    fn walking_through(&self, place: usize) -> f64 {
        let rows = self.lanes.iter().filter(|row| row.to == Some(place));
        let on = rows.map(|row| row.arrival.level_per_min * (1.0 - row.settling(0).unwrap_or(1.0))).sum::<f64>();
        on / self.reaching[place]
    }

    /// Who would pass each lane in this minute if nothing held them up.
    fn wanted(&self, member: &Member, minute: usize, present: &[Present], came: &[Group]) -> Vec<Group> {
        let ahead = minutes_of(minute) + 0.5;
        let mut wanted: Vec<f64> = self.lanes.iter().map(|row| self.arriving(member, row, ahead)).collect();
        for (place, expected) in &self.expected {
            let into: Vec<usize> = (0..self.lanes.len())
                .filter(|lane| self.lanes[*lane].to == Some(*place) && self.lanes[*lane].from.is_none())
                .collect();
            let sum: f64 = into.iter().map(|lane| wanted[*lane]).sum();
            let Some(target) = expected.in_minute(minute, ahead, member.later) else { continue };
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
        let mut rates = vec![0.0; present.len()];
        for row in &self.lanes {
            if let Some(from) = row.from {
                rates[from] += row.leaving.per_min;
            }
        }
        for (row, wanted) in self.lanes.iter().zip(&mut wanted) {
            if let Some(from) = row.from.filter(|from| rates[*from] > 0.0) {
                let ready = present[from].ready(came[from].here, rates[from] * readiness);
                *wanted = ready * row.leaving.per_min / rates[from];
            }
        }
        let rows = self.lanes.iter().zip(wanted).enumerate();
        let groups = rows.map(|(lane, (row, here))| {
            let Some(from) = row.from else { return Group { here, ..Group::default() } };
            let (present, reaching) = (&present[from], self.reaching[from]);
            let by_this = if rates[from] > 0.0 { row.leaving.per_min / rates[from] } else { 0.0 };
            let through = present.through * reaching * by_this;
            Group { here, through, homeward: present.homeward * reaching * self.homeward[lane] }
        });
        groups.collect()
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

/// At most so many areas that people walk through are followed within one minute.
const WALKED_MAX: usize = 4;

/// What passes in one minute: by lane, what came to each area, and who is held back after it.
struct Minute {
    moved: Vec<Group>,
    came: Vec<Group>,
    held: Held,
}

impl LaneRow<'_> {
    fn settling(&self, minute: usize) -> Option<f64> {
        let shares = self.settling?;
        shares.get(minute).or(shares.last()).copied()
    }

    /// Who passed, as they are where the lane leads to.
    fn arriving(&self, minute: usize, moved: Group) -> Group {
        let all = moved.here + moved.through;
        let here = self.settling(minute).map_or(all, |share| all * share);
        Group { here, through: all - here, homeward: moved.homeward }
    }
}

/// Persons: those who go about as before, those who only walk through an area where others stay for its programme, and those
/// on their way home.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    here: f64,
    through: f64,
    homeward: f64,
}

impl Group {
    fn all(&self) -> f64 {
        self.here + self.through + self.homeward
    }

    fn add(&mut self, more: Self) {
        self.here += more.here;
        self.through += more.through;
        self.homeward += more.homeward;
    }

    /// So many persons, of all kinds alike; of those who were sent here from elsewhere nobody is on the way home.
    fn part(&self, persons: f64) -> Self {
        let of = |kind: f64| if self.all() > 0.0 { persons * kind / self.all() } else { 0.0 };
        let (through, homeward) = (of(self.through), of(self.homeward));
        Self { here: persons - through - homeward, through, homeward }
    }
}

/// Who is in an area on a member's path, by stage of their stay. Where people only walk, all are in the last stage.
struct Present {
    stages: [f64; STAGES],
    first: usize,
    /// The share of a stage that goes on each minute; `None` where people walk through.
    share_on: Option<f64>,
    /// On their way to another area, beside the stages.
    through: f64,
    /// On their way home, beside the stages.
    homeward: f64,
}

impl Present {
    fn walking(persons: f64) -> Self {
        let mut stages = [0.0; STAGES];
        stages[STAGES - 1] = persons;
        Self { stages, first: STAGES - 1, share_on: None, through: 0.0, homeward: 0.0 }
    }

    fn persons(&self) -> f64 {
        self.stages.iter().sum::<f64>() + self.through + self.homeward
    }

    /// A share of those who stay sets out for home.
    fn go_home(&mut self, share: f64) {
        let going = self.stages.iter().sum::<f64>() * share;
        self.stages = self.stages.map(|stage| stage * (1.0 - share));
        self.homeward += going;
    }

    /// Who wants to leave in this minute, of those who are there and of those who come in it; `rate_per_min` is that of
    /// people who walk through.
    fn ready(&self, came: f64, rate_per_min: f64) -> f64 {
        let here = self.stages[STAGES - 1];
        match self.share_on {
            Some(share) => here * share,
            None => {
                let gone = 1.0 - (-rate_per_min).exp();
                here * gone + came * (1.0 - gone / rate_per_min.max(1e-9)).max(0.0)
            }
        }
    }

    fn pass(&mut self, came: Group, left: Group) {
        self.through = (self.through + came.through - left.through).max(0.0);
        self.homeward = (self.homeward + came.homeward - left.homeward).max(0.0);
        self.stages[STAGES - 1] -= left.here;
        if let Some(share) = self.share_on {
            stay::advance(&mut self.stages, share);
        }
        self.stages[self.first] += came.here;
        self.stages[STAGES - 1] = self.stages[STAGES - 1].max(0.0);
    }

    fn take_away(&mut self, persons: f64) {
        let here = self.persons();
        let kept = (here - persons).max(0.0) / here.max(f64::MIN_POSITIVE);
        self.stages = self.stages.map(|stage| stage * kept);
        self.through *= kept;
        self.homeward *= kept;
    }
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
