//! Taking up a live run that a stop of the server broke off: its minutes are lived again from the counts in the history,
//! its open alerts and its decisions are kept, and the stretch without pictures is marked.

use std::sync::Arc;

use jiff::tz::TimeZone;
use model::{Problem, Tenant, Timestamp};
use store::Store;
use tokio::sync::Semaphore;

use super::{Clock, Driver, MINUTE_US, WAIT_S_MAX};
use crate::{ControlError, Plan, RunGap, RunKind, RunRecord, record, room::Start};

/// The most minutes that are lived again; what an area holds does not hang on what was longer ago.
const RELIVED_MIN_MAX: i64 = 12 * 60;
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
        run.began_empty &= run.at == first;
        let start = Start { kind: RunKind::Live, speed: 1.0, seed: 0, visitors_factor: 1.0, areas_empty: None };
        let mut driver = Self::new(parts, plan, run, start, zone);
        driver.run.began_empty = began_empty;
        driver.restore()?;
        driver.relive(driver.last_over(now, kept_until), now)?;
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

    fn relive(&mut self, last: Timestamp, now: Timestamp) -> Result<(), ControlError> {
        let measures = self.decided();
        while self.run.at < last {
            let reported = self.scene.step(self.run.at, now, &measures)?;
            self.run.at = self.run.at.plus_micros(MINUTE_US);
            self.watch.relive(&reported, &measures, self.run.at);
        }
        Ok(())
    }
}
