//! Measurements in the text format of Prometheus: what the door counted, with what store and sources say of themselves.

use std::sync::Once;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::{ApiError, AppState};

/// Measurements are described once for the process, as their recorder is one for the process.
static DESCRIBED: Once = Once::new();

/// The HELP lines of what is told here.
fn describe() {
    describe_gauge!("polder_store_sequence", "Sequence of the newest change in the store");
    describe_gauge!("polder_store_queue_used", "Places of the write queue in use");
    describe_gauge!("polder_store_queue_places", "Places of the write queue in all");
    describe_gauge!("polder_store_cached_entities", "Decoded entities kept in memory");
    describe_gauge!("polder_store_cache_hits", "Reads of entities answered from memory since the start");
    describe_gauge!("polder_store_cache_misses", "Reads of entities answered from disk since the start");
    describe_gauge!("polder_store_engine_bytes", "Bytes of the key-value store on disk");
    describe_gauge!("polder_source_taken", "Entities, or parts of them, taken from a source since the start");
    describe_gauge!("polder_source_refused", "Records of a source refused since the start, each with a reason");
    describe_gauge!("polder_source_lost", "Records of a source accepted and then lost; always 0");
    describe_gauge!("polder_source_age_seconds", "Seconds since the newest value of a source, by the city's clock");
    describe_gauge!("polder_subscriptions", "Subscriptions of all tenants");
    describe_gauge!("polder_notifications_waiting", "Notifications that wait for their turn or are under way");
    describe_counter!("polder_notifications_delivered_total", "Notifications that arrived");
    describe_counter!("polder_notifications_failed_total", "Attempts to notify that failed; most are tried again");
    describe_counter!("polder_notifications_given_up_total", "Notifications given up after their last attempt");
    describe_counter!("polder_notifications_withheld_total", "Notifications whose subscription's owner may not read");
    describe_counter!("polder_notifications_missed_total", "Changes gone from the log before a subscriber was told");
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^53")]
fn tell_subscriptions(state: &AppState) {
    let tally = state.subscriptions.tally();
    gauge!("polder_subscriptions").set(state.subscriptions.len() as f64);
    gauge!("polder_notifications_waiting").set(tally.waiting as f64);
    counter!("polder_notifications_delivered_total").absolute(tally.delivered);
    counter!("polder_notifications_failed_total").absolute(tally.failed);
    counter!("polder_notifications_given_up_total").absolute(tally.given_up);
    counter!("polder_notifications_withheld_total").absolute(tally.withheld);
    counter!("polder_notifications_missed_total").absolute(tally.missed);
}

/// All measurements of the server.
pub(super) async fn get_metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let Some(exposition) = &state.door.measurements else {
        return Err(ApiError::not_found("this server measures nothing").with_remedy("start it with `polder serve`"));
    };
    DESCRIBED.call_once(describe);
    tell_store(&state);
    tell_subscriptions(&state);
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
