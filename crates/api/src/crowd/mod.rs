//! The control room: events and their plans, runs, alerts, measures.
#![allow(unused_qualifications, reason = "utoipa's macro repeats the names of parameter types")]

mod geojson;
mod outlook;
mod paper;
mod plans;
mod post;
mod runs;

use trust::Action;
use utoipa::OpenApi;

use crate::Routes;

/// The largest body of these routes, bytes: a part with a drawing of 2,000 points.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The largest file of a plan, bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    use Action::{ActOnCrowd, PlanCrowd, ReadCrowd};
    Routes::new()
        .get("/api/v1/crowd/events", ReadCrowd, plans::list_crowd_events)
        .post("/api/v1/crowd/events", PlanCrowd, plans::add_crowd_event)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}", ReadCrowd, plans::get_crowd_event)
        .put("/api/v1/crowd/events/{event}", PlanCrowd, plans::change_crowd_event)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/crowd/events/{event}", PlanCrowd, plans::remove_crowd_event)
        .put("/api/v1/crowd/events/{event}/parts/{kind}/{key}", PlanCrowd, plans::put_crowd_part)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/crowd/events/{event}/parts/{kind}/{key}", PlanCrowd, plans::remove_crowd_part)
        .get("/api/v1/crowd/events/{event}/export", ReadCrowd, geojson::export_crowd_plan)
        .post("/api/v1/crowd/events/{event}/import", PlanCrowd, geojson::import_crowd_plan)
        .body_max(FILE_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}/recipients", PlanCrowd, post::list_crowd_recipients)
        .put("/api/v1/crowd/events/{event}/recipients/{recipient}", PlanCrowd, post::put_crowd_recipient)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/crowd/events/{event}/recipients/{recipient}", PlanCrowd, post::remove_crowd_recipient)
        .post("/api/v1/crowd/events/{event}/recipients/{recipient}/test", PlanCrowd, post::test_crowd_recipient)
        .get("/api/v1/crowd/events/{event}/runs", ReadCrowd, runs::list_crowd_runs)
        .post("/api/v1/crowd/events/{event}/runs", PlanCrowd, runs::start_crowd_run)
        .body_max(BODY_BYTES_MAX)
        .patch("/api/v1/crowd/events/{event}/runs/{run}", PlanCrowd, runs::pace_crowd_run)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}/runs/{run}/alerts", ReadCrowd, runs::list_crowd_alerts)
        .post(
            "/api/v1/crowd/events/{event}/runs/{run}/alerts/{alert}/acknowledge",
            ActOnCrowd,
            runs::acknowledge_crowd_alert,
        )
        .post("/api/v1/crowd/events/{event}/runs/{run}/alerts/{alert}/close", ActOnCrowd, runs::close_crowd_alert)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}/runs/{run}/decisions", ReadCrowd, runs::list_crowd_decisions)
        .post("/api/v1/crowd/events/{event}/runs/{run}/decisions", ActOnCrowd, runs::decide_crowd_measure)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}/runs/{run}/deliveries", ReadCrowd, post::list_crowd_deliveries)
        .get("/api/v1/crowd/events/{event}/runs/{run}/picture", ReadCrowd, runs::get_crowd_picture)
        .get("/api/v1/crowd/events/{event}/runs/{run}/report", ReadCrowd, runs::get_crowd_report)
        .get("/api/v1/crowd/events/{event}/runs/{run}/report.pdf", ReadCrowd, paper::get_crowd_report_pdf)
        .post("/api/v1/crowd/events/{event}/runs/{run}/stop", PlanCrowd, runs::stop_crowd_run)
        .get("/api/v1/crowd/events/{event}/runs/{run}/stream", ReadCrowd, runs::stream_crowd_pictures)
        .post("/api/v1/crowd/events/{event}/runs/{run}/what-if", ReadCrowd, runs::ask_crowd_what_if)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/forecasts", ReadCrowd, outlook::list_crowd_forecasts)
        .get("/api/v1/crowd/forecasts/{set}/model", ReadCrowd, outlook::get_crowd_forecast_model)
        .post("/api/v1/crowd/forecasts/{set}/train", PlanCrowd, outlook::train_crowd_forecast)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/forecasts/{set}/week", ReadCrowd, outlook::get_crowd_forecast_week)
        .get("/api/v1/crowd/forecasts/{set}/nowcast", ReadCrowd, outlook::get_crowd_nowcast)
        .get("/api/v1/crowd/forecasts/{set}/{series}", ReadCrowd, outlook::get_crowd_forecast)
        .get("/api/v1/crowd/forecasts/{set}/{series}/record", ReadCrowd, outlook::get_crowd_forecast_record)
        .get("/api/v1/crowd/measures", ReadCrowd, plans::list_crowd_measures)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(
    geojson::export_crowd_plan,
    geojson::import_crowd_plan,
    outlook::get_crowd_forecast,
    outlook::get_crowd_forecast_model,
    outlook::get_crowd_forecast_record,
    outlook::get_crowd_forecast_week,
    outlook::get_crowd_nowcast,
    outlook::list_crowd_forecasts,
    outlook::train_crowd_forecast,
    plans::add_crowd_event,
    plans::change_crowd_event,
    plans::get_crowd_event,
    plans::list_crowd_events,
    plans::list_crowd_measures,
    plans::put_crowd_part,
    plans::remove_crowd_event,
    plans::remove_crowd_part,
    paper::get_crowd_report_pdf,
    post::list_crowd_deliveries,
    post::list_crowd_recipients,
    post::put_crowd_recipient,
    post::remove_crowd_recipient,
    post::test_crowd_recipient,
    runs::acknowledge_crowd_alert,
    runs::ask_crowd_what_if,
    runs::close_crowd_alert,
    runs::decide_crowd_measure,
    runs::get_crowd_picture,
    runs::get_crowd_report,
    runs::list_crowd_alerts,
    runs::list_crowd_decisions,
    runs::list_crowd_runs,
    runs::pace_crowd_run,
    runs::start_crowd_run,
    runs::stop_crowd_run,
    runs::stream_crowd_pictures,
))]
struct Described;
