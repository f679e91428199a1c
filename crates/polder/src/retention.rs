//! Retention: what the city no longer keeps is deleted while it is served, history by the city's clock, what crowd
//! management recorded by the clock on the wall (which its records carry).

use std::{collections::HashMap, time::Duration};

use anyhow::Result;
use model::{Tenant, Timestamp};
use serde_json::json;
use sources::CityClock;
use store::{AuditEntry, Store};
use tokio_util::sync::CancellationToken;

use crate::city::CityFolder;

/// How often is looked for what is past its time.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long after the start the first time is: the server answers first.
const FIRST_AFTER: Duration = Duration::from_secs(20);
/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// What a city keeps for how long.
#[derive(Clone)]
pub struct Retention {
    tenant: Tenant,
    history_days: HashMap<String, u32>,
    crowd_days: Option<u32>,
}

impl Retention {
    /// As the city's settings say.
    pub fn of(city: &CityFolder) -> Self {
        let days = |source: &sources::config::SourceConfig| source.retention.and_then(|r| r.history_days);
        let sources = city.file.sources.iter();
        Self {
            tenant: city.tenant.clone(),
            history_days: sources.filter_map(|source| Some((source.name.clone(), days(source)?))).collect(),
            crowd_days: city.file.crowd.and_then(|crowd| crowd.retention_days),
        }
    }

    /// Deletes again and again what is past its time, until `stop`. What fails is tried again.
    pub async fn keep(self, store: Store, clock: CityClock, stop: CancellationToken) {
        let mut pause = FIRST_AFTER;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = EVERY;
            if let Err(error) = self.enforce(&store, clock.now(), clock.wall()).await {
                tracing::error!(
                    error = format!("{error:#}"),
                    "what is past its time could not be deleted; it is tried again"
                );
            }
        }
    }

    /// Deletes once what is past its time.
    pub async fn enforce(&self, store: &Store, city: Timestamp, wall: Timestamp) -> Result<()> {
        if !self.history_days.is_empty() {
            let (job, store) = (self.clone(), store.clone());
            let expired = tokio::task::spawn_blocking(move || job.expire_history(&store, city, wall)).await??;
            if expired > 0 {
                tracing::info!(series = expired, "history past its time was deleted");
            }
        }
        if let Some(days) = self.crowd_days {
            let before = wall.plus_micros(-i64::from(days) * DAY);
            let entry = entry("crowd.expire", "crowd", wall, before);
            let runs = control::retention::expire(store, &self.tenant, before, &entry).await?;
            if runs > 0 {
                tracing::info!(runs, "runs past their time were deleted");
            }
        }
        Ok(())
    }

    fn expire_history(&self, store: &Store, city: Timestamp, wall: Timestamp) -> Result<u64> {
        let mut expired = 0;
        // One source after the other, so that the audit says of each what was deleted.
        for (source, days) in &self.history_days {
            let before = city.plus_micros(-i64::from(*days) * DAY);
            let cutoffs = HashMap::from([(source.clone(), before)]);
            let entry = entry("history.expire", source, wall, before);
            for tenant in [&self.tenant, &self.tenant.internal()] {
                expired += platform::retention::expire(store, tenant, &cutoffs, &entry)?;
            }
        }
        // Also what an earlier run deleted and did not carry out.
        store.settle_history()?;
        Ok(expired)
    }
}

fn entry(action: &str, resource: &str, at: Timestamp, before: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        subject: "server".to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        outcome: "done".to_owned(),
        reason: format!("the city keeps nothing from before {before}"),
        detail: json!({}),
    }
}
