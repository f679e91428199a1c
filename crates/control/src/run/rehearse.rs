//! A whole rehearsal at once, without a clock: to see how good predictions are on many seeds.

use jiff::tz::TimeZone;

use super::{MINUTE_US, scene::Rehearsal, watch::Watch};
use crate::{
    ControlError, HorizonQuality, Plan, RunKind, RunRecord, RunState,
    record::Minute,
    report,
    room::{Start, check},
};

/// Lives through an event with simulated visitors from its first to its last moment, without measures, and gives the
/// quality of what was predicted on the way, as its report would have it.
///
/// # Errors
/// The plan cannot be rehearsed.
pub fn rehearse(
    plan: &Plan,
    seed: u64,
    visitors_factor: f64,
    zone: TimeZone,
) -> Result<Vec<HorizonQuality>, ControlError> {
    let start = Start { kind: RunKind::Rehearsal, speed: 1.0, seed, visitors_factor, areas_empty: None };
    check(plan, &start, false)?;
    let facts = &plan.event.facts;
    let run = RunRecord {
        event: plan.event.id.clone(),
        id: "1".to_owned(),
        kind: RunKind::Rehearsal,
        simulated: true,
        state: RunState::Running,
        speed: 1.0,
        seed: Some(seed),
        at: facts.from,
        from: Some(facts.from),
        began_empty: true,
        gaps: vec![],
        started_at: facts.from,
        started_by: String::new(),
        ended_at: None,
        ended_by: None,
    };
    let mut visitors = Rehearsal::new(plan, facts.from, start);
    let mut watch = Watch::new(plan, &run, facts.from, zone);
    let mut minutes = Vec::new();
    let mut at = facts.from;
    while at < facts.until {
        let reported = visitors.step(at, &[]);
        at = at.plus_micros(MINUTE_US);
        let seen = watch.step(reported, &[], at);
        let (event, run) = (run.event.clone(), run.id.clone());
        minutes.push(Minute { event, run, at, areas: seen.areas, gates: seen.gates, conditions: vec![] });
    }
    Ok(report::qualities(&minutes))
}
