//! The log and the traces: text for people or JSON for machines on standard error, and spans to an OTLP collector when
//! one is named. Secrets are in neither.

use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use sources::http::Client;
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{outbound, settings::Telemetry};

/// Sends what is left when the server stops.
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is left; a collector that is gone delays this by its timeout, no longer.
    pub fn finish(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Starts the log. Called once, on the server's runtime, before anything else of the server.
pub fn start(settings: &Telemetry, client: Client) -> Result<Traces> {
    let filter = EnvFilter::try_new(&settings.log)
        .with_context(|| format!("telemetry.log = \"{}\" is not a log filter; use for example info", settings.log))?;
    let text = fmt::layer().with_ansi(false).with_target(false).with_writer(std::io::stderr);
    let log = if settings.log_json { fmt::layer().json().with_writer(std::io::stderr).boxed() } else { text.boxed() };
    let provider = settings.otlp_endpoint.as_deref().map(|endpoint| traces_to(endpoint, client)).transpose()?;
    let spans = provider.as_ref().map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("polder")));
    tracing_subscriber::registry().with(filter).with(spans).with(log).try_init().context("the log")?;
    Ok(Traces(provider))
}

fn traces_to(endpoint: &str, client: Client) -> Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .with_http_client(outbound::Collector::new(client))
        .build()
        .with_context(|| format!("telemetry.otlp_endpoint = \"{endpoint}\" cannot be used"))?;
    let resource = Resource::builder().with_service_name("polder").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
