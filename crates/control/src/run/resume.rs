//! Taking up a live run that a stop of the server broke off: its minutes are lived again from the counts in the history,
//! its open alerts and its decisions are kept, and the stretch without pictures is marked.

use std::sync::Arc;

use jiff::tz::TimeZone;
use model::{Problem, Tenant, Timestamp};
use store::Store;
use support::crowd::{AreaCount, CountKind};
use tokio::sync::Semaphore;

use super::{Clock, Driver, MINUTE_US, WAIT_S_MAX};
use crate::{
    ControlError, Plan, RunGap, RunKind, RunRecord,
    record::{self, Minute},
    room::Start,
    site_of,
};

/// The most minutes that are lived again; of what was longer ago the kept picture tells enough.
const RELIVED_MIN_MAX: i64 = 12 * 60;
/// What rounding adds to the standard deviation of a kept number of persons, and what is taken of one that was too small
/// to be kept.
const ROUNDED_SD: f64 = 5.0;
/// How far the city's clock may have been put back, s.
const PUT_BACK_S_MAX: f64 = 120.0;

impl Driver {
    /// A live run as it was, up to the last minute that is over. Reads a lot, so call it where waiting is fine.
    ///
    /// # Errors
    /// The city's clock was put back to before the run came so far, or the store fails.
    pub(crate) fn resumed(
        parts: (Store, Tenant, (Clock, Clock), Arc<Semaphore>),
        plan: &Plan,
        mut run: RunRecord,
        zone: TimeZone,
    ) -> Result<Self, ControlError> {
        let now = (parts.2.1)();
        if run.at.seconds_since(now) > PUT_BACK_S_MAX {
            let detail = format!("the city's clock says {now}, and the run came up to {}", run.at);
            return Err(Problem::new("run", detail, "start another run").into());
        }
        let (kept_until, began_empty) = (run.at, run.began_empty);
        let first = run.from.unwrap_or(run.at);
        run.at = first.max(kept_until.plus_micros(-RELIVED_MIN_MAX * MINUTE_US));
        let known = kept_counts((&parts.0, &parts.1), &mut run, first, plan)?;
        run.began_empty &= run.at == first;
        let start = Start { kind: RunKind::Live, speed: 1.0, seed: 0, visitors_factor: 1.0, areas_empty: None };
        let mut driver = Self::new(parts, plan, run, start, zone);
        driver.run.began_empty = began_empty;
        driver.restore()?;
        driver.relive(driver.last_over(now, kept_until), now, known)?;
        if driver.run.at > kept_until {
            driver.run.gaps.push(RunGap { from: kept_until, until: driver.run.at });
        }
        Ok(driver)
    }

    fn restore(&mut self) -> Result<(), ControlError> {
        let snapshot = self.store.snapshot()?;
        let (event, run) = (&self.run.event, &self.run.id);
        self.decisions = record::decisions(&snapshot, &self.tenant, event, run)?;
        for decision in self.decisions.iter().filter(|decision| !self.watch.fits(&decision.measure)) {
            let (id, remedy) = (decision.id, "decide again for a gate or an area that is in the plan");
            tracing::warn!(event, run, id, remedy, "a decided measure does not fit the plan any more; it is left out");
        }
        self.alerts.restore(record::alerts(&snapshot, &self.tenant, event, run)?, &mut self.watch);
        Ok(())
    }

    /// The end of the last minute that need not be waited for any more. The event's own last minute is lived as usual.
    fn last_over(&self, now: Timestamp, kept_until: Timestamp) -> Timestamp {
        let mut last = kept_until;
        let ends = |last: Timestamp| last.plus_micros(MINUTE_US);
        while now.seconds_since(ends(last)) > WAIT_S_MAX && ends(last) < self.until {
            last = ends(last);
        }
        last
    }

    fn relive(&mut self, last: Timestamp, now: Timestamp, mut known: Vec<AreaCount>) -> Result<(), ControlError> {
        let measures = self.decided();
        while self.run.at < last {
            let mut reported = self.scene.step(self.run.at, now, &measures)?;
            reported.counts.append(&mut known);
            self.run.at = self.run.at.plus_micros(MINUTE_US);
            self.watch.relive(&reported, &measures, self.run.at);
        }
        Ok(())
    }
}

/// What the picture of the moment at which reliving begins said of the areas, as counts of them: a run that is longer goes
/// on from there. When nobody watched then, it begins at the last moment before that of which there is a picture. Areas of
/// which it said nothing stay unknown.
fn kept_counts(
    (store, tenant): (&Store, &Tenant),
    run: &mut RunRecord,
    first: Timestamp,
    plan: &Plan,
) -> Result<Vec<AreaCount>, ControlError> {
    let snapshot = store.snapshot()?;
    for back in 0..RELIVED_MIN_MAX {
        let at = run.at.plus_micros(-back * MINUTE_US);
        if at <= first {
            break;
        }
        if let Some(minute) = record::minute(&snapshot, tenant, run, at)? {
            run.at = at;
            return Ok(counts_of(&minute, plan));
        }
    }
    Ok(vec![])
}

fn counts_of(minute: &Minute, plan: &Plan) -> Vec<AreaCount> {
    let (site, _) = site_of(plan);
    let counts = minute.areas.iter().filter(|area| !site.is_parent(&area.key)).filter_map(|area| {
        let (persons, sd_persons) = match area.occupancy {
            Some(amount) => (amount.value, amount.sd + ROUNDED_SD),
            None if area.suppressed => (ROUNDED_SD, ROUNDED_SD),
            None => return None,
        };
        Some(AreaCount { area: area.key.clone(), at: minute.at, persons, sd_persons, kind: CountKind::Observed })
    });
    counts.collect()
}
