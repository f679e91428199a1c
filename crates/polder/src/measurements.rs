//! Measurements: what the layers count, collected once for the process and told in the text format of Prometheus.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use metrics_exporter_prometheus::PrometheusBuilder;

/// The bounds of the histograms of durations, seconds: from a cached tile to the longest answer.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// How often finished readings are folded into the histograms, so that they do not pile up between two readers.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts to measure. The function returned gives everything as text.
pub fn start() -> Result<Arc<dyn Fn() -> String + Send + Sync>> {
    let builder = PrometheusBuilder::new().set_buckets(SECONDS).context("measurements")?;
    let handle = builder.install_recorder().context("measurements")?;
    let kept = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            kept.run_upkeep();
        }
    });
    Ok(Arc::new(move || handle.render()))
}
