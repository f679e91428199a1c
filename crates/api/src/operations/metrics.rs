//! Measurements in the text format of Prometheus: what the door counted, with what store and sources say of themselves.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use metrics::gauge;

use crate::{ApiError, AppState};

/// All measurements of the server.
pub(super) async fn get_metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let Some(exposition) = &state.door.measurements else {
        return Err(ApiError::not_found("this server measures nothing").with_remedy("start it with `polder serve`"));
    };
    tell_store(&state);
    tell_sources(&state);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exposition()).into_response())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^53")]
fn tell_store(state: &AppState) {
    let statistics = state.store.statistics();
    gauge!("polder_store_sequence").set(statistics.sequence as f64);
    gauge!("polder_store_queue_used").set(statistics.queue_used as f64);
    gauge!("polder_store_queue_places").set(statistics.queue_places as f64);
    gauge!("polder_store_cached_entities").set(statistics.cached_entities as f64);
    gauge!("polder_store_cache_hits").set(statistics.cache_hits as f64);
    gauge!("polder_store_cache_misses").set(statistics.cache_misses as f64);
    gauge!("polder_store_engine_bytes").set(statistics.engine_bytes as f64);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^53")]
fn tell_sources(state: &AppState) {
    let now = state.clock.now();
    for source in state.board.all() {
        let name = source.name;
        gauge!("polder_source_taken", "source" => name.clone()).set(source.taken as f64);
        gauge!("polder_source_refused", "source" => name.clone()).set(source.refused as f64);
        gauge!("polder_source_lost", "source" => name.clone()).set(source.lost as f64);
        if let Some(observed) = source.last_observed_at {
            gauge!("polder_source_age_seconds", "source" => name).set(now.seconds_since(observed));
        }
    }
}
